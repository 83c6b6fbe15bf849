// What the tests of age files share: plaintexts, sinks and sources that are in memory and can be
// told to fail, and a whole file written or read at once.
#pragma once

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "vault/crypto/age_reader.h"
#include "vault/crypto/age_writer.h"
#include "vault/status.h"

namespace sealbook::crypto {

inline constexpr std::size_t kAgeChunk = 65536, kAgeTag = 16;
// scrypt in no time, which guards nothing.
inline constexpr int kInsecureTestWorkFactor = 2;

// No chunk of it is like another.
inline Bytes AgePattern(std::size_t size) {
  Bytes bytes(size);
  for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::uint8_t>(i * 7 + i / 65536);
  return bytes;
}

class MemorySink : public ByteSink {
 public:
  absl::Status Append(ByteView more) override {
    if (bytes.size() + more.size() > room) return absl::ResourceExhaustedError("the disk is full");
    bytes.insert(bytes.end(), more.begin(), more.end());
    return absl::OkStatus();
  }
  Bytes bytes;
  std::size_t room = SIZE_MAX;
};

// At most `piece` bytes at a time; an Unavailable error behind `error_at`.
inline AgeSource SourceOf(ByteView file, std::size_t piece = SIZE_MAX,
                          std::size_t error_at = SIZE_MAX) {
  return [file, piece, error_at,
          at = std::size_t{0}](std::span<std::uint8_t> out) mutable -> absl::StatusOr<std::size_t> {
    if (at >= error_at) return absl::UnavailableError("the source fails");
    const std::size_t size = std::min({out.size(), piece, file.size() - at, error_at - at});
    std::copy_n(file.begin() + static_cast<std::ptrdiff_t>(at), size, out.begin());
    at += size;
    return size;
  };
}

// `status` and how far it came: with an error of Open() nothing can have been released.
struct AgeOutcome {
  bool opened = false;
  absl::Status status;
  Bytes released;
};
inline AgeOutcome ReadAge(AgeSource source, const AgeReaderOptions& options,
                          std::optional<std::size_t> piece = std::nullopt) {
  AgeOutcome outcome;
  absl::StatusOr<std::unique_ptr<AgeReader>> reader = AgeReader::Open(std::move(source), options);
  outcome.status = reader.status();
  if (!reader.ok()) return outcome;
  outcome.opened = true;
  if (!piece.has_value()) {
    MemorySink sink;
    outcome.status = (*reader)->CopyTo(sink);
    outcome.released = std::move(sink.bytes);
    return outcome;
  }
  Bytes buffer(*piece);
  while (true) {
    const absl::StatusOr<std::size_t> size = (*reader)->Read(buffer);
    outcome.status = size.status();
    if (!size.ok() || *size == 0) return outcome;
    outcome.released.insert(outcome.released.end(), buffer.begin(),
                            buffer.begin() + static_cast<std::ptrdiff_t>(*size));
  }
}

inline absl::StatusOr<Bytes> WriteAge(std::span<const ExchangePublic> recipients,
                                      ByteView plaintext, const AgeWriterOptions& options,
                                      std::size_t piece = SIZE_MAX) {
  MemorySink sink;
  ASSIGN_OR_RETURN(const auto writer, AgeWriter::ForRecipients(sink, recipients, options));
  while (!plaintext.empty()) {
    const std::size_t size = std::min(plaintext.size(), piece);
    RETURN_IF_ERROR(writer->Append(plaintext.first(size)));
    plaintext = plaintext.subspan(size);
  }
  RETURN_IF_ERROR(writer->Finish());
  return std::move(sink.bytes);
}

inline std::vector<ExchangePair> OneIdentity() {
  std::vector<ExchangePair> identities;
  identities.push_back(ExchangePair::Generate());
  return identities;
}

}  // namespace sealbook::crypto
