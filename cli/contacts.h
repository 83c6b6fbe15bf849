// How contacts are shown, in the terminal and as JSON.
#pragma once

#include <vector>

#include "cli/command.h"
#include "vault/records/contact_reader.h"

namespace sealbook::cli {

Json ToJson(const records::Contact& contact);
// One contact with all its fields, a line each.
void PrintContact(const records::Contact& contact);

// The contact of a token, as the member may read it, with an audit row of `act`. NotFound: there is
// none, or it is not the member's.
absl::StatusOr<records::Contact> ReadByToken(Context& context, absl::string_view token,
                                             const char* act);

}  // namespace sealbook::cli
