#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/anonymizer/table_fixture.h"
#include "tests/support/encodings.h"

namespace sealbook::anonymizer {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

Table Read(absl::string_view bytes, TableOptions options = {}) {
  auto table = ReadTable(bytes, options);
  EXPECT_TRUE(table.ok()) << table.status();
  return table.ok() ? *std::move(table) : Table();
}

// The cell of one line {"v": …}, or its fault after "!".
std::string CellOf(absl::string_view value) {
  const Table table = Read(absl::StrCat("{\"v\": ", value, "}\n"));
  if (!table.faults.empty()) return absl::StrCat("!", table.faults[0].substr(2));
  return table.rows.empty() || table.rows[0].empty() ? "nothing" : table.rows[0][0];
}

TEST(JsonLinesReaderTest, ObjectsBecomeRowsAndKeysBecomeColumns) {
  const Table table = Read(
      "{\"name\":\"가을\",\"phone\":\"+821012345678\"}\r\n\r\n{\"phone\":\"1\",\"note\":\"x\"}\n");
  EXPECT_EQ(table.format, TableFormat::kJsonLines);
  EXPECT_EQ(table.header_line, 0);
  EXPECT_THAT(table.columns, ElementsAre("name", "phone", "note"));
  EXPECT_THAT(table.rows,
              ElementsAre(ElementsAre("가을", "+821012345678", ""), ElementsAre("", "1", "x")));
  EXPECT_THAT(table.lines, ElementsAre(1, 3));
}

TEST(JsonLinesReaderTest, EncodingsGiveTheSameRows) {
  for (const Encoding encoding : {Encoding::kUtf8, Encoding::kUtf16Le, Encoding::kUtf16Be}) {
    for (const bool mark : {true, false}) {
      const Table table = Read(
          testing::Encode("{\"name\":\"가을😀\"}\n{\"name\":\"\\ud83d\\ude00\"}\n", encoding, mark));
      EXPECT_THAT(table.rows, ElementsAre(ElementsAre("가을😀"), ElementsAre("😀")));
    }
  }
}

TEST(JsonLinesReaderTest, NumbersKeepTheDigitsThatWereWritten) {
  for (const absl::string_view number :
       {"1.38E+10", "3.108207129E9", "13812345678.0", "821012345678", "-5", "18446744073709551615",
        "18446744073709551616", "123456789012345678901234567890", "0.10"}) {
    EXPECT_EQ(CellOf(number), number);
  }
}

TEST(JsonLinesReaderTest, NumberBeyondEveryRangeIsAFault) {
  EXPECT_EQ(CellOf("1e400").front(), '!');
}

TEST(JsonLinesReaderTest, OtherValuesAreText) {
  EXPECT_EQ(CellOf("true"), "true");
  EXPECT_EQ(CellOf("false"), "false");
  EXPECT_EQ(CellOf("null"), "");
  EXPECT_EQ(CellOf("\"a\\n\\u00e9\""), "a\né");
}

TEST(JsonLinesReaderTest, ListsOfValuesAreOneCell) {
  EXPECT_EQ(CellOf("[\"+821012345678\", \"+821023456789\"]"), "+821012345678; +821023456789");
  EXPECT_EQ(CellOf("[1, null, \"\", true]"), "1; true");
  EXPECT_EQ(CellOf("[]"), "");
}

TEST(JsonLinesReaderTest, WhatIsNotFlatIsAFault) {
  EXPECT_THAT(CellOf("{\"x\": 1}"), HasSubstr("!holds an object inside an object"));
  EXPECT_THAT(CellOf("[{\"x\": 1}]"), HasSubstr("!holds an object inside an object"));
  EXPECT_THAT(CellOf("[[1]]"), HasSubstr("!holds a list inside a list"));
}

TEST(JsonLinesReaderTest, BadLinesAreNamedAndTheOthersStay) {
  const Table table = Read(
      "{\"a\":1}\n"
      "{\"a\":2\n"  // cut
      "[1]\n"       // no object
      "\"text\"\n"
      "7\n"
      "{\"a\":3} {\"a\":4}\n"  // two a line
      "{\"a\":1,\"a\":2}\n"    // twice
      "{\"a\":\"\\ud800\"}\n"  // half a character
      "{a:1}\n"
      "{\"a\":01}\n"
      "{\"a\":5}\n");
  EXPECT_THAT(table.rows, ElementsAre(ElementsAre("1"), ElementsAre("5")));
  EXPECT_THAT(table.faults,
              ElementsAre("2 is no JSON", "3 is no object", "4 is no object", "5 is no object",
                          "6 is no JSON", "7 names the same key twice", "8 is no JSON",
                          "9 is no JSON", "10 is no JSON"));
  EXPECT_THAT(table.columns, ElementsAre("a"));
}

TEST(JsonLinesReaderTest, DepthCostsNothing) {
  const std::string bomb(1'000'000, '[');
  std::string objects;
  for (int i = 0; i < 150'000; ++i) objects += "{\"a\":";
  const Table table =
      Read(absl::StrCat("{\"a\":1}\n{\"a\":", bomb, "\n", bomb, "\n", objects, "\n{\"a\":2}\n"));
  EXPECT_THAT(table.rows, SizeIs(2));
  EXPECT_THAT(table.faults, SizeIs(3));
}

TEST(JsonLinesReaderTest, TooManyKeysInALineOrInTheFileAreFaults) {
  std::string wide = "{";
  for (int i = 0; i < 1001; ++i) absl::StrAppend(&wide, i > 0 ? "," : "", "\"k", i, "\":1");
  wide += "}\n";
  EXPECT_THAT(Read(absl::StrCat("{\"a\":1}\n", wide)).faults, ElementsAre("2 has too many keys"));

  std::string text;
  for (int i = 0; i < 1100; ++i) absl::StrAppend(&text, "{\"k", i, "\":1}\n");
  const Table table = Read(text);
  EXPECT_THAT(table.rows, SizeIs(1000));
  EXPECT_THAT(table.columns, SizeIs(1000));
  ASSERT_THAT(table.faults, SizeIs(100));
  EXPECT_EQ(table.faults[0], "1001 brings the file to more than 1000 different keys");
}

TEST(JsonLinesReaderTest, HugeKeyAndHugeValueAreFaults) {
  const Table table =
      Read(absl::StrCat("{\"a\":1}\n{\"", std::string(1025, 'k'), "\":1}\n{\"a\":\"",
                        std::string(TableReader::kMaxCellBytes + 1, 'v'), "\"}\n"));
  EXPECT_THAT(table.faults,
              ElementsAre("2 has a key longer than 1 KiB", "3 has a value longer than 64 KiB"));
  EXPECT_THAT(table.columns, ElementsAre("a"));
}

TEST(JsonLinesReaderTest, EmptyObjectIsARowOfNothing) {
  const Table table = Read("{\"a\":1}\n{}\n");
  EXPECT_THAT(table.rows, ElementsAre(ElementsAre("1"), ElementsAre("")));
  EXPECT_THAT(table.faults, IsEmpty());
}

TEST(JsonLinesReaderTest, EachRowKeepsItsLine) {
  const auto table =
      ReadTable("{\"name\": \"a\"}\n{\"name\": {}}\n{\"name\": \"b\xff\"}\nno json\n",
                {.encoding = Encoding::kUtf8});
  ASSERT_TRUE(table.ok()) << table.status();
  EXPECT_EQ(table->raws, (std::vector<std::string>{"{\"name\": \"a\"}", "{\"name\": {}}",
                                                   "{\"name\": \"b\\xFF\"}", "no json"}));
}

}  // namespace
}  // namespace sealbook::anonymizer
