// Writes age v1 files (C2SP age.md) of any size, to X25519 recipients or with a passphrase. Stock
// `age` opens them.
//
//   ASSIGN_OR_RETURN(auto writer, AgeWriter::ForRecipients(sink, recipients, {}));
//   RETURN_IF_ERROR(writer->Append(bytes));    // as often as you like
//   RETURN_IF_ERROR(writer->Finish());
//
// A file without Finish() does not open to its end: every reader calls it cut short. But what it
// has so far opens chunk by chunk. Where nobody may read a part, the header is kept apart: without
// the header's bytes (the sealed file key and the payload's nonce) what went to the sink opens for
// nobody, its recipients included.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "vault/byte_sink.h"
#include "vault/crypto/exchange.h"

namespace sealbook::crypto {

namespace internal {
class AgeArmorSink;
class AgePipeline;
struct AgeBatch;
}  // namespace internal

struct AgeWriterOptions {
  bool armor = false;  // PEM text, a third larger
  // Nothing of header() goes to the sink: whoever calls puts these bytes in front of what the sink
  // got, when the time has come. Not together with `armor`.
  bool header_apart = false;
  // 1, or 2 for a second thread that encrypts while the caller's appends and writes.
  int threads = 2;
};

// One thread calls it, and that thread calls the sink, which must outlive the writer. Memory: 8 MiB
// at most with two threads.
class AgeWriter : public ByteSink {
 public:
  static constexpr std::size_t kMaxRecipients = 20;
  static constexpr int kDefaultWorkFactor = 18, kMaxWorkFactor = 22;  // as stock `age` has them

  // Writes the header, but where it is kept apart. InvalidArgument: no or more than kMaxRecipients
  // recipients, one of small order, or armor with the header apart. Otherwise the sink's errors.
  static absl::StatusOr<std::unique_ptr<AgeWriter>> ForRecipients(
      ByteSink& out, std::span<const ExchangePublic> recipients, const AgeWriterOptions& options);
  // scrypt takes 2^work_factor KiB of memory now and whenever the file is opened.
  // InvalidArgument: an empty passphrase, a work factor outside 1 to kMaxWorkFactor, or armor with
  // the header apart. ResourceExhausted: not that memory. Otherwise the sink's errors.
  static absl::StatusOr<std::unique_ptr<AgeWriter>> ForPassphrase(
      ByteSink& out, const SecretBytes& passphrase, const AgeWriterOptions& options,
      int work_factor = kDefaultWorkFactor);
  AgeWriter(const AgeWriter&) = delete;
  AgeWriter& operator=(const AgeWriter&) = delete;
  ~AgeWriter() override;  // wipes; what was not finished stays so

  // What the file begins with: the header's text and the payload's nonce. The same from the
  // beginning on.
  ByteView header() const { return header_; }

  // The sink's errors, which stick. FailedPrecondition: after Finish().
  absl::Status Append(ByteView bytes) override;
  // Ends the file and hands all of it to the sink. The same errors.
  absl::Status Finish();

 private:
  struct PayloadKey;

  AgeWriter(ByteSink& out, const AgeWriterOptions& options);
  template <typename Stanzas>
  static absl::StatusOr<std::unique_ptr<AgeWriter>> Create(ByteSink& out,
                                                           const AgeWriterOptions& options,
                                                           Stanzas&& stanzas);
  absl::Status Write(ByteView bytes);
  // Hands the batch that is filled on, and takes finished ones from the pipeline.
  absl::Status Submit(bool last);
  absl::Status WriteOldest(const internal::AgeBatch& batch);
  void SealBatch(internal::AgeBatch& batch) const;

  ByteSink& out_;
  std::unique_ptr<internal::AgeArmorSink> armor_;
  std::unique_ptr<PayloadKey> key_;
  Bytes header_;
  internal::AgeBatch* batch_ = nullptr;  // the one that is filled
  std::size_t plaintext_bytes_ = 0;      // in it
  std::uint64_t next_chunk_ = 0;
  bool finished_ = false;
  absl::Status status_;
  std::unique_ptr<internal::AgePipeline> pipeline_;  // goes first: its thread uses the rest
};

}  // namespace sealbook::crypto
