// How long chats take into the vault, how small they stand there, and how fast they are read.
//
//   bench_chat [--messages N] [--customers N] [--members N] [--book N] [--live N] [--rounds N]
//              [--command-bytes N] [--parts webhooks,read,group,two,live,command] [--dir DIR]
//
//   webhooks  N messages of as many customers as --customers says (a hundredth), 55,000 a day, with
//             WhatsApp's ids
//   read      what `webhooks` left (in DIR, of an earlier run too): `chat show` and `chat search`
//   as
//             the commands make them, `chat compact`, and both again
//   group     WhatsApp's export of a group of --members customers and the company, 1,800 messages a
//             day
//   two       WhatsApp's export of a chat of two
//   live      --live messages from webhooks, each a batch of its own, and `chat compact`
//   command   an export of --command-bytes by the command itself, for its memory
//
// Each import is `chat import`'s own code, by an importer with a key file, from unlocking to
// closing; beside it bench/chat_plain.h. Customers who have a phone are in the vault beforehand, in
// an agent's book (--book of them) or in another one. Each part runs in a process of its own, in
// turn with what it stands beside. Bytes are those of the pages that messages added to the
// database.
#include <fcntl.h>
#include <time.h>
#include <unicode/bytestream.h>
#include <unicode/normalizer2.h>
#include <unicode/stringpiece.h>

#include <functional>
#include <map>

#include "absl/strings/match.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "bench/chat_files.h"
#include "bench/chat_plain.h"
#include "policies/decision.h"
#include "vault/records/chat_log.h"
#include "vault/records/chat_rewriting.h"
#include "vault/records/contact_reader.h"

namespace sealbook::bench {
namespace {

constexpr std::int64_t kWebhookConversations = 7'900, kExportConversations = 260;  // a day
constexpr std::int64_t kExportDays = 5'500;  // from 2010 on: what an export's times may span
constexpr std::int64_t kSmaller = 4;         // times, the second size of what memory is measured at
constexpr std::size_t kShows = 4'000, kAudited = 1'000, kSearches = 5;
constexpr std::size_t kNewest = 100;

struct Sizes {
  std::int64_t messages = 0, customers = 0, members = 0, book = 0, live = 0, rounds = 0;
  std::int64_t command_bytes = 0;
};

// A kind of file, and how it is made and imported.
struct Source {
  const char* name;
  Crowd crowd;
  std::int64_t known = 0;  // of its customers, those who are in the vault before
  std::string me;
  std::function<absl::Status(const std::string& path, const Crowd&)> write;
  std::size_t batch = anonymizer::ChatImportOptions::kBatch;
};

// ---- Databases.

absl::StatusOr<std::int64_t> Pragma(store::Database& database, absl::string_view name) {
  ASSIGN_OR_RETURN(store::Statement statement, database.Prepare(absl::StrCat("PRAGMA ", name)));
  ASSIGN_OR_RETURN(const bool row, statement.Step());
  return row ? statement.Int(0) : 0;
}

absl::StatusOr<double> BytesInUse(store::Database& database) {
  ASSIGN_OR_RETURN(const std::int64_t count, Pragma(database, "page_count"));
  ASSIGN_OR_RETURN(const std::int64_t unused, Pragma(database, "freelist_count"));
  ASSIGN_OR_RETURN(const std::int64_t size, Pragma(database, "page_size"));
  return static_cast<double>((count - unused) * size);
}

absl::StatusOr<double> VaultBytes(const std::string& root) {
  return InPreparedChild([&]() -> absl::StatusOr<double> {
    ASSIGN_OR_RETURN(const auto owner, UnlockPerson(root, "owner"));
    return BytesInUse(owner->store().database());
  });
}

absl::StatusOr<double> PlainBytes(const std::string& path) {
  return InPreparedChild([&]() -> absl::StatusOr<double> {
    ASSIGN_OR_RETURN(const auto database,
                     store::Database::Open(path, PlainKey(), store::Database::Mode::kReadWrite));
    return BytesInUse(*database);
  });
}

// What stands in the tables of chats: their values alone, without what SQLite puts around them.
absl::Status PrintTables(const std::string& root, std::int64_t messages) {
  return InPreparedChild([&]() -> absl::StatusOr<bool> {
           ASSIGN_OR_RETURN(const auto owner, UnlockPerson(root, "owner"));
           std::vector<std::string> parts;
           for (const auto& [table, size] :
                std::vector<std::pair<const char*, const char*>>{{"chat", "chunk"},
                                                                 {"chat_tag", "tags"},
                                                                 {"chat_key", "sealed"},
                                                                 {"chat_wrap", "sealed"},
                                                                 {"session", "record"}}) {
             ASSIGN_OR_RETURN(store::Statement sum, owner->store().database().Prepare(absl::StrCat(
                                                        "SELECT count(*), coalesce(sum(length(",
                                                        size, ")), 0) FROM ", table)));
             RETURN_IF_ERROR(sum.Step().status());
             const auto share = [&](int column) {
               return static_cast<double>(sum.Int(column)) / static_cast<double>(messages);
             };
             parts.push_back(absl::StrFormat("%s %.1f in %.3f rows", table, share(1), share(0)));
           }
           std::printf("  values a message: %s\n", absl::StrJoin(parts, ", ").c_str());
           std::fflush(stdout);
           return true;
         })
      .status();
}

// ---- Importing.

struct Imported {
  double seconds = 0, cpu = 0, peak = 0;
  std::int64_t messages = 0;
};

anonymizer::ChatReaderOptions ReaderOptions() {
  anonymizer::ChatReaderOptions options;
  options.zone = absl::UTCTimeZone();
  options.region = std::string(kRegion);
  return options;
}

absl::StatusOr<Imported> ImportOurs(const std::string& root, const std::string& file,
                                    const Source& source) {
  const Stopwatch watch;
  anonymizer::ChatImportReport report;
  {
    ASSIGN_OR_RETURN(const auto keyring, UnlockImporter(root));
    ASSIGN_OR_RETURN(const policies::Policy policy, PolicyOf(*keyring));
    ASSIGN_OR_RETURN(const auto bytes, anonymizer::ByteSource::Open(file));
    ASSIGN_OR_RETURN(const auto reader, anonymizer::OpenChat(*bytes, ReaderOptions()));
    anonymizer::ChatImportOptions options;
    options.books = {keyring->roster().FindBook("everyone")->id};
    options.me = source.me;
    options.region = policy.region();
    options.batch_messages = source.batch;
    RETURN_IF_ERROR(anonymizer::ImportChat(*keyring, policy, *reader, options, report));
  }
  if (report.rejected + report.damaged > 0)
    return absl::InternalError(
        absl::StrCat("rejected: ", report.rejects.empty() ? "" : report.rejects.front().reason));
  return Imported{watch.Seconds(), CpuSeconds(OwnUsage()), PeakMebibytes(), report.imported};
}

absl::StatusOr<Imported> ImportPlain(const std::string& database, const std::string& file,
                                     const Source& source) {
  const Stopwatch watch;
  std::int64_t added = 0;
  {
    ASSIGN_OR_RETURN(const auto plain, PlainChats::Open(database));
    ASSIGN_OR_RETURN(const auto bytes, anonymizer::ByteSource::Open(file));
    ASSIGN_OR_RETURN(const auto reader, anonymizer::OpenChat(*bytes, ReaderOptions()));
    ASSIGN_OR_RETURN(added, plain->Import(*reader, source.me, source.batch));
  }
  return Imported{watch.Seconds(), CpuSeconds(OwnUsage()), PeakMebibytes(), added};
}

// A vault and a plain database with the customers who are known beforehand.
absl::Status MakeBoth(const std::string& root, const Source& source, const Sizes& sizes) {
  std::filesystem::create_directories(root);
  for (const char* old : {"/vault", "/importer.key", "/plain.db", "/plain.db-wal"})
    std::filesystem::remove_all(root + old);
  return InPreparedChild([&]() -> absl::StatusOr<bool> {
           RETURN_IF_ERROR(MakeVault(root, {"everyone", "small"}));
           const std::int64_t in_book = std::min(sizes.book, source.known);
           if (in_book > 0) RETURN_IF_ERROR(ImportRows(root, 0, in_book, "small"));
           if (in_book < source.known)
             RETURN_IF_ERROR(ImportRows(root, in_book, source.known, "everyone"));
           ASSIGN_OR_RETURN(const auto owner, UnlockPerson(root, "owner"));
           RETURN_IF_ERROR(AddAgent(*owner, "agent", "small"));
           std::vector<std::string> phones;
           for (std::int64_t i = 0; i < source.known; ++i) phones.push_back(PhoneNumber(i));
           RETURN_IF_ERROR(MakePlain(root + "/plain.db", phones));
           return true;
         })
      .status();
}

void PrintHeader() {
  std::printf("%-34s %10s %8s %8s %10s %9s\n", "", "messages/s", "seconds", "CPU s", "bytes/msg",
              "peak MiB");
}
void PrintRow(const std::string& name, const Imported& one, double bytes) {
  const auto messages = static_cast<double>(one.messages);
  std::printf("%-34s %10.0f %8.2f %8.2f %10.1f %9.0f\n", name.c_str(), messages / one.seconds,
              one.seconds, one.cpu, bytes / messages, one.peak);
}

// Ours and theirs in turn; leaves the last round's databases and the file in `root`.
absl::Status Compare(const std::string& root, const Source& source, const Sizes& sizes) {
  const std::string file = root + "/chat.txt", smaller = root + "/smaller.txt";
  Crowd quarter = source.crowd;
  quarter.messages /= kSmaller;
  RETURN_IF_ERROR(MakeBoth(root, source, sizes));
  RETURN_IF_ERROR(InChild([&]() -> absl::StatusOr<bool> {
                    RETURN_IF_ERROR(source.write(file, source.crowd));
                    RETURN_IF_ERROR(source.write(smaller, quarter));
                    return true;
                  }).status());
  std::printf("\n%s: %lld messages, a file of %.0f MB\n", source.name,
              static_cast<long long>(source.crowd.messages),
              static_cast<double>(std::filesystem::file_size(file)) / 1e6);
  PrintHeader();
  ASSIGN_OR_RETURN(const Imported of_quarter,
                   InPreparedChild([&] { return ImportOurs(root, smaller, source); }));
  std::filesystem::remove(smaller);
  std::vector<double> times, cpus;
  for (std::int64_t round = 0; round < sizes.rounds; ++round) {
    RETURN_IF_ERROR(MakeBoth(root, source, sizes));
    ASSIGN_OR_RETURN(const double vault_before, VaultBytes(root));
    std::ofstream(root + "/before") << absl::StrFormat("%.0f", vault_before);
    ASSIGN_OR_RETURN(const double plain_before, PlainBytes(root + "/plain.db"));
    ASSIGN_OR_RETURN(const Imported ours,
                     InPreparedChild([&] { return ImportOurs(root, file, source); }));
    ASSIGN_OR_RETURN(const Imported theirs, InPreparedChild([&] {
                       return ImportPlain(root + "/plain.db", file, source);
                     }));
    if (ours.messages < source.crowd.messages || ours.messages != theirs.messages) {
      return absl::InternalError(
          absl::StrCat("imported ", ours.messages, ", and plainly ", theirs.messages));
    }
    ASSIGN_OR_RETURN(const double vault_after, VaultBytes(root));
    ASSIGN_OR_RETURN(const double plain_after, PlainBytes(root + "/plain.db"));
    PrintRow("the vault", ours, vault_after - vault_before);
    PrintRow("plain rows, two indexes", theirs, plain_after - plain_before);
    times.push_back(ours.seconds / theirs.seconds);
    cpus.push_back(ours.cpu / theirs.cpu);
    if (round + 1 < sizes.rounds) continue;
    PrintRow(absl::StrCat("the vault, a ", kSmaller, "th of the messages"), of_quarter, 0);
    std::printf(
        "  ours as a multiple of plain rows: time %.2f (%.2f to %.2f), CPU %.2f, bytes %.2f\n",
        Percentile(times, 0.5), *std::min_element(times.begin(), times.end()),
        *std::max_element(times.begin(), times.end()), Percentile(cpus, 0.5),
        (vault_after - vault_before) / (plain_after - plain_before));
  }
  return PrintTables(root, source.crowd.messages);
}

// ---- Reading.

// Wall time, and the thread's own: the scheduler of a busy machine makes milliseconds of its own.
class Clock {
 public:
  double Seconds() const { return wall_.Seconds(); }
  double Cpu() const { return Thread() - cpu_; }

 private:
  static double Thread() {  // getrusage counts ticks of milliseconds
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
  }
  Stopwatch wall_;
  double cpu_ = Thread();
};

struct Times {
  double first = 0, middle = 0, high = 0;  // seconds: the first, p50, p99
  double high_cpu = 0;                     // p99 of the processor's time
  double messages = 0;                     // a reading, on average
};
class Samples {
 public:
  void Add(const Clock& clock) {
    wall_.push_back(clock.Seconds());
    cpu_.push_back(clock.Cpu());
  }
  Times Summary(double messages) {
    const auto count = static_cast<double>(wall_.size());
    return {.first = wall_.front(),
            .middle = Percentile(wall_, 0.5),
            .high = Percentile(wall_, 0.99),
            .high_cpu = Percentile(cpu_, 0.99),
            .messages = messages / count};
  }

 private:
  std::vector<double> wall_, cpu_;
};
void PrintTimes(const std::string& name, const Times& times) {
  std::printf("%-44s %9.3f %9.3f %9.3f %9.3f %10.0f\n", name.c_str(), times.first * 1e3,
              times.middle * 1e3, times.high * 1e3, times.high_cpu * 1e3, times.messages);
}
void PrintTimesHeader(const char* what) {
  std::printf("%-44s %9s %9s %9s %9s %10s\n", absl::StrCat(what, ", milliseconds").c_str(), "first",
              "p50", "p99", "p99 CPU", "messages");
}

struct Shown {
  Times read, audited;
};

// As `chat show`: of a random one of the first `contacts`, the newest `limit` or all (0).
absl::StatusOr<Shown> Show(const std::string& root, const std::string& member,
                           std::int64_t contacts, std::size_t limit) {
  ASSIGN_OR_RETURN(const auto keyring, UnlockPerson(root, member));
  ASSIGN_OR_RETURN(const policies::Policy policy, PolicyOf(*keyring));
  const policies::PermitIssuer permits(policy);
  std::vector<std::int64_t> tokens;
  for (std::size_t i = 0; i < kShows; ++i) {
    store::ContactRow row;
    const std::uint64_t number = 1 + crypto::RandomBelow(static_cast<std::uint64_t>(contacts));
    ASSIGN_OR_RETURN(const bool found,
                     keyring->store().GetContact(static_cast<ContactNumber>(number), row));
    if (!found) return absl::InternalError("a contact is missing");
    tokens.push_back(row.token);
  }
  Samples reads, audited;
  double messages = 0, messages_audited = 0;
  for (std::size_t i = 0; i < kShows; ++i) {
    const Clock clock;
    ASSIGN_OR_RETURN(const ContactNumber contact,
                     records::ContactReader(*keyring).FindToken(tokens[i]));
    ASSIGN_OR_RETURN(const ReadPermit permit,
                     permits.ReadOne(keyring->bundle().member, keyring->self().role, contact));
    std::vector<records::ChatEntry> newest;
    RETURN_IF_ERROR(records::ChatLog(*keyring).EachBack(
        permit, contact, [&](const records::ChatEntry& entry) -> absl::StatusOr<bool> {
          if (limit > 0 && newest.size() == limit) return false;
          newest.push_back(entry);
          return true;
        }));
    std::reverse(newest.begin(), newest.end());
    reads.Add(clock);
    messages += static_cast<double>(newest.size());
    // The last ones: so that the readings before stand alone.
    if (i + kAudited >= kShows) {
      ASSIGN_OR_RETURN(store::Transaction transaction, keyring->BeginWrite());
      RETURN_IF_ERROR(audit::Append(keyring->store(), keyring->AuditAuthor(),
                                    {.act = "chat.show", .token = tokens[i]}));
      RETURN_IF_ERROR(transaction.Commit());
      audited.Add(clock);
      messages_audited += static_cast<double>(newest.size());
    }
    records::Wipe(newest);
  }
  return Shown{reads.Summary(messages), audited.Summary(messages_audited)};
}

absl::StatusOr<Times> ShowPlain(const std::string& path, std::int64_t contacts) {
  ASSIGN_OR_RETURN(const auto database,
                   store::Database::Open(path, PlainKey(), store::Database::Mode::kReadWrite));
  ASSIGN_OR_RETURN(store::Statement select,
                   database->Prepare("SELECT time, direction, author, text FROM message "
                                     "WHERE contact = ? ORDER BY time"));
  Samples reads;
  double messages = 0;
  for (std::size_t i = 0; i < kShows; ++i) {
    const Clock clock;
    select.Bind(1, static_cast<std::int64_t>(
                       1 + crypto::RandomBelow(static_cast<std::uint64_t>(contacts))));
    std::vector<records::ChatEntry> all;
    for (;;) {
      ASSIGN_OR_RETURN(const bool more, select.Step());
      if (!more) break;
      all.push_back({.time = select.Int(0),
                     .direction = static_cast<records::ChatDirection>(select.Int(1)),
                     .author = std::string(select.Text(2)),
                     .text = std::string(select.Text(3))});
    }
    select.Reset();
    reads.Add(clock);
    messages += static_cast<double>(all.size());
  }
  return reads.Summary(messages);
}

// As `chat search` folds and looks. What is looked for stands nowhere: all is read.
class Finder {
 public:
  Finder() : fold_(icu::Normalizer2::getNFKCCasefoldInstance(error_)), wanted_(Fold("Zyzzyva")) {}
  bool Has(const std::string& text) { return absl::StrContains(Fold(text), wanted_); }

 private:
  std::string Fold(absl::string_view text) {
    std::string out;
    icu::StringByteSink<std::string> sink(&out);
    fold_->normalizeUTF8(0, icu::StringPiece(text.data(), static_cast<std::int32_t>(text.size())),
                         sink, nullptr, error_);
    return out;
  }
  UErrorCode error_ = U_ZERO_ERROR;
  const icu::Normalizer2* fold_;
  std::string wanted_;
};

struct Searched {
  Times one, book;
};

absl::StatusOr<Searched> Search(const std::string& root, std::int64_t contacts) {
  ASSIGN_OR_RETURN(const auto keyring, UnlockPerson(root, "agent"));
  ASSIGN_OR_RETURN(const policies::Policy policy, PolicyOf(*keyring));
  const policies::PermitIssuer permits(policy);
  const MemberId member = keyring->bundle().member;
  Finder finder;
  Searched out;
  Samples one, book;
  double messages = 0;
  for (std::size_t i = 0; i < kShows; ++i) {
    const auto contact =
        static_cast<ContactNumber>(1 + crypto::RandomBelow(static_cast<std::uint64_t>(contacts)));
    const Clock clock;
    ASSIGN_OR_RETURN(const ReadPermit permit,
                     permits.ReadOne(member, keyring->self().role, contact));
    RETURN_IF_ERROR(records::ChatLog(*keyring).EachBack(
        permit, contact, [&](const records::ChatEntry& entry) -> absl::StatusOr<bool> {
          ++messages;
          return !finder.Has(entry.text);
        }));
    one.Add(clock);
  }
  out.one = one.Summary(messages);
  messages = 0;
  for (std::size_t i = 0; i < kSearches; ++i) {
    const Clock clock;
    ASSIGN_OR_RETURN(const ReadPermit permit, permits.Search(member, keyring->self().role));
    RETURN_IF_ERROR(records::ChatLog(*keyring).Each(
        permit, std::nullopt,
        [&](ContactNumber, std::int64_t, const records::ChatEntry& entry) -> absl::StatusOr<bool> {
          ++messages;
          return !finder.Has(entry.text);
        }));
    book.Add(clock);
  }
  out.book = book.Summary(messages);
  return out;
}

absl::Status PrintShown(const std::string& root, const Sizes& sizes) {
  PrintTimesHeader("chat show of one customer");
  const std::vector<std::pair<std::string, std::int64_t>> members = {{"owner", sizes.customers},
                                                                     {"agent", sizes.book}};
  for (const auto& [name, contacts] : members) {
    const std::string member = name;
    const std::int64_t among = contacts;
    ASSIGN_OR_RETURN(const Shown shown,
                     InPreparedChild([&] { return Show(root, member, among, 0); }));
    PrintTimes(member, shown.read);
    PrintTimes("  with the audit row committed", shown.audited);
  }
  return absl::OkStatus();
}

absl::Status PrintSearched(const std::string& root, const Sizes& sizes) {
  PrintTimesHeader("chat search, agent");
  ASSIGN_OR_RETURN(const Searched searched,
                   InPreparedChild([&] { return Search(root, sizes.book); }));
  PrintTimes("one customer", searched.one);
  PrintTimes(absl::StrCat("a book of ", sizes.book), searched.book);
  std::printf("  a book: %.0f messages a second\n", searched.book.messages / searched.book.middle);
  return absl::OkStatus();
}

struct Compacted {
  double seconds = 0, cpu = 0, peak = 0;
  records::CompactReport report;
};

absl::Status Compact(const std::string& root, std::int64_t messages) {
  double before = 0;  // in use before there was any message
  std::ifstream(root + "/before") >> before;
  const auto bytes_a_message = [&]() -> absl::StatusOr<double> {
    ASSIGN_OR_RETURN(const double now, VaultBytes(root));
    return (now - before) / static_cast<double>(messages);
  };
  ASSIGN_OR_RETURN(const double loose, bytes_a_message());
  ASSIGN_OR_RETURN(const Compacted done, InPreparedChild([&]() -> absl::StatusOr<Compacted> {
                     const Stopwatch watch;
                     Compacted out;
                     {
                       ASSIGN_OR_RETURN(const auto owner, UnlockPerson(root, "owner"));
                       RETURN_IF_ERROR(records::CompactChats(*owner, {}, out.report));
                     }
                     out.seconds = watch.Seconds();
                     out.cpu = CpuSeconds(OwnUsage());
                     out.peak = PeakMebibytes();
                     return out;
                   }));
  ASSIGN_OR_RETURN(const double dense, bytes_a_message());
  std::printf(
      "chat compact: %lld messages of %lld customers, chunks %lld before and %lld after; %.0f "
      "messages/s, CPU %.2f s, peak %.0f MiB\n  bytes a message: %.1f before, %.1f after\n",
      static_cast<long long>(done.report.messages), static_cast<long long>(done.report.contacts),
      static_cast<long long>(done.report.chunks_before),
      static_cast<long long>(done.report.chunks_after),
      static_cast<double>(done.report.messages) / done.seconds, done.cpu, done.peak, loose, dense);
  return PrintTables(root, messages);
}

// ---- The parts.

absl::Status Webhooks(const std::string& root, const Sizes& sizes) {
  RETURN_IF_ERROR(Compare(root,
                          {.name = "webhooks",
                           .crowd = {sizes.messages, sizes.customers, kWebhookConversations},
                           .known = sizes.customers,
                           .me = "",
                           .write = &WriteWebhooks},
                          sizes));
  std::filesystem::remove(root + "/chat.txt");
  PrintTimesHeader("one customer's messages from plain rows");
  ASSIGN_OR_RETURN(const Times plain,
                   InPreparedChild([&] { return ShowPlain(root + "/plain.db", sizes.customers); }));
  PrintTimes("anybody's", plain);
  std::filesystem::remove(root + "/plain.db");
  return absl::OkStatus();
}

// What `webhooks` left.
absl::Status Read(const std::string& root, const Sizes& sizes) {
  ASSIGN_OR_RETURN(const std::int64_t messages,
                   InPreparedChild([&]() -> absl::StatusOr<std::int64_t> {
                     ASSIGN_OR_RETURN(const auto owner, UnlockPerson(root, "owner"));
                     ASSIGN_OR_RETURN(const auto counts, owner->store().CountChats());
                     return counts.second;
                   }));
  std::printf("\nread: %lld messages\n", static_cast<long long>(messages));
  RETURN_IF_ERROR(PrintTables(root, messages));
  RETURN_IF_ERROR(PrintShown(root, sizes));
  RETURN_IF_ERROR(PrintSearched(root, sizes));
  RETURN_IF_ERROR(Compact(root, messages));
  RETURN_IF_ERROR(PrintShown(root, sizes));
  return PrintSearched(root, sizes);
}

absl::Status Group(const std::string& root, const Sizes& sizes) {
  return Compare(root,
                 {.name = "WhatsApp's export of a group",
                  .crowd = {sizes.messages, sizes.members, kExportConversations},
                  .known = sizes.members,
                  .me = std::string(kCompany),
                  .write = &WriteGroup},
                 sizes);
}

Crowd OfTwo(std::int64_t messages) {
  return {messages, 1, std::max(kExportConversations, messages / 7 / kExportDays)};
}

absl::Status Two(const std::string& root, const Sizes& sizes) {
  RETURN_IF_ERROR(Compare(root,
                          {.name = "WhatsApp's export of a chat of two",
                           .crowd = OfTwo(sizes.messages),
                           .known = 0,
                           .me = std::string(kCompany),
                           .write = &WriteChatOfTwo},
                          sizes));
  ASSIGN_OR_RETURN(const Shown shown,
                   InPreparedChild([&] { return Show(root, "owner", 1, kNewest); }));
  PrintTimesHeader("chat show, the newest 100 of that chat");
  PrintTimes("owner", shown.read);
  PrintTimes("  with the audit row committed", shown.audited);
  return absl::OkStatus();
}

absl::Status Live(const std::string& root, const Sizes& sizes) {
  // Twenty messages a customer: three conversations.
  const std::int64_t customers = std::max<std::int64_t>(1, sizes.live / 20);
  const Source source{.name = "live: webhooks one by one",
                      .crowd = {sizes.live, customers, kWebhookConversations},
                      .known = customers,
                      .me = "",
                      .write = &WriteWebhooks,
                      .batch = 1};
  Sizes once = sizes;
  once.rounds = 1;
  RETURN_IF_ERROR(Compare(root, source, once));
  return Compact(root, sizes.live);
}

// The command itself; of its process, and nobody else's.
absl::StatusOr<Imported> RunCommand(const std::string& root, const std::string& file) {
  const std::string vault = PathsIn(root).directory, key = KeyFilePath(root),
                    out = root + "/answer";
  const Stopwatch watch;
  const pid_t child = fork();
  if (child < 0) return absl::InternalError("no process");
  if (child == 0) {
    dup2(open(out.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600), STDOUT_FILENO);
    execl(SEALBOOK_COMMAND, "sealbook", "chat", "import", file.c_str(), "--vault", vault.c_str(),
          "--key-file", key.c_str(), "--book", "everyone", "--me", std::string(kCompany).c_str(),
          "--timezone", "UTC", "--quiet", static_cast<char*>(nullptr));
    _exit(127);
  }
  int status = 0;
  rusage usage{};
  wait4(child, &status, 0, &usage);
  if (status != 0) return absl::InternalError("the command failed");
  return Imported{watch.Seconds(), CpuSeconds(usage), PeakMebibytes(usage), 0};
}

absl::Status Command(const std::string& root, const Sizes& sizes) {
  constexpr std::int64_t kBytesALine = 77;
  std::printf("\n`sealbook chat import` of a chat of two\n");
  PrintHeader();
  for (const std::int64_t bytes : {sizes.command_bytes / kSmaller, sizes.command_bytes}) {
    const Crowd crowd = OfTwo(bytes / kBytesALine);
    const std::string file = root + "/WhatsApp Chat.txt";
    RETURN_IF_ERROR(MakeBoth(root, {}, sizes));
    RETURN_IF_ERROR(InChild([&]() -> absl::StatusOr<bool> {
                      RETURN_IF_ERROR(WriteChatOfTwo(file, crowd));
                      return true;
                    }).status());
    ASSIGN_OR_RETURN(const double before, VaultBytes(root));
    ASSIGN_OR_RETURN(Imported imported, RunCommand(root, file));
    imported.messages = crowd.messages;
    ASSIGN_OR_RETURN(const double after, VaultBytes(root));
    PrintRow(absl::StrFormat("a file of %.0f MB",
                             static_cast<double>(std::filesystem::file_size(file)) / 1e6),
             imported, after - before);
  }
  return absl::OkStatus();
}

absl::Status Run(int argc, char** argv) {
  Sizes sizes;
  sizes.messages = NumberFlag(argc, argv, "--messages", 200'000);
  sizes.customers =
      NumberFlag(argc, argv, "--customers", std::max<std::int64_t>(1, sizes.messages / 100));
  sizes.members = NumberFlag(argc, argv, "--members", 1'000);
  sizes.book = std::min(sizes.customers, NumberFlag(argc, argv, "--book", 5'000));
  sizes.live = NumberFlag(argc, argv, "--live", 4'000);
  sizes.rounds = NumberFlag(argc, argv, "--rounds", 1);
  sizes.command_bytes = NumberFlag(argc, argv, "--command-bytes", 20'000'000);
  if (sizes.messages > 7 * kExportConversations * kExportDays)
    return absl::InvalidArgumentError("at most 10,000,000 messages");
  const Workplace place(Flag(argc, argv, "--dir", ""));
  const std::map<std::string, absl::Status (*)(const std::string&, const Sizes&)> parts = {
      {"webhooks", &Webhooks}, {"read", &Read}, {"group", &Group},
      {"two", &Two},           {"live", &Live}, {"command", &Command}};
  const std::vector<std::string> asked =
      absl::StrSplit(Flag(argc, argv, "--parts", "webhooks,read,group,two,live,command"), ',');
  for (const std::string& name : asked) {
    const auto part = parts.find(name);
    if (part == parts.end())
      return absl::InvalidArgumentError("--parts are webhooks, read, group, two, live and command");
    const std::string root = absl::StrCat(place.path(), "/", name == "read" ? "webhooks" : name);
    RETURN_IF_ERROR(part->second(root, sizes));
    std::fflush(stdout);
    if (name != "webhooks") std::filesystem::remove_all(root);
  }
  return absl::OkStatus();
}

}  // namespace
}  // namespace sealbook::bench

int main(int argc, char** argv) {
  const absl::Status status = sealbook::bench::Run(argc, argv);
  if (!status.ok()) std::fprintf(stderr, "bench_chat: %s\n", status.ToString().c_str());
  return status.ok() ? 0 : 1;
}
