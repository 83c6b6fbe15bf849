// Where bytes go in order: a file, an encryption, a container around either.
#pragma once

#include "absl/status/status.h"
#include "vault/ids.h"

namespace sealbook {

class ByteSink {
 public:
  virtual ~ByteSink() = default;
  // Takes all of `bytes`, or fails for good: after an error nothing more may be appended.
  virtual absl::Status Append(ByteView bytes) = 0;
};

}  // namespace sealbook
