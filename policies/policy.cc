#include "policies/policy.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "vault/status.h"

namespace sealbook::policies {

bool RoleRule::May(absl::string_view power) const {
  return std::find(may.begin(), may.end(), power) != may.end();
}

const std::vector<std::string>& Policy::Powers() {
  static const auto* const powers = new std::vector<std::string>{
      "members", "books", "assign", "import", "export", "policy", "audit", "retention", "subjects"};
  return *powers;
}

absl::string_view BaseField(absl::string_view field) {
  const auto underscore = field.rfind('_');
  if (underscore == absl::string_view::npos || underscore == 0 || underscore + 1 == field.size()) {
    return field;
  }
  for (const char c : field.substr(underscore + 1)) {
    if (c < '0' || c > '9') return field;
  }
  return field.substr(0, underscore);
}

const RoleRule* Policy::FindRole(absl::string_view name) const {
  const auto at =
      std::find_if(roles_.begin(), roles_.end(), [&](auto& r) { return r.name == name; });
  return at == roles_.end() ? nullptr : &*at;
}

const ClassRule* Policy::FindClass(ClassId id) const {
  const auto at =
      std::find_if(classes_.begin(), classes_.end(), [&](auto& c) { return c.id == id; });
  return at == classes_.end() ? nullptr : &*at;
}

const ClassRule& Policy::ClassOfField(absl::string_view field) const {
  const absl::string_view base = BaseField(field);
  const ClassRule* unknown = nullptr;
  for (const ClassRule& rule : classes_) {
    for (const std::string& name : rule.fields) {
      if (name == base || name == field) return rule;
    }
    if (rule.unknown_fields) unknown = &rule;
  }
  return *unknown;  // the parser made sure that there is one
}

MaskRule Policy::MaskOf(absl::string_view field) const {
  const auto at = masks_.find(std::string(BaseField(field)));
  return at == masks_.end() ? MaskRule::kHidden : at->second;
}

keyring::CompiledPolicy Policy::Compile() const {
  using keyring::Power;
  keyring::CompiledPolicy out{
      .text = text_, .classes = {}, .roles = {}, .cost = cost_, .lockout = lockout_};
  for (const ClassRule& rule : classes_) out.classes.push_back({rule.id, rule.name});
  out.classes.push_back({ClassId::kIndex, "index"});
  out.classes.push_back({ClassId::kAudit, "audit"});
  std::sort(out.classes.begin(), out.classes.end(), [](auto& a, auto& b) { return a.id < b.id; });
  for (const RoleRule& rule : roles_) {
    keyring::RoleDefinition role{.name = rule.name,
                                 .root_scope = rule.all_contacts,
                                 .service = rule.service,
                                 .holds = rule.clear,
                                 .writes = rule.change,
                                 .powers = 0};
    role.holds.insert(role.holds.end(), rule.reveal.begin(), rule.reveal.end());
    const bool full = rule.May("members") || rule.May("books") || rule.May("policy");
    // Whoever shows a contact in the clear can make its masked rendering too; and an admin grants
    // it.
    if (!rule.masked.empty() || full) role.holds.push_back(ClassId::kMasked);
    if (rule.May("import")) role.holds.push_back(ClassId::kIndex);
    if (rule.May("audit")) role.holds.push_back(ClassId::kAudit);
    if (!rule.change.empty() &&
        std::count(rule.change.begin(), rule.change.end(), ClassId::kIdentity)) {
      role.writes.push_back(ClassId::kMasked);
    }
    const auto allow = [&](bool yes, Power power) {
      if (yes) role.powers |= static_cast<std::uint32_t>(power);
    };
    allow(full, Power::kSignRoster);
    allow(rule.May("assign"), Power::kAssign);
    allow(rule.May("import"), Power::kCreateContacts);
    allow(rule.May("import"), Power::kWriteChats);
    allow(rule.May("retention"), Power::kRetention);
    allow(rule.May("subjects"), Power::kSubjects);
    for (auto* classes : {&role.holds, &role.writes}) {
      std::sort(classes->begin(), classes->end());
      classes->erase(std::unique(classes->begin(), classes->end()), classes->end());
    }
    out.roles.push_back(std::move(role));
  }
  std::sort(out.roles.begin(), out.roles.end(), [](auto& a, auto& b) { return a.name < b.name; });
  return out;
}

absl::StatusOr<Policy> PolicyInForce(keyring::Keyring& keyring) {
  ASSIGN_OR_RETURN(const std::string text, keyring::CurrentPolicyText(keyring));
  auto policy = Policy::Parse(text);
  if (!policy.ok()) {
    return WithHint(absl::DataLossError(absl::StrCat("the policy in force cannot be read: ",
                                                     policy.status().message())),
                    "An older version of the program cannot read a newer policy: update it.");
  }
  return policy;
}

absl::Status CheckRoles(const keyring::Roster& roster, const Policy& policy) {
  const keyring::CompiledPolicy compiled = policy.Compile();
  if (compiled.roles == roster.roles && compiled.classes == roster.classes) return absl::OkStatus();
  return WithHint(
      absl::DataLossError("an admin signed other rights for roles than the policy in force says"),
      "Ask the owner, who puts that right with 'sealbook policy apply' and finds in 'sealbook "
      "audit "
      "log' who it was.");
}

std::vector<std::string> ChangesThatNeedResealing(const Policy& now, const Policy& next) {
  std::vector<std::string> out;
  const keyring::CompiledPolicy before = now.Compile(), after = next.Compile();
  if (before.classes != after.classes) {
    out.push_back("the set of classes changes, so that keys would have to be made or dropped");
  }
  for (const ClassRule& rule : next.classes()) {
    const ClassRule* old = now.FindClass(rule.id);
    if (old == nullptr) continue;
    for (const std::string& field : rule.fields) {
      if (now.ClassOfField(field).id != rule.id) {
        out.push_back(absl::StrCat("line ", rule.line, ": field ", field, " moves from class ",
                                   now.ClassOfField(field).name, " to ", rule.name));
      }
    }
    for (const std::string& field : old->fields) {
      if (next.ClassOfField(field).id != rule.id) {
        out.push_back(absl::StrCat("field ", field, " leaves class ", rule.name));
      }
    }
    if (old->unknown_fields != rule.unknown_fields) {
      out.push_back(absl::StrCat("line ", rule.line, ": unknown columns go to another class"));
    }
  }
  // escrow.key.age was encrypted when the vault was made, and nobody reads an archive without it.
  for (const std::string& recipient : next.archive_recipients()) {
    const auto& known = now.archive_recipients();
    if (std::find(known.begin(), known.end(), recipient) == known.end()) {
      out.push_back(absl::StrCat("[archives] has a new recipient, ", recipient,
                                 ", to whom the archives' escrow key is not encrypted"));
    }
  }
  const ClassRule* identity = now.FindClass(ClassId::kIdentity);
  for (const std::string& field : identity->fields) {
    if (now.MaskOf(field) != next.MaskOf(field)) {
      out.push_back(absl::StrCat("the mask of ", field,
                                 " changes, and masks are made when values are written"));
    }
  }
  for (const keyring::RoleDefinition& role : after.roles) {
    const auto old = std::find_if(before.roles.begin(), before.roles.end(),
                                  [&](auto& r) { return r.name == role.name; });
    if (old == before.roles.end()) continue;  // nobody has a new role yet
    if (old->service != role.service) {
      out.push_back(absl::StrCat("line ", next.FindRole(role.name)->line, ": role ", role.name,
                                 " becomes one of another kind of account, which unlocks in "
                                 "another way"));
    }
  }
  return out;
}

}  // namespace sealbook::policies
