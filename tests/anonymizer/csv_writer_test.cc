#include <gmock/gmock.h>

#include "tests/anonymizer/list_writer_fixture.h"

namespace sealbook::anonymizer {
namespace {

std::string Csv(const std::vector<std::string>& columns, const records::Fields& fields) {
  return Write(ListFormat::kCsv, columns, {Contact(fields)});
}

TEST(CsvWriterTest, ListIsUtf8WithAMarkAndAHeader) {
  EXPECT_EQ(
      Csv({"uid", "name", "phone", "books"}, {{"phone", "+821012345678"}, {"name", "김 민아"}}),
      "\xef\xbb\xbfuid,name,phone,books\r\n"
      "UID_2837470195,김 민아,'+821012345678,\"seoul; vip\"\r\n");
}

TEST(CsvWriterTest, ColumnsAreThoseThatAreNamedAndNoOthers) {
  testing::StringSink sink;
  auto writer = ListWriter::Create(ListFormat::kCsv, {"name"}, sink);
  ASSERT_TRUE(writer.ok()) << writer.status();
  const std::vector<ListedContact> contacts = {Contact({{"name", "Mina"}, {"note", "x"}})};
  ASSERT_TRUE(testing::WriteInBatches(**writer, contacts, 1).ok());
  EXPECT_EQ(sink.text, "\xef\xbb\xbfname\r\nMina\r\n");
}

TEST(CsvWriterTest, WhatBeginsAFormulaGetsAnApostrophe) {
  for (const auto& [value, cell] :
       std::vector<std::pair<std::string, std::string>>{{"=1", "'=1"},
                                                        {"+1", "'+1"},
                                                        {"-1", "'-1"},
                                                        {"@a", "'@a"},
                                                        {"\ta", "\"'\ta\""},
                                                        {"\ra", "\"'\ra\""},
                                                        {"\na", "\"'\na\""},
                                                        {"＝1", "'＝1"},
                                                        {"=\"a\"", "\"'=\"\"a\"\"\""},
                                                        {"'=1", "''=1"},
                                                        {"'a", "'a"},
                                                        {"'010", "'010"},
                                                        {"a=1", "a=1"},
                                                        {"a,b", "\"a,b\""},
                                                        {"a;=b", "\"a;=b\""},
                                                        {"a\nb", "\"a\nb\""},
                                                        {"\"", "\"\"\"\""},
                                                        {" a ", "\" a \""}}) {
    EXPECT_EQ(Csv({"uid", "note"}, {{"note", value}}),
              absl::StrCat("\xef\xbb\xbfuid,note\r\nUID_2837470195,", cell, "\r\n"));
  }
}

}  // namespace
}  // namespace sealbook::anonymizer
