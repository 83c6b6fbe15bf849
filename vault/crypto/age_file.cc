#include "vault/crypto/age_file.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "vault/crypto/age_writer.h"
#include "vault/crypto/bech32.h"
#include "vault/status.h"

namespace sealbook::crypto {
namespace {

// The constants of C2SP age.md.
constexpr absl::string_view kRecipientPrefix = "age";
constexpr absl::string_view kIdentityPrefix = "age-secret-key-";

class BytesSink : public ByteSink {
 public:
  explicit BytesSink(Bytes& out) : out_(out) {}
  absl::Status Append(ByteView bytes) override {
    out_.insert(out_.end(), bytes.begin(), bytes.end());
    return absl::OkStatus();
  }

 private:
  Bytes& out_;
};

// The 32 bytes behind `prefix`. The errors do not repeat the text: it may be somebody's identity.
absl::StatusOr<SecretBytes> ParseBech32Key(absl::string_view prefix, absl::string_view text) {
  ASSIGN_OR_RETURN(internal::Bech32Text decoded, internal::DecodeBech32(text));
  if (decoded.prefix != prefix) return absl::InvalidArgumentError("another prefix than age's");
  if (decoded.data.size() != kKeyBytes) return absl::InvalidArgumentError("not an X25519 key");
  return std::move(decoded.data);
}

}  // namespace

absl::StatusOr<ExchangePublic> ParseAgeRecipient(absl::string_view text) {
  // age itself takes recipients in lower case only.
  if (std::any_of(text.begin(), text.end(), absl::ascii_isupper)) {
    return absl::InvalidArgumentError("an age recipient is written in lower case");
  }
  ASSIGN_OR_RETURN(const SecretBytes bytes, ParseBech32Key(kRecipientPrefix, text));
  ExchangePublic recipient;
  std::copy_n(bytes.ExposeBytes().begin(), kKeyBytes, recipient.bytes.begin());
  if (!IsUsablePoint(recipient)) {
    return absl::InvalidArgumentError("an age recipient of small order");
  }
  return recipient;
}

std::string FormatAgeRecipient(const ExchangePublic& recipient) {
  return std::string(internal::EncodeBech32(kRecipientPrefix, recipient.bytes).ExposeText());
}

SecretBytes FormatAgeIdentity(const ExchangePair& identity) {
  SecretBytes text = internal::EncodeBech32(kIdentityPrefix, identity.secret().ExposeBytes());
  for (std::uint8_t& c : text.ExposeMutable()) {
    c = static_cast<std::uint8_t>(absl::ascii_toupper(c));
  }
  return text;
}

absl::StatusOr<ExchangePair> ParseAgeIdentity(absl::string_view text) {
  // As with age, an identity is in upper case, so that nobody takes it for a recipient.
  if (std::any_of(text.begin(), text.end(), absl::ascii_islower)) {
    return absl::InvalidArgumentError("an age identity is written in upper case");
  }
  ASSIGN_OR_RETURN(const SecretBytes bytes, ParseBech32Key(kIdentityPrefix, text));
  return ExchangePair::FromSecret(ExchangeSecret::CopyOf(bytes.ExposeBytes()));
}

absl::StatusOr<std::vector<ExchangePair>> ParseAgeIdentities(const SecretBytes& file) {
  std::vector<ExchangePair> identities;
  std::size_t number = 0;
  for (absl::string_view line : absl::StrSplit(file.ExposeText(), '\n')) {
    ++number;
    absl::ConsumeSuffix(&line, "\r");
    if (line.empty() || line[0] == '#') continue;
    auto identity = ParseAgeIdentity(line);
    if (!identity.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat("line ", number, " is no age identity: ", identity.status().message()));
    }
    if (identities.size() == kMaxAgeIdentities) {
      return absl::InvalidArgumentError(
          absl::StrCat("more than ", kMaxAgeIdentities, " age identities"));
    }
    identities.push_back(*std::move(identity));
  }
  if (identities.empty()) return absl::InvalidArgumentError("there is no age identity in it");
  return identities;
}

absl::StatusOr<Bytes> EncryptAge(const std::vector<ExchangePublic>& recipients,
                                 ByteView plaintext) {
  Bytes file;
  BytesSink sink(file);
  ASSIGN_OR_RETURN(const auto writer, AgeWriter::ForRecipients(sink, recipients, {.threads = 1}));
  RETURN_IF_ERROR(writer->Append(plaintext));
  RETURN_IF_ERROR(writer->Finish());
  return file;
}

}  // namespace sealbook::crypto
