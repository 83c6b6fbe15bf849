#include "cli/chat_import.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/time/clock.h"
#include "anonymizer/whatsapp_words.h"
#include "cli/chat_messages.h"
#include "cli/commands.h"
#include "vault/status.h"

namespace sealbook::cli {
namespace {

using anonymizer::ChatMessage;
using anonymizer::Reject;

std::string Count(std::int64_t number, absl::string_view one, absl::string_view many) {
  return absl::StrCat(number, " ", number == 1 ? one : many);
}

// What a file that was rejected in part had there: a line of JSON, as it stands where that is known
// and otherwise in the form that 'chat import' reads.
std::string RawOf(const ChatMessage& message, anonymizer::ChatFormat format) {
  const bool records =
      format == anonymizer::ChatFormat::kWebhook || format == anonymizer::ChatFormat::kJsonLines;
  if (records && !message.raw.empty()) return message.raw;
  Json json = Json::object();
  if (!message.token.empty()) json["uid"] = message.token;
  for (const records::IdentifierValue& identifier : message.customer) {
    // A number of WhatsApp's own has become a phone; beside another one it is written as it came.
    const bool phone = identifier.kind == IdentifierKind::kPhone;
    std::string field(anonymizer::FieldOfKind(identifier.kind));
    if (phone && json.contains(field)) field = "whatsapp_id";
    const bool bare = phone && field == "whatsapp_id";
    for (int number = 2; json.contains(field); ++number)
      field = absl::StrCat(anonymizer::FieldOfKind(identifier.kind), "_", number);
    json[field] = bare ? identifier.value.substr(1) : identifier.value;
  }
  if (message.time != absl::Time()) json["time"] = FormatUtc(message.time);
  if (message.outgoing) json["direction"] = *message.outgoing ? "out" : "in";
  if (!message.author.empty()) json["author"] = message.author;
  json["text"] = message.raw.empty() ? message.text : message.raw;
  if (!message.id.empty()) json["id"] = message.id;
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// In the place of the file's own name.
absl::Status Named(const absl::Status& status, const std::string& path, const std::string& shown) {
  if (status.ok() || path == shown) return status;
  absl::Status named(status.code(), absl::StrReplaceAll(status.message(), {{path, shown}}));
  const std::string hint = HintOf(status);
  return hint.empty() ? named : WithHint(std::move(named), hint);
}

// Names that the file itself tells of may stand in its own.
std::string WithoutNamesOf(std::string shown, const anonymizer::ChatSurvey& survey) {
  const std::size_t leaf = shown.rfind('/') + 1;
  const auto hide = [&](const std::string& name) {
    if (name.size() < 2) return;
    for (std::size_t at = shown.find(name, leaf); at != std::string::npos;
         at = shown.find(name, at))
      shown.replace(at, name.size(), "…");
  };
  hide(survey.chat_name);
  for (const auto& [author, messages] : survey.authors) hide(author);
  return shown;
}

// Of a file of which no message could be taken: as if it were done, it would be lost.
absl::Status NothingTaken(const ChatFile& file) {
  const anonymizer::ChatImportReport& report = file.report;
  if (report.rejected == 0 || report.rejected < report.messages) return absl::OkStatus();
  const Reject& first = report.rejects.front();
  return WithHint(
      absl::InvalidArgumentError(absl::StrCat(file.name, " line ", first.line, ": ", first.reason,
                                              "; no message of the file could be taken")),
      "Look at that line, or for another --format; --rejects F keeps all of them.");
}

}  // namespace

bool IsOfTheFile(const absl::Status& status) {
  return absl::IsInvalidArgument(status) || absl::IsFailedPrecondition(status);
}

std::string ShownChatFile(const std::string& path, bool watched) {
  const std::size_t leaf = path.rfind('/') + 1;
  const std::string name = path.substr(leaf), lower = absl::AsciiStrToLower(name);
  const std::size_t dot = name.rfind('.');
  std::string ending = dot == std::string::npos ? "" : name.substr(dot);
  if (ending.size() > 6 ||
      !std::all_of(ending.begin() + (ending.empty() ? 0 : 1), ending.end(),
                   [](char c) { return absl::ascii_isalnum(static_cast<unsigned char>(c)); }))
    ending.clear();
  const auto shown = [&](absl::string_view app) {
    return Printable(absl::StrCat(path.substr(0, leaf), app, "…", ending));
  };
  for (const char* app : {"WhatsApp", "KakaoTalk"}) {
    if (absl::StrContains(lower, absl::AsciiStrToLower(app))) return shown(app);
  }
  // Titles that have the app's name in another script, or in none.
  if (anonymizer::ChatNameOf(path)) return shown("WhatsApp");
  if (absl::StrContains(name, "카카오톡") || absl::StartsWith(lower, "talk_"))
    return shown("KakaoTalk");
  const bool written_by_programs =
      lower.ends_with(".json") || lower.ends_with(".jsonl") || lower.ends_with(".ndjson");
  return watched && !written_by_programs ? shown("") : Printable(path);
}

namespace {

absl::Status Import(Context& context, const ChatImportRequest& request, const std::string& path,
                    RejectsFile* rejects, ChatFile& file) {
  file.name = ShownChatFile(path, request.watched);
  auto bytes = anonymizer::ByteSource::Open(path, &Interrupted);
  if (!bytes.ok()) return Named(bytes.status(), path, file.name);
  auto reader = anonymizer::OpenChat(**bytes, request.reader);
  if (!reader.ok()) return anonymizer::About(file.name, Named(reader.status(), path, file.name));
  file.format = (*reader)->format();
  if (*file.format == anonymizer::ChatFormat::kWhatsApp ||
      *file.format == anonymizer::ChatFormat::kKakaoTalk) {
    file.zone = request.reader.zone;
    file.zone_is_assumed = request.zone_is_assumed;
  }
  if ((*reader)->survey() != nullptr) {
    file.survey = *(*reader)->survey();
    file.name = WithoutNamesOf(file.name, file.survey);
    file.authors = file.survey.authors.size();
    file.survey.authors.clear();
    file.survey.chat_name.clear(), file.survey.self.clear();
  }
  anonymizer::ChatImportOptions options = request.import;
  if (rejects != nullptr) {
    rejects->StartLines();
    options.on_reject = [&](const Reject& reject, const ChatMessage& message) {
      return rejects->Add(reject, {.cells = {}, .raw = RawOf(message, *file.format)});
    };
  }
  Progress progress(context.globals(), "chat import");
  options.progress = [&](std::int64_t messages, std::uint64_t read) {
    progress.Update(messages, read, (*bytes)->bytes_total());
  };
  const absl::Status status = request.dry_run
                                  ? anonymizer::CheckChat(context.keyring(), context.policy(),
                                                          **reader, options, file.report)
                                  : anonymizer::ImportChat(context.keyring(), context.policy(),
                                                           **reader, options, file.report);
  progress.Finish();
  // Complete once all messages were read; what the readers say stands before what was done with it.
  std::vector<std::string> remarks = (*reader)->remarks();
  remarks.insert(remarks.end(), file.report.remarks.begin(), file.report.remarks.end());
  file.report.remarks = std::move(remarks);
  RETURN_IF_ERROR(anonymizer::About(file.name, Named(status, path, file.name)));
  if (file.report.damaged == 0) return NothingTaken(file);
  return WithHint(absl::DataLossError(absl::StrCat(
                      file.name, ": ", Count(file.report.damaged, "message is", "messages are"),
                      " of customers whose record in the vault does not count, first in line ",
                      file.report.damaged_lines.front(), "; they were left alone")),
                  "Run 'sealbook doctor'.");
}

}  // namespace

absl::Status ImportChatFile(Context& context, const ChatImportRequest& request,
                            const std::string& path, RejectsFile* rejects, ChatFile& file) {
  return file.status = Import(context, request, path, rejects, file);
}

Json ToJson(const ChatFile& file, bool dry_run) {
  const anonymizer::ChatImportReport& report = file.report;
  Json rejects = Json::array();
  for (const Reject& reject : report.rejects)
    rejects.push_back({{"line", reject.line}, {"reason", reject.reason}});
  Json json = {{"file", file.name},
               {"format", file.format ? Json(anonymizer::NameOf(*file.format)) : Json()},
               {"messages", report.messages},
               {"imported", report.imported},
               {"duplicates", report.duplicates},
               {"rejected", report.rejected},
               {"contacts_created", report.contacts_created},
               {"rejects", std::move(rejects)},
               {"remarks", report.remarks},
               {"date_order", file.survey.date_order},
               {"date_order_assumed", file.survey.date_order_is_assumed},
               {"timezone", file.zone ? Json(file.zone->name()) : Json()},
               {"timezone_assumed", file.zone_is_assumed}};
  if (!file.status.ok()) json["error"] = ErrorJson(file.status);
  if (!dry_run) return json;
  const auto time = [](const std::optional<absl::Time>& when) {
    return when ? Json(FormatUtc(*when)) : Json();
  };
  json["dry_run"] = true;
  json["group"] = report.is_group;
  json["authors"] = file.authors;
  json["customers"] = report.customers;
  json["incoming"] = report.incoming;
  json["outgoing"] = report.outgoing;
  json["system"] = report.system;
  json["media"] = file.survey.media;
  json["deleted"] = file.survey.deleted;
  json["first"] = time(report.first);
  json["last"] = time(report.last);
  return json;
}

namespace {

void PrintRejected(const ChatFile& file) {
  constexpr std::size_t kShown = 10;
  const std::vector<Reject>& rejects = file.report.rejects;
  for (std::size_t i = 0; i < std::min(rejects.size(), kShown); ++i)
    PrintLine(Printable(
        absl::StrCat("  ", file.name, " line ", rejects[i].line, ": ", rejects[i].reason)));
  if (file.report.rejected > static_cast<std::int64_t>(kShown))
    PrintLine(absl::StrCat("  … and ", file.report.rejected - static_cast<std::int64_t>(kShown),
                           " more."));
}

void PrintZone(const ChatFile& file) {
  if (!file.zone) return;
  PrintLine(Printable(absl::StrCat(
      "  times: as of ", file.zone->name(),
      file.zone_is_assumed ? ", this machine's zone; --timezone TZ says another" : "")));
}

void PrintFound(const ChatFile& file) {
  const anonymizer::ChatImportReport& report = file.report;
  std::string what = absl::StrCat(
      file.name, ": ", file.format ? anonymizer::NameOf(*file.format) : absl::string_view("chat"));
  if (file.authors > 0)
    absl::StrAppend(&what, report.is_group ? ", a group" : ", a chat of two", ", ",
                    Count(static_cast<std::int64_t>(file.authors), "author", "authors"));
  PrintLine(Printable(what));
  if (!file.survey.date_order.empty())
    PrintLine(Printable(absl::StrCat("  dates: ", file.survey.date_order)));
  PrintZone(file);
  std::string counts = absl::StrCat("  ", Count(report.messages, "message", "messages"), ": ",
                                    report.incoming, " of customers, ", report.outgoing,
                                    " of the company, ", report.system, " of the app");
  if (report.rejected > 0) absl::StrAppend(&counts, ", ", report.rejected, " bad");
  PrintLine(counts);
  if (report.first) {
    const absl::TimeZone zone = file.zone.value_or(absl::LocalTimeZone());
    PrintLine(absl::StrCat("  from ", absl::FormatTime("%Y-%m-%d %H:%M", *report.first, zone),
                           " to ", absl::FormatTime("%Y-%m-%d %H:%M", *report.last, zone)));
  }
  PrintLine(absl::StrCat("  ", Count(report.customers, "customer", "customers"), ", of whom ",
                         report.contacts_created, report.contacts_created == 1 ? " is" : " are",
                         " new"));
}

}  // namespace

void PrintChatFile(const ChatFile& file, bool dry_run) {
  const anonymizer::ChatImportReport& report = file.report;
  if (dry_run) {
    PrintFound(file);
  } else {
    std::string line = absl::StrCat(file.name, ": ", Count(report.messages, "message", "messages"),
                                    ", ", report.imported, " imported");
    if (report.duplicates > 0) absl::StrAppend(&line, ", ", report.duplicates, " known already");
    if (report.rejected > 0) absl::StrAppend(&line, ", ", report.rejected, " rejected");
    if (report.contacts_created > 0)
      absl::StrAppend(&line, "; ", Count(report.contacts_created, "new customer", "new customers"));
    PrintLine(Printable(absl::StrCat(line, ".")));
    // What nothing in the file decided is told, and why what was concluded was concluded is not.
    if (file.survey.date_order_is_assumed && !file.survey.date_order.empty())
      PrintLine(Printable(absl::StrCat("  dates: ", file.survey.date_order)));
    if (file.zone_is_assumed) PrintZone(file);
  }
  for (const std::string& remark : report.remarks) PrintLine(Printable(absl::StrCat("  ", remark)));
  PrintRejected(file);
}

}  // namespace sealbook::cli
