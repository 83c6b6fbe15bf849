// How messages are shown, and what must be before they are.
#pragma once

#include <cstdint>
#include <string>

#include "absl/time/time.h"
#include "cli/command.h"
#include "vault/permits.h"
#include "vault/records/chat_codec.h"

namespace sealbook::cli {

// RFC 3339: "2024-08-21T04:28:00Z".
std::string FormatUtc(absl::Time time);

// {time, direction, author, text}, with `kind` and `edited` where the message is more than text.
Json ToJson(const records::ChatEntry& entry);

// For people, in the order of their times: a bar for each day, a line or some for each message, no
// wider than the terminal.
//
//   ── 2024-08-21 ──
//   13:28  ‹ what the customer wrote, over as many
//            lines as it takes
//   13:29  › mina: what the company answered
class MessagePrinter {
 public:
  void Print(const records::ChatEntry& entry);

 private:
  absl::TimeZone zone_ = absl::LocalTimeZone();
  absl::CivilDay day_ = absl::CivilDay(1, 1, 1);
};

// --limit, from 1; `none` where it was not given.
absl::StatusOr<std::int64_t> LimitOf(const Arguments& arguments, std::int64_t none);

// A customer's chat that this member may read, by the customer's token. Usage: no token.
// PermissionDenied: the role reads no chats; looked at before anything is looked for. NotFound:
// there is none, or it is not the member's.
struct ChatOfContact {
  ContactNumber contact = 0;
  std::int64_t token = 0;
  ReadPermit permit;
};
absl::StatusOr<ChatOfContact> FindChat(Context& context, const std::string& token);

}  // namespace sealbook::cli
