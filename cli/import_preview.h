// What `import` tells of a list: its form, its columns, its first rows masked, what is wrong with
// it.
#pragma once

#include <string>
#include <vector>

#include "anonymizer/import.h"
#include "cli/command.h"

namespace sealbook::cli {

// `import --dry-run`: looks through the lists and writes nothing but the audit row.
// InvalidArgument: `strict`, and a row is bad.
absl::Status PreviewLists(Context& context, const std::vector<std::string>& files,
                          const anonymizer::ListOptions& list_options,
                          const anonymizer::ImportOptions& import_options, bool strict);

// "line 12", "row 12" of a workbook, "the card of line 12"; without a number where `line` is 0.
std::string PlaceOf(anonymizer::TableFormat format, std::int64_t line);
void PrintRemarks(const anonymizer::CustomerList& list);
void PrintRejects(const anonymizer::CustomerList& list, std::int64_t count,
                  const std::vector<anonymizer::Reject>& rejects);

// `several`: the lists are told apart by "file".
Json ColumnsAsJson(const policies::Policy& policy, const anonymizer::CustomerList& list,
                   bool several);
Json RejectsAsJson(const anonymizer::CustomerList& list,
                   const std::vector<anonymizer::Reject>& rejects, bool several);
Json ListAsJson(const anonymizer::CustomerList& list);

}  // namespace sealbook::cli
