// One chat file into the vault, for 'chat import' and for its watching of a folder.
#pragma once

#include <optional>
#include <string>

#include "anonymizer/chat_import.h"
#include "anonymizer/identifiers.h"
#include "cli/command.h"
#include "cli/rejects_file.h"

namespace sealbook::cli {

struct ChatImportRequest {
  anonymizer::ChatReaderOptions reader;
  anonymizer::ChatImportOptions import;
  bool dry_run = false;
  bool zone_is_assumed = true;  // no --timezone was given
  bool watched = false;         // what is shown ends up in a service's log
};

// What was found and done. Of a file that failed, what was done until then.
struct ChatFile {
  // For messages and answers (ShownChatFile).
  std::string name;
  // Of formats that give the clock on the wall: which clock it was taken for.
  std::optional<absl::TimeZone> zone;
  bool zone_is_assumed = false;
  std::optional<anonymizer::ChatFormat> format;  // none: not even that was found
  anonymizer::ChatSurvey survey;                 // of exports, without any name
  std::size_t authors = 0;
  anonymizer::ChatImportReport report;
  absl::Status status;
};

// How a chat's file is called in what is shown: the apps put the customer's name into the file's,
// and what is shown ends up in logs. Otherwise as it is called: "chats/WhatsApp….txt". Of watched
// folders no export's name is shown ("spool/….txt"); what a program put there as JSON has its own.
std::string ShownChatFile(const std::string& path, bool watched = false);

// `rejects` may be null. The error names the file as it is shown, and its line.
absl::Status ImportChatFile(Context& context, const ChatImportRequest& request,
                            const std::string& path, RejectsFile* rejects, ChatFile& file);

// The fault is the file's, and not the vault's or the disk's: others may still be imported.
bool IsOfTheFile(const absl::Status& status);

// "messages", "imported", "duplicates", …
Json ToJson(const ChatFile& file, bool dry_run);
void PrintChatFile(const ChatFile& file, bool dry_run);

// Takes the folder's files one by one until it is interrupted or, where `once`, those are done that
// were there (docs/chats.md, "A spool folder").
// Unavailable: another process watches it. FailedPrecondition: no folder that can be used.
absl::Status WatchChats(Context& context, const ChatImportRequest& request,
                        const std::string& folder, bool once, RejectsFile* rejects);

}  // namespace sealbook::cli
