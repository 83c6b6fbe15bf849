#include <algorithm>
#include <cstdio>
#include <tuple>
#include <vector>

#include "absl/strings/str_cat.h"
#include "cli/commands.h"
#include "vault/audit/receipt.h"
#include "vault/records/token.h"
#include "vault/status.h"
#include "vault/store/receipts.h"

namespace sealbook::cli {
namespace {

// As it claims to be: whether it is genuine, 'receipt verify' says to whoever is shown it.
absl::StatusOr<audit::Receipt> Claimed(absl::string_view text) {
  return audit::Receipt::Verify(
      text, [](const audit::Receipt& receipt) -> absl::StatusOr<crypto::VerifyKey> {
        return receipt.key;
      });
}

absl::Status RunReceiptList(Context& context, const Arguments& arguments) {
  const std::string uid = arguments.positional().empty() ? "" : arguments.positional()[0];
  if (!uid.empty() && !records::ParseToken(uid).ok())
    return Usage("that is no token", "Give one, as UID_2837470195 is.");
  RETURN_IF_ERROR(context.Unlock());
  RETURN_IF_ERROR(context.Require(policies::Action::kReadAudit));
  struct Row {
    std::string time, kind, uid, id;
  };
  std::vector<Row> rows;
  RETURN_IF_ERROR(store::EachReceipt(
      context.keyring().store(),
      [&](const crypto::Hash128& id, absl::string_view text) -> absl::Status {
        ASSIGN_OR_RETURN(const audit::Receipt receipt, Claimed(text));
        const std::string* whose = receipt.Find("uid");
        if (!uid.empty() && (whose == nullptr || *whose != uid)) return absl::OkStatus();
        rows.push_back({absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", receipt.time, absl::UTCTimeZone()),
                        receipt.kind, whose == nullptr ? "" : *whose, crypto::ToHex(id)});
        return absl::OkStatus();
      }));
  std::sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) {
    return std::tie(a.time, a.id) < std::tie(b.time, b.id);
  });
  if (context.globals().json) {
    Json list = Json::array();
    for (const Row& row : rows) {
      list.push_back({{"id", row.id},
                      {"kind", row.kind},
                      {"time", row.time},
                      {"uid", row.uid.empty() ? Json(nullptr) : Json(row.uid)}});
    }
    PrintJson({{"receipts", std::move(list)}});
    return absl::OkStatus();
  }
  if (rows.empty()) {
    PrintNote(context.globals(), "There are no receipts.");
    return absl::OkStatus();
  }
  // In two lines each: the id alone takes 32 columns.
  for (const Row& row : rows) {
    PrintLine(absl::StrCat(row.time, "  ", Printable(row.kind), row.uid.empty() ? "" : "  ",
                           Printable(row.uid)));
    PrintLine(absl::StrCat("  ", row.id));
  }
  return absl::OkStatus();
}

absl::Status RunReceiptShow(Context& context, const Arguments& arguments) {
  const auto bytes = crypto::FromHex(arguments.positional()[0]);
  crypto::Hash128 id{};
  if (!bytes.ok() || bytes->size() != id.size())
    return Usage("that is no receipt's id", "'sealbook receipt list' shows them.");
  std::copy(bytes->begin(), bytes->end(), id.begin());
  RETURN_IF_ERROR(context.Unlock());
  RETURN_IF_ERROR(context.Require(policies::Action::kReadAudit));
  ASSIGN_OR_RETURN(const auto text, context.keyring().store().GetReceipt(id));
  if (!text) {
    return WithHint(absl::NotFoundError("this vault has no such receipt"),
                    "'sealbook receipt list' shows them.");
  }
  RETURN_IF_ERROR(Claimed(*text).status());
  if (context.globals().json) {
    PrintJson({{"receipt", *text}});
  } else if (std::fwrite(text->data(), 1, text->size(), stdout) != text->size()) {
    return absl::InternalError("standard output could not be written");
  }
  return absl::OkStatus();
}

}  // namespace

Command ReceiptListCommand() {
  return {.name = "receipt list",
          .arguments = "[UID]",
          .summary = "the receipts that the vault keeps: of erasures, archives, exports",
          .max_positional = 1,
          .run = &RunReceiptList};
}

Command ReceiptShowCommand() {
  return {.name = "receipt show",
          .arguments = "ID",
          .summary = "a receipt, as it is handed out",
          .min_positional = 1,
          .max_positional = 1,
          .run = &RunReceiptShow};
}

}  // namespace sealbook::cli
