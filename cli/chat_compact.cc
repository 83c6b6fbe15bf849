#include "absl/strings/str_cat.h"
#include "cli/commands.h"
#include "vault/records/chat_rewriting.h"
#include "vault/status.h"

namespace sealbook::cli {
namespace {

absl::Status RunChatCompact(Context& context, const Arguments&) {
  RETURN_IF_ERROR(context.Unlock());
  CatchInterrupts();
  Progress progress(context.globals(), "chat compact");
  records::CompactReport report;
  const absl::Status status =
      records::CompactChats(context.keyring(),
                            {.progress =
                                 [&](std::int64_t seen, std::int64_t total) {
                                   progress.Update(seen, static_cast<std::uint64_t>(seen),
                                                   static_cast<std::uint64_t>(total));
                                 },
                             .interrupted = &Interrupted},
                            report);
  progress.Finish();
  RETURN_IF_ERROR(status);
  if (context.globals().json) {
    PrintJson({{"contacts", report.contacts},
               {"messages", report.messages},
               {"chunks_before", report.chunks_before},
               {"chunks_after", report.chunks_after}});
  } else if (report.contacts == 0) {
    PrintNote(context.globals(), "Nothing to do: chats stand in large pieces already.");
  } else {
    PrintLine(absl::StrCat("Chats of ", report.contacts, " customers were written again: ",
                           report.messages, " messages, in ", report.chunks_after,
                           " pieces in the place of ", report.chunks_before, "."));
  }
  return absl::OkStatus();
}

}  // namespace

Command ChatCompactCommand() {
  return {.name = "chat compact",
          .arguments = "",
          .summary = "writes messages that came one by one again as larger pieces",
          .options = {},
          .min_positional = 0,
          .max_positional = 0,
          .run = &RunChatCompact};
}

}  // namespace sealbook::cli
