// A join request from a stranger: whatever the bytes, the parser ends; what it takes comes back
// from what it writes, its key can be sealed to, and its cost is within bounds. Signatures are not
// to be guessed, so the input is tried a second time as a body that its maker signed.
#include <cstdint>
#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "vault/keyring/admission.h"
#include "vault/keyring/fingerprint.h"

namespace {

using sealbook::ByteView;
using sealbook::crypto::PassphraseCost;
using sealbook::keyring::JoinRequest;

// NDEBUG does not switch this off.
void Must(bool holds) {
  if (!holds) std::abort();
}

void Use(absl::string_view text) {
  const auto request = JoinRequest::Parse(text);
  if (!request.ok()) {
    Must(absl::IsInvalidArgument(request.status()));
    return;
  }
  const PassphraseCost& cost = request->secrets().cost;
  Must(cost.memory_kib >= PassphraseCost::kMinMemoryKib &&
       cost.memory_kib <= PassphraseCost::kMaxMemoryKib);
  Must(cost.passes >= 1 && cost.passes <= PassphraseCost::kMaxPasses);
  Must(request->Fingerprint().size() == 35);
  Must(sealbook::keyring::IsFingerprint(request->Fingerprint(), request->Fingerprint()));
  const std::string written = request->Format();
  Must(written.size() <= JoinRequest::kMaxBytes);
  const auto again = JoinRequest::Parse(written);
  Must(again.ok() && again->Format() == written && again->Fingerprint() == request->Fingerprint());
  // Ends the process where the key is none that can be sealed to.
  const auto entry = sealbook::keyring::MakeJoiningEntry({}, *request, sealbook::MemberId{1}, {});
  Must(entry.joining->exchange == request->exchange());
}

// As a maker would write it who signs anything: the key in the body is that of a known seed.
std::string SignedBody(ByteView data) {
  static const auto* const signer =
      new sealbook::crypto::SigningPair(sealbook::crypto::SigningPair::FromSeed(
          sealbook::crypto::SigningSeed::CopyOf(sealbook::crypto::Bytes(32, 7))));
  constexpr std::size_t kVerifyAt = 27 + 32;
  sealbook::crypto::Bytes body(data.begin(), data.end());
  const auto& key = signer->verify_key().bytes;
  for (std::size_t i = 0; i < key.size() && kVerifyAt + i < body.size(); ++i)
    body[kVerifyAt + i] = key[i];
  return absl::StrCat("{\"sealbook_join_request\":1,\"body\":\"", sealbook::crypto::ToBase64(body),
                      "\",\"signature\":\"",
                      sealbook::crypto::ToBase64(signer->Sign("sealbook/join-request/1", body)),
                      "\"}");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const bool ready = sealbook::crypto::PrepareProcess().ok();
  Must(ready);
  Use(sealbook::crypto::AsText({data, size}));
  Use(SignedBody({data, size}));
  return 0;
}
