#include <filesystem>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/clock.h"
#include "anonymizer/identifiers.h"
#include "cli/commands.h"
#include "cli/destinations.h"
#include "policies/retention.h"
#include "vault/archive/erasure.h"
#include "vault/records/contact_reader.h"
#include "vault/records/subject_marks.h"
#include "vault/records/token.h"
#include "vault/status.h"

namespace sealbook::cli {
namespace {

// Behind the receipt's file: the second one, which says that all destinations were reached.
constexpr const char* kConfirmedSuffix = ".confirmed";

absl::StatusOr<records::ChatOwner> FindSubject(Context& context, const std::string& uid) {
  const auto token = records::ParseToken(uid);
  if (!token.ok()) return Usage("that is no token", "Give one, as UID_2837470195 is.");
  ASSIGN_OR_RETURN(const ContactNumber contact,
                   records::ContactReader(context.keyring()).FindToken(*token));
  return records::ChatOwner{.contact = contact, .token = *token};
}

// What was known of the customer's mark goes into the log with the change.
absl::Status Change(Context& context, records::ChatOwner owner, const std::string& act,
                    const std::string& detail, const std::function<absl::Status()>& change) {
  ASSIGN_OR_RETURN(store::Transaction transaction, context.keyring().BeginWrite());
  // It may have been erased meanwhile.
  store::ContactRow row;
  ASSIGN_OR_RETURN(const bool found, context.keyring().store().GetContact(owner.contact, row));
  if (!found) return absl::NotFoundError("there is no such customer");
  RETURN_IF_ERROR(change());
  RETURN_IF_ERROR(audit::Append(context.keyring().store(), context.keyring().AuditAuthor(),
                                {.act = act, .token = owner.token, .detail = detail}));
  return transaction.Commit();
}

absl::Status Hold(Context& context, const Arguments& arguments) {
  ASSIGN_OR_RETURN(const std::string reason, ReasonOf(arguments));
  RETURN_IF_ERROR(context.Unlock());
  RETURN_IF_ERROR(context.Require(policies::Action::kSubjects));
  ASSIGN_OR_RETURN(const records::ChatOwner owner, FindSubject(context, arguments.positional()[0]));
  const Json detail = {{"reason", reason}};
  RETURN_IF_ERROR(Change(context, owner, "subject.hold", detail.dump(), [&] {
    return records::PutMark(context.keyring(), owner, records::SubjectMark::kHold, "", absl::Now());
  }));
  const std::string uid = records::FormatToken(owner.token);
  if (context.globals().json) {
    PrintJson({{"uid", uid}, {"held", true}});
  } else {
    PrintLine(absl::StrCat(uid,
                           " is on hold: nothing of it is purged, destroyed or erased until\n"
                           "'sealbook subject release'."));
  }
  return absl::OkStatus();
}

absl::Status Release(Context& context, const Arguments& arguments) {
  RETURN_IF_ERROR(context.Unlock());
  RETURN_IF_ERROR(context.Require(policies::Action::kSubjects));
  ASSIGN_OR_RETURN(const records::ChatOwner owner, FindSubject(context, arguments.positional()[0]));
  constexpr int kKind = static_cast<int>(records::SubjectMark::kHold);
  ASSIGN_OR_RETURN(const auto hold, context.keyring().store().GetSubjectMark(owner.contact, kKind));
  const std::string uid = records::FormatToken(owner.token);
  if (!hold) {
    return WithHint(absl::FailedPreconditionError(absl::StrCat(uid, " is not on hold")),
                    "There is nothing to do.");
  }
  RETURN_IF_ERROR(Change(context, owner, "subject.release", "", [&] {
    return context.keyring().store().DeleteSubjectMark(owner.contact, kKind);
  }));
  if (context.globals().json) {
    PrintJson({{"uid", uid}, {"held", false}});
  } else {
    PrintLine(absl::StrCat(uid,
                           " is on hold no more: the next 'sealbook retention run' takes what\n"
                           "has expired."));
  }
  return absl::OkStatus();
}

absl::Status Label(Context& context, const Arguments& arguments) {
  RETURN_IF_ERROR(context.Unlock());
  RETURN_IF_ERROR(context.Require(policies::Action::kSubjects));
  const std::string label = arguments.positional().size() > 1 ? arguments.positional()[1] : "";
  if (!label.empty() && !context.policy().retention().contains(label)) {
    std::vector<std::string> labels;
    for (const auto& [name, rule] : context.policy().retention()) {
      if (!name.empty()) labels.push_back(name);
    }
    return Usage("the policy has no such label",
                 labels.empty() ? "Add [retention.labels.NAME] to the policy first."
                                : absl::StrCat("It has: ", absl::StrJoin(labels, ", "), "."));
  }
  ASSIGN_OR_RETURN(const records::ChatOwner owner, FindSubject(context, arguments.positional()[0]));
  const Json detail = {{"label", label}};
  RETURN_IF_ERROR(Change(context, owner, "subject.label", detail.dump(), [&] {
    return label.empty() ? context.keyring().store().DeleteSubjectMark(
                               owner.contact, static_cast<int>(records::SubjectMark::kLabel))
                         : records::PutMark(context.keyring(), owner, records::SubjectMark::kLabel,
                                            label, absl::Now());
  }));
  const std::string uid = records::FormatToken(owner.token);
  if (context.globals().json) {
    PrintJson({{"uid", uid}, {"label", label.empty() ? Json(nullptr) : Json(label)}});
  } else if (label.empty()) {
    PrintLine(absl::StrCat(uid, " has no label."));
  } else {
    PrintLine(absl::StrCat(uid, ": label ", label, ", chats ",
                           context.policy().retention().at(label).chat_days, " days."));
  }
  return absl::OkStatus();
}

absl::Status Erase(Context& context, const Arguments& arguments) {
  ASSIGN_OR_RETURN(const std::string reason, ReasonOf(arguments));
  const std::string file = arguments.Value("output");
  // Looked at first: what was erased is not erased a second time for a receipt.
  for (const std::string& name : {file, file + kConfirmedSuffix}) {
    std::error_code error;
    if (!file.empty() && std::filesystem::exists(std::filesystem::symlink_status(name, error))) {
      return WithHint(absl::AlreadyExistsError(absl::StrCat(name, " is there already")),
                      "Name a new file for the receipt. Nothing was erased.");
    }
  }
  RETURN_IF_ERROR(context.Unlock());
  RETURN_IF_ERROR(context.Require(policies::Action::kSubjects));
  ASSIGN_OR_RETURN(const records::ChatOwner owner, FindSubject(context, arguments.positional()[0]));
  ASSIGN_OR_RETURN(
      const PurgePermit permit,
      context.permits().Erase(context.keyring().bundle().member, context.role(), owner.contact));
  ASSIGN_OR_RETURN(archive::JobOptions options,
                   policies::RetentionOptions(context.policy(), absl::Now()));
  ASSIGN_OR_RETURN(options.destinations, DestinationsFor(context));
  archive::ErasureRequest request{
      .contact = owner.contact, .reason = reason, .identifiers_of = &anonymizer::IdentifiersOf};
  for (const auto& [url, open] : options.destinations) request.destinations.push_back(url);
  ASSIGN_OR_RETURN(const archive::Erased erased,
                   archive::EraseContact(context.keyring(), permit, request, absl::Now()));

  // It is done here; now as far as the destinations can be reached from here and now.
  options.upload.attempts = 1;
  archive::JobReport report;
  absl::Status synced;
  {
    const auto lock = keyring::FileLock::TryTake(context.keyring().paths().retention_lock(), 0660);
    synced = lock.status();
    if (absl::IsUnavailable(synced))
      synced = absl::UnavailableError("another 'sealbook retention run' is at the archives now");
    if (lock.ok()) {
      archive::RetentionJob job(context.keyring(), permit, std::move(options));
      synced = job.ReachErasures(report);
    }
  }
  std::vector<std::string> pending;
  for (const std::string& url : request.destinations) {
    ASSIGN_OR_RETURN(const bool is,
                     archive::ArchivePlace::IsPending(context.keyring(), url, owner.contact,
                                                      owner.token, erased.shard_version));
    if (is) pending.push_back(url);
  }
  ASSIGN_OR_RETURN(
      const archive::ArchivePlace::Elsewhere elsewhere,
      archive::ArchivePlace::OldShardsElsewhere(context.keyring(), request.destinations,
                                                owner.contact, erased.shard_version));
  pending.insert(pending.end(), elsewhere.waiting.begin(), elsewhere.waiting.end());
  const std::string uid = records::FormatToken(owner.token);
  // Where all is reached already, the receipt that says so goes with the first.
  std::string confirmation;
  for (const auto& [token, text] : report.confirmed) {
    if (token == owner.token) confirmation = text;
  }
  absl::Status written;
  if (!file.empty()) {
    written = keyring::CreateNewFile(file, erased.receipt, 0600);
    if (written.ok() && !confirmation.empty())
      written = keyring::CreateNewFile(file + kConfirmedSuffix, confirmation, 0600);
    if (!written.ok()) {
      // It is done, and this is the only word of it outside the log.
      written = WithHint(absl::FailedPreconditionError(
                             absl::StrCat(uid, " is erased, and the receipt could not be written: ",
                                          std::string(written.message()))),
                         "The receipt was printed instead: keep it.");
    }
  }
  if (context.globals().json) {
    PrintJson({{"uid", uid},
               {"receipt", erased.receipt},
               {"confirmation", confirmation.empty() ? Json(nullptr) : Json(confirmation)},
               {"receipt_id", erased.receipt_id},
               {"archives_affected", erased.archives},
               {"pending_remote", pending}});
    if (!written.ok())
      PrintNote(context.globals(), absl::StrCat("sealbook: ", std::string(written.message())));
    return written.ok() ? written : absl::Status(written.code(), "");
  }
  PrintLine(
      absl::StrCat(uid, " is erased here",
                   erased.archives.empty()
                       ? "; no archive has anything of it."
                       : absl::StrCat(", and in ", erased.archives.size(),
                                      erased.archives.size() == 1 ? " archive." : " archives.")));
  for (std::size_t i = 0; i + elsewhere.waiting.size() < pending.size(); ++i)
    PrintLine(
        absl::StrCat("  pending at ", pending[i], ": the next 'sealbook retention run' goes on."));
  for (const std::string& url : elsewhere.waiting) {
    PrintLine(
        absl::StrCat("  pending at ", url,
                     ", which the policy names no more:\n  see 'sealbook retention status'."));
  }
  if (!pending.empty() && !synced.ok())
    PrintNote(context.globals(), absl::StrCat("sealbook: ", std::string(synced.message())));
  if (!file.empty() && written.ok()) {
    PrintLine(absl::StrCat("  receipt  ", Printable(file)));
    if (!confirmation.empty()) {
      PrintLine(absl::StrCat("  and that it reached every destination  ",
                             Printable(file + kConfirmedSuffix)));
    }
  } else {
    PrintLine(absl::StrCat("\n", erased.receipt));
    if (!confirmation.empty()) PrintLine(confirmation);
  }
  return written;
}

}  // namespace

Command SubjectEraseCommand() {
  return {.name = "subject erase",
          .arguments = "UID",
          .summary = "deletes a customer here and in every archive, for good",
          .options = {{.name = "reason", .placeholder = "TEXT", .help = "why, for the log"},
                      {.name = "o,output",
                       .placeholder = "FILE",
                       .help = "the receipt, into a new file"}},
          .min_positional = 1,
          .max_positional = 1,
          .run = &Erase};
}

Command SubjectHoldCommand() {
  return {.name = "subject hold",
          .arguments = "UID",
          .summary = "keeps everything of a customer, whatever has expired",
          .options = {{.name = "reason", .placeholder = "TEXT", .help = "why, for the log"}},
          .min_positional = 1,
          .max_positional = 1,
          .run = &Hold};
}

Command SubjectReleaseCommand() {
  return {.name = "subject release",
          .arguments = "UID",
          .summary = "ends a hold",
          .options = {},
          .min_positional = 1,
          .max_positional = 1,
          .run = &Release};
}

Command SubjectLabelCommand() {
  return {
      .name = "subject label",
      .arguments = "UID [LABEL]",
      .summary = "gives a customer other retention days, by a label of the policy; none: the usual",
      .options = {},
      .min_positional = 1,
      .max_positional = 2,
      .run = &Label};
}

}  // namespace sealbook::cli
