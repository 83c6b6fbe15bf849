// What the tests of destinations share: a destination by address, and short ways to fill and read
// it.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>

#include "vault/archive/destination.h"
#include "vault/archive/upload.h"
#include "vault/byte_sink.h"
#include "vault/crypto/bytes.h"
#include "vault/status.h"

namespace sealbook::archive {

// Bytes that differ everywhere, so that a swap or a gap shows.
inline std::string Pattern(std::size_t size) {
  std::string bytes(size, '\0');
  std::uint64_t state = 88172645463325252u;
  for (char& byte : bytes) {
    state ^= state << 13, state ^= state >> 7, state ^= state << 17;
    byte = static_cast<char>(state);
  }
  return bytes;
}

class StringSink : public ByteSink {
 public:
  absl::Status Append(ByteView bytes) override {
    largest = std::max(largest, bytes.size());
    text.append(bytes.begin(), bytes.end());
    if (fail_after != 0 && text.size() > fail_after) return absl::InternalError("the sink's own");
    return absl::OkStatus();
  }
  std::string text;
  std::size_t largest = 0, fail_after = 0;
};

inline absl::Status Put(Destination& destination, absl::string_view path, absl::string_view bytes) {
  ASSIGN_OR_RETURN(const auto writer, destination.Create(path));
  RETURN_IF_ERROR(writer->Append(crypto::AsBytes(bytes)));
  return writer->Finish();
}

inline absl::StatusOr<std::string> Get(Destination& destination, absl::string_view path) {
  ASSIGN_OR_RETURN(const auto reader, destination.Read(path));
  StringSink sink;
  RETURN_IF_ERROR(reader->Stream(0, reader->size(), sink));
  EXPECT_LE(sink.largest, 256u * 1024);
  return sink.text;
}

inline std::string ReadLocal(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}
inline void WriteLocal(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

// The error is the destination's, and what to do about it is said.
inline void ExpectRefused(const absl::Status& status) {
  EXPECT_TRUE(IsUnreachable(status)) << status;
  EXPECT_FALSE(WorthRetrying(status)) << status;
}
inline void ExpectWorthRetrying(const absl::Status& status) {
  EXPECT_TRUE(IsUnreachable(status)) << status;
  EXPECT_TRUE(WorthRetrying(status)) << status;
}

class TemporaryFolder {
 public:
  TemporaryFolder() {
    char name[] = "/tmp/sealbook-test-XXXXXX";
    root_ = mkdtemp(name);
  }
  ~TemporaryFolder() { std::filesystem::remove_all(root_); }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::string& path() const { return root_; }
  std::string Path(const std::string& name) const { return root_ + "/" + name; }

 private:
  std::string root_;
};

}  // namespace sealbook::archive
