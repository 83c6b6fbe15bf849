// What a vCard can be written like, one by one. What can be wrong with it: vcard_faults_test.cc;
// cards as phones write them: vcard_samples_test.cc.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "anonymizer/columns.h"
#include "tests/anonymizer/vcard_fixture.h"
#include "tests/support/encodings.h"

namespace sealbook::anonymizer {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::SizeIs;

// "가을" in CP949.
constexpr absl::string_view kAutumnCp949 = "\xb0\xa1\xc0\xbb";

TEST(VcardReaderTest, CardsBecomeRowsAndPropertiesBecomeColumns) {
  const Vcards read = ReadVcards(Card("3.0", "FN:가을\nTEL:1\n") + Card("3.0", "TEL:2\nNOTE:x\n"));
  EXPECT_THAT(read.columns, ElementsAre("name", "phone", "note"));
  EXPECT_THAT(read.cards, ElementsAre(Cells{{"name", "가을"}, {"phone", "1"}},
                                      Cells{{"phone", "2"}, {"note", "x"}}));
  EXPECT_THAT(read.remarks, IsEmpty());
}

TEST(VcardReaderTest, ColumnsMayComeLate) {
  std::string text;
  for (int i = 0; i < 300; ++i) text += Card("3.0", "FN:a\n");
  text += Card("3.0", "FN:a\nX-LATE:b\n");
  const Vcards read = ReadVcards(text);
  ASSERT_THAT(read.cards, SizeIs(301));
  EXPECT_EQ(read.cards[300], (Cells{{"name", "a"}, {"X-LATE", "b"}}));
}

TEST(VcardReaderTest, LineEndsAndMarksAndBlankLinesMakeNoDifference) {
  const std::string card = Card("3.0", "FN:Ann\nNOTE:a\n b\n");
  for (const absl::string_view end : {"\r\n", "\n", "\r"}) {
    for (const absl::string_view before : {"", "\n\n", "\xef\xbb\xbf", "\xef\xbb\xbf\n"}) {
      const std::string text =
          absl::StrReplaceAll(absl::StrCat(before, card, "\n", card), {{"\r\n", "\n"}});
      const Vcards read = ReadVcards(absl::StrReplaceAll(text, {{"\n", end}}));
      const Cells cells{{"name", "Ann"}, {"note", "ab"}};
      EXPECT_THAT(read.cards, ElementsAre(cells, cells));
      EXPECT_THAT(read.faults, IsEmpty());
    }
  }
}

TEST(VcardReaderTest, LastLineNeedsNoEndAndFilesMayBePutTogether) {
  const std::string card =
      "\xef\xbb\xbf"
      "BEGIN:VCARD\nVERSION:3.0\nFN:Ann\nEND:VCARD";
  const Vcards read = ReadVcards(absl::StrCat(card, "\n", card, "\n\x1a"));
  EXPECT_THAT(read.cards, SizeIs(2));
  EXPECT_THAT(read.faults, IsEmpty());
}

TEST(VcardReaderTest, NamesAreOfAnyCase) {
  EXPECT_THAT(ReadVcards("begin:vcard\nversion:3.0\nfn:Ann\ntel;type=cell:1\nend:vcard\n").cards,
              ElementsAre(Cells{{"name", "Ann"}, {"phone", "1"}}));
}

TEST(VcardReaderTest, Utf16IsRead) {
  const std::string card = Card("3.0", "FN:가을😀\nNOTE:a\\nb\n");
  for (const Encoding encoding : {Encoding::kUtf16Le, Encoding::kUtf16Be}) {
    for (const bool mark : {true, false}) {
      const Vcards read = ReadVcards(testing::Encode(card, encoding, mark));
      EXPECT_THAT(read.cards, ElementsAre(Cells{{"name", "가을😀"}, {"note", "a\nb"}}));
      EXPECT_EQ(read.encoding, encoding);
    }
  }
}

TEST(VcardReaderTest, FoldedLinesArePutTogether) {
  EXPECT_THAT(CellsOf("3.0", "NOTE:a\n b\n\tc\n  d\n"), Contains(Pair("note", "abc d")));
  EXPECT_THAT(CellsOf("4.0", "NO\n TE:a\n"), Contains(Pair("note", "a")));
  EXPECT_THAT(CellsOf("3.0", "TEL;TYPE=\n \"cell,\n voice\":0\n 1\n"),
              ElementsAre(Pair("phone", "01")));
}

TEST(VcardReaderTest, VersionTwoFoldsWhereABlankIs) {
  EXPECT_THAT(CellsOf("2.1", "NOTE:a\n b\n"), Contains(Pair("note", "a b")));
}

TEST(VcardReaderTest, FoldInsideACharacterIsMended) {
  for (const absl::string_view version : {"2.1", "3.0", "4.0"}) {
    const std::string card = Card(version, "NOTE:x\xea\n \xb0\x80y\n");
    const Vcards read = ReadVcards(card);
    EXPECT_THAT(read.cards, ElementsAre(Cells{{"note", "x가y"}})) << version;
    EXPECT_THAT(read.raws[0], HasSubstr("NOTE:x가y\r\n"));
    EXPECT_THAT(CellsOf(version, "NOTE;ENCODING=QUOTED-PRINTABLE:=EA=B0=\n =80\n"),
                Contains(Pair("note", "가")));
  }
}

TEST(VcardReaderTest, QuotedPrintableGoesOnBehindAnEqualsSign) {
  const std::string head = "NOTE;ENCODING=QUOTED-PRINTABLE;CHARSET=UTF-8:";
  EXPECT_EQ(CellsOf("2.1", head + "a=\nb=3D=\n =20c\n")["note"],
            "ab= "
            " c");
  EXPECT_EQ(CellsOf("2.1", head + "=EA=B0=80=0D=0A=\n=EC=9D=84\nTEL:1\n"),
            (Cells{{"note", "가\n을"}, {"phone", "1"}}));
  EXPECT_EQ(CellsOf("2.1", "NOTE;QUOTED-PRINTABLE:=41=\n\nTEL:1\n"),
            (Cells{{"note", "A"}, {"phone", "1"}}));
  EXPECT_EQ(CellsOf("2.1", head + "a=\n")["note"], "a");
  EXPECT_EQ(CellsOf("2.1", head + "=ea=b0=80\n")["note"], "가");
  // A "=" that ends other text is one.
  EXPECT_EQ(CellsOf("3.0", "NOTE:a=\nTEL:1\n"), (Cells{{"note", "a="}, {"phone", "1"}}));
}

TEST(VcardReaderTest, QuotedPrintableOutsideOfVersionTwoIsReadToo) {
  EXPECT_EQ(CellsOf("3.0", "FN;ENCODING=QUOTED-PRINTABLE:=EA=B0=80\n")["name"], "가");
}

TEST(VcardReaderTest, Base64EndsWithAnEmptyLineOrTheNextProperty) {
  const std::string data = "R0lGODlhAQABAIAAAAAA\n";
  for (const absl::string_view photo :
       {"PHOTO;ENCODING=BASE64;GIF:\n R0lGODlh\n AQAB\n\n", "PHOTO;GIF;BASE64:R0lGODlh\nAQAB=\n\n",
        "PHOTO;ENCODING=b;TYPE=GIF:R0lGODlh\n AQAB\n",
        "PHOTO:data:image/gif;base64,R0lGODlh\n AQAB\n",
        "PHOTO;VALUE=uri:https://example.com/a.gif\n", "LOGO;ENCODING=b:R0lG\n",
        "KEY;ENCODING=b:R0lG\nSOUND:x\n"}) {
    for (const absl::string_view version : {"2.1", "3.0", "4.0"}) {
      const Vcards read = ReadVcards(Card(version, absl::StrCat("FN:a\n", photo, "TEL:1\n")));
      EXPECT_THAT(read.cards, ElementsAre(Cells{{"name", "a"}, {"phone", "1"}})) << photo;
      EXPECT_THAT(read.remarks, SizeIs(1));
    }
  }
}

TEST(VcardReaderTest, Base64TextIsKept) {
  EXPECT_EQ(CellsOf("3.0", "NOTE;ENCODING=b:6rCA\n 7J2E\n")["note"], "가을");
  EXPECT_EQ(CellsOf("2.1", "NOTE;ENCODING=BASE64:\n 6rCA\n 7J2E\n\n")["note"], "가을");
}

TEST(VcardReaderTest, LargePictureCostsNoMemoryAndKeepsItsCard) {
  const std::string photo(20 << 20, 'A');
  const Vcards read = ReadVcards(
      Card("3.0", absl::StrCat("PHOTO;ENCODING=b:", photo, "\nTEL:1\n")) +
      Card("3.0", absl::StrCat("PHOTO;ENCODING=b:", photo.substr(0, 4 << 20), "\nTEL:2\n")));
  EXPECT_THAT(read.cards, ElementsAre(Cells{{"phone", "1"}}, Cells{{"phone", "2"}}));
  EXPECT_TRUE(read.raws[0].empty());
  EXPECT_GT(read.raws[1].size(), 4u << 20);
  EXPECT_TRUE(absl::EndsWith(read.raws[1], "TEL:2\r\nEND:VCARD\r\n"));
}

TEST(VcardReaderTest, PictureInAPropertyOfItsOwnIsPassedOver) {
  std::string photo = "\xff\xd8\xff\xe0";
  photo.resize(3 << 20, '\xee');
  for (const std::size_t size : {std::size_t{100}, photo.size()}) {
    const std::string base64 = absl::Base64Escape(absl::string_view(photo).substr(0, size));
    const Vcards read =
        ReadVcards(Card("3.0", absl::StrCat("TEL:1\nX-THUMB;ENCODING=b:", base64, "\n")));
    EXPECT_THAT(read.cards, ElementsAre(Cells{{"phone", "1"}}));
    EXPECT_THAT(read.remarks, ElementsAre(HasSubstr("1 picture")));
  }
}

TEST(VcardReaderTest, ParametersMayBeBareNamedOrQuoted) {
  for (const absl::string_view parameters :
       {";CELL;PREF", ";TYPE=CELL,VOICE", ";type=\"cell,voice\";PREF=1", ";TYPE=CELL;TYPE=PREF",
        ";X-A=\"a:b;c,d\"", ";X-A=a\\;b", ";X-A=\"open", ";;", ";TYPE="}) {
    EXPECT_EQ(CellsOf("3.0", absl::StrCat("TEL", parameters, ":1\n")), (Cells{{"phone", "1"}}))
        << parameters;
  }
}

TEST(VcardReaderTest, OtherTypesAreLabels) {
  EXPECT_EQ(CellsOf("3.0", "TEL;TYPE=cell,Shop:1\nTEL;TYPE=\"a^nb ^^ ^'c^'\":2\n"),
            (Cells{{"phone", "1"},
                   {"phone label", "Shop"},
                   {"phone 2", "2"},
                   {"phone 2 label", "a\nb ^ \"c\""}}));
  EXPECT_EQ(CellsOf("2.1", "TEL;X-CUSTOM(CHARSET=UTF-8,ENCODING=QUOTED-PRINTABLE,=EC=A7=91):1\n"),
            (Cells{{"phone", "1"}, {"phone label", "집"}}));
}

TEST(VcardReaderTest, GroupsGiveLabels) {
  EXPECT_EQ(CellsOf("3.0",
                    "item1.TEL:1\nitem1.X-ABLabel:_$!<Mobile>!$_\nitem2.X-ABLabel:단골\n"
                    "ITEM2.EMAIL:a@example.com\nitem3.X-ABRELATEDNAMES:B\n"
                    "item3.X-ABLabel:_$!<Mother>!$_\n"),
            (Cells{{"phone", "1"},
                   {"email", "a@example.com"},
                   {"email label", "단골"},
                   {"X-ABRELATEDNAMES", "B (Mother)"}}));
}

TEST(VcardReaderTest, EscapesAreUndone) {
  EXPECT_EQ(CellsOf("3.0", "NOTE:a\\nb\\Nc\\,d\\;e\\\\n\\x\n")["note"], "a\nb\nc,d;e\\n\\x");
  EXPECT_EQ(CellsOf("2.1", "NOTE:a\\nb\\;c\\,d\n")["note"], "a\\nb;c\\,d");
}

TEST(VcardReaderTest, NameIsPutTogetherWhereThereIsNone) {
  EXPECT_EQ(CellsOf("3.0", "N:김;철수;;;\n")["name"], "김철수");
  EXPECT_EQ(CellsOf("3.0", "N:Lee;Ann;Mary;Dr.;PhD\nFN:\n")["name"], "Dr. Ann Mary Lee PhD");
  EXPECT_EQ(CellsOf("3.0", "N:김;철수;;;님\n")["name"], "김철수 님");
  EXPECT_EQ(CellsOf("3.0", "N:Lee\n")["name"], "Lee");
  EXPECT_EQ(CellsOf("3.0", "FN:A\\, B\nN:B;A;;;\nNICKNAME:Al\n"),
            (Cells{{"name", "A, B"}, {"nickname", "Al"}}));
}

TEST(VcardReaderTest, PhoneUrisAreNumbers) {
  EXPECT_EQ(CellsOf("4.0", "TEL;VALUE=uri;TYPE=\"cell\":tel:+82-10-1234-5678;ext=12\n"),
            (Cells{{"phone", "+82-10-1234-5678 ext. 12"}}));
  EXPECT_EQ(CellsOf("4.0", "TEL;VALUE=uri:tel:10-1234-5678;phone-context=+82\n")["phone"],
            "+82-10-1234-5678");
  EXPECT_EQ(CellsOf("4.0", "TEL:tel:010-1234;phone-context=example.com\n")["phone"], "010-1234");
  EXPECT_EQ(CellsOf("4.0", "TEL:TEL:%2B82101234567\n")["phone"], "+82101234567");
  EXPECT_EQ(CellsOf("4.0", "EMAIL:mailto:a%40example.com?subject=x\n")["email"], "a@example.com");
}

TEST(VcardReaderTest, WhatIsDialledBehindANumberIsItsExtension) {
  EXPECT_EQ(CellsOf("3.0", "TEL:02-123-4567\\,\\,12#\nTEL:02-123-4568p3\n"),
            (Cells{{"phone", "02-123-4567 ext. 12"}, {"phone 2", "02-123-4568 ext. 3"}}));
  EXPECT_EQ(CellsOf("3.0", "TEL:02-123-4567, 02-123-4568\n")["phone"], "02-123-4567, 02-123-4568");
}

TEST(VcardReaderTest, WhatsAppIdsHaveAColumnThatIsKnown) {
  EXPECT_EQ(FieldOfHeader("wa_id"), "whatsapp_id");
  EXPECT_EQ(CellsOf("3.0", "TEL;type=CELL;waid=821012345678:+82 10-1234-5678\n"),
            (Cells{{"phone", "+82 10-1234-5678"}, {"wa_id", "+821012345678"}}));
  EXPECT_EQ(CellsOf("4.0", "IMPP:whatsapp:821012345678\n")["wa_id"], "+821012345678");
  EXPECT_EQ(CellsOf("3.0", "X-WhatsApp:+82 10-1234-5678\n")["wa_id"], "+82 10-1234-5678");
  EXPECT_EQ(CellsOf("3.0", "X-WhatsApp:ann\n")["X-WHATSAPP"], "ann");
  EXPECT_EQ(CellsOf("3.0", "IMPP;X-SERVICE-TYPE=QQ:x-apple:1\n")["IMPP"], "x-apple:1 (QQ)");
}

TEST(VcardReaderTest, AddressesAreReadable) {
  EXPECT_EQ(CellsOf("3.0", "ADR:;;1 Main St;Town;CA;90210;USA\n")["address"],
            "1 Main St, Town, CA 90210, USA");
  EXPECT_EQ(CellsOf("3.0", "ADR:;101호;테헤란로 1;강남구;서울;06236;대한민국\n")["address"],
            "대한민국 서울 강남구 테헤란로 1 101호 06236");
  EXPECT_EQ(CellsOf("4.0", "ADR;LABEL=\"1 Main St\\nTown\":;;;;;;\nADR:;;x;;;;\n"),
            (Cells{{"address", "1 Main St\nTown"}, {"other address", "x"}}));
  EXPECT_EQ(CellsOf("2.1", "LABEL;ENCODING=QUOTED-PRINTABLE:a=0D=0Ab\n")["address label"], "a\nb");
}

TEST(VcardReaderTest, BirthdaysAreDatesWhereThatCanBeTold) {
  for (const auto& [written, read] : std::vector<std::pair<std::string, std::string>>{
           {":19900102", "1990-01-02"},
           {":1990-01-02", "1990-01-02"},
           {":1990-01-02T00:00:00Z", "1990-01-02"},
           {":--0102", "--0102"},
           {";X-APPLE-OMIT-YEAR=1604:1604-01-02", "--01-02"},
           {";VALUE=text:circa 1800", "circa 1800"},
           {":19901302", "19901302"},
           {":1990/01/02", "1990/01/02"}}) {
    EXPECT_EQ(CellsOf("3.0", absl::StrCat("BDAY", written, "\n"))["birthday"], read);
  }
}

TEST(VcardReaderTest, OtherPropertiesAreColumnsOfTheirOwnName) {
  EXPECT_EQ(CellsOf("4.0",
                    "ORG:Acme;Sales;\nTITLE:Boss\nROLE:r\nCATEGORIES:VIP,a\\,b\nURL:https\\://e\n"
                    "URL:f\nNOTE:a\nNOTE:b\nGENDER:F\nX-Skype:s\nX-SKYPE:t\nRELATED;TYPE=spouse:u\n"
                    "NAME:n\nKIND:org\nX-WA-BIZ-NAME:w\nUID:1\nREV:2\nPRODID:3\nX-ABUID:4\n"),
            (Cells{{"company", "Acme / Sales"},
                   {"title", "Boss"},
                   {"role", "r"},
                   {"tags", "VIP; a,b"},
                   {"url", "https://e"},
                   {"url 2", "f"},
                   {"note", "a\nb"},
                   {"GENDER", "F"},
                   {"X-SKYPE", "s; t"},
                   {"RELATED", "u (spouse)"},
                   {"SOURCE NAME", "n"},
                   {"KIND", "org"},
                   {"X-WA-BIZ-NAME", "w"}}));
}

TEST(VcardReaderTest, GroupsAreNoCustomers) {
  const Vcards read = ReadVcards(Card("4.0", "KIND:group\nFN:VIP\nMEMBER:urn:uuid:1\n") +
                                 Card("3.0", "X-ADDRESSBOOKSERVER-KIND:group\nFN:x\n") +
                                 Card("4.0", "KIND:individual\nFN:a\n"));
  EXPECT_THAT(read.cards, ElementsAre(Cells{{"name", "a"}}));
  EXPECT_THAT(read.remarks, ElementsAre("2 cards are groups of others and were passed over."));
}

TEST(VcardReaderTest, AgentsAreOthers) {
  const std::string agent = "BEGIN:VCARD\nVERSION:2.1\nTEL:9\nEND:VCARD\n";
  for (const absl::string_view head : {"AGENT:\n", "AGENT: "}) {
    const Vcards read = ReadVcards(Card("2.1", absl::StrCat("FN:a\n", head, agent, "TEL:1\n")));
    EXPECT_THAT(read.cards, ElementsAre(Cells{{"name", "a"}, {"phone", "1"}}));
    EXPECT_THAT(read.remarks, ElementsAre(HasSubstr("1 card of an agent")));
  }
  EXPECT_THAT(ReadVcards(Card("2.1", "AGENT:\nBEGIN:VCARD\nTEL:9\n")).faults,
              ElementsAre("1 has no END:VCARD"));
}

TEST(VcardReaderTest, EmptyCardsArePassedOver) {
  EXPECT_THAT(ReadVcards(Card("3.0", "FN:\n") + Card("3.0", "FN:a\n")).cards, SizeIs(1));
}

TEST(VcardReaderTest, DeclaredCharsetsAreRead) {
  const auto in = [](absl::string_view charset, absl::string_view bytes) {
    return CellsOf("2.1", absl::StrCat("FN;CHARSET=", charset, ":", bytes, "\n"))["name"];
  };
  EXPECT_EQ(in("UTF-8", "가을"), "가을");
  EXPECT_EQ(in("utf8", "가을"), "가을");
  EXPECT_EQ(in("US-ASCII", "가을"), "가을");
}

TEST(VcardReaderTest, DeclaredLegacyCharsetsAreRead) {
  for (const auto& [charset, bytes, text] :
       std::vector<std::tuple<std::string, std::string, std::string>>{
           {"EUC-KR", "\xb0\xa1\xc0\xbb", "가을"},
           {"KS_C_5601-1987", "\xb0\xa1\xc0\xbb", "가을"},
           {"CP949", "\x81\x41", "갂"},
           {"GBK", "\xc7\xef", "秋"},
           {"GB2312", "\xc7\xef", "秋"},
           {"GB18030", "\x81\x39\xef\x30", "\u3401"},
           {"Big5", "\xac\xee\xb3\x5c", "秋許"},  // its second byte is a backslash
           {"ISO-8859-1", "\xe9", "é"},
           {"windows-1252", "\x80", "€"}}) {
    EXPECT_EQ(CellsOf("2.1", absl::StrCat("FN;CHARSET=", charset, ":", bytes, "\n"))["name"], text)
        << charset;
    std::string quoted;
    for (const unsigned char byte : bytes)
      absl::StrAppend(&quoted, "=", absl::Hex(byte, absl::kZeroPad2));
    EXPECT_EQ(CellsOf("2.1", absl::StrCat("FN;ENCODING=QUOTED-PRINTABLE;CHARSET=", charset, ":",
                                          quoted, "\n"))["name"],
              text)
        << charset;
  }
}

TEST(VcardReaderTest, UndeclaredLegacyTextIsDetectedOnce) {
  std::string text = Card("2.1", absl::StrCat("FN:", kAutumnCp949, "\nNOTE:\xc3\xb5\n"));
  for (const absl::string_view name :
       {"\xb1\xe8\xc3\xb6\xbc\xf6", "\xc0\xcc\xbf\xb5\xc8\xf1", "\xb9\xda\xc1\xf6\xc8\xc6"})
    text += Card("2.1", absl::StrCat("FN:", name, "\n"));
  const Vcards read = ReadVcards(text);
  ASSERT_THAT(read.cards, SizeIs(4)) << read.end;
  // "천" is UTF-8 of another letter, but the file is not.
  EXPECT_EQ(read.cards[0], (Cells{{"name", "가을"}, {"note", "천"}}));
  EXPECT_EQ(read.encoding, Encoding::kCp949);
  EXPECT_THAT(read.raws[0], HasSubstr("FN:가을"));
}

TEST(VcardReaderTest, EncodingThatIsToldIsUsed) {
  EXPECT_EQ(CellsOf("2.1", absl::StrCat("FN:", kAutumnCp949, "\n"),
                    {.encoding = Encoding::kCp949})["name"],
            "가을");
}

TEST(VcardReaderTest, EncodingIsToldWhereTextNeededOne) {
  EXPECT_EQ(ReadVcards(Card("3.0", "FN:a\n")).encoding, std::nullopt);
  EXPECT_EQ(ReadVcards(Card("2.1", "FN;CHARSET=UTF-8:가\n")).encoding, std::nullopt);
  EXPECT_EQ(ReadVcards(Card("3.0", "FN:가\n")).encoding, Encoding::kUtf8);
}

}  // namespace
}  // namespace sealbook::anonymizer
