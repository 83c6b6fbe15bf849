// Writes an archive: contact after contact in the order of their numbers, as the vault's tables
// have them, of each one its chunks in the order of day and sequence, each behind the key that it
// needs.
//
//   ASSIGN_OR_RETURN(auto writer, ArchiveWriter::Open(file, recipients, header));
//   RETURN_IF_ERROR(writer->BeginContact(contact));
//   if (!writer->HasKey(chunk.session)) RETURN_IF_ERROR(writer->AddKey(key));
//   RETURN_IF_ERROR(writer->AddChunk(chunk));
//   ASSIGN_OR_RETURN(const FinishedArchive done, writer->Finish());
//
// Nothing is opened here and no key is needed but the recipients' public ones.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "vault/archive/archive_digest.h"
#include "vault/archive/archive_format.h"
#include "vault/byte_sink.h"
#include "vault/crypto/age_writer.h"
#include "vault/crypto/hash.h"

namespace sealbook::archive {

struct FinishedArchive {
  ArchiveTotals totals;
  ArchiveDigest digest;
};

// One thread calls it, and that thread calls the sink, which must outlive the writer. Memory: 8
// MiB, 32 bytes a contact, and 32 for each 64 KiB written. A frame is never held.
class ArchiveWriter {
 public:
  // InvalidArgument: no or too many recipients, or one of small order; a run below 1, or days out
  // of order. Otherwise the sink's errors. `threads`: 1, or 2 for a second one that encrypts.
  static absl::StatusOr<std::unique_ptr<ArchiveWriter>> Open(
      ByteSink& out, std::span<const crypto::ExchangePublic> recipients,
      const ArchiveHeader& header, int threads = 2);
  ArchiveWriter(const ArchiveWriter&) = delete;
  ArchiveWriter& operator=(const ArchiveWriter&) = delete;
  ~ArchiveWriter();  // what was not finished stays so, and opens for nobody to its end

  // All of these: DataLoss for what no vault holds (numbers out of range, a subject key of small
  // order, a chunk of a size that none has; by Finish a token twice): rows that were tampered with.
  // FailedPrecondition: out
  // of order, twice, a contact without chunks, a chunk without its key or outside the header's
  // days. ResourceExhausted: more than an archive holds. Otherwise the sink's. Errors stick.
  absl::Status BeginContact(const ArchiveContact& contact);
  // Whether the key of a session can be used by a chunk now. A contact's later keys take the place
  // of those that were added kKeySlots before, which can be added again.
  bool HasKey(std::int64_t session) const { return slots_.contains(session); }
  absl::Status AddKey(const ArchiveKey& key);
  absl::Status AddChunk(const ArchiveChunk& chunk);
  absl::StatusOr<FinishedArchive> Finish();

  // Of all contacts so far.
  const ArchiveTotals& totals() const { return totals_; }
  // Of the file so far, some 8 MiB behind at most.
  std::uint64_t plaintext_bytes() const { return offset_; }

 private:
  struct IndexEntry {
    std::int64_t token;
    ContactNumber contact;
    std::uint64_t offset, length;
  };

  ArchiveWriter(ByteSink& out, const ArchiveHeader& header);
  absl::Status Write(ByteView bytes);
  absl::Status EndContact();
  absl::Status Sticky(absl::Status status);

  const ArchiveHeader header_;
  DigestSink digest_;
  std::unique_ptr<crypto::AgeWriter> age_;
  std::unique_ptr<crypto::LabeledHash> content_;
  ArchiveTotals totals_;
  std::vector<IndexEntry> index_;
  std::uint64_t offset_ = 0;

  // The contact that is written.
  bool in_contact_ = false, finished_ = false;
  std::uint64_t keys_ = 0, chunks_ = 0, messages_ = 0;
  std::int32_t last_day_ = 0;
  std::int64_t last_sequence_ = 0;
  std::vector<std::int64_t> slot_sessions_;                // by slot
  absl::flat_hash_map<std::int64_t, std::uint8_t> slots_;  // by session
  absl::Status status_;
};

}  // namespace sealbook::archive
