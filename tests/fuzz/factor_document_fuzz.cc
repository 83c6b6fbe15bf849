// Documents of second factors and exports, as whoever holds the database key could lay them into
// the vault: whatever the bytes, the parsers end, and take nothing that is not signed by a member
// of that vault with the keys of that time and as what it is. What they take is what is written
// again. Signatures are not to be guessed, so the input is what follows a right beginning (label,
// vault, and what else nobody could guess), signed by one of four.
//
// Input: kind of document (1 byte), how (1), the rest.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "policies/policy.h"
#include "vault/audit/receipt.h"
#include "vault/crypto/age_file.h"
#include "vault/keyring/administration.h"
#include "vault/keyring/second_factor.h"
#include "vault/records/exports.h"

namespace {

using namespace sealbook;
using crypto::Bytes;
using keyring::FactorOwner;

// NDEBUG does not switch this off.
void Must(bool holds) {
  if (!holds) std::abort();
}

constexpr absl::string_view kTotp = "sealbook/factor-totp/1", kSecret = "sealbook/factor-secret/1",
                            kRecovery = "sealbook/factor-recovery/1",
                            kCodes = "sealbook/factor-codes/1", kState = "sealbook/factor-state/1",
                            kAgreement = "sealbook/factor-agreement/1",
                            kRemoval = "sealbook/factor-removal/1",
                            kSpec = "sealbook/export-spec/1",
                            kRequest = "sealbook/export-request/1",
                            kApproval = "sealbook/export-approval/1", kExport = "sealbook/export/1",
                            kReceipt = "sealbook/receipt/1";

crypto::SecretBytes PassphraseOf(absl::string_view name) {
  return crypto::SecretBytes::CopyOf(crypto::AsBytes(absl::StrCat("passphrase of ", name)));
}

// A vault of its own, which is gone with the process. All stays within one transaction that is
// never committed.
class Vault {
 public:
  static Vault& Get() {
    static auto* const vault = new Vault();
    return *vault;
  }

  keyring::Keyring& owner() { return *owner_; }
  const keyring::RosterHistory& history() const { return owner_->history(); }
  const keyring::Roster& roster() const { return owner_->roster(); }
  const keyring::Bundle& Of(int who) const {
    return (who == 0 ? owner_ : who == 1 ? ada_ : mina_)->bundle();
  }
  // Of 3, who is nobody in this vault.
  const crypto::SigningPair& SignerOf(int who) const {
    return who == 3 ? stranger_ : Of(who).signing;
  }
  FactorOwner OwnerOf(int who) const {
    return FactorOwner::Of(roster(), *roster().FindMember(Of(who).member));
  }
  const records::ExportRequest& request() const { return request_; }
  // Only this row is in the table then.
  void PutRow(const char* clear, const char* insert, std::int64_t number, ByteView id,
              ByteView document) {
    store::Database& database = owner_->store().database();
    Must(database.Execute(clear).ok());
    auto statement = database.Prepare(insert);
    Must(statement.ok());
    statement->Bind(1, number).Bind(2, id).Bind(3, document);
    Must(statement->Run().ok());
  }

 private:
  Vault() : stranger_(crypto::SigningPair::Generate()) {
    char name[] = "/tmp/sealbook-fuzz-XXXXXX";
    Must(mkdtemp(name) != nullptr);
    Root() = name;
    std::atexit([] {
      std::error_code ignored;
      std::filesystem::remove_all(Root(), ignored);
    });
    setenv("XDG_STATE_HOME", (Root() + "/state").c_str(), 1);
    const auto recipient = crypto::ExchangePair::Generate().public_key();
    const auto policy = policies::Policy::Parse(
        policies::DefaultPolicyText({.region = "KR",
                                     .archive_recipients = {crypto::FormatAgeRecipient(recipient)},
                                     .archive_destinations = {"file:///tmp/archive"}}));
    Must(policy.ok());
    keyring::CompiledPolicy compiled = policy->Compile();
    compiled.cost = kInsecureCost;
    Must(keyring::CreateVault({.directory = Root() + "/vault",
                               .owner = "owner",
                               .passphrase = PassphraseOf("owner"),
                               .policy = std::move(compiled),
                               .archive_recipients = {recipient}},
                              [](const keyring::CreatedVault&) { return absl::OkStatus(); })
             .ok());
    owner_ = Unlock("owner");
    ada_ = Join("ada", "admin");
    mina_ = Join("mina", "agent");
    auto transaction = owner_->BeginWrite();
    Must(transaction.ok());
    static auto* const kept = new store::Transaction(*std::move(transaction));
    Must(kept != nullptr);
    const auto request = records::InsertExportRequest(
        *owner_, records::NewExportId(), {.format = "csv", .reason = "fuzzing"},
        absl::FromUnixSeconds(1'700'000'000), absl::Hours(24));
    Must(request.ok());
    request_ = *request;
  }
  static std::string& Root() {
    static auto* const root = new std::string();
    return *root;
  }
  static constexpr crypto::PassphraseCost kInsecureCost{.memory_kib = 64, .passes = 1};
  std::unique_ptr<keyring::Keyring> Unlock(absl::string_view name) const {
    auto keyring =
        keyring::Keyring::Unlock(keyring::VaultPaths(Root() + "/vault"),
                                 {.name = std::string(name),
                                  .secret = {.kind = keyring::UnlockSecret::Kind::kPassphrase,
                                             .bytes = PassphraseOf(name)}});
    Must(keyring.ok());
    return *std::move(keyring);
  }
  std::unique_ptr<keyring::Keyring> Join(absl::string_view name, absl::string_view role) const {
    Must(keyring::AddMember(*owner_, {.name = std::string(name),
                                      .role = std::string(role),
                                      .books = {},
                                      .secret = {.kind = keyring::UnlockSecret::Kind::kPassphrase,
                                                 .bytes = PassphraseOf(name)},
                                      .cost = kInsecureCost,
                                      .request = std::nullopt})
             .ok());
    return Unlock(name);
  }

  std::unique_ptr<keyring::Keyring> owner_, ada_, mina_;
  crypto::SigningPair stranger_;
  records::ExportRequest request_;
};

struct Input {
  int who = 0;          // signs: owner, an admin, an agent, or nobody of the vault
  bool sealed = false;  // the rest is what stands in the sealed part
  std::uint8_t at = 0;  // which byte is flipped
  ByteView rest;
};

Bytes Signed(const Bytes& body, absl::string_view label, const crypto::SigningPair& pair) {
  const crypto::Signature signature = pair.Sign(label, body);
  Bytes document = body;
  document.insert(document.end(), signature.begin(), signature.end());
  return document;
}

// `takes(document)` for what nobody may take: another body, another signature, one of another kind.
template <typename Takes>
void MustRefuseOthers(const Input& input, const Bytes& body, absl::string_view label,
                      Takes&& takes) {
  const crypto::SigningPair& pair = Vault::Get().SignerOf(input.who);
  Must(!takes(body));
  Must(!takes(Bytes(input.rest.begin(), input.rest.end())));
  Bytes flipped = Signed(body, label, pair);
  flipped[(flipped.size() * input.at) >> 8] ^= static_cast<std::uint8_t>(1 << input.at % 8);
  Must(!takes(flipped));
  Must(!takes(Signed(body, label == kState ? kTotp : kState, pair)));
  Must(!takes(Signed(body, label, Vault::Get().SignerOf(3))));
}

// Enrolments, recovery codes, states: begin with whose they are.
template <typename Document>
void OwnDocument(const Input& input, absl::string_view label, bool (*opens)(const Document&)) {
  const Vault& vault = Vault::Get();
  const int whose = input.who % 3;
  const FactorOwner owner = vault.OwnerOf(whose);
  crypto::ByteWriter out;
  out.Text(label).Raw(owner.vault).U32(static_cast<std::uint32_t>(owner.member));
  out.Raw(owner.exchange.bytes).Raw(owner.verify.bytes).Raw(input.rest);
  const Bytes body = out.Take();
  const Bytes document = Signed(body, label, vault.SignerOf(input.who));
  const auto parsed = Document::Parse(document, owner);
  Must(parsed.ok() || absl::IsDataLoss(parsed.status()));
  if (parsed.ok()) {
    Must(input.who != 3);
    Must(parsed->Sign(vault.SignerOf(whose)) == document);
    if (opens != nullptr) opens(*parsed);
  }
  Must(!Document::Parse(document, vault.OwnerOf((whose + 1) % 3)).ok());
  MustRefuseOthers(input, body, label,
                   [&](const Bytes& other) { return Document::Parse(other, owner).ok(); });
}

bool OpensTotp(const keyring::Enrollment& enrollment) {
  Must(enrollment.Id().size() == 16);
  const auto secret = keyring::OpenTotpSecret(Vault::Get().Of(0).exchange, enrollment);
  Must(secret.ok() ? secret->size() == keyring::kTotpSecretBytes
                   : absl::IsDataLoss(secret.status()));
  return secret.ok();
}
bool OpensRecovery(const keyring::RecoverySet& set) {
  Must(set.Id().size() == 16);
  const auto hashes = keyring::OpenRecoveryHashes(Vault::Get().Of(0).exchange, set);
  Must(hashes.ok() || absl::IsDataLoss(hashes.status()));
  return hashes.ok();
}

// What is sealed to a member: opens exactly where it has its form.
template <typename Document>
void Sealed(const Input& input, absl::string_view label, std::size_t size,
            bool (*opens)(const Document&)) {
  const FactorOwner owner = Vault::Get().OwnerOf(0);
  crypto::ByteWriter out;
  out.Text(label).Raw(owner.vault).Raw(input.rest);
  Document document{.owner = owner};
  document.sealed = crypto::SealToPublic(owner.exchange, out.bytes());
  crypto::ByteReader in(input.rest);
  const bool right = MemberId{in.U32()} == owner.member && in.Raw(size).size() == size &&
                     in.Finish("the rest").ok();
  Must(opens(document) == right);
}

// Another's word: begins with label and vault, and names members and a roster version itself.
template <typename Document>
void OthersDocument(const Input& input, absl::string_view label) {
  const Vault& vault = Vault::Get();
  crypto::ByteWriter out;
  out.Text(label).Raw(vault.roster().vault).Raw(input.rest);
  const Bytes body = out.Take();
  const Bytes document = Signed(body, label, vault.SignerOf(input.who));
  int taken = 0;
  for (int whose = 0; whose < 3; ++whose) {
    const MemberId member = vault.Of(whose).member;
    const auto parsed = Document::Parse(document, vault.history(), member);
    Must(parsed.ok() || absl::IsDataLoss(parsed.status()));
    if (!parsed.ok()) continue;
    ++taken;
    Must(input.who != 3 && parsed->member == member);
    Must(parsed->Sign(vault.SignerOf(input.who)) == document);
    if constexpr (std::is_same_v<Document, keyring::Countersignature>) {
      // An agent, and whoever it is about, agree to nothing.
      Must(parsed->signer == vault.Of(input.who).member);
      Must(input.who != 2 && input.who != whose);
    } else {
      Must(parsed->asker == vault.Of(input.who).member);
      Must(input.who != 2 || whose == 2);
      Must(parsed->Id().size() == 16);
    }
  }
  Must(taken <= 1);
  MustRefuseOthers(input, body, label, [&](const Bytes& other) {
    for (int whose = 0; whose < 3; ++whose) {
      if (Document::Parse(other, vault.history(), vault.Of(whose).member).ok()) return true;
    }
    return false;
  });
}

void Spec(const Input& input) {
  const auto spec = records::ExportSpec::Decode(input.rest);
  if (spec.ok()) {
    const Bytes again = spec->Encode();
    Must(std::equal(again.begin(), again.end(), input.rest.begin(), input.rest.end()));
  } else {
    Must(absl::IsDataLoss(spec.status()));
  }
}

constexpr char kNoRequests[] = "DELETE FROM export_request";
constexpr char kPutRequest[] = "INSERT INTO export_request SELECT ?2, ?3 WHERE ?1 = 0";

void Request(const Input& input) {
  Vault& vault = Vault::Get();
  keyring::Keyring& owner = vault.owner();
  records::ExportId id{};
  crypto::ByteWriter out;
  out.Text(kRequest).Raw(vault.roster().vault);
  if (input.sealed) {
    // All of it is right but, perhaps, what is asked for.
    id.fill(0x5a);
    crypto::ByteWriter plaintext;
    plaintext.Text(kSpec).Raw(vault.roster().vault).Raw(id).Variable(input.rest);
    out.Raw(id).U32(static_cast<std::uint32_t>(vault.Of(input.who % 3).member));
    out.U64(vault.roster().version).U64(1).U64(2).U64(3);
    out.Variable(crypto::SealToPublic(
        vault.roster().FindCompartment(kRootBook, ClassId::kAudit)->public_key, plaintext.bytes()));
  } else {
    std::copy_n(input.rest.begin(), std::min(id.size(), input.rest.size()), id.begin());
    out.Raw(input.rest);
  }
  const Bytes body = out.Take();
  const auto find = [&](const Bytes& document) {
    vault.PutRow(kNoRequests, kPutRequest, 0, id, document);
    return records::FindExportRequest(owner, records::FormatExportId(id));
  };
  const auto request = find(Signed(body, kRequest, vault.SignerOf(input.who)));
  Must(request.ok() || absl::IsDataLoss(request.status()));
  if (request.ok()) {
    Must(input.who != 3 && request->id == id && request->member == vault.Of(input.who).member);
    Must(request->hash == crypto::HashOf(kRequest, {body}));
    const auto spec = records::OpenExportSpec(owner, *request);
    Must(spec.ok() || absl::IsDataLoss(spec.status()));
    const auto decoded = records::ExportSpec::Decode(input.rest);
    if (input.sealed) Must(spec.ok() == decoded.ok() && (!spec.ok() || *spec == *decoded));
  } else {
    Must(!input.sealed || input.who == 3);
  }
  MustRefuseOthers(input, body, kRequest, [&](const Bytes& other) { return find(other).ok(); });
}

constexpr char kNoApprovals[] = "DELETE FROM export_approval";
constexpr char kPutApproval[] = "INSERT INTO export_approval VALUES (?2, ?1, ?3)";

void Approval(const Input& input) {
  Vault& vault = Vault::Get();
  const records::ExportRequest& request = vault.request();
  crypto::ByteWriter out;
  out.Text(kApproval).Raw(vault.roster().vault).Raw(request.hash).Raw(input.rest);
  const Bytes body = out.Take();
  const MemberId member = vault.Of(input.who % 3).member;
  const auto approvals = [&](const Bytes& document) {
    vault.PutRow(kNoApprovals, kPutApproval, static_cast<std::uint32_t>(member), request.id,
                 document);
    return records::ExportApprovals(vault.owner(), request);
  };
  const auto all = approvals(Signed(body, kApproval, vault.SignerOf(input.who)));
  Must(all.ok() || absl::IsDataLoss(all.status()));
  if (all.ok() && !all->empty()) {
    crypto::ByteReader in(input.rest);
    Must(input.who != 3 && *all == std::vector<MemberId>{member} && MemberId{in.U32()} == member);
    Must(vault.history().Version(in.U64()) != nullptr);
    const auto time = static_cast<std::int64_t>(in.U64());
    Must(in.Finish("an approval").ok() && time <= request.expires_ms &&
         time >= request.time_ms - 120'000);
  }
  MustRefuseOthers(input, body, kApproval,
                   [&](const Bytes& other) { return approvals(other).ok(); });
}

constexpr char kNoExports[] = "DELETE FROM export";
constexpr char kPutExport[] = "INSERT INTO export SELECT ?1, ?3 WHERE ?2 IS NOT NULL";

void Record(const Input& input) {
  Vault& vault = Vault::Get();
  crypto::ByteWriter out;
  out.Text(kExport).Raw(vault.roster().vault).Raw(input.rest);
  const Bytes body = out.Take();
  crypto::ByteReader number_of(input.rest);
  const auto number = static_cast<std::int64_t>(number_of.U64());
  const auto look = [&](const Bytes& document) -> absl::StatusOr<records::ExportRecord> {
    vault.PutRow(kNoExports, kPutExport, number, Bytes{1}, document);
    records::ExportRecord read;
    const absl::Status status = records::EachExportBack(
        vault.owner(), [&](const records::ExportRecord& record) -> absl::StatusOr<bool> {
          read = record;
          return false;
        });
    if (!status.ok()) return status;
    return read;
  };
  const auto record = look(Signed(body, kExport, vault.SignerOf(input.who)));
  Must(record.ok() || absl::IsDataLoss(record.status()));
  if (record.ok()) {
    Must(input.who != 3 && record->member == vault.Of(input.who).member);
    Must(record->number == number);
    const Bytes& header = record->header;
    Must(header.size() <= input.rest.size() &&
         std::equal(header.begin(), header.end(),
                    input.rest.end() - static_cast<std::ptrdiff_t>(header.size())));
    // Alone it is the whole table only as the first.
    Must(records::EachExportBack(vault.owner(), [](const auto&) { return true; }).ok() ==
         (number <= 1));
  }
  MustRefuseOthers(input, body, kExport, [&](const Bytes& other) { return look(other).ok(); });
}

// The rest is the text before the signature, with KEY for the signer's public key.
void Receipt(const Input& input) {
  const crypto::SigningPair& pair = Vault::Get().SignerOf(input.who);
  std::string text(crypto::AsText(input.rest));
  // Once: many would make a large text of a small input.
  if (const auto at = text.find("KEY"); at != std::string::npos)
    text.replace(at, 3, crypto::ToHex(pair.verify_key().bytes));
  if (text.empty() || text.back() != '\n') text += '\n';
  const std::string whole = absl::StrCat(
      text, "signature: ", crypto::ToBase64(pair.Sign(kReceipt, crypto::AsBytes(text))), "\n");
  const auto receipt = audit::Receipt::Verify(whole, pair.verify_key());
  Must(receipt.ok() || absl::IsInvalidArgument(receipt.status()) ||
       absl::IsDataLoss(receipt.status()));
  Must(!audit::Receipt::Verify(text, pair.verify_key()).ok());
  if (!receipt.ok()) return;
  Must(
      !audit::Receipt::Verify(whole, Vault::Get().SignerOf((input.who + 1) % 4).verify_key()).ok());
  const auto again = audit::Receipt::Verify(receipt->Sign(pair), pair.verify_key());
  Must(again.ok() && again->kind == receipt->kind && again->id == receipt->id &&
       again->vault == receipt->vault && again->time == receipt->time &&
       again->member == receipt->member && again->facts == receipt->facts);
  std::string flipped = whole;
  char& byte = flipped[(flipped.size() * input.at) >> 8];
  byte = static_cast<char>(byte ^ 1);
  Must(!audit::Receipt::Verify(flipped, pair.verify_key()).ok());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const bool ready = crypto::PrepareProcess().ok();
  Must(ready);
  if (size < 2) return 0;
  const Input input{.who = data[1] & 3,
                    .sealed = (data[1] & 4) != 0,
                    .at = static_cast<std::uint8_t>(size * 37 + data[1]),
                    .rest = ByteView(data, size).subspan(2)};
  switch (data[0] % 10) {
    case 0:
      if (input.sealed)
        Sealed<keyring::Enrollment>(input, kSecret, keyring::kTotpSecretBytes, OpensTotp);
      else
        OwnDocument<keyring::Enrollment>(input, kTotp, OpensTotp);
      break;
    case 1:
      if (input.sealed)
        Sealed<keyring::RecoverySet>(input, kCodes, 16 + keyring::kRecoveryCodes * 32,
                                     OpensRecovery);
      else
        OwnDocument<keyring::RecoverySet>(input, kRecovery, OpensRecovery);
      break;
    case 2:
      OwnDocument<keyring::FactorState>(input, kState, nullptr);
      break;
    case 3:
      OthersDocument<keyring::Countersignature>(input, kAgreement);
      break;
    case 4:
      OthersDocument<keyring::RemovalRequest>(input, kRemoval);
      break;
    case 5:
      Spec(input);
      break;
    case 6:
      Request(input);
      break;
    case 7:
      Approval(input);
      break;
    case 8:
      Record(input);
      break;
    default:
      Receipt(input);
  }
  return 0;
}
