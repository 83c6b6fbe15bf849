#include <algorithm>
#include <map>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "anonymizer/columns.h"
#include "anonymizer/identifiers.h"
#include "cli/commands.h"
#include "cli/contacts.h"
#include "policies/mask.h"
#include "vault/records/consent.h"
#include "vault/records/contact_changes.h"
#include "vault/records/contact_writer.h"
#include "vault/records/token.h"
#include "vault/status.h"

namespace sealbook::cli {
namespace {

constexpr std::size_t kMaxValueBytes = 64 * 1024;
constexpr std::size_t kMaxFileBytes = 1024 * 1024;

// In the order given; an empty value takes the field away.
using Assignments = std::vector<std::pair<std::string, std::string>>;

absl::Status AddAssignment(absl::string_view text, Assignments& assignments) {
  const std::size_t equals = text.find('=');
  if (equals == absl::string_view::npos || equals == 0) {
    return Usage("a change is FIELD=VALUE",
                 "For example note='Call on Friday'; an empty value takes the field away.");
  }
  assignments.emplace_back(text.substr(0, equals), text.substr(equals + 1));
  return absl::OkStatus();
}

// A JSON object of texts, or FIELD=VALUE lines.
absl::Status ReadAssignments(const std::string& file, Assignments& assignments) {
  auto text = keyring::ReadSmallFile(file, kMaxFileBytes);
  if (!text.ok()) {
    return WithHint(absl::InvalidArgumentError(text.status().message()),
                    "Name a file of FIELD=VALUE lines, or a JSON object.");
  }
  if (!absl::StartsWith(absl::StripLeadingAsciiWhitespace(*text), "{")) {
    std::int64_t number = 0;
    for (const absl::string_view line : absl::StrSplit(*text, '\n')) {
      ++number;
      if (absl::StripAsciiWhitespace(line).empty()) continue;
      if (!AddAssignment(absl::StripSuffix(line, "\r"), assignments).ok()) {
        return WithHint(
            absl::InvalidArgumentError(absl::StrCat(file, " line ", number, " is no FIELD=VALUE")),
            "Correct that line.");
      }
    }
    return absl::OkStatus();
  }
  const Json json = Json::parse(*text, nullptr, false);
  if (!json.is_object())
    return absl::InvalidArgumentError(absl::StrCat(file, " is no JSON object"));
  for (const auto& [field, value] : json.items()) {
    if (!value.is_string() && !value.is_null()) {
      // Not by its name: what stands there may be anything.
      return WithHint(absl::InvalidArgumentError(absl::StrCat(file, ": a value is no text")),
                      "Write values in quotes.");
    }
    assignments.emplace_back(field, value.is_null() ? "" : value.get<std::string>());
  }
  return absl::OkStatus();
}

// Names and values as they are kept, each allowed to this role.
absl::Status Check(Context& context, Assignments& assignments) {
  if (assignments.empty())
    return Usage("there is nothing to change", "Give FIELD=VALUE, or --from-file F.");
  for (auto& [field, value] : assignments) {
    if (!anonymizer::CheckFieldName(field).ok()) {
      return Usage("that is no name for a field",
                   "Use small letters, digits and underscores, up to 64.");
    }
    if (policies::BaseField(field) == records::kConsentField) {
      return WithHint(absl::FailedPreconditionError("a consent is evidence, and is not typed over"),
                      "'sealbook consent list' shows it; it comes with the list that has it.");
    }
    RETURN_IF_ERROR(context.Require(policies::Action::kChange, field));
    if (value.size() > kMaxValueBytes)
      return absl::InvalidArgumentError(
          absl::StrCat("the value of ", field, " is longer than 64 KiB"));
    const bool given = !value.empty();
    value = anonymizer::CleanText(value);
    const auto kind = anonymizer::KindOfField(field);
    if (!kind || value.empty()) {
      if (given && value.empty())
        return absl::InvalidArgumentError(absl::StrCat("the value of ", field, " holds no text"));
      continue;
    }
    auto identifier = anonymizer::NormalizeIdentifier(*kind, value, context.policy().region());
    if (!identifier.ok()) {
      return WithHint(
          absl::InvalidArgumentError(
              absl::StrCat("the value of ", field, " ", identifier.status().message())),
          *kind == IdentifierKind::kPhone ? "Write it with its country code." : "Correct it.");
    }
    if (identifier->kind != *kind) {
      return WithHint(
          absl::InvalidArgumentError(absl::StrCat("the value of ", field, " is a ",
                                                  anonymizer::FieldOfKind(identifier->kind))),
          absl::StrCat("Set ", anonymizer::FieldOfKind(identifier->kind), " to it."));
    }
    value = identifier->value;
  }
  return absl::OkStatus();
}

void Apply(const std::string& field, const std::string& value, records::Fields& fields) {
  const auto at = std::find_if(fields.begin(), fields.end(),
                               [&](const records::Field& f) { return f.name == field; });
  if (value.empty()) {
    if (at != fields.end()) fields.erase(at);
  } else if (at != fields.end()) {
    at->value = value;
  } else {
    fields.push_back({field, value});
  }
}

// Those of `a` that are not in `b`.
std::vector<records::IdentifierValue> Without(const std::vector<records::IdentifierValue>& a,
                                              const std::vector<records::IdentifierValue>& b) {
  std::vector<records::IdentifierValue> out;
  for (const auto& value : a) {
    if (std::find(b.begin(), b.end(), value) == b.end()) out.push_back(value);
  }
  return out;
}

absl::Status RunSet(Context& context, const Arguments& arguments) {
  Assignments assignments;
  for (std::size_t i = 1; i < arguments.positional().size(); ++i) {
    RETURN_IF_ERROR(AddAssignment(arguments.positional()[i], assignments));
  }
  if (arguments.Has("from-file"))
    RETURN_IF_ERROR(ReadAssignments(arguments.Value("from-file"), assignments));
  const auto token = records::ParseToken(arguments.positional()[0]);
  if (!token.ok())
    return Usage("that is no token, or it is mistyped", "A token looks like UID_2837470195.");
  RETURN_IF_ERROR(context.Unlock());
  // First whether it is theirs: the same answer whether it is missing or somebody else's.
  records::ContactReader reader(context.keyring());
  RETURN_IF_ERROR(
      context.permits().Search(context.keyring().bundle().member, context.role()).status());
  ASSIGN_OR_RETURN(const ContactNumber number, reader.FindToken(*token));
  RETURN_IF_ERROR(Check(context, assignments));
  std::map<ClassId, Assignments> by_class;
  Json names = Json::array();
  for (const auto& assignment : assignments) {
    by_class[context.policy().ClassOfField(assignment.first).id].push_back(assignment);
    names.push_back(assignment.first);
  }
  const auto change = [&](const store::ContactRow& row) -> absl::StatusOr<records::ContactChange> {
    records::ContactChange out;
    for (const auto& [class_id, changes] : by_class) {
      ASSIGN_OR_RETURN(const auto now, reader.OpenClass(row, class_id));
      const records::Fields before = now.value_or(records::Fields());
      records::Fields after = before;
      for (const auto& [field, value] : changes) Apply(field, value, after);
      if (class_id == ClassId::kIdentity) {
        const auto identified_before = anonymizer::IdentifiersOf(before),
                   identified_after = anonymizer::IdentifiersOf(after);
        out.classes.push_back({ClassId::kMasked, policies::MaskedFields(context.policy(), after)});
        out.removed = Without(identified_before, identified_after);
        out.added = Without(identified_after, identified_before);
      }
      out.classes.push_back({class_id, std::move(after)});
    }
    return out;
  };
  RETURN_IF_ERROR(records::ChangeContact(
      context.keyring(), number, change,
      {.act = "set", .token = *token, .detail = Json{{"fields", names}}.dump()}));
  ASSIGN_OR_RETURN(
      const ReadPermit permit,
      context.permits().ReadOne(context.keyring().bundle().member, context.role(), number));
  ASSIGN_OR_RETURN(const records::Contact contact, reader.Read(permit, number));
  if (context.globals().json)
    PrintJson({{"contacts", Json::array({ToJson(contact)})}});
  else
    PrintContact(contact);
  return absl::OkStatus();
}

}  // namespace

Command SetCommand() {
  return {
      .name = "set",
      .arguments = "UID FIELD=VALUE… | UID --from-file F",
      .summary = "changes what your role may write",
      .options = {{"from-file", Option::Kind::kValue, "F", "FIELD=VALUE lines or a JSON object"}},
      .min_positional = 1,
      .max_positional = kAnyNumber,
      .run = &RunSet};
}

}  // namespace sealbook::cli
