// How long a customer list takes into a vault, and what the same rows take in the clear.
//
//   bench_import [--rows N] [--dir DIR] [--format csv|xlsx|vcard]
//
//   ours   the list in that format by anonymizer::Import by an importer with a key file: everything
//   from unlocking to closing (a)    the same rows as CSV, clear, in plain SQLCipher by this
//   program: the same reader and the same
//          connection (64 MiB page cache, WAL, synchronous = FULL, secure_delete), the same
//          batches; a unique random token and a unique phone; phone numbers stay as they are
//          written
//   (b)    .import of the `sqlcipher` shell into a keyed database, at its defaults and without any
//   index
//
//   (c)    with xlsx: the workbook read and nothing done with it, by our reader and by
//   python3-openpyxl in
//          its read-only mode
//
// Each runs in a process of its own, one after the other. DIR is kept, a temporary folder is not.
#include "anonymizer/import.h"

#include <fcntl.h>

#include "anonymizer/columns.h"
#include "anonymizer/customer_list.h"
#include "anonymizer/table_reader.h"
#include "bench/lists.h"
#include "bench/support.h"
#include "vault/store/database.h"

namespace sealbook::bench {
namespace {

struct Ours {
  double seconds = 0, read = 0, phones = 0, lookup = 0, seal = 0, write = 0, index = 0, commit = 0;
  double longest_lock = 0, cpu = 0, writing_cpu = 0, written = 0, peak = 0;
  std::int64_t imported = 0, rejected = 0;
  char first_reject[120] = "";
};

absl::StatusOr<Ours> ImportOurs(const std::string& root, const std::string& list_path) {
  Ours out;
  const Stopwatch watch;
  anonymizer::ImportReport report;
  {
    ASSIGN_OR_RETURN(const auto keyring, UnlockImporter(root));
    ASSIGN_OR_RETURN(const policies::Policy policy, PolicyOf(*keyring));
    ASSIGN_OR_RETURN(const auto list,
                     anonymizer::CustomerList::Open(list_path, {.format = {},
                                                                .encoding = {},
                                                                .delimiter = {},
                                                                .mappings = {},
                                                                .region = policy.region()}));
    anonymizer::ImportOptions options;
    options.books = {keyring->roster().FindBook("everyone")->id};
    RETURN_IF_ERROR(anonymizer::Import(*keyring, policy, *list, options, report));
  }
  out.seconds = watch.Seconds();
  out.cpu = CpuSeconds(OwnUsage());
  rusage thread{};
  getrusage(RUSAGE_THREAD, &thread);
  out.writing_cpu = CpuSeconds(thread);  // the caller's thread writes
  out.written = GigabytesWritten(OwnUsage());
  out.peak = PeakMebibytes();
  out.read = absl::ToDoubleSeconds(report.read - report.phones);
  out.phones = absl::ToDoubleSeconds(report.phones);
  out.lookup = absl::ToDoubleSeconds(report.lookup);
  out.seal = absl::ToDoubleSeconds(report.seal);
  out.write = absl::ToDoubleSeconds(report.lock - report.index - report.commit);
  out.index = absl::ToDoubleSeconds(report.index);
  out.commit = absl::ToDoubleSeconds(report.commit);
  out.longest_lock = absl::ToDoubleSeconds(report.longest_lock);
  out.imported = report.imported;
  out.rejected = report.rejected;
  if (!report.rejects.empty()) {
    const anonymizer::Reject& reject = report.rejects.front();
    std::snprintf(out.first_reject, sizeof(out.first_reject), "line %lld %s",
                  static_cast<long long>(reject.line), reject.reason.c_str());
  }
  return out;
}

struct Theirs {
  double seconds = 0, cpu = 0, written = 0, peak = 0;
};

absl::StatusOr<Theirs> ImportPlain(const std::string& database_path, const std::string& list_path) {
  const Stopwatch watch;
  {
    ASSIGN_OR_RETURN(const auto database,
                     store::Database::Open(database_path, crypto::DatabaseKey::Random(),
                                           store::Database::Mode::kCreate));
    database->DeferCheckpoints();
    RETURN_IF_ERROR(
        database->Execute("CREATE TABLE customer (number INTEGER PRIMARY KEY, token INTEGER NOT "
                          "NULL UNIQUE, phone TEXT NOT NULL UNIQUE, "
                          "email TEXT, name TEXT, company TEXT, tags TEXT, note TEXT)"));
    ASSIGN_OR_RETURN(const auto source, anonymizer::ByteSource::Open(list_path));
    ASSIGN_OR_RETURN(
        const auto table,
        anonymizer::OpenTable(*source, {.format = {},
                                        .encoding = {},
                                        .delimiter = {},
                                        .looks_like_header = &anonymizer::LooksLikeHeader,
                                        .looks_like_data = &anonymizer::LooksLikeData}));
    ASSIGN_OR_RETURN(
        store::Statement insert,
        database->Prepare("INSERT INTO customer (token, phone, email, name, company, tags, note) "
                          "VALUES (?, ?, ?, ?, ?, ?, ?)"));
    anonymizer::TableRow row;
    bool more = true;
    while (more) {
      ASSIGN_OR_RETURN(store::Transaction batch,
                       store::Transaction::Begin(*database, store::Transaction::Kind::kWrite));
      for (std::size_t i = 0; i < anonymizer::ImportOptions::kBatchRows; ++i) {
        ASSIGN_OR_RETURN(more, table->Next(row));
        if (!more) break;
        if (row.cells.size() != 6) return absl::InternalError("a row of another form");
        for (std::size_t cell = 0; cell < 6; ++cell)
          insert.Bind(static_cast<int>(cell + 2), absl::string_view(row.cells[cell]));
        absl::Status status = absl::AlreadyExistsError("");
        while (absl::IsAlreadyExists(status)) {  // a random token may be taken
          insert.Bind(
              1, static_cast<std::int64_t>(1'000'000'000 + crypto::RandomBelow(9'000'000'000)));
          const absl::StatusOr<bool> stepped = insert.Step();
          status = stepped.status();
        }
        RETURN_IF_ERROR(status);
        insert.Reset();
      }
      RETURN_IF_ERROR(batch.Commit());
      RETURN_IF_ERROR(database->CheckpointPast(records::ContactWriter::kWalPages));
    }
  }
  return Theirs{watch.Seconds(), CpuSeconds(OwnUsage()), GigabytesWritten(OwnUsage()),
                PeakMebibytes()};
}

// seconds 0: there is no `sqlcipher` on this machine.
absl::StatusOr<Theirs> ImportByShell(const std::string& database_path,
                                     const std::string& list_path) {
  const std::string script = absl::StrCat("PRAGMA key = \"x'", std::string(64, '7'),
                                          "'\";\n.import --csv '", list_path, "' customer\n");
  const std::string script_path = database_path + ".sql";
  std::ofstream(script_path) << script;
  const Stopwatch watch;
  const pid_t child = fork();
  if (child < 0) return absl::InternalError("no process");
  if (child == 0) {
    const int in = open(script_path.c_str(), O_RDONLY | O_CLOEXEC),
              out = open("/dev/null", O_WRONLY | O_CLOEXEC);
    dup2(in, STDIN_FILENO);
    dup2(out, STDOUT_FILENO);
    execlp("sqlcipher", "sqlcipher", "-batch", database_path.c_str(), static_cast<char*>(nullptr));
    _exit(127);
  }
  int status = 0;
  rusage usage{};
  wait4(child, &status, 0, &usage);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 127) return Theirs{};
  if (status != 0) return absl::InternalError("the sqlcipher shell failed");
  return Theirs{watch.Seconds(), CpuSeconds(usage), GigabytesWritten(usage), PeakMebibytes(usage)};
}

absl::StatusOr<Theirs> ReadWorkbook(const std::string& path, std::int64_t rows) {
  const Stopwatch watch;
  ASSIGN_OR_RETURN(const auto source, anonymizer::ByteSource::Open(path));
  ASSIGN_OR_RETURN(
      const auto table,
      anonymizer::OpenTable(*source, {.format = {},
                                      .encoding = {},
                                      .delimiter = {},
                                      .looks_like_header = &anonymizer::LooksLikeHeader,
                                      .looks_like_data = &anonymizer::LooksLikeData}));
  anonymizer::TableRow row;
  std::int64_t count = 0;
  for (;;) {
    ASSIGN_OR_RETURN(const bool more, table->Next(row));
    if (!more) break;
    if (row.cells.size() != 6) return absl::InternalError("a row of another form");
    ++count;
  }
  if (count != rows) return absl::InternalError(absl::StrCat(count, " rows were read"));
  return Theirs{watch.Seconds(), CpuSeconds(OwnUsage()), GigabytesWritten(OwnUsage()),
                PeakMebibytes()};
}

// The time is that of the rows alone, without Python's start. seconds 0: there is no openpyxl here.
absl::StatusOr<Theirs> ReadByOpenpyxl(const std::string& path, std::int64_t rows) {
  const std::string script = path + ".py", seconds = path + ".seconds";
  std::ofstream(script)
      << "import sys, time\n"
         "try:\n    import openpyxl\nexcept ImportError:\n    sys.exit(127)\n"
         "start = time.time()\n"
         "book = openpyxl.load_workbook(sys.argv[1], read_only=True)\n"
         "count = sum(1 for row in book.worksheets[0].iter_rows(values_only=True) "
         "if len(row) == 6)\n"
         "open(sys.argv[2], 'w').write(str(time.time() - start))\n"
         "sys.exit(0 if count == int(sys.argv[3]) + 1 else 1)\n";
  const pid_t child = fork();
  if (child < 0) return absl::InternalError("no process");
  if (child == 0) {
    const std::string expected = absl::StrCat(rows);
    // Debian's, which has Debian's openpyxl.
    execlp("/usr/bin/python3", "python3", script.c_str(), path.c_str(), seconds.c_str(),
           expected.c_str(), static_cast<char*>(nullptr));
    _exit(127);
  }
  int status = 0;
  rusage usage{};
  wait4(child, &status, 0, &usage);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 127) return Theirs{};
  if (status != 0) return absl::InternalError("openpyxl read other rows");
  Theirs out{0, CpuSeconds(usage), GigabytesWritten(usage), PeakMebibytes(usage)};
  std::ifstream(seconds) >> out.seconds;
  return out;
}

absl::Status CompareReaders(const std::string& path, std::int64_t rows) {
  ASSIGN_OR_RETURN(const Theirs ours, InChild([&] { return ReadWorkbook(path, rows); }));
  ASSIGN_OR_RETURN(const Theirs theirs, ReadByOpenpyxl(path, rows));
  std::printf("\n(c) the workbook read alone: ours %.2f s, peak %.0f MiB", ours.seconds, ours.peak);
  if (theirs.seconds > 0) {
    std::printf("; openpyxl %.2f s, %.1fx ours, peak %.0f MiB", theirs.seconds,
                theirs.seconds / ours.seconds, theirs.peak);
  }
  std::printf("\n");
  return absl::OkStatus();
}

absl::Status Run(int argc, char** argv) {
  const std::int64_t rows = NumberFlag(argc, argv, "--rows", 1'000'000);
  const std::string format = Flag(argc, argv, "--format", "csv");
  if (format != "csv" && format != "xlsx" && format != "vcard")
    return absl::InvalidArgumentError("--format is csv, xlsx or vcard");
  if (static_cast<std::uint64_t>(rows) > kMaxRows)
    return absl::InvalidArgumentError(absl::StrCat("at most ", kMaxRows, " rows"));
  const Workplace place(Flag(argc, argv, "--dir", ""));
  const std::string& root = place.path();
  const std::string list = root + "/customers.csv", list_of_format = root + "/customers." + format,
                    plain = root + "/plain.db", shell = root + "/shell.db";
  for (const char* old : {"/vault", "/state", "/importer.key", "/plain.db", "/shell.db"}) {
    std::filesystem::remove_all(root + old);
  }
  // In a child, so that what it needed is not in the others' peak.
  RETURN_IF_ERROR(InChild([&]() -> absl::StatusOr<bool> {
                    RETURN_IF_ERROR(crypto::PrepareProcess());
                    RETURN_IF_ERROR(MakeVault(root, {"everyone"}));
                    RETURN_IF_ERROR(WriteList(list, 0, static_cast<std::uint64_t>(rows)));
                    if (format == "xlsx")
                      RETURN_IF_ERROR(
                          WriteWorkbook(list_of_format, static_cast<std::uint64_t>(rows)));
                    if (format == "vcard")
                      RETURN_IF_ERROR(WriteCards(list_of_format, static_cast<std::uint64_t>(rows)));
                    return true;
                  }).status());
  std::printf("%lld customers, a list of %.0f MB (%s)\n\n", static_cast<long long>(rows),
              static_cast<double>(std::filesystem::file_size(list_of_format)) / 1e6,
              format.c_str());
  ASSIGN_OR_RETURN(const Ours ours, InChild([&]() -> absl::StatusOr<Ours> {
                     RETURN_IF_ERROR(crypto::PrepareProcess());
                     return ImportOurs(root, list_of_format);
                   }));
  if (ours.imported != rows) {
    return absl::InternalError(absl::StrCat("imported ", ours.imported, " of ", rows,
                                            " rows, rejected ", ours.rejected,
                                            "; the first: ", ours.first_reject));
  }
  ASSIGN_OR_RETURN(const Theirs a, InChild([&]() -> absl::StatusOr<Theirs> {
                     RETURN_IF_ERROR(crypto::PrepareProcess());
                     return ImportPlain(plain, list);
                   }));
  ASSIGN_OR_RETURN(const Theirs b, ImportByShell(shell, list));

  const auto bytes_a_row = [&](const std::string& path) {
    std::error_code error;
    const auto size = std::filesystem::file_size(path, error);
    return error ? 0.0 : static_cast<double>(size) / static_cast<double>(rows);
  };
  std::printf("%-34s %8s %8s %7s %8s %10s %9s %8s\n", "", "seconds", "ours is", "CPU s", "ours is",
              "GB written", "bytes/row", "peak MiB");
  std::printf("%.0f rows a second\n", static_cast<double>(rows) / ours.seconds);
  std::printf("%-34s %8.2f %8s %7.2f %8s %10.2f %9.0f %8.0f\n", "ours, all stages", ours.seconds,
              "", ours.cpu, "", ours.written, bytes_a_row(PathsIn(root).database()), ours.peak);
  const auto other = [&](const char* name, const Theirs& theirs, const std::string& path) {
    if (theirs.seconds == 0) {
      std::printf("%-34s %8s\n", name, "not here");
      return;
    }
    std::printf("%-34s %8.2f %7.2fx %7.2f %7.2fx %10.2f %9.0f %8.0f\n", name, theirs.seconds,
                ours.seconds / theirs.seconds, theirs.cpu, ours.cpu / theirs.cpu, theirs.written,
                bytes_a_row(path), theirs.peak);
  };
  other("(a) the same rows clear", a, plain);
  other("(b) .import of the shell, no index", b, shell);
  std::printf("\nlongest write lock %.3f s\n", ours.longest_lock);
  // On a machine with two cores to itself the slower thread sets the pace.
  const double slower = std::max(ours.writing_cpu, ours.cpu - ours.writing_cpu);
  std::printf(
      "CPU of the writing thread %.2f s, of the reading thread %.2f s; the slower one is %.2fx "
      "(a)'s CPU\n\n",
      ours.writing_cpu, ours.cpu - ours.writing_cpu, slower / a.cpu);
  const auto share = [&](const char* name, double seconds) {
    std::printf("  %-44s %5.1f %%\n", name, 100 * seconds / ours.seconds);
  };
  std::printf("where the time went, of ours\n reading thread\n");
  share("parsing, columns, classes, masks", ours.read);
  share("phone numbers", ours.phones);
  share("waiting for the other thread", ours.seconds - ours.read - ours.phones);
  std::printf(" writing thread\n");
  share("looking up identifiers and tokens", ours.lookup);
  share("sealing", ours.seal);
  share("index: identifiers and tokens inserted", ours.index);
  share("pages: rows inserted", ours.write);
  share("pages: commit, and checkpoints of the WAL", ours.commit);
  share("waiting, unlocking, closing",
        ours.seconds - ours.lookup - ours.seal - ours.index - ours.write - ours.commit);
  if (format == "xlsx") RETURN_IF_ERROR(CompareReaders(list_of_format, rows));
  return absl::OkStatus();
}

}  // namespace
}  // namespace sealbook::bench

int main(int argc, char** argv) {
  const absl::Status status = sealbook::bench::Run(argc, argv);
  if (!status.ok()) std::fprintf(stderr, "bench_import: %s\n", status.ToString().c_str());
  return status.ok() ? 0 : 1;
}
