// Where archives go: a folder (another disk, a mounted NAS) or an SFTP server behind one interface,
// which others will join.
//
//   ASSIGN_OR_RETURN(auto destination, OpenDestination(url, options));
//   ASSIGN_OR_RETURN(auto writer, destination->Create("name.sba.age"));
//   RETURN_IF_ERROR(writer->Append(bytes));      // as often as you like
//   RETURN_IF_ERROR(writer->Finish());           // on stable storage
//
// Files are made at their final name and never written over, so that an account which may neither
// rename nor delete will do. What is incomplete therefore stands under its final name, too: readers
// count nothing until they have seen what vouches for it (an archive's signature).
//
// Nobody is believed here: a destination may lose, swap or cut what it was given. Whoever deletes
// elsewhere reads everything back on a new connection first (upload.h).
//
// Errors, of every function that says nothing else:
//   kOutOfRange           the destination cannot be reached, refuses, or does not hold what it
//   should kInvalidArgument   a bad path
// After an error that lost the connection every call gives it again: open a new one. A call lasts
// `timeout` at most for each answer that it waits for; a folder's lasts as long as the system
// takes.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "vault/archive/destination_url.h"
#include "vault/byte_sink.h"

namespace sealbook::archive {

// A path is a file in the destination's folder ("name") or in a folder there
// ("subjects/000012.v3"). Its parts have 1 to 200 of [a-z0-9._-] and do not begin with a dot.
// InvalidArgument: anything else. The message does not repeat it.
absl::Status CheckPath(absl::string_view path);
// The same for one part.
bool IsPathPart(absl::string_view part);

struct RemoteFile {
  std::string name;  // a path's last part
  std::uint64_t bytes = 0;
};

// A file that grows at its end. Belongs to its destination, which must outlive it, and to its
// thread. Without Finish() what got there stays, and may be gone on with by Resume().
class RemoteWriter : public ByteSink {
 public:
  // An error sticks. Where it was the destination that refused a part (a full disk), the file is
  // cut, if the destination allows it, to what was taken without a gap.
  absl::Status Append(ByteView bytes) override = 0;
  // Waits until all of it, and its name, is on stable storage (fsync; over SFTP as far as the
  // server knows fsync@openssh.com), and closes it. Once, after all Appends.
  virtual absl::Status Finish() = 0;
};

// A file as it stands. Belongs to its destination and its thread, too.
class RemoteReader {
 public:
  virtual ~RemoteReader() = default;
  // When it was opened. Said by the destination: not to be allocated by.
  virtual std::uint64_t size() const = 0;
  // Fills `out` from `offset` on; fewer bytes at the file's end alone.
  virtual absl::StatusOr<std::size_t> ReadAt(std::uint64_t offset, std::span<std::uint8_t> out) = 0;
  // Hands `length` bytes from `offset` on to `sink`, in order and in pieces of 256 KiB at most,
  // with several requests under way where that is faster. kOutOfRange: the file ends before;
  // otherwise the sink's errors, after which the reader is of no further use.
  virtual absl::Status Stream(std::uint64_t offset, std::uint64_t length, ByteSink& sink);
};

// One connection; belongs to one thread.
class Destination {
 public:
  // What List() takes at most; a folder with more is refused.
  static constexpr std::size_t kMaxListed = 1'000'000;

  Destination() = default;
  Destination(const Destination&) = delete;
  Destination& operator=(const Destination&) = delete;
  virtual ~Destination() = default;

  // The address, for messages: no secret in it.
  virtual const std::string& name() const = 0;
  // Nothing: there is no such file. kOutOfRange: it is no regular file.
  virtual absl::StatusOr<std::optional<std::uint64_t>> Size(absl::string_view path) = 0;
  // A new file of this user's (0660 less the umask), with the folders above it where they are
  // missing (0770 less the umask): a folder in the destination's, and the last one of its address.
  // AlreadyExists: the name is taken.
  virtual absl::StatusOr<std::unique_ptr<RemoteWriter>> Create(absl::string_view path) = 0;
  // Goes on at the end of a file that has exactly `offset` bytes. NotFound. kOutOfRange: it has
  // not.
  virtual absl::StatusOr<std::unique_ptr<RemoteWriter>> Resume(absl::string_view path,
                                                               std::uint64_t offset) = 0;
  // NotFound. kOutOfRange: it is no regular file.
  virtual absl::StatusOr<std::unique_ptr<RemoteReader>> Read(absl::string_view path) = 0;
  // NotFound. kOutOfRange: this account may not.
  virtual absl::Status Remove(absl::string_view path) = 0;
  // The regular files of a folder there (a path's first part, or "" for the destination's own),
  // sorted by name. What could not be a path's part is no file of ours and left out. Nothing where
  // there is no such folder. kOutOfRange: more than kMaxListed entries, or a name twice.
  virtual absl::StatusOr<std::vector<RemoteFile>> List(absl::string_view folder) = 0;
  // What this account may still write; nothing where the destination does not say.
  virtual absl::StatusOr<std::optional<std::uint64_t>> FreeBytes() = 0;

  // Whether a file in `folder` ("" or a path's first part) is gone when it was deleted: writes a
  // small one, deletes it, and looks by Size, Read and List. What a destination keeps behind that
  // (snapshots, backups) nobody can see from here. Where the account may not delete, the probe
  // stays; the next call begins with it rather than leave another.
  absl::StatusOr<bool> ProvesDeletion(absl::string_view folder);
};

// What deletion probes are called, with 16 hexadecimal digits behind.
inline constexpr absl::string_view kProbePrefix = "probe-";

struct DestinationOptions {
  // SFTP. The private key without a passphrase, and the hosts' keys as OpenSSH keeps them; no agent
  // and no configuration of the user's is asked, and no key of a host is ever added.
  std::string key_file, known_hosts_file;
  absl::Duration timeout = absl::Seconds(30);
};

// Connects. kOutOfRange: no such server or folder, an unknown or changed host key, a refused key;
// also where the folder above the destination's is missing, as it is when a NAS is not mounted.
// FailedPrecondition: the key file is missing, others may read it, or it holds no usable key.
// InvalidArgument: the address, or a known_hosts file that is not understood.
absl::StatusOr<std::unique_ptr<Destination>> OpenDestination(absl::string_view url,
                                                             const DestinationOptions& options);

// False for an error that the same call gives again until somebody does something about it: bad
// input, a missing right, a wrong key. True where waiting may help: a lost connection, a full disk.
bool WorthRetrying(const absl::Status& status);

namespace internal {
// kOutOfRange, with the mark that WorthRetrying() looks for.
absl::Status RefusedError(absl::string_view message);
}  // namespace internal

}  // namespace sealbook::archive
