#include "cli/destinations.h"

#include <cstdlib>
#include <filesystem>

#include "absl/strings/str_cat.h"
#include "policies/retention.h"
#include "vault/archive/destination_url.h"
#include "vault/status.h"

namespace sealbook::cli {
namespace {

std::string Variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

bool IsThere(const std::string& path) {
  std::error_code error;
  return std::filesystem::exists(path, error);
}

std::string KeyFile(const std::string& host, const keyring::VaultPaths& paths) {
  if (const std::string file = Variable("SEALBOOK_SFTP_KEY"); !file.empty()) return file;
  if (const std::string folder = Variable("CREDENTIALS_DIRECTORY"); !folder.empty()) {
    const std::string file = absl::StrCat(folder, "/", host, ".key");
    if (IsThere(file)) return file;
  }
  return absl::StrCat(paths.directory, "/destinations/", host, ".key");
}

std::string KnownHostsFile(const std::string& host, const std::string& key_file) {
  if (const std::string file = Variable("SEALBOOK_SFTP_KNOWN_HOSTS"); !file.empty()) return file;
  const std::filesystem::path folder = std::filesystem::path(key_file).parent_path();
  const std::string of_host = (folder / absl::StrCat(host, ".known_hosts")).string();
  const std::string of_all = (folder / "known_hosts").string();
  return !IsThere(of_host) && IsThere(of_all) ? of_all : of_host;
}

}  // namespace

absl::StatusOr<std::vector<std::pair<std::string, archive::DestinationOpener>>> DestinationsFor(
    Context& context) {
  const keyring::VaultPaths& paths = context.keyring().paths();
  std::vector<std::pair<std::string, archive::DestinationOpener>> out;
  for (const std::string& url : policies::DestinationsOf(context.policy()).urls) {
    if (url == policies::kOwnFolder) {
      const std::string folder = absl::StrCat("file://", paths.directory, "/archives");
      out.emplace_back(url, [folder] { return archive::OpenDestination(folder, {}); });
      continue;
    }
    auto parsed = archive::ParseDestination(url);
    if (!parsed.ok()) {
      return WithHint(
          absl::FailedPreconditionError(absl::StrCat("a destination of the policy cannot be used: ",
                                                     std::string(parsed.status().message()))),
          "Correct [archives] destinations with 'sealbook policy apply'.");
    }
    archive::DestinationOptions options;
    if (parsed->kind == archive::DestinationKind::kSftp) {
      options.key_file = KeyFile(parsed->host, paths);
      options.known_hosts_file = KnownHostsFile(parsed->host, options.key_file);
    }
    out.emplace_back(url, [url, options] { return archive::OpenDestination(url, options); });
  }
  return out;
}

std::string NotIndependent(Context& context) {
  if (policies::DestinationsOf(context.policy()).independent) return "";
  return "archives go into the vault's own folder, which is no independent server: name one in the "
         "policy, [archives] destinations";
}

}  // namespace sealbook::cli
