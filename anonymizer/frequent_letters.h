// The letters that lists of customers are mostly written in: names, places, headers, short notes.
// By them an encoding is told from others (anonymizer/encoding_detection.cc). May be called from
// any thread.
#pragma once

#include <cstddef>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"

namespace sealbook::anonymizer {

struct LetterFrequencies {
  // 1: the most frequent ones, 2: the next. Others are not in it.
  absl::flat_hash_map<char32_t, int> rank;
  absl::flat_hash_set<char32_t> surnames;  // that are one letter, as they begin a name
  std::size_t first = 0, second = 0;       // how many have rank 1 and 2
};
const LetterFrequencies& KoreanLetters();
const LetterFrequencies& SimplifiedLetters();
const LetterFrequencies& TraditionalLetters();
const LetterFrequencies& JapaneseLetters();  // kanji

}  // namespace sealbook::anonymizer
