#include "cli/export_arguments.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "anonymizer/columns.h"
#include "anonymizer/exported_list.h"
#include "vault/crypto/age_file.h"
#include "vault/status.h"

namespace sealbook::cli {
namespace {

// "customers.csv.age" says what it holds.
std::string FormatOfName(absl::string_view path) {
  std::string name = absl::AsciiStrToLower(path);
  if (absl::EndsWith(name, ".age")) name.resize(name.size() - 4);
  if (absl::EndsWith(name, ".xlsx")) return "xlsx";
  if (absl::EndsWith(name, ".vcf")) return "vcard";
  if (absl::EndsWith(name, ".jsonl") || absl::EndsWith(name, ".ndjson")) return "jsonl";
  return "csv";
}

absl::StatusOr<std::vector<std::string>> ParseFields(const std::string& text) {
  std::vector<std::string> fields;
  for (const absl::string_view part : absl::StrSplit(text, ',')) {
    std::string field(absl::StripAsciiWhitespace(part));
    if (field.empty()) {
      return Usage("--fields has an empty name", "Write them as --fields name,phone,email.");
    }
    if (const absl::Status name = anonymizer::CheckFieldName(field);
        !name.ok() && !anonymizer::IsBesideFields(field)) {
      return Usage(absl::StrCat("--fields: ", name.message()), HintOf(name));
    }
    if (std::count(fields.begin(), fields.end(), field) > 0) {
      return Usage("--fields names a field twice", "Name each once.");
    }
    fields.push_back(std::move(field));
  }
  return fields;
}

absl::StatusOr<std::vector<crypto::ExchangePublic>> ParseRecipients(
    const std::vector<std::string>& texts) {
  std::vector<crypto::ExchangePublic> recipients;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const auto recipient = crypto::ParseAgeRecipient(absl::StripAsciiWhitespace(texts[i]));
    if (!recipient.ok()) {
      // Not repeated: somebody's identity may have slipped here.
      return WithHint(
          absl::InvalidArgumentError(absl::StrCat("--recipient ", i + 1, " is no age recipient")),
          "It begins with age1 and is what 'age-keygen' calls the public key; ask its "
          "owner to copy it once more.");
    }
    recipients.push_back(*recipient);
  }
  std::sort(recipients.begin(), recipients.end(),
            [](const auto& a, const auto& b) { return a.bytes < b.bytes; });
  recipients.erase(std::unique(recipients.begin(), recipients.end()), recipients.end());
  return recipients;
}

}  // namespace

std::vector<Option> ExportOptions() {
  return {{"reason", Option::Kind::kValue, "TEXT", "why; it goes into the log"},
          {"book", Option::Kind::kValue, "BOOK", "the customers of one book, not of all"},
          {"fields", Option::Kind::kValue, "A,B",
           "these fields, in this order; also uid and books. Default: all that you read"},
          {"format", Option::Kind::kValue, "FORMAT",
           "csv, jsonl, vcard or xlsx. Default: as F's name says, or csv"},
          {"recipient", Option::Kind::kList, "age1…",
           "who can open the file, as often as needed. Default: as the policy says"},
          {"plaintext", Option::Kind::kFlag, "", "not encrypted, where the policy allows that"}};
}

absl::StatusOr<ExportArguments> ParseExport(Context& context, const Arguments& arguments) {
  ExportArguments out;
  records::ExportSpec& spec = out.spec;
  spec.format = arguments.Has("format") ? absl::AsciiStrToLower(arguments.Value("format"))
                                        : FormatOfName(arguments.Value("output"));
  const auto format = anonymizer::ParseListFormat(spec.format);
  if (!format.ok()) return Usage(format.status().message(), HintOf(format.status()));
  out.format = *format;
  spec.format = std::string(anonymizer::NameOf(out.format));
  if (!arguments.Has("reason")) {
    return Usage("an export needs a reason", "Say why with --reason TEXT; it goes into the log.");
  }
  spec.reason = std::string(absl::StripAsciiWhitespace(arguments.Value("reason")));
  if (arguments.Has("fields")) {
    ASSIGN_OR_RETURN(spec.fields, ParseFields(arguments.Value("fields")));
  }
  if (arguments.Has("book")) {
    const std::string name = arguments.Value("book");
    const keyring::Book* book = context.keyring().roster().FindBook(name);
    if (book == nullptr) {
      return WithHint(absl::NotFoundError(absl::StrCat("there is no book named ", Printable(name))),
                      "'sealbook book list' shows the books.");
    }
    spec.book = book->id;
  }
  const bool plaintext = arguments.Has("plaintext");
  const std::vector<std::string> named = arguments.List("recipient");
  if (plaintext && !named.empty()) {
    return Usage("--plaintext and --recipient exclude each other", "Give one of them.");
  }
  if (plaintext) return out;
  const std::vector<std::string>& texts =
      named.empty() ? context.policy().exports().recipients : named;
  if (texts.empty()) {
    return Usage("nobody is named who can open the file",
                 "Give --recipient age1…; 'age-keygen' makes a pair, whose public key this is.");
  }
  ASSIGN_OR_RETURN(spec.recipients, ParseRecipients(texts));
  return out;
}

std::string WhatIsExported(const keyring::Roster& roster, const records::ExportSpec& spec) {
  if (spec.book == kRootBook) return "the whole list";
  const keyring::Book* book = roster.FindBook(spec.book);
  return absl::StrCat("the book ", book == nullptr ? "?" : Printable(book->name));
}

}  // namespace sealbook::cli
