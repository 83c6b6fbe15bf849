// The dictionaries of chat chunks, made from their files by cmake/Embed.cmake. Read them through
// ChatDictionary.
#pragma once

#include <cstddef>
#include <cstdint>

namespace sealbook::records::internal {

extern const std::uint8_t kChatDictionary1[];
extern const std::size_t kChatDictionary1Bytes;

}  // namespace sealbook::records::internal
