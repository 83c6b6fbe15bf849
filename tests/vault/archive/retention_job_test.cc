// The retention job: what goes, what stays, and that nothing is ever nowhere. Whatever happens in
// the middle (a kill at each step, a destination that fails at each call, one that lies), every
// message is live or in an archive that opens; afterwards the next run finishes, and nothing is
// twice.
#include "vault/archive/retention_job.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "absl/strings/escaping.h"
#include "tests/support/retention_vault.h"
#include "vault/crypto/random.h"
#include "vault/records/draining.h"
#include "vault/records/suppression.h"

namespace sealbook {
namespace {

using archive::ArchiveState;
using archive::JobReport;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::kDaySeconds;
using testing::RetentionVault;
using ::testing::SizeIs;

class RetentionJobTest : public ::testing::Test {
 protected:
  RetentionJobTest() { vault_.WriteAll(); }

  std::multiset<std::string> Expired(const std::vector<ContactNumber>& of) const {
    std::multiset<std::string> texts;
    for (const ContactNumber contact : of) {
      for (const int day : {0, 1, 25}) texts.insert(RetentionVault::TextOf(contact, day));
    }
    return texts;
  }
  std::multiset<std::string> Expired() const { return Expired(vault_.contacts); }
  std::multiset<std::string> Young() const {
    std::multiset<std::string> texts;
    for (const ContactNumber contact : vault_.contacts)
      texts.insert(RetentionVault::TextOf(contact, 160));
    return texts;
  }
  // Every message is live, or in an archive that opens.
  void ExpectNothingLost(const std::string& when) {
    std::multiset<std::string> seen = vault_.Live();
    for (std::size_t place = 0; place < vault_.places.size(); ++place) {
      for (const std::string& text : vault_.AllArchived(place)) seen.insert(text);
    }
    for (const auto& all : {Expired(), Young()}) {
      for (const std::string& text : all) EXPECT_TRUE(seen.contains(text)) << when << ": " << text;
    }
  }
  // As if nothing had ever happened.
  void ExpectFinished(const std::string& when) {
    EXPECT_EQ(vault_.Live(), Young()) << when;
    for (std::size_t place = 0; place < vault_.places.size(); ++place)
      EXPECT_EQ(vault_.AllArchived(place), Expired()) << when;
    EXPECT_EQ(vault_.Fault(), "") << when;
    EXPECT_EQ(vault_.Count("SELECT count(*) FROM archive_key WHERE due >= 0"), 0) << when;
    EXPECT_EQ(vault_.Count("SELECT count(*) FROM archive WHERE state < 6"), 0) << when;
    std::error_code error;
    EXPECT_TRUE(std::filesystem::is_empty(vault_.vault().directory() + "/spool", error)) << when;
  }

  RetentionVault vault_;
};

TEST_F(RetentionJobTest, WhatHasExpiredGoesAndNothingElse) {
  JobReport report;
  const absl::Status status = vault_.Run(&report);
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(report.archived, 9);
  EXPECT_EQ(report.purged, 9);
  EXPECT_EQ(report.receipts.size(), 2u);
  ExpectFinished("at once");
  // One archive a month.
  const auto archives = vault_.Archived();
  ASSERT_THAT(archives, SizeIs(2));
  EXPECT_THAT(archives.begin()->first, HasSubstr("-2024-03-12-1.sba.age"));
  // Keys under which nothing stands go within a month: one session wrote each message here.
  EXPECT_EQ(vault_.Count("SELECT count(*) FROM chat_key"), 12);
  vault_.now += absl::Hours(24) * 20;
  ASSERT_TRUE(vault_.Run().ok());
  EXPECT_EQ(vault_.Count("SELECT count(*) FROM chat_key"), 12);
  vault_.now += absl::Hours(24) * 8;
  ASSERT_TRUE(vault_.Run().ok());
  EXPECT_EQ(vault_.Count("SELECT count(*) FROM chat_key"), 3);
  EXPECT_EQ(vault_.Count("SELECT count(*) FROM chat_wrap"), 3);
  EXPECT_EQ(vault_.Count("SELECT count(*) FROM archive_key"), 0);
  EXPECT_EQ(vault_.Fault(), "");
  // Its agent reads on what is young.
  auto mina = vault_.vault().Unlock("mina");
  EXPECT_THAT(testing::ChatSeenBy(*mina, vault_.contacts[0]),
              ElementsAre(RetentionVault::TextOf(vault_.contacts[0], 160)));
}

// More pieces than are read at once, and more keys than a frame has slots: each message came alone.
TEST_F(RetentionJobTest, SomebodyWithHundredsOfPiecesGoesWhole) {
  std::multiset<std::string> expected = Expired();
  {
    auto importer = vault_.vault().Unlock("service importer");
    for (int i = 0; i < 700; ++i) {
      const std::string text = absl::StrCat("piece ", i);
      const auto results = testing::WriteChats(
          *importer, {{.contact = vault_.contacts[1],
                       .messages = {testing::Message(
                           testing::kMonday + (2 + i % 9) * kDaySeconds + i, text)}}});
      ASSERT_TRUE(results.ok()) << results.status();
      expected.insert(text);
    }
  }
  ASSERT_GT(vault_.Count("SELECT count(*) FROM chat_key"), 600);
  ASSERT_TRUE(vault_.Run().ok());
  EXPECT_EQ(vault_.Live(), Young());
  EXPECT_EQ(vault_.AllArchived(0), expected);
  EXPECT_EQ(vault_.Fault(), "");
}

// A row that says of a young chunk that an archive has it deletes nothing.
// More bytes than are kept at once.
TEST_F(RetentionJobTest, SomebodyWithLargePiecesGoesWhole) {
  std::multiset<std::string> expected = Expired();
  std::string random(700'000, '\0');
  for (int i = 0; i < 12; ++i) {
    crypto::FillRandom({reinterpret_cast<std::uint8_t*>(random.data()), random.size()});
    const std::string text = absl::BytesToHexString(random);
    vault_.Write(vault_.contacts[i % 2], 2 + i % 5, text);
    expected.insert(text);
  }
  ASSERT_TRUE(vault_.Run().ok());
  EXPECT_TRUE(vault_.Live() == Young());
  EXPECT_TRUE(vault_.AllArchived() == expected);  // not printed where it fails
  EXPECT_EQ(vault_.Fault(), "");
}

TEST_F(RetentionJobTest, APlantedKeyOfAnotherDayPurgesNothing) {
  vault_.at = [&](absl::string_view step) {
    if (step != "verified") return;
    vault_.Alter(
        "INSERT OR IGNORE INTO archive_key (contact, day, sequence, run, session, due) "
        "SELECT contact, day, sequence, 1, session, 0 FROM chat WHERE day = (SELECT max(day) FROM "
        "chat)");
  };
  (void)vault_.Run();
  EXPECT_EQ(vault_.Live(), Young());
}

TEST_F(RetentionJobTest, ARunThatFindsNothingOpensNothingAndWritesNothing) {
  ASSERT_TRUE(vault_.Run().ok());
  const std::int64_t log = vault_.Count("SELECT count(*) FROM audit");
  const int opened = vault_.places[0].opened;
  JobReport report;
  ASSERT_TRUE(vault_.Run(&report).ok());
  EXPECT_TRUE(report.nothing_to_do);
  EXPECT_EQ(vault_.places[0].opened, opened);
  EXPECT_EQ(vault_.Count("SELECT count(*) FROM audit"), log);
}

TEST_F(RetentionJobTest, TheSameExportAgainAfterThePurgeAddsNothing) {
  ASSERT_TRUE(vault_.Run().ok());
  for (const ContactNumber contact : vault_.contacts) {
    const auto result = vault_.Write(contact, 0, RetentionVault::TextOf(contact, 0));
    EXPECT_EQ(result.duplicates, 1u);
    EXPECT_EQ(result.added, 0u);
  }
  ExpectFinished("an old export came once more");
}

TEST_F(RetentionJobTest, ALimitStopsAfterThatManyMessages) {
  vault_.limit = 4;
  JobReport report;
  ASSERT_TRUE(vault_.Run(&report).ok());
  EXPECT_EQ(report.archived, 4);
  ExpectNothingLost("a limit");
  vault_.limit = 0;
  ASSERT_TRUE(vault_.Run().ok());
  ExpectFinished("without a limit");
}

TEST_F(RetentionJobTest, LabelsHaveDaysOfTheirOwn) {
  vault_.rules["warranty"] = {.chats = 3650, .archives = 3650};
  vault_.rules["short"] = {.chats = 5, .archives = 30};
  vault_.Mark(vault_.contacts[0], records::SubjectMark::kLabel, "warranty");
  vault_.Mark(vault_.contacts[1], records::SubjectMark::kLabel, "short");
  // One that the policy has no more: as without one.
  vault_.Mark(vault_.contacts[2], records::SubjectMark::kLabel, "gone");
  ASSERT_TRUE(vault_.Run().ok());
  std::multiset<std::string> live = Expired({vault_.contacts[0]});
  live.insert(RetentionVault::TextOf(vault_.contacts[0], 160));
  live.insert(RetentionVault::TextOf(vault_.contacts[2], 160));
  EXPECT_EQ(vault_.Live(), live);
  EXPECT_EQ(vault_.Fault(), "");
}

// ---- Killed, failing, lied to.

// The steps of a run, by name.
std::vector<std::string> StepsOf(RetentionVault& vault) {
  std::vector<std::string> steps;
  vault.at = [&](absl::string_view step) { steps.emplace_back(step); };
  EXPECT_TRUE(vault.Run().ok());
  vault.at = nullptr;
  return steps;
}

// Runs in a process of its own, which is killed at the n-th step.
void RunKilledAt(RetentionVault& vault, std::size_t n) {
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    std::size_t seen = 0;
    vault.at = [&](absl::string_view) {
      if (++seen == n) kill(getpid(), SIGKILL);
    };
    (void)vault.Run();
    _exit(0);
  }
  int how = 0;
  ASSERT_EQ(waitpid(child, &how, 0), child);
  ASSERT_TRUE(WIFSIGNALED(how) && WTERMSIG(how) == SIGKILL) << "step " << n << " never came";
}

TEST(RetentionKillTest, AtEachStepNothingIsLostAndTheNextRunFinishes) {
  std::vector<std::string> steps;
  {
    RetentionVault vault;
    vault.WriteAll();
    steps = StepsOf(vault);
  }
  // Those that a crash can leave things at; scripts/kill_test kills at any moment besides.
  for (const char* name : {"connect", "plan", "planned", "spool", "spooled", "probe", "shard",
                           "upload", "signature", "uploaded", "verify", "verified", "purge",
                           "purge batch", "truncate", "done", "checkpoint"}) {
    EXPECT_THAT(steps, Contains(name));
  }
  const char* all = getenv("SEALBOOK_KILL_EVERY_STEP");
  std::set<std::string> done;
  for (std::size_t n = 1; n <= steps.size(); ++n) {
    if (all == nullptr && !done.insert(steps[n - 1]).second) continue;
    const std::string when = absl::StrCat("killed at step ", n, ", ", steps[n - 1]);
    SCOPED_TRACE(when);
    RetentionVault vault;
    vault.WriteAll();
    RunKilledAt(vault, n);
    std::multiset<std::string> seen = vault.Live();
    for (const std::string& text : vault.AllArchived()) seen.insert(text);
    std::multiset<std::string> expected, young;
    for (const ContactNumber contact : vault.contacts) {
      for (const int day : {0, 1, 25}) expected.insert(RetentionVault::TextOf(contact, day));
      young.insert(RetentionVault::TextOf(contact, 160));
    }
    for (const std::string& text : expected) EXPECT_TRUE(seen.contains(text)) << text;
    EXPECT_EQ(vault.Fault(), "");
    const absl::Status again = vault.Run();
    ASSERT_TRUE(again.ok()) << again;
    EXPECT_EQ(vault.Live(), young);
    EXPECT_EQ(vault.AllArchived(), expected);
    EXPECT_EQ(vault.Fault(), "");
    EXPECT_EQ(vault.Count("SELECT count(*) FROM archive_key WHERE due >= 0"), 0);
    EXPECT_TRUE(std::filesystem::is_empty(vault.vault().directory() + "/spool"));
  }
}

// A full disk, a fault of the database: here, whatever is spoken to at that moment.
TEST_F(RetentionJobTest, WhatFailsHereIsNotTheDestinations) {
  ASSERT_TRUE(vault_.Run().ok());
  const int calls = static_cast<int>(vault_.places[0].lies->calls.size());
  for (const absl::Status& here :
       {absl::ResourceExhaustedError("the disk is full"), absl::InternalError("the database")}) {
    for (int call = 1; call <= calls; call += 3) {
      SCOPED_TRACE(absl::StrCat(here.ToString(), " from call ", call));
      RetentionVault vault;
      vault.WriteAll();
      vault.places[0].lies->fail_at_call = call;
      vault.places[0].lies->failure = here;
      EXPECT_EQ(vault.Run().code(), here.code());
    }
  }
}

TEST_F(RetentionJobTest, ADestinationThatFailsAtEachCallOnlyPutsItOff) {
  int calls = 0;
  {
    RetentionVault whole;
    whole.WriteAll();
    ASSERT_TRUE(whole.Run().ok());
    calls = static_cast<int>(whole.places[0].lies->calls.size());
  }
  ASSERT_GT(calls, 20);
  // One vault: each run gets one call further than the one before, or as far.
  for (int call = 1; call <= calls; call += 3) {
    SCOPED_TRACE(absl::StrCat("gone from call ", call));
    vault_.places[0].lies->calls.clear();
    vault_.places[0].lies->fail_at_call = call;
    const absl::Status status = vault_.Run();
    if (!status.ok()) {
      EXPECT_TRUE(archive::WorthRetrying(status)) << status;
    }
    ExpectNothingLost(absl::StrCat("gone from call ", call));
  }
  vault_.places[0].lies->fail_at_call = std::nullopt;
  const absl::Status status = vault_.Run();
  ASSERT_TRUE(status.ok()) << status;
  ExpectFinished("back again");
}

TEST_F(RetentionJobTest, WhoKeepsHalfOfWhatItIsGivenIsFoundOut) {
  vault_.places[0].lies->keeps_bytes = 700;
  JobReport report;
  const absl::Status status = vault_.Run(&report);
  EXPECT_FALSE(status.ok());
  EXPECT_EQ(report.purged, 0);
  ExpectNothingLost("cut");
  EXPECT_EQ(vault_.Live().size(), 12u);
  vault_.places[0].lies->keeps_bytes = std::nullopt;
  const absl::Status again = vault_.Run();
  ASSERT_TRUE(again.ok()) << again;
  ExpectFinished("honest again");
}

TEST_F(RetentionJobTest, ABitThatTurnsAtTheDestinationIsFoundOut) {
  // Every file there that is an archive.
  vault_.at = [&](absl::string_view step) {
    if (step != "verify") return;
    for (const auto& file : std::filesystem::directory_iterator(vault_.places[0].folder)) {
      const std::string name = file.path().filename().string();
      if (archive::ParseArchiveName(name)) vault_.places[0].lies->flips.insert(name);
    }
  };
  JobReport report;
  const absl::Status status = vault_.Run(&report);
  EXPECT_THAT(std::string(status.message()), HasSubstr("file://"));
  EXPECT_EQ(report.purged, 0);
  EXPECT_EQ(vault_.Live().size(), 12u);
  vault_.at = nullptr;
  vault_.places[0].lies->flips.clear();
  ASSERT_TRUE(vault_.Run().ok());
  ExpectFinished("honest again");
}

TEST_F(RetentionJobTest, AnOldFileInThePlaceOfTheNewOneIsFoundOut) {
  vault_.limit = 3;
  ASSERT_TRUE(vault_.Run().ok());
  vault_.limit = 0;
  std::string first;
  for (const auto& [name, texts] : vault_.Archived()) first = name;
  vault_.at = [&](absl::string_view step) {
    if (step != "verify") return;
    for (const auto& file : std::filesystem::directory_iterator(vault_.places[0].folder)) {
      const std::string name = file.path().filename().string();
      if (archive::ParseArchiveName(name) && name != first) {
        vault_.places[0].lies->gives_file[name] = first;
        vault_.places[0].lies->gives_file[name + ".sig"] = first + ".sig";
      }
    }
  };
  JobReport report;
  EXPECT_FALSE(vault_.Run(&report).ok());
  EXPECT_EQ(report.purged, 0);
  vault_.at = nullptr;
  vault_.places[0].lies->gives_file.clear();
  ASSERT_TRUE(vault_.Run().ok());
  ExpectFinished("honest again");
}

TEST_F(RetentionJobTest, FullOrReadOnlyNothingIsPurged) {
  for (const bool full : {true, false}) {
    vault_.places[0].lies->full = full;
    vault_.places[0].lies->read_only = !full;
    JobReport report;
    EXPECT_FALSE(vault_.Run(&report).ok());
    EXPECT_EQ(report.purged, 0);
    EXPECT_FALSE(report.troubles.empty());
    EXPECT_EQ(vault_.Live().size(), 12u);
  }
  vault_.places[0].lies->read_only = false;
  vault_.places[0].lies->free_bytes = 10;
  EXPECT_FALSE(vault_.Run().ok());
  EXPECT_EQ(vault_.Live().size(), 12u);
  vault_.places[0].lies->free_bytes = std::nullopt;
  ASSERT_TRUE(vault_.Run().ok());
  ExpectFinished("room again");
}

TEST_F(RetentionJobTest, WhereNobodyCouldBeErasedNothingIsPurged) {
  vault_.places[0].lies->may_not_delete = true;
  JobReport report;
  const absl::Status status = vault_.Run(&report);
  EXPECT_THAT(std::string(status.message()), HasSubstr("erased"));
  EXPECT_EQ(report.purged, 0);
  // Says yes, and keeps it.
  vault_.places[0].lies->may_not_delete = false;
  vault_.places[0].lies->keeps_deleted = true;
  EXPECT_FALSE(vault_.Run().ok());
  EXPECT_EQ(vault_.Live().size(), 12u);
  vault_.places[0].lies->keeps_deleted = false;
  ASSERT_TRUE(vault_.Run().ok());
  ExpectFinished("deleting again");
}

TEST_F(RetentionJobTest, ANameThatIsTakenIsLeftToItsFile) {
  auto owner = vault_.vault().Unlock("owner");
  const std::string name = archive::ArchiveName({.vault = owner->roster().vault,
                                                 .run = 1,
                                                 .first_day = records::DayOf(testing::kMonday),
                                                 .last_day = records::DayOf(testing::kMonday) + 1});
  owner.reset();
  std::filesystem::create_directories(vault_.places[0].folder);
  const std::string path = vault_.places[0].folder + "/" + name;
  std::ofstream(path) << "somebody else's";
  const absl::Status status = vault_.Run();
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(std::filesystem::file_size(path), 15u);
  ExpectFinished("a name was taken");
}

TEST_F(RetentionJobTest, ASpoolThatWasDamagedIsWrittenAgain) {
  bool once = false;
  vault_.at = [&](absl::string_view step) {
    if (step != "spooled" || std::exchange(once, true)) return;
    for (const auto& file :
         std::filesystem::directory_iterator(vault_.vault().directory() + "/spool")) {
      std::fstream out(file.path(), std::ios::in | std::ios::out | std::ios::binary);
      out.seekp(300);
      out << "damage";
    }
  };
  const absl::Status status = vault_.Run();
  ASSERT_TRUE(status.ok()) << status;
  ExpectFinished("a damaged spool");
}

// ---- What happens meanwhile.

TEST_F(RetentionJobTest, AMessageThatArrivesLateForAnArchivedDaySurvives) {
  bool once = false;
  vault_.at = [&](absl::string_view step) {
    if (step != "upload" || std::exchange(once, true)) return;
    EXPECT_EQ(vault_.Write(vault_.contacts[0], 0, "late").added, 1u);
  };
  ASSERT_TRUE(vault_.Run().ok());
  EXPECT_FALSE(vault_.AllArchived().contains("late") && vault_.Live().contains("late"));
  EXPECT_TRUE(vault_.AllArchived().contains("late") || vault_.Live().contains("late"));
  ASSERT_TRUE(vault_.Run().ok());
  EXPECT_EQ(vault_.AllArchived().count("late"), 1u);
  EXPECT_EQ(vault_.Live(), Young());
  EXPECT_EQ(vault_.Fault(), "");
}

TEST_F(RetentionJobTest, AMessageThatArrivesLateForAPurgedDayIsAnotherOne) {
  ASSERT_TRUE(vault_.Run().ok());
  // Before the purged one's chat key was swept, and after.
  EXPECT_EQ(vault_.Write(vault_.contacts[0], 0, "late").added, 1u);
  EXPECT_EQ(vault_.Live().count("late"), 1u);
  EXPECT_EQ(vault_.Fault(), "");
  ASSERT_TRUE(vault_.Run().ok());
  EXPECT_EQ(vault_.AllArchived().count("late"), 1u);
  EXPECT_EQ(vault_.Live(), Young());
  vault_.now += absl::Hours(24) * 30;
  ASSERT_TRUE(vault_.Run().ok());
  EXPECT_EQ(vault_.Count("SELECT count(*) FROM archive_key"), 0);
  EXPECT_EQ(vault_.Write(vault_.contacts[0], 0, "later").added, 1u);
  ASSERT_TRUE(vault_.Run().ok());
  EXPECT_EQ(vault_.AllArchived().count("later"), 1u);
  EXPECT_EQ(vault_.AllArchived().count("late"), 1u);
  EXPECT_EQ(vault_.Live().count("later"), 0u);
  EXPECT_EQ(vault_.Fault(), "");
}

TEST_F(RetentionJobTest, AHoldSetBetweenSpoolAndPurgeKeepsAndAfterwardsNothingIsArchivedTwice) {
  const ContactNumber held = vault_.contacts[1];
  bool once = false;
  vault_.at = [&](absl::string_view step) {
    if (step != "verify" || std::exchange(once, true)) return;
    vault_.Mark(held, records::SubjectMark::kHold);
  };
  JobReport report;
  ASSERT_TRUE(vault_.Run(&report).ok());
  std::multiset<std::string> live = Young();
  for (const std::string& text : Expired({held})) live.insert(text);
  EXPECT_EQ(vault_.Live(), live);
  EXPECT_EQ(vault_.Fault(), "");
  JobReport idle;
  ASSERT_TRUE(vault_.Run(&idle).ok());
  EXPECT_EQ(idle.purged, 0);
  EXPECT_EQ(vault_.Live(), live);
  vault_.Release(held);
  JobReport released;
  ASSERT_TRUE(vault_.Run(&released).ok());
  EXPECT_GT(released.purged, 0);
  ExpectFinished("released");
}

TEST_F(RetentionJobTest, ADrainingKeepsWhatIsArchivedApart) {
  const ContactNumber held = vault_.contacts[1];
  vault_.at = [&](absl::string_view step) {
    if (step == "verify") vault_.Mark(held, records::SubjectMark::kHold);
  };
  ASSERT_TRUE(vault_.Run().ok());
  vault_.at = nullptr;
  vault_.Write(held, 0, "late");
  // Whoever leaves takes keys: all of the root's chats are written again.
  ASSERT_TRUE(vault_.vault().AddMember("hana", "admin").ok());
  {
    auto owner = vault_.vault().Unlock("owner");
    ASSERT_TRUE(keyring::DisableMember(*owner, "hana").ok());
    records::DrainReport report;
    const absl::Status drained =
        records::Drain(*owner, {.identifiers_of = &testing::TestVault::IdentifiersOf}, report);
    ASSERT_TRUE(drained.ok()) << drained;
  }
  EXPECT_EQ(vault_.Fault(), "");
  vault_.Release(held);
  ASSERT_TRUE(vault_.Run().ok());
  EXPECT_EQ(vault_.Live(), Young());
  EXPECT_EQ(vault_.AllArchived().count("late"), 1u);
  EXPECT_EQ(vault_.AllArchived().size(), Expired().size() + 1);
  EXPECT_EQ(vault_.Fault(), "");
}

TEST_F(RetentionJobTest, WhoIsErasedDuringTheUploadIsInNoArchive) {
  const ContactNumber gone = vault_.contacts[2];
  archive::Erased erased;
  bool once = false;
  vault_.at = [&](absl::string_view step) {
    if (step != "upload" || std::exchange(once, true)) return;
    auto one = vault_.Erase(gone);
    ASSERT_TRUE(one.ok()) << one.status();
    erased = *std::move(one);
  };
  ASSERT_TRUE(vault_.Run().ok());
  EXPECT_THAT(erased.archives, SizeIs(1));
  EXPECT_THAT(erased.pending, ElementsAre(vault_.places[0].url));
  ASSERT_TRUE(vault_.Run().ok());
  EXPECT_EQ(vault_.AllArchived(), Expired({vault_.contacts[0], vault_.contacts[1]}));
  EXPECT_EQ(vault_.Live().count(RetentionVault::TextOf(gone, 160)), 0u);
  EXPECT_EQ(vault_.Fault(), "");
  // One version of the shard, and the tombstone.
  std::vector<std::string> shards;
  for (const auto& file :
       std::filesystem::directory_iterator(vault_.places[0].folder + "/subjects")) {
    shards.push_back(file.path().filename().string());
  }
  EXPECT_THAT(shards, SizeIs(1));
  EXPECT_TRUE(
      std::filesystem::exists(absl::StrCat(vault_.places[0].folder, "/tombstones/", erased.token)));
  EXPECT_EQ(vault_.Count("SELECT count(*) FROM tombstone WHERE confirmed = 1"), 1);
}

// The shard that was about to go is an old one then: the new one goes before the archive all the
// same.
TEST_F(RetentionJobTest, AnErasureWhileShardsGoLeavesNoArchiveWithoutKeys) {
  bool erased = false;
  std::optional<std::multiset<std::string>> readable;
  vault_.at = [&](absl::string_view step) {
    if (step == "probe" && !erased) {
      erased = true;
      ASSERT_TRUE(vault_.Erase(vault_.contacts[1]).ok());
    }
    if (step == "purge" && !readable) readable = vault_.AllArchived();
  };
  ASSERT_TRUE(vault_.Run().ok());
  ASSERT_TRUE(erased);
  std::multiset<std::string> march;
  for (const ContactNumber contact : {vault_.contacts[0], vault_.contacts[2]})
    for (const int day : {0, 1}) march.insert(RetentionVault::TextOf(contact, day));
  EXPECT_EQ(readable, march);
}

TEST_F(RetentionJobTest, AnErasureReachesADestinationThatWasAwayLater) {
  ASSERT_TRUE(vault_.Run().ok());
  const ContactNumber gone = vault_.contacts[0];
  const auto erased = vault_.Erase(gone);
  ASSERT_TRUE(erased.ok()) << erased.status();
  EXPECT_THAT(erased->archives, SizeIs(2));
  // Here at once; there still.
  EXPECT_EQ(vault_.AllArchived(), Expired());
  vault_.places[0].lies->calls.clear();
  vault_.places[0].lies->fail_at_call = 1;
  JobReport away;
  EXPECT_FALSE(vault_.Run(&away).ok());
  vault_.places[0].lies->fail_at_call = std::nullopt;
  JobReport back;
  ASSERT_TRUE(vault_.Run(&back).ok());
  EXPECT_EQ(back.pending_erasures, 0);
  ASSERT_THAT(back.confirmed, SizeIs(1));
  EXPECT_EQ(back.confirmed[0].first, erased->token);
  EXPECT_EQ(vault_.AllArchived(), Expired({vault_.contacts[1], vault_.contacts[2]}));
  EXPECT_EQ(vault_.Fault(), "");
}

TEST_F(RetentionJobTest, NobodyBringsBackWhoWasErased) {
  ASSERT_TRUE(vault_.Erase(vault_.contacts[0]).ok());
  auto importer = vault_.vault().Unlock("service importer");
  const auto again =
      testing::TestVault::Import(*importer, {testing::TestVault::Draft("11112222")}, {});
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ((*again)[0].outcome, records::DraftResult::Outcome::kSuppressed);
  // Nor by another's number beside it.
  records::ContactDraft mixed = testing::TestVault::Draft("77778888");
  mixed.identifiers.push_back({IdentifierKind::kPhone, "+821011112222"});
  const auto merged = testing::TestVault::Import(*importer, {mixed}, {});
  ASSERT_TRUE(merged.ok());
  EXPECT_EQ((*merged)[0].outcome, records::DraftResult::Outcome::kSuppressed);
  EXPECT_EQ(vault_.Fault(), "");
}

TEST_F(RetentionJobTest, WhoIsOnHoldIsNotErased) {
  vault_.Mark(vault_.contacts[0], records::SubjectMark::kHold);
  EXPECT_TRUE(absl::IsFailedPrecondition(vault_.Erase(vault_.contacts[0]).status()));
  vault_.Release(vault_.contacts[0]);
  EXPECT_TRUE(vault_.Erase(vault_.contacts[0]).ok());
}

// ---- Several destinations.

TEST_F(RetentionJobTest, AtAllDestinationsOrAtAQuorum) {
  vault_.AddPlace("two");
  vault_.places[1].lies->fail_at_call = 1;
  JobReport all;
  EXPECT_FALSE(vault_.Run(&all).ok());
  EXPECT_EQ(all.purged, 0);
  EXPECT_EQ(vault_.Live().size(), 12u);
  vault_.quorum = 1;
  JobReport one;
  // It is a trouble all the same, and the others go on.
  EXPECT_FALSE(vault_.Run(&one).ok());
  EXPECT_EQ(one.purged, 9);
  EXPECT_EQ(vault_.Live(), Young());
  EXPECT_EQ(vault_.AllArchived(0), Expired());
  EXPECT_THAT(vault_.AllArchived(1), IsEmpty());
  EXPECT_EQ(vault_.Fault(), "");
  vault_.places[1].lies->fail_at_call = std::nullopt;
  const absl::Status back = vault_.Run();
  ASSERT_TRUE(back.ok()) << back;
  ExpectFinished("the second is back");
}

// ---- Refusals.

TEST_F(RetentionJobTest, AVaultPutBackToAnOlderStatePurgesNothing) {
  const std::string directory = vault_.vault().directory();
  std::filesystem::copy(directory, directory + "-old", std::filesystem::copy_options::recursive);
  ASSERT_TRUE(vault_.Run().ok());
  std::filesystem::remove_all(directory);
  std::filesystem::rename(directory + "-old", directory);
  // On a machine that never saw the newer one.
  setenv("XDG_STATE_HOME", (vault_.vault().root() + "/other-state").c_str(), 1);
  JobReport report;
  const absl::Status status = vault_.Run(&report);
  EXPECT_TRUE(absl::IsDataLoss(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("older"));
  EXPECT_EQ(report.purged, 0);
  EXPECT_EQ(vault_.Live().size(), 12u);
}

TEST_F(RetentionJobTest, ChatsThatDoNotCountStayAndTheOthersGo) {
  vault_.Alter(absl::StrCat("DELETE FROM subject WHERE contact = ", vault_.contacts[1]));
  JobReport report;
  const absl::Status status = vault_.Run(&report);
  EXPECT_TRUE(absl::IsDataLoss(status)) << status;
  EXPECT_EQ(vault_.AllArchived(), Expired({vault_.contacts[0], vault_.contacts[2]}));
  EXPECT_EQ(
      vault_.Count(absl::StrCat("SELECT count(*) FROM chat WHERE contact = ", vault_.contacts[1])),
      4);
}

TEST_F(RetentionJobTest, AStateThatSomebodyWroteIntoTheFilePurgesNothing) {
  vault_.at = [&](absl::string_view step) {
    if (step == "spooled") vault_.Alter("UPDATE archive SET state = 4");
    if (step == "upload") vault_.places[0].lies->fail_at_call = 1;
  };
  JobReport report;
  EXPECT_FALSE(vault_.Run(&report).ok());
  EXPECT_EQ(report.purged, 0);
  EXPECT_EQ(vault_.Live().size(), 12u);
}

TEST_F(RetentionJobTest, TheSignatureInTheVaultIsLookedAt) {
  vault_.at = [&](absl::string_view step) {
    if (step == "spooled")
      vault_.Alter("UPDATE archive SET signature = zeroblob(length(signature))");
  };
  EXPECT_TRUE(absl::IsDataLoss(vault_.Run()));
  EXPECT_EQ(vault_.Live().size(), 12u);
  EXPECT_THAT(vault_.Fault(), HasSubstr("retention"));
}

TEST_F(RetentionJobTest, TwoAtOnceAreOneAndOneThatIsTold) {
  absl::Status second;
  vault_.at = [&](absl::string_view step) {
    if (step != "upload" || !second.ok()) return;
    const auto at = std::exchange(vault_.at, nullptr);
    second = vault_.Run();
  };
  ASSERT_TRUE(vault_.Run().ok());
  EXPECT_TRUE(absl::IsUnavailable(second)) << second;
  ExpectFinished("two at once");
}

TEST_F(RetentionJobTest, WithoutAPermitOrAProofNothingIsPurged) {
  auto keyring = vault_.vault().Unlock("service retention");
  const PurgePermit old =
      policies::PermitIssuer::Purge(keyring->bundle().member, vault_.now - absl::Hours(48));
  archive::RetentionJob job(*keyring, old, vault_.Options());
  JobReport report;
  EXPECT_TRUE(absl::IsPermissionDenied(job.Run(report)));
  EXPECT_EQ(vault_.Live().size(), 12u);
  const PurgePermit permit = policies::PermitIssuer::Purge(keyring->bundle().member, vault_.now);
  store::ArchiveRow row;
  ASSERT_TRUE(*keyring->store().GetArchive(1, row));
  const auto signature = archive::SignatureOf(*keyring, row);
  ASSERT_TRUE(signature.ok());
  EXPECT_TRUE(absl::IsFailedPrecondition(
      archive::PurgeArchived(*keyring, permit, *signature, {}, {.today = 20'000}, vault_.now)
          .status()));
}

// ---- Afterwards.

TEST_F(RetentionJobTest, ArchivesAreDestroyedWhenTheirDaysAreOver) {
  ASSERT_TRUE(vault_.Run().ok());
  vault_.Mark(vault_.contacts[1], records::SubjectMark::kHold);
  vault_.now += absl::Hours(24) * 1095;
  JobReport early;
  (void)vault_.Run(&early);
  EXPECT_THAT(early.destroyed, IsEmpty());
  vault_.now += absl::Hours(24);
  JobReport held;
  (void)vault_.Run(&held);
  EXPECT_THAT(held.destroyed, IsEmpty());
  vault_.Release(vault_.contacts[1]);
  vault_.places[0].lies->may_not_delete = true;
  JobReport due;
  (void)vault_.Run(&due);
  EXPECT_THAT(due.destroyed, IsEmpty());
  EXPECT_FALSE(due.due.empty());
  vault_.places[0].lies->may_not_delete = false;
  JobReport report;
  const absl::Status status = vault_.Run(&report);
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_THAT(report.destroyed, SizeIs(2));
  EXPECT_EQ(vault_.AllArchived().count(RetentionVault::TextOf(vault_.contacts[0], 0)), 0u);
  // Its tags went with it: what is imported now is new.
  EXPECT_EQ(
      vault_.Write(vault_.contacts[0], 0, RetentionVault::TextOf(vault_.contacts[0], 0)).added, 1u);
  EXPECT_EQ(vault_.Fault(), "");
}

TEST_F(RetentionJobTest, RestoredChatsAreThereForAWhileAndAreNotArchivedTwice) {
  ASSERT_TRUE(vault_.Run().ok());
  const ContactNumber contact = vault_.contacts[0];
  auto owner = vault_.vault().Unlock("owner");
  const records::ChatOwner whose{.contact = contact,
                                 .token = testing::TestVault::TokenOf(*owner, contact)};
  const std::int32_t today = archive::DayOfTime(vault_.now);
  for (int time = 0; time < 2; ++time) {
    const auto restorer = archive::ChatRestorer::Open(*owner, 1, today + 90);
    ASSERT_TRUE(restorer.ok()) << restorer.status();
    ASSERT_TRUE((*restorer)->BeginContact(whose).ok());
    for (const int day : {0, 1}) {
      ASSERT_TRUE((*restorer)
                      ->Add({.time = testing::kMonday + day * kDaySeconds,
                             .text = RetentionVault::TextOf(contact, day)})
                      .ok());
    }
    ASSERT_TRUE((*restorer)->EndContact().ok());
    EXPECT_EQ((*restorer)->report().messages, time == 0 ? 2 : 0);
    EXPECT_EQ((*restorer)->report().already, time == 0 ? 0 : 2);
  }
  owner.reset();
  auto mina = vault_.vault().Unlock("mina");
  EXPECT_THAT(testing::ChatSeenBy(*mina, contact), SizeIs(3));
  mina.reset();
  ASSERT_TRUE(vault_.Run().ok());
  EXPECT_EQ(vault_.Live().size(), 5u);
  EXPECT_EQ(vault_.Fault(), "");
  vault_.now += absl::Hours(24) * 91;
  ASSERT_TRUE(vault_.Run().ok());
  EXPECT_THAT(vault_.Live(), IsEmpty());
  for (const auto& [texts, count] : std::map<std::string, std::size_t>{
           {RetentionVault::TextOf(contact, 0),
            vault_.AllArchived().count(RetentionVault::TextOf(contact, 0))}}) {
    EXPECT_EQ(count, 1u) << texts;
  }
  EXPECT_EQ(vault_.Fault(), "");
}

// Somebody restores from it while it is taken away: what is here then belongs to no archive, and
// so goes its way again, and not to stay for ever.
TEST_F(RetentionJobTest, WhatIsRestoredWhileItsArchiveIsDestroyedIsArchivedAgain) {
  ASSERT_TRUE(vault_.Run().ok());
  const ContactNumber contact = vault_.contacts[0];
  vault_.now += absl::Hours(24) * 1100;
  bool restored = false;
  vault_.at = [&](absl::string_view step) {
    if (step != "destroy" || restored) return;
    restored = true;
    auto owner = vault_.vault().Unlock("owner");
    const records::ChatOwner whose{.contact = contact,
                                   .token = testing::TestVault::TokenOf(*owner, contact)};
    const auto restorer =
        archive::ChatRestorer::Open(*owner, 1, archive::DayOfTime(vault_.now) + 90);
    ASSERT_TRUE(restorer.ok()) << restorer.status();
    ASSERT_TRUE((*restorer)->BeginContact(whose).ok());
    ASSERT_TRUE((*restorer)->Add({.time = testing::kMonday, .text = "restored"}).ok());
    ASSERT_TRUE((*restorer)->EndContact().ok());
  };
  JobReport report;
  ASSERT_TRUE(vault_.Run(&report).ok());
  ASSERT_TRUE(restored);
  EXPECT_THAT(report.destroyed, SizeIs(2));
  EXPECT_EQ(vault_.Fault(), "");
  JobReport next;
  ASSERT_TRUE(vault_.Run(&next).ok());
  EXPECT_EQ(next.purged, 1);
  EXPECT_EQ(vault_.AllArchived().count("restored"), 1u);
  EXPECT_THAT(vault_.Live(), IsEmpty());
  EXPECT_EQ(vault_.Fault(), "");
}

TEST_F(RetentionJobTest, WhoWasErasedIsNotRestored) {
  ASSERT_TRUE(vault_.Run().ok());
  auto owner = vault_.vault().Unlock("owner");
  const records::ChatOwner whose{.contact = vault_.contacts[0],
                                 .token = testing::TestVault::TokenOf(*owner, vault_.contacts[0])};
  owner.reset();
  ASSERT_TRUE(vault_.Erase(vault_.contacts[0]).ok());
  owner = vault_.vault().Unlock("owner");
  const auto restorer = archive::ChatRestorer::Open(*owner, 1, 0);
  ASSERT_TRUE(restorer.ok());
  EXPECT_TRUE(absl::IsNotFound((*restorer)->BeginContact(whose)));
}

// ---- Found by a review (docs/reviews/0004): each of these failed before.

TEST_F(RetentionJobTest, WhatIsPurgedIsNeverTakenAwayFromADestination) {
  vault_.AddPlace("two");
  vault_.quorum = 1;
  vault_.places[1].lies->fail_at_call = 1;
  EXPECT_FALSE(vault_.Run().ok());
  EXPECT_EQ(vault_.Live(), Young());
  // The next night a bit turns where the only copy stands.
  for (const auto& [name, texts] : vault_.Archived(0)) vault_.places[0].lies->flips.insert(name);
  EXPECT_FALSE(vault_.Run().ok());
  vault_.places[0].lies->flips.clear();
  vault_.places[1].lies->fail_at_call = std::nullopt;
  EXPECT_EQ(vault_.AllArchived(0), Expired());
  ASSERT_TRUE(vault_.Run().ok());
  ExpectFinished("a bit turned for a night");
}

TEST_F(RetentionJobTest, ACopyThatAnOperatorMadeIsTaken) {
  vault_.AddPlace("two");
  vault_.quorum = 1;
  vault_.places[1].lies->fail_at_call = 1;
  EXPECT_FALSE(vault_.Run().ok());
  // From the one to the other by hand, and the second is back.
  for (const auto& [name, texts] : vault_.Archived(0)) {
    std::filesystem::create_directories(vault_.places[1].folder);
    std::filesystem::copy(vault_.places[0].folder + "/" + name,
                          vault_.places[1].folder + "/" + name);
  }
  vault_.places[1].lies->fail_at_call = std::nullopt;
  const absl::Status status = vault_.Run();
  ASSERT_TRUE(status.ok()) << status;
  ExpectFinished("copied by hand");
}

TEST_F(RetentionJobTest, AnErasureIsNotConfirmedWhereAPlaceThatThePolicyLeftHasTheShard) {
  ASSERT_TRUE(vault_.Run().ok());
  vault_.AddPlace("two");
  const auto first = vault_.places[0];
  vault_.places.erase(vault_.places.begin());
  ASSERT_TRUE(vault_.Erase(vault_.contacts[0]).ok());
  JobReport report;
  ASSERT_TRUE(vault_.Run(&report).ok());
  EXPECT_THAT(report.confirmed, IsEmpty());
  EXPECT_EQ(report.pending_erasures, 1);
  JobReport idle;
  ASSERT_TRUE(vault_.Run(&idle).ok());
  EXPECT_TRUE(idle.nothing_to_do);
  vault_.places.insert(vault_.places.begin(), first);
  JobReport back;
  ASSERT_TRUE(vault_.Run(&back).ok());
  EXPECT_THAT(back.confirmed, SizeIs(1));
}

TEST_F(RetentionJobTest, AnErasureDoesNotBelieveWhatTheVaultRemembersOfItsShards) {
  ASSERT_TRUE(vault_.Run().ok());
  vault_.Alter("UPDATE subject_shard SET contacts = zeroblob(128)");
  ASSERT_TRUE(vault_.Erase(vault_.contacts[0]).ok());
  JobReport report;
  ASSERT_TRUE(vault_.Run(&report).ok());
  EXPECT_THAT(report.confirmed, SizeIs(1));
  EXPECT_EQ(vault_.AllArchived().count(RetentionVault::TextOf(vault_.contacts[0], 0)), 0u);
  std::vector<std::string> shards;
  for (const auto& file :
       std::filesystem::directory_iterator(vault_.places[0].folder + "/subjects")) {
    shards.push_back(file.path().filename().string());
  }
  EXPECT_THAT(shards, ElementsAre("000000.v2"));
}

TEST_F(RetentionJobTest, AShardThatIsSomebodyElsesStays) {
  std::filesystem::create_directories(vault_.places[0].folder + "/subjects");
  const std::string strange = vault_.places[0].folder + "/subjects/000000.v1";
  std::ofstream(strange) << "another vault's";
  const absl::Status status = vault_.Run();
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_TRUE(std::filesystem::exists(strange));
  ExpectFinished("another vault's shard");
}

TEST_F(RetentionJobTest, AnArchiveOfWhichSomethingIsHereIsNotDestroyed) {
  ASSERT_TRUE(vault_.Run().ok());
  vault_.now += absl::Hours(24) * 1090;
  ASSERT_TRUE(vault_.Run().ok());
  const ContactNumber contact = vault_.contacts[0];
  {
    auto owner = vault_.vault().Unlock("owner");
    const auto restorer =
        archive::ChatRestorer::Open(*owner, 1, archive::DayOfTime(vault_.now) + 90);
    ASSERT_TRUE(restorer.ok());
    ASSERT_TRUE((*restorer)
                    ->BeginContact(
                        {.contact = contact, .token = testing::TestVault::TokenOf(*owner, contact)})
                    .ok());
    ASSERT_TRUE((*restorer)->Add({.time = testing::kMonday, .text = "restored"}).ok());
    ASSERT_TRUE((*restorer)->EndContact().ok());
  }
  vault_.now += absl::Hours(24) * 20;
  JobReport report;
  ASSERT_TRUE(vault_.Run(&report).ok());
  EXPECT_THAT(report.destroyed, SizeIs(1));  // that of April
  vault_.now += absl::Hours(24) * 80;
  JobReport later;
  ASSERT_TRUE(vault_.Run(&later).ok());
  EXPECT_EQ(vault_.Live().count("restored"), 0u);
  ASSERT_TRUE(vault_.Run(&later).ok());
  EXPECT_EQ(vault_.Fault(), "");
}

TEST_F(RetentionJobTest, AnAlteredArchiveDoesNotStopTheOthers) {
  vault_.limit = 4;
  ASSERT_TRUE(vault_.Run().ok());
  vault_.limit = 0;
  vault_.Alter("UPDATE archive SET state = 5, signature = x'00' WHERE run = 1");
  JobReport report;
  const absl::Status status = vault_.Run(&report);
  EXPECT_TRUE(absl::IsDataLoss(status)) << status;
  EXPECT_GT(report.purged, 0);
  EXPECT_EQ(vault_.Live(), Young());
}

TEST_F(RetentionJobTest, WithOneOnHoldTheOthersNightsAreIdle) {
  vault_.Mark(vault_.contacts[0], records::SubjectMark::kHold);
  ASSERT_TRUE(vault_.Run().ok());
  JobReport idle;
  ASSERT_TRUE(vault_.Run(&idle).ok());
  EXPECT_TRUE(idle.nothing_to_do);
}

TEST_F(RetentionJobTest, AChunkThatSomebodyDeletedIsWaitedForNoLonger) {
  vault_.at = [&](absl::string_view step) {
    if (step == "verified")
      vault_.Alter(absl::StrCat("DELETE FROM chat WHERE contact = ", vault_.contacts[0]));
  };
  ASSERT_TRUE(vault_.Run().ok());
  vault_.at = nullptr;
  JobReport idle;
  ASSERT_TRUE(vault_.Run(&idle).ok());
  EXPECT_TRUE(idle.nothing_to_do);
}

// ---- What is planted.

TEST_F(RetentionJobTest, AHoldThatDoesNotCountHoldsAndIsTold) {
  vault_.Alter(
      absl::StrCat("INSERT INTO subject_mark VALUES (", vault_.contacts[0], ", 1, '', x'00')"));
  ASSERT_TRUE(vault_.Run().ok());
  EXPECT_EQ(vault_.Live().count(RetentionVault::TextOf(vault_.contacts[0], 0)), 1u);
  EXPECT_THAT(vault_.Fault(), HasSubstr("hold"));
}

TEST_F(RetentionJobTest, APlantedTombstoneAndAMissingContactAreTold) {
  vault_.Alter("INSERT INTO tombstone VALUES (99, 1234567897, 0, x'00', 0)");
  EXPECT_THAT(vault_.Fault(), HasSubstr("contacts"));
}

TEST_F(RetentionJobTest, AnAgentMayNotEraseHoldOrPurge) {
  auto mina = vault_.vault().Unlock("mina");
  auto transaction = mina->BeginWrite();
  ASSERT_TRUE(transaction.ok());
  EXPECT_TRUE(
      absl::IsPermissionDenied(records::PutMark(*mina, {.contact = vault_.contacts[0], .token = 1},
                                                records::SubjectMark::kHold, "", vault_.now)));
}

}  // namespace
}  // namespace sealbook
