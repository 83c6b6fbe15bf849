#include <sys/stat.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "cli/chat_import.h"
#include "cli/commands.h"
#include "vault/records/token.h"
#include "vault/status.h"

namespace sealbook::cli {
namespace {

constexpr auto kMaxListed = anonymizer::ImportReport::kMaxListed;

absl::Status CheckInputs(const Context& context, const Arguments& arguments) {
  const auto& files = arguments.positional();
  if (arguments.Has("watch")) {
    if (!files.empty())
      return Usage("--watch takes a folder's files, and no others", "Name no file.");
    if (arguments.Has("dry-run"))
      return Usage("--dry-run looks at files that are named, and not at a folder",
                   "Name the files.");
    if (arguments.Has("contact"))
      return Usage("--contact says whose chat one file is", "Name the file.");
    return absl::OkStatus();
  }
  if (files.empty())
    return Usage("no file is named", "Name chat files, or a folder with --watch DIR.");
  if (arguments.Has("once"))
    return Usage("--once goes with --watch", "Named files are imported once in any case.");
  if (arguments.Has("contact") && files.size() > 1)
    return Usage("--contact says whose chat one file is", "Import the files one by one.");
  const auto inputs =
      std::count(files.begin(), files.end(), std::string(anonymizer::ByteSource::kStandardInput));
  if (inputs > 1) return Usage("standard input is named twice", "Give one chat through a pipe.");
  if (inputs == 1 && context.globals().passphrase_file == anonymizer::ByteSource::kStandardInput)
    return Usage("the passphrase and the chat cannot both come from standard input",
                 "Name a file for one of them.");
  return absl::OkStatus();
}

absl::StatusOr<ChatImportRequest> Parse(Context& context, const Arguments& arguments) {
  ChatImportRequest request{.dry_run = arguments.Has("dry-run")};
  if (arguments.Has("format")) {
    auto format = anonymizer::ParseChatFormat(arguments.Value("format"));
    if (!format.ok())
      return Usage(format.status().message(), "There are whatsapp, kakaotalk, webhook and jsonl.");
    request.reader.format = *format;
  }
  request.zone_is_assumed = !arguments.Has("timezone");
  request.watched = arguments.Has("watch");
  if (arguments.Has("timezone") &&
      !absl::LoadTimeZone(arguments.Value("timezone"), &request.reader.zone)) {
    return Usage("there is no such time zone", "For example --timezone Asia/Seoul.");
  }
  request.import.me = arguments.Value("me");
  request.reader.me = request.import.me;
  request.import.without_me = arguments.Has("without-me");
  if (request.import.without_me && arguments.Has("me"))
    return Usage("--me and --without-me exclude each other", "Give one of them.");
  request.import.contact = arguments.Value("contact");
  if (!request.import.contact.empty() && !records::ParseToken(request.import.contact).ok())
    return Usage("--contact is no token, or a mistyped one", "A token looks like UID_2837470195.");
  RETURN_IF_ERROR(CheckInputs(context, arguments));
  RETURN_IF_ERROR(context.Unlock());
  RETURN_IF_ERROR(context.Require(policies::Action::kImport));
  request.reader.region = context.policy().region();
  request.import.region = context.policy().region();
  request.import.interrupted = &Interrupted;
  if (const std::string name = arguments.Value("book"); !name.empty()) {
    RETURN_IF_ERROR(context.Require(policies::Action::kAssign));
    const keyring::Book* book = context.keyring().roster().FindBook(name);
    if (book == nullptr) {
      return WithHint(absl::NotFoundError(absl::StrCat("there is no book named ", Printable(name))),
                      "'sealbook book list' shows the books; 'sealbook book add' makes one.");
    }
    request.import.books.push_back(book->id);
  }
  return request;
}

// Several files as one answer.
Json Sum(const std::vector<ChatFile>& files, const RejectsFile* rejects_file, bool dry_run,
         absl::Duration took) {
  if (files.size() == 1) {
    Json json = ToJson(files[0], dry_run);
    json["rejects_files"] = rejects_file != nullptr ? Json(rejects_file->paths()) : Json::array();
    json["seconds"] = absl::ToDoubleSeconds(took);
    return json;
  }
  anonymizer::ChatImportReport sum;
  Json rejects = Json::array(), remarks = Json::array(), each = Json::array();
  for (const ChatFile& file : files) {
    sum.messages += file.report.messages, sum.imported += file.report.imported;
    sum.duplicates += file.report.duplicates, sum.rejected += file.report.rejected;
    sum.contacts_created += file.report.contacts_created;
    for (const anonymizer::Reject& reject : file.report.rejects) {
      if (rejects.size() >= kMaxListed) break;
      rejects.push_back({{"file", file.name}, {"line", reject.line}, {"reason", reject.reason}});
    }
    for (const std::string& remark : file.report.remarks)
      remarks.push_back(absl::StrCat(file.name, ": ", remark));
    each.push_back(ToJson(file, dry_run));
  }
  return {{"messages", sum.messages},
          {"imported", sum.imported},
          {"duplicates", sum.duplicates},
          {"rejected", sum.rejected},
          {"contacts_created", sum.contacts_created},
          {"rejects", std::move(rejects)},
          {"remarks", std::move(remarks)},
          {"files", std::move(each)},
          {"rejects_files", rejects_file != nullptr ? Json(rejects_file->paths()) : Json::array()},
          {"seconds", absl::ToDoubleSeconds(took)}};
}

// A file that is no chat does not keep the others out. The first fault is returned: told already,
// but for an answer in JSON, where it stands beside what was done.
absl::Status ImportFiles(Context& context, const ChatImportRequest& request,
                         const std::vector<std::string>& paths, RejectsFile* rejects,
                         std::vector<ChatFile>& files) {
  absl::Status first;
  for (const std::string& path : paths) {
    ChatFile& file = files.emplace_back();
    const absl::Status status = ImportChatFile(context, request, path, rejects, file);
    // What was stored before an interruption is told as well.
    if (!context.globals().json && (status.ok() || file.report.messages > 0))
      PrintChatFile(file, request.dry_run);
    if (status.ok()) continue;
    first.Update(status);
    if (!IsOfTheFile(status)) break;
    if (!context.globals().json && paths.size() > 1) {
      std::fflush(stdout);  // in the order in which it happened
      PrintError(context.globals(), status);
    }
  }
  return first;
}

bool AnyRead(const std::vector<ChatFile>& files) {
  return std::any_of(files.begin(), files.end(),
                     [](const ChatFile& file) { return file.report.messages > 0; });
}

// The exit code of what was told already.
absl::Status WithoutMessage(const absl::Status& status) { return absl::Status(status.code(), ""); }

absl::Status RunImport(Context& context, const Arguments& arguments) {
  ASSIGN_OR_RETURN(const ChatImportRequest request, Parse(context, arguments));
  CatchInterrupts();
  std::unique_ptr<RejectsFile> rejects;
  if (arguments.Has("rejects") && !request.dry_run) {
    ASSIGN_OR_RETURN(const std::string vault, context.VaultDirectory());
    ASSIGN_OR_RETURN(rejects, RejectsFile::Create({.path = arguments.Value("rejects"),
                                                   .inputs = arguments.positional(),
                                                   .vault = vault,
                                                   .keep_existing = arguments.Has("watch")}));
  }
  const absl::Time start = absl::Now();
  std::vector<ChatFile> files;
  absl::Status status =
      arguments.Has("watch")
          ? WatchChats(context, request, arguments.Value("watch"), arguments.Has("once"),
                       rejects.get())
          : ImportFiles(context, request, arguments.positional(), rejects.get(), files);
  if (rejects) {
    const absl::Status closed = rejects->Close(!status.ok());
    if (status.ok()) status = closed;
    if (!context.globals().json) {
      for (const std::string& path : rejects->paths())
        PrintLine(Printable(absl::StrCat("The rejected messages are in ", path, ".")));
    }
  }
  if (arguments.Has("watch")) return status;
  if (context.globals().json && (status.ok() || AnyRead(files))) {
    Json json = Sum(files, rejects.get(), request.dry_run, absl::Now() - start);
    if (!status.ok()) json["error"] = ErrorJson(status);
    PrintJson(json);
    return WithoutMessage(status);
  }
  // Each file's was told when it happened.
  return files.size() > 1 && IsOfTheFile(status) ? WithoutMessage(status) : status;
}

}  // namespace

Command ChatImportCommand() {
  return {
      .name = "chat import",
      .arguments = "FILE… | --watch DIR [--book BOOK] [--me NAME|PHONE] [--dry-run]",
      .summary = "chats: WhatsApp's and KakaoTalk's exports, webhooks, JSON Lines",
      .options = {{"book", Option::Kind::kValue, "BOOK", "new customers are assigned to this book"},
                  {"me", Option::Kind::kValue, "NAME|PHONE",
                   "which author of an export is the company"},
                  {"without-me", Option::Kind::kFlag, "", "no author is the company"},
                  {"contact", Option::Kind::kValue, "UID", "whose chat it is, of a chat of two"},
                  {"dry-run", Option::Kind::kFlag, "", "shows what was found and writes nothing"},
                  {"timezone", Option::Kind::kValue, "TZ",
                   "of the clock in exports; default: this machine's"},
                  {"format", Option::Kind::kValue, "FORMAT",
                   "whatsapp, kakaotalk, webhook or jsonl; found out otherwise"},
                  {"rejects", Option::Kind::kValue, "F", "writes the bad messages to F"},
                  {"watch", Option::Kind::kValue, "DIR", "takes each file that is put into DIR"},
                  {"once", Option::Kind::kFlag, "",
                   "with --watch: what is there now, and no more"}},
      .max_positional = kAnyNumber,
      .run = &RunImport};
}

}  // namespace sealbook::cli
