// A vault with chats that have expired, destinations in folders beside it that lie when they are
// told to, and a look at everything at once: what is live, and what the archives give to whoever
// has the offline identity. The clock is the test's.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/support/chat_vault.h"
#include "tests/support/lying_destination.h"
#include "vault/archive/archive_health.h"
#include "vault/archive/archive_reader.h"
#include "vault/archive/archived_chat.h"
#include "vault/archive/erasure.h"
#include "vault/archive/restoring.h"
#include "vault/archive/retention_job.h"
#include "vault/archive/subject_secrets.h"
#include "vault/records/health.h"
#include "vault/records/subject_marks.h"

namespace sealbook::testing {

inline constexpr std::int64_t kDaySeconds = 24 * 3600;

class RetentionVault {
 public:
  // 2024-09-02; chats of March have expired, those of August have not.
  static constexpr std::int64_t kNow = kMonday + 175 * kDaySeconds;

  RetentionVault() {
    EXPECT_TRUE(vault_.AddBook("seoul").ok());
    EXPECT_TRUE(vault_.AddMember("mina", "agent", {"seoul"}).ok());
    EXPECT_TRUE(vault_.AddMember("service importer", "importer").ok());
    EXPECT_TRUE(vault_.AddMember("service retention", "retention").ok());
    auto importer = vault_.Unlock("service importer");
    auto results = TestVault::Import(
        *importer,
        {TestVault::Draft("11112222"), TestVault::Draft("33334444"), TestVault::Draft("55556666")},
        {"seoul"});
    EXPECT_TRUE(results.ok()) << results.status();
    for (const auto& result : *results) contacts.push_back(result.contact);
    AddPlace("one");
  }

  void AddPlace(const std::string& name) {
    const std::string folder = absl::StrCat(vault_.root(), "/", name);
    std::filesystem::create_directories(folder);
    places.push_back({.url = absl::StrCat("file://", folder, "/archives"),
                      .folder = absl::StrCat(folder, "/archives"),
                      .lies = std::make_shared<Lies>()});
  }

  struct Place {
    std::string url, folder;
    std::shared_ptr<Lies> lies;
    int opened = 0;
  };
  std::vector<Place> places;
  std::vector<ContactNumber> contacts;
  absl::Time now = absl::FromUnixSeconds(kNow);
  std::map<std::string, archive::RetentionDays> rules = {{"", {.chats = 90, .archives = 1095}}};
  std::size_t quorum = 0;  // 0: all
  std::int64_t limit = 0;
  std::function<void(absl::string_view)> at;

  TestVault& vault() { return vault_; }

  // `day` counts from Monday the 11th of March 2024; each text is written once.
  records::ChatDraftResult Write(ContactNumber contact, int day, const std::string& text,
                                 absl::string_view by = "service importer") {
    auto member = vault_.Unlock(by);
    auto results = WriteChats(
        *member, {{.contact = contact, .messages = {Message(kMonday + day * kDaySeconds, text)}}});
    EXPECT_TRUE(results.ok()) << results.status();
    return results.ok() ? (*results)[0] : records::ChatDraftResult();
  }
  // Two in March of each of three people, one in April, one that has not expired.
  void WriteAll() {
    for (const ContactNumber contact : contacts) {
      for (const int day : {0, 1, 25, 160}) Write(contact, day, TextOf(contact, day));
    }
  }
  static std::string TextOf(ContactNumber contact, int day) {
    return absl::StrCat("text ", contact, " of day ", day);
  }

  archive::JobOptions Options() {
    archive::JobOptions options{.now = now,
                                .rules = rules,
                                .recipients = {vault_.archive_identity().public_key()},
                                .destinations = {}};
    for (Place& place : places) {
      options.destinations.emplace_back(
          place.url, [&place]() -> absl::StatusOr<std::unique_ptr<archive::Destination>> {
            ++place.opened;
            RETURN_IF_ERROR(place.lies->Call("Open"));
            ASSIGN_OR_RETURN(auto real, archive::OpenDestination(place.url, {}));
            return std::make_unique<LyingDestination>(std::move(real), place.lies);
          });
    }
    options.quorum = quorum == 0 ? places.size() : quorum;
    options.limit = limit;
    options.upload.attempts = 1;
    options.upload.sleep = [](absl::Duration) {};
    options.at = at;
    return options;
  }
  absl::Status Run(archive::JobReport* report = nullptr,
                   absl::string_view by = "service retention") {
    auto keyring = vault_.Unlock(by);
    if (keyring == nullptr) return absl::InternalError("cannot unlock");
    const PurgePermit permit = policies::PermitIssuer::Purge(keyring->bundle().member, now);
    archive::JobReport own;
    archive::RetentionJob job(*keyring, permit, Options());
    const absl::Status status = job.Run(report == nullptr ? own : *report);
    // What it saw; so a later one can be held against it.
    return status;
  }

  absl::StatusOr<archive::Erased> Erase(ContactNumber contact) {
    auto owner = vault_.Unlock("owner");
    const PurgePermit permit = policies::PermitIssuer::Erase(owner->bundle().member, contact, now);
    archive::ErasureRequest request{
        .contact = contact, .reason = "asked", .identifiers_of = &TestVault::IdentifiersOf};
    for (const Place& place : places) request.destinations.push_back(place.url);
    return archive::EraseContact(*owner, permit, request, now);
  }
  void Mark(ContactNumber contact, records::SubjectMark kind, const std::string& label = "") {
    auto owner = vault_.Unlock("owner");
    auto transaction = owner->BeginWrite();
    ASSERT_TRUE(transaction.ok());
    const records::ChatOwner whose{.contact = contact,
                                   .token = TestVault::TokenOf(*owner, contact)};
    const absl::Status put = records::PutMark(*owner, whose, kind, label, now);
    ASSERT_TRUE(put.ok()) << put;
    ASSERT_TRUE(transaction->Commit().ok());
  }
  void Release(ContactNumber contact) {
    auto owner = vault_.Unlock("owner");
    ASSERT_TRUE(owner->store()
                    .DeleteSubjectMark(contact, static_cast<int>(records::SubjectMark::kHold))
                    .ok());
  }

  // Texts that the owner sees of all contacts.
  std::multiset<std::string> Live() {
    std::multiset<std::string> texts;
    auto owner = vault_.Unlock("owner");
    for (const ContactNumber contact : contacts) {
      store::ContactRow row;
      if (!owner->store().GetContact(contact, row).value_or(false)) continue;
      for (const std::string& text : ChatSeenBy(*owner, contact)) texts.insert(text);
    }
    return texts;
  }
  // Texts that the offline identity opens at a destination, of every archive whose signature is
  // right and whose bytes are those that were signed. By archive.
  std::map<std::string, std::multiset<std::string>> Archived(std::size_t place = 0) {
    std::map<std::string, std::multiset<std::string>> out;
    std::error_code error;
    for (const auto& file : std::filesystem::directory_iterator(places[place].folder, error)) {
      const std::string name = file.path().filename().string();
      if (!archive::ParseArchiveName(name)) continue;
      const auto texts = ReadArchive(file.path().string(), places[place].folder);
      if (texts.ok()) out[name] = *texts;
    }
    return out;
  }
  std::multiset<std::string> AllArchived(std::size_t place = 0) {
    std::multiset<std::string> all;
    for (const auto& [name, texts] : Archived(place)) all.insert(texts.begin(), texts.end());
    return all;
  }
  absl::StatusOr<std::multiset<std::string>> ReadArchive(const std::string& path,
                                                         const std::string& keys) {
    const auto any = [](const archive::ArchiveSigner& signer) -> absl::StatusOr<crypto::VerifyKey> {
      return signer.key;
    };
    ASSIGN_OR_RETURN(const std::string beside, keyring::ReadSmallFile(path + ".sig", 1 << 20));
    ASSIGN_OR_RETURN(const std::string bytes, keyring::ReadSmallFile(path, 64 << 20));
    ASSIGN_OR_RETURN(
        const archive::ArchiveSignature signature,
        archive::ArchiveSignature::Verify(crypto::AsBytes(beside),
                                          std::filesystem::path(path).filename().string(), any));
    const crypto::RandomAccess access{
        .size = bytes.size(),
        .read_at = [&](std::uint64_t offset,
                       std::span<std::uint8_t> out) -> absl::StatusOr<std::size_t> {
          if (offset >= bytes.size()) return 0;
          const std::size_t count = std::min<std::size_t>(out.size(), bytes.size() - offset);
          std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(offset), count, out.begin());
          return count;
        }};
    const std::span<const crypto::ExchangePair> identities(&vault_.archive_identity(), 1);
    ASSIGN_OR_RETURN(const auto reader,
                     archive::ArchiveReader::Open(access, identities, signature));
    RETURN_IF_ERROR(reader->VerifyAll());
    ASSIGN_OR_RETURN(archive::SubjectSecrets secrets,
                     archive::SubjectSecrets::Open(identities, archive::KeysIn(keys), any));
    std::multiset<std::string> texts;
    RETURN_IF_ERROR(
        reader->EachContact([&](const archive::ArchiveEntry& entry) -> absl::StatusOr<bool> {
          ASSIGN_OR_RETURN(const auto subject,
                           secrets.Find(signature.header.vault, entry.contact, entry.token));
          if (!subject) return true;
          RETURN_IF_ERROR(archive::OpenArchivedContact(*reader, entry, *subject,
                                                       [&](const records::ChatEntry& message) {
                                                         texts.insert(message.text);
                                                         return absl::OkStatus();
                                                       }));
          return true;
        }));
    return texts;
  }

  // All that `doctor` looks at in the vault; empty where all is well.
  std::string Fault() {
    auto owner = vault_.Unlock("owner");
    std::string fault;
    const auto checks = records::CheckHealth(*owner, {});
    EXPECT_TRUE(checks.ok()) << checks.status();
    for (const records::HealthCheck& check : *checks)
      if (!check.ok) fault += check.name + ": " + check.detail + "\n";
    const auto archives = archive::CheckArchives(*owner, nullptr);
    EXPECT_TRUE(archives.ok()) << archives.status();
    if (archives.ok() && !archives->ok) fault += "retention: " + archives->detail + "\n";
    return fault;
  }
  std::int64_t Count(const std::string& sql) {
    auto owner = vault_.Unlock("owner");
    auto statement = owner->store().database().Prepare(sql);
    EXPECT_TRUE(statement.ok()) << statement.status();
    EXPECT_TRUE(statement->Step().value_or(false));
    return statement->Int(0);
  }
  void Alter(const std::string& sql) {
    auto owner = vault_.Unlock("owner");
    const absl::Status status = owner->store().database().Execute(sql.c_str());
    ASSERT_TRUE(status.ok()) << status;
  }

 private:
  TestVault vault_;
};

}  // namespace sealbook::testing
