#include "vault/archive/sftp_file.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "vault/status.h"

namespace sealbook::archive::internal {
namespace {

// READs under way, answered in order or not. Whatever is left is abandoned.
class Reads {
 public:
  Reads(SftpHandle& handle, std::uint64_t offset, std::uint64_t length)
      : handle_(handle), next_(offset), end_(offset + length) {}
  ~Reads() {
    for (const std::uint32_t number : numbers_) handle_.client().Abandon(number);
  }
  Reads(const Reads&) = delete;
  Reads& operator=(const Reads&) = delete;

  absl::Status Fill() {
    while (next_ < end_ && under_way_ < kInFlightBytes) {
      const auto bytes = std::min<std::uint64_t>(end_ - next_, handle_.client().max_read());
      ASSIGN_OR_RETURN(const std::uint32_t number,
                       Request(next_, static_cast<std::uint32_t>(bytes)));
      numbers_.push_back(number);
      sizes_.push_back(static_cast<std::uint32_t>(bytes));
      next_ += bytes;
      under_way_ += bytes;
    }
    return absl::OkStatus();
  }
  bool empty() const { return numbers_.empty(); }
  // The oldest one's answer.
  absl::StatusOr<SftpReply> Next(std::uint32_t& bytes) {
    const std::uint32_t number = numbers_.front();
    bytes = sizes_.front();
    numbers_.pop_front();
    sizes_.pop_front();
    under_way_ -= bytes;
    return handle_.client().Await(number);
  }
  // One more READ, for what the server left out of an answer.
  absl::StatusOr<std::uint32_t> Request(std::uint64_t offset, std::uint32_t bytes) {
    crypto::ByteWriter body;
    body.Text(handle_.text()).U64(offset).U32(bytes);
    return handle_.client().Begin(SftpMessage::kRead, body.bytes());
  }

 private:
  SftpHandle& handle_;
  std::uint64_t next_;
  const std::uint64_t end_;
  std::deque<std::uint32_t> numbers_, sizes_;
  std::size_t under_way_ = 0;
};

class SpanSink : public ByteSink {
 public:
  explicit SpanSink(std::span<std::uint8_t> out) : out_(out) {}
  absl::Status Append(ByteView bytes) override {
    std::copy(bytes.begin(), bytes.end(), out_.begin());
    out_ = out_.subspan(bytes.size());
    return absl::OkStatus();
  }

 private:
  std::span<std::uint8_t> out_;
};

}  // namespace

absl::Status SftpError(SftpCode code, absl::string_view what, absl::string_view where) {
  const std::string begin = absl::StrCat("cannot ", what, " ", where, ": ");
  switch (code) {
    case SftpCode::kNoSuchFile:
      return absl::NotFoundError(absl::StrCat(begin, "there is no such file"));
    case SftpCode::kPermissionDenied:
      return WithHint(RefusedError(absl::StrCat(begin, "permission denied")),
                      "Give this account the right to it on the server.");
    case SftpCode::kUnsupported:
      return RefusedError(absl::StrCat(begin, "the server does not know how"));
    default:
      return WithHint(UnreachableError(absl::StrCat(begin, "the server failed (status ",
                                                    static_cast<std::uint32_t>(code), ")")),
                      "Look at the server: its disk may be full, or the account's quota used up.");
  }
}

SftpHandle::~SftpHandle() {
  if (client_ == nullptr) return;
  crypto::ByteWriter body;
  body.Text(handle_);
  if (const auto number = client_->Begin(SftpMessage::kClose, body.bytes()); number.ok()) {
    client_->Abandon(*number);
  }
}

absl::Status SftpHandle::Close(absl::string_view where) {
  crypto::ByteWriter body;
  body.Text(handle_);
  SftpClient& client = *std::exchange(client_, nullptr);
  ASSIGN_OR_RETURN(const SftpReply reply, client.Ask(SftpMessage::kClose, body.bytes()));
  if (reply.type != SftpMessage::kStatus) return client.Broken();
  return reply.code == SftpCode::kOk ? absl::OkStatus() : SftpError(reply.code, "close", where);
}

absl::StatusOr<SftpAttributes> SftpHandle::Attributes(absl::string_view where) const {
  crypto::ByteWriter body;
  body.Text(handle_);
  ASSIGN_OR_RETURN(const SftpReply reply, client_->Ask(SftpMessage::kFstat, body.bytes()));
  if (reply.type == SftpMessage::kStatus) return SftpError(reply.code, "look at", where);
  crypto::ByteReader reader(reply.body);
  const SftpAttributes attributes = ReadAttributes(reader);
  if (reply.type != SftpMessage::kAttrs || !reader.ok()) return client_->Broken();
  if (!attributes.IsRegular()) {
    return WithHint(RefusedError(absl::StrCat(where, " is no regular file")),
                    "See what stands under that name.");
  }
  return attributes;
}

SftpWriter::SftpWriter(SftpHandle handle, std::uint64_t offset, std::string where)
    : handle_(std::move(handle)),
      where_(std::move(where)),
      head_bytes_(SftpClient::kRoom + 4 + handle_.text().size() + 8 + 4),
      sent_to_(offset),
      written_to_(offset) {
  packet_.reserve(head_bytes_ + handle_.client().max_write());
  packet_.resize(head_bytes_);
}

SftpWriter::~SftpWriter() {
  for (const Sent& sent : under_way_) handle_.client().Abandon(sent.number);
}

absl::Status SftpWriter::Append(ByteView bytes) {
  if (finished_) return absl::FailedPreconditionError("a file at a destination is finished");
  const std::size_t full = head_bytes_ + handle_.client().max_write();
  while (status_.ok() && !bytes.empty()) {
    const std::size_t taken = std::min(bytes.size(), full - packet_.size());
    packet_.insert(packet_.end(), bytes.begin(), bytes.begin() + static_cast<long>(taken));
    bytes = bytes.subspan(taken);
    if (packet_.size() == full) status_ = SendPacket();
  }
  return status_;
}

absl::Status SftpWriter::SendPacket() {
  const std::size_t bytes = packet_.size() - head_bytes_;
  crypto::ByteWriter head;
  head.Text(handle_.text()).U64(sent_to_).U32(static_cast<std::uint32_t>(bytes));
  std::copy(head.bytes().begin(), head.bytes().end(), packet_.begin() + SftpClient::kRoom);
  RETURN_IF_ERROR(AwaitBelow(kInFlightBytes - bytes + 1));
  ASSIGN_OR_RETURN(const std::uint32_t number,
                   handle_.client().BeginInPlace(SftpMessage::kWrite, packet_));
  under_way_.push_back({.number = number, .bytes = bytes});
  under_way_bytes_ += bytes;
  sent_to_ += bytes;
  packet_.resize(head_bytes_);
  return absl::OkStatus();
}

absl::Status SftpWriter::AwaitBelow(std::size_t limit) {
  while (under_way_bytes_ >= limit && !under_way_.empty()) {
    const Sent sent = under_way_.front();
    under_way_.pop_front();
    under_way_bytes_ -= sent.bytes;
    ASSIGN_OR_RETURN(const SftpReply reply, handle_.client().Await(sent.number));
    if (reply.type != SftpMessage::kStatus) return handle_.client().Broken();
    if (reply.code != SftpCode::kOk) {
      absl::Status refused = SftpError(reply.code, "write", where_);
      // An open file that is said not to be there is no answer to "is there such a file".
      if (absl::IsNotFound(refused)) refused = UnreachableError(refused.message());
      CutToWritten();
      return refused;
    }
    written_to_ += sent.bytes;
  }
  return absl::OkStatus();
}

void SftpWriter::CutToWritten() {
  // Pieces behind the refused one may have found room again: a gap would stay between.
  for (const Sent& sent : std::exchange(under_way_, {})) {
    if (!handle_.client().Await(sent.number).ok()) return;
  }
  under_way_bytes_ = 0;
  const auto attributes = handle_.Attributes(where_);
  if (!attributes.ok() || attributes->size <= written_to_) return;
  crypto::ByteWriter body;
  body.Text(handle_.text()).U32(1).U64(written_to_);
  handle_.client().Ask(SftpMessage::kFsetstat, body.bytes()).IgnoreError();
}

absl::Status SftpWriter::Sync() {
  if (!handle_.client().has_fsync()) return absl::OkStatus();
  crypto::ByteWriter body;
  body.Text("fsync@openssh.com").Text(handle_.text());
  ASSIGN_OR_RETURN(const SftpReply reply,
                   handle_.client().Ask(SftpMessage::kExtended, body.bytes()));
  if (reply.type != SftpMessage::kStatus) return handle_.client().Broken();
  // Servers say that they know it and may still be told not to.
  if (reply.code == SftpCode::kOk || reply.code == SftpCode::kUnsupported ||
      reply.code == SftpCode::kPermissionDenied) {
    return absl::OkStatus();
  }
  return SftpError(reply.code, "write", where_);
}

absl::Status SftpWriter::Finish() {
  if (finished_) return absl::FailedPreconditionError("a file at a destination is finished");
  if (status_.ok() && packet_.size() > head_bytes_) status_ = SendPacket();
  if (status_.ok()) status_ = AwaitBelow(1);
  RETURN_IF_ERROR(status_);
  finished_ = true;
  status_ = Sync();
  if (status_.ok()) status_ = handle_.Close(where_);
  return status_;
}

absl::StatusOr<std::uint64_t> SftpReader::Pipe(std::uint64_t offset, std::uint64_t length,
                                               ByteSink& sink) {
  Reads reads(handle_, offset, length);
  std::uint64_t done = 0;
  for (;;) {
    RETURN_IF_ERROR(reads.Fill());
    if (reads.empty()) return done;
    std::uint32_t wanted = 0;
    auto reply = reads.Next(wanted);
    for (;;) {
      RETURN_IF_ERROR(reply.status());
      if (reply->type == SftpMessage::kStatus) {
        if (reply->code == SftpCode::kEof) return done;
        absl::Status status = SftpError(reply->code, "read", where_);
        return absl::IsNotFound(status) ? UnreachableError(status.message()) : status;
      }
      crypto::ByteReader reader(reply->body);
      const ByteView data = reader.Variable();
      if (reply->type != SftpMessage::kData || !reader.ok() || data.empty() ||
          data.size() > wanted) {
        return handle_.client().Broken();
      }
      const auto got = static_cast<std::uint32_t>(data.size());
      RETURN_IF_ERROR(sink.Append(data));
      done += got;
      wanted -= got;
      if (wanted == 0) break;
      ASSIGN_OR_RETURN(const std::uint32_t number, reads.Request(offset + done, wanted));
      reply = handle_.client().Await(number);
    }
  }
}

absl::StatusOr<std::size_t> SftpReader::ReadAt(std::uint64_t offset, std::span<std::uint8_t> out) {
  SpanSink sink(out);
  ASSIGN_OR_RETURN(const std::uint64_t got, Pipe(offset, out.size(), sink));
  return static_cast<std::size_t>(got);
}

absl::Status SftpReader::Stream(std::uint64_t offset, std::uint64_t length, ByteSink& sink) {
  ASSIGN_OR_RETURN(const std::uint64_t got, Pipe(offset, length, sink));
  if (got == length) return absl::OkStatus();
  return UnreachableError(absl::StrCat(where_, " ends after ", offset + got, " bytes where ",
                                       offset + length, " were expected"));
}

}  // namespace sealbook::archive::internal
