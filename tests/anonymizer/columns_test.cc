#include "anonymizer/columns.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "vault/status.h"

namespace sealbook::anonymizer {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<std::string> FieldsOf(const std::vector<std::string>& headers,
                                  const std::vector<std::vector<std::string>>& sample = {},
                                  absl::string_view region = "KR") {
  std::vector<std::string> fields;
  for (const Column& column : RecognizeColumns(headers, sample, region))
    fields.push_back(column.field);
  return fields;
}

TEST(ColumnsTest, HeadersOfKnownProgramsAreRecognized) {
  struct Case {
    absl::string_view field;
    std::vector<absl::string_view> headers;
  };
  for (const Case& c : std::initializer_list<Case>{
           {"phone",
            {"Phone",
             "Phone 1 - Value",
             "Phone 2 - Value",
             "Mobile Phone",
             "Home Phone",
             "Business Phone",
             "Other Phone",
             "Primary Phone",
             "Phone Number",
             "Default Address Phone",
             "Billing Phone",
             "SMS",
             "Mobile No.",
             "WhatsApp",
             "WhatsApp Number",
             "Tel",
             "Telephone",
             "CELL",
             "Contact Number",
             "연락처",
             "전화번호",
             "휴대폰 번호",
             "휴대폰번호",
             "핸드폰",
             "휴대전화",
             "구매자연락처",
             "구매자전화번호",
             "왓츠앱",
             "联系电话",
             "联系手机",
             "手机",
             "手机号",
             "手机号码",
             "電話",
             "行動電話",
             "电话号码",
             "電話番号",
             "携帯電話",
             "携帯番号",
             "Teléfono",
             "Telefono",
             "Celular",
             "Móvil",
             "Telefone",
             "Telemovel",
             "Telefon",
             "Telefonnummer",
             "Handynummer",
             "Nomor HP",
             "No. HP",
             "Telepon",
             "Ｐｈｏｎｅ",
             "연락처 2",
             "备用电话3"}},
           {"email",
            {"Email", "E-mail", "E-mail Address", "E-mail 1 - Value", "Email Address", "이메일",
             "이메일 주소", "메일", "邮箱", "电子邮箱", "電子郵件", "メール", "メールアドレス",
             "Correo electrónico", "E-Mail-Adresse", "Surel", "Email 2"}},
           {"name",
            {"Name", "Full Name", "Customer Name", "Display Name", "이름", "성명", "고객명",
             "구매자명", "회원명", "姓名", "客户姓名", "氏名", "お名前", "Nombre", "Nome",
             "Nome completo", "Kundenname", "Nama", "Nama Lengkap"}},
           {kGivenName, {"First Name", "Given Name", "Vorname", "名"}},
           {kFamilyName,
            {"Last Name", "Family Name", "Surname", "Nachname", "姓", "성", "Apellidos"}},
           {"address",
            {"Address", "Street Address", "Address 1 - Formatted", "주소", "통합배송지", "배송지",
             "收货地址", "地址", "住所", "Dirección", "Endereço", "Adresse", "Alamat"}},
           {"company",
            {"Company", "Organization 1 - Name", "회사명", "公司", "会社名", "Empresa", "Firma",
             "Perusahaan"}},
           {"tags", {"Tags", "Labels", "Group Membership", "등급", "标签", "タグ", "Etiquetas"}},
           {"note",
            {"Note", "Notes", "메모", "비고", "备注", "備考", "Notas", "Notizen", "Catatan"}},
           {"orders", {"Orders", "주문내역", "订单", "注文履歴", "Pedidos"}},
           {"birth_date",
            {"Birthday", "Date of Birth", "생년월일", "生日", "生年月日", "Geburtsdatum"}},
           {"whatsapp_id", {"WhatsApp ID", "wa_id", "BSUID", "JID", "lid"}},
           {"username", {"Username", "WhatsApp Username"}},
           {kMiddleName, {"Middle Name", "Additional Name"}},
           {kRecipientName, {"수취인명", "수취인이름", "收货人姓名", "收件人", "Recipient"}},
           {kRecipientPhone,
            {"수취인연락처1", "수취인연락처2", "수취인전화번호", "收货人电话", "Shipping Phone",
             "Ship To Phone", "수령인 휴대전화", "받는분 휴대폰번호", "수신인 연락처"}},
           {kAddressPart,
            {"우편번호", "Default Address Address1", "Default Address City", "Home Street",
             "Address 1 - City", "Mailing Zip/Postal Code", "Country", "邮编", "PLZ"}},
           {"fax", {"Business Fax", "팩스", "传真"}},
           {"company_phone", {"Company Main Phone", "대표전화"}},
           {"phone",
            {"휴대폰 번호 (필수)", "Phone*", "전화번호(휴대폰)", "연락처 / Phone", "手机(Mobile)",
             "Número de teléfono", "Telefone celular", "Telefon (privat)", "No. WhatsApp"}},
           {"name", {"이름 / Name", "姓名|Name", "Nombre y apellidos"}},
           {kIgnored, {"sealbook_line", "sealbook_reason"}}}) {
    for (const absl::string_view header : c.headers) {
      EXPECT_EQ(FieldOfHeader(header), c.field) << header;
    }
  }
}

TEST(ColumnsTest, OtherHeadersAreNotTakenForKnownOnes) {
  for (const absl::string_view header : {"",
                                         "123",
                                         "Phone 1 - Label",
                                         "E-mail 1 - Type",
                                         "Accepts Email Marketing",
                                         "Accepts SMS Marketing",
                                         "Total Orders",
                                         "OPTIN_TIME",
                                         "OPTIN_IP",
                                         "구매자ID",
                                         "user_id",
                                         "Phone (Shipping)",
                                         "보호자연락처",
                                         "Assistant's Phone",
                                         "Name / Phone",
                                         "()",
                                         "买家会员名",
                                         "피부 타입",
                                         "Record ID",
                                         "Contact owner"}) {
    EXPECT_EQ(FieldOfHeader(header), "") << header;
  }
}

TEST(ColumnsTest, ContentTellsWhereNamesDoNot) {
  const std::vector<std::vector<std::string>> sample = {
      {"가을", "010-1234-5678", "a@example.com", "821012345678@s.whatsapp.net", "건성"},
      {"겨울", "010-2345-6789 (집)", "b@example.com; c@example.com", "821023456789@c.us", "지성"},
      {"봄", "-", "", "", "010-1234-5678"}};
  const auto columns = RecognizeColumns({"A", "B", "C", "D", "E"}, sample, "KR");
  std::vector<std::string> fields;
  for (const Column& column : columns) fields.push_back(column.field);
  EXPECT_THAT(fields, ElementsAre("a", "phone", "email", "whatsapp_id", "e"));
  EXPECT_EQ(columns[0].by, RecognizedBy::kNothing);
  EXPECT_EQ(columns[1].by, RecognizedBy::kContent);
  EXPECT_EQ(RecognizeColumns({"Phone"}, sample, "KR")[0].by, RecognizedBy::kName);
}

TEST(ColumnsTest, NineOfTenValuesMakeAColumn) {
  std::vector<std::vector<std::string>> sample;
  for (int i = 0; i < 10; ++i)
    sample.push_back({absl::StrCat("010-1234-567", i), absl::StrCat("010-1234-567", i)});
  sample[0][0] = sample[0][1] = sample[1][1] = "nobody";
  EXPECT_THAT(FieldsOf({"x", "y"}, sample), ElementsAre("phone", "y"));
}

TEST(ColumnsTest, WithoutARegionNationalNumbersAreNoPhones) {
  EXPECT_THAT(FieldsOf({"x", "y"}, {{"010-1234-5678", "+821012345678"}}, ""),
              ElementsAre("x", "phone"));
}

TEST(ColumnsTest, NumberThatMostRowsShareIsNobodysPhone) {
  std::vector<std::vector<std::string>> sample;
  for (int i = 0; i < 10; ++i)
    sample.push_back({absl::StrCat("010-1234-567", i), "02-312-3456", "02-312-3456"});
  EXPECT_THAT(FieldsOf({"x", "shop", "연락처"}, sample),
              ElementsAre("phone", "shop", "shared_phone"));
}

TEST(ColumnsTest, NumbersWithoutPlusAreToldByAllOfThem) {
  const std::vector<std::vector<std::string>> sample = {{"4915112345678", "01012345678", "1"},
                                                        {"6281234567890", "821023456789", "2"},
                                                        {"8613800138000", "01034567890", "3"}};
  const auto columns = RecognizeColumns({"SMS", "phone", "a"}, sample, "KR");
  EXPECT_TRUE(columns[0].country_coded);
  EXPECT_FALSE(columns[1].country_coded);
  EXPECT_FALSE(columns[2].country_coded);
  EXPECT_EQ(RecognizeColumns({"a"}, sample, "KR")[0].field, "phone");
  // Two are too few to tell.
  EXPECT_FALSE(
      RecognizeColumns({"SMS"}, {{"4915112345678"}, {"6281234567890"}}, "KR")[0].country_coded);
}

TEST(ColumnsTest, NumbersWithoutPlusAreToldWhereAnyDigitsAreANumber) {
  const std::vector<std::vector<std::string>> sample = {
      {"491713920017"}, {"491713920018"}, {"12125550142"}, {"821012345678"}};
  EXPECT_TRUE(RecognizeColumns({"SMS"}, sample, "DE")[0].country_coded);
  EXPECT_FALSE(RecognizeColumns({"SMS"}, {{"1713920017"}, {"1713920018"}, {"1713920019"}}, "DE")[0]
                   .country_coded);
}

TEST(ColumnsTest, DatesAreNoPhones) {
  for (const char* date : {"2024-02-01", "01.02.2024", "20240201", "2024.2.1", "2024-02-01 10:15"})
    EXPECT_THAT(FieldsOf({"added"}, {{date}, {date}}, "DE"), ElementsAre("added")) << date;
  EXPECT_THAT(FieldsOf({"reach"}, {{"030-23125-000"}, {"030.23125.001"}}, "DE"),
              ElementsAre("phone"));
}

TEST(ColumnsTest, MailchimpsRegionIsNoPartOfAnAddress) {
  EXPECT_THAT(FieldsOf({"Email", "REGION"}), ElementsAre("email", "address_part"));
  EXPECT_THAT(FieldsOf({"Email", "REGION", "EUID"}), ElementsAre("email", "region", "euid"));
}

TEST(ColumnsTest, RecipientsAreCustomersWhereNobodyElseIs) {
  const auto alone = RecognizeColumns({"수취인명", "수취인연락처1"}, {}, "KR");
  EXPECT_EQ(alone[0].field, "name");
  EXPECT_EQ(alone[1].field, "phone");
  const auto beside =
      RecognizeColumns({"구매자명", "수취인명", "수취인연락처1", "구매자연락처"}, {}, "KR");
  EXPECT_EQ(beside[1].field, kRecipientName);
  EXPECT_EQ(FieldWritten(beside[1]), "name");
  EXPECT_EQ(beside[2].field, kRecipientPhone);
  EXPECT_EQ(FieldWritten(beside[2]), "phone");
}

TEST(ColumnsTest, FieldNamesAreSmallLettersOfAnyScript) {
  EXPECT_EQ(FieldNameFor("Skin Type (2024)", 0), "skin_type_2024");
  EXPECT_EQ(FieldNameFor("  피부 타입 ", 0), "피부_타입");
  EXPECT_EQ(FieldNameFor("E-mail 1 - Label", 0), "e_mail_1_label");
  EXPECT_EQ(FieldNameFor("__a--b__", 0), "a_b");
  EXPECT_EQ(FieldNameFor("", 6), "column_7");
  EXPECT_EQ(FieldNameFor("!?", 6), "column_7");
  EXPECT_EQ(FieldNameFor(std::string(65, 'a'), 0), "column_1");
  EXPECT_EQ(FieldNameFor("\x1b[31mred", 0), "31mred");
  EXPECT_TRUE(CheckFieldName(FieldNameFor("\u0130\u0327", 0)).ok());
  // A column called so must not be left out for its name.
  EXPECT_EQ(FieldNameFor("Ignore", 2), "column_3");
  EXPECT_EQ(FieldNameFor("UID", 2), "uid_2");
  EXPECT_EQ(FieldNameFor("Books", 2), "books_2");
}

TEST(ColumnsTest, FieldNamesAreChecked) {
  for (const std::string& good : {std::string("skin"), std::string("피부_타입"),
                                  std::string("phone_2"), std::string(64, 'a')}) {
    EXPECT_TRUE(CheckFieldName(good).ok()) << good;
  }
  for (const std::string& bad : {std::string(), std::string("Skin"), std::string("a b"),
                                 std::string("_a"), std::string("a_"), std::string("a__b"),
                                 std::string("a-b"), std::string(65, 'a'), std::string("a\n"),
                                 // These mean something else in lists.
                                 std::string("ignore"), std::string("uid"), std::string("books")}) {
    EXPECT_TRUE(absl::IsInvalidArgument(CheckFieldName(bad))) << bad;
  }
}

TEST(ColumnsTest, UnknownColumnsNeverShareAField) {
  EXPECT_THAT(FieldsOf({"skin", "Skin", "SKIN!", "skin_2", "", ""}),
              ElementsAre("skin", "skin_2", "skin_3", "skin_2_2", "column_5", "column_6"));
  EXPECT_THAT(FieldsOf({"phone", "mobile"}), ElementsAre("phone", "phone"));
}

TEST(ColumnsTest, PartsOfANameMakeANameUnlessThereIsOne) {
  const auto parts = RecognizeColumns({"First Name", "Last Name"}, {}, "");
  EXPECT_EQ(FieldWritten(parts[0]), "name");
  EXPECT_EQ(FieldWritten(parts[1]), "name");
  const auto beside = RecognizeColumns({"Name", "First Name", "Last Name"}, {}, "");
  EXPECT_EQ(FieldWritten(beside[0]), "name");
  EXPECT_EQ(FieldWritten(beside[1]), "given_name");
  EXPECT_EQ(FieldWritten(beside[2]), "family_name");
}

TEST(ColumnsTest, NamesAreCleanedBeforeTheyAreShown) {
  EXPECT_EQ(RecognizeColumns({"\u202e\x1b]0;x\x07Tel\u200b "}, {}, "")[0].name, "]0;xTel");
}

TEST(ColumnsTest, MappingsGoByNameAndByNumber) {
  auto columns = RecognizeColumns({"A=B", "Skin", "Phone", "", "Skin"}, {}, "");
  ASSERT_TRUE(ApplyMappings({"A=B=name", "Skin=note", "3=ignore", "4=email"}, columns).ok());
  std::vector<std::string> fields;
  for (const Column& column : columns) {
    fields.push_back(column.field);
    EXPECT_EQ(column.by, RecognizedBy::kMapping);
  }
  EXPECT_THAT(fields, ElementsAre("name", "note", "ignore", "email", "note"));
}

TEST(ColumnsTest, ColumnNamedByANumberGoesBeforeItsPosition) {
  auto columns = RecognizeColumns({"a", "1"}, {}, "");
  ASSERT_TRUE(ApplyMappings({"1=note"}, columns).ok());
  EXPECT_EQ(columns[0].field, "a");
  EXPECT_EQ(columns[1].field, "note");
}

TEST(ColumnsTest, MappingsThatDoNotFitAreRefused) {
  auto columns = RecognizeColumns({"a", "b"}, {}, "");
  for (const char* bad : {"", "a", "=phone", "a=", "a=Not A Field", "a=-"}) {
    EXPECT_TRUE(absl::IsFailedPrecondition(ApplyMappings({bad}, columns))) << bad;
  }
  for (const char* missing : {"c=phone", "0=phone", "3=phone", "-1=phone", "99999999999=phone"}) {
    const absl::Status status = ApplyMappings({missing}, columns);
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << missing << status;
    EXPECT_THAT(HintOf(status), HasSubstr("--dry-run"));
  }
}

TEST(ColumnsTest, HeadersAndCustomersAreToldApart) {
  EXPECT_TRUE(LooksLikeHeader({"name", "phone", "x"}));
  EXPECT_TRUE(LooksLikeHeader({"연락처"}));
  EXPECT_FALSE(LooksLikeHeader({"가을", "010-1234-5678", "a@example.com"}));
  EXPECT_FALSE(LooksLikeHeader({"see the phone list", "x", "y", "z"}));
  EXPECT_FALSE(LooksLikeHeader({"note", "this list is", "of May"}));
  EXPECT_TRUE(LooksLikeData({"가을", "010-1234-5678"}));
  EXPECT_TRUE(LooksLikeData({"a@example.com"}));
  EXPECT_FALSE(LooksLikeData({"name", "phone", "column 1234567"}));
  EXPECT_FALSE(LooksLikeData({}));
}

}  // namespace
}  // namespace sealbook::anonymizer
