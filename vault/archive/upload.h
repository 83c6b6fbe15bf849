// Getting a file to a destination over lines that break, and back again.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "vault/archive/destination.h"

namespace sealbook::archive {

struct UploadOptions {
  int attempts = 5;  // connections that are tried, at least 1
  // Before the second one; twice that before the next, up to max_wait.
  absl::Duration first_wait = absl::Seconds(2), max_wait = absl::Minutes(1);
  std::function<void(absl::Duration)> sleep;  // default: absl::SleepFor
  // After every piece, and at the beginning of an attempt: bytes of the file that were handed over.
  std::function<void(std::uint64_t)> progress;
};

struct Uploaded {
  std::uint64_t bytes = 0;    // the file's
  std::uint64_t resumed = 0;  // of these, what stood there before this call
  int attempts = 0;           // connections that it took
};

using DestinationOpener = std::function<absl::StatusOr<std::unique_ptr<Destination>>()>;

// Brings the local file `from` to `path`. Each attempt opens a connection of its own and goes on at
// the size that is there. It verifies nothing: read it back, on another connection.
// kOutOfRange: the last attempt's error; or a larger file has that name, at once. Not tried again:
// what WorthRetrying() says no to. Internal, DataLoss: the local file cannot be read, or changed
// its size meanwhile.
absl::StatusOr<Uploaded> RetryingUpload(const DestinationOpener& open, const std::string& from,
                                        absl::string_view path, const UploadOptions& options = {});

// The same for a few bytes in memory (a signature, a shard), without a connection of their own: a
// new file, finished. Where the name is taken by exactly these bytes or a beginning of them, that
// counts as this call's own earlier work. kOutOfRange: it holds something else under that name.
absl::Status PutSmall(Destination& destination, absl::string_view path, ByteView bytes);

// Hands all of `path` to `sink`, in order. NotFound. kOutOfRange: it has another size than
// `expected_bytes`, before anything is read; or it ends before. Otherwise the sink's errors.
absl::Status ReadBack(Destination& destination, absl::string_view path,
                      std::uint64_t expected_bytes, ByteSink& sink);
// A whole small file. NotFound. kOutOfRange: larger than `max_bytes`.
absl::StatusOr<std::string> GetSmall(Destination& destination, absl::string_view path,
                                     std::size_t max_bytes);

}  // namespace sealbook::archive
