// How long a large file takes to be encrypted and decrypted, beside Debian's `age`.
//
//   bench_age [--mib N] [--rounds N] [--dir DIR] [--armor 1]
//
// A file of N MiB (1024) of random bytes is encrypted into another file and decrypted again, to one
// X25519 recipient, by `age` and by AgeWriter and AgeReader in turn, each in a process of its own;
// files are read and written through the page cache, without fsync, by both. "1 thread" is ours
// without its second thread. Both sides' files are opened by the other one in the first round.
#include <fcntl.h>

#include "bench/support.h"
#include "vault/crypto/age_file.h"
#include "vault/crypto/age_reader.h"
#include "vault/crypto/age_writer.h"

namespace sealbook::bench {
namespace {

constexpr std::size_t kPieceBytes = 256 * 1024;

struct Measured {
  double seconds = 0, cpu = 0, peak = 0;
};

class File {
 public:
  File(const std::string& path, int flags) : fd_(open(path.c_str(), flags | O_CLOEXEC, 0600)) {}
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() {
    if (fd_ >= 0) close(fd_);
  }
  absl::StatusOr<std::size_t> Read(std::span<std::uint8_t> out) {
    const ssize_t size = read(fd_, out.data(), out.size());
    if (size < 0) return absl::InternalError("cannot read a file");
    return static_cast<std::size_t>(size);
  }
  absl::Status Write(ByteView bytes) {
    while (!bytes.empty()) {
      const ssize_t size = write(fd_, bytes.data(), bytes.size());
      if (size <= 0) return absl::InternalError("cannot write a file");
      bytes = bytes.subspan(static_cast<std::size_t>(size));
    }
    return absl::OkStatus();
  }

 private:
  const int fd_;
};

class FileSink : public ByteSink {
 public:
  explicit FileSink(const std::string& path) : file_(path, O_WRONLY | O_CREAT | O_TRUNC) {}
  absl::Status Append(ByteView bytes) override { return file_.Write(bytes); }

 private:
  File file_;
};

absl::Status MakeFile(const std::string& path, std::int64_t mebibytes) {
  FileSink sink(path);
  crypto::Bytes block(1 << 20);
  for (std::int64_t i = 0; i < mebibytes; ++i) {
    crypto::FillRandom(block);
    RETURN_IF_ERROR(sink.Append(block));
  }
  return absl::OkStatus();
}

absl::Status EncryptOurs(const std::string& from, const std::string& to,
                         const crypto::ExchangePublic& recipient, bool armor, int threads) {
  File in(from, O_RDONLY);
  FileSink out(to);
  ASSIGN_OR_RETURN(
      const auto writer,
      crypto::AgeWriter::ForRecipients(out, {&recipient, 1}, {.armor = armor, .threads = threads}));
  crypto::Bytes piece(kPieceBytes);
  while (true) {
    ASSIGN_OR_RETURN(const std::size_t size, in.Read(piece));
    if (size == 0) return writer->Finish();
    RETURN_IF_ERROR(writer->Append(ByteView(piece).first(size)));
  }
}

absl::Status DecryptOurs(const std::string& from, const std::string& to,
                         std::span<const crypto::ExchangePair> identities, int threads) {
  File in(from, O_RDONLY);
  FileSink out(to);
  ASSIGN_OR_RETURN(
      const auto reader,
      crypto::AgeReader::Open([&](std::span<std::uint8_t> room) { return in.Read(room); },
                              {.identities = identities, .threads = threads}));
  return reader->CopyTo(out);
}

template <typename Work>
absl::StatusOr<Measured> Measure(Work&& work) {
  return InPreparedChild([&]() -> absl::StatusOr<Measured> {
    const Stopwatch watch;
    RETURN_IF_ERROR(work());
    return Measured{watch.Seconds(), CpuSeconds(OwnUsage()), PeakMebibytes()};
  });
}

absl::StatusOr<Measured> RunProgram(const std::vector<std::string>& arguments) {
  const Stopwatch watch;
  const pid_t child = fork();
  if (child < 0) return absl::InternalError("no process");
  if (child == 0) {
    std::vector<char*> argv;
    for (const std::string& argument : arguments) {
      argv.push_back(const_cast<char*>(argument.c_str()));
    }
    argv.push_back(nullptr);
    execvp(argv[0], argv.data());
    _exit(127);
  }
  int status = 0;
  rusage usage{};
  wait4(child, &status, 0, &usage);
  if (status != 0) return absl::InternalError(absl::StrCat(arguments[0], " failed"));
  return Measured{watch.Seconds(), CpuSeconds(usage), PeakMebibytes(usage)};
}

bool SameFiles(const std::string& a, const std::string& b) {
  File one(a, O_RDONLY), other(b, O_RDONLY);
  crypto::Bytes left(1 << 20), right(1 << 20);
  while (true) {
    const auto first = one.Read(left), second = other.Read(right);
    if (!first.ok() || !second.ok() || *first != *second) return false;
    if (*first == 0) return true;
    if (!std::equal(left.begin(), left.begin() + static_cast<std::ptrdiff_t>(*first),
                    right.begin())) {
      return false;
    }
  }
}

struct Series {
  std::vector<double> seconds, cpu, peak;
  void Add(const Measured& measured) {
    seconds.push_back(measured.seconds);
    cpu.push_back(measured.cpu);
    peak.push_back(measured.peak);
  }
};

void Print(const char* name, Series& series, Series& age) {
  std::vector<double> ratios;  // of pairs that ran one after the other
  for (std::size_t i = 0; i < series.seconds.size(); ++i) {
    ratios.push_back(age.seconds[i] / series.seconds[i]);
  }
  std::printf("%-18s %7.3f s %7.3f s CPU %6.0f MiB", name, Percentile(series.seconds, 0.5),
              Percentile(series.cpu, 0.5), Percentile(series.peak, 1));
  std::printf("   age's time as a multiple: median %.2f, worst %.2f\n", Percentile(ratios, 0.5),
              Percentile(ratios, 0));
}

absl::Status Run(int argc, char** argv) {
  const Workplace place(Flag(argc, argv, "--dir", ""));
  const std::int64_t mebibytes = NumberFlag(argc, argv, "--mib", 1024);
  const std::int64_t rounds = NumberFlag(argc, argv, "--rounds", 7);
  const bool armor = NumberFlag(argc, argv, "--armor", 0) > 0;
  std::vector<crypto::ExchangePair> identities;
  identities.push_back(crypto::ExchangePair::Generate());
  const crypto::ExchangePublic recipient = identities[0].public_key();
  const auto path = [&](absl::string_view name) { return absl::StrCat(place.path(), "/", name); };
  const std::string clear = path("clear"), theirs = path("theirs.age"), ours = path("ours.age"),
                    opened = path("opened"), key = path("identity");
  {
    FileSink sink(key);
    RETURN_IF_ERROR(sink.Append(crypto::FormatAgeIdentity(identities[0]).ExposeBytes()));
  }
  RETURN_IF_ERROR(MakeFile(clear, mebibytes));
  std::vector<std::string> age_encrypt = {"age", "-r", crypto::FormatAgeRecipient(recipient)};
  if (armor) age_encrypt.push_back("-a");
  for (const std::string& argument : {std::string("-o"), theirs, clear}) {
    age_encrypt.push_back(argument);
  }
  const auto age_decrypt = [&](const std::string& from) {
    return RunProgram({"age", "-d", "-i", key, "-o", opened, from});
  };
  const auto forget = [&](const std::string& name) { std::filesystem::remove(name); };

  Series age_in, age_out, two_in, two_out, one_in, one_out;
  for (std::int64_t round = 0; round < rounds; ++round) {
    forget(theirs);
    ASSIGN_OR_RETURN(const Measured by_age, RunProgram(age_encrypt));
    age_in.Add(by_age);
    for (const int threads : {1, 2}) {
      forget(ours);
      ASSIGN_OR_RETURN(const Measured by_us, Measure([&] {
                         return EncryptOurs(clear, ours, recipient, armor, threads);
                       }));
      (threads == 1 ? one_in : two_in).Add(by_us);
    }
    forget(opened);
    ASSIGN_OR_RETURN(const Measured read_by_age, age_decrypt(ours));
    age_out.Add(read_by_age);
    if (round == 0 && !SameFiles(opened, clear))
      return absl::InternalError("age read another file");
    for (const int threads : {1, 2}) {
      forget(opened);
      ASSIGN_OR_RETURN(const Measured by_us, Measure([&] {
                         return DecryptOurs(round == 0 ? theirs : ours, opened, identities,
                                            threads);
                       }));
      (threads == 1 ? one_out : two_out).Add(by_us);
      if (round == 0 && !SameFiles(opened, clear))
        return absl::InternalError("we read another file");
    }
    forget(opened);
  }
  std::printf("%lld MiB%s, %lld rounds in turn; medians, memory the most\n",
              static_cast<long long>(mebibytes), armor ? " armored" : "",
              static_cast<long long>(rounds));
  Print("age", age_in, age_in);
  Print("encrypt, 1 thread", one_in, age_in);
  Print("encrypt, 2 threads", two_in, age_in);
  Print("age -d", age_out, age_out);
  Print("decrypt, 1 thread", one_out, age_out);
  Print("decrypt, 2 threads", two_out, age_out);
  return absl::OkStatus();
}

}  // namespace
}  // namespace sealbook::bench

int main(int argc, char** argv) {
  const absl::Status status = sealbook::bench::Run(argc, argv);
  if (!status.ok()) std::fprintf(stderr, "%s\n", status.ToString().c_str());
  return status.ok() ? 0 : 1;
}
