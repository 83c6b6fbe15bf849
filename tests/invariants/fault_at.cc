// Preloaded into the sealbook command (LD_PRELOAD): counts what it does to files, and lets one of
// those calls fail, so that a crash or a disk that fails can be had at any write.
//
//   FAULT_AT=kill:N     the process dies instead of the N-th call
//   FAULT_AT=enospc:N   from the N-th call on, everything that needs room fails
//   FAULT_AT=eio:N      the N-th call fails
//   FAULT_COUNT=FILE    the number of calls is written to FILE at the end
//
// Counted are write, pwrite, fsync, fdatasync, ftruncate, rename, renameat2 and unlink; writing to
// standard output and error is not.
#include <dlfcn.h>
#include <signal.h>
#include <sys/types.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

std::atomic<long> calls{0};

enum class Takes { kRoom, kNoRoom };

// True where this call shall fail; errno is set then.
bool Fails(Takes takes) {
  const long call = ++calls;
  const char* at = std::getenv("FAULT_AT");
  const char* colon = at == nullptr ? nullptr : std::strchr(at, ':');
  if (colon == nullptr) return false;
  const long number = std::atol(colon + 1);
  if (std::strncmp(at, "kill:", 5) == 0 && call == number) kill(getpid(), SIGKILL);
  if (std::strncmp(at, "enospc:", 7) == 0 && call >= number && takes == Takes::kRoom) {
    errno = ENOSPC;
    return true;
  }
  if (std::strncmp(at, "eio:", 4) == 0 && call == number) {
    errno = EIO;
    return true;
  }
  return false;
}

template <typename Function>
Function* Real(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

struct AtEnd {
  ~AtEnd() {
    const char* path = std::getenv("FAULT_COUNT");
    std::FILE* file = path == nullptr ? nullptr : std::fopen(path, "w");
    if (file == nullptr) return;
    std::fprintf(file, "%ld\n", calls.load());
    std::fclose(file);
  }
} at_end;

}  // namespace

extern "C" {

ssize_t write(int fd, const void* bytes, size_t size) {
  static auto* const real = Real<ssize_t(int, const void*, size_t)>("write");
  return fd > 2 && Fails(Takes::kRoom) ? -1 : real(fd, bytes, size);
}
ssize_t pwrite(int fd, const void* bytes, size_t size, off_t at) {
  static auto* const real = Real<ssize_t(int, const void*, size_t, off_t)>("pwrite");
  return Fails(Takes::kRoom) ? -1 : real(fd, bytes, size, at);
}
ssize_t pwrite64(int fd, const void* bytes, size_t size, off64_t at) {
  static auto* const real = Real<ssize_t(int, const void*, size_t, off64_t)>("pwrite64");
  return Fails(Takes::kRoom) ? -1 : real(fd, bytes, size, at);
}
int ftruncate(int fd, off_t size) noexcept {
  static auto* const real = Real<int(int, off_t)>("ftruncate");
  return Fails(Takes::kRoom) ? -1 : real(fd, size);
}
int ftruncate64(int fd, off64_t size) noexcept {
  static auto* const real = Real<int(int, off64_t)>("ftruncate64");
  return Fails(Takes::kRoom) ? -1 : real(fd, size);
}
int fsync(int fd) {
  static auto* const real = Real<int(int)>("fsync");
  return Fails(Takes::kNoRoom) ? -1 : real(fd);
}
int fdatasync(int fd) {
  static auto* const real = Real<int(int)>("fdatasync");
  return Fails(Takes::kNoRoom) ? -1 : real(fd);
}
int rename(const char* from, const char* to) noexcept {
  static auto* const real = Real<int(const char*, const char*)>("rename");
  return Fails(Takes::kNoRoom) ? -1 : real(from, to);
}
int renameat2(int from_folder, const char* from, int to_folder, const char* to,
              unsigned flags) noexcept {
  static auto* const real = Real<int(int, const char*, int, const char*, unsigned)>("renameat2");
  return Fails(Takes::kNoRoom) ? -1 : real(from_folder, from, to_folder, to, flags);
}
int unlink(const char* path) noexcept {
  static auto* const real = Real<int(const char*)>("unlink");
  return Fails(Takes::kNoRoom) ? -1 : real(path);
}

}  // extern "C"
