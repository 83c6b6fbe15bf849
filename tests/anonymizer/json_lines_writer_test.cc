#include <gmock/gmock.h>

#include "tests/anonymizer/list_writer_fixture.h"

namespace sealbook::anonymizer {
namespace {

TEST(JsonLinesWriterTest, LineHasTheKeysThatTheContactHasInTheOrderOfTheColumns) {
  EXPECT_EQ(Write(ListFormat::kJsonLines, {"uid", "phone", "name", "note", "books"},
                  {Contact({{"name", "김"}, {"phone", "+821012345678"}}), Contact({})}),
            "{\"uid\":\"UID_2837470195\",\"phone\":\"+821012345678\",\"name\":\"김\","
            "\"books\":\"seoul; vip\"}\n"
            "{\"uid\":\"UID_2837470195\",\"books\":\"seoul; vip\"}\n");
}

TEST(JsonLinesWriterTest, NothingButJsonIsEscaped) {
  EXPECT_EQ(
      Write(ListFormat::kJsonLines, {"note"}, {Contact({{"note", "=\"a\"\\\n\t\x01\x7f/é"}})}),
      "{\"uid\":\"UID_2837470195\",\"note\":\"=\\\"a\\\"\\\\\\n\\t\\u0001\\u007f/é\"}\n");
}

}  // namespace
}  // namespace sealbook::anonymizer
