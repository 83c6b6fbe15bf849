#include "vault/archive/destination.h"

#include <algorithm>
#include <array>

#include "absl/strings/ascii.h"
#include "absl/strings/cord.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "vault/archive/folder_destination.h"
#include "vault/archive/sftp_destination.h"
#include "vault/crypto/bytes.h"
#include "vault/crypto/random.h"
#include "vault/status.h"

namespace sealbook::archive {
namespace {

constexpr std::size_t kMaxPartBytes = 200;
constexpr std::size_t kPieceBytes = 256 * 1024;
constexpr absl::string_view kRefusedPayload = "sealbook/refused";

std::string InFolder(absl::string_view folder, absl::string_view name) {
  return folder.empty() ? std::string(name) : absl::StrCat(folder, "/", name);
}

absl::Status WriteWhole(Destination& destination, absl::string_view path, ByteView bytes) {
  ASSIGN_OR_RETURN(const auto writer, destination.Create(path));
  RETURN_IF_ERROR(writer->Append(bytes));
  return writer->Finish();
}

// Whether `name` of `folder` is there to any of the three ways of looking.
absl::StatusOr<bool> IsSeen(Destination& destination, absl::string_view folder,
                            absl::string_view name) {
  const std::string path = InFolder(folder, name);
  ASSIGN_OR_RETURN(const auto bytes, destination.Size(path));
  if (bytes) return true;
  const auto reader = destination.Read(path);
  if (reader.ok()) return true;
  if (!absl::IsNotFound(reader.status())) return reader.status();
  ASSIGN_OR_RETURN(const auto files, destination.List(folder));
  return std::any_of(files.begin(), files.end(),
                     [&](const RemoteFile& file) { return file.name == name; });
}

// False: the account may not, or the file stayed.
absl::StatusOr<bool> DeletesFor(Destination& destination, absl::string_view folder,
                                absl::string_view name) {
  const absl::Status removed = destination.Remove(InFolder(folder, name));
  // A refusal is an answer as well; a lost connection fails here again.
  ASSIGN_OR_RETURN(const bool seen, IsSeen(destination, folder, name));
  if (seen) return false;
  if (!removed.ok() && !absl::IsNotFound(removed)) return removed;
  return removed.ok();
}

}  // namespace

bool IsPathPart(absl::string_view part) {
  return !part.empty() && part.size() <= kMaxPartBytes && part.front() != '.' &&
         std::all_of(part.begin(), part.end(), [](char letter) {
           return absl::ascii_islower(static_cast<unsigned char>(letter)) ||
                  absl::ascii_isdigit(static_cast<unsigned char>(letter)) || letter == '.' ||
                  letter == '_' || letter == '-';
         });
}

absl::Status CheckPath(absl::string_view path) {
  const auto slash = path.find('/');
  const bool good = slash == absl::string_view::npos
                        ? IsPathPart(path)
                        : IsPathPart(path.substr(0, slash)) && IsPathPart(path.substr(slash + 1));
  if (good) return absl::OkStatus();
  return absl::InvalidArgumentError(
      "a file's name at a destination has one or two parts of a-z, 0-9, '.', '_' and '-'");
}

absl::Status RemoteReader::Stream(std::uint64_t offset, std::uint64_t length, ByteSink& sink) {
  std::vector<std::uint8_t> piece(std::min<std::uint64_t>(length, kPieceBytes));
  while (length > 0) {
    const auto wanted = std::min<std::uint64_t>(length, piece.size());
    ASSIGN_OR_RETURN(const std::size_t got, ReadAt(offset, {piece.data(), wanted}));
    if (got < wanted) return UnreachableError("a file at a destination ends before its size");
    RETURN_IF_ERROR(sink.Append({piece.data(), got}));
    offset += got;
    length -= got;
  }
  return absl::OkStatus();
}

absl::StatusOr<bool> Destination::ProvesDeletion(absl::string_view folder) {
  if (!folder.empty() && !IsPathPart(folder)) return CheckPath("");
  ASSIGN_OR_RETURN(const std::vector<RemoteFile> files, List(folder));
  for (const RemoteFile& file : files) {
    if (!absl::StartsWith(file.name, kProbePrefix)) continue;
    ASSIGN_OR_RETURN(const bool deleted, DeletesFor(*this, folder, file.name));
    if (!deleted) return false;
  }
  std::array<std::uint8_t, 8> random;
  crypto::FillRandom(random);
  const std::string name = absl::StrCat(kProbePrefix, crypto::ToHex(random));
  RETURN_IF_ERROR(WriteWhole(*this, InFolder(folder, name), random));
  ASSIGN_OR_RETURN(const bool there, IsSeen(*this, folder, name));
  if (!there) {
    return UnreachableError(absl::StrCat(
        this->name(), " does not show the deletion probe that was just written there"));
  }
  return DeletesFor(*this, folder, name);
}

absl::StatusOr<std::unique_ptr<Destination>> OpenDestination(absl::string_view url,
                                                             const DestinationOptions& options) {
  ASSIGN_OR_RETURN(const DestinationUrl parsed, ParseDestination(url));
  switch (parsed.kind) {
    case DestinationKind::kFolder:
      return internal::OpenFolder(parsed);
    case DestinationKind::kSftp:
      return internal::OpenSftp(parsed, options);
  }
  return absl::InternalError("a destination of no known kind");
}

bool WorthRetrying(const absl::Status& status) {
  return IsUnreachable(status) && !status.GetPayload(kRefusedPayload);
}

namespace internal {
absl::Status RefusedError(absl::string_view message) {
  absl::Status status = UnreachableError(message);
  status.SetPayload(kRefusedPayload, absl::Cord());
  return status;
}
}  // namespace internal

}  // namespace sealbook::archive
