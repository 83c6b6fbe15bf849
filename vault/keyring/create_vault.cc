#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "vault/crypto/age_file.h"
#include "vault/crypto/random.h"
#include "vault/keyring/administration.h"
#include "vault/status.h"

namespace sealbook::keyring {
namespace {

constexpr mode_t kDirectoryMode = 02770;
constexpr MemberId kOwner{1};
constexpr MemberId kRecovery{2};

bool IsEmptyOrMissing(const std::string& directory) {
  std::error_code error;
  if (!std::filesystem::exists(directory, error)) return true;
  return std::filesystem::is_directory(directory, error) &&
         std::filesystem::is_empty(directory, error) && !error;
}

// What a creation that fails leaves beside the vault's place: nothing.
struct Staging {
  std::string directory;
  bool keep = false;
  ~Staging() {
    std::error_code error;
    if (!keep) std::filesystem::remove_all(directory, error);
    unlink((directory + ".lock").c_str());
  }
};

struct Person {
  crypto::ExchangePair exchange = crypto::ExchangePair::Generate();
  crypto::SigningPair signing = crypto::SigningPair::Generate();

  Bundle MakeBundle(MemberId id, const crypto::SigningPair& root) const {
    return {.member = id,
            .must_change = false,
            .exchange = crypto::ExchangePair::FromSecret(exchange.secret().Duplicate()),
            .signing = crypto::SigningPair::FromSeed(signing.seed().Duplicate()),
            .root = root.verify_key(),
            .root_pair = crypto::SigningPair::FromSeed(root.seed().Duplicate())};
  }
  Member MakeMember(MemberId id, MemberKind kind, absl::string_view name) const {
    return {.id = id,
            .kind = kind,
            .active = true,
            .name = std::string(name),
            .role = "owner",
            .exchange = exchange.public_key(),
            .verify = signing.verify_key()};
  }
};

}  // namespace

absl::StatusOr<CreatedVault> CreateVault(
    NewVault request, const std::function<absl::Status(const CreatedVault&)>& before_visible) {
  std::filesystem::path target = std::filesystem::absolute(request.directory).lexically_normal();
  if (!target.has_filename()) target = target.parent_path();
  if (!IsEmptyOrMissing(target.string())) {
    return WithHint(
        absl::AlreadyExistsError(absl::StrCat(
            target.string(), std::filesystem::exists(target / "unlock.json") ? " is a vault already"
                                                                             : " is not empty")),
        "Name another directory with --vault.");
  }
  std::error_code error;
  std::filesystem::create_directories(target.parent_path(), error);
  const std::string staging =
      (target.parent_path() / absl::StrCat(".", target.filename().string(), ".sealbook-init"))
          .string();
  // Held until the end: two at once would build in the same place.
  absl::StatusOr<FileLock> lock = FileLock::Take(staging + ".lock", 0600);
  if (!lock.ok()) {
    return WithHint(absl::FailedPreconditionError(
                        absl::StrCat("cannot write in ", target.parent_path().string())),
                    "Name a directory that this user may write with --vault.");
  }
  Staging cleanup{.directory = staging};
  std::filesystem::remove_all(staging, error);
  if (mkdir(staging.c_str(), 0700) != 0 || chmod(staging.c_str(), kDirectoryMode) != 0) {
    return absl::InternalError(absl::StrCat("cannot make ", staging, ": ", std::strerror(errno)));
  }

  const VaultPaths paths(staging);
  CreatedVault created;
  crypto::FillRandom(created.vault);
  created.recovery_code = crypto::SecretBytes::CopyOf(MakeRecoveryCode().ExposeBytes());
  const crypto::SigningPair root = crypto::SigningPair::Generate();
  const crypto::ExchangePair escrow = crypto::ExchangePair::Generate();
  const crypto::DatabaseKey database_key = crypto::DatabaseKey::Random();
  const Person owner, recovery;

  Roster roster{.vault = created.vault,
                .version = 1,
                .previous = {},
                .time_ms = absl::ToUnixMillis(absl::Now()),
                .signer = kRootSigner,
                .session_head = 0,
                .session_head_hash = {},
                .root = root.verify_key(),
                .escrow = escrow.public_key(),
                .policy_hash = HashOfPolicy(request.policy.text),
                .classes = request.policy.classes,
                .roles = request.policy.roles,
                .members = {owner.MakeMember(kOwner, MemberKind::kPerson, request.owner),
                            recovery.MakeMember(kRecovery, MemberKind::kRecovery, "recovery code")},
                .books = {},
                .memberships = {},
                .compartments = {}};

  UnlockFile unlock(created.vault);
  RETURN_IF_ERROR(
      unlock.Put(unlock.EntryId(request.owner), owner.MakeBundle(kOwner, root),
                 {.kind = UnlockSecret::Kind::kPassphrase,
                  .bytes = crypto::SecretBytes::CopyOf(request.passphrase.ExposeBytes())},
                 request.policy.cost, database_key));
  ASSIGN_OR_RETURN(crypto::SecretBytes code,
                   NormalizeRecoveryCode(created.recovery_code.ExposeText()));
  RETURN_IF_ERROR(unlock.Put(unlock.EntryId(kRecoveryEntryName),
                             recovery.MakeBundle(kRecovery, root),
                             {.kind = UnlockSecret::Kind::kPassphrase, .bytes = std::move(code)},
                             request.policy.cost, database_key));
  RETURN_IF_ERROR(unlock.Save(paths.unlock()));
  {
    ASSIGN_OR_RETURN(auto store, store::Store::Create(paths.database(), database_key));
    ASSIGN_OR_RETURN(store::Transaction transaction, store->BeginWrite());
    std::vector<ClassDefinition> all = request.policy.classes;
    for (const ClassDefinition& c : all) {
      const crypto::ExchangePair pair = crypto::ExchangePair::Generate();
      roster.compartments.push_back(
          {.book = kRootBook, .class_id = c.id, .epoch = 1, .public_key = pair.public_key()});
      for (const Member& member : roster.members) {
        store::GrantRow grant{
            .member = member.id, .book = kRootBook, .class_id = c.id, .epoch = 1, .sealed = {}};
        grant.sealed = SealGrant(created.vault, grant, pair, member.exchange);
        RETURN_IF_ERROR(store->PutGrant(grant));
      }
    }
    RETURN_IF_ERROR(store->PutPolicy(roster.policy_hash, request.policy.text));
    RETURN_IF_ERROR(store->InsertRoster(1, roster.Sign(root)));
    RETURN_IF_ERROR(audit::Append(
        *store,
        {.vault = created.vault,
         .member = kOwner,
         .roster_version = 1,
         .signing = &owner.signing,
         .audit_compartment = roster.FindCompartment(kRootBook, ClassId::kAudit)->public_key},
        {.act = "init"}));
    RETURN_IF_ERROR(transaction.Commit());
    RETURN_IF_ERROR(store->database().TruncateWal());
  }
  // The escrow key's secret half is readable with the offline archive identity alone.
  ASSIGN_OR_RETURN(const crypto::Bytes escrow_file,
                   crypto::EncryptAge(request.archive_recipients, escrow.secret().ExposeBytes()));
  RETURN_IF_ERROR(CreateNewFile(paths.escrow(), crypto::AsText(escrow_file), 0660));
  RETURN_IF_ERROR(Lockout(paths.lockout()).SetLimits(request.policy.lockout));
  RETURN_IF_ERROR(SyncDirectory(staging));
  RETURN_IF_ERROR(before_visible(created));
  if (rename(staging.c_str(), target.c_str()) != 0) {
    return absl::InternalError(
        absl::StrCat("cannot make ", target.string(), ": ", std::strerror(errno)));
  }
  cleanup.keep = true;
  RETURN_IF_ERROR(SyncDirectory(target.parent_path().string()));
  return created;
}

}  // namespace sealbook::keyring
