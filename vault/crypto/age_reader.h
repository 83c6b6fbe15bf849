// Reads age v1 files (C2SP age.md), binary or armored (told apart by themselves), of any size:
// sealed to X25519 recipients or with a passphrase. What other age implementations seal to other
// kinds of recipients as well is read where one stanza is ours.
//
//   ASSIGN_OR_RETURN(auto reader, AgeReader::Open(source, {.identities = identities}));
//   RETURN_IF_ERROR(reader->CopyTo(sink));
//
// Nothing unauthenticated is ever released: the header's MAC is checked before the first chunk is
// read, and each chunk of 64 KiB is released only after its tag, in order. A file that is damaged
// or cut further on has been released up to there when the error comes: whoever must not act on a
// part waits for the end.
#pragma once

#include <functional>
#include <memory>
#include <span>

#include "absl/status/statusor.h"
#include "vault/byte_sink.h"
#include "vault/crypto/exchange.h"

namespace sealbook::crypto {

namespace internal {
class AgeInput;
class AgePipeline;
struct AgeBatch;
}  // namespace internal

// Gives the next bytes of a file: at least one and at most as many as there is room for, 0 at its
// end.
using AgeSource = std::function<absl::StatusOr<std::size_t>(std::span<std::uint8_t>)>;

struct AgeReaderOptions {
  std::span<const ExchangePair> identities;  // needed for Open() alone
  const SecretBytes* passphrase = nullptr;   // needed for Open() alone
  // A file may ask 2^max_work_factor KiB of memory and as much time (18 takes a second or so). At
  // least 1, at most 30.
  int max_work_factor = 22;
  // 1, or 2 for a second thread that decrypts while the caller's reads and writes.
  int threads = 2;
};

// One thread calls it, and that thread calls the source. Memory: 16 MiB at most with two threads.
class AgeReader {
 public:
  static constexpr std::size_t kMaxHeaderBytes = 256 * 1024;
  static constexpr std::size_t kMaxStanzas = 1024;

  // Reads the header.
  // InvalidArgument: not an age v1 file: a malformed header or armor, a stanza that is not what its
  // type asks (a share of small order, a passphrase beside a recipient), a work factor above the
  // option's, more than the limits above.
  // Unauthenticated: neither the identities nor the passphrase open it.
  // DataLoss: the header's MAC is wrong: it was altered.
  // ResourceExhausted: not the memory that the file's work factor asks. Otherwise the source's.
  static absl::StatusOr<std::unique_ptr<AgeReader>> Open(AgeSource source,
                                                         const AgeReaderOptions& options);
  AgeReader(const AgeReader&) = delete;
  AgeReader& operator=(const AgeReader&) = delete;
  ~AgeReader();  // wipes

  // The next plaintext: at least one byte, at most `out` has room for (at least one); 0 at the end
  // of the file, which was whole then.
  // DataLoss: altered, cut short or with something behind its end. InvalidArgument: broken armor.
  // Otherwise the source's. An error sticks.
  absl::StatusOr<std::size_t> Read(std::span<std::uint8_t> out);
  // All the rest. The same errors, or the sink's.
  absl::Status CopyTo(ByteSink& out);

 private:
  struct PayloadKey;

  AgeReader();
  // Moves on to the next plaintext that is not empty: none at the end.
  absl::StatusOr<ByteView> Next();
  absl::Status Fill(internal::AgeBatch& batch);
  void OpenBatch(internal::AgeBatch& batch) const;

  std::unique_ptr<internal::AgeInput> input_;
  std::unique_ptr<PayloadKey> key_;
  ByteView rest_;  // of the oldest batch
  bool holding_ = false;
  // What was read behind the last full batch, to know whether there is more.
  bool has_carried_ = false;
  std::uint8_t carried_ = 0;
  std::uint64_t next_chunk_ = 0;
  bool filled_last_ = false;
  absl::Status input_status_;
  absl::Status status_;
  std::unique_ptr<internal::AgePipeline> pipeline_;  // goes first: its thread uses the rest
};

}  // namespace sealbook::crypto
