#include "cli/draining.h"

#include <map>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "anonymizer/identifiers.h"
#include "vault/keyring/epochs.h"
#include "vault/status.h"

namespace sealbook::cli {

Option NoDrainOption() {
  return {"no-drain", Option::Kind::kFlag, "",
          "in force at once; what stood before is moved by 'key rotate --drain' later"};
}

absl::Status DrainAfter(Context& context, const Arguments& arguments, Json& json) {
  records::DrainReport report;
  absl::Status status;
  if (arguments.Has("no-drain")) {
    ASSIGN_OR_RETURN(const auto undrained, keyring::ListUndrained(context.keyring()));
    report.undrained = undrained.size();
  } else {
    CatchInterrupts();
    Progress progress(context.globals(), "moving to the new keys");
    status = records::Drain(context.keyring(),
                            {.identifiers_of = &anonymizer::IdentifiersOf,
                             .progress =
                                 [&](std::int64_t rows, std::int64_t total) {
                                   progress.Update(rows, static_cast<std::uint64_t>(rows),
                                                   static_cast<std::uint64_t>(total));
                                 },
                             .interrupted = &Interrupted},
                            report);
    progress.Finish();
  }
  RETURN_IF_ERROR(status);
  json["rewrapped"] = report.rewrapped;
  json["undrained"] = report.undrained;
  if (context.globals().json) return absl::OkStatus();
  if (report.rewrapped > 0) {
    PrintLine(absl::StrCat("What stood under the old keys was moved to the new ones: ",
                           report.rewrapped, " sealed again."));
  }
  if (report.undrained > 0) {
    ASSIGN_OR_RETURN(const std::string left, DescribeUndrained(context.keyring()));
    PrintLine(Printable(absl::StrCat("Not moved to the new keys yet: ", left,
                                     ". 'sealbook key rotate --drain' does it.")));
  }
  return absl::OkStatus();
}

void PrintIfJson(const Context& context, const Json& json) {
  if (context.globals().json) PrintJson(json);
}

absl::StatusOr<std::string> DescribeUndrained(keyring::Keyring& keyring) {
  ASSIGN_OR_RETURN(const auto undrained, keyring::ListUndrained(keyring));
  std::map<BookId, int> by_book;
  for (const keyring::Undrained& u : undrained) ++by_book[u.book];
  std::vector<std::string> parts;
  for (const auto& [id, keys] : by_book) {
    const keyring::Book* book = keyring.roster().FindBook(id);
    parts.push_back(absl::StrCat(keys, keys == 1 ? " key" : " keys", " of ",
                                 id == kRootBook ? "the whole vault"
                                 : book == nullptr
                                     ? absl::StrCat("book number ", static_cast<std::uint32_t>(id))
                                     : absl::StrCat("book ", book->name)));
  }
  return absl::StrJoin(parts, ", ");
}

}  // namespace sealbook::cli
