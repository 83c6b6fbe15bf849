// One function a command; each stands in a file of its own name.
#pragma once

#include "cli/command.h"

namespace sealbook::cli {

Command InitCommand();
Command MemberAddCommand();
Command MemberListCommand();
Command MemberPasswdCommand();
Command MemberRequestCommand();
Command MemberRekeyCommand();
Command MemberRoleCommand();
Command MemberDisableCommand();
Command MemberUnlockCommand();
Command BookAddCommand();
Command BookListCommand();
Command BookMembersCommand();
Command BookAssignCommand();
Command BookUnassignCommand();
Command ImportCommand();
Command LookupCommand();
Command ListCommand();
Command ShowCommand();
Command RevealCommand();
Command SetCommand();
Command ConsentListCommand();
Command ChatImportCommand();
Command ChatShowCommand();
Command ChatSearchCommand();
Command ChatCompactCommand();
Command ExportCommand();
Command ExportRequestCommand();
Command ExportApproveCommand();
Command ExportListCommand();
Command ReceiptVerifyCommand();
Command ReceiptKeyCommand();
Command ReceiptListCommand();
Command ReceiptShowCommand();
Command FactorEnrollCommand();
Command FactorListCommand();
Command FactorRemoveCommand();
Command FactorApproveCommand();
Command RetentionGiveUpCommand();
Command RetentionPlanCommand();
Command RetentionRunCommand();
Command RetentionStatusCommand();
Command ArchiveListCommand();
Command ArchiveVerifyCommand();
Command ArchiveReadCommand();
Command ArchiveRestoreCommand();
Command SubjectEraseCommand();
Command SubjectHoldCommand();
Command SubjectReleaseCommand();
Command SubjectLabelCommand();
Command AuditLogCommand();
Command AuditVerifyCommand();
Command AuditCheckpointCommand();
Command PolicyShowCommand();
Command PolicyCheckCommand();
Command PolicyApplyCommand();
Command KeyRotateCommand();
Command RecoverCommand();
Command DoctorCommand();
Command VersionCommand();

}  // namespace sealbook::cli
