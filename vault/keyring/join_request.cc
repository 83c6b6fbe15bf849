#include "vault/keyring/join_request.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "absl/strings/ascii.h"
#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "vault/crypto/aead.h"
#include "vault/crypto/hash.h"
#include "vault/crypto/random.h"
#include "vault/keyring/fingerprint.h"
#include "vault/status.h"

namespace sealbook::keyring {
namespace {

constexpr absl::string_view kRequestLabel = "sealbook/join-request/1";
constexpr absl::string_view kSecretsLabel = "sealbook/join-secrets/1";
constexpr int kFormat = 1;
constexpr std::size_t kSecretsBytes = 2 * crypto::kKeyBytes;

absl::Status NoRequest(absl::string_view why) {
  return WithHint(absl::InvalidArgumentError(absl::StrFormat("this is no join request: %s", why)),
                  "Ask for the file that 'sealbook member request' wrote once more, and compare "
                  "its fingerprint.");
}

crypto::Bytes SecretsPlace(const SealedJoinSecrets& secrets) {
  crypto::ByteWriter out;
  out.Text(kSecretsLabel).Raw(secrets.exchange.bytes).Raw(secrets.verify.bytes);
  out.U32(secrets.cost.memory_kib).U32(secrets.cost.passes).Raw(secrets.salt);
  return out.Take();
}

absl::StatusOr<crypto::Bytes> Base64Of(const nlohmann::json& json, const char* key) {
  const auto at = json.find(key);
  if (at == json.end() || !at->is_string()) return NoRequest("a part is missing");
  const auto bytes = crypto::FromBase64(at->get<std::string>());
  return bytes.ok() ? bytes : NoRequest("a part is no base64");
}

}  // namespace

absl::StatusOr<JoinSecrets> SealedJoinSecrets::Open(ByteView passphrase) const {
  const absl::Status wrong = absl::UnauthenticatedError("this passphrase opens no secrets");
  const auto key = crypto::StretchPassphrase(passphrase, salt, cost);
  // A cost outside its bounds was altered, as anything else may be.
  if (absl::IsInvalidArgument(key.status())) return wrong;
  RETURN_IF_ERROR(key.status());
  const auto plaintext = crypto::Open(*key, SecretsPlace(*this), sealed);
  if (!plaintext.ok() || plaintext->size() != kSecretsBytes) return wrong;
  const ByteView bytes = plaintext->ExposeBytes();
  JoinSecrets secrets{.exchange = crypto::ExchangePair::FromSecret(
                          crypto::ExchangeSecret::CopyOf(bytes.first(crypto::kKeyBytes))),
                      .signing = crypto::SigningPair::FromSeed(
                          crypto::SigningSeed::CopyOf(bytes.last(crypto::kKeyBytes)))};
  if (secrets.exchange.public_key() != exchange || secrets.signing.verify_key() != verify) {
    return absl::DataLossError("the secrets of a join request are not those of its public keys");
  }
  return secrets;
}

absl::StatusOr<JoinRequest> JoinRequest::Make(const crypto::SecretBytes& passphrase) {
  return MakeAtCost(passphrase, crypto::PassphraseCost());
}
absl::StatusOr<JoinRequest> JoinRequest::MakeWithInsecureCostForTests(
    const crypto::SecretBytes& passphrase, const crypto::PassphraseCost& cost) {
  return MakeAtCost(passphrase, cost);
}

absl::StatusOr<JoinRequest> JoinRequest::MakeAtCost(const crypto::SecretBytes& passphrase,
                                                    const crypto::PassphraseCost& cost) {
  const JoinSecrets own{.exchange = crypto::ExchangePair::Generate(),
                        .signing = crypto::SigningPair::Generate()};
  SealedJoinSecrets secrets{.exchange = own.exchange.public_key(),
                            .verify = own.signing.verify_key(),
                            .cost = cost,
                            .salt = {},
                            .sealed = {}};
  crypto::FillRandom(secrets.salt);
  ASSIGN_OR_RETURN(const crypto::UnlockKey key,
                   crypto::StretchPassphrase(passphrase.ExposeBytes(), secrets.salt, cost));
  crypto::SecretBytes plaintext(kSecretsBytes);
  const ByteView exchange = own.exchange.secret().ExposeBytes(),
                 seed = own.signing.seed().ExposeBytes();
  const auto middle =
      std::copy(exchange.begin(), exchange.end(), plaintext.ExposeMutable().begin());
  std::copy(seed.begin(), seed.end(), middle);
  secrets.sealed = crypto::Seal(key, SecretsPlace(secrets), plaintext.ExposeBytes());

  crypto::ByteWriter body;
  body.Text(kRequestLabel).Raw(secrets.exchange.bytes).Raw(secrets.verify.bytes);
  body.U64(static_cast<std::uint64_t>(absl::ToUnixMillis(absl::Now())));
  body.U32(cost.memory_kib).U32(cost.passes).Raw(secrets.salt).Raw(secrets.sealed);
  ASSIGN_OR_RETURN(JoinRequest request, ParseBody(body.bytes()));
  request.signature_ = own.signing.Sign(kRequestLabel, request.body_);
  return request;
}

absl::StatusOr<JoinRequest> JoinRequest::ParseBody(ByteView body) {
  crypto::ByteReader in(body);
  if (in.Text() != kRequestLabel) return NoRequest("it begins otherwise");
  JoinRequest request;
  request.body_.assign(body.begin(), body.end());
  SealedJoinSecrets& secrets = request.secrets_;
  secrets.exchange.bytes = in.Array<32>();
  secrets.verify.bytes = in.Array<32>();
  request.time_ms_ = static_cast<std::int64_t>(in.U64());
  secrets.cost.memory_kib = in.U32();
  secrets.cost.passes = in.U32();
  secrets.salt = in.Array<16>();
  const ByteView sealed = in.Raw(kSecretsBytes + crypto::kSealOverheadBytes);
  secrets.sealed.assign(sealed.begin(), sealed.end());
  if (!in.Finish("a join request").ok()) return NoRequest("it is too short or too long");
  return request;
}

absl::StatusOr<JoinRequest> JoinRequest::Parse(absl::string_view text) {
  if (text.size() > kMaxBytes) return NoRequest("it is too large");
  const auto json = nlohmann::json::parse(text.begin(), text.end(), nullptr, false);
  const auto format = json.is_object() ? json.find("sealbook_join_request") : json.end();
  if (!json.is_object() || format == json.end() || !format->is_number_integer()) {
    return NoRequest("it is another kind of file, or damaged");
  }
  if (*format != kFormat) {
    return WithHint(absl::InvalidArgumentError("the join request has a format that this Sealbook "
                                               "does not know"),
                    "Update Sealbook on this machine.");
  }
  if (json.size() != 3) return NoRequest("it holds something else");
  ASSIGN_OR_RETURN(const crypto::Bytes body, Base64Of(json, "body"));
  ASSIGN_OR_RETURN(const crypto::Bytes signature, Base64Of(json, "signature"));
  ASSIGN_OR_RETURN(JoinRequest request, ParseBody(body));
  if (signature.size() != request.signature_.size()) return NoRequest("its signature is cut");
  std::copy(signature.begin(), signature.end(), request.signature_.begin());
  if (!crypto::Verify(request.verify(), kRequestLabel, body, request.signature_)) {
    return NoRequest("its signature is wrong, so it was altered or damaged on its way");
  }
  // Whatever is sealed to a key of small order, everybody reads.
  if (!crypto::IsUsablePoint(request.exchange())) return NoRequest("its key cannot be used");
  const crypto::PassphraseCost& cost = request.secrets_.cost;
  if (cost.memory_kib < crypto::PassphraseCost::kMinMemoryKib ||
      cost.memory_kib > crypto::PassphraseCost::kMaxMemoryKib || cost.passes < 1 ||
      cost.passes > crypto::PassphraseCost::kMaxPasses) {
    return NoRequest("its passphrase would cost too little or too much to try");
  }
  return request;
}

std::string JoinRequest::Format() const {
  const nlohmann::ordered_json json = {{"sealbook_join_request", kFormat},
                                       {"body", crypto::ToBase64(body_)},
                                       {"signature", crypto::ToBase64(signature_)}};
  return json.dump(1) + "\n";
}

std::string JoinRequest::Fingerprint() const {
  return FingerprintOf(crypto::HashOf("sealbook/join-fingerprint/1", {body_}));
}

}  // namespace sealbook::keyring
