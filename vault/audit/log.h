// The audit log: one hash chain for all processes, signed row by row, details sealed.
//
// A row is written in the transaction of the act that it tells of; where it cannot be written, the
// act fails. It holds no personal value: an act, a token, an outcome, and a detail (JSON) that only
// roles with the audit class open. docs/format.md, "Audit row".
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "vault/crypto/exchange.h"
#include "vault/crypto/hash.h"
#include "vault/crypto/signature.h"
#include "vault/store/store.h"

namespace sealbook::audit {

using VaultId = std::array<std::uint8_t, 16>;

struct Record {
  std::int64_t sequence = 0;
  std::int64_t time_ms = 0;  // Unix time, as this machine's clock had it
  MemberId member{};
  std::uint64_t roster_version = 0;  // where the member's public key stands
  std::string act;                   // "lookup", "import", "unlock.failed", …
  std::int64_t token = 0;            // whom it is about; 0: no single contact or member
  std::string outcome;               // "done", "denied", "not_found", "failed"
  crypto::Bytes sealed_detail;
  crypto::Hash256 previous{};
  crypto::Hash256 hash{};
  crypto::Signature signature{};

  // DataLoss: not a record.
  static absl::StatusOr<Record> Parse(ByteView bytes);
};

// What the token of a row about one member is, in the place of a contact's: tokens are positive. So
// that whoever counts such rows needs no details, which few can open.
inline std::int64_t TokenOfMember(MemberId member) {
  return -static_cast<std::int64_t>(static_cast<std::uint32_t>(member));
}
inline bool IsAboutMember(std::int64_t token) { return token < 0; }

// Who writes, and to whom details are sealed. References live as long as the writer.
struct Author {
  VaultId vault{};
  MemberId member{};
  std::uint64_t roster_version = 0;
  const crypto::SigningPair* signing = nullptr;
  crypto::ExchangePublic audit_compartment;
};

struct Event {
  std::string act;
  std::int64_t token = 0;
  std::string outcome = "done";
  std::string detail = {};  // JSON; no personal values
};

// Appends within the caller's write transaction.
absl::Status Append(store::Store& store, const Author& author, const Event& event);

// DataLoss: not sealed to this compartment.
absl::StatusOr<std::string> OpenDetail(const Record& record, const VaultId& vault,
                                       const crypto::ExchangePair& compartment);

// Rows from the newest back until `visit` gives false, for rules that count what was done.
// DataLoss: a row was altered, or is missing among those visited. Signatures are not looked at:
// that takes as long as reading some hundred rows, so the visitor checks those that it relies on.
absl::Status EachBack(store::Store& store,
                      const std::function<absl::StatusOr<bool>(const Record&)>& visit);

struct Head {
  std::int64_t sequence = 0;
  crypto::Hash256 hash{};
};
absl::StatusOr<Head> ReadHead(store::Store& store);

struct Verification {
  std::int64_t entries = 0;
  Head head;
  std::optional<std::int64_t> first_bad;
  std::string why;  // of the first bad one
  bool ok() const { return !first_bad.has_value(); }
};
// The key that signs for a member at a roster version; nullopt where no such member was active.
using KeyOf =
    std::function<std::optional<crypto::VerifyKey>(MemberId, std::uint64_t roster_version)>;

// DataLoss: the row is not signed by the member whom it names.
absl::Status CheckSignature(const Record& record, const KeyOf& key_of);

// Walks the whole chain. `must_contain` (from a checkpoint or a high-water mark) is an earlier head
// that has to be in it: so a cut tail is seen.
absl::StatusOr<Verification> Verify(store::Store& store, const VaultId& vault, const KeyOf& key_of,
                                    const std::optional<Head>& must_contain);

// A signed statement of the log's head, to be kept elsewhere; checkable with the member's public
// key.
struct Checkpoint {
  VaultId vault{};
  Head head;
  std::int64_t time_ms = 0;
  MemberId member{};
  std::uint64_t roster_version = 0;
};
std::string FormatCheckpoint(const Checkpoint& checkpoint, const crypto::SigningPair& signing);
// InvalidArgument: not a checkpoint. DataLoss: its signature is wrong.
absl::StatusOr<Checkpoint> ParseCheckpoint(absl::string_view text, const KeyOf& key_of);

}  // namespace sealbook::audit
