#include "vault/archive/giving_up.h"

#include <algorithm>
#include <map>
#include <set>

#include "absl/strings/str_cat.h"
#include "vault/archive/archive_format.h"
#include "vault/archive/archive_states.h"
#include "vault/audit/log.h"
#include "vault/keyring/administration.h"
#include "vault/status.h"

namespace sealbook::archive {

absl::StatusOr<std::vector<LeftDestination>> LeftDestinations(
    keyring::Keyring& keyring, const std::vector<std::string>& urls) {
  std::map<std::string, std::int64_t> files;
  RETURN_IF_ERROR(keyring.store().EachRemoteFile(
      "", "", [&](absl::string_view url, absl::string_view, int state) {
        if (state != static_cast<int>(RemoteState::kGivenUp)) ++files[std::string(url)];
        return absl::OkStatus();
      }));
  for (const std::string& url : urls) files.erase(url);
  std::vector<LeftDestination> out;
  for (const auto& [url, count] : files) out.push_back({.url = url, .files = count});
  return out;
}

absl::StatusOr<std::vector<std::string>> OnlyAt(keyring::Keyring& keyring, const std::string& url) {
  std::set<std::string> here, elsewhere;
  RETURN_IF_ERROR(keyring.store().EachRemoteFile(
      "", "", [&](absl::string_view one, absl::string_view path, int state) {
        if (one == url)
          here.emplace(path);
        else if (state == static_cast<int>(RemoteState::kVerified))
          elsewhere.emplace(path);
        return absl::OkStatus();
      }));
  std::vector<std::string> only;
  RETURN_IF_ERROR(
      keyring.store().EachArchive([&](const store::ArchiveRow& row) -> absl::StatusOr<bool> {
        const bool gone = row.purged > 0 || row.state >= static_cast<int>(ArchiveState::kPurged);
        if (!gone || row.state == static_cast<int>(ArchiveState::kDestroyed)) return true;
        const std::string name = ArchiveName({.vault = keyring.roster().vault,
                                              .run = row.run,
                                              .first_day = row.first_day,
                                              .last_day = row.last_day});
        if (here.contains(name) && !elsewhere.contains(name)) only.push_back(name);
        return true;
      }));
  return only;
}

absl::Status GiveUpDestination(keyring::Keyring& keyring, const std::string& url,
                               const std::string& reason) {
  ASSIGN_OR_RETURN(store::Transaction transaction, keyring.BeginWrite());
  RETURN_IF_ERROR(keyring.store().SetRemoteFiles(url, static_cast<int>(RemoteState::kGivenUp)));
  RETURN_IF_ERROR(
      audit::Append(keyring.store(), keyring.AuditAuthor(),
                    {.act = "retention.give_up",
                     .detail = keyring::DetailOf({{"destination", url}, {"reason", reason}})}));
  return transaction.Commit();
}

}  // namespace sealbook::archive
