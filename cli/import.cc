#include "anonymizer/import.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/time/clock.h"
#include "cli/commands.h"
#include "vault/status.h"

namespace sealbook::cli {
namespace {

using anonymizer::Reject;

// The rows that were rejected, as CSV with two columns in front, so that they can be mended and
// imported again. For its owner alone: it holds what the list held.
class RejectsFile {
 public:
  static absl::StatusOr<std::unique_ptr<RejectsFile>> Create(
      const std::string& path, const std::vector<std::string>& inputs) {
    struct stat target {
    }, input{};
    if (stat(path.c_str(), &target) == 0) {
      for (const std::string& name : inputs) {
        if (stat(name.c_str(), &input) == 0 && input.st_ino == target.st_ino &&
            input.st_dev == target.st_dev) {
          return Usage("--rejects names the list itself", "Name another file.");
        }
      }
    }
    const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0 || fchmod(fd, 0600) != 0) {
      if (fd >= 0) close(fd);
      return Usage(absl::StrCat("cannot write ", path),
                   "Name a file in a folder that you may write to.");
    }
    return std::unique_ptr<RejectsFile>(new RejectsFile(fdopen(fd, "w"), path));
  }
  ~RejectsFile() {
    if (file_ != nullptr) std::fclose(file_);
  }
  absl::Status StartList(const anonymizer::CustomerList& list) {
    std::vector<std::string> names = {"sealbook_line", "sealbook_reason"};
    for (const anonymizer::Column& column : list.columns()) names.push_back(column.name);
    return Write(names);
  }
  absl::Status Add(const Reject& reject, const std::vector<std::string>& cells) {
    std::vector<std::string> row = {absl::StrCat(reject.line), reject.reason};
    row.insert(row.end(), cells.begin(), cells.end());
    return Write(row);
  }
  absl::Status Close() {
    const bool written = std::fflush(file_) == 0 && fsync(fileno(file_)) == 0;
    std::fclose(std::exchange(file_, nullptr));
    return written ? absl::OkStatus() : absl::InternalError(absl::StrCat("cannot write ", path_));
  }

 private:
  RejectsFile(std::FILE* file, std::string path) : file_(file), path_(std::move(path)) {}
  absl::Status Write(const std::vector<std::string>& cells) {
    const std::string line =
        absl::StrJoin(cells, ",", [](std::string* out, const std::string& cell) {
          absl::StrAppend(out, "\"", absl::StrReplaceAll(cell, {{"\"", "\"\""}}), "\"");
        });
    if (std::fprintf(file_, "%s\r\n", line.c_str()) < 0)
      return absl::InternalError(absl::StrCat("cannot write ", path_));
    return absl::OkStatus();
  }
  std::FILE* file_;
  std::string path_;
};

struct Request {
  anonymizer::ListOptions list;
  anonymizer::ImportOptions import;
  std::vector<std::string> files;
  std::string book;
  bool dry_run = false, strict = false;
};

absl::StatusOr<Request> Parse(Context& context, const Arguments& arguments) {
  Request request{.files = arguments.positional(), .book = arguments.Value("book")};
  if (arguments.Has("format")) {
    auto format = anonymizer::ParseTableFormat(arguments.Value("format"));
    if (!format.ok()) return Usage(format.status().message(), HintOf(format.status()));
    request.list.format = *format;
  }
  if (arguments.Has("encoding")) {
    auto encoding = anonymizer::ParseEncoding(arguments.Value("encoding"));
    if (!encoding.ok()) return Usage(encoding.status().message(), HintOf(encoding.status()));
    request.list.encoding = *encoding;
  }
  if (arguments.Has("delimiter")) {
    std::string delimiter = arguments.Value("delimiter");
    if (delimiter == "tab" || delimiter == "\\t") delimiter = "\t";
    if (delimiter.size() != 1)
      return Usage("a delimiter is one character",
                   "For example --delimiter ';' or --delimiter tab.");
    request.list.delimiter = delimiter[0];
  }
  request.list.mappings = arguments.List("map");
  const std::string duplicate =
      arguments.Has("on-duplicate") ? arguments.Value("on-duplicate") : "skip";
  if (duplicate == "replace") {
    request.import.on_duplicate = records::OnDuplicate::kReplace;
  } else if (duplicate == "merge") {
    request.import.on_duplicate = records::OnDuplicate::kMerge;
  } else if (duplicate != "skip") {
    return Usage("--on-duplicate is skip, merge or replace",
                 "'skip' leaves known customers as they are, 'merge' fills what is empty and adds "
                 "identifiers, 'replace' writes them anew.");
  }
  request.dry_run = arguments.Has("dry-run");
  request.strict = arguments.Has("strict");
  RETURN_IF_ERROR(context.Unlock());
  RETURN_IF_ERROR(context.Require(policies::Action::kImport));
  request.list.region =
      arguments.Has("region") ? arguments.Value("region") : context.policy().region();
  std::transform(
      request.list.region.begin(), request.list.region.end(), request.list.region.begin(),
      [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
  if (!request.book.empty()) {
    RETURN_IF_ERROR(context.Require(policies::Action::kAssign));
    const keyring::Book* book = context.keyring().roster().FindBook(request.book);
    if (book == nullptr) {
      return WithHint(
          absl::NotFoundError(absl::StrCat("there is no book named ", Printable(request.book))),
          "'sealbook book list' shows the books; 'sealbook book add' makes one.");
    }
    request.import.books.push_back(book->id);
  }
  request.import.interrupted = &Interrupted;
  return request;
}

Json ColumnsOf(const policies::Policy& policy, const anonymizer::CustomerList& list) {
  Json columns = Json::array();
  for (const anonymizer::Column& column : list.columns()) {
    if (column.field == anonymizer::kIgnored) continue;
    columns.push_back({{"column", column.name},
                       {"field", column.field},
                       {"class", policy.ClassOfField(column.field).name}});
  }
  return columns;
}

Json ToJson(const std::vector<Reject>& rejects) {
  Json out = Json::array();
  for (const Reject& reject : rejects)
    out.push_back({{"line", reject.line}, {"reason", reject.reason}});
  return out;
}

void PrintFindings(Context& context, const std::string& file,
                   const anonymizer::CustomerList& list) {
  std::string found = absl::StrCat(file, ": ", anonymizer::NameOf(list.format()));
  if (list.encoding()) absl::StrAppend(&found, ", ", anonymizer::NameOf(*list.encoding()));
  if (list.delimiter() == '\t')
    absl::StrAppend(&found, ", tabs between cells");
  else if (list.delimiter() != '\0')
    absl::StrAppend(&found, ", '", std::string(1, list.delimiter()), "' between cells");
  if (list.format() != anonymizer::TableFormat::kJsonLines && list.header_line() == 0)
    absl::StrAppend(&found, ", no header");
  PrintLine(Printable(found));
  std::vector<std::vector<std::string>> rows;
  int position = 0;
  for (const anonymizer::Column& column : list.columns()) {
    ++position;
    const char* by = column.by == anonymizer::RecognizedBy::kName      ? "by its name"
                     : column.by == anonymizer::RecognizedBy::kContent ? "by what stands in it"
                     : column.by == anonymizer::RecognizedBy::kMapping ? "as told"
                                                                       : "not recognised";
    const bool ignored = column.field == anonymizer::kIgnored;
    rows.push_back({absl::StrCat(position), Printable(column.name),
                    ignored ? "(left out)" : Printable(column.field),
                    ignored ? "" : context.policy().ClassOfField(column.field).name, by});
  }
  PrintTable({"#", "COLUMN", "FIELD", "CLASS", "RECOGNISED"}, rows);
}

void PrintRejects(const std::string& file, std::int64_t count, const std::vector<Reject>& rejects) {
  constexpr std::size_t kShown = 10;
  for (std::size_t i = 0; i < std::min(rejects.size(), kShown); ++i) {
    PrintLine(
        Printable(absl::StrCat("  ", file, " line ", rejects[i].line, ": ", rejects[i].reason)));
  }
  if (count > static_cast<std::int64_t>(kShown)) {
    PrintLine(absl::StrCat("  and ", count - static_cast<std::int64_t>(kShown),
                           " more (--rejects F writes them all to a file)"));
  }
}

absl::Status Strict(Context& context, const Request& request) {
  for (const std::string& file : request.files) {
    ASSIGN_OR_RETURN(auto list, anonymizer::CustomerList::Open(file, request.list));
    anonymizer::CheckReport report;
    RETURN_IF_ERROR(
        anonymizer::Check(context.keyring(), context.policy(), *list, request.import, report));
    if (report.rejected == 0) continue;
    return WithHint(
        absl::InvalidArgumentError(absl::StrCat(
            file, " line ", report.rejects[0].line, ": ", report.rejects[0].reason,
            report.rejected > 1 ? absl::StrCat(" (and ", report.rejected - 1, " more bad rows)")
                                : "",
            "; nothing was written")),
        "Correct the rows, or leave --strict out to import the good ones.");
  }
  return absl::OkStatus();
}

absl::Status DryRun(Context& context, const Request& request) {
  Json json = {{"rows", 0},
               {"imported", 0},
               {"updated", 0},
               {"duplicates", 0},
               {"unassigned", 0},
               {"rejected", 0},
               {"rejects", Json::array()},
               {"columns", Json::array()},
               {"preview", Json::array()},
               {"dry_run", true}};
  const absl::Time start = absl::Now();
  std::int64_t rows = 0, rejected = 0, known = 0;
  for (const std::string& file : request.files) {
    ASSIGN_OR_RETURN(auto list, anonymizer::CustomerList::Open(file, request.list));
    anonymizer::CheckReport report;
    Progress progress(context.globals(), "look through");
    anonymizer::ImportOptions options = request.import;
    options.progress = [&](std::int64_t done, std::uint64_t bytes, std::uint64_t total) {
      progress.Update(done, bytes, total);
    };
    RETURN_IF_ERROR(anonymizer::Check(context.keyring(), context.policy(), *list, options, report));
    progress.Finish();
    rows += report.rows;
    rejected += report.rejected;
    known += report.known;
    if (context.globals().json) {
      for (auto& column : ColumnsOf(context.policy(), *list)) json["columns"].push_back(column);
      for (auto& reject : ToJson(report.rejects)) {
        if (json["rejects"].size() < anonymizer::ImportReport::kMaxListed)
          json["rejects"].push_back(reject);
      }
      for (const records::Fields& fields : report.first) {
        Json row = Json::object();
        for (const records::Field& field : fields) row[field.name] = field.value;
        json["preview"].push_back(std::move(row));
      }
      continue;
    }
    PrintFindings(context, file, *list);
    PrintLine("\nThe first rows, masked:");
    for (const records::Fields& fields : report.first) {
      PrintLine(Printable(absl::StrCat(
          "  ", absl::StrJoin(fields, "  ", [](std::string* out, const records::Field& field) {
            absl::StrAppend(out, field.name, "=", field.value);
          }))));
    }
    PrintLine(absl::StrCat("\n", report.rows, " rows, ", report.known, " in the vault already, ",
                           report.rejected, " bad."));
    PrintRejects(file, report.rejected, report.rejects);
  }
  json["rows"] = rows;
  json["rejected"] = rejected;
  json["duplicates"] = known;
  json["seconds"] = absl::ToDoubleSeconds(absl::Now() - start);
  if (context.globals().json)
    PrintJson(json);
  else
    PrintLine("Nothing was written. '--map COLUMN=FIELD' corrects what was not recognised.");
  return context.Record({.act = "import.dry_run", .detail = Json{{"rows", rows}}.dump()});
}

struct Totals {
  anonymizer::ImportReport sum;
  Json columns = Json::array(), rejects = Json::array(), other_names = Json::array();

  void Add(const anonymizer::ImportReport& report) {
    sum.rows += report.rows, sum.imported += report.imported, sum.updated += report.updated;
    sum.duplicates += report.duplicates, sum.unassigned += report.unassigned,
        sum.rejected += report.rejected;
    sum.assigned += report.assigned, sum.other_names += report.other_names,
        sum.damaged += report.damaged;
    sum.notes_left += report.notes_left, sum.consents_unread += report.consents_unread;
    for (auto& reject : ToJson(report.rejects)) {
      if (rejects.size() < anonymizer::ImportReport::kMaxListed) rejects.push_back(reject);
    }
    for (const std::int64_t line : report.other_name_lines) {
      if (other_names.size() < anonymizer::ImportReport::kMaxListed) other_names.push_back(line);
    }
  }
};

void PrintReport(const Request& request, const std::string& file,
                 const anonymizer::ImportReport& report) {
  std::string line = absl::StrCat(file, ": ", report.rows, report.rows == 1 ? " row, " : " rows, ",
                                  report.imported, " imported");
  const bool merged = request.import.on_duplicate == records::OnDuplicate::kMerge;
  if (report.updated > 0)
    absl::StrAppend(&line, ", ", report.updated, merged ? " merged" : " replaced");
  if (report.duplicates > 0) absl::StrAppend(&line, ", ", report.duplicates, " known already");
  if (report.rejected > 0) absl::StrAppend(&line, ", ", report.rejected, " rejected");
  PrintLine(Printable(absl::StrCat(line, ".")));
  PrintRejects(file, report.rejected, report.rejects);
  if (report.assigned > 0)
    PrintLine(Printable(absl::StrCat("  ", report.assigned, " known customers were assigned to ",
                                     request.book, " as well.")));
  if (report.unassigned > 0) {
    PrintLine(Printable(absl::StrCat(
        "  ", report.unassigned, " known customers are not in ", request.book,
        ": this account may not read them. An admin can run 'sealbook book assign'.")));
  }
  if (report.other_names > 0) {
    PrintLine(absl::StrCat("  ", report.other_names, " known with another name, in line ",
                           absl::StrJoin(report.other_name_lines, ", "),
                           "; the name in the vault was kept."));
  }
  if (report.notes_left > 0) {
    PrintLine(absl::StrCat(
        "  ", report.notes_left,
        " notes and consents of known customers were not stored, since this account may not read "
        "what is there. A member who reads can import the list with '--on-duplicate merge'."));
  }
  if (report.consents_unread > 0) {
    PrintLine(absl::StrCat(
        "  ", report.consents_unread,
        " known customers were written anew by an account that may not read them: what the vault "
        "knew of their consent is replaced by what the list says. A member who reads keeps it."));
  }
}

absl::Status Run(Context& context, const Arguments& arguments) {
  ASSIGN_OR_RETURN(Request request, Parse(context, arguments));
  CatchInterrupts();
  if (request.dry_run) return DryRun(context, request);
  if (request.strict) RETURN_IF_ERROR(Strict(context, request));
  std::unique_ptr<RejectsFile> rejects;
  if (arguments.Has("rejects")) {
    ASSIGN_OR_RETURN(rejects, RejectsFile::Create(arguments.Value("rejects"), request.files));
  }
  const absl::Time start = absl::Now();
  Totals totals;
  absl::Status status;
  for (const std::string& file : request.files) {
    auto list = anonymizer::CustomerList::Open(file, request.list);
    if (!list.ok()) {
      status = list.status();
      break;
    }
    if (rejects) {
      RETURN_IF_ERROR(rejects->StartList(**list));
      request.import.on_reject = [&](const Reject& reject, const std::vector<std::string>& cells) {
        return rejects->Add(reject, cells);
      };
    }
    Progress progress(context.globals(), "import");
    request.import.progress = [&](std::int64_t rows, std::uint64_t bytes, std::uint64_t total) {
      progress.Update(rows, bytes, total);
    };
    anonymizer::ImportReport report;
    status =
        anonymizer::Import(context.keyring(), context.policy(), **list, request.import, report);
    progress.Finish();
    totals.Add(report);
    for (auto& column : ColumnsOf(context.policy(), **list)) totals.columns.push_back(column);
    // What was stored before an interruption is told as well.
    if (!context.globals().json && report.rows > 0) PrintReport(request, file, report);
    if (!status.ok()) break;
    if (report.damaged > 0) {
      status = WithHint(
          absl::DataLossError(absl::StrCat(
              report.damaged,
              " rows are of customers whose record in the vault does not count, first in line ",
              report.damaged_lines.front(), "; they were left alone")),
          "Run 'sealbook doctor'.");
    }
  }
  if (rejects) RETURN_IF_ERROR(rejects->Close());
  RETURN_IF_ERROR(status);
  if (context.globals().json) {
    const anonymizer::ImportReport& sum = totals.sum;
    PrintJson({{"rows", sum.rows},
               {"imported", sum.imported},
               {"updated", sum.updated},
               {"duplicates", sum.duplicates},
               {"assigned", sum.assigned},
               {"unassigned", sum.unassigned},
               {"rejected", sum.rejected},
               {"rejects", totals.rejects},
               {"other_names", sum.other_names},
               {"other_name_lines", totals.other_names},
               {"notes_left", sum.notes_left},
               {"consents_unread", sum.consents_unread},
               {"columns", totals.columns},
               {"seconds", absl::ToDoubleSeconds(absl::Now() - start)}});
  }
  return absl::OkStatus();
}

}  // namespace

Command ImportCommand() {
  return {
      .name = "import",
      .arguments = "FILE… [--book BOOK] [--dry-run] [--map COLUMN=FIELD]…",
      .summary = "a customer list: CSV, TSV or JSON Lines",
      .options = {{"book", Option::Kind::kValue, "BOOK", "assigns the customers to this book"},
                  {"dry-run", Option::Kind::kFlag, "",
                   "shows what was found, masked, and writes nothing"},
                  {"map", Option::Kind::kList, "COLUMN=FIELD",
                   "what a column is; COLUMN is its name or number"},
                  {"region", Option::Kind::kValue, "CC",
                   "of numbers without a country code; default: the policy's"},
                  {"on-duplicate", Option::Kind::kValue, "HOW",
                   "skip (default), merge (needs a role that reads) or replace"},
                  {"rejects", Option::Kind::kValue, "F", "writes the bad rows to F, to be mended"},
                  {"strict", Option::Kind::kFlag, "", "writes nothing where a row is bad"},
                  {"format", Option::Kind::kValue, "FORMAT",
                   "csv, tsv or jsonl; found out otherwise"},
                  {"encoding", Option::Kind::kValue, "E",
                   "utf-8, utf-16le or utf-16be; found out otherwise"},
                  {"delimiter", Option::Kind::kValue, "C", "between cells; found out otherwise"}},
      .min_positional = 1,
      .max_positional = kAnyNumber,
      .run = &Run};
}

}  // namespace sealbook::cli
