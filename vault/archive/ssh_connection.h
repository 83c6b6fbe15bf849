// One SSH connection with one channel, which runs the server's subsystem "sftp": bytes out, bytes
// in, each with a time limit. libssh does the cryptography; its own SFTP is not used, since it
// waits for ever and writes one packet at a time.
//
// Of the user's surroundings it reads nothing: no configuration, no agent, no known_hosts but the
// file that is named.
#pragma once

#include <libssh/callbacks.h>
#include <libssh/libssh.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "vault/archive/destination.h"

namespace sealbook::archive::internal {

// Belongs to one thread.
class SshConnection {
 public:
  // The most that may wait to be taken: a server sends more than was asked for, or it is not ours.
  static constexpr std::size_t kMaxInbox = 8u << 20;

  // Errors as OpenDestination() says; `url` is of the kind kSftp. Takes `options.timeout` at most,
  // but for the system's own looking up of the host's name.
  static absl::StatusOr<std::unique_ptr<SshConnection>> Open(const DestinationUrl& url,
                                                             const DestinationOptions& options);
  SshConnection(const SshConnection&) = delete;
  SshConnection& operator=(const SshConnection&) = delete;
  ~SshConnection();

  const std::string& name() const { return name_; }
  absl::Duration timeout() const { return timeout_; }

  // Gives all of `bytes` to the connection. kOutOfRange: it is lost, or took nothing for `timeout`.
  absl::Status Send(ByteView bytes);
  // Waits until inbox() has `bytes` or more (at most kMaxInbox), until `deadline`. kOutOfRange.
  absl::Status WaitFor(std::size_t bytes, absl::Time deadline);
  // What came and was not taken yet. Valid until the next call of anything here but Take.
  ByteView inbox() const { return ByteView(inbox_).subspan(taken_); }
  void Take(std::size_t bytes) { taken_ += bytes; }

 private:
  SshConnection(std::string name, absl::Duration timeout);
  absl::Status Connect(const DestinationUrl& url, const DestinationOptions& options);
  absl::Status StartSession(const DestinationUrl& url, const std::string& host_key_types,
                            absl::Time deadline);
  absl::Status LogIn(ssh_key key, absl::Time deadline);
  absl::Status StartSftp(absl::Time deadline);
  // Calls `step` until it no longer says that it is to be called again.
  template <typename Step>
  absl::StatusOr<int> Repeat(int again, absl::Time deadline, Step step);
  // Lets libssh work until something happened or `deadline` came.
  absl::Status Pump(absl::Time deadline);
  absl::Status Lost() const;
  absl::Status TimedOut() const;
  static int OnData(ssh_session session, ssh_channel channel, void* data, std::uint32_t size,
                    int is_stderr, void* self);

  const std::string name_;
  const absl::Duration timeout_;
  int fd_ = -1;  // owned by the session, once there is one
  ssh_session session_ = nullptr;
  ssh_channel channel_ = nullptr;
  ssh_event event_ = nullptr;
  ssh_channel_callbacks_struct callbacks_{};
  std::vector<std::uint8_t> inbox_;
  std::size_t taken_ = 0;  // of the inbox
  bool flooded_ = false;
};

}  // namespace sealbook::archive::internal
