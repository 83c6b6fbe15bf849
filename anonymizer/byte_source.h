// A file's bytes in the order in which they stand, from a file, a pipe or standard input. What kind
// of file it is, its first bytes tell; whoever then reads it gets those bytes all the same.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace sealbook::anonymizer {

class SpillFile;

// Belongs to one thread at a time.
class ByteSource {
 public:
  static constexpr std::size_t kHeadBytes = 64 * 1024;
  // What comes through a pipe and must be read out of order is held in memory, up to this.
  static constexpr std::size_t kMaxHeldBytes = 256 << 20;
  static constexpr absl::string_view kStandardInput = "-";

  // `path` "-" is standard input. `interrupted` is asked while a pipe is silent.
  // InvalidArgument: there is no such file, it cannot be read, is empty, or is no file.
  static absl::StatusOr<std::unique_ptr<ByteSource>> Open(
      const std::string& path, std::function<bool()> interrupted = nullptr);
  ~ByteSource();
  ByteSource(const ByteSource&) = delete;
  ByteSource& operator=(const ByteSource&) = delete;

  const std::string& name() const { return name_; }  // for messages
  // The first kHeadBytes, or all there is.
  absl::string_view head() const { return head_; }
  bool head_is_all() const { return head_is_all_; }

  // In order, from the beginning. 0: the end. Internal: the disk failed. Cancelled: interrupted.
  absl::StatusOr<std::size_t> Read(char* out, std::size_t size);

  // Back to the beginning, so that Read gives everything once more; KeepForRewind stands before the
  // first Read. What comes through a pipe is put aside, sealed (spill_file.h); of a file that grows
  // meanwhile, no more is read than it had then.
  // ResourceExhausted, Internal: there is no room to put it, or the disk failed.
  absl::Status KeepForRewind();
  absl::Status Rewind();

  // Anywhere, without moving what Read gives next. A pipe is read to its end first, and must fit:
  // InvalidArgument otherwise. Fewer bytes than asked for: the end.
  absl::StatusOr<std::size_t> ReadAt(std::uint64_t offset, char* out, std::size_t size);
  absl::StatusOr<std::uint64_t> Size();
  bool is_regular_file() const { return regular_; }

  bool at_end() const { return head_is_all_ && position_ >= head_.size(); }  // of small files
  std::uint64_t bytes_read() const { return position_; }                     // by Read
  std::uint64_t bytes_total() const { return bytes_total_; }                 // 0: unknown (a pipe)

 private:
  ByteSource(int fd, std::string name, std::function<bool()> interrupted);
  absl::Status Start();
  absl::StatusOr<std::size_t> ReadDescriptor(char* out, std::size_t size);
  absl::Status HoldAll();
  absl::StatusOr<std::size_t> ReadKept(char* out, std::size_t size);
  absl::Status PutAside();

  int fd_;
  std::string name_;
  std::function<bool()> interrupted_;
  bool regular_ = false, head_is_all_ = false, holds_all_ = false;
  std::string head_;  // of a pipe that is read out of order: everything
  std::uint64_t position_ = 0, bytes_total_ = 0;
  std::uint64_t limit_ = UINT64_MAX;  // of a regular file that is read again: no more than that
  std::int64_t begin_ = 0;  // of a regular file, which standard input may be in the middle of
  // Of a pipe that is read twice: blocks behind the head, and what is no whole block yet.
  std::unique_ptr<SpillFile> kept_;
  std::string unsaved_;
  bool rewound_ = false;
  std::size_t next_block_ = 0, in_block_ = 0;  // where Read goes on in what was kept
  std::string block_;
};

// What a reader says of a file ("is UTF-32 text", "line 3 holds a NUL byte"), with the file's name
// in front.
absl::Status About(absl::string_view name, const absl::Status& status);

}  // namespace sealbook::anonymizer
