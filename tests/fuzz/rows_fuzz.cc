// What the vault keeps, as whoever may write its files writes it: the first byte says which kind of
// row the rest is. Whatever the bytes, the parsers end, and what they take comes back as it was.
#include <cstdint>
#include <cstdlib>

#include "vault/audit/log.h"
#include "vault/keyring/rekeying.h"
#include "vault/keyring/session.h"
#include "vault/records/contact_codec.h"

namespace {

using sealbook::ByteView;
using namespace sealbook;  // NOLINT: one file, all of the vault's parsers

// NDEBUG does not switch this off.
void Must(bool holds) {
  if (!holds) std::abort();
}

bool Same(const crypto::Bytes& a, ByteView b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto* const signer = [] {
    Must(crypto::PrepareProcess().ok());
    return new crypto::SigningPair(crypto::SigningPair::Generate());
  }();
  if (size == 0) return 0;
  const ByteView row(data + 1, size - 1);
  switch (data[0]) {
    case 'r': {
      const auto roster = keyring::SignedRoster::Parse(row);
      if (roster.ok()) keyring::RosterHistory({}).CheckNext(row).IgnoreError();
      break;
    }
    case 's': {
      const auto session = keyring::SignedSession::Parse(row);
      if (!session.ok()) break;
      const crypto::Bytes again = session->session.Sign(*signer);
      Must(again.size() == row.size());
      Must(Same(session->body, ByteView(again).first(again.size() - 64)));
      for (const auto& coverage : session->session.coverage) coverage.Contains(1);
      break;
    }
    case 'k': {
      const auto request = keyring::RekeyRequest::ParseUnchecked(row);
      if (!request.ok()) break;
      const crypto::Bytes again = request->Sign(*signer, *signer);
      Must(again.size() == row.size());
      Must(Same({again.begin(), again.end() - 128}, row.first(row.size() - 128)));
      Must(request->Fingerprint().size() == 35);
      // Nobody signed it by chance.
      Must(!keyring::RekeyRequest::Parse(row, signer->verify_key()).ok());
      break;
    }
    case 'a':
      audit::Record::Parse(row).IgnoreError();
      break;
    case 'v': {
      const auto values = records::DecodeValues(row);
      if (!values.ok()) break;
      const auto again = records::DecodeValues(records::EncodeValues(*values));
      Must(again.ok() && again->size() == values->size());
      break;
    }
    case 'w': {
      const auto wraps = records::DecodeWraps(row);
      if (!wraps.ok()) break;
      const auto again = records::DecodeWraps(records::EncodeWraps(*wraps));
      Must(again.ok() && again->size() == wraps->size());
      break;
    }
    case 'f': {
      const auto fields = records::DecodeFields(row);
      if (!fields.ok()) break;
      const auto again = records::DecodeFields(records::EncodeFields(*fields));
      Must(again.ok() && *again == *fields);
      break;
    }
    default:
      break;
  }
  return 0;
}
