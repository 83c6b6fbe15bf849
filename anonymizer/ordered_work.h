// Work in pieces on several threads, whose results come back in the order of the pieces.
//
//   OrderedWork<Page, Rendered> work(2, [](Page page) -> absl::StatusOr<Rendered> {…});
//   for (each page) {
//     if (work.full()) { ASSIGN_OR_RETURN(Rendered rows, work.Take()); … }
//     work.Give(std::move(page));
//   }
//   while (!work.empty()) { ASSIGN_OR_RETURN(Rendered rows, work.Take()); … }
//
// One thread gives and takes. No more than kMaxPieces are under way, so memory is bounded. What is
// not begun when this goes is never done.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"

namespace sealbook::anonymizer {

template <typename Piece, typename Result>
class OrderedWork {
 public:
  static constexpr std::size_t kMaxPieces = 8;

  // `work` is called on the threads, for several pieces at once.
  OrderedWork(int threads, std::function<absl::StatusOr<Result>(Piece)> work)
      : work_(std::move(work)) {
    for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { Run(); });
  }
  ~OrderedWork() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    changed_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }
  OrderedWork(const OrderedWork&) = delete;
  OrderedWork& operator=(const OrderedWork&) = delete;

  bool full() const { return pieces_.size() >= kMaxPieces; }
  bool empty() const { return pieces_.empty(); }

  void Give(Piece piece) {
    {
      const std::lock_guard lock(mutex_);
      pieces_.push_back(std::make_unique<Slot>(std::move(piece)));
      waiting_.push_back(pieces_.back().get());
    }
    changed_.notify_all();
  }

  // The oldest piece's result, waiting for it. There must be one.
  absl::StatusOr<Result> Take() {
    std::unique_lock lock(mutex_);
    Slot& slot = *pieces_.front();
    changed_.wait(lock, [&] { return slot.result.has_value(); });
    absl::StatusOr<Result> result = *std::move(slot.result);
    pieces_.pop_front();
    return result;
  }

 private:
  struct Slot {
    explicit Slot(Piece given) : piece(std::move(given)) {}
    std::optional<Piece> piece;
    std::optional<absl::StatusOr<Result>> result;
  };

  void Run() {
    std::unique_lock lock(mutex_);
    for (;;) {
      changed_.wait(lock, [&] { return stopping_ || !waiting_.empty(); });
      if (stopping_) return;
      Slot& slot = *waiting_.front();
      waiting_.pop_front();
      Piece piece = *std::move(slot.piece);
      slot.piece.reset();
      lock.unlock();
      absl::StatusOr<Result> result = work_(std::move(piece));
      lock.lock();
      slot.result = std::move(result);
      changed_.notify_all();
    }
  }

  const std::function<absl::StatusOr<Result>(Piece)> work_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::unique_ptr<Slot>> pieces_;  // as they were given
  std::deque<Slot*> waiting_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace sealbook::anonymizer
