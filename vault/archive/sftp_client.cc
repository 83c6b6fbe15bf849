#include "vault/archive/sftp_client.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "vault/status.h"

namespace sealbook::archive::internal {
namespace {

constexpr std::uint32_t kVersion = 3;
constexpr std::size_t kSmallestPiece = 4 * 1024, kLargestPiece = 256 * 1024;
// A DATA of kLargestPiece and its head; names and attributes are far smaller.
constexpr std::size_t kMaxPacketBytes = kLargestPiece + 1024;
// Attributes, draft section 5.
constexpr std::uint32_t kHasSize = 1, kHasOwner = 2, kHasMode = 4, kHasTimes = 8,
                        kHasExtended = 0x80000000;

std::uint32_t ReadU32(ByteView bytes) {
  return std::uint32_t{bytes[0]} << 24 | std::uint32_t{bytes[1]} << 16 |
         std::uint32_t{bytes[2]} << 8 | bytes[3];
}
void WriteU32(std::uint32_t value, std::uint8_t* out) {
  for (int i = 0; i < 4; ++i) out[i] = static_cast<std::uint8_t>(value >> (24 - 8 * i));
}

std::size_t Piece(std::uint64_t limit) {
  return static_cast<std::size_t>(std::clamp<std::uint64_t>(limit, kSmallestPiece, kLargestPiece));
}

}  // namespace

SftpAttributes ReadAttributes(crypto::ByteReader& reader) {
  SftpAttributes attributes;
  const std::uint32_t flags = reader.U32();
  attributes.has_size = (flags & kHasSize) != 0;
  attributes.has_mode = (flags & kHasMode) != 0;
  if (attributes.has_size) attributes.size = reader.U64();
  if ((flags & kHasOwner) != 0) reader.Raw(8);
  if (attributes.has_mode) attributes.mode = reader.U32();
  if ((flags & kHasTimes) != 0) reader.Raw(8);
  if ((flags & kHasExtended) != 0) {
    for (std::uint32_t left = reader.Count(8); left > 0 && reader.ok(); --left) {
      reader.Variable();
      reader.Variable();
    }
  }
  return attributes;
}

absl::StatusOr<std::unique_ptr<SftpClient>> SftpClient::Start(
    std::unique_ptr<SshConnection> connection) {
  std::unique_ptr<SftpClient> client(new SftpClient(std::move(connection)));
  RETURN_IF_ERROR(client->Greet());
  return client;
}

absl::Status SftpClient::Greet() {
  crypto::ByteWriter hello;
  hello.U32(1 + 4).U8(static_cast<std::uint8_t>(SftpMessage::kInit)).U32(kVersion);
  RETURN_IF_ERROR(connection_->Send(hello.bytes()));
  ASSIGN_OR_RETURN(const SftpReply reply, NextPacket());
  crypto::ByteReader reader(reply.body);
  if (reply.type != SftpMessage::kVersion || reader.U32() != kVersion || !reader.ok()) {
    return Broken();
  }
  RETURN_IF_ERROR(ReadExtensions(reader));
  return has_limits_ ? AskLimits() : absl::OkStatus();
}

absl::Status SftpClient::ReadExtensions(crypto::ByteReader reader) {
  while (reader.ok() && !reader.rest().empty()) {
    const absl::string_view name = crypto::AsText(reader.Variable());
    const absl::string_view version = crypto::AsText(reader.Variable());
    if (name == "fsync@openssh.com" && version == "1") has_fsync_ = true;
    if (name == "statvfs@openssh.com" && version == "2") has_statvfs_ = true;
    if (name == "limits@openssh.com" && version == "1") has_limits_ = true;
  }
  return reader.ok() ? absl::OkStatus() : Broken();
}

absl::Status SftpClient::AskLimits() {
  crypto::ByteWriter body;
  body.Text("limits@openssh.com");
  ASSIGN_OR_RETURN(const SftpReply reply, Ask(SftpMessage::kExtended, body.bytes()));
  if (reply.type != SftpMessage::kExtendedReply) return absl::OkStatus();
  crypto::ByteReader reader(reply.body);
  reader.U64();  // of a packet
  const std::uint64_t read = reader.U64(), write = reader.U64();
  if (!reader.ok()) return Broken();
  // 0: no limit is said.
  if (read != 0) max_read_ = Piece(read);
  if (write != 0) max_write_ = Piece(write);
  return absl::OkStatus();
}

absl::StatusOr<std::uint32_t> SftpClient::Begin(SftpMessage type, ByteView body) {
  crypto::Bytes packet(kRoom + body.size());
  std::copy(body.begin(), body.end(), packet.begin() + kRoom);
  return BeginInPlace(type, packet);
}

absl::StatusOr<std::uint32_t> SftpClient::BeginInPlace(SftpMessage type,
                                                       std::span<std::uint8_t> packet) {
  RETURN_IF_ERROR(status_);
  const std::uint32_t number = next_number_++;
  WriteU32(static_cast<std::uint32_t>(packet.size() - 4), packet.data());
  packet[4] = static_cast<std::uint8_t>(type);
  WriteU32(number, packet.data() + 5);
  RETURN_IF_ERROR(Stick(connection_->Send(packet)));
  awaited_.insert(number);
  return number;
}

absl::StatusOr<SftpReply> SftpClient::Ask(SftpMessage type, ByteView body) {
  ASSIGN_OR_RETURN(const std::uint32_t number, Begin(type, body));
  return Await(number);
}

absl::StatusOr<SftpReply> SftpClient::Await(std::uint32_t number) {
  RETURN_IF_ERROR(status_);
  awaited_.erase(number);
  if (const auto early = early_.find(number); early != early_.end()) {
    held_ = std::move(early->second.body);
    const SftpMessage type = early->second.type;
    early_.erase(early);
    return Parse(type, held_);
  }
  for (;;) {
    ASSIGN_OR_RETURN(const SftpReply packet, NextPacket());
    if (packet.body.size() < 4) return Broken();
    const std::uint32_t got = ReadU32(packet.body);
    const ByteView body = packet.body.subspan(4);
    if (got == number) return Parse(packet.type, body);
    if (abandoned_.erase(got) > 0) continue;
    // One answer for each request, to those alone that were sent.
    if (!awaited_.contains(got) || early_.contains(got)) return Broken();
    early_.emplace(got, Early{packet.type, {body.begin(), body.end()}});
  }
}

void SftpClient::Abandon(std::uint32_t number) {
  if (awaited_.erase(number) > 0 && early_.erase(number) == 0) abandoned_.insert(number);
}

absl::StatusOr<SftpReply> SftpClient::NextPacket() {
  const absl::Time deadline = absl::Now() + connection_->timeout();
  RETURN_IF_ERROR(Stick(connection_->WaitFor(5, deadline)));
  const std::uint32_t size = ReadU32(connection_->inbox());
  if (size < 1 || size > kMaxPacketBytes) return Broken();
  RETURN_IF_ERROR(Stick(connection_->WaitFor(4 + std::size_t{size}, deadline)));
  const ByteView packet = connection_->inbox().subspan(4, size);
  connection_->Take(4 + std::size_t{size});
  return SftpReply{.type = static_cast<SftpMessage>(packet[0]), .body = packet.subspan(1)};
}

absl::StatusOr<SftpReply> SftpClient::Parse(SftpMessage type, ByteView body) {
  SftpReply reply{.type = type, .body = body};
  if (type == SftpMessage::kStatus) {
    if (body.size() < 4) return Broken();
    reply.code = static_cast<SftpCode>(ReadU32(body));
    reply.body = {};  // the server's own words are for nobody's terminal
  }
  return reply;
}

absl::Status SftpClient::Broken() {
  return Stick(
      WithHint(RefusedError(absl::StrCat(name(), " does not speak SFTP as the protocol says")),
               "Look at the server: something else may answer in its place, or its shell prints a "
               "greeting."));
}

absl::Status SftpClient::Stick(absl::Status status) {
  if (status_.ok()) status_ = status;
  return status;
}

}  // namespace sealbook::archive::internal
