#include "vault/archive/ssh_keys.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "vault/archive/destination.h"
#include "vault/crypto/secret.h"
#include "vault/keyring/files.h"
#include "vault/status.h"

namespace sealbook::archive::internal {
namespace {

constexpr std::size_t kMaxKeyFileBytes = 64 * 1024, kMaxKnownHostsBytes = 1024 * 1024;

// A key with a passphrase is refused; without this OpenSSL would ask on the terminal.
int NoPassphrase(const char*, char*, std::size_t, int, int, void*) { return -1; }

// How known_hosts names a server.
std::string NameOf(const DestinationUrl& url) {
  return url.port == 22 ? url.host : absl::StrCat("[", url.host, "]:", url.port);
}

// "ssh-ed25519 SHA256:…".
std::string Describe(ssh_key key) {
  std::string fingerprint = "without a fingerprint";
  unsigned char* hash = nullptr;
  std::size_t size = 0;
  if (ssh_get_publickey_hash(key, SSH_PUBLICKEY_HASH_SHA256, &hash, &size) == 0) {
    char* text = ssh_get_fingerprint_hash(SSH_PUBLICKEY_HASH_SHA256, hash, size);
    if (text != nullptr) fingerprint = text;
    ssh_string_free_char(text);
    ssh_clean_pubkey_hash(&hash);
  }
  const char* type = ssh_key_type_to_char(ssh_key_type(key));
  return absl::StrCat(type == nullptr ? "a key" : type, " ", fingerprint);
}

}  // namespace

absl::StatusOr<SshKey> ReadPrivateKey(const std::string& path) {
  constexpr absl::string_view kMakeOne =
      "Make one with: ssh-keygen -t ed25519 -N '' -f FILE, and put FILE.pub into the account's "
      "authorized_keys on the server.";
  if (path.empty() || path == "-") {
    return WithHint(absl::FailedPreconditionError("no key file is named for the SFTP destination"),
                    kMakeOne);
  }
  if (access(path.c_str(), F_OK) != 0) {
    return WithHint(absl::FailedPreconditionError(absl::StrCat("there is no key file ", path)),
                    kMakeOne);
  }
  auto text = keyring::ReadSecretFile(path, kMaxKeyFileBytes);
  if (absl::IsInvalidArgument(text.status())) {
    return WithHint(absl::FailedPreconditionError(text.status().message()), kMakeOne);
  }
  RETURN_IF_ERROR(text.status());
  crypto::SecretBytes ended(text->size() + 1);  // with a zero behind
  std::copy(text->ExposeBytes().begin(), text->ExposeBytes().end(), ended.ExposeMutable().begin());
  ssh_key key = nullptr;
  const int imported =
      ssh_pki_import_privkey_base64(reinterpret_cast<const char*>(ended.ExposeBytes().data()),
                                    nullptr, NoPassphrase, nullptr, &key);
  if (imported != SSH_OK || key == nullptr) {
    return WithHint(absl::FailedPreconditionError(
                        absl::StrCat(path, " holds no private SSH key, or one with a passphrase")),
                    kMakeOne);
  }
  return SshKey(key);
}

absl::StatusOr<KnownHost> KnownHost::Read(const std::string& path, const DestinationUrl& url) {
  KnownHost known(path, url);
  if (path.empty()) {
    return WithHint(
        absl::FailedPreconditionError("no known_hosts file is named for the SFTP destination"),
        "Name the file with the server's key.");
  }
  const auto text = keyring::ReadSmallFile(path, kMaxKnownHostsBytes);
  if (absl::IsNotFound(text.status())) return known;
  if (!text.ok()) {
    return absl::IsInvalidArgument(text.status())
               ? text.status()
               : absl::FailedPreconditionError(text.status().message());
  }
  const std::string name = NameOf(url);
  int number = 0;
  for (const absl::string_view raw : absl::StrSplit(*text, '\n')) {
    ++number;
    const std::string line(absl::StripAsciiWhitespace(raw));
    if (line.empty() || line.front() == '#') continue;
    const std::string where = absl::StrCat(path, ", line ", number);
    if (line.front() == '@') {
      return WithHint(absl::InvalidArgumentError(
                          absl::StrCat(where,
                                       ": keys with a marker (@revoked, @cert-authority) are not "
                                       "understood")),
                      "Keep a file with plain keys of the destinations alone.");
    }
    ssh_knownhosts_entry* entry = nullptr;
    const int parsed = ssh_known_hosts_parse_line(name.c_str(), line.c_str(), &entry);
    if (parsed == SSH_AGAIN) continue;  // another server's
    if (parsed != SSH_OK || entry == nullptr || entry->publickey == nullptr) {
      if (entry != nullptr) ssh_knownhosts_entry_free(entry);
      return WithHint(
          absl::InvalidArgumentError(absl::StrCat(where, ": no key is understood there")),
          "A line is NAME TYPE KEY, as ssh-keyscan prints it.");
    }
    known.keys_.emplace_back(std::exchange(entry->publickey, nullptr));
    ssh_knownhosts_entry_free(entry);
  }
  return known;
}

std::string KnownHost::KeyTypes() const {
  // As OpenSSH names the algorithms of each kind of key; none with SHA-1.
  std::vector<std::string> types,
      others = {"ssh-ed25519",         "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384",
                "ecdsa-sha2-nistp521", "rsa-sha2-512",        "rsa-sha2-256"};
  for (const SshKey& key : keys_) {
    const std::string type = ssh_key_type_to_char(ssh_key_type(key.get()));
    for (std::string& other : others) {
      const bool same = other == type || (type == "ssh-rsa" && absl::StartsWith(other, "rsa-"));
      if (same) types.push_back(std::exchange(other, ""));
    }
  }
  for (const std::string& other : others) {
    if (!other.empty()) types.push_back(other);
  }
  return absl::StrJoin(types, ",");
}

absl::Status KnownHost::Check(ssh_key shown) const {
  const auto is_shown = [&](const SshKey& key) {
    return ssh_key_cmp(key.get(), shown, SSH_KEY_CMP_PUBLIC) == 0;
  };
  if (std::any_of(keys_.begin(), keys_.end(), is_shown)) return absl::OkStatus();
  if (!keys_.empty()) {
    return WithHint(
        RefusedError(
            absl::StrCat(url_.ToText(), " shows another host key than the one in ", path_)),
        absl::StrCat("It shows ", Describe(shown),
                     ". Somebody may stand between: ask who runs the server. Only if they changed "
                     "it, run: ssh-keygen -f ",
                     path_, " -R '", NameOf(url_), "'; then: ssh-keyscan -p ", url_.port, " ",
                     url_.host, " >> ", path_));
  }
  return WithHint(
      RefusedError(absl::StrCat("the host key of ", url_.ToText(), " is not in ", path_)),
      absl::StrCat("It shows ", Describe(shown),
                   ". Compare that with what 'ssh-keygen -l' says on the server itself; if it is "
                   "the same, run: ssh-keyscan -p ",
                   url_.port, " ", url_.host, " >> ", path_));
}

}  // namespace sealbook::archive::internal
