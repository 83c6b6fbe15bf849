#include "cli/chat_messages.h"

#include <algorithm>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "vault/records/contact_reader.h"
#include "vault/records/token.h"
#include "vault/status.h"

namespace sealbook::cli {
namespace {

const char* NameOf(records::ChatDirection direction) {
  switch (direction) {
    case records::ChatDirection::kIn:
      return "in";
    case records::ChatDirection::kOut:
      return "out";
    case records::ChatDirection::kNone:
      break;
  }
  return "none";
}

const char* NameOf(records::ChatKind kind) {
  switch (kind) {
    case records::ChatKind::kText:
      break;
    case records::ChatKind::kMedia:
      return "media";
    case records::ChatKind::kDeleted:
      return "deleted";
    case records::ChatKind::kSystem:
      return "system";
  }
  return "text";
}

const char* SignOf(records::ChatDirection direction) {
  switch (direction) {
    case records::ChatDirection::kIn:
      return "‹ ";
    case records::ChatDirection::kOut:
      return "› ";
    case records::ChatDirection::kNone:
      break;
  }
  return "· ";
}

}  // namespace

std::string FormatUtc(absl::Time time) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", time, absl::UTCTimeZone());
}

Json ToJson(const records::ChatEntry& entry) {
  Json json = {{"time", FormatUtc(absl::FromUnixSeconds(entry.time))},
               {"direction", NameOf(entry.direction)},
               {"author", entry.author},
               {"text", entry.text}};
  if (entry.kind != records::ChatKind::kText) json["kind"] = NameOf(entry.kind);
  if (entry.edited) json["edited"] = true;
  return json;
}

void MessagePrinter::Print(const records::ChatEntry& entry) {
  constexpr int kIndent = 9;
  const absl::Time time = absl::FromUnixSeconds(entry.time);
  const absl::CivilDay day = absl::ToCivilDay(time, zone_);
  if (day != day_) PrintLine(absl::StrCat("── ", absl::FormatCivilTime(day), " ──"));
  day_ = day;
  std::string text = entry.text;
  if (!entry.author.empty()) text = absl::StrCat(entry.author, ": ", text);
  if (entry.edited) absl::StrAppend(&text, " (edited)");
  const int width = std::max(20, TerminalColumns() - kIndent);
  bool first = true;
  for (const absl::string_view paragraph : absl::StrSplit(Printable(text), '\n')) {
    for (const std::string& line : WrapTo(paragraph, width)) {
      std::string shown = first ? absl::StrCat(absl::FormatTime("%H:%M  ", time, zone_),
                                               SignOf(entry.direction), line)
                                : absl::StrCat(std::string(kIndent, ' '), line);
      while (!shown.empty() && shown.back() == ' ') shown.pop_back();
      PrintLine(shown);
      first = false;
    }
  }
}

absl::StatusOr<std::int64_t> LimitOf(const Arguments& arguments, std::int64_t none) {
  std::int64_t limit = none;
  if (arguments.Has("limit") &&
      (!absl::SimpleAtoi(arguments.Value("limit"), &limit) || limit < 1)) {
    return Usage("--limit is a number from 1", "For example --limit 20.");
  }
  return limit;
}

absl::StatusOr<ChatOfContact> FindChat(Context& context, const std::string& text) {
  const auto token = records::ParseToken(text);
  if (!token.ok())
    return Usage("that is no token, or it is mistyped", "A token looks like UID_2837470195.");
  RETURN_IF_ERROR(policies::RequireClass(context.policy(), context.role(), policies::Action::kRead,
                                         ClassId::kChat));
  ASSIGN_OR_RETURN(const ContactNumber contact,
                   records::ContactReader(context.keyring()).FindToken(*token));
  ASSIGN_OR_RETURN(ReadPermit permit, context.permits().ReadOne(context.keyring().bundle().member,
                                                                context.role(), contact));
  return ChatOfContact{contact, *token, std::move(permit)};
}

}  // namespace sealbook::cli
