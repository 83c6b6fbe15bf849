#include "anonymizer/identifiers.h"

#include <unicode/locid.h>
#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <array>
#include <functional>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "policies/policy.h"
#include "vault/status.h"

namespace sealbook::anonymizer {
namespace {

bool IsPlainAscii(absl::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= 0x20 && c < 0x7f) || c == '\n' || c == '\t'; });
}

bool IsDigits(absl::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == absl::string_view::npos;
}

// Marks that say how to write, not what: they come along when numbers are copied from WhatsApp.
bool IsInvisible(UChar32 c) {
  return (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || c == 0x200e ||
         c == 0x200f || c == 0x200b || c == 0xfeff || c == 0x061c;
}

absl::string_view Strip(absl::string_view text) { return absl::StripAsciiWhitespace(text); }

// No blanks of any script, nothing that is not seen, and no mark of a character that got lost.
bool IsOneWord(absl::string_view text) {
  const icu::UnicodeString word = icu::UnicodeString::fromUTF8(
      icu::StringPiece(text.data(), static_cast<std::int32_t>(text.size())));
  for (std::int32_t i = 0; i < word.length(); i = word.moveIndex32(i, 1)) {
    const UChar32 c = word.char32At(i);
    if (u_isUWhiteSpace(c) || u_iscntrl(c) || c == 0xfffd) return false;
  }
  return true;
}

std::string LowerCase(absl::string_view text) {
  if (IsPlainAscii(text)) return absl::AsciiStrToLower(text);
  icu::UnicodeString lower = icu::UnicodeString::fromUTF8(
      icu::StringPiece(text.data(), static_cast<std::int32_t>(text.size())));
  lower.toLower(icu::Locale::getRoot());
  std::string out;
  lower.toUTF8String(out);
  return CleanText(out);  // small letters may be written otherwise than large ones
}

}  // namespace

std::string CleanText(absl::string_view text) {
  if (IsPlainAscii(text)) return std::string(Strip(text));
  const icu::UnicodeString in = icu::UnicodeString::fromUTF8(
      icu::StringPiece(text.data(), static_cast<std::int32_t>(text.size())));
  icu::UnicodeString visible;
  for (std::int32_t i = 0; i < in.length(); i = in.moveIndex32(i, 1)) {
    const UChar32 c = in.char32At(i);
    // u_iscntrl has format characters too; of those, joiners and tags are part of words and of
    // emoji.
    const bool joins = c == 0x200c || c == 0x200d || (c >= 0xe0020 && c <= 0xe007f);
    if (c != '\n' && c != '\t' && !joins && (u_iscntrl(c) || IsInvisible(c))) continue;
    visible.append(c);
  }
  // Afterwards: what stood between a letter and its accent is gone.
  UErrorCode error = U_ZERO_ERROR;
  const icu::UnicodeString kept =
      icu::Normalizer2::getNFCInstance(error)->normalize(visible, error);
  if (U_FAILURE(error)) return std::string(Strip(text));
  // Blanks of every script at the ends.
  std::int32_t begin = 0, end = kept.length();
  while (begin < end && u_isUWhiteSpace(kept[begin])) ++begin;
  while (end > begin && u_isUWhiteSpace(kept[end - 1])) --end;
  std::string out;
  kept.tempSubStringBetween(begin, end).toUTF8String(out);
  return out;
}

bool MeansNothing(absl::string_view cell) {
  static constexpr std::array<absl::string_view, 16> kWords = {
      "-",    "--", ".",    "x",  "n/a", "na",   "none", "null",
      "없음", "무", "없슴", "无", "無",  "没有", "なし", "nil"};
  const std::string text = absl::AsciiStrToLower(Strip(cell));
  return text.empty() || std::find(kWords.begin(), kWords.end(), text) != kWords.end();
}

absl::StatusOr<std::string> NormalizeEmail(absl::string_view original) {
  const std::string text = LowerCase(CleanText(original));
  absl::string_view inner = text;
  while (absl::ConsumePrefix(&inner, "'") || absl::ConsumePrefix(&inner, "mailto:")) {
  }
  if (absl::StartsWith(inner, "<") && absl::EndsWith(inner, ">"))
    inner = inner.substr(1, inner.size() - 2);
  const std::size_t at = inner.rfind('@');
  const auto bad = [] { return absl::InvalidArgumentError("is no email address"); };
  if (at == absl::string_view::npos || at == 0 || inner.size() > 254 || at > 64) return bad();
  const absl::string_view domain = inner.substr(at + 1);
  if (inner.find_first_of(",;<>()[]\\\"") != absl::string_view::npos || !IsOneWord(inner))
    return bad();
  if (inner.substr(0, at).find('@') != absl::string_view::npos) return bad();
  if (domain.find('.') == absl::string_view::npos) return bad();
  // WhatsApp's own ids look like addresses.
  for (const absl::string_view server : {"s.whatsapp.net", "c.us", "g.us"}) {
    if (domain == server) return bad();
  }
  for (const absl::string_view label : absl::StrSplit(domain, '.')) {
    if (label.empty() || label.size() > 63 || label.front() == '-' || label.back() == '-')
      return bad();
    // Letters of any script: international names are kept as they are written.
    if (!std::all_of(label.begin(), label.end(), [](unsigned char c) {
          return absl::ascii_isalnum(c) || c == '-' || c >= 0x80;
        })) {
      return bad();
    }
  }
  return std::string(inner);
}

absl::StatusOr<records::IdentifierValue> NormalizeWhatsAppId(absl::string_view original) {
  const std::string text = CleanText(original);
  absl::string_view id = text;
  absl::ConsumePrefix(&id, "'");
  const std::size_t at = id.find('@');
  if (at != absl::string_view::npos) {
    const absl::string_view server = id.substr(at + 1);
    // "821012345678:12@s.whatsapp.net": the number, and a device.
    const absl::string_view user = std::string::npos == id.substr(0, at).find(':')
                                       ? id.substr(0, at)
                                       : id.substr(0, id.find(':'));
    if ((server == "s.whatsapp.net" || server == "c.us") && IsDigits(user))
      id = user;
    else if (server == "lid" && IsDigits(user)) {
      return records::IdentifierValue{IdentifierKind::kJid, absl::StrCat(user, "@lid")};
    } else {
      return absl::InvalidArgumentError("is no WhatsApp id of a person");
    }
  }
  const absl::string_view digits = absl::StartsWith(id, "+") ? id.substr(1) : id;
  if (IsDigits(digits)) {
    ASSIGN_OR_RETURN(std::string phone, NormalizePhone(absl::StrCat("+", digits), ""));
    return records::IdentifierValue{IdentifierKind::kPhone, std::move(phone)};
  }
  const bool has_letter = std::any_of(id.begin(), id.end(), [](char c) {
    return absl::ascii_isalpha(static_cast<unsigned char>(c));
  });
  if (!has_letter || id.size() < 4 || id.size() > 128 ||
      !std::all_of(id.begin(), id.end(), [](char c) {
        return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '.' || c == '_' ||
               c == '-';
      })) {
    return absl::InvalidArgumentError("is no WhatsApp id");
  }
  return records::IdentifierValue{IdentifierKind::kWhatsAppId, std::string(id)};
}

std::optional<records::IdentifierValue> RecognizeIdentifier(absl::string_view text,
                                                            absl::string_view region) {
  const std::string clean = CleanText(text);
  if (absl::EndsWith(clean, "@s.whatsapp.net") || absl::EndsWith(clean, "@c.us") ||
      absl::EndsWith(clean, "@lid")) {
    auto id = NormalizeWhatsAppId(clean);
    return id.ok() ? std::optional(*std::move(id)) : std::nullopt;
  }
  if (absl::StrContains(clean, "@")) {
    auto email = NormalizeEmail(clean);
    if (email.ok()) return records::IdentifierValue{IdentifierKind::kEmail, *std::move(email)};
    if (absl::StartsWith(clean, "@") && clean.size() > 1) {
      auto name = NormalizeIdentifier(IdentifierKind::kUsername, clean, region);
      if (name.ok()) return *std::move(name);
    }
    return std::nullopt;
  }
  const auto digits = std::count_if(clean.begin(), clean.end(),
                                    [](unsigned char c) { return absl::ascii_isdigit(c); });
  const bool letters = std::any_of(clean.begin(), clean.end(),
                                   [](unsigned char c) { return absl::ascii_isalpha(c); });
  if (!letters) {
    // Digits of other scripts count as well, so the library is asked for whatever has no letters.
    auto phone = NormalizePhone(clean, region);
    if (!phone.ok() && digits >= 7 && IsDigits(clean))
      phone = NormalizePhone(absl::StrCat("+", clean), "");
    if (phone.ok()) return records::IdentifierValue{IdentifierKind::kPhone, *std::move(phone)};
    return std::nullopt;
  }
  // A business-scoped user id: "KR.1234567890".
  if (clean.size() > 6 && clean[2] == '.' &&
      absl::ascii_isupper(static_cast<unsigned char>(clean[0])) && digits >= 4) {
    auto id = NormalizeWhatsAppId(clean);
    if (id.ok()) return *std::move(id);
  }
  return std::nullopt;
}

std::optional<IdentifierKind> KindOfField(absl::string_view field) {
  const absl::string_view base = policies::BaseField(field);
  for (const IdentifierKind kind :
       {IdentifierKind::kPhone, IdentifierKind::kEmail, IdentifierKind::kWhatsAppId,
        IdentifierKind::kJid, IdentifierKind::kUsername}) {
    if (base == FieldOfKind(kind)) return kind;
  }
  return std::nullopt;
}

absl::string_view FieldOfKind(IdentifierKind kind) {
  switch (kind) {
    case IdentifierKind::kPhone:
      return "phone";
    case IdentifierKind::kEmail:
      return "email";
    case IdentifierKind::kWhatsAppId:
      return "whatsapp_id";
    case IdentifierKind::kJid:
      return "jid";
    case IdentifierKind::kUsername:
      return "username";
    case IdentifierKind::kRow:
      break;
  }
  return "";
}

std::vector<records::IdentifierValue> IdentifiersOf(const records::Fields& fields) {
  std::vector<records::IdentifierValue> out;
  for (const records::Field& field : fields) {
    if (const auto kind = KindOfField(field.name)) out.push_back({*kind, field.value});
  }
  return out;
}

absl::StatusOr<records::IdentifierValue> NormalizeIdentifier(IdentifierKind kind,
                                                             absl::string_view text,
                                                             absl::string_view region) {
  switch (kind) {
    case IdentifierKind::kPhone: {
      ASSIGN_OR_RETURN(std::string phone, NormalizePhone(text, region));
      return records::IdentifierValue{kind, std::move(phone)};
    }
    case IdentifierKind::kEmail: {
      ASSIGN_OR_RETURN(std::string email, NormalizeEmail(text));
      return records::IdentifierValue{kind, std::move(email)};
    }
    case IdentifierKind::kWhatsAppId:
    case IdentifierKind::kJid:
      return NormalizeWhatsAppId(text);
    case IdentifierKind::kUsername: {
      std::string clean = LowerCase(CleanText(text));
      if (absl::StartsWith(clean, "@")) clean.erase(0, 1);
      if (clean.empty() || clean.size() > 128 || absl::StrContains(clean, "@") ||
          !IsOneWord(clean)) {
        return absl::InvalidArgumentError("is no user name");
      }
      return records::IdentifierValue{kind, std::move(clean)};
    }
    case IdentifierKind::kRow:
      break;
  }
  return absl::InvalidArgumentError("is no identifier");
}

namespace {

// "0171 / 39200-17", "+49 30/23125000": German numbers have a slash behind the area code, which is
// no number by itself.
bool IsAreaCode(absl::string_view piece) {
  piece = Strip(piece);
  constexpr std::ptrdiff_t kMostDigits = 7;  // "+49 33056"
  const auto digits = std::count_if(piece.begin(), piece.end(),
                                    [](unsigned char c) { return absl::ascii_isdigit(c); });
  return digits >= 2 && digits <= kMostDigits &&
         (piece[0] == '0' || piece[0] == '+' || piece[0] == '(') &&
         piece.find_first_not_of("0123456789 +()-") == absl::string_view::npos;
}

// The values of a cell, between which `separators` stand.
std::vector<absl::string_view> PiecesOf(absl::string_view text, absl::string_view separators) {
  std::vector<absl::string_view> pieces;
  bool behind_area_code = false;
  for (const absl::string_view piece : absl::StrSplit(text, absl::ByAnyChar(separators))) {
    if (behind_area_code) {
      const auto size =
          static_cast<std::size_t>(piece.data() + piece.size() - pieces.back().data());
      pieces.back() = absl::string_view(pieces.back().data(), size);
    } else {
      pieces.push_back(piece);
    }
    const char* const end = piece.data() + piece.size();
    behind_area_code =
        !behind_area_code && end != text.data() + text.size() && *end == '/' && IsAreaCode(piece);
  }
  return pieces;
}

}  // namespace

std::string TakeWordBeside(std::string& value) {
  const auto is_word = [](absl::string_view text) {
    return std::any_of(text.begin(), text.end(),
                       [](unsigned char c) { return absl::ascii_isalpha(c) || c >= 0x80; });
  };
  // Digits of other scripts and full-width ones are left to the reader of phones.
  if (absl::StrContains(value, "://") || absl::StrContains(value, "wa.me/")) return "";
  const std::size_t first = value.find_first_of("0123456789+(");
  const std::size_t last = value.find_last_of("0123456789)");
  if (first == std::string::npos || last == std::string::npos || last < first) return "";
  if (first == 0 && last + 1 == value.size()) return "";
  std::string front = CleanText(absl::string_view(value).substr(0, first));
  std::string back = CleanText(absl::string_view(value).substr(last + 1));
  const bool in_front = is_word(front), behind = is_word(back);
  if (!in_front && !behind) return "";
  // "'010-…" and the like stay with the number.
  value = value.substr(in_front ? first : 0, last + 1 - (in_front ? first : 0));
  const auto trimmed = [](std::string text) {
    while (!text.empty() && absl::string_view(":.-/ ").find(text.back()) != absl::string_view::npos)
      text.pop_back();
    while (!text.empty() &&
           absl::string_view(":.-/ ").find(text.front()) != absl::string_view::npos)
      text.erase(0, 1);
    return text;
  };
  static constexpr absl::string_view kPhoneWords[] = {
      "tel",  "phone", "mobile",   "cell",   "m",      "t",     "p",       "hp",
      "h.p",  "전화",  "휴대폰",   "핸드폰", "연락처", "电话",  "手机",    "電話",
      "手機", "携帯",  "whatsapp", "wa",     "tel:",   "handy", "telefon", "móvil"};
  std::string word;
  for (std::string& one : {std::ref(front), std::ref(back)}) {
    one = trimmed(one);
    const std::string lower = LowerCase(one);
    if (!is_word(one) ||
        std::find(std::begin(kPhoneWords), std::end(kPhoneWords), lower) != std::end(kPhoneWords))
      continue;
    absl::StrAppend(&word, word.empty() ? "" : "; ", one);
  }
  return word;
}

CellParts SplitCell(absl::string_view cell) {
  CellParts parts;
  std::string text(cell);
  // Full-width marks that stand between numbers in Korean, Chinese and Japanese lists.
  for (const auto& [from, to] :
       std::initializer_list<std::pair<absl::string_view, absl::string_view>>{{":::", ";"},
                                                                              {"；", ";"},
                                                                              {"、", ";"},
                                                                              {"，", ";"},
                                                                              {"／", ";"},
                                                                              {"（", "("},
                                                                              {"）", ")"}}) {
    std::size_t at = 0;
    while ((at = text.find(from.data(), at, from.size())) != std::string::npos)
      text.replace(at, from.size(), to.data(), to.size());
  }
  const bool link = absl::StrContains(text, "://") || absl::StrContains(text, "wa.me/");
  for (const absl::string_view piece : PiecesOf(text, link ? ";,|\n" : ";/,|\n")) {
    absl::string_view value = Strip(piece);
    if (absl::EndsWith(value, ")")) {
      const std::size_t open = value.rfind('(');
      const absl::string_view inside =
          open == absl::string_view::npos ? "" : value.substr(open + 1, value.size() - open - 2);
      // "(집)" is a note, "+82 (0)10" and "(02) 123" are not at the end or are digits.
      if (open != absl::string_view::npos && open > 0 && !IsDigits(inside)) {
        if (!inside.empty()) absl::StrAppend(&parts.note, parts.note.empty() ? "" : "; ", inside);
        value = Strip(value.substr(0, open));
      }
    }
    if (MeansNothing(value)) continue;
    parts.values.emplace_back(value);
  }
  return parts;
}

}  // namespace sealbook::anonymizer
