// A chat file into the vault: a thread reads, another finds out whose chat each message is and
// stores, batch by batch (docs/chats.md, "Whose chat it is"). Each batch is there as a whole or not
// at all, so that an import can be interrupted and run again: what is there already is known by its
// tags and added no second time.
//
//   ASSIGN_OR_RETURN(auto reader, OpenChat(*bytes, reader_options));
//   ChatImportReport report;
//   RETURN_IF_ERROR(ImportChat(keyring, policy, *reader, options, report));
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "anonymizer/chat_reader.h"
#include "anonymizer/import.h"
#include "policies/policy.h"
#include "vault/keyring/keyring.h"
#include "vault/records/chat_writer.h"

namespace sealbook::anonymizer {

struct ChatImportOptions {
  // Messages of a batch, which holds the lock for some three tenths of a second. A customer's
  // messages of one day and batch share chunks: the larger the batch, the less they cost.
  static constexpr std::size_t kBatch = 50'000;
  static constexpr std::size_t kBatchBytes = 16 << 20;
  // Batches of fewer have keys of their own: that is how live messages come.
  static constexpr std::size_t kBulkBatch = 256;
  // A group's messages of the company before any customer wrote; a group that begins with more is
  // refused.
  static constexpr std::size_t kMaxWaiting = 10'000;

  std::vector<BookId> books;  // for new contacts
  // Of exports (anonymizer/chat_roles.h).
  std::string me;
  bool without_me = false;
  std::string contact;  // the token of whose chat it is, of a chat of two; empty: found out
  std::string region;   // for phones without a country code
  std::size_t batch_messages = 0;  // 0: kBatch
  // Called after each batch, from the caller's thread.
  std::function<void(std::int64_t messages, std::uint64_t bytes)> progress = nullptr;
  std::function<bool()> interrupted = nullptr;
  // Every rejected message, with what stands in the file, as far as that is known.
  std::function<absl::Status(const Reject&, const ChatMessage&)> on_reject = nullptr;
};

struct ChatImportReport {
  std::int64_t messages = 0;  // all that the file has: the sum of the four below
  std::int64_t imported = 0, duplicates = 0, rejected = 0, damaged = 0;
  std::int64_t contacts_created = 0;
  std::vector<Reject> rejects;              // the first ImportReport::kMaxListed
  std::vector<std::int64_t> damaged_lines;  // of contacts whose record does not count; likewise
  // What people should know, a sentence each, without any value of the file.
  std::vector<std::string> remarks;

  // Of CheckChat alone.
  std::int64_t incoming = 0, outgoing = 0, system = 0;
  std::int64_t customers = 0;  // whose chats the file has, of whom `contacts_created` are new
  bool is_group = false;
  std::optional<absl::Time> first, last;
};

// PermissionDenied: the role may not write chats, or not create the contacts that the file needs.
// InvalidArgument: the file cannot be read on, or whose chat it is cannot be told; a clause that
// stands behind the file's name, and a hint that says what to give. FailedPrecondition: options
// that do not fit the file. NotFound: `contact` is not there. Cancelled: interrupted; `report`
// tells what was stored.
absl::Status ImportChat(keyring::Keyring& keyring, const policies::Policy& policy,
                        ChatReader& reader, const ChatImportOptions& options,
                        ChatImportReport& report);

// The same, looking only: writes nothing. `imported` and `duplicates` stay 0; what is there already
// is not asked for.
absl::Status CheckChat(keyring::Keyring& keyring, const policies::Policy& policy,
                       ChatReader& reader, const ChatImportOptions& options,
                       ChatImportReport& report);

}  // namespace sealbook::anonymizer
