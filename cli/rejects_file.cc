#include "cli/rejects_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "anonymizer/exported_list.h"
#include "cli/command.h"
#include "vault/status.h"

namespace sealbook::cli {
namespace {

using anonymizer::TableFormat;

constexpr absl::string_view kMark = "\xef\xbb\xbf";  // with it, spreadsheets read and save UTF-8
constexpr absl::string_view kCsvStart = "\"sealbook_line\",\"sealbook_reason\",\"sealbook_text\"";
constexpr absl::string_view kJsonStart = "{\"sealbook_line\":";
constexpr absl::string_view kCardLine = "\nX-SEALBOOK-LINE:";

std::string CsvRow(const std::vector<std::string>& cells) {
  return absl::StrCat(
      absl::StrJoin(cells, ",",
                    [](std::string* out, const std::string& cell) {
                      absl::StrAppend(out, "\"", absl::StrReplaceAll(cell, {{"\"", "\"\""}}), "\"");
                    }),
      "\r\n");
}

// Every reason is a clause of the program's own and may stand in a line of JSON or of a card.
std::string JsonLine(const anonymizer::Reject& reject, absl::string_view raw) {
  const std::string front = absl::StrCat(
      kJsonStart, reject.line, ",\"sealbook_reason\":", nlohmann::json(reject.reason).dump());
  absl::string_view rest = absl::StripAsciiWhitespace(raw);
  // A line that is no object stays as it is, and is none the next time either.
  if (!rest.empty() && !absl::ConsumePrefix(&rest, "{")) return absl::StrCat(raw, "\n");
  rest = absl::StripAsciiWhitespace(rest);
  if (rest.empty() || rest == "}") return absl::StrCat(front, "}\n");
  return absl::StrCat(front, ",", rest, "\n");
}

std::string Card(const anonymizer::Reject& reject, absl::string_view raw) {
  const std::string added = absl::StrCat("X-SEALBOOK-LINE:", reject.line,
                                         "\r\nX-SEALBOOK-REASON:", reject.reason, "\r\n");
  if (raw.empty()) return absl::StrCat("BEGIN:VCARD\r\nVERSION:3.0\r\n", added, "END:VCARD\r\n");
  const std::size_t first_end = raw.find('\n');
  const bool card = absl::StartsWithIgnoreCase(raw, "BEGIN:VCARD");
  const std::string end = absl::EndsWith(raw, "\n") ? "" : "\r\n";
  if (!card || first_end == absl::string_view::npos) return absl::StrCat(raw, end);
  return absl::StrCat(raw.substr(0, first_end + 1), added, raw.substr(first_end + 1), end);
}

std::string FolderOf(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

std::string LeafOf(const std::string& path) { return path.substr(path.rfind('/') + 1); }

bool SameFile(const std::string& one, const std::string& two) {
  struct stat first {
  }, second{};
  return stat(one.c_str(), &first) == 0 && stat(two.c_str(), &second) == 0 &&
         first.st_ino == second.st_ino && first.st_dev == second.st_dev;
}

enum class Standing { kNothing, kRejects, kOther };

// What stands at `path`. A first row that is no JSON or no card is kept without a mark: the mark is
// looked for behind it as well. An empty file has nothing to lose.
Standing LookAt(const std::string& path) {
  struct stat seen {};
  if (lstat(path.c_str(), &seen) != 0)
    return errno == ENOENT ? Standing::kNothing : Standing::kOther;
  if (!S_ISREG(seen.st_mode)) return Standing::kOther;
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (fd < 0) return Standing::kOther;
  std::string head(64 << 10, '\0');
  const ssize_t got =
      fstat(fd, &seen) == 0 && S_ISREG(seen.st_mode) ? pread(fd, head.data(), head.size(), 0) : -1;
  close(fd);
  if (got < 0) return Standing::kOther;
  head.resize(static_cast<std::size_t>(got));
  const bool rejects = head.empty() || absl::StartsWith(head, absl::StrCat(kMark, kCsvStart)) ||
                       absl::StartsWith(head, kJsonStart) ||
                       absl::StrContains(head, absl::StrCat("\n", kJsonStart)) ||
                       absl::StrContains(head, kCardLine);
  return rejects ? Standing::kRejects : Standing::kOther;
}

// Never in the place of another file. EEXIST: there is one.
bool MoveToFreeName(const std::string& from, const std::string& to) {
  if (renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return true;
  if (errno != EINVAL && errno != ENOSYS) return false;
  // A file system that knows no such flag.
  return link(from.c_str(), to.c_str()) == 0 && unlink(from.c_str()) == 0;
}

constexpr int kMaxTemporaries = 100;
constexpr int kMaxPassedOver = 10'000;  // numbered files that are there already

std::string TemporaryName(const std::string& path, int number) {
  return absl::StrCat(FolderOf(path), "/.", LeafOf(path), ".sealbook-", number);
}

// What a run that was killed left. The file of a run that is under way is locked by it.
void RemoveStale(const std::string& path) {
  for (int number = 1; number <= kMaxTemporaries; ++number) {
    const std::string name = TemporaryName(path, number);
    const int fd = open(name.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0) continue;
    struct stat seen {};
    if (fstat(fd, &seen) == 0 && S_ISREG(seen.st_mode) && seen.st_uid == geteuid() &&
        flock(fd, LOCK_EX | LOCK_NB) == 0)
      unlink(name.c_str());
    close(fd);
  }
}

absl::string_view EndingOf(TableFormat format) {
  if (format == TableFormat::kJsonLines) return ".jsonl";
  return format == TableFormat::kVcard ? ".vcf" : ".csv";
}

// After a write that failed.
absl::Status CannotWrite(const std::string& path) {
  const int error = errno;
  if (error == ENOSPC || error == EDQUOT || error == EFBIG) {
    return WithHint(absl::ResourceExhaustedError(absl::StrCat(
                        "the disk is full, or files may grow no more: cannot write ", path)),
                    "Make room there and run the same import again; it adds nothing twice.");
  }
  return WithHint(absl::InternalError(absl::StrCat("cannot write ", path)),
                  "Look after that disk and run the same import again; it adds nothing twice.");
}

bool IsTable(TableFormat format) {
  return format != TableFormat::kJsonLines && format != TableFormat::kVcard;
}

}  // namespace

absl::StatusOr<std::unique_ptr<RejectsFile>> RejectsFile::Create(Options options) {
  std::unique_ptr<RejectsFile> rejects(new RejectsFile(std::move(options)));
  const std::string& path = rejects->options_.path;
  const std::string folder = FolderOf(path);
  if (rejects->IsInput(path)) return Usage("--rejects names the list itself", "Name another file.");
  if (LeafOf(path).empty() || access(folder.c_str(), W_OK | X_OK) != 0) {
    return Usage(absl::StrCat("cannot write ", path),
                 "Name a file in a folder that you may write to.");
  }
  if (SameFile(folder, rejects->options_.vault)) {
    return Usage("--rejects names a file in the vault's own folder",
                 "Name a file in another folder.");
  }
  if (LookAt(path) == Standing::kOther) {
    return Usage(absl::StrCat(path, " is there already and is no file of rejected rows"),
                 "Name another file; this one would be lost.");
  }
  RemoveStale(path);
  return rejects;
}

RejectsFile::~RejectsFile() { Discard(); }

bool RejectsFile::IsInput(const std::string& path) const {
  for (const std::string& input : options_.inputs) {
    if (SameFile(input, path)) return true;
  }
  return false;
}

// "rejects.csv" → "rejects-2.csv"; "rejects-2.jsonl" where it holds JSON.
std::string RejectsFile::Name(int number) const {
  const std::string& path = options_.path;
  if (number == 1) return path;
  const std::size_t slash = path.rfind('/');
  const std::size_t dot = path.rfind('.');
  const bool has_ending =
      dot != std::string::npos && dot > 0 && (slash == std::string::npos || dot > slash + 1);
  const std::size_t at = has_ending ? dot : path.size();
  absl::string_view ending = absl::string_view(path).substr(at);
  const std::string lower = absl::AsciiStrToLower(ending);
  if (lower == ".csv" || lower == ".jsonl" || lower == ".vcf") {
    if (lower != EndingOf(format_)) ending = EndingOf(format_);
  }
  return absl::StrCat(path.substr(0, at), "-", number, ending);
}

absl::Status RejectsFile::StartList(const anonymizer::CustomerList& list) {
  wanted_format_ = IsTable(list.format()) ? TableFormat::kCsv : list.format();
  wanted_header_.clear();
  is_workbook_ = list.format() == TableFormat::kXlsx;
  if (!IsTable(wanted_format_)) return absl::OkStatus();
  wanted_header_ = {"sealbook_line", "sealbook_reason", "sealbook_text"};
  for (const anonymizer::Column& column : list.columns()) wanted_header_.push_back(column.name);
  return absl::OkStatus();
}

void RejectsFile::StartLines() {
  wanted_format_ = TableFormat::kJsonLines;
  wanted_header_.clear();
  is_workbook_ = false;
}

// Before each row.
absl::Status RejectsFile::Begin() {
  if (file_ != nullptr && format_ == wanted_format_ && header_ == wanted_header_)
    return absl::OkStatus();
  RETURN_IF_ERROR(Finish(options_.keep_existing));
  format_ = wanted_format_;
  header_ = wanted_header_;
  int fd = -1, error = EEXIST;
  for (int number = 1; fd < 0 && error == EEXIST && number <= kMaxTemporaries; ++number) {
    temporary_ = TemporaryName(options_.path, number);
    fd = open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
      error = errno;
      continue;
    }
    // Tells others that it is in use; one of them may have taken it for stale just before.
    struct stat made {
    }, named{};
    flock(fd, LOCK_EX | LOCK_NB);
    if (fstat(fd, &made) == 0 && lstat(temporary_.c_str(), &named) == 0 &&
        made.st_ino == named.st_ino)
      continue;
    close(std::exchange(fd, -1));
  }
  if (fd >= 0) file_ = fdopen(fd, "w");
  if (file_ == nullptr) {
    if (fd >= 0) {
      error = errno;
      unlink(temporary_.c_str());
      close(fd);
    }
    temporary_.clear();
    errno = error;
    return CannotWrite(Name(number_));
  }
  damaged_ = false;
  return IsTable(format_) ? Write(absl::StrCat(kMark, CsvRow(header_))) : absl::OkStatus();
}

absl::Status RejectsFile::Add(const anonymizer::Reject& reject, const anonymizer::SourceRow& row) {
  RETURN_IF_ERROR(Begin());
  if (format_ == TableFormat::kJsonLines) return Write(JsonLine(reject, row.raw));
  if (format_ == TableFormat::kVcard) return Write(Card(reject, row.raw));
  // A row with too few or too many cells keeps them as they are, so that it is no good row before
  // somebody mends it.
  std::vector<std::string> cells = {absl::StrCat(reject.line), reject.reason, row.raw};
  for (const std::string& cell : row.cells) {
    // A text of a workbook that looks like a formula would be one in a CSV file; import takes the
    // apostrophe off again.
    const bool formula = is_workbook_ && anonymizer::NeedsApostrophe(cell);
    cells.push_back(absl::StrCat(formula ? "'" : "", cell));
  }
  // A workbook leaves empty cells at the end out, which is no fault of the row.
  if (is_workbook_ && row.kept() && cells.size() < header_.size()) cells.resize(header_.size());
  return Write(CsvRow(cells));
}

absl::Status RejectsFile::Write(const std::string& text) {
  if (std::fwrite(text.data(), 1, text.size(), file_) == text.size()) return absl::OkStatus();
  const absl::Status failed = CannotWrite(Name(number_));
  damaged_ = true;
  return failed;
}

absl::Status RejectsFile::Sync() {
  if (std::fflush(file_) == 0 && fsync(fileno(file_)) == 0) return absl::OkStatus();
  const absl::Status failed = CannotWrite(Name(number_));
  damaged_ = true;
  return failed;
}

// Gives `file_` the first name that is free or may be replaced.
absl::Status RejectsFile::Publish(bool keep_existing) {
  if (temporary_.empty()) return absl::OkStatus();
  for (const int first = number_;; ++number_) {
    const std::string name = Name(number_);
    if (number_ - first > kMaxPassedOver) {
      errno = EEXIST;
      return CannotWrite(name);
    }
    const Standing standing = LookAt(name);
    if (standing == Standing::kOther || IsInput(name)) continue;
    if (standing == Standing::kRejects && keep_existing) continue;
    const bool moved = standing == Standing::kRejects
                           ? rename(temporary_.c_str(), name.c_str()) == 0
                           : MoveToFreeName(temporary_, name);
    if (!moved && errno == EEXIST) continue;
    if (!moved) return CannotWrite(name);
    temporary_.clear();
    paths_.push_back(name);
    ++number_;
    break;
  }
  const int folder = open(FolderOf(options_.path).c_str(), O_RDONLY | O_CLOEXEC | O_DIRECTORY);
  const bool synced = folder >= 0 && fsync(folder) == 0;
  const int error = errno;
  if (folder >= 0) close(folder);
  // Some file systems cannot do that for folders.
  if (synced || error == EINVAL || error == EACCES || error == EPERM) return absl::OkStatus();
  errno = error;
  return CannotWrite(paths_.back());
}

absl::Status RejectsFile::Flush() {
  if (file_ == nullptr) return absl::OkStatus();
  RETURN_IF_ERROR(Sync());
  return Publish(options_.keep_existing);
}

absl::Status RejectsFile::Finish(bool keep_existing) {
  if (file_ == nullptr) return absl::OkStatus();
  absl::Status status = damaged_ ? absl::OkStatus() : Sync();
  if (status.ok() && !damaged_) status = Publish(keep_existing);
  Discard();
  return status;
}

absl::Status RejectsFile::Close(bool failed) { return Finish(options_.keep_existing || failed); }

// A file without its own name goes.
void RejectsFile::Discard() {
  if (file_ == nullptr) return;
  if (!temporary_.empty()) unlink(temporary_.c_str());
  temporary_.clear();
  std::fclose(std::exchange(file_, nullptr));
}

}  // namespace sealbook::cli
