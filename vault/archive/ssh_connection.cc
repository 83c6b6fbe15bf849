#include "vault/archive/ssh_connection.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "vault/archive/ssh_keys.h"
#include "vault/status.h"

namespace sealbook::archive::internal {
namespace {

constexpr const char* kCiphers =
    "aes256-gcm@openssh.com,aes128-gcm@openssh.com,chacha20-poly1305@openssh.com,"
    "aes256-ctr,aes192-ctr,aes128-ctr";
constexpr int kMinRsaBits = 2048;
// libssh may hold bytes that no socket tells of any more: nobody sleeps longer than that.
constexpr absl::Duration kLongestSleep = absl::Milliseconds(200);

int MillisecondsUntil(absl::Time deadline) {
  const absl::Duration left = std::min(deadline - absl::Now(), kLongestSleep);
  return static_cast<int>(std::max<std::int64_t>(absl::ToInt64Milliseconds(left) + 1, 1));
}

bool SetBlocking(int fd, bool blocking) {
  const int flags = fcntl(fd, F_GETFL);
  return flags >= 0 && fcntl(fd, F_SETFL, blocking ? flags & ~O_NONBLOCK : flags | O_NONBLOCK) == 0;
}

// One address; 0, or errno.
int ConnectOne(int fd, const addrinfo& address, absl::Time deadline) {
  if (connect(fd, address.ai_addr, address.ai_addrlen) == 0) return 0;
  if (errno != EINPROGRESS) return errno;
  pollfd wait{.fd = fd, .events = POLLOUT, .revents = 0};
  while (poll(&wait, 1, MillisecondsUntil(deadline)) <= 0) {
    if (absl::Now() >= deadline) return ETIMEDOUT;
  }
  int error = 0;
  socklen_t size = sizeof error;
  return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : errno;
}

// A socket that does not block, connected to the first of the host's addresses that answers.
absl::StatusOr<int> ConnectSocket(const DestinationUrl& url, absl::Time deadline) {
  const addrinfo hints{.ai_flags = AI_ADDRCONFIG, .ai_socktype = SOCK_STREAM};
  addrinfo* found = nullptr;
  const int resolved =
      getaddrinfo(url.host.c_str(), absl::StrCat(url.port).c_str(), &hints, &found);
  if (resolved != 0) {
    return WithHint(UnreachableError(absl::StrCat("no address is known for the host of ",
                                                  url.ToText(), ": ", gai_strerror(resolved))),
                    "Check the host's name and this machine's network.");
  }
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> addresses(found, freeaddrinfo);
  int error = ENOENT;
  for (const addrinfo* address = found; address != nullptr; address = address->ai_next) {
    const int fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
      error = errno;
      continue;
    }
    error = ConnectOne(fd, *address, deadline);
    if (error == 0) {
      const int on = 1;
      setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      return fd;
    }
    close(fd);
  }
  return WithHint(UnreachableError(
                      absl::StrCat("cannot connect to ", url.ToText(), ": ", std::strerror(error))),
                  "Check that the server runs and that its port can be reached from here.");
}

}  // namespace

SshConnection::SshConnection(std::string name, absl::Duration timeout)
    : name_(std::move(name)), timeout_(timeout) {}

SshConnection::~SshConnection() {
  // Nothing is said good-bye to: that could wait for a server that no longer listens.
  if (event_ != nullptr) ssh_event_free(event_);
  if (channel_ != nullptr) ssh_remove_channel_callbacks(channel_, &callbacks_);
  if (session_ != nullptr) {
    ssh_silent_disconnect(session_);
    ssh_free(session_);  // its channels with it
  }
  if (fd_ >= 0) close(fd_);
}

absl::StatusOr<std::unique_ptr<SshConnection>> SshConnection::Open(
    const DestinationUrl& url, const DestinationOptions& options) {
  std::unique_ptr<SshConnection> connection(new SshConnection(url.ToText(), options.timeout));
  RETURN_IF_ERROR(connection->Connect(url, options));
  return connection;
}

absl::Status SshConnection::Connect(const DestinationUrl& url, const DestinationOptions& options) {
  ASSIGN_OR_RETURN(const SshKey key, ReadPrivateKey(options.key_file));
  ASSIGN_OR_RETURN(const KnownHost known, KnownHost::Read(options.known_hosts_file, url));
  const absl::Time deadline = absl::Now() + timeout_;
  ASSIGN_OR_RETURN(fd_, ConnectSocket(url, deadline));
  RETURN_IF_ERROR(StartSession(url, known.KeyTypes(), deadline));

  ssh_key shown = nullptr;
  if (ssh_get_server_publickey(session_, &shown) != SSH_OK) return Lost();
  const SshKey shown_key(shown);
  RETURN_IF_ERROR(known.Check(shown));

  RETURN_IF_ERROR(LogIn(key.get(), deadline));
  return StartSftp(deadline);
}

absl::Status SshConnection::StartSession(const DestinationUrl& url,
                                         const std::string& host_key_types, absl::Time deadline) {
  session_ = ssh_new();
  if (session_ == nullptr) return absl::ResourceExhaustedError("no memory for an SSH session");
  const bool no = false;
  const int quiet = SSH_LOG_NOLOG;
  // The host's name serves known_hosts alone, and that is looked into elsewhere.
  const bool set = ssh_options_set(session_, SSH_OPTIONS_PROCESS_CONFIG, &no) == 0 &&
                   ssh_options_set(session_, SSH_OPTIONS_LOG_VERBOSITY, &quiet) == 0 &&
                   ssh_options_set(session_, SSH_OPTIONS_SSH_DIR, "/nonexistent") == 0 &&
                   ssh_options_set(session_, SSH_OPTIONS_KNOWNHOSTS, "/dev/null") == 0 &&
                   ssh_options_set(session_, SSH_OPTIONS_GLOBAL_KNOWNHOSTS, "/dev/null") == 0 &&
                   ssh_options_set(session_, SSH_OPTIONS_HOST, "destination") == 0 &&
                   ssh_options_set(session_, SSH_OPTIONS_USER, url.user.c_str()) == 0 &&
                   ssh_options_set(session_, SSH_OPTIONS_HOSTKEYS, host_key_types.c_str()) == 0 &&
                   ssh_options_set(session_, SSH_OPTIONS_CIPHERS_C_S, kCiphers) == 0 &&
                   ssh_options_set(session_, SSH_OPTIONS_CIPHERS_S_C, kCiphers) == 0 &&
                   ssh_options_set(session_, SSH_OPTIONS_COMPRESSION, "no") == 0 &&
                   ssh_options_set(session_, SSH_OPTIONS_RSA_MIN_SIZE, &kMinRsaBits) == 0 &&
                   ssh_options_set(session_, SSH_OPTIONS_FD, &fd_) == 0;
  if (!set) {
    return absl::InternalError(absl::StrCat("libssh refuses an option: ", ssh_get_error(session_)));
  }
  ssh_set_blocking(session_, 0);
  const int fd = fd_;
  const auto connect_step = [&] {
    const int result = ssh_connect(session_);
    fd_ = -1;  // the session's from now on
    // libssh lets it block again, and would then wait for a server that takes nothing.
    if (ssh_get_fd(session_) == fd) SetBlocking(fd, false);
    return result;
  };
  ASSIGN_OR_RETURN(const int connected, Repeat(SSH_AGAIN, deadline, connect_step));
  if (connected == SSH_OK) return absl::OkStatus();
  // libssh's words, which have the server's in them, are for nobody's terminal.
  if (absl::StrContains(ssh_get_error(session_), "no match for method")) {
    return WithHint(RefusedError(absl::StrCat(name_, " offers no way of encrypting that is good")),
                    "Bring the server's SSH up to date, or let it use its defaults.");
  }
  return Lost();
}

absl::Status SshConnection::LogIn(ssh_key key, absl::Time deadline) {
  ASSIGN_OR_RETURN(const int result, Repeat(SSH_AUTH_AGAIN, deadline, [&] {
                     return ssh_userauth_publickey(session_, nullptr, key);
                   }));
  if (result == SSH_AUTH_SUCCESS) return absl::OkStatus();
  if (result == SSH_AUTH_DENIED || result == SSH_AUTH_PARTIAL) {
    return WithHint(
        RefusedError(absl::StrCat(name_, " does not take the key")),
        "Put the public key of this key file into the account's authorized_keys on the server, and "
        "ask for nothing beside it.");
  }
  return Lost();
}

absl::Status SshConnection::StartSftp(absl::Time deadline) {
  channel_ = ssh_channel_new(session_);
  if (channel_ == nullptr) return absl::ResourceExhaustedError("no memory for an SSH channel");
  callbacks_.size = sizeof callbacks_;
  callbacks_.userdata = this;
  callbacks_.channel_data_function = OnData;
  if (ssh_set_channel_callbacks(channel_, &callbacks_) != SSH_OK) return Lost();
  ASSIGN_OR_RETURN(const int opened,
                   Repeat(SSH_AGAIN, deadline, [&] { return ssh_channel_open_session(channel_); }));
  if (opened != SSH_OK) return Lost();
  ASSIGN_OR_RETURN(const int started, Repeat(SSH_AGAIN, deadline, [&] {
                     return ssh_channel_request_subsystem(channel_, "sftp");
                   }));
  if (started != SSH_OK) {
    if (!ssh_is_connected(session_)) return Lost();
    return WithHint(RefusedError(absl::StrCat(name_, " offers no SFTP")),
                    "Switch the server's subsystem \"sftp\" on for this account.");
  }
  event_ = ssh_event_new();
  if (event_ == nullptr || ssh_event_add_session(event_, session_) != SSH_OK) {
    return absl::ResourceExhaustedError("no memory for an SSH connection");
  }
  return absl::OkStatus();
}

template <typename Step>
absl::StatusOr<int> SshConnection::Repeat(int again, absl::Time deadline, Step step) {
  for (;;) {
    const int result = step();
    if (result != again) return result;
    if (absl::Now() >= deadline) return TimedOut();
    const int writing = (ssh_get_poll_flags(session_) & SSH_WRITE_PENDING) != 0 ? POLLOUT : 0;
    pollfd wait{
        .fd = ssh_get_fd(session_), .events = static_cast<short>(POLLIN | writing), .revents = 0};
    poll(&wait, 1, MillisecondsUntil(deadline));
  }
}

absl::Status SshConnection::Send(ByteView bytes) {
  absl::Time deadline = absl::Now() + timeout_;
  for (;;) {
    if (ssh_channel_is_closed(channel_) || ssh_channel_is_eof(channel_)) return Lost();
    const int sent =
        ssh_channel_write(channel_, bytes.data(), static_cast<std::uint32_t>(bytes.size()));
    if (sent < 0 && sent != SSH_AGAIN) return Lost();
    if (sent > 0) {
      bytes = bytes.subspan(static_cast<std::size_t>(sent));
      deadline = absl::Now() + timeout_;
    }
    if (bytes.empty()) return absl::OkStatus();
    if (absl::Now() >= deadline) return TimedOut();
    RETURN_IF_ERROR(Pump(deadline));
  }
}

absl::Status SshConnection::WaitFor(std::size_t bytes, absl::Time deadline) {
  while (inbox().size() < bytes) {
    if (ssh_channel_is_closed(channel_) || ssh_channel_is_eof(channel_)) return Lost();
    if (absl::Now() >= deadline) return TimedOut();
    RETURN_IF_ERROR(Pump(deadline));
  }
  return absl::OkStatus();
}

absl::Status SshConnection::Pump(absl::Time deadline) {
  // What was taken goes before more comes: once for many packets.
  if (taken_ == inbox_.size() || taken_ > kMaxInbox / 8) {
    inbox_.erase(inbox_.begin(), inbox_.begin() + static_cast<std::ptrdiff_t>(taken_));
    taken_ = 0;
  }
  const int polled = ssh_event_dopoll(event_, MillisecondsUntil(deadline));
  if (flooded_) return RefusedError(absl::StrCat(name_, " sends more than it was asked for"));
  if (polled == SSH_ERROR || !ssh_is_connected(session_)) return Lost();
  return absl::OkStatus();
}

int SshConnection::OnData(ssh_session, ssh_channel, void* data, std::uint32_t size, int is_stderr,
                          void* self) {
  auto& connection = *static_cast<SshConnection*>(self);
  // What a server prints beside SFTP is for nobody.
  if (is_stderr == 0 && !connection.flooded_) {
    const auto* bytes = static_cast<const std::uint8_t*>(data);
    connection.flooded_ = connection.inbox().size() + size > kMaxInbox;
    if (!connection.flooded_) {
      connection.inbox_.insert(connection.inbox_.end(), bytes, bytes + size);
    }
  }
  return static_cast<int>(size);
}

absl::Status SshConnection::Lost() const {
  return WithHint(UnreachableError(absl::StrCat("the connection to ", name_, " was lost")),
                  "Check the server and the line to it, and run the command again.");
}

absl::Status SshConnection::TimedOut() const {
  return WithHint(
      UnreachableError(absl::StrCat(name_, " did not answer for ", absl::FormatDuration(timeout_))),
      "Check the server and the line to it, and run the command again.");
}

}  // namespace sealbook::archive::internal
