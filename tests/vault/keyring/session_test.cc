#include "vault/keyring/session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <map>

#include "absl/strings/str_cat.h"
#include "tests/support/test_vault.h"
#include "vault/crypto/random.h"
#include "vault/keyring/session_writer.h"

namespace sealbook::keyring {
namespace {

using testing::TestVault;

Coverage Ranges(std::vector<CoverageRange> ranges) {
  return {CoverageKind::kAssigned, BookId{1}, std::move(ranges)};
}

TEST(CoverageTest, ContainsExactlyItsRanges) {
  const Coverage coverage = Ranges({{2, 3}, {10, 1}, {100, 50}});
  for (const ContactNumber in : {2, 3, 4, 10, 100, 149}) EXPECT_TRUE(coverage.Contains(in)) << in;
  for (const ContactNumber out : {-1, 0, 1, 5, 9, 11, 99, 150, 1000})
    EXPECT_FALSE(coverage.Contains(out)) << out;
  EXPECT_FALSE(Ranges({}).Contains(1));
}

TEST(CoverageTest, IsOfItsKindAndBook) {
  Session session;
  session.coverage = {Ranges({{5, 1}}), {CoverageKind::kTakenAway, BookId{2}, {{7, 1}}}};
  EXPECT_TRUE(session.Covers(CoverageKind::kAssigned, BookId{1}, 5));
  EXPECT_FALSE(session.Covers(CoverageKind::kAssigned, BookId{2}, 5));
  EXPECT_FALSE(session.Covers(CoverageKind::kTakenAway, BookId{1}, 5));
  EXPECT_FALSE(session.Covers(CoverageKind::kAssigned, BookId{1}, 7));
  EXPECT_TRUE(session.Covers(CoverageKind::kTakenAway, BookId{2}, 7));
  EXPECT_TRUE(session.TakesAway());
  session.coverage.pop_back();
  EXPECT_FALSE(session.TakesAway());
}

class SessionRecordTest : public ::testing::Test {
 protected:
  static Session Full() {
    return {.number = 9,
            .previous = {1},
            .vault = {2},
            .member = MemberId{3},
            .roster_version = 4,
            .time_ms = 5,
            .last_taking = 6,
            .ephemeral = crypto::ExchangePair::Generate().public_key(),
            .coverage = {Ranges({{1, 2}, {9, 3}}), {CoverageKind::kCreated, kRootBook, {{1, 10}}}}};
  }
  absl::Status ParseOf(std::vector<CoverageRange> ranges) const {
    Session session = Full();
    session.coverage = {Ranges(std::move(ranges))};
    return SignedSession::Parse(session.Sign(pair_)).status();
  }
  // A record whose coverage is `items`, so many.
  absl::Status ParseWith(const crypto::ByteWriter& items, std::uint32_t count) const {
    Session session = Full();
    session.coverage.clear();
    crypto::Bytes record = session.Sign(pair_);
    record.resize(record.size() - 64 - 4);
    const crypto::Bytes number = crypto::ByteWriter().U32(count).Take();
    record.insert(record.end(), number.begin(), number.end());
    record.insert(record.end(), items.bytes().begin(), items.bytes().end());
    record.resize(record.size() + 64);
    return SignedSession::Parse(record).status();
  }
  crypto::SigningPair pair_ = crypto::SigningPair::Generate();
};

TEST_F(SessionRecordTest, SubjectsAreReadAsTheyWereWritten) {
  Session session = Full();
  session.subjects = {{.contact = 3, .row = {1, 2}}, {.contact = 70, .row = {3}}};
  const crypto::Bytes record = session.Sign(crypto::SigningPair::Generate());
  const auto parsed = SignedSession::Parse(record);
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_EQ(parsed->session.subjects, session.subjects);
  EXPECT_EQ(parsed->session.coverage.size(), 2u);
  for (std::size_t size = 64; size < record.size(); ++size) {
    const crypto::Bytes cut(record.begin(), record.begin() + static_cast<std::ptrdiff_t>(size));
    EXPECT_TRUE(absl::IsDataLoss(SignedSession::Parse(cut).status())) << size;
  }
}

TEST_F(SessionRecordTest, SubjectsOfAnotherFormAreNoSession) {
  const crypto::Hash256 row{};
  const auto item = [&](std::uint32_t book, std::vector<std::uint64_t> contacts) {
    crypto::ByteWriter out;
    out.U8(4).U32(book).U32(static_cast<std::uint32_t>(contacts.size()));
    for (const std::uint64_t contact : contacts) out.U64(contact).Raw(row);
    return out;
  };
  EXPECT_TRUE(ParseWith(item(0, {1, 2, 9}), 1).ok());
  EXPECT_TRUE(absl::IsDataLoss(ParseWith(item(0, {}), 1))) << "none";
  EXPECT_TRUE(absl::IsDataLoss(ParseWith(item(1, {1}), 1))) << "of a book";
  EXPECT_TRUE(absl::IsDataLoss(ParseWith(item(0, {0}), 1))) << "nobody";
  EXPECT_TRUE(absl::IsDataLoss(ParseWith(item(0, {std::uint64_t{1} << 63}), 1))) << "below 0";
  EXPECT_TRUE(absl::IsDataLoss(ParseWith(item(0, {2, 2}), 1))) << "twice";
  EXPECT_TRUE(absl::IsDataLoss(ParseWith(item(0, {2, 1}), 1))) << "out of order";
  crypto::ByteWriter two = item(0, {1});
  two.Raw(item(0, {2}).bytes());
  EXPECT_TRUE(absl::IsDataLoss(ParseWith(two, 2))) << "two lists";
}

TEST_F(SessionRecordTest, ComesBackAsItWasSigned) {
  const Session session = Full();
  const crypto::Bytes record = session.Sign(pair_);
  const auto parsed = SignedSession::Parse(record);
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_EQ(parsed->session.number, 9);
  EXPECT_EQ(parsed->session.previous, session.previous);
  EXPECT_EQ(parsed->session.vault, session.vault);
  EXPECT_EQ(parsed->session.member, MemberId{3});
  EXPECT_EQ(parsed->session.roster_version, 4u);
  EXPECT_EQ(parsed->session.time_ms, 5);
  EXPECT_EQ(parsed->session.last_taking, 6);
  EXPECT_EQ(parsed->session.ephemeral, session.ephemeral);
  ASSERT_EQ(parsed->session.coverage.size(), 2u);
  EXPECT_EQ(parsed->session.coverage[0].ranges, session.coverage[0].ranges);
  EXPECT_EQ(parsed->session.coverage[1].kind, CoverageKind::kCreated);
  EXPECT_EQ(parsed->session.Sign(pair_), record);
}

TEST_F(SessionRecordTest, CutAtEveryOffsetIsDataLoss) {
  const crypto::Bytes record = Full().Sign(pair_);
  for (std::size_t size = 0; size < record.size(); ++size) {
    ASSERT_TRUE(absl::IsDataLoss(SignedSession::Parse(ByteView(record).first(size)).status()))
        << size;
  }
  crypto::Bytes longer = record;
  longer.push_back(0);
  EXPECT_TRUE(absl::IsDataLoss(SignedSession::Parse(longer).status()));
}

TEST_F(SessionRecordTest, HostileBytesAreDataLossOrASessionOfNoMoreBytes) {
  const crypto::Bytes record = Full().Sign(pair_);
  for (int round = 0; round < 20000; ++round) {
    crypto::Bytes altered = record;
    const std::size_t at = crypto::RandomBelow(altered.size() - 4);
    std::fill_n(altered.begin() + static_cast<std::ptrdiff_t>(at), 1 + crypto::RandomBelow(4),
                std::uint8_t{255});
    altered[crypto::RandomBelow(altered.size())] =
        static_cast<std::uint8_t>(crypto::RandomBelow(256));
    const auto parsed = SignedSession::Parse(altered);
    ASSERT_TRUE(parsed.ok() || absl::IsDataLoss(parsed.status()));
    if (!parsed.ok()) continue;
    ASSERT_LE(parsed->session.coverage.size(), record.size() / 9);
    for (const Coverage& c : parsed->session.coverage) ASSERT_FALSE(c.Contains(0));
  }
}

TEST_F(SessionRecordTest, CoverageThatAnswersWronglyIsDataLoss) {
  EXPECT_TRUE(ParseOf({}).ok());
  EXPECT_TRUE(ParseOf({{1, 1}, {3, 7}, {11, 1}}).ok());
  const std::uint64_t all = std::numeric_limits<std::uint64_t>::max();
  for (const std::vector<CoverageRange>& ranges : std::vector<std::vector<CoverageRange>>{
           {{3, 1}, {1, 1}},    // out of order
           {{1, 1}, {1, 1}},    // twice
           {{1, 10}, {5, 1}},   // the second hides the first's rest
           {{1, 2}, {3, 1}},    // one range, written as two
           {{1, all}, {5, 1}},  //
           {{5, 0}},            // nothing
           {{0, 3}},            // contacts are numbered from 1
           {{std::numeric_limits<std::int64_t>::min(), 1}, {1, 1}}}) {  // differences that overflow
    EXPECT_TRUE(absl::IsDataLoss(ParseOf(ranges))) << ranges[0].first << " " << ranges[0].count;
  }
}

// Which sessions count.

class CheckSessionTest : public ::testing::Test {
 protected:
  CheckSessionTest() {
    first_ = {.vault = {7},
              .session_head = 0,
              .root = root_.verify_key(),
              .escrow = Key(),
              .classes = {{ClassId::kProfile, "profile"}},
              .roles = {{"agent", false, false, {ClassId::kProfile}, {ClassId::kProfile}, 0}},
              .members = {Agent(1), Agent(2)},
              .compartments = {{kRootBook, ClassId::kProfile, 1, Key()}}};
    first_.members[0].verify = mina_.verify_key();
    EXPECT_TRUE(history_.Append(first_.Sign(root_)).ok());
    Roster second = first_;  // after session 5 mina was disabled
    second.version = 2;
    second.previous = history_.current_hash();
    second.session_head = 5;
    second.members[0].active = false;
    EXPECT_TRUE(history_.Append(second.Sign(root_)).ok());
  }
  static crypto::ExchangePublic Key() { return crypto::ExchangePair::Generate().public_key(); }
  static Member Agent(std::uint32_t id) {
    return {.id = MemberId{id},
            .name = absl::StrCat("agent ", id),
            .role = "agent",
            .exchange = Key(),
            .verify = {}};
  }
  static Session Good() {
    return {.number = 5,
            .vault = {7},
            .member = MemberId{1},
            .roster_version = 1,
            .last_taking = 4,
            .ephemeral = Key(),
            .coverage = {}};
  }
  bool Counts(std::int64_t number, const Session& session) const {
    return Counts(number, session, mina_);
  }
  bool Counts(std::int64_t number, const Session& session, const crypto::SigningPair& pair) const {
    const auto checked = CheckSession(number, session.Sign(pair), history_);
    EXPECT_TRUE(checked.ok() || absl::IsDataLoss(checked.status())) << checked.status();
    return checked.ok();
  }
  template <typename Edit>
  bool CountsWith(Edit&& edit) const {
    Session session = Good();
    edit(session);
    return Counts(5, session);
  }

  crypto::SigningPair root_ = crypto::SigningPair::Generate(),
                      mina_ = crypto::SigningPair::Generate();
  Roster first_;
  RosterHistory history_{root_.verify_key()};
};

TEST_F(CheckSessionTest, HonestSessionCounts) {
  EXPECT_TRUE(CountsWith([](Session&) {}));
}

TEST_F(CheckSessionTest, SessionAtAnotherPlaceDoesNotCount) {
  EXPECT_FALSE(Counts(4, Good()));
  EXPECT_FALSE(Counts(6, Good()));
  EXPECT_FALSE(CountsWith([](Session& s) { s.number = 4; }));
  EXPECT_FALSE(CountsWith([](Session& s) { s.vault = {8}; }));
  Session zero = Good();
  zero.number = 0;
  zero.last_taking = 0;
  EXPECT_FALSE(Counts(0, zero));
  zero.number = -1;
  EXPECT_FALSE(Counts(-1, zero));
}

TEST_F(CheckSessionTest, SessionOfAnotherRosterVersionDoesNotCount) {
  for (const std::uint64_t version : {0, 2, 3}) {
    EXPECT_FALSE(CountsWith([&](Session& s) { s.roster_version = version; })) << version;
  }
}

TEST_F(CheckSessionTest, DisabledMemberCannotDateASessionBack) {
  Session later = Good();
  later.number = 6;  // after the version that disabled her
  EXPECT_FALSE(Counts(6, later));
  later.roster_version = 2;
  EXPECT_FALSE(Counts(6, later));
}

TEST_F(CheckSessionTest, SignatureOfAnotherDoesNotCount) {
  EXPECT_FALSE(Counts(5, Good(), crypto::SigningPair::Generate()));
  EXPECT_FALSE(CountsWith([](Session& s) { s.member = MemberId{2}; }));
  EXPECT_FALSE(CountsWith([](Session& s) { s.member = MemberId{99}; }));
}

TEST_F(CheckSessionTest, EveryChangedByteDoesNotCount) {
  const crypto::Bytes record = Good().Sign(mina_);
  for (std::size_t at = 0; at < record.size(); ++at) {
    crypto::Bytes altered = record;
    altered[at] ^= 0x40;
    EXPECT_TRUE(absl::IsDataLoss(CheckSession(5, altered, history_).status())) << at;
  }
}

TEST_F(CheckSessionTest, LastTakingIsAnEarlierSession) {
  EXPECT_TRUE(CountsWith([](Session& s) { s.last_taking = 0; }));
  for (const std::int64_t taking : {-1, 5, 6}) {
    EXPECT_FALSE(CountsWith([&](Session& s) { s.last_taking = taking; })) << taking;
  }
}

// The directory, in a vault.

class SessionDirectoryTest : public ::testing::Test {
 protected:
  SessionDirectoryTest() {
    EXPECT_TRUE(vault_.AddBook("seoul").ok());
    EXPECT_TRUE(vault_.AddBook("busan").ok());
    EXPECT_TRUE(vault_.AddMember("mina", "agent", {"seoul"}).ok());
    EXPECT_TRUE(vault_.AddMember("sujin", "supervisor", {"busan"}).ok());
    owner_ = vault_.Unlock("owner");
    seoul_ = owner_->roster().FindBook("seoul")->id;
    busan_ = owner_->roster().FindBook("busan")->id;
  }
  // One session of `member`'s; its number.
  std::int64_t Write(Keyring& member,
                     std::vector<std::tuple<CoverageKind, BookId, ContactNumber>> coverage) {
    auto transaction = member.store().BeginWrite();
    EXPECT_TRUE(transaction.ok());
    SessionWriter session = SessionWriter::Open(member);
    const auto number = session.Number();
    EXPECT_TRUE(number.ok()) << number.status();
    for (const auto& [kind, book, contact] : coverage) session.Cover(kind, book, contact);
    EXPECT_TRUE(session.Insert().ok());
    EXPECT_TRUE(transaction->Commit().ok());
    return *number;
  }
  // With nothing remembered.
  absl::Status Check(BookId book, ContactNumber contact, std::int64_t session) {
    return SessionDirectory(owner_->store(), owner_->history())
        .CheckAssignment(book, contact, session);
  }
  absl::Status CheckWriter(std::int64_t session, ContactNumber contact, ClassId class_id,
                           std::map<BookId, std::int64_t> assigned) {
    return SessionDirectory(owner_->store(), owner_->history())
        .CheckWriter(session, contact, class_id,
                     [&](BookId book) -> absl::StatusOr<std::int64_t> { return assigned[book]; });
  }

  TestVault vault_;
  std::unique_ptr<Keyring> owner_;
  BookId seoul_{}, busan_{};
};

TEST_F(SessionDirectoryTest, SessionsFormAChain) {
  const auto first = Write(*owner_, {}), second = Write(*owner_, {});
  EXPECT_EQ(first, 1);
  EXPECT_EQ(second, 2);
  EXPECT_EQ((*owner_->sessions().Get(1))->previous, crypto::Hash256{});
  EXPECT_EQ((*owner_->sessions().Get(2))->previous, HashOfSession(**owner_->store().GetSession(1)));
  EXPECT_EQ(*owner_->sessions().Get(2), *owner_->sessions().Get(2));  // checked once
  EXPECT_TRUE(absl::IsDataLoss(owner_->sessions().Get(3).status()));
}

TEST_F(SessionDirectoryTest, WriterMergesRangesInAnyOrder) {
  std::vector<std::tuple<CoverageKind, BookId, ContactNumber>> coverage;
  for (const ContactNumber contact : {5, 6, 1, 9, 2, 7, 6})
    coverage.emplace_back(CoverageKind::kAssigned, seoul_, contact);
  const auto number = Write(*owner_, coverage);
  const auto session = owner_->sessions().Get(number);
  ASSERT_TRUE(session.ok()) << session.status();
  ASSERT_EQ((*session)->coverage.size(), 1u);
  EXPECT_THAT(
      (*session)->coverage[0].ranges,
      ::testing::ElementsAre(CoverageRange{1, 2}, CoverageRange{5, 3}, CoverageRange{9, 1}));
}

TEST_F(SessionDirectoryTest, AssignmentCountsWhereItIsListed) {
  const auto number = Write(
      *owner_, {{CoverageKind::kAssigned, seoul_, 5}, {CoverageKind::kCreated, kRootBook, 6}});
  EXPECT_TRUE(Check(seoul_, 5, number).ok());
  EXPECT_TRUE(absl::IsDataLoss(Check(seoul_, 6, number)));
  EXPECT_TRUE(absl::IsDataLoss(Check(busan_, 5, number)));
  EXPECT_TRUE(absl::IsDataLoss(Check(seoul_, 5, number + 1)));
}

TEST_F(SessionDirectoryTest, AssignmentByAMemberWhoMayNotAssignDoesNotCount) {
  auto mina = vault_.Unlock("mina");
  const auto number = Write(*mina, {{CoverageKind::kAssigned, seoul_, 5}});
  EXPECT_TRUE(absl::IsDataLoss(Check(seoul_, 5, number)));
}

TEST_F(SessionDirectoryTest, AssignmentThatWasTakenAwayDoesNotCount) {
  const auto given =
      Write(*owner_, {{CoverageKind::kAssigned, seoul_, 5}, {CoverageKind::kAssigned, seoul_, 6}});
  Write(*owner_, {});
  const auto taken = Write(*owner_, {{CoverageKind::kTakenAway, seoul_, 5}});
  Write(*owner_, {});
  EXPECT_TRUE(absl::IsDataLoss(Check(seoul_, 5, given)));
  EXPECT_TRUE(Check(seoul_, 6, given).ok());
  const auto again = Write(*owner_, {{CoverageKind::kAssigned, seoul_, 5}});
  EXPECT_TRUE(Check(seoul_, 5, again).ok());
  EXPECT_TRUE(absl::IsDataLoss(Check(seoul_, 5, given)));
  const auto more = Write(*owner_, {{CoverageKind::kTakenAway, busan_, 5}});
  EXPECT_TRUE(Check(seoul_, 5, again).ok());  // another book's
  Write(*owner_, {});
  EXPECT_EQ((*owner_->sessions().Get(taken + 1))->last_taking, taken);
  EXPECT_EQ((*owner_->sessions().Get(more + 1))->last_taking, more);
  // A directory that has read further sees what came after.
  EXPECT_TRUE(owner_->sessions().CheckAssignment(seoul_, 6, given).ok());
  Write(*owner_, {{CoverageKind::kTakenAway, seoul_, 6}});
  EXPECT_TRUE(absl::IsDataLoss(owner_->sessions().CheckAssignment(seoul_, 6, given)));
}

TEST_F(SessionDirectoryTest, TakingThatIsMissingIsDataLoss) {
  const auto given = Write(*owner_, {{CoverageKind::kAssigned, seoul_, 5}});
  Write(*owner_, {{CoverageKind::kTakenAway, seoul_, 5}});
  Write(*owner_, {});
  ASSERT_TRUE(owner_->store().database().Execute("DELETE FROM session WHERE number = 2").ok());
  EXPECT_TRUE(absl::IsDataLoss(Check(seoul_, 5, given)));
}

TEST_F(SessionDirectoryTest, MemberWhoMayNotAssignCannotHideATaking) {
  const auto given = Write(*owner_, {{CoverageKind::kAssigned, seoul_, 5}});
  Write(*owner_, {{CoverageKind::kTakenAway, seoul_, 5}});
  auto mina = vault_.Unlock("mina");
  const Session liar{.number = 3,
                     .previous = HashOfSession(**mina->store().GetSession(2)),
                     .vault = mina->roster().vault,
                     .member = mina->bundle().member,
                     .roster_version = mina->roster().version,
                     .last_taking = 0,
                     .ephemeral = crypto::ExchangePair::Generate().public_key(),
                     .coverage = {}};
  ASSERT_TRUE(mina->store().InsertSession(3, liar.Sign(mina->bundle().signing)).ok());
  EXPECT_TRUE(absl::IsDataLoss(Check(seoul_, 5, given)));
  Write(*vault_.Unlock("owner"), {});  // and nobody passes the lie on
  EXPECT_TRUE(absl::IsDataLoss(Check(seoul_, 5, given)));
  EXPECT_EQ((*owner_->sessions().Get(4))->last_taking, 2);
}

TEST_F(SessionDirectoryTest, MemberWhoMayNotAssignTakesNothingAway) {
  const auto given = Write(*owner_, {{CoverageKind::kAssigned, seoul_, 5}});
  auto mina = vault_.Unlock("mina");
  Write(*mina, {{CoverageKind::kTakenAway, seoul_, 5}});
  EXPECT_TRUE(Check(seoul_, 5, given).ok());
  Write(*owner_, {});
  EXPECT_TRUE(Check(seoul_, 5, given).ok());
}

TEST_F(SessionDirectoryTest, RootScopeRolesWriteWhatTheirRoleSays) {
  const auto number = Write(*owner_, {});
  EXPECT_TRUE(CheckWriter(number, 5, ClassId::kIdentity, {}).ok());
  EXPECT_TRUE(absl::IsDataLoss(CheckWriter(number, 5, ClassId::kAudit, {})));
}

TEST_F(SessionDirectoryTest, BookRolesWriteContactsOfTheirBooksOnly) {
  const auto given = Write(*owner_, {{CoverageKind::kAssigned, seoul_, 5},
                                     {CoverageKind::kAssigned, busan_, 5},
                                     {CoverageKind::kAssigned, busan_, 6}});
  auto mina = vault_.Unlock("mina");
  const auto number = Write(*mina, {});
  EXPECT_TRUE(CheckWriter(number, 5, ClassId::kProfile, {{seoul_, given}, {busan_, given}}).ok());
  // Not a class that agents do not write, not another book's contact, not one of a planted row.
  EXPECT_TRUE(absl::IsDataLoss(CheckWriter(number, 5, ClassId::kSensitive, {{seoul_, given}})));
  EXPECT_TRUE(absl::IsDataLoss(CheckWriter(number, 6, ClassId::kProfile, {{busan_, given}})));
  EXPECT_TRUE(absl::IsDataLoss(CheckWriter(number, 6, ClassId::kProfile, {{seoul_, given}})));
  EXPECT_TRUE(absl::IsDataLoss(CheckWriter(number, 5, ClassId::kProfile, {})));
  auto sujin = vault_.Unlock("sujin");
  const auto hers = Write(*sujin, {});
  EXPECT_TRUE(CheckWriter(hers, 6, ClassId::kSensitive, {{busan_, given}}).ok());
  EXPECT_TRUE(absl::IsDataLoss(CheckWriter(hers, 6, ClassId::kIdentity, {{busan_, given}})));
}

TEST_F(SessionDirectoryTest, WritingBeforeTheAssignmentDoesNotCount) {
  auto mina = vault_.Unlock("mina");
  const auto early = Write(*mina, {});
  const auto given = Write(*owner_, {{CoverageKind::kAssigned, seoul_, 5}});
  EXPECT_TRUE(absl::IsDataLoss(CheckWriter(early, 5, ClassId::kProfile, {{seoul_, given}})));
}

TEST_F(SessionDirectoryTest, WriterThatSawAnOlderRosterIsToldToBeginAgain) {
  auto session = SessionWriter::Open(*owner_);
  ASSERT_TRUE(vault_.AddBook("daegu").ok());
  auto transaction = owner_->store().BeginWrite();
  ASSERT_TRUE(transaction.ok());
  EXPECT_TRUE(absl::IsUnavailable(session.Number().status()));
  EXPECT_TRUE(absl::IsUnavailable(session.Insert()));
  EXPECT_EQ(*owner_->store().LastSession(), 0);
  // Refreshed, it goes on.
  ASSERT_TRUE(owner_->Refresh().ok());
  auto again = SessionWriter::Open(*owner_);
  EXPECT_TRUE(again.Number().ok());
  EXPECT_TRUE(again.Insert().ok());
}

TEST_F(SessionDirectoryTest, WriterAndReaderOfACompartmentShareItsKeys) {
  auto mina = vault_.Unlock("mina");
  auto importer_session = SessionWriter::Open(*owner_);
  const auto written = importer_session.Wrap(seoul_, ClassId::kProfile);
  ASSERT_TRUE(written.ok());
  const auto transaction = owner_->store().BeginWrite();
  const auto number = *importer_session.Number();
  ASSERT_TRUE(importer_session.Insert().ok());
  const auto read = owner_->ReadKeys(number, seoul_, ClassId::kProfile);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_TRUE(crypto::EqualInConstantTime((*read)->wrap.ExposeBytes(), (*written)->ExposeBytes()));
  EXPECT_TRUE(absl::IsNotFound(importer_session.Wrap(seoul_, ClassId::kAudit).status()));
  EXPECT_TRUE(absl::IsPermissionDenied(mina->CompartmentPair(busan_, ClassId::kProfile).status()));
}

// More subjects than are kept: those that were forgotten are read again, and count as before.
TEST(SessionSubjectsTest, ManyAreFoundAndNoneTooMany) {
  TestVault vault;
  auto owner = vault.Unlock("owner");
  constexpr ContactNumber kEach = 20'000;
  const auto row_of = [](ContactNumber contact) {
    crypto::Hash256 row{};
    std::memcpy(row.data(), &contact, sizeof(contact));
    return row;
  };
  std::vector<std::int64_t> sessions;
  for (const ContactNumber first : {ContactNumber{1}, 1 + kEach}) {
    auto transaction = owner->BeginWrite();
    auto session = SessionWriter::Open(*owner);
    // In any order; of one that is named twice, the later hash.
    session.CoverSubject(first, {0xff});
    for (ContactNumber i = kEach; i-- > 0;) session.CoverSubject(first + i, row_of(first + i));
    sessions.push_back(*session.Number());
    ASSERT_TRUE(session.Insert().ok());
    ASSERT_TRUE(transaction->Commit().ok());
  }
  SessionDirectory directory(owner->store(), owner->history(), /*max_subjects=*/kEach + 1);
  for (int round = 0; round < 2; ++round) {
    for (const ContactNumber contact : {ContactNumber{1}, ContactNumber{77}, kEach}) {
      EXPECT_EQ(*directory.SubjectRow(sessions[0], contact), row_of(contact));
      EXPECT_EQ(*directory.SubjectRow(sessions[1], contact), std::nullopt);
      EXPECT_EQ(*directory.SubjectRow(sessions[1], kEach + contact), row_of(kEach + contact));
    }
    EXPECT_EQ(*directory.SubjectRow(sessions[0], 0), std::nullopt);
  }
  EXPECT_TRUE((*directory.Get(sessions[0]))->subjects.empty());
  // Forgotten, then altered.
  ASSERT_TRUE(directory.SubjectRow(sessions[1], 1).ok());
  ASSERT_TRUE(owner->store()
                  .database()
                  .Execute("UPDATE session SET record = CAST(substr(record, 1, 5000) || x'ff' || "
                           "substr(record, 5002) AS BLOB)")
                  .ok());
  EXPECT_TRUE(absl::IsDataLoss(directory.SubjectRow(sessions[0], 1).status()));
}

}  // namespace
}  // namespace sealbook::keyring
