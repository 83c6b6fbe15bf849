// A vault in a temporary directory, with the default roles, for tests of the vault library.
// Unlocking is made cheap; the name says so.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "tests/support/scratch.h"
#include "vault/crypto/random.h"
#include "vault/keyring/administration.h"
#include "vault/records/contact_changes.h"
#include "vault/records/contact_reader.h"
#include "vault/records/contact_writer.h"
#include "vault/records/token.h"

// Stands in for the policy engine, which tests of the vault do not link.
namespace sealbook::policies {
class PermitIssuer {
 public:
  static ReadPermit All(MemberId member, std::vector<ClassId> clear, bool masked) {
    return ReadPermit(member, std::nullopt, std::move(clear), masked, absl::Now());
  }
  static ReadPermit One(MemberId member, ContactNumber contact, std::vector<ClassId> clear,
                        bool masked, absl::Time issued) {
    return ReadPermit(member, contact, std::move(clear), masked, issued);
  }
  static PurgePermit Purge(MemberId member, absl::Time issued) {
    return PurgePermit(member, std::nullopt, issued);
  }
  static PurgePermit Erase(MemberId member, ContactNumber contact, absl::Time issued) {
    return PurgePermit(member, contact, issued);
  }
};
}  // namespace sealbook::policies

namespace sealbook::testing {

inline constexpr crypto::PassphraseCost kInsecureTestCost{.memory_kib = 64, .passes = 1};

inline keyring::CompiledPolicy TestPolicy() {
  using keyring::Power;
  const auto bits = [](std::initializer_list<Power> powers) {
    std::uint32_t out = 0;
    for (const Power power : powers) out |= static_cast<std::uint32_t>(power);
    return out;
  };
  const std::vector<ClassId> data = {ClassId::kIdentity, ClassId::kMasked, ClassId::kProfile,
                                     ClassId::kSensitive, ClassId::kChat};
  std::vector<ClassId> all = data;
  all.push_back(ClassId::kIndex);
  all.push_back(ClassId::kAudit);
  const std::uint32_t admin_powers =
      bits({Power::kSignRoster, Power::kAssign, Power::kCreateContacts, Power::kWriteChats,
            Power::kRetention, Power::kSubjects});
  return {.text = "test policy",
          .classes = {{ClassId::kIdentity, "identity"},
                      {ClassId::kMasked, "masked"},
                      {ClassId::kProfile, "profile"},
                      {ClassId::kSensitive, "sensitive"},
                      {ClassId::kChat, "chat"},
                      {ClassId::kIndex, "index"},
                      {ClassId::kAudit, "audit"}},
          .roles = {{"owner", true, false, all, data, admin_powers},
                    {"admin", true, false, all, data, admin_powers},
                    {"supervisor", false, false, data, {ClassId::kProfile, ClassId::kSensitive}, 0},
                    {"agent",
                     false,
                     false,
                     {ClassId::kMasked, ClassId::kProfile, ClassId::kChat},
                     {ClassId::kProfile},
                     0},
                    {"importer",
                     true,
                     true,
                     {ClassId::kIndex},
                     data,
                     bits({Power::kAssign, Power::kCreateContacts, Power::kWriteChats})},
                    {"retention", true, true, {}, {}, bits({Power::kRetention})}},
          .cost = kInsecureTestCost,
          .lockout = {.after = 3, .lasts = absl::Minutes(15)}};
}

class TestVault {
 public:
  static constexpr absl::string_view kOwner = "owner";

  TestVault() {
    crypto::PrepareProcess().IgnoreError();
    root_ = ScratchFolder();
    setenv("XDG_STATE_HOME", (root_ + "/state").c_str(), 1);
    archive_identity_ = crypto::ExchangePair::Generate();
    auto created = keyring::CreateVault(
        {.directory = directory(),
         .owner = std::string(kOwner),
         .passphrase = crypto::SecretBytes::CopyOf(crypto::AsBytes("passphrase of owner")),
         .policy = TestPolicy(),
         .archive_recipients = {archive_identity_->public_key()}},
        [](const keyring::CreatedVault&) { return absl::OkStatus(); });
    EXPECT_TRUE(created.ok()) << created.status();
    if (created.ok()) recovery_code_ = std::string(created->recovery_code.ExposeText());
  }
  ~TestVault() { std::filesystem::remove_all(root_); }

  std::string directory() const { return root_ + "/vault"; }
  keyring::VaultPaths paths() const { return keyring::VaultPaths(directory()); }
  const std::string& root() const { return root_; }
  const std::string& recovery_code() const { return recovery_code_; }
  // What archives and the escrow key are sealed to; its owner keeps it elsewhere.
  const crypto::ExchangePair& archive_identity() const { return *archive_identity_; }

  absl::StatusOr<std::unique_ptr<keyring::Keyring>> TryUnlock(absl::string_view name) const {
    return keyring::Keyring::Unlock(
        paths(), {.name = std::string(name),
                  .secret = {.kind = IsService(name) ? keyring::UnlockSecret::Kind::kKeyFile
                                                     : keyring::UnlockSecret::Kind::kPassphrase,
                             .bytes = SecretOf(name)}});
  }
  std::unique_ptr<keyring::Keyring> Unlock(absl::string_view name) const {
    auto keyring = TryUnlock(name);
    EXPECT_TRUE(keyring.ok()) << name << ": " << keyring.status();
    return keyring.ok() ? *std::move(keyring) : nullptr;
  }

  absl::Status AddMember(absl::string_view name, absl::string_view role,
                         std::vector<std::string> books = {}, absl::string_view by = kOwner) const {
    auto admin = Unlock(by);
    return keyring::AddMember(
        *admin, {.name = std::string(name),
                 .role = std::string(role),
                 .books = std::move(books),
                 .secret = {.kind = IsService(name) ? keyring::UnlockSecret::Kind::kKeyFile
                                                    : keyring::UnlockSecret::Kind::kPassphrase,
                            .bytes = SecretOf(name)},
                 .cost = kInsecureTestCost});
  }
  absl::Status AddBook(absl::string_view name) const {
    return keyring::AddBook(*Unlock(kOwner), name);
  }

  // Members whose names begin with "service" are service accounts.
  static bool IsService(absl::string_view name) { return name.substr(0, 7) == "service"; }
  static crypto::SecretBytes SecretOf(absl::string_view name) {
    std::string text = absl::StrCat("passphrase of ", name);
    if (IsService(name)) text.resize(32, '.');
    return crypto::SecretBytes::CopyOf(crypto::AsBytes(text));
  }

  // A person with all classes, recognisable by `tag`.
  static records::ContactDraft Draft(absl::string_view tag) {
    const std::string phone = absl::StrCat("+8210", tag);
    return {
        .identifiers = {{IdentifierKind::kPhone, phone},
                        {IdentifierKind::kEmail, absl::StrCat(tag, "@example.com")}},
        .classes = {
            {ClassId::kIdentity, {{"phone", phone}, {"email", absl::StrCat(tag, "@example.com")}}},
            {ClassId::kMasked, {{"phone", absl::StrCat("+82 10-****-", tag.substr(4))}}},
            {ClassId::kProfile, {{"name", absl::StrCat("Person ", tag)}}},
            {ClassId::kSensitive, {{"skin", absl::StrCat("dry ", tag)}}}}};
  }
  // As Draft puts them into the index.
  static std::vector<records::IdentifierValue> IdentifiersOf(const records::Fields& identity) {
    std::vector<records::IdentifierValue> out;
    for (const records::Field& field : identity) {
      if (field.name == "phone") out.push_back({IdentifierKind::kPhone, field.value});
      if (field.name == "email") out.push_back({IdentifierKind::kEmail, field.value});
    }
    return out;
  }
  // Stands in for the policy-aware one: all classes become the draft's.
  static records::Combined ReplaceAll(const std::vector<records::ClassFields>&,
                                      const std::vector<records::ClassFields>& draft) {
    records::Combined out;
    for (const ClassId class_id :
         {ClassId::kIdentity, ClassId::kMasked, ClassId::kProfile, ClassId::kSensitive}) {
      records::ClassFields& changed = out.changed.emplace_back();
      changed.class_id = class_id;
      for (const records::ClassFields& fields : draft) {
        if (fields.class_id == class_id) changed.fields = fields.fields;
      }
    }
    return out;
  }
  static absl::StatusOr<std::vector<records::DraftResult>> Import(
      keyring::Keyring& keyring, const std::vector<records::ContactDraft>& drafts,
      const std::vector<std::string>& books,
      records::OnDuplicate on_duplicate = records::OnDuplicate::kSkip) {
    auto writer = records::ContactWriter::Open(keyring);
    if (!writer.ok()) return writer.status();
    records::BatchOptions options{
        .books = {},
        .on_duplicate = on_duplicate,
        .combine = &ReplaceAll,
        .event = [](const auto&) { return audit::Event{.act = "import"}; }};
    for (const std::string& book : books)
      options.books.push_back(keyring.roster().FindBook(book)->id);
    return writer->WriteBatch(drafts, options);
  }
  static absl::Status Set(keyring::Keyring& keyring, ContactNumber contact, ClassId class_id,
                          records::Fields fields) {
    return records::ChangeContact(
        keyring, contact,
        [&](const store::ContactRow&) -> absl::StatusOr<records::ContactChange> {
          return records::ContactChange{.classes = {{class_id, fields}}};
        },
        {.act = "set"});
  }
  static ReadPermit PermitFor(keyring::Keyring& keyring) {
    std::vector<ClassId> clear = keyring.roster().DataClasses();
    std::erase(clear, ClassId::kMasked);
    std::erase_if(clear, [&](ClassId c) { return !keyring.role().Holds(c); });
    return policies::PermitIssuer::All(keyring.bundle().member, clear,
                                       keyring.role().Holds(ClassId::kMasked));
  }
  static std::int64_t TokenOf(keyring::Keyring& keyring, ContactNumber number) {
    store::ContactRow row;
    EXPECT_TRUE(*keyring.store().GetContact(number, row));
    return row.token;
  }
  static std::string ValueOf(const records::Contact& contact, absl::string_view field) {
    for (const records::ShownField& shown : contact.fields) {
      if (shown.name == field) return shown.value;
    }
    return "";
  }

 private:
  std::string root_;
  std::string recovery_code_;
  std::optional<crypto::ExchangePair> archive_identity_;
};

}  // namespace sealbook::testing
