#include "vault/archive/frames.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "vault/archive/archive_layout.h"
#include "vault/records/chat_codec.h"
#include "vault/status.h"

namespace sealbook::archive {
namespace {

ArchiveChunk ChunkOf(const store::ChatRow& row) {
  return {.day = row.day,
          .sequence = row.sequence,
          .messages = row.messages,
          .session = row.session,
          .sealed = row.chunk};
}

}  // namespace

FrameWriter::FrameWriter(ArchiveWriter& writer) : writer_(writer), thread_([this] { Run(); }) {}

FrameWriter::~FrameWriter() {
  {
    const std::lock_guard lock(mutex_);
    given_up_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

absl::Status FrameWriter::Push(Frame frame) {
  batch_bytes_ += sizeof(frame) + frame.keys.size() * sizeof(ArchiveKey);
  for (const store::ChatRow& row : frame.chunks) batch_bytes_ += sizeof(row) + row.chunk.size();
  batch_.push_back(std::move(frame));
  return batch_bytes_ < kBatchBytes ? absl::OkStatus() : Hand(/*last=*/false);
}

absl::Status FrameWriter::Finish() {
  RETURN_IF_ERROR(Hand(/*last=*/true));
  thread_.join();
  return status_;
}

absl::Status FrameWriter::Hand(bool last) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return waiting_bytes_ < kMaxWaitingBytes || !status_.ok(); });
  RETURN_IF_ERROR(status_);
  std::move(batch_.begin(), batch_.end(), std::back_inserter(waiting_));
  waiting_bytes_ += std::exchange(batch_bytes_, 0);
  batch_.clear();
  last_ = last;
  changed_.notify_all();
  return absl::OkStatus();
}

void FrameWriter::Run() {
  for (;;) {
    std::vector<Frame> frames;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return !waiting_.empty() || last_ || given_up_; });
      if (given_up_ || waiting_.empty()) return;
      frames.swap(waiting_);
      waiting_bytes_ = 0;
    }
    changed_.notify_all();
    for (const Frame& frame : frames) {
      absl::Status status = Write(frame);
      if (status.ok()) continue;
      if (absl::IsDataLoss(status)) status = absl::InternalError(status.message());
      {
        const std::lock_guard lock(mutex_);
        status_ = std::move(status);
      }
      changed_.notify_all();
      return;
    }
  }
}

absl::Status FrameWriter::Write(const Frame& frame) {
  if (frame.begins) RETURN_IF_ERROR(writer_.BeginContact(frame.contact));
  for (const store::ChatRow& row : frame.chunks) {
    if (!writer_.HasKey(row.session)) {
      const auto key = std::ranges::find(frame.keys, row.session, &ArchiveKey::session);
      if (key == frame.keys.end()) return absl::InternalError("a chunk is without its key");
      RETURN_IF_ERROR(writer_.AddKey(*key));
    }
    RETURN_IF_ERROR(writer_.AddChunk(ChunkOf(row)));
  }
  return absl::OkStatus();
}

absl::Status FrameReader::CheckRow(const store::ChatRow& row) {
  const absl::string_view wrong = internal::WrongWith(ChunkOf(row));
  if (!wrong.empty()) return absl::DataLossError(wrong);
  if (row.day < header_.first_day || row.day > header_.last_day)
    return absl::DataLossError("a chunk is planned for an archive of other days");
  return absl::OkStatus();
}

absl::Status FrameReader::AddKey(ContactNumber contact, std::int64_t number) {
  const auto at = std::ranges::lower_bound(keys_, number, {}, &ArchiveKey::session);
  if (at != keys_.end() && at->session == number) return absl::OkStatus();
  // Whoever may not write chats cannot slip one into an archive.
  RETURN_IF_ERROR(records::CheckChatWriter(keyring_, number));
  ASSIGN_OR_RETURN(const keyring::Session* session, keyring_.sessions().Get(number));
  ASSIGN_OR_RETURN(const bool has, store_.GetChatKey(contact, number, sealed_));
  ArchiveKey one{.session = number, .ephemeral = session->ephemeral};
  if (!has || sealed_.size() != one.sealed.size())
    return absl::DataLossError("the key of a chat is missing or was altered");
  std::copy(sealed_.begin(), sealed_.end(), one.sealed.begin());
  keys_.insert(at, one);
  return absl::OkStatus();
}

// The contact's subject key. Fills keys_, rows_ and there_. Chunks may have gone since they were
// planned: an erasure takes the contact's keys as well, a draining writes again.
absl::StatusOr<crypto::ExchangePublic> FrameReader::Check(records::ChatOwner owner) {
  keys_.clear();
  there_ = 0;
  store::SubjectRow subject;
  ASSIGN_OR_RETURN(const bool found, store_.GetSubject(owner.contact, subject));
  if (!found) return absl::DataLossError("a subject key is missing");
  RETURN_IF_ERROR(records::CheckSubject(keyring_, subject, owner.token));
  const crypto::ExchangePublic key{subject.public_key};
  const absl::string_view wrong =
      internal::WrongWith({.contact = owner.contact, .token = owner.token, .subject = key});
  if (!wrong.empty()) return absl::DataLossError(wrong);
  rows_.resize(std::min(kRowsKept, planned_.size()));
  kept_ = rows_.size();
  std::size_t bytes = 0;
  store::ChatRow more;
  for (std::size_t i = 0; i < planned_.size(); ++i) {
    const store::ArchiveKeyRow& at = planned_[i];
    if (bytes >= kBytesKept) kept_ = std::min(kept_, i);
    store::ChatRow& row = i < kept_ ? rows_[i] : more;
    ASSIGN_OR_RETURN(const bool is, store_.GetChat(at.day, at.contact, at.sequence, row));
    if (!is) {
      row.messages = 0;
      continue;
    }
    ++there_;
    bytes += row.chunk.size();
    RETURN_IF_ERROR(CheckRow(row));
    RETURN_IF_ERROR(AddKey(owner.contact, row.session));
  }
  return key;
}

absl::StatusOr<std::uint64_t> FrameReader::Move(records::ChatOwner owner,
                                                const std::function<absl::StatusOr<bool>()>& step) {
  planned_.clear();
  RETURN_IF_ERROR(store_.EachArchiveKeyOf(owner.contact, [&](const store::ArchiveKeyRow& key) {
    if (key.run == header_.run) planned_.push_back(key);
    return absl::OkStatus();
  }));
  ASSIGN_OR_RETURN(const crypto::ExchangePublic subject, Check(owner));
  if (there_ == 0) return 0;
  const ArchiveContact contact{.contact = owner.contact, .token = owner.token, .subject = subject};
  std::uint64_t moved = 0;
  for (std::size_t i = 0; i < planned_.size();) {
    Frame frame{.contact = contact, .begins = moved == 0, .keys = {}, .chunks = {}};
    const std::size_t end = std::min(planned_.size(), i + kRowsKept);
    std::size_t bytes = 0;
    for (; i < end && bytes < kBytesKept; ++i) {
      store::ChatRow read;
      if (i < kept_) {
        if (rows_[i].messages == 0) continue;
        read = std::move(rows_[i]);
      } else {
        const store::ArchiveKeyRow& at = planned_[i];
        ASSIGN_OR_RETURN(const bool is, store_.GetChat(at.day, at.contact, at.sequence, read));
        if (!is) continue;
      }
      if (std::ranges::find(frame.keys, read.session, &ArchiveKey::session) == frame.keys.end())
        frame.keys.push_back(
            *std::ranges::lower_bound(keys_, read.session, {}, &ArchiveKey::session));
      bytes += read.chunk.size();
      frame.chunks.push_back(std::move(read));
      ++moved;
      ASSIGN_OR_RETURN(const bool more, step());
      if (!more) return absl::CancelledError("interrupted");
    }
    if (!frame.chunks.empty()) RETURN_IF_ERROR(out_.Push(std::move(frame)));
  }
  return moved;
}

}  // namespace sealbook::archive
