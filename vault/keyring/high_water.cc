#include "vault/keyring/high_water.h"

#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "vault/keyring/files.h"
#include "vault/status.h"

namespace sealbook::keyring {
namespace {

bool ReadHash(const nlohmann::json& json, const char* key, crypto::Hash256& hash) {
  const auto at = json.find(key);
  if (at == json.end() || !at->is_string()) return false;
  const auto bytes = crypto::FromHex(at->get<std::string>());
  if (!bytes.ok() || bytes->size() != hash.size()) return false;
  std::copy(bytes->begin(), bytes->end(), hash.begin());
  return true;
}

}  // namespace

std::string StateDirectory() {
  if (const char* state = std::getenv("XDG_STATE_HOME"); state != nullptr && state[0] == '/') {
    return absl::StrCat(state, "/sealbook");
  }
  const char* home = std::getenv("HOME");
  return home != nullptr && home[0] == '/' ? absl::StrCat(home, "/.local/state/sealbook") : "";
}

std::string HighWaterPath(const VaultId& vault) {
  const std::string directory = StateDirectory();
  return directory.empty() ? "" : absl::StrCat(directory, "/", crypto::ToHex(vault), ".json");
}

absl::StatusOr<std::optional<HighWater>> LoadHighWater(const VaultId& vault) {
  const std::string path = HighWaterPath(vault);
  if (path.empty()) return std::nullopt;
  const auto text = ReadSmallFile(path, 4096);
  if (absl::IsNotFound(text.status())) return std::nullopt;
  if (!text.ok()) return text.status();
  const auto json = nlohmann::json::parse(*text, nullptr, false);
  HighWater marks;
  const auto number = [&](const char* key) -> std::int64_t {
    const auto at = json.find(key);
    return at != json.end() && at->is_number_integer() ? at->get<std::int64_t>() : -1;
  };
  if (json.is_object()) {
    marks.roster_version = static_cast<std::uint64_t>(number("roster"));
    marks.session = number("session");
    marks.audit = number("audit");
    marks.taking = std::min(number("taking"), marks.session);
  }
  if (!json.is_object() || number("roster") < 0 || marks.session < 0 || marks.audit < 0 ||
      !ReadHash(json, "roster_hash", marks.roster_hash) ||
      !ReadHash(json, "session_hash", marks.session_hash) ||
      !ReadHash(json, "audit_hash", marks.audit_hash)) {
    return WithHint(absl::DataLossError(absl::StrCat(path, " is damaged")),
                    "It remembers the newest state of the vault that you saw. If you are sure that "
                    "nobody put an older vault back, remove the file.");
  }
  return marks;
}

absl::Status SaveHighWater(const VaultId& vault, const HighWater& marks) {
  const std::string path = HighWaterPath(vault);
  if (path.empty()) return absl::FailedPreconditionError("neither XDG_STATE_HOME nor HOME is set");
  std::error_code error;
  std::filesystem::create_directories(StateDirectory(), error);
  if (error) return absl::InternalError(absl::StrCat("cannot make ", StateDirectory()));
  chmod(StateDirectory().c_str(), 0700);
  ASSIGN_OR_RETURN(const FileLock lock, FileLock::Take(path + ".lock", 0600));
  // Another process of this user may have seen more meanwhile.
  ASSIGN_OR_RETURN(const auto seen, LoadHighWater(vault));
  if (seen && (seen->audit > marks.audit || seen->roster_version > marks.roster_version)) {
    return absl::OkStatus();
  }
  const nlohmann::ordered_json json = {{"roster", marks.roster_version},
                                       {"roster_hash", crypto::ToHex(marks.roster_hash)},
                                       {"session", marks.session},
                                       {"session_hash", crypto::ToHex(marks.session_hash)},
                                       {"taking", marks.taking},
                                       {"audit", marks.audit},
                                       {"audit_hash", crypto::ToHex(marks.audit_hash)}};
  return ReplaceFile(path, json.dump(1) + "\n", 0600);
}

}  // namespace sealbook::keyring
