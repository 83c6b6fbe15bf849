#include "vault/archive/subject_shard.h"

#include "tests/vault/archive/archive_fixture.h"

namespace sealbook::archive {
namespace {

using crypto::Bytes;
using testing::ArchivedPerson;
using testing::Person;

class SubjectShardTest : public ArchiveTest {
 protected:
  absl::StatusOr<SubjectShard> Verify(ByteView bytes, absl::string_view name) {
    return SubjectShard::Verify(bytes, name, keys_.Authority());
  }
  ArchivedPerson mina_ = Person(1030, 2837470195), joon_ = Person(2047, 9000000009);
};

TEST_F(SubjectShardTest, ComesBackAsItWasSigned) {
  const SubjectShard shard = keys_.Shard({joon_, mina_}, 4);
  const auto read = Verify(*shard.Sign(keys_.signing), "subjects/000001.v4");
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->vault, keys_.vault);
  EXPECT_EQ(read->number, 1u);
  EXPECT_EQ(read->version, 4u);
  EXPECT_EQ(read->signer, keys_.Signer());
  EXPECT_EQ(read->records, shard.records);
  ASSERT_NE(read->Find(mina_.contact), nullptr);
  EXPECT_EQ(read->Find(mina_.contact)->token, mina_.token);
  EXPECT_EQ(read->Find(1024), nullptr);
  EXPECT_EQ(read->Find(2048), nullptr);
  // Who was the last one to be erased leaves an empty shard.
  SubjectShard empty = shard;
  empty.records.clear();
  ++empty.version;
  const auto none = Verify(*empty.Sign(keys_.signing), "subjects/000001.v5");
  ASSERT_TRUE(none.ok()) << none.status();
  EXPECT_EQ(none->Find(mina_.contact), nullptr);
}

TEST_F(SubjectShardTest, SecretsOpenWithTheEscrowKey) {
  const auto shard = Verify(*keys_.Shard({mina_, joon_}).Sign(keys_.signing), "000001.v1");
  ASSERT_TRUE(shard.ok()) << shard.status();
  const auto escrow = OpenEscrow({&keys_.identity, 1}, keys_.EscrowFile());
  ASSERT_TRUE(escrow.ok()) << escrow.status();
  for (const ArchivedPerson* person : {&mina_, &joon_}) {
    const auto subject = OpenSubjectSecret(*escrow, shard->vault, *shard->Find(person->contact));
    ASSERT_TRUE(subject.ok()) << subject.status();
    EXPECT_EQ(subject->public_key(), person->subject.public_key());
  }
}

TEST_F(SubjectShardTest, EveryChangedByteAndCutIsNoticed) {
  const Bytes bytes = *keys_.Shard({mina_, joon_}).Sign(keys_.signing);
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    Bytes changed = bytes;
    changed[at] ^= 0x20;
    const absl::Status status = Verify(changed, "000001.v1").status();
    EXPECT_TRUE(absl::IsDataLoss(status) || absl::IsInvalidArgument(status)) << at << status;
    const absl::Status cut = Verify(ByteView(bytes).first(at), "000001.v1").status();
    EXPECT_TRUE(absl::IsDataLoss(cut) || absl::IsInvalidArgument(cut)) << at << cut;
  }
  Bytes longer = bytes;
  longer.push_back(0);
  EXPECT_FALSE(Verify(longer, "000001.v1").ok());
}

TEST_F(SubjectShardTest, AnotherKeyNumberOrVersionIsDataLoss) {
  const Bytes bytes = *keys_.Shard({mina_}, 3).Sign(keys_.signing);
  ASSERT_TRUE(Verify(bytes, "000001.v3").ok());
  for (const std::string name : {"000001.v2", "000001.v4", "000000.v3", "", "000001.v3.new"}) {
    EXPECT_TRUE(absl::IsDataLoss(Verify(bytes, name).status())) << name;
  }
  const auto other = crypto::SigningPair::Generate();
  EXPECT_TRUE(absl::IsDataLoss(
      SubjectShard::Verify(bytes, "000001.v3", TheKey(other.verify_key())).status()));
  EXPECT_TRUE(
      absl::IsPermissionDenied(SubjectShard::Verify(bytes, "000001.v3", [](const ArchiveSigner&) {
                                 return absl::PermissionDeniedError("not that one");
                               }).status()));
}

TEST_F(SubjectShardTest, WhatNoShardHoldsIsNotSignedAndNotRead) {
  const auto changed = [&](const std::function<void(SubjectShard&)>& change) {
    SubjectShard shard = keys_.Shard({mina_, joon_});
    change(shard);
    return shard.Sign(keys_.signing).status();
  };
  EXPECT_TRUE(changed([](SubjectShard&) {}).ok());
  for (const auto& change : std::vector<std::function<void(SubjectShard&)>>{
           [](SubjectShard& s) { s.version = 0; }, [](SubjectShard& s) { s.number = 2; },
           [](SubjectShard& s) { std::swap(s.records[0], s.records[1]); },
           [](SubjectShard& s) { s.records.push_back(s.records.back()); },
           [](SubjectShard& s) { s.records[0].contact = 1023; },
           [](SubjectShard& s) { s.records[1].contact = 2048; },
           [](SubjectShard& s) { s.records[0].contact = -1; },
           [](SubjectShard& s) { s.records[0].token = 0; },
           [](SubjectShard& s) { s.records[0].session = 0; },
           [](SubjectShard& s) { s.records[0].public_key = {}; }}) {
    EXPECT_TRUE(absl::IsDataLoss(changed(change)));
  }
  // The same, signed by a program that checks nothing: contact and token of the first record.
  const Bytes bytes = *keys_.Shard({mina_, joon_}).Sign(keys_.signing);
  for (const auto& [at, width] : {std::pair{44, 4}, {48, 8}, {112, 8}, {120, 8}, {128, 8}}) {
    Bytes forged = bytes;
    std::fill_n(forged.begin() + at, width, std::uint8_t{0});
    if (at == 48) forged[55] = 0;
    forged.resize(forged.size() - 64);
    const crypto::Signature signature = keys_.signing.Sign("sealbook/subject-shard/1", forged);
    forged.insert(forged.end(), signature.begin(), signature.end());
    EXPECT_TRUE(absl::IsDataLoss(Verify(forged, "000001.v1").status())) << at;
  }
}

TEST_F(SubjectShardTest, AFullOneIsWithinItsBound) {
  std::vector<ArchivedPerson> people;
  const ArchivedPerson one = Person(1024, 2837470195);
  SubjectShard shard = keys_.Shard({one});
  for (ContactNumber contact = 1025; contact < 2048; ++contact) {
    shard.records.push_back(shard.records.front());
    shard.records.back().contact = contact;
  }
  const Bytes bytes = *shard.Sign(keys_.signing);
  EXPECT_LE(bytes.size(), SubjectShard::kMaxBytes);
  const auto read = Verify(bytes, "000001.v1");
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->records.size(), 1024u);
  EXPECT_TRUE(absl::IsInvalidArgument(Verify(Bytes(SubjectShard::kMaxBytes + 1), "").status()));
}

TEST_F(SubjectShardTest, ASecretOfAnotherPlaceIsDataLoss) {
  const SubjectRecord record = keys_.Record(mina_);
  ASSERT_TRUE(OpenSubjectSecret(keys_.escrow, keys_.vault, record).ok());
  const auto is_lost = [&](const SubjectRecord& changed) {
    return absl::IsDataLoss(OpenSubjectSecret(keys_.escrow, keys_.vault, changed).status());
  };
  SubjectRecord changed = record;
  changed.secret = keys_.Record(joon_).secret;  // of somebody else
  EXPECT_TRUE(is_lost(changed));
  changed = record;
  ++changed.contact;
  EXPECT_TRUE(is_lost(changed));
  changed = record;
  ++changed.token;
  EXPECT_TRUE(is_lost(changed));
  changed = record;
  changed.public_key = joon_.subject.public_key();
  EXPECT_TRUE(is_lost(changed));
  keyring::VaultId other = keys_.vault;
  other[0] ^= 1;
  EXPECT_TRUE(absl::IsDataLoss(OpenSubjectSecret(keys_.escrow, other, record).status()));
  EXPECT_TRUE(absl::IsDataLoss(
      OpenSubjectSecret(crypto::ExchangePair::Generate(), keys_.vault, record).status()));
  for (std::size_t at = 0; at < record.secret.size(); at += 7) {
    changed = record;
    changed.secret[at] ^= 1;
    EXPECT_TRUE(is_lost(changed)) << at;
  }
  // A box that somebody else made, for another purpose.
  Bytes plaintext(4 + 25 + 16 + 8 + 8 + 32);
  EXPECT_TRUE(is_lost(keys_.RecordWith(mina_, 1, plaintext)));
}

TEST_F(SubjectShardTest, TheEscrowFileOpensWithItsIdentityAlone) {
  const Bytes file = keys_.EscrowFile();
  EXPECT_EQ(OpenEscrow({&keys_.identity, 1}, file)->public_key(), keys_.escrow.public_key());
  const auto other = crypto::ExchangePair::Generate();
  EXPECT_TRUE(absl::IsUnauthenticated(OpenEscrow({&other, 1}, file).status()));
  EXPECT_TRUE(absl::IsUnauthenticated(OpenEscrow({}, file).status()));
  for (std::size_t at = 0; at < file.size(); ++at) {
    Bytes changed = file;
    changed[at] ^= 1;
    EXPECT_FALSE(OpenEscrow({&keys_.identity, 1}, changed).ok()) << at;
    EXPECT_FALSE(OpenEscrow({&keys_.identity, 1}, ByteView(file).first(at)).ok()) << at;
  }
  for (const std::size_t size : {0, 1, 31, 33, 100'000}) {
    const auto wrong = crypto::EncryptAge({keys_.identity.public_key()}, Bytes(size, 1));
    EXPECT_TRUE(absl::IsDataLoss(OpenEscrow({&keys_.identity, 1}, *wrong).status())) << size;
  }
}

}  // namespace
}  // namespace sealbook::archive
