#include "anonymizer/import.h"

#include <sys/stat.h>

#include <algorithm>
#include <memory>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "cli/commands.h"
#include "cli/import_preview.h"
#include "cli/rejects_file.h"
#include "cli/shred.h"
#include "vault/status.h"

namespace sealbook::cli {
namespace {

using anonymizer::Reject;

struct Request {
  anonymizer::ListOptions list;
  anonymizer::ImportOptions import;
  std::vector<std::string> files;
  std::string book;
  bool dry_run = false, strict = false, shred = false;
};

// Standard input gives its bytes once, and is no file.
absl::Status CheckFiles(const Context& context, const Request& request) {
  std::set<std::pair<dev_t, ino_t>> seen;
  for (const std::string& file : request.files) {
    struct stat one {};
    if (file == anonymizer::ByteSource::kStandardInput || stat(file.c_str(), &one) != 0) continue;
    if (!seen.insert({one.st_dev, one.st_ino}).second)
      return Usage(absl::StrCat(Printable(file), " is named twice"), "Name each list once.");
  }
  const auto inputs = std::count(request.files.begin(), request.files.end(),
                                 std::string(anonymizer::ByteSource::kStandardInput));
  if (inputs == 0) return absl::OkStatus();
  if (inputs > 1) return Usage("standard input is named twice", "Give one list through a pipe.");
  if (context.globals().passphrase_file == anonymizer::ByteSource::kStandardInput)
    return Usage("the passphrase and the list cannot both come from standard input",
                 "Name a file for one of them.");
  if (request.strict)
    return Usage("--strict looks through the list twice, which standard input cannot give",
                 "Save the list as a file and name that.");
  if (request.shred)
    return Usage("--shred needs a file, and standard input is none", "Name the file.");
  return absl::OkStatus();
}

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
  request.shred = arguments.Has("shred");
  if (request.shred && request.dry_run)
    return Usage("--dry-run writes nothing, and so shreds nothing", "Leave one of them out.");
  RETURN_IF_ERROR(CheckFiles(context, request));
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
  request.list.interrupted = &Interrupted;
  return request;
}

absl::Status Strict(Context& context, const Request& request) {
  anonymizer::ImportOptions options = request.import;
  options.conflicts = anonymizer::FindConflicts(context.keyring(), options);
  for (const std::string& file : request.files) {
    ASSIGN_OR_RETURN(auto list, anonymizer::CustomerList::Open(file, request.list));
    anonymizer::CheckReport report;
    RETURN_IF_ERROR(anonymizer::Check(context.keyring(), context.policy(), *list, options, report));
    if (report.rejected == 0) continue;
    return WithHint(
        absl::InvalidArgumentError(absl::StrCat(
            file, " ", PlaceOf(list->format(), report.rejects[0].line), ": ",
            report.rejects[0].reason,
            report.rejected > 1 ? absl::StrCat(" (and ", report.rejected - 1, " more bad rows)")
                                : "",
            "; nothing was written")),
        "Correct the rows, or leave --strict out to import the good ones.");
  }
  return absl::OkStatus();
}

struct Totals {
  anonymizer::ImportReport sum;
  Json columns = Json::array(), rejects = Json::array(), other_names = Json::array();
  Json other_name_rows = Json::array(), files = Json::array(), shredded = Json::array();

  void Add(const Context& context, const anonymizer::CustomerList& list,
           const anonymizer::ImportReport& report, bool several) {
    sum.rows += report.rows, sum.imported += report.imported, sum.updated += report.updated;
    sum.duplicates += report.duplicates, sum.unassigned += report.unassigned;
    sum.rejected += report.rejected, sum.assigned += report.assigned;
    sum.other_names += report.other_names, sum.names_unread += report.names_unread;
    sum.damaged += report.damaged;
    sum.notes_in_names += report.notes_in_names;
    sum.notes_left += report.notes_left, sum.consents_unread += report.consents_unread;
    for (auto& reject : RejectsAsJson(list, report.rejects, several)) {
      if (rejects.size() < anonymizer::ImportReport::kMaxListed) rejects.push_back(reject);
    }
    for (const std::int64_t line : report.other_name_lines) {
      if (other_names.size() >= anonymizer::ImportReport::kMaxListed) break;
      other_names.push_back(line);
      other_name_rows.push_back({{"file", list.name()}, {"line", line}});
    }
    for (auto& column : ColumnsAsJson(context.policy(), list, several)) columns.push_back(column);
    files.push_back(ListAsJson(list));
  }
};

std::string Count(std::int64_t number, absl::string_view one, absl::string_view many) {
  return absl::StrCat(number, " ", number == 1 ? one : many);
}

constexpr auto kListed = static_cast<std::int64_t>(anonymizer::ImportReport::kMaxListed);

void PrintReport(const Request& request, const anonymizer::CustomerList& list,
                 const anonymizer::ImportReport& report) {
  std::string line = absl::StrCat(list.name(), ": ", Count(report.rows, "row", "rows"), ", ",
                                  report.imported, " imported");
  const bool merged = request.import.on_duplicate == records::OnDuplicate::kMerge;
  if (report.updated > 0)
    absl::StrAppend(&line, ", ", report.updated, merged ? " merged" : " replaced");
  if (report.duplicates > 0) absl::StrAppend(&line, ", ", report.duplicates, " known already");
  if (report.rejected > 0) absl::StrAppend(&line, ", ", report.rejected, " rejected");
  PrintLine(Printable(absl::StrCat(line, ".")));
  PrintRemarks(list);
  PrintRejects(list, report.rejected, report.rejects);
  if (report.notes_in_names > 0) {
    PrintLine(absl::StrCat("  ", Count(report.notes_in_names, "name", "names"),
                           " had a note in them, which is kept as name_note, for those who read "
                           "what is sensitive."));
  }
  if (report.assigned > 0)
    PrintLine(Printable(absl::StrCat("  ", report.assigned, " known customers were assigned to ",
                                     request.book, " as well.")));
  if (report.unassigned > 0) {
    PrintLine(Printable(absl::StrCat(
        "  ", report.unassigned, " known customers are not in ", request.book,
        ": this account may not read them. An admin can run 'sealbook book assign'.")));
  }
  if (report.other_names > 0) {
    PrintLine(absl::StrCat("  ", report.other_names, " known with another name, in ",
                           PlaceOf(list.format(), 0), absl::StrJoin(report.other_name_lines, ", "),
                           report.other_names > kListed ? ", …" : "",
                           request.import.on_duplicate == records::OnDuplicate::kReplace
                               ? "; the name of the list was written."
                               : "; the name in the vault was kept."));
  }
  if (report.names_unread > 0) {
    PrintLine(absl::StrCat("  ", Count(report.names_unread, "name", "names"),
                           " of customers known before could not be compared: this account may not "
                           "read what is there."));
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

// Why the list must stay: something in it is nowhere else. Empty: nothing.
std::string ReasonToKeep(const Request& request, const anonymizer::ImportReport& report,
                         bool has_rejects_file) {
  if (report.rejected > 0 && !has_rejects_file)
    return "rows of it were rejected and are nowhere else; '--rejects F' keeps them";
  if (report.other_names > 0 && request.import.on_duplicate != records::OnDuplicate::kReplace)
    return "customers of it are known with another name, and what it says of them is nowhere else";
  if (report.notes_left > 0)
    return "notes and consents of it were not stored, which this account may not add";
  if (!report.rejects_kept)
    return "rows of it were rejected that are too long to be kept elsewhere";
  return "";
}

absl::Status Shred(const Context& context, const std::string& file, Shredder& shredder,
                   Totals& totals) {
  RETURN_IF_ERROR(shredder.Shred());
  totals.shredded.push_back(file);
  if (!context.globals().json)
    PrintLine(Printable(absl::StrCat("  ", file, " was overwritten and deleted.")));
  return absl::OkStatus();
}

absl::Status ImportFile(Context& context, Request& request, const std::string& file,
                        RejectsFile* rejects, Totals& totals) {
  std::unique_ptr<Shredder> shredder;
  if (request.shred) {
    ASSIGN_OR_RETURN(shredder, Shredder::Prepare(file));
    ASSIGN_OR_RETURN(const bool stored, shredder->WasBegun());
    if (stored) return Shred(context, file, *shredder, totals);
  }
  ASSIGN_OR_RETURN(const auto list, anonymizer::CustomerList::Open(file, request.list));
  if (rejects != nullptr) {
    RETURN_IF_ERROR(rejects->StartList(*list));
    request.import.on_reject = [&](const Reject& reject, const anonymizer::SourceRow& row) {
      return rejects->Add(reject, row);
    };
  }
  Progress progress(context.globals(), "import");
  request.import.progress = [&](std::int64_t rows, std::uint64_t bytes, std::uint64_t total) {
    progress.Update(rows, bytes, total);
  };
  anonymizer::ImportReport report;
  const absl::Status status =
      anonymizer::Import(context.keyring(), context.policy(), *list, request.import, report);
  progress.Finish();
  totals.Add(context, *list, report, request.files.size() > 1);
  // What was stored before an interruption is told as well.
  if (!context.globals().json && report.rows > 0) PrintReport(request, *list, report);
  RETURN_IF_ERROR(status);
  if (report.damaged > 0) {
    return WithHint(
        absl::DataLossError(absl::StrCat(
            report.damaged,
            " rows are of customers whose record in the vault does not count, first in ",
            PlaceOf(list->format(), report.damaged_lines.front()), "; they were left alone")),
        "Run 'sealbook doctor'.");
  }
  if (shredder == nullptr) return absl::OkStatus();
  // The rows that are kept elsewhere must be on the disk before their list goes.
  if (rejects != nullptr) RETURN_IF_ERROR(rejects->Flush());
  if (const std::string reason = ReasonToKeep(request, report, rejects != nullptr);
      !reason.empty()) {
    PrintNote(context.globals(), Printable(absl::StrCat(file, " was not shredded: ", reason, ".")));
    return absl::OkStatus();
  }
  return Shred(context, file, *shredder, totals);
}

absl::Status RunImport(Context& context, const Arguments& arguments) {
  ASSIGN_OR_RETURN(Request request, Parse(context, arguments));
  CatchInterrupts();
  if (request.dry_run)
    return PreviewLists(context, request.files, request.list, request.import, request.strict);
  if (request.shred) {
    for (const std::string& file : request.files) RETURN_IF_ERROR(Shredder::Prepare(file).status());
  }
  std::unique_ptr<RejectsFile> rejects;
  if (arguments.Has("rejects")) {
    ASSIGN_OR_RETURN(const std::string vault, context.VaultDirectory());
    // What was rejected of a list that was shredded is in its rejects file only.
    ASSIGN_OR_RETURN(rejects, RejectsFile::Create({.path = arguments.Value("rejects"),
                                                   .inputs = request.files,
                                                   .vault = vault,
                                                   .keep_existing = request.shred}));
  }
  if (request.strict) RETURN_IF_ERROR(Strict(context, request));
  const absl::Time start = absl::Now();
  Totals totals;
  absl::Status status;
  for (const std::string& file : request.files) {
    status = ImportFile(context, request, file, rejects.get(), totals);
    if (!status.ok()) break;
  }
  if (rejects) {
    const absl::Status closed = rejects->Close(!status.ok());
    if (status.ok()) status = closed;
    if (!context.globals().json) {
      for (const std::string& path : rejects->paths())
        PrintLine(Printable(absl::StrCat("The rejected rows are in ", path, ".")));
    }
  }
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
               {"rejects_files", rejects ? Json(rejects->paths()) : Json::array()},
               {"other_names", sum.other_names},
               {"other_name_lines", totals.other_names},
               {"other_name_rows", totals.other_name_rows},
               {"names_unread", sum.names_unread},
               {"notes_in_names", sum.notes_in_names},
               {"notes_left", sum.notes_left},
               {"consents_unread", sum.consents_unread},
               {"columns", totals.columns},
               {"files", totals.files},
               {"shredded", totals.shredded},
               {"seconds", absl::ToDoubleSeconds(absl::Now() - start)}});
  }
  return absl::OkStatus();
}

}  // namespace

Command ImportCommand() {
  return {
      .name = "import",
      .arguments = "FILE… [--book BOOK] [--dry-run] [--map COLUMN=FIELD]…",
      .summary = "customer lists: CSV, TSV, xlsx, vCard, JSON Lines; '-' is standard input",
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
                  {"shred", Option::Kind::kFlag, "",
                   "overwrites and deletes the list once all of it is stored"},
                  {"format", Option::Kind::kValue, "FORMAT",
                   "csv, tsv, jsonl, xlsx or vcard; found out otherwise"},
                  {"encoding", Option::Kind::kValue, "E",
                   "utf-8, utf-16le, cp949, gbk, big5, …; found out otherwise"},
                  {"delimiter", Option::Kind::kValue, "C", "between cells; found out otherwise"}},
      .min_positional = 1,
      .max_positional = kAnyNumber,
      .run = &RunImport};
}

}  // namespace sealbook::cli
