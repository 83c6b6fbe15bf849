#include "vault/crypto/age_reader.h"

#include <algorithm>
#include <cstdlib>

#include "vault/crypto/age_armor.h"
#include "vault/crypto/age_format.h"
#include "vault/crypto/age_header.h"
#include "vault/crypto/age_pipeline.h"
#include "vault/status.h"

namespace sealbook::crypto {

using internal::AgeBatch;
using internal::AgeHeader;
using internal::AgeKey;
using internal::kAgeChunkBytes;
using internal::kAgeSealedChunkBytes;
using internal::kAgeTagBytes;

struct AgeReader::PayloadKey {
  AgeKey key;
};

namespace {

constexpr std::size_t kFullBatchBytes = AgeBatch::kChunks * kAgeSealedChunkBytes;

}  // namespace

AgeReader::AgeReader() = default;
AgeReader::~AgeReader() = default;

absl::StatusOr<std::unique_ptr<AgeReader>> AgeReader::Open(AgeSource source,
                                                           const AgeReaderOptions& options) {
  auto input = std::make_unique<internal::AgeInput>(std::move(source));
  RETURN_IF_ERROR(input->Start());
  ASSIGN_OR_RETURN(const AgeHeader header, internal::ReadAgeHeader(*input));
  ASSIGN_OR_RETURN(const AgeKey file_key, internal::OpenAgeHeader(header, options));
  std::array<std::uint8_t, internal::kAgeNonceBytes> nonce;
  ASSIGN_OR_RETURN(const std::size_t nonce_bytes, input->Read(nonce));
  if (nonce_bytes != nonce.size()) {
    return absl::InvalidArgumentError("an age file is cut short behind its header");
  }

  std::unique_ptr<AgeReader> reader(new AgeReader);
  reader->input_ = std::move(input);
  reader->key_ = std::make_unique<PayloadKey>(PayloadKey{AgePayloadKey(file_key, nonce)});
  reader->pipeline_ = std::make_unique<internal::AgePipeline>(
      options.threads, [self = reader.get()](AgeBatch& batch) { self->OpenBatch(batch); });
  return reader;
}

absl::Status AgeReader::Fill(AgeBatch& batch) {
  batch.Allocate(/*with_opened=*/true);
  std::span<std::uint8_t> room = batch.sealed.ExposeMutable();  // a batch and one byte
  std::size_t filled = 0;
  if (has_carried_) room[filled++] = carried_;
  ASSIGN_OR_RETURN(const std::size_t size, input_->Read(room.subspan(filled)));
  filled += size;
  has_carried_ = filled == room.size();
  if (has_carried_) carried_ = room.back();
  batch.last = !has_carried_;
  batch.sealed_bytes = std::min(filled, kFullBatchBytes);
  batch.first_chunk = next_chunk_;
  next_chunk_ += AgeBatch::kChunks;
  return absl::OkStatus();
}

void AgeReader::OpenBatch(AgeBatch& batch) const {
  batch.opened_bytes = 0;
  batch.status = absl::OkStatus();
  ByteView rest = batch.sealed.ExposeBytes().first(batch.sealed_bytes);
  std::uint8_t* out = batch.opened.ExposeMutable().data();
  for (std::uint64_t number = batch.first_chunk;; ++number) {
    const ByteView chunk = rest.first(std::min(rest.size(), kAgeSealedChunkBytes));
    rest = rest.subspan(chunk.size());
    const bool at_end = batch.last && rest.empty();
    if (chunk.size() < kAgeTagBytes || (chunk.size() == kAgeTagBytes && number > 0)) {
      // Only an empty file has an empty chunk: a file has one form.
      batch.status = absl::DataLossError("an age file is cut short");
      return;
    }
    bool opened = internal::OpenAgeChunk(key_->key, number, at_end, chunk, out);
    // A whole chunk that opens under the other mark is authentic, but not the file around it.
    if (!opened && chunk.size() == kAgeSealedChunkBytes &&
        internal::OpenAgeChunk(key_->key, number, !at_end, chunk, out)) {
      opened = true;
      batch.status = at_end ? absl::DataLossError("an age file is cut short")
                            : absl::DataLossError("something stands behind the end of an age file");
    }
    if (!opened) {
      batch.status = absl::DataLossError("an age file was altered or cut short");
      return;
    }
    out += chunk.size() - kAgeTagBytes;
    batch.opened_bytes += chunk.size() - kAgeTagBytes;
    if (!batch.status.ok() || rest.empty()) return;
  }
}

absl::StatusOr<ByteView> AgeReader::Next() {
  RETURN_IF_ERROR(status_);
  while (rest_.empty()) {
    if (holding_) {
      AgeBatch& done = *pipeline_->Oldest();
      if (!done.status.ok()) return status_ = done.status;
      if (done.last) return ByteView();
      pipeline_->Release();
      holding_ = false;
    }
    while (!filled_last_ && input_status_.ok()) {
      AgeBatch* const batch = pipeline_->Next();
      if (batch == nullptr) break;
      input_status_ = Fill(*batch);
      if (!input_status_.ok()) break;
      filled_last_ = batch->last;
      pipeline_->Submit();
    }
    const AgeBatch* const done = pipeline_->Oldest();
    if (done == nullptr) return status_ = input_status_;
    holding_ = true;
    rest_ = done->opened.ExposeBytes().first(done->opened_bytes);
  }
  return rest_;
}

absl::StatusOr<std::size_t> AgeReader::Read(std::span<std::uint8_t> out) {
  if (out.empty()) std::abort();  // the answer could not be told from the end
  ASSIGN_OR_RETURN(const ByteView next, Next());
  const std::size_t size = std::min(next.size(), out.size());
  std::copy_n(next.begin(), size, out.begin());
  rest_ = rest_.subspan(size);
  return size;
}

absl::Status AgeReader::CopyTo(ByteSink& out) {
  while (true) {
    ASSIGN_OR_RETURN(const ByteView next, Next());
    if (next.empty()) return absl::OkStatus();
    const absl::Status appended = out.Append(next);
    if (!appended.ok()) return status_ = appended;
    rest_ = {};
  }
}

}  // namespace sealbook::crypto
