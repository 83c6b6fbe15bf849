// subject hold, release, label, erase; and what stays of somebody who was erased.
#include <gmock/gmock.h>

#include "tests/support/retention_commands.h"

namespace sealbook::testing {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

class SubjectTest : public RetentionCommandTest {
 public:
  SubjectTest() {
    WriteChats();
    uid_ = UidOf(ChatPhones()[0]);
  }
  Ran Erase(Words more = {}, const std::string& member = "owner") {
    Words words = {"subject", "erase", uid_, "--reason", "asked by letter"};
    words.insert(words.end(), more.begin(), more.end());
    return As(member, words);
  }
  // By the keys that `receipt key` shows.
  Json Verified(const std::string& file) {
    const Json keys = Ask("owner", {"receipt", "key"})["keys"];
    Ran ran;
    for (const Json& key : keys) {
      ran = Run({"receipt", "verify", file, "--authority", key["key"].get<std::string>(), "--json"},
                {.environment = {{"SEALBOOK_VAULT", Path("no-vault")}}});
      if (ran.exit == 0) return ran.json();
    }
    ADD_FAILURE() << ran;
    return nullptr;
  }

 protected:
  std::string uid_;
};

TEST_F(SubjectTest, HoldReleaseAndLabel) {
  ExpectJsonError(As("owner", {"subject", "hold", uid_, "--json"}), 2, "usage");
  ExpectJsonError(
      As("owner", {"subject", "hold", uid_, "--reason", std::string(501, 'x'), "--json"}), 2,
      "usage");
  ExpectJsonError(As("owner", {"subject", "hold", NobodysToken(), "--reason", "court", "--json"}),
                  5, "not_found");
  ExpectJsonError(As("owner", {"subject", "hold", "Wang", "--reason", "court", "--json"}), 2,
                  "usage");
  ExpectJsonError(As("owner", {"subject", "release", uid_, "--json"}), 2, "usage");
  Json json = Ask("ada", {"subject", "hold", uid_, "--reason", "court order 12/3"});
  EXPECT_EQ(json["uid"], uid_);
  EXPECT_EQ(json["held"], true);
  // Nobody erases who is on hold.
  ExpectJsonError(Erase({"--json"}), 2, "usage");
  EXPECT_EQ(As("owner", {"show", uid_}).exit, 0);
  EXPECT_EQ(Ask("ada", {"subject", "release", uid_})["held"], false);
  const Ran unknown = As("owner", {"subject", "label", uid_, "gold"});
  ExpectError(unknown, 2);
  EXPECT_THAT(unknown.err, HasSubstr("retention.labels"));
  // The reason stands in the log, for those who read it.
  bool found = false;
  for (const Json& line : AuditLog({"--uid", uid_}))
    found = found || (line["act"] == "subject.hold" &&
                      line.dump().find("court order 12/3") != std::string::npos);
  EXPECT_TRUE(found);
  EXPECT_EQ(CountActs("subject.release"), 1);
  for (const char* member : {"mina", "sora", "audra", "importer", "cron"}) {
    for (const char* what : {"hold", "erase"}) {
      ExpectJsonError(As(member, {"subject", what, uid_, "--reason", "mine", "--json"}), 3,
                      "permission_denied");
    }
    ExpectJsonError(As(member, {"subject", "release", uid_, "--json"}), 3, "permission_denied");
    ExpectJsonError(As(member, {"subject", "label", uid_, "--json"}), 3, "permission_denied");
  }
  EXPECT_EQ(As("owner", {"show", uid_}).exit, 0);
}

TEST_F(SubjectTest, ErasedIsErasedEverywhere) {
  RunJob();
  // A list and chats from before, as somebody may have kept them.
  const Ran ran = Erase({"-o", Path("receipt.txt")});
  ASSERT_EQ(ran.exit, 0) << ran;
  EXPECT_THAT(ran.out, AllOf(HasSubstr("2 archives"), HasSubstr(Path("receipt.txt"))));
  EXPECT_EQ(ModeOf(Path("receipt.txt")), 0600u);

  // The receipts, checked without the vault.
  const Json receipt = Verified(Path("receipt.txt"));
  EXPECT_EQ(receipt["ok"], true);
  EXPECT_EQ(receipt["kind"], "erasure");
  EXPECT_FALSE(receipt["time"].get<std::string>().empty());
  EXPECT_EQ(Verified(Path("receipt.txt.confirmed"))["kind"], "erasure_confirmed");
  std::string forged = ReadFile(Path("receipt.txt"));
  forged.replace(forged.find("uid: UID_") + 9, 1,
                 forged[forged.find("uid: UID_") + 9] == '1' ? "2" : "1");
  Write("forged.txt", forged);
  const std::string key = Ask("owner", {"receipt", "key"})["keys"][0]["key"].get<std::string>();
  EXPECT_EQ(Run({"receipt", "verify", Path("forged.txt"), "--authority", key}).exit, 7);

  // Here: nobody.
  ExpectJsonError(As("owner", {"show", uid_, "--json"}), 5, "not_found");
  ExpectJsonError(As("mina", {"chat", "show", uid_, "--json"}), 5, "not_found");
  ExpectJsonError(As("owner", {"lookup", "--phone", ChatPhones()[0], "--json"}), 5, "not_found");
  ExpectJsonError(Erase({"--json"}), 5, "not_found");
  // In the archives: all but this one, who is told of.
  EXPECT_EQ(Archived(Path("nas/archives")), Texts({ChatPhones()[1], ChatPhones()[2]}, OldDays()));
  const std::string name = ArchiveNames()[0];
  const Ran rest = As("owner", {"archive", "read", name, "--identity", Identity()});
  EXPECT_EQ(rest.exit, 0) << rest;
  EXPECT_THAT(rest.err, HasSubstr("1 customer of this archive had been erased"));
  EXPECT_EQ(TextsOf(rest).size(), 4u);
  ExpectJsonError(
      As("owner", {"archive", "read", name, "--identity", Identity(), "--uid", uid_, "--json"}), 5,
      "not_found");
  const Json restored = Ask("owner", {"archive", "restore", name, "--identity", Identity()});
  EXPECT_EQ(restored["messages"], 4);
  EXPECT_EQ(restored["erased"], 1);
  // The archives themselves are as they were.
  EXPECT_EQ(Cron({"archive", "verify", "--remote"})["ok"], true);

  // What somebody kept does not bring this customer back, and says why.
  const Json list = Ask("owner", {"import", Path("list.csv"), "--book", "seoul"});
  EXPECT_EQ(list["imported"], 0);
  EXPECT_EQ(list["rejected"], 1);
  ASSERT_THAT(list["rejects"], SizeIs(1));
  EXPECT_EQ(list["rejects"][0]["line"], 2);
  EXPECT_THAT(list["rejects"][0]["reason"].get<std::string>(), HasSubstr("erased"));
  const Json chats = Ask("importer", {"chat", "import", Path("chats.jsonl"), "--book", "seoul"});
  EXPECT_EQ(chats["contacts_created"], 0);
  EXPECT_EQ(chats["rejected"], 4);
  ExpectJsonError(As("owner", {"lookup", "--phone", ChatPhones()[0], "--json"}), 5, "not_found");
  RunJob();
  EXPECT_EQ(Archived(Path("nas/archives")), Texts({ChatPhones()[1], ChatPhones()[2]}, OldDays()));
  EXPECT_EQ(Ask("owner", {"doctor"})["ok"], true);
}

TEST_F(SubjectTest, WhatCouldNotBeReachedIsPendingUntilARunReachesIt) {
  RunJob();
  std::filesystem::rename(Path("nas"), Path("unplugged"));
  const Ran ran = Erase({"--json"});
  EXPECT_EQ(ran.exit, 0) << ran;
  const Json erased = ran.json();
  EXPECT_EQ(erased["uid"], uid_);
  EXPECT_THAT(erased["archives_affected"], SizeIs(2));
  EXPECT_THAT(erased["pending_remote"], ElementsAre(Folder()));
  EXPECT_EQ(erased["confirmation"], nullptr);
  EXPECT_EQ(Verified(Write("receipt.txt", erased["receipt"].get<std::string>()))["kind"],
            "erasure");
  EXPECT_EQ(Cron({"retention", "status"})["pending_erasures"], 1);
  EXPECT_EQ(Cron({"retention", "plan"})["pending_erasures"], 1);
  EXPECT_EQ(TryJob().exit, 9);
  // Not yet gone there.
  EXPECT_EQ(Archived(Path("unplugged/archives")), Texts(ChatPhones(), OldDays()));
  std::filesystem::rename(Path("unplugged"), Path("nas"));
  const Json later = RunJob();
  EXPECT_EQ(later["pending_erasures"], 0);
  EXPECT_EQ(Cron({"retention", "status"})["pending_erasures"], 0);
  EXPECT_EQ(Archived(Path("nas/archives")), Texts({ChatPhones()[1], ChatPhones()[2]}, OldDays()));
  EXPECT_EQ(CountActs("subject.erased"), 1);
  // The second receipt: told by that run, and kept for whoever asks later.
  ASSERT_THAT(later["confirmed"], SizeIs(1));
  EXPECT_EQ(later["confirmed"][0]["uid"], uid_);
  const Json receipts = Ask("audra", {"receipt", "list", uid_});
  ASSERT_THAT(receipts["receipts"], SizeIs(2));
  for (const Json& one : receipts["receipts"]) {
    const std::string id = one["id"].get<std::string>();
    EXPECT_EQ(one["uid"], uid_);
    const Ran text = As("ada", {"receipt", "show", id});
    EXPECT_EQ(text.exit, 0) << text;
    EXPECT_EQ(Verified(Write("kept.txt", text.out))["kind"], one["kind"]);
    if (one["kind"] == "erasure_confirmed") {
      EXPECT_EQ(text.out, later["confirmed"][0]["receipt"].get<std::string>());
    }
    ExpectJsonError(As("mina", {"receipt", "show", id, "--json"}), 3, "permission_denied");
  }
  EXPECT_GT(Ask("owner", {"receipt", "list"})["receipts"].size(), 2u);  // purges too
  ExpectJsonError(As("mina", {"receipt", "list", "--json"}), 3, "permission_denied");
  ExpectJsonError(As("owner", {"receipt", "list", "Wang", "--json"}), 2, "usage");
  ExpectJsonError(As("owner", {"receipt", "show", "12", "--json"}), 2, "usage");
  ExpectJsonError(As("owner", {"receipt", "show", std::string(32, 'a'), "--json"}), 5, "not_found");
}

TEST_F(SubjectTest, ADestinationThatIsGoneIsGivenUp) {
  std::filesystem::create_directory(Path("new"));
  SetDestinations({Folder(), Folder("new")});
  RunJob();
  const Words give_up = {"retention", "give-up", Folder(), "--reason", "disk 4711 died", "--json"};
  // Not while the policy names it.
  ExpectJsonError(As("owner", give_up), 2, "usage");
  SetDestinations({Folder("new")});
  std::filesystem::rename(Path("nas"), Path("lost"));
  Json status = Cron({"retention", "status"});
  ASSERT_THAT(status["left"], SizeIs(1));
  EXPECT_EQ(status["left"][0]["destination"], Folder());
  EXPECT_GT(status["left"][0]["files"], 0);

  // It may have the customer's key still.
  const Json erased = Erase({"--json"}).json();
  EXPECT_THAT(erased["pending_remote"], ElementsAre(Folder()));
  EXPECT_EQ(erased["confirmation"], nullptr);
  EXPECT_EQ(RunJob()["pending_erasures"], 1);

  for (const char* member : {"mina", "cron", "audra"})
    ExpectJsonError(As(member, give_up), 3, "permission_denied");
  ExpectJsonError(As("owner", {"retention", "give-up", Folder(), "--json"}), 2, "usage");
  ExpectJsonError(As("owner", {"retention", "give-up", Folder("other"), "--reason", "x", "--json"}),
                  5, "not_found");
  EXPECT_EQ(Cron({"retention", "status"})["pending_erasures"], 1);
  {
    const auto lock = keyring::FileLock::TryTake(VaultPath("retention.lock"), 0660);
    ASSERT_TRUE(lock.ok()) << lock.status();
    const Ran during = As("owner", give_up);
    EXPECT_EQ(during.exit, 8) << during;
    EXPECT_THAT(during.out, HasSubstr("retention run"));
  }
  const Ran given = As("owner", give_up);
  ASSERT_EQ(given.exit, 0) << given;
  EXPECT_EQ(given.json()["files"], status["left"][0]["files"]);
  EXPECT_THAT(given.json()["lost"], IsEmpty());
  EXPECT_THAT(Cron({"retention", "status"})["left"], IsEmpty());
  ExpectJsonError(As("owner", give_up), 5, "not_found");
  EXPECT_EQ(CountActs("retention.give_up"), 1);

  const Json ran = RunJob();
  EXPECT_EQ(ran["pending_erasures"], 0);
  ASSERT_THAT(ran["confirmed"], SizeIs(1));
  EXPECT_THAT(ran["confirmed"][0]["receipt"].get<std::string>(),
              AllOf(HasSubstr("given_up: " + Folder() + "\n"),
                    HasSubstr("destinations: " + Folder("new") + "\n")));
  EXPECT_EQ(Archived(Path("lost/archives")), Texts(ChatPhones(), OldDays()))
      << "it is out of reach";

  // It was found after all, and is a destination again: now the erasure reaches it.
  std::filesystem::rename(Path("lost"), Path("nas"));
  SetDestinations({Folder(), Folder("new")});
  EXPECT_EQ(Cron({"retention", "plan"})["pending_erasures"], 1);
  EXPECT_EQ(RunJob()["pending_erasures"], 0);
  EXPECT_EQ(Archived(Path("nas/archives")), Texts({ChatPhones()[1], ChatPhones()[2]}, OldDays()));
  EXPECT_EQ(Cron({"archive", "verify", "--remote"})["ok"], true);
}

TEST_F(SubjectTest, ArchivesThatStandNowhereElseAreGivenUpKnowingly) {
  RunJob();
  std::filesystem::create_directory(Path("new"));
  SetDestinations({Folder("new")});
  const Words give_up = {"retention", "give-up", Folder(), "--reason", "gone", "--json"};
  const Ran refused = As("owner", give_up);
  ExpectJsonError(refused, 2, "usage");
  EXPECT_THAT(refused.out, HasSubstr("2 archives"));
  EXPECT_THAT(Cron({"retention", "status"})["left"], SizeIs(1));
  EXPECT_THAT(
      Ask("owner", {"retention", "give-up", Folder(), "--reason", "gone", "--accept-loss"})["lost"],
      SizeIs(2));
}

TEST_F(SubjectTest, WhileARunIsAtTheArchivesTheNextOneGoesOn) {
  RunJob();
  {
    const auto lock = keyring::FileLock::TryTake(VaultPath("retention.lock"), 0660);
    ASSERT_TRUE(lock.ok()) << lock.status();
    const Ran ran = Erase({"-o", Path("receipt.txt")});
    EXPECT_EQ(ran.exit, 0) << ran;
    EXPECT_THAT(ran.out, HasSubstr("pending at " + Folder()));
    EXPECT_THAT(ran.err, HasSubstr("'sealbook retention run' is at the archives now"));
    // A run that finds the other one there tells all the same what is pending.
    EXPECT_EQ(TryJob({"--metrics", Path("job.prom")}).exit, 8);
    EXPECT_THAT(ReadFile(Path("job.prom")), HasSubstr("\nsealbook_retention_pending_erasures 1\n"));
  }
  EXPECT_THAT(RunJob()["confirmed"], SizeIs(1));
}

TEST_F(SubjectTest, TheReceiptNeedsANewFile) {
  for (const char* name : {"there.txt", "there.txt.confirmed"}) {
    Write(name, "something else");
    ExpectJsonError(Erase({"-o", Path("there.txt"), "--json"}), 2, "usage");
    EXPECT_EQ(ReadFile(Path(name)), "something else");
    EXPECT_EQ(As("owner", {"show", uid_}).exit, 0) << "erased without a receipt";
    std::filesystem::remove(Path(name));
  }
  // Where it cannot be written after all, it is printed.
  const Ran ran = Erase({"-o", Path("no-folder/receipt.txt")});
  EXPECT_EQ(ran.exit, 2) << ran;
  EXPECT_THAT(ran.out, HasSubstr("kind: erasure"));
  EXPECT_EQ(As("owner", {"show", uid_}).exit, 5);
}

TEST_F(SubjectTest, BeforeTheFirstArchive) {
  const Json erased = Erase({"--json"}).json();
  EXPECT_THAT(erased["archives_affected"], IsEmpty());
  EXPECT_EQ(RunJob()["purged"], 6);
  EXPECT_EQ(Archived(Path("nas/archives")), Texts({ChatPhones()[1], ChatPhones()[2]}, OldDays()));
}

}  // namespace
}  // namespace sealbook::testing
