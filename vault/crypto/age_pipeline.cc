#include "vault/crypto/age_pipeline.h"

#include <system_error>
#include <utility>

namespace sealbook::crypto::internal {

void AgeBatch::Allocate(bool with_opened) {
  if (sealed.empty()) sealed = SecretBytes(kChunks * kAgeSealedChunkBytes + 1);
  if (with_opened && opened.empty()) opened = SecretBytes(kChunks * kAgeChunkBytes);
}

AgePipeline::AgePipeline(int threads, std::function<void(AgeBatch&)> work)
    : threaded_(threads > 1), limit_(threaded_ ? kBatches : 1), work_(std::move(work)) {}

AgePipeline::~AgePipeline() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (worker_.joinable()) worker_.join();
}

AgeBatch* AgePipeline::Next() {
  const std::lock_guard<std::mutex> lock(mutex_);
  return submitted_ - released_ < limit_ ? &BatchOf(submitted_) : nullptr;
}

void AgePipeline::Submit() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    DoneOf(submitted_) = false;
    ++submitted_;
  }
  changed_.notify_all();
  if (!threaded_ || submitted_ < 2 || worker_.joinable()) return;
  try {
    worker_ = std::thread([this] { Worker(); });
  } catch (const std::system_error&) {
    // No thread to be had: the caller does it all.
  }
}

void AgePipeline::WorkOnNext(std::unique_lock<std::mutex>& lock) {
  const std::uint64_t sequence = started_++;
  lock.unlock();
  work_(BatchOf(sequence));
  lock.lock();
  DoneOf(sequence) = true;
  changed_.notify_all();
}

AgeBatch* AgePipeline::Oldest() {
  std::unique_lock<std::mutex> lock(mutex_);
  if (released_ == submitted_) return nullptr;
  while (!DoneOf(released_)) {
    if (started_ < submitted_) {
      WorkOnNext(lock);
    } else {
      changed_.wait(lock);
    }
  }
  return &BatchOf(released_);
}

AgeBatch* AgePipeline::OldestIfDone() {
  const std::lock_guard<std::mutex> lock(mutex_);
  return released_ < submitted_ && DoneOf(released_) ? &BatchOf(released_) : nullptr;
}

void AgePipeline::Release() {
  const std::lock_guard<std::mutex> lock(mutex_);
  ++released_;
}

void AgePipeline::Worker() {
  std::unique_lock<std::mutex> lock(mutex_);
  while (!stopping_) {
    if (started_ < submitted_) {
      WorkOnNext(lock);
    } else {
      changed_.wait(lock);
    }
  }
}

}  // namespace sealbook::crypto::internal
