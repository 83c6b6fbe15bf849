// What the bytes of an encoding without Unicode in its name mean, one sequence at a time. The
// tables are made from ICU's converters once in a process and never change; they may be read from
// any thread. Besides the encodings that are read, those that must be recognised to be refused have
// one.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/strings/string_view.h"
#include "anonymizer/encodings.h"

namespace sealbook::anonymizer {

class CodeTable {
 public:
  // A sequence that begins with a byte from 0x80 on. `character` 0: it is no text, and `bytes` of
  // it are given up; ASCII behind a bad lead byte never is among them, so that a line end or a
  // delimiter survives a character that was cut. `bytes` 0: the rest of the character is missing.
  struct Sequence {
    char32_t character;
    std::size_t bytes;
  };
  Sequence Read(const std::uint8_t* bytes, std::size_t size) const {
    const std::size_t lead = bytes[0] - 0x80u;
    if (const char32_t single = single_[lead]; single != 0) return {single, 1};
    if (!is_lead_[lead]) return {0, 1};
    if (size < 2) return {0, 0};
    if (const char32_t pair = pairs_[lead << 8 | bytes[1]]; pair != 0) return {pair, 2};
    return ReadLong(bytes, size);
  }

  // One of the encodings that are read, but not UTF-8 and UTF-16.
  static const CodeTable& Of(Encoding encoding);
  // ICU's names: of a converter whose characters have one or two bytes, and of another that is
  // asked where the first has no character. Places for letters of one's own are no characters,
  // since only the program that wrote them knows what they are.
  explicit CodeTable(const char* converter, const char* supplement = nullptr);

 private:
  struct Gb18030 {};
  explicit CodeTable(Gb18030);
  void AddPairs(const char* converter, bool keep_private);
  Sequence ReadLong(const std::uint8_t* bytes, std::size_t size) const;

  std::array<char32_t, 128> single_{};
  std::array<bool, 128> is_lead_{};
  std::vector<char32_t> pairs_;  // by lead byte - 0x80 and trail byte
  // Of GB18030: characters of four bytes in their order, up to U+FFFF.
  std::vector<char16_t> four_bytes_;
};

}  // namespace sealbook::anonymizer
