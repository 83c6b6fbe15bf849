// A zip file's entries, unpacked in memory piece by piece by libarchive; nothing is ever written to
// a disk. Made for files of office programs (ECMA-376 part 2): entries are stored or deflated,
// names are told apart without regard to case, and whatever else a zip may hold is refused.
//
// Errors are InvalidArgument, a clause with the file as subject (Open) or the entry (Read), without
// any name that the file gives; or what the source says where its disk fails.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "anonymizer/byte_source.h"

namespace sealbook::anonymizer {

// The bytes of one entry. Belongs to one thread; the source outlives it.
class ZipEntry {
 public:
  // An entry may unpack to this; 3,000,000 rows of twenty columns are some 3 GiB.
  static constexpr std::uint64_t kMaxBytes = std::uint64_t{16} << 30;
  // Tables pack to a tenth or a fiftieth of their size; what packs better than this is made to fill
  // memories. The first bytes may pack as they like.
  static constexpr std::uint64_t kMaxRatio = 200;
  static constexpr std::uint64_t kFreeBytes = 64 << 20;

  ~ZipEntry();
  ZipEntry(const ZipEntry&) = delete;
  ZipEntry& operator=(const ZipEntry&) = delete;

  // 0: the end, and the checksum was right. Otherwise between 1 and `size` bytes.
  absl::StatusOr<std::size_t> Read(char* out, std::size_t size);
  std::uint64_t position() const;  // in the file

 private:
  friend class ZipFile;
  struct State;
  explicit ZipEntry(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

class ZipFile {
 public:
  struct Limits {
    std::size_t entries = 10'000;
    // What the list of the entries may take in the file.
    std::uint64_t directory_bytes = 4 << 20;
  };

  // `bytes` outlives the file. InvalidArgument: no zip file, or one that was cut off, has a
  // password, too many entries, or names that lead out of it.
  static absl::StatusOr<std::unique_ptr<ZipFile>> Open(ByteSource& bytes, const Limits& limits);
  static absl::StatusOr<std::unique_ptr<ZipFile>> Open(ByteSource& bytes);

  // As the file gives them, in its order, "/" between folders. What they say may be personal.
  const std::vector<std::string>& names() const { return names_; }
  bool Has(absl::string_view name) const { return entries_.contains(Key(name)); }
  // Each call gives a stream of its own. NotFound: no such entry. InvalidArgument: there are two,
  // or it is packed in a way that is not read.
  absl::StatusOr<std::unique_ptr<ZipEntry>> OpenEntry(absl::string_view name);

 private:
  ZipFile(ByteSource& bytes, const Limits& limits) : bytes_(bytes), limits_(limits) {}
  static std::string Key(absl::string_view name);

  ByteSource& bytes_;
  Limits limits_;
  std::vector<std::string> names_;
  absl::flat_hash_map<std::string, int> entries_;  // how often each name stands there
};

}  // namespace sealbook::anonymizer
