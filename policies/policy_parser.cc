// The only file that includes toml++, which is heavy.
#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0
#include <toml++/toml.h>

#include <algorithm>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "policies/policy.h"
#include "vault/crypto/age_file.h"
#include "vault/status.h"

namespace sealbook::policies {

// Collects faults and goes on, so that `policy check` shows all of them at once.
class PolicyParser {
 public:
  explicit PolicyParser(absl::string_view text) { policy_.text_ = std::string(text); }

  Policy Take() { return std::move(policy_); }
  std::vector<Fault> Run();

 private:
  void Say(const toml::node& node, absl::string_view message) {
    const auto& begin = node.source().begin;
    faults_.push_back({static_cast<int>(begin.line), static_cast<int>(begin.column), std::string(message)});
  }
  void Say(const toml::key& key, absl::string_view message) {
    const auto& begin = key.source().begin;
    faults_.push_back({static_cast<int>(begin.line), static_cast<int>(begin.column), std::string(message)});
  }

  // Calls `visit(key, value)` for each entry and says which keys are not known.
  void Keys(const toml::table& table, std::initializer_list<absl::string_view> known) {
    for (const auto& [key, value] : table) {
      if (std::find(known.begin(), known.end(), absl::string_view(key.data(), key.length())) == known.end()) {
        Say(key, absl::StrCat("unknown key \"", std::string(key.str()), "\""));
      }
    }
  }
  const toml::table* Table(const toml::table& in, const char* name, bool required) {
    const toml::node* node = in.get(name);
    if (node == nullptr) {
      if (required) faults_.push_back({1, 1, absl::StrCat("the section [", name, "] is missing")});
      return nullptr;
    }
    if (!node->is_table()) {
      Say(*node, absl::StrCat("\"", name, "\" must be a section"));
      return nullptr;
    }
    return node->as_table();
  }
  std::optional<std::string> Text(const toml::table& in, const char* name) {
    const toml::node* node = in.get(name);
    if (node == nullptr) return std::nullopt;
    if (!node->is_string()) {
      Say(*node, absl::StrCat("\"", name, "\" must be a text"));
      return std::nullopt;
    }
    return node->as_string()->get();
  }
  int Number(const toml::table& in, const char* name, int otherwise, int least, int most) {
    const toml::node* node = in.get(name);
    if (node == nullptr) return otherwise;
    if (!node->is_integer() || node->as_integer()->get() < least || node->as_integer()->get() > most) {
      Say(*node, absl::StrCat("\"", name, "\" must be a number from ", least, " to ", most));
      return otherwise;
    }
    return static_cast<int>(node->as_integer()->get());
  }
  bool Flag(const toml::table& in, const char* name) {
    const toml::node* node = in.get(name);
    if (node == nullptr) return false;
    if (!node->is_boolean()) {
      Say(*node, absl::StrCat("\"", name, "\" must be true or false"));
      return false;
    }
    return node->as_boolean()->get();
  }
  std::vector<std::pair<std::string, const toml::node*>> Texts(const toml::table& in, const char* name) {
    std::vector<std::pair<std::string, const toml::node*>> out;
    const toml::node* node = in.get(name);
    if (node == nullptr) return out;
    if (!node->is_array()) {
      Say(*node, absl::StrCat("\"", name, "\" must be a list of texts"));
      return out;
    }
    for (const toml::node& item : *node->as_array()) {
      if (!item.is_string()) {
        Say(item, absl::StrCat("\"", name, "\" must be a list of texts"));
        continue;
      }
      const std::string& text = item.as_string()->get();
      if (std::any_of(out.begin(), out.end(), [&](auto& o) { return o.first == text; })) {
        Say(item, absl::StrCat("\"", text, "\" stands twice"));
        continue;
      }
      out.emplace_back(text, &item);
    }
    return out;
  }

  void Region(const toml::table& root);
  void Token(const toml::table& root);
  void Classes(const toml::table& root);
  void Masks(const toml::table& root);
  void Roles(const toml::table& root);
  void Role(const std::string& name, const toml::key& key, const toml::table& table);
  void Limits(const toml::table& root);
  void Archives(const toml::table& root);

  Policy policy_;
  std::vector<Fault> faults_;
};

void PolicyParser::Region(const toml::table& root) {
  const auto region = Text(root, "region");
  if (!region || region->empty()) return;
  if (region->size() != 2 || !std::all_of(region->begin(), region->end(),
                                          [](char c) { return c >= 'A' && c <= 'Z'; })) {
    Say(*root.get("region"), "\"region\" must be two capital letters, as KR, or empty");
    return;
  }
  policy_.region_ = *region;
}

void PolicyParser::Token(const toml::table& root) {
  const toml::table* token = Table(root, "token", false);
  if (token == nullptr) return;
  Keys(*token, {"prefix", "digits"});
  // Archives, exports and other vaults know tokens by this form: it is written down, and fixed.
  if (const auto prefix = Text(*token, "prefix"); prefix && *prefix != "UID_") {
    Say(*token->get("prefix"), "tokens begin with UID_ in every vault");
  }
  Number(*token, "digits", 10, 10, 10);
}

void PolicyParser::Classes(const toml::table& root) {
  const toml::table* classes = Table(root, "classes", true);
  if (classes == nullptr) return;
  static constexpr std::pair<absl::string_view, ClassId> kPermanent[] = {
      {"identity", ClassId::kIdentity}, {"masked", ClassId::kMasked},       {"profile", ClassId::kProfile},
      {"sensitive", ClassId::kSensitive}, {"chat", ClassId::kChat}};
  std::set<std::string> all_fields;
  int takers = 0;
  for (const auto& [key, node] : *classes) {
    const std::string name(key.str());
    if (!node.is_table()) {
      Say(key, "a class must be a section");
      continue;
    }
    const toml::table& table = *node.as_table();
    Keys(table, {"number", "fields", "unknown_fields"});
    ClassRule rule{.id = {}, .name = name, .fields = {}, .unknown_fields = Flag(table, "unknown_fields"),
                   .line = static_cast<int>(key.source().begin.line)};
    const int number = Number(table, "number", 0, 1, 127);
    rule.id = ClassId{static_cast<std::uint8_t>(number)};
    const auto permanent = std::find_if(std::begin(kPermanent), std::end(kPermanent),
                                        [&](auto& p) { return p.first == name; });
    if (name == "index" || name == "audit") Say(key, "this name belongs to the vault itself");
    if (permanent != std::end(kPermanent) ? permanent->second != rule.id
                                          : number < static_cast<int>(ClassId::kFirstCustom)) {
      Say(key, permanent != std::end(kPermanent)
                   ? absl::StrCat("class ", name, " has number ", static_cast<int>(permanent->second))
                   : "a class of your own needs a number from 16 to 127");
    }
    if (policy_.FindClass(rule.id) != nullptr) Say(key, absl::StrCat("number ", number, " stands twice"));
    for (const auto& [field, at] : Texts(table, "fields")) {
      if (field.empty() || field.size() > 64) Say(*at, "a field's name has 1 to 64 characters");
      if (BaseField(field) != field) Say(*at, "numbered fields belong with the first: leave the number out");
      if (!all_fields.insert(field).second) Say(*at, absl::StrCat("field ", field, " is in two classes"));
      rule.fields.push_back(field);
    }
    if ((rule.id == ClassId::kMasked || rule.id == ClassId::kChat) &&
        (!rule.fields.empty() || rule.unknown_fields)) {
      Say(key, absl::StrCat("class ", name, " is filled by the vault and lists no fields"));
    }
    takers += rule.unknown_fields ? 1 : 0;
    policy_.classes_.push_back(std::move(rule));
  }
  for (const auto& [name, id] : kPermanent) {
    if (policy_.FindClass(id) == nullptr) Say(*classes, absl::StrCat("the class ", name, " is missing"));
  }
  if (takers != 1) Say(*classes, "exactly one class must have unknown_fields = true");
  // Identifiers are found through the index and masked from identity: they belong nowhere else.
  for (const char* field : {"phone", "email", "whatsapp_id", "jid", "username"}) {
    const ClassRule* identity = policy_.FindClass(ClassId::kIdentity);
    if (identity != nullptr &&
        std::find(identity->fields.begin(), identity->fields.end(), field) == identity->fields.end()) {
      Say(*classes, absl::StrCat("field ", field, " must be in class identity"));
    }
  }
}

void PolicyParser::Masks(const toml::table& root) {
  const toml::table* masks = Table(root, "masks", false);
  if (masks == nullptr) return;
  for (const auto& [key, node] : *masks) {
    const std::string field(key.str());
    const std::string rule = node.is_string() ? node.as_string()->get() : "";
    if (rule == "phone") policy_.masks_[field] = MaskRule::kPhone;
    else if (rule == "email") policy_.masks_[field] = MaskRule::kEmail;
    else if (rule == "last4") policy_.masks_[field] = MaskRule::kLast4;
    else if (rule == "hidden") policy_.masks_[field] = MaskRule::kHidden;
    else Say(key, "a mask is \"phone\", \"email\", \"last4\" or \"hidden\"");
  }
}

void PolicyParser::Role(const std::string& name, const toml::key& key, const toml::table& table) {
  Keys(table, {"scope", "clear", "masked", "reveal", "change", "may", "service"});
  RoleRule role;
  role.name = name;
  role.line = static_cast<int>(key.source().begin.line);
  for (const auto& [entry, value] : table) {
    role.lines[std::string(entry.str())] = static_cast<int>(entry.source().begin.line);
  }
  const auto scope = Text(table, "scope");
  if (!scope || (*scope != "all" && *scope != "books")) {
    Say(key, absl::StrCat("role ", name, " needs scope = \"all\" or \"books\""));
  }
  role.all_contacts = scope == "all";
  role.service = Flag(table, "service");
  const auto classes = [&](const char* what, std::vector<ClassId>& out) {
    for (const auto& [class_name, at] : Texts(table, what)) {
      const auto found = std::find_if(policy_.classes_.begin(), policy_.classes_.end(),
                                      [&](const ClassRule& c) { return c.name == class_name; });
      if (found == policy_.classes_.end()) {
        Say(*at, absl::StrCat("there is no class \"", class_name, "\""));
      } else if (found->id == ClassId::kMasked) {
        Say(*at, "the masked rendering is given by \"masked\", which names the classes it stands for");
      } else {
        out.push_back(found->id);
      }
    }
  };
  classes("clear", role.clear);
  classes("masked", role.masked);
  classes("reveal", role.reveal);
  classes("change", role.change);
  for (const ClassId id : role.masked) {
    if (id != ClassId::kIdentity) Say(*table.get("masked"), "only identity has a masked rendering");
    if (std::count(role.clear.begin(), role.clear.end(), id)) {
      Say(*table.get("masked"), "a class is shown clear or masked, not both");
    }
  }
  for (const auto& [power, at] : Texts(table, "may")) {
    if (std::find(Policy::Powers().begin(), Policy::Powers().end(), power) == Policy::Powers().end()) {
      Say(*at, absl::StrCat("there is no right \"", power, "\""));
    }
    role.may.push_back(power);
  }
  // Rights that need the whole vault's keys, or change what everybody's keys are.
  if (!role.all_contacts && !role.may.empty()) {
    Say(key, absl::StrCat("role ", name, " has scope = \"books\" and so can have no rights in \"may\""));
  }
  if (std::count(role.change.begin(), role.change.end(), ClassId::kIdentity) && !role.May("import")) {
    Say(key, absl::StrCat("role ", name, " changes identity, which needs the right \"import\" (the index key)"));
  }
  if (role.May("members") || role.May("books") || role.May("policy")) {
    // Whoever grants keys must hold them: half an admin would make members who cannot read.
    for (const ClassRule& rule : policy_.classes_) {
      if (rule.id != ClassId::kMasked && !std::count(role.clear.begin(), role.clear.end(), rule.id)) {
        Say(key, absl::StrCat("role ", name, " grants keys to others and so must read ", rule.name));
      }
    }
    for (const char* power : {"import", "audit"}) {
      if (!role.May(power)) Say(key, absl::StrCat("role ", name, " grants keys to others and so needs the right \"", power, "\""));
    }
    if (role.service) Say(key, absl::StrCat("role ", name, " must be a person's"));
  }
  policy_.roles_.push_back(std::move(role));
}

void PolicyParser::Roles(const toml::table& root) {
  const toml::table* roles = Table(root, "roles", true);
  if (roles == nullptr) return;
  for (const auto& [key, node] : *roles) {
    if (!node.is_table()) {
      Say(key, "a role must be a section");
    } else {
      Role(std::string(key.str()), key, *node.as_table());
    }
  }
  const RoleRule* owner = policy_.FindRole("owner");
  if (owner == nullptr || !owner->May("members") || !owner->May("policy") || !owner->May("books")) {
    Say(*roles, "the role owner must be there, with the rights members, books and policy");
  }
}

void PolicyParser::Limits(const toml::table& root) {
  if (const toml::table* table = Table(root, "passphrase", false)) {
    Keys(*table, {"min_length", "memory_mib", "passes"});
    policy_.passphrase_min_length_ = Number(*table, "min_length", 12, 12, 128);
    policy_.cost_.memory_kib = static_cast<std::uint32_t>(Number(*table, "memory_mib", 256, 64, 2048)) * 1024;
    policy_.cost_.passes = static_cast<std::uint32_t>(Number(*table, "passes", 3, 1, 20));
  }
  if (const toml::table* table = Table(root, "lockout", false)) {
    Keys(*table, {"after", "minutes"});
    policy_.lockout_.after = Number(*table, "after", 5, 3, 20);
    policy_.lockout_.lasts = absl::Minutes(Number(*table, "minutes", 15, 1, 1440));
  }
  if (const toml::table* table = Table(root, "lookup", false)) {
    Keys(*table, {"shown"});
    policy_.lookup_limit_ = Number(*table, "shown", 50, 1, 1000);
  }
}

void PolicyParser::Archives(const toml::table& root) {
  const toml::table* table = Table(root, "archives", true);
  if (table == nullptr) return;
  Keys(*table, {"recipients", "destinations"});
  for (const auto& [recipient, at] : Texts(*table, "recipients")) {
    if (!crypto::ParseAgeRecipient(recipient).ok()) Say(*at, "not an age recipient (age1…)");
    policy_.archive_recipients_.push_back(recipient);
  }
  if (policy_.archive_recipients_.empty()) Say(*table, "\"recipients\" must name at least one age recipient");
  for (const auto& [url, at] : Texts(*table, "destinations")) {
    if (!absl::StartsWith(url, "file:///") && !absl::StartsWith(url, "sftp://") && !absl::StartsWith(url, "s3://")) {
      Say(*at, "a destination is file:///DIR, sftp://USER@HOST/DIR or s3://BUCKET/PREFIX");
    }
    policy_.archive_destinations_.push_back(url);
  }
}

std::vector<Fault> PolicyParser::Run() {
  if (policy_.text_.size() > Policy::kMaxBytes) return {{1, 1, "the policy is larger than 1 MiB"}};
  const toml::parse_result parsed = toml::parse(policy_.text_);
  if (!parsed) {
    const auto& begin = parsed.error().source().begin;
    return {{static_cast<int>(begin.line), static_cast<int>(begin.column),
             absl::StrCat("not TOML: ", std::string(parsed.error().description()))}};
  }
  const toml::table& root = parsed.table();
  Keys(root, {"version", "region", "token", "classes", "masks", "roles", "passphrase", "lockout", "lookup", "archives"});
  if (const toml::node* version = root.get("version");
      version == nullptr || !version->is_integer() || version->as_integer()->get() != 1) {
    faults_.push_back({1, 1, "the policy must say version = 1"});
  }
  Region(root);
  Token(root);
  Classes(root);
  Masks(root);
  Roles(root);
  Limits(root);
  Archives(root);
  std::stable_sort(faults_.begin(), faults_.end(), [](const Fault& a, const Fault& b) {
    return std::pair(a.line, a.column) < std::pair(b.line, b.column);
  });
  return std::move(faults_);
}

absl::StatusOr<Policy> Policy::Parse(absl::string_view toml) {
  PolicyParser parser(toml);
  const std::vector<Fault> faults = parser.Run();
  if (!faults.empty()) {
    return WithHint(
        absl::InvalidArgumentError(absl::StrCat("the policy, line ", faults[0].line, ", column ",
                                                faults[0].column, ": ", faults[0].message)),
        faults.size() == 1 ? "Mend it; 'sealbook policy check' looks again."
                           : absl::StrCat("'sealbook policy check' shows all ", faults.size(), " faults."));
  }
  return parser.Take();
}

std::vector<Fault> Policy::Check(absl::string_view toml) { return PolicyParser(toml).Run(); }

}  // namespace sealbook::policies
