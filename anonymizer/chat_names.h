// The customers of an exported chat, author by author: as the phone that an author's name is, as
// the contact that was named outright, as the one customer of the vault with that name, or as
// somebody who is found again by the name in chats alone.
#pragma once

#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "anonymizer/chat_people.h"
#include "anonymizer/chat_roles.h"
#include "policies/policy.h"
#include "vault/keyring/keyring.h"

namespace sealbook::anonymizer {

struct ChatNames {
  // By the author as the file names them, and by ChatRoles::silent_customer.
  absl::flat_hash_map<std::string, ChatPerson> people;
  // A sentence each.
  std::vector<std::string> remarks;
};

// `contact`: the token of the customer of a chat of two, or empty.
// InvalidArgument: several customers of the vault have an author's name; names their tokens.
// NotFound: `contact` is not there. FailedPrecondition: it is no token.
absl::StatusOr<ChatNames> FindChatNames(keyring::Keyring& keyring, const policies::Policy& policy,
                                        const ChatRoles& roles, const std::string& contact,
                                        const std::string& region);

}  // namespace sealbook::anonymizer
