#include "vault/keyring/unlock_file.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "vault/crypto/aead.h"
#include "vault/crypto/random.h"
#include "vault/keyring/admission.h"
#include "vault/keyring/files.h"
#include "vault/status.h"

namespace sealbook::keyring {
namespace {

constexpr absl::string_view kBundleLabel = "sealbook/bundle/1";
constexpr absl::string_view kDatabaseLabel = "sealbook/database-key/1";
constexpr int kFormat = 1;
constexpr mode_t kFileMode = 0660;

struct KeyFilePurpose;

absl::StatusOr<crypto::UnlockKey> UnlockKeyFor(const UnlockSecret& secret,
                                               const UnlockEntry& entry) {
  if (secret.kind == UnlockSecret::Kind::kKeyFile) {
    if (secret.bytes.size() != crypto::kKeyBytes) {
      return absl::UnauthenticatedError("a key of the wrong length");
    }
    const auto key = crypto::Key<KeyFilePurpose>::CopyOf(secret.bytes.ExposeBytes());
    return crypto::DeriveKey<crypto::UnlockPurpose>(key, "sealbook/key-file/1", {entry.salt});
  }
  return crypto::StretchPassphrase(secret.bytes.ExposeBytes(), entry.salt, entry.cost);
}

crypto::Bytes BundlePlace(const VaultId& vault, absl::string_view entry_id,
                          const UnlockEntry& entry) {
  crypto::ByteWriter out;
  out.Text(kBundleLabel).Raw(vault).Text(entry_id).U8(static_cast<std::uint8_t>(entry.kind));
  out.U32(entry.cost.memory_kib).U32(entry.cost.passes).Raw(entry.salt);
  return out.Take();
}

crypto::SecretBytes EncodeBundle(const Bundle& bundle) {
  crypto::ByteWriter head;
  head.U32(static_cast<std::uint32_t>(bundle.member)).U8(bundle.must_change ? 1 : 0);
  const std::uint8_t has_root = bundle.root_pair ? 1 : 0;
  // Straight into wiped memory: a buffer that grows would leave copies behind.
  crypto::SecretBytes out(head.bytes().size() + (3u + has_root) * crypto::kKeyBytes + 1);
  auto at = out.ExposeMutable().begin();
  const auto put = [&at](ByteView bytes) { at = std::copy(bytes.begin(), bytes.end(), at); };
  put(head.bytes());
  put(bundle.exchange.secret().ExposeBytes());
  put(bundle.signing.seed().ExposeBytes());
  put(bundle.root.bytes);
  put({&has_root, 1});
  if (bundle.root_pair) put(bundle.root_pair->seed().ExposeBytes());
  return out;
}

absl::StatusOr<Bundle> DecodeBundle(ByteView bytes) {
  crypto::ByteReader in(bytes);
  const MemberId member{in.U32()};
  const bool must_change = in.U8() != 0;
  const ByteView exchange = in.Raw(crypto::kKeyBytes), signing = in.Raw(crypto::kKeyBytes);
  crypto::VerifyKey root;
  root.bytes = in.Array<32>();
  const bool has_root = in.U8() != 0;
  const ByteView root_seed = in.Raw(has_root ? crypto::kKeyBytes : 0);
  RETURN_IF_ERROR(in.Finish("a member's bundle"));
  Bundle bundle{
      .member = member,
      .must_change = must_change,
      .exchange = crypto::ExchangePair::FromSecret(crypto::ExchangeSecret::CopyOf(exchange)),
      .signing = crypto::SigningPair::FromSeed(crypto::SigningSeed::CopyOf(signing)),
      .root = root,
      .root_pair = std::nullopt};
  if (has_root) {
    bundle.root_pair = crypto::SigningPair::FromSeed(crypto::SigningSeed::CopyOf(root_seed));
  }
  return bundle;
}

absl::Status Damaged(const std::string& path) {
  return WithHint(absl::DataLossError(absl::StrCat(path, " is damaged")),
                  "Put vault.db and unlock.json of the same backup back.");
}

bool ReadJoining(const nlohmann::json& json, Joining& joining) {
  const auto read = [&](const char* key) -> crypto::Bytes {
    const auto at = json.is_object() ? json.find(key) : json.end();
    if (!json.is_object() || at == json.end() || !at->is_string()) return {};
    return crypto::FromBase64(at->get<std::string>()).value_or(crypto::Bytes());
  };
  const crypto::Bytes exchange = read("exchange"), verify = read("verify");
  joining.admission = read("admission");  // one that is missing does not open
  if (exchange.size() != joining.exchange.bytes.size() ||
      verify.size() != joining.verify.bytes.size()) {
    return false;
  }
  std::copy(exchange.begin(), exchange.end(), joining.exchange.bytes.begin());
  std::copy(verify.begin(), verify.end(), joining.verify.bytes.begin());
  return true;
}

bool ReadEntry(const nlohmann::json& json, UnlockEntry& entry) {
  if (!json.is_object()) return false;
  const auto text = [&](const char* key) {
    const auto at = json.find(key);
    return at != json.end() && at->is_string() ? at->get<std::string>() : std::string();
  };
  const auto number = [&](const char* key) {
    const auto at = json.find(key);
    return at != json.end() && at->is_number_unsigned() && at->get<std::uint64_t>() <= UINT32_MAX
               ? at->get<std::uint32_t>()
               : 0;
  };
  const std::string kdf = text("kdf");
  if (kdf != "argon2id" && kdf != "key-file") return false;
  entry.kind = kdf == "argon2id" ? UnlockSecret::Kind::kPassphrase : UnlockSecret::Kind::kKeyFile;
  entry.cost = {.memory_kib = number("memory_kib"), .passes = number("passes")};
  const auto salt = crypto::FromBase64(text("salt")), bundle = crypto::FromBase64(text("bundle")),
             database_key = crypto::FromBase64(text("database_key"));
  if (!salt.ok() || salt->size() != entry.salt.size() || !bundle.ok() || !database_key.ok())
    return false;
  std::copy(salt->begin(), salt->end(), entry.salt.begin());
  entry.bundle = *bundle;
  entry.database_key = *database_key;
  const auto next_key = crypto::FromBase64(text("database_key_next"));
  if (!next_key.ok()) return false;
  entry.database_key_next = *next_key;
  if (const auto joining = json.find("joining"); joining != json.end()) {
    return ReadJoining(*joining, entry.joining.emplace());
  }
  return true;
}

nlohmann::ordered_json EntriesJson(const std::map<std::string, UnlockEntry>& entries) {
  auto out = nlohmann::ordered_json::object();
  for (const auto& [id, entry] : entries) {
    out[id] = {
        {"kdf", entry.kind == UnlockSecret::Kind::kPassphrase ? "argon2id" : "key-file"},
        {"memory_kib", entry.cost.memory_kib},
        {"passes", entry.cost.passes},
        {"salt", crypto::ToBase64(entry.salt)},
        {"bundle", crypto::ToBase64(entry.bundle)},
        {"database_key", crypto::ToBase64(entry.database_key)},
    };
    if (!entry.database_key_next.empty())
      out[id]["database_key_next"] = crypto::ToBase64(entry.database_key_next);
    if (entry.joining) {
      out[id]["joining"] = {{"exchange", crypto::ToBase64(entry.joining->exchange.bytes)},
                            {"verify", crypto::ToBase64(entry.joining->verify.bytes)},
                            {"admission", crypto::ToBase64(entry.joining->admission)}};
    }
  }
  return out;
}

}  // namespace

absl::StatusOr<UnlockFile> UnlockFile::Load(const std::string& path) {
  ASSIGN_OR_RETURN(const std::string text, ReadSmallFile(path, kMaxBytes));
  const auto json = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object() || !json.contains("format") || !json["format"].is_number_integer()) {
    return Damaged(path);
  }
  if (const auto format = json["format"].get<std::int64_t>(); format != kFormat) {
    return WithHint(absl::FailedPreconditionError(absl::StrCat(path, " has format ", format,
                                                               ", this Sealbook reads ", kFormat)),
                    "Update Sealbook on this machine.");
  }
  if (!json.contains("vault") || !json["vault"].is_string() || !json.contains("entries") ||
      !json["entries"].is_object()) {
    return Damaged(path);
  }
  const auto id = crypto::FromHex(json["vault"].get<std::string>());
  VaultId vault{};
  if (!id.ok() || id->size() != vault.size()) return Damaged(path);
  std::copy(id->begin(), id->end(), vault.begin());
  UnlockFile file(vault);
  for (const auto& [entry_id, value] : json["entries"].items()) {
    if (!ReadEntry(value, file.entries_[entry_id])) return Damaged(path);
  }
  if (const auto next = json.find("next"); next != json.end()) {
    if (!next->is_object()) return Damaged(path);
    for (const auto& [entry_id, value] : next->items()) {
      if (!ReadEntry(value, file.next_[entry_id])) return Damaged(path);
    }
  }
  return file;
}

absl::Status UnlockFile::Save(const std::string& path) const {
  nlohmann::ordered_json json = {{"format", kFormat}, {"vault", crypto::ToHex(vault_)}};
  json["entries"] = EntriesJson(entries_);
  if (!next_.empty()) json["next"] = EntriesJson(next_);
  return ReplaceFile(path, json.dump(1) + "\n", kFileMode);
}

std::string UnlockFile::EntryId(absl::string_view normalized_name) const {
  // The one unkeyed hash of something that can be guessed: before unlocking there is no key.
  const crypto::Hash256 hash =
      crypto::HashOf("sealbook/entry/1", {vault_, crypto::AsBytes(normalized_name)});
  return crypto::ToHex(ByteView(hash).first(16));
}

const UnlockEntry* UnlockFile::Find(const std::string& entry_id) const {
  const auto at = entries_.find(entry_id);
  return at == entries_.end() ? nullptr : &at->second;
}

const UnlockEntry* UnlockFile::FindNext(const std::string& entry_id) const {
  const auto at = next_.find(entry_id);
  return at == next_.end() ? nullptr : &at->second;
}

absl::StatusOr<UnlockEntry> UnlockFile::Seal(const std::string& entry_id, const Bundle& bundle,
                                             const UnlockSecret& secret,
                                             const crypto::PassphraseCost& cost) const {
  UnlockEntry entry{.kind = secret.kind,
                    .cost = cost,
                    .salt = {},
                    .bundle = {},
                    .database_key = {},
                    .database_key_next = {}};
  if (secret.kind == UnlockSecret::Kind::kKeyFile) entry.cost = {.memory_kib = 0, .passes = 0};
  crypto::FillRandom(entry.salt);
  ASSIGN_OR_RETURN(const crypto::UnlockKey key, UnlockKeyFor(secret, entry));
  entry.bundle =
      crypto::Seal(key, BundlePlace(vault_, entry_id, entry), EncodeBundle(bundle).ExposeBytes());
  return entry;
}

absl::Status UnlockFile::Put(const std::string& entry_id, const Bundle& bundle,
                             const UnlockSecret& secret, const crypto::PassphraseCost& cost,
                             const crypto::DatabaseKey& database_key) {
  ASSIGN_OR_RETURN(UnlockEntry entry, Seal(entry_id, bundle, secret, cost));
  entry.database_key = SealDatabaseKey(database_key, bundle.member, bundle.exchange.public_key());
  entries_[entry_id] = std::move(entry);
  return absl::OkStatus();
}

crypto::Bytes UnlockFile::SealDatabaseKey(const crypto::DatabaseKey& key, MemberId member,
                                          const crypto::ExchangePublic& recipient) const {
  crypto::ByteWriter out;
  out.Text(kDatabaseLabel).Raw(vault_).U32(static_cast<std::uint32_t>(member));
  out.Raw(key.ExposeBytes());
  crypto::Bytes plaintext = out.Take();
  crypto::Bytes sealed = crypto::SealToPublic(recipient, plaintext);
  crypto::Wipe(plaintext.data(), plaintext.size());
  return sealed;
}

absl::StatusOr<Bundle> UnlockFile::Open(const std::string& entry_id, const UnlockEntry* entry,
                                        const UnlockSecret& secret) const {
  if (entry == nullptr || entry->kind != secret.kind) {
    return absl::UnauthenticatedError("this secret opens no member");
  }
  if (entry->joining) return OpenJoiningEntry(vault_, *entry, secret);
  const absl::StatusOr<crypto::UnlockKey> key = UnlockKeyFor(secret, *entry);
  // A cost outside its bounds was altered, as anything else in the entry may be.
  if (absl::IsInvalidArgument(key.status())) {
    return absl::UnauthenticatedError("this secret opens no member");
  }
  RETURN_IF_ERROR(key.status());
  const auto bytes = crypto::Open(*key, BundlePlace(vault_, entry_id, *entry), entry->bundle);
  if (!bytes.ok()) return absl::UnauthenticatedError("this secret opens no member");
  return DecodeBundle(bytes->ExposeBytes());
}

absl::StatusOr<crypto::DatabaseKey> UnlockFile::OpenDatabaseKey(ByteView sealed,
                                                                const Bundle& bundle,
                                                                const VaultId& vault) {
  ASSIGN_OR_RETURN(const crypto::SecretBytes plaintext,
                   crypto::OpenSealedToPublic(bundle.exchange, sealed));
  crypto::ByteReader in(plaintext.ExposeBytes());
  const bool right =
      in.Text() == kDatabaseLabel && in.Array<16>() == vault && MemberId{in.U32()} == bundle.member;
  const ByteView key = in.Raw(crypto::kKeyBytes);
  RETURN_IF_ERROR(in.Finish("the database key"));
  if (!right) return absl::DataLossError("unlock.json: a database key that is another member's");
  return crypto::DatabaseKey::CopyOf(key);
}

std::string EntryIdOf(const UnlockFile& file, const Member& member) {
  return file.EntryId(member.kind == MemberKind::kRecovery ? kRecoveryEntryName
                                                           : absl::string_view(member.name));
}

std::vector<std::string> StaleEntries(const Roster& roster, const UnlockFile& file) {
  std::set<std::string> known;
  for (const Member& member : roster.members) {
    if (member.active) known.insert(EntryIdOf(file, member));
  }
  std::vector<std::string> stale;
  for (const auto& [id, entry] : file.entries()) {
    if (!known.contains(id)) stale.push_back(id);
  }
  return stale;
}

namespace {
constexpr absl::string_view kCrockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
constexpr std::size_t kCodeCharacters = 26, kCheckCharacters = 2;

// Two characters that a mistyped code has wrong, of a hash of the others.
std::array<char, kCheckCharacters> CheckOf(ByteView characters) {
  const crypto::Hash256 hash = crypto::HashOf("sealbook/recovery-check/1", {characters});
  return {kCrockford[hash[0] & 31], kCrockford[hash[1] & 31]};
}
}  // namespace

crypto::SecretBytes MakeRecoveryCode() {
  std::array<std::uint8_t, kCodeCharacters> random;
  crypto::FillRandom(random);
  crypto::SecretBytes plain(kCodeCharacters + kCheckCharacters);
  for (std::size_t i = 0; i < kCodeCharacters; ++i) {
    plain.ExposeMutable()[i] = static_cast<std::uint8_t>(kCrockford[random[i] & 31]);
  }
  crypto::Wipe(random.data(), random.size());
  const auto check = CheckOf(plain.ExposeBytes().first(kCodeCharacters));
  std::copy(check.begin(), check.end(), plain.ExposeMutable().begin() + kCodeCharacters);
  crypto::SecretBytes grouped(plain.size() + plain.size() / 4 - 1);
  std::size_t at = 0;
  for (std::size_t i = 0; i < plain.size(); ++i) {
    if (i > 0 && i % 4 == 0) grouped.ExposeMutable()[at++] = '-';
    grouped.ExposeMutable()[at++] = plain.ExposeBytes()[i];
  }
  return grouped;
}

absl::StatusOr<crypto::SecretBytes> NormalizeRecoveryCode(absl::string_view typed) {
  const auto wrong = [] {
    return WithHint(absl::InvalidArgumentError("this is no recovery code, or it was mistyped"),
                    "It has 28 letters and digits in groups of four.");
  };
  crypto::SecretBytes code(kCodeCharacters + kCheckCharacters);
  std::size_t size = 0;
  for (char c : typed) {
    if (c == ' ' || c == '-' || c == '\n' || c == '\r' || c == '\t') continue;
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    if (c == 'O') c = '0';
    if (c == 'I' || c == 'L') c = '1';
    if (kCrockford.find(c) == absl::string_view::npos || size == code.size()) return wrong();
    code.ExposeMutable()[size++] = static_cast<std::uint8_t>(c);
  }
  if (size != code.size()) return wrong();
  const auto check = CheckOf(code.ExposeBytes().first(kCodeCharacters));
  if (!std::equal(check.begin(), check.end(), code.ExposeBytes().begin() + kCodeCharacters))
    return wrong();
  return code;
}

namespace {
constexpr absl::string_view kKeyFileMagic = "SEALBOOK-KEY-1";
}

crypto::SecretBytes FormatKeyFile(const VaultId& vault, absl::string_view name, ByteView secret) {
  std::string encoded = crypto::ToBase64(secret);
  std::string text =
      absl::StrCat(kKeyFileMagic, " ", crypto::ToHex(vault), " ", encoded, " ", name, "\n");
  crypto::SecretBytes out = crypto::SecretBytes::CopyOf(crypto::AsBytes(text));
  crypto::Wipe(encoded);
  crypto::Wipe(text);
  return out;
}

absl::StatusOr<KeyFile> ParseKeyFile(absl::string_view text) {
  const auto wrong = [] {
    return WithHint(absl::FailedPreconditionError("the key file is not one that Sealbook wrote"),
                    "Name the file that 'member add --key-file-out' made.");
  };
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.remove_suffix(1);
  const std::vector<absl::string_view> parts = absl::StrSplit(text, absl::MaxSplits(' ', 3));
  if (parts.size() != 4 || parts[0] != kKeyFileMagic) return wrong();
  const auto vault = crypto::FromHex(parts[1]);
  auto secret = crypto::FromBase64(parts[2]);
  KeyFile out;
  if (!vault.ok() || vault->size() != out.vault.size() || !secret.ok() ||
      secret->size() != crypto::kKeyBytes) {
    return wrong();
  }
  std::copy(vault->begin(), vault->end(), out.vault.begin());
  out.secret = crypto::SecretBytes::CopyOf(*secret);
  crypto::Wipe(secret->data(), secret->size());
  absl::StatusOr<std::string> name = NormalizeName(parts[3]);
  if (!name.ok()) return wrong();
  out.name = *std::move(name);
  return out;
}

}  // namespace sealbook::keyring
