// One-time codes as people type them: what is taken is a code in its one form, whatever stood
// between its characters and in whichever width or case; what is refused is not told. And which
// step a code is of: one of drift either way, and nothing that was used where another fits.
#include <unicode/utf8.h>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "policies/one_time_code.h"

namespace {

using namespace sealbook;
using policies::OneTimeCode;

// NDEBUG does not switch this off.
void Must(bool holds) {
  if (!holds) std::abort();
}

constexpr absl::string_view kCrockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

std::string TextOf(const OneTimeCode& code) { return std::string(code.text().ExposeText()); }

// `typed` with `between` before each of its characters and behind the last; empty where it is no
// UTF-8.
std::string Spread(absl::string_view typed, absl::string_view between) {
  std::string out;
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(typed.data());
  const auto size = static_cast<std::int32_t>(typed.size());
  for (std::int32_t at = 0; at < size;) {
    const std::int32_t begin = at;
    UChar32 c;
    U8_NEXT(bytes, at, size, c);
    if (c < 0) return "";
    absl::StrAppend(
        &out, between,
        typed.substr(static_cast<std::size_t>(begin), static_cast<std::size_t>(at - begin)));
  }
  absl::StrAppend(&out, between);
  return out;
}

std::string FullWidth(absl::string_view ascii) {
  std::string out;
  for (const char c : ascii) {
    // U+FF01 is "!" (0x21), and so on up to "~".
    const unsigned code = 0xFF01u + static_cast<unsigned char>(c) - 0x21u;
    out += {static_cast<char>(0xE0 | code >> 12), static_cast<char>(0x80 | (code >> 6 & 0x3F)),
            static_cast<char>(0x80 | (code & 0x3F))};
  }
  return out;
}

void MustBe(absl::string_view typed, const OneTimeCode& code) {
  if (typed.size() > OneTimeCode::kMaxTypedBytes) return;
  const auto read = OneTimeCode::Parse(typed);
  Must(read.ok() && read->kind() == code.kind() && TextOf(*read) == TextOf(code));
}

void Typed(absl::string_view typed) {
  const auto code = OneTimeCode::Parse(typed);
  // What is put between cannot make a code of what is none, nor another of what is one.
  const char* const betweens[] = {" ",
                                  "-",
                                  "\t\n",
                                  "\xC2\xA0",
                                  "\xE3\x80\x80",
                                  "\xE2\x80\x93",
                                  "\xE2\x88\x92",
                                  "\xE2\x80\x8B",
                                  "\xEF\xBB\xBF"};
  if (!code.ok()) {
    Must(absl::IsUnauthenticated(code.status()));
    // A code that is mistyped is nearly one: it stands in no message.
    Must(typed.size() < 3 || typed.find_first_of("0123456789") == absl::string_view::npos ||
         std::string(code.status().message()).find(std::string(typed)) == std::string::npos);
    for (const char* between : betweens) Must(!OneTimeCode::Parse(Spread(typed, between)).ok());
    return;
  }
  const std::string text = TextOf(*code);
  if (code->kind() == OneTimeCode::Kind::kTotp) {
    Must(text.size() == 6 && std::all_of(text.begin(), text.end(), absl::ascii_isdigit));
  } else {
    Must(text.size() == 16 &&
         text.find_first_not_of(kCrockford.data(), 0, kCrockford.size()) == std::string::npos);
  }
  MustBe(text, *code);
  MustBe(absl::AsciiStrToLower(text), *code);
  MustBe(FullWidth(text), *code);
  MustBe(FullWidth(absl::AsciiStrToLower(text)), *code);
  for (const char* between : betweens) {
    MustBe(Spread(typed, between), *code);
    MustBe(Spread(FullWidth(text), between), *code);
  }
  // One character more or less is another thing.
  Must(!OneTimeCode::Parse(text + "1").ok() && !OneTimeCode::Parse(text.substr(1)).ok());
  Must(!OneTimeCode::Parse(text + std::string(1, '\0')).ok());
}

// `data`: 8 bytes of the time in seconds, 1 of how far `last` is from the step, 1 of which step
// is looked for; the secret.
void Steps(ByteView data) {
  if (data.size() < 10 + 20) return;
  std::uint64_t seconds = 0;
  for (const std::uint8_t byte : data.first(8)) seconds = seconds << 8 | byte;
  seconds %= 1ull << 40;  // some 35,000 years
  const std::uint64_t now = seconds / 30;
  Must(policies::TotpStepAt(absl::FromUnixSeconds(static_cast<std::int64_t>(seconds))) == now);
  const std::uint64_t last = now + data[8] % 7 < 3 ? 0 : now + data[8] % 7 - 3;
  const std::uint64_t wanted = now + data[9] % 9 < 4 ? 0 : now + data[9] % 9 - 4;
  const ByteView secret = data.subspan(10, 20);
  const auto code = policies::HotpCode(secret, wanted);
  Must(code.ok() && code->size() == 6);
  const auto found = policies::FindTotpStep(
      secret, code->ExposeBytes(), absl::FromUnixSeconds(static_cast<std::int64_t>(seconds)), last);
  Must(found.ok());
  // Written out once more, the simple way.
  std::vector<std::uint64_t> right;
  for (std::uint64_t step = now == 0 ? 0 : now - 1; step <= now + 1; ++step) {
    const auto made = policies::HotpCode(secret, step);
    Must(made.ok());
    if (made->ExposeText() == code->ExposeText()) right.push_back(step);
  }
  if (right.empty()) {
    Must(!*found && (wanted + 1 < now || wanted > now + 1));
    return;
  }
  const auto fresh = std::find_if(right.begin(), right.end(), [&](auto s) { return s > last; });
  Must(*found == (fresh == right.end() ? right.front() : *fresh));
}

// The address of an authenticator: whatever the name, it has the two parameters it should have.
void Address(absl::string_view name, ByteView secret) {
  const auto base32 = policies::Base32Of(secret);
  Must(base32.ok());
  Must(std::string(base32->ExposeText()).find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567=") ==
       std::string::npos);
  const crypto::SecretBytes address = policies::OtpauthAddress(name, *base32);
  const std::string text(address.ExposeText());
  const std::string begin = "otpauth://totp/Sealbook:",
                    end = absl::StrCat("?secret=", base32->ExposeText(), "&issuer=Sealbook");
  Must(text.size() >= begin.size() + end.size() && text.compare(0, begin.size(), begin) == 0 &&
       text.compare(text.size() - end.size(), end.size(), end) == 0);
  const std::string label = text.substr(begin.size(), text.size() - begin.size() - end.size());
  std::string read;
  for (std::size_t i = 0; i < label.size(); ++i) {
    const auto c = static_cast<unsigned char>(label[i]);
    if (c != '%') {
      Must(absl::ascii_isalnum(c) || absl::string_view("-._~").find(label[i]) != std::string::npos);
      read += label[i];
      continue;
    }
    Must(i + 2 < label.size() && absl::ascii_isxdigit(static_cast<unsigned char>(label[i + 1])) &&
         absl::ascii_isxdigit(static_cast<unsigned char>(label[i + 2])));
    read += static_cast<char>(std::stoi(label.substr(i + 1, 2), nullptr, 16));
    i += 2;
  }
  Must(read == name);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const bool ready = crypto::PrepareProcess().ok();
  Must(ready);
  const ByteView bytes(data, size);
  Typed(crypto::AsText(bytes));
  Steps(bytes);
  Address(crypto::AsText(bytes.first(std::min<std::size_t>(size, 64))),
          bytes.first(std::min<std::size_t>(size, 20)));
  return 0;
}
