// The pace of those who write much beside people who look customers up.
#pragma once

#include "absl/time/time.h"

namespace sealbook::archive {

// How long the write lock is held at a time, and how long it is let go in between, so that a lookup
// waits no longer for its row of the log.
inline constexpr absl::Duration kLockTime = absl::Milliseconds(20);
inline constexpr absl::Duration kLockPause = absl::Milliseconds(2);

}  // namespace sealbook::archive
