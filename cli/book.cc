#include <algorithm>
#include <fstream>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "anonymizer/text_source.h"
#include "cli/commands.h"
#include "cli/draining.h"
#include "vault/keyring/administration.h"
#include "vault/records/contact_changes.h"
#include "vault/records/contact_writer.h"
#include "vault/records/token.h"
#include "vault/status.h"

namespace sealbook::cli {
namespace {

// So that others wait less than a second for the lock.
constexpr std::size_t kAssignBatch = 5'000;

// The same for a book that is there and not this member's.
absl::Status NoBook(const std::string& name) {
  return WithHint(absl::NotFoundError(absl::StrCat("there is no book named ", Printable(name))),
                  "'sealbook book list' shows the books; 'sealbook book add' makes one.");
}

absl::StatusOr<const keyring::Book*> FindBook(Context& context, const std::string& name) {
  const keyring::Book* book = context.keyring().roster().FindBook(name);
  if (book == nullptr) return NoBook(name);
  return book;
}

std::vector<std::string> MembersOf(const keyring::Roster& roster, BookId book) {
  std::vector<std::string> names;
  for (const keyring::Membership& membership : roster.memberships) {
    if (membership.book == book) names.push_back(roster.FindMember(membership.member)->name);
  }
  return names;
}

absl::Status Add(Context& context, const Arguments& arguments) {
  RETURN_IF_ERROR(context.Unlock());
  RETURN_IF_ERROR(context.Require(policies::Action::kManageBooks));
  auto name = keyring::NormalizeName(arguments.positional()[0]);
  if (!name.ok()) return Usage(name.status().message(), HintOf(name.status()));
  RETURN_IF_ERROR(keyring::AddBook(context.keyring(), *name));
  if (context.globals().json)
    PrintJson({{"name", *name}});
  else
    PrintLine(absl::StrCat("Book ", *name, " is made."));
  return absl::OkStatus();
}

absl::Status RunBookList(Context& context, const Arguments&) {
  RETURN_IF_ERROR(context.Unlock());
  ASSIGN_OR_RETURN(const auto snapshot, context.keyring().Snapshot());
  const keyring::Roster& roster = context.keyring().roster();
  const bool all = context.keyring().role().root_scope;
  Json books = Json::array();
  std::vector<std::vector<std::string>> rows;
  for (const keyring::Book& book : roster.books) {
    if (!all && !roster.IsMember(book.id, context.keyring().bundle().member)) continue;
    ASSIGN_OR_RETURN(const std::int64_t contacts,
                     context.keyring().store().CountBookContacts(book.id));
    const std::vector<std::string> members = MembersOf(roster, book.id);
    books.push_back({{"name", book.name}, {"contacts", contacts}, {"members", members}});
    rows.push_back(
        {Printable(book.name), absl::StrCat(contacts), Printable(absl::StrJoin(members, ", "))});
  }
  if (context.globals().json)
    PrintJson({{"books", std::move(books)}});
  else
    PrintTable({"BOOK", "CONTACTS", "MEMBERS"}, rows);
  return absl::OkStatus();
}

absl::Status Members(Context& context, const Arguments& arguments) {
  RETURN_IF_ERROR(context.Unlock());
  const std::string& name = arguments.positional()[0];
  if (arguments.Has("add") || arguments.Has("remove"))
    RETURN_IF_ERROR(context.Require(policies::Action::kManageBooks));
  Json taken = Json::object();
  if (arguments.Has("remove")) {
    // One who is not in the book keeps nobody else in it, and is told at the end: an earlier run
    // may have taken them out and have been interrupted after that.
    absl::Status missing;
    for (const std::string& member : arguments.List("remove")) {
      const absl::Status removed = keyring::RemoveBookMember(context.keyring(), name, member);
      if (absl::IsNotFound(removed)) {
        missing = removed;
        continue;
      }
      RETURN_IF_ERROR(removed);
      if (!context.globals().json) {
        PrintLine(Printable(
            absl::StrCat(member, " is no longer in ", name,
                         ": nothing that is written there from now on opens with what they had.")));
      }
    }
    RETURN_IF_ERROR(DrainAfter(context, arguments, taken));
    RETURN_IF_ERROR(missing);
  }
  if (arguments.Has("add")) {
    for (const std::string& member : arguments.List("add")) {
      RETURN_IF_ERROR(keyring::AddBookMember(context.keyring(), name, member));
    }
  }
  const keyring::Roster& roster = context.keyring().roster();
  const keyring::Book* book = roster.FindBook(name);
  const bool own =
      book != nullptr && (context.keyring().role().root_scope ||
                          roster.IsMember(book->id, context.keyring().bundle().member));
  if (!own) return NoBook(name);
  const std::vector<std::string> members = MembersOf(roster, book->id);
  if (context.globals().json) {
    Json json = {{"name", book->name}, {"members", members}};
    json.update(taken);
    PrintJson(json);
  } else {
    for (const std::string& member : members) PrintLine(Printable(member));
  }
  return absl::OkStatus();
}

// Calls `use` with the contact number of every token on the command line or in the file.
absl::Status EachToken(Context& context, const Arguments& arguments,
                       const std::function<absl::Status(ContactNumber)>& use) {
  records::ContactReader reader(context.keyring());
  const auto resolve = [&](absl::string_view text, const std::string& where) -> absl::Status {
    const auto token = records::ParseToken(absl::StripAsciiWhitespace(text));
    if (!token.ok()) {
      return WithHint(
          absl::InvalidArgumentError(absl::StrCat(where, " is no token, or it is mistyped")),
          "A token looks like UID_2837470195.");
    }
    const auto number = reader.FindToken(*token);
    if (absl::IsNotFound(number.status())) {
      return WithHint(absl::NotFoundError(absl::StrCat(where, ": there is no such contact")),
                      "Nothing was changed.");
    }
    RETURN_IF_ERROR(number.status());
    return use(*number);
  };
  for (std::size_t i = 1; i < arguments.positional().size(); ++i) {
    RETURN_IF_ERROR(resolve(arguments.positional()[i], absl::StrCat("argument ", i)));
  }
  if (!arguments.Has("from")) return absl::OkStatus();
  const std::string file = arguments.Value("from");
  ASSIGN_OR_RETURN(auto bytes, anonymizer::ByteSource::Open(file));
  auto opened = anonymizer::TextSource::Open(*bytes, std::nullopt);
  if (!opened.ok()) return anonymizer::About(bytes->name(), opened.status());
  const auto source = *std::move(opened);
  anonymizer::TextLine line;
  for (;;) {
    ASSIGN_OR_RETURN(const bool more, source->Next(line));
    if (!more) return absl::OkStatus();
    if (!line.fault.empty()) {
      return absl::InvalidArgumentError(absl::StrCat(file, " line ", line.number, " ", line.fault));
    }
    if (absl::StripAsciiWhitespace(line.text).empty()) continue;
    RETURN_IF_ERROR(resolve(line.text, absl::StrCat(file, " line ", line.number)));
  }
}

// Assigns or unassigns what the arguments name, batch by batch. All are looked up before the first
// is changed, so that a wrong line changes nothing.
absl::Status EachBatch(
    Context& context, const Arguments& arguments, const char* what,
    const std::function<absl::StatusOr<std::size_t>(const std::vector<ContactNumber>&)>& change) {
  RETURN_IF_ERROR(EachToken(context, arguments, [](ContactNumber) { return absl::OkStatus(); }));
  std::vector<ContactNumber> batch;
  std::int64_t done = 0;
  CatchInterrupts();
  Progress progress(context.globals(), what);
  const auto flush = [&]() -> absl::Status {
    ASSIGN_OR_RETURN(const std::size_t changed, change(batch));
    done += static_cast<std::int64_t>(changed);
    batch.clear();
    progress.Update(done, 0, 0);
    if (Interrupted()) {
      return WithHint(absl::CancelledError("interrupted: what was done so far stays"),
                      "Run it again for the rest.");
    }
    return absl::OkStatus();
  };
  RETURN_IF_ERROR(EachToken(context, arguments, [&](ContactNumber number) -> absl::Status {
    batch.push_back(number);
    return batch.size() < kAssignBatch ? absl::OkStatus() : flush();
  }));
  if (!batch.empty()) RETURN_IF_ERROR(flush());
  progress.Finish();
  return absl::OkStatus();
}

absl::Status NeedsTokens(const Arguments& arguments) {
  if (arguments.positional().size() >= 2 || arguments.Has("from")) return absl::OkStatus();
  return Usage("no contacts are named", "Give tokens, or --from FILE with a token a line.");
}

absl::Status Assign(Context& context, const Arguments& arguments) {
  RETURN_IF_ERROR(NeedsTokens(arguments));
  RETURN_IF_ERROR(context.Unlock());
  RETURN_IF_ERROR(context.Require(policies::Action::kAssign));
  ASSIGN_OR_RETURN(const keyring::Book* book, FindBook(context, arguments.positional()[0]));
  const BookId id = book->id;
  const std::string name = book->name;
  records::AssignResult total;
  RETURN_IF_ERROR(EachBatch(
      context, arguments, "assign",
      [&](const std::vector<ContactNumber>& batch) -> absl::StatusOr<std::size_t> {
        const Json detail = {{"book", name}, {"contacts", batch.size()}};
        ASSIGN_OR_RETURN(const records::AssignResult result,
                         records::AssignContacts(context.keyring(), id, batch,
                                                 {.act = "book.assign", .detail = detail.dump()}));
        total.assigned += result.assigned;
        total.already += result.already;
        return batch.size();
      }));
  if (context.globals().json) {
    PrintJson({{"book", name}, {"assigned", total.assigned}, {"already", total.already}});
  } else {
    PrintLine(Printable(absl::StrCat(
        total.assigned, " assigned to ", name,
        total.already > 0 ? absl::StrCat(", ", total.already, " were there already") : "", ".")));
  }
  return absl::OkStatus();
}

absl::Status Unassign(Context& context, const Arguments& arguments) {
  RETURN_IF_ERROR(NeedsTokens(arguments));
  RETURN_IF_ERROR(context.Unlock());
  RETURN_IF_ERROR(context.Require(policies::Action::kAssign));
  ASSIGN_OR_RETURN(const keyring::Book* book, FindBook(context, arguments.positional()[0]));
  const BookId id = book->id;
  const std::string name = book->name;
  records::UnassignResult total;
  RETURN_IF_ERROR(
      EachBatch(context, arguments, "unassign",
                [&](const std::vector<ContactNumber>& batch) -> absl::StatusOr<std::size_t> {
                  const Json detail = {{"book", name}, {"contacts", batch.size()}};
                  ASSIGN_OR_RETURN(
                      const records::UnassignResult result,
                      records::UnassignContacts(context.keyring(), id, batch,
                                                {.act = "book.unassign", .detail = detail.dump()}));
                  total.unassigned += result.unassigned;
                  total.already += result.already;
                  return batch.size();
                }));
  // What was deleted still stands in the log. Readers in the way only put that off.
  const absl::Status truncated = context.keyring().store().database().TruncateWal();
  if (!truncated.ok() && !absl::IsUnavailable(truncated)) return truncated;
  if (context.globals().json) {
    PrintJson({{"book", name}, {"unassigned", total.unassigned}, {"already", total.already}});
  } else {
    PrintLine(Printable(absl::StrCat(
        total.unassigned, " taken out of ", name,
        total.already > 0 ? absl::StrCat(", ", total.already, " were not in it") : "", ".")));
  }
  return absl::OkStatus();
}

}  // namespace

Command BookAddCommand() {
  return {.name = "book add",
          .arguments = "BOOK",
          .summary = "a set of contacts that are looked after together",
          .min_positional = 1,
          .max_positional = 1,
          .run = &Add};
}
Command BookListCommand() {
  return {.name = "book list", .summary = "books, how many contacts, whose", .run = &RunBookList};
}
Command BookMembersCommand() {
  return {.name = "book members",
          .arguments = "BOOK [--add NAME]… [--remove NAME]…",
          .summary = "who looks after a book",
          .options = {{"add", Option::Kind::kList, "NAME", "gives a member the book's keys"},
                      {"remove", Option::Kind::kList, "NAME", "takes them away"},
                      NoDrainOption()},
          .min_positional = 1,
          .max_positional = 1,
          .run = &Members};
}
Command BookAssignCommand() {
  return {.name = "book assign",
          .arguments = "BOOK UID… | BOOK --from FILE",
          .summary = "puts contacts into a book",
          .options = {{"from", Option::Kind::kValue, "FILE", "a token a line"}},
          .min_positional = 1,
          .max_positional = kAnyNumber,
          .run = &Assign};
}

Command BookUnassignCommand() {
  return {.name = "book unassign",
          .arguments = "BOOK UID… | BOOK --from FILE",
          .summary = "takes contacts out of a book",
          .options = {{"from", Option::Kind::kValue, "FILE", "a token a line"}},
          .min_positional = 1,
          .max_positional = kAnyNumber,
          .run = &Unassign};
}

}  // namespace sealbook::cli
