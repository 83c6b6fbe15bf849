#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "cli/commands.h"
#include "vault/audit/log.h"
#include "vault/records/token.h"
#include "vault/status.h"

namespace sealbook::cli {
namespace {

constexpr std::size_t kMaxCheckpointBytes = 64 * 1024;

std::string NameOf(keyring::Keyring& keyring, const audit::Record& record) {
  const keyring::Roster* roster = keyring.history().Version(record.roster_version);
  const keyring::Member* member = roster == nullptr ? nullptr : roster->FindMember(record.member);
  return member == nullptr ? "" : member->name;
}

// Whom a row is about, where that is a member; empty otherwise.
std::string MemberAbout(keyring::Keyring& keyring, const audit::Record& record) {
  if (!audit::IsAboutMember(record.token)) return "";
  const auto id = MemberId{static_cast<std::uint32_t>(-record.token)};
  const keyring::Member* member = keyring.roster().FindMember(id);
  return member == nullptr ? "" : member->name;
}

std::string Rfc3339(std::int64_t time_ms) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", absl::FromUnixMillis(time_ms),
                          absl::UTCTimeZone());
}

absl::Status Log(Context& context, const Arguments& arguments) {
  absl::Time since = absl::InfinitePast();
  if (arguments.Has("since")) {
    std::string error;
    const std::string text = arguments.Value("since");
    if (!absl::ParseTime(absl::RFC3339_full, text, &since, &error) &&
        !absl::ParseTime("%Y-%m-%d", text, &since, &error)) {
      return Usage("--since is a day or a time",
                   "For example 2026-01-31, or 2026-01-31T18:00:00Z.");
    }
  }
  std::int64_t token = 0;
  if (arguments.Has("uid")) {
    const auto parsed = records::ParseToken(arguments.Value("uid"));
    if (!parsed.ok())
      return Usage("--uid is no token, or it is mistyped", "A token looks like UID_2837470195.");
    token = *parsed;
  }
  RETURN_IF_ERROR(context.Unlock());
  RETURN_IF_ERROR(context.Require(policies::Action::kReadAudit));
  RETURN_IF_ERROR(context.Record({.act = "audit.log"}));
  keyring::Keyring& keyring = context.keyring();
  CatchInterrupts();
  ASSIGN_OR_RETURN(const auto snapshot, keyring.Snapshot());
  return keyring.store().EachAudit(1, [&](std::int64_t, ByteView bytes) -> absl::Status {
    if (Interrupted()) return absl::CancelledError("interrupted");
    ASSIGN_OR_RETURN(const audit::Record record, audit::Record::Parse(bytes));
    const std::string member = NameOf(keyring, record);
    if (absl::FromUnixMillis(record.time_ms) < since || (token != 0 && record.token != token) ||
        (arguments.Has("member") && member != arguments.Value("member"))) {
      return absl::OkStatus();
    }
    std::string detail;
    const keyring::Roster* roster = keyring.history().Version(record.roster_version);
    const keyring::Compartment* compartment =
        roster == nullptr ? nullptr : roster->FindCompartment(kRootBook, ClassId::kAudit);
    if (compartment != nullptr && keyring.Holds(kRootBook, ClassId::kAudit)) {
      const auto pair = keyring.CompartmentPair(kRootBook, ClassId::kAudit, compartment->epoch);
      if (pair.ok()) {
        const auto opened = audit::OpenDetail(record, keyring.roster().vault, **pair);
        if (opened.ok()) detail = *opened;
      }
    }
    if (context.globals().json) {
      Json line = {{"sequence", record.sequence},
                   {"time", Rfc3339(record.time_ms)},
                   {"member", member},
                   {"act", record.act},
                   {"outcome", record.outcome}};
      if (record.token > 0) line["uid"] = records::FormatToken(record.token);
      if (audit::IsAboutMember(record.token)) line["about"] = MemberAbout(keyring, record);
      const Json parsed = Json::parse(detail, nullptr, false);
      if (parsed.is_object()) line["detail"] = parsed;
      PrintJson(line);
      return absl::OkStatus();
    }
    std::string line = absl::StrCat(
        PadTo(absl::StrCat(record.sequence), 6), " ", Rfc3339(record.time_ms).substr(0, 19), "  ",
        PadTo(Printable(member), 12), " ", PadTo(record.act, 16), " ", PadTo(record.outcome, 9));
    if (record.token > 0) absl::StrAppend(&line, "  ", records::FormatToken(record.token));
    if (audit::IsAboutMember(record.token))
      absl::StrAppend(&line, "  ", Printable(MemberAbout(keyring, record)));
    if (!detail.empty()) absl::StrAppend(&line, "  ", Printable(detail));
    while (line.back() == ' ') line.pop_back();
    PrintLine(line);
    return absl::OkStatus();
  });
}

absl::Status RunAuditVerify(Context& context, const Arguments& arguments) {
  RETURN_IF_ERROR(context.Unlock());
  RETURN_IF_ERROR(context.Require(policies::Action::kReadAudit));
  keyring::Keyring& keyring = context.keyring();
  ASSIGN_OR_RETURN(const auto snapshot, keyring.Snapshot());
  const audit::KeyOf keys = keyring.SignerKeys();
  std::optional<audit::Head> must_contain;
  if (arguments.Has("checkpoint")) {
    auto text = keyring::ReadSmallFile(arguments.Value("checkpoint"), kMaxCheckpointBytes);
    if (!text.ok())
      return WithHint(absl::InvalidArgumentError(text.status().message()),
                      "Name the file that 'audit checkpoint' wrote.");
    ASSIGN_OR_RETURN(const audit::Checkpoint checkpoint, audit::ParseCheckpoint(*text, keys));
    if (checkpoint.vault != keyring.roster().vault) {
      return WithHint(absl::InvalidArgumentError("the checkpoint is of another vault"),
                      "Name this vault's own.");
    }
    must_contain = checkpoint.head;
  }
  ASSIGN_OR_RETURN(const audit::Verification result,
                   audit::Verify(keyring.store(), keyring.roster().vault, keys, must_contain));
  Json json = {{"ok", result.ok()},
               {"entries", result.entries},
               {"head", crypto::ToHex(result.head.hash)},
               {"first_bad", nullptr}};
  if (result.first_bad) json["first_bad"] = *result.first_bad;
  if (!result.why.empty()) json["why"] = result.why;
  if (context.globals().json) {
    PrintJson(json);
    return result.ok() ? absl::OkStatus() : absl::DataLossError("");  // said already
  }
  if (result.ok()) {
    PrintLine(absl::StrCat("The log is whole: ", result.entries, " entries, head ",
                           crypto::ToHex(result.head.hash).substr(0, 16), "."));
    return absl::OkStatus();
  }
  return WithHint(absl::DataLossError(absl::StrCat("the log was altered: entry ", *result.first_bad,
                                                   ": ", result.why)),
                  "Keep a copy of the vault as it is, and compare with the last backup.");
}

absl::Status Checkpoint(Context& context, const Arguments& arguments) {
  if (!arguments.Has("output")) return Usage("a checkpoint needs a file", "Give -o F.");
  RETURN_IF_ERROR(context.Unlock());
  RETURN_IF_ERROR(context.Require(policies::Action::kReadAudit));
  keyring::Keyring& keyring = context.keyring();
  ASSIGN_OR_RETURN(const auto snapshot, keyring.Snapshot());
  ASSIGN_OR_RETURN(const audit::Head head, audit::ReadHead(keyring.store()));
  const std::string text = audit::FormatCheckpoint({.vault = keyring.roster().vault,
                                                    .head = head,
                                                    .time_ms = absl::ToUnixMillis(absl::Now()),
                                                    .member = keyring.bundle().member,
                                                    .roster_version = keyring.roster().version},
                                                   keyring.bundle().signing);
  const std::string file = arguments.Value("output");
  const absl::Status written = keyring::CreateNewFile(file, text, 0644);
  if (absl::IsAlreadyExists(written))
    return WithHint(absl::AlreadyExistsError(absl::StrCat(file, " is there already")),
                    "Name another file.");
  RETURN_IF_ERROR(written);
  if (context.globals().json)
    PrintJson({{"file", file}, {"entries", head.sequence}, {"head", crypto::ToHex(head.hash)}});
  else
    PrintLine(absl::StrCat("Checkpoint of ", head.sequence, " entries in ", file,
                           ". Keep it where the vault's users cannot write."));
  return absl::OkStatus();
}

}  // namespace

Command AuditLogCommand() {
  return {.name = "audit log",
          .arguments = "[--member M] [--uid UID] [--since T]",
          .summary = "who did what, when",
          .options = {{"member", Option::Kind::kValue, "M", "of this member alone"},
                      {"uid", Option::Kind::kValue, "UID", "about this customer alone"},
                      {"since", Option::Kind::kValue, "T", "from a day or time (RFC 3339)"}},
          .run = &Log};
}
Command AuditVerifyCommand() {
  return {
      .name = "audit verify",
      .arguments = "[--checkpoint F]",
      .summary = "checks that the log is whole and unaltered",
      .options = {{"checkpoint", Option::Kind::kValue, "F", "an earlier head that must be in it"}},
      .run = &RunAuditVerify};
}
Command AuditCheckpointCommand() {
  return {.name = "audit checkpoint",
          .arguments = "-o F",
          .summary = "a signed note of the log's end, to keep elsewhere",
          .options = {{"o,output", Option::Kind::kValue, "F", "where it is written"}},
          .run = &Checkpoint};
}

}  // namespace sealbook::cli
