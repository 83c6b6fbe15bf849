#include "cli/rejects_file.h"

#include <errno.h>
#include <fcntl.h>
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
#include "cli/command.h"
#include "vault/status.h"

namespace sealbook::cli {
namespace {

using anonymizer::TableFormat;

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
  const std::string front =
      absl::StrCat("{\"sealbook_line\":", reject.line,
                   ",\"sealbook_reason\":", nlohmann::json(reject.reason).dump());
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

// "rejects.csv" → "rejects-2.csv".
std::string Numbered(const std::string& path, int number) {
  if (number == 1) return path;
  const std::size_t slash = path.rfind('/');
  const std::size_t dot = path.rfind('.');
  const bool has_extension =
      dot != std::string::npos && dot > 0 && (slash == std::string::npos || dot > slash + 1);
  const std::size_t at = has_extension ? dot : path.size();
  return absl::StrCat(path.substr(0, at), "-", number, path.substr(at));
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

absl::StatusOr<std::unique_ptr<RejectsFile>> RejectsFile::Create(
    const std::string& path, const std::vector<std::string>& inputs) {
  std::unique_ptr<RejectsFile> rejects(new RejectsFile(path, inputs));
  RETURN_IF_ERROR(rejects->OpenNext());
  return rejects;
}

RejectsFile::~RejectsFile() {
  if (file_ != nullptr) std::fclose(file_);
}

absl::Status RejectsFile::OpenNext() {
  if (file_ != nullptr) RETURN_IF_ERROR(Close());
  current_ = Numbered(path_, ++files_);
  struct stat target {
  }, input{};
  if (stat(current_.c_str(), &target) == 0) {
    for (const std::string& name : inputs_) {
      if (stat(name.c_str(), &input) == 0 && input.st_ino == target.st_ino &&
          input.st_dev == target.st_dev)
        return Usage("--rejects names the list itself", "Name another file.");
    }
  }
  const int fd =
      open(current_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0 || fchmod(fd, 0600) != 0) {
    if (fd >= 0) close(fd);
    return Usage(absl::StrCat("cannot write ", current_),
                 "Name a file in a folder that you may write to.");
  }
  file_ = fdopen(fd, "w");
  empty_ = true;
  return absl::OkStatus();
}

absl::Status RejectsFile::StartList(const anonymizer::CustomerList& list) {
  wanted_format_ = IsTable(list.format()) ? TableFormat::kCsv : list.format();
  wanted_header_.clear();
  if (!IsTable(wanted_format_)) return absl::OkStatus();
  wanted_header_ = {"sealbook_line", "sealbook_reason", "sealbook_text"};
  for (const anonymizer::Column& column : list.columns()) wanted_header_.push_back(column.name);
  return absl::OkStatus();
}

// Before the first row of a list.
absl::Status RejectsFile::Begin() {
  if (!empty_ && format_ == wanted_format_ && header_ == wanted_header_) return absl::OkStatus();
  if (!empty_) RETURN_IF_ERROR(OpenNext());
  format_ = wanted_format_;
  header_ = wanted_header_;
  empty_ = false;
  paths_.push_back(current_);
  // With the mark, spreadsheets read and save it as UTF-8.
  return IsTable(format_) ? Write(absl::StrCat("\xef\xbb\xbf", CsvRow(header_))) : absl::OkStatus();
}

absl::Status RejectsFile::Add(const anonymizer::Reject& reject, const anonymizer::SourceRow& row) {
  RETURN_IF_ERROR(Begin());
  if (format_ == TableFormat::kJsonLines) return Write(JsonLine(reject, row.raw));
  if (format_ == TableFormat::kVcard) return Write(Card(reject, row.raw));
  // A row with too few or too many cells keeps them as they are, so that it is no good row before
  // somebody mends it.
  std::vector<std::string> cells = {absl::StrCat(reject.line), reject.reason, row.raw};
  cells.insert(cells.end(), row.cells.begin(), row.cells.end());
  return Write(CsvRow(cells));
}

absl::Status RejectsFile::Write(const std::string& text) {
  if (std::fwrite(text.data(), 1, text.size(), file_) == text.size()) return absl::OkStatus();
  return CannotWrite(current_);
}

absl::Status RejectsFile::Close() {
  const absl::Status flushed = Flush();
  std::fclose(std::exchange(file_, nullptr));
  return flushed;
}

absl::Status RejectsFile::Flush() {
  if (std::fflush(file_) == 0 && fsync(fileno(file_)) == 0) return absl::OkStatus();
  return CannotWrite(current_);
}

}  // namespace sealbook::cli
