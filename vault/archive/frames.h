// From the vault's tables to an archive's frames: one thread reads and checks, another one writes.
//
//   FrameWriter out(*archive_writer);
//   FrameReader reader(keyring, header, out);
//   ASSIGN_OR_RETURN(const std::uint64_t chunks, reader.Move(owner, step));   // by contact
//   RETURN_IF_ERROR(out.Finish());
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "vault/archive/archive_writer.h"
#include "vault/keyring/keyring.h"
#include "vault/records/chat_keys.h"

namespace sealbook::archive {

// What an archive has of one contact, or a part of it.
struct Frame {
  ArchiveContact contact;
  bool begins = true;                  // false: behind other chunks of the same contact
  std::vector<ArchiveKey> keys;        // that the chunks need, each session once
  std::vector<store::ChatRow> chunks;  // one at least
};

// Hands frames to a thread that writes them. Memory: twice kMaxWaitingBytes, and a frame. One
// thread calls it; `writer` is its thread's until Finish has returned, or it is gone.
class FrameWriter {
 public:
  explicit FrameWriter(ArchiveWriter& writer);
  FrameWriter(const FrameWriter&) = delete;
  FrameWriter& operator=(const FrameWriter&) = delete;
  ~FrameWriter();  // without what still waits

  // Waits while too much is waiting. The archive writer's error, of this frame or of one before;
  // never DataLoss, since what is pushed was checked: that is Internal.
  absl::Status Push(Frame frame);
  // Waits until all is written. Nothing is pushed behind it.
  absl::Status Finish();

 private:
  static constexpr std::size_t kBatchBytes = 256 * 1024;  // fewer turns of the lock
  static constexpr std::size_t kMaxWaitingBytes = 4 << 20;

  absl::Status Hand(bool last);
  void Run();
  absl::Status Write(const Frame& frame);

  ArchiveWriter& writer_;
  std::vector<Frame> batch_;
  std::size_t batch_bytes_ = 0;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Frame> waiting_;
  std::size_t waiting_bytes_ = 0;
  bool last_ = false, given_up_ = false;
  absl::Status status_;
  std::thread thread_;
};

// Reads what the planned archive `header.run` has of contacts. Inside one view of the vault;
// belongs to one thread.
class FrameReader {
 public:
  FrameReader(keyring::Keyring& keyring, const ArchiveHeader& header, FrameWriter& out)
      : keyring_(keyring), store_(keyring.store()), header_(header), out_(out) {}

  // Pushes one contact's chunks; how many. What it lacks is found before anything of it is pushed:
  // DataLoss, what it has of chats does not count. Cancelled: `step`, which is asked after each
  // chunk, gave false.
  absl::StatusOr<std::uint64_t> Move(records::ChatOwner owner,
                                     const std::function<absl::StatusOr<bool>()>& step);

 private:
  // So many chunks of a contact are read once; of more, the others are read again. A frame has no
  // more either.
  static constexpr std::size_t kRowsKept = 256;
  static constexpr std::size_t kBytesKept = 4 << 20;  // and a chunk

  absl::StatusOr<crypto::ExchangePublic> Check(records::ChatOwner owner);
  absl::Status CheckRow(const store::ChatRow& row);
  absl::Status AddKey(ContactNumber contact, std::int64_t session);

  keyring::Keyring& keyring_;
  store::Store& store_;
  const ArchiveHeader& header_;
  FrameWriter& out_;
  // Of the contact that is looked at.
  std::vector<store::ArchiveKeyRow> planned_;
  std::vector<store::ChatRow> rows_;  // of them kept_; without messages where one has gone since
  std::size_t kept_ = 0;              // the first
  std::size_t there_ = 0;             // how many there are
  std::vector<ArchiveKey> keys_;      // by session
  crypto::Bytes sealed_;
};

}  // namespace sealbook::archive
