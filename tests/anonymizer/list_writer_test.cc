#include "anonymizer/list_writer.h"

#include <gmock/gmock.h>

#include <random>
#include <thread>

#include "absl/strings/str_split.h"
#include "anonymizer/columns.h"
#include "tests/anonymizer/list_writer_fixture.h"
#include "vault/status.h"

namespace sealbook::anonymizer {
namespace {

using ::testing::ElementsAre;
using testing::FieldMap;
using testing::FieldsIn;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::kListFormats;
using ::testing::Pair;
using ::testing::SizeIs;
using testing::StringSink;
using ::testing::UnorderedElementsAre;

std::string Named(const ::testing::TestParamInfo<ListFormat>& info) {
  return std::string(NameOf(info.param));
}

class ListWriterTest : public ::testing::TestWithParam<ListFormat> {
 protected:
  // The fields of one contact, exported and imported again.
  FieldMap Again(const records::Fields& fields, bool with_uid = false) {
    std::vector<std::string> columns;
    if (with_uid) columns.emplace_back(kUidColumn);
    for (const records::Field& field : fields) columns.push_back(field.name);
    const testing::ReadBackList read = ReadList(Write(GetParam(), columns, {Contact(fields)}));
    EXPECT_THAT(read.rejects, IsEmpty());
    return read.rows.size() == 1 ? read.rows[0] : FieldMap();
  }
};

INSTANTIATE_TEST_SUITE_P(Formats, ListWriterTest, ::testing::ValuesIn(kListFormats), Named);

// What an import takes apart in the lists of others.
TEST_P(ListWriterTest, WhatImportWouldTakeApartComesBackWhole) {
  for (const auto& [field, value] : std::vector<std::pair<std::string, std::string>>{
           {"name", "김 씨-지성 민감성-여드름 에센스 구매"},
           {"name", "김민지 010-1234-5678"},
           {"name", "-"},
           {"name", "N/A"},
           {"email", "a/b|c@example.com"},
           {"email", "=sum@example.com"},
           {"email", "+tag@example.com"},
           {"username", "'=a"},
           {"address_2", "12 Example-ro"},
           {"address", "a, b; c"},
           {"city", "Seoul"},
           {"given_name", "Mina"},
           {"family_name", "Kim"},
           {"recipient_name", "Kim"},
           {"recipient_phone", "010-1234-5678"},
           {"fax", "02-123-4567"},
           {"tags", "* myContacts ::: VIP"},
           {"tags", "VIP, b;; c"},
           {"birth_date", "1990-01-02"},
           {"birth_date", "1990-13-02"},
           {"birth_date", "19900102"},
           {"birth_date", "--01-02"},
           {"orders", "3"},
           {"order_no", "01012345678"},
           {"name_note", "010-1234-5678"},
           {"phone_note", "집"},
           {"consent_text", "maybe"},
           {"consent", "yes"},
           {"whatsapp_id", "KR.1234567890"},
           {"jid", "123456789@lid"},
           {"phone_2", "+821012345678"},
           {"uid_2", "UID_2837470195"},
           {"이름", "세라"},
           {"column_12345678", "x"},
           {"note", "two\nlines\n\nand a tab\there"},
           {"note", std::string(500, 'a') + "\n" + std::string(500, '\n') + "z"},
           {"note", "\"quoted\", \\n and \\, and ^n ^' <&> ]]> _x0041_ _x005F_"},
           {"note", "END:VCARD"},
           {"note", "BEGIN:VCARD\nEND:VCARD"},
           {"note", "{\"a\": 1}"},
           {"note", "sep=;"},
           {"note", "a;b;c|d|e\tf"},
           {"note", "NULL"},
           {"note", "\"\""},
           {"note", "é"},
           {"note", std::string(30'000, '+')},
           {"note", "👩‍🔬 seal \xf0\x9f\xa6\xad"}}) {
    for (const bool with_uid : {false, true}) {
      EXPECT_THAT(Again({{field, value}}, with_uid), UnorderedElementsAre(Pair(field, value)));
    }
  }
}

TEST_P(ListWriterTest, ApostrophesAndFormulasComeBackAsTheyWere) {
  for (const char* value :
       {"=1+1",      "+1", "-1", "@a", "'=1",      "''=1",      "'''+1",
        "'010-1234", "'",  "''", "'a", "=\"010\"", "'=\"010\"", "＝1",
        "'＋1",      "-",  "=",  "--", "'-'",      "a=1",       "=cmd|'/c calc'!A1"}) {
    EXPECT_THAT(Again({{"note", value}, {"strange", value}}),
                UnorderedElementsAre(Pair("note", value), Pair("strange", value)));
  }
}

TEST_P(ListWriterTest, ConsentsComeBackWordForWord) {
  const std::string one =
      "email_marketing given 2023-04-05T10:11:12Z; \"OPTIN_TIME\" = \"2023-04-05 10:11:12\"; from "
      "\"a, b;.csv\" line 17";
  const std::string two = "sms_marketing not_given; \"SMS\" = \"no \\\\ \\\"\"";
  EXPECT_THAT(
      Again({{"name", "Mina"}, {"consent", one}, {"consent_2", two}}),
      UnorderedElementsAre(Pair("name", "Mina"), Pair("consent", one), Pair("consent_2", two)));
}

TEST_P(ListWriterTest, NumberedAndEqualValuesKeepTheirNames) {
  EXPECT_THAT(Again({{"note", "a"}, {"note_3", "a"}, {"phone_2", "+821012345678"}}),
              UnorderedElementsAre(Pair("note", "a"), Pair("note_3", "a"),
                                   Pair("phone_2", "+821012345678")));
}

TEST_P(ListWriterTest, CustomersAreFoundByTheirIdentifiersAgain) {
  const std::string list = Write(GetParam(), {"phone", "email", "jid", "username"},
                                 {Contact({{"phone", "+821012345678"},
                                           {"email", "mina@example.com"},
                                           {"jid", "123456789@lid"},
                                           {"username", "mina"}})});
  const testing::ReadBackList read = ReadList(list, {});
  ASSERT_THAT(read.identifiers, SizeIs(1));
  using records::IdentifierValue;
  EXPECT_THAT(read.identifiers[0],
              UnorderedElementsAre(IdentifierValue{IdentifierKind::kPhone, "+821012345678"},
                                   IdentifierValue{IdentifierKind::kEmail, "mina@example.com"},
                                   IdentifierValue{IdentifierKind::kJid, "123456789@lid"},
                                   IdentifierValue{IdentifierKind::kUsername, "mina"}));
}

TEST_P(ListWriterTest, UidAndBooksAreLeftOutOnImportAndThatIsTold) {
  const testing::ReadBackList read =
      ReadList(Write(GetParam(), {"uid", "name", "books"}, {Contact({{"name", "Mina"}})}));
  ASSERT_THAT(read.rows, ElementsAre(ElementsAre(Pair("name", "Mina"))));
  EXPECT_THAT(read.remarks, ::testing::Contains(HasSubstr("'uid' and 'books' were left out")));
}

TEST_P(ListWriterTest, FieldsThatAreNotAskedForStayOut) {
  StringSink sink;
  auto writer = ListWriter::Create(GetParam(), {"name"}, sink);
  ASSERT_TRUE(writer.ok()) << writer.status();
  const std::vector<ListedContact> contacts = {
      Contact({{"name", "Mina"}, {"note", "planted-7319"}})};
  ASSERT_TRUE(testing::WriteInBatches(**writer, contacts, 1).ok());
  const std::string& list = sink.text;
  EXPECT_EQ(list.find("planted"), std::string::npos);
  EXPECT_EQ(list.find("2837470195"), std::string::npos);
  EXPECT_EQ(list.find("seoul"), std::string::npos);
}

TEST_P(ListWriterTest, SameContactsInOtherBatchesAreTheSameBytes) {
  std::vector<ListedContact> contacts;
  for (int i = 0; i < 50; ++i) contacts.push_back(Contact({{"name", absl::StrCat("c", i)}}));
  const auto one = testing::WrittenList(GetParam(), {"uid", "name"}, contacts, 1);
  const auto other = testing::WrittenList(GetParam(), {"uid", "name"}, contacts, 50);
  ASSERT_TRUE(one.ok() && other.ok());
  EXPECT_EQ(*one, *other);
}

TEST_P(ListWriterTest, RenderedByManyThreadsItIsTheSameList) {
  std::vector<ListedContact> contacts;
  for (int i = 0; i < 400; ++i) {
    contacts.push_back(Contact({{"name", absl::StrCat("c", i)}, {"note", std::string(i, '=')}}));
  }
  const std::vector<std::string> columns = {"uid", "name", "note"};
  StringSink sink;
  auto writer = ListWriter::Create(GetParam(), columns, sink);
  ASSERT_TRUE(writer.ok()) << writer.status();
  std::vector<absl::StatusOr<RenderedRows>> parts(4);
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      parts[t] = (*writer)->Render(std::span(contacts).subspan(t * 100, 100), t * 100);
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (auto& part : parts) {
    ASSERT_TRUE(part.ok()) << part.status();
    ASSERT_TRUE((*writer)->Append(*std::move(part)).ok());
  }
  ASSERT_TRUE((*writer)->Finish().ok());
  EXPECT_EQ(sink.text, Write(GetParam(), columns, contacts));
}

TEST_P(ListWriterTest, ListWithoutRowsIsAValidFile) {
  const std::string list = Write(GetParam(), {"name", "phone"}, {});
  const auto read = testing::ReadBack(list);
  ASSERT_FALSE(read.ok());
  EXPECT_EQ(read.status().code(), absl::StatusCode::kInvalidArgument);
  if (GetParam() == ListFormat::kCsv || GetParam() == ListFormat::kWorkbook) {
    EXPECT_THAT(read.status().message(), HasSubstr("has no rows below its header"));
  }
}

TEST_P(ListWriterTest, ColumnsThatAreNoneAreRefused) {
  StringSink sink;
  const auto code = [&](std::vector<std::string> columns) {
    return ListWriter::Create(GetParam(), std::move(columns), sink).status().code();
  };
  EXPECT_EQ(code({"Phone 2 (home)"}), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(code({"\x01row"}), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(code({"ignore"}), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(code({"name", "name"}), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(code({"uid", "uid"}), absl::StatusCode::kInvalidArgument);
  std::vector<std::string> many;
  for (std::size_t i = 0; i < ListWriter::kMaxColumns; ++i) many.push_back(absl::StrCat("f", i));
  many[0] = "uid";
  EXPECT_EQ(code(many), absl::StatusCode::kOk);
  many.emplace_back("one_more");
  EXPECT_EQ(code(many), absl::StatusCode::kFailedPrecondition);
}

TEST_P(ListWriterTest, ValueThatIsNoTextIsNamedByTokenAndField) {
  StringSink sink;
  auto writer = ListWriter::Create(GetParam(), {"note"}, sink);
  ASSERT_TRUE(writer.ok());
  for (const std::string& bad : {std::string("planted \xff"), std::string("planted \0", 9)}) {
    const std::vector<ListedContact> contacts = {Contact({{"note", bad}})};
    const absl::Status status = (*writer)->Render(contacts, 0).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(status.message(), HasSubstr("UID_2837470195: its field 'note' is no text"));
    EXPECT_EQ(status.message().find("planted"), absl::string_view::npos);
    EXPECT_NE(HintOf(status), "");
  }
}

class FullSink : public ByteSink {
 public:
  absl::Status Append(ByteView bytes) override {
    left_ -= std::min(left_, bytes.size());
    return left_ > 0 ? absl::OkStatus() : absl::ResourceExhaustedError("the disk is full");
  }

 private:
  std::size_t left_ = 1000;
};

TEST_P(ListWriterTest, FullDiskIsTheErrorItIs) {
  FullSink sink;
  auto writer = ListWriter::Create(GetParam(), {"note"}, sink);
  ASSERT_TRUE(writer.ok());
  std::mt19937 random(1);
  std::string noise;
  while (noise.size() < 20'000) noise += static_cast<char>('a' + random() % 26);
  std::vector<ListedContact> contacts(40, Contact({{"note", noise}}));
  const absl::Status status = testing::WriteInBatches(**writer, contacts, 1);
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted) << status;
}

// Values of letters that some format or spreadsheet gives a meaning to, from seeds.
class Generated {
 public:
  explicit Generated(unsigned seed) : random_(seed) {}
  std::size_t Below(std::size_t end) { return random_() % end; }
  std::string Value(absl::string_view field) {
    if (BaseIs(field, "phone"))
      return testing::ValueFor(field, absl::StrCat("+8210", 1'0000'000 + Below(8'0000'000)));
    static constexpr const char* kPieces[] = {"'",
                                              "=",
                                              "+",
                                              "-",
                                              "@",
                                              "\t",
                                              "\n",
                                              "\"",
                                              ",",
                                              ";",
                                              ":::",
                                              "|",
                                              "\\",
                                              "\\n",
                                              "^",
                                              "_x",
                                              "0041",
                                              "_",
                                              " ",
                                              "<",
                                              "&",
                                              "]]>",
                                              "김",
                                              "씨",
                                              "李",
                                              "é",
                                              "😀",
                                              "a",
                                              "1",
                                              "010-1234-5678",
                                              "(집)",
                                              "/",
                                              "BEGIN:VCARD",
                                              "null",
                                              "x",
                                              ".",
                                              "#",
                                              "%00",
                                              "＝",
                                              "\xc2\xa0",
                                              "\xef\xbf\xbe",
                                              "e\xcc\x81",
                                              "\xe2\x80\x8d",
                                              "{}"};
    std::string text = BaseIs(field, "email") ? "a" : "";
    for (std::size_t n = Below(Below(8) == 0 ? 200 : 9) + 1; n > 0; --n)
      text += kPieces[Below(std::size(kPieces))];
    if (BaseIs(field, "email")) text += "@example.com";
    return testing::ValueFor(field, text);
  }

 private:
  static bool BaseIs(absl::string_view field, absl::string_view base) {
    return field.substr(0, base.size()) == base &&
           (field.size() == base.size() || field[base.size()] == '_') && field != "phone_note";
  }
  std::mt19937 random_;
};

TEST_P(ListWriterTest, GeneratedListsComeBackWithTheSameFields) {
  static constexpr const char* kFields[] = {
      "name",     "phone",           "phone_2",    "email",
      "address",  "address_2",       "tags",       "note",
      "note_2",   "company",         "orders",     "birth_date",
      "consent",  "given_name",      "region",     "zip",
      "title",    "name_note",       "phone_note", "city",
      "피부타입", "recipient_phone", "x1",         "username"};
  for (unsigned seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    Generated generated(seed);
    std::vector<std::string> columns;
    if (seed % 2 == 0) columns.emplace_back(kUidColumn);
    for (const char* field : kFields) {
      if (generated.Below(3) > 0) columns.emplace_back(field);
    }
    std::vector<ListedContact> contacts;
    std::vector<FieldMap> expected;
    for (std::size_t i = 0; i < 1 + generated.Below(300); ++i) {
      ListedContact contact = Contact({{"uncalled_for", "x"}});
      for (const char* field : kFields) {
        std::string value = generated.Below(2) > 0 ? generated.Value(field) : "";
        if (!value.empty()) contact.fields.push_back({field, std::move(value)});
      }
      FieldMap fields = FieldsIn(contact, columns);
      if (!fields.empty()) expected.push_back(std::move(fields));
      contacts.push_back(std::move(contact));
    }
    const testing::ReadBackList read = ReadList(Write(GetParam(), columns, contacts));
    EXPECT_LE(read.rejects.size(), contacts.size() - expected.size())
        << (read.rejects.empty() ? "" : read.rejects[0]);
    ASSERT_EQ(read.rows.size(), expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) ASSERT_EQ(read.rows[i], expected[i]);
  }
}

// People add to an exported list; what they add is read like any other list's.
TEST(ExportedListTest, ColumnThatSomebodyAddedIsReadAsUsual) {
  const testing::ReadBackList read =
      ReadList("uid,name,Mobile\r\nUID_2837470195,김 씨-지성,010-1234-5678 / 010-2222-3333\r\n");
  EXPECT_THAT(read.rows, ElementsAre(UnorderedElementsAre(Pair("name", "김 씨-지성"),
                                                          Pair("phone", "+821012345678"),
                                                          Pair("phone_2", "+821022223333"))));
}

TEST(ExportedListTest, NumberThatSomebodyTypedIsReadAsUsual) {
  const testing::ReadBackList read =
      ReadList("uid,phone,phone_2\r\nUID_2837470195,010-1234-5678 (집),'+821022223333\r\n");
  EXPECT_THAT(read.rows, ElementsAre(UnorderedElementsAre(Pair("phone", "+821012345678"),
                                                          Pair("phone_note", "집"),
                                                          Pair("phone_2", "+821022223333"))));
}

TEST(ExportedListTest, SavedWithSemicolonsItIsStillOurs) {
  const testing::ReadBackList read =
      ReadList("\xef\xbb\xbfuid;name;address_2\r\nUID_2837470195;김 씨-지성;\"a;b\"\r\n");
  EXPECT_THAT(read.rows, ElementsAre(UnorderedElementsAre(Pair("name", "김 씨-지성"),
                                                          Pair("address_2", "a;b"))));
}

TEST(ExportedListTest, UidColumnOfOthersIsAFieldLikeAnyOther) {
  const testing::ReadBackList read = ReadList("uid,name,books\nuser-7,김 씨-지성,Dune\n");
  EXPECT_THAT(read.rows, ElementsAre(UnorderedElementsAre(
                             Pair("uid_2", "user-7"), Pair("name", "김 씨"),
                             Pair("name_note", "지성"), Pair("books_2", "Dune"))));
}

TEST(ExportedListTest, MappingSaysWhatAColumnIsInOursToo) {
  const std::string list = "uid,name,remark\r\nUID_2837470195,Mina,call\r\n";
  EXPECT_THAT(ReadList(list, {.mappings = {"remark=note"}, .region = "KR"}).rows,
              ElementsAre(UnorderedElementsAre(Pair("name", "Mina"), Pair("note", "call"))));
}

TEST(ExportedListTest, ListsOfOthersLoseTheApostropheOfACarefulProgram) {
  const testing::ReadBackList read =
      ReadList("name,phone,note,code\nMina,'+821012345678,'=1+1,'010\nHana,'01022223333,''-x,'a\n");
  EXPECT_THAT(
      read.rows,
      ElementsAre(UnorderedElementsAre(Pair("name", "Mina"), Pair("note", "=1+1"),
                                       Pair("phone", "+821012345678"), Pair("code", "010")),
                  UnorderedElementsAre(Pair("name", "Hana"), Pair("note", "'-x"),
                                       Pair("phone", "+821022223333"), Pair("code", "'a"))));
}

TEST(ExportedListTest, ConsentAsSealbookWritesItIsOneInAnyList) {
  const std::string consent = "marketing given; \"x\" = \"yes\"";
  const testing::ReadBackList read =
      ReadList("name,consent\nMina,\"marketing given; \"\"x\"\" = \"\"yes\"\"\"\n");
  EXPECT_THAT(read.rows,
              ElementsAre(UnorderedElementsAre(Pair("name", "Mina"), Pair("consent", consent))));
}

TEST(ListFormatTest, NamesAreReadAsTheyAreWritten) {
  for (const ListFormat format : kListFormats) EXPECT_EQ(*ParseListFormat(NameOf(format)), format);
  EXPECT_EQ(*ParseListFormat("CSV"), ListFormat::kCsv);
  EXPECT_EQ(ParseListFormat("pdf").status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(EndingOf(ListFormat::kVcard), ".vcf");
}

TEST(RenderedRowsTest, MovedFromHoldsNothing) {
  RenderedRows rows("short");
  RenderedRows taken(std::move(rows));
  EXPECT_EQ(taken.text(), "short");
  EXPECT_EQ(rows.text(), "");  // NOLINT(bugprone-use-after-move): that is what is asked
  rows = RenderedRows("another one that is not short at all");
  EXPECT_EQ(rows.text(), "another one that is not short at all");
}

}  // namespace
}  // namespace sealbook::anonymizer
