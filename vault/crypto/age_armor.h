// The armor of age files: PEM as C2SP age.md has it, strict. Used by AgeWriter and AgeReader alone.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "vault/byte_sink.h"
#include "vault/crypto/age_format.h"
#include "vault/crypto/age_reader.h"

namespace sealbook::crypto::internal {

// Writes what is appended as armor into another sink. Finish() closes it.
class AgeArmorSink : public ByteSink {
 public:
  explicit AgeArmorSink(ByteSink& out) : out_(out) {}
  absl::Status Append(ByteView bytes) override;
  absl::Status Finish();

 private:
  void AppendLine(ByteView bytes);

  ByteSink& out_;
  Bytes rest_;  // of a line that is not full
  std::string line_, text_;
  bool started_ = false;
};

// The bytes of an age file, out of its armor where it stands in one.
class AgeInput {
 public:
  explicit AgeInput(AgeSource source) : source_(std::move(source)), buffer_(kBufferBytes) {}

  // Looks at the beginning. Errors: the source's, and InvalidArgument for a wrong first line.
  absl::Status Start();
  // Fills `out` as far as the file goes: less than asked is its end.
  // InvalidArgument: the armor is broken or cut short. Errors stick.
  absl::StatusOr<std::size_t> Read(std::span<std::uint8_t> out);

 private:
  static constexpr std::size_t kBufferBytes = 64 * 1024;
  static constexpr std::size_t kMaxBlanks = 1024;  // around the armor; stock age's limit, too

  ByteView Buffered() const { return ByteView(buffer_).subspan(begin_, end_ - begin_); }
  absl::Status Fill(std::size_t wanted);  // buffers that many bytes, or all that there are
  absl::StatusOr<std::size_t> ReadSource(std::span<std::uint8_t> out);
  absl::StatusOr<std::size_t> ReadBinary(std::span<std::uint8_t> out);
  absl::StatusOr<std::size_t> ReadArmor(std::span<std::uint8_t> out);
  // The next line without its end; the view is good until the next call.
  absl::StatusOr<absl::string_view> Line();
  absl::Status DecodeLine();
  absl::Status CheckEnd();

  AgeSource source_;
  Bytes buffer_;
  std::size_t begin_ = 0, end_ = 0;
  bool source_ended_ = false;
  bool armored_ = false, armor_ended_ = false;
  std::array<std::uint8_t, kAgeLineBytes> decoded_{};
  std::size_t decoded_begin_ = 0, decoded_end_ = 0;
  absl::Status status_;
};

}  // namespace sealbook::crypto::internal
