#include "vault/audit/receipt.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "cli/commands.h"
#include "cli/receipt_key.h"
#include "vault/keyring/files.h"
#include "vault/status.h"

namespace sealbook::cli {
namespace {

absl::Status RunVerify(Context& context, const Arguments& arguments) {
  const std::string& path = arguments.positional()[0];
  if (!arguments.Has("authority")) {
    return Usage("whose key the receipt must be signed with is not named",
                 "Give it with --authority KEY; the vault's owner sees it with 'sealbook receipt "
                 "key'.");
  }
  ASSIGN_OR_RETURN(const crypto::VerifyKey key, ParseAuthority(arguments.Value("authority")));
  const auto text = keyring::ReadSmallFile(path, audit::Receipt::kMaxBytes);
  if (absl::IsNotFound(text.status())) {
    return WithHint(absl::InvalidArgumentError("there is no such file"), "Name the receipt.");
  }
  RETURN_IF_ERROR(text.status());
  const auto receipt = audit::Receipt::Verify(*text, key);
  if (!receipt.ok()) {
    if (!absl::IsDataLoss(receipt.status()) || !context.globals().json) return receipt.status();
    PrintJson({{"ok", false}, {"error", ErrorJson(receipt.status())}});
    return absl::DataLossError("");
  }
  const std::string time =
      absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", receipt->time, absl::UTCTimeZone());
  if (context.globals().json) {
    Json facts = Json::object();
    for (const auto& [name, value] : receipt->facts) {
      if (!facts.contains(name)) {
        facts[name] = value;
      } else {
        // Named several times, as approvals are.
        if (!facts[name].is_array()) facts[name] = Json::array({facts[name]});
        facts[name].push_back(value);
      }
    }
    PrintJson({{"ok", true},
               {"kind", receipt->kind},
               {"time", time},
               {"id", crypto::ToHex(receipt->id)},
               {"vault", crypto::ToHex(receipt->vault)},
               {"member", static_cast<std::uint32_t>(receipt->member)},
               {"facts", std::move(facts)}});
    return absl::OkStatus();
  }
  PrintLine(absl::StrCat("This receipt is genuine: ", Printable(receipt->kind), ", ", time, "."));
  int width = 0;
  for (const auto& [name, value] : receipt->facts)
    width = std::max(width, DisplayWidth(Printable(name)));
  for (const auto& [name, value] : receipt->facts)
    PrintLine(absl::StrCat("  ", PadTo(Printable(name), width + 2), Printable(value)));
  return absl::OkStatus();
}

absl::Status RunKey(Context& context, const Arguments& arguments) {
  RETURN_IF_ERROR(context.Unlock());
  Json list = Json::array();
  std::vector<std::vector<std::string>> rows;
  for (const keyring::Member& member : context.keyring().roster().members) {
    if (member.kind == keyring::MemberKind::kRecovery) continue;
    if (arguments.Has("member") && member.name != arguments.Value("member")) continue;
    const std::string key = crypto::ToHex(member.verify.bytes);
    list.push_back(
        {{"number", static_cast<std::uint32_t>(member.id)}, {"name", member.name}, {"key", key}});
    rows.push_back(
        {absl::StrCat(static_cast<std::uint32_t>(member.id)), Printable(member.name), key});
  }
  if (rows.empty()) {
    return WithHint(absl::NotFoundError("there is no such member"),
                    "'sealbook member list' shows them.");
  }
  if (context.globals().json) {
    PrintJson({{"keys", std::move(list)}});
  } else {
    PrintTable({"MEMBER", "NAME", "KEY"}, rows);
  }
  return absl::OkStatus();
}

}  // namespace

Command ReceiptVerifyCommand() {
  return {.name = "receipt verify",
          .arguments = "F --authority KEY",
          .summary = "whether a receipt is genuine; needs no vault",
          .options = {{"authority", Option::Kind::kValue, "KEY",
                       "the key of who signed it, or a file that holds it"}},
          .min_positional = 1,
          .max_positional = 1,
          .run = &RunVerify};
}

Command ReceiptKeyCommand() {
  return {.name = "receipt key",
          .arguments = "[--member M]",
          .summary = "the keys with which members sign receipts",
          .options = {{"member", Option::Kind::kValue, "M", "of one member"}},
          .run = &RunKey};
}

}  // namespace sealbook::cli
