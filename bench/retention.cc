// How long expired chats take into a verified archive, and away, beside a pipeline of stock tools.
//
//   bench_retention [--messages N] [--expired N] [--customers N] [--rounds N] [--dir DIR]
//                   [--only ours | lookups]
//
// N messages (10,000,000 for the figures in bench/README.md; 200,000 otherwise) of which the oldest
// --expired (a tenth) have expired, imported in batches as webhooks come. In turn, each on a fresh
// copy:
//
//   ours      the retention job by the retention account: plan, spool, upload into a folder, read
//             back, purge, truncate the WAL
//   pipeline  the same messages in plain SQLCipher rows with two indexes (by contact and time, by
//             time): `sqlcipher` SELECTs those that have expired | `zstd -3` | `age` to one
//             recipient, fsync; then DELETE with secure_delete = ON and wal_checkpoint(TRUNCATE).
//             It reads nothing back
//
// In the last round another process looks customers up meanwhile, each with its row of the log. The
// peak of the job's memory is measured with a quarter of the expired messages, too. --only ours
// runs the job alone, so that a profiler sees nothing else; --only lookups the last round.
#include "policies/retention.h"

#include <fcntl.h>

#include <atomic>
#include <map>
#include <thread>

#include "bench/chat_files.h"
#include "policies/decision.h"
#include "vault/archive/destination.h"
#include "vault/records/chat_writer.h"
#include "vault/records/contact_reader.h"
#include "vault/store/database.h"

namespace sealbook::bench {
namespace {

constexpr std::size_t kBatch = 10'000;
constexpr std::int64_t kDays = 180;        // from the first message to the last
constexpr std::int64_t kConversation = 7;  // messages

struct Sizes {
  std::int64_t messages = 0, expired = 0, customers = 0, rounds = 0;
  Crowd crowd() const {
    return {messages, customers, std::max<std::int64_t>(1, messages / kConversation / kDays)};
  }
};

std::string CronKey(const std::string& root) { return root + "/cron.key"; }

absl::StatusOr<std::unique_ptr<keyring::Keyring>> UnlockCron(const std::string& root) {
  ASSIGN_OR_RETURN(const crypto::SecretBytes text, keyring::ReadSecretFile(CronKey(root), 4096));
  ASSIGN_OR_RETURN(keyring::KeyFile file, keyring::ParseKeyFile(text.ExposeText()));
  return keyring::Keyring::Unlock(
      PathsIn(root),
      {.name = file.name,
       .secret = {.kind = keyring::UnlockSecret::Kind::kKeyFile, .bytes = std::move(file.secret)}});
}

absl::Status AddCron(const std::string& root) {
  ASSIGN_OR_RETURN(const auto owner, UnlockPerson(root, "owner"));
  keyring::NewMember cron{.name = "cron",
                          .role = "retention",
                          .books = {},
                          .secret = {.kind = keyring::UnlockSecret::Kind::kKeyFile,
                                     .bytes = crypto::SecretBytes(crypto::kKeyBytes)},
                          .cost = kInsecureBenchCost};
  crypto::FillRandom(cron.secret.bytes.ExposeMutable());
  const crypto::SecretBytes text =
      keyring::FormatKeyFile(owner->roster().vault, cron.name, cron.secret.bytes.ExposeBytes());
  RETURN_IF_ERROR(keyring::CreateNewFile(CronKey(root), text.ExposeText(), 0600));
  return keyring::AddMember(*owner, cron);
}

// The first day that has not expired: the n-th message's.
std::int32_t CutoffDay(const Sizes& sizes, std::int64_t expired) {
  Talk talk(sizes.crowd());
  Utterance utterance;
  for (std::int64_t i = 0; i <= expired && talk.Next(utterance); ++i) {
  }
  return records::DayOf(absl::ToUnixSeconds(utterance.time));
}

absl::Status FillVault(const std::string& root, const Sizes& sizes) {
  ASSIGN_OR_RETURN(const auto importer, UnlockImporter(root));
  ASSIGN_OR_RETURN(records::ChatWriter writer, records::ChatWriter::Open(*importer));
  Talk talk(sizes.crowd());
  Utterance utterance;
  std::map<ContactNumber, records::ChatDraft> drafts;
  std::size_t count = 0;
  const auto flush = [&]() -> absl::Status {
    std::vector<records::ChatDraft> batch;
    for (auto& [contact, draft] : drafts) batch.push_back(std::move(draft));
    drafts.clear();
    count = 0;
    return writer.WriteBatch(batch, [](const auto&) { return audit::Event{.act = "chat.import"}; })
        .status();
  };
  while (talk.Next(utterance)) {
    records::ChatDraft& draft = drafts[utterance.customer + 1];
    draft.contact = utterance.customer + 1;
    draft.messages.push_back(
        {.entry = {.time = absl::ToUnixSeconds(utterance.time),
                   .direction = utterance.outgoing ? records::ChatDirection::kOut
                                                   : records::ChatDirection::kIn,
                   .text = utterance.text,
                   .id = absl::StrCat("wamid.", utterance.number)}});
    if (++count == kBatch) RETURN_IF_ERROR(flush());
  }
  return drafts.empty() ? absl::OkStatus() : flush();
}

absl::Status FillPlain(const std::string& path, const Sizes& sizes) {
  const crypto::DatabaseKey key =
      crypto::DatabaseKey::CopyOf(crypto::Bytes(crypto::kKeyBytes, 0x77));
  ASSIGN_OR_RETURN(const auto database,
                   store::Database::Open(path, key, store::Database::Mode::kCreate));
  RETURN_IF_ERROR(database->Execute(
      "CREATE TABLE message (contact INTEGER NOT NULL, time INTEGER NOT NULL, "
      "direction INTEGER NOT NULL, author TEXT NOT NULL, text TEXT NOT NULL, id TEXT NOT NULL);"
      "CREATE INDEX message_of ON message (contact, time);"
      "CREATE INDEX message_at ON message (time)"));
  ASSIGN_OR_RETURN(store::Statement insert,
                   database->Prepare("INSERT INTO message VALUES (?, ?, ?, '', ?, ?)"));
  Talk talk(sizes.crowd());
  Utterance utterance;
  for (bool more = true; more;) {
    ASSIGN_OR_RETURN(store::Transaction batch,
                     store::Transaction::Begin(*database, store::Transaction::Kind::kWrite));
    for (std::size_t i = 0; i < kBatch && (more = talk.Next(utterance)); ++i) {
      const std::string id = absl::StrCat("wamid.", utterance.number);
      insert.Bind(1, utterance.customer + 1).Bind(2, absl::ToUnixSeconds(utterance.time));
      insert.Bind(3, std::int64_t{utterance.outgoing});
      insert.Bind(4, absl::string_view(utterance.text)).Bind(5, absl::string_view(id));
      RETURN_IF_ERROR(insert.Run());
    }
    RETURN_IF_ERROR(batch.Commit());
  }
  return database->TruncateWal();
}

struct Measured {
  double seconds = 0, cpu = 0, peak = 0;
  std::int64_t messages = 0, bytes = 0;
};

absl::StatusOr<Measured> Ours(const std::string& root, std::int32_t cutoff, bool phases = false) {
  std::filesystem::remove_all(root + "/archives");
  return InPreparedChild([&]() -> absl::StatusOr<Measured> {
    const Stopwatch watch;
    ASSIGN_OR_RETURN(const auto cron, UnlockCron(root));
    ASSIGN_OR_RETURN(const policies::Policy policy, PolicyOf(*cron));
    const absl::Time now = absl::Now();
    ASSIGN_OR_RETURN(const PurgePermit permit,
                     policies::PermitIssuer(policy).Purge(cron->bundle().member, "retention"));
    ASSIGN_OR_RETURN(archive::JobOptions options, policies::RetentionOptions(policy, absl::Now()));
    // The messages are of 2010: as many days are kept as make the cutoff what was asked for.
    options.rules[""].chats = archive::DayOfTime(now) - cutoff;
    const std::string url = absl::StrCat("file://", root, "/archives");
    options.destinations = {{url, [url] { return archive::OpenDestination(url, {}); }}};
    // Where the time goes, by the step that begins.
    absl::Time last = absl::Now();
    std::string step = "unlock";
    std::map<std::string, absl::Duration> spent;
    options.at = [&](absl::string_view next) {
      const absl::Time at = absl::Now();
      spent[step] += at - std::exchange(last, at);
      step = std::string(next);
    };
    archive::JobReport report;
    RETURN_IF_ERROR(archive::RetentionJob(*cron, permit, std::move(options)).Run(report));
    Measured out{watch.Seconds(), CpuSeconds(OwnUsage()), PeakMebibytes(), report.purged, 0};
    for (const auto& archive : report.archives) out.bytes += archive.bytes;
    if (phases) {
      for (const auto& [name, time] : spent)
        std::printf("    %-12s %7.3f s\n", name.c_str(), absl::ToDoubleSeconds(time));
      std::fflush(stdout);
    }
    return report.archived == report.purged ? absl::StatusOr<Measured>(out)
                                            : absl::InternalError("not all was purged");
  });
}

absl::StatusOr<Measured> Shell(const std::string& script) {
  const Stopwatch watch;
  const pid_t child = fork();
  if (child < 0) return absl::InternalError("no process");
  if (child == 0) {
    execlp("bash", "bash", "-c", script.c_str(), nullptr);
    _exit(127);
  }
  int status = 0;
  rusage usage{};
  wait4(child, &status, 0, &usage);
  if (status != 0) return absl::InternalError("the pipeline failed");
  return Measured{watch.Seconds(), CpuSeconds(usage), PeakMebibytes(usage), 0, 0};
}

absl::StatusOr<Measured> Pipeline(const std::string& database, const std::string& out,
                                  std::int32_t cutoff) {
  std::filesystem::remove(out);
  const crypto::ExchangePair recipient = crypto::ExchangePair::Generate();
  const std::string key = crypto::ToHex(crypto::Bytes(crypto::kKeyBytes, 0x77));
  const std::string before = absl::StrCat(std::int64_t{cutoff} * records::kSecondsOfDay);
  const std::string sqlcipher = absl::StrCat(
      "sqlcipher -batch -cmd \"PRAGMA key = \\\"x'", key,
      "'\\\"\" -cmd 'PRAGMA temp_store = MEMORY' -cmd 'PRAGMA cache_size = -65536' -cmd "
      "'PRAGMA secure_delete = ON' ",
      database);
  ASSIGN_OR_RETURN(
      Measured measured,
      Shell(absl::StrCat("set -eo pipefail; ", sqlcipher,
                         " -csv 'SELECT contact, time, direction, author, text, id "
                         "FROM message WHERE time < ",
                         before, "' | tail -n +2 | zstd -q -3 | age -r ",
                         crypto::FormatAgeRecipient(recipient.public_key()), " -o ", out, "; sync ",
                         out, "; ", sqlcipher, " 'DELETE FROM message WHERE time < ", before,
                         "; PRAGMA wal_checkpoint(TRUNCATE)' >/dev/null")));
  measured.bytes = static_cast<std::int64_t>(std::filesystem::file_size(out));
  return measured;
}

struct Latencies {
  double p50 = 0, p99 = 0, longest = 0;
  std::int64_t lookups = 0;
};

// Until `stop` is there: a contact and its row of the log, some hundred times a second.
absl::StatusOr<Latencies> LookUp(const std::string& root, std::int64_t customers,
                                 const std::string& stop) {
  return InPreparedChild([&]() -> absl::StatusOr<Latencies> {
    ASSIGN_OR_RETURN(const auto owner, UnlockPerson(root, "owner"));
    ASSIGN_OR_RETURN(const policies::Policy policy, PolicyOf(*owner));
    const policies::PermitIssuer issuer(policy);
    records::ContactReader reader(*owner);
    std::vector<double> samples;
    for (std::uint64_t i = 0; !std::filesystem::exists(stop); ++i) {
      const auto contact =
          static_cast<ContactNumber>(1 + Mix(i) % static_cast<std::uint64_t>(customers));
      const Stopwatch watch;
      ASSIGN_OR_RETURN(const ReadPermit permit,
                       issuer.ReadOne(owner->bundle().member, "owner", contact));
      ASSIGN_OR_RETURN(const records::Contact read, reader.Read(permit, contact));
      {
        ASSIGN_OR_RETURN(store::Transaction transaction, owner->BeginWrite());
        RETURN_IF_ERROR(audit::Append(owner->store(), owner->AuditAuthor(),
                                      {.act = "lookup", .token = read.token}));
        RETURN_IF_ERROR(transaction.Commit());
      }
      samples.push_back(watch.Seconds());
      absl::SleepFor(absl::Milliseconds(8));
    }
    if (samples.empty()) return absl::InternalError("nothing was looked up");
    Latencies out{.lookups = static_cast<std::int64_t>(samples.size())};
    out.p50 = Percentile(samples, 0.5);
    out.p99 = Percentile(samples, 0.99);
    out.longest = Percentile(samples, 1);
    return out;
  });
}

absl::Status Copy(const std::string& from, const std::string& to) {
  std::error_code error;
  std::filesystem::remove_all(to, error);
  std::filesystem::copy(from, to, std::filesystem::copy_options::recursive, error);
  sync();
  return error ? absl::InternalError("cannot copy") : absl::OkStatus();
}

void Print(const char* name, const Measured& measured, std::int64_t messages) {
  std::printf("  %-9s %7.2f s  %7.2f s of CPU  %5.0f MiB  %6.1f bytes a message\n", name,
              measured.seconds, measured.cpu, measured.peak,
              static_cast<double>(measured.bytes) / static_cast<double>(messages));
  std::fflush(stdout);
}

// The job once more, while another process looks customers up.
absl::Status Watched(const std::string& base, const std::string& folder, const Sizes& sizes,
                     std::int32_t cutoff) {
  const std::string now = folder + "/now";
  RETURN_IF_ERROR(Copy(base, now));
  const std::string stop = folder + "/stop";
  std::filesystem::remove(stop);
  absl::StatusOr<Latencies> latencies;
  std::thread other([&] { latencies = LookUp(now, sizes.customers, stop); });
  absl::SleepFor(absl::Milliseconds(500));
  const auto watched = Ours(now, cutoff);
  std::ofstream(stop) << "\n";
  other.join();
  RETURN_IF_ERROR(watched.status());
  RETURN_IF_ERROR(latencies.status());
  std::printf(
      "  lookups of another process meanwhile, with their row of the log: %lld, p50 %.1f ms, "
      "p99 %.1f ms, longest %.0f ms\n",
      static_cast<long long>(latencies->lookups), latencies->p50 * 1e3, latencies->p99 * 1e3,
      latencies->longest * 1e3);
  return absl::OkStatus();
}

absl::Status Run(int argc, char** argv) {
  Sizes sizes{.messages = NumberFlag(argc, argv, "--messages", 200'000)};
  sizes.expired = NumberFlag(argc, argv, "--expired", sizes.messages / 10);
  sizes.customers =
      NumberFlag(argc, argv, "--customers", std::max<std::int64_t>(1, sizes.messages / 100));
  sizes.rounds = NumberFlag(argc, argv, "--rounds", 3);
  Workplace place(Flag(argc, argv, "--dir", ""));
  const std::string base = place.path() + "/base", now = place.path() + "/now";
  const std::string plain = place.path() + "/plain.db", plain_now = place.path() + "/plain-now.db";
  // What is there already was made with the same numbers.
  const bool made = std::filesystem::exists(plain);
  std::filesystem::create_directories(base);
  if (!made)
    RETURN_IF_ERROR(InPreparedChild([&]() -> absl::StatusOr<bool> {
                      RETURN_IF_ERROR(MakeVault(base, {"book"}));
                      RETURN_IF_ERROR(AddCron(base));
                      RETURN_IF_ERROR(ImportRows(base, 0, sizes.customers, "book"));
                      RETURN_IF_ERROR(FillVault(base, sizes));
                      return true;
                    }).status());
  if (!made)
    RETURN_IF_ERROR(InPreparedChild([&]() -> absl::StatusOr<bool> {
                      RETURN_IF_ERROR(FillPlain(plain, sizes));
                      return true;
                    }).status());
  std::printf("%lld messages of %lld customers\n", static_cast<long long>(sizes.messages),
              static_cast<long long>(sizes.customers));
  const std::int32_t cutoff = CutoffDay(sizes, sizes.expired);
  const std::string only = Flag(argc, argv, "--only", "");
  if (only == "lookups") return Watched(base, place.path(), sizes, cutoff);
  if (only == "ours") {
    for (std::int64_t round = 0; round < sizes.rounds; ++round) {
      RETURN_IF_ERROR(Copy(base, now));
      ASSIGN_OR_RETURN(const Measured ours, Ours(now, cutoff, true));
      Print("ours", ours, ours.messages);
    }
    return absl::OkStatus();
  }

  std::vector<double> ratios, cpu;
  for (std::int64_t round = 0; round < sizes.rounds; ++round) {
    RETURN_IF_ERROR(Copy(base, now));
    RETURN_IF_ERROR(Copy(plain, plain_now));
    ASSIGN_OR_RETURN(const Measured ours, Ours(now, cutoff, round == 0));
    if (round == 0) {
      std::printf("of which %lld have expired, and are archived and purged:\n",
                  static_cast<long long>(ours.messages));
    }
    ASSIGN_OR_RETURN(const Measured theirs,
                     Pipeline(plain_now, place.path() + "/pipeline.age", cutoff));
    Print("ours", ours, ours.messages);
    Print("pipeline", theirs, ours.messages);
    ratios.push_back(ours.seconds / theirs.seconds);
    cpu.push_back(ours.cpu / theirs.cpu);
  }
  std::printf("  ours / pipeline: %.2f of the time, %.2f of the CPU (medians)\n",
              Percentile(ratios, 0.5), Percentile(cpu, 0.5));

  RETURN_IF_ERROR(Copy(base, now));
  ASSIGN_OR_RETURN(const Measured quarter, Ours(now, CutoffDay(sizes, sizes.expired / 4)));
  std::printf("  a quarter of them: %lld messages, %.0f MiB\n",
              static_cast<long long>(quarter.messages), quarter.peak);

  return Watched(base, place.path(), sizes, cutoff);
}

}  // namespace
}  // namespace sealbook::bench

int main(int argc, char** argv) {
  const absl::Status status = sealbook::bench::Run(argc, argv);
  if (status.ok()) return 0;
  std::fprintf(stderr, "bench_retention: %s\n", status.ToString().c_str());
  return 1;
}
