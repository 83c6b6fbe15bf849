// SFTP version 3 (draft-ietf-secsh-filexfer-02) as OpenSSH's servers speak it, with many requests
// under way at once. It knows messages, not files: sftp_destination.cc makes a destination of it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "absl/status/statusor.h"
#include "vault/archive/ssh_connection.h"
#include "vault/crypto/bytes.h"

namespace sealbook::archive::internal {

// SSH_FXP_*: the draft's numbers.
enum class SftpMessage : std::uint8_t {
  kInit = 1,
  kVersion = 2,
  kOpen = 3,
  kClose = 4,
  kRead = 5,
  kWrite = 6,
  kLstat = 7,
  kFstat = 8,
  kFsetstat = 10,
  kOpendir = 11,
  kReaddir = 12,
  kRemove = 13,
  kMkdir = 14,
  kStat = 17,
  kStatus = 101,
  kHandle = 102,
  kData = 103,
  kName = 104,
  kAttrs = 105,
  kExtended = 200,
  kExtendedReply = 201,
};

// SSH_FX_*.
enum class SftpCode : std::uint32_t {
  kOk = 0,
  kEof = 1,
  kNoSuchFile = 2,
  kPermissionDenied = 3,
  kFailure = 4,
  kUnsupported = 8,
};

// The attributes of which anything is asked here.
struct SftpAttributes {
  bool has_size = false, has_mode = false;
  std::uint64_t size = 0;
  std::uint32_t mode = 0;

  bool IsRegular() const { return has_size && (!has_mode || (mode & 0170000) == 0100000); }
  bool IsFolder() const { return has_mode && (mode & 0170000) == 0040000; }
};
// Reads them off `reader`, with the extended ones passed over.
SftpAttributes ReadAttributes(crypto::ByteReader& reader);

struct SftpReply {
  SftpMessage type{};
  SftpCode code{};  // kStatus
  ByteView body;    // otherwise: what follows the request's number. Until the next call.
};

// A lost connection and a server that breaks the protocol are kOutOfRange, and stick. Belongs to
// one thread.
class SftpClient {
 public:
  static absl::StatusOr<std::unique_ptr<SftpClient>> Start(
      std::unique_ptr<SshConnection> connection);

  const std::string& name() const { return connection_->name(); }
  // What a READ and a WRITE may carry: 32 KiB, or what the server says in "limits@openssh.com".
  std::size_t max_read() const { return max_read_; }
  std::size_t max_write() const { return max_write_; }
  bool has_fsync() const { return has_fsync_; }
  bool has_statvfs() const { return has_statvfs_; }

  // Sends a request whose `body` follows its number, and gives the number. Every number is awaited
  // or abandoned, once.
  absl::StatusOr<std::uint32_t> Begin(SftpMessage type, ByteView body);
  // For bodies that are large: `packet` has kRoom bytes free at its beginning, the body behind.
  static constexpr std::size_t kRoom = 4 + 1 + 4;
  absl::StatusOr<std::uint32_t> BeginInPlace(SftpMessage type, std::span<std::uint8_t> packet);
  // Whose answer came first does not matter.
  absl::StatusOr<SftpReply> Await(std::uint32_t number);
  // The answer is of no interest any more.
  void Abandon(std::uint32_t number);
  // Begin and Await.
  absl::StatusOr<SftpReply> Ask(SftpMessage type, ByteView body);

  // The error for an answer of another type than was asked for; sticks.
  absl::Status Broken();

 private:
  explicit SftpClient(std::unique_ptr<SshConnection> connection)
      : connection_(std::move(connection)) {}
  absl::Status Greet();
  absl::Status ReadExtensions(crypto::ByteReader reader);
  absl::Status AskLimits();
  // The next packet's type and contents, still in the inbox.
  absl::StatusOr<SftpReply> NextPacket();
  absl::StatusOr<SftpReply> Parse(SftpMessage type, ByteView body);
  absl::Status Stick(absl::Status status);

  const std::unique_ptr<SshConnection> connection_;
  std::size_t max_read_ = 32 * 1024, max_write_ = 32 * 1024;
  bool has_fsync_ = false, has_statvfs_ = false, has_limits_ = false;
  std::uint32_t next_number_ = 1;
  absl::Status status_;

  struct Early {
    SftpMessage type{};
    crypto::Bytes body;
  };
  std::set<std::uint32_t> awaited_, abandoned_;
  std::map<std::uint32_t, Early> early_;  // came while another one was awaited
  crypto::Bytes held_;                    // what an early answer's view points into
};

}  // namespace sealbook::archive::internal
