#include "anonymizer/name_notes.h"

#include <unicode/uchar.h>
#include <unicode/unistr.h>
#include <unicode/uscript.h>
#include <unicode/ustring.h>

#include <algorithm>
#include <optional>
#include <vector>

#include "absl/strings/str_cat.h"

namespace sealbook::anonymizer {
namespace {

using icu::UnicodeString;

UnicodeString Text(absl::string_view utf8) {
  return UnicodeString::fromUTF8(
      icu::StringPiece(utf8.data(), static_cast<std::int32_t>(utf8.size())));
}
std::string Utf8(const UnicodeString& text) {
  std::string out;
  text.toUTF8String(out);
  return out;
}

enum class Script { kHangul, kHan, kLatin, kOther };
Script ScriptOf(UChar32 c) {
  UErrorCode error = U_ZERO_ERROR;
  switch (uscript_getScript(c, &error)) {
    case USCRIPT_HANGUL:
      return Script::kHangul;
    case USCRIPT_HAN:
    case USCRIPT_HIRAGANA:
    case USCRIPT_KATAKANA:
      return Script::kHan;
    case USCRIPT_LATIN:
      return Script::kLatin;
    default:
      return Script::kOther;
  }
}
bool IsAll(const UnicodeString& text, Script script) {
  for (std::int32_t i = 0; i < text.length(); i = text.moveIndex32(i, 1)) {
    const UChar32 c = text.char32At(i);
    if (!u_isUWhiteSpace(c) && ScriptOf(c) != script) return false;
  }
  return !text.isEmpty();
}
bool IsOneOf(UChar32 c, const char16_t* set) { return u_strchr32(set, c) != nullptr; }

// What stands between a name and what was noted behind it.
constexpr const char16_t* kSeparators = u"-–—―−－~～:：/／|｜,，、;；_•→>＞";
constexpr const char16_t* kOpening = u"(（[［【〔{<〈《";
constexpr const char16_t* kClosing = u")）]］】〕}>〉》";

UnicodeString Trimmed(UnicodeString text) {
  std::int32_t begin = 0, end = text.length();
  const auto idle = [&](UChar c) { return u_isUWhiteSpace(c) || IsOneOf(c, kSeparators); };
  while (begin < end && idle(text[begin])) ++begin;
  while (end > begin && idle(text[end - 1])) --end;
  return UnicodeString(text, begin, end - begin);
}
UnicodeString WithoutBlanksAtEnds(UnicodeString text) { return text.trim(); }

// Behind a name. `close`: no name ends so, so that a blank behind it is enough of a separator.
struct Ending {
  const char16_t* word;
  bool close;
};
constexpr Ending kKoreanEndings[] = {
    {u"씨", true},      {u"님", true},        {u"여사", true},    {u"고객", false},
    {u"선생", false},   {u"사장", false},     {u"대표", false},   {u"원장", false},
    {u"실장", false},   {u"팀장", false},     {u"과장", false},   {u"부장", false},
    {u"이사", false},   {u"교수", false},     {u"기사", false},   {u"회장", false},
    {u"점장", false},   {u"매니저", false},   {u"어머니", false}, {u"아버지", false},
    {u"엄마", false},   {u"아빠", false},     {u"언니", false},   {u"오빠", false},
    {u"누나", false},   {u"형", false},       {u"이모", false},   {u"삼촌", false},
    {u"할머니", false}, {u"할아버지", false}, {u"아들", false},   {u"딸", false},
    {u"며느리", false}, {u"사위", false},     {u"남편", false},   {u"아내", false},
    {u"와이프", false}, {u"부인", false},     {u"동생", false},   {u"친구", false},
    {u"지인", false},   {u"맘", false},       {u"양", false},     {u"군", false},
    {u"커플", false},   {u"부부", false}};
constexpr Ending kChineseEndings[] = {
    {u"先生", true},  {u"女士", true},  {u"小姐", true},  {u"太太", true},  {u"老师", true},
    {u"老師", true},  {u"师傅", true},  {u"師傅", true},  {u"经理", true},  {u"經理", true},
    {u"老板", true},  {u"老闆", true},  {u"医生", true},  {u"醫生", true},  {u"さん", true},
    {u"様", true},    {u"总", false},   {u"總", false},   {u"哥", false},   {u"姐", false},
    {u"阿姨", false}, {u"叔叔", false}, {u"妈妈", false}, {u"媽媽", false}, {u"爸爸", false},
    {u"奶奶", false}, {u"爷爷", false}, {u"爺爺", false}, {u"夫人", false}, {u"朋友", false}};
constexpr const char16_t* kWesternTitles[] = {
    u"mr",   u"mrs",   u"ms",     u"miss", u"dr",  u"prof",  u"sir", u"madam", u"mdm", u"herr",
    u"frau", u"señor", u"señora", u"sr",   u"sra", u"bapak", u"ibu", u"pak",   u"bu"};
constexpr const char16_t* kWesternRelations[] = {
    u"mother", u"mom",     u"mum",      u"father", u"dad",    u"wife", u"husband",
    u"sister", u"brother", u"daughter", u"son",    u"friend", u"aunt", u"uncle"};

// "김 씨", "지민 엄마", "王女士": one to five letters of a name, and an ending.
bool EndsAsAName(const UnicodeString& head, bool close_only) {
  const auto fits = [&](const Ending& ending, Script script) {
    const UnicodeString word(ending.word);
    if ((close_only && !ending.close) || !head.endsWith(word)) return false;
    UnicodeString name(head, 0, head.length() - word.length());
    name.trim();
    constexpr std::int32_t kLongestName = 8;  // "외국인 이름"
    return !name.isEmpty() && name.length() <= kLongestName && IsAll(name, script);
  };
  return std::any_of(std::begin(kKoreanEndings), std::end(kKoreanEndings),
                     [&](const Ending& e) { return fits(e, Script::kHangul); }) ||
         std::any_of(std::begin(kChineseEndings), std::end(kChineseEndings),
                     [&](const Ending& e) { return fits(e, Script::kHan); });
}

std::vector<UnicodeString> Words(const UnicodeString& text) {
  std::vector<UnicodeString> words;
  UnicodeString word;
  for (std::int32_t i = 0; i <= text.length(); ++i) {
    const UChar c = i < text.length() ? text[i] : u' ';
    if (!u_isUWhiteSpace(c) && !IsOneOf(c, kSeparators)) {
      word.append(c);
    } else if (!word.isEmpty()) {
      words.push_back(word);
      word.remove();
    }
  }
  return words;
}

// "Mrs. Kim", "Anna's mother": a title in front, or a relation at the end.
bool IsWesternAddress(const UnicodeString& head) {
  if (!IsAll(UnicodeString(head).findAndReplace(u".", u"").findAndReplace(u"'", u""),
             Script::kLatin))
    return false;
  std::vector<UnicodeString> words =
      Words(UnicodeString(head).findAndReplace(u".", u" ").toLower());
  if (words.size() < 2 || words.size() > 5) return false;
  const auto is = [](const UnicodeString& word) {
    return [&word](const char16_t* other) { return word == UnicodeString(other); };
  };
  return std::any_of(std::begin(kWesternTitles), std::end(kWesternTitles), is(words.front())) ||
         std::any_of(std::begin(kWesternRelations), std::end(kWesternRelations), is(words.back()));
}

// A full Korean or Chinese name without any address: a family name, and one to three letters.
bool IsShortEasternName(const UnicodeString& head) {
  constexpr const char16_t* kFamilyNames =
      u"김이박최정강조윤장임한오서신권황안송류전홍고문양손배백허유남심노하곽성차주우구민진나지엄채"
      u"원천방공현함변염"
      u"여추도소석선설마길연위표명기반왕금옥육인맹제모"
      u"王李张張刘劉陈陳杨楊赵趙黄黃周吴吳徐孙孫胡朱高林何郭马馬罗羅梁宋郑鄭谢謝韩韓唐冯馮于董萧蕭"
      u"程曹袁邓鄧许許"
      u"傅沈曾彭吕呂苏蘇卢盧蒋蔣蔡贾賈丁魏薛叶葉阎余潘杜戴夏钟鍾汪田任姜范范方石姚谭譚廖邹鄒熊金陆"
      u"陸郝孔白崔康毛邱";
  const std::int32_t letters = head.countChar32();
  return letters >= 2 && letters <= 4 &&
         (IsAll(head, Script::kHangul) || IsAll(head, Script::kHan)) && head.indexOf(u' ') < 0 &&
         IsOneOf(head.char32At(0), kFamilyNames);
}

// Several words in several parts: "지성-여드름 에센스".
bool IsTopicInParts(const UnicodeString& topic) {
  const bool parts = std::any_of(topic.getBuffer(), topic.getBuffer() + topic.length(),
                                 [](UChar c) { return IsOneOf(c, kSeparators); });
  return parts && Words(topic).size() >= 3 && !IsAll(topic, Script::kLatin);
}

struct Cut {
  std::int32_t name_end, note_begin;
};

std::optional<Cut> CutAtSeparator(const UnicodeString& text) {
  for (std::int32_t i = 1; i + 1 < text.length(); ++i) {
    const bool separator = IsOneOf(text[i], kSeparators);
    if (!separator && !u_isUWhiteSpace(text[i])) continue;
    UnicodeString head = WithoutBlanksAtEnds(UnicodeString(text, 0, i));
    const UnicodeString topic = Trimmed(UnicodeString(text, i + 1));
    if (head.isEmpty() || topic.isEmpty()) continue;
    if (!separator) {
      // "김서연님 지성 피부"; what follows a blank may be a separator or the ending itself.
      if (EndsAsAName(head, true) && !EndsAsAName(WithoutBlanksAtEnds(text), true))
        return Cut{i, i};
      continue;
    }
    if (EndsAsAName(head, false)) return Cut{i, i};
    const bool apart =
        u_isUWhiteSpace(text[i - 1]) || u_isUWhiteSpace(text[i + 1]) || text[i] != u'-';
    if (apart && IsWesternAddress(head)) return Cut{i, i};
    if (IsShortEasternName(head) && IsTopicInParts(topic)) return Cut{i, i};
    return std::nullopt;  // the first separator is the one behind the name
  }
  return std::nullopt;
}

// "김서연 (단골)", "[VIP] 김서연"; not "김서연 (Kim Seoyeon)" or "김서연(金瑞姸)", which are names.
std::optional<SplitName> CutBrackets(const UnicodeString& text) {
  const bool in_front = IsOneOf(text[0], kOpening);
  if (!in_front && !IsOneOf(text[text.length() - 1], kClosing)) return std::nullopt;
  std::int32_t open = 0, close = text.length() - 1;
  if (in_front) {
    while (close > 0 && !IsOneOf(text[close], kClosing)) --close;
    for (std::int32_t i = 1; i < text.length(); ++i) {
      if (IsOneOf(text[i], kClosing)) {
        close = i;
        break;
      }
    }
    if (close <= 1) return std::nullopt;
  } else {
    open = close;
    while (open > 0 && !IsOneOf(text[open], kOpening)) --open;
    if (open == 0) return std::nullopt;
  }
  const UnicodeString inside = WithoutBlanksAtEnds(UnicodeString(text, open + 1, close - open - 1));
  UnicodeString rest(text);
  rest.replaceBetween(open, close + 1, UnicodeString());
  rest = WithoutBlanksAtEnds(rest);
  if (rest.isEmpty() || inside.isEmpty()) return std::nullopt;
  // A branch, or who runs it: this is a shop.
  if (inside.endsWith(u"점") || inside.startsWith(u"대표") || inside.endsWith(u"店"))
    return std::nullopt;
  const bool eastern = IsShortEasternName(rest);
  // Without an address or an Eastern name nothing says that this is a person.
  if (!eastern && !EndsAsAName(rest, false) && !IsWesternAddress(rest)) return std::nullopt;
  if (!in_front) {
    if (IsAll(inside, Script::kLatin)) return std::nullopt;
    if (IsAll(rest, Script::kHangul) && IsAll(inside, Script::kHan)) return std::nullopt;
    if (IsAll(rest, Script::kHan) && IsAll(inside, Script::kHangul) && inside.countChar32() <= 4)
      return std::nullopt;
  }
  return SplitName{Utf8(rest), Utf8(inside)};
}

// Most names hold no separator and no bracket, and a byte tells: ASCII, or the first byte of those
// of other scripts. A blank is one behind an Eastern name only.
bool MayHoldNote(absl::string_view utf8) {
  bool blank = false, foreign = false;
  for (const char c : utf8) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte == ' ') blank = true;
    if (byte >= 0x80) foreign = true;
    if (byte == 0xe2 || byte == 0xe3 || byte == 0xef ||
        absl::string_view("-~:/|,;_>)]}").find(c) != absl::string_view::npos)
      return true;
  }
  return blank && foreign;
}

}  // namespace

SplitName SplitNameNote(absl::string_view utf8) {
  const SplitName whole{std::string(utf8), ""};
  if (!MayHoldNote(utf8)) return whole;
  const UnicodeString text = Text(utf8);
  constexpr std::int32_t kShortest = 4, kLongest = 2000;
  if (text.length() < kShortest || text.length() > kLongest) return whole;
  if (const auto cut = CutAtSeparator(text)) {
    return {Utf8(WithoutBlanksAtEnds(UnicodeString(text, 0, cut->name_end))),
            Utf8(Trimmed(UnicodeString(text, cut->note_begin)))};
  }
  return CutBrackets(text).value_or(whole);
}

}  // namespace sealbook::anonymizer
