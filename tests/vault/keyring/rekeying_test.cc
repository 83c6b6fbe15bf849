#include "vault/keyring/rekeying.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/attacker.h"
#include "tests/support/test_vault.h"
#include "vault/keyring/database_key.h"
#include "vault/records/draining.h"

namespace sealbook::keyring {
namespace {

using testing::Attacker;
using testing::kInsecureTestCost;
using testing::TestVault;
using testing::Values;

class RekeyingTest : public ::testing::Test {
 protected:
  RekeyingTest() {
    EXPECT_TRUE(vault_.AddBook("seoul").ok());
    EXPECT_TRUE(vault_.AddMember("mina", "agent", {"seoul"}).ok());
    EXPECT_TRUE(vault_.AddMember("ada", "admin").ok());
    EXPECT_TRUE(vault_.AddMember("service importer", "importer").ok());
    contact_ = Import("11112222");
  }
  ContactNumber Import(absl::string_view tag) {
    auto owner = vault_.Unlock("owner");
    return (*TestVault::Import(*owner, {TestVault::Draft(tag)}, {"seoul"}))[0].contact;
  }
  absl::StatusOr<RekeyResult> Rekey(absl::string_view name) {
    return keyring::Rekey(*vault_.Unlock(name),
                          {.kind = TestVault::IsService(name) ? UnlockSecret::Kind::kKeyFile
                                                              : UnlockSecret::Kind::kPassphrase,
                           .bytes = TestVault::SecretOf(name)},
                          kInsecureTestCost);
  }
  static absl::Status TakeIn(Keyring& keyring, absl::string_view name) {
    const auto request = FindRekeyRequest(keyring, *keyring.roster().FindMember(name));
    return keyring::TakeInRekey(keyring, name, request.ok() ? request->Fingerprint() : "");
  }
  void Drain() {
    auto owner = vault_.Unlock("owner");
    records::DrainReport report;
    ASSERT_TRUE(records::Drain(*owner,
                               {.identifiers_of =
                                    [](const records::Fields& fields) {
                                      std::vector<records::IdentifierValue> out;
                                      for (const records::Field& field : fields)
                                        out.push_back({field.name == "phone"
                                                           ? IdentifierKind::kPhone
                                                           : IdentifierKind::kEmail,
                                                       field.value});
                                      return out;
                                    }},
                               report)
                    .ok());
    EXPECT_EQ(report.undrained, 0u);
  }
  UnlockFile File() { return *UnlockFile::Load(vault_.paths().unlock()); }
  std::string EntryOf(absl::string_view name) { return File().EntryId(name); }
  bool Reads(absl::string_view name, ContactNumber contact) {
    auto member = vault_.Unlock(name);
    return member != nullptr &&
           records::ContactReader(*member).Read(TestVault::PermitFor(*member), contact).ok();
  }

  TestVault vault_;
  ContactNumber contact_;
};

TEST_F(RekeyingTest, AMembersNewKeysAreTakenInAndTheOldOnesOpenNothingLater) {
  Attacker thief;
  thief.Take(*vault_.Unlock("mina"));
  const auto asked = Rekey("mina");
  ASSERT_TRUE(asked.ok()) << asked.status();
  EXPECT_FALSE(asked->in_force);
  EXPECT_TRUE(Reads("mina", contact_));  // with the old ones, meanwhile
  auto ada = vault_.Unlock("ada");
  const auto found = FindRekeyRequest(*ada, *ada->roster().FindMember("mina"));
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_EQ(found->exchange, asked->request.exchange);
  ASSERT_TRUE(TakeIn(*ada, "mina").ok());
  EXPECT_TRUE(File().next().empty());
  const ContactNumber later = Import("33334444");
  EXPECT_TRUE(Reads("mina", contact_) && Reads("mina", later));
  for (const testing::Value& value : thief.Opens(*vault_.Unlock("owner")))
    EXPECT_EQ(value.contact, contact_);
  Drain();
  thief.Forget();
  EXPECT_EQ(thief.Opens(*vault_.Unlock("owner")), Values());
  EXPECT_TRUE(Reads("mina", contact_) && Reads("mina", later));
  // What was compared is what is taken in, and there is nothing more.
  ASSERT_TRUE(Rekey("mina").ok());
  const std::string compared =
      FindRekeyRequest(*ada, *ada->roster().FindMember("mina"))->Fingerprint();
  ASSERT_TRUE(Rekey("mina").ok());
  EXPECT_TRUE(absl::IsNotFound(keyring::TakeInRekey(*ada, "mina", compared)));
  ASSERT_TRUE(TakeIn(*ada, "mina").ok());
  EXPECT_TRUE(absl::IsNotFound(TakeIn(*ada, "mina")));
}

TEST_F(RekeyingTest, WhereTheAdminsProcessDiedTheMembersOwnUnlockPutsTheNewKeysInPlace) {
  ASSERT_TRUE(Rekey("mina").ok());
  auto owner = vault_.Unlock("owner");
  const MemberId mina = owner->roster().FindMember("mina")->id;
  const std::string file = *ReadSmallFile(vault_.paths().unlock(), 1 << 20);
  const crypto::Bytes row = **owner->store().GetRekeyRequest(mina);
  ASSERT_TRUE(TakeIn(*owner, "mina").ok());
  // The roster names the new keys, and unlock.json is as it was.
  ASSERT_TRUE(ReplaceFile(vault_.paths().unlock(), file, 0660).ok());
  {
    auto transaction = owner->store().BeginWrite();
    ASSERT_TRUE(owner->store().PutRekeyRequest(mina, row).ok() && transaction->Commit().ok());
  }
  EXPECT_TRUE(Reads("mina", contact_));
  EXPECT_TRUE(File().next().empty());
  EXPECT_TRUE(Reads("mina", contact_));
}

TEST_F(RekeyingTest, OldKeysAloneAreNobodyAfterwards) {
  auto old = vault_.Unlock("mina");
  ASSERT_TRUE(Rekey("mina").ok());
  ASSERT_TRUE(TakeIn(*vault_.Unlock("ada"), "mina").ok());
  EXPECT_TRUE(absl::IsUnauthenticated(old->Refresh()));
  EXPECT_TRUE(
      absl::IsUnauthenticated(TestVault::Set(*old, contact_, ClassId::kProfile, {{"name", "x"}})));
}

TEST_F(RekeyingTest, TheOwnerTakesItsOwnInAtOnceAndAdminsNeedTheOwner) {
  const auto own = Rekey("owner");
  ASSERT_TRUE(own.ok()) << own.status();
  EXPECT_TRUE(own->in_force);
  EXPECT_TRUE(Reads("owner", contact_));
  EXPECT_TRUE(vault_.AddMember("later", "agent", {"seoul"}).ok());  // still signs as the root
  ASSERT_TRUE(Rekey("ada").ok());
  EXPECT_TRUE(vault_.AddMember("boss", "admin").ok());
  EXPECT_TRUE(absl::IsPermissionDenied(TakeIn(*vault_.Unlock("boss"), "ada")));
  ASSERT_TRUE(TakeIn(*vault_.Unlock("owner"), "ada").ok());
  EXPECT_TRUE(Reads("ada", contact_));
  EXPECT_TRUE(vault_.AddMember("by ada", "agent", {"seoul"}, "ada").ok());
}

TEST_F(RekeyingTest, AServiceAccountGetsKeysUnderANewKeyFile) {
  auto importer = vault_.Unlock("service importer");
  const crypto::SecretBytes fresh =
      crypto::SecretBytes::CopyOf(crypto::AsBytes(std::string(32, 'n')));
  ASSERT_TRUE(keyring::Rekey(*importer,
                             {.kind = UnlockSecret::Kind::kKeyFile,
                              .bytes = crypto::SecretBytes::CopyOf(fresh.ExposeBytes())},
                             kInsecureTestCost)
                  .ok());
  const auto by_fresh = [&] {
    return Keyring::Unlock(vault_.paths(),
                           {.name = "service importer",
                            .secret = {.kind = UnlockSecret::Kind::kKeyFile,
                                       .bytes = crypto::SecretBytes::CopyOf(fresh.ExposeBytes())}});
  };
  EXPECT_TRUE(absl::IsUnauthenticated(by_fresh().status()));  // not in force yet
  EXPECT_TRUE(vault_.TryUnlock("service importer").ok());
  ASSERT_TRUE(TakeIn(*vault_.Unlock("owner"), "service importer").ok());
  EXPECT_TRUE(by_fresh().ok());
  EXPECT_TRUE(absl::IsUnauthenticated(vault_.TryUnlock("service importer").status()));
}

TEST_F(RekeyingTest, AlteredRequestsAreReportedAndNotTakenIn) {
  ASSERT_TRUE(Rekey("mina").ok());
  auto owner = vault_.Unlock("owner");
  const Member mina = *owner->roster().FindMember("mina");
  const crypto::Bytes document = **owner->store().GetRekeyRequest(mina.id);
  const auto put = [&](const crypto::Bytes& bytes) {
    auto transaction = owner->store().BeginWrite();
    ASSERT_TRUE(owner->store().PutRekeyRequest(mina.id, bytes).ok() && transaction->Commit().ok());
  };
  for (std::size_t at = 0; at < document.size(); ++at) {
    crypto::Bytes altered = document;
    altered[at] ^= 1;
    EXPECT_TRUE(absl::IsDataLoss(RekeyRequest::Parse(altered, mina.verify).status())) << at;
    altered = document;
    altered.resize(at);
    EXPECT_TRUE(absl::IsDataLoss(RekeyRequest::Parse(altered, mina.verify).status())) << at;
  }
  crypto::Bytes altered = document;
  altered[60] ^= 1;
  put(altered);
  EXPECT_TRUE(absl::IsDataLoss(TakeIn(*owner, "mina")));
  // Another member's request, moved.
  ASSERT_TRUE(Rekey("ada").ok());
  put(**owner->store().GetRekeyRequest(owner->roster().FindMember("ada")->id));
  EXPECT_TRUE(absl::IsDataLoss(TakeIn(*owner, "mina")));
  // The right request, and another bundle in unlock.json: mina would be locked out.
  put(document);
  UnlockFile file = File();
  file.next()[EntryOf("mina")].bundle[30] ^= 1;
  ASSERT_TRUE(file.Save(vault_.paths().unlock()).ok());
  EXPECT_TRUE(absl::IsDataLoss(TakeIn(*owner, "mina")));
  EXPECT_TRUE(Reads("mina", contact_));
}

TEST_F(RekeyingTest, APassphraseChangedMeanwhileMakesTheRequestVoid) {
  ASSERT_TRUE(Rekey("mina").ok());
  auto mina = vault_.Unlock("mina");
  ASSERT_TRUE(ChangePassphrase(*mina, TestVault::SecretOf("mina"), kInsecureTestCost).ok());
  EXPECT_TRUE(File().next().empty());
  EXPECT_TRUE(absl::IsNotFound(TakeIn(*vault_.Unlock("owner"), "mina")));
}

TEST_F(RekeyingTest, AnEntryThatNobodyAskedForIsRemoved) {
  UnlockFile file = File();
  file.next()[EntryOf("mina")] = file.entries()[EntryOf("ada")];
  ASSERT_TRUE(file.Save(vault_.paths().unlock()).ok());
  ASSERT_TRUE(TidyUnlockFile(*vault_.Unlock("owner")).ok());
  EXPECT_TRUE(File().next().empty());
  EXPECT_TRUE(vault_.TryUnlock("mina").ok());
}

class RecoverTest : public RekeyingTest {
 protected:
  absl::StatusOr<std::unique_ptr<Keyring>> ByCode(absl::string_view code) {
    auto normalized = NormalizeRecoveryCode(code);
    if (!normalized.ok()) return normalized.status();
    return Keyring::Unlock(vault_.paths(), {.name = std::string(kRecoveryEntryName),
                                            .secret = {.bytes = *std::move(normalized)}});
  }
  // Gives the new code.
  absl::StatusOr<std::string> Recover(Keyring& keyring, absl::string_view passphrase,
                                      absl::Status shown = absl::OkStatus()) {
    std::string code;
    const crypto::SecretBytes secret = crypto::SecretBytes::CopyOf(crypto::AsBytes(passphrase));
    const absl::Status status =
        keyring::Recover(keyring, {.owner_passphrase = passphrase.empty() ? nullptr : &secret,
                                   .cost = kInsecureTestCost,
                                   .before_commit = [&](const crypto::SecretBytes& made) {
                                     code = std::string(made.ExposeText());
                                     return shown;
                                   }});
    if (!status.ok()) return status;
    return code;
  }
  absl::StatusOr<std::unique_ptr<Keyring>> OwnerBy(absl::string_view passphrase) {
    return Keyring::Unlock(
        vault_.paths(),
        {.name = "owner",
         .secret = {.bytes = crypto::SecretBytes::CopyOf(crypto::AsBytes(passphrase))}});
  }
};

TEST_F(RecoverTest, TheCodeGivesTheOwnerANewPassphraseAndIsSpent) {
  Attacker thief;  // of the code, or of the owner's passphrase, with a copy
  thief.Take(*vault_.Unlock("owner"));
  auto recovering = ByCode(vault_.recovery_code());
  ASSERT_TRUE(recovering.ok()) << recovering.status();
  thief.Take(**recovering);
  const auto code = Recover(**recovering, "words of the new owner");
  ASSERT_TRUE(code.ok()) << code.status();
  EXPECT_TRUE(absl::IsUnauthenticated(vault_.TryUnlock("owner").status()));
  EXPECT_TRUE(absl::IsUnauthenticated(ByCode(vault_.recovery_code()).status()));
  auto owner = OwnerBy("words of the new owner");
  ASSERT_TRUE(owner.ok()) << owner.status();
  for (const Compartment& c : (*owner)->roster().compartments)
    EXPECT_EQ(c.epoch, 2u) << static_cast<int>(c.class_id);
  ASSERT_TRUE(TestVault::Import(**owner, {TestVault::Draft("33334444")}, {"seoul"}).ok());
  for (const testing::Value& value : thief.Opens(**owner)) EXPECT_EQ(value.contact, contact_);
  EXPECT_TRUE(Reads("mina", contact_) && Reads("ada", contact_));
  // The owner still certifies admins, and the new code recovers in its turn.
  EXPECT_TRUE(AddMember(**owner, {.name = "boss",
                                  .role = "admin",
                                  .books = {},
                                  .secret = {.bytes = TestVault::SecretOf("boss")},
                                  .cost = kInsecureTestCost})
                  .ok());
  auto again = ByCode(*code);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_TRUE(Recover(**again, "words of the third owner").ok());
  EXPECT_TRUE(OwnerBy("words of the third owner").ok());
}

TEST_F(RecoverTest, ACodeThatNobodySawChangesNothing) {
  auto recovering = ByCode(vault_.recovery_code());
  ASSERT_TRUE(recovering.ok());
  const std::uint64_t version = (*recovering)->roster().version;
  EXPECT_TRUE(absl::IsInternal(
      Recover(**recovering, "words of the new owner", absl::InternalError("no screen")).status()));
  EXPECT_TRUE(vault_.TryUnlock("owner").ok());
  auto again = ByCode(vault_.recovery_code());
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ((*again)->roster().version, version);
  EXPECT_TRUE(Recover(**again, "words of the new owner").ok());
}

TEST_F(RecoverTest, TheOwnerReplacesALostCode) {
  const auto code = Recover(*vault_.Unlock("owner"), "");
  ASSERT_TRUE(code.ok()) << code.status();
  EXPECT_TRUE(vault_.TryUnlock("owner").ok());
  EXPECT_TRUE(absl::IsUnauthenticated(ByCode(vault_.recovery_code()).status()));
  EXPECT_TRUE(ByCode(*code).ok());
  EXPECT_TRUE(absl::IsPermissionDenied(Recover(*vault_.Unlock("ada"), "").status()));
}

TEST_F(RecoverTest, WrongCodesAreSlowedDownAndLockedOut) {
  const std::string wrong(MakeRecoveryCode().ExposeText());
  const absl::Time start = absl::Now();
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(absl::IsUnauthenticated(ByCode(wrong).status()));
  // 0.5 s and 1 s, less the parts of milliseconds that lockout.json leaves out and what a clock
  // that is being set takes away.
  EXPECT_GE(absl::Now() - start, absl::Milliseconds(1400));
  const auto right = ByCode(vault_.recovery_code());
  EXPECT_TRUE(absl::IsUnauthenticated(right.status()));
  EXPECT_THAT(std::string(right.status().message()), ::testing::HasSubstr("locked out"));
}

class DatabaseKeyTest : public RekeyingTest {};

TEST_F(DatabaseKeyTest, AfterTheRotationOldKeysOpenNoFileAndEverybodyGoesOn) {
  auto open_mina = vault_.Unlock("mina");
  auto open_ada = vault_.Unlock("ada");
  ASSERT_TRUE(Rekey("mina").ok());  // pending keys are carried along
  auto owner = vault_.Unlock("owner");
  const crypto::DatabaseKey old = owner->database_key().Duplicate();
  ASSERT_TRUE(RotateDatabaseKey(*owner).ok());
  EXPECT_FALSE(crypto::EqualInConstantTime(old.ExposeBytes(), owner->database_key().ExposeBytes()));
  EXPECT_TRUE(absl::IsDataLoss(store::Store::Open(vault_.paths().database(), old).status()));
  // Those that had it open open it again, for reading and for writing.
  EXPECT_TRUE(
      records::ContactReader(*open_mina).Read(TestVault::PermitFor(*open_mina), contact_).ok());
  EXPECT_TRUE(TestVault::Import(*open_ada, {TestVault::Draft("55556666")}, {"seoul"}).ok());
  const UnlockFile after = File();
  for (const auto& [id, entry] : after.entries()) EXPECT_TRUE(entry.database_key_next.empty());
  for (const char* name : {"mina", "ada", "owner", "service importer"})
    EXPECT_TRUE(vault_.TryUnlock(name).ok()) << name;
  ASSERT_TRUE(TakeIn(*vault_.Unlock("ada"), "mina").ok());
  EXPECT_TRUE(Reads("mina", contact_));
  EXPECT_TRUE(absl::IsPermissionDenied(RotateDatabaseKey(*vault_.Unlock("mina"))));
}

// What a crash leaves after each step.
TEST_F(DatabaseKeyTest, InterruptedAtEachStepItIsRunAgain) {
  auto owner = vault_.Unlock("owner");
  const std::string before = *ReadSmallFile(vault_.paths().unlock(), 1 << 20);
  // Announced, not encrypted: a key that never came.
  {
    UnlockFile file = File();
    for (const Member& member : owner->roster().members) {
      UnlockEntry& entry = file.entries().at(EntryIdOf(file, member));
      entry.database_key_next =
          file.SealDatabaseKey(crypto::DatabaseKey::Random(), member.id, member.exchange);
    }
    ASSERT_TRUE(file.Save(vault_.paths().unlock()).ok());
  }
  EXPECT_TRUE(Reads("mina", contact_));
  EXPECT_TRUE(vault_.AddMember("new", "agent", {"seoul"}).ok());
  ASSERT_TRUE(RotateDatabaseKey(*vault_.Unlock("owner")).ok());
  for (const char* name : {"mina", "ada", "owner", "service importer", "new"})
    EXPECT_TRUE(vault_.TryUnlock(name).ok()) << name;
  // Encrypted, not settled: unlock.json still has both.
  {
    auto rotating = vault_.Unlock("owner");
    const crypto::DatabaseKey next = crypto::DatabaseKey::Random();
    UnlockFile file = File();
    for (const Member& member : rotating->roster().members) {
      UnlockEntry& entry = file.entries().at(EntryIdOf(file, member));
      entry.database_key_next = file.SealDatabaseKey(next, member.id, member.exchange);
    }
    ASSERT_TRUE(file.Save(vault_.paths().unlock()).ok());
    ASSERT_TRUE(rotating->store().database().Rekey(next).ok());
  }
  for (const char* name : {"mina", "ada", "owner", "service importer", "new"})
    EXPECT_TRUE(vault_.TryUnlock(name).ok()) << name;
  EXPECT_TRUE(vault_.AddMember("newer", "agent", {"seoul"}).ok());
  ASSERT_TRUE(RotateDatabaseKey(*vault_.Unlock("owner")).ok());
  for (const char* name : {"mina", "ada", "owner", "service importer", "new", "newer"})
    EXPECT_TRUE(vault_.TryUnlock(name).ok()) << name;
  // An unlock.json of before opens nothing any more, and is told as damage.
  ASSERT_TRUE(ReplaceFile(vault_.paths().unlock(), before, 0660).ok());
  EXPECT_TRUE(absl::IsDataLoss(vault_.TryUnlock("mina").status()));
}

}  // namespace
}  // namespace sealbook::keyring
