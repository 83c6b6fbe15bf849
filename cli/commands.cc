#include "cli/commands.h"

namespace sealbook::cli {

const std::vector<Command>& Commands() {
  // Three a line, in the order of help.
  // clang-format off
  static const auto* const commands = new std::vector<Command>{
      InitCommand(),            MemberAddCommand(),       MemberListCommand(),
      MemberPasswdCommand(),    MemberRequestCommand(),   MemberRekeyCommand(),
      MemberRoleCommand(),      MemberDisableCommand(),   MemberUnlockCommand(),
      BookAddCommand(),         BookListCommand(),        BookMembersCommand(),
      BookAssignCommand(),      BookUnassignCommand(),    ImportCommand(),
      LookupCommand(),          ListCommand(),            ShowCommand(),
      RevealCommand(),          SetCommand(),             ConsentListCommand(),
      ChatImportCommand(),      ChatShowCommand(),        ChatSearchCommand(),
      ChatCompactCommand(),     FactorEnrollCommand(),    FactorListCommand(),
      FactorRemoveCommand(),    FactorApproveCommand(),   ExportCommand(),
      ExportRequestCommand(),   ExportApproveCommand(),   ExportListCommand(),
      RetentionPlanCommand(),   RetentionRunCommand(),    RetentionStatusCommand(),
      RetentionGiveUpCommand(), ArchiveListCommand(),     ArchiveVerifyCommand(),
      ArchiveReadCommand(),     ArchiveRestoreCommand(),  SubjectEraseCommand(),
      SubjectHoldCommand(),     SubjectReleaseCommand(),  SubjectLabelCommand(),
      ReceiptVerifyCommand(),   ReceiptKeyCommand(),      ReceiptListCommand(),
      ReceiptShowCommand(),     AuditLogCommand(),        AuditVerifyCommand(),
      AuditCheckpointCommand(), PolicyShowCommand(),      PolicyCheckCommand(),
      PolicyApplyCommand(),     KeyRotateCommand(),       RecoverCommand(),
      DoctorCommand(),          VersionCommand(),
  };
  // clang-format on
  return *commands;
}

}  // namespace sealbook::cli
