#include "vault/permits.h"

#include <algorithm>

namespace sealbook {

bool ReadPermit::AllowsClear(ClassId class_id) const {
  return std::find(clear_.begin(), clear_.end(), class_id) != clear_.end();
}

bool ReadPermit::CoversAll(absl::Time now) const {
  // A clock that was set back makes a permit invalid, not longer.
  return !subject_ && now >= issued_ && now - issued_ <= kLifetime;
}

bool ReadPermit::Covers(ContactNumber contact, absl::Time now) const {
  if (subject_ && *subject_ != contact) return false;
  return now >= issued_ && now - issued_ <= kLifetime;
}

}  // namespace sealbook
