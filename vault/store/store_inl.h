// What the files that implement Store share: the only ones that include this.
#pragma once

#include <algorithm>
#include <utility>

#include "vault/status.h"
#include "vault/store/store.h"

namespace sealbook::store {

inline std::int64_t Number(MemberId id) { return static_cast<std::int64_t>(id); }
inline std::int64_t Number(BookId id) { return static_cast<std::int64_t>(id); }
inline std::int64_t Number(ClassId id) { return static_cast<std::int64_t>(id); }

inline crypto::Bytes Copy(ByteView bytes) { return {bytes.begin(), bytes.end()}; }
inline void CopyTo(ByteView bytes, crypto::Bytes& out) { out.assign(bytes.begin(), bytes.end()); }

template <std::size_t N>
std::array<std::uint8_t, N> CopyArray(ByteView bytes) {
  // A blob of another length was altered; zeros do not verify and so do not count.
  std::array<std::uint8_t, N> out{};
  if (bytes.size() == N) std::copy(bytes.begin(), bytes.end(), out.begin());
  return out;
}

// Resets a cached statement when its use ends, however it ends: an unfinished one would hold a
// snapshot open, and so keep the WAL from being truncated.
class Use {
 public:
  explicit Use(Statement* statement) : statement_(statement) {}
  Use(Use&& other) noexcept : statement_(std::exchange(other.statement_, nullptr)) {}
  ~Use() {
    if (statement_ != nullptr) statement_->Reset();
  }
  Statement* operator->() { return statement_; }
  Statement& operator*() { return *statement_; }

 private:
  Statement* statement_;
};

#define USE_STATEMENT(name, sql)                                        \
  static constexpr char name##_sql[] = sql;                             \
  ASSIGN_OR_RETURN(Statement* const name##_cached, Cached(name##_sql)); \
  Use name(name##_cached)

}  // namespace sealbook::store
