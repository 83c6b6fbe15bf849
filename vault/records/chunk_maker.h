// Makes the chunks of a batch of messages (docs/format.md, "Chunk"): packs and seals them, on a
// thread of its own where there are many, so that the one that asks the database goes on.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <span>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "vault/records/chat_codec.h"
#include "vault/records/chat_keys.h"
#include "vault/store/store.h"

namespace sealbook::records {

// A day's messages as chunks, appended to `rows`; their sequences follow `sequence`.
// InvalidArgument, Internal: as ChunkPacker::Pack.
absl::Status MakeChunks(const keyring::VaultId& vault, const ChunkKey& key, ChatOwner owner,
                        std::int32_t day, std::int64_t sequence, std::span<const ChatEntry> entries,
                        ChunkPacker& packer, std::vector<store::ChatRow>& rows);

// Belongs to one thread. Its own thread ends with it.
class ChunkMaker {
 public:
  // A contact's messages of one day. What `entries` points to stays until Finish.
  struct Day {
    std::size_t batch_place = 0;  // of the contact
    std::shared_ptr<const ChunkKey> key;
    ChatOwner owner;
    std::int32_t day = 0;
    std::int64_t sequence = 0;  // of the last chunk that is there
    std::vector<const ChatEntry*> entries;
  };

  // `packer` is used by nobody else meanwhile. A batch of few messages is not worth a thread.
  ChunkMaker(const keyring::VaultId& vault, ChunkPacker& packer, bool with_thread);
  ~ChunkMaker();
  ChunkMaker(const ChunkMaker&) = delete;
  ChunkMaker& operator=(const ChunkMaker&) = delete;

  void Add(Day day);
  // Waits for all that was added, and appends it to `rows`, but for the days of those contacts
  // whose place in `dropped` is true. An error is the first day's that failed and counts.
  absl::Status Finish(const std::vector<bool>& dropped, std::vector<store::ChatRow>& rows);

 private:
  struct Made {
    std::size_t batch_place = 0;
    absl::Status status;
    std::vector<store::ChatRow> rows;
  };
  void Work();
  void End();
  Made Make(const Day& day);

  const keyring::VaultId vault_;
  ChunkPacker& packer_;
  std::vector<Made> made_;  // the worker's until it has ended
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Day> waiting_;
  bool ended_ = false;
  std::thread worker_;  // last: it uses the others
};

}  // namespace sealbook::records
