#include "anonymizer/customer_list.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "anonymizer/identifiers.h"
#include "tests/support/encodings.h"
#include "tests/support/temporary_file.h"
#include "vault/status.h"

namespace sealbook::anonymizer {
namespace {

using ::testing::ElementsAre;
using testing::Encode;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using testing::TemporaryFile;

// Rows as "line | identifiers | fields", or "line ! reject".
absl::StatusOr<std::vector<std::string>> RowsOrError(absl::string_view bytes,
                                                     const ListOptions& options) {
  const TemporaryFile file(bytes);
  auto list = CustomerList::Open(file.path(), options);
  if (!list.ok()) return list.status();
  std::vector<std::string> rows;
  CustomerRow row;
  for (;;) {
    const auto more = (*list)->Next(row);
    if (!more.ok()) return more.status();
    if (!*more) return rows;
    if (!row.reject.empty()) {
      EXPECT_THAT(row.identifiers, IsEmpty());
      EXPECT_THAT(row.fields, IsEmpty());
      rows.push_back(absl::StrCat(row.line, " ! ", row.reject));
      continue;
    }
    EXPECT_THAT(row.identifiers, Not(IsEmpty()));
    rows.push_back(absl::StrCat(
        row.line, " | ",
        absl::StrJoin(row.identifiers, " ",
                      [](std::string* out, const auto& i) {
                        out->append(i.kind == IdentifierKind::kRow ? "row" : i.value);
                      }),
        " | ", absl::StrJoin(row.fields, " ", [](std::string* out, const records::Field& f) {
          absl::StrAppend(out, f.name, "=", f.value);
        })));
  }
}

std::vector<std::string> ListRows(absl::string_view bytes,
                                  const ListOptions& options = {.region = "KR"}) {
  auto rows = RowsOrError(bytes, options);
  EXPECT_TRUE(rows.ok()) << rows.status();
  return rows.ok() ? *std::move(rows) : std::vector<std::string>();
}

TEST(CustomerListTest, EncodingsGiveTheSameCustomers) {
  for (const Encoding encoding : {Encoding::kUtf8, Encoding::kUtf16Le, Encoding::kUtf16Be}) {
    for (const bool mark : {true, false}) {
      EXPECT_THAT(ListRows(Encode("이름;연락처;이메일\r\n가을;010-1234-5678;A@Example.com\r\n",
                                  encoding, mark)),
                  ElementsAre("2 | +821012345678 a@example.com | name=가을 phone=+821012345678 "
                              "email=a@example.com"));
    }
  }
}

TEST(CustomerListTest, SeveralNumbersAndAddressesOfOnePerson) {
  EXPECT_THAT(
      ListRows("name,phone,mobile,email\n"
               "a,010-1234-5678 / 010-2345-6789 (집),01034567890,a@example.com;b@example.com\n"
               "b,,01045678901,\n"),
      ElementsAre(
          "2 | +821012345678 +821023456789 +821034567890 a@example.com b@example.com | name=a "
          "phone=+821012345678 phone_2=+821023456789 phone_note=집 phone_3=+821034567890 "
          "email=a@example.com email_2=b@example.com",
          "3 | +821045678901 | name=b phone=+821045678901"));
}

TEST(CustomerListTest, OneNumberInTwoColumnsIsOneNumber) {
  EXPECT_THAT(ListRows("name,phone,whatsapp id\na,010-1234-5678,821012345678@s.whatsapp.net\n"),
              ElementsAre("2 | +821012345678 | name=a phone=+821012345678"));
}

TEST(CustomerListTest, WhatsAppIdsAreIdentifiers) {
  EXPECT_THAT(
      ListRows("name,whatsapp id,username\na,KR.1234567890,@Leaf\nb,12345@lid,\nc,120363@g.us,\n"),
      ElementsAre("2 | KR.1234567890 leaf | name=a whatsapp_id=KR.1234567890 username=leaf",
                  "3 | 12345@lid | name=b jid=12345@lid",
                  "4 ! column 'whatsapp id' is no WhatsApp id of a person"));
}

TEST(CustomerListTest, SpreadsheetDamageIsUndoneOrRefused) {
  EXPECT_THAT(
      ListRows("name,phone\na,1.38E+10\nb,1.108207129E9\nc,13812345678.0\nd,'13812345678\n",
               {.region = "CN"}),
      ElementsAre(
          "2 ! column 'phone' was shortened by a spreadsheet, so that its last digits are lost",
          "3 ! column 'phone' is no phone number of region CN",
          "4 | +8613812345678 | name=c phone=+8613812345678",
          "5 | +8613812345678 | name=d phone=+8613812345678"));
  EXPECT_THAT(
      ListRows("{\"name\":\"a\",\"phone\":1.38E+10}\n{\"name\":\"b\",\"phone\":13812345678}\n",
               {.region = "CN"}),
      ElementsAre(HasSubstr("1 ! column 'phone' was shortened"),
                  "2 | +8613812345678 | name=b phone=+8613812345678"));
}

TEST(CustomerListTest, BadRowsAreRejectedWithLineAndReasonAndTheOthersStay) {
  EXPECT_THAT(
      ListRows("name,phone,email\n"
               "a,010-1234-5678,\n"
               "b,010-1234,\n"
               "c,,not an address\n"
               "d,010-2345-6789\n"
               "e,\"010-3456-7890,\n"
               "f,010-4567-8901,f@example.com\n"),
      ElementsAre(
          "2 | +821012345678 | name=a phone=+821012345678",
          "3 ! column 'phone' is no phone number of region KR",
          "4 ! column 'email' is no email address", "5 ! has 2 cells where the header has 3",
          "6 ! opens a quote that is never closed",
          "7 | +821045678901 f@example.com | name=f phone=+821045678901 email=f@example.com"));
}

TEST(CustomerListTest, ReasonsHoldNoValueOfTheRow) {
  for (const std::string& row : ListRows("name,phone,email,id\nSECRET,SECRET,,\nSECRET,,SECRET,\n"
                                         "SECRET,010SECRET,,\nSECRET\nSECRET,\"SECRET\n")) {
    EXPECT_THAT(row, HasSubstr(" ! "));
    EXPECT_THAT(row, Not(HasSubstr("SECRET")));
  }
}

TEST(CustomerListTest, CellsOfARejectedRowAreKept) {
  const TemporaryFile file("name,phone\na,not a phone\n");
  auto list = CustomerList::Open(file.path(), {.region = "KR"});
  ASSERT_TRUE(list.ok()) << list.status();
  CustomerRow row;
  ASSERT_TRUE(*(*list)->Next(row));
  EXPECT_THAT(row.reject, Not(IsEmpty()));
  EXPECT_THAT(row.source.cells, ElementsAre("a", "not a phone"));
}

TEST(CustomerListTest, ListWithoutHeaderIsReadByItsContent) {
  EXPECT_THAT(
      ListRows("가을,010-1234-5678,a@example.com\n겨울,010-2345-6789,b@example.com\n"),
      ElementsAre(
          "1 | +821012345678 a@example.com | column_1=가을 phone=+821012345678 email=a@example.com",
          "2 | +821023456789 b@example.com | column_1=겨울 phone=+821023456789 "
          "email=b@example.com"));
  EXPECT_THAT(ListRows("010-1234-5678\n010-2345-6789\n"), SizeIs(2));
}

TEST(CustomerListTest, HeadlessListIsMappedByNumber) {
  EXPECT_THAT(ListRows("가을,010-1234-5678\n겨울,010-2345-6789\n",
                       {.mappings = {"1=name"}, .region = "KR"}),
              ElementsAre("1 | +821012345678 | name=가을 phone=+821012345678",
                          "2 | +821023456789 | name=겨울 phone=+821023456789"));
}

TEST(CustomerListTest, UnknownColumnsKeepTheirFieldWhateverTheRowHolds) {
  // The second of two equal columns must not move up where the first is empty.
  EXPECT_THAT(
      ListRows("phone,skin,skin,,\n010-1234-5678,dry,thin,x,y\n010-2345-6789,,oily,,z\n"),
      ElementsAre(
          "2 | +821012345678 | phone=+821012345678 skin=dry skin_2=thin column_4=x column_5=y",
          "3 | +821023456789 | phone=+821023456789 skin_2=oily column_5=z"));
}

TEST(CustomerListTest, NamesInPartsAreJoinedAsTheirScriptWants) {
  EXPECT_THAT(
      ListRows(
          "First Name,Last "
          "Name,Phone\nAutumn,Leaf,010-1234-5678\n가을,한,010-2345-6789\n,Leaf,010-3456-7890\n"),
      ElementsAre(HasSubstr("name=Autumn Leaf"), HasSubstr("name=한가을"), HasSubstr("name=Leaf")));
  EXPECT_THAT(
      ListRows("Name,First Name,Phone\nAutumn Leaf,Autumn,010-1234-5678\n"),
      ElementsAre("2 | +821012345678 | name=Autumn Leaf phone=+821012345678 given_name=Autumn"));
}

TEST(CustomerListTest, NotesHiddenInNamesAreSplitOffAndCounted) {
  const TemporaryFile file(
      "이름,연락처\n김 씨-지성 민감성-여드름 에센스 구매,010-1234-5678\n김서연,010-2345-6789\n");
  auto list = CustomerList::Open(file.path(), {.region = "KR"});
  ASSERT_TRUE(list.ok()) << list.status();
  CustomerRow row;
  ASSERT_TRUE(*(*list)->Next(row));
  EXPECT_THAT(row.fields, ElementsAre(records::Field{"name", "김 씨"},
                                      records::Field{"name_note", "지성 민감성-여드름 에센스 구매"},
                                      records::Field{"phone", "+821012345678"}));
  ASSERT_TRUE(*(*list)->Next(row));
  EXPECT_THAT(row.fields, SizeIs(2));
  EXPECT_EQ((*list)->notes_in_names(), 1);
  // Phones keep everything in the first name.
  EXPECT_THAT(ListRows("First Name,Last Name,Phone\n이 씨 - 재구매,,010-1234-5678\n"),
              ElementsAre("2 | +821012345678 | phone=+821012345678 name=이 씨 name_note=재구매"));
}

TEST(CustomerListTest, PartsOfAnAddressMakeOne) {
  EXPECT_THAT(ListRows("Name,Home Street,Home City,Business City,Home Country,Phone\n"
                       "a,1 Leaf St,Springfield,Shelbyville,US,010-1234-5678\n"),
              ElementsAre("2 | +821012345678 | name=a phone=+821012345678 "
                          "address=1 Leaf St, Springfield, US address_2=Shelbyville"));
  EXPECT_THAT(
      ListRows(
          "Name,Address 1 - Formatted,Address 1 - Street,Address 1 - City,Address 2 - City,Phone\n"
          "a,\"1 Leaf St\nSpringfield\",1 Leaf St,Springfield,Busan,010-1234-5678\n"),
      ElementsAre("2 | +821012345678 | name=a phone=+821012345678 address=1 Leaf St\nSpringfield "
                  "address_2=Busan"));
  EXPECT_THAT(ListRows("이름,통합배송지,우편번호,연락처\n가을,서울 가상로 1,04524,010-1234-5678\n"),
              ElementsAre("2 | +821012345678 | name=가을 phone=+821012345678 "
                          "address=서울 가상로 1, 04524"));
}

TEST(CustomerListTest, RecipientOfAnotherNameIsAnotherPerson) {
  EXPECT_THAT(
      ListRows("구매자명,수취인명,수취인연락처1,구매자연락처\n"
               "가을,가을,010-1234-5678,010-2345-6789\n"
               "가을,겨울,010-3456-7890,010-2345-6789\n"
               ",겨울,010-3456-7890,\n"
               "봄,여름,1,010-4567-8901\n"),
      ElementsAre(
          "2 | +821023456789 +821012345678 | name=가을 phone=+821023456789 phone_2=+821012345678",
          "3 | +821023456789 | name=가을 phone=+821023456789 recipient_name=겨울 "
          "recipient_phone=010-3456-7890",
          "4 | +821034567890 | name=겨울 phone=+821034567890",
          "5 | +821045678901 | name=봄 phone=+821045678901 recipient_name=여름 "
          "recipient_phone=1"));
}

TEST(CustomerListTest, NumbersAsShopsAndPhonesWriteThem) {
  EXPECT_THAT(ListRows("name,phone,wa_id\na,\"=\"\"010-1234-5678\"\"\",\n"
                       "b,',4915112345678\nc,https://wa.me/821034567890,\nd,,010-4567-8901\n"
                       "e,010-5678-9012 ext. 12,\n"),
              ElementsAre("2 | +821012345678 | name=a phone=+821012345678",
                          "3 | +4915112345678 | name=b phone=+4915112345678",
                          "4 | +821034567890 | name=c phone=+821034567890",
                          "5 | +821045678901 | name=d phone=+821045678901",
                          "6 | +821056789012 | name=e phone_note=ext. 12 phone=+821056789012"));
  EXPECT_THAT(ListRows("姓名,联系电话\na,021-62345678-8001\n", {.region = "CN"}),
              ElementsAre("2 | +862162345678 | name=a phone_note=ext. 8001 phone=+862162345678"));
}

TEST(CustomerListTest, NumbersOfOthersFindNobody) {
  for (const char* header :
       {"추천인 전화번호", "보호자연락처", "Emergency Contact", "Assistant's Phone"}) {
    EXPECT_THAT(
        ListRows(absl::StrCat("고객명,휴대폰,", header,
                              "\n김서연,010-1111-1111,\n박민수,010-2222-2222,010-1111-1111\n")),
        ElementsAre(HasSubstr("2 | +821011111111 | "), HasSubstr("3 | +821022222222 | ")))
        << header;
  }
  EXPECT_THAT(ListRows("name,phone,Owner Email\na,010-1111-1111,s@x.com\nb,010-2222-2222,s@x.com\n"
                       "c,010-3333-3333,s@x.com\nd,010-4444-4444,t@x.com\n"),
              ElementsAre(HasSubstr("2 | +821011111111 | "), HasSubstr("3 | +821022222222 | "),
                          HasSubstr("4 | +821033333333 | "), HasSubstr("5 | +821044444444 | ")));
  EXPECT_THAT(ListRows("Order ID,Name,Email\n4155552671,a,a@x.com\n4155552671,b,b@x.com\n",
                       {.region = "US"}),
              ElementsAre(HasSubstr("2 | a@x.com | "), HasSubstr("3 | b@x.com | ")));
  EXPECT_THAT(
      ListRows("Buyer Name,Buyer Phone,Ship To Name,Ship To Phone\n"
               "Ann,010-1111-1111,Zed,010-9999-1111\nBob,010-2222-2222,Zed,010-9999-1111\n"),
      ElementsAre(HasSubstr("2 | +821011111111 | "), HasSubstr("3 | +821022222222 | ")));
}

TEST(CustomerListTest, NoPartOfAnAddressIsLost) {
  EXPECT_THAT(ListRows("Name,Phone,Address1,Address2,City,State,Zip\n"
                       "John,+14155552671,123 Washington Ave,2,Washington,DC,12\n"),
              ElementsAre(HasSubstr("address=123 Washington Ave, 2, Washington, DC, 12")));
}

TEST(CustomerListTest, WordsBesideANumberAreNotes) {
  EXPECT_THAT(ListRows("name,phone\na,엄마 010-1234-5675\nb,집: 02-123-4567\nc,010-1234-5676 회사\n"
                       "d,Tel. 010-1234-5677\n"),
              ElementsAre(HasSubstr("phone=+821012345675 phone_note=엄마"),
                          HasSubstr("phone=+8221234567 phone_note=집"),
                          HasSubstr("phone=+821012345676 phone_note=회사"),
                          "5 | +821012345677 | name=d phone=+821012345677"));
  EXPECT_THAT(ListRows("name,phone\na,02-XXX-1234\nb,010-1234-5676~7\nc,-1012345671\n"),
              ElementsAre(HasSubstr("2 ! "), HasSubstr("3 ! "), HasSubstr("4 ! ")));
}

TEST(CustomerListTest, NumbersInThePlaceOfNamesAreNoNames) {
  EXPECT_THAT(
      ListRows("이름,전화\n010-3333-2222,010-1111-2222\n\"김서연 010-9999-8888\",010-1111-3333\n"
               "a@b.com,010-1111-4444\n"),
      ElementsAre("2 | +821011112222 | name_note=010-3333-2222 phone=+821011112222",
                  "3 | +821011113333 | name=김서연 name_note=010-9999-8888 phone=+821011113333",
                  "4 | +821011114444 | name_note=a@b.com phone=+821011114444"));
}

TEST(CustomerListTest, HalvesOfANameAreJoined) {
  EXPECT_THAT(ListRows("Name;Vorname;Telefon\nMüller;Anna;010-1111-1111\n"),
              ElementsAre(HasSubstr("name=Anna Müller")));
  EXPECT_THAT(ListRows("성,이름,연락처\n김,서연,010-1111-1111\n"),
              ElementsAre(HasSubstr("name=김서연")));
  EXPECT_THAT(ListRows("Nombre,Apellidos,Celular\nJosé,Núñez,010-1111-1111\n"),
              ElementsAre(HasSubstr("name=José Núñez")));
}

TEST(CustomerListTest, CustomerInTheFirstRowIsNoHeader) {
  EXPECT_THAT(ListRows("고객,010-1234-5678\n회원,010-1234-5679\n"), SizeIs(2));
  EXPECT_THAT(
      ListRows("고객 명단 2024-05-01\n담당자,홍길동,010-9999-0000\n이름,전화,이메일\n"
               "김서연,010-1234-5678,a@b.com\n"),
      ElementsAre("4 | +821012345678 a@b.com | name=김서연 phone=+821012345678 email=a@b.com"));
  const TemporaryFile file("John Smith,Boston\nJane Doe,+14155552671\n");
  auto list = CustomerList::Open(file.path(), {.region = "US"});
  ASSERT_TRUE(list.ok()) << list.status();
  EXPECT_THAT((*list)->remarks(), ElementsAre(HasSubstr("line 1 was taken for the names")));
}

TEST(CustomerListTest, GroupsOfGoogleAreTags) {
  EXPECT_THAT(ListRows("Name,Group Membership,Phone 1 - Value\n"
                       "a,* myContacts ::: VIP ::: 도매,010-1234-5678 ::: 010-2345-6789\n"
                       "b,* myContacts,010-3456-7890\n"),
              ElementsAre("2 | +821012345678 +821023456789 | name=a tags=VIP, 도매 "
                          "phone=+821012345678 phone_2=+821023456789",
                          "3 | +821034567890 | name=b phone=+821034567890"));
}

TEST(CustomerListTest, OneValueInSeveralColumnsIsKeptOnce) {
  EXPECT_THAT(ListRows("이름,고객명,배송지,집주소,연락처\n가을,가을,서울,서울,010-1234-5678\n"),
              ElementsAre("2 | +821012345678 | name=가을 phone=+821012345678 address=서울"));
}

TEST(CustomerListTest, IgnoredColumnsLeaveNothing) {
  EXPECT_THAT(ListRows("name,phone,diary,sealbook_reason\na,010-1234-5678,x,y\n",
                       {.mappings = {"diary=ignore"}, .region = "KR"}),
              ElementsAre("2 | +821012345678 | name=a phone=+821012345678"));
}

TEST(CustomerListTest, RowsWithoutIdentifiersAreFoundAgainByAllTheySay) {
  const auto identifiers = [](absl::string_view text) {
    const TemporaryFile file(text);
    auto list = CustomerList::Open(file.path(), {});
    EXPECT_TRUE(list.ok()) << list.status();
    CustomerRow row;
    EXPECT_TRUE(*(*list)->Next(row));
    EXPECT_EQ(row.reject, "");
    return row.identifiers;
  };
  const auto once = identifiers("name,company\nAutumn,Leaf Ltd\n");
  ASSERT_THAT(once, SizeIs(1));
  EXPECT_EQ(once[0].kind, IdentifierKind::kRow);
  EXPECT_EQ(once, identifiers("name;company\r\n \"Autumn\" ; Leaf Ltd\r\n"));
  EXPECT_FALSE(once == identifiers("name,company\nAutumn,Leaf\n"));
  EXPECT_FALSE(once == identifiers("name,note\nAutumn,Leaf Ltd\n"));
}

TEST(CustomerListTest, RowOfNothingIsRejected) {
  EXPECT_THAT(ListRows("{\"name\":\"a\"}\n{}\n{\"name\":null}\n{\"phone\":\"-\"}\n"),
              ElementsAre("1 | row | name=a", "2 ! holds nothing to keep",
                          "3 ! holds nothing to keep", "4 ! holds nothing to keep"));
}

TEST(CustomerListTest, LateKeysOfJsonLinesAreColumnsToo) {
  std::string text;
  for (int i = 0; i < 300; ++i) absl::StrAppend(&text, "{\"name\":\"a", i, "\"}\n");
  text +=
      "{\"Skin\":\"dry\",\"phone\":\"010-1234-5678\"}\n{\"skin\":\"oily\",\"phone\":\"010-2345-"
      "6789\"}\n";
  const auto rows = ListRows(text);
  ASSERT_THAT(rows, SizeIs(302));
  EXPECT_EQ(rows[300], "301 | +821012345678 | skin=dry phone=+821012345678");
  EXPECT_EQ(rows[301], "302 | +821023456789 | phone=+821023456789 skin_2=oily");
}

TEST(CustomerListTest, ControlCharactersNeverReachAField) {
  for (const std::string& row :
       ListRows("name,phone,note\n\x1b[2J\u202eevil,010-1234-5678,a\x07\x08z\n")) {
    EXPECT_EQ(row, "2 | +821012345678 | name=[2Jevil phone=+821012345678 note=az");
  }
}

TEST(CustomerListTest, OptionsThatDoNotFitAreRefused) {
  const TemporaryFile file("name,phone\na,010-1234-5678\n");
  EXPECT_TRUE(
      absl::IsFailedPrecondition(CustomerList::Open(file.path(), {.region = "XX"}).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(
      CustomerList::Open(file.path(), {.mappings = {"age=note"}}).status()));
  EXPECT_TRUE(
      absl::IsFailedPrecondition(CustomerList::Open(file.path(), {.mappings = {"name"}}).status()));
}

TEST(CustomerListTest, WhatIsNoListIsRefusedAndNamesTheFile) {
  for (const absl::string_view bytes :
       {"", "\n", "name,phone\n", "BEGIN:VCARD\nEND:VCARD\n", "<html>\n<table>\n<tr>\n",
        "<?xml version=\"1.0\"?>\n<Workbook>\n", "[{}]", "PK\x03\x04zip", "\xff\xfe\xfd\xfc\xfb"}) {
    const TemporaryFile file(bytes);
    const auto list = CustomerList::Open(file.path(), {});
    EXPECT_TRUE(absl::IsInvalidArgument(list.status())) << list.status();
    EXPECT_THAT(std::string(list.status().message()), HasSubstr(file.path()));
    EXPECT_THAT(HintOf(list.status()), Not(IsEmpty()));
  }
}

}  // namespace
}  // namespace sealbook::anonymizer
