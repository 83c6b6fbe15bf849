// What `export` and `export request` are told alike: which customers, which fields, in which
// format, for whom, and why.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "anonymizer/list_writer.h"
#include "cli/command.h"
#include "vault/records/exports.h"

namespace sealbook::cli {

std::vector<Option> ExportOptions();

struct ExportArguments {
  records::ExportSpec spec;
  anonymizer::ListFormat format = anonymizer::ListFormat::kCsv;
};

// After Unlock, so that what is refused is on record. FailedPrecondition: wrong usage.
// InvalidArgument: a recipient is no age recipient. NotFound: there is no such book.
absl::StatusOr<ExportArguments> ParseExport(Context& context, const Arguments& arguments);

// "the whole list", or "the book seoul".
std::string WhatIsExported(const keyring::Roster& roster, const records::ExportSpec& spec);

}  // namespace sealbook::cli
