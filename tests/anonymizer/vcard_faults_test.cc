// What can be wrong with a vCard: which card it costs, and what is said of it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/ascii.h"
#include "tests/anonymizer/vcard_fixture.h"
#include "vault/status.h"

namespace sealbook::anonymizer {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

TEST(VcardFaultsTest, BytesThatDoNotBelongAreTheirCardsFault) {
  const std::string good = Card("3.0", "FN:가\nTEL:1\n") + Card("3.0", "FN:나\nTEL:1\n");
  const Vcards read = ReadVcards(good + Card("3.0", "FN:x\xff\nTEL:1\n") + good);
  EXPECT_THAT(read.cards, SizeIs(4));
  EXPECT_THAT(read.faults,
              ElementsAre("11 holds bytes that are no text of the file's encoding in its property "
                          "FN, line 13"));
  EXPECT_EQ(read.raws[2], "BEGIN:VCARD\r\nVERSION:3.0\r\nFN:x\\xFF\r\nTEL:1\r\nEND:VCARD\r\n");
}

TEST(VcardFaultsTest, DamagedValuesAreTheirCardsFault) {
  for (const auto& [line, fault] : std::vector<std::pair<std::string, std::string>>{
           {"FN;ENCODING=QUOTED-PRINTABLE:=E", "damaged quoted-printable in its property FN"},
           {"FN;ENCODING=QUOTED-PRINTABLE:=XY", "damaged quoted-printable"},
           {"NOTE;ENCODING=b:A", "damaged base64 in its property NOTE"},
           {"NOTE;ENCODING=BASE64:a-b!", "damaged base64"},
           {"NOTE;ENCODING=UUENCODE:a", "an ENCODING that is not read"},
           {"FN;CHARSET=KLINGON:a", "a CHARSET that is not read"},
           {"FN;CHARSET=UTF-8:\xff", "bytes that are no text of the declared CHARSET"},
           {"FN;ENCODING=QUOTED-PRINTABLE:a=00", "a NUL byte in its property FN"},
           {"TEL;TYPE=\xff:1", "bytes that are no text in its property TEL"},
           {"VERSION:5.0", "a version other than"},
           {"a line of nothing", "something in line 3 that is no property"},
           {":x", "no property"},
           {"이름:x", "no property"},
           {"NO-COLON", "no property"},
           {absl::StrCat(std::string(65, 'A'), ":x"), "no property"}}) {
    EXPECT_THAT(CellsOf("3.0", line + "\nTEL:1\n")["!"], HasSubstr(fault)) << line;
  }
}

TEST(VcardFaultsTest, NulIsAFault) {
  for (const absl::string_view line : {"NOTE:a%b\n", "NOTE:a\n %\n", "PHOTO;ENCODING=b:A%\n"}) {
    const std::string text = absl::StrReplaceAll(line, {{"%", absl::string_view("\0", 1)}});
    EXPECT_THAT(CellsOf("3.0", text)["!"], HasSubstr("holds a NUL byte in line 3"));
  }
}

TEST(VcardFaultsTest, RawIsTextWhateverTheCardHolds) {
  // Sound text around it says that the file is UTF-8.
  const std::string sound = Card("4.0", "FN:가을\nNOTE:가\nORG:을\nTITLE:가\n");
  const std::string card = "BEGIN:VCARD\nNOTE:a\xff\xea\n \xb0\x80\xea\nX:%\nEND:VCARD\n";
  const Vcards read = ReadVcards(
      sound + absl::StrReplaceAll(card, {{"%", absl::string_view("\0\xea", 2)}}) + sound);
  EXPECT_THAT(read.raws, ElementsAre(sound,
                                     "BEGIN:VCARD\nNOTE:a\\xFF\\xEA\n \\xB0\\x80\\xEA\n"
                                     "X:\\x00\\xEA\nEND:VCARD\n",
                                     sound));
}

TEST(VcardFaultsTest, FewDamagedCardsDoNotCostTheOthers) {
  std::string text = Card("3.0", "FN:a\xff\xff\xff\n");
  for (int i = 0; i < 9; ++i) text += Card("3.0", "FN:a\n");
  const Vcards read = ReadVcards(text);
  EXPECT_THAT(read.cards, SizeIs(9)) << read.end;
  EXPECT_THAT(read.faults, SizeIs(1));
}

TEST(VcardFaultsTest, CardWithoutEndIsAFaultAndTheNextIsRead) {
  const Vcards read =
      ReadVcards("BEGIN:VCARD\nFN:a\nBEGIN:VCARD\nFN:b\nEND:VCARD\nBEGIN:VCARD\nFN:c\n");
  EXPECT_THAT(read.cards, ElementsAre(Cells{{"name", "b"}}));
  EXPECT_THAT(read.faults, ElementsAre("1 has no END:VCARD", "6 has no END:VCARD"));
  EXPECT_THAT(read.raws, ElementsAre("BEGIN:VCARD\nFN:a\n", "BEGIN:VCARD\nFN:b\nEND:VCARD\n",
                                     "BEGIN:VCARD\nFN:c\n"));
}

TEST(VcardFaultsTest, SoftBreakDoesNotTakeTheEndOfTheCardAlong) {
  EXPECT_EQ(CellsOf("2.1", "NOTE;QUOTED-PRINTABLE:a=\n"), (Cells{{"note", "a"}}));
}

TEST(VcardFaultsTest, WhatStandsOutsideOfCardsIsAFaultOnceARun) {
  const std::string card = "BEGIN:VCARD\nFN:a\nEND:VCARD\n";
  const Vcards read =
      ReadVcards(absl::StrCat(card, "hello\nworld\n\n", card, "END:VCARD\n", card, "bye\n"));
  EXPECT_THAT(read.cards, SizeIs(3));
  EXPECT_THAT(read.faults,
              ElementsAre("4 stands outside of every card", "10 has END:VCARD without BEGIN:VCARD",
                          "14 stands outside of every card"));
  EXPECT_EQ(read.raws[1], "hello\nworld\n\n");
}

TEST(VcardFaultsTest, LongLinesAreFaultsAndNeedNoMemory) {
  const std::string huge(100 << 20, 'a');
  const Vcards read = ReadVcards(absl::StrCat(Card("3.0", absl::StrCat("NOTE:", huge, "\n")),
                                              Card("3.0", "FN:b\n"), huge, "\n"));
  EXPECT_THAT(read.cards, ElementsAre(Cells{{"name", "b"}}));
  EXPECT_THAT(read.faults, ElementsAre("1 has a line longer than 1 MiB, line 3",
                                       "9 stands outside of every card"));
}

TEST(VcardFaultsTest, FoldsWithoutEndTakeNoTime) {
  for (const absl::string_view piece : {"\n ", "\n a", "\n \":", "\n  ", "\n =", "\n;"}) {
    for (const absl::string_view head : {"NOTE:", "X", "NOTE;X=\"", "NOTE;QUOTED-PRINTABLE:="}) {
      std::string text = absl::StrCat("BEGIN:VCARD\nVERSION:2.1\n", head);
      for (int i = 0; i < 400'000; ++i) text.append(piece.data(), piece.size());
      const Vcards read = ReadVcards(text + "\nEND:VCARD\n");
      EXPECT_TRUE(read.end.ok());
    }
  }
}

TEST(VcardFaultsTest, TooMuchInACardIsAFault) {
  std::string many, wide;
  for (int i = 0; i < 1001; ++i) many += "TEL:1\n";
  EXPECT_THAT(CellsOf("3.0", many)["!"], HasSubstr("more than 1000 properties"));
  const std::string value(60 << 10, 'a');
  for (int i = 0; i < 20; ++i) absl::StrAppend(&wide, "URL:", value, "\n");
  EXPECT_THAT(CellsOf("3.0", wide)["!"], HasSubstr("more than 1 MiB of text"));
  EXPECT_THAT(CellsOf("3.0", absl::StrCat("NOTE:", value, value, "\n"))["!"],
              HasSubstr("a value longer than 64 KiB"));
  std::string labels;
  for (int i = 0; i < 900; ++i) labels += "a.TEL:1\n";
  EXPECT_THAT(CellsOf("3.0", absl::StrCat(labels, "a.X-ABLabel:", value, "\n"))["!"],
              HasSubstr("more than 1 MiB of text"));
}

TEST(VcardFaultsTest, TooManyDifferentPropertiesInTheFileAreFaults) {
  std::string text;
  for (int i = 0; i < 1100; ++i) text += Card("3.0", absl::StrCat("X-P", i, ":1\n"));
  const Vcards read = ReadVcards(text);
  EXPECT_THAT(read.cards, SizeIs(1000));
  EXPECT_THAT(read.faults, SizeIs(100));
  EXPECT_THAT(read.columns, SizeIs(1000));
}

TEST(VcardFaultsTest, WhatIsNoFileOfVcardsIsRefused) {
  const auto refused = [](absl::string_view bytes, TableOptions options) {
    const Vcards read = ReadVcards(bytes, options);
    EXPECT_THAT(HintOf(read.end), Not(IsEmpty()));
    return std::string(read.end.message());
  };
  EXPECT_THAT(refused("name,phone\na,1\n", {.format = TableFormat::kVcard}), HasSubstr("no vCard"));
  EXPECT_THAT(refused("\xef\xbb\xbf" + Card("3.0", "FN:a\n"), {.encoding = Encoding::kUtf16Le}),
              HasSubstr("mark of utf-8"));
  EXPECT_THAT(refused(Card("3.0", "FN:a\n"), {.delimiter = ';'}), HasSubstr("delimiter"));
}

TEST(VcardFaultsTest, FaultsHoldNoValue) {
  for (const absl::string_view line :
       {"FN;ENCODING=QUOTED-PRINTABLE:Secret=", "Secret", "FN;CHARSET=UTF-8:Secret\xff",
        "NOTE;ENCODING=b:Secret!", "TEL;CHARSET=SECRET:1"}) {
    EXPECT_THAT(absl::AsciiStrToLower(CellsOf("3.0", absl::StrCat(line, "\n"))["!"]),
                Not(HasSubstr("secret")));
  }
}

}  // namespace
}  // namespace sealbook::anonymizer
