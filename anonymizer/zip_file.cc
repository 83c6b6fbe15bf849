#include "anonymizer/zip_file.h"

#include <archive.h>
#include <archive_entry.h>

#include <algorithm>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "vault/status.h"

namespace sealbook::anonymizer {
namespace {

constexpr std::size_t kBlockBytes = 64 * 1024;
constexpr absl::string_view kSaveAgain = "Save the list again, as .xlsx.";

// libarchive over a ByteSource, with its own reason where reading fails.
class Archive {
 public:
  Archive(ByteSource& bytes, std::uint64_t directory_bytes)
      : bytes_(bytes),
        archive_(archive_read_new()),
        block_(kBlockBytes),
        directory_bytes_(directory_bytes) {}
  ~Archive() { archive_read_free(archive_); }
  Archive(const Archive&) = delete;
  Archive& operator=(const Archive&) = delete;

  absl::Status Open() {
    ASSIGN_OR_RETURN(size_, bytes_.Size());
    // The reader that begins with the directory at the end: it alone sees all entries, and what has
    // lost its end has no directory.
    archive_read_support_format_zip_seekable(archive_);
    archive_read_set_callback_data(archive_, this);
    archive_read_set_read_callback(archive_, &Archive::OnRead);
    archive_read_set_seek_callback(archive_, &Archive::OnSeek);
    archive_read_set_skip_callback(archive_, &Archive::OnSkip);
    budget_ = directory_bytes_;
    if (archive_read_open1(archive_) != ARCHIVE_OK) return Failure();
    return absl::OkStatus();
  }
  // False at the end.
  absl::StatusOr<bool> NextEntry() {
    const int result = archive_read_next_header(archive_, &entry_);
    if (result == ARCHIVE_EOF) return false;
    // A name that is no text gives a warning; it is none that anybody asks for.
    if (result != ARCHIVE_OK && result != ARCHIVE_WARN) return Failure();
    budget_ = ~std::uint64_t{0};
    served_ = 0;
    return true;
  }
  std::string name() const {
    const char* name = archive_entry_pathname_utf8(entry_);
    if (name == nullptr) name = archive_entry_pathname(entry_);
    // Some programs write what their system puts between folders.
    return name == nullptr ? "" : absl::StrReplaceAll(name, {{"\\", "/"}});
  }
  bool encrypted() const { return archive_entry_is_encrypted(entry_) != 0; }
  // libarchive knows more ways, some of which take gigabytes of memory.
  bool is_packed_as_usual() const {
    const absl::string_view format = archive_format_name(archive_);
    return absl::EndsWith(format, "(deflation)") || absl::EndsWith(format, "(uncompressed)");
  }
  // What libarchive did not see itself: the disk failed, or there was too much to read.
  const absl::Status& failed() const { return failed_; }
  absl::Status Failure() const {
    if (!failed_.ok()) return failed_;
    return absl::InvalidArgumentError("is damaged or was cut off");
  }
  archive* get() { return archive_; }
  std::uint64_t served() const { return served_; }  // bytes of the file, for this entry
  std::uint64_t position() const { return position_; }

 private:
  static la_ssize_t OnRead(archive*, void* data, const void** block) {
    auto& self = *static_cast<Archive*>(data);
    const auto got = self.bytes_.ReadAt(self.position_, self.block_.data(), self.block_.size());
    if (!got.ok()) {
      self.failed_ = got.status();
      return -1;
    }
    if (*got > self.budget_) {
      self.failed_ = absl::InvalidArgumentError("has a directory that is far too long");
      return -1;
    }
    self.budget_ -= *got;
    self.served_ += *got;
    self.position_ += *got;
    *block = self.block_.data();
    return static_cast<la_ssize_t>(*got);
  }
  static la_int64_t OnSeek(archive*, void* data, la_int64_t offset, int whence) {
    auto& self = *static_cast<Archive*>(data);
    const auto size = static_cast<la_int64_t>(self.size_);
    la_int64_t base = 0;
    if (whence == SEEK_CUR) base = static_cast<la_int64_t>(self.position_);
    if (whence == SEEK_END) base = size;
    if (offset < -base || offset > size - base) return ARCHIVE_FATAL;
    self.position_ = static_cast<std::uint64_t>(base + offset);
    return base + offset;
  }
  static la_int64_t OnSkip(archive*, void* data, la_int64_t bytes) {
    auto& self = *static_cast<Archive*>(data);
    const auto left = static_cast<la_int64_t>(self.size_ - self.position_);
    const la_int64_t skipped = std::clamp<la_int64_t>(bytes, 0, left);
    self.position_ += static_cast<std::uint64_t>(skipped);
    return skipped;
  }

  ByteSource& bytes_;
  archive* archive_;
  archive_entry* entry_ = nullptr;
  std::vector<char> block_;
  std::uint64_t directory_bytes_;
  std::uint64_t size_ = 0, position_ = 0, served_ = 0, budget_ = 0;
  absl::Status failed_;
};

bool LeavesTheArchive(absl::string_view name) {
  if (absl::StartsWith(name, "/") || (name.size() > 1 && name[1] == ':')) return true;
  for (const absl::string_view part : absl::StrSplit(name, '/')) {
    if (part == "..") return true;
  }
  return false;
}

absl::Status CutOff(absl::string_view head) {
  const bool workbook = absl::StrContains(head, "[Content_Types].xml") ||
                        absl::StrContains(head, "_rels/") || absl::StrContains(head, "xl/");
  return WithHint(absl::InvalidArgumentError(workbook ? "is a workbook that was cut off"
                                                      : "is a zip file that was cut off"),
                  "Copy or download it again, whole.");
}

}  // namespace

// A large entry is unpacked by a thread of its own, a few blocks ahead of who reads it: unpacking
// takes a quarter of the time that a sheet takes to read.
struct ZipEntry::State {
  static constexpr std::size_t kBlockBytes = 128 * 1024;
  static constexpr std::size_t kBlocksAhead = 4;
  struct Block {
    std::vector<char> bytes;
    std::uint64_t position = 0;  // in the file, once this was unpacked
  };

  State(ByteSource& bytes, std::uint64_t directory_bytes) : archive(bytes, directory_bytes) {}
  ~State() {
    if (!thread.joinable()) return;
    {
      const std::lock_guard lock(mutex);
      stopped = true;
    }
    changed.notify_all();
    thread.join();
  }

  absl::StatusOr<std::size_t> Unpack(char* out, std::size_t size) {
    const la_ssize_t got = archive_read_data(archive.get(), out, size);
    if (got < 0) return archive.Failure();
    unpacked += static_cast<std::uint64_t>(got);
    if (unpacked > kMaxBytes ||
        (unpacked > kFreeBytes && unpacked / kMaxRatio > archive.served())) {
      return WithHint(
          absl::InvalidArgumentError("unpacks to far more than a list could hold"),
          "Whoever made this file means harm, or a program failed. Save the list again.");
    }
    return static_cast<std::size_t>(got);
  }

  // The thread's work, until the end, a fault, or `stopped`.
  void UnpackAll() {
    for (;;) {
      Block block;
      block.bytes.resize(kBlockBytes);
      const auto got = Unpack(block.bytes.data(), block.bytes.size());
      block.bytes.resize(got.value_or(0));
      block.position = archive.position();
      std::unique_lock lock(mutex);
      changed.wait(lock, [&] { return ready.size() < kBlocksAhead || stopped; });
      if (stopped) return;
      ended = block.bytes.empty();
      if (ended)
        end = got.status();
      else
        ready.push_back(std::move(block));
      changed.notify_all();
      if (ended) return;
    }
  }

  // False at the end, which `end` tells of.
  bool TakeBlock() {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return !ready.empty() || ended; });
    if (ready.empty()) return false;
    current = std::move(ready.front());
    ready.pop_front();
    taken = 0;
    changed.notify_all();
    return true;
  }

  Archive archive;  // the thread's, once there is one
  std::uint64_t unpacked = 0;
  std::thread thread;
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<Block> ready;
  bool ended = false, stopped = false;
  absl::Status end;
  // Of who reads.
  bool begun = false;
  Block current;
  std::size_t taken = 0;
};

ZipEntry::ZipEntry(std::unique_ptr<State> state) : state_(std::move(state)) {}
ZipEntry::~ZipEntry() = default;

absl::StatusOr<std::size_t> ZipEntry::Read(char* out, std::size_t size) {
  State& state = *state_;
  // What is read at once needs no thread.
  if (!std::exchange(state.begun, true)) {
    const auto got = state.Unpack(out, size);
    state.current.position = state.archive.position();
    return got;
  }
  if (!state.thread.joinable()) state.thread = std::thread([&state] { state.UnpackAll(); });
  if (state.taken == state.current.bytes.size() && !state.TakeBlock()) {
    if (!state.end.ok()) return state.end;
    return 0;
  }
  const std::size_t got = std::min(size, state.current.bytes.size() - state.taken);
  std::memcpy(out, state.current.bytes.data() + state.taken, got);
  state.taken += got;
  return got;
}

std::uint64_t ZipEntry::position() const { return state_->current.position; }

std::string ZipFile::Key(absl::string_view name) { return absl::AsciiStrToLower(name); }

absl::StatusOr<std::unique_ptr<ZipFile>> ZipFile::Open(ByteSource& bytes) {
  return Open(bytes, Limits());
}

absl::StatusOr<std::unique_ptr<ZipFile>> ZipFile::Open(ByteSource& bytes, const Limits& limits) {
  std::unique_ptr<ZipFile> file(new ZipFile(bytes, limits));
  Archive archive(bytes, limits.directory_bytes);
  const absl::Status opened = archive.Open();
  std::size_t entries = 0;
  while (opened.ok()) {
    const auto more = archive.NextEntry();
    if (!more.ok() && entries == 0) break;
    if (!more.ok()) return WithHint(more.status(), kSaveAgain);
    if (!*more) return file;
    if (++entries > limits.entries) {
      return WithHint(absl::InvalidArgumentError("is a zip file of far too many files"),
                      kSaveAgain);
    }
    if (archive.encrypted()) {
      return WithHint(absl::InvalidArgumentError("is protected by a password"),
                      "Save it without one, and import that.");
    }
    const std::string name = archive.name();
    if (LeavesTheArchive(name)) {
      return WithHint(absl::InvalidArgumentError("is a zip file with names that lead out of it"),
                      "Whoever made this file means harm. Save the list again, as .xlsx.");
    }
    ++file->entries_[Key(name)];
    file->names_.push_back(name);
  }
  return archive.failed().ok() ? CutOff(bytes.head()) : WithHint(archive.failed(), kSaveAgain);
}

absl::StatusOr<std::unique_ptr<ZipEntry>> ZipFile::OpenEntry(absl::string_view name) {
  const std::string key = Key(name);
  const auto found = entries_.find(key);
  if (found == entries_.end()) return absl::NotFoundError("is missing");
  if (found->second > 1) return absl::InvalidArgumentError("is there more than once");
  auto state = std::make_unique<ZipEntry::State>(bytes_, limits_.directory_bytes);
  RETURN_IF_ERROR(state->archive.Open());
  for (;;) {
    ASSIGN_OR_RETURN(const bool more, state->archive.NextEntry());
    if (!more) return absl::InvalidArgumentError("is missing");
    if (Key(state->archive.name()) != key) continue;
    if (!state->archive.is_packed_as_usual())
      return absl::InvalidArgumentError("is packed in a way that workbooks are not");
    return std::unique_ptr<ZipEntry>(new ZipEntry(std::move(state)));
  }
}

}  // namespace sealbook::anonymizer
