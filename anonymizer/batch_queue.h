// Hands batches from a thread that reads a file to the one that stores them. One batch waits while
// another is written: enough to keep both threads at work, and no more memory.
//
//   BatchQueue<Batch> queue;
//   std::thread reading([&] { queue.Finish(ReadAll(queue)); });   // Put … Put
//   while (std::optional<Batch> batch = *queue.Take()) { …; queue.Release(); }
//   queue.Close();
//   reading.join();
#pragma once

#include <condition_variable>
#include <mutex>
#include <optional>
#include <utility>

#include "absl/status/statusor.h"

namespace sealbook::anonymizer {

template <typename Batch>
class BatchQueue {
 public:
  // False: the consumer has gone.
  bool Put(Batch batch) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return (!next_ && !held_) || closed_; });
    // Freed here and not by the consumer, who has more to do.
    const std::optional<Batch> used = std::exchange(used_, std::nullopt);
    if (closed_) return false;
    next_ = std::move(batch);
    changed_.notify_all();
    lock.unlock();
    return true;
  }
  // The producer goes on: while a batch is sealed, that work takes both cores.
  void Release() {
    const std::lock_guard lock(mutex_);
    held_ = false;
    changed_.notify_all();
  }
  void GiveBack(Batch batch) {
    const std::lock_guard lock(mutex_);
    used_ = std::move(batch);
  }
  void Finish(absl::Status status) {
    const std::lock_guard lock(mutex_);
    finished_ = std::move(status);
    changed_.notify_all();
  }
  // nullopt at the end.
  absl::StatusOr<std::optional<Batch>> Take() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return next_ || finished_; });
    if (!next_) {
      if (!finished_->ok()) return *finished_;
      return std::nullopt;
    }
    held_ = true;
    return std::exchange(next_, std::nullopt);
  }
  void Close() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<Batch> next_, used_;
  std::optional<absl::Status> finished_;
  bool held_ = false, closed_ = false;
};

}  // namespace sealbook::anonymizer
