#include <gmock/gmock.h>

#include "absl/strings/str_split.h"
#include "tests/anonymizer/list_writer_fixture.h"
#include "tests/anonymizer/vcard_fixture.h"

namespace sealbook::anonymizer {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

constexpr char kStart[] = "BEGIN:VCARD\r\nVERSION:4.0\r\nPRODID:-//Sealbook//Sealbook//EN\r\n";

std::string CardOf(const records::Fields& fields, std::vector<std::string> columns = {}) {
  if (columns.empty()) {
    for (const records::Field& field : fields) columns.push_back(field.name);
  }
  return Write(ListFormat::kVcard, columns, {Contact(fields)});
}

TEST(VcardWriterTest, FieldsHaveThePropertiesThatOtherProgramsKnow) {
  EXPECT_EQ(CardOf({{"name", "Mina; Kim"},
                    {"phone", "+821012345678"},
                    {"email", "mina@example.com"},
                    {"company", "A, B"},
                    {"address", "12 Example-ro, Seoul"},
                    {"birth_date", "1990-01-02"},
                    {"tags", "VIP, new"},
                    {"jid", "12345@lid"},
                    {"orders", "3"}},
                   {"uid", "name", "phone", "email", "company", "address", "birth_date", "tags",
                    "jid", "orders", "books"}),
            absl::StrCat(kStart,
                         "N;X-SEALBOOK=-:;Mina\\; Kim;;;\r\n"
                         "UID;VALUE=text;X-SEALBOOK=uid:UID_2837470195\r\n"
                         "FN;X-SEALBOOK=name:Mina\\; Kim\r\n"
                         "TEL;VALUE=uri;X-SEALBOOK=phone:tel:+821012345678\r\n"
                         "EMAIL;X-SEALBOOK=email:mina@example.com\r\n"
                         "ORG;X-SEALBOOK=company:A\\, B\r\n"
                         "ADR;X-SEALBOOK=address:;;12 Example-ro\\, Seoul;;;;\r\n"
                         "BDAY;X-SEALBOOK=birth_date:19900102\r\n"
                         "CATEGORIES;X-SEALBOOK=-:VIP,new\r\n"
                         "X-SEALBOOK-FIELD;X-SEALBOOK=tags:VIP\\, new\r\n"
                         "IMPP;X-SEALBOOK=jid:whatsapp:12345@lid\r\n"
                         "X-SEALBOOK-FIELD;X-SEALBOOK=orders:3\r\n"
                         "X-SEALBOOK-FIELD;X-SEALBOOK=books:seoul\\; vip\r\n"
                         "END:VCARD\r\n"));
}

TEST(VcardWriterTest, CardWithoutANameIsShownByWhatItHas) {
  EXPECT_THAT(CardOf({{"phone", "+821012345678"}}), HasSubstr("FN;X-SEALBOOK=-:+821012345678\r\n"));
  EXPECT_THAT(CardOf({{"note", "x"}}), HasSubstr("FN;X-SEALBOOK=-:Customer\r\n"));
}

TEST(VcardWriterTest, LinesAreAtMost75BytesAndNoCharacterIsCut) {
  std::string note;
  for (int i = 0; i < 200; ++i) absl::StrAppend(&note, "가é😀\n,", std::string(i % 5, 'x'));
  const std::string card = CardOf({{"note", note}});
  for (const absl::string_view line : absl::StrSplit(card, "\r\n")) {
    EXPECT_LE(line.size(), 75u);
    EXPECT_TRUE(IsUtf8(line)) << line;
  }
  EXPECT_EQ(ReadList(card).rows[0]["note"], note.substr(0, note.size()));
}

TEST(VcardWriterTest, ControlCharacterIsNamedByTokenAndField) {
  testing::StringSink sink;
  auto writer = ListWriter::Create(ListFormat::kVcard, {"note"}, sink);
  ASSERT_TRUE(writer.ok());
  const std::vector<ListedContact> contacts = {Contact({{"note", "a\x01"}})};
  EXPECT_THAT((*writer)->Render(contacts, 0).status().message(),
              AllOf(HasSubstr("UID_2837470195"), HasSubstr("'note'")));
}

// Beside cards of others, whose columns keep their own meaning.
TEST(VcardWriterTest, CardsOfOthersInTheSameFileAreReadAsUsual) {
  const std::string list = absl::StrCat(
      CardOf({{"name", "김 씨-지성"}, {"phone", "+821012345678"}}),
      Card("3.0", "FN:이 씨-건성\nTEL:010-2222-3333\nX-SEALBOOK-FIELD;X-SEALBOOK=No Name:x\n"));
  EXPECT_THAT(
      ReadList(list).rows,
      ::testing::ElementsAre(
          UnorderedElementsAre(Pair("name", "김 씨-지성"), Pair("phone", "+821012345678")),
          UnorderedElementsAre(Pair("name", "이 씨"), Pair("name_note", "건성"),
                               Pair("phone", "+821022223333"), Pair("x_sealbook_field", "x"))));
}

}  // namespace
}  // namespace sealbook::anonymizer
