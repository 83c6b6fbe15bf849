#include "vault/records/chat_dictionary.h"

#include <algorithm>
#include <array>

#include "vault/records/chat_codec.h"

namespace sealbook::records {
namespace {

// By bench/chat_codec, in texts that the dictionaries do not know: level 4 takes 5 % more bytes and
// a third of the time, 9 saves half a percent, 16 saves 2 % and takes five times as long.
constexpr int kLevel = 6;

// What zstd makes of the dictionaries. A function's static is made once, whoever comes first.
template <typename Dictionary>
using Prepared = std::array<const Dictionary*, kChatDictionaries + 1>;

enum Script : std::size_t { kLatinLetters, kHangul, kKana, kHan, kArabic, kDevanagari, kOther };
constexpr std::size_t kScripts = kOther + 1;

// By the first byte of a character; E3 needs the second.
constexpr Script ScriptOf(unsigned lead) {
  if (lead >= 'A' && lead <= 'Z') return kLatinLetters;
  if (lead >= 'a' && lead <= 'z') return kLatinLetters;
  if (lead >= 0xc3 && lead <= 0xc9) return kLatinLetters;  // U+00C0 to U+024F
  if (lead >= 0xd8 && lead <= 0xdb) return kArabic;        // U+0600 to U+06FF
  if (lead >= 0xe4 && lead <= 0xe9) return kHan;           // U+4000 to U+9FFF
  if (lead >= 0xea && lead <= 0xed) return kHangul;        // U+A000 to U+DFFF
  return kOther;
}
constexpr auto kScriptOf = [] {
  std::array<Script, 256> scripts{};
  for (unsigned lead = 0; lead < scripts.size(); ++lead) scripts[lead] = ScriptOf(lead);
  return scripts;
}();

}  // namespace

ChatDictionaryNumber DictionaryFor(ByteView text) {
  // Bytes, so that a name in Latin letters counts less than a word beside it.
  std::array<std::size_t, kScripts> bytes{};
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::uint8_t lead = text[i];
    if (lead < 0x80) {
      ++bytes[kScriptOf[lead]];
      continue;
    }
    if (lead < 0xc0) continue;
    Script script = kScriptOf[lead];
    if (i + 1 < text.size()) {
      const std::uint8_t second = text[i + 1];
      if (lead == 0xe0 && (second == 0xa4 || second == 0xa5)) script = kDevanagari;
      if (lead == 0xe3 && second >= 0x81 && second <= 0x83) script = kKana;
      if (lead == 0xe3 && (second == 0x84 || second == 0x85)) script = kHangul;  // its letters
    }
    bytes[script] += lead >= 0xe0 ? 3 : 2;
  }
  const std::array<std::pair<std::size_t, ChatDictionaryNumber>, 5> choices = {
      {{bytes[kHangul], ChatDictionaryNumber::kKorean},
       // Japanese is written in both; Chinese knows no kana, but for a fashion in shops' names.
       {4 * bytes[kKana] >= bytes[kHan] ? bytes[kKana] + bytes[kHan] : 0,
        ChatDictionaryNumber::kJapanese},
       {bytes[kHan], ChatDictionaryNumber::kChinese},
       {bytes[kArabic], ChatDictionaryNumber::kArabic},
       {bytes[kDevanagari], ChatDictionaryNumber::kDevanagari}}};
  const auto best = std::ranges::max_element(
      choices, [](const auto& a, const auto& b) { return a.first < b.first; });
  return best->first > bytes[kLatinLetters] ? best->second : ChatDictionaryNumber::kLatin;
}

ByteView ChatDictionary(std::uint8_t number) {
  using namespace internal;
  switch (number) {
    case 1:
      return {kChatDictionary1, kChatDictionary1Bytes};
    case 2:
      return {kChatDictionary2, kChatDictionary2Bytes};
    case 3:
      return {kChatDictionary3, kChatDictionary3Bytes};
    case 4:
      return {kChatDictionary4, kChatDictionary4Bytes};
    case 5:
      return {kChatDictionary5, kChatDictionary5Bytes};
    case 6:
      return {kChatDictionary6, kChatDictionary6Bytes};
    default:
      return {};
  }
}

const ZSTD_CDict* PackingDictionary(ChatDictionaryNumber number) {
  static const auto* const prepared = [] {
    auto* all = new Prepared<ZSTD_CDict>{};
    for (std::uint8_t n = 1; n <= kChatDictionaries; ++n)
      (*all)[n] = ZSTD_createCDict(ChatDictionary(n).data(), ChatDictionary(n).size(), kLevel);
    return all;
  }();
  const auto n = static_cast<std::size_t>(number);
  return n < prepared->size() ? (*prepared)[n] : nullptr;
}

const ZSTD_DDict* OpeningDictionary(ChatDictionaryNumber number) {
  static const auto* const prepared = [] {
    auto* all = new Prepared<ZSTD_DDict>{};
    for (std::uint8_t n = 1; n <= kChatDictionaries; ++n)
      (*all)[n] = ZSTD_createDDict(ChatDictionary(n).data(), ChatDictionary(n).size());
    return all;
  }();
  const auto n = static_cast<std::size_t>(number);
  return n < prepared->size() ? (*prepared)[n] : nullptr;
}

}  // namespace sealbook::records
