// The policy: one TOML file that says who may do what (docs/policy.md). It is read strictly: what
// is not known, of the wrong type or out of range is a fault with line and column, and a policy
// with a fault is no policy.
//
//   ASSIGN_OR_RETURN(const Policy policy, Policy::Parse(text));
//   keyring::CompiledPolicy compiled = policy.Compile();
//
// Immutable; any thread may read it.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "vault/keyring/administration.h"

namespace sealbook::policies {

struct Fault {
  int line = 0, column = 0;  // from 1
  std::string message;
};

// How the masked rendering of a field is made (policies/mask.h).
enum class MaskRule { kHidden, kPhone, kEmail, kLast4 };

struct ClassRule {
  ClassId id{};
  std::string name;
  std::vector<std::string> fields;
  bool unknown_fields = false;  // takes every field that no class names
  int line = 0;
};

struct RoleRule {
  std::string name;
  bool all_contacts = false;  // scope = "all", otherwise "books"
  bool service = false;
  std::vector<ClassId> clear;   // shown as it is
  std::vector<ClassId> masked;  // shown in its masked rendering
  std::vector<ClassId> reveal;  // held, shown one value at a time on request
  int reveal_daily = 20;        // so many in 24 hours (policies/reveal.h)
  std::vector<ClassId> change;
  std::vector<std::string> may;  // of kPowers
  int line = 0;
  std::map<std::string, int> lines;  // of each key
  bool May(absl::string_view power) const;
};

// More than `burst` reveals within `within` lock the member for `lasts`.
struct BurstRule {
  int burst = 10;
  absl::Duration within = absl::Minutes(10);
  absl::Duration lasts = absl::Minutes(60);
};

// Second factors (policies/second_factor.h).
struct FactorRule {
  int wrong_codes = 5;  // after which a member's codes are refused for a while
  absl::Duration locked = absl::Minutes(15);
  // An admin's enrolment or removal waits for another admin's code, where there is one.
  bool countersign = true;
};

// Exports (policies/export_control.h).
struct ExportRule {
  static constexpr std::size_t kMaxRecipients = 20;
  std::vector<std::string> recipients;  // to whom files are encrypted where nobody else is named
  bool other_recipients = true;         // whoever exports may name others
  bool plaintext = false;
  int approvals = 0;  // by so many others with the right to export
  absl::Duration approval_lasts = absl::Hours(24);
  std::int64_t max_rows = 0;                       // 0: no limit
  absl::Duration cooldown = absl::ZeroDuration();  // between two exports of one member
};

// For how many days what is kept (policies/retention.h).
struct RetentionRule {
  int chat_days = 90;       // in the vault; then in archives
  int archive_days = 1095;  // in archives; then they are destroyed
  friend bool operator==(const RetentionRule&, const RetentionRule&) = default;
};

class Policy {
 public:
  static constexpr std::size_t kMaxBytes = 1024 * 1024;
  // What `may` can list.
  static const std::vector<std::string>& Powers();

  // InvalidArgument: faults; the message has the first, the hint the number of all.
  static absl::StatusOr<Policy> Parse(absl::string_view toml);
  // All faults, in the order of the file; empty where Parse would succeed.
  static std::vector<Fault> Check(absl::string_view toml);

  const std::string& text() const { return text_; }
  const std::string& region() const { return region_; }  // ISO 3166, or empty
  const std::vector<ClassRule>& classes() const { return classes_; }
  const std::vector<RoleRule>& roles() const { return roles_; }
  const RoleRule* FindRole(absl::string_view name) const;
  const ClassRule* FindClass(ClassId id) const;
  // The class of a field; numbered ones (`phone_2`) belong with the first; unknown ones to the
  // class that takes them.
  const ClassRule& ClassOfField(absl::string_view field) const;
  MaskRule MaskOf(absl::string_view field) const;  // kHidden where none is named
  int passphrase_min_length() const { return passphrase_min_length_; }
  const crypto::PassphraseCost& cost() const { return cost_; }
  const keyring::LockoutLimits& lockout() const { return lockout_; }
  int lookup_limit() const { return lookup_limit_; }
  const BurstRule& burst() const { return burst_; }
  const FactorRule& factors() const { return factors_; }
  const ExportRule& exports() const { return exports_; }
  const std::vector<std::string>& archive_recipients() const { return archive_recipients_; }
  const std::vector<std::string>& archive_destinations() const { return archive_destinations_; }
  // At so many of them an archive must stand, verified, before anything is purged; 0: at all.
  int archive_quorum() const { return archive_quorum_; }
  // By label: under "" those of customers without one.
  const std::map<std::string, RetentionRule>& retention() const { return retention_; }
  int audit_days() const { return audit_days_; }

  // What the vault's signed roster holds of it.
  keyring::CompiledPolicy Compile() const;

 private:
  friend class PolicyParser;
  Policy() = default;

  std::string text_;
  std::string region_;
  std::vector<ClassRule> classes_;
  std::vector<RoleRule> roles_;
  std::map<std::string, MaskRule> masks_;
  int passphrase_min_length_ = 12;
  crypto::PassphraseCost cost_;
  keyring::LockoutLimits lockout_;
  int lookup_limit_ = 50;
  BurstRule burst_;
  FactorRule factors_;
  ExportRule exports_;
  std::vector<std::string> archive_recipients_;
  std::vector<std::string> archive_destinations_;
  int archive_quorum_ = 0;
  std::map<std::string, RetentionRule> retention_ = {{"", {}}};
  int audit_days_ = 1095;
};

// The policy that the vault's roster names. DataLoss: its text is missing, altered or has faults.
absl::StatusOr<Policy> PolicyInForce(keyring::Keyring& keyring);
// DataLoss: the roster's roles and classes are not those of the policy's text: then whoever signed
// the roster gave somebody rights or keys that no policy shows.
absl::Status CheckRoles(const keyring::Roster& roster, const Policy& policy);

// "phone" of "phone_2"; other names as they are.
absl::string_view BaseField(absl::string_view field);

struct DefaultPolicyOptions {
  std::string region;
  std::vector<std::string> archive_recipients;
  std::vector<std::string> archive_destinations;
};
// The policy of a new vault, with comments, as its owner will read it.
std::string DefaultPolicyText(const DefaultPolicyOptions& options);

// What applying `next` in the place of `now` would need to be sealed again as something else, a
// sentence each; empty where it can be applied as it stands. Keys that roles gain or lose are given
// and taken by the vault (keyring/epochs.h).
std::vector<std::string> ChangesThatNeedResealing(const Policy& now, const Policy& next);

}  // namespace sealbook::policies
