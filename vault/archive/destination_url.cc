#include "vault/archive/destination_url.h"

#include <unicode/utf8.h>

#include <algorithm>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "vault/status.h"

namespace sealbook::archive {
namespace {

constexpr std::size_t kMaxFolderBytes = 1024, kMaxHostBytes = 253, kMaxUserBytes = 64;
constexpr std::uint16_t kSshPort = 22;

absl::Status Bad(absl::string_view what) {
  return WithHint(absl::InvalidArgumentError(absl::StrCat("the destination's address ", what)),
                  "Write it as file:///DIR or sftp://USER@HOST[:PORT]/DIR.");
}

bool IsUtf8(absl::string_view text) {
  const auto size = static_cast<std::int32_t>(text.size());  // bounded by the caller
  for (std::int32_t at = 0; at < size;) {
    UChar32 letter = 0;
    U8_NEXT(text.data(), at, size, letter);
    if (letter < 0) return false;
  }
  return true;
}

// `text` begins with a slash.
absl::StatusOr<std::string> ParseFolder(absl::string_view text) {
  if (text.size() > kMaxFolderBytes) return Bad("names a folder of more than 1,024 bytes");
  if (!IsUtf8(text)) return Bad("is no UTF-8");
  for (const char letter : text) {
    if (absl::ascii_iscntrl(static_cast<unsigned char>(letter)) || letter == '%' || letter == '?' ||
        letter == '#' || letter == '\\') {
      return Bad(
          "has a sign in its folder that is not allowed there: one of % ? # \\ or a control");
    }
  }
  text.remove_prefix(1);
  absl::ConsumeSuffix(&text, "/");
  if (text.empty()) return std::string("/");
  const std::vector<absl::string_view> parts = absl::StrSplit(text, '/');
  for (const absl::string_view part : parts) {
    if (part.empty() || part == "." || part == "..") {
      return Bad("has an empty part, \".\" or \"..\" in its folder");
    }
  }
  if (absl::StartsWith(parts.front(), "~")) {
    return Bad("begins at a home; its folder counts from the server's root");
  }
  return absl::StrCat("/", absl::StrJoin(parts, "/"));
}

bool IsUser(absl::string_view text) {
  return !text.empty() && text.size() <= kMaxUserBytes && text.front() != '-' &&
         std::all_of(text.begin(), text.end(), [](char letter) {
           return absl::ascii_isalnum(static_cast<unsigned char>(letter)) || letter == '.' ||
                  letter == '_' || letter == '-';
         });
}

bool IsHost(absl::string_view text, bool bracketed) {
  if (text.empty() || text.size() > kMaxHostBytes) return false;
  if (bracketed) {
    return absl::StrContains(text, ':') && std::all_of(text.begin(), text.end(), [](char letter) {
             return absl::ascii_isxdigit(static_cast<unsigned char>(letter)) || letter == ':' ||
                    letter == '.';
           });
  }
  return text.front() != '-' && text.front() != '.' &&
         std::all_of(text.begin(), text.end(), [](char letter) {
           return absl::ascii_isalnum(static_cast<unsigned char>(letter)) || letter == '.' ||
                  letter == '-';
         });
}

absl::StatusOr<DestinationUrl> ParseSftp(absl::string_view rest) {
  const auto slash = rest.find('/');
  if (slash == absl::string_view::npos) return Bad("names no folder");
  const absl::string_view authority = rest.substr(0, slash);
  const auto at = authority.rfind('@');
  if (at == absl::string_view::npos) return Bad("names no user");
  const absl::string_view user = authority.substr(0, at);
  if (absl::StrContains(user, ':')) {
    return WithHint(absl::InvalidArgumentError("the destination's address has a password in it"),
                    "Write it without one, treat that password as known, and use a key file: "
                    "sftp://USER@HOST[:PORT]/DIR.");
  }
  if (!IsUser(user)) return Bad("has no user's name of letters, digits, '.', '_' and '-'");

  DestinationUrl url{.kind = DestinationKind::kSftp, .user = std::string(user), .port = kSshPort};
  absl::string_view host = authority.substr(at + 1), port;
  const bool bracketed = absl::ConsumePrefix(&host, "[");
  if (bracketed) {
    const auto end = host.find(']');
    if (end == absl::string_view::npos) return Bad("has a bracket without its end");
    port = host.substr(end + 1);
    host = host.substr(0, end);
  } else {
    const auto colon = host.find(':');
    if (colon != absl::string_view::npos) port = host.substr(colon);
    host = host.substr(0, colon);
  }
  if (!IsHost(host, bracketed)) return Bad("has no host's name or address");
  url.host = absl::AsciiStrToLower(host);
  if (!port.empty()) {
    int number = 0;
    if (!absl::ConsumePrefix(&port, ":") || port.empty() || port.size() > 5 ||
        !std::all_of(port.begin(), port.end(), absl::ascii_isdigit) ||
        !absl::SimpleAtoi(port, &number) || number < 1 || number > 65535) {
      return Bad("has no port from 1 to 65535");
    }
    url.port = static_cast<std::uint16_t>(number);
  }
  ASSIGN_OR_RETURN(url.folder, ParseFolder(rest.substr(slash)));
  return url;
}

}  // namespace

std::string DestinationUrl::ToText() const {
  if (kind == DestinationKind::kFolder) return absl::StrCat("file://", folder);
  const bool brackets = absl::StrContains(host, ':');
  return absl::StrCat("sftp://", user, "@", brackets ? "[" : "", host, brackets ? "]" : "",
                      port == kSshPort ? std::string() : absl::StrCat(":", port), folder);
}

absl::StatusOr<DestinationUrl> ParseDestination(absl::string_view url) {
  if (absl::ConsumePrefix(&url, "file://")) {
    if (!absl::StartsWith(url, "/")) return Bad("names a folder of another host");
    DestinationUrl parsed{.kind = DestinationKind::kFolder};
    ASSIGN_OR_RETURN(parsed.folder, ParseFolder(url));
    if (parsed.folder == "/") return Bad("is the root of this machine");
    return parsed;
  }
  if (absl::ConsumePrefix(&url, "sftp://")) return ParseSftp(url);
  if (absl::StartsWith(url, "s3://")) {
    return WithHint(
        absl::InvalidArgumentError("this version of Sealbook has no S3 destinations yet"),
        "Use file:///DIR or sftp://USER@HOST[:PORT]/DIR.");
  }
  return Bad("begins with neither file:// nor sftp://");
}

}  // namespace sealbook::archive
