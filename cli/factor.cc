#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "cli/commands.h"
#include "cli/one_time_code.h"
#include "policies/factor_enrollment.h"
#include "vault/keyring/administration.h"
#include "vault/status.h"

namespace sealbook::cli {
namespace {

// Whom --member names; this member where it is not given.
absl::StatusOr<MemberId> WhoseFactor(Context& context, const Arguments& arguments) {
  if (!arguments.Has("member")) return context.keyring().bundle().member;
  const auto name = keyring::NormalizeName(arguments.Value("member"));
  if (name.ok() && *name == context.keyring().self().name) return context.keyring().bundle().member;
  // Refused before anybody is looked for.
  RETURN_IF_ERROR(context.Require(policies::Action::kManageMembers));
  ASSIGN_OR_RETURN(const keyring::Member* member,
                   keyring::FindPerson(context.keyring().roster(), arguments.Value("member")));
  return member->id;
}

std::string NameOf(Context& context, MemberId member) {
  const keyring::Member* found = context.keyring().roster().FindMember(member);
  return found == nullptr ? "" : found->name;
}

Json ToJson(Context& context, const policies::FactorItem& item) {
  Json json = {{"id", item.id},       {"member", NameOf(context, item.member)},
               {"kind", item.kind},   {"status", policies::NameOf(item.status)},
               {"enrolled", nullptr}, {"codes_left", nullptr}};
  if (item.status != policies::FactorStatus::kDamaged)
    json["enrolled"] = absl::FormatTime(absl::RFC3339_sec, item.enrolled, absl::UTCTimeZone());
  if (item.codes_left) json["codes_left"] = *item.codes_left;
  return json;
}

absl::Status RunFactorList(Context& context, const Arguments& arguments) {
  RETURN_IF_ERROR(context.Unlock());
  std::optional<MemberId> whose;
  if (arguments.Has("member") || !context.Require(policies::Action::kManageMembers).ok()) {
    ASSIGN_OR_RETURN(whose, WhoseFactor(context, arguments));
  }
  ASSIGN_OR_RETURN(const std::vector<policies::FactorItem> items,
                   policies::ListFactors(context.keyring(), context.policy(), whose));
  const bool damaged = std::any_of(items.begin(), items.end(), [](const auto& item) {
    return item.status == policies::FactorStatus::kDamaged;
  });
  if (context.globals().json) {
    Json list = Json::array();
    for (const policies::FactorItem& item : items) list.push_back(ToJson(context, item));
    PrintJson({{"factors", std::move(list)}});
    return damaged ? absl::DataLossError("") : absl::OkStatus();  // said already
  }
  std::vector<std::vector<std::string>> rows;
  for (const policies::FactorItem& item : items) {
    rows.push_back({item.id, Printable(NameOf(context, item.member)), item.kind,
                    std::string(policies::NameOf(item.status)),
                    item.status == policies::FactorStatus::kDamaged
                        ? ""
                        : absl::FormatTime("%Y-%m-%d %H:%M", item.enrolled, absl::UTCTimeZone()),
                    item.codes_left ? absl::StrCat(*item.codes_left) : ""});
  }
  PrintTable({"ID", "MEMBER", "KIND", "STATUS", "ENROLLED (UTC)", "CODES LEFT"}, rows);
  if (!damaged) return absl::OkStatus();
  return WithHint(absl::DataLossError("a second factor does not count: it was altered, or an older "
                                      "one was put back"),
                  "An admin removes it with 'sealbook factor remove --member NAME', and it is "
                  "enrolled anew.");
}

absl::Status Remove(Context& context, const Arguments& arguments) {
  RETURN_IF_ERROR(context.Unlock());
  ASSIGN_OR_RETURN(const MemberId member, WhoseFactor(context, arguments));
  ASSIGN_OR_RETURN(const auto code, AskForCodeIfEnrolled(context, arguments));
  ASSIGN_OR_RETURN(const std::optional<std::string> waits,
                   policies::RemoveFactors(context.keyring(), context.policy(), member,
                                           code ? &*code : nullptr, absl::Now()));
  const std::string name = NameOf(context, member);
  if (context.globals().json) {
    Json json = {{"member", name}, {"status", waits ? "waiting" : "removed"}};
    if (waits) json["id"] = *waits;
    PrintJson(json);
  } else if (waits) {
    PrintLine(Printable(absl::StrCat("The second factor of ", name,
                                     " goes once another admin with one agrees:\n\n"
                                     "    sealbook factor approve ",
                                     *waits)));
  } else {
    PrintLine(Printable(absl::StrCat(name, " has no second factor any more.")));
  }
  return absl::OkStatus();
}

absl::Status Approve(Context& context, const Arguments& arguments) {
  RETURN_IF_ERROR(context.Unlock());
  RETURN_IF_ERROR(context.Require(policies::Action::kManageMembers));
  ASSIGN_OR_RETURN(const policies::CheckedCode code, AskForCode(context, arguments));
  const std::string& id = arguments.positional()[0];
  ASSIGN_OR_RETURN(
      const policies::Approved approved,
      policies::ApproveFactor(context.keyring(), context.policy(), id, code, absl::Now()));
  const std::string name = NameOf(context, approved.member);
  if (context.globals().json) {
    PrintJson({{"id", id}, {"member", name}, {"status", approved.removal ? "removed" : "active"}});
  } else {
    PrintLine(Printable(absl::StrCat(
        approved.removal ? "Removed: the second factor of " : "In force: the second factor of ",
        name, ".")));
  }
  return absl::OkStatus();
}

Option MemberOption(const char* help) { return {"member", Option::Kind::kValue, "NAME", help}; }

}  // namespace

Command FactorListCommand() {
  return {.name = "factor list",
          .arguments = "[--member NAME]",
          .summary = "second factors, and what waits for another admin",
          .options = {MemberOption("whose; an admin sees all without it")},
          .run = &RunFactorList};
}

Command FactorRemoveCommand() {
  return {
      .name = "factor remove",
      .arguments = "[--member NAME] [--otp CODE]",
      .summary = "removes your second factor with its recovery codes, or as an admin a member's",
      .options = {MemberOption("whose, as an admin"), OtpOption()},
      .run = &Remove};
}

Command FactorApproveCommand() {
  return {.name = "factor approve",
          .arguments = "ID --otp CODE",
          .summary = "as an admin, agrees to another admin's second factor, or to its removal",
          .options = {OtpOption()},
          .min_positional = 1,
          .max_positional = 1,
          .run = &Approve};
}

}  // namespace sealbook::cli
