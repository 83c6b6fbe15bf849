#include "anonymizer/chat_import.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <thread>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "anonymizer/batch_queue.h"
#include "anonymizer/chat_names.h"
#include "anonymizer/chat_people.h"
#include "anonymizer/chat_roles.h"
#include "anonymizer/occurrences.h"
#include "policies/decision.h"
#include "vault/crypto/secret.h"
#include "vault/records/suppression.h"
#include "vault/status.h"

namespace sealbook::anonymizer {
namespace {

using records::ChatDirection;
using records::ChatDraft;
using records::ChatDraftResult;
using records::ChatKind;

struct Batch {
  std::vector<ChatMessage> messages;
  std::uint64_t bytes_read = 0;
};

absl::Status ReadBatches(ChatReader& reader, std::size_t batch_messages, BatchQueue<Batch>& queue) {
  for (;;) {
    Batch batch;
    std::size_t bytes = 0;
    absl::Status status;
    bool more = true;
    while (batch.messages.size() < batch_messages && bytes < ChatImportOptions::kBatchBytes) {
      ChatMessage& message = batch.messages.emplace_back();
      auto next = reader.Next(message);
      status = next.status();
      more = status.ok() && *next;
      if (!more) {
        batch.messages.pop_back();
        break;
      }
      bytes += sizeof(ChatMessage) + message.text.size() + message.raw.size();
    }
    batch.bytes_read = reader.bytes_read();
    // What was read before a fault is as good as the rest.
    if (!batch.messages.empty() && !queue.Put(std::move(batch))) return absl::OkStatus();
    if (!more) return status;
  }
}

ChatKind KindOf(MessageKind kind) {
  switch (kind) {
    case MessageKind::kText:
      break;
    case MessageKind::kMedia:
      return ChatKind::kMedia;
    case MessageKind::kDeleted:
      return ChatKind::kDeleted;
    case MessageKind::kSystem:
      return ChatKind::kSystem;
  }
  return ChatKind::kText;
}

std::string Messages(std::int64_t count) {
  return count == 1 ? "1 message" : absl::StrCat(count, " messages");
}

// True of one who is not in the phone book of whoever exported the chat.
bool IsNumber(const ChatPerson& person) {
  return !person.identifiers.empty() && person.identifiers[0].kind == IdentifierKind::kPhone;
}

// A message and whose chat it is in.
struct Assigned {
  std::size_t message = 0;
  ChatPeople::Who who = 0;
  ChatDirection direction = ChatDirection::kIn;
  std::string author;
};

class ChatImporter {
 public:
  ChatImporter(keyring::Keyring& keyring, const policies::Policy& policy, ChatReader& reader,
               const ChatImportOptions& options, ChatImportReport& report)
      : keyring_(keyring), policy_(policy), reader_(reader), options_(options), report_(report) {}

  absl::Status Run(bool dry_run) {
    RETURN_IF_ERROR(policies::RequireClass(policy_, keyring_.self().role, policies::Action::kChange,
                                           ClassId::kChat));
    const bool bulk =
        options_.batch_messages == 0 || options_.batch_messages >= ChatImportOptions::kBulkBatch;
    ASSIGN_OR_RETURN(records::ChatWriter writer, records::ChatWriter::Open(keyring_, bulk));
    if (!dry_run) writer_ = &writer;
    ASSIGN_OR_RETURN(ChatPeople people, ChatPeople::Open(keyring_, policy_, options_.books));
    people_ = &people;
    RETURN_IF_ERROR(FindWhoIsWho());
    const std::size_t most =
        options_.batch_messages > 0 ? options_.batch_messages : ChatImportOptions::kBatch;
    BatchQueue<Batch> queue;
    std::thread reading([&] { queue.Finish(ReadBatches(reader_, most, queue)); });
    absl::Status status = TakeAll(queue);
    queue.Close();
    reading.join();
    report_.contacts_created = people.created();
    if (status.ok()) status = EndOfFile();
    Remark();
    return status;
  }

 private:
  // Of an export, before its first message.
  absl::Status FindWhoIsWho() {
    const ChatSurvey* survey = reader_.survey();
    if (survey == nullptr) {
      if (options_.contact.empty()) return absl::OkStatus();
      return WithHint(
          absl::FailedPreconditionError(
              "--contact is for exports, and these messages say themselves whose they are"),
          "Leave it out.");
    }
    ASSIGN_OR_RETURN(roles_, FindRoles(*survey, {.me = options_.me,
                                                 .without_me = options_.without_me,
                                                 .customer_is_known = !options_.contact.empty(),
                                                 .region = options_.region}));
    ASSIGN_OR_RETURN(names_,
                     FindChatNames(keyring_, policy_, *roles_, options_.contact, options_.region));
    report_.is_group = roles_->is_group;
    if (roles_->me_is_absent) {
      names_.remarks.push_back(
          "Nobody in the file is --me; its one author was taken for the customer.");
    }
    return absl::OkStatus();
  }

  absl::Status TakeAll(BatchQueue<Batch>& queue) {
    for (;;) {
      if (options_.interrupted && options_.interrupted()) {
        return writer_ == nullptr
                   ? absl::CancelledError("interrupted; nothing was written")
                   : WithHint(absl::CancelledError("interrupted: what was stored so far stays"),
                              "Run the same import again; it adds nothing twice.");
      }
      ASSIGN_OR_RETURN(std::optional<Batch> batch, queue.Take());
      if (!batch) return absl::OkStatus();
      queue.Release();
      RETURN_IF_ERROR(Take(*batch));
      if (options_.progress) options_.progress(report_.messages, batch->bytes_read);
      for (ChatMessage& message : batch->messages) crypto::Wipe(message.text);
      queue.GiveBack(*std::move(batch));
    }
  }

  absl::Status Take(Batch& batch) {
    if (!waiting_.empty()) {
      batch.messages.insert(batch.messages.begin(), std::make_move_iterator(waiting_.begin()),
                            std::make_move_iterator(waiting_.end()));
      waiting_.clear();
    }
    if (roles_ && roles_->is_group && !last_ && !HoldBack(batch)) {
      return WithHint(absl::InvalidArgumentError(absl::StrCat(
                          "is the chat of a group, with more than ", ChatImportOptions::kMaxWaiting,
                          " messages before the first that any customer wrote")),
                      "A group is kept with the customers who wrote in it.");
    }
    RETURN_IF_ERROR(people_->BeginBatch());
    std::vector<Assigned> assigned;
    {
      ASSIGN_OR_RETURN(const auto snapshot, keyring_.Snapshot());
      std::optional<ChatPeople::Who> last;  // as this batch numbers people
      if (last_) {
        ASSIGN_OR_RETURN(const ChatPeople::Found found, people_->Find(*last_));
        last = found.who;
      }
      for (std::size_t i = 0; i < batch.messages.size(); ++i) {
        ChatMessage& message = batch.messages[i];
        Assigned one{.message = i};
        if (message.fault.empty()) {
          ASSIGN_OR_RETURN(message.fault, roles_ ? AssignOfExport(message, last, one)
                                                 : AssignOfRecord(message, one));
        }
        if (message.fault.empty()) assigned.push_back(std::move(one));
      }
    }
    if (writer_ == nullptr) {
      people_->Pretend();
      RETURN_IF_ERROR(Look(batch, assigned));
    } else {
      RETURN_IF_ERROR(people_->Write());
      RETURN_IF_ERROR(Write(batch, assigned));
    }
    return RejectFaulty(batch);
  }

  // Of a group, those before the first that a customer wrote, with whom they will stand. False:
  // there are too many.
  bool HoldBack(Batch& batch) {
    const auto by_customer = [&](const ChatMessage& message) {
      const auto at = names_.people.find(message.author);
      return message.fault.empty() && message.kind != MessageKind::kSystem &&
             at != names_.people.end() &&
             !(at->second.identifiers.empty() && at->second.token.empty());
    };
    const auto first = std::find_if(batch.messages.begin(), batch.messages.end(), by_customer);
    const auto before = static_cast<std::size_t>(first - batch.messages.begin());
    if (before > ChatImportOptions::kMaxWaiting) return false;
    if (first != batch.messages.end()) {
      last_ = names_.people.at(first->author);
      last_is_first_ = true;
      return true;
    }
    waiting_ = std::exchange(batch.messages, {});
    return true;
  }

  // Gives a clause where the message cannot be taken.
  absl::StatusOr<std::string> AssignOfExport(const ChatMessage& message,
                                             std::optional<ChatPeople::Who>& last, Assigned& one) {
    const bool system = message.kind == MessageKind::kSystem;
    const bool company = !system && roles_->IsCompany(message.author);
    if (!system && !company) {
      const auto at = names_.people.find(message.author);
      if (at == names_.people.end()) return "has an author who is none of the file's first 10,000";
      ASSIGN_OR_RETURN(const ChatPeople::Found found, people_->Find(at->second));
      if (!found.who) return found.fault;
      one.who = *found.who;
      if (roles_->is_group) {
        // A number is the customer's own, and not for all who may read the chat.
        if (!IsNumber(at->second)) one.author = message.author;
        last = found.who;
        last_ = at->second;
      }
      return "";
    }
    one.direction = system ? ChatDirection::kNone : ChatDirection::kOut;
    if (company) one.author = message.author;
    if (roles_->is_group) {
      if (!last) return "stands with a customer who cannot be told";
      one.who = *last;
      ++beside_customers_;
      return "";
    }
    // The one customer of a chat of two.
    ASSIGN_OR_RETURN(const ChatPeople::Found found, people_->Find(names_.people.begin()->second));
    if (!found.who) return found.fault;
    one.who = *found.who;
    return "";
  }

  absl::StatusOr<std::string> AssignOfRecord(const ChatMessage& message, Assigned& one) {
    if (message.kind == MessageKind::kSystem)
      one.direction = ChatDirection::kNone;
    else if (!message.outgoing)
      return "does not say who wrote it";
    else
      one.direction = *message.outgoing ? ChatDirection::kOut : ChatDirection::kIn;
    const bool outgoing = one.direction == ChatDirection::kOut;
    if (outgoing) one.author = message.author;
    // Names are for more eyes than numbers: one that is a number is none.
    const bool named = one.direction == ChatDirection::kIn &&
                       PhoneOfAuthor(message.author, options_.region).empty();
    ASSIGN_OR_RETURN(const ChatPeople::Found found,
                     people_->Find({.token = message.token,
                                    .identifiers = message.customer,
                                    .name = named ? CleanText(message.author) : std::string()}));
    if (!found.who) return found.fault;
    one.who = *found.who;
    return "";
  }

  records::ChatEntry EntryOf(ChatMessage& message, const Assigned& one) const {
    return {.time = absl::ToUnixSeconds(message.time),
            .direction = one.direction,
            .kind = KindOf(message.kind),
            .edited = message.edited,
            .to_the_minute = roles_.has_value() && !has_seconds_,
            .author = one.author,
            .text = std::move(message.text),
            .id = std::move(message.id)};
  }

  absl::Status Write(Batch& batch, const std::vector<Assigned>& assigned) {
    has_seconds_ |= std::any_of(assigned.begin(), assigned.end(), [&](const Assigned& one) {
      return absl::ToUnixSeconds(batch.messages[one.message].time) % 60 != 0;
    });
    std::vector<ChatDraft> drafts;
    std::vector<std::int64_t> first_lines;  // of the drafts
    absl::flat_hash_map<ContactNumber, std::size_t> draft_of;
    for (const Assigned& one : assigned) {
      ChatMessage& message = batch.messages[one.message];
      const std::optional<ContactNumber> contact = people_->ContactOf(one.who);
      if (!contact) {
        if (people_->Damaged(one.who))
          Damage(message.line, 1);
        else
          message.fault =
              people_->Suppressed(one.who) ? records::kSuppressedReason : kConflictReason;
        continue;
      }
      const auto [at, is_new] = draft_of.try_emplace(*contact, drafts.size());
      if (is_new) {
        drafts.push_back({.contact = *contact, .messages = {}});
        first_lines.push_back(message.line);
      }
      records::DraftMessage& draft = drafts[at->second].messages.emplace_back();
      draft.entry = EntryOf(message, one);
      if (draft.entry.id.empty()) draft.occurrence = occurrences_.Count(*contact, draft.entry);
    }
    const auto written = drafts.empty() ? std::vector<ChatDraftResult>()
                                        : writer_->WriteBatch(drafts, &ChatImporter::EventOf);
    if (written.ok()) {
      for (std::size_t i = 0; i < written->size(); ++i) {
        const ChatDraftResult& result = (*written)[i];
        const auto count = static_cast<std::int64_t>(drafts[i].messages.size());
        if (result.damaged) {
          Damage(first_lines[i], count);
          continue;
        }
        report_.messages += count;
        report_.imported += static_cast<std::int64_t>(result.added);
        report_.duplicates += static_cast<std::int64_t>(result.duplicates);
      }
    }
    for (ChatDraft& draft : drafts) {
      for (records::DraftMessage& message : draft.messages) crypto::Wipe(message.entry.text);
    }
    return written.status();
  }

  static audit::Event EventOf(const std::vector<ChatDraftResult>& results) {
    std::size_t added = 0, duplicates = 0, contacts = 0;
    for (const ChatDraftResult& result : results) {
      added += result.added;
      duplicates += result.duplicates;
      contacts += result.added > 0 ? 1 : 0;
    }
    const nlohmann::ordered_json detail = {
        {"imported", added}, {"duplicates", duplicates}, {"contacts", contacts}};
    return {.act = "chat.import", .detail = detail.dump()};
  }

  void Damage(std::int64_t line, std::int64_t count) {
    report_.messages += count;
    report_.damaged += count;
    if (report_.damaged_lines.size() < ImportReport::kMaxListed)
      report_.damaged_lines.push_back(line);
  }

  absl::Status Look(Batch& batch, const std::vector<Assigned>& assigned) {
    for (const Assigned& one : assigned) {
      ChatMessage& message = batch.messages[one.message];
      const std::optional<ContactNumber> contact = people_->ContactOf(one.who);
      if (!contact) {
        Damage(message.line, 1);
        continue;
      }
      ++report_.messages;
      if (customers_.size() < ChatPeople::kMaxRemembered) customers_.insert(*contact);
      ++(one.direction == ChatDirection::kIn    ? report_.incoming
         : one.direction == ChatDirection::kOut ? report_.outgoing
                                                : report_.system);
      report_.first = std::min(report_.first.value_or(message.time), message.time);
      report_.last = std::max(report_.last.value_or(message.time), message.time);
    }
    report_.customers = static_cast<std::int64_t>(customers_.size());
    return absl::OkStatus();
  }

  absl::Status RejectFaulty(const Batch& batch) {
    for (const ChatMessage& message : batch.messages) {
      if (message.fault.empty()) continue;
      ++report_.messages;
      ++report_.rejected;
      const Reject reject{message.line, message.fault};
      if (report_.rejects.size() < ImportReport::kMaxListed) report_.rejects.push_back(reject);
      if (options_.on_reject) RETURN_IF_ERROR(options_.on_reject(reject, message));
    }
    return absl::OkStatus();
  }

  // What waits for a customer's message that never came: all that others wrote was faulty.
  absl::Status EndOfFile() {
    Batch rest;
    rest.messages = std::exchange(waiting_, {});
    for (ChatMessage& message : rest.messages) {
      if (message.fault.empty()) message.fault = "stands in a group in which no customer wrote";
    }
    return RejectFaulty(rest);
  }

  void Remark() {
    report_.remarks = names_.remarks;
    if (beside_customers_ > 0) {
      report_.remarks.push_back(absl::StrCat(
          Messages(beside_customers_),
          " of the company and of the app stand in this group with the customer who wrote last "
          "before them",
          last_is_first_ ? ", those at its beginning with the first who wrote." : "."));
    }
    if (people_->not_added() > 0) {
      report_.remarks.push_back(absl::StrCat(
          people_->not_added(), people_->not_added() == 1 ? " identifier" : " identifiers",
          " of known customers could not be added, since this account may not read what is there. "
          "An admin who imports the same file adds them."));
    }
    if (people_->added_to() > 0) {
      report_.remarks.push_back(absl::StrCat(
          people_->added_to(), people_->added_to() == 1 ? " known customer" : " known customers",
          " got identifiers that the file has for them."));
    }
  }

  keyring::Keyring& keyring_;
  const policies::Policy& policy_;
  ChatReader& reader_;
  const ChatImportOptions& options_;
  ChatImportReport& report_;
  records::ChatWriter* writer_ = nullptr;  // null: only looking
  ChatPeople* people_ = nullptr;
  std::optional<ChatRoles> roles_;  // of exports
  ChatNames names_;
  // Of groups: who wrote last, and what stands before the first who did.
  std::optional<ChatPerson> last_;
  bool last_is_first_ = false;
  std::vector<ChatMessage> waiting_;
  std::int64_t beside_customers_ = 0;
  bool has_seconds_ = false;  // some time of the file so far is no whole minute
  Occurrences occurrences_;
  absl::flat_hash_set<ContactNumber> customers_;  // only looking
};

}  // namespace

absl::Status ImportChat(keyring::Keyring& keyring, const policies::Policy& policy,
                        ChatReader& reader, const ChatImportOptions& options,
                        ChatImportReport& report) {
  return ChatImporter(keyring, policy, reader, options, report).Run(/*dry_run=*/false);
}

absl::Status CheckChat(keyring::Keyring& keyring, const policies::Policy& policy,
                       ChatReader& reader, const ChatImportOptions& options,
                       ChatImportReport& report) {
  return ChatImporter(keyring, policy, reader, options, report).Run(/*dry_run=*/true);
}

}  // namespace sealbook::anonymizer
