// What the packer and the opener of chat chunks share: the columns' marks and numbers
// (docs/format.md, "Chat chunk").
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>

#include "vault/crypto/bytes.h"
#include "vault/crypto/secret.h"
#include "vault/records/chat_codec.h"
#include "vault/records/message_id.h"

namespace sealbook::records::internal {

// Of the packing byte. The other bits are the number of the dictionary, 0 for texts as they are.
inline constexpr std::uint8_t kWholeMinutes = 0x80;
inline constexpr std::int64_t kSecondsOfMinute = 60;
// Ends each text: no UTF-8 holds it.
inline constexpr std::uint8_t kTextEnd = 0xff;
// zstd's magic number, the same in every frame and so left out of chunks.
inline constexpr std::uint8_t kMagic[] = {0x28, 0xb5, 0x2f, 0xfd};

bool IsUtf8(ByteView text);
// The day of a time, before 1970 too.
std::int64_t FloorDay(std::int64_t time);

// What messages of one chunk often share: direction, kind, edited, to_the_minute, the id's form;
// author; the id's head.
struct Voice {
  std::uint8_t marks = 0;
  ByteView author, id_head;

  static std::uint8_t MarksOf(const ChatEntry& entry, IdForm form) {
    return static_cast<std::uint8_t>(
        static_cast<unsigned>(entry.direction) | static_cast<unsigned>(entry.kind) << 2 |
        unsigned{entry.edited} << 4 | unsigned{entry.to_the_minute} << 5 |
        static_cast<unsigned>(form) << 6);
  }
  ChatDirection direction() const { return static_cast<ChatDirection>(marks & 3); }  // or 3: none
  ChatKind kind() const { return static_cast<ChatKind>(marks >> 2 & 3); }
  bool edited() const { return (marks >> 4 & 1) != 0; }
  bool to_the_minute() const { return (marks >> 5 & 1) != 0; }
  IdForm id_form() const { return static_cast<IdForm>(marks >> 6); }

  bool operator==(const Voice& other) const {
    return marks == other.marks && std::ranges::equal(author, other.author) &&
           std::ranges::equal(id_head, other.id_head);
  }
};
// How many bits tell `count` voices apart.
inline unsigned IndexBits(std::size_t count) {
  return static_cast<unsigned>(std::bit_width(count - 1));
}

// As protobuf's sint64: small numbers of either sign stay small.
inline std::uint64_t ZigZag(std::int64_t value) {
  return (static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63);
}
inline std::int64_t UnZigZag(std::uint64_t value) {
  return static_cast<std::int64_t>(value >> 1) ^ -static_cast<std::int64_t>(value & 1);
}

// Holds what is in the clear while a chunk is made or read, in memory that does not move while it
// fills.
class Scratch {
 public:
  Scratch() = default;
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() { Wipe(); }
  // Empty, with room for `size` bytes.
  crypto::Bytes& Begin(std::size_t size) {
    Wipe();
    bytes_.reserve(size);
    return bytes_;
  }
  void Wipe() {
    crypto::Wipe(bytes_.data(), bytes_.size());
    bytes_.clear();
  }

 private:
  crypto::Bytes bytes_;
};

}  // namespace sealbook::records::internal
