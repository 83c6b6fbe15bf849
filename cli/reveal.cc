#include "policies/reveal.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "anonymizer/columns.h"
#include "anonymizer/identifiers.h"
#include "cli/commands.h"
#include "cli/contacts.h"
#include "vault/records/token.h"
#include "vault/status.h"

namespace sealbook::cli {
namespace {

constexpr std::ptrdiff_t kMaxReasonCharacters = 200;

absl::StatusOr<std::string> ReadReason(const Arguments& arguments) {
  constexpr absl::string_view kHint =
      "Give --reason TEXT, without names or numbers: 'call back about the delivery', say.";
  if (!arguments.Has("reason")) return Usage("a reveal needs a reason", kHint);
  std::string reason = anonymizer::CleanText(arguments.Value("reason"));
  const auto characters = std::count_if(reason.begin(), reason.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  });
  const bool control = std::any_of(reason.begin(), reason.end(), [](char c) {
    return absl::ascii_iscntrl(static_cast<unsigned char>(c));
  });
  if (reason.empty() || characters > kMaxReasonCharacters || control) {
    return Usage(absl::StrCat("a reason is one line of 1 to ", kMaxReasonCharacters, " characters"),
                 kHint);
  }
  return reason;
}

absl::Status RunReveal(Context& context, const Arguments& arguments) {
  const std::string& field = arguments.positional()[1];
  ASSIGN_OR_RETURN(const std::string reason, ReadReason(arguments));
  const auto token = records::ParseToken(arguments.positional()[0]);
  if (!token.ok())
    return Usage("that is no token, or it is mistyped", "A token looks like UID_2837470195.");
  if (!anonymizer::CheckFieldName(field).ok()) {
    return Usage("that is no name for a field",
                 "'sealbook show UID' lists them: phone, phone_2, email, ….");
  }
  RETURN_IF_ERROR(context.Unlock());
  // Refused before anything is looked for: who may not reveal it does not learn whether it is
  // there.
  RETURN_IF_ERROR(context.Require(policies::Action::kReveal, field));
  records::ContactReader reader(context.keyring());
  ASSIGN_OR_RETURN(const ContactNumber number, reader.FindToken(*token));
  ASSIGN_OR_RETURN(
      const ReadPermit permit,
      context.permits().Reveal(context.keyring().bundle().member, context.role(), number, field));
  ASSIGN_OR_RETURN(const records::Contact contact, reader.Read(permit, number));
  const auto at = std::find_if(contact.fields.begin(), contact.fields.end(),
                               [&](const records::ShownField& f) { return f.name == field; });
  if (at == contact.fields.end()) {
    return WithHint(absl::NotFoundError("this contact has no such field"),
                    "'sealbook show UID' lists those that it has.");
  }
  ASSIGN_OR_RETURN(
      const int left,
      policies::RecordReveal(context.keyring(), context.policy(),
                             {.token = contact.token,
                              .field = field,
                              .detail = Json{{"field", field}, {"reason", reason}}.dump()},
                             absl::Now()));
  if (context.globals().json) {
    PrintJson({{"uid", records::FormatToken(contact.token)},
               {"field", field},
               {"value", at->value},
               {"left_today", left}});
  } else {
    PrintLine(Printable(at->value));
    PrintNote(context.globals(), absl::StrCat("It is in the audit log. ", left,
                                              left == 1 ? " more reveal is" : " more reveals are",
                                              " left in these 24 hours."));
  }
  return absl::OkStatus();
}

}  // namespace

Command RevealCommand() {
  return {.name = "reveal",
          .arguments = "UID FIELD --reason TEXT",
          .summary = "one masked value in the clear, with a reason, in the audit log",
          .options = {{"reason", Option::Kind::kValue, "TEXT",
                       "why, in one line, without anything personal: no names, no numbers"}},
          .min_positional = 2,
          .max_positional = 2,
          .run = &RunReveal};
}

}  // namespace sealbook::cli
