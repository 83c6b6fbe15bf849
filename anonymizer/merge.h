// What a known customer becomes by one more row of a list: the two ways of records::Combine.
#pragma once

#include <vector>

#include "policies/policy.h"
#include "vault/records/contact_writer.h"

namespace sealbook::anonymizer {

// Both leave the row's mark (records::kRowField) of a known customer as it is, make the masked
// class again where identity changes, and leave out what belongs to a class that is not in
// `opened`: it cannot be put beside what nobody can read, and is counted in Combined::left.

// Fills fields that the customer has no value for, adds identifiers, notes beside them
// (`phone_note`, `name_note`) and consents that are not there. Nothing that is there is changed,
// and a row that brings nothing changes nothing.
records::Combined Merge(const policies::Policy& policy, const std::vector<ClassId>& opened,
                        const std::vector<records::ClassFields>& now,
                        const std::vector<records::ClassFields>& draft);

// Writes `replaced`, the classes that the list has columns for, as the row has them; consents that
// are there stay where they can be read. What the row has of other classes (notes beside a number,
// consents) is put beside what is there.
records::Combined Replace(const policies::Policy& policy, const std::vector<ClassId>& opened,
                          const std::vector<ClassId>& replaced,
                          const std::vector<records::ClassFields>& now,
                          const std::vector<records::ClassFields>& draft);

}  // namespace sealbook::anonymizer
