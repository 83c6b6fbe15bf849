#include "cli/commands.h"

namespace sealbook::cli {

const std::vector<Command>& Commands() {
  static const auto* const commands = new std::vector<Command>{InitCommand(),
                                                               MemberAddCommand(),
                                                               MemberListCommand(),
                                                               MemberPasswdCommand(),
                                                               MemberRequestCommand(),
                                                               BookAddCommand(),
                                                               BookListCommand(),
                                                               BookMembersCommand(),
                                                               BookAssignCommand(),
                                                               ImportCommand(),
                                                               LookupCommand(),
                                                               ListCommand(),
                                                               ShowCommand(),
                                                               SetCommand(),
                                                               AuditLogCommand(),
                                                               AuditVerifyCommand(),
                                                               AuditCheckpointCommand(),
                                                               PolicyShowCommand(),
                                                               PolicyCheckCommand(),
                                                               PolicyApplyCommand(),
                                                               DoctorCommand(),
                                                               VersionCommand()};
  return *commands;
}

}  // namespace sealbook::cli
