#include "vault/audit/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <map>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace sealbook::audit {
namespace {

constexpr MemberId kOwner{1}, kMina{2};
constexpr VaultId kVault = {1, 2, 3};

class AuditLogTest : public ::testing::Test {
 protected:
  AuditLogTest() {
    char name[] = "/tmp/sealbook-test-XXXXXX";
    root_ = mkdtemp(name);
    auto store = store::Store::Create(path(), key_);
    EXPECT_TRUE(store.ok()) << store.status();
    store_ = *std::move(store);
  }
  ~AuditLogTest() override {
    store_.reset();
    std::filesystem::remove_all(root_);
  }
  std::string path() const { return root_ + "/vault.db"; }
  Author By(MemberId member, std::uint64_t roster_version = 1) const {
    return {.vault = kVault,
            .member = member,
            .roster_version = roster_version,
            .signing = member == kOwner ? &owner_ : &mina_,
            .audit_compartment = compartment_.public_key()};
  }
  KeyOf Keys() const {
    return [this](MemberId member, std::uint64_t version) -> std::optional<crypto::VerifyKey> {
      if (version < 1 || version > 2) return std::nullopt;
      if (member == kOwner) return owner_.verify_key();
      // Disabled by version 2.
      if (member == kMina && version == 1) return mina_.verify_key();
      return std::nullopt;
    };
  }
  void Add(const Event& event, MemberId member = kOwner, std::uint64_t roster_version = 1) {
    ASSERT_TRUE(Append(*store_, By(member, roster_version), event).ok());
  }
  void AddMany(int count) {
    auto transaction = store_->BeginWrite();
    ASSERT_TRUE(transaction.ok());
    for (int i = 0; i < count; ++i)
      Add({.act = absl::StrCat("act ", i)}, i % 2 == 0 ? kOwner : kMina);
    ASSERT_TRUE(transaction->Commit().ok());
  }
  Verification Verified(const std::optional<Head>& must_contain = std::nullopt) {
    auto result = Verify(*store_, kVault, Keys(), must_contain);
    EXPECT_TRUE(result.ok()) << result.status();
    return result.ok() ? *std::move(result) : Verification{.first_bad = -99, .why = "failed"};
  }
  std::optional<std::int64_t> FirstBad(const std::optional<Head>& must_contain = std::nullopt) {
    return Verified(must_contain).first_bad;
  }
  crypto::Bytes Row(std::int64_t sequence) { return **store_->GetAudit(sequence); }
  void Put(std::int64_t sequence, ByteView record) {
    auto statement =
        store_->database().Prepare("INSERT OR REPLACE INTO audit (sequence, record) VALUES (?, ?)");
    ASSERT_TRUE(statement.ok());
    ASSERT_TRUE(statement->Bind(1, sequence).Bind(2, record).Run().ok());
  }
  void Delete(std::int64_t sequence) {
    auto statement = store_->database().Prepare("DELETE FROM audit WHERE sequence = ?");
    ASSERT_TRUE(statement.ok());
    ASSERT_TRUE(statement->Bind(1, sequence).Run().ok());
  }
  // Writes the log again from `from` on, as somebody does who holds mina's key and the file.
  void Rewrite(std::int64_t from, std::int64_t rows) {
    for (std::int64_t sequence = ReadHead(*store_)->sequence; sequence >= from; --sequence)
      Delete(sequence);
    for (std::int64_t i = 0; i < rows; ++i) Add({.act = "rewritten"}, kMina);
  }

  std::string root_;
  crypto::DatabaseKey key_ = crypto::DatabaseKey::Random();
  crypto::SigningPair owner_ = crypto::SigningPair::Generate(),
                      mina_ = crypto::SigningPair::Generate();
  crypto::ExchangePair compartment_ = crypto::ExchangePair::Generate();
  std::unique_ptr<store::Store> store_;
};

TEST_F(AuditLogTest, EmptyLogIsWhole) {
  const Verification result = Verified();
  EXPECT_TRUE(result.ok());
  EXPECT_EQ(result.entries, 0);
  EXPECT_EQ(result.head.sequence, 0);
  EXPECT_EQ(ReadHead(*store_)->sequence, 0);
}

TEST_F(AuditLogTest, RowsFollowOneAnother) {
  Add({.act = "lookup", .token = 2837470195, .outcome = "denied", .detail = "{\"why\":\"role\"}"},
      kMina);
  Add({.act = "import"});
  const auto first = Record::Parse(Row(1)), second = Record::Parse(Row(2));
  ASSERT_TRUE(first.ok() && second.ok());
  EXPECT_EQ(first->sequence, 1);
  EXPECT_EQ(first->member, kMina);
  EXPECT_EQ(first->roster_version, 1u);
  EXPECT_EQ(first->act, "lookup");
  EXPECT_EQ(first->token, 2837470195);
  EXPECT_EQ(first->outcome, "denied");
  EXPECT_GT(first->time_ms, 0);
  EXPECT_EQ(second->previous, first->hash);
  EXPECT_EQ(second->outcome, "done");
  EXPECT_TRUE(second->sealed_detail.empty());
  const Verification result = Verified();
  EXPECT_TRUE(result.ok()) << result.why;
  EXPECT_EQ(result.entries, 2);
  EXPECT_EQ(result.head.sequence, 2);
  EXPECT_EQ(result.head.hash, second->hash);
  EXPECT_EQ(ReadHead(*store_)->hash, second->hash);
}

TEST_F(AuditLogTest, RowsAreVisitedBackUntilTheVisitorHasEnough) {
  const auto acts_until = [this](absl::string_view last) {
    std::vector<std::string> acts;
    const absl::Status status =
        EachBack(*store_, [&](const Record& record) -> absl::StatusOr<bool> {
          EXPECT_TRUE(CheckSignature(record, Keys()).ok());
          acts.push_back(record.act);
          return record.act != last;
        });
    EXPECT_TRUE(status.ok()) << status;
    return acts;
  };
  EXPECT_THAT(acts_until(""), ::testing::IsEmpty());
  AddMany(3);
  EXPECT_THAT(acts_until(""), ::testing::ElementsAre("act 2", "act 1", "act 0"));
  EXPECT_THAT(acts_until("act 1"), ::testing::ElementsAre("act 2", "act 1"));
}

TEST_F(AuditLogTest, VisitorMeetsNoRowThatWasAlteredMovedOrStandsOverAGap) {
  const auto walk = [this](std::int64_t until) {
    return EachBack(*store_, [until](const Record& record) -> absl::StatusOr<bool> {
      return record.sequence > until;
    });
  };
  AddMany(5);
  const crypto::Bytes two = Row(2), three = Row(3), four = Row(4);
  crypto::Bytes altered = three;
  altered[30] ^= 1;  // its time
  Put(3, altered);
  EXPECT_TRUE(absl::IsDataLoss(walk(0)));
  EXPECT_TRUE(walk(4).ok());  // not visited
  Put(3, two);
  EXPECT_TRUE(absl::IsDataLoss(walk(0)));
  Put(3, {});
  EXPECT_TRUE(absl::IsDataLoss(walk(0)));
  Put(3, three);
  EXPECT_TRUE(walk(0).ok());
  Delete(4);
  EXPECT_TRUE(absl::IsDataLoss(walk(0)));
  Put(4, four);
  Delete(1);
  EXPECT_TRUE(walk(2).ok());
  EXPECT_TRUE(absl::IsDataLoss(walk(0)));
}

TEST_F(AuditLogTest, SignatureOfSomebodyElseDoesNotCount) {
  Add({.act = "reveal"}, kMina);
  Record record = *Record::Parse(Row(1));
  EXPECT_TRUE(CheckSignature(record, Keys()).ok());
  record.member = kOwner;
  EXPECT_TRUE(absl::IsDataLoss(CheckSignature(record, Keys())));
  record.member = kMina;
  record.roster_version = 2;  // disabled
  EXPECT_TRUE(absl::IsDataLoss(CheckSignature(record, Keys())));
}

TEST_F(AuditLogTest, RowGoesWithTheTransactionOfItsAct) {
  AddMany(2);
  {
    auto transaction = store_->BeginWrite();
    ASSERT_TRUE(transaction.ok());
    Add({.act = "undone"});
    EXPECT_EQ(ReadHead(*store_)->sequence, 3);
  }
  EXPECT_EQ(ReadHead(*store_)->sequence, 2);
  Add({.act = "done"});
  EXPECT_EQ(FirstBad(), std::nullopt);
}

TEST_F(AuditLogTest, EightProcessesAtOnceLeaveOneChain) {
  constexpr int kProcesses = 8, kRows = 10;
  store_.reset();  // no connection goes through a fork
  std::vector<pid_t> children;
  for (int process = 0; process < kProcesses; ++process) {
    const pid_t child = fork();
    if (child == 0) {
      int failures = 0;
      auto store = store::Store::Open(path(), key_);
      for (int row = 0; store.ok() && row < kRows; ++row) {
        auto transaction = (*store)->BeginWrite();
        if (!transaction.ok() ||
            !Append(**store, By(kOwner), {.act = absl::StrCat("process ", process)}).ok() ||
            !transaction->Commit().ok()) {
          ++failures;
        }
      }
      if (store.ok()) store->reset();
      _exit(store.ok() ? failures : 99);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  }
  store_ = *store::Store::Open(path(), key_);
  const Verification result = Verified();
  EXPECT_TRUE(result.ok()) << *result.first_bad << " " << result.why;
  EXPECT_EQ(result.entries, kProcesses * kRows);
  std::map<std::string, int> acts;
  for (std::int64_t sequence = 1; sequence <= result.entries; ++sequence)
    ++acts[Record::Parse(Row(sequence))->act];
  EXPECT_EQ(acts.size(), std::size_t{kProcesses});
  for (const auto& [act, rows] : acts) EXPECT_EQ(rows, kRows) << act;
}

// Tampering, each with its place.

TEST_F(AuditLogTest, DeletedRowIsFoundAtItsPlace) {
  AddMany(6);
  Delete(3);
  EXPECT_EQ(FirstBad(), 3);
}

TEST_F(AuditLogTest, DeletedBeginningIsFound) {
  AddMany(6);
  Delete(1);
  Delete(2);
  EXPECT_EQ(FirstBad(), 1);
}

TEST_F(AuditLogTest, SwappedRowsAreFound) {
  AddMany(6);
  const crypto::Bytes a = Row(3), b = Row(5);
  Put(3, b);
  Put(5, a);
  EXPECT_EQ(FirstBad(), 3);
}

TEST_F(AuditLogTest, CopiedRowIsFound) {
  AddMany(3);
  Put(4, Row(3));
  EXPECT_EQ(FirstBad(), 4);
}

TEST_F(AuditLogTest, RowThatCannotBeReadIsFound) {
  AddMany(3);
  Put(2, crypto::Bytes{1, 2, 3});
  const Verification result = Verified();
  EXPECT_EQ(result.first_bad, 2);
  EXPECT_EQ(result.entries, 3);
  EXPECT_EQ(result.head.sequence, 3);
}

TEST_F(AuditLogTest, EveryChangedByteIsFoundAtItsRow) {
  AddMany(1);
  Add({.act = "lookup", .token = 2837470195, .detail = "{}"});
  AddMany(1);
  const crypto::Bytes good = Row(2);
  auto transaction = store_->BeginWrite();
  ASSERT_TRUE(transaction.ok());
  for (std::size_t at = 0; at < good.size(); ++at) {
    crypto::Bytes altered = good;
    altered[at] ^= 0x20;
    Put(2, altered);
    EXPECT_EQ(FirstBad(), 2) << at;
  }
  Put(2, good);
  EXPECT_EQ(FirstBad(), std::nullopt);
}

TEST_F(AuditLogTest, RowSignedByAnotherIsFound) {
  AddMany(3);
  Author forged = By(kOwner);
  forged.signing = &mina_;  // in the owner's name with mina's key
  ASSERT_TRUE(Append(*store_, forged, {.act = "export"}).ok());
  EXPECT_EQ(FirstBad(), 4);
}

TEST_F(AuditLogTest, RowOfNobodyOrOfNoRosterIsFound) {
  AddMany(3);
  Author stranger = By(kMina);
  stranger.member = MemberId{99};
  ASSERT_TRUE(Append(*store_, stranger, {.act = "x"}).ok());
  EXPECT_EQ(FirstBad(), 4);
  Delete(4);
  Add({.act = "x"}, kOwner, 3);
  EXPECT_EQ(FirstBad(), 4);
  Delete(4);
  Add({.act = "x"}, kMina, 2);
  EXPECT_EQ(FirstBad(), 4);
}

TEST_F(AuditLogTest, DisabledMemberCannotAddRowsUnderAnOlderRoster) {
  AddMany(3);
  Add({.act = "member.disable"}, kOwner, 2);
  EXPECT_EQ(FirstBad(), std::nullopt);
  Add({.act = "export"}, kMina, 1);
  EXPECT_EQ(FirstBad(), 5);
}

TEST_F(AuditLogTest, LogOfAnotherVaultIsFoundAtItsFirstRow) {
  AddMany(3);
  const auto result = Verify(*store_, VaultId{9}, Keys(), std::nullopt);
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->first_bad, 1);
}

TEST_F(AuditLogTest, CutTailIsFoundByAnEarlierHead) {
  AddMany(6);
  const Head head = *ReadHead(*store_);
  EXPECT_EQ(FirstBad(head), std::nullopt);
  Delete(6);
  Delete(5);
  EXPECT_EQ(FirstBad(), std::nullopt);  // without the head, a shorter log is a log
  EXPECT_EQ(FirstBad(head), 5);
  for (std::int64_t sequence = 4; sequence >= 1; --sequence) Delete(sequence);
  EXPECT_EQ(FirstBad(head), 1);
}

TEST_F(AuditLogTest, RewrittenTailIsFoundByAnEarlierHead) {
  AddMany(6);
  const Head head = *ReadHead(*store_);
  Rewrite(4, 5);
  EXPECT_EQ(FirstBad(), std::nullopt);
  EXPECT_EQ(FirstBad(head), 6);
  // An older head is still in it.
  EXPECT_EQ(FirstBad(Head{.sequence = 3, .hash = Record::Parse(Row(3))->hash}), std::nullopt);
  EXPECT_EQ(FirstBad(Head{}), std::nullopt);
}

TEST_F(AuditLogTest, LogThatGrewContainsItsEarlierHead) {
  AddMany(3);
  const Head head = *ReadHead(*store_);
  AddMany(3);
  EXPECT_EQ(FirstBad(head), std::nullopt);
}

// Records and details.

TEST_F(AuditLogTest, RecordCutAtEveryOffsetIsDataLoss) {
  Add({.act = "lookup", .detail = "{}"});
  const crypto::Bytes record = Row(1);
  for (std::size_t size = 0; size < record.size(); ++size) {
    ASSERT_TRUE(absl::IsDataLoss(Record::Parse(ByteView(record).first(size)).status())) << size;
  }
  crypto::Bytes longer = record;
  longer.push_back(0);
  EXPECT_TRUE(absl::IsDataLoss(Record::Parse(longer).status()));
}

TEST_F(AuditLogTest, DetailOpensWithTheAuditCompartmentAlone) {
  const std::string detail = "{\"marker\":\"marker-5550199\"}";
  Add({.act = "import", .detail = detail});
  const auto record = Record::Parse(Row(1));
  ASSERT_TRUE(record.ok());
  EXPECT_EQ(*OpenDetail(*record, kVault, compartment_), detail);
  EXPECT_TRUE(
      absl::IsDataLoss(OpenDetail(*record, kVault, crypto::ExchangePair::Generate()).status()));
  EXPECT_TRUE(absl::IsDataLoss(OpenDetail(*record, VaultId{9}, compartment_).status()));
  const crypto::Bytes row = Row(1);
  EXPECT_FALSE(absl::StrContains(crypto::AsText(row), "5550199"));
  EXPECT_TRUE(absl::StrContains(crypto::AsText(row), "import"));  // the positive control
}

TEST_F(AuditLogTest, AlteredOrForeignDetailIsDataLoss) {
  Add({.act = "import", .detail = "{}"});
  Record record = *Record::Parse(Row(1));
  record.sealed_detail.back() ^= 1;
  EXPECT_TRUE(absl::IsDataLoss(OpenDetail(record, kVault, compartment_).status()));
  record.sealed_detail = crypto::SealToPublic(compartment_.public_key(), crypto::AsBytes("{}"));
  EXPECT_TRUE(absl::IsDataLoss(OpenDetail(record, kVault, compartment_).status()));
  record.sealed_detail.clear();
  EXPECT_EQ(*OpenDetail(record, kVault, compartment_), "");
}

// Checkpoints.

class CheckpointTest : public AuditLogTest {
 protected:
  Checkpoint checkpoint_{.vault = kVault,
                         .head = {.sequence = 42, .hash = {7}},
                         .time_ms = 99,
                         .member = kMina,
                         .roster_version = 1};
  static void ExpectSame(const Checkpoint& a, const Checkpoint& b) {
    EXPECT_EQ(a.vault, b.vault);
    EXPECT_EQ(a.head.sequence, b.head.sequence);
    EXPECT_EQ(a.head.hash, b.head.hash);
    EXPECT_EQ(a.time_ms, b.time_ms);
    EXPECT_EQ(a.member, b.member);
    EXPECT_EQ(a.roster_version, b.roster_version);
  }
};

TEST_F(CheckpointTest, ComesBackAsItWasWritten) {
  const std::string text = FormatCheckpoint(checkpoint_, mina_);
  const auto parsed = ParseCheckpoint(text, Keys());
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  ExpectSame(*parsed, checkpoint_);
}

TEST_F(CheckpointTest, SignatureOfAnotherIsDataLoss) {
  EXPECT_TRUE(
      absl::IsDataLoss(ParseCheckpoint(FormatCheckpoint(checkpoint_, owner_), Keys()).status()));
  checkpoint_.member = MemberId{99};
  EXPECT_TRUE(
      absl::IsDataLoss(ParseCheckpoint(FormatCheckpoint(checkpoint_, mina_), Keys()).status()));
  checkpoint_.member = kMina;
  checkpoint_.roster_version = 2;  // by which she was disabled
  EXPECT_TRUE(
      absl::IsDataLoss(ParseCheckpoint(FormatCheckpoint(checkpoint_, mina_), Keys()).status()));
}

TEST_F(CheckpointTest, ChangedByteIsRefusedOrChangesNothing) {
  const std::string text = FormatCheckpoint(checkpoint_, mina_);
  const std::size_t signed_part = text.find("\"body\"");
  int refused = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    for (const int bit : {1, 4, 64}) {
      std::string altered = text;
      altered[at] = static_cast<char>(altered[at] ^ bit);
      const auto parsed = ParseCheckpoint(altered, Keys());
      if (parsed.ok()) {
        ExpectSame(*parsed, checkpoint_);
        EXPECT_TRUE(at < signed_part || altered[at] == '\t' || altered[at] == '\r' ||
                    text[at] == '\n' || text[at] == ' ')
            << at;
      } else {
        EXPECT_TRUE(absl::IsInvalidArgument(parsed.status()) || absl::IsDataLoss(parsed.status()))
            << at;
        ++refused;
      }
    }
  }
  EXPECT_GT(refused, 400);
}

TEST_F(CheckpointTest, TextThatIsNoCheckpointIsInvalid) {
  const std::string good = FormatCheckpoint(checkpoint_, mina_);
  for (std::size_t size = 0; size + 2 < good.size(); ++size) {
    ASSERT_TRUE(absl::IsInvalidArgument(ParseCheckpoint(good.substr(0, size), Keys()).status()))
        << size;
  }
  for (const char* text :
       {"null", "[]", "{}", R"({"body":1,"signature":2})", R"({"body":"","signature":""})",
        R"({"body":"AAAA","signature":"AAAA"})", R"({"body":"????","signature":"????"})", "\xff"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(ParseCheckpoint(text, Keys()).status())) << text;
  }
  EXPECT_TRUE(absl::IsInvalidArgument(ParseCheckpoint(std::string(100000, '['), Keys()).status()));
}

TEST_F(CheckpointTest, CheckpointOfTheLogFindsItsCutTail) {
  AddMany(4);
  checkpoint_.head = *ReadHead(*store_);
  const auto kept = ParseCheckpoint(FormatCheckpoint(checkpoint_, mina_), Keys());
  ASSERT_TRUE(kept.ok());
  EXPECT_EQ(FirstBad(kept->head), std::nullopt);
  Delete(4);
  EXPECT_EQ(FirstBad(kept->head), 4);
}

}  // namespace
}  // namespace sealbook::audit
