// Reads parts of a binary age v1 file (C2SP age.md) without the rest of it: each chunk of 64 KiB is
// sealed by itself, and where it stands follows from its number. Armored files are not read so.
//
//   ASSIGN_OR_RETURN(auto reader, AgeRangeReader::Open({size, read_at}, {.identities =
//   identities})); RETURN_IF_ERROR(reader->Read(offset, out));
//
// Nothing unauthenticated is ever released. Open() opens the last chunk, which is marked as the
// last one: so a file that was cut is noticed before anything is read. An altered chunk is noticed
// when it is read, and only then.
#pragma once

#include <functional>
#include <memory>
#include <span>

#include "absl/status/statusor.h"
#include "vault/crypto/exchange.h"

namespace sealbook::crypto {

// Bytes of a file by their place. `read_at` gives as many of those at `offset` as there is room
// for, or as the file has; 0 only at its end. `size` is the file's.
struct RandomAccess {
  std::uint64_t size = 0;
  std::function<absl::StatusOr<std::size_t>(std::uint64_t offset, std::span<std::uint8_t> out)>
      read_at;
};

struct AgeRangeReaderOptions {
  std::span<const ExchangePair> identities;  // needed for Open() alone
  // Where given: asked about each block of the file before it is used. Block 0 is the header with
  // the payload's nonce, block n + 1 the sealed chunk n. Its errors are given back.
  std::function<absl::Status(std::uint64_t number, ByteView block)> check;
};

// One thread calls it, and that thread calls the source. Memory: 2 MiB at most.
class AgeRangeReader {
 public:
  static constexpr std::size_t kBlockBytes = 64 * 1024 + 16;  // of a sealed chunk but the last one
  // So much plaintext is read at once, where as much is asked for.
  static constexpr std::size_t kMaxReadBytes = 1 << 20;

  // Reads the header and the last chunk.
  // InvalidArgument: not a binary age v1 file, or above AgeReader's limits.
  // Unauthenticated: the identities do not open it.
  // DataLoss: altered, or cut short. Otherwise the source's errors.
  static absl::StatusOr<std::unique_ptr<AgeRangeReader>> Open(const RandomAccess& source,
                                                              const AgeRangeReaderOptions& options);
  AgeRangeReader(const AgeRangeReader&) = delete;
  AgeRangeReader& operator=(const AgeRangeReader&) = delete;
  ~AgeRangeReader();  // wipes

  // Of the plaintext.
  std::uint64_t size() const;

  // The plaintext from `offset` on: fills `out`. The chunk read last is kept, so that small reads
  // in order read each chunk once.
  // OutOfRange: the plaintext ends before. DataLoss: a chunk was altered. Otherwise the source's.
  absl::Status Read(std::uint64_t offset, std::span<std::uint8_t> out);

 private:
  struct State;
  explicit AgeRangeReader(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace sealbook::crypto
