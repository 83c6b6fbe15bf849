// Which encoding a file without a mark is in. Each encoding is a hypothesis: the cells are decoded
// by it, and what comes out is as plausible as the letters are frequent in the language that people
// write in that encoding. Sums of logarithms are compared; encodings that are not read take part,
// so that a file in one of them is refused and not taken for another.
#include <unicode/utf8.h>

#include <algorithm>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "anonymizer/code_tables.h"
#include "anonymizer/columns.h"
#include "anonymizer/encodings.h"
#include "anonymizer/letter_models.h"
#include "vault/status.h"

namespace sealbook::anonymizer {
namespace {

// The likelihood of the best one must be this many times (e to that power) the next one's.
constexpr double kMargin = 5;
// No cell says more than this, so that the majority of cells decides: a file with a few broken or
// pasted lines is in the encoding of the others.
constexpr double kMostPerCell = 25;
constexpr double kNoisePrior = -6;
constexpr std::size_t kMaxCells = 2000;
constexpr std::size_t kMaxCellBytes = 400;
constexpr int kHeaderLines = 25;
constexpr int kMaxHeaderWords = 6;
// A file of ASCII with so few other lines is read, and those lines are its faults.
constexpr std::size_t kFewLines = 3;

struct Hypothesis {
  std::string title;
  std::optional<Encoding> encoding;  // nullopt: it is not read
  const CodeTable* table;            // nullptr: UTF-8
  LetterModel model;
  double prior;
};

const std::vector<Hypothesis>& Hypotheses() {
  static const auto* const all = [] {
    auto* out = new std::vector<Hypothesis>;
    const auto read = [&](Encoding encoding, LetterModel model, double prior) {
      const CodeTable* table = encoding == Encoding::kUtf8 ? nullptr : &CodeTable::Of(encoding);
      out->push_back({TitleOf(encoding), encoding, table, model, prior});
    };
    // Bytes that are UTF-8 by chance are rare.
    read(Encoding::kUtf8, LetterModel::kUtf8, 4);
    read(Encoding::kCp949, LetterModel::kKorean, 0);
    read(Encoding::kGbk, LetterModel::kSimplified, 0);
    read(Encoding::kGbk, LetterModel::kTraditionalInGbk, -4);
    // Behind GBK, so that a file without letters of four bytes is called by its usual name.
    read(Encoding::kGb18030, LetterModel::kSimplified, -1);
    read(Encoding::kGb18030, LetterModel::kTraditionalInGbk, -5);
    read(Encoding::kBig5, LetterModel::kTraditional, 0);
    read(Encoding::kWindows1252, LetterModel::kWestern, 0);
    const auto refuse = [&](const char* title, const char* converter, LetterModel model,
                            double prior) {
      out->push_back({title, std::nullopt, new CodeTable(converter), model, prior});
    };
    refuse("Shift_JIS", "ibm-943_P15A-2003", LetterModel::kShiftJis, -2);
    refuse("EUC-JP", "euc-jp", LetterModel::kEucJp, -2);
    refuse("Windows-1250", "windows-1250", LetterModel::kCentralEuropean, -6.5);
    refuse("Windows-1254", "windows-1254", LetterModel::kTurkish, -6.5);
    refuse("Mac Roman", "macintosh", LetterModel::kWestern, -8);
    refuse("Windows-1251", "windows-1251", LetterModel::kAlphabet, -8);
    refuse("KOI8-R", "KOI8-R", LetterModel::kAlphabet, -8);
    refuse("Windows-1253", "windows-1253", LetterModel::kAlphabet, -8);
    refuse("Windows-1255", "windows-1255", LetterModel::kAlphabet, -8);
    refuse("Windows-1256", "windows-1256", LetterModel::kAlphabet, -8);
    refuse("Windows-874", "windows-874", LetterModel::kThai, -8);
    return out;
  }();
  return *all;
}

std::vector<Letter> LettersOf(absl::string_view cell, const CodeTable* table) {
  std::vector<Letter> letters;
  const auto* in = reinterpret_cast<const std::uint8_t*>(cell.data());
  const auto size = static_cast<std::int32_t>(cell.size());
  for (std::int32_t at = 0; at < size;) {
    Letter letter{.bytes = {in[at], at + 1 < size ? in[at + 1] : std::uint8_t{0}}};
    std::int32_t next = at + 1;
    if (in[at] < 0x80) {
      letter.character = in[at];
      // A zero is no sign of bytes that are no text.
      if (in[at] == 0) letter.character = 1;
    } else if (table == nullptr) {
      UChar32 character;
      next = at;
      U8_NEXT(in, next, size, character);
      letter.character = character < 0 ? 0 : static_cast<char32_t>(character);
    } else {
      const CodeTable::Sequence sequence =
          table->Read(in + at, cell.size() - static_cast<std::size_t>(at));
      if (sequence.bytes > 0) next = at + static_cast<std::int32_t>(sequence.bytes);
      letter.character = sequence.character;
    }
    letter.size = static_cast<std::uint8_t>(next - at);
    letters.push_back(letter);
    at = next;
  }
  return letters;
}

std::string TextOf(std::span<const Letter> letters) {
  std::string out;
  for (const Letter& letter : letters) {
    char utf8[4];
    std::int32_t length = 0;
    const char32_t character = letter.character == 0 ? U'\ufffd' : letter.character;
    U8_APPEND_UNSAFE(utf8, length, character);
    out.append(utf8, static_cast<std::size_t>(length));
  }
  return out;
}

// Cells with more than ASCII, each kind of them once: a place that stands in all rows must not
// count for each of them.
struct Cells {
  std::vector<absl::string_view> all;
  std::size_t in_first_lines = 0;  // of `all`, where headers may be
  std::size_t lines = 0, foreign_lines = 0;
};

Cells CellsOf(absl::string_view sample) {
  Cells cells;
  absl::flat_hash_set<absl::string_view> seen;
  while (!sample.empty()) {
    const std::size_t end = std::min(sample.find_first_of("\r\n"), sample.size());
    absl::string_view line = sample.substr(0, end);
    const bool is_last = end == sample.size();
    sample.remove_prefix(is_last ? end : end + 1);
    if (line.empty()) continue;
    ++cells.lines;
    if (IsAscii(line)) continue;
    ++cells.foreign_lines;
    while (!line.empty()) {
      // No byte below 0x40 is a part of a letter but in GB18030, which has digits there.
      const std::size_t length = std::min(line.find_first_of(",;\t\":"), line.size());
      absl::string_view cell = line.substr(0, std::min(length, kMaxCellBytes));
      line.remove_prefix(std::min(length + 1, line.size()));
      while (!cell.empty() && cell.front() == ' ') cell.remove_prefix(1);
      while (!cell.empty() && cell.back() == ' ') cell.remove_suffix(1);
      if (IsAscii(cell) || cells.all.size() >= kMaxCells || !seen.insert(cell).second) continue;
      cells.all.push_back(cell);
      if (cells.lines <= kHeaderLines) cells.in_first_lines = cells.all.size();
    }
  }
  return cells;
}

// Calls `use` for the parts between bars, which may be trail bytes too and are cut only now.
template <typename Use>
void EachPart(std::span<const Letter> letters, const Use& use) {
  while (!letters.empty()) {
    const auto bar = std::find_if(letters.begin(), letters.end(),
                                  [](const Letter& letter) { return letter.character == U'|'; });
    const auto length = static_cast<std::size_t>(bar - letters.begin());
    use(letters.first(length));
    letters = letters.subspan(std::min(length + 1, letters.size()));
  }
}

struct Score {
  const Hypothesis* hypothesis;  // nullptr: noise
  double sum = 0;
};

std::vector<Score> ScoresOf(const Cells& cells) {
  std::vector<Score> scores;
  for (const Hypothesis& hypothesis : Hypotheses())
    scores.push_back({&hypothesis, hypothesis.prior});
  scores.push_back({nullptr, kNoisePrior});
  std::vector<int> words(scores.size());
  std::vector<double> here(scores.size());
  absl::flat_hash_set<std::string> counted;
  for (std::size_t i = 0; i < cells.all.size(); ++i) {
    const absl::string_view cell = cells.all[i];
    for (std::size_t h = 0; h < scores.size(); ++h) {
      here[h] = 0;
      if (scores[h].hypothesis == nullptr) {
        here[h] = PlausibilityOfNoise(
            std::span(reinterpret_cast<const std::uint8_t*>(cell.data()), cell.size()));
        continue;
      }
      const Hypothesis& hypothesis = *scores[h].hypothesis;
      const std::vector<Letter> letters = LettersOf(cell, hypothesis.table);
      EachPart(letters, [&](std::span<const Letter> part) {
        here[h] += Plausibility(hypothesis.model, part);
        if (i >= cells.in_first_lines || words[h] >= kMaxHeaderWords || part.size() > 20) return;
        const std::size_t foreign = static_cast<std::size_t>(std::count_if(
            part.begin(), part.end(), [](const Letter& one) { return one.character >= 0x80; }));
        const std::string text = TextOf(part);
        if (foreign == 0 || FieldOfHeader(text).empty() ||
            !counted.insert(absl::StrCat(h, " ", text)).second) {
          return;
        }
        // Known words are no chance, unless they are one letter.
        ++words[h];
        scores[h].sum += foreign == 1 && part.size() < 3 ? 3 : 10;
      });
    }
    const double best = *std::max_element(here.begin(), here.end());
    for (std::size_t h = 0; h < scores.size(); ++h)
      scores[h].sum += std::max(here[h], best - kMostPerCell);
  }
  std::sort(scores.begin(), scores.end(),
            [](const Score& a, const Score& b) { return a.sum > b.sum; });
  return scores;
}

bool SameText(const Cells& cells, const Hypothesis& a, const Hypothesis& b) {
  return std::all_of(cells.all.begin(), cells.all.end(), [&](absl::string_view cell) {
    return TextOf(LettersOf(cell, a.table)) == TextOf(LettersOf(cell, b.table));
  });
}

// UTF-16 of mostly Latin letters has its zeros on one side; without a mark, that tells it.
std::optional<Encoding> GuessUtf16(absl::string_view bytes) {
  std::size_t zeros[2] = {0, 0}, ends[2] = {0, 0}, letters = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    zeros[i % 2] += bytes[i] == '\0' ? 1 : 0;
    if (bytes[i] != '\n' && bytes[i] != '\r' && bytes[i] != ',' && bytes[i] != '\t') continue;
    ++letters;
    // The byte beside it, on the side where the high half of its unit would be.
    const std::size_t beside = i % 2 == 0 ? i + 1 : i - 1;
    if (beside < bytes.size() && bytes[beside] == '\0') ++ends[i % 2];
  }
  const std::size_t pairs = bytes.size() / 2;
  if (pairs < 4) return std::nullopt;
  // The other side has some too: U+AC00 and U+4E00 are common letters.
  if (zeros[1] * 5 > pairs && zeros[0] * 4 < zeros[1]) return Encoding::kUtf16Le;
  if (zeros[0] * 5 > pairs && zeros[1] * 4 < zeros[0]) return Encoding::kUtf16Be;
  // Of mostly other letters: nearly all line ends, commas and tabs stand beside a zero of one side.
  if (ends[0] >= 2 && ends[1] == 0 && ends[0] * 4 >= letters * 3 && zeros[1] > 2 * zeros[0])
    return Encoding::kUtf16Le;
  if (ends[1] >= 2 && ends[0] == 0 && ends[1] * 4 >= letters * 3 && zeros[0] > 2 * zeros[1])
    return Encoding::kUtf16Be;
  return std::nullopt;
}

// UTF-8 with letters of three bytes is nothing else by chance, unless they are very few.
bool IsClearlyUtf8(absl::string_view sample) {
  // A letter that was cut at the end is not looked at.
  std::size_t size = sample.size();
  for (int i = 0;
       i < 4 && size > 0 && (static_cast<unsigned char>(sample[size - 1]) & 0xc0) == 0x80; ++i)
    --size;
  if (size > 0 && static_cast<unsigned char>(sample[size - 1]) >= 0xc0 &&
      !IsUtf8(sample.substr(size - 1)))
    sample = sample.substr(0, size - 1);
  if (!IsUtf8(sample)) return false;
  std::size_t letters = 0;
  for (const char c : sample) letters += static_cast<unsigned char>(c) >= 0xe0 ? 1 : 0;
  return letters >= 4;
}

std::string HintFor(const std::vector<Encoding>& encodings) {
  std::string options;
  for (const Encoding encoding : encodings)
    absl::StrAppend(&options, options.empty() ? "" : " or ", "--encoding ", NameOf(encoding));
  return absl::StrCat("Name the encoding with ", options, "; --dry-run shows what comes out.");
}

absl::Status Refused(absl::string_view clause, absl::string_view hint) {
  return WithHint(absl::InvalidArgumentError(clause), hint);
}

constexpr absl::string_view kSaveAsUtf8 =
    "Save the list as \"CSV UTF-8\" in the program that made it, or name its encoding with "
    "--encoding.";

// English with the quotes, dashes and euro signs that Windows puts in: the same bytes in all of its
// Western code pages. Letters of two bytes would need others.
bool IsWindowsPunctuation(absl::string_view sample) {
  return std::all_of(sample.begin(), sample.end(), [](unsigned char c) {
    return c < 0x80 || c == 0x80 || c == 0x85 || (c >= 0x91 && c <= 0x97) || c == 0x99 ||
           c == 0xa0 || c == 0xa9 || c == 0xae || c == 0xb0;
  });
}

}  // namespace

absl::StatusOr<Encoding> DetectEncoding(absl::string_view sample) {
  if (const auto wide = GuessUtf16(sample)) return *wide;
  if (IsAscii(sample) || IsClearlyUtf8(sample)) return Encoding::kUtf8;
  if (IsWindowsPunctuation(sample)) return Encoding::kWindows1252;
  const Cells cells = CellsOf(sample);
  if (cells.all.empty()) return Encoding::kUtf8;
  const std::vector<Score> scores = ScoresOf(cells);
  const double best = scores.front().sum;
  // The likely ones that do not come to the same.
  std::vector<const Hypothesis*> likely;
  bool noise = false;
  for (const Score& score : scores) {
    if (score.sum < best - kMargin) break;
    if (score.hypothesis == nullptr) {
      noise = true;
      continue;
    }
    bool same = false;
    for (const Hypothesis*& other : likely) {
      if (!SameText(cells, *other, *score.hypothesis)) continue;
      same = true;
      if (!other->encoding) other = score.hypothesis;
    }
    if (!same) likely.push_back(score.hypothesis);
  }
  if (!noise && likely.size() == 1 && likely.front()->encoding) return *likely.front()->encoding;
  if (!noise && likely.size() == 1) {
    return Refused(absl::StrCat("is in ", likely.front()->title, ", which is not read"),
                   "Save the list as \"CSV UTF-8\" in the program that made it.");
  }
  std::vector<Encoding> readable;
  std::string titles;
  for (const Hypothesis* one : likely) {
    if (one->encoding) readable.push_back(*one->encoding);
    absl::StrAppend(&titles, titles.empty() ? "" : " or in ", one->title);
  }
  // ASCII with a few stray bytes: whether they are text, nothing tells.
  const bool is_noise = scores.front().hypothesis == nullptr;
  if (noise && cells.foreign_lines <= kFewLines && cells.foreign_lines * 2 < cells.lines)
    return Encoding::kUtf8;
  if (is_noise || readable.empty()) {
    return Refused(likely.empty() || noise ? "is in no encoding that can be told"
                                           : absl::StrCat("may be in ", titles),
                   kSaveAsUtf8);
  }
  return Refused(likely.size() > 1 ? absl::StrCat("may be in ", titles)
                                   : absl::StrCat("may be in ", titles, ", or in another encoding"),
                 HintFor(readable));
}

}  // namespace sealbook::anonymizer
