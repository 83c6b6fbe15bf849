#include "cli/contacts.h"

#include <unistd.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "vault/records/token.h"
#include "vault/status.h"

namespace sealbook::cli {

Json ToJson(const records::Contact& contact) {
  Json fields = Json::object();
  for (const records::ShownField& field : contact.fields) {
    fields[field.name] = {{"value", field.value},
                          {"form", field.form == records::Form::kClear ? "clear" : "masked"}};
  }
  return {{"uid", records::FormatToken(contact.token)},
          {"books", contact.books},
          {"fields", std::move(fields)}};
}

void PrintContact(const records::Contact& contact) {
  std::string head = records::FormatToken(contact.token);
  if (!contact.books.empty()) absl::StrAppend(&head, "  in ", absl::StrJoin(contact.books, ", "));
  PrintLine(Printable(head));
  int width = 0;
  for (const records::ShownField& field : contact.fields)
    width = std::max(width, DisplayWidth(field.name));
  for (const records::ShownField& field : contact.fields) {
    const std::string indent(static_cast<std::size_t>(width) + 4, ' ');
    std::string value = absl::StrReplaceAll(Printable(field.value), {{"\n", "\n" + indent}});
    PrintLine(absl::StrCat("  ", PadTo(Printable(field.name), width), "  ", value,
                           field.form == records::Form::kMasked ? "  (masked)" : ""));
  }
}

absl::StatusOr<records::Contact> ReadByToken(Context& context, absl::string_view text,
                                             const char* act) {
  const auto token = records::ParseToken(text);
  if (!token.ok())
    return Usage("that is no token, or it is mistyped", "A token looks like UID_2837470195.");
  // Refused before anything is looked for: an account that reads nothing learns nothing.
  RETURN_IF_ERROR(
      context.permits().Search(context.keyring().bundle().member, context.role()).status());
  records::ContactReader reader(context.keyring());
  ASSIGN_OR_RETURN(const ContactNumber number, reader.FindToken(*token));
  ASSIGN_OR_RETURN(
      const ReadPermit permit,
      context.permits().ReadOne(context.keyring().bundle().member, context.role(), number));
  ASSIGN_OR_RETURN(records::Contact contact, reader.Read(permit, number));
  RETURN_IF_ERROR(context.Record({.act = act, .token = contact.token}));
  return contact;
}

}  // namespace sealbook::cli
