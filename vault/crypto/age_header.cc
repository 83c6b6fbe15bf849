#include "vault/crypto/age_header.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "vault/status.h"

namespace sealbook::crypto::internal {
namespace {

constexpr absl::string_view kMacMark = "---";
constexpr std::size_t kBodyLineCharacters = 64;
constexpr std::size_t kMacBytes = 32;

absl::Status BadHeader(absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat("the header of an age file ", what));
}

class HeaderReader {
 public:
  explicit HeaderReader(AgeInput& input) : input_(input) {}
  absl::StatusOr<AgeHeader> Read();

 private:
  // The next line without its end, also appended to the header's text.
  absl::StatusOr<std::string> Line();
  absl::StatusOr<AgeStanza> Stanza(absl::string_view arguments);

  AgeInput& input_;
  AgeHeader header_;
};

absl::StatusOr<std::string> HeaderReader::Line() {
  std::string line;
  while (true) {
    std::uint8_t byte = 0;
    ASSIGN_OR_RETURN(const std::size_t size, input_.Read({&byte, 1}));
    if (size == 0) return BadHeader("is cut short");
    if (header_.text.size() + line.size() >= AgeReader::kMaxHeaderBytes) {
      return BadHeader(absl::StrCat("is longer than ", AgeReader::kMaxHeaderBytes, " bytes"));
    }
    if (byte == '\n') break;
    line += static_cast<char>(byte);
    // What is no age file at all is told soon, and by that name.
    if (header_.text.empty() && line.size() > kAgeVersionLine.size()) break;
  }
  absl::StrAppend(&header_.text, line, "\n");
  return line;
}

absl::StatusOr<AgeStanza> HeaderReader::Stanza(absl::string_view arguments) {
  AgeStanza stanza;
  for (const absl::string_view argument : absl::StrSplit(arguments, ' ')) {
    if (argument.empty() || !std::all_of(argument.begin(), argument.end(),
                                         [](char c) { return c >= '!' && c <= '~'; })) {
      return BadHeader("has a malformed stanza");
    }
    stanza.arguments.emplace_back(argument);
  }
  while (true) {  // the body ends with a line that is not full
    ASSIGN_OR_RETURN(const std::string line, Line());
    absl::StatusOr<Bytes> bytes = FromAgeBase64(line);
    if (!bytes.ok() || line.size() > kBodyLineCharacters) {
      return BadHeader("has a malformed stanza");
    }
    stanza.body.insert(stanza.body.end(), bytes->begin(), bytes->end());
    if (line.size() < kBodyLineCharacters) return stanza;
  }
}

absl::StatusOr<AgeHeader> HeaderReader::Read() {
  ASSIGN_OR_RETURN(const std::string version, Line());
  if (version != kAgeVersionLine) {
    constexpr absl::string_view kAnyVersion = "age-encryption.org/";
    if (version.rfind(std::string(kAnyVersion), 0) == 0) {
      return absl::InvalidArgumentError("an age file of another version than 1");
    }
    return absl::InvalidArgumentError("not an age file");
  }
  while (true) {
    const std::size_t before = header_.text.size();
    ASSIGN_OR_RETURN(const std::string line, Line());
    absl::string_view rest = line;
    if (absl::ConsumePrefix(&rest, "-> ")) {
      if (header_.stanzas.size() == AgeReader::kMaxStanzas) {
        return BadHeader(absl::StrCat("has more than ", AgeReader::kMaxStanzas, " stanzas"));
      }
      ASSIGN_OR_RETURN(AgeStanza stanza, Stanza(rest));
      header_.stanzas.push_back(std::move(stanza));
      continue;
    }
    if (!absl::ConsumePrefix(&rest, kMacMark) || !absl::ConsumePrefix(&rest, " ")) {
      return BadHeader("has a malformed line");
    }
    if (header_.stanzas.empty()) return BadHeader("names no recipient");
    absl::StatusOr<Bytes> mac = FromAgeBase64(rest);
    if (!mac.ok() || mac->size() != kMacBytes) return BadHeader("has a malformed MAC");
    header_.mac = *std::move(mac);
    header_.text.resize(before + kMacMark.size());
    return std::move(header_);
  }
}

absl::Status CheckStanzas(const AgeHeader& header, int max_work_factor) {
  for (const AgeStanza& stanza : header.stanzas) {
    const std::string& type = stanza.arguments.front();
    if (type == kAgeX25519) RETURN_IF_ERROR(CheckX25519Stanza(stanza));
    if (type == kAgeScrypt) {
      // Otherwise whoever knows the passphrase could not tell that others can read it, too.
      if (header.stanzas.size() != 1) {
        return absl::InvalidArgumentError(
            "an age file with a passphrase has another recipient as well");
      }
      RETURN_IF_ERROR(CheckScryptStanza(stanza, max_work_factor));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<AgeKey> UnwrapFileKey(const AgeHeader& header, const AgeReaderOptions& options) {
  const bool by_passphrase = header.stanzas.front().arguments.front() == kAgeScrypt;
  if (by_passphrase) {
    if (options.passphrase == nullptr) {
      return WithHint(absl::UnauthenticatedError("the age file is encrypted with a passphrase"),
                      "Give the passphrase.");
    }
    absl::StatusOr<AgeKey> key =
        UnwrapScrypt(header.stanzas.front(), options.passphrase->ExposeBytes());
    if (absl::IsUnauthenticated(key.status())) {
      return absl::UnauthenticatedError("the passphrase does not open the age file");
    }
    return key;
  }
  for (const ExchangePair& identity : options.identities) {
    for (const AgeStanza& stanza : header.stanzas) {
      if (stanza.arguments.front() != kAgeX25519) continue;
      absl::StatusOr<AgeKey> key = UnwrapX25519(stanza, identity);
      if (!absl::IsUnauthenticated(key.status())) return key;
    }
  }
  return WithHint(absl::UnauthenticatedError("no identity opens the age file"),
                  "It is encrypted to other recipients: give one of their identities.");
}

}  // namespace

absl::StatusOr<AgeKey> OpenAgeHeader(const AgeHeader& header, const AgeReaderOptions& options) {
  if (options.max_work_factor < 1 || options.max_work_factor > 30) {
    return absl::InvalidArgumentError("a limit of age work factors outside 1 to 30");
  }
  RETURN_IF_ERROR(CheckStanzas(header, options.max_work_factor));
  ASSIGN_OR_RETURN(AgeKey file_key, UnwrapFileKey(header, options));
  if (!EqualInConstantTime(AgeHeaderMac(file_key, header.text), header.mac)) {
    return absl::DataLossError("the header of an age file was altered");
  }
  return file_key;
}

absl::StatusOr<AgeHeader> ReadAgeHeader(AgeInput& input) { return HeaderReader(input).Read(); }

}  // namespace sealbook::crypto::internal
