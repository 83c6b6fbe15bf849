#include "vault/crypto/age_writer.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "vault/crypto/age_armor.h"
#include "vault/crypto/age_format.h"
#include "vault/crypto/age_pipeline.h"
#include "vault/crypto/random.h"
#include "vault/status.h"

namespace sealbook::crypto {

using internal::AgeBatch;
using internal::AgeKey;
using internal::kAgeChunkBytes;
using internal::kAgeSealedChunkBytes;
using internal::kAgeTagBytes;

namespace {
constexpr std::size_t kBatchPlaintextBytes = AgeBatch::kChunks * kAgeChunkBytes;
}

struct AgeWriter::PayloadKey {
  AgeKey key;
};

AgeWriter::AgeWriter(ByteSink& out, const AgeWriterOptions& options) : out_(out) {
  if (options.armor) armor_ = std::make_unique<internal::AgeArmorSink>(out);
}
AgeWriter::~AgeWriter() = default;

// `stanzas(file_key)` gives their text.
template <typename Stanzas>
absl::StatusOr<std::unique_ptr<AgeWriter>> AgeWriter::Create(ByteSink& out,
                                                             const AgeWriterOptions& options,
                                                             Stanzas&& stanzas) {
  if (options.armor && options.header_apart) {
    return absl::InvalidArgumentError("armor and a header apart exclude each other");
  }
  const AgeKey file_key = internal::NewAgeFileKey();
  ASSIGN_OR_RETURN(const std::string text, stanzas(file_key));
  std::string header = absl::StrCat(internal::kAgeVersionLine, "\n", text, "---");
  absl::StrAppend(&header, " ", internal::ToAgeBase64(AgeHeaderMac(file_key, header)), "\n");
  std::array<std::uint8_t, internal::kAgeNonceBytes> nonce;
  FillRandom(nonce);

  std::unique_ptr<AgeWriter> writer(new AgeWriter(out, options));
  writer->header_.assign(header.begin(), header.end());
  writer->header_.insert(writer->header_.end(), nonce.begin(), nonce.end());
  writer->key_ = std::make_unique<PayloadKey>(PayloadKey{AgePayloadKey(file_key, nonce)});
  writer->pipeline_ = std::make_unique<internal::AgePipeline>(
      options.threads, [self = writer.get()](AgeBatch& batch) { self->SealBatch(batch); });
  writer->batch_ = writer->pipeline_->Next();
  if (!options.header_apart) RETURN_IF_ERROR(writer->Write(writer->header_));
  return writer;
}

absl::StatusOr<std::unique_ptr<AgeWriter>> AgeWriter::ForRecipients(
    ByteSink& out, std::span<const ExchangePublic> recipients, const AgeWriterOptions& options) {
  if (recipients.empty()) return absl::InvalidArgumentError("an age file needs a recipient");
  if (recipients.size() > kMaxRecipients) {
    return absl::InvalidArgumentError(
        absl::StrCat("an age file for more than ", kMaxRecipients, " recipients"));
  }
  return Create(out, options, [&](const AgeKey& file_key) -> absl::StatusOr<std::string> {
    std::string text;
    for (const ExchangePublic& recipient : recipients) {
      ASSIGN_OR_RETURN(const std::string stanza, internal::WrapForX25519(file_key, recipient));
      text += stanza;
    }
    return text;
  });
}

absl::StatusOr<std::unique_ptr<AgeWriter>> AgeWriter::ForPassphrase(ByteSink& out,
                                                                    const SecretBytes& passphrase,
                                                                    const AgeWriterOptions& options,
                                                                    int work_factor) {
  if (passphrase.empty()) return absl::InvalidArgumentError("an empty passphrase");
  if (work_factor < 1 || work_factor > kMaxWorkFactor) {
    return absl::InvalidArgumentError(
        absl::StrCat("an age work factor outside 1 to ", kMaxWorkFactor));
  }
  return Create(out, options, [&](const AgeKey& file_key) {
    return internal::WrapForPassphrase(file_key, passphrase.ExposeBytes(), work_factor);
  });
}

absl::Status AgeWriter::Write(ByteView bytes) {
  return status_ = armor_ != nullptr ? armor_->Append(bytes) : out_.Append(bytes);
}

absl::Status AgeWriter::Append(ByteView bytes) {
  RETURN_IF_ERROR(status_);
  if (finished_) return absl::FailedPreconditionError("an age file is finished already");
  while (!bytes.empty()) {
    // A full batch waits for more, since it might be the last.
    if (plaintext_bytes_ == kBatchPlaintextBytes) RETURN_IF_ERROR(Submit(/*last=*/false));
    batch_->Allocate(/*with_opened=*/false);
    const std::size_t in_chunk = plaintext_bytes_ % kAgeChunkBytes;
    const std::size_t size = std::min(kAgeChunkBytes - in_chunk, bytes.size());
    const std::size_t at = plaintext_bytes_ / kAgeChunkBytes * kAgeSealedChunkBytes + in_chunk;
    std::copy_n(bytes.begin(), size,
                batch_->sealed.ExposeMutable().begin() + static_cast<std::ptrdiff_t>(at));
    plaintext_bytes_ += size;
    bytes = bytes.subspan(size);
  }
  return absl::OkStatus();
}

absl::Status AgeWriter::Finish() {
  RETURN_IF_ERROR(status_);
  if (finished_) return absl::FailedPreconditionError("an age file is finished already");
  finished_ = true;
  RETURN_IF_ERROR(Submit(/*last=*/true));
  while (const AgeBatch* const done = pipeline_->Oldest()) RETURN_IF_ERROR(WriteOldest(*done));
  return armor_ != nullptr ? status_ = armor_->Finish() : absl::OkStatus();
}

absl::Status AgeWriter::Submit(bool last) {
  batch_->Allocate(/*with_opened=*/false);  // an empty file has an empty chunk
  batch_->last = last;
  batch_->first_chunk = next_chunk_;
  const std::size_t chunks =
      std::max<std::size_t>(1, (plaintext_bytes_ + kAgeChunkBytes - 1) / kAgeChunkBytes);
  batch_->sealed_bytes = plaintext_bytes_ + chunks * kAgeTagBytes;
  next_chunk_ += chunks;
  plaintext_bytes_ = 0;
  pipeline_->Submit();
  while (const AgeBatch* const done = pipeline_->OldestIfDone()) {
    RETURN_IF_ERROR(WriteOldest(*done));
  }
  while ((batch_ = pipeline_->Next()) == nullptr)
    RETURN_IF_ERROR(WriteOldest(*pipeline_->Oldest()));
  return absl::OkStatus();
}

absl::Status AgeWriter::WriteOldest(const AgeBatch& batch) {
  RETURN_IF_ERROR(Write(batch.sealed.ExposeBytes().first(batch.sealed_bytes)));
  pipeline_->Release();
  return absl::OkStatus();
}

void AgeWriter::SealBatch(AgeBatch& batch) const {
  std::span<std::uint8_t> rest = batch.sealed.ExposeMutable().first(batch.sealed_bytes);
  for (std::uint64_t number = batch.first_chunk; !rest.empty(); ++number) {
    const std::span<std::uint8_t> chunk = rest.first(std::min(rest.size(), kAgeSealedChunkBytes));
    rest = rest.subspan(chunk.size());
    internal::SealAgeChunk(key_->key, number, batch.last && rest.empty(), chunk);
  }
}

}  // namespace sealbook::crypto
