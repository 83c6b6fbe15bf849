// Open files over SFTP: a writer and a reader with many requests under way.
#pragma once

#include <deque>
#include <string>
#include <utility>

#include "vault/archive/destination.h"
#include "vault/archive/sftp_client.h"

namespace sealbook::archive::internal {

// The error for a status that is not kOk, in our words: "cannot WHAT WHERE: …". NotFound for
// kNoSuchFile, otherwise kOutOfRange.
absl::Status SftpError(SftpCode code, absl::string_view what, absl::string_view where);

// Bytes that are sent or asked for before the first answer comes. OpenSSH's window for a channel.
inline constexpr std::size_t kInFlightBytes = 2u << 20;

// A file's handle at the server, closed when this goes.
class SftpHandle {
 public:
  SftpHandle(SftpClient& client, std::string handle)
      : client_(&client), handle_(std::move(handle)) {}
  SftpHandle(SftpHandle&& other) noexcept
      : client_(std::exchange(other.client_, nullptr)), handle_(std::move(other.handle_)) {}
  SftpHandle& operator=(SftpHandle&& other) noexcept {
    std::swap(client_, other.client_);
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~SftpHandle();  // does not wait for the answer

  SftpClient& client() const { return *client_; }
  const std::string& text() const { return handle_; }
  absl::Status Close(absl::string_view where);
  absl::StatusOr<SftpAttributes> Attributes(absl::string_view where) const;

 private:
  SftpClient* client_;
  std::string handle_;
};

class SftpWriter : public RemoteWriter {
 public:
  SftpWriter(SftpHandle handle, std::uint64_t offset, std::string where);
  ~SftpWriter() override;
  absl::Status Append(ByteView bytes) override;
  absl::Status Finish() override;

 private:
  struct Sent {
    std::uint32_t number;
    std::size_t bytes;
  };
  absl::Status SendPacket();
  // Waits until fewer than `limit` bytes are under way.
  absl::Status AwaitBelow(std::size_t limit);
  // After a refused write: waits for the others, and cuts the file behind what was written.
  void CutToWritten();
  absl::Status Sync();

  SftpHandle handle_;
  const std::string where_;
  std::size_t head_bytes_;  // of a WRITE before its data
  crypto::Bytes packet_;    // the next WRITE
  std::uint64_t sent_to_, written_to_;
  std::deque<Sent> under_way_;
  std::size_t under_way_bytes_ = 0;
  absl::Status status_;
  bool finished_ = false;
};

class SftpReader : public RemoteReader {
 public:
  SftpReader(SftpHandle handle, std::uint64_t size, std::string where)
      : handle_(std::move(handle)), size_(size), where_(std::move(where)) {}
  std::uint64_t size() const override { return size_; }
  absl::StatusOr<std::size_t> ReadAt(std::uint64_t offset, std::span<std::uint8_t> out) override;
  absl::Status Stream(std::uint64_t offset, std::uint64_t length, ByteSink& sink) override;

 private:
  // As Stream, but a file that ends early is no error: gives what was read.
  absl::StatusOr<std::uint64_t> Pipe(std::uint64_t offset, std::uint64_t length, ByteSink& sink);

  SftpHandle handle_;
  const std::uint64_t size_;
  const std::string where_;
};

}  // namespace sealbook::archive::internal
