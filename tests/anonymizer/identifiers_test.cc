#include "anonymizer/identifiers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"

namespace sealbook::anonymizer {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// What came out, or "!" and why not.
std::string Phone(absl::string_view text, absl::string_view region = "KR") {
  const auto phone = NormalizePhone(text, region);
  return phone.ok() ? *phone : absl::StrCat("!", phone.status().message());
}
std::string Email(absl::string_view text) {
  const auto email = NormalizeEmail(text);
  return email.ok() ? *email : absl::StrCat("!", email.status().message());
}
// "KIND VALUE".
std::string Shown(const records::IdentifierValue& identifier) {
  return absl::StrCat(FieldOfKind(identifier.kind), " ", identifier.value);
}
std::string WhatsApp(absl::string_view text) {
  const auto id = NormalizeWhatsAppId(text);
  return id.ok() ? Shown(*id) : absl::StrCat("!", id.status().message());
}
std::string Recognized(absl::string_view text, absl::string_view region = "KR") {
  const auto id = RecognizeIdentifier(text, region);
  return id ? Shown(*id) : "nothing";
}

TEST(NormalizePhoneTest, NumberSpelledInLettersIsRefused) {
  for (const char* text : {"1234-SECRET", "12-34-SECRET", "1-800-FLOWERS", "+1 800 FLOWERS"}) {
    EXPECT_FALSE(NormalizePhone(text, "US").ok()) << text;
    EXPECT_FALSE(NormalizePhone(text, "KR").ok()) << text;
  }
}

TEST(NormalizePhoneTest, UsualWritingsOfOneNumberAreOne) {
  for (const absl::string_view text :
       {"010-1234-5678", "010 1234 5678", "01012345678", "010.1234.5678", "(010) 1234-5678",
        "+82 10-1234-5678", "+82 (0)10-1234-5678", "+82-010-1234-5678", "82-10-1234-5678",
        "0082-10-1234-5678", "00821012345678", "tel:+82-10-1234-5678", "'01012345678",
        "'+821012345678", "1012345678", " 010-1234-5678 ", "010-1234-5678\t"}) {
    EXPECT_EQ(Phone(text), "+821012345678") << text;
  }
}

TEST(NormalizePhoneTest, DigitsAndMarksOfOtherScriptsAreRead) {
  for (const absl::string_view text :
       {"０１０－１２３４－５６７８", "＋８２１０１２３４５６７８", "００８２１０１２３４５６７８",
        "٠١٠١٢٣٤٥٦٧٨", "+٨٢١٠١٢٣٤٥٦٧٨", "۰۱۰۱۲۳۴۵۶۷۸", "०१०१२३४५६७८",
        "\u202a+82 10-1234-5678\u202c", "\u2066010-1234-5678\u2069", "\u200e01012345678\u200f",
        "010\u200b1234\u200b5678", "010\u200d1234\u20605678", "\ufeff010-1234-5678",
        "010\u00a01234\u00a05678", "010\u20111234\u20115678", "010\u20131234\u20135678",
        "010\u22121234\u22125678", "010\u30001234\u30005678", "010\u202f1234\u202f5678"}) {
    EXPECT_EQ(Phone(text), "+821012345678") << text;
  }
}

TEST(NormalizePhoneTest, NumbersOfManyCountriesAreRead) {
  struct Case {
    absl::string_view region, text, phone;
  };
  for (const Case& c : std::initializer_list<Case>{{"KR", "02-312-3456", "+8223123456"},
                                                   {"CN", "138 1234 5678", "+8613812345678"},
                                                   {"JP", "090-1234-5678", "+819012345678"},
                                                   {"US", "(415) 555-2671", "+14155552671"},
                                                   {"GB", "07911 123456", "+447911123456"},
                                                   {"DE", "0151 23456789", "+4915123456789"},
                                                   {"ID", "0812-3456-7890", "+6281234567890"},
                                                   {"BR", "(11) 96123-4567", "+5511961234567"},
                                                   {"ES", "612 34 56 78", "+34612345678"},
                                                   {"IN", "098765 43210", "+919876543210"},
                                                   {"SG", "8123 4567", "+6581234567"},
                                                   {"HK", "5123 4567", "+85251234567"},
                                                   {"TW", "0912 345 678", "+886912345678"},
                                                   {"VN", "091 234 56 78", "+84912345678"},
                                                   {"TH", "081 234 5678", "+66812345678"},
                                                   {"AE", "٠٥٠ ١٢٣ ٤٥٦٧", "+971501234567"},
                                                   {"SA", "051 234 5678", "+966512345678"},
                                                   {"EG", "٠١٠٠ ١٢٣ ٤٥٦٧", "+201001234567"},
                                                   {"IT", "06 1234 5678", "+390612345678"},
                                                   {"RU", "8 (912) 345-67-89", "+79123456789"}}) {
    EXPECT_EQ(Phone(c.text, c.region), c.phone) << c.region;
    EXPECT_EQ(Phone(c.phone, ""), c.phone) << c.region;
    EXPECT_EQ(Phone(c.phone, "KR"), c.phone) << c.region;
  }
}

TEST(NormalizePhoneTest, MobileWithItsCountryCodeAndNoPlusIsThatNumber) {
  EXPECT_EQ(Phone("491713920017", "DE"), "+491713920017");
  EXPECT_EQ(Phone("6281234567890", "ID"), "+6281234567890");
  EXPECT_EQ(Phone("821012345678", "KR"), "+821012345678");
  // The same digits behind a zero are a town's number.
  EXPECT_EQ(Phone("0491 713920", "DE"), "+49491713920");
}

TEST(NormalizePhoneTest, WhatSpreadsheetsDidIsUndoneWhereNothingWasLost) {
  EXPECT_EQ(Phone("13812345678.0", "CN"), "+8613812345678");
  EXPECT_EQ(Phone("13812345678.00", "CN"), "+8613812345678");
  EXPECT_EQ(Phone("3.108207129E9", "US"), "+13108207129");
  EXPECT_EQ(Phone("3.108207129e+9", "US"), "+13108207129");
  EXPECT_EQ(Phone("1.3812345678E+10", "CN"), "+8613812345678");
  EXPECT_EQ(Phone("1012345678", "KR"), "+821012345678");
}

TEST(NormalizePhoneTest, LostDigitsAreToldAndNotGuessed) {
  for (const absl::string_view text :
       {"1.38E+10", "1.38123E10", "8.21012E+11", "1E+10", "1.38e10", "'1.38E+10"}) {
    EXPECT_THAT(Phone(text, "CN"), HasSubstr("!was shortened by a spreadsheet")) << text;
  }
}

TEST(NormalizePhoneTest, WhatIsNoNumberIsRefused) {
  for (const absl::string_view text :
       {"", "   ", "abc", "010-1234", "123", "0000000000", "99999999999", "+82", "+0000000000",
        "010-1234-5678 010-2345-6789", "2024-01-05", "12.5", "13812345678.5",
        "https://example.com/01012345678", "01012345678집", "+999123456789"}) {
    EXPECT_EQ(Phone(text).front(), '!') << text;
  }
  EXPECT_THAT(Phone(std::string(65, '1')), HasSubstr("too long"));
  EXPECT_THAT(Phone(std::string(60'000, '7')), HasSubstr("too long"));
  EXPECT_THAT(Phone("010-1234-5678", ""), HasSubstr("no region is set"));
  EXPECT_THAT(Phone("090-1234-5678", "KR"), HasSubstr("no phone number of region KR"));
  EXPECT_THAT(Phone("02-312-3456 ext. 12"), HasSubstr("extension"));
}

TEST(NormalizePhoneTest, RegionsAreThoseOfTheLibrary) {
  for (const absl::string_view region : {"KR", "CN", "JP", "US", "ID"})
    EXPECT_TRUE(IsRegion(region));
  for (const absl::string_view region : {"", "kr", "ZZ", "KOR", "82"})
    EXPECT_FALSE(IsRegion(region));
}

TEST(NormalizeEmailTest, AddressesAreLowerCase) {
  EXPECT_EQ(Email("Autumn.Leaf@Example.COM"), "autumn.leaf@example.com");
  EXPECT_EQ(Email(" 'a+b_c@sub.example.co.kr "), "a+b_c@sub.example.co.kr");
  EXPECT_EQ(Email("mailto:a@example.com"), "a@example.com");
  EXPECT_EQ(Email("''Mailto:a@example.com"), "a@example.com");
  EXPECT_EQ(Email("<a@example.com>"), "a@example.com");
  EXPECT_EQ(Email("a@example.com\u200b"), "a@example.com");
  EXPECT_EQ(Email("가을@예시.한국"), "가을@예시.한국");
  // One address in composed and in decomposed letters.
  EXPECT_EQ(Email("e\u0301@example.com"), Email("\u00e9@example.com"));
}

TEST(NormalizeEmailTest, WhatIsNoAddressIsRefused) {
  for (const absl::string_view text : {"",
                                       "a",
                                       "@example.com",
                                       "a@",
                                       "a@example",
                                       "a@@example.com",
                                       "a b@example.com",
                                       "a@exa mple.com",
                                       "a@example..com",
                                       "a@.com",
                                       "a@example.com.",
                                       "a@-example.com",
                                       "a@example-.com",
                                       "a,b@example.com",
                                       "a;b@example.com",
                                       "a@b@example.com",
                                       "a@example.com?subject=x",
                                       "a@example.com/x",
                                       "a@exam_ple.com",
                                       "821012345678@s.whatsapp.net",
                                       "a\u200d@example.com",
                                       "a\u00a0b@example.com",
                                       "a\ufffd@example.com",
                                       "name <a@example.com>",
                                       "01012345678"}) {
    EXPECT_EQ(Email(text).front(), '!') << text;
  }
  EXPECT_EQ(Email(absl::StrCat(std::string(65, 'a'), "@example.com")).front(), '!');
  EXPECT_EQ(Email(absl::StrCat("a@", std::string(64, 'b'), ".com")).front(), '!');
  EXPECT_EQ(Email(absl::StrCat("a@", std::string(250, 'b'), ".com")).front(), '!');
}

TEST(NormalizeWhatsAppIdTest, NumbersBecomePhonesWithoutARegion) {
  EXPECT_EQ(WhatsApp("821012345678"), "phone +821012345678");
  EXPECT_EQ(WhatsApp("+821012345678"), "phone +821012345678");
  EXPECT_EQ(WhatsApp("4915123456789"), "phone +4915123456789");
  EXPECT_EQ(WhatsApp("6281234567890"), "phone +6281234567890");
  EXPECT_EQ(WhatsApp("821012345678@s.whatsapp.net"), "phone +821012345678");
  EXPECT_EQ(WhatsApp("821012345678:12@s.whatsapp.net"), "phone +821012345678");
  EXPECT_EQ(WhatsApp("821012345678@c.us"), "phone +821012345678");
}

TEST(NormalizeWhatsAppIdTest, OtherIdsStay) {
  EXPECT_EQ(WhatsApp("123456789012345@lid"), "jid 123456789012345@lid");
  EXPECT_EQ(WhatsApp("KR.1234567890"), "whatsapp_id KR.1234567890");
  EXPECT_EQ(WhatsApp("'KR.1234567890"), "whatsapp_id KR.1234567890");
}

TEST(NormalizeWhatsAppIdTest, GroupsAndOthersAreRefused) {
  for (const absl::string_view text :
       {"", "abc", "120363025246125486@g.us", "status@broadcast", "a@example.com", "1234567",
        "x@lid", "@s.whatsapp.net", ":1@s.whatsapp.net", "가나다라마", "a b c d e"}) {
    EXPECT_EQ(WhatsApp(text).front(), '!') << text;
  }
}

TEST(RecognizeIdentifierTest, FormTellsTheKind) {
  EXPECT_EQ(Recognized("010-1234-5678"), "phone +821012345678");
  EXPECT_EQ(Recognized("821012345678"), "phone +821012345678");
  EXPECT_EQ(Recognized("4915123456789"), "phone +4915123456789");
  EXPECT_EQ(Recognized("٠١٠١٢٣٤٥٦٧٨"), "phone +821012345678");
  EXPECT_EQ(Recognized("A@Example.com"), "email a@example.com");
  EXPECT_EQ(Recognized("821012345678@s.whatsapp.net"), "phone +821012345678");
  EXPECT_EQ(Recognized("123456@lid"), "jid 123456@lid");
  EXPECT_EQ(Recognized("KR.1234567890"), "whatsapp_id KR.1234567890");
  EXPECT_EQ(Recognized("@Autumn"), "username autumn");
  for (const absl::string_view text :
       {"", "가을", "Autumn Leaf", "UID_0123456789", "5678", "a@b", "@", "120363@g.us"}) {
    EXPECT_EQ(Recognized(text), "nothing") << text;
  }
}

TEST(NormalizeIdentifierTest, UserNamesAreLowerCaseWithoutTheSign) {
  const auto name = NormalizeIdentifier(IdentifierKind::kUsername, " @Autumn.Leaf ", "");
  ASSERT_TRUE(name.ok()) << name.status();
  EXPECT_EQ(name->value, "autumn.leaf");
  for (const std::string& bad : {std::string(), std::string("@"), std::string("a b"),
                                 std::string("a@b"), std::string(129, 'a')}) {
    EXPECT_FALSE(NormalizeIdentifier(IdentifierKind::kUsername, bad, "").ok()) << bad;
  }
  EXPECT_FALSE(NormalizeIdentifier(IdentifierKind::kRow, "x", "").ok());
}

TEST(NormalizeIdentifierTest, FieldsAndKindsBelongTogether) {
  for (const IdentifierKind kind :
       {IdentifierKind::kPhone, IdentifierKind::kEmail, IdentifierKind::kWhatsAppId,
        IdentifierKind::kJid, IdentifierKind::kUsername}) {
    EXPECT_EQ(KindOfField(FieldOfKind(kind)), kind);
    EXPECT_EQ(KindOfField(absl::StrCat(FieldOfKind(kind), "_2")), kind);
  }
  for (const absl::string_view field : {"", "name", "phone_note", "phones", "_2"})
    EXPECT_EQ(KindOfField(field), std::nullopt);
}

TEST(CleanTextTest, ControlsAndMarksGoAndTextStays) {
  EXPECT_EQ(CleanText("  a b  "), "a b");
  EXPECT_EQ(CleanText("a\x1b[31mb\x07\r"), "a[31mb");
  EXPECT_EQ(CleanText("a\nb\tc"), "a\nb\tc");
  EXPECT_EQ(CleanText("\u202e\u2067abc\u2069\u202c"), "abc");
  EXPECT_EQ(CleanText("\u0085\u009b31m가을"), "31m가을");
  EXPECT_EQ(CleanText("\u00a0\u3000가을\u3000\u00a0"), "가을");
  EXPECT_EQ(CleanText("\u1100\u1161"), "가");
  EXPECT_EQ(CleanText("👨‍👩‍👧"), "👨‍👩‍👧");
  EXPECT_EQ(CleanText("\u200b"), "");
  EXPECT_EQ(CleanText("e\x11\u0301"), "\u00e9");  // once a control no longer keeps them apart
}

TEST(MeansNothingTest, WordsForNothingAndNothingElse) {
  for (const absl::string_view text :
       {"", " ", "-", "N/A", "none", "없음", "无", "無", "なし", " X "}) {
    EXPECT_TRUE(MeansNothing(text)) << text;
  }
  for (const absl::string_view text : {"0", "가을", "xx", "010-1234-5678"})
    EXPECT_FALSE(MeansNothing(text)) << text;
}

TEST(SplitCellTest, SeveralValuesInOneCell) {
  for (const absl::string_view text :
       {"010-1234-5678 ::: 010-2345-6789", "010-1234-5678;010-2345-6789",
        "010-1234-5678 / 010-2345-6789", "010-1234-5678, 010-2345-6789",
        "010-1234-5678|010-2345-6789", "010-1234-5678\n010-2345-6789",
        "010-1234-5678、010-2345-6789", "010-1234-5678，010-2345-6789",
        "010-1234-5678／010-2345-6789", "010-1234-5678；010-2345-6789",
        " ; 010-1234-5678 ;; - ; 010-2345-6789 ; "}) {
    EXPECT_THAT(SplitCell(text).values, ElementsAre("010-1234-5678", "010-2345-6789")) << text;
  }
}

TEST(SplitCellTest, SlashBehindAnAreaCodeSeparatesNothing) {
  for (const absl::string_view text :
       {"0171 / 39200-17", "030/23125000", "+49 30/23125000", "(030) / 23125000", "033056/39200"})
    EXPECT_THAT(SplitCell(text).values, ElementsAre(std::string(text)));
  EXPECT_THAT(SplitCell("0171/3920017 / 030/23125000; 02/3123456").values,
              ElementsAre("0171/3920017", "030/23125000", "02/3123456"));
  EXPECT_THAT(SplitCell("010-1234-5678 / 12").values, ElementsAre("010-1234-5678", "12"));
  EXPECT_THAT(SplitCell("030 /").values, ElementsAre("030 /"));
}

TEST(SplitCellTest, NotesBehindNumbersAreSetApart) {
  const CellParts parts = SplitCell("010-1234-5678 (집) / 010-2345-6789（회사）; 02-312-3456 ()");
  EXPECT_THAT(parts.values, ElementsAre("010-1234-5678", "010-2345-6789", "02-312-3456"));
  EXPECT_EQ(parts.note, "집; 회사");
}

TEST(SplitCellTest, BracketsThatBelongToTheNumberStay) {
  EXPECT_THAT(SplitCell("+82 (0)10-1234-5678").values, ElementsAre("+82 (0)10-1234-5678"));
  EXPECT_THAT(SplitCell("(02) 312-3456").values, ElementsAre("(02) 312-3456"));
  EXPECT_THAT(SplitCell("(없음)").values, ElementsAre("(없음)"));
  EXPECT_THAT(SplitCell("- / 없음").values, IsEmpty());
  EXPECT_THAT(SplitCell("").values, IsEmpty());
}

}  // namespace
}  // namespace sealbook::anonymizer
