// Batches of chunks of an age file, sealed or opened by a worker thread and by the caller while the
// caller reads and writes: in order, in bounded memory. Used by AgeWriter and AgeReader alone.
//
// One thread calls everything here:
//
//   while (more) {
//     AgeBatch* batch = pipeline.Next();     // null: take Oldest() out first
//     … fill it …
//     pipeline.Submit();
//   }
//   while (AgeBatch* done = pipeline.Oldest()) { … use it …; pipeline.Release(); }
#pragma once

#include <array>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include "absl/status/status.h"
#include "vault/crypto/age_format.h"

namespace sealbook::crypto::internal {

struct AgeBatch {
  static constexpr std::size_t kChunks = 16;  // 1 MiB

  SecretBytes sealed;  // kChunks sealed chunks, and one byte; sealed in place
  SecretBytes opened;  // a reader's: kChunks chunks of plaintext
  std::size_t sealed_bytes = 0;
  std::size_t opened_bytes = 0;
  std::uint64_t first_chunk = 0;  // the number of the first chunk in the file
  bool last = false;              // the file ends with this batch
  absl::Status status;            // of opening; what opened before stays in `opened`

  // Room for a batch, where there is none yet.
  void Allocate(bool with_opened);
};

class AgePipeline {
 public:
  // How many batches are under way at once, with more than one thread.
  static constexpr std::size_t kBatches = 8;

  // `work` is called on any thread, on one batch at a time each. With `threads` 1 the caller does
  // all of it; otherwise there is one worker, from the second batch on, if the system gives a
  // thread: small files need none.
  AgePipeline(int threads, std::function<void(AgeBatch&)> work);
  AgePipeline(const AgePipeline&) = delete;
  AgePipeline& operator=(const AgePipeline&) = delete;
  ~AgePipeline();  // gives up what is under way

  // The batch to fill next, the same until Submit; null where all are under way.
  AgeBatch* Next();
  void Submit();
  // The oldest batch under way, once it is done; the caller works, too, rather than wait. Null
  // where nothing is under way.
  AgeBatch* Oldest();
  // The same, but null where it is not done yet.
  AgeBatch* OldestIfDone();
  // Lets the oldest be filled again.
  void Release();

 private:
  AgeBatch& BatchOf(std::uint64_t sequence) { return batches_[sequence % kBatches]; }
  bool& DoneOf(std::uint64_t sequence) { return done_[sequence % kBatches]; }
  // Works on the oldest batch that nobody has started; the lock is not held meanwhile.
  void WorkOnNext(std::unique_lock<std::mutex>& lock);
  void Worker();

  const bool threaded_;
  const std::size_t limit_;
  const std::function<void(AgeBatch&)> work_;
  std::array<AgeBatch, kBatches> batches_;

  std::mutex mutex_;
  std::condition_variable changed_;
  // Batches are numbered in order; released <= started <= submitted. Guarded, as the rest below.
  std::uint64_t submitted_ = 0, started_ = 0, released_ = 0;
  std::array<bool, kBatches> done_{};
  bool stopping_ = false;
  std::thread worker_;
};

}  // namespace sealbook::crypto::internal
