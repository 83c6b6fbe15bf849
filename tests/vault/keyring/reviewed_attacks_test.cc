// What an independent review tried (docs/reviews/0001-taking-away.md): members and ex-members with
// the database key, old copies and programs of their own, against what takes something away.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/support/attacker.h"
#include "tests/support/test_vault.h"
#include "vault/crypto/aead.h"
#include "vault/keyring/database_key.h"
#include "vault/keyring/rekeying.h"
#include "vault/records/draining.h"
#include "vault/records/health.h"
#include "vault/records/sealing.h"

namespace sealbook {
namespace {

using keyring::Roster;
using records::ContactReader;
using testing::Attacker;
using ::testing::Contains;
using ::testing::Not;
using testing::TestVault;
using testing::Values;

std::vector<records::IdentifierValue> IdentifiersOf(const records::Fields& identity) {
  std::vector<records::IdentifierValue> out;
  for (const records::Field& field : identity) {
    out.push_back(
        {field.name == "phone" ? IdentifierKind::kPhone : IdentifierKind::kEmail, field.value});
  }
  return out;
}

class ReviewedAttackTest : public ::testing::Test {
 protected:
  ReviewedAttackTest() {
    for (const char* book : {"seoul", "busan"}) EXPECT_TRUE(vault_.AddBook(book).ok());
    EXPECT_TRUE(vault_.AddMember("mina", "agent", {"seoul"}).ok());
    EXPECT_TRUE(vault_.AddMember("jun", "agent", {"seoul", "busan"}).ok());
    EXPECT_TRUE(vault_.AddMember("sujin", "supervisor", {"seoul"}).ok());
    EXPECT_TRUE(vault_.AddMember("ada", "admin").ok());
    EXPECT_TRUE(vault_.AddMember("service importer", "importer").ok());
    in_seoul_ = Import("11112222", {"seoul"});
    in_busan_ = Import("33334444", {"busan"});
    in_both_ = Import("55556666", {"seoul", "busan"});
  }
  ContactNumber Import(absl::string_view tag, const std::vector<std::string>& books,
                       absl::string_view by = "service importer") {
    auto importer = vault_.Unlock(by);
    auto results = TestVault::Import(*importer, {TestVault::Draft(tag)}, books);
    EXPECT_TRUE(results.ok()) << results.status();
    return results.ok() ? (*results)[0].contact : 0;
  }
  // As it is now; earlier ones live on.
  keyring::Keyring& Owner() {
    owners_.push_back(vault_.Unlock("owner"));
    return *owners_.back();
  }
  BookId Book(const char* name) { return Owner().roster().FindBook(name)->id; }
  // What somebody with the database key writes by hand.
  void Write(const std::function<absl::Status(store::Store&)>& change) {
    keyring::Keyring& any = Owner();
    auto transaction = any.store().BeginWrite();
    ASSERT_TRUE(transaction.ok());
    const absl::Status changed = change(any.store());
    ASSERT_TRUE(changed.ok()) << changed;
    ASSERT_TRUE(transaction->Commit().ok());
  }
  void Execute(const char* sql) {
    Write([&](store::Store& store) { return store.database().Execute(sql); });
  }
  absl::Status Sets(absl::string_view by, ContactNumber contact) {
    auto member = vault_.Unlock(by);
    return TestVault::Set(*member, contact, ClassId::kProfile, {{"name", "Later"}});
  }
  absl::Status Reads(absl::string_view by, ContactNumber contact) {
    auto member = vault_.Unlock(by);
    return ContactReader(*member).Read(TestVault::PermitFor(*member), contact).status();
  }
  absl::Status Drain(records::DrainReport& report) {
    return records::Drain(Owner(), {.identifiers_of = &IdentifiersOf}, report);
  }
  absl::Status Unassign(const char* book, ContactNumber contact) {
    return records::UnassignContacts(Owner(), Book(book), {contact}, {.act = "x"}).status();
  }
  std::int64_t LastSession() { return *Owner().store().LastSession(); }

  // A roster version that `signer` signs by hand, following no rule: whether it would count.
  bool Counts(absl::string_view signer, const std::function<void(Roster&)>& edit) {
    auto member = vault_.Unlock(signer);
    Roster next = member->roster();
    ++next.version;
    next.previous = member->history().current_hash();
    next.signer = member->bundle().member;
    next.session_head = *member->store().LastSession();
    edit(next);
    const absl::Status status =
        member->history().CheckNext(next.Sign(member->bundle().signing)).status();
    EXPECT_TRUE(status.ok() || absl::IsDataLoss(status)) << status;
    return status.ok();
  }
  static keyring::Member& Find(Roster& roster, absl::string_view name) {
    return *std::find_if(roster.members.begin(), roster.members.end(),
                         [&](const keyring::Member& m) { return m.name == name; });
  }
  static keyring::RoleDefinition& Role(Roster& roster, absl::string_view name) {
    return *std::find_if(roster.roles.begin(), roster.roles.end(),
                         [&](const keyring::RoleDefinition& r) { return r.name == name; });
  }
  // New epochs of everything, under keys that the signer knows.
  static void Bump(Roster& roster, std::uint32_t by = 1) {
    for (keyring::Compartment& c : roster.compartments) {
      c.epoch += by;
      c.public_key = crypto::ExchangePair::Generate().public_key();
    }
  }
  // Another session in the place of `number`, of `member`'s own signature.
  void Replace(std::int64_t number, absl::string_view member,
               std::vector<keyring::Coverage> coverage = {}) {
    auto keyring = vault_.Unlock(member);
    const auto there = keyring->store().GetSession(number);
    keyring::Session forged = keyring::SignedSession::Parse(**there)->session;
    forged.member = keyring->bundle().member;
    forged.ephemeral = crypto::ExchangePair::Generate().public_key();
    forged.coverage = std::move(coverage);
    Write([&](store::Store& store) -> absl::Status {
      const absl::Status gone = store.database().Execute(
          absl::StrCat("DELETE FROM session WHERE number = ", number).c_str());
      if (!gone.ok()) return gone;
      return store.InsertSession(number, forged.Sign(keyring->bundle().signing));
    });
  }

  TestVault vault_;
  std::vector<std::unique_ptr<keyring::Keyring>> owners_;
  ContactNumber in_seoul_, in_busan_, in_both_;
};

// --- Sessions that took something away

class TakingReplacedTest : public ReviewedAttackTest {
 protected:
  // Mina puts a session of her own in the place of the one that took a contact from her book, and
  // the book's row back; then what is written of it is wrapped for her.
  void Attack(const std::function<void()>& between) {
    store::BookContactRow row;
    ASSERT_TRUE(*Owner().store().GetBookContact(Book("seoul"), in_seoul_, row));
    ASSERT_TRUE(Unassign("seoul", in_seoul_).ok());
    const std::int64_t taking = LastSession();
    between();
    Replace(taking, "mina");
    Write([&](store::Store& store) { return store.PutBookContact(row); });
    EXPECT_TRUE(absl::IsDataLoss(Sets("owner", in_seoul_)));
    EXPECT_TRUE(absl::IsDataLoss(Reads("mina", in_seoul_)));
    Attacker mina;
    mina.Take(*vault_.Unlock("mina"));
    EXPECT_THAT(mina.Opens(Owner()),
                Not(Contains(testing::Value{in_seoul_, ClassId::kProfile, 2})));
  }
};

TEST_F(TakingReplacedTest, ThatALaterSessionOfAnAdminNames) {
  Attack([&] { ASSERT_TRUE(Sets("owner", in_both_).ok()); });
}

TEST_F(TakingReplacedTest, ThatOnlySessionsOfAgentsStandBehind) {
  Attack([&] { ASSERT_TRUE(Sets("jun", in_both_).ok()); });
}

TEST_F(TakingReplacedTest, BehindWhichAForgedOneInAnAgentsNameStands) {
  Attack([&] {
    ASSERT_TRUE(Sets("jun", in_both_).ok());
    ASSERT_TRUE(Sets("mina", in_both_).ok());
    // Jun's session, in its place an unsigned one: its hash is what Mina's own then names.
    Write([&](store::Store& store) -> absl::Status {
      const std::int64_t number = *store.LastSession() - 1;
      crypto::Bytes record = **store.GetSession(number);
      record.back() ^= 1;
      const absl::Status gone = store.database().Execute(
          absl::StrCat("DELETE FROM session WHERE number = ", number).c_str());
      return gone.ok() ? store.InsertSession(number, record) : gone;
    });
  });
}

TEST_F(ReviewedAttackTest, NewestSessionsCutOffBehindARosterVersionAreMissed) {
  store::BookContactRow row;
  ASSERT_TRUE(*Owner().store().GetBookContact(Book("seoul"), in_seoul_, row));
  ASSERT_TRUE(Unassign("seoul", in_seoul_).ok());
  ASSERT_TRUE(vault_.AddMember("new", "agent", {"busan"}).ok());  // names the taking as its head
  Execute("DELETE FROM session WHERE number = (SELECT max(number) FROM session)");
  Write([&](store::Store& store) { return store.PutBookContact(row); });
  // Nothing is written that would stand under a number of old and never be read, …
  EXPECT_TRUE(absl::IsDataLoss(Sets("owner", in_seoul_)));
  EXPECT_TRUE(absl::IsDataLoss(Reads("mina", in_seoul_)));
  // … and it keeps nobody from being taken out.
  const absl::Status disabled = keyring::DisableMember(Owner(), "mina");
  EXPECT_TRUE(disabled.ok()) << disabled;
  EXPECT_TRUE(absl::IsUnauthenticated(vault_.TryUnlock("mina").status()));
}

TEST_F(ReviewedAttackTest, CoverageThatRunsOverTheLastNumberIsNoSession) {
  keyring::Session session{
      .number = 1,
      .coverage = {{keyring::CoverageKind::kCreated, kRootBook, {{2, std::uint64_t{1} << 63}}}}};
  EXPECT_TRUE(absl::IsDataLoss(
      keyring::SignedSession::Parse(session.Sign(crypto::SigningPair::Generate())).status()));
}

TEST_F(ReviewedAttackTest, WhoHoldsLessThanThenDatesNothingBack) {
  // A role that may do all that a supervisor may, and reads less.
  keyring::CompiledPolicy policy = testing::TestPolicy();
  policy.text = "with clerks";
  policy.roles.push_back({"clerk",
                          false,
                          false,
                          {ClassId::kProfile, ClassId::kSensitive},
                          {ClassId::kProfile, ClassId::kSensitive},
                          0});
  ASSERT_TRUE(keyring::ApplyPolicy(Owner(), policy).ok());
  ASSERT_TRUE(Sets("owner", in_both_).ok());
  const std::int64_t number = LastSession();
  ASSERT_TRUE(keyring::ChangeRole(Owner(), "sujin", "clerk").ok());
  Replace(number, "sujin");
  // Else a key of sujin's own, wrapped under it, would count for `identity`, which clerks do not
  // hold.
  EXPECT_TRUE(absl::IsDataLoss(Owner().sessions().Get(number).status()));
}

// --- Rosters that an admin prepares who is going to be removed

TEST_F(ReviewedAttackTest, NobodyTakesThemselvesAway) {
  // Whoever holds nothing any more loses nothing by being disabled: no key would be renewed.
  const auto refused = [&](const std::function<void(Roster&)>& edit) {
    EXPECT_FALSE(Counts("ada", edit));
    EXPECT_FALSE(Counts("ada", [&](Roster& next) {
      edit(next);
      Bump(next);
    }));
  };
  refused([](Roster& next) { Find(next, "ada").active = false; });
  refused([](Roster& next) { Find(next, "ada").role = "agent"; });
  refused([](Roster& next) { Role(next, "admin").holds = {}; });
  refused([](Roster& next) { Role(next, "admin").root_scope = false; });
  refused([](Roster& next) {
    std::erase_if(next.members, [](const keyring::Member& m) { return m.name == "ada"; });
  });
  EXPECT_TRUE(Counts("ada", [](Roster& next) { Bump(next); }));  // what admins may
}

TEST_F(ReviewedAttackTest, WhoIsTakenAwayFromWithoutNewEpochsIsNot) {
  const std::function<void(Roster&)> edits[] = {
      [](Roster& next) { Find(next, "mina").active = false; },
      [](Roster& next) { Find(next, "sujin").role = "agent"; },
      [](Roster& next) { next.memberships.clear(); },
      [](Roster& next) {
        Find(next, "mina").exchange = crypto::ExchangePair::Generate().public_key();
      },
      [](Roster& next) { Find(next, "service importer").active = false; },
  };
  for (const auto& edit : edits) {
    EXPECT_FALSE(Counts("ada", edit));
    EXPECT_TRUE(Counts("ada", [&](Roster& next) {
      edit(next);
      Bump(next);
    }));
  }
}

TEST_F(ReviewedAttackTest, SecondEntriesDoNotCount) {
  const crypto::ExchangePublic adas = crypto::ExchangePair::Generate().public_key();
  const std::function<void(Roster&)> edits[] = {
      // The recovery code's number once more, inactive: when ada is disabled, the recovery code's
      // grants would be sealed to this key, which is ada's.
      [&](Roster& next) {
        keyring::Member twin = next.members[1];
        twin.active = false;
        twin.exchange = adas;
        next.members.push_back(twin);
      },
      [&](Roster& next) {
        keyring::Member twin = next.members[0];
        twin.kind = keyring::MemberKind::kPerson;
        twin.role = "agent";
        twin.exchange = adas;
        twin.id = MemberId{static_cast<std::uint32_t>(next.members.size()) + 1};
        next.members.push_back(twin);  // the owner's name, and so its entry in unlock.json
      },
      [&](Roster& next) { next.compartments.push_back(next.compartments[0]); },
      [&](Roster& next) { next.books.push_back(next.books[0]); },
      [&](Roster& next) { next.roles.push_back(next.roles[0]); },
  };
  for (const auto& edit : edits) EXPECT_FALSE(Counts("ada", edit));
}

TEST_F(ReviewedAttackTest, RolesReadWhatTheyReadAndNamesStay) {
  // The next renewal of keys, by the owner who disables ada, would grant them to every agent.
  EXPECT_FALSE(Counts("ada", [](Roster& next) {
    Role(next, "agent").holds.insert(Role(next, "agent").holds.begin(), ClassId::kIdentity);
  }));
  EXPECT_FALSE(Counts("ada", [](Roster& next) {
    Role(next, "agent").root_scope = true;
    Bump(next);
  }));
  EXPECT_FALSE(Counts("ada", [](Roster& next) {  // to be defined anew in the version after
    std::erase_if(next.roles, [](const auto& role) { return role.name == "agent"; });
    Bump(next);
  }));
  EXPECT_FALSE(Counts("ada", [](Roster& next) {  // who is disabled by name is somebody else
    keyring::Member &mina = Find(next, "mina"), &jun = Find(next, "jun");
    std::swap(mina.name, jun.name);
  }));
  EXPECT_FALSE(
      Counts("ada", [](Roster& next) { std::swap(next.books[0].name, next.books[1].name); }));
}

TEST_F(ReviewedAttackTest, NumbersAreNeitherSkippedNorUsedAgain) {
  const auto add = [](Roster& next, std::uint32_t id) {
    keyring::Member member = Find(next, "mina");
    member.name = "ghost";
    member.id = MemberId{id};
    next.members.push_back(member);
  };
  const auto count = static_cast<std::uint32_t>(Owner().roster().members.size());
  EXPECT_TRUE(Counts("ada", [&](Roster& next) { add(next, count + 1); }));
  EXPECT_FALSE(Counts("ada", [&](Roster& next) { add(next, 0); }));  // the root key's own
  EXPECT_FALSE(Counts("ada", [&](Roster& next) { add(next, 0xFFFFFFFF); }));
  EXPECT_FALSE(Counts("ada", [&](Roster& next) {
    next.members.pop_back();  // the importer, whose number somebody else would get
    Bump(next);
  }));
  EXPECT_FALSE(Counts("ada", [&](Roster& next) { next.books.pop_back(); }));
  EXPECT_FALSE(Counts("ada", [&](Roster& next) { next.books.push_back({BookId{0}, "root"}); }));
}

TEST_F(ReviewedAttackTest, EpochsAreNotSetSoFarAheadThatNobodyCanRenewThem) {
  EXPECT_FALSE(Counts("ada", [](Roster& next) { Bump(next, 0xFFFFFFFE); }));
  EXPECT_FALSE(Counts("ada", [](Roster& next) { Bump(next, 2); }));
  const crypto::ExchangePublic adas = crypto::ExchangePair::Generate().public_key();
  // Nor keys laid out for a book that is not there yet.
  EXPECT_FALSE(Counts("ada", [&](Roster& next) {
    next.compartments.push_back({BookId{3}, ClassId::kProfile, 1, adas});
  }));
  EXPECT_FALSE(Counts("ada", [&](Roster& next) {
    next.books.push_back({BookId{3}, "tokyo"});
    next.compartments.push_back({BookId{3}, ClassId::kProfile, 0xFFFFFFFF, adas});
  }));
}

// --- Rows that keep somebody from being taken out

TEST_F(ReviewedAttackTest, DeletedGrantsKeepNobodyIn) {
  Attacker mina;
  mina.Take(*vault_.Unlock("mina"));
  // Without these the owner cannot open the book's keys to hand them on.
  Execute("DELETE FROM access_grant WHERE member = 0");
  const absl::Status disabled = keyring::DisableMember(Owner(), "mina");
  ASSERT_TRUE(disabled.ok()) << disabled;
  const ContactNumber later = Import("99990000", {"seoul"});
  mina.Forget();
  for (const testing::Value& value : mina.Opens(Owner())) EXPECT_NE(value.contact, later);
  // The root book's keys are there: draining gives the book's members theirs back.
  records::DrainReport report;
  const absl::Status drained = Drain(report);
  EXPECT_TRUE(drained.ok()) << drained;
  EXPECT_EQ(report.undrained, 0u);
  EXPECT_TRUE(Reads("jun", in_seoul_).ok()) << Reads("jun", in_seoul_);
  mina.Forget();
  EXPECT_EQ(mina.Opens(Owner()), Values());
}

TEST_F(ReviewedAttackTest, SpoiltGrantsOfTheRootBookKeepNoAdminIn) {
  Attacker ada;
  ada.Take(*vault_.Unlock("ada"));
  Execute("UPDATE access_grant SET sealed = zeroblob(129) WHERE member = 1 AND class = 3");
  const absl::Status disabled = keyring::DisableMember(Owner(), "ada");
  ASSERT_TRUE(disabled.ok()) << disabled;
  const ContactNumber later = Import("99990000", {"seoul"});
  ada.Forget();
  for (const testing::Value& value : ada.Opens(Owner())) EXPECT_NE(value.contact, later);
  EXPECT_TRUE(Reads("owner", later).ok()) << Reads("owner", later);
}

TEST_F(ReviewedAttackTest, AValueThatDoesNotCountKeepsNoContactInABook) {
  Write([&](store::Store& store) -> absl::Status {
    store::ContactRow row;
    EXPECT_TRUE(*store.GetContact(in_seoul_, row));
    auto values = *records::DecodeValues(row.values);
    values.push_back({ClassId{99}, 9999, 1, crypto::Bytes(50)});
    row.values = records::EncodeValues(values);
    return store.UpdateContact(row);
  });
  const absl::Status unassigned = Unassign("seoul", in_seoul_);
  EXPECT_TRUE(unassigned.ok()) << unassigned;
  EXPECT_TRUE(absl::IsNotFound(Reads("mina", in_seoul_)));
}

TEST_F(ReviewedAttackTest, AnIndexRowOfAnExImportersDoesNotStopTheDraining) {
  // Under the old key it is flawless: a contact's phone leads to another contact.
  const auto old_index = *records::IdentifierIndex::Open(Owner());
  ASSERT_TRUE(keyring::DisableMember(Owner(), "service importer").ok());
  const crypto::Hash128 phone = old_index.HashOf(IdentifierKind::kPhone, "+821011112222");
  Write([&](store::Store& store) -> absl::Status {
    const absl::Status gone = store.DeleteIndex(phone);
    return gone.ok() ? store.InsertIndex(old_index.MakeRow(phone, in_busan_)) : gone;
  });
  records::DrainReport report;
  const absl::Status drained = Drain(report);
  EXPECT_TRUE(absl::IsDataLoss(drained)) << drained;
  EXPECT_EQ(report.damaged, 1);
  // The other contacts were moved, and so were all the books.
  const auto left = *keyring::ListUndrained(Owner());
  EXPECT_FALSE(left.empty());
  for (const keyring::Undrained& u : left) EXPECT_EQ(u.book, kRootBook);
}

TEST_F(ReviewedAttackTest, APlantedLinkIsToldAndRemoved) {
  Write([&](store::Store& store) {
    return store.PutEpochLink({kRootBook, ClassId::kIndex, 1, crypto::Bytes(72)});
  });
  ASSERT_TRUE(keyring::RotateAll(Owner()).ok());
  Execute("UPDATE epoch_link SET sealed = zeroblob(72) WHERE book = 0 AND class = 254");
  const auto faults = [&](bool repair) {
    int count = 0;
    const auto checks = records::CheckHealth(Owner(), {.repair = repair});
    EXPECT_TRUE(checks.ok()) << checks.status();
    for (const records::HealthCheck& check : *checks) {
      if (!check.ok && check.name == "grants") ++count;
    }
    return count;
  };
  EXPECT_EQ(faults(false), 1);
  EXPECT_EQ(faults(true), 0);
  EXPECT_TRUE(records::IdentifierIndex::Open(Owner()).ok());
  records::DrainReport report;
  EXPECT_TRUE(absl::IsDataLoss(Drain(report)) || report.damaged == 0);
}

// --- What a writer kept

class KeptSecretTest : public ReviewedAttackTest {
 protected:
  // `name`'s program forgets no session's secret. After `name` is disabled and all is drained, it
  // puts a value under that session into a contact.
  void Attack(const char* name) {
    auto member = vault_.Unlock(name);
    auto session = keyring::SessionWriter::Open(*member);
    std::int64_t number = 0;
    {
      auto transaction = member->BeginWrite();
      number = *session.Number();
      ASSERT_TRUE(session.Insert().ok() && transaction->Commit().ok());
    }
    ASSERT_TRUE(Sets("mina", in_both_).ok());  // honest, and counts on
    ASSERT_TRUE(keyring::DisableMember(Owner(), name).ok());
    records::DrainReport report;
    ASSERT_TRUE(Drain(report).ok());
    EXPECT_EQ(report.undrained, 0u);
    Write([&](store::Store& store) -> absl::Status {
      store::ContactRow row;
      EXPECT_TRUE(*store.GetContact(in_seoul_, row));
      auto values = *records::DecodeValues(row.values);
      auto forged = records::SealClass(session, member->roster().vault, row.number, row.token,
                                       ClassId::kProfile, 7, {{"name", "Forged"}}, {Book("seoul")});
      EXPECT_TRUE(forged.ok());
      forged->value.session = forged->wraps[0].session = number;
      for (records::ValueEntry& entry : values) {
        if (entry.class_id == ClassId::kProfile) entry = forged->value;
      }
      row.values = records::EncodeValues(values);
      store::BookContactRow assigned;
      EXPECT_TRUE(*store.GetBookContact(Book("seoul"), in_seoul_, assigned));
      auto wraps = *records::DecodeWraps(assigned.wraps);
      for (records::WrapEntry& entry : wraps) {
        if (entry.class_id == ClassId::kProfile) entry = forged->wraps[0];
      }
      assigned.wraps = records::EncodeWraps(wraps);
      const absl::Status put = store.PutBookContact(assigned);
      return put.ok() ? store.UpdateContact(row) : put;
    });
    for (const char* reader : {"owner", "jun"}) {
      EXPECT_TRUE(absl::IsDataLoss(Reads(reader, in_seoul_))) << reader;
      EXPECT_TRUE(Reads(reader, in_both_).ok()) << reader << ": " << Reads(reader, in_both_);
    }
  }
};

TEST_F(KeptSecretTest, OfAnExImportersSession) { Attack("service importer"); }
TEST_F(KeptSecretTest, OfAnExAgentsSession) { Attack("mina"); }
TEST_F(KeptSecretTest, OfAnExAdminsSession) { Attack("ada"); }

// --- Tried without success

TEST_F(ReviewedAttackTest, TheDatabasesNewKeyIsSealedToNobodyElse) {
  const crypto::ExchangePair thief = crypto::ExchangePair::Generate();
  const crypto::SigningPair signing = crypto::SigningPair::Generate();
  auto owner = vault_.Unlock("owner");
  const keyring::Member mina = *owner->roster().FindMember("mina");
  ASSERT_TRUE(keyring::DisableMember(*owner, "sujin").ok());
  keyring::UnlockFile file = *keyring::UnlockFile::Load(vault_.paths().unlock());
  const keyring::UnlockEntry any = file.entries().at(file.EntryId("mina"));
  for (const char* name : {"sujin", "nobody"}) {
    file.entries()[file.EntryId(name)] = any;
    file.next()[file.EntryId(name)] = any;
  }
  file.next()[file.EntryId("mina")] = any;
  ASSERT_TRUE(file.Save(vault_.paths().unlock()).ok());
  const keyring::RekeyRequest request{
      .vault = owner->roster().vault,
      .member = mina.id,
      .exchange = thief.public_key(),
      .verify = signing.verify_key(),
      .bundle_hash = crypto::HashOf("sealbook/rekey-bundle/1", {any.bundle})};
  Write([&](store::Store& store) {
    return store.PutRekeyRequest(mina.id, request.Sign(signing, signing));
  });
  ASSERT_TRUE(keyring::RotateDatabaseKey(*owner).ok());
  file = *keyring::UnlockFile::Load(vault_.paths().unlock());
  for (const auto* entries : {&file.entries(), &file.next()}) {
    for (const auto& [id, entry] : *entries) {
      for (const crypto::Bytes& sealed : {entry.database_key, entry.database_key_next})
        EXPECT_FALSE(crypto::OpenSealedToPublic(thief, sealed).ok()) << id;
    }
  }
  EXPECT_TRUE(vault_.TryUnlock("mina").ok());
}

TEST_F(ReviewedAttackTest, RevisionsAndDoubledClassesGiveNoKeyTwiceAndNoOtherClass) {
  Write([&](store::Store& store) -> absl::Status {
    store::ContactRow row;
    EXPECT_TRUE(*store.GetContact(in_seoul_, row));
    auto values = *records::DecodeValues(row.values);
    for (records::ValueEntry& entry : values) {
      if (entry.class_id == ClassId::kProfile) entry.revision = 0xFFFFFFFF;
    }
    const auto profile = std::find_if(values.begin(), values.end(), [](const auto& entry) {
      return entry.class_id == ClassId::kProfile;
    });
    values.push_back(*profile);
    row.values = records::EncodeValues(values);
    return store.UpdateContact(row);
  });
  EXPECT_TRUE(absl::IsDataLoss(Reads("owner", in_seoul_)));
  ASSERT_TRUE(Sets("owner", in_seoul_).ok());
  EXPECT_TRUE(Reads("mina", in_seoul_).ok());
  Attacker mina;
  mina.Take(*vault_.Unlock("mina"));
  for (const testing::Value& value : mina.Opens(Owner())) {
    EXPECT_NE(value.class_id, ClassId::kIdentity);
    EXPECT_NE(value.class_id, ClassId::kSensitive);
  }
  // The second entry counts for nothing and is wrapped for nobody.
  EXPECT_TRUE(
      absl::IsDataLoss(
          records::AssignContacts(Owner(), Book("busan"), {in_seoul_}, {.act = "x"}).status()) ||
      Reads("jun", in_seoul_).ok());
}

}  // namespace
}  // namespace sealbook
