// vCards as phones and programs write them, and one table of people in every version and encoding.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_join.h"
#include "anonymizer/customer_list.h"
#include "tests/anonymizer/vcard_fixture.h"

namespace sealbook::anonymizer {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::string Crlf(absl::string_view text) { return absl::StrReplaceAll(text, {{"\n", "\r\n"}}); }

TEST(VcardSamplesTest, Android) {
  const Vcards read = ReadVcards(Crlf(R"(BEGIN:VCARD
VERSION:2.1
N;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:=EA=B9=80;=EC=A7=80=EC=9D=80;;;
FN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:=EA=B9=80=EC=A7=80=EC=9D=80
TEL;CELL;PREF:010-1234-5678
TEL;X-CUSTOM(CHARSET=UTF-8,ENCODING=QUOTED-PRINTABLE,=EB=A7=A4=EC=9E=A5):02-312-3456
EMAIL;HOME:kim@example.com
ADR;HOME;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:;;=ED=85=8C=ED=97=A4=EB=9E=80=EB=A1=9C=20=
=31;=EA=B0=95=EB=82=A8=EA=B5=AC;=EC=84=9C=EC=9A=B8;06236;
NOTE;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:=EB=AF=BC=EA=B0=90=EC=84=B1=0D=0A=EC=97=90=
=EC=84=BC=EC=8A=A4
X-ANDROID-CUSTOM:vnd.android.cursor.item/nickname;ji;1;;;;;;;;;;;;;
PHOTO;ENCODING=BASE64;JPEG:/9j/4AAQSkZJRgABAQAAAQABAAD/4gIoSUNDX1BST0ZJTEUAAQEA
 AAIYAAAAAAIQAABtbnRyUkdCIFhZWiAAAAAAAAAAAAAAAABhY3NwAAAAAAAAAAAAAAAAAAAAAAAA

END:VCARD
)"));
  EXPECT_THAT(read.faults, IsEmpty());
  EXPECT_THAT(read.cards,
              ElementsAre(Cells{{"name", "김지은"},
                                {"phone", "010-1234-5678"},
                                {"phone 2", "02-312-3456"},
                                {"phone 2 label", "매장"},
                                {"email", "kim@example.com"},
                                {"address", "서울 강남구 테헤란로 1 06236"},
                                {"note", "민감성\n에센스"},
                                {"X-ANDROID-CUSTOM", "vnd.android.cursor.item/nickname;ji;1"}}));
}

// Needs CP949.
TEST(VcardSamplesTest, OldSamsungThatDeclaresItsCharset) {
  const Vcards read =
      ReadVcards(Crlf("BEGIN:VCARD\nVERSION:2.1\n"
                      "N;CHARSET=KS_C_5601-1987:\xb1\xe8;\xc3\xb6\xbc\xf6\n"
                      "TEL;CELL;CHARSET=KS_C_5601-1987:01012345678\n"
                      "NOTE;ENCODING=QUOTED-PRINTABLE;CHARSET=KS_C_5601-1987:=B4=DC=\n=B0=F1\n"
                      "END:VCARD\n"));
  EXPECT_THAT(read.faults, IsEmpty());
  EXPECT_THAT(read.cards,
              ElementsAre(Cells{{"name", "김철수"}, {"phone", "01012345678"}, {"note", "단골"}}));
}

// Needs CP949.
TEST(VcardSamplesTest, OldSamsungThatDeclaresNothing) {
  std::string text;
  for (const absl::string_view name :
       {"\xb1\xe8;\xc3\xb6\xbc\xf6", "\xc0\xcc;\xbf\xb5\xc8\xf1", "\xb9\xda;\xc1\xf6\xc8\xc6"}) {
    absl::StrAppend(&text, "BEGIN:VCARD\nVERSION:2.1\nN:", name,
                    ";;;\nTEL;CELL:01012345678\nEND:VCARD\n\n");
  }
  const Vcards read = ReadVcards(Crlf(text));
  EXPECT_THAT(read.faults, IsEmpty());
  ASSERT_THAT(read.cards, SizeIs(3));
  EXPECT_EQ(read.cards[0].at("name"), "김철수");
  EXPECT_EQ(read.encoding, Encoding::kCp949);
}

TEST(VcardSamplesTest, Iphone) {
  const Vcards read = ReadVcards(Crlf(R"(BEGIN:VCARD
VERSION:3.0
PRODID:-//Apple Inc.//iPhone OS 17.2//EN
N:이;영희;;;
FN:이영희
ORG:꽃집;
item1.TEL;type=pref:+82 10-2345-6789
item1.X-ABLabel:카톡
TEL;type=HOME;type=VOICE:02-234-5678
item2.EMAIL;type=INTERNET:lee@example.com
item2.X-ABLabel:_$!<Work>!$_
item3.ADR;type=HOME:;;테헤란로 1\n3층;서울;;06236;대한민국
item3.X-ABADR:kr
BDAY;X-APPLE-OMIT-YEAR=1604:1604-05-06
PHOTO;ENCODING=b;TYPE=JPEG:/9j/4AAQSkZJRgABAQAAAQABAAD/4gIoSUNDX1BST0ZJTEUAAQ
 EAAAIYAAAAAAIQAABtbnRyUkdCIFhZWiAAAAAAAAAAAAAAAABhY3NwAAAAAAAAAAAAAAAAAAAAAA
 AAAA==
X-ABUID:1234:ABPerson
END:VCARD
)"));
  EXPECT_THAT(read.faults, IsEmpty());
  EXPECT_THAT(read.cards, ElementsAre(Cells{{"name", "이영희"},
                                            {"company", "꽃집"},
                                            {"phone", "+82 10-2345-6789"},
                                            {"phone label", "카톡"},
                                            {"phone 2", "02-234-5678"},
                                            {"email", "lee@example.com"},
                                            {"address", "대한민국 서울 테헤란로 1 3층 06236"},
                                            {"X-ABADR", "kr"},
                                            {"birthday", "--05-06"}}));
}

TEST(VcardSamplesTest, Outlook) {
  const Vcards read = ReadVcards(Crlf(R"(BEGIN:VCARD
VERSION:2.1
X-MS-SIGNATURE:YES
N;LANGUAGE=en-us:Lee;Ann
FN:Ann Lee
ORG:Acme;Sales
TITLE:Buyer
NOTE;ENCODING=QUOTED-PRINTABLE:First line=0D=0A=
Second line=0D=0A=
=0D=0A=

TEL;WORK;VOICE:+1 212 555 0100
TEL;WORK;FAX:+1 212 555 0101
ADR;WORK;PREF:;;1 Main St;Springfield;NY;10001;United States of America
LABEL;WORK;PREF;ENCODING=QUOTED-PRINTABLE:1 Main St=0D=0A=
Springfield, NY 10001
X-MS-OL-DEFAULT-POSTAL-ADDRESS:2
EMAIL;PREF;INTERNET:ann@example.com
X-MS-CARDPICTURE;TYPE=JPEG;ENCODING=BASE64:
 /9j/4AAQSkZJRgABAQEAYABgAAD/2wBDAAYEBQYFBAYGBQYHBwYIChAKCgkJChQODwwQFxQY
 GBcUFhYaHSUfGhsjHBYWICwgIyYnKSopGR8tMC0oMCUoKSj/

REV:20240102T030405Z
END:VCARD
)"));
  EXPECT_THAT(read.faults, IsEmpty());
  EXPECT_THAT(
      read.cards,
      ElementsAre(Cells{{"X-MS-SIGNATURE", "YES"},
                        {"name", "Ann Lee"},
                        {"company", "Acme / Sales"},
                        {"title", "Buyer"},
                        {"note", "First line\nSecond line\n\n"},
                        {"phone", "+1 212 555 0100"},
                        {"fax", "+1 212 555 0101"},
                        {"address", "1 Main St, Springfield, NY 10001, United States of America"},
                        {"address label", "1 Main St\nSpringfield, NY 10001"},
                        {"X-MS-OL-DEFAULT-POSTAL-ADDRESS", "2"},
                        {"email", "ann@example.com"}}));
}

TEST(VcardSamplesTest, GoogleContacts) {
  const Vcards read = ReadVcards(Crlf(R"(BEGIN:VCARD
VERSION:3.0
FN:박지훈
N:지훈;박;;;
EMAIL;TYPE=INTERNET;TYPE=HOME:park@example.com
TEL;TYPE=CELL:+82 10-3456-7890
item1.TEL:+82 2-345-6789
item1.X-ABLabel:
item2.URL:http\://www.example.com/profiles/1
item2.X-ABLabel:PROFILE
CATEGORIES:myContacts,VIP
NOTE:첫 줄\n둘째 줄\, 끝
END:VCARD
)"));
  EXPECT_THAT(read.faults, IsEmpty());
  EXPECT_THAT(read.cards, ElementsAre(Cells{{"name", "박지훈"},
                                            {"email", "park@example.com"},
                                            {"phone", "+82 10-3456-7890"},
                                            {"phone 2", "+82 2-345-6789"},
                                            {"url", "http://www.example.com/profiles/1"},
                                            {"url label", "PROFILE"},
                                            {"tags", "myContacts; VIP"},
                                            {"note", "첫 줄\n둘째 줄, 끝"}}));
}

TEST(VcardSamplesTest, Nextcloud) {
  const Vcards read =
      ReadVcards(Crlf("BEGIN:VCARD\nVERSION:4.0\nPRODID:-//Nextcloud Contacts v5.5.1\nUID:1-2-3\n"
                      "FN:王小明\nN:王;小明;;;\n"
                      "TEL;TYPE=\"CELL,VOICE\";VALUE=uri:tel:+86-138-1234-5678\n"
                      "ADR;TYPE=HOME:;;长安街 1 号;北京;;100000;中国\n"
                      // 75 bytes a line, whatever the characters are.
                      "NOTE:一二三四五六七八九十一二三四五六七八九十一二三\xe5\n \x9b\x9b五\n"
                      "BDAY;VALUE=DATE:19900102\nGENDER:M\nREV:20240102T030405Z\nEND:VCARD\n"));
  EXPECT_THAT(read.faults, IsEmpty());
  EXPECT_THAT(read.cards,
              ElementsAre(Cells{{"name", "王小明"},
                                {"phone", "+86-138-1234-5678"},
                                {"address", "中国 北京 长安街 1 号 100000"},
                                {"note", "一二三四五六七八九十一二三四五六七八九十一二三四五"},
                                {"birthday", "1990-01-02"},
                                {"GENDER", "M"}}));
}

TEST(VcardSamplesTest, WhatsAppContact) {
  const Vcards read = ReadVcards(
      "BEGIN:VCARD\nVERSION:3.0\nN:;Ann;;;\nFN:Ann\n"
      "item1.TEL;waid=821012345678:+82 10-1234-5678\nitem1.X-ABLabel:Mobile\n"
      "X-WA-BIZ-NAME:Ann's flowers\nX-WA-BIZ-DESCRIPTION:Flowers\nEND:VCARD");
  EXPECT_THAT(read.faults, IsEmpty());
  EXPECT_THAT(read.cards, ElementsAre(Cells{{"name", "Ann"},
                                            {"phone", "+82 10-1234-5678"},
                                            {"wa_id", "+821012345678"},
                                            {"phone label", "Mobile"},
                                            {"X-WA-BIZ-NAME", "Ann's flowers"},
                                            {"X-WA-BIZ-DESCRIPTION", "Flowers"}}));
}

TEST(VcardSamplesTest, CardsAreCustomersWithoutASetting) {
  const testing::TemporaryFile file(
      "BEGIN:VCARD\nVERSION:3.0\nFN:Ann\nTEL;waid=821012345678:+82 10-1234-5678\n"
      "TEL:010-2345-6789\nEMAIL:Ann@Example.com\nBDAY:19900102\nEND:VCARD\n");
  auto list = CustomerList::Open(file.path(), {.region = "KR"});
  ASSERT_TRUE(list.ok()) << list.status();
  CustomerRow row;
  ASSERT_TRUE(*(*list)->Next(row));
  EXPECT_EQ(row.reject, "");
  std::vector<std::string> fields;
  for (const records::Field& field : row.fields)
    fields.push_back(absl::StrCat(field.name, "=", field.value));
  EXPECT_THAT(fields, ElementsAre("name=Ann", "phone=+821012345678", "phone_2=+821023456789",
                                  "email=ann@example.com", "birth_date=1990-01-02"));
}

struct Person {
  std::string name, family, given, phone, note;
};
const std::vector<Person>& People() {
  static const auto* const people = new std::vector<Person>{
      {"김지은", "김", "지은", "+82-10-1234-5678", "민감성 피부; 에센스, 크림"},
      {"王小明", "王", "小明", "+86-138-1234-5678", "长期客户\n每月一次 = 三瓶"},
      {"Zoë Ünal", "Ünal", "Zoë", "+49-151-12345678", "back\\slash and \"quotes\": 100 %"},
      {"さくら 😀", "", "さくら 😀", "+81-90-1234-5678",
       std::string(300, 'x') + " 긴 메모 " + std::string(99, 'y')},
  };
  return *people;
}

enum class Form { kPlain, kFolded, kQuotedPrintable, kBase64 };

// Everything that is no letter as "=XX", in lines of 76 bytes wherever that cuts.
std::string QuotedPrintable(absl::string_view text) {
  std::string out;
  std::size_t width = 0;
  for (const unsigned char c : text) {
    const std::string piece =
        absl::ascii_isalnum(c) || c == ';' || c == '\\'
            ? std::string(1, static_cast<char>(c))
            : absl::StrCat("=", absl::AsciiStrToUpper(absl::StrCat(absl::Hex(c, absl::kZeroPad2))));
    if (width + piece.size() > 70) {
      out += "=\n";
      width = 0;
    }
    out += piece;
    width += piece.size();
  }
  return out;
}

// At every 40th byte, in the middle of characters too. 2.1 folds only where a blank is, or inside a
// character, which no blank can be part of.
std::string Fold(absl::string_view line, bool at_blanks) {
  std::string out;
  std::size_t width = 0;
  for (const char c : line) {
    const bool inside = (static_cast<unsigned char>(c) & 0xc0) == 0x80;
    if (width >= 40 && (!at_blanks || c == ' ' || inside)) {
      out += at_blanks && c == ' ' ? "\n" : "\n ";
      width = 0;
    }
    out += c;
    ++width;
  }
  return out;
}

std::string Property(absl::string_view name, const std::string& value, absl::string_view version,
                     Form form) {
  const bool two = version == "2.1";
  if (form == Form::kQuotedPrintable) {
    return absl::StrCat(name, two ? ";CHARSET=UTF-8" : "",
                        ";ENCODING=QUOTED-PRINTABLE:", QuotedPrintable(value), "\n");
  }
  if (form == Form::kBase64) {
    return absl::StrCat(name, two ? ";ENCODING=BASE64:\n " : ";ENCODING=b:",
                        Fold(absl::Base64Escape(value), false), two ? "\n\n" : "\n");
  }
  const std::string line = absl::StrCat(name, ":", value);
  return (form == Form::kFolded ? Fold(line, two) : line) + "\n";
}

std::string Escape(absl::string_view text, absl::string_view version) {
  if (version == "2.1") return absl::StrReplaceAll(text, {{";", "\\;"}});
  return absl::StrReplaceAll(text, {{"\\", "\\\\"}, {";", "\\;"}, {",", "\\,"}, {"\n", "\\n"}});
}

TEST(VcardSamplesTest, OneTableOfPeopleInEveryVersionAndEncoding) {
  int files = 0;
  for (const absl::string_view version : {"2.1", "3.0", "4.0"}) {
    for (const Form form : {Form::kPlain, Form::kFolded, Form::kQuotedPrintable, Form::kBase64}) {
      for (const absl::string_view end : {"\r\n", "\n", "\r"}) {
        for (const bool whole_name : {true, false}) {
          std::string text;
          std::vector<Cells> expected;
          for (const Person& person : People()) {
            // 2.1 has line breaks only inside of what is encoded.
            std::string note = person.note;
            if (version == "2.1" && (form == Form::kPlain || form == Form::kFolded))
              note = absl::StrReplaceAll(note, {{"\n", " "}});
            absl::StrAppend(&text, "BEGIN:VCARD\nVERSION:", version, "\n");
            text += whole_name ? Property("FN", Escape(person.name, version), version, form)
                               : Property("N",
                                          absl::StrCat(Escape(person.family, version), ";",
                                                       Escape(person.given, version), ";;;"),
                                          version, form);
            absl::StrAppend(&text, "TEL", version == "2.1" ? ";CELL" : ";TYPE=cell", ":",
                            version == "4.0" ? "tel:" : "", person.phone, "\n");
            text += Property("NOTE", Escape(note, version), version, form);
            text += "END:VCARD\n";
            expected.push_back({{"name", person.name}, {"phone", person.phone}, {"note", note}});
          }
          const Vcards read = ReadVcards(absl::StrReplaceAll(text, {{"\n", end}}));
          EXPECT_THAT(read.faults, IsEmpty());
          EXPECT_EQ(read.cards, expected) << version << " " << static_cast<int>(form);
          // What is kept of a card says the same.
          EXPECT_EQ(ReadVcards(absl::StrJoin(read.raws, "")).cards, expected);
          ++files;
        }
      }
    }
  }
  EXPECT_EQ(files, 72);
}

}  // namespace
}  // namespace sealbook::anonymizer
