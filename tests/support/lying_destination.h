// A destination around another one, which loses, cuts, swaps or disappears when a test says so.
//
//   auto lies = std::make_shared<Lies>();
//   lies->fail_at_call = 3;              // "the server is gone" from the third call on
//   auto destination = std::make_unique<LyingDestination>(std::move(real), lies);
//
// The lies may be changed while it is in use, and shared by many connections: their counters go on.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "vault/archive/destination.h"
#include "vault/crypto/bytes.h"
#include "vault/status.h"

namespace sealbook::testing {

struct Lies {
  // Fails, as a lost connection does, from that call on (from 1, over all connections).
  std::optional<int> fail_at_call;
  int fail_calls = 1 << 30;  // so many of them; then it is there again
  absl::Status failure = UnreachableError("the connection to the lying destination was lost");
  // Fails when so many bytes were written over all connections: the rest of that Append is lost.
  std::optional<std::uint64_t> fail_after_bytes;
  bool full = false;       // every Append is refused, as by a full disk
  bool read_only = false;  // Create, Resume and Remove are refused
  // Says that all was written, and keeps so many bytes of each file only.
  std::optional<std::uint64_t> keeps_bytes;
  std::map<std::string, std::string> gives_file;   // path → the path that is read in its place
  std::map<std::string, std::string> gives_bytes;  // path → what is read in its place: an old file
  std::set<std::string> flips;                     // one bit of these, in the middle
  std::set<std::string> hides;                     // these are not there
  bool keeps_deleted = false;                      // Remove says yes and does nothing
  bool may_not_delete = false;
  std::optional<std::uint64_t> free_bytes;

  // What was asked for, as "Create name.sba.age"; a writer's and a reader's calls too.
  std::vector<std::string> calls;
  std::uint64_t written = 0;

  // One call more; the error where it shall fail.
  absl::Status Call(std::string what) {
    calls.push_back(std::move(what));
    const int number = static_cast<int>(calls.size());
    if (fail_at_call && number >= *fail_at_call && number - *fail_at_call < fail_calls) {
      return failure;
    }
    return absl::OkStatus();
  }
};

class LyingWriter : public archive::RemoteWriter {
 public:
  LyingWriter(std::unique_ptr<archive::RemoteWriter> inner, std::uint64_t offset,
              std::shared_ptr<Lies> lies)
      : inner_(std::move(inner)), lies_(std::move(lies)), offset_(offset) {}

  absl::Status Append(ByteView bytes) override {
    RETURN_IF_ERROR(lies_->Call("Append"));
    if (lies_->full) {
      return WithHint(UnreachableError("no space left on the lying destination"),
                      "Make room there and run the command again.");
    }
    bool fails = false;
    if (lies_->fail_after_bytes && lies_->written + bytes.size() > *lies_->fail_after_bytes) {
      fails = true;
      bytes = bytes.first(*lies_->fail_after_bytes -
                          std::min(lies_->written, *lies_->fail_after_bytes));
    }
    lies_->written += bytes.size();
    ByteView kept = bytes;
    if (lies_->keeps_bytes) {
      kept = kept.first(std::min<std::uint64_t>(
          kept.size(), *lies_->keeps_bytes - std::min(offset_, *lies_->keeps_bytes)));
    }
    offset_ += bytes.size();
    RETURN_IF_ERROR(inner_->Append(kept));
    if (!fails) return absl::OkStatus();
    // What got there stays there: as a file, not in a buffer of this side.
    RETURN_IF_ERROR(inner_->Finish());
    return UnreachableError("the connection to the lying destination was lost");
  }
  absl::Status Finish() override {
    RETURN_IF_ERROR(lies_->Call("Finish"));
    return inner_->Finish();
  }

 private:
  const std::unique_ptr<archive::RemoteWriter> inner_;
  const std::shared_ptr<Lies> lies_;
  std::uint64_t offset_;
};

class LyingReader : public archive::RemoteReader {
 public:
  LyingReader(std::unique_ptr<archive::RemoteReader> inner, std::optional<std::string> bytes,
              bool flips, std::shared_ptr<Lies> lies)
      : inner_(std::move(inner)), bytes_(std::move(bytes)), flips_(flips), lies_(std::move(lies)) {}

  std::uint64_t size() const override { return bytes_ ? bytes_->size() : inner_->size(); }
  absl::StatusOr<std::size_t> ReadAt(std::uint64_t offset, std::span<std::uint8_t> out) override {
    RETURN_IF_ERROR(lies_->Call("ReadAt"));
    std::size_t got = 0;
    if (bytes_) {
      const auto from = std::min<std::uint64_t>(offset, bytes_->size());
      got = std::min<std::size_t>(out.size(), bytes_->size() - from);
      std::copy_n(bytes_->begin() + static_cast<std::ptrdiff_t>(from), got, out.begin());
    } else {
      ASSIGN_OR_RETURN(got, inner_->ReadAt(offset, out));
    }
    const std::uint64_t middle = size() / 2;
    if (flips_ && middle >= offset && middle - offset < got) out[middle - offset] ^= 1;
    return got;
  }

 private:
  const std::unique_ptr<archive::RemoteReader> inner_;
  const std::optional<std::string> bytes_;
  const bool flips_;
  const std::shared_ptr<Lies> lies_;
};

class LyingDestination : public archive::Destination {
 public:
  LyingDestination(std::unique_ptr<archive::Destination> inner, std::shared_ptr<Lies> lies)
      : inner_(std::move(inner)), lies_(std::move(lies)) {}

  const std::string& name() const override { return inner_->name(); }
  absl::StatusOr<std::optional<std::uint64_t>> Size(absl::string_view path) override {
    RETURN_IF_ERROR(Call("Size", path));
    if (lies_->hides.contains(std::string(path))) return std::nullopt;
    if (const auto bytes = lies_->gives_bytes.find(std::string(path));
        bytes != lies_->gives_bytes.end()) {
      return bytes->second.size();
    }
    return inner_->Size(Given(path));
  }
  absl::StatusOr<std::unique_ptr<archive::RemoteWriter>> Create(absl::string_view path) override {
    RETURN_IF_ERROR(Call("Create", path));
    if (lies_->read_only) return Refused("make", path);
    ASSIGN_OR_RETURN(auto writer, inner_->Create(path));
    return std::make_unique<LyingWriter>(std::move(writer), 0, lies_);
  }
  absl::StatusOr<std::unique_ptr<archive::RemoteWriter>> Resume(absl::string_view path,
                                                                std::uint64_t offset) override {
    RETURN_IF_ERROR(Call("Resume", path));
    if (lies_->read_only) return Refused("open", path);
    ASSIGN_OR_RETURN(auto writer, inner_->Resume(path, offset));
    return std::make_unique<LyingWriter>(std::move(writer), offset, lies_);
  }
  absl::StatusOr<std::unique_ptr<archive::RemoteReader>> Read(absl::string_view path) override {
    RETURN_IF_ERROR(Call("Read", path));
    if (lies_->hides.contains(std::string(path))) {
      return absl::NotFoundError(absl::StrCat("there is no ", path));
    }
    std::optional<std::string> bytes;
    std::unique_ptr<archive::RemoteReader> reader;
    if (const auto given = lies_->gives_bytes.find(std::string(path));
        given != lies_->gives_bytes.end()) {
      bytes = given->second;
    } else {
      ASSIGN_OR_RETURN(reader, inner_->Read(Given(path)));
    }
    return std::make_unique<LyingReader>(std::move(reader), std::move(bytes),
                                         lies_->flips.contains(std::string(path)), lies_);
  }
  absl::Status Remove(absl::string_view path) override {
    RETURN_IF_ERROR(Call("Remove", path));
    if (lies_->read_only || lies_->may_not_delete) return Refused("delete", path);
    return lies_->keeps_deleted ? absl::OkStatus() : inner_->Remove(path);
  }
  absl::StatusOr<std::vector<archive::RemoteFile>> List(absl::string_view folder) override {
    RETURN_IF_ERROR(Call("List", folder));
    ASSIGN_OR_RETURN(auto files, inner_->List(folder));
    std::erase_if(files, [&](const archive::RemoteFile& file) {
      return lies_->hides.contains(folder.empty() ? file.name
                                                  : absl::StrCat(folder, "/", file.name));
    });
    return files;
  }
  absl::StatusOr<std::optional<std::uint64_t>> FreeBytes() override {
    RETURN_IF_ERROR(Call("FreeBytes", ""));
    if (lies_->free_bytes) return lies_->free_bytes;
    return inner_->FreeBytes();
  }

 private:
  absl::Status Call(absl::string_view what, absl::string_view path) {
    return lies_->Call(absl::StrCat(what, " ", path));
  }
  std::string Given(absl::string_view path) const {
    const auto swapped = lies_->gives_file.find(std::string(path));
    return swapped == lies_->gives_file.end() ? std::string(path) : swapped->second;
  }
  static absl::Status Refused(absl::string_view what, absl::string_view path) {
    return archive::internal::RefusedError(
        absl::StrCat("cannot ", what, " ", path, ": permission denied"));
  }

  const std::unique_ptr<archive::Destination> inner_;
  const std::shared_ptr<Lies> lies_;
};

}  // namespace sealbook::testing
