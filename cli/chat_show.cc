#include <algorithm>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "cli/chat_messages.h"
#include "cli/commands.h"
#include "vault/records/chat_log.h"
#include "vault/records/contact_reader.h"
#include "vault/records/token.h"
#include "vault/status.h"

namespace sealbook::cli {
namespace {

absl::Status RunChatShow(Context& context, const Arguments& arguments) {
  ASSIGN_OR_RETURN(const std::int64_t limit, LimitOf(arguments, 0));
  RETURN_IF_ERROR(context.Unlock());
  ASSIGN_OR_RETURN(const ChatOfContact chat, FindChat(context, arguments.positional()[0]));
  CatchInterrupts();
  std::vector<records::ChatEntry> newest;  // newest first
  bool more = false;
  absl::Status read =
      records::ChatLog(context.keyring())
          .EachBack(chat.permit, chat.contact,
                    [&](const records::ChatEntry& entry) -> absl::StatusOr<bool> {
                      if (Interrupted()) return absl::CancelledError("interrupted");
                      more = limit > 0 && newest.size() == static_cast<std::size_t>(limit);
                      if (more) return false;
                      newest.push_back(entry);
                      return true;
                    });
  // One damaged chunk does not hide the others: they are shown, and then it is told.
  if (!read.ok() && (!absl::IsDataLoss(read) || newest.empty())) return read;
  const Json detail = {{"messages", newest.size()}};
  RETURN_IF_ERROR(
      context.Record({.act = "chat.show", .token = chat.token, .detail = detail.dump()}));
  std::reverse(newest.begin(), newest.end());
  if (context.globals().json) {
    for (const records::ChatEntry& entry : newest) {
      PrintJson(ToJson(entry));
      if (std::ferror(stdout) != 0) break;  // nobody reads any more
    }
  } else if (newest.empty()) {
    PrintNote(context.globals(), "There are no messages of this customer.");
  } else {
    MessagePrinter printer;
    for (const records::ChatEntry& entry : newest) printer.Print(entry);
  }
  if (more) {
    PrintNote(context.globals(),
              absl::StrCat("The newest ", newest.size(), "; --limit N shows more."));
  }
  records::Wipe(newest);
  return read;
}

}  // namespace

Command ChatShowCommand() {
  return {.name = "chat show",
          .arguments = "UID [--limit N]",
          .summary = "the messages of one customer",
          .options = {{"limit", Option::Kind::kValue, "N", "the newest N"}},
          .min_positional = 1,
          .max_positional = 1,
          .run = &RunChatShow};
}

}  // namespace sealbook::cli
