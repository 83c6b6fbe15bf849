// Where tests put their files: in memory where there is room, as what most of them test is not the
// disk, and thousands of fsyncs take minutes on a busy one. $TMPDIR comes first.
#pragma once

#include <stdlib.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <string>

namespace sealbook::testing {

inline std::string ScratchPlace() {
  constexpr unsigned long long kRoom = 1ull << 30;
  if (const char* chosen = getenv("TMPDIR"); chosen != nullptr && *chosen == '/') return chosen;
  struct statvfs memory {};
  if (access("/dev/shm", W_OK) == 0 && statvfs("/dev/shm", &memory) == 0 &&
      memory.f_bavail * static_cast<unsigned long long>(memory.f_frsize) >= kRoom) {
    return "/dev/shm";
  }
  return "/tmp";
}

// A new folder; empty where there is none to be had.
inline std::string ScratchFolder(const std::string& what = "test") {
  std::string name = ScratchPlace() + "/sealbook-" + what + "-XXXXXX";
  return mkdtemp(name.data()) == nullptr ? "" : name;
}

}  // namespace sealbook::testing
