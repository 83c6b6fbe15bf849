// What the benchmarks share: a list of invented customers, a vault to put them into, child
// processes that are measured alone, and tables of figures.
#pragma once

#include <sys/resource.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "anonymizer/customer_list.h"
#include "anonymizer/import.h"
#include "policies/policy.h"
#include "vault/crypto/age_file.h"
#include "vault/crypto/random.h"
#include "vault/keyring/administration.h"
#include "vault/status.h"

namespace sealbook::bench {

// ---- A list of invented customers: the same for the same row number, held nowhere.

// Steele, Lea, Flood, "Fast splittable pseudorandom number generators" (2014): SplitMix64's
// finalizer.
inline std::uint64_t Mix(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

// Eight digits with which a mobile number can end in every country below (Korea gives 010-597x to
// 010-599x to nobody).
inline constexpr std::uint64_t kFirstNumber = 20'000'000, kEndOfNumbers = 100'000'000;
inline constexpr std::uint64_t kFirstGap = 59'700'000, kEndOfGap = 60'000'000;
inline constexpr std::uint64_t kMaxRows = kEndOfNumbers - kFirstNumber - (kEndOfGap - kFirstGap);

// Such digits for each row, in random order and none twice: four rounds of Feistel on 28 bits,
// walked from one number of the range to another.
inline std::uint64_t Shuffled(std::uint64_t row, std::uint64_t seed) {
  std::uint64_t i = kFirstNumber + row;
  if (i >= kFirstGap) i += kEndOfGap - kFirstGap;
  do {
    std::uint64_t left = i >> 14, right = i & 0x3fff;
    for (std::uint64_t round = 0; round < 4; ++round) {
      left = std::exchange(right, left ^ (Mix(right + (round << 14) + (seed << 20)) & 0x3fff));
    }
    i = left << 14 | right;
  } while (i < kFirstNumber || i >= kEndOfNumbers || (i >= kFirstGap && i < kEndOfGap));
  return i;
}

// A mobile number as people write it, without two that are the same person's.
inline std::string Phone(std::uint64_t row) {
  const std::string digits = absl::StrCat(Shuffled(row, 1));
  const std::string a = digits.substr(0, 4), b = digits.substr(4);
  switch (Mix(row) % 10) {
    case 0:
    case 1:
    case 2:
      return absl::StrCat("010-", a, "-", b);
    case 3:
      return absl::StrCat("+82 10 ", a, " ", b);
    case 4:
    case 5:
      return absl::StrCat("+86 138", digits.substr(0, 1), " ", digits.substr(1, 3), " ", b);
    case 6:
      return absl::StrCat("+86139", digits);
    case 7:
      return absl::StrCat("+81 90-", a, "-", b);
    case 8:
      return absl::StrCat("0055 (11) 9", a, "-", b);
    default:
      return absl::StrCat("+91 98", digits.substr(0, 3), " ", digits.substr(3));
  }
}

inline std::string Email(std::uint64_t row) {
  static constexpr std::array<const char*, 8> kNames = {"minseo", "jiwoo", "wei",   "xiaoming",
                                                        "haruto", "maria", "priya", "alex"};
  return absl::StrCat(kNames[Mix(row + 7) % kNames.size()], Shuffled(row, 2), "@example.",
                      Mix(row + 9) % 3 == 0 ? "com" : "org");
}

inline std::string Name(std::uint64_t row) {
  static constexpr std::array<const char*, 8> kFamily = {"김", "이", "박",   "최",
                                                         "王", "李", "佐藤", "Silva"};
  static constexpr std::array<const char*, 16> kGiven = {
      "민서", "지우", "서연", "도윤", "하은",  "준호", "伟",   "小明",
      "芳",   "丽娜", "太郎", "花子", "Maria", "Joao", "Alex", "Priya"};
  return absl::StrCat(kFamily[Mix(row + 3) % kFamily.size()], kGiven[Mix(row + 4) % kGiven.size()],
                      kGiven[Mix(row + 5) % kGiven.size()]);
}

using Cells = std::array<std::string, 6>;
inline Cells HeaderCells() { return {"phone", "email", "name", "company", "tags", "note"}; }
inline Cells CellsOf(std::uint64_t row) {
  static constexpr std::array<const char*, 6> kTags = {"vip",           "new",        "weekend",
                                                       "returns often", "newsletter", "wholesale"};
  return {
      Phone(row),
      Email(row),
      Name(row),
      absl::StrCat("Example Trading ", Mix(row + 11) % 5000),
      absl::StrCat(kTags[Mix(row + 12) % kTags.size()], ", ", kTags[Mix(row + 13) % kTags.size()]),
      absl::StrCat("asked about order ", Mix(row + 14) % 1'000'000,
                   " and prefers to be written to in the evening")};
}

inline constexpr absl::string_view kHeader = "phone,email,name,company,tags,note\r\n";
inline void AppendRow(std::uint64_t row, std::string& out) {
  const auto [phone, email, name, company, tags, note] = CellsOf(row);
  absl::StrAppend(&out, phone, ",", email, ",", name, ",", company, ",\"", tags, "\",", note,
                  "\r\n");
}

// Rows `first` to `last`, the last one not included.
inline absl::Status WriteList(const std::string& path, std::uint64_t first, std::uint64_t last) {
  std::ofstream file(path, std::ios::binary);
  std::string block(kHeader);
  for (std::uint64_t row = first; row < last; ++row) {
    AppendRow(row, block);
    if (block.size() < 1 << 16 && row + 1 < last) continue;
    file.write(block.data(), static_cast<std::streamsize>(block.size()));
    block.clear();
  }
  file.close();
  return file ? absl::OkStatus() : absl::InternalError(absl::StrCat("cannot write ", path));
}

// ---- A vault whose owner unlocks cheaply, with the default policy and an importer.

inline constexpr crypto::PassphraseCost kInsecureBenchCost{.memory_kib = 64, .passes = 1};
inline constexpr absl::string_view kPassphrase = "a passphrase for benchmarks only";
inline constexpr absl::string_view kRegion = "KR";

inline crypto::SecretBytes Passphrase() {
  return crypto::SecretBytes::CopyOf(crypto::AsBytes(kPassphrase));
}
inline std::string KeyFilePath(const std::string& root) { return root + "/importer.key"; }
inline keyring::VaultPaths PathsIn(const std::string& root) {
  return keyring::VaultPaths(root + "/vault");
}

inline absl::StatusOr<std::unique_ptr<keyring::Keyring>> UnlockPerson(const std::string& root,
                                                                      absl::string_view name) {
  return keyring::Keyring::Unlock(PathsIn(root),
                                  {.name = std::string(name), .secret = {.bytes = Passphrase()}});
}

inline absl::StatusOr<std::unique_ptr<keyring::Keyring>> UnlockImporter(const std::string& root) {
  ASSIGN_OR_RETURN(const crypto::SecretBytes text,
                   keyring::ReadSecretFile(KeyFilePath(root), 4096));
  ASSIGN_OR_RETURN(keyring::KeyFile file, keyring::ParseKeyFile(text.ExposeText()));
  return keyring::Keyring::Unlock(
      PathsIn(root),
      {.name = file.name,
       .secret = {.kind = keyring::UnlockSecret::Kind::kKeyFile, .bytes = std::move(file.secret)}});
}

inline absl::StatusOr<policies::Policy> PolicyOf(keyring::Keyring& keyring) {
  ASSIGN_OR_RETURN(const std::string text, keyring::CurrentPolicyText(keyring));
  return policies::Policy::Parse(text);
}

inline absl::Status AddAgent(keyring::Keyring& owner, const std::string& name,
                             const std::string& book) {
  return keyring::AddMember(owner, {.name = name,
                                    .role = "agent",
                                    .books = {book},
                                    .secret = {.bytes = Passphrase()},
                                    .cost = kInsecureBenchCost});
}

inline absl::Status MakeVault(const std::string& root, const std::vector<std::string>& books) {
  const crypto::ExchangePublic recipient = crypto::ExchangePair::Generate().public_key();
  ASSIGN_OR_RETURN(const policies::Policy policy,
                   policies::Policy::Parse(policies::DefaultPolicyText(
                       {.region = std::string(kRegion),
                        .archive_recipients = {crypto::FormatAgeRecipient(recipient)},
                        .archive_destinations = {}})));
  keyring::NewVault request{.directory = PathsIn(root).directory,
                            .owner = "owner",
                            .passphrase = Passphrase(),
                            .policy = policy.Compile(),
                            .archive_recipients = {recipient}};
  request.policy.cost = kInsecureBenchCost;
  const auto created = keyring::CreateVault(
      std::move(request), [](const keyring::CreatedVault&) { return absl::OkStatus(); });
  RETURN_IF_ERROR(created.status());
  ASSIGN_OR_RETURN(const auto owner, UnlockPerson(root, "owner"));
  for (const std::string& book : books) RETURN_IF_ERROR(keyring::AddBook(*owner, book));
  keyring::NewMember importer{.name = "importer",
                              .role = "importer",
                              .books = {},
                              .secret = {.kind = keyring::UnlockSecret::Kind::kKeyFile,
                                         .bytes = crypto::SecretBytes(crypto::kKeyBytes)},
                              .cost = kInsecureBenchCost};
  crypto::FillRandom(importer.secret.bytes.ExposeMutable());
  const crypto::SecretBytes text =
      keyring::FormatKeyFile(created->vault, importer.name, importer.secret.bytes.ExposeBytes());
  RETURN_IF_ERROR(keyring::CreateNewFile(KeyFilePath(root), text.ExposeText(), 0600));
  return keyring::AddMember(*owner, importer);
}

// Rows `first` to `last` of the list, the last one not included, by the importer into one book.
inline absl::Status ImportRows(const std::string& root, std::int64_t first, std::int64_t last,
                               const std::string& book) {
  const std::string path = root + "/customers.csv";
  RETURN_IF_ERROR(
      WriteList(path, static_cast<std::uint64_t>(first), static_cast<std::uint64_t>(last)));
  ASSIGN_OR_RETURN(const auto keyring, UnlockImporter(root));
  ASSIGN_OR_RETURN(const policies::Policy policy, PolicyOf(*keyring));
  anonymizer::ListOptions list_options;
  list_options.region = policy.region();
  ASSIGN_OR_RETURN(const auto list, anonymizer::CustomerList::Open(path, list_options));
  anonymizer::ImportOptions options;
  options.books = {keyring->roster().FindBook(book)->id};
  anonymizer::ImportReport report;
  RETURN_IF_ERROR(anonymizer::Import(*keyring, policy, *list, options, report));
  std::filesystem::remove(path);
  return report.imported == last - first ? absl::OkStatus()
                                         : absl::InternalError("rows were not imported");
}

// A folder for a run, with the high-water marks in it and not in the user's home. Removed
// afterwards where nobody named it.
class Workplace {
 public:
  explicit Workplace(std::string named) : path_(std::move(named)), keep_(!path_.empty()) {
    if (keep_) {
      std::filesystem::create_directories(path_);
      path_ = std::filesystem::absolute(path_).string();
    } else {
      path_ = (std::filesystem::temp_directory_path() / "sealbook-bench-XXXXXX").string();
      if (mkdtemp(path_.data()) == nullptr) std::perror(path_.c_str());
    }
    setenv("XDG_STATE_HOME", (path_ + "/state").c_str(), 1);
  }
  Workplace(const Workplace&) = delete;
  Workplace& operator=(const Workplace&) = delete;
  ~Workplace() {
    std::error_code ignored;
    if (!keep_) std::filesystem::remove_all(path_, ignored);
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
  bool keep_;
};

// ---- Children, measured alone.

inline double PeakMebibytes(const rusage& usage) {
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

// Of all threads, user and system: what a machine with other work on it distorts less than time.
inline double CpuSeconds(const rusage& usage) {
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}
inline rusage OwnUsage() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage;
}
// What went to the disk (getrusage counts blocks of 512 bytes).
inline double GigabytesWritten(const rusage& usage) {
  return static_cast<double>(usage.ru_oublock) * 512 / 1e9;
}

// The largest memory that this process ever had resident (VmHWM), in MiB.
inline double PeakMebibytes() {
  std::ifstream status("/proc/self/status");
  std::string line;
  while (std::getline(status, line)) {
    if (line.rfind("VmHWM:", 0) == 0) return std::strtod(line.c_str() + 6, nullptr) / 1024;
  }
  return 0;
}

// Runs `work` in a process of its own and gives its result; an error is told on standard error
// there.
template <typename Work>
auto InChild(Work&& work) -> absl::StatusOr<typename std::invoke_result_t<Work>::value_type> {
  using Result = typename std::invoke_result_t<Work>::value_type;
  static_assert(std::is_trivially_copyable_v<Result>);
  int ends[2];
  if (pipe(ends) != 0) return absl::InternalError("no pipe");
  std::fflush(stdout);
  const pid_t child = fork();
  if (child < 0) return absl::InternalError("no process");
  if (child == 0) {
    close(ends[0]);
    const absl::StatusOr<Result> result = work();
    if (!result.ok()) {
      std::fprintf(stderr, "%s\n", result.status().ToString().c_str());
      _exit(1);
    }
    _exit(write(ends[1], &*result, sizeof(Result)) == sizeof(Result) ? 0 : 1);
  }
  close(ends[1]);
  Result result{};
  const bool whole = read(ends[0], &result, sizeof(Result)) == sizeof(Result);
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  if (!whole || status != 0) return absl::InternalError("a part of the benchmark failed");
  return result;
}

// As InChild, in a process that is prepared for secrets.
template <typename Work>
auto InPreparedChild(Work&& work) {
  return InChild([&]() -> std::invoke_result_t<Work> {
    RETURN_IF_ERROR(crypto::PrepareProcess());
    return work();
  });
}

// ---- Figures.

class Stopwatch {
 public:
  double Seconds() const { return absl::ToDoubleSeconds(absl::Now() - start_); }

 private:
  absl::Time start_ = absl::Now();
};

// The value below which `share` of the samples lie.
inline double Percentile(std::vector<double>& samples, double share) {
  const auto at = samples.begin() +
                  static_cast<std::ptrdiff_t>(share * static_cast<double>(samples.size() - 1));
  std::nth_element(samples.begin(), at, samples.end());
  return *at;
}

// "--rows 1000" as the number, `otherwise` where it is not there.
inline std::string Flag(int argc, char** argv, absl::string_view name, std::string otherwise) {
  for (int i = 1; i + 1 < argc; ++i) {
    if (name == argv[i]) return argv[i + 1];
  }
  return otherwise;
}
inline std::int64_t NumberFlag(int argc, char** argv, absl::string_view name,
                               std::int64_t otherwise) {
  std::int64_t number = 0;
  return absl::SimpleAtoi(Flag(argc, argv, name, ""), &number) && number > 0 ? number : otherwise;
}

}  // namespace sealbook::bench
