// What the role of whoever imports must allow, and which classes a list is about. JSON Lines bring
// columns as they go: `from` is the first that was not looked at yet.
#pragma once

#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "anonymizer/customer_list.h"
#include "policies/policy.h"
#include "vault/keyring/keyring.h"

namespace sealbook::anonymizer {

bool Has(const std::vector<ClassId>& classes, ClassId id);

// PermissionDenied: a column is of a class that the role may not write.
absl::Status MayWrite(const policies::Policy& policy, absl::string_view role,
                      const CustomerList& list, std::size_t from = 0);
// The same of one row: its notes and consents may be of a class that no column is of.
absl::Status MayWriteClasses(const policies::Policy& policy, absl::string_view role,
                             const std::vector<records::ClassFields>& classes);

// Classes that this member reads of every contact: the policy and the keys say so.
std::vector<ClassId> ReadableClasses(keyring::Keyring& keyring, const policies::Policy& policy);
// To merge is to read. PermissionDenied: a column is of a class that is not among `readable`.
absl::Status MayMerge(const policies::Policy& policy, const std::vector<ClassId>& readable,
                      absl::string_view role, const CustomerList& list, std::size_t from = 0);

// What replacing replaces: the classes that the list has columns for, without those of consents,
// which are evidence and are put beside what is there.
std::vector<ClassId> ClassesOf(const policies::Policy& policy, const CustomerList& list);

}  // namespace sealbook::anonymizer
