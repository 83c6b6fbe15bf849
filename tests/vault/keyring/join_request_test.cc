#include "vault/keyring/join_request.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/time/clock.h"
#include "tests/support/test_vault.h"
#include "vault/crypto/aead.h"
#include "vault/crypto/hash.h"
#include "vault/status.h"

namespace sealbook::keyring {
namespace {

using testing::kInsecureTestCost;
using Json = nlohmann::ordered_json;

constexpr absl::string_view kPassphrase = "words only hana would choose";
constexpr std::size_t kBodyBytes = 227;

crypto::SecretBytes Secret(absl::string_view text) {
  return crypto::SecretBytes::CopyOf(crypto::AsBytes(text));
}
JoinRequest MakeRequest() {
  return *JoinRequest::MakeWithInsecureCostForTests(Secret(kPassphrase), kInsecureTestCost);
}
std::string TextOf(const crypto::Bytes& body, const crypto::Bytes& signature) {
  return Json{{"sealbook_join_request", 1},
              {"body", crypto::ToBase64(body)},
              {"signature", crypto::ToBase64(signature)}}
             .dump(1) +
         "\n";
}

class JoinRequestTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { ASSERT_TRUE(crypto::PrepareProcess().ok()); }
  static void ExpectRefused(absl::string_view text, absl::string_view what) {
    const auto request = JoinRequest::Parse(text);
    EXPECT_TRUE(absl::IsInvalidArgument(request.status())) << what << ": " << request.status();
    EXPECT_NE(HintOf(request.status()), "") << what;
  }

  JoinRequest request_ = MakeRequest();
  std::string text_ = request_.Format();
  Json json_ = Json::parse(text_);
  crypto::Bytes body_ = *crypto::FromBase64(json_["body"].get<std::string>());
  crypto::Bytes signature_ = *crypto::FromBase64(json_["signature"].get<std::string>());
};

// A body that is signed as it should be, with what its maker liked to put in.
class ForgedRequest {
 public:
  std::string Text(const crypto::SigningPair& signer) const {
    crypto::ByteWriter out;
    out.Text(label).Raw(exchange.bytes).Raw(verify.value_or(signer.verify_key()).bytes).U64(0);
    out.U32(cost.memory_kib).U32(cost.passes).Raw(crypto::Salt{}).Raw(crypto::Bytes(sealed_bytes));
    const crypto::Signature signature = signer.Sign("sealbook/join-request/1", out.bytes());
    return TextOf(out.bytes(), crypto::Bytes(signature.begin(), signature.end()));
  }
  std::string label = "sealbook/join-request/1";
  crypto::ExchangePublic exchange = crypto::ExchangePair::Generate().public_key();
  std::optional<crypto::VerifyKey> verify;
  crypto::PassphraseCost cost = kInsecureTestCost;
  std::size_t sealed_bytes = 104;
};

TEST_F(JoinRequestTest, ComesBackAsItWasMade) {
  const auto parsed = JoinRequest::Parse(text_);
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_EQ(parsed->exchange(), request_.exchange());
  EXPECT_EQ(parsed->verify(), request_.verify());
  EXPECT_EQ(parsed->secrets().cost, kInsecureTestCost);
  EXPECT_EQ(parsed->secrets().salt, request_.secrets().salt);
  EXPECT_EQ(parsed->secrets().sealed, request_.secrets().sealed);
  EXPECT_EQ(parsed->time_ms(), request_.time_ms());
  EXPECT_NEAR(static_cast<double>(parsed->time_ms()),
              static_cast<double>(absl::ToUnixMillis(absl::Now())), 60'000);
  EXPECT_EQ(parsed->Fingerprint(), request_.Fingerprint());
  EXPECT_EQ(parsed->Format(), text_);
  EXPECT_EQ(body_.size(), kBodyBytes);
  EXPECT_LT(text_.size(), 600u);  // one page
}

TEST_F(JoinRequestTest, EachIsMadeWithNewKeysAndANewSalt) {
  const JoinRequest other = MakeRequest();
  EXPECT_NE(other.exchange(), request_.exchange());
  EXPECT_NE(other.verify(), request_.verify());
  EXPECT_NE(other.secrets().salt, request_.secrets().salt);
  EXPECT_NE(other.Fingerprint(), request_.Fingerprint());
}

TEST_F(JoinRequestTest, SecretsOpenWithThePassphraseAlone) {
  const auto secrets = request_.secrets().Open(crypto::AsBytes(kPassphrase));
  ASSERT_TRUE(secrets.ok()) << secrets.status();
  EXPECT_EQ(secrets->exchange.public_key(), request_.exchange());
  EXPECT_EQ(secrets->signing.verify_key(), request_.verify());
  for (const char* wrong : {"", "words only hana would choose ", "Words only hana would choose"}) {
    EXPECT_TRUE(absl::IsUnauthenticated(request_.secrets().Open(crypto::AsBytes(wrong)).status()))
        << wrong;
  }
}

TEST_F(JoinRequestTest, SecretsAreBoundToKeysCostAndSalt) {
  const auto opens = [&](auto&& change) {
    SealedJoinSecrets secrets = request_.secrets();
    change(secrets);
    return secrets.Open(crypto::AsBytes(kPassphrase)).status();
  };
  EXPECT_TRUE(opens([](SealedJoinSecrets&) {}).ok());
  const std::vector<std::function<void(SealedJoinSecrets&)>> changes = {
      [](auto& s) { s.exchange = crypto::ExchangePair::Generate().public_key(); },
      [](auto& s) { s.verify = crypto::SigningPair::Generate().verify_key(); },
      [](auto& s) { s.cost.memory_kib += 1; },
      [](auto& s) { s.cost.passes += 1; },
      [](auto& s) { s.cost.memory_kib = 0; },
      [](auto& s) { s.cost.passes = 0; },
      [](auto& s) { s.salt[0] ^= 1; },
      [](auto& s) { s.sealed[50] ^= 1; },
      [](auto& s) { s.sealed.pop_back(); },
      [](auto& s) { s.sealed.clear(); }};
  for (std::size_t i = 0; i < changes.size(); ++i)
    EXPECT_TRUE(absl::IsUnauthenticated(opens(changes[i]))) << i;
}

TEST_F(JoinRequestTest, SecretsOfOtherKeysAreDataLoss) {
  // Sealed by its maker as it should be, with public keys that belong to other secrets.
  SealedJoinSecrets secrets = request_.secrets();
  secrets.exchange = crypto::ExchangePair::Generate().public_key();
  const auto key =
      crypto::StretchPassphrase(crypto::AsBytes(kPassphrase), secrets.salt, secrets.cost);
  crypto::ByteWriter place;
  place.Text("sealbook/join-secrets/1").Raw(secrets.exchange.bytes).Raw(secrets.verify.bytes);
  place.U32(secrets.cost.memory_kib).U32(secrets.cost.passes).Raw(secrets.salt);
  secrets.sealed = crypto::Seal(*key, place.bytes(), crypto::Bytes(64, 7));
  EXPECT_TRUE(absl::IsDataLoss(secrets.Open(crypto::AsBytes(kPassphrase)).status()));
}

TEST_F(JoinRequestTest, EveryChangedByteOfBodyAndSignatureIsRefused) {
  ASSERT_TRUE(JoinRequest::Parse(TextOf(body_, signature_)).ok());
  for (std::size_t at = 0; at < body_.size(); ++at) {
    for (const int bit : {1, 0x80}) {
      crypto::Bytes body = body_;
      body[at] = static_cast<std::uint8_t>(body[at] ^ bit);
      ExpectRefused(TextOf(body, signature_), absl::StrCat("body ", at));
    }
  }
  for (std::size_t at = 0; at < signature_.size(); ++at) {
    for (const int bit : {1, 0x80}) {
      crypto::Bytes signature = signature_;
      signature[at] = static_cast<std::uint8_t>(signature[at] ^ bit);
      ExpectRefused(TextOf(body_, signature), absl::StrCat("signature ", at));
    }
  }
}

TEST_F(JoinRequestTest, CutOrLongerPartsAreRefused) {
  for (std::size_t size = 0; size < body_.size(); ++size)
    ExpectRefused(
        TextOf(crypto::Bytes(body_.begin(), body_.begin() + static_cast<long>(size)), signature_),
        absl::StrCat("body of ", size));
  for (std::size_t size = 0; size < signature_.size(); ++size)
    ExpectRefused(TextOf(body_, crypto::Bytes(signature_.begin(),
                                              signature_.begin() + static_cast<long>(size))),
                  absl::StrCat("signature of ", size));
  crypto::Bytes longer = body_;
  longer.push_back(0);
  ExpectRefused(TextOf(longer, signature_), "longer body");
  longer = signature_;
  longer.push_back(0);
  ExpectRefused(TextOf(body_, longer), "longer signature");
}

TEST_F(JoinRequestTest, SignedByItsMakerItIsStillRefusedWhereItCannotBeUsed) {
  const crypto::SigningPair signer = crypto::SigningPair::Generate();
  ASSERT_TRUE(JoinRequest::Parse(ForgedRequest{}.Text(signer)).ok());
  ExpectRefused(ForgedRequest{.label = "sealbook/join-request/2"}.Text(signer), "label");
  ExpectRefused(ForgedRequest{.verify = crypto::SigningPair::Generate().verify_key()}.Text(signer),
                "another's key");
  ExpectRefused(ForgedRequest{.sealed_bytes = 103}.Text(signer), "short secrets");
  ExpectRefused(ForgedRequest{.sealed_bytes = 105}.Text(signer), "long secrets");
  const auto max = crypto::PassphraseCost::kMaxMemoryKib;
  for (const crypto::PassphraseCost cost :
       {crypto::PassphraseCost{0, 1}, crypto::PassphraseCost{7, 1}, crypto::PassphraseCost{8, 0},
        crypto::PassphraseCost{8, 21}, crypto::PassphraseCost{max + 1, 1},
        crypto::PassphraseCost{UINT32_MAX, UINT32_MAX}}) {
    ExpectRefused(ForgedRequest{.cost = cost}.Text(signer),
                  absl::StrCat(cost.memory_kib, " KiB, ", cost.passes));
  }
  for (const crypto::PassphraseCost cost :
       {crypto::PassphraseCost{8, 1}, crypto::PassphraseCost{max, 20}}) {
    EXPECT_TRUE(JoinRequest::Parse(ForgedRequest{.cost = cost}.Text(signer)).ok());
  }
}

// What is sealed to such a point, everybody opens.
TEST_F(JoinRequestTest, PointsOfSmallOrderAreRefused) {
  const crypto::SigningPair signer = crypto::SigningPair::Generate();
  for (const char* point : {"0000000000000000000000000000000000000000000000000000000000000000",
                            "0100000000000000000000000000000000000000000000000000000000000000",
                            "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
                            "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
                            "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
                            "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
                            "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"}) {
    ForgedRequest forged;
    const crypto::Bytes bytes = *crypto::FromHex(point);
    std::copy(bytes.begin(), bytes.end(), forged.exchange.bytes.begin());
    ExpectRefused(forged.Text(signer), point);
  }
  // Under the neutral element as its key, a signature of zeros and the neutral element would
  // "verify" over anything.
  for (const std::uint8_t first : {0, 1}) {
    ForgedRequest forged;
    forged.verify = crypto::VerifyKey{};
    forged.verify->bytes[0] = first;
    const std::string text = forged.Text(signer);
    crypto::Bytes signature(64, 0);
    signature[0] = first;
    const auto body = *crypto::FromBase64(Json::parse(text)["body"].get<std::string>());
    ExpectRefused(TextOf(body, signature), absl::StrCat("signed by ", first));
  }
}

TEST_F(JoinRequestTest, OtherTextIsRefused) {
  for (const std::string& text :
       {std::string(), std::string("null"), std::string("[]"), std::string("{}"),
        std::string("\"sealbook_join_request\""), std::string(60'000, '['), std::string(1, '\0'),
        std::string(R"({"sealbook_join_request":1})"),
        std::string(R"({"sealbook_join_request":1,"body":7,"signature":7})"),
        std::string(R"({"sealbook_join_request":1,"body":"","signature":""})"),
        std::string(R"({"sealbook_checkpoint":1,"body":"","signature":""})"),
        std::string("SEALBOOK-KEY-1 000102030405060708090a0b0c0d0e0f")}) {
    ExpectRefused(text, text.substr(0, 60));
  }
  for (const auto& [from, to] : std::vector<std::pair<std::string, std::string>>{
           {"request\": 1", "request\": 2"},
           {"request\": 1", "request\": \"1\""},
           {"request\": 1", "request\": 1.0"},
           {"request\": 1", "request\": -1"},
           {"request\": 1", "request\": 1, \"name\": \"hana\""},
           {"\"body\"", "\"Body\""},
           {"\"body\": \"", "\"body\": \" "},
           {"\"signature\": \"", "\"signature\": \"\\n"},
           {"==\"", "=\""}}) {
    ASSERT_TRUE(absl::StrContains(text_, from)) << from;
    ExpectRefused(absl::StrReplaceAll(text_, {{from, to}}), to);
  }
  for (std::size_t size = 0; size + 2 < text_.size(); ++size)
    ExpectRefused(absl::string_view(text_).substr(0, size), absl::StrCat("cut at ", size));
}

TEST_F(JoinRequestTest, SixtyFourKibibytesAreTheMost) {
  const auto padded = [&](std::size_t size) {
    return text_ + std::string(size - text_.size(), ' ');
  };
  EXPECT_TRUE(JoinRequest::Parse(padded(JoinRequest::kMaxBytes)).ok());
  ExpectRefused(padded(JoinRequest::kMaxBytes + 1), "too large");
}

// A mail program may have wrapped it otherwise; what is signed is the same.
TEST_F(JoinRequestTest, BlanksBetweenItsPartsDoNotMatter) {
  const auto parsed = JoinRequest::Parse(absl::StrReplaceAll(text_, {{"\n", "\r\n\t"}}));
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_EQ(parsed->Fingerprint(), request_.Fingerprint());
}

TEST_F(JoinRequestTest, FingerprintIsSixGroupsOfFiveDigitsOfTheBody) {
  EXPECT_THAT(request_.Fingerprint(),
              ::testing::MatchesRegex("[0-9]{5} [0-9]{5} [0-9]{5} [0-9]{5} [0-9]{5} [0-9]{5}"));
  const crypto::Hash256 hash = crypto::HashOf("sealbook/join-fingerprint/1", {body_});
  std::uint64_t first = 0;
  for (int i = 0; i < 5; ++i) first = first * 256 + hash[static_cast<std::size_t>(i)];
  EXPECT_EQ(request_.Fingerprint().substr(0, 5),
            absl::StrCat(absl::Dec(first % 100000, absl::kZeroPad5)));
}

TEST_F(JoinRequestTest, FingerprintIsComparedWithoutBlanksAndWhole) {
  const std::string given = "01234 56789 01234 56789 01234 56789";
  for (const char* same :
       {"012345678901234567890123456789", " 01234\t5678901234 5678901234 56789\n",
        "01234 56789 01234 56789 01234 56789"}) {
    EXPECT_TRUE(IsFingerprint(same, given)) << same;
  }
  for (const char* other :
       {"", " ", "01234", "01234 56789 01234 56789 01234 5678",
        "01234 56789 01234 56789 01234 567890", "11234 56789 01234 56789 01234 56789",
        "01234-56789-01234-56789-01234-56789"}) {
    EXPECT_FALSE(IsFingerprint(other, given)) << other;
  }
}

TEST_F(JoinRequestTest, VaultFingerprintDependsOnVaultAndRootKey) {
  const crypto::VerifyKey root = crypto::SigningPair::Generate().verify_key();
  const std::string fingerprint = VaultFingerprint(VaultId{1}, root);
  EXPECT_EQ(fingerprint.size(), 35u);
  EXPECT_EQ(VaultFingerprint(VaultId{1}, root), fingerprint);
  EXPECT_NE(VaultFingerprint(VaultId{2}, root), fingerprint);
  EXPECT_NE(VaultFingerprint(VaultId{1}, crypto::SigningPair::Generate().verify_key()),
            fingerprint);
}

}  // namespace
}  // namespace sealbook::keyring
