#include "vault/archive/sftp_destination.h"

#include <algorithm>
#include <limits>

#include "absl/strings/str_cat.h"
#include "vault/archive/sftp_file.h"
#include "vault/status.h"

namespace sealbook::archive::internal {
namespace {

constexpr std::uint32_t kFolderMode = 0770, kFileMode = 0660;
constexpr std::uint32_t kAttributesMode = 4;  // draft section 5: the permissions follow, alone
// SSH_FXF_*, draft section 6.3.
constexpr std::uint32_t kOpenRead = 1, kOpenWrite = 2, kOpenCreate = 8, kOpenExclusive = 32;
// All names of a listing together.
constexpr std::size_t kMaxNameBytes = 64u << 20;

class SftpDestination : public Destination {
 public:
  SftpDestination(std::unique_ptr<SftpClient> client, std::string folder)
      : client_(std::move(client)),
        folder_(std::move(folder)),
        prefix_(folder_ == "/" ? "/" : folder_ + "/") {}

  const std::string& name() const override { return client_->name(); }

  // An OK status also where the folder itself is missing and could be made.
  absl::Status Open() {
    ASSIGN_OR_RETURN(const auto folder, Attributes(SftpMessage::kStat, folder_, name()));
    if (folder && !folder->IsFolder()) {
      return WithHint(RefusedError(absl::StrCat(name(), " is no folder")),
                      "Name a folder, or a name that is free.");
    }
    if (folder) return absl::OkStatus();
    ASSIGN_OR_RETURN(const auto above, Attributes(SftpMessage::kStat, Above(), name()));
    if (above && above->IsFolder()) return absl::OkStatus();
    return WithHint(
        UnreachableError(absl::StrCat("there is no folder on the server to make ", name(), " in")),
        "Mount it there, or make that folder.");
  }

  absl::StatusOr<std::optional<std::uint64_t>> Size(absl::string_view path) override {
    RETURN_IF_ERROR(CheckPath(path));
    ASSIGN_OR_RETURN(const auto file,
                     Attributes(SftpMessage::kLstat, absl::StrCat(prefix_, path), Where(path)));
    if (!file) return std::nullopt;
    if (!file->IsRegular()) {
      return WithHint(RefusedError(absl::StrCat(Where(path), " is no regular file")),
                      "See what stands under that name.");
    }
    return file->size;
  }

  absl::StatusOr<std::unique_ptr<RemoteWriter>> Create(absl::string_view path) override {
    RETURN_IF_ERROR(CheckPath(path));
    constexpr std::uint32_t kFlags = kOpenWrite | kOpenCreate | kOpenExclusive;
    auto handle = OpenFile(path, kFlags, "make");
    if (absl::IsNotFound(handle.status())) {
      RETURN_IF_ERROR(MakeFolders(path));
      handle = OpenFile(path, kFlags, "make");
      if (absl::IsNotFound(handle.status())) return UnreachableError(handle.status().message());
    }
    if (handle.ok()) return std::make_unique<SftpWriter>(*std::move(handle), 0, Where(path));
    // Version 3 has no code for a name that is taken.
    ASSIGN_OR_RETURN(const auto there,
                     Attributes(SftpMessage::kLstat, absl::StrCat(prefix_, path), Where(path)));
    if (there) return absl::AlreadyExistsError(absl::StrCat(Where(path), " is there already"));
    return handle.status();
  }

  absl::StatusOr<std::unique_ptr<RemoteWriter>> Resume(absl::string_view path,
                                                       std::uint64_t offset) override {
    RETURN_IF_ERROR(CheckPath(path));
    ASSIGN_OR_RETURN(SftpHandle handle, OpenFile(path, kOpenWrite, "open"));
    ASSIGN_OR_RETURN(const SftpAttributes file, handle.Attributes(Where(path)));
    if (file.size != offset) {
      return UnreachableError(
          absl::StrCat(Where(path), " has ", file.size, " bytes where ", offset, " were expected"));
    }
    return std::make_unique<SftpWriter>(std::move(handle), offset, Where(path));
  }

  absl::StatusOr<std::unique_ptr<RemoteReader>> Read(absl::string_view path) override {
    RETURN_IF_ERROR(CheckPath(path));
    ASSIGN_OR_RETURN(SftpHandle handle, OpenFile(path, kOpenRead, "open"));
    ASSIGN_OR_RETURN(const SftpAttributes file, handle.Attributes(Where(path)));
    return std::make_unique<SftpReader>(std::move(handle), file.size, Where(path));
  }

  absl::Status Remove(absl::string_view path) override {
    RETURN_IF_ERROR(CheckPath(path));
    crypto::ByteWriter body;
    body.Text(absl::StrCat(prefix_, path));
    ASSIGN_OR_RETURN(const SftpCode code, AskStatus(SftpMessage::kRemove, body.bytes()));
    return code == SftpCode::kOk ? absl::OkStatus() : SftpError(code, "delete", Where(path));
  }

  absl::StatusOr<std::vector<RemoteFile>> List(absl::string_view folder) override {
    if (!folder.empty() && !IsPathPart(folder)) return CheckPath("");
    const std::string where = folder.empty() ? name() : Where(folder);
    crypto::ByteWriter body;
    body.Text(folder.empty() ? folder_ : absl::StrCat(prefix_, folder));
    auto handle = AskHandle(SftpMessage::kOpendir, body.bytes(), "list", where);
    std::vector<RemoteFile> files;
    if (absl::IsNotFound(handle.status())) return files;
    RETURN_IF_ERROR(handle.status());
    RETURN_IF_ERROR(ReadListing(*handle, where, files));
    RETURN_IF_ERROR(handle->Close(where));
    std::sort(files.begin(), files.end(),
              [](const RemoteFile& a, const RemoteFile& b) { return a.name < b.name; });
    const auto twice = std::adjacent_find(
        files.begin(), files.end(), [](const auto& a, const auto& b) { return a.name == b.name; });
    if (twice != files.end()) {
      return RefusedError(absl::StrCat("the server lists a name twice in ", where));
    }
    return files;
  }

  absl::StatusOr<std::optional<std::uint64_t>> FreeBytes() override {
    if (!client_->has_statvfs()) return std::nullopt;
    for (const std::string& folder : {folder_, Above()}) {
      crypto::ByteWriter body;
      body.Text("statvfs@openssh.com").Text(folder);
      ASSIGN_OR_RETURN(const SftpReply reply, client_->Ask(SftpMessage::kExtended, body.bytes()));
      if (reply.type == SftpMessage::kStatus) {
        if (reply.code == SftpCode::kNoSuchFile) continue;
        return std::nullopt;  // switched off for this account
      }
      crypto::ByteReader reader(reply.body);
      reader.U64();  // the preferred block size
      const std::uint64_t block = reader.U64();
      reader.Raw(2 * 8);  // all blocks, free ones
      const std::uint64_t blocks = reader.U64();
      if (reply.type != SftpMessage::kExtendedReply || !reader.ok()) return client_->Broken();
      constexpr auto kMost = std::numeric_limits<std::uint64_t>::max();
      return block != 0 && blocks > kMost / block ? kMost : blocks * block;
    }
    return std::nullopt;
  }

 private:
  std::string Above() const {
    const auto slash = folder_.rfind('/');
    return slash == 0 ? "/" : folder_.substr(0, slash);
  }
  std::string Where(absl::string_view path) const {
    return absl::StrCat(name(), folder_ == "/" ? "" : "/", path);
  }

  absl::StatusOr<SftpCode> AskStatus(SftpMessage type, ByteView body) {
    ASSIGN_OR_RETURN(const SftpReply reply, client_->Ask(type, body));
    if (reply.type != SftpMessage::kStatus) return client_->Broken();
    return reply.code;
  }

  // Nothing: there is no such file.
  absl::StatusOr<std::optional<SftpAttributes>> Attributes(SftpMessage type, absl::string_view path,
                                                           absl::string_view where) {
    crypto::ByteWriter body;
    body.Text(path);
    ASSIGN_OR_RETURN(const SftpReply reply, client_->Ask(type, body.bytes()));
    if (reply.type == SftpMessage::kStatus) {
      if (reply.code == SftpCode::kNoSuchFile) return std::nullopt;
      return SftpError(reply.code, "look at", where);
    }
    crypto::ByteReader reader(reply.body);
    const SftpAttributes attributes = ReadAttributes(reader);
    if (reply.type != SftpMessage::kAttrs || !reader.ok()) return client_->Broken();
    return attributes;
  }

  absl::StatusOr<SftpHandle> AskHandle(SftpMessage type, ByteView body, absl::string_view what,
                                       absl::string_view where) {
    constexpr std::size_t kMaxHandleBytes = 256;  // draft section 6.2
    ASSIGN_OR_RETURN(const SftpReply reply, client_->Ask(type, body));
    if (reply.type == SftpMessage::kStatus) {
      return reply.code == SftpCode::kOk ? client_->Broken() : SftpError(reply.code, what, where);
    }
    crypto::ByteReader reader(reply.body);
    const ByteView handle = reader.Variable();
    if (reply.type != SftpMessage::kHandle || !reader.ok() || handle.size() > kMaxHandleBytes) {
      return client_->Broken();
    }
    return SftpHandle(*client_, std::string(crypto::AsText(handle)));
  }

  absl::StatusOr<SftpHandle> OpenFile(absl::string_view path, std::uint32_t flags,
                                      absl::string_view what) {
    crypto::ByteWriter body;
    body.Text(absl::StrCat(prefix_, path)).U32(flags);
    if ((flags & kOpenCreate) != 0) {
      body.U32(kAttributesMode).U32(kFileMode);
    } else {
      body.U32(0);
    }
    return AskHandle(SftpMessage::kOpen, body.bytes(), what, Where(path));
  }

  // The folders of `path`, as far as they are missing. What fails shows when the file is opened.
  absl::Status MakeFolders(absl::string_view path) {
    const auto slash = path.find('/');
    std::vector<std::string> folders = {folder_};
    if (slash != absl::string_view::npos) {
      folders.push_back(absl::StrCat(prefix_, path.substr(0, slash)));
    }
    for (const std::string& folder : folders) {
      crypto::ByteWriter body;
      body.Text(folder).U32(kAttributesMode).U32(kFolderMode);
      ASSIGN_OR_RETURN(const SftpCode code, AskStatus(SftpMessage::kMkdir, body.bytes()));
      if (code == SftpCode::kPermissionDenied) return SftpError(code, "make", folder);
    }
    return absl::OkStatus();
  }

  absl::Status ReadListing(const SftpHandle& handle, absl::string_view where,
                           std::vector<RemoteFile>& files) {
    crypto::ByteWriter body;
    body.Text(handle.text());
    std::size_t entries = 0, name_bytes = 0;
    for (;;) {
      ASSIGN_OR_RETURN(const SftpReply reply, client_->Ask(SftpMessage::kReaddir, body.bytes()));
      if (reply.type == SftpMessage::kStatus) {
        if (reply.code == SftpCode::kEof) return absl::OkStatus();
        absl::Status status = SftpError(reply.code, "list", where);
        return absl::IsNotFound(status) ? UnreachableError(status.message()) : status;
      }
      crypto::ByteReader reader(reply.body);
      constexpr std::size_t kLeastEntryBytes = 4 + 4 + 4;
      const std::uint32_t count = reader.Count(kLeastEntryBytes);
      if (reply.type != SftpMessage::kName || count == 0) return client_->Broken();
      entries += count;
      for (std::uint32_t i = 0; i < count; ++i) {
        const absl::string_view name = crypto::AsText(reader.Variable());
        reader.Variable();  // the same for people
        const SftpAttributes file = ReadAttributes(reader);
        if (!reader.ok()) return client_->Broken();
        if (!IsPathPart(name) || !file.IsRegular()) continue;
        name_bytes += name.size();
        files.push_back({.name = std::string(name), .bytes = file.size});
      }
      if (entries > kMaxListed || name_bytes > kMaxNameBytes) {
        return RefusedError(absl::StrCat("more than ", kMaxListed, " entries in ", where));
      }
    }
  }

  const std::unique_ptr<SftpClient> client_;
  const std::string folder_, prefix_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<Destination>> OpenSftp(const DestinationUrl& url,
                                                      const DestinationOptions& options) {
  ASSIGN_OR_RETURN(auto connection, SshConnection::Open(url, options));
  ASSIGN_OR_RETURN(auto client, SftpClient::Start(std::move(connection)));
  auto destination = std::make_unique<SftpDestination>(std::move(client), url.folder);
  RETURN_IF_ERROR(destination->Open());
  return destination;
}

}  // namespace sealbook::archive::internal
