// Chats of a few words in a real vault: a reader that gives what a test says, and what the vault
// holds afterwards, chat by chat.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "anonymizer/chat_import.h"
#include "anonymizer/customer_list.h"
#include "tests/support/policy_vault.h"
#include "tests/support/temporary_file.h"
#include "vault/records/chat_log.h"
#include "vault/records/token.h"

namespace sealbook::anonymizer {

inline absl::Time MinuteAt(int minute) {
  return absl::FromUnixSeconds(1'700'000'040) + absl::Minutes(minute);  // 2023-11-14 22:14:00 UTC
}

// A message of an export: the line of the app where there is no author.
inline ChatMessage Said(std::string author, std::string text, int minute = 0) {
  ChatMessage message;
  message.time = MinuteAt(minute);
  message.kind = author.empty() ? MessageKind::kSystem : MessageKind::kText;
  message.author = std::move(author);
  message.text = std::move(text);
  return message;
}

// A message of a record.
inline ChatMessage Recorded(std::vector<records::IdentifierValue> customer, bool outgoing,
                            std::string text, int minute = 0) {
  ChatMessage message;
  message.time = MinuteAt(minute);
  message.customer = std::move(customer);
  message.outgoing = outgoing;
  message.text = std::move(text);
  return message;
}

class FakeChat : public ChatReader {
 public:
  explicit FakeChat(std::vector<ChatMessage> messages) : messages_(std::move(messages)) {
    for (std::size_t i = 0; i < messages_.size(); ++i)
      messages_[i].line = static_cast<std::int64_t>(i) + 1;
  }
  static FakeChat Export(std::string chat_name, std::vector<ChatMessage> messages,
                         bool is_group = false) {
    FakeChat chat(std::move(messages));
    chat.survey_.emplace();
    chat.survey_->chat_name = std::move(chat_name);
    chat.survey_->is_group = is_group;
    for (const ChatMessage& message : chat.messages_) {
      if (!message.author.empty()) ++chat.survey_->authors[message.author];
    }
    return chat;
  }
  ChatSurvey& its_survey() { return *survey_; }
  // After so many messages the file cannot be read on.
  FakeChat& BreakAfter(std::size_t messages) {
    broken_at_ = messages;
    return *this;
  }

  absl::StatusOr<bool> Next(ChatMessage& message) override {
    if (at_ == broken_at_) return absl::InvalidArgumentError("line 7 holds a NUL byte");
    if (at_ == messages_.size()) return false;
    message = messages_[at_++];
    return true;
  }
  ChatFormat format() const override {
    return survey_ ? ChatFormat::kWhatsApp : ChatFormat::kJsonLines;
  }
  const ChatSurvey* survey() const override { return survey_ ? &*survey_ : nullptr; }
  std::uint64_t bytes_read() const override { return at_; }

 private:
  std::vector<ChatMessage> messages_;
  std::size_t at_ = 0, broken_at_ = ~std::size_t{0};
  std::optional<ChatSurvey> survey_;
};

class ChatImportFixture : public ::testing::Test {
 protected:
  static constexpr absl::string_view kImporter = "service importer";

  ChatImportFixture() {
    vault_.AddBook("seoul");
    vault_.AddMember(kImporter, "importer");
    vault_.AddMember("mina", "agent", {"seoul"});
  }

  struct Run {
    absl::Status status;
    ChatImportReport report;
  };
  Run Import(FakeChat chat, ChatImportOptions options = {}, absl::string_view member = "owner") {
    Run run;
    options.region = "KR";
    auto keyring = vault_.Unlock(member);
    run.status = ImportChat(*keyring, vault_.policy(), chat, options, run.report);
    return run;
  }
  Run Check(FakeChat chat, ChatImportOptions options = {}, absl::string_view member = "owner") {
    Run run;
    options.region = "KR";
    auto keyring = vault_.Unlock(member);
    run.status = CheckChat(*keyring, vault_.policy(), chat, options, run.report);
    return run;
  }
  ChatImportOptions InSeoul(ChatImportOptions options = {}) {
    options.books = {vault_.Unlock("owner")->roster().FindBook("seoul")->id};
    return options;
  }

  void AddCustomers(absl::string_view csv) {
    const testing::TemporaryFile file(csv);
    auto list = CustomerList::Open(file.path(), {.region = "KR"});
    ASSERT_TRUE(list.ok()) << list.status();
    ImportReport report;
    auto keyring = vault_.Unlock("owner");
    const absl::Status status = anonymizer::Import(*keyring, vault_.policy(), **list, {}, report);
    ASSERT_TRUE(status.ok()) << status;
  }

  // "name phone …: < in, > out, - the app's" of each contact with messages, oldest first, sorted.
  // An author that is kept stands in front: ">mina:hello".
  std::vector<std::string> Chats(absl::string_view member = "owner") {
    auto keyring = vault_.Unlock(member);
    const policies::PermitIssuer permits(vault_.policy());
    const auto all = permits.Search(keyring->self().id, keyring->self().role);
    EXPECT_TRUE(all.ok()) << all.status();
    std::map<ContactNumber, std::vector<std::string>> messages;
    const absl::Status read = records::ChatLog(*keyring).Each(
        *all, std::nullopt,
        [&](ContactNumber contact, std::int64_t,
            const records::ChatEntry& entry) -> absl::StatusOr<bool> {
          const char* sign = entry.direction == records::ChatDirection::kIn    ? "<"
                             : entry.direction == records::ChatDirection::kOut ? ">"
                                                                               : "-";
          auto& of_contact = messages[contact];
          of_contact.insert(
              of_contact.begin(),
              absl::StrCat(sign, entry.author, entry.author.empty() ? "" : ":", entry.text));
          return true;
        });
    EXPECT_TRUE(read.ok()) << read;
    std::vector<std::string> out;
    for (const auto& [contact, texts] : messages)
      out.push_back(absl::StrCat(NameOf(*keyring, contact), ": ", absl::StrJoin(texts, " ")));
    std::sort(out.begin(), out.end());
    return out;
  }
  std::string TokenOf(absl::string_view name) {
    auto keyring = vault_.Unlock("owner");
    std::string token;
    const policies::PermitIssuer permits(vault_.policy());
    const auto all = permits.List(keyring->self().id, keyring->self().role);
    const absl::Status listed = records::ContactReader(*keyring).Each(
        *all, std::nullopt, [&](const records::Contact& contact) -> absl::StatusOr<bool> {
          for (const records::ShownField& field : contact.fields) {
            if (field.name == "name" && field.value == name)
              token = records::FormatToken(contact.token);
          }
          return true;
        });
    EXPECT_TRUE(listed.ok() && !token.empty()) << name;
    return token;
  }
  std::int64_t AuditRows() { return vault_.Unlock("owner")->store().LastAudit()->first; }

  testing::PolicyVault vault_;

 private:
  std::string NameOf(keyring::Keyring& keyring, ContactNumber contact) {
    const policies::PermitIssuer permits(vault_.policy());
    const auto permit = permits.ReadOne(keyring.self().id, keyring.self().role, contact);
    const auto read = records::ContactReader(keyring).Read(*permit, contact);
    EXPECT_TRUE(read.ok()) << read.status();
    std::vector<std::string> values;
    for (const char* field : {"name", "phone", "phone_2", "whatsapp_id"}) {
      for (const records::ShownField& shown : read->fields) {
        if (shown.name == field) values.push_back(shown.value);
      }
    }
    return absl::StrJoin(values, " ");
  }
};

}  // namespace sealbook::anonymizer
