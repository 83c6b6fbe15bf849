// What it costs to take something away from a member.
//
//   bench_taking_away [--contacts N] [--dir DIR]
//
//   in force    keyring::DisableMember of an agent whose book has N contacts, and of one with N/100
//   draining    records::Drain afterwards, of the book and, an admin disabled, of the root book;
//               beside it the same rows of the same database rewritten by plain UPDATEs of
//               as many bytes: the same connection, as many transactions, each with a row in the
//               log. The root book's rows are its contacts, their rows in books, their identifiers
//   waiting     how long a member who writes something in the middle of it waits for the lock
//   rotation    keyring::RotateDatabaseKey, beside a copy of the file with fsync
//
// Each part runs in a process of its own, on a fresh copy of the vault, in turn with what it stands
// beside; medians. Unlocking is never counted. Memory is compared with that of a vault of 3 N.
#include <fcntl.h>

#include <atomic>
#include <thread>

#include "anonymizer/identifiers.h"
#include "bench/support.h"
#include "vault/keyring/database_key.h"
#include "vault/records/draining.h"

namespace sealbook::bench {
namespace {

constexpr int kDisablings = 9, kDrainings = 3, kRotations = 3;
constexpr std::int64_t kSmallBook = 100;  // times smaller than the large one
constexpr std::int64_t kLargeVault = 3;   // times larger, for memory

// The vault as it was made, or a copy of it, with the marks that belong to it.
std::string MadeIn(const std::string& root) { return root + "/made"; }
std::string CopyIn(const std::string& root) { return root + "/copy"; }

absl::Status Build(const std::string& root, std::int64_t contacts) {
  const std::string made = MadeIn(root);
  std::filesystem::remove_all(made);
  std::filesystem::create_directories(made);
  setenv("XDG_STATE_HOME", (made + "/state").c_str(), 1);
  RETURN_IF_ERROR(MakeVault(made, {"large", "small"}));
  // So that the large book's contacts have the first numbers.
  RETURN_IF_ERROR(ImportRows(made, 0, contacts, "large"));
  RETURN_IF_ERROR(ImportRows(made, contacts, contacts + contacts / kSmallBook, "small"));
  ASSIGN_OR_RETURN(const auto owner, UnlockPerson(made, "owner"));
  for (const char* book : {"large", "small"}) {
    RETURN_IF_ERROR(AddAgent(*owner, absl::StrCat("agent-", book), book));
    RETURN_IF_ERROR(AddAgent(*owner, absl::StrCat("other-", book), book));
  }
  return keyring::AddMember(*owner, {.name = "admin",
                                     .role = "admin",
                                     .books = {},
                                     .secret = {.bytes = Passphrase()},
                                     .cost = kInsecureBenchCost});
}

// In a process of its own, on a fresh copy that has reached the disk.
template <typename Work>
auto OnCopy(const std::string& root, Work&& work) {
  std::filesystem::remove_all(CopyIn(root));
  std::filesystem::copy(MadeIn(root), CopyIn(root), std::filesystem::copy_options::recursive);
  sync();
  setenv("XDG_STATE_HOME", (CopyIn(root) + "/state").c_str(), 1);
  return InPreparedChild([&] { return work(CopyIn(root)); });
}

double Median(std::vector<double>& samples) { return Percentile(samples, 0.5); }

struct Taking {
  double seconds = 0, cpu = 0;
};

absl::StatusOr<Taking> Disable(const std::string& copy, const std::string& member) {
  ASSIGN_OR_RETURN(const auto owner, UnlockPerson(copy, "owner"));
  const double cpu = CpuSeconds(OwnUsage());
  const Stopwatch watch;
  RETURN_IF_ERROR(keyring::DisableMember(*owner, member));
  return Taking{.seconds = watch.Seconds(), .cpu = CpuSeconds(OwnUsage()) - cpu};
}

// ---- Draining, and plain UPDATEs.

struct Rewriting {
  double seconds = 0, cpu = 0, peak = 0, longest_wait = 0;
  std::int64_t transactions = 0, waits = 0;
};

// Another member's commands: takes the write lock, as for a change of one contact, and gives it
// back, over and over until it is destroyed.
class Bystander {
 public:
  explicit Bystander(std::unique_ptr<keyring::Keyring> keyring)
      : keyring_(std::move(keyring)), thread_([this] { Run(); }) {}
  ~Bystander() { Stop(); }
  void Stop() {
    stopped_ = true;
    if (thread_.joinable()) thread_.join();
  }
  double longest() const { return longest_; }
  std::int64_t count() const { return count_; }
  const absl::Status& status() const { return status_; }

 private:
  void Run() {
    while (!stopped_) {
      const Stopwatch watch;
      status_ = keyring_->BeginWrite().status();
      if (!status_.ok()) return;
      longest_ = std::max(longest_, watch.Seconds());
      ++count_;
      absl::SleepFor(absl::Milliseconds(3));
    }
  }
  std::unique_ptr<keyring::Keyring> keyring_;
  std::atomic<bool> stopped_ = false;
  double longest_ = 0;
  std::int64_t count_ = 0;
  absl::Status status_;
  std::thread thread_;
};

absl::StatusOr<Rewriting> DrainAfter(const std::string& copy, const std::string& disabled,
                                     bool with_bystander) {
  ASSIGN_OR_RETURN(const auto owner, UnlockPerson(copy, "owner"));
  RETURN_IF_ERROR(keyring::DisableMember(*owner, disabled));
  ASSIGN_OR_RETURN(const std::int64_t before, owner->store().LastSession());
  std::optional<Bystander> bystander;
  if (with_bystander) {
    ASSIGN_OR_RETURN(auto other, UnlockPerson(copy, "other-small"));
    bystander.emplace(std::move(other));
  }
  records::DrainReport report;
  const double cpu = CpuSeconds(OwnUsage());
  const Stopwatch watch;
  RETURN_IF_ERROR(records::Drain(*owner, {.identifiers_of = &anonymizer::IdentifiersOf}, report));
  Rewriting out{.seconds = watch.Seconds(), .cpu = CpuSeconds(OwnUsage()) - cpu};
  out.peak = PeakMebibytes();
  if (report.undrained != 0 || report.damaged != 0)
    return absl::InternalError("not everything was drained");
  ASSIGN_OR_RETURN(const std::int64_t after, owner->store().LastSession());
  out.transactions = after - before;
  if (bystander) {
    bystander->Stop();
    RETURN_IF_ERROR(bystander->status());
    out.longest_wait = bystander->longest();
    out.waits = bystander->count();
  }
  return out;
}

// As many transactions as the draining had, over ranges of contacts. `root`: everything that
// draining the root book rewrites; otherwise the large book's rows.
absl::StatusOr<Rewriting> UpdatePlain(const std::string& copy, bool root,
                                      std::int64_t transactions) {
  ASSIGN_OR_RETURN(const auto owner, UnlockPerson(copy, "owner"));
  store::Database& database = owner->store().database();
  ASSIGN_OR_RETURN(const ContactNumber end, owner->store().NextContact());
  ASSIGN_OR_RETURN(const auto newest, owner->store().LastAudit());
  const auto log_bytes = static_cast<std::int64_t>(newest.second.size());
  const BookId book = owner->roster().FindBook("large")->id;
  ASSIGN_OR_RETURN(const std::int64_t in_book, owner->store().CountBookContacts(book));
  const ContactNumber last = root ? end : in_book + 1;
  ASSIGN_OR_RETURN(
      store::Statement wraps,
      database.Prepare(root ? "UPDATE book_contact SET wraps = zeroblob(length(wraps)) WHERE book "
                              "IN (1, 2) AND contact >= ? AND contact < ?"
                            : "UPDATE book_contact SET wraps = zeroblob(length(wraps)) WHERE book "
                              "= 1 AND contact >= ? AND contact < ?"));
  ASSIGN_OR_RETURN(store::Statement values,
                   database.Prepare("UPDATE contact SET sealed_values = "
                                    "zeroblob(length(sealed_values)), identifiers = "
                                    "zeroblob(length(identifiers)) WHERE number >= ? AND number < "
                                    "?"));
  ASSIGN_OR_RETURN(store::Statement listed,
                   database.Prepare("SELECT identifiers FROM contact WHERE number >= ? AND number "
                                    "< ?"));
  ASSIGN_OR_RETURN(
      store::Statement hash,
      database.Prepare("UPDATE contact_index SET hash = randomblob(16) WHERE hash = ?"));
  ASSIGN_OR_RETURN(
      store::Statement log,
      database.Prepare("INSERT INTO audit SELECT max(sequence) + 1, zeroblob(?) FROM audit"));
  std::int64_t changed = 0;
  const auto in_range = [&](store::Statement& statement, ContactNumber from,
                            ContactNumber to) -> absl::Status {
    RETURN_IF_ERROR(statement.Bind(1, from).Bind(2, to).Run());
    changed += database.changes();
    return absl::OkStatus();
  };
  const std::int64_t step = (last - 2 + transactions) / transactions;
  const double cpu = CpuSeconds(OwnUsage());
  const Stopwatch watch;
  for (ContactNumber from = 1; from < last; from += step) {
    const ContactNumber to = std::min(from + step, last);
    ASSIGN_OR_RETURN(store::Transaction transaction, owner->store().BeginWrite());
    RETURN_IF_ERROR(in_range(wraps, from, to));
    if (root) {
      crypto::Bytes hashes;
      listed.Bind(1, from).Bind(2, to);
      for (;;) {
        ASSIGN_OR_RETURN(const bool row, listed.Step());
        if (!row) break;
        const ByteView some = listed.Blob(0);
        hashes.insert(hashes.end(), some.begin(), some.end());
      }
      listed.Reset();
      for (std::size_t at = 0; at + 16 <= hashes.size(); at += 16)
        RETURN_IF_ERROR(hash.Bind(1, ByteView(hashes).subspan(at, 16)).Run());
      RETURN_IF_ERROR(in_range(values, from, to));
    }
    RETURN_IF_ERROR(log.Bind(1, log_bytes).Run());
    RETURN_IF_ERROR(transaction.Commit());
  }
  RETURN_IF_ERROR(database.TruncateWal());
  Rewriting out{.seconds = watch.Seconds(), .cpu = CpuSeconds(OwnUsage()) - cpu};
  out.peak = PeakMebibytes();
  out.transactions = (last - 2 + step) / step;
  ASSIGN_OR_RETURN(const std::int64_t contacts, owner->store().CountContacts());
  if (changed != (root ? 2 * contacts : in_book))
    return absl::InternalError(absl::StrCat(changed, " rows were rewritten"));
  return out;
}

struct Compared {
  Rewriting ours, plain;  // medians
  double time_ratio = 0, cpu_ratio = 0;
};

absl::StatusOr<Compared> Compare(const std::string& root, const std::string& disabled) {
  const bool root_book = disabled == "admin";
  Compared out;
  std::vector<double> ours, plain, time_ratios, cpu_ratios;
  for (int i = 0; i < kDrainings; ++i) {
    ASSIGN_OR_RETURN(out.ours, OnCopy(root, [&](const std::string& copy) {
                       return DrainAfter(copy, disabled, false);
                     }));
    ASSIGN_OR_RETURN(out.plain, OnCopy(root, [&](const std::string& copy) {
                       return UpdatePlain(copy, root_book, out.ours.transactions);
                     }));
    ours.push_back(out.ours.seconds);
    plain.push_back(out.plain.seconds);
    time_ratios.push_back(out.ours.seconds / out.plain.seconds);
    cpu_ratios.push_back(out.ours.cpu / out.plain.cpu);
  }
  out.ours.seconds = Median(ours);
  out.plain.seconds = Median(plain);
  out.time_ratio = Median(time_ratios);
  out.cpu_ratio = Median(cpu_ratios);
  return out;
}

// ---- The database's key.

absl::StatusOr<double> Rotate(const std::string& copy) {
  ASSIGN_OR_RETURN(const auto owner, UnlockPerson(copy, "owner"));
  const Stopwatch watch;
  RETURN_IF_ERROR(keyring::RotateDatabaseKey(*owner));
  return watch.Seconds();
}

absl::StatusOr<double> CopyFile(const std::string& copy) {
  const Stopwatch watch;
  const std::string to = PathsIn(copy).database() + "-copy";
  std::filesystem::copy_file(PathsIn(copy).database(), to);
  const int file = open(to.c_str(), O_RDONLY | O_CLOEXEC);
  const bool synced = file >= 0 && fsync(file) == 0;
  if (file >= 0) close(file);
  return synced ? absl::StatusOr<double>(watch.Seconds()) : absl::InternalError("no fsync");
}

absl::Status Run(int argc, char** argv) {
  const std::int64_t contacts = NumberFlag(argc, argv, "--contacts", 100'000);
  if (contacts < kSmallBook) return absl::InvalidArgumentError("too few contacts");
  const std::int64_t few = contacts / kSmallBook;
  const Workplace place(Flag(argc, argv, "--dir", ""));
  const std::string& root = place.path();
  const auto build = [&](std::int64_t count) {
    return InPreparedChild([&]() -> absl::StatusOr<bool> {
             RETURN_IF_ERROR(Build(root, count));
             return true;
           })
        .status();
  };
  RETURN_IF_ERROR(build(contacts));
  std::printf("books of %lld and %lld contacts\n\n", static_cast<long long>(contacts),
              static_cast<long long>(few));

  std::printf("%-44s %10s %10s %10s\n", "in force, milliseconds", "median", "CPU", "longest");
  struct Takings {
    const char* member;
    std::int64_t contacts;
    std::vector<double> seconds, cpu;
  } takings[] = {{"agent-large", contacts, {}, {}}, {"agent-small", few, {}, {}}};
  for (int i = 0; i < kDisablings; ++i) {
    for (Takings& t : takings) {
      ASSIGN_OR_RETURN(const Taking taking, OnCopy(root, [&](const std::string& copy) {
                         return Disable(copy, t.member);
                       }));
      t.seconds.push_back(taking.seconds);
      t.cpu.push_back(taking.cpu);
    }
  }
  for (Takings& t : takings) {
    std::printf("%-44s %10.1f %10.1f %10.1f\n",
                absl::StrCat("  disabling an agent with ", t.contacts).c_str(),
                Median(t.seconds) * 1e3, Median(t.cpu) * 1e3, Percentile(t.seconds, 1) * 1e3);
  }
  std::printf("  the larger book takes %.2fx the time of the smaller, and %.2fx the CPU's\n\n",
              Median(takings[0].seconds) / Median(takings[1].seconds),
              Median(takings[0].cpu) / Median(takings[1].cpu));

  std::printf("%-30s %10s %10s %10s %12s %9s\n", "draining", "contacts/s", "of plain's", "CPU's",
              "transactions", "peak MiB");
  const auto print = [](const char* name, std::int64_t rows, const Rewriting& rewriting,
                        const std::string& times, const std::string& cpu_times) {
    std::printf("%-30s %10.0f %10s %10s %12lld %9.0f\n", name,
                static_cast<double>(rows) / rewriting.seconds, times.c_str(), cpu_times.c_str(),
                static_cast<long long>(rewriting.transactions), rewriting.peak);
  };
  for (const char* disabled : {"agent-large", "admin"}) {
    const bool root_book = absl::string_view(disabled) == "admin";
    const std::int64_t rows = root_book ? contacts + few : contacts;
    ASSIGN_OR_RETURN(const Compared compared, Compare(root, disabled));
    print(root_book ? "the root book" : "an agent's book", rows, compared.ours,
          absl::StrFormat("%.2fx", compared.time_ratio),
          absl::StrFormat("%.2fx", compared.cpu_ratio));
    print("  plain UPDATE", rows, compared.plain, "", "");
    ASSIGN_OR_RETURN(const Rewriting waited, OnCopy(root, [&](const std::string& copy) {
                       return DrainAfter(copy, disabled, true);
                     }));
    std::printf("  another writer waited for the lock %.2f s at most, of %lld times\n",
                waited.longest_wait, static_cast<long long>(waited.waits));
  }

  std::vector<double> ratios;
  for (int i = 0; i < kRotations; ++i) {
    ASSIGN_OR_RETURN(const double rotated, OnCopy(root, &Rotate));
    ASSIGN_OR_RETURN(const double copied, OnCopy(root, &CopyFile));
    ratios.push_back(rotated / copied);
  }
  std::printf("\na new key for the database takes %.1fx the time of a copy of the file\n",
              Median(ratios));

  RETURN_IF_ERROR(build(kLargeVault * contacts));
  std::printf("\npeak MiB with %lldx the contacts:", static_cast<long long>(kLargeVault));
  for (const char* disabled : {"agent-large", "admin"}) {
    ASSIGN_OR_RETURN(const Rewriting drained, OnCopy(root, [&](const std::string& copy) {
                       return DrainAfter(copy, disabled, false);
                     }));
    std::printf(" %.0f (%s)", drained.peak,
                absl::string_view(disabled) == "admin" ? "the root book" : "the book");
  }
  std::printf("\n");
  return absl::OkStatus();
}

}  // namespace
}  // namespace sealbook::bench

int main(int argc, char** argv) {
  const absl::Status status = sealbook::bench::Run(argc, argv);
  if (!status.ok()) std::fprintf(stderr, "bench_taking_away: %s\n", status.ToString().c_str());
  return status.ok() ? 0 : 1;
}
