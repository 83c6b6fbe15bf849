// The lists of tests/fixtures/lists, read as an import reads them, beside what was written down for
// each by hand (README.md there). Prints a table and a score.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "anonymizer/customer_list.h"
#include "tests/support/temporary_file.h"
#include "tests/support/workbook.h"

namespace sealbook::anonymizer {
namespace {

namespace fs = std::filesystem;
using Lines = std::vector<std::string>;

fs::path Folder() { return fs::path(SEALBOOK_SOURCE_DIR) / "tests/fixtures/lists"; }

std::string OneLine(absl::string_view text) {
  return absl::StrReplaceAll(text, {{"\\", "\\\\"}, {"\r", "\\r"}, {"\n", "\\n"}});
}

std::string Refusal(const fs::path& file, const absl::Status& status) {
  return absl::StrReplaceAll(OneLine(status.message()),
                             {{file.string(), file.filename().string()}});
}

// What stands in an .expected file, of a list as it is read.
Lines Describe(const fs::path& file, const ListOptions& options) {
  auto opened = CustomerList::Open(file.string(), options);
  if (!opened.ok()) return {absl::StrCat("refused: ", Refusal(file, opened.status()))};
  CustomerList& list = **opened;
  Lines rows;
  CustomerRow row;
  absl::Status end;
  for (;;) {
    const auto more = list.Next(row);
    if (!more.ok()) end = more.status();
    if (!more.ok() || !*more) break;
    std::sort(row.fields.begin(), row.fields.end(),
              [](const auto& a, const auto& b) { return a.name < b.name; });
    if (row.reject.empty()) {
      rows.push_back(absl::StrCat(
          row.line, " | ",
          absl::StrJoin(row.fields, " | ", [](std::string* out, const records::Field& field) {
            absl::StrAppend(out, field.name, "=", OneLine(field.value));
          })));
    } else {
      rows.push_back(absl::StrCat(row.line, " ! ", OneLine(row.reject)));
    }
    const bool found_again = row.identifiers.empty() == !row.reject.empty();
    if (!found_again) rows.push_back(absl::StrCat(row.line, " has the wrong identifiers"));
  }
  Lines lines = {absl::StrCat("format: ", NameOf(list.format()))};
  if (list.encoding()) lines.push_back(absl::StrCat("encoding: ", NameOf(*list.encoding())));
  if (list.delimiter() == '\t')
    lines.push_back("delimiter: tab");
  else if (list.delimiter() != '\0')
    lines.push_back(absl::StrCat("delimiter: ", std::string(1, list.delimiter())));
  lines.push_back(list.header_line() == 0 ? "header: none"
                                          : absl::StrCat("header: line ", list.header_line()));
  for (const Column& column : list.columns()) {
    std::string more;
    if (!column.group.empty()) absl::StrAppend(&more, " of ", column.group);
    if (column.country_coded) absl::StrAppend(&more, " with country code");
    lines.push_back(
        absl::StrCat("column: ", OneLine(column.name), " -> ", FieldWritten(column), more));
  }
  for (const std::string& remark : list.remarks())
    lines.push_back(absl::StrCat("remark: ", OneLine(remark)));
  if (list.notes_in_names() > 0)
    lines.push_back(absl::StrCat("notes in names: ", list.notes_in_names()));
  lines.insert(lines.end(), rows.begin(), rows.end());
  if (!end.ok()) lines.push_back(absl::StrCat("broken off: ", Refusal(file, end)));
  return lines;
}

struct Expected {
  ListOptions options;
  Lines lines;
};

// The first line names the region; remarks after '#' are for people.
Expected ReadExpected(const fs::path& path) {
  std::ifstream in(path);
  Expected expected;
  bool has_region = false;
  for (std::string line; std::getline(in, line);) {
    absl::string_view text = line;
    if (absl::StripAsciiWhitespace(text).empty() || absl::StartsWith(text, "#")) continue;
    if (!has_region) {
      has_region = absl::ConsumePrefix(&text, "region: ");
      EXPECT_TRUE(has_region) << path << " does not begin with its region";
      expected.options.region = text == "none" ? std::string() : std::string(text);
      if (!has_region) return expected;
    } else if (absl::ConsumePrefix(&text, "map: ")) {
      expected.options.mappings.emplace_back(text);
    } else {
      expected.lines.push_back(line);
    }
  }
  EXPECT_FALSE(expected.lines.empty()) << path << " says nothing";
  return expected;
}

class Score {
 public:
  void Compare(const std::string& name, const Lines& expected, const Lines& read) {
    ++tried_;
    const bool same = expected == read;
    right_ += same ? 1 : 0;
    std::printf("%-32s %s\n", name.c_str(), same ? "ok" : "differs");
    if (same) return;
    // The customers of the fixtures are invented, so that what differs may be shown.
    std::string difference;
    for (const std::string& line : expected) {
      if (std::find(read.begin(), read.end(), line) == read.end())
        absl::StrAppend(&difference, "  expected  ", line, "\n");
    }
    for (const std::string& line : read) {
      if (std::find(expected.begin(), expected.end(), line) == expected.end())
        absl::StrAppend(&difference, "  read      ", line, "\n");
    }
    ADD_FAILURE() << name << " differs\n" << (difference.empty() ? "  in its order\n" : difference);
  }
  void Print() const { std::printf("fixtures: %d of %d read right\n", right_, tried_); }
  int tried() const { return tried_; }

 private:
  int tried_ = 0, right_ = 0;
};

// A workbook whose sheet unpacks to far more than its file could be made of.
std::string ZipBomb() {
  const std::string spaces(256 << 20, ' ');
  return testing::WriteWorkbook({.sheets = {{.rows = spaces}}});
}

TEST(FixturesTest, EachListIsReadAsItsExpectationSays) {
  std::vector<fs::path> lists;
  for (const fs::directory_entry& entry : fs::directory_iterator(Folder())) {
    const std::string name = entry.path().filename().string();
    if (!absl::EndsWith(name, ".expected") && !absl::EndsWith(name, ".py") &&
        !absl::EndsWith(name, ".md") && entry.is_regular_file())
      lists.push_back(entry.path());
  }
  std::sort(lists.begin(), lists.end());
  Score score;
  for (const fs::path& list : lists) {
    const Expected expected = ReadExpected(list.string() + ".expected");
    score.Compare(list.filename().string(), expected.lines, Describe(list, expected.options));
  }
  const testing::TemporaryFile bomb(ZipBomb());
  const Lines read = Describe(bomb.path(), {});
  score.Compare(
      "(a zip bomb, made here)",
      {absl::StrCat("refused: ", fs::path(bomb.path()).filename().string(),
                    " cannot be read: sheet 1 unpacks to far more than a list could hold")},
      read);
  score.Print();
  EXPECT_GT(score.tried(), 40);
}

// An expectation without its list would be looked at by nobody.
TEST(FixturesTest, EachExpectationHasItsList) {
  for (const fs::directory_entry& entry : fs::directory_iterator(Folder())) {
    const std::string name = entry.path().string();
    if (absl::EndsWith(name, ".expected")) {
      EXPECT_TRUE(fs::exists(std::string(absl::StripSuffix(name, ".expected")))) << name;
    }
  }
}

}  // namespace
}  // namespace sealbook::anonymizer
