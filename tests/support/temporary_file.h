// A file with these bytes, gone when the test is over.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <string>

#include "absl/strings/string_view.h"
#include "tests/support/scratch.h"

namespace sealbook::testing {

class TemporaryFile {
 public:
  explicit TemporaryFile(absl::string_view bytes) {
    std::string name = ScratchPlace() + "/sealbook-test-XXXXXX";
    const int fd = mkstemp(name.data());
    path_ = name;
    EXPECT_GE(fd, 0);
    while (!bytes.empty()) {
      const ssize_t written = write(fd, bytes.data(), bytes.size());
      if (written <= 0) {
        ADD_FAILURE() << "cannot write " << path_;
        break;
      }
      bytes.remove_prefix(static_cast<std::size_t>(written));
    }
    close(fd);
  }
  ~TemporaryFile() { unlink(path_.c_str()); }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace sealbook::testing
