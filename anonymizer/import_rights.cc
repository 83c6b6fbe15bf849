#include "anonymizer/import_rights.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "policies/decision.h"
#include "vault/records/consent.h"
#include "vault/status.h"

namespace sealbook::anonymizer {

absl::Status MayWrite(const policies::Policy& policy, absl::string_view role,
                      const CustomerList& list, std::size_t from) {
  for (std::size_t i = from; i < list.columns().size(); ++i) {
    const Column& column = list.columns()[i];
    if (column.field == kIgnored) continue;
    RETURN_IF_ERROR(
        policies::Require(policy, role, policies::Action::kChange, FieldWritten(column)));
  }
  return absl::OkStatus();
}

std::vector<ClassId> ReadableClasses(keyring::Keyring& keyring, const policies::Policy& policy) {
  std::vector<ClassId> readable;
  const policies::RoleRule* rule = policy.FindRole(keyring.self().role);
  if (rule == nullptr || !rule->all_contacts || !keyring.role().root_scope) return readable;
  for (const ClassId id : rule->clear) {
    if (keyring.Holds(kRootBook, id)) readable.push_back(id);
  }
  return readable;
}

bool Has(const std::vector<ClassId>& classes, ClassId id) {
  return std::find(classes.begin(), classes.end(), id) != classes.end();
}

absl::Status MayMerge(const policies::Policy& policy, const std::vector<ClassId>& readable,
                      absl::string_view role, const CustomerList& list, std::size_t from) {
  for (std::size_t i = from; i < list.columns().size(); ++i) {
    const Column& column = list.columns()[i];
    if (column.field == kIgnored) continue;
    const policies::ClassRule& rule = policy.ClassOfField(FieldWritten(column));
    if (Has(readable, rule.id)) continue;
    return WithHint(absl::PermissionDeniedError(absl::StrCat("to merge is to read, and role ", role,
                                                             " does not read ", rule.name,
                                                             " of every customer")),
                    "Let an admin run it, or leave '--on-duplicate merge' out: then known "
                    "customers stay as they are.");
  }
  return absl::OkStatus();
}

absl::Status MayWriteClasses(const policies::Policy& policy, absl::string_view role,
                             const std::vector<records::ClassFields>& classes) {
  const policies::RoleRule* rule = policy.FindRole(role);
  for (const records::ClassFields& fields : classes) {
    if (fields.class_id == ClassId::kMasked || fields.fields.empty()) continue;
    if (rule == nullptr || !Has(rule->change, fields.class_id))
      return policies::Require(policy, role, policies::Action::kChange, fields.fields[0].name);
  }
  return absl::OkStatus();
}

std::vector<ClassId> ClassesOf(const policies::Policy& policy, const CustomerList& list) {
  std::vector<ClassId> classes;
  for (const Column& column : list.columns()) {
    if (column.field == kIgnored || policies::BaseField(column.field) == records::kConsentField)
      continue;
    const ClassId id = policy.ClassOfField(FieldWritten(column)).id;
    if (!Has(classes, id)) classes.push_back(id);
  }
  if (Has(classes, ClassId::kIdentity)) classes.push_back(ClassId::kMasked);
  return classes;
}

}  // namespace sealbook::anonymizer
