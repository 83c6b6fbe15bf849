#include "vault/records/consent.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"
#include "absl/time/civil_time.h"
#include "vault/status.h"

namespace sealbook::records {
namespace {

constexpr std::size_t kMaxPurposeBytes = 64;
constexpr absl::string_view kGiven = "given";
constexpr absl::string_view kNotGiven = "not_given";

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

bool IsPurpose(absl::string_view text) {
  return !text.empty() && text.size() <= kMaxPurposeBytes &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= 'a' && c <= 'z') || IsDigit(c) || c == '_'; });
}

// What is not print stands as \xHH: a value stays one line.
void AppendQuoted(absl::string_view text, std::string& out) {
  out.push_back('"');
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out.push_back('\\');
      out.push_back(c);
    } else if (absl::ascii_iscntrl(static_cast<unsigned char>(c))) {
      absl::StrAppendFormat(&out, "\\x%02x", static_cast<unsigned char>(c));
    } else {
      out.push_back(c);
    }
  }
  out.push_back('"');
}

int HexDigit(char c) {
  if (IsDigit(c)) return c - '0';
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// Takes a quoted text off the front; false where there is none, or one that AppendQuoted would have
// written otherwise.
bool ConsumeQuoted(absl::string_view& rest, std::string& out) {
  out.clear();
  if (!absl::ConsumePrefix(&rest, "\"")) return false;
  while (!rest.empty()) {
    const char c = rest[0];
    rest.remove_prefix(1);
    if (c == '"') return out.size() <= Consent::kMaxTextBytes;
    if (absl::ascii_iscntrl(static_cast<unsigned char>(c))) return false;
    if (c != '\\') {
      out.push_back(c);
      continue;
    }
    if (rest.empty()) return false;
    if (rest[0] == '"' || rest[0] == '\\') {
      out.push_back(rest[0]);
      rest.remove_prefix(1);
      continue;
    }
    if (rest.size() < 3 || rest[0] != 'x') return false;
    const int high = HexDigit(rest[1]), low = HexDigit(rest[2]);
    const auto byte = static_cast<unsigned char>(high * 16 + low);
    if (high < 0 || low < 0 || !absl::ascii_iscntrl(byte)) return false;
    out.push_back(static_cast<char>(byte));
    rest.remove_prefix(3);
  }
  return false;
}

// Digits off the front, exactly `count` of them or, with 0, one or two.
bool ConsumeNumber(absl::string_view& rest, std::size_t count, int& out) {
  std::size_t digits = 0;
  while (digits < rest.size() && digits < (count == 0 ? 2 : count) && IsDigit(rest[digits]))
    ++digits;
  if (digits == 0 || (count != 0 && digits != count)) return false;
  if (!absl::SimpleAtoi(rest.substr(0, digits), &out)) return false;
  rest.remove_prefix(digits);
  return true;
}

void SkipBlanks(absl::string_view& rest) {
  while (absl::ConsumePrefix(&rest, " ")) {
  }
}

// "10:11", "10:11:12", "10:11:12.5" as "T10:11:12".
bool ConsumeClock(absl::string_view& rest, std::string& out) {
  int hour = 0, minute = 0, second = 0;
  if (!ConsumeNumber(rest, 0, hour) || !absl::ConsumePrefix(&rest, ":") ||
      !ConsumeNumber(rest, 2, minute))
    return false;
  if (absl::ConsumePrefix(&rest, ":")) {
    if (!ConsumeNumber(rest, 2, second)) return false;
    if (absl::ConsumePrefix(&rest, ".")) {
      std::size_t digits = 0;
      while (digits < rest.size() && IsDigit(rest[digits])) ++digits;
      if (digits == 0) return false;
      rest.remove_prefix(digits);
    }
  }
  if (hour > 23 || minute > 59 || second > 59) return false;
  absl::StrAppendFormat(&out, "T%02d:%02d:%02d", hour, minute, second);
  return true;
}

bool ConsumeZone(absl::string_view& rest, bool utc, std::string& out) {
  SkipBlanks(rest);
  if (rest.empty()) {
    if (utc) out.push_back('Z');
    return true;
  }
  if (rest == "Z" || rest == "UTC" || rest == "GMT") {
    rest = {};
    out.push_back('Z');
    return true;
  }
  const char sign = rest[0];
  if (sign != '+' && sign != '-') return false;
  rest.remove_prefix(1);
  int hours = 0, minutes = 0;
  if (!ConsumeNumber(rest, 2, hours)) return false;
  absl::ConsumePrefix(&rest, ":");
  if (!rest.empty() && !ConsumeNumber(rest, 2, minutes)) return false;
  if (hours > 15 || minutes > 59) return false;
  if (hours == 0 && minutes == 0)
    out.push_back('Z');
  else
    absl::StrAppendFormat(&out, "%c%02d:%02d", sign, hours, minutes);
  return true;
}

absl::Status NoConsent() { return absl::InvalidArgumentError("that is no consent"); }

}  // namespace

std::string ConsentTime(absl::string_view text, bool utc) {
  absl::string_view rest = absl::StripAsciiWhitespace(text);
  int year = 0, month = 0, day = 0;
  if (!ConsumeNumber(rest, 4, year) || rest.empty()) return "";
  const char separator = rest[0];
  if (separator != '-' && separator != '/' && separator != '.') return "";
  rest.remove_prefix(1);
  SkipBlanks(rest);
  if (!ConsumeNumber(rest, 0, month) || rest.empty() || rest[0] != separator) return "";
  rest.remove_prefix(1);
  SkipBlanks(rest);
  if (!ConsumeNumber(rest, 0, day)) return "";
  if (separator == '.') absl::ConsumePrefix(&rest, ".");
  const absl::CivilDay civil(year, month, day);
  if (year < 1900 || civil.month() != month || civil.day() != day) return "";
  std::string out = absl::StrFormat("%04d-%02d-%02d", year, month, day);
  if (rest.empty()) return out;
  if (rest[0] != 'T' && rest[0] != ' ') return "";
  rest.remove_prefix(1);
  SkipBlanks(rest);
  if (!ConsumeClock(rest, out) || !ConsumeZone(rest, utc, out) || !rest.empty()) return "";
  return out;
}

absl::StatusOr<std::string> FormatConsent(const Consent& consent) {
  const auto fits = [](absl::string_view text) { return text.size() <= Consent::kMaxTextBytes; };
  if (!IsPurpose(consent.purpose))
    return absl::InvalidArgumentError("a purpose is small letters, digits and underscores");
  if (!consent.time.empty() && ConsentTime(consent.time, false) != consent.time)
    return absl::InvalidArgumentError("a consent's time is in no known form");
  if (consent.evidence.size() > Consent::kMaxEvidence || !fits(consent.source) ||
      !std::all_of(consent.evidence.begin(), consent.evidence.end(),
                   [&](const ConsentEvidence& one) { return fits(one.name) && fits(one.value); }))
    return absl::InvalidArgumentError("a consent's evidence is too long");
  if (consent.line < 0 || (consent.line > 0 && consent.source.empty()))
    return absl::InvalidArgumentError("a line of no source");
  std::string out = absl::StrCat(consent.purpose, " ", consent.given ? kGiven : kNotGiven);
  if (!consent.time.empty()) absl::StrAppend(&out, " ", consent.time);
  for (const ConsentEvidence& one : consent.evidence) {
    out += "; ";
    AppendQuoted(one.name, out);
    out += " = ";
    AppendQuoted(one.value, out);
  }
  if (!consent.source.empty()) {
    out += "; from ";
    AppendQuoted(consent.source, out);
    if (consent.line > 0) absl::StrAppend(&out, " line ", consent.line);
  }
  return out;
}

absl::StatusOr<Consent> ParseConsent(absl::string_view text) {
  Consent consent;
  absl::string_view rest = text;
  absl::string_view head = rest.substr(0, rest.find(';'));
  rest.remove_prefix(head.size());
  const std::size_t blank = head.find(' ');
  if (blank == absl::string_view::npos) return NoConsent();
  consent.purpose = std::string(head.substr(0, blank));
  head.remove_prefix(blank + 1);
  const absl::string_view state = head.substr(0, head.find(' '));
  consent.given = state == kGiven;
  if (state != kGiven && state != kNotGiven) return NoConsent();
  head.remove_prefix(state.size());
  if (absl::ConsumePrefix(&head, " ")) {
    if (head.empty()) return NoConsent();
    consent.time = std::string(head);
  }
  while (absl::ConsumePrefix(&rest, "; ")) {
    if (absl::ConsumePrefix(&rest, "from ")) {
      if (!ConsumeQuoted(rest, consent.source) || consent.source.empty()) return NoConsent();
      if (absl::ConsumePrefix(&rest, " line ")) {
        if (!absl::SimpleAtoi(rest, &consent.line) || consent.line <= 0) return NoConsent();
        rest = {};
      }
      break;
    }
    ConsentEvidence& one = consent.evidence.emplace_back();
    if (!ConsumeQuoted(rest, one.name) || !absl::ConsumePrefix(&rest, " = ") ||
        !ConsumeQuoted(rest, one.value))
      return NoConsent();
  }
  if (!rest.empty()) return NoConsent();
  // One spelling each: what reads as a consent is written as it stood.
  const auto again = FormatConsent(consent);
  if (!again.ok() || *again != text) return NoConsent();
  return consent;
}

bool SameConsent(absl::string_view a, absl::string_view b) {
  if (a == b) return true;
  auto first = ParseConsent(a), second = ParseConsent(b);
  if (!first.ok() || !second.ok()) return false;
  for (Consent* one : {&*first, &*second}) {
    one->source.clear();
    one->line = 0;
  }
  return *first == *second;
}

}  // namespace sealbook::records
