#include "anonymizer/letter_models.h"

#include <unicode/uchar.h>
#include <unicode/uscript.h>

#include <algorithm>
#include <cmath>

#include "anonymizer/frequent_letters.h"

namespace sealbook::anonymizer {
namespace {

constexpr double kBad = -18;
constexpr double kRare = -14;
constexpr double kNoiseByte = -4.9;

bool IsAsciiLetter(char32_t c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool IsUpper(char32_t c) { return u_isupper(static_cast<UChar32>(c)) != 0; }
bool IsLower(char32_t c) { return u_islower(static_cast<UChar32>(c)) != 0; }
bool IsLetter(char32_t c) { return u_isalpha(static_cast<UChar32>(c)) != 0; }
bool IsHangul(char32_t c) { return c >= 0xac00 && c <= 0xd7a3; }
bool IsHan(char32_t c) { return (c >= 0x3400 && c <= 0x9fff) || (c >= 0x20000 && c <= 0x3ffff); }
bool IsKana(char32_t c) { return c >= 0x3041 && c <= 0x30fe; }
bool IsHalfKana(char32_t c) { return c >= 0xff61 && c <= 0xff9f; }

// The same for all, so that bytes taken for half a letter by one decoding count in the others.
double Ascii(char32_t c) {
  if (c >= 'a' && c <= 'z') return -3.0;
  if ((c >= 'A' && c <= 'Z')) return -3.6;
  if (c >= '0' && c <= '9') return -3.0;
  return -3.8;
}

double Symbol(char32_t c) {
  switch (c) {
    case 0x3001:
    case 0x3002:
    case 0xff0c:
    case 0xff08:
    case 0xff09:
    case 0xff1a:
    case 0x00b7:
    case 0x3000:
      return -7;
    default:
      break;
  }
  if (c >= 0xff01 && c <= 0xff5e) return -9;
  if ((c >= 0x2010 && c <= 0x203b) || (c >= 0x3008 && c <= 0x3011)) return -10;
  if (c == 0x2605 || c == 0x2606 || c == 0x25cb || c == 0x25cf || c == 0x20ac) return -10;
  return kRare;
}

double Ranked(const LetterFrequencies& letters, char32_t c, double first, double second) {
  const auto found = letters.rank.find(c);
  if (found == letters.rank.end()) return 0;
  return found->second == 1 ? std::log(first / static_cast<double>(letters.first))
                            : std::log(second / static_cast<double>(letters.second));
}

// In double bytes of the national sets the first rows hold the common letters.
bool IsKsSyllable(const Letter& letter) {
  return letter.bytes[0] >= 0xb0 && letter.bytes[0] <= 0xc8 && letter.bytes[1] >= 0xa1;
}

double Korean(const Letter& letter, bool in_utf8) {
  const char32_t c = letter.character;
  if (const double ranked = Ranked(KoreanLetters(), c, 0.5, 0.38); ranked != 0) return ranked;
  if (IsHangul(c)) return in_utf8 ? -11 : IsKsSyllable(letter) ? -9.8 : -16.7;
  if (c >= 0x3131 && c <= 0x318e) return -9;
  return IsHan(c) ? kRare : Symbol(c);
}

double Simplified(const Letter& letter, bool in_utf8) {
  const char32_t c = letter.character;
  if (const double ranked = Ranked(SimplifiedLetters(), c, 0.42, 0.44); ranked != 0) return ranked;
  if (!IsHan(c)) return Symbol(c);
  if (in_utf8) return -12;
  const bool gb2312 = letter.size == 2 && letter.bytes[0] >= 0xb0 && letter.bytes[1] >= 0xa1;
  if (gb2312 && letter.bytes[0] <= 0xd7) return -9.9;
  return gb2312 && letter.bytes[0] <= 0xf7 ? -12.7 : -15.5;
}

double Traditional(const Letter& letter, bool in_big5) {
  const char32_t c = letter.character;
  if (const double ranked = Ranked(TraditionalLetters(), c, 0.42, 0.44); ranked != 0) return ranked;
  if (!IsHan(c)) return Symbol(c);
  if (!in_big5) return -12;
  return letter.bytes[0] >= 0xa4 && letter.bytes[0] <= 0xc6 ? -10.4 : -13.8;
}

double Japanese(const Letter& letter, const Letter* before, std::uint8_t last_common_lead) {
  const char32_t c = letter.character;
  if (const double ranked = Ranked(JapaneseLetters(), c, 0.3, 0.25); ranked != 0) return ranked;
  if (IsKana(c)) return -6;
  if (IsHalfKana(c)) return before != nullptr && IsHalfKana(before->character) ? -4.5 : -7;
  if (!IsHan(c)) return Symbol(c);
  return letter.bytes[0] <= last_common_lead ? -9.9 : kRare;
}

// Letters beyond ASCII of one language, small ones.
constexpr std::u32string_view kWesternLanguages[] = {
    U"áéíóúñü",         // Spanish
    U"áâãçéêíóôõúàü",   // Portuguese
    U"éèêëàâçîïôûùüœ",  // French
    U"äöüß",            // German
    U"àèéìòù",          // Italian
    U"äöåéü",           // Swedish, Finnish
    U"æøåéö",           // Danish, Norwegian
    U"áéíóúýþæöð",      // Icelandic
    U"éëïöüáèó",        // Dutch
    U"àèéíïòóúüç",      // Catalan
};
constexpr std::u32string_view kCentralLanguages[] = {
    U"ąćęłńóśźż", U"áčďéěíňóřšťúůýžäľĺôŕ", U"áéíóöőúüű", U"ăâîşţ", U"čćđšž",
};
constexpr std::u32string_view kTurkishLanguages[] = {U"çğıöşüâî"};

bool IsVowel(char32_t c) {
  static constexpr std::u32string_view kVowels = U"aeiouyAEIOUYáéíóúãâêôàõ";
  return kVowels.find(c) != std::u32string_view::npos;
}

// Code pages 1252 and 1250 share many bytes; where they do not, the languages' spelling tells.
bool Stands(char32_t small, char32_t behind) {
  switch (small) {
    case U'õ':  // ő in Hungarian
      return behind == U'e' || behind == U'E';
    case U'ã':  // ă in Romanian
      return IsVowel(behind) || !IsLetter(behind);
    case U'ñ':
      return IsVowel(behind);
    case U'ń':
      return !IsVowel(behind);
    case U'ì':  // ě, ů, ň
    case U'ù':
    case U'ò':
      return !IsLetter(behind);
    default:
      return true;
  }
}

double LatinLetter(std::u32string_view language, char32_t c, std::span<const Letter> cell,
                   std::size_t at) {
  const char32_t before = at > 0 ? cell[at - 1].character : U' ';
  const char32_t behind = at + 1 < cell.size() ? cell[at + 1].character : U' ';
  const auto small = static_cast<char32_t>(u_tolower(static_cast<UChar32>(c)));
  if (!IsLetter(c)) {
    if (c == 0x2019 || c == 0xa0 || c == 0xba || c == 0xaa || c == 0xb0 || c == 0x20ac) return -6;
    if (c == 0xab || c == 0xbb || c == 0xbf || c == 0xa1 || (c >= 0x2013 && c <= 0x2026))
      return IsLetter(before) && IsLetter(behind) ? -12 : -7;
    return -12;
  }
  double score = -7;
  if (language.find(small) != std::u32string_view::npos || c == U'İ') {
    score = -2.8;
    if (!Stands(small, behind)) score = -7;
    // ã in Portuguese, or the very frequent ă.
    if (small == U'ã' && !IsLetter(behind)) score = -4.2;
  }
  if (IsUpper(c)) {
    score -= 0.6;
    if (IsLower(before)) score -= 6;
  }
  // Most letters beside one of these are plain ones.
  if (before >= 0x80) {
    const auto small_before = static_cast<char32_t>(u_tolower(static_cast<UChar32>(before)));
    const bool both = score > -4 && language.find(small_before) != std::u32string_view::npos;
    score -= both ? 1.5 : 3;
  } else if (!IsAsciiLetter(before) && !IsAsciiLetter(behind)) {
    score -= 3;
  }
  return score;
}

// Word by word, since a list has customers of several languages.
double Latin(std::span<const std::u32string_view> languages, std::span<const Letter> cell) {
  double sum = 0;
  for (std::size_t from = 0; from < cell.size();) {
    std::size_t to = from;
    while (to < cell.size() && cell[to].character != U' ' && cell[to].character != U'-') ++to;
    if (to < cell.size()) ++to;
    double best = -1e9;
    for (const std::u32string_view language : languages) {
      // Its own letters are those of Turkish on code page 1254, which is met more often.
      double word = language.find(U'þ') != std::u32string_view::npos ? -1.6 : 0;
      for (std::size_t i = from; i < to; ++i) {
        const char32_t c = cell[i].character;
        word += c == 0 ? kBad : c < 0x80 ? Ascii(c) : LatinLetter(language, c, cell, i);
      }
      best = std::max(best, word);
    }
    sum += best;
    from = to;
  }
  return sum;
}

// A script of one byte a letter: words of it are of nothing else, and begin with its capitals.
double Alphabet(std::span<const Letter> cell, double letter) {
  double sum = 0;
  char32_t before = U' ';
  for (const Letter& one : cell) {
    const char32_t c = one.character;
    if (c == 0) {
      sum += kBad;
    } else if (c < 0x80) {
      sum += Ascii(c) - (IsAsciiLetter(c) && before >= 0x80 ? 3 : 0);
    } else if (u_hasBinaryProperty(static_cast<UChar32>(c), UCHAR_ALPHABETIC) != 0 ||
               u_getIntPropertyValue(static_cast<UChar32>(c), UCHAR_CANONICAL_COMBINING_CLASS) !=
                   0) {
      sum += letter;
      if (c < 0x250) sum -= 8;  // a Latin letter that this page has besides
      if (IsUpper(c)) sum -= IsLower(before) ? 6 : IsUpper(before) ? 0.7 : 0;
      if (IsAsciiLetter(before)) sum -= 3;
    } else {
      sum += -12;
    }
    before = c;
  }
  return sum;
}

double OtherInUtf8(char32_t c, char32_t before) {
  const auto character = static_cast<UChar32>(c);
  if (c < 0xa0 || (c >= 0xe000 && c < 0xf900) || u_isdefined(character) == 0) return kBad;
  if (c < 0xc0) return -7;
  if (c < 0x180) return c == 0xd7 || c == 0xf7 ? -9 : c < 0x100 ? -3.5 : -5;
  if (c == 0x1a0 || c == 0x1a1 || c == 0x1af || c == 0x1b0 || (c >= 0x218 && c <= 0x21b)) return -5;
  if (c < 0x370) return -10;
  if (IsHan(c)) return -9;
  if (IsHangul(c)) return -8;
  if (IsKana(c)) return -6;
  UErrorCode error = U_ZERO_ERROR;
  const UScriptCode script = uscript_getScript(character, &error);
  if (script == USCRIPT_COMMON || script == USCRIPT_INHERITED) return -8;
  return script == uscript_getScript(static_cast<UChar32>(before), &error) ? -4.3 : -7;
}

// A cell of a few letters that begins with a surname is a name.
double NameBonus(const LetterFrequencies& letters, std::span<const Letter> cell, bool hangul) {
  std::size_t count = 0;
  for (const Letter& letter : cell) {
    if (letter.character == U' ') continue;
    if (hangul ? !IsHangul(letter.character) : !IsHan(letter.character)) return 0;
    ++count;
  }
  if (count < 2 || count > 4 || !letters.surnames.contains(cell[0].character)) return 0;
  return count == 4 ? 0.7 : 1.8;
}

double InsideLatin(char32_t neighbour) {
  if (neighbour >= 'a' && neighbour <= 'z') return 2.5;
  return neighbour >= 'A' && neighbour <= 'Z' ? 1 : 0;
}

template <typename Cost>
double Sum(std::span<const Letter> cell, const Cost& cost) {
  double sum = 0;
  for (std::size_t i = 0; i < cell.size(); ++i) {
    const char32_t c = cell[i].character;
    if (c == 0) {
      sum += kBad;
    } else if (c < 0x80) {
      sum += Ascii(c);
    } else {
      const Letter* before = i > 0 ? &cell[i - 1] : nullptr;
      sum += cost(cell[i], before);
      // Words of these scripts and of Latin letters keep a distance, mostly.
      if (before != nullptr) sum -= InsideLatin(before->character);
      if (i + 1 < cell.size()) sum -= InsideLatin(cell[i + 1].character);
    }
  }
  return sum;
}

double KoreanCell(std::span<const Letter> cell, bool in_utf8) {
  return Sum(cell, [&](const Letter& letter, const Letter*) { return Korean(letter, in_utf8); }) +
         NameBonus(KoreanLetters(), cell, true);
}

double SimplifiedCell(std::span<const Letter> cell, bool in_utf8) {
  return Sum(cell,
             [&](const Letter& letter, const Letter*) { return Simplified(letter, in_utf8); }) +
         NameBonus(SimplifiedLetters(), cell, false);
}

double TraditionalCell(std::span<const Letter> cell, bool in_big5) {
  return Sum(cell,
             [&](const Letter& letter, const Letter*) { return Traditional(letter, in_big5); }) +
         NameBonus(TraditionalLetters(), cell, false);
}

double Utf8(std::span<const Letter> cell) {
  const double other = Sum(cell, [](const Letter& letter, const Letter* before) {
    return OtherInUtf8(letter.character, before == nullptr ? U' ' : before->character);
  });
  return std::max(
      {other, KoreanCell(cell, true), SimplifiedCell(cell, true), TraditionalCell(cell, false)});
}

}  // namespace

double Plausibility(LetterModel model, std::span<const Letter> cell) {
  const auto japanese = [&](std::uint8_t last_common_lead) {
    return Sum(cell, [&](const Letter& letter, const Letter* before) {
      return Japanese(letter, before, last_common_lead);
    });
  };
  switch (model) {
    case LetterModel::kKorean:
      return KoreanCell(cell, false);
    case LetterModel::kSimplified:
      return SimplifiedCell(cell, false);
    case LetterModel::kTraditionalInGbk:
      return TraditionalCell(cell, false);
    case LetterModel::kTraditional:
      return TraditionalCell(cell, true);
    case LetterModel::kShiftJis:
      return japanese(0x98);
    case LetterModel::kEucJp:
      return japanese(0xcf);
    case LetterModel::kWestern:
      return Latin(kWesternLanguages, cell);
    case LetterModel::kCentralEuropean:
      return Latin(kCentralLanguages, cell);
    case LetterModel::kTurkish:
      return Latin(kTurkishLanguages, cell);
    case LetterModel::kAlphabet:
      return Alphabet(cell, -3.5);
    case LetterModel::kThai:
      return Alphabet(cell, -4.4);
    case LetterModel::kUtf8:
      return Utf8(cell);
  }
  return 0;
}

double PlausibilityOfNoise(std::span<const std::uint8_t> cell) {
  double sum = 0;
  for (const std::uint8_t byte : cell) sum += byte < 0x80 ? Ascii(byte) : kNoiseByte;
  return sum;
}

}  // namespace sealbook::anonymizer
