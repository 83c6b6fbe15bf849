// How long the whole customer list takes to leave the vault as an encrypted CSV, beside stock tools
// on the same rows in the clear.
//
//   bench_export [--rows N] [--rounds N] [--dir DIR]
//
//   ours    `sealbook export` as a person runs it: unlocking, the one-time code, reading, opening,
//           CSV, age, the hash, fsync, the log and the receipt; once with the six fields named, and
//           once with all that there are, which are looked for first
//   theirs  `sqlcipher … .mode csv | age -r …` of a keyed database that holds the same six columns
//           in the clear, written by the same library
//
// In turn, each in processes of its own.
#include <fcntl.h>

#include "bench/support.h"
#include "policies/factor_enrollment.h"
#include "policies/one_time_code.h"
#include "vault/store/database.h"

namespace sealbook::bench {
namespace {

constexpr char kFields[] = "phone,email,name,company,tags,note";

struct Measured {
  double seconds = 0, cpu = 0, peak = 0;
};

absl::Status MakeClear(const std::string& path, std::uint64_t rows) {
  crypto::Bytes key_bytes(crypto::kKeyBytes, 0x77);
  ASSIGN_OR_RETURN(const auto database,
                   store::Database::Open(path, crypto::DatabaseKey::CopyOf(key_bytes),
                                         store::Database::Mode::kCreate));
  RETURN_IF_ERROR(database->Execute(
      "CREATE TABLE customer (number INTEGER PRIMARY KEY, phone TEXT, email TEXT, "
      "name TEXT, company TEXT, tags TEXT, note TEXT)"));
  ASSIGN_OR_RETURN(
      store::Statement insert,
      database->Prepare("INSERT INTO customer (phone, email, name, company, tags, note) "
                        "VALUES (?, ?, ?, ?, ?, ?)"));
  ASSIGN_OR_RETURN(store::Transaction batch,
                   store::Transaction::Begin(*database, store::Transaction::Kind::kWrite));
  for (std::uint64_t row = 0; row < rows; ++row) {
    const Cells cells = CellsOf(row);
    for (std::size_t i = 0; i < cells.size(); ++i)
      insert.Bind(static_cast<int>(i + 1), absl::string_view(cells[i]));
    RETURN_IF_ERROR(insert.Run());
  }
  return batch.Commit();
}

// Runs a shell's command line; of all its processes the time, and the memory of the largest.
absl::StatusOr<Measured> RunLine(const std::string& line) {
  const rusage before = [] {
    rusage usage{};
    getrusage(RUSAGE_CHILDREN, &usage);
    return usage;
  }();
  const Stopwatch watch;
  const pid_t child = fork();
  if (child < 0) return absl::InternalError("no process");
  if (child == 0) {
    execlp("bash", "bash", "-c", absl::StrCat("set -o pipefail; ", line).c_str(),
           static_cast<char*>(nullptr));
    _exit(127);
  }
  int status = 0;
  rusage usage{};
  wait4(child, &status, 0, &usage);
  const double seconds = watch.Seconds();
  if (status != 0) return absl::InternalError("a command of the benchmark failed");
  rusage after{};
  getrusage(RUSAGE_CHILDREN, &after);
  return Measured{seconds, CpuSeconds(after) - CpuSeconds(before), PeakMebibytes(usage)};
}

// Recovery codes of the owner, who enrols at a telephone of the benchmark's own.
absl::StatusOr<std::vector<std::string>> MakeCodes(const std::string& root, bool first) {
  ASSIGN_OR_RETURN(const auto keyring, UnlockPerson(root, "owner"));
  ASSIGN_OR_RETURN(const policies::Policy policy, PolicyOf(*keyring));
  std::vector<std::string> codes;
  if (first) {
    const absl::Time now = absl::Now();
    ASSIGN_OR_RETURN(const policies::NewTotp totp,
                     policies::BeginTotp(*keyring, policy, nullptr, now));
    crypto::Bytes secret;
    std::uint32_t bits = 0;
    int count = 0;
    for (const char c : totp.base32.ExposeText()) {
      const auto digit = c >= 'A' && c <= 'Z' ? c - 'A' : c - '2' + 26;
      bits = bits << 5 | static_cast<std::uint32_t>(digit);
      if ((count += 5) >= 8) secret.push_back(static_cast<std::uint8_t>(bits >> (count -= 8)));
    }
    ASSIGN_OR_RETURN(const crypto::SecretBytes code,
                     policies::HotpCode(secret, policies::TotpStepAt(now)));
    RETURN_IF_ERROR(policies::ConfirmTotp(*keyring, policy, code.ExposeText(), now).status());
  }
  RETURN_IF_ERROR(policies::MakeRecoveryCodes(*keyring, policy, nullptr, absl::Now(),
                                              [&](const std::vector<crypto::SecretBytes>& made) {
                                                for (const crypto::SecretBytes& one : made)
                                                  codes.emplace_back(one.ExposeText());
                                                return absl::OkStatus();
                                              }));
  return codes;
}

void Print(const char* name, std::vector<Measured>& ours, const std::vector<Measured>& theirs) {
  std::vector<double> seconds, cpu, ratios;
  double peak = 0;
  for (std::size_t i = 0; i < ours.size(); ++i) {
    seconds.push_back(ours[i].seconds);
    cpu.push_back(ours[i].cpu);
    ratios.push_back(ours[i].seconds / theirs[i].seconds);
    peak = std::max(peak, ours[i].peak);
  }
  std::printf("%-28s %7.2f s %7.2f s CPU %6.0f MiB   %.2f times theirs (%.2f to %.2f)\n", name,
              Percentile(seconds, 0.5), Percentile(cpu, 0.5), peak, Percentile(ratios, 0.5),
              *std::min_element(ratios.begin(), ratios.end()),
              *std::max_element(ratios.begin(), ratios.end()));
}

absl::Status Run(int argc, char** argv) {
  const std::int64_t rows = NumberFlag(argc, argv, "--rows", 1'000'000);
  const std::int64_t rounds = NumberFlag(argc, argv, "--rounds", 3);
  if (static_cast<std::uint64_t>(rows) > kMaxRows || rounds > 5)
    return absl::InvalidArgumentError("fewer rows, or at most 5 rounds (ten codes)");
  const Workplace place(Flag(argc, argv, "--dir", ""));
  const std::string& root = place.path();
  const std::string clear = root + "/clear.db", file = root + "/out.age";
  for (const char* old : {"/vault", "/state", "/importer.key", "/clear.db"})
    std::filesystem::remove_all(root + old);
  // In children, so that the processes that are measured begin small.
  RETURN_IF_ERROR(InPreparedChild([&]() -> absl::StatusOr<bool> {
                    RETURN_IF_ERROR(MakeVault(root, {"everyone"}));
                    RETURN_IF_ERROR(ImportRows(root, 0, rows, "everyone"));
                    RETURN_IF_ERROR(MakeClear(clear, static_cast<std::uint64_t>(rows)));
                    std::ofstream(root + "/passphrase") << kPassphrase << "\n";
                    ASSIGN_OR_RETURN(const auto codes, MakeCodes(root, true));
                    std::ofstream list(root + "/codes");
                    for (const std::string& code : codes) list << code << "\n";
                    return true;
                  }).status());
  std::filesystem::permissions(root + "/passphrase", std::filesystem::perms::owner_read);
  std::vector<std::string> codes;
  {
    std::ifstream list(root + "/codes");
    for (std::string code; std::getline(list, code);) codes.push_back(code);
  }
  const std::string recipient =
      crypto::FormatAgeRecipient(crypto::ExchangePair::Generate().public_key());
  const auto export_line = [&](bool named) {
    std::filesystem::remove(file);
    std::string code = codes.back();
    codes.pop_back();
    return absl::StrCat("exec ", SEALBOOK_COMMAND, " export --quiet --vault ",
                        PathsIn(root).directory, " --as owner --passphrase-file ", root,
                        "/passphrase -o ", file, " --reason benchmark --recipient ", recipient,
                        " --otp ", code, named ? absl::StrCat(" --fields ", kFields) : "",
                        " >/dev/null 2>", root, "/errors");
  };
  const std::string theirs_line = absl::StrCat(
      "printf '%s\\n' \"PRAGMA key = \\\"x'", std::string(64, '7'),
      "'\\\";\" '.mode csv' '.headers on' 'SELECT ", kFields,
      " FROM customer;' | sqlcipher -batch ", clear, " | age -r ", recipient, " -o ", file);

  std::vector<Measured> theirs, named, all;
  for (std::int64_t round = 0; round < rounds; ++round) {
    std::filesystem::remove(file);
    ASSIGN_OR_RETURN(theirs.emplace_back(), RunLine(theirs_line));
    ASSIGN_OR_RETURN(named.emplace_back(), RunLine(export_line(true)));
    ASSIGN_OR_RETURN(all.emplace_back(), RunLine(export_line(false)));
  }
  std::printf(
      "%lld customers, a file of %.0f MB; medians of %lld rounds\n\n", static_cast<long long>(rows),
      static_cast<double>(std::filesystem::file_size(file)) / 1e6, static_cast<long long>(rounds));
  Print("theirs", theirs, theirs);
  Print("ours, fields named", named, theirs);
  Print("ours, all fields", all, theirs);
  return absl::OkStatus();
}

}  // namespace
}  // namespace sealbook::bench

int main(int argc, char** argv) {
  const absl::Status status = sealbook::bench::Run(argc, argv);
  if (!status.ok()) std::fprintf(stderr, "bench_export: %s\n", status.ToString().c_str());
  return status.ok() ? 0 : 1;
}
