#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "anonymizer/list_export.h"
#include "cli/commands.h"
#include "cli/export_arguments.h"
#include "cli/export_file.h"
#include "cli/one_time_code.h"
#include "policies/export_control.h"
#include "vault/audit/receipt.h"
#include "vault/crypto/age_file.h"
#include "vault/crypto/age_writer.h"
#include "vault/status.h"

namespace sealbook::cli {
namespace {

struct Done {
  records::ExportId id{};
  std::int64_t rows = 0, bytes = 0;
  crypto::Sha256Hash sha256{};
  std::string format, receipt;  // the receipt's path
  std::vector<std::string> recipients;
  std::vector<std::string> columns, empty_columns;  // unknown of an interrupted one
  bool finished_interrupted = false;
};

void PrintAsJson(Context& context, const std::string& path, const Done& done) {
  PrintJson({{"export_id", records::FormatExportId(done.id)},
             {"rows", done.rows},
             {"bytes", done.bytes},
             {"sha256", crypto::ToHex(done.sha256)},
             {"recipients", done.recipients},
             {"file", path},
             {"format", done.format},
             {"columns", done.finished_interrupted ? Json(nullptr) : Json(done.columns)},
             {"empty_columns", done.empty_columns},
             {"receipt", done.receipt},
             {"authority", crypto::ToHex(context.keyring().bundle().signing.verify_key().bytes)},
             {"finished_interrupted", done.finished_interrupted}});
}

void Print(const Context& context, const std::string& path, const Done& done) {
  if (done.finished_interrupted) {
    PrintLine(Printable(absl::StrCat("An export to ", path,
                                     " was interrupted when all was done but this: it is in its "
                                     "place now, with ",
                                     done.rows,
                                     " customers. No code was spent, and nothing else was "
                                     "exported.")));
  } else {
    const std::string readers =
        done.recipients.empty()
            ? "IN THE CLEAR: whoever has the file reads it."
            : absl::StrCat(
                  "which ", done.recipients.size(),
                  done.recipients.size() == 1 ? " recipient can open." : " recipients can open.");
    PrintLine(Printable(absl::StrCat(done.rows,
                                     done.rows == 1 ? " customer is in " : " customers are in ",
                                     path, ", ", readers)));
  }
  PrintLine(Printable(absl::StrCat("  export   ", records::FormatExportId(done.id), "\n  sha256   ",
                                   crypto::ToHex(done.sha256), "\n  receipt  ", done.receipt)));
  if (!done.recipients.empty()) PrintLine("Its recipient opens it with 'age -d -i IDENTITY'.");
  if (!done.empty_columns.empty()) {
    PrintNote(context.globals(),
              absl::StrCat("sealbook: none of these customers has the field ",
                           absl::StrJoin(done.empty_columns, ", "),
                           ": where that is not the name that you meant, export once more."));
  }
}

absl::StatusOr<std::optional<records::ExportRecord>> FindRecord(keyring::Keyring& keyring,
                                                                const records::ExportId& id) {
  std::optional<records::ExportRecord> found;
  RETURN_IF_ERROR(records::EachExportBack(
      keyring, [&](const records::ExportRecord& record) -> absl::StatusOr<bool> {
        if (record.id == id) found = record;
        return !found;
      }));
  return found;
}

absl::Status NotInPlace(const std::string& path, const absl::Status& status) {
  return WithHint(absl::Status(status.code(),
                               absl::StrCat("the export is recorded and complete, and could not be "
                                            "put in its place: ",
                                            std::string(status.message()))),
                  absl::StrCat("Mend that and run the same command again: it finishes without "
                               "another code. Until then the file is kept beside ",
                               Printable(path), "."));
}

// What an earlier export to the same file left when it was killed: complete, and recorded in the
// vault, it is put in its place; anything else opens for nobody and goes.
absl::StatusOr<std::optional<Done>> FinishInterrupted(Context& context, const std::string& path,
                                                      bool force) {
  ASSIGN_OR_RETURN(const InterruptedExports interrupted, InterruptedExports::Find(path));
  std::optional<Done> done;
  for (const InterruptedExports::One& one : interrupted.all()) {
    ASSIGN_OR_RETURN(const auto record, FindRecord(context.keyring(), one.id));
    if (!record) {
      InterruptedExports::Remove(one);
      continue;
    }
    // Another's to finish; or the second of this member's, for the next run.
    if (record->member != context.keyring().bundle().member || done) continue;
    ASSIGN_OR_RETURN(const auto receipt, context.keyring().store().GetReceipt(one.id));
    if (!receipt) return absl::DataLossError("the receipt of an export is missing");
    // What it was is what was recorded, whatever is asked for now.
    ASSIGN_OR_RETURN(
        const audit::Receipt said,
        audit::Receipt::Verify(
            *receipt,
            context.keyring().history().SignerAt(record->member, record->roster_version)->verify));
    const std::string *format = said.Find("format"), *recipients = said.Find("recipients");
    // Of the same member there may be others, which are as genuine.
    if (said.id != record->id || format == nullptr || recipients == nullptr)
      return absl::DataLossError("the receipt of an export lacks a part, or is another's");
    RETURN_IF_ERROR(ExportFile::CheckPlace(path, context.keyring().paths().directory, force));
    const auto placed = InterruptedExports::Publish(one, path, force, *record, *receipt);
    if (absl::IsDataLoss(placed.status())) return placed.status();
    if (!placed.ok()) return NotInPlace(path, placed.status());
    done = Done{.id = record->id,
                .rows = record->rows,
                .bytes = record->bytes,
                .sha256 = record->sha256,
                .format = *format,
                .receipt = *placed,
                .recipients = {},
                .columns = {},
                .empty_columns = {},
                .finished_interrupted = true};
    if (*recipients != "none") done->recipients = absl::StrSplit(*recipients, ", ");
  }
  return done;
}

absl::StatusOr<Done> Export(Context& context, const ExportArguments& wanted,
                            const std::string& path, bool force, absl::string_view code) {
  const records::ExportSpec& spec = wanted.spec;
  ASSIGN_OR_RETURN(const auto control,
                   policies::ExportControl::Authorize(context.keyring(), context.policy(), spec,
                                                      code, absl::Now()));
  ASSIGN_OR_RETURN(const auto file, ExportFile::Create(path, context.keyring().paths().directory,
                                                       control->id(), force));
  std::unique_ptr<crypto::AgeWriter> age;
  policies::WrittenExport written;
  ByteSink* sink = file.get();
  if (!spec.recipients.empty()) {
    ASSIGN_OR_RETURN(
        age, crypto::AgeWriter::ForRecipients(*file, spec.recipients, {.header_apart = true}));
    written.header.assign(age->header().begin(), age->header().end());
    file->LeaveRoomFor(written.header);
    sink = age.get();
  }
  Progress progress(context.globals(), "export");
  const auto show = [&](bool looking, std::int64_t rows, std::int64_t total) {
    // The columns are looked for first, which takes about half of the time.
    const bool twice = spec.fields.empty();
    const std::uint64_t done = static_cast<std::uint64_t>(rows) +
                               (twice && !looking ? static_cast<std::uint64_t>(total) : 0);
    progress.Update(looking ? 0 : rows, done, static_cast<std::uint64_t>(total) * (twice ? 2 : 1));
  };
  const auto report = anonymizer::ExportList(context.keyring(), control->TakePermit(),
                                             {.format = wanted.format,
                                              .columns = spec.fields,
                                              .progress = show,
                                              .interrupted = &Interrupted},
                                             *sink);
  progress.Finish();
  RETURN_IF_ERROR(report.status());
  if (age != nullptr) RETURN_IF_ERROR(age->Finish());
  ASSIGN_OR_RETURN(const ExportFile::Written closed, file->Close());
  written.rows = report->rows;
  written.bytes = closed.bytes;
  written.sha256 = closed.sha256;
  if (Interrupted()) return absl::CancelledError("interrupted");
  // From the moment at which the vault has it, the file must stay; also where the commit came to
  // an end of which nobody was told.
  file->Keep();
  const auto receipt = control->Complete(written, absl::Now());
  if (!receipt.ok()) {
    const auto record = FindRecord(context.keyring(), control->id());
    if (record.ok() && !*record) file->Discard();
    return receipt.status();
  }
  const auto placed = file->Publish(*receipt);
  if (!placed.ok()) return NotInPlace(path, placed.status());
  Done done{.id = control->id(),
            .rows = written.rows,
            .bytes = written.bytes,
            .sha256 = written.sha256,
            .format = spec.format,
            .receipt = *placed,
            .recipients = {},
            .columns = report->columns,
            .empty_columns = report->empty_columns,
            .finished_interrupted = false};
  for (const crypto::ExchangePublic& recipient : spec.recipients)
    done.recipients.push_back(crypto::FormatAgeRecipient(recipient));
  return done;
}

absl::Status RunExport(Context& context, const Arguments& arguments) {
  if (!arguments.Has("output")) {
    return Usage("an export goes into a file", "Name one that is not there yet with -o F.");
  }
  const std::string path = arguments.Value("output");
  const bool force = arguments.Has("force");
  RETURN_IF_ERROR(context.Unlock());
  // Whoever tries to get the list out, and how it ended, is in the log.
  context.RecordEveryFailure();
  RETURN_IF_ERROR(context.Require(policies::Action::kExport));
  ASSIGN_OR_RETURN(const ExportArguments wanted, ParseExport(context, arguments));
  CatchInterrupts();
  ASSIGN_OR_RETURN(std::optional<Done> done, FinishInterrupted(context, path, force));
  if (!done) {
    RETURN_IF_ERROR(ExportFile::CheckPlace(path, context.keyring().paths().directory, force));
    ASSIGN_OR_RETURN(const crypto::SecretBytes code, ReadOneTimeCode(arguments));
    ASSIGN_OR_RETURN(done, Export(context, wanted, path, force, code.ExposeText()));
  }
  if (context.globals().json) {
    PrintAsJson(context, path, *done);
  } else {
    Print(context, path, *done);
  }
  return absl::OkStatus();
}

}  // namespace

Command ExportCommand() {
  std::vector<Option> options = {
      {"o,output", Option::Kind::kValue, "F", "the file, which must not be there yet"}};
  for (Option& option : ExportOptions()) options.push_back(std::move(option));
  options.push_back(OtpOption());
  options.push_back({"force", Option::Kind::kFlag, "", "replace F where it is there"});
  return {.name = "export",
          .arguments =
              "-o F --reason TEXT --otp CODE [--book BOOK] [--fields A,B] "
              "[--format FORMAT] (--recipient age1…… | --plaintext)",
          .summary = "the customer list into an encrypted file, after a second factor",
          .options = std::move(options),
          .run = &RunExport};
}

}  // namespace sealbook::cli
