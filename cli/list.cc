#include <algorithm>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/commands.h"
#include "cli/contacts.h"
#include "vault/records/token.h"
#include "vault/status.h"

namespace sealbook::cli {
namespace {

std::string ValueOf(const records::Contact& contact, absl::string_view name) {
  for (const records::ShownField& field : contact.fields) {
    if (field.name == name) return Printable(field.value);
  }
  return "";
}

absl::Status RunList(Context& context, const Arguments& arguments) {
  std::int64_t limit = 0;
  if (arguments.Has("limit") &&
      (!absl::SimpleAtoi(arguments.Value("limit"), &limit) || limit < 1)) {
    return Usage("--limit is a number from 1", "For example --limit 20.");
  }
  RETURN_IF_ERROR(context.Unlock());
  std::optional<BookId> book;
  if (arguments.Has("book")) {
    const keyring::Book* found = context.keyring().roster().FindBook(arguments.Value("book"));
    const bool own = found != nullptr && (context.keyring().role().root_scope ||
                                          context.keyring().roster().IsMember(
                                              found->id, context.keyring().bundle().member));
    if (!own)
      return WithHint(absl::NotFoundError("there is no such book, or it is not yours"),
                      "'sealbook book list' shows yours.");
    book = found->id;
  }
  ASSIGN_OR_RETURN(const ReadPermit permit,
                   context.permits().List(context.keyring().bundle().member, context.role()));
  // Before the first is shown; who stops reading early has been told nothing more.
  const Json detail = {{"book", arguments.Value("book")}, {"limit", limit}};
  RETURN_IF_ERROR(context.Record({.act = "list", .detail = detail.dump()}));
  const bool json = context.globals().json;
  if (!json) PrintLine("UID             NAME                  PHONE               BOOKS");
  std::int64_t shown = 0;
  CatchInterrupts();
  records::ContactReader reader(context.keyring());
  RETURN_IF_ERROR(
      reader.Each(permit, book, [&](const records::Contact& contact) -> absl::StatusOr<bool> {
        if (Interrupted()) return absl::CancelledError("interrupted");
        if (json) {
          PrintJson(ToJson(contact));
        } else {
          std::string line = absl::StrCat(PadTo(records::FormatToken(contact.token), 16),
                                          PadTo(FitTo(ValueOf(contact, "name"), 20), 22),
                                          PadTo(FitTo(ValueOf(contact, "phone"), 18), 20),
                                          Printable(absl::StrJoin(contact.books, ", ")));
          while (line.back() == ' ') line.pop_back();
          PrintLine(line);
        }
        if (std::ferror(stdout) != 0) return false;  // nobody reads any more
        return limit == 0 || ++shown < limit;
      }));
  return absl::OkStatus();
}

}  // namespace

Command ListCommand() {
  return {.name = "list",
          .arguments = "[--book BOOK] [--limit N]",
          .summary = "your customers, a line each",
          .options = {{"book", Option::Kind::kValue, "BOOK", "of this book alone"},
                      {"limit", Option::Kind::kValue, "N", "the first N"}},
          .run = &RunList};
}

}  // namespace sealbook::cli
