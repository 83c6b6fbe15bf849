// The dictionaries that the texts of chat chunks are compressed with, one for each script, made
// from their files by cmake/Embed.cmake. Thread-safe; what zstd makes of a dictionary is made at
// its first use and kept for the life of the process.
#pragma once

#include <zstd.h>

#include <cstddef>
#include <cstdint>

#include "vault/crypto/bytes.h"

namespace sealbook::records {

// Numbers are permanent: they stand in sealed chunks. 0 is none: texts as they are.
enum class ChatDictionaryNumber : std::uint8_t {
  kNone = 0,
  kLatin = 1,  // and every script without one of its own
  kKorean = 2,
  kJapanese = 3,
  kChinese = 4,
  kArabic = 5,
  kDevanagari = 6,
};

// The one for the script of most of `text` (UTF-8). A guess: any dictionary gives the text back.
ChatDictionaryNumber DictionaryFor(ByteView text);

// Null: there is no such dictionary, or no memory.
const ZSTD_CDict* PackingDictionary(ChatDictionaryNumber number);
const ZSTD_DDict* OpeningDictionary(ChatDictionaryNumber number);

namespace internal {
#define SEALBOOK_DICTIONARY(name)   \
  extern const std::uint8_t name[]; \
  extern const std::size_t name##Bytes
SEALBOOK_DICTIONARY(kChatDictionary1);
SEALBOOK_DICTIONARY(kChatDictionary2);
SEALBOOK_DICTIONARY(kChatDictionary3);
SEALBOOK_DICTIONARY(kChatDictionary4);
SEALBOOK_DICTIONARY(kChatDictionary5);
SEALBOOK_DICTIONARY(kChatDictionary6);
#undef SEALBOOK_DICTIONARY
}  // namespace internal

}  // namespace sealbook::records
