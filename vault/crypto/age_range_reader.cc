#include "vault/crypto/age_range_reader.h"

#include <algorithm>
#include <optional>

#include "absl/strings/match.h"
#include "vault/crypto/age_format.h"
#include "vault/crypto/age_header.h"
#include "vault/status.h"

namespace sealbook::crypto {

using internal::AgeKey;
using internal::kAgeChunkBytes;
using internal::kAgeNonceBytes;
using internal::kAgeSealedChunkBytes;
using internal::kAgeTagBytes;

namespace {

constexpr std::size_t kChunksAtOnce = AgeRangeReader::kMaxReadBytes / kAgeChunkBytes;
// A header for a few recipients takes one read.
constexpr std::size_t kHeaderReadBytes = 4096;

absl::Status CutShort() { return absl::DataLossError("an age file was altered or cut short"); }

// All of `out`. DataLoss: the file has fewer bytes than it said.
absl::Status ReadFully(const RandomAccess& source, std::uint64_t offset,
                       std::span<std::uint8_t> out) {
  while (!out.empty()) {
    ASSIGN_OR_RETURN(const std::size_t size, source.read_at(offset, out));
    if (size > out.size()) return absl::InternalError("a source gave more than it was asked for");
    if (size == 0) return absl::DataLossError("an age file is shorter than its size");
    offset += size;
    out = out.subspan(size);
  }
  return absl::OkStatus();
}

}  // namespace

struct AgeRangeReader::State {
  RandomAccess source;
  std::function<absl::Status(std::uint64_t, ByteView)> check;
  std::optional<AgeKey> key;
  std::uint64_t payload_at = 0;  // in the file
  std::uint64_t chunks = 0, size = 0;
  Bytes sealed;        // as many chunks as were ever read at once
  SecretBytes opened;  // the chunk that was read last
  std::uint64_t opened_number = 0;
  std::size_t opened_bytes = 0;

  // `block` becomes the header's bytes and the nonce.
  absl::StatusOr<internal::AgeHeader> ReadHeader(Bytes& block);
  std::size_t PlaintextOf(std::uint64_t number) const {
    return static_cast<std::size_t>(
        std::min<std::uint64_t>(kAgeChunkBytes, size - number * kAgeChunkBytes));
  }
  // Reads chunks into `sealed`, one behind the other.
  absl::Status ReadSealed(std::uint64_t first, std::size_t count);
  absl::Status OpenChunk(std::uint64_t number, ByteView sealed_chunk, std::uint8_t* plaintext);
  // Into `opened`, where it is not there yet.
  absl::Status Load(std::uint64_t number);
  absl::Status Read(std::uint64_t offset, std::span<std::uint8_t> out);
};

absl::StatusOr<internal::AgeHeader> AgeRangeReader::State::ReadHeader(Bytes& block) {
  internal::AgeInput input([&](std::span<std::uint8_t> out) -> absl::StatusOr<std::size_t> {
    out = out.first(std::min(
        {std::uint64_t{out.size()}, std::uint64_t{kHeaderReadBytes}, source.size - block.size()}));
    RETURN_IF_ERROR(ReadFully(source, block.size(), out));
    block.insert(block.end(), out.begin(), out.end());
    return out.size();
  });
  RETURN_IF_ERROR(input.Start());
  // What stands in armor, or behind blanks, has other places.
  if (!absl::StartsWith(AsText(block), internal::kAgeVersionLine)) {
    return absl::InvalidArgumentError("not a binary age file");
  }
  ASSIGN_OR_RETURN(internal::AgeHeader header, internal::ReadAgeHeader(input));
  // The text goes up to "---"; a blank, the MAC and the line's end follow.
  payload_at = header.text.size() + 1 + internal::kAgeMacCharacters + 1 + kAgeNonceBytes;
  if (source.size < payload_at + kAgeTagBytes) {
    return absl::DataLossError("an age file is cut short behind its header");
  }
  const std::size_t read = block.size();
  block.resize(static_cast<std::size_t>(payload_at));
  if (read < block.size()) {
    RETURN_IF_ERROR(ReadFully(source, read, std::span(block).subspan(read)));
  }
  if (check != nullptr) RETURN_IF_ERROR(check(0, block));
  return header;
}

absl::Status AgeRangeReader::State::ReadSealed(std::uint64_t first, std::size_t count) {
  const std::uint64_t begin = payload_at + first * kAgeSealedChunkBytes;
  const std::uint64_t end =
      std::min(source.size, payload_at + (first + count) * kAgeSealedChunkBytes);
  sealed.resize(static_cast<std::size_t>(end - begin));
  return ReadFully(source, begin, sealed);
}

absl::Status AgeRangeReader::State::OpenChunk(std::uint64_t number, ByteView sealed_chunk,
                                              std::uint8_t* plaintext) {
  if (check != nullptr) RETURN_IF_ERROR(check(number + 1, sealed_chunk));
  return internal::OpenAgeChunk(*key, number, number + 1 == chunks, sealed_chunk, plaintext)
             ? absl::OkStatus()
             : CutShort();
}

absl::Status AgeRangeReader::State::Load(std::uint64_t number) {
  if (opened_bytes > 0 && opened_number == number) return absl::OkStatus();
  if (opened.empty()) opened = SecretBytes(kAgeChunkBytes);
  opened_bytes = 0;
  RETURN_IF_ERROR(ReadSealed(number, 1));
  RETURN_IF_ERROR(OpenChunk(number, sealed, opened.ExposeMutable().data()));
  opened_number = number;
  opened_bytes = PlaintextOf(number);
  return absl::OkStatus();
}

absl::Status AgeRangeReader::State::Read(std::uint64_t offset, std::span<std::uint8_t> out) {
  while (!out.empty()) {
    const std::uint64_t number = offset / kAgeChunkBytes;
    const auto within = static_cast<std::size_t>(offset % kAgeChunkBytes);
    const auto whole = static_cast<std::size_t>(
        std::min<std::uint64_t>({out.size() / kAgeChunkBytes, kChunksAtOnce, chunks - number - 1}));
    if (within == 0 && whole > 0) {
      // Straight to where they belong; the one that is kept stays.
      RETURN_IF_ERROR(ReadSealed(number, whole));
      for (std::size_t i = 0; i < whole; ++i) {
        RETURN_IF_ERROR(OpenChunk(
            number + i, ByteView(sealed).subspan(i * kAgeSealedChunkBytes, kAgeSealedChunkBytes),
            out.data() + i * kAgeChunkBytes));
      }
      offset += whole * kAgeChunkBytes;
      out = out.subspan(whole * kAgeChunkBytes);
      continue;
    }
    RETURN_IF_ERROR(Load(number));
    const std::size_t taken = std::min(out.size(), opened_bytes - within);
    std::copy_n(opened.ExposeBytes().subspan(within).begin(), taken, out.begin());
    offset += taken;
    out = out.subspan(taken);
  }
  return absl::OkStatus();
}

AgeRangeReader::AgeRangeReader(std::unique_ptr<State> state) : state_(std::move(state)) {}
AgeRangeReader::~AgeRangeReader() = default;

absl::StatusOr<std::unique_ptr<AgeRangeReader>> AgeRangeReader::Open(
    const RandomAccess& source, const AgeRangeReaderOptions& options) {
  auto state = std::make_unique<State>();
  state->source = source;
  state->check = options.check;
  Bytes block;  // as it was read once: a source may give something else the next time
  ASSIGN_OR_RETURN(const internal::AgeHeader header, state->ReadHeader(block));
  ASSIGN_OR_RETURN(const AgeKey file_key,
                   internal::OpenAgeHeader(header, {.identities = options.identities}));
  state->key = AgePayloadKey(file_key, ByteView(block).last(kAgeNonceBytes));

  const std::uint64_t payload = source.size - state->payload_at;
  state->chunks = (payload + kAgeSealedChunkBytes - 1) / kAgeSealedChunkBytes;
  const std::uint64_t last = payload - (state->chunks - 1) * kAgeSealedChunkBytes;
  // Only an empty file has an empty chunk: a file has one form.
  if (last < kAgeTagBytes || (last == kAgeTagBytes && state->chunks > 1)) return CutShort();
  state->size = payload - state->chunks * kAgeTagBytes;
  if (state->size > 0) {
    RETURN_IF_ERROR(state->Load(state->chunks - 1));
  } else {
    RETURN_IF_ERROR(state->ReadSealed(0, 1));
    std::uint8_t nothing = 0;
    RETURN_IF_ERROR(state->OpenChunk(0, state->sealed, &nothing));
  }
  return std::unique_ptr<AgeRangeReader>(new AgeRangeReader(std::move(state)));
}

std::uint64_t AgeRangeReader::size() const { return state_->size; }

absl::Status AgeRangeReader::Read(std::uint64_t offset, std::span<std::uint8_t> out) {
  if (offset > state_->size || out.size() > state_->size - offset) {
    return absl::OutOfRangeError("that is behind the end of an age file");
  }
  return state_->Read(offset, out);
}

}  // namespace sealbook::crypto
