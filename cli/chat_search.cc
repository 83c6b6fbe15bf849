#include <unicode/bytestream.h>
#include <unicode/normalizer2.h>
#include <unicode/stringpiece.h>

#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "anonymizer/identifiers.h"
#include "cli/chat_messages.h"
#include "cli/commands.h"
#include "vault/records/chat_log.h"
#include "vault/records/token.h"
#include "vault/status.h"

namespace sealbook::cli {
namespace {

constexpr std::int64_t kDefaultLimit = 100;

// Folded for comparison: compatibility forms, small letters. Most text needs no more than a look.
class Folder {
 public:
  Folder() : fold_(icu::Normalizer2::getNFKCCasefoldInstance(error_)) {}
  std::string Fold(absl::string_view text) {
    std::string out;
    icu::StringByteSink<std::string> sink(&out);
    fold_->normalizeUTF8(0, icu::StringPiece(text.data(), static_cast<std::int32_t>(text.size())),
                         sink, nullptr, error_);
    return out;
  }
  bool failed() const { return U_FAILURE(error_) != 0; }

 private:
  UErrorCode error_ = U_ZERO_ERROR;
  const icu::Normalizer2* fold_;
};

struct Hit {
  std::int64_t token = 0;
  records::ChatEntry entry;
};

struct Hits {
  std::vector<Hit> shown;
  absl::flat_hash_set<std::int64_t> contacts;
  bool more = false;  // there are others
};

absl::Status Search(Context& context, const Arguments& arguments, std::size_t limit, Hits& hits,
                    std::int64_t& token_searched) {
  Folder folder;
  const std::string wanted = folder.Fold(anonymizer::CleanText(arguments.positional()[0]));
  if (wanted.empty()) return Usage("there is nothing to look for", "Give a text.");
  const auto contacts_limit = static_cast<std::size_t>(context.policy().lookup_limit());
  const auto visit = [&](std::int64_t token,
                         const records::ChatEntry& entry) -> absl::StatusOr<bool> {
    if (Interrupted()) return absl::CancelledError("interrupted");
    if (folder.Fold(entry.text).find(wanted) == std::string::npos) return true;
    const bool another = !hits.contacts.contains(token) && hits.contacts.size() >= contacts_limit;
    hits.more = another || hits.shown.size() >= limit;
    if (hits.more) return false;
    hits.contacts.insert(token);
    hits.shown.push_back({token, entry});
    return true;
  };
  records::ChatLog log(context.keyring());
  absl::Status status;
  if (arguments.Has("uid")) {
    ASSIGN_OR_RETURN(const ChatOfContact chat, FindChat(context, arguments.Value("uid")));
    token_searched = chat.token;
    status = log.EachBack(chat.permit, chat.contact, [&](const records::ChatEntry& entry) {
      return visit(chat.token, entry);
    });
  } else {
    RETURN_IF_ERROR(policies::RequireClass(context.policy(), context.role(),
                                           policies::Action::kRead, ClassId::kChat));
    ASSIGN_OR_RETURN(const ReadPermit permit,
                     context.permits().Search(context.keyring().bundle().member, context.role()));
    status = log.Each(permit, std::nullopt,
                      [&](ContactNumber, std::int64_t token, const records::ChatEntry& entry) {
                        return visit(token, entry);
                      });
  }
  if (status.ok() && folder.failed()) return absl::InternalError("ICU cannot fold text");
  return status;
}

absl::Status RunChatSearch(Context& context, const Arguments& arguments) {
  ASSIGN_OR_RETURN(const std::int64_t limit, LimitOf(arguments, kDefaultLimit));
  RETURN_IF_ERROR(context.Unlock());
  CatchInterrupts();
  Hits hits;
  std::int64_t token = 0;
  const absl::Status searched =
      Search(context, arguments, static_cast<std::size_t>(limit), hits, token);
  // One damaged chunk does not hide the others: they are shown, and then it is told.
  if (!searched.ok() && (!absl::IsDataLoss(searched) || hits.shown.empty())) return searched;
  const Json detail = {{"messages", hits.shown.size()}, {"contacts", hits.contacts.size()}};
  RETURN_IF_ERROR(context.Record({.act = "chat.search", .token = token, .detail = detail.dump()}));
  if (context.globals().json) {
    for (const Hit& hit : hits.shown) {
      Json json = {{"uid", records::FormatToken(hit.token)}};
      json.update(ToJson(hit.entry));
      PrintJson(json);
      if (std::ferror(stdout) != 0) break;  // nobody reads any more
    }
  } else if (hits.shown.empty()) {
    PrintNote(context.globals(), "No message of your customers has that in it.");
  } else {
    MessagePrinter printer;
    std::int64_t last = 0;
    for (const Hit& hit : hits.shown) {
      if (hit.token != last) {
        if (last != 0) PrintLine("");
        PrintLine(records::FormatToken(hit.token));
        printer = MessagePrinter();
      }
      last = hit.token;
      printer.Print(hit.entry);
    }
  }
  if (hits.more) {
    PrintNote(context.globals(), absl::StrCat("The first ", hits.shown.size(),
                                              "; say more to find fewer, or give --limit N."));
  }
  for (Hit& hit : hits.shown) crypto::Wipe(hit.entry.text);
  return searched;
}

}  // namespace

Command ChatSearchCommand() {
  return {.name = "chat search",
          .arguments = "TEXT [--uid UID] [--limit N]",
          .summary = "messages of your customers with a text in them",
          .options = {{"uid", Option::Kind::kValue, "UID", "of this customer alone"},
                      {"limit", Option::Kind::kValue, "N", "at most N (default: 100)"}},
          .min_positional = 1,
          .max_positional = 1,
          .run = &RunChatSearch};
}

}  // namespace sealbook::cli
