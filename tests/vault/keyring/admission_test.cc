// Joining by a request, from the admin's side to the first unlock, and what somebody who may write
// the directory can put in between.
#include "vault/keyring/admission.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "tests/support/test_vault.h"
#include "vault/keyring/database_key.h"
#include "vault/keyring/fingerprint.h"

namespace sealbook::keyring {
namespace {

using testing::kInsecureTestCost;
using testing::TestVault;

JoinRequest RequestOf(absl::string_view name) {
  return *JoinRequest::MakeWithInsecureCostForTests(TestVault::SecretOf(name), kInsecureTestCost);
}
absl::Status Add(const TestVault& vault, absl::string_view name, const JoinRequest& request,
                 absl::string_view role = "agent", std::vector<std::string> books = {"seoul"},
                 absl::string_view by = TestVault::kOwner) {
  return AddMember(*vault.Unlock(by), {.name = std::string(name),
                                       .role = std::string(role),
                                       .books = std::move(books),
                                       .secret = {},
                                       .cost = kInsecureTestCost,
                                       .request = request});
}
std::int64_t CountActs(Keyring& keyring, absl::string_view act) {
  std::int64_t count = 0;
  EXPECT_TRUE(keyring.store()
                  .EachAudit(1,
                             [&](std::int64_t, ByteView bytes) {
                               count += audit::Record::Parse(bytes)->act == act ? 1 : 0;
                               return absl::OkStatus();
                             })
                  .ok());
  return count;
}

class AdmissionTest : public ::testing::Test {
 protected:
  AdmissionTest() {
    EXPECT_TRUE(vault_.AddBook("seoul").ok());
    EXPECT_TRUE(Add(vault_, "hana", request_).ok());
    entry_id_ = Entries().EntryId("hana");
  }
  UnlockFile Entries() const { return *UnlockFile::Load(vault_.paths().unlock()); }
  UnlockEntry EntryOf(absl::string_view name) const {
    const UnlockFile file = Entries();
    return *file.Find(file.EntryId(name));
  }
  void PutEntry(UnlockEntry entry) const {
    UnlockFile file = Entries();
    file.entries()[entry_id_] = std::move(entry);
    EXPECT_TRUE(file.Save(vault_.paths().unlock()).ok());
  }
  // For hana's keys, with the number of `member`.
  UnlockEntry EntryFor(Keyring& keyring, absl::string_view member) const {
    const MemberId id = keyring.roster().FindMember(member)->id;
    UnlockEntry entry =
        MakeJoiningEntry(keyring.roster().vault, request_, id, keyring.bundle().root);
    AddDatabaseKeys(keyring, Entries(), id, request_.exchange(), entry);
    return entry;
  }
  crypto::Bytes AdmissionFor(const VaultId& vault, std::uint32_t member,
                             const crypto::VerifyKey& root) const {
    crypto::ByteWriter out;
    out.Text("sealbook/admission/1").Raw(vault).U32(member).Raw(root.bytes);
    return crypto::SealToPublic(request_.exchange(), out.bytes());
  }
  absl::Status UnlockWithAdmission(crypto::Bytes admission) const {
    UnlockEntry entry = EntryOf("hana");
    entry.joining->admission = std::move(admission);
    PutEntry(std::move(entry));
    return vault_.TryUnlock("hana").status();
  }

  TestVault vault_;
  JoinRequest request_ = RequestOf("hana");
  std::string entry_id_;
};

TEST_F(AdmissionTest, EntryHoldsTheRequestAsItCameUntilTheFirstUnlock) {
  const UnlockEntry entry = EntryOf("hana");
  EXPECT_EQ(entry.kind, UnlockSecret::Kind::kPassphrase);
  EXPECT_EQ(entry.cost, kInsecureTestCost);
  EXPECT_EQ(entry.salt, request_.secrets().salt);
  EXPECT_EQ(entry.bundle, request_.secrets().sealed);
  ASSERT_TRUE(entry.joining.has_value());
  EXPECT_EQ(entry.joining->exchange, request_.exchange());
  EXPECT_EQ(entry.joining->verify, request_.verify());
  auto owner = vault_.Unlock("owner");
  const Member* hana = owner->roster().FindMember("hana");
  ASSERT_NE(hana, nullptr);
  EXPECT_EQ(hana->kind, MemberKind::kPerson);
  EXPECT_EQ(hana->exchange, request_.exchange());
  EXPECT_EQ(hana->verify, request_.verify());
  EXPECT_EQ(CountActs(*owner, "member.join"), 0);
}

TEST_F(AdmissionTest, FirstUnlockPinsTheRootKeyAndRewritesTheEntry) {
  auto hana = vault_.Unlock("hana");
  ASSERT_NE(hana, nullptr);
  EXPECT_TRUE(hana->joined());
  EXPECT_EQ(hana->self().name, "hana");
  EXPECT_FALSE(hana->bundle().must_change);
  EXPECT_FALSE(hana->bundle().root_pair.has_value());
  EXPECT_EQ(hana->bundle().root, vault_.Unlock("owner")->bundle().root);
  EXPECT_TRUE(hana->Holds(BookId{1}, ClassId::kProfile));
  EXPECT_FALSE(hana->Holds(BookId{1}, ClassId::kIdentity));
  EXPECT_FALSE(hana->Holds(kRootBook, ClassId::kProfile));
  EXPECT_EQ(CountActs(*hana, "member.join"), 1);

  const UnlockEntry entry = EntryOf("hana");
  EXPECT_FALSE(entry.joining.has_value());
  EXPECT_EQ(entry.cost, kInsecureTestCost);
  EXPECT_NE(entry.salt, request_.secrets().salt);
  EXPECT_NE(entry.bundle, request_.secrets().sealed);

  auto again = vault_.Unlock("hana");
  ASSERT_NE(again, nullptr);
  EXPECT_FALSE(again->joined());
  EXPECT_EQ(again->bundle().root, hana->bundle().root);
  EXPECT_EQ(again->bundle().exchange.public_key(), request_.exchange());
  EXPECT_EQ(CountActs(*again, "member.join"), 1);
  ASSERT_TRUE(ChangePassphrase(*again, TestVault::SecretOf("another"), kInsecureTestCost).ok());
  EXPECT_TRUE(absl::IsUnauthenticated(vault_.TryUnlock("hana").status()));
}

TEST_F(AdmissionTest, WrongPassphraseCountsAndLeavesTheEntry) {
  const auto wrong = Keyring::Unlock(
      vault_.paths(), {.name = "hana", .secret = {.bytes = TestVault::SecretOf("mina")}});
  EXPECT_TRUE(absl::IsUnauthenticated(wrong.status())) << wrong.status();
  EXPECT_TRUE(EntryOf("hana").joining.has_value());
  auto hana = vault_.Unlock("hana");
  ASSERT_NE(hana, nullptr);
  EXPECT_EQ(CountActs(*hana, "unlock.failed"), 1);
  const auto key_file = Keyring::Unlock(
      vault_.paths(),
      {.name = "hana",
       .secret = {.kind = UnlockSecret::Kind::kKeyFile, .bytes = TestVault::SecretOf("service")}});
  EXPECT_TRUE(absl::IsUnauthenticated(key_file.status()));
}

// A kill before unlock.json is renamed leaves the joining entry; one after it and before the
// commit, the ordinary entry without its audit row.
TEST_F(AdmissionTest, CrashAtTheFirstUnlockLeavesAnEntryThatOpens) {
  const std::string unlock = *ReadSmallFile(vault_.paths().unlock(), UnlockFile::kMaxBytes);
  std::filesystem::create_directory(vault_.root() + "/before");
  std::filesystem::copy(vault_.directory(), vault_.root() + "/before",
                        std::filesystem::copy_options::recursive);
  ASSERT_NE(vault_.Unlock("hana"), nullptr);
  const std::string settled = *ReadSmallFile(vault_.paths().unlock(), UnlockFile::kMaxBytes);
  ASSERT_NE(settled, unlock);
  // Before: the joining entry again, and half a temporary file beside it.
  ASSERT_TRUE(ReplaceFile(vault_.paths().unlock(), unlock, 0660).ok());
  ASSERT_TRUE(CreateNewFile(vault_.paths().unlock() + ".new", "{\"form", 0660).ok());
  auto hana = vault_.Unlock("hana");
  ASSERT_NE(hana, nullptr);
  EXPECT_TRUE(hana->joined());
  EXPECT_FALSE(EntryOf("hana").joining.has_value());
  hana.reset();
  // After: the older database, with the newer unlock.json.
  std::filesystem::remove_all(vault_.root() + "/state");
  std::filesystem::remove_all(vault_.directory());
  std::filesystem::rename(vault_.root() + "/before", vault_.directory());
  ASSERT_TRUE(ReplaceFile(vault_.paths().unlock(), settled, 0660).ok());
  hana = vault_.Unlock("hana");
  ASSERT_NE(hana, nullptr);
  EXPECT_FALSE(hana->joined());
}

TEST_F(AdmissionTest, FirstUnlocksAtTheSameTimeAllSucceedAndOneSettles) {
  std::vector<std::thread> threads;
  std::atomic<int> opened = 0;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] { opened += vault_.TryUnlock("hana").ok() ? 1 : 0; });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(opened, 4);
  auto hana = vault_.Unlock("hana");
  ASSERT_NE(hana, nullptr);
  EXPECT_FALSE(hana->joined());
  EXPECT_EQ(CountActs(*hana, "member.join"), 1);
}

TEST_F(AdmissionTest, AdmissionOfAnotherVaultMemberOrRootIsRefusedAndTheEntryStays) {
  auto owner = vault_.Unlock("owner");
  const VaultId& vault = owner->roster().vault;
  const crypto::VerifyKey root = owner->bundle().root;
  const auto number = static_cast<std::uint32_t>(owner->roster().FindMember("hana")->id);
  const UnlockEntry good = EntryOf("hana");

  EXPECT_TRUE(absl::IsDataLoss(UnlockWithAdmission(AdmissionFor(VaultId{9}, number, root))));
  for (const std::uint32_t other : {number - 1, number + 1, 0u, 1u}) {
    const absl::Status status = UnlockWithAdmission(AdmissionFor(vault, other, root));
    // The database key beside it names its member, too.
    EXPECT_TRUE(absl::IsDataLoss(status)) << other << ": " << status;
  }
  EXPECT_TRUE(absl::IsDataLoss(UnlockWithAdmission(
      AdmissionFor(vault, number, crypto::SigningPair::Generate().verify_key()))));
  EXPECT_TRUE(absl::IsDataLoss(UnlockWithAdmission({})));
  EXPECT_TRUE(absl::IsDataLoss(
      UnlockWithAdmission(crypto::SealToPublic(request_.exchange(), crypto::AsBytes("hello")))));
  EXPECT_TRUE(absl::IsDataLoss(UnlockWithAdmission(crypto::SealToPublic(
      crypto::ExchangePair::Generate().public_key(), crypto::AsBytes("somebody else's")))));
  crypto::Bytes altered = good.joining->admission;
  altered.at(60) ^= 1;
  EXPECT_TRUE(absl::IsDataLoss(UnlockWithAdmission(altered)));

  EXPECT_TRUE(EntryOf("hana").joining.has_value());
  PutEntry(good);
  EXPECT_TRUE(vault_.TryUnlock("hana").ok());
}

TEST_F(AdmissionTest, EntryOfAnotherMemberNeverOpensUnderThisName) {
  // As whoever holds the database key could seal it: for hana's keys, with mina's number.
  ASSERT_TRUE(Add(vault_, "mina", RequestOf("mina")).ok());
  auto owner = vault_.Unlock("owner");
  PutEntry(EntryFor(*owner, "mina"));
  EXPECT_TRUE(absl::IsUnauthenticated(vault_.TryUnlock("hana").status()));
  // hana's entry put under mina's name opens with hana's passphrase, and is not settled there.
  UnlockFile file = Entries();
  file.entries()[file.EntryId("mina")] = EntryFor(*owner, "hana");
  ASSERT_TRUE(file.Save(vault_.paths().unlock()).ok());
  const auto as_mina = Keyring::Unlock(
      vault_.paths(), {.name = "mina", .secret = {.bytes = TestVault::SecretOf("hana")}});
  EXPECT_TRUE(absl::IsDataLoss(as_mina.status())) << as_mina.status();
  EXPECT_TRUE(EntryOf("mina").joining.has_value());
}

// What keys cannot tell, and the fingerprint does: another vault in the place of this one.
TEST_F(AdmissionTest, AnotherVaultInItsPlaceShowsAnotherFingerprint) {
  auto owner = vault_.Unlock("owner");
  const std::string read_out = VaultFingerprint(owner->roster().vault, owner->roster().root);
  owner.reset();
  TestVault hostile;
  ASSERT_TRUE(hostile.AddBook("seoul").ok());
  ASSERT_TRUE(Add(hostile, "hana", request_).ok());
  auto hana = hostile.Unlock("hana");
  ASSERT_NE(hana, nullptr);
  EXPECT_TRUE(hana->joined());
  EXPECT_NE(VaultFingerprint(hana->roster().vault, hana->bundle().root), read_out);
  hana = vault_.Unlock("hana");
  ASSERT_NE(hana, nullptr);
  EXPECT_EQ(VaultFingerprint(hana->roster().vault, hana->bundle().root), read_out);
}

TEST_F(AdmissionTest, DatabaseGetsAnotherKeyWhileSomebodyIsYetToJoin) {
  ASSERT_TRUE(RotateDatabaseKey(*vault_.Unlock("owner")).ok());
  EXPECT_TRUE(EntryOf("hana").joining.has_value());
  auto hana = vault_.Unlock("hana");
  ASSERT_NE(hana, nullptr);
  EXPECT_TRUE(hana->joined());
  hana.reset();
  ASSERT_TRUE(RotateDatabaseKey(*vault_.Unlock("owner")).ok());
  EXPECT_NE(vault_.Unlock("hana"), nullptr);
}

TEST_F(AdmissionTest, MemberWhoWasDisabledBeforeTheFirstUnlockHasNoAccess) {
  const UnlockEntry entry = EntryOf("hana");
  ASSERT_TRUE(DisableMember(*vault_.Unlock("owner"), "hana").ok());
  EXPECT_EQ(Entries().Find(entry_id_), nullptr);
  PutEntry(entry);  // as in an older copy
  EXPECT_TRUE(absl::IsUnauthenticated(vault_.TryUnlock("hana").status()));
  EXPECT_TRUE(absl::IsInvalidArgument(Add(vault_, "hana2", request_)));
}

TEST_F(AdmissionTest, RequestIsUsedOnce) {
  EXPECT_TRUE(absl::IsInvalidArgument(Add(vault_, "hana2", request_)));
  EXPECT_EQ(vault_.Unlock("owner")->roster().FindMember("hana2"), nullptr);
  EXPECT_EQ(Entries().Find(Entries().EntryId("hana2")), nullptr);
  ASSERT_NE(vault_.Unlock("hana"), nullptr);  // nor once it was settled
  EXPECT_TRUE(absl::IsInvalidArgument(Add(vault_, "hana2", request_)));
  // In another vault it may be used, too.
  TestVault other;
  ASSERT_TRUE(other.AddBook("seoul").ok());
  EXPECT_TRUE(Add(other, "hana", request_).ok());
}

TEST_F(AdmissionTest, RequestIsUsedOnceEvenWhenItsMemberHasOtherKeysNow) {
  const absl::Status renewed =
      PublishRoster(*vault_.Unlock("owner"), {.act = "test"}, [](Roster& next) {
        for (Member& member : next.members) {
          if (member.name != "hana") continue;
          member.exchange = crypto::ExchangePair::Generate().public_key();
          member.verify = crypto::SigningPair::Generate().verify_key();
        }
        return absl::OkStatus();
      });
  ASSERT_TRUE(renewed.ok()) << renewed;
  EXPECT_TRUE(absl::IsInvalidArgument(Add(vault_, "hana2", request_)));
  EXPECT_TRUE(Add(vault_, "hana2", RequestOf("hana2")).ok());
}

TEST_F(AdmissionTest, RequestIsForPeople) {
  EXPECT_TRUE(absl::IsFailedPrecondition(Add(vault_, "robot", RequestOf("robot"), "importer", {})));
  NewMember service{
      .name = "robot",
      .role = "importer",
      .books = {},
      .secret = {.kind = UnlockSecret::Kind::kKeyFile, .bytes = TestVault::SecretOf("service")},
      .cost = {},
      .request = RequestOf("robot")};
  EXPECT_TRUE(absl::IsFailedPrecondition(AddMember(*vault_.Unlock("owner"), service)));
  EXPECT_EQ(Entries().entries().size(), 3u);
}

TEST_F(AdmissionTest, AdminAddsWithoutTheRootSecret) {
  ASSERT_TRUE(vault_.AddMember("boss", "admin").ok());
  ASSERT_TRUE(Add(vault_, "mina", RequestOf("mina"), "agent", {"seoul"}, "boss").ok());
  auto mina = vault_.Unlock("mina");
  ASSERT_NE(mina, nullptr);
  EXPECT_EQ(mina->bundle().root, vault_.Unlock("owner")->bundle().root);
  EXPECT_TRUE(
      absl::IsPermissionDenied(Add(vault_, "boss2", RequestOf("boss2"), "admin", {}, "boss")));
}

TEST_F(AdmissionTest, EveryChangedByteOfTheEntryEndsInAnErrorOrTheSameMember) {
  const std::string saved = *ReadSmallFile(vault_.paths().unlock(), UnlockFile::kMaxBytes);
  const std::size_t from = saved.find("\"joining\""), to = saved.find('}', from);
  ASSERT_NE(from, std::string::npos);
  UnlockFile original = Entries();
  for (std::size_t at = from; at <= to; ++at) {
    std::string text = saved;
    text[at] = static_cast<char>(text[at] ^ 4);
    ASSERT_TRUE(ReplaceFile(vault_.paths().unlock(), text, 0660).ok());
    const auto file = UnlockFile::Load(vault_.paths().unlock());
    if (!file.ok()) {
      EXPECT_TRUE(absl::IsDataLoss(file.status())) << at;
      continue;
    }
    const UnlockEntry* entry = file->Find(entry_id_);
    ASSERT_NE(entry, nullptr);
    const auto bundle = file->Open(entry_id_, {.bytes = TestVault::SecretOf("hana")});
    if (!bundle.ok()) {
      EXPECT_TRUE(absl::IsUnauthenticated(bundle.status()) || absl::IsDataLoss(bundle.status()))
          << at << bundle.status();
      continue;
    }
    EXPECT_EQ(bundle->exchange.public_key(), request_.exchange()) << at;
  }
  ASSERT_TRUE(original.Save(vault_.paths().unlock()).ok());
  EXPECT_EQ(*ReadSmallFile(vault_.paths().unlock(), UnlockFile::kMaxBytes), saved);
  EXPECT_TRUE(vault_.TryUnlock("hana").ok());
}

}  // namespace
}  // namespace sealbook::keyring
