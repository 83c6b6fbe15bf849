// Reads an archive where it stands: one contact without the rest, or all of it.
//
//   ASSIGN_OR_RETURN(const ArchiveSignature signature,
//                    ArchiveSignature::Verify(sig, name, authority));
//   ASSIGN_OR_RETURN(auto reader, ArchiveReader::Open(source, identities, signature));
//   ASSIGN_OR_RETURN(const auto entry, reader->Find(token));
//   if (entry.has_value()) RETURN_IF_ERROR(reader->EachChunk(*entry, visit));
//
// Whatever is given out was signed: each block of the file is compared with its hash in the
// signature before it is decrypted. A file that was cut, altered or exchanged is DataLoss.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "vault/archive/archive_format.h"
#include "vault/archive/archive_signature.h"
#include "vault/crypto/age_range_reader.h"

namespace sealbook::archive {

namespace internal {
class ArchiveCursor;
}  // namespace internal

// Where a contact's frame stands.
struct ArchiveEntry {
  std::int64_t token = 0;
  ContactNumber contact = 0;
  std::uint64_t offset = 0, length = 0;  // in the plaintext
  friend bool operator==(const ArchiveEntry&, const ArchiveEntry&) = default;
};

// A chunk and its key. The views and the reference are good during the call.
struct ArchivedChunk {
  ArchiveChunk chunk;
  const ArchiveKey& key;
};
// An error ends the reading and is given back.
using ChunkVisitor = std::function<absl::Status(const ArchiveContact&, const ArchivedChunk&)>;

// One thread calls it, and that thread calls the source. `signature` must outlive the reader.
// Memory: some 9 MiB, whatever the archive's size; where all contacts are read, 32 bytes for each
// besides (at most 32 MiB).
// Every call: DataLoss for what the archive cannot hold; the source's errors.
class ArchiveReader {
 public:
  // Reads header and footer.
  // Unauthenticated: the identities do not open it. DataLoss: it is not the file that was signed,
  // or what is inside does not fit the signature.
  static absl::StatusOr<std::unique_ptr<ArchiveReader>> Open(
      const crypto::RandomAccess& source, std::span<const crypto::ExchangePair> identities,
      const ArchiveSignature& signature);
  static absl::StatusOr<std::unique_ptr<ArchiveReader>> Open(
      const crypto::RandomAccess& source, std::span<const crypto::ExchangePair> identities,
      ArchiveSignature&& signature) = delete;
  ArchiveReader(const ArchiveReader&) = delete;
  ArchiveReader& operator=(const ArchiveReader&) = delete;
  ~ArchiveReader();

  const ArchiveHeader& header() const { return signature_.header; }
  const ArchiveTotals& totals() const { return signature_.totals; }

  // Binary search: some 64 KiB for each halving of the index beyond its last 2,048 contacts.
  absl::StatusOr<std::optional<ArchiveEntry>> Find(std::int64_t token);
  // The index in the order of frames, by contact, until `visit` gives false.
  absl::Status EachContact(const std::function<absl::StatusOr<bool>(const ArchiveEntry&)>& visit);
  // A contact's chunks in the order of day and sequence. Reads its frame and nothing else.
  absl::Status EachChunk(const ArchiveEntry& entry, const ChunkVisitor& visit);

  // Everything: frames, index, footer, their order and sums, the hash over all of it. `visit` gets
  // every chunk (null: none), before the end is known to be right.
  absl::Status VerifyAll(const ChunkVisitor& visit = nullptr);

 private:
  ArchiveReader(std::unique_ptr<crypto::AgeRangeReader> age, const ArchiveSignature& signature);
  absl::Status ReadFooter();
  absl::Status ReadHeader();
  absl::StatusOr<ArchiveEntry> EntryAt(std::uint64_t position);
  absl::StatusOr<std::vector<ArchiveEntry>> ReadIndex();
  absl::Status CheckEntry(const ArchiveEntry& entry) const;
  absl::Status ReadFrame(internal::ArchiveCursor& cursor, const ArchiveEntry& entry,
                         const ChunkVisitor& visit, ArchiveTotals& totals);

  std::unique_ptr<crypto::AgeRangeReader> age_;
  const ArchiveSignature& signature_;
  std::uint64_t frames_at_ = 0, index_at_ = 0, footer_at_ = 0;
  crypto::Hash256 content_hash_{};
};

}  // namespace sealbook::archive
