#include "vault/keyring/roles.h"

#include <algorithm>

namespace sealbook::keyring {

bool RoleDefinition::Holds(ClassId class_id) const {
  return std::find(holds.begin(), holds.end(), class_id) != holds.end();
}

bool RoleDefinition::Writes(ClassId class_id) const {
  return std::find(writes.begin(), writes.end(), class_id) != writes.end();
}

bool RoleDefinition::MayWriteAgain(ClassId class_id) const {
  return Writes(class_id) ||
         (Has(Power::kSignRoster) && class_id != ClassId::kIndex && class_id != ClassId::kAudit);
}

}  // namespace sealbook::keyring
