// One function a command; each stands in a file of its own name.
#pragma once

#include "cli/command.h"

namespace sealbook::cli {

Command InitCommand();
Command MemberAddCommand();
Command MemberListCommand();
Command MemberPasswdCommand();
Command MemberRequestCommand();
Command BookAddCommand();
Command BookListCommand();
Command BookMembersCommand();
Command BookAssignCommand();
Command ImportCommand();
Command LookupCommand();
Command ListCommand();
Command ShowCommand();
Command SetCommand();
Command AuditLogCommand();
Command AuditVerifyCommand();
Command AuditCheckpointCommand();
Command PolicyShowCommand();
Command PolicyCheckCommand();
Command PolicyApplyCommand();
Command DoctorCommand();
Command VersionCommand();

}  // namespace sealbook::cli
