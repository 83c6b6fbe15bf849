// How plausible letters are that came out of a decoding, as logarithms of probabilities (natural,
// rough): of two decodings of the same bytes the one with the larger sum is the likelier one. May
// be called from any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace sealbook::anonymizer {

// One character of a cell, or bytes that are none.
struct Letter {
  char32_t character = 0;  // 0: no text
  std::uint8_t bytes[2]{};
  std::uint8_t size = 0;
};

enum class LetterModel {
  kKorean,
  kSimplified,
  kTraditionalInGbk,
  kTraditional,
  kShiftJis,
  kEucJp,
  kWestern,          // Latin letters of Western Europe
  kCentralEuropean,  // of the languages that code page 1250 is for
  kTurkish,
  kAlphabet,  // any other script, one byte a letter
  kThai,
  kUtf8,  // any language
};

double Plausibility(LetterModel model, std::span<const Letter> cell);
// What the same bytes are worth where nothing at all is known of them.
double PlausibilityOfNoise(std::span<const std::uint8_t> cell);

}  // namespace sealbook::anonymizer
