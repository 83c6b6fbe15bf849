// The documents of second factors: what is written is read, and nothing else; and rows that do not
// belong together, or are older than the log.
#include "vault/keyring/second_factor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/test_vault.h"
#include "vault/keyring/factor_record.h"
#include "vault/status.h"

namespace sealbook::keyring {
namespace {

using testing::TestVault;

class SecondFactorDocumentTest : public ::testing::Test {
 protected:
  SecondFactorDocumentTest() {
    EXPECT_TRUE(vault_.AddBook("seoul").ok());
    EXPECT_TRUE(vault_.AddMember("ada", "admin").ok());
    EXPECT_TRUE(vault_.AddMember("mina", "agent", {"seoul"}).ok());
    owner_ = vault_.Unlock("owner");
    ada_ = vault_.Unlock("ada");
    mina_ = vault_.Unlock("mina");
  }
  static FactorOwner OwnerOf(Keyring& keyring) {
    return FactorOwner::Of(keyring.roster(), keyring.self());
  }
  static crypto::Bytes Secret() { return crypto::Bytes(kTotpSecretBytes, 0x5a); }
  static Enrollment SomeEnrollment(Keyring& keyring) {
    const FactorOwner owner = OwnerOf(keyring);
    return {.owner = owner,
            .begun_ms = 1'700'000'000'000,
            .sealed = SealTotpSecret(owner, Secret()),
            .confirmed_ms = 1'700'000'060'000,
            .agreement = Agreement::kNobodyThere};
  }
  static RecoveryHashes SomeHashes() {
    RecoveryHashes hashes;
    hashes.salt.fill(7);
    for (int i = 0; i < kRecoveryCodes; ++i)
      hashes.hashes[static_cast<std::size_t>(i)].fill(static_cast<std::uint8_t>(i));
    return hashes;
  }
  static RecoverySet SomeSet(Keyring& keyring) {
    const FactorOwner owner = OwnerOf(keyring);
    return {.owner = owner,
            .made_ms = 1'700'000'000'000,
            .sealed = SealRecoveryHashes(owner, SomeHashes())};
  }
  static FactorState SomeState(Keyring& keyring) {
    FactorState state{.owner = OwnerOf(keyring),
                      .time_ms = 1'700'000'000'000,
                      .last_step = 56'666'666,
                      .spent = 0b1000000101,
                      .wrong = 3,
                      .locked_until_ms = 1'700'000'900'000,
                      .agreed = MemberId{3},
                      .audit_sequence = 12};
    state.totp.fill(1);
    state.next.fill(2);
    state.recovery.fill(3);
    state.audit_hash.fill(4);
    return state;
  }
  // By `signer`, for the owner's.
  Countersignature SomeAgreement(Keyring& signer) {
    Countersignature agreement{.vault = signer.roster().vault,
                               .member = owner_->bundle().member,
                               .signer = signer.bundle().member,
                               .roster_version = signer.roster().version,
                               .time_ms = 1'700'000'000'000,
                               .audit_sequence = 12};
    agreement.enrollment.fill(5);
    agreement.audit_hash.fill(6);
    return agreement;
  }
  RemovalRequest SomeRemoval(Keyring& asker) {
    RemovalRequest removal{.vault = asker.roster().vault,
                           .member = owner_->bundle().member,
                           .asker = asker.bundle().member,
                           .roster_version = asker.roster().version,
                           .time_ms = 1'700'000'000'000};
    removal.enrollment.fill(5);
    return removal;
  }
  static const crypto::SigningPair& PairOf(Keyring& keyring) { return keyring.bundle().signing; }

  // Whatever byte is changed, added or taken away, `parse` refuses it as damage.
  template <typename Parse>
  static void ExpectOnlyWhole(const crypto::Bytes& document, Parse&& parse) {
    ASSERT_TRUE(parse(document).ok()) << parse(document).status();
    for (std::size_t i = 0; i < document.size(); ++i) {
      crypto::Bytes changed = document;
      changed[i] ^= static_cast<std::uint8_t>(1u << i % 8);
      EXPECT_TRUE(absl::IsDataLoss(parse(changed).status())) << "byte " << i;
      EXPECT_TRUE(absl::IsDataLoss(parse(ByteView(document).first(i)).status())) << "cut at " << i;
      EXPECT_TRUE(absl::IsDataLoss(parse(ByteView(document).subspan(i + 1)).status()))
          << "without the first " << i + 1;
    }
    crypto::Bytes longer = document;
    longer.push_back(0);
    EXPECT_TRUE(absl::IsDataLoss(parse(longer).status()));
  }

  TestVault vault_;
  std::unique_ptr<Keyring> owner_, ada_, mina_;
};

TEST_F(SecondFactorDocumentTest, EnrollmentComesBackAsItWas) {
  const Enrollment enrollment = SomeEnrollment(*owner_);
  const crypto::Bytes document = enrollment.Sign(PairOf(*owner_));
  const auto read = Enrollment::Parse(document, OwnerOf(*owner_));
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->owner, enrollment.owner);
  EXPECT_EQ(read->begun_ms, enrollment.begun_ms);
  EXPECT_EQ(read->confirmed_ms, enrollment.confirmed_ms);
  EXPECT_EQ(read->agreement, Agreement::kNobodyThere);
  EXPECT_EQ(read->Sign(PairOf(*owner_)), document);
  const auto secret = OpenTotpSecret(owner_->bundle().exchange, *read);
  ASSERT_TRUE(secret.ok()) << secret.status();
  const ByteView bytes = secret->ExposeBytes();
  EXPECT_EQ(crypto::Bytes(bytes.begin(), bytes.end()), Secret());
  // The secret itself stands nowhere in it.
  EXPECT_EQ(crypto::AsText(document).find("ZZZZ"), absl::string_view::npos);
}

TEST_F(SecondFactorDocumentTest, IdStaysWhenConfirmedAndIsAnotherForAnotherSecret) {
  Enrollment enrollment = SomeEnrollment(*owner_);
  enrollment.agreement = Agreement::kUnconfirmed;
  enrollment.confirmed_ms = 0;
  EXPECT_FALSE(enrollment.confirmed());
  EXPECT_EQ(enrollment.Id().size(), 16u);
  const std::string id = enrollment.Id();
  enrollment.agreement = Agreement::kNeeded;
  enrollment.confirmed_ms = 1;
  EXPECT_TRUE(enrollment.confirmed());
  EXPECT_EQ(enrollment.Id(), id);
  EXPECT_NE(SomeEnrollment(*owner_).Id(), id);  // sealed anew
}

TEST_F(SecondFactorDocumentTest, RecoverySetComesBackAsItWas) {
  const RecoverySet set = SomeSet(*owner_);
  const auto read = RecoverySet::Parse(set.Sign(PairOf(*owner_)), OwnerOf(*owner_));
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->made_ms, set.made_ms);
  EXPECT_EQ(read->Id(), set.Id());
  const auto hashes = OpenRecoveryHashes(owner_->bundle().exchange, *read);
  ASSERT_TRUE(hashes.ok()) << hashes.status();
  EXPECT_EQ(hashes->salt, SomeHashes().salt);
  EXPECT_EQ(hashes->hashes, SomeHashes().hashes);
}

TEST_F(SecondFactorDocumentTest, RecoveryHashesDependOnTheSalt) {
  const ByteView code = crypto::AsBytes("ABCDEFGHJKMNPQRS");
  std::array<std::uint8_t, 16> salt{};
  const crypto::Hash256 hash = HashOfRecoveryCode(salt, code);
  salt[15] = 1;
  EXPECT_NE(HashOfRecoveryCode(salt, code), hash);
}

TEST_F(SecondFactorDocumentTest, StateComesBackAsItWas) {
  const FactorState state = SomeState(*owner_);
  const auto read = FactorState::Parse(state.Sign(PairOf(*owner_)), OwnerOf(*owner_));
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->time_ms, state.time_ms);
  EXPECT_EQ(read->last_step, state.last_step);
  EXPECT_EQ(read->totp, state.totp);
  EXPECT_EQ(read->next, state.next);
  EXPECT_EQ(read->recovery, state.recovery);
  EXPECT_EQ(read->spent, state.spent);
  EXPECT_EQ(read->wrong, state.wrong);
  EXPECT_EQ(read->locked_until_ms, state.locked_until_ms);
  EXPECT_EQ(read->agreed, state.agreed);
  EXPECT_EQ(read->audit_sequence, state.audit_sequence);
  EXPECT_EQ(read->audit_hash, state.audit_hash);
}

TEST_F(SecondFactorDocumentTest, CountersignatureAndRemovalComeBackAsTheyWere) {
  const MemberId owner = owner_->bundle().member;
  const Countersignature agreement = SomeAgreement(*ada_);
  const auto read =
      Countersignature::Parse(agreement.Sign(PairOf(*ada_)), owner_->history(), owner);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->Sign(PairOf(*ada_)), agreement.Sign(PairOf(*ada_)));
  EXPECT_EQ(read->signer, ada_->bundle().member);
  EXPECT_EQ(read->enrollment, agreement.enrollment);
  EXPECT_EQ(read->audit_sequence, agreement.audit_sequence);
  EXPECT_EQ(read->audit_hash, agreement.audit_hash);
  // One's own, and by an admin.
  for (Keyring* asker : {owner_.get(), ada_.get()}) {
    const RemovalRequest removal = SomeRemoval(*asker);
    const auto asked =
        RemovalRequest::Parse(removal.Sign(PairOf(*asker)), owner_->history(), owner);
    ASSERT_TRUE(asked.ok()) << asked.status();
    EXPECT_EQ(asked->Sign(PairOf(*asker)), removal.Sign(PairOf(*asker)));
    EXPECT_EQ(asked->asker, asker->bundle().member);
    EXPECT_EQ(asked->Id(), removal.Id());
  }
}

TEST_F(SecondFactorDocumentTest, EveryChangedByteIsSeen) {
  const FactorOwner owner = OwnerOf(*owner_);
  const RosterHistory& history = owner_->history();
  ExpectOnlyWhole(SomeEnrollment(*owner_).Sign(PairOf(*owner_)),
                  [&](ByteView document) { return Enrollment::Parse(document, owner); });
  ExpectOnlyWhole(SomeSet(*owner_).Sign(PairOf(*owner_)),
                  [&](ByteView document) { return RecoverySet::Parse(document, owner); });
  ExpectOnlyWhole(SomeState(*owner_).Sign(PairOf(*owner_)),
                  [&](ByteView document) { return FactorState::Parse(document, owner); });
  ExpectOnlyWhole(SomeAgreement(*ada_).Sign(PairOf(*ada_)), [&](ByteView document) {
    return Countersignature::Parse(document, history, owner.member);
  });
  ExpectOnlyWhole(SomeRemoval(*ada_).Sign(PairOf(*ada_)), [&](ByteView document) {
    return RemovalRequest::Parse(document, history, owner.member);
  });
}

// Signed by the right member, but of another one, another vault or from before new keys.
TEST_F(SecondFactorDocumentTest, OfAnotherOwnerIsDataLoss) {
  const FactorOwner owner = OwnerOf(*owner_);
  std::vector<FactorOwner> others(4, owner);
  others[0].vault[15] ^= 1;
  others[1].member = ada_->bundle().member;
  others[2].exchange = OwnerOf(*ada_).exchange;
  others[3].verify = OwnerOf(*ada_).verify;
  for (const FactorOwner& other : others) {
    Enrollment enrollment = SomeEnrollment(*owner_);
    enrollment.owner = other;
    EXPECT_TRUE(
        absl::IsDataLoss(Enrollment::Parse(enrollment.Sign(PairOf(*owner_)), owner).status()));
    RecoverySet set = SomeSet(*owner_);
    set.owner = other;
    EXPECT_TRUE(absl::IsDataLoss(RecoverySet::Parse(set.Sign(PairOf(*owner_)), owner).status()));
    FactorState state = SomeState(*owner_);
    state.owner = other;
    EXPECT_TRUE(absl::IsDataLoss(FactorState::Parse(state.Sign(PairOf(*owner_)), owner).status()));
  }
  // Nor what another member signed in this one's name.
  EXPECT_TRUE(absl::IsDataLoss(
      Enrollment::Parse(SomeEnrollment(*owner_).Sign(PairOf(*ada_)), owner).status()));
}

// A document of one kind is none of another, though one key signs all.
TEST_F(SecondFactorDocumentTest, OfAnotherKindIsDataLoss) {
  const FactorOwner owner = OwnerOf(*owner_);
  const crypto::SigningPair& pair = PairOf(*owner_);
  EXPECT_TRUE(absl::IsDataLoss(Enrollment::Parse(SomeState(*owner_).Sign(pair), owner).status()));
  EXPECT_TRUE(absl::IsDataLoss(FactorState::Parse(SomeSet(*owner_).Sign(pair), owner).status()));
  EXPECT_TRUE(
      absl::IsDataLoss(RecoverySet::Parse(SomeEnrollment(*owner_).Sign(pair), owner).status()));
  EXPECT_TRUE(absl::IsDataLoss(RemovalRequest::Parse(SomeAgreement(*ada_).Sign(PairOf(*ada_)),
                                                     owner_->history(), owner.member)
                                   .status()));
}

TEST_F(SecondFactorDocumentTest, SealedForAnotherOpensForNobody) {
  // The right member's document around another's sealed secret.
  Enrollment enrollment = SomeEnrollment(*owner_);
  enrollment.sealed = SealTotpSecret(OwnerOf(*ada_), Secret());
  EXPECT_TRUE(absl::IsDataLoss(OpenTotpSecret(owner_->bundle().exchange, enrollment).status()));
  EXPECT_TRUE(absl::IsDataLoss(OpenTotpSecret(ada_->bundle().exchange, enrollment).status()));
  EXPECT_TRUE(
      absl::IsDataLoss(OpenTotpSecret(ada_->bundle().exchange, SomeEnrollment(*owner_)).status()));
  RecoverySet set = SomeSet(*owner_);
  set.sealed = SealRecoveryHashes(OwnerOf(*ada_), SomeHashes());
  EXPECT_TRUE(absl::IsDataLoss(OpenRecoveryHashes(owner_->bundle().exchange, set).status()));
  // Sealed to the right member in the name of another vault.
  FactorOwner elsewhere = OwnerOf(*owner_);
  elsewhere.vault[0] ^= 1;
  enrollment.sealed = SealTotpSecret(elsewhere, Secret());
  EXPECT_TRUE(absl::IsDataLoss(OpenTotpSecret(owner_->bundle().exchange, enrollment).status()));
}

TEST_F(SecondFactorDocumentTest, OnlyAnotherAdminOfThatTimeCountersigns) {
  const RosterHistory& history = owner_->history();
  const MemberId owner = owner_->bundle().member;
  const auto parse = [&](const Countersignature& agreement, Keyring& signer) {
    return Countersignature::Parse(agreement.Sign(PairOf(signer)), history, owner).status();
  };
  EXPECT_TRUE(parse(SomeAgreement(*ada_), *ada_).ok());
  EXPECT_TRUE(absl::IsDataLoss(parse(SomeAgreement(*mina_), *mina_))) << "an agent";
  EXPECT_TRUE(absl::IsDataLoss(parse(SomeAgreement(*owner_), *owner_))) << "oneself";
  EXPECT_TRUE(absl::IsDataLoss(parse(SomeAgreement(*ada_), *mina_))) << "in another's name";
  Countersignature agreement = SomeAgreement(*ada_);
  agreement.roster_version = 1;
  EXPECT_TRUE(absl::IsDataLoss(parse(agreement, *ada_))) << "no member yet";
  agreement.roster_version = history.current().version + 1;
  EXPECT_TRUE(absl::IsDataLoss(parse(agreement, *ada_))) << "a version to come";
  agreement = SomeAgreement(*ada_);
  agreement.vault[0] ^= 1;
  EXPECT_TRUE(absl::IsDataLoss(parse(agreement, *ada_))) << "another vault";
  agreement = SomeAgreement(*ada_);
  agreement.member = mina_->bundle().member;
  EXPECT_TRUE(absl::IsDataLoss(parse(agreement, *ada_))) << "another member's";
  EXPECT_TRUE(
      Countersignature::Parse(agreement.Sign(PairOf(*ada_)), history, mina_->bundle().member).ok());
}

TEST_F(SecondFactorDocumentTest, OnlyOneselfOrAnAdminAsksForARemoval) {
  const RosterHistory& history = owner_->history();
  const auto parse = [&](const RemovalRequest& removal, Keyring& signer, MemberId member) {
    return RemovalRequest::Parse(removal.Sign(PairOf(signer)), history, member).status();
  };
  EXPECT_TRUE(absl::IsDataLoss(parse(SomeRemoval(*mina_), *mina_, owner_->bundle().member)));
  RemovalRequest own = SomeRemoval(*mina_);
  own.member = mina_->bundle().member;
  EXPECT_TRUE(parse(own, *mina_, own.member).ok());
  EXPECT_TRUE(absl::IsDataLoss(parse(own, *ada_, own.member))) << "in another's name";
}

// What was given while somebody was an admin is read for ever; from then on they give nothing.
TEST_F(SecondFactorDocumentTest, WhoIsDisabledSignsForNoLaterVersion) {
  Countersignature agreement = SomeAgreement(*ada_);
  ASSERT_TRUE(DisableMember(*owner_, "ada").ok());
  const auto parse = [&] {
    return Countersignature::Parse(agreement.Sign(PairOf(*ada_)), owner_->history(),
                                   owner_->bundle().member)
        .status();
  };
  EXPECT_TRUE(parse().ok());
  agreement.roster_version = owner_->roster().version;
  EXPECT_TRUE(absl::IsDataLoss(parse()));
}

class FactorRecordTest : public SecondFactorDocumentTest {
 protected:
  FactorRecordTest() {
    const Enrollment enrollment = SomeEnrollment(*owner_);
    state_ = FactorState{.owner = OwnerOf(*owner_)};
    const crypto::Bytes totp = enrollment.Sign(PairOf(*owner_)),
                        set = SomeSet(*owner_).Sign(PairOf(*owner_));
    state_.totp = HashOfFactor(totp);
    state_.recovery = HashOfFactor(set);
    Write([&]() -> absl::Status {
      RETURN_IF_ERROR(PutFactor(*owner_, Self(), FactorKind::kTotp, totp));
      RETURN_IF_ERROR(PutFactor(*owner_, Self(), FactorKind::kRecovery, set));
      return PutFactorState(*owner_, state_, {{.act = "factor.confirm"}});
    });
  }
  MemberId Self() const { return owner_->bundle().member; }
  template <typename Work>
  void Write(Work&& work) {
    auto transaction = owner_->BeginWrite();
    ASSERT_TRUE(transaction.ok()) << transaction.status();
    const absl::Status status = work();
    ASSERT_TRUE(status.ok()) << status;
    ASSERT_TRUE(transaction->Commit().ok());
  }
  absl::Status Load() { return LoadFactors(*owner_, owner_->self()).status(); }
  // Both: the rows, and whether they are the newest.
  absl::Status Walk() {
    ASSIGN_OR_RETURN(const FactorRecord record, LoadFactors(*owner_, owner_->self()));
    return WalkFactorLog(*owner_, record).status();
  }
  // `sql` makes the rows count no more, until it is taken back.
  void ExpectDamage(const char* sql) {
    store::Database& database = owner_->store().database();
    ASSERT_TRUE(database.Execute("SAVEPOINT attack").ok());
    ASSERT_TRUE(database.Execute(sql).ok()) << sql;
    EXPECT_GT(database.changes(), 0) << sql;
    EXPECT_TRUE(absl::IsDataLoss(Load())) << sql << ": " << Load();
    ASSERT_TRUE(database.Execute("ROLLBACK TO attack").ok());
    ASSERT_TRUE(database.Execute("RELEASE attack").ok());
  }

  FactorState state_;
};

TEST_F(FactorRecordTest, ComesBackAsItWasWritten) {
  const auto record = LoadFactors(*owner_, owner_->self());
  ASSERT_TRUE(record.ok()) << record.status();
  EXPECT_TRUE(record->totp && record->recovery && record->state);
  EXPECT_FALSE(record->next || record->agreement);
  EXPECT_EQ(record->state->audit_sequence, audit::ReadHead(owner_->store())->sequence);
  EXPECT_TRUE(Walk().ok());
  const auto none = LoadFactors(*owner_, ada_->self());
  ASSERT_TRUE(none.ok()) << none.status();
  EXPECT_FALSE(none->totp || none->next || none->recovery || none->state);
}

// Kinds: 1 is the enrolment, 3 the recovery codes, 4 the state.
TEST_F(FactorRecordTest, RowsThatAreMissingPlantedOrAnothersAreDataLoss) {
  ExpectDamage("DELETE FROM second_factor WHERE kind = 1");
  ExpectDamage("DELETE FROM second_factor WHERE kind = 3");
  ExpectDamage("DELETE FROM second_factor WHERE kind = 4");
  ExpectDamage(
      "INSERT INTO second_factor SELECT member, 2, document FROM second_factor "
      "WHERE kind = 1");
  ExpectDamage(
      "UPDATE second_factor SET document = (SELECT document FROM second_factor "
      "WHERE kind = 1) WHERE kind = 3");
  ExpectDamage("UPDATE second_factor SET document = x'' WHERE kind = 4");
  ExpectDamage("INSERT INTO second_factor VALUES (1, 5, x'00')");
  EXPECT_TRUE(Load().ok());
  // Under another member they are nobody's.
  ASSERT_TRUE(owner_->store().database().Execute("UPDATE second_factor SET member = 3").ok());
  EXPECT_TRUE(absl::IsDataLoss(LoadFactors(*owner_, ada_->self()).status()));
}

// The same member signed both sets, but the state names one of them.
TEST_F(FactorRecordTest, AnotherSetThanTheStateNamesIsDataLoss) {
  Write([&] {
    return PutFactor(*owner_, Self(), FactorKind::kRecovery,
                     SomeSet(*owner_).Sign(PairOf(*owner_)));
  });
  EXPECT_TRUE(absl::IsDataLoss(Load()));
}

TEST_F(FactorRecordTest, OlderStateIsMissedInTheLog) {
  const auto older = owner_->store().GetSecondFactor(Self(), static_cast<int>(FactorKind::kState));
  ASSERT_TRUE(older.ok() && *older);
  state_.last_step = 99;
  Write([&] { return PutFactorState(*owner_, state_, {{.act = "factor.use"}}); });
  EXPECT_TRUE(Walk().ok());
  Write([&] { return PutFactor(*owner_, Self(), FactorKind::kState, **older); });
  EXPECT_TRUE(Load().ok());
  EXPECT_TRUE(absl::IsDataLoss(Walk()));
}

TEST_F(FactorRecordTest, RowsThatWereRemovedSinceAreMissedInTheLog) {
  // What others write about it in between is no removal, unless they are admins.
  auto transaction = mina_->BeginWrite();
  ASSERT_TRUE(transaction.ok());
  ASSERT_TRUE(
      audit::Append(mina_->store(), mina_->AuditAuthor(),
                    {.act = std::string(kFactorRemoveAct), .token = audit::TokenOfMember(Self())})
          .ok());
  ASSERT_TRUE(transaction->Commit().ok());
  EXPECT_TRUE(Walk().ok());
  const auto totp = owner_->store().GetSecondFactor(Self(), static_cast<int>(FactorKind::kTotp));
  const auto set = owner_->store().GetSecondFactor(Self(), static_cast<int>(FactorKind::kRecovery));
  const auto state = owner_->store().GetSecondFactor(Self(), static_cast<int>(FactorKind::kState));
  auto removal = ada_->BeginWrite();
  ASSERT_TRUE(removal.ok());
  ASSERT_TRUE(DropFactors(*ada_, Self(), "").ok());
  ASSERT_TRUE(removal->Commit().ok());
  Write([&]() -> absl::Status {
    RETURN_IF_ERROR(PutFactor(*owner_, Self(), FactorKind::kTotp, **totp));
    RETURN_IF_ERROR(PutFactor(*owner_, Self(), FactorKind::kRecovery, **set));
    return PutFactor(*owner_, Self(), FactorKind::kState, **state);
  });
  EXPECT_TRUE(Load().ok());
  EXPECT_TRUE(absl::IsDataLoss(Walk()));
}

TEST_F(FactorRecordTest, WhoEnrolledOnceHasNotNeverEnrolled) {
  EXPECT_TRUE(CheckNeverEnrolled(*owner_, ada_->bundle().member).ok());
  EXPECT_TRUE(absl::IsDataLoss(CheckNeverEnrolled(*owner_, Self())));
  Write([&] { return DropFactors(*owner_, Self(), "").status(); });
  EXPECT_TRUE(CheckNeverEnrolled(*owner_, Self()).ok());
}

}  // namespace
}  // namespace sealbook::keyring
