#include "vault/audit/log.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "vault/status.h"

namespace sealbook::audit {
namespace {

constexpr absl::string_view kLabel = "sealbook/audit/1";
constexpr absl::string_view kDetailLabel = "sealbook/audit-detail/1";
constexpr absl::string_view kCheckpointLabel = "sealbook/audit-checkpoint/1";

// Everything but hash and signature: what both are over.
crypto::Bytes Body(const Record& record) {
  crypto::ByteWriter out;
  out.Text(kLabel).U64(static_cast<std::uint64_t>(record.sequence));
  out.U64(static_cast<std::uint64_t>(record.time_ms))
      .U32(static_cast<std::uint32_t>(record.member));
  out.U64(record.roster_version).Text(record.act).U64(static_cast<std::uint64_t>(record.token));
  out.Text(record.outcome).Variable(record.sealed_detail).Raw(record.previous);
  return out.Take();
}

// Row 1 names the vault where the others name their predecessor, so that chains cannot be swapped.
crypto::Hash256 FirstPrevious(const VaultId& vault) {
  return crypto::HashOf("sealbook/audit-start/1", {vault});
}

absl::Status Damaged(std::int64_t sequence, absl::string_view what) {
  return WithHint(absl::DataLossError(absl::StrCat("row ", sequence, " of the audit log ", what)),
                  "Somebody changed the vault's files. 'sealbook audit verify' checks the log.");
}

}  // namespace

absl::StatusOr<Record> Record::Parse(ByteView bytes) {
  crypto::ByteReader in(bytes);
  Record record;
  const std::string label = in.Text();
  record.sequence = static_cast<std::int64_t>(in.U64());
  record.time_ms = static_cast<std::int64_t>(in.U64());
  record.member = MemberId{in.U32()};
  record.roster_version = in.U64();
  record.act = in.Text();
  record.token = static_cast<std::int64_t>(in.U64());
  record.outcome = in.Text();
  const ByteView detail = in.Variable();
  record.sealed_detail.assign(detail.begin(), detail.end());
  record.previous = in.Array<32>();
  record.hash = in.Array<32>();
  record.signature = in.Array<64>();
  RETURN_IF_ERROR(in.Finish("an audit row"));
  if (label != kLabel) return absl::DataLossError("not an audit row");
  return record;
}

absl::Status Append(store::Store& store, const Author& author, const Event& event) {
  ASSIGN_OR_RETURN(const Head head, ReadHead(store));
  Record record{.sequence = head.sequence + 1,
                .time_ms = absl::ToUnixMillis(absl::Now()),
                .member = author.member,
                .roster_version = author.roster_version,
                .act = event.act,
                .token = event.token,
                .outcome = event.outcome,
                .sealed_detail = {},
                .previous = head.sequence == 0 ? FirstPrevious(author.vault) : head.hash,
                .hash = {},
                .signature = {}};
  if (!event.detail.empty()) {
    crypto::ByteWriter detail;
    detail.Text(kDetailLabel).Raw(author.vault).Text(event.detail);
    record.sealed_detail = crypto::SealToPublic(author.audit_compartment, detail.bytes());
  }
  crypto::Bytes bytes = Body(record);
  record.hash = crypto::HashOf(kLabel, {bytes});
  const crypto::Signature signature = author.signing->Sign(kLabel, record.hash);
  bytes.insert(bytes.end(), record.hash.begin(), record.hash.end());
  bytes.insert(bytes.end(), signature.begin(), signature.end());
  return store.InsertAudit(record.sequence, bytes);
}

absl::StatusOr<std::string> OpenDetail(const Record& record, const VaultId& vault,
                                       const crypto::ExchangePair& compartment) {
  if (record.sealed_detail.empty()) return std::string();
  ASSIGN_OR_RETURN(const crypto::SecretBytes plaintext,
                   crypto::OpenSealedToPublic(compartment, record.sealed_detail));
  crypto::ByteReader in(plaintext.ExposeBytes());
  const bool right = in.Text() == kDetailLabel;
  const bool of_this_vault = in.Array<16>() == vault;
  std::string detail = in.Text();
  RETURN_IF_ERROR(in.Finish("an audit detail"));
  if (!right || !of_this_vault) return absl::DataLossError("an audit detail is something else");
  return detail;
}

absl::Status EachBack(store::Store& store,
                      const std::function<absl::StatusOr<bool>(const Record&)>& visit) {
  std::optional<Record> follower;
  bool more = true;
  const auto one = [&](std::int64_t sequence, ByteView bytes) -> absl::StatusOr<bool> {
    if (follower && sequence != follower->sequence - 1)
      return Damaged(follower->sequence - 1, "is missing");
    auto record = Record::Parse(bytes);
    if (!record.ok()) return Damaged(sequence, "cannot be read");
    if (record->sequence != sequence) return Damaged(sequence, "stood elsewhere");
    if (crypto::HashOf(kLabel, {Body(*record)}) != record->hash ||
        (follower && follower->previous != record->hash)) {
      return Damaged(sequence, "was altered");
    }
    ASSIGN_OR_RETURN(more, visit(*record));
    follower = *std::move(record);
    return more;
  };
  RETURN_IF_ERROR(store.EachAuditBack(one));
  if (more && follower && follower->sequence > 1)
    return Damaged(follower->sequence - 1, "is missing");
  return absl::OkStatus();
}

absl::Status CheckSignature(const Record& record, const KeyOf& key_of) {
  const auto key = key_of(record.member, record.roster_version);
  if (key && crypto::Verify(*key, kLabel, record.hash, record.signature)) return absl::OkStatus();
  return Damaged(record.sequence, "has a wrong signature");
}

absl::StatusOr<Head> ReadHead(store::Store& store) {
  ASSIGN_OR_RETURN(const auto last, store.LastAudit());
  if (last.first == 0) return Head{};
  ASSIGN_OR_RETURN(const Record record, Record::Parse(last.second));
  return Head{.sequence = last.first, .hash = record.hash};
}

absl::StatusOr<Verification> Verify(store::Store& store, const VaultId& vault, const KeyOf& key_of,
                                    const std::optional<Head>& must_contain) {
  Verification result;
  crypto::Hash256 previous = FirstPrevious(vault);
  std::uint64_t roster_version = 0;
  bool contained = !must_contain || must_contain->sequence == 0;
  const auto bad = [&](std::int64_t sequence, absl::string_view why) {
    if (result.first_bad) return;
    result.first_bad = sequence;
    result.why = std::string(why);
  };
  RETURN_IF_ERROR(store.EachAudit(1, [&](std::int64_t sequence, ByteView bytes) {
    ++result.entries;
    const std::int64_t expected = result.head.sequence + 1;
    if (sequence != expected) bad(expected, "rows are missing");
    const auto record = Record::Parse(bytes);
    if (!record.ok()) {
      bad(sequence, "the row cannot be read");
      result.head.sequence = sequence;
      return absl::OkStatus();
    }
    if (record->sequence != sequence) bad(sequence, "the row stood elsewhere");
    if (record->previous != previous) bad(sequence, "the row does not follow the one before it");
    if (crypto::HashOf(kLabel, {Body(*record)}) != record->hash)
      bad(sequence, "the row was altered");
    // Rows name the newest roster: one that names an older one is by somebody removed since.
    if (record->roster_version < roster_version)
      bad(sequence, "the row names an older roster than the one before it");
    roster_version = std::max(roster_version, record->roster_version);
    if (!CheckSignature(*record, key_of).ok()) bad(sequence, "the row's signature is wrong");
    previous = record->hash;
    result.head = {.sequence = sequence, .hash = record->hash};
    if (must_contain && must_contain->sequence == sequence) {
      contained = true;
      if (must_contain->hash != record->hash) bad(sequence, "an earlier head had another row here");
    }
    return absl::OkStatus();
  }));
  if (!contained) bad(result.head.sequence + 1, "the log ends before an earlier head");
  return result;
}

namespace {
crypto::Bytes CheckpointBody(const Checkpoint& checkpoint) {
  crypto::ByteWriter out;
  out.Raw(checkpoint.vault).U64(static_cast<std::uint64_t>(checkpoint.head.sequence));
  out.Raw(checkpoint.head.hash).U64(static_cast<std::uint64_t>(checkpoint.time_ms));
  out.U32(static_cast<std::uint32_t>(checkpoint.member)).U64(checkpoint.roster_version);
  return out.Take();
}
}  // namespace

std::string FormatCheckpoint(const Checkpoint& checkpoint, const crypto::SigningPair& signing) {
  const crypto::Bytes body = CheckpointBody(checkpoint);
  const nlohmann::ordered_json json = {
      {"sealbook_checkpoint", 1},
      {"entries", checkpoint.head.sequence},
      {"head", crypto::ToHex(checkpoint.head.hash)},
      {"body", crypto::ToBase64(body)},
      {"signature", crypto::ToBase64(signing.Sign(kCheckpointLabel, body))},
  };
  return json.dump(1) + "\n";
}

absl::StatusOr<Checkpoint> ParseCheckpoint(absl::string_view text, const KeyOf& key_of) {
  const auto wrong = [] {
    return WithHint(absl::InvalidArgumentError("the checkpoint is not one that Sealbook wrote"),
                    "Name a file that 'audit checkpoint -o' made.");
  };
  const auto json = nlohmann::json::parse(text.begin(), text.end(), nullptr, false);
  if (!json.is_object() || !json.contains("body") || !json["body"].is_string() ||
      !json.contains("signature") || !json["signature"].is_string()) {
    return wrong();
  }
  const auto body = crypto::FromBase64(json["body"].get<std::string>());
  const auto signature_bytes = crypto::FromBase64(json["signature"].get<std::string>());
  if (!body.ok() || !signature_bytes.ok() || signature_bytes->size() != 64) return wrong();
  crypto::ByteReader in(*body);
  Checkpoint checkpoint;
  checkpoint.vault = in.Array<16>();
  checkpoint.head.sequence = static_cast<std::int64_t>(in.U64());
  checkpoint.head.hash = in.Array<32>();
  checkpoint.time_ms = static_cast<std::int64_t>(in.U64());
  checkpoint.member = MemberId{in.U32()};
  checkpoint.roster_version = in.U64();
  if (!in.Finish("a checkpoint").ok()) return wrong();
  // What a person reads in the file must be what was signed.
  const nlohmann::ordered_json shown = {{"sealbook_checkpoint", 1},
                                        {"entries", checkpoint.head.sequence},
                                        {"head", crypto::ToHex(checkpoint.head.hash)}};
  for (const auto& [name, value] : shown.items()) {
    if (!json.contains(name) || json[name].dump() != value.dump()) return wrong();
  }
  crypto::Signature signature;
  std::copy(signature_bytes->begin(), signature_bytes->end(), signature.begin());
  const auto key = key_of(checkpoint.member, checkpoint.roster_version);
  if (!key || !crypto::Verify(*key, kCheckpointLabel, *body, signature)) {
    return absl::DataLossError("the checkpoint's signature is wrong");
  }
  return checkpoint;
}

}  // namespace sealbook::audit
