#include "anonymizer/chat_roles.h"

#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include <optional>

#include "absl/strings/match.h"
#include "anonymizer/identifiers.h"
#include "vault/status.h"

namespace sealbook::anonymizer {
namespace {

constexpr char kSayWho[] =
    "Say with --me which author is the company, by the name or the number that stands in the file.";

absl::Status CannotTell(absl::string_view why, absl::string_view hint = kSayWho) {
  return WithHint(absl::InvalidArgumentError(why), hint);
}

// Of any script. The phone library would take the number out of "김서연 010-1234-5678", which is a
// name that somebody gave.
bool HasLetters(absl::string_view text) {
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(text.data());
  const auto size = static_cast<int32_t>(text.size());
  for (int32_t at = 0; at < size;) {
    UChar32 c;
    U8_NEXT_OR_FFFD(bytes, at, size, c);
    if (u_isalpha(c)) return true;
  }
  return false;
}

// The same person under two writings of one name or number.
class Matcher {
 public:
  Matcher(absl::string_view wanted, const std::string& region)
      : region_(region), name_(CleanText(wanted)), phone_(PhoneOfAuthor(wanted, region)) {}
  bool Matches(absl::string_view author) const {
    if (name_.empty()) return false;
    if (CleanText(author) == name_) return true;
    return !phone_.empty() && PhoneOfAuthor(author, region_) == phone_;
  }
  // The authors whom it is.
  std::vector<std::string> Among(const std::vector<std::string>& authors) const {
    std::vector<std::string> out;
    for (const std::string& author : authors) {
      if (Matches(author)) out.push_back(author);
    }
    return out;
  }

 private:
  const std::string& region_;
  std::string name_, phone_;
};

// Of a chat of two, by the chat's name alone.
absl::Status FindByChatName(const ChatSurvey& survey, const std::vector<std::string>& authors,
                            const RoleOptions& options, ChatRoles& roles) {
  const Matcher chat(survey.chat_name, options.region);
  const std::vector<std::string> named = chat.Among(authors);
  if (authors.size() == 2) {
    if (named.size() != 1)
      return CannotTell("does not tell which of its two authors is the company");
    roles.company = authors[0] == named[0] ? authors[1] : authors[0];
  } else if (authors.size() == 1 && named.empty()) {
    if (CleanText(survey.chat_name).empty())
      return CannotTell("does not tell whether its one author is the company");
    roles.company = authors[0];
  }
  return absl::OkStatus();
}

absl::Status FindCompany(const ChatSurvey& survey, const std::vector<std::string>& authors,
                         const RoleOptions& options, ChatRoles& roles) {
  if (options.without_me) return absl::OkStatus();
  if (!options.me.empty()) {
    const std::vector<std::string> me = Matcher(options.me, options.region).Among(authors);
    if (me.size() > 1) return CannotTell("has two authors who are --me");
    if (me.size() == 1) {
      roles.company = me[0];
      return absl::OkStatus();
    }
  }
  if (!survey.self.empty()) {
    roles.company = survey.self;
    return absl::OkStatus();
  }
  if (roles.is_group) {
    const absl::string_view what =
        options.me.empty() ? "is the chat of a group, and does not tell which author is the company"
                           : "is the chat of a group, and none of its authors is --me";
    return CannotTell(what,
                      "Say with --me who of the authors is the company, or with --without-me that "
                      "none is.");
  }
  if (options.me.empty()) return FindByChatName(survey, authors, options, roles);
  if (authors.size() == 2) return CannotTell("has two authors, and neither is --me");
  if (authors.size() == 1) {
    const bool names_nobody = CleanText(survey.chat_name).empty();
    if (!names_nobody && !Matcher(survey.chat_name, options.region).Matches(authors[0]))
      return CannotTell("has one author, who is neither --me nor the one whose chat it is");
    roles.me_is_absent = true;
  }
  return absl::OkStatus();
}

}  // namespace

std::string PhoneOfAuthor(absl::string_view author, absl::string_view region) {
  const std::string text = CleanText(author);
  if (HasLetters(text) || absl::StrContains(text, "@")) return "";
  const auto recognized = RecognizeIdentifier(text, region);
  return recognized && recognized->kind == IdentifierKind::kPhone ? recognized->value : "";
}

absl::StatusOr<ChatRoles> FindRoles(const ChatSurvey& survey, const RoleOptions& options) {
  std::vector<std::string> authors;
  for (const auto& [author, messages] : survey.authors) authors.push_back(author);
  ChatRoles roles{.is_group = survey.is_group || authors.size() > 2 ||
                              (options.without_me && authors.size() > 1)};
  // With nobody but one beside the company, who is named outright is believed.
  if (options.customer_is_known && authors.size() <= (options.without_me ? 1U : 2U))
    roles.is_group = false;
  if (roles.is_group && options.customer_is_known) {
    return WithHint(
        absl::FailedPreconditionError("--contact is for a chat of two, and this is a group"),
        "Leave it out: each author of a group has a chat of their own.");
  }
  RETURN_IF_ERROR(FindCompany(survey, authors, options, roles));
  for (const std::string& author : authors) {
    if (!roles.IsCompany(author)) roles.customers.push_back(author);
  }
  if (!roles.customers.empty()) return roles;
  if (roles.is_group) {
    return CannotTell("is a group in which nobody but the company wrote, and so nobody's chat",
                      "A group is kept with the customers who wrote in it.");
  }
  roles.silent_customer = CleanText(survey.chat_name);
  const bool is_company = !roles.company.empty() &&
                          Matcher(roles.company, options.region).Matches(roles.silent_customer);
  if (is_company) roles.silent_customer.clear();
  if (roles.silent_customer.empty() && !options.customer_is_known) {
    return CannotTell("has no message of a customer, and does not tell whose chat it is",
                      "Say with --contact UID whose chat it is.");
  }
  return roles;
}

}  // namespace sealbook::anonymizer
