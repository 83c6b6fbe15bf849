#include <errno.h>

#include <cstdio>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "cli/chat_import.h"
#include "cli/spool.h"
#include "vault/status.h"

namespace sealbook::cli {
namespace {

constexpr absl::Duration kPause = absl::Milliseconds(200);
constexpr absl::Duration kBusyPause = absl::Seconds(2);

absl::Status Flush() {
  return std::fflush(stdout) == 0 ? absl::OkStatus()
                                  : absl::InternalError("standard output could not be written");
}

class Watcher {
 public:
  Watcher(Context& context, const ChatImportRequest& request, Spool& spool, bool once,
          RejectsFile* rejects)
      : context_(context), request_(request), spool_(spool), once_(once), rejects_(rejects) {}

  absl::Status Run() {
    std::vector<std::string> there;
    if (once_) {
      ASSIGN_OR_RETURN(there, spool_.Names());
    }
    while (!Interrupted()) {
      ASSIGN_OR_RETURN(const Spool::Look look, spool_.First(once_ ? &there : nullptr));
      if (look.empty && once_) return absl::OkStatus();
      if (!look.ready) {
        absl::SleepFor(kPause);
        continue;
      }
      RETURN_IF_ERROR(Take(*look.ready));
    }
    return absl::OkStatus();
  }

 private:
  absl::Status Take(const SpoolFile& file) {
    // Much may have changed since the last one came.
    RETURN_IF_ERROR(context_.Refresh());
    RETURN_IF_ERROR(context_.Require(policies::Action::kImport));
    ChatFile chat;
    const absl::Status status =
        ImportChatFile(context_, request_, spool_.PathOf(file), rejects_, chat);
    if (absl::IsCancelled(status)) return absl::OkStatus();  // it is taken again
    if (absl::IsUnavailable(status) && !once_) {
      PrintNote(context_.globals(), absl::StrCat("sealbook: ", status.message(), "; trying again"));
      absl::SleepFor(kBusyPause);
      return absl::OkStatus();
    }
    if (!status.ok() && !IsOfTheFile(status)) return status;
    // Gone, or somebody went on writing: then it is taken once more, and only what is new is added.
    if (!spool_.IsUnchanged(file)) return absl::OkStatus();
    // Rejected rows must be on the disk before their file is out of the way.
    if (rejects_ != nullptr && chat.report.rejected > 0) RETURN_IF_ERROR(rejects_->Flush());
    Tell(chat, status);
    RETURN_IF_ERROR(Flush());
    return spool_.MoveTo(file, status.ok() ? "done" : "failed");
  }

  void Tell(const ChatFile& chat, const absl::Status& status) {
    if (context_.globals().json) {
      PrintJson(ToJson(chat, /*dry_run=*/false));
    } else if (status.ok()) {
      PrintChatFile(chat, /*dry_run=*/false);
    }
    if (status.ok()) return;
    // On standard error with --json as well: that is what a service's log shows.
    Globals plain = context_.globals();
    plain.json = false;
    PrintError(plain, status);
  }

  Context& context_;
  const ChatImportRequest& request_;
  Spool& spool_;
  const bool once_;
  RejectsFile* rejects_;
};

}  // namespace

absl::Status WatchChats(Context& context, const ChatImportRequest& request,
                        const std::string& folder, bool once, RejectsFile* rejects) {
  ASSIGN_OR_RETURN(const auto spool, Spool::Open(folder));
  return Watcher(context, request, *spool, once, rejects).Run();
}

}  // namespace sealbook::cli
