#include <sys/stat.h>

#include <filesystem>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "anonymizer/identifiers.h"
#include "cli/commands.h"
#include "vault/crypto/age_file.h"
#include "vault/keyring/administration.h"
#include "vault/status.h"

namespace sealbook::cli {
namespace {

constexpr std::size_t kMaxIdentityBytes = 64 * 1024;

struct ArchiveIdentity {
  crypto::ExchangePair pair;
  bool written = false;  // by an interrupted init
};

// The identity in `file`, or a new one.
absl::StatusOr<ArchiveIdentity> FindOrMakeIdentity(const std::string& file) {
  std::error_code error;
  if (!std::filesystem::exists(file, error))
    return ArchiveIdentity{crypto::ExchangePair::Generate()};
  ASSIGN_OR_RETURN(const crypto::SecretBytes existing,
                   keyring::ReadSecretFile(file, kMaxIdentityBytes));
  if (existing.empty())
    return ArchiveIdentity{crypto::ExchangePair::Generate()};  // killed before it was written
  for (const absl::string_view line : absl::StrSplit(existing.ExposeText(), '\n')) {
    auto identity = crypto::ParseAgeIdentity(absl::StripAsciiWhitespace(line));
    if (identity.ok()) return ArchiveIdentity{*std::move(identity), true};
  }
  return Usage(absl::StrCat(file, " is there already and is no age identity"),
               "Name another file.");
}

absl::Status WriteIdentity(const std::string& file, const crypto::ExchangePair& identity) {
  const crypto::SecretBytes secret = crypto::FormatAgeIdentity(identity);
  std::string text = absl::StrCat(
      "# Opens the archives of a Sealbook vault. Keep it on another machine.\n# public key: ",
      crypto::FormatAgeRecipient(identity.public_key()), "\n", secret.ExposeText(), "\n");
  const absl::Status written = keyring::CreateNewFile(file, text, 0600);
  crypto::Wipe(text);
  return written;
}

absl::Status CheckDestination(const std::string& url) {
  for (const absl::string_view scheme : {"file:///", "sftp://", "s3://"}) {
    if (absl::StartsWith(url, scheme) && url.size() > scheme.size() &&
        url.find_first_of("'\n\r") == std::string::npos) {
      return absl::OkStatus();
    }
  }
  return Usage(
      "an archive destination is none of file:///DIR, sftp://USER@HOST/DIR, s3://BUCKET/PREFIX",
      "Correct --archive-destination.");
}

absl::StatusOr<policies::Policy> PolicyOf(const Arguments& arguments,
                                          std::vector<std::string> recipients) {
  const std::string file = arguments.Value("policy");
  if (file.empty()) {
    const std::string region = absl::AsciiStrToUpper(arguments.Value("region"));
    if (!region.empty() && !anonymizer::IsRegion(region)) {
      return Usage("that is no region", "Use a country's two letters, KR or CN say.");
    }
    for (const std::string& url : arguments.List("archive-destination"))
      RETURN_IF_ERROR(CheckDestination(url));
    return policies::Policy::Parse(policies::DefaultPolicyText(
        {.region = region,
         .archive_recipients = std::move(recipients),
         .archive_destinations = arguments.List("archive-destination")}));
  }
  if (arguments.Has("region") || arguments.Has("archive-recipient") ||
      arguments.Has("archive-identity-out") || arguments.Has("archive-destination")) {
    return Usage("--policy says all of that itself",
                 "Write region and [archives] into the policy file.");
  }
  auto text = keyring::ReadSmallFile(file, policies::Policy::kMaxBytes);
  if (absl::IsNotFound(text.status()))
    return absl::InvalidArgumentError(absl::StrCat("there is no file ", file));
  RETURN_IF_ERROR(text.status());
  auto policy = policies::Policy::Parse(*text);
  if (!policy.ok()) {
    return WithHint(absl::InvalidArgumentError(absl::StrCat(file, ": ", policy.status().message())),
                    HintOf(policy.status()));
  }
  return policy;
}

absl::Status Init(Context& context, const Arguments& arguments) {
  ASSIGN_OR_RETURN(const std::string directory, context.VaultDirectory());
  if (!arguments.Has("owner")) return Usage("a vault needs an owner", "Give --owner NAME.");
  auto owner = keyring::NormalizeName(arguments.Value("owner"));
  if (!owner.ok()) return Usage(owner.status().message(), HintOf(owner.status()));
  // Before anything is asked or written: what is there is never touched.
  std::error_code error;
  if (std::filesystem::exists(directory, error) && !std::filesystem::is_empty(directory, error)) {
    return WithHint(
        absl::AlreadyExistsError(absl::StrCat("there is something in ", directory, " already")),
        "Name a new folder with --vault DIR.");
  }
  if (!arguments.Has("policy") && !arguments.Has("archive-recipient") &&
      !arguments.Has("archive-identity-out")) {
    return Usage("old chats go into archives that need somebody who can open them",
                 "Give --archive-recipient age1…, or --archive-identity-out F to make an identity "
                 "in the file F.");
  }
  std::vector<crypto::ExchangePublic> keys;
  std::vector<std::string> recipients;
  for (const std::string& recipient : arguments.List("archive-recipient")) {
    auto key = crypto::ParseAgeRecipient(recipient);
    if (!key.ok())
      return Usage("an archive recipient is no age1… public key", "'age-keygen -y' prints it.");
    keys.push_back(*key);
    recipients.push_back(recipient);
  }
  const std::string identity_file = arguments.Value("archive-identity-out");
  std::optional<ArchiveIdentity> identity;
  if (!identity_file.empty()) {
    ASSIGN_OR_RETURN(identity, FindOrMakeIdentity(identity_file));
    keys.push_back(identity->pair.public_key());
    recipients.push_back(crypto::FormatAgeRecipient(keys.back()));
  }
  ASSIGN_OR_RETURN(const policies::Policy policy, PolicyOf(arguments, recipients));
  if (keys.empty()) {
    recipients = policy.archive_recipients();
    for (const std::string& recipient : recipients) {
      ASSIGN_OR_RETURN(const crypto::ExchangePublic key, crypto::ParseAgeRecipient(recipient));
      keys.push_back(key);
    }
    if (keys.empty())
      return Usage("the policy names no recipient of archives",
                   "Write one into [archives] recipients.");
  }
  ASSIGN_OR_RETURN(crypto::SecretBytes passphrase,
                   ReadNewPassphrase(context.globals().passphrase_file,
                                     absl::StrCat("New passphrase of ", *owner, ": "),
                                     policy.passphrase_min_length()));
  // Before the vault: without it nobody would open the archives.
  if (identity && !identity->written) RETURN_IF_ERROR(WriteIdentity(identity_file, identity->pair));
  const auto show = [&](const keyring::CreatedVault& created) -> absl::Status {
    const std::string code(created.recovery_code.ExposeText());
    if (context.globals().json) {
      PrintJson({{"vault_id", crypto::ToHex(created.vault)},
                 {"owner", *owner},
                 {"recovery_code", code},
                 {"archive_recipients", recipients}});
    } else {
      PrintLine(
          absl::StrCat("Vault ", crypto::ToHex(created.vault), " of ", *owner, " in ", directory,
                       "\n\n", "Recovery code, shown this once:\n\n    ", code, "\n\n",
                       "Write it down and keep it away from this machine: it opens the vault when\n"
                       "the passphrase is lost."));
      if (identity) {
        PrintLine(absl::StrCat("\nThe archive identity is in ", identity_file,
                               ". Move it to another machine: whoever has it\nand the archives "
                               "reads old chats, and without it nobody does."));
      }
    }
    // A code that nobody saw must not become a vault's.
    if (std::fflush(stdout) != 0)
      return absl::InternalError("the recovery code could not be shown");
    return absl::OkStatus();
  };
  keyring::NewVault request{.directory = directory,
                            .owner = *owner,
                            .passphrase = std::move(passphrase),
                            .policy = policy.Compile(),
                            .archive_recipients = std::move(keys)};
  RETURN_IF_ERROR(keyring::CreateVault(std::move(request), show).status());
  if (policy.archive_destinations().empty()) {
    PrintNote(context.globals(),
              "\nArchives will stay in the vault's own folder: no independent server is set\n"
              "(--archive-destination). 'sealbook doctor' reminds you.");
  }
  return absl::OkStatus();
}

}  // namespace

Command InitCommand() {
  return {.name = "init",
          .arguments = "--owner NAME (--archive-recipient age1… | --archive-identity-out F)",
          .summary = "makes a vault; prints its recovery code once",
          .options = {{"owner", Option::Kind::kValue, "NAME", "its first member"},
                      {"region", Option::Kind::kValue, "CC",
                       "of phone numbers without a country code: KR, CN, …"},
                      {"policy", Option::Kind::kValue, "F",
                       "a policy of your own in place of the default"},
                      {"archive-recipient", Option::Kind::kList, "age1…",
                       "who can open the archives; again for more"},
                      {"archive-identity-out", Option::Kind::kValue, "F",
                       "makes such an identity and writes it to F"},
                      {"archive-destination", Option::Kind::kList, "URL",
                       "file:///DIR, sftp://USER@HOST/DIR, s3://BUCKET/PREFIX"}},
          .run = &Init};
}

}  // namespace sealbook::cli
