// Invariants 1, 3 and 7 as attacks: somebody with a member's secrets, the database key and write
// access to all files, without the policy engine. What opens is compared with the assignment,
// exactly; what was planted is not used, and is reported.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "tests/support/attacker.h"
#include "tests/support/test_vault.h"
#include "vault/crypto/aead.h"
#include "vault/records/sealing.h"

namespace sealbook {
namespace {

using records::ContactReader;
using testing::Attacker;
using testing::TestVault;
using testing::Times;
using testing::Values;

Values Closure(keyring::Keyring& member) {
  Attacker attacker;
  attacker.Take(member);
  return attacker.Opens(member);
}

class AttackTest : public ::testing::Test {
 protected:
  AttackTest() {
    for (const char* book : {"seoul", "busan"}) EXPECT_TRUE(vault_.AddBook(book).ok());
    EXPECT_TRUE(vault_.AddMember("mina", "agent", {"seoul"}).ok());
    EXPECT_TRUE(vault_.AddMember("sujin", "supervisor", {"busan"}).ok());
    EXPECT_TRUE(vault_.AddMember("idle", "agent").ok());
    EXPECT_TRUE(vault_.AddMember("service importer", "importer").ok());
    EXPECT_TRUE(vault_.AddMember("service retention", "retention").ok());
    in_seoul_ = Import("11112222", {"seoul"});
    in_busan_ = Import("33334444", {"busan"});
    in_both_ = Import("55556666", {"seoul", "busan"});
    in_none_ = Import("77778888", {});
  }
  ContactNumber Import(absl::string_view tag, std::vector<std::string> books) {
    auto importer = vault_.Unlock("service importer");
    auto results = TestVault::Import(*importer, {TestVault::Draft(tag)}, books);
    EXPECT_TRUE(results.ok()) << results.status();
    return results.ok() ? (*results)[0].contact : 0;
  }
  BookId Book(const char* name) { return vault_.Unlock("owner")->roster().FindBook(name)->id; }
  // What an attacker writes, under a transaction like any other.
  void Write(keyring::Keyring& as, const std::function<void(store::Store&)>& change) {
    auto transaction = as.store().BeginWrite();
    ASSERT_TRUE(transaction.ok());
    change(as.store());
    ASSERT_TRUE(transaction->Commit().ok());
  }
  absl::Status OwnerReads(ContactNumber contact) {
    auto owner = vault_.Unlock("owner");
    return ContactReader(*owner).Read(TestVault::PermitFor(*owner), contact).status();
  }
  absl::Status OwnerSets(ContactNumber contact) {
    auto owner = vault_.Unlock("owner");
    return TestVault::Set(*owner, contact, ClassId::kProfile, {{"name", "Later"}});
  }

  TestVault vault_;
  ContactNumber in_seoul_, in_busan_, in_both_, in_none_;
};

TEST_F(AttackTest, ClosureOfAnAgentIsTheAssignmentTimesTheClearance) {
  EXPECT_EQ(Closure(*vault_.Unlock("mina")),
            Times({in_seoul_, in_both_}, {ClassId::kMasked, ClassId::kProfile}));
  EXPECT_EQ(Closure(*vault_.Unlock("sujin")),
            Times({in_busan_, in_both_},
                  {ClassId::kIdentity, ClassId::kMasked, ClassId::kProfile, ClassId::kSensitive}));
  EXPECT_EQ(Closure(*vault_.Unlock("idle")), Values());
}

TEST_F(AttackTest, ClosureOfTheOwnerIsEverything) {  // the positive control
  EXPECT_EQ(Closure(*vault_.Unlock("owner")),
            Times({in_seoul_, in_busan_, in_both_, in_none_},
                  {ClassId::kIdentity, ClassId::kMasked, ClassId::kProfile, ClassId::kSensitive}));
}

TEST_F(AttackTest, KeyFilesOfImporterAndRetentionOpenNothing) {
  EXPECT_EQ(Closure(*vault_.Unlock("service importer")), Values());
  EXPECT_EQ(Closure(*vault_.Unlock("service retention")), Values());
}

TEST_F(AttackTest, ClosureFollowsAssignmentsAndChanges) {
  auto owner = vault_.Unlock("owner");
  ASSERT_TRUE(records::AssignContacts(*owner, Book("seoul"), {in_none_}, {.act = "assign"}).ok());
  ASSERT_TRUE(OwnerSets(in_both_).ok());
  Values expected = Times({in_seoul_, in_none_}, {ClassId::kMasked, ClassId::kProfile});
  expected.merge(Values{{in_both_, ClassId::kMasked, 1}, {in_both_, ClassId::kProfile, 2}});
  EXPECT_EQ(Closure(*vault_.Unlock("mina")), expected);
}

TEST_F(AttackTest, PlantedAssignmentIsNotWrappedForAndReported) {
  auto mina = vault_.Unlock("mina");
  const auto seoul = Book("seoul");
  auto session = keyring::SessionWriter::Open(*mina);
  Write(*mina, [&](store::Store& store) {
    const auto number = session.Number();
    session.Cover(keyring::CoverageKind::kAssigned, seoul, in_busan_);
    ASSERT_TRUE(session.Insert().ok());  // a session of mina's own counts, its assignment does not
    ASSERT_TRUE(store.PutBookContact({seoul, in_busan_, *number, {}}).ok());
  });
  EXPECT_TRUE(absl::IsDataLoss(OwnerSets(in_busan_)));
  EXPECT_TRUE(absl::IsDataLoss(OwnerReads(in_busan_)));
  EXPECT_TRUE(OwnerReads(in_seoul_).ok());
  Import("99990000", {"busan"});  // an importer goes on working
  EXPECT_EQ(Closure(*vault_.Unlock("mina")),
            Times({in_seoul_, in_both_}, {ClassId::kMasked, ClassId::kProfile}));
}

TEST_F(AttackTest, PlantedAssignmentThatNamesAnHonestSessionIsReported) {
  auto mina = vault_.Unlock("mina");
  Write(*mina, [&](store::Store& store) {
    ASSERT_TRUE(store.PutBookContact({Book("seoul"), in_busan_, 1, {}}).ok());
  });
  EXPECT_TRUE(absl::IsDataLoss(OwnerSets(in_busan_)));
}

TEST_F(AttackTest, ImportersReplaceLeavesAPlantedAssignmentAlone) {
  auto mina = vault_.Unlock("mina");
  Write(*mina, [&](store::Store& store) {
    ASSERT_TRUE(store.PutBookContact({Book("seoul"), in_busan_, 1, {}}).ok());
  });
  auto importer = vault_.Unlock("service importer");
  const auto results =
      TestVault::Import(*importer, {TestVault::Draft("33334444"), TestVault::Draft("12341234")},
                        {"busan"}, records::OnDuplicate::kReplace);
  ASSERT_TRUE(results.ok()) << results.status();
  EXPECT_EQ((*results)[0].outcome, records::DraftResult::Outcome::kDamaged);
  EXPECT_EQ((*results)[1].outcome, records::DraftResult::Outcome::kImported);
  EXPECT_EQ(Closure(*vault_.Unlock("mina")),
            Times({in_seoul_, in_both_}, {ClassId::kMasked, ClassId::kProfile}));
}

TEST_F(AttackTest, PlantedIndexRowIsReported) {
  auto mina = vault_.Unlock("mina");
  auto owner = vault_.Unlock("owner");
  const auto index = records::IdentifierIndex::Open(*owner);
  const crypto::Hash128 phone = index->HashOf(IdentifierKind::kPhone, "+821012121212");
  Write(*mina, [&](store::Store& store) {
    ASSERT_TRUE(store.InsertIndex({phone, crypto::Hash128{}, in_seoul_}).ok());
  });
  EXPECT_TRUE(absl::IsDataLoss(
      ContactReader(*owner).FindIdentifier(IdentifierKind::kPhone, "+821012121212").status()));
  const auto results = TestVault::Import(*owner, {TestVault::Draft("12121212")}, {});
  ASSERT_TRUE(results.ok());
  EXPECT_EQ((*results)[0].outcome, records::DraftResult::Outcome::kDamaged);
}

TEST_F(AttackTest, IndexRowMovedToAnotherContactIsReported) {
  auto owner = vault_.Unlock("owner");
  const auto index = records::IdentifierIndex::Open(*owner);
  const crypto::Hash128 phone = index->HashOf(IdentifierKind::kPhone, "+821033334444");
  auto mina = vault_.Unlock("mina");
  Write(*mina, [&](store::Store& store) {
    store::IndexRow row;
    ASSERT_TRUE(*store.FindIndex(phone, row));
    row.contact = in_seoul_;
    ASSERT_TRUE(store.DeleteIndex(phone).ok());
    ASSERT_TRUE(store.InsertIndex(row).ok());
  });
  EXPECT_TRUE(absl::IsDataLoss(
      ContactReader(*owner).FindIdentifier(IdentifierKind::kPhone, "+821033334444").status()));
}

TEST_F(AttackTest, SwappedValuesAndTokensAreReported) {
  auto mina = vault_.Unlock("mina");
  Write(*mina, [&](store::Store& store) {
    store::ContactRow a, b;
    ASSERT_TRUE(*store.GetContact(in_seoul_, a) && *store.GetContact(in_busan_, b));
    std::swap(a.values, b.values);
    ASSERT_TRUE(store.UpdateContact(a).ok() && store.UpdateContact(b).ok());
    ASSERT_TRUE(
        store.database().Execute("UPDATE contact SET token = token + 1 WHERE number = 3").ok());
  });
  for (const ContactNumber contact : {in_seoul_, in_busan_, in_both_}) {
    EXPECT_TRUE(absl::IsDataLoss(OwnerReads(contact))) << contact;
  }
  EXPECT_TRUE(OwnerReads(in_none_).ok());
}

TEST_F(AttackTest, SwappedWrapsAreReported) {
  auto owner = vault_.Unlock("owner");
  const auto seoul = Book("seoul");
  Write(*owner, [&](store::Store& store) {
    store::BookContactRow a, b;
    ASSERT_TRUE(*store.GetBookContact(seoul, in_seoul_, a) &&
                *store.GetBookContact(seoul, in_both_, b));
    std::swap(a.wraps, b.wraps);
    ASSERT_TRUE(store.PutBookContact(a).ok() && store.PutBookContact(b).ok());
  });
  auto mina = vault_.Unlock("mina");
  EXPECT_TRUE(
      absl::IsDataLoss(ContactReader(*mina).Read(TestVault::PermitFor(*mina), in_seoul_).status()));
}

TEST_F(AttackTest, ValueByAMemberWhoMayNotWriteItIsReported) {
  // Mina holds K of the profile by her book and seals a sensitive class of her own under her
  // session.
  auto mina = vault_.Unlock("mina");
  auto session = keyring::SessionWriter::Open(*mina);
  Write(*mina, [&](store::Store& store) {
    store::ContactRow row;
    ASSERT_TRUE(*store.GetContact(in_busan_, row));
    auto values = *records::DecodeValues(row.values);
    const auto number = session.Number();
    auto sealed =
        records::SealClass(session, mina->roster().vault, row.number, row.token, ClassId::kProfile,
                           values[2].revision + 1, {{"name", "Forged"}}, {});
    ASSERT_TRUE(sealed.ok());
    sealed->value.session = *number;
    values[2] = sealed->value;
    row.values = records::EncodeValues(values);
    ASSERT_TRUE(store.UpdateContact(row).ok());
    ASSERT_TRUE(session.Insert().ok());
  });
  EXPECT_TRUE(absl::IsDataLoss(OwnerReads(in_busan_)));
}

TEST_F(AttackTest, ValueForgedForABooksReadersIsReported) {
  // The retention account may sign sessions, and everybody knows a book's public key: it seals a
  // profile under a key of its own and wraps that for mina's book.
  auto attacker = vault_.Unlock("service retention");
  auto session = keyring::SessionWriter::Open(*attacker);
  const BookId seoul = Book("seoul");
  Write(*attacker, [&](store::Store& store) {
    store::ContactRow row;
    ASSERT_TRUE(*store.GetContact(in_seoul_, row));
    auto values = *records::DecodeValues(row.values);
    const auto profile = std::find_if(
        values.begin(), values.end(),
        [](const records::ValueEntry& entry) { return entry.class_id == ClassId::kProfile; });
    const auto number = session.Number();
    const crypto::ValueKey key = crypto::ValueKey::Random();
    const auto written = attacker->sessions().Get(profile->session);
    const records::Place place{.vault = attacker->roster().vault,
                               .contact = row.number,
                               .token = row.token,
                               .class_id = ClassId::kProfile,
                               .revision = profile->revision,
                               .session = (*written)->ephemeral,
                               .book = kRootBook};
    profile->sealed =
        crypto::Seal(key, place.ForValue(), records::EncodeFields({{"name", "Forged"}}));
    auto wrap = records::WrapFor(session, attacker->roster().vault, row.number, row.token,
                                 ClassId::kProfile, profile->revision, seoul, key);
    ASSERT_TRUE(wrap.ok());
    wrap->session = *number;
    row.values = records::EncodeValues(values);
    ASSERT_TRUE(store.UpdateContact(row).ok());
    store::BookContactRow assigned;
    ASSERT_TRUE(*store.GetBookContact(seoul, in_seoul_, assigned));
    auto wraps = *records::DecodeWraps(assigned.wraps);
    for (records::WrapEntry& entry : wraps) {
      if (entry.class_id == ClassId::kProfile) entry = *wrap;
    }
    assigned.wraps = records::EncodeWraps(wraps);
    ASSERT_TRUE(store.PutBookContact(assigned).ok());
    ASSERT_TRUE(session.Insert().ok());
  });
  auto mina = vault_.Unlock("mina");
  EXPECT_TRUE(
      absl::IsDataLoss(ContactReader(*mina).Read(TestVault::PermitFor(*mina), in_seoul_).status()));
  EXPECT_TRUE(absl::IsDataLoss(OwnerReads(in_seoul_)));
}

TEST_F(AttackTest, IdentifierMovedIntoAnotherContactsListIsReported) {
  auto mina = vault_.Unlock("mina");
  Write(*mina, [&](store::Store& store) {
    store::ContactRow victim, other;
    ASSERT_TRUE(*store.GetContact(in_busan_, victim) && *store.GetContact(in_seoul_, other));
    crypto::Hash128 phone;
    std::copy_n(victim.identifiers.begin(), phone.size(), phone.begin());
    other.identifiers.insert(other.identifiers.end(), phone.begin(), phone.end());
    ASSERT_TRUE(store.UpdateContact(other).ok());
    ASSERT_TRUE(store.DeleteIndex(phone).ok());
  });
  // An admin's next change of an identifier must not sign the stranger's phone for this contact.
  auto owner = vault_.Unlock("owner");
  EXPECT_TRUE(absl::IsDataLoss(records::ChangeContact(
      *owner, in_seoul_,
      [](const store::ContactRow&) -> absl::StatusOr<records::ContactChange> {
        return records::ContactChange{.classes = {},
                                      .added = {{IdentifierKind::kEmail, "new@example.com"}}};
      },
      {.act = "set"})));
}

TEST_F(AttackTest, PlantedSessionIsReported) {
  auto mina = vault_.Unlock("mina");
  auto owner = vault_.Unlock("owner");
  // In the importer's name, with mina's signature.
  keyring::Session forged{
      .number = *mina->store().LastSession() + 1,
      .previous = {},
      .vault = mina->roster().vault,
      .member = mina->roster().FindMember("service importer")->id,
      .roster_version = mina->roster().version,
      .time_ms = 0,
      .last_taking = 0,
      .ephemeral = crypto::ExchangePair::Generate().public_key(),
      .coverage = {{keyring::CoverageKind::kAssigned, Book("seoul"), {{in_busan_, 1}}}}};
  Write(*mina, [&](store::Store& store) {
    ASSERT_TRUE(store.InsertSession(forged.number, forged.Sign(mina->bundle().signing)).ok());
    ASSERT_TRUE(store.PutBookContact({Book("seoul"), in_busan_, forged.number, {}}).ok());
  });
  EXPECT_TRUE(absl::IsDataLoss(OwnerSets(in_busan_)));
  EXPECT_TRUE(absl::IsDataLoss(owner->sessions().Get(forged.number).status()));
}

TEST_F(AttackTest, SessionThatNamesAnOlderRosterIsReported) {
  auto owner = vault_.Unlock("owner");
  keyring::Session forged{.number = *owner->store().LastSession() + 1,
                          .previous = {},
                          .vault = owner->roster().vault,
                          .member = owner->bundle().member,
                          .roster_version = 1,
                          .time_ms = 0,
                          .last_taking = 0,
                          .ephemeral = crypto::ExchangePair::Generate().public_key(),
                          .coverage = {}};
  Write(*owner, [&](store::Store& store) {
    ASSERT_TRUE(store.InsertSession(forged.number, forged.Sign(owner->bundle().signing)).ok());
  });
  EXPECT_TRUE(absl::IsDataLoss(owner->sessions().Get(forged.number).status()));
}

TEST_F(AttackTest, DeletedSessionIsReported) {
  auto mina = vault_.Unlock("mina");
  Write(*mina, [&](store::Store& store) {
    ASSERT_TRUE(store.database().Execute("DELETE FROM session WHERE number = 1").ok());
  });
  EXPECT_TRUE(absl::IsDataLoss(OwnerReads(in_seoul_)));
  EXPECT_TRUE(OwnerReads(in_busan_).ok());
}

TEST_F(AttackTest, PlantedRosterStopsEverybody) {
  auto mina = vault_.Unlock("mina");
  keyring::Roster forged = mina->roster();
  forged.previous = mina->history().current_hash();
  ++forged.version;
  forged.signer = mina->bundle().member;
  forged.memberships.push_back({Book("busan"), mina->bundle().member});
  Write(*mina, [&](store::Store& store) {
    ASSERT_TRUE(store.InsertRoster(forged.version, forged.Sign(mina->bundle().signing)).ok());
  });
  for (const char* name : {"owner", "mina", "service importer"}) {
    EXPECT_TRUE(absl::IsDataLoss(vault_.TryUnlock(name).status())) << name;
  }
}

TEST_F(AttackTest, AdminCannotMakeAdmins) {
  ASSERT_TRUE(vault_.AddMember("boss", "admin").ok());
  EXPECT_TRUE(absl::IsPermissionDenied(vault_.AddMember("second", "admin", {}, "boss")));
  ASSERT_TRUE(vault_.AddMember("third", "agent", {"seoul"}, "boss").ok());  // but agents it can
  // Nor by signing such a roster without asking.
  auto boss = vault_.Unlock("boss");
  keyring::Roster forged = boss->roster();
  forged.previous = boss->history().current_hash();
  ++forged.version;
  forged.signer = boss->bundle().member;
  for (keyring::Member& member : forged.members) {
    if (member.name == "third") member.role = "admin";
  }
  Write(*boss, [&](store::Store& store) {
    ASSERT_TRUE(store.InsertRoster(forged.version, forged.Sign(boss->bundle().signing)).ok());
  });
  EXPECT_TRUE(absl::IsDataLoss(vault_.TryUnlock("owner").status()));
}

TEST_F(AttackTest, PlantedGrantIsReported) {
  auto owner = vault_.Unlock("owner");
  auto mina = vault_.Unlock("mina");
  // A pair of the attacker's own in the place of the owner's grant: what is sealed to it would be
  // hers.
  const crypto::ExchangePair own = crypto::ExchangePair::Generate();
  store::GrantRow grant{owner->bundle().member, kRootBook, ClassId::kProfile, 1, {}};
  grant.sealed =
      keyring::SealGrant(owner->roster().vault, grant, own, owner->bundle().exchange.public_key());
  Write(*mina, [&](store::Store& store) { ASSERT_TRUE(store.PutGrant(grant).ok()); });
  EXPECT_TRUE(absl::IsDataLoss(OwnerReads(in_seoul_)));
}

TEST_F(AttackTest, OlderVaultIsNoticed) {
  const std::string copy = vault_.root() + "/copy";
  std::filesystem::copy(vault_.directory(), copy, std::filesystem::copy_options::recursive);
  auto owner = vault_.Unlock("owner");
  ASSERT_TRUE(OwnerSets(in_seoul_).ok());
  ASSERT_TRUE(owner->SaveMarks().ok());
  owner.reset();
  std::filesystem::remove_all(vault_.directory());
  std::filesystem::rename(copy, vault_.directory());
  EXPECT_TRUE(absl::IsDataLoss(vault_.TryUnlock("owner").status()));
}

TEST_F(AttackTest, CutAuditTailIsNoticed) {
  auto owner = vault_.Unlock("owner");
  ASSERT_TRUE(OwnerSets(in_seoul_).ok());
  ASSERT_TRUE(owner->SaveMarks().ok());
  Write(*owner, [&](store::Store& store) {
    ASSERT_TRUE(store.database()
                    .Execute("DELETE FROM audit WHERE sequence = (SELECT max(sequence) FROM audit)")
                    .ok());
  });
  EXPECT_TRUE(absl::IsDataLoss(vault_.TryUnlock("owner").status()));
}

}  // namespace
}  // namespace sealbook
