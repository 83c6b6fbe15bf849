#include "cli/import_preview.h"

#include <algorithm>
#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "vault/status.h"

namespace sealbook::cli {
namespace {

using anonymizer::Column;
using anonymizer::RecognizedBy;
using anonymizer::TableFormat;

const char* HowRecognized(const Column& column) {
  if (column.field == anonymizer::kIgnored) return "";
  switch (column.by) {
    case RecognizedBy::kName:
      return "by its name";
    case RecognizedBy::kContent:
      return "by its values";
    case RecognizedBy::kMapping:
      return "as told";
    case RecognizedBy::kNothing:
      break;
  }
  return "not known";
}

std::string FormOf(const anonymizer::CustomerList& list) {
  std::string form(anonymizer::NameOf(list.format()));
  if (list.encoding()) absl::StrAppend(&form, ", ", anonymizer::NameOf(*list.encoding()));
  if (list.delimiter() == '\t')
    absl::StrAppend(&form, ", tabs between cells");
  else if (list.delimiter() != '\0')
    absl::StrAppend(&form, ", '", std::string(1, list.delimiter()), "' between cells");
  const bool table =
      list.format() != TableFormat::kJsonLines && list.format() != TableFormat::kVcard;
  if (table && list.header_line() == 0)
    absl::StrAppend(&form, ", no header");
  else if (table && list.header_line() > 1)
    absl::StrAppend(&form, ", header in ", PlaceOf(list.format(), list.header_line()));
  return form;
}

void PrintColumns(const policies::Policy& policy, const anonymizer::CustomerList& list) {
  constexpr int kNameWidth = 24, kFieldWidth = 18;
  std::vector<std::vector<std::string>> rows;
  int position = 0;
  for (const Column& column : list.columns()) {
    const bool ignored = column.field == anonymizer::kIgnored;
    const std::string field(anonymizer::FieldWritten(column));
    rows.push_back(
        {absl::StrCat(++position), FitTo(Printable(column.name), kNameWidth),
         ignored ? "(left out)" : FitTo(Printable(field), kFieldWidth),
         ignored ? "" : policy.ClassOfField(field).name,
         absl::StrCat(HowRecognized(column), column.country_coded ? ", with country code" : "")});
  }
  PrintTable({"#", "COLUMN", "FIELD", "CLASS", "RECOGNISED"}, rows);
}

// Fields down, rows across, as many as fit: a list has more columns than a terminal is wide.
void PrintFirstRows(const anonymizer::CheckReport& report, TableFormat format) {
  constexpr int kFieldWidth = 18, kCellWidth = 18, kGap = 2;
  const std::size_t fitting = static_cast<std::size_t>(
      std::max(1, (TerminalColumns() - kFieldWidth) / (kCellWidth + kGap)));
  const std::size_t shown = std::min(report.first.size(), fitting);
  std::vector<std::string> header = {"FIELD"}, fields;
  for (std::size_t i = 0; i < shown; ++i) {
    header.push_back(PlaceOf(format, report.first[i].line));
    for (const records::Field& field : report.first[i].fields) {
      if (std::find(fields.begin(), fields.end(), field.name) == fields.end())
        fields.push_back(field.name);
    }
  }
  std::vector<std::vector<std::string>> rows;
  for (const std::string& field : fields) {
    std::vector<std::string> row = {FitTo(Printable(field), kFieldWidth)};
    for (std::size_t i = 0; i < shown; ++i) {
      const records::Fields& values = report.first[i].fields;
      const auto at = std::find_if(values.begin(), values.end(), [&](const records::Field& value) {
        return value.name == field;
      });
      row.push_back(at == values.end() ? "" : FitTo(Printable(at->value), kCellWidth));
    }
    rows.push_back(std::move(row));
  }
  if (shown > 0) {
    PrintLine("\nThe first rows, masked:");
    PrintTable(header, rows);
  }
}

void PrintPreview(const policies::Policy& policy, const anonymizer::CustomerList& list,
                  const anonymizer::CheckReport& report) {
  PrintLine(Printable(absl::StrCat(list.name(), ": ", FormOf(list))));
  PrintRemarks(list);
  PrintColumns(policy, list);
  PrintFirstRows(report, list.format());
  PrintLine(absl::StrCat("\n", report.rows, report.rows == 1 ? " row, " : " rows, ", report.known,
                         " in the vault already, ", report.rejected, " bad."));
  if (report.notes_in_names > 0) {
    PrintLine(
        absl::StrCat(report.notes_in_names, " with a note in the name, which becomes name_note."));
  }
  PrintRejects(list, report.rejected, report.rejects);
}

}  // namespace

std::string PlaceOf(TableFormat format, std::int64_t line) {
  const char* what = format == TableFormat::kXlsx    ? "row "
                     : format == TableFormat::kVcard ? "the card of line "
                                                     : "line ";
  return line == 0 ? std::string(what) : absl::StrCat(what, line);
}

void PrintRemarks(const anonymizer::CustomerList& list) {
  for (const std::string& remark : list.remarks()) PrintLine(Printable(absl::StrCat("  ", remark)));
}

void PrintRejects(const anonymizer::CustomerList& list, std::int64_t count,
                  const std::vector<anonymizer::Reject>& rejects) {
  constexpr std::size_t kShown = 10;
  for (std::size_t i = 0; i < std::min(rejects.size(), kShown); ++i) {
    PrintLine(Printable(absl::StrCat(
        "  ", list.name(), " ", PlaceOf(list.format(), rejects[i].line), ": ", rejects[i].reason)));
  }
  if (count > static_cast<std::int64_t>(kShown)) {
    PrintLine(absl::StrCat("  and ", count - static_cast<std::int64_t>(kShown),
                           " more (--rejects F writes them all to a file)"));
  }
}

Json ColumnsAsJson(const policies::Policy& policy, const anonymizer::CustomerList& list,
                   bool several) {
  Json columns = Json::array();
  for (const Column& column : list.columns()) {
    if (column.field == anonymizer::kIgnored) continue;
    const std::string field(anonymizer::FieldWritten(column));
    Json one = {
        {"column", column.name}, {"field", field}, {"class", policy.ClassOfField(field).name}};
    if (several) one["file"] = list.name();
    columns.push_back(std::move(one));
  }
  return columns;
}

Json RejectsAsJson(const anonymizer::CustomerList& list,
                   const std::vector<anonymizer::Reject>& rejects, bool several) {
  Json out = Json::array();
  for (const anonymizer::Reject& reject : rejects) {
    Json one = {{"line", reject.line}, {"reason", reject.reason}};
    if (several) one["file"] = list.name();
    out.push_back(std::move(one));
  }
  return out;
}

Json ListAsJson(const anonymizer::CustomerList& list) {
  Json json = {{"file", list.name()}, {"format", std::string(anonymizer::NameOf(list.format()))}};
  if (list.encoding()) json["encoding"] = std::string(anonymizer::NameOf(*list.encoding()));
  if (list.delimiter() != '\0') json["delimiter"] = std::string(1, list.delimiter());
  json["header_line"] = list.header_line();
  json["remarks"] = list.remarks();
  return json;
}

absl::Status PreviewLists(Context& context, const std::vector<std::string>& files,
                          const anonymizer::ListOptions& list_options,
                          const anonymizer::ImportOptions& import_options, bool strict) {
  const bool several = files.size() > 1;
  Json rejects = Json::array(), columns = Json::array(), preview = Json::array(),
       lists = Json::array();
  const absl::Time start = absl::Now();
  std::int64_t rows = 0, rejected = 0, known = 0, notes = 0;
  const auto conflicts = anonymizer::FindConflicts(context.keyring(), import_options);
  for (const std::string& file : files) {
    ASSIGN_OR_RETURN(auto list, anonymizer::CustomerList::Open(file, list_options));
    anonymizer::CheckReport report;
    Progress progress(context.globals(), "look through");
    anonymizer::ImportOptions options = import_options;
    options.conflicts = conflicts;
    options.progress = [&](std::int64_t done, std::uint64_t bytes, std::uint64_t total) {
      progress.Update(done, bytes, total);
    };
    RETURN_IF_ERROR(anonymizer::Check(context.keyring(), context.policy(), *list, options, report));
    progress.Finish();
    rows += report.rows;
    rejected += report.rejected;
    known += report.known;
    notes += report.notes_in_names;
    if (!context.globals().json) {
      PrintPreview(context.policy(), *list, report);
      continue;
    }
    lists.push_back(ListAsJson(*list));
    for (auto& column : ColumnsAsJson(context.policy(), *list, several)) columns.push_back(column);
    for (auto& reject : RejectsAsJson(*list, report.rejects, several)) {
      if (rejects.size() < anonymizer::ImportReport::kMaxListed) rejects.push_back(reject);
    }
    for (const anonymizer::CheckReport::Row& first : report.first) {
      Json row = Json::object();
      for (const records::Field& field : first.fields) row[field.name] = field.value;
      preview.push_back(std::move(row));
    }
  }
  absl::Status status;
  if (strict && rejected > 0) {
    status = WithHint(
        absl::InvalidArgumentError(absl::StrCat(
            rejected, rejected == 1 ? " row is bad" : " rows are bad", "; nothing was written")),
        "Correct the rows, or leave --strict out to import the good ones.");
  }
  if (context.globals().json) {
    Json told = {{"rows", rows},
                 {"imported", 0},
                 {"updated", 0},
                 {"duplicates", known},
                 {"unassigned", 0},
                 {"rejected", rejected},
                 {"rejects", rejects},
                 {"notes_in_names", notes},
                 {"columns", columns},
                 {"preview", preview},
                 {"files", lists},
                 {"dry_run", true},
                 {"seconds", absl::ToDoubleSeconds(absl::Now() - start)}};
    if (!status.ok()) {
      told["error"] = ErrorJson(status);
      status = absl::InvalidArgumentError("");  // said already
    }
    PrintJson(told);
  } else {
    PrintLine("Nothing was written. '--map COLUMN=FIELD' corrects what was not recognised.");
  }
  RETURN_IF_ERROR(context.Record({.act = "import.dry_run", .detail = Json{{"rows", rows}}.dump()}));
  return status;
}

}  // namespace sealbook::cli
