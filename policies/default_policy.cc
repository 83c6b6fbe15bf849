#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "policies/policy.h"

namespace sealbook::policies {
namespace {

// As a text of TOML: what comes from outside must not end it and go on with a section of its own.
std::string Quoted(absl::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (absl::ascii_iscntrl(static_cast<unsigned char>(c))) {
      absl::StrAppend(&out, "\\u00", absl::Hex(static_cast<unsigned char>(c), absl::kZeroPad2));
    } else {
      if (c == '"' || c == '\\') out.push_back('\\');
      out.push_back(c);
    }
  }
  return out + "\"";
}

std::string List(const std::vector<std::string>& items) {
  if (items.empty()) return "[]";
  return absl::StrCat("[\n  ",
                      absl::StrJoin(items, ",\n  ",
                                    [](std::string* out, const std::string& item) {
                                      absl::StrAppend(out, Quoted(item));
                                    }),
                      ",\n]");
}

constexpr absl::string_view kRules = R"toml(
[token]
prefix = "UID_"
digits = 10

# Classes are sets of fields with one key. Numbers are for ever.
[classes.identity]
number = 1
fields = ["phone", "email", "whatsapp_id", "jid", "username", "address"]

# What others see of identity: made when a value is written, with a key of its own.
[classes.masked]
number = 2

[classes.profile]
number = 3
fields = ["name", "company", "tags", "orders", "note", "consent"]

[classes.sensitive]
number = 4
fields = ["birth_date"]
unknown_fields = true          # every column that nobody named

[classes.chat]
number = 5

# +82 10-****-5678, m***@example.com, ****7890, or not at all.
[masks]
phone = "phone"
email = "email"
whatsapp_id = "last4"
jid = "last4"
username = "last4"
address = "hidden"

# scope    "all" contacts, or those of the member's own "books"
# clear    classes shown as they are       masked   shown in their masked rendering
# reveal   held, but shown one value at a time, with a reason, in the audit log:
#          no more than reveal_daily within 24 hours
# change   classes that may be written     may      rights beside that
# service  unlocks with a key file, not a passphrase
[roles.owner]
scope = "all"
clear = ["identity", "profile", "sensitive", "chat"]
change = ["identity", "profile", "sensitive", "chat"]
may = ["members", "books", "assign", "import", "export", "policy", "audit", "retention", "subjects"]

[roles.admin]
scope = "all"
clear = ["identity", "profile", "sensitive", "chat"]
change = ["identity", "profile", "sensitive", "chat"]
may = ["members", "books", "assign", "import", "export", "policy", "audit", "retention", "subjects"]

[roles.supervisor]
scope = "books"
clear = ["profile", "sensitive", "chat"]
masked = ["identity"]
reveal = ["identity"]
reveal_daily = 20
change = ["profile", "sensitive"]

[roles.agent]
scope = "books"
clear = ["profile", "chat"]
masked = ["identity"]
change = ["profile"]

# Writes customers and cannot read one.
[roles.importer]
scope = "all"
service = true
change = ["identity", "profile", "sensitive", "chat"]
may = ["import", "assign"]

# Moves what is sealed, and opens none of it.
[roles.retention]
scope = "all"
service = true
may = ["retention"]

[roles.auditor]
scope = "all"
may = ["audit"]

# What a passphrase costs to try: memory in MiB and passes of Argon2id.
[passphrase]
min_length = 12
memory_mib = 256
passes = 3

# After so many wrong passphrases a name is locked for so many minutes.
[lockout]
after = 5
minutes = 15

# How many customers one lookup shows. Reading the whole list in the clear is what export is for.
[lookup]
shown = 50

# Whoever reveals more than so many values within so many minutes is copying a list, and is locked for
# so many minutes. 'sealbook member unlock NAME' ends a lock early.
[reveal]
burst = 10
burst_minutes = 10
lock_minutes = 60

# One-time codes: after so many wrong ones a member's codes are refused for so many minutes. Where there
# is another admin, an admin's enrolment or removal waits for that one's code.
[second_factor]
wrong_codes = 5
locked_minutes = 15
countersign = true

# Customer lists that leave the vault, encrypted to age recipients. Where nobody is named with
# --recipient, to these. approvals: by so many others with the right to export, each for exactly one
# export, within so many hours. max_rows, cooldown_minutes: 0 is no limit.
[export]
recipients = []
other_recipients = true
plaintext = false
approvals = 0
approval_hours = 24
max_rows = 0
cooldown_minutes = 0

# Chats older than chat_days go into archives; archives that have stood for archive_days are
# destroyed, where their place allows it. Customers under a label ('sealbook subject label') have
# days of their own: [retention.labels.NAME].
[retention]
chat_days = 90
archive_days = 1095
audit_days = 1095
)toml";

}  // namespace

std::string DefaultPolicyText(const DefaultPolicyOptions& options) {
  return absl::StrCat(
      "# Who may do what in this vault. 'sealbook policy check FILE' looks for faults in a changed "
      "copy,\n"
      "# 'sealbook policy apply FILE' signs it and puts it in force.\n"
      "version = 1\n\n"
      "# Where phone numbers without a country code are from (ISO 3166), or empty.\n"
      "region = ",
      Quoted(options.region), "\n", kRules,
      "\n# Old chats go into archives that the recipients' identities alone open. Keep those "
      "elsewhere.\n"
      "# quorum: at so many of the destinations an archive stands before its chats are purged; 0: "
      "all.\n"
      "[archives]\nrecipients = ",
      List(options.archive_recipients), "\ndestinations = ", List(options.archive_destinations),
      "\nquorum = 0\n");
}

}  // namespace sealbook::policies
