#include "anonymizer/workbook_writer.h"

#include <gmock/gmock.h>

#include <random>

#include "tests/anonymizer/list_writer_fixture.h"
#include "vault/status.h"

namespace sealbook::anonymizer {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::SizeIs;
using testing::StringSink;

std::vector<ListedContact> Numbered(int count) {
  std::vector<ListedContact> contacts;
  for (int i = 0; i < count; ++i) contacts.push_back(Contact({{"note", absl::StrCat("c", i)}}));
  return contacts;
}

std::vector<ListedContact> Noisy(int count) {
  std::vector<ListedContact> contacts;
  std::mt19937 random(1);
  for (int i = 0; i < count; ++i) {
    std::string noise;
    while (noise.size() < 30'000) noise += static_cast<char>('a' + random() % 26);
    contacts.push_back(Contact({{"note", noise}}));
  }
  return contacts;
}

absl::StatusOr<std::string> Workbook(const std::vector<ListedContact>& contacts,
                                     const WorkbookWriterLimits& limits, std::size_t batch) {
  StringSink sink;
  auto writer = MakeWorkbookWriter({"uid", "note"}, sink, limits);
  if (!writer.ok()) return writer.status();
  const absl::Status status = testing::WriteInBatches(**writer, contacts, batch);
  if (!status.ok()) return status;
  return sink.text;
}

TEST(WorkbookWriterTest, LongListGoesOnInFurtherSheetsAndComesBackWhole) {
  for (const int count : {9, 10, 11, 35}) {
    for (const std::size_t batch : {1u, 7u, 100u}) {
      const auto book = Workbook(Numbered(count), {.sheet_rows = 10}, batch);
      ASSERT_TRUE(book.ok()) << book.status();
      const testing::ReadBackList read = ReadList(*book);
      EXPECT_THAT(read.rejects, IsEmpty());
      ASSERT_THAT(read.rows, SizeIs(count));
      for (int i = 0; i < count; ++i)
        EXPECT_THAT(read.rows[i], ElementsAre(Pair("note", absl::StrCat("c", i))));
      if (count == 35) {
        EXPECT_THAT(read.remarks,
                    Contains(HasSubstr("sheets 2, 3 and 4 go on with the same list")));
        // A sheet and a row in it from one number.
        EXPECT_EQ(read.lines[10], 1'048'576 + 2);
        EXPECT_EQ(read.lines[30], 3 * 1'048'576 + 2);
      }
    }
  }
}

TEST(WorkbookWriterTest, CellBeyondTheLimitIsNamedByTokenAndField) {
  StringSink sink;
  auto writer = ListWriter::Create(ListFormat::kWorkbook, {"note"}, sink);
  ASSERT_TRUE(writer.ok());
  std::string fits;
  for (int i = 0; i < 16'383; ++i) fits += "😀";  // two units each
  fits += "a";
  const std::vector<ListedContact> good = {Contact({{"note", fits}})};
  EXPECT_TRUE((*writer)->Render(good, 0).ok());
  const std::vector<ListedContact> bad = {Contact({{"note", fits + "b"}})};
  const absl::Status status = (*writer)->Render(bad, 0).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(status.message(),
              AllOf(HasSubstr("UID_2837470195"), HasSubstr("'note'"), HasSubstr("32,767")));
}

TEST(WorkbookWriterTest, ListThatIsTooLargeIsRefusedWithAWayOut) {
  for (const WorkbookWriterLimits& limits :
       {WorkbookWriterLimits{.sheet_bytes = 2000}, WorkbookWriterLimits{.file_bytes = 2000}}) {
    // Packed, and only given to the sink in blocks of 64 KiB.
    const absl::Status status = Workbook(Noisy(20), limits, 1).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_THAT(HintOf(status), HasSubstr("CSV"));
  }
}

TEST(WorkbookWriterTest, FileSaysNothingOfTheMachine) {
  const auto book = Workbook(Numbered(3), {}, 10);
  ASSERT_TRUE(book.ok());
  // MS-DOS date of the first part: 1980-01-01 00:00, since none is set.
  EXPECT_EQ(book->substr(0, 4), "PK\x03\x04");
  EXPECT_EQ(book->substr(10, 4), absl::string_view("\x00\x00\x21\x00", 4));
  EXPECT_EQ(book->substr(30, 11), "_rels/.rels");
}

}  // namespace
}  // namespace sealbook::anonymizer
