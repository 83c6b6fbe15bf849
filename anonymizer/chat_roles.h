// Who is who in an exported chat: which author is the company, and which are customers. An export
// does not say it; what it does say is its chat's name, which for a chat of two is the other one's.
// What cannot be told is refused: nothing is guessed.
//
// Functions may be called from any thread.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "anonymizer/chat_reader.h"

namespace sealbook::anonymizer {

struct RoleOptions {
  std::string me;                  // the company's author, a name or a phone; empty: not said
  bool without_me = false;         // no author is the company
  bool customer_is_known = false;  // said outright (--contact), which goes for a chat of two
  std::string region;              // for phones without a country code
};

struct ChatRoles {
  bool is_group = false;
  std::string company;                 // the author as the file names it; empty: none
  std::vector<std::string> customers;  // the other authors; of a chat of two, one at most
  // Of a chat of two in which the company alone wrote: the name of the chat. Not among the authors.
  std::string silent_customer;
  // In a chat of two with one author, nobody is `me`: the author was taken for the customer.
  bool me_is_absent = false;

  bool IsCompany(absl::string_view author) const { return !company.empty() && author == company; }
};

// InvalidArgument: who is who cannot be told, or nobody but the company wrote; a clause that stands
// behind the file's name, and a hint that says what to give. FailedPrecondition:
// `customer_is_known` of a group in which more than one wrote beside the company.
absl::StatusOr<ChatRoles> FindRoles(const ChatSurvey& survey, const RoleOptions& options);

// The phone that an author's name is, as E.164; empty where it is a name. A phone is digits with
// what people put between them, and nothing else.
std::string PhoneOfAuthor(absl::string_view author, absl::string_view region);

}  // namespace sealbook::anonymizer
