#include <pwd.h>
#include <unistd.h>

#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "cli/command.h"
#include "vault/keyring/administration.h"
#include "vault/keyring/fingerprint.h"
#include "vault/keyring/join_request.h"
#include "vault/status.h"

namespace sealbook::cli {
namespace {

std::string Environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

std::string OsUser() {
  const passwd* user = getpwuid(geteuid());
  return user == nullptr ? "" : user->pw_name;
}

}  // namespace

absl::Status Usage(absl::string_view message, absl::string_view hint) {
  return WithHint(absl::FailedPreconditionError(message), hint);
}

absl::StatusOr<std::string> ReasonOf(const Arguments& arguments) {
  constexpr std::size_t kMaxBytes = 500;
  std::string reason = arguments.Value("reason");
  if (reason.empty())
    return Usage("this needs a reason, which goes into the log", "Give it with --reason TEXT.");
  if (reason.size() > kMaxBytes)
    return Usage("that reason is too long", absl::StrCat("Say it in ", kMaxBytes, " bytes."));
  return reason;
}

absl::StatusOr<std::string> Context::VaultDirectory() const {
  if (!globals_.vault.empty()) return globals_.vault;
  if (const std::string data = Environment("XDG_DATA_HOME"); !data.empty())
    return data + "/sealbook";
  if (const std::string home = Environment("HOME"); !home.empty())
    return home + "/.local/share/sealbook";
  return Usage("there is no home folder to look for the vault in",
               "Name the vault's folder with --vault DIR.");
}

absl::StatusOr<keyring::UnlockRequest> Context::ReadSecret(const std::string& directory) const {
  keyring::UnlockRequest request;
  // Looked at before a passphrase is asked for: a vault that is not there needs none.
  auto file = keyring::UnlockFile::Load(keyring::VaultPaths(directory).unlock());
  if (absl::IsNotFound(file.status())) return keyring::NoUnlockFile(keyring::VaultPaths(directory));
  RETURN_IF_ERROR(file.status());
  if (!globals_.key_file.empty()) {
    auto text = keyring::ReadSecretFile(globals_.key_file, 4096);
    if (absl::IsInvalidArgument(text.status()) || absl::IsNotFound(text.status())) {
      return WithHint(absl::UnauthenticatedError(text.status().message()),
                      "Name the right key file with --key-file F.");
    }
    RETURN_IF_ERROR(text.status());
    auto key_file = keyring::ParseKeyFile(text->ExposeText());
    if (!key_file.ok()) {
      return WithHint(absl::UnauthenticatedError(key_file.status().message()),
                      HintOf(key_file.status()));
    }
    if (key_file->vault != file->vault()) {
      return WithHint(
          absl::UnauthenticatedError("the key file is of another vault"),
          "Name this vault's key file with --key-file F, or its vault with --vault DIR.");
    }
    request.name = key_file->name;
    request.secret = {.kind = keyring::UnlockSecret::Kind::kKeyFile,
                      .bytes = std::move(key_file->secret)};
    if (!globals_.as.empty()) {
      const auto named = keyring::NormalizeName(globals_.as);
      if (!named.ok() || *named != request.name) {
        return WithHint(
            absl::UnauthenticatedError("the key file is another member's than --as says"),
            "Leave --as (SEALBOOK_MEMBER) out, or name the right key file.");
      }
    }
    return request;
  }
  const bool named = !globals_.as.empty();
  const auto name = keyring::NormalizeName(named ? globals_.as : OsUser());
  if (!name.ok()) {
    return WithHint(absl::UnauthenticatedError("that cannot be a member's name"),
                    "Say who you are with --as NAME.");
  }
  request.name = *name;
  const keyring::UnlockEntry* entry = file->Find(file->EntryId(request.name));
  if (entry == nullptr) return request;  // Unlock says so, and puts it on record
  if (entry->kind == keyring::UnlockSecret::Kind::kKeyFile) {
    return WithHint(absl::UnauthenticatedError(absl::StrCat(request.name, " is a service account")),
                    "Give its key file with --key-file F.");
  }
  ASSIGN_OR_RETURN(
      request.secret.bytes,
      ReadPassphrase(globals_.passphrase_file, absl::StrCat("Passphrase of ", request.name, ": ")));
  return request;
}

absl::Status Context::Unlock(bool even_if_must_change) {
  ASSIGN_OR_RETURN(const std::string directory, VaultDirectory());
  ASSIGN_OR_RETURN(keyring::UnlockRequest request, ReadSecret(directory));
  RETURN_IF_ERROR(UnlockAs(std::move(request)));
  return even_if_must_change ? absl::OkStatus() : RefuseFirstPassphrase();
}

absl::StatusOr<keyring::UnlockSecret> Context::UnlockAndKeepSecret() {
  ASSIGN_OR_RETURN(const std::string directory, VaultDirectory());
  ASSIGN_OR_RETURN(keyring::UnlockRequest request, ReadSecret(directory));
  keyring::UnlockSecret kept{
      .kind = request.secret.kind,
      .bytes = crypto::SecretBytes::CopyOf(request.secret.bytes.ExposeBytes())};
  RETURN_IF_ERROR(UnlockAs(std::move(request)));
  RETURN_IF_ERROR(RefuseFirstPassphrase());
  return kept;
}

absl::Status Context::UnlockAs(keyring::UnlockRequest request) {
  ASSIGN_OR_RETURN(const std::string directory, VaultDirectory());
  ASSIGN_OR_RETURN(keyring_,
                   keyring::Keyring::Unlock(keyring::VaultPaths(directory), std::move(request)));
  if (keyring_->joined()) {
    // Whoever wrote the entry could have named another vault: only a person can tell.
    PrintNote(
        globals_,
        absl::StrCat("This is your first unlock of this vault. Its fingerprint is\n    ",
                     keyring::VaultFingerprint(keyring_->roster().vault, keyring_->bundle().root),
                     "\nCompare it with what your admin reads out. If you see this again "
                     "later, or the digits\ndiffer, type nothing into this vault and tell "
                     "your admin."));
  }
  if (!crypto::KeyMemoryIsLocked()) {
    PrintNote(globals_,
              "sealbook: the system does not let all keys be locked in memory (see 'ulimit -l')");
  }
  return TakePolicy();
}

absl::Status Context::Refresh() {
  { ASSIGN_OR_RETURN(const auto snapshot, keyring_->Snapshot()); }
  return TakePolicy();
}

absl::Status Context::TakePolicy() {
  ASSIGN_OR_RETURN(policies::Policy policy, policies::PolicyInForce(*keyring_));
  if (const absl::Status roles = policies::CheckRoles(keyring_->roster(), policy); !roles.ok()) {
    // The owner has to get in to put it right.
    if (!keyring_->bundle().root_pair) return roles;
    PrintNote(globals_, absl::StrCat("sealbook: ", roles.message(), ". ",
                                     "Apply the right policy, and disable who signed that."));
  }
  policy_ = std::make_unique<policies::Policy>(std::move(policy));
  return absl::OkStatus();
}

absl::Status Context::RefuseFirstPassphrase() const {
  if (!keyring_->bundle().must_change) return absl::OkStatus();
  return WithHint(absl::UnauthenticatedError(
                      "somebody else chose this passphrase, so it must be changed first"),
                  "Run 'sealbook member passwd'.");
}

absl::Status Context::RecordAll(const std::vector<audit::Event>& events) {
  ASSIGN_OR_RETURN(store::Transaction transaction, keyring_->BeginWrite());
  for (const audit::Event& event : events) {
    RETURN_IF_ERROR(audit::Append(keyring_->store(), keyring_->AuditAuthor(), event));
  }
  return transaction.Commit();
}

absl::Status Context::Finish(absl::Status status) {
  if (keyring_ == nullptr) return status;
  std::string outcome;
  switch (status.code()) {
    case absl::StatusCode::kPermissionDenied:
    case absl::StatusCode::kUnauthenticated:
      outcome = "denied";
      break;
    case absl::StatusCode::kNotFound:
      outcome = "not_found";
      break;
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kDataLoss:
    case absl::StatusCode::kInternal:
      outcome = "failed";
      break;
    case absl::StatusCode::kOk:
      break;
    default:
      if (record_every_failure_) outcome = "failed";
      break;
  }
  if (!outcome.empty()) {
    const absl::Status recorded =
        Record({.act = absl::StrReplaceAll(command_, {{" ", "."}}), .outcome = outcome});
    // A refusal that the log does not have must not go unnoticed. What failed says why itself: on a
    // full disk the log has no room either.
    if (!recorded.ok() && outcome != "failed") return recorded;
  }
  const absl::Status saved = keyring_->SaveMarks();
  if (!saved.ok() && status.ok()) {
    PrintNote(globals_,
              absl::StrCat("sealbook: what was seen could not be noted outside the vault: ",
                           saved.message()));
  }
  return status;
}

}  // namespace sealbook::cli
