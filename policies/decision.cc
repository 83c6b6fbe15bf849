#include "policies/decision.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "vault/status.h"

namespace sealbook::policies {
namespace {

bool Contains(const std::vector<ClassId>& classes, ClassId id) {
  return std::find(classes.begin(), classes.end(), id) != classes.end();
}

struct ActionName {
  absl::string_view power;     // of `may`; empty for what is decided by class
  absl::string_view sentence;  // completes "role X may not …"
};

ActionName NameOf(Action action) {
  switch (action) {
    case Action::kRead:
      return {"", "read this"};
    case Action::kChange:
      return {"", "change this"};
    case Action::kReveal:
      return {"", "reveal this"};
    case Action::kImport:
      return {"import", "import customers"};
    case Action::kExport:
      return {"export", "export customers"};
    case Action::kAssign:
      return {"assign", "assign customers to books"};
    case Action::kManageMembers:
      return {"members", "manage members"};
    case Action::kManageBooks:
      return {"books", "manage books"};
    case Action::kManagePolicy:
      return {"policy", "change the policy"};
    case Action::kReadAudit:
      return {"audit", "read the audit log"};
    case Action::kRetention:
      return {"retention", "archive and purge chats"};
    case Action::kSubjects:
      return {"subjects", "act for data subjects"};
  }
  return {"", "do this"};
}

}  // namespace

Decision Decide(const Policy& policy, absl::string_view role_name, Action action,
                absl::string_view field) {
  Decision decision;
  const RoleRule* role = policy.FindRole(role_name);
  if (role == nullptr) {
    decision.because.push_back(absl::StrCat("the policy has no role ", role_name));
    return decision;
  }
  const auto allow = [&](const char* key, View view) {
    decision.allowed = true;
    decision.view = view;
    decision.rule = absl::StrCat("roles.", role->name, ".", key);
    const auto at = role->lines.find(key);
    decision.line = at == role->lines.end() ? role->line : at->second;
  };
  const ActionName name = NameOf(action);
  if (!name.power.empty()) {
    if (role->May(name.power)) allow("may", View::kHidden);
    decision.because.push_back(absl::StrCat("role ", role->name,
                                            decision.allowed ? " has" : " has not", " the right \"",
                                            name.power, "\""));
    return decision;
  }
  const ClassRule& rule = policy.ClassOfField(field);
  decision.because.push_back(absl::StrCat("field ", BaseField(field), " is in class ", rule.name,
                                          " (line ", rule.line, ")"));
  if (action == Action::kChange) {
    if (Contains(role->change, rule.id)) allow("change", View::kClear);
  } else if (action == Action::kReveal && Contains(role->reveal, rule.id)) {
    allow("reveal", View::kClear);
  } else if ((action == Action::kRead || action == Action::kReveal) &&
             Contains(role->clear, rule.id)) {
    allow("clear", View::kClear);
  } else if (action == Action::kRead && Contains(role->masked, rule.id) &&
             policy.MaskOf(field) != MaskRule::kHidden) {
    allow("masked", View::kMasked);
  }
  decision.because.push_back(
      absl::StrCat("role ", role->name, decision.allowed ? " lists" : " does not list",
                   " that class", decision.allowed ? absl::StrCat(" under ", decision.rule) : ""));
  return decision;
}

absl::Status Require(const Policy& policy, absl::string_view role, Action action,
                     absl::string_view field) {
  const Decision decision = Decide(policy, role, action, field);
  if (decision.allowed) return absl::OkStatus();
  if (action == Action::kSubjects) {
    return WithHint(
        absl::PermissionDeniedError(
            absl::StrCat("role ", role, " may not ", NameOf(action).sentence)),
        "Ask an admin. A policy from before there was this right gives it to nobody: an owner adds "
        "\"subjects\" to a role's \"may\" ('sealbook policy show', 'sealbook policy apply').");
  }
  std::string what;
  if (!field.empty()) {
    const ClassRule& rule = policy.ClassOfField(field);
    const absl::string_view base = BaseField(field);
    const bool named = std::find(rule.fields.begin(), rule.fields.end(), base) != rule.fields.end();
    what = named ? absl::StrCat(": field ", base) : absl::StrCat(": a field of class ", rule.name);
  }
  return WithHint(absl::PermissionDeniedError(
                      absl::StrCat("role ", role, " may not ", NameOf(action).sentence, what)),
                  "Ask an admin; 'sealbook policy show' says what each role may do.");
}

absl::Status RequireClass(const Policy& policy, absl::string_view role_name, Action action,
                          ClassId class_id) {
  const RoleRule* role = policy.FindRole(role_name);
  const bool change = action == Action::kChange;
  if (role != nullptr && (change || action == Action::kRead) &&
      Contains(change ? role->change : role->clear, class_id))
    return absl::OkStatus();
  const ClassRule* rule = policy.FindClass(class_id);
  return WithHint(absl::PermissionDeniedError(
                      absl::StrCat("role ", role_name, " may not ", NameOf(action).sentence,
                                   ": class ", rule == nullptr ? "unknown" : rule->name)),
                  "Ask an admin; 'sealbook policy show' says what each role may do.");
}

absl::StatusOr<const RoleRule*> PermitIssuer::Reader(absl::string_view role_name) const {
  const RoleRule* role = policy_.FindRole(role_name);
  if (role == nullptr || (role->clear.empty() && role->masked.empty())) {
    return WithHint(
        absl::PermissionDeniedError(absl::StrCat("role ", role_name, " may not read contacts")),
        "Ask an admin; 'sealbook policy show' says what each role may do.");
  }
  return role;
}

absl::StatusOr<ReadPermit> PermitIssuer::ReadOne(MemberId member, absl::string_view role_name,
                                                 ContactNumber contact) const {
  ASSIGN_OR_RETURN(const RoleRule* role, Reader(role_name));
  return ReadPermit(member, contact, role->clear, !role->masked.empty(), absl::Now());
}

absl::StatusOr<ReadPermit> PermitIssuer::Reveal(MemberId member, absl::string_view role_name,
                                                ContactNumber contact,
                                                absl::string_view field) const {
  RETURN_IF_ERROR(Require(policy_, role_name, Action::kReveal, field));
  return ReadPermit(member, contact, {policy_.ClassOfField(field).id}, /*masked=*/false,
                    absl::Now());
}

absl::StatusOr<ReadPermit> PermitIssuer::Search(MemberId member,
                                                absl::string_view role_name) const {
  ASSIGN_OR_RETURN(const RoleRule* role, Reader(role_name));
  // A role that reads identity clear holds the masked rendering too, which is quicker to search.
  const bool masked = !role->masked.empty() || Contains(role->clear, ClassId::kIdentity);
  return ReadPermit(member, std::nullopt, role->clear, masked, absl::Now());
}

absl::StatusOr<PurgePermit> PermitIssuer::Purge(MemberId member,
                                                absl::string_view role_name) const {
  RETURN_IF_ERROR(Require(policy_, role_name, Action::kRetention));
  return PurgePermit(member, std::nullopt, absl::Now());
}

absl::StatusOr<PurgePermit> PermitIssuer::Erase(MemberId member, absl::string_view role_name,
                                                ContactNumber contact) const {
  RETURN_IF_ERROR(Require(policy_, role_name, Action::kSubjects));
  return PurgePermit(member, contact, absl::Now());
}

absl::StatusOr<ReadPermit> PermitIssuer::List(MemberId member, absl::string_view role_name) const {
  ASSIGN_OR_RETURN(const RoleRule* role, Reader(role_name));
  std::vector<ClassId> clear = role->clear;
  const bool masked = !role->masked.empty() || std::erase(clear, ClassId::kIdentity) > 0;
  return ReadPermit(member, std::nullopt, clear, masked, absl::Now());
}

}  // namespace sealbook::policies
