// retention plan, run, status: end to end into folders, and what stops them.
#include <gmock/gmock.h>

#include "absl/strings/str_split.h"
#include "tests/support/retention_commands.h"
#include "vault/keyring/files.h"

namespace sealbook::testing {
namespace {

using ::testing::AllOf;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

class RetentionTest : public RetentionCommandTest {
 public:
  RetentionTest() { WriteChats(); }
};

TEST_F(RetentionTest, PlanRunStatusAndThenNothing) {
  const Json plan = Cron({"retention", "plan"});
  EXPECT_EQ(plan["expired"], kExpired);
  EXPECT_EQ(plan["held"], 0);
  EXPECT_EQ(plan["archived"], 0);
  EXPECT_EQ(plan["purged"], 0);
  EXPECT_EQ(plan["oldest_live"], "2024-03-11");
  EXPECT_EQ(plan["state"], "expired");
  EXPECT_THAT(plan["archives"], IsEmpty());
  ASSERT_THAT(plan["labels"], SizeIs(1));
  EXPECT_EQ(plan["labels"][0]["from"], "2024-03-11");
  EXPECT_EQ(plan["labels"][0]["to"], "2024-04-20");
  ExpectNothingPurged();

  const Json ran = RunJob();
  EXPECT_EQ(ran["archived"], kExpired);
  EXPECT_EQ(ran["purged"], kExpired);
  EXPECT_EQ(ran["held"], 0);
  EXPECT_EQ(ran["state"], "done");
  EXPECT_EQ(ran["oldest_live"], Yesterday());
  EXPECT_THAT(ran["troubles"], IsEmpty());
  ASSERT_THAT(ran["archives"], SizeIs(2));
  for (const Json& archive : ran["archives"]) {
    EXPECT_EQ(archive["state"], "done");
    EXPECT_EQ(archive["messages"], archive["purged"]);
    EXPECT_GT(archive["bytes"], 0);
  }

  const Json status = Cron({"retention", "status"});
  EXPECT_EQ(status["expired"], 0);
  EXPECT_EQ(status["archived"], kExpired);
  EXPECT_EQ(status["purged"], kExpired);
  EXPECT_EQ(status["held"], 0);
  EXPECT_EQ(status["pending_erasures"], 0);
  EXPECT_EQ(status["state"], "idle");
  EXPECT_EQ(status["warning"], nullptr);
  ASSERT_THAT(status["archives"], SizeIs(2));
  EXPECT_EQ(status["archives"][0]["from"], "2024-03-11");
  EXPECT_EQ(status["archives"][0]["to"], "2024-03-12");
  EXPECT_EQ(status["archives"][1]["messages"], 3);
  ASSERT_THAT(status["archives"][0]["remote"], SizeIs(1));
  EXPECT_EQ(status["archives"][0]["remote"][0]["state"], "verified");

  // What is left is here, what went is there, each once.
  EXPECT_EQ(Archived(Path("nas/archives")), Texts(ChatPhones(), OldDays()));
  const Ran here = As("owner", {"chat", "search", "words", "--json"});
  EXPECT_EQ(TextsOf(here), Texts(ChatPhones(), {Yesterday()})) << here;
  EXPECT_EQ(CountActs("archive.verify"), 2);
  EXPECT_EQ(Ask("owner", {"doctor"})["ok"], true);
}

TEST_F(RetentionTest, ARunThatFindsNothingLeavesNothing) {
  RunJob();
  const std::size_t entries = AuditLog().size();
  // Whoever looked into the log since made it longer, and so a new checkpoint is due, once.
  RunJob();
  const std::size_t before = AuditLog().size() + 1;
  EXPECT_EQ(before, entries + 2);
  RunJob();
  const auto files = FilesIn(Path("nas/archives/checkpoints"), "");
  for (int i = 0; i < 2; ++i) {
    const Ran again = As("cron", {"retention", "run"});
    EXPECT_EQ(again.exit, 0) << again;
    EXPECT_EQ(again.out, "");
    EXPECT_THAT(again.err, HasSubstr("Nothing has expired"));
    EXPECT_EQ(RunJob()["state"], "idle");
  }
  EXPECT_EQ(FilesIn(Path("nas/archives/checkpoints"), ""), files);
  EXPECT_EQ(AuditLog().size(), before + 0u);
}

TEST_F(RetentionTest, QuietIsQuiet) {
  for (int i = 0; i < 2; ++i) {
    const Ran ran = As("cron", {"--quiet", "retention", "run"});
    EXPECT_EQ(ran.exit, 0) << ran;
    EXPECT_EQ(ran.out + ran.err, "");
  }
  EXPECT_EQ(Cron({"retention", "status"})["purged"], kExpired);
}

TEST_F(RetentionTest, LinesOfTextFitATerminal) {
  for (const Words& words : std::vector<Words>{{"retention", "plan"},
                                               {"retention", "run"},
                                               {"retention", "status"},
                                               {"retention", "plan"},
                                               {"archive", "list"},
                                               {"archive", "verify"}}) {
    const Ran ran = As("cron", words);
    EXPECT_EQ(ran.exit, 0) << ran;
    EXPECT_NE(ran.out, "") << absl::StrJoin(words, " ");
    for (const absl::string_view line : absl::StrSplit(ran.out, '\n')) {
      EXPECT_LE(line.size(), 80u) << line;
    }
  }
}

TEST_F(RetentionTest, LimitTakesWholePiecesAndTheNextRunTheRest) {
  for (const char* wrong : {"0", "-1", "many", ""}) {
    ExpectJsonError(TryJob({"--limit", wrong}), 2, "usage");
  }
  const Json first = Cron({"retention", "run", "--limit", "1"});
  EXPECT_GT(first["purged"], 0);
  EXPECT_LT(first["purged"], kExpired);
  EXPECT_EQ(first["archived"], first["purged"]);
  const int went = first["purged"];
  EXPECT_EQ(Cron({"retention", "plan"})["expired"], kExpired - went);
  EXPECT_EQ(RunJob()["purged"], kExpired - went);
  EXPECT_EQ(Archived(Path("nas/archives")), Texts(ChatPhones(), OldDays()));
}

TEST_F(RetentionTest, HoldsStayAndLabelsHaveDaysOfTheirOwn) {
  ChangePolicy(
      {{"audit_days = 1095", "audit_days = 1095\n[retention.labels.warranty]\nchat_days = 36500"}});
  const std::string held = UidOf(ChatPhones()[0]), labelled = UidOf(ChatPhones()[1]);
  EXPECT_EQ(Ask("owner", {"subject", "hold", held, "--reason", "court"})["held"], true);
  EXPECT_EQ(Ask("ada", {"subject", "label", labelled, "warranty"})["label"], "warranty");
  const Json plan = Cron({"retention", "plan"});
  EXPECT_EQ(plan["expired"], 3);
  EXPECT_EQ(plan["held"], 3);
  const Json ran = Cron({"retention", "run", "--metrics", Path("job.prom")});
  EXPECT_EQ(ran["purged"], 3);
  // Those on hold are told every night, and not that nothing has expired.
  EXPECT_EQ(ran["held"], 3);
  EXPECT_THAT(ReadFile(Path("job.prom")), HasSubstr("\nsealbook_retention_held_messages 3\n"));
  EXPECT_EQ(RunJob()["held"], 3);
  for (const char* command : {"run", "plan", "status"}) {
    const Ran told = As("cron", {"retention", command});
    EXPECT_THAT(told.out + told.err, AllOf(HasSubstr("3 messages stay, on hold"),
                                           Not(HasSubstr("Nothing has expired"))));
  }
  EXPECT_EQ(Archived(Path("nas/archives")), Texts({ChatPhones()[2]}, OldDays()));

  EXPECT_EQ(Ask("owner", {"subject", "release", held})["held"], false);
  EXPECT_EQ(Ask("owner", {"subject", "label", labelled})["label"], nullptr);
  EXPECT_EQ(RunJob()["purged"], 6);
  EXPECT_EQ(Archived(Path("nas/archives")), Texts(ChatPhones(), OldDays()));
}

TEST_F(RetentionTest, OnlyWhoMay) {
  for (const char* member : {"mina", "sora", "audra", "importer"}) {
    for (const char* what : {"plan", "run", "status"}) {
      ExpectJsonError(As(member, {"retention", what, "--json"}), 3, "permission_denied");
    }
    ExpectJsonError(As(member, {"archive", "list", "--json"}), 3, "permission_denied");
    ExpectJsonError(As(member, {"archive", "verify", "--json"}), 3, "permission_denied");
  }
  EXPECT_GT(CountActs("retention.run", "denied"), 0);
  ExpectNothingPurged();
  // The account that moves them reads none of them.
  const std::string uid = UidOf(ChatPhones()[0]);
  for (const Words& words : std::vector<Words>{
           {"chat", "show", uid}, {"chat", "search", "words"}, {"list"}, {"show", uid}}) {
    const Ran ran = As("cron", words);
    EXPECT_EQ(ran.exit, 3) << ran;
    EXPECT_THAT(ran.out + ran.err, Not(HasSubstr("words of")));
  }
  // Where there is no vault, that is what is said.
  EXPECT_EQ(As("cron", {"retention", "run", "--vault", Path("nowhere")}).exit, 5);
}

TEST_F(RetentionTest, MetricsTellOfEveryRun) {
  const std::string file = Path("sealbook.prom");
  const auto metric = [&](const std::string& name) {
    const std::string text = ReadFile(file), wanted = "\nsealbook_retention_" + name + " ";
    const auto at = text.find(wanted);
    return at == std::string::npos ? -1 : std::stoll(text.substr(at + wanted.size()));
  };
  const std::int64_t began = absl::ToUnixSeconds(absl::Now());
  EXPECT_EQ(TryJob({"--metrics", file}).exit, 0);
  EXPECT_EQ(ModeOf(file), 0644u);
  EXPECT_EQ(metric("success"), 1);
  EXPECT_GE(metric("last_run_timestamp_seconds"), began);
  EXPECT_EQ(metric("last_success_timestamp_seconds"), metric("last_run_timestamp_seconds"));
  EXPECT_EQ(metric("archived_messages"), kExpired);
  EXPECT_EQ(metric("purged_messages"), kExpired);
  EXPECT_EQ(metric("held_messages"), 0);
  EXPECT_EQ(metric("pending_erasures"), 0);
  // As the format wants it: a HELP and a TYPE before each.
  const std::string text = ReadFile(file);
  EXPECT_EQ(text.back(), '\n');
  std::string name;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.rfind("# HELP ", 0) == 0) name = line.substr(7, line.find(' ', 7) - 7);
    EXPECT_TRUE(line.rfind("# HELP " + name + " ", 0) == 0 || line == "# TYPE " + name + " gauge" ||
                line.rfind(name + " ", 0) == 0)
        << line;
  }

  // Failures keep the time of the last success: in the job's work, and before it.
  const std::int64_t success = metric("last_success_timestamp_seconds");
  WriteOneMore();
  std::filesystem::rename(Path("nas"), Path("unplugged"));
  EXPECT_EQ(TryJob({"--metrics", file}).exit, 9);
  EXPECT_EQ(metric("success"), 0);
  EXPECT_EQ(metric("purged_messages"), 0);
  EXPECT_EQ(metric("last_success_timestamp_seconds"), success);
  std::filesystem::rename(Path("unplugged"), Path("nas"));
  EXPECT_EQ(TryJob({"--metrics", file}).exit, 0);
  EXPECT_EQ(metric("success"), 1);
  EXPECT_EQ(
      TryJob({"--metrics", file}, {.environment = {{"SEALBOOK_VAULT", Path("nowhere")}}}).exit, 5);
  EXPECT_EQ(metric("success"), 0);
  EXPECT_GE(metric("last_success_timestamp_seconds"), success);

  // No place for them is said, after the work.
  const Ran nowhere = TryJob({"--metrics", Path("no/folder.prom")});
  ExpectJsonError(nowhere, 2, "usage");
  EXPECT_THAT(nowhere.out, HasSubstr("metrics"));
}

TEST_F(RetentionTest, JournalGetsOneLine) {
  // As systemd starts it: standard error is the stream that the variable names.
  const RunOptions systemd = {.program = "/bin/sh"};
  const std::string job = absl::StrCat(SEALBOOK_COMMAND, " retention run");
  const Ran ran =
      As("cron", {"-c", "JOURNAL_STREAM=$(stat -L -c %d:%i /dev/fd/2) exec " + job}, systemd);
  EXPECT_EQ(ran.exit, 0) << ran;
  EXPECT_EQ(ran.out, "");
  EXPECT_EQ(ran.err,
            "sealbook retention: state=done archived=9 purged=9 held=0 archives=2 destroyed=0 "
            "due=0 pending_erasures=0 exit=0\n");
  // Inherited from a desktop's session, it means nothing.
  const Ran inherited = As("cron", {"-c", "JOURNAL_STREAM=1:2 exec " + job}, systemd);
  EXPECT_EQ(inherited.exit, 0) << inherited;
  EXPECT_THAT(inherited.err, Not(HasSubstr("state=")));
  // A failure: that line, and what is wrong.
  WriteOneMore();
  std::filesystem::rename(Path("nas"), Path("unplugged"));
  const Ran failed =
      As("cron", {"-c", "JOURNAL_STREAM=$(stat -L -c %d:%i /dev/fd/2) exec " + job}, systemd);
  EXPECT_EQ(failed.exit, 9) << failed;
  EXPECT_THAT(failed.err, AllOf(HasSubstr("state=failed"), HasSubstr("exit=9\nsealbook: ")));
}

TEST_F(RetentionTest, AnotherRunIsBusy) {
  const auto lock =
      keyring::FileLock::TryTake(keyring::VaultPaths(VaultPath()).retention_lock(), 0660);
  ASSERT_TRUE(lock.ok()) << lock.status();
  ExpectJsonError(TryJob(), 8, "busy");
  ExpectNothingPurged();
}

TEST_F(RetentionTest, DestinationsThatAreNotThere) {
  // A NAS that is not mounted.
  std::filesystem::rename(Path("nas"), Path("unplugged"));
  Ran ran = TryJob();
  EXPECT_EQ(ran.exit, 9) << ran;
  Json json = ran.json();
  EXPECT_EQ(json["state"], "failed");
  EXPECT_EQ(json["purged"], 0);
  EXPECT_EQ(json["error"]["code"], "archive_unreachable");
  ASSERT_THAT(json["troubles"], SizeIs(1));
  EXPECT_EQ(json["troubles"][0]["destination"], Folder());
  EXPECT_EQ(json["troubles"][0]["error"]["code"], "archive_unreachable");
  EXPECT_FALSE(std::filesystem::exists(Path("nas")));
  ExpectError(As("cron", {"--quiet", "retention", "run"}), 9);
  ExpectNothingPurged();

  // A file where the folder should be.
  std::filesystem::create_directory(Path("nas"));
  Write("nas/archives", "a file");
  EXPECT_EQ(TryJob().exit, 9);
  EXPECT_EQ(ReadFile(Path("nas/archives")), "a file");
  ExpectNothingPurged();

  // Back again.
  std::filesystem::remove_all(Path("nas"));
  std::filesystem::rename(Path("unplugged"), Path("nas"));
  EXPECT_EQ(RunJob()["purged"], kExpired);
}

TEST_F(RetentionTest, AQuorumOfTwoPlaces) {
  std::filesystem::create_directory(Path("other"));
  SetDestinations({Folder(), Folder("other")}, 1);
  std::filesystem::rename(Path("other"), Path("unplugged"));
  const Ran ran = TryJob();
  EXPECT_EQ(ran.exit, 9) << ran;
  EXPECT_EQ(ran.json()["purged"], kExpired);
  Json status = Cron({"retention", "status"});
  EXPECT_EQ(status["state"], "unfinished");
  EXPECT_EQ(status["archives"][0]["state"], "purged");
  // The other gets them when it is back.
  std::filesystem::rename(Path("unplugged"), Path("other"));
  EXPECT_EQ(RunJob()["state"], "done");
  status = Cron({"retention", "status"});
  EXPECT_EQ(status["state"], "idle");
  ASSERT_THAT(status["archives"][0]["remote"], SizeIs(2));
  for (const char* place : {"nas/archives", "other/archives"})
    EXPECT_EQ(Archived(Path(place)), Texts(ChatPhones(), OldDays())) << place;
}

TEST_F(RetentionTest, WithoutAQuorumNothingGoes) {
  std::filesystem::create_directory(Path("other"));
  SetDestinations({Folder(), Folder("other")});
  std::filesystem::rename(Path("other"), Path("unplugged"));
  EXPECT_EQ(TryJob().exit, 9);
  ExpectNothingPurged();
}

TEST_F(RetentionTest, TheVaultsOwnFolderIsNoIndependentServer) {
  SetDestinations({});
  EXPECT_THAT(Cron({"retention", "status"})["warning"].get<std::string>(),
              HasSubstr("independent"));
  EXPECT_EQ(RunJob()["purged"], kExpired);
  const Ran text = As("cron", {"retention", "status"});
  EXPECT_THAT(text.err, HasSubstr("independent")) << text;
  EXPECT_EQ(Archived(VaultPath("archives")), Texts(ChatPhones(), OldDays()));
}

TEST_F(RetentionTest, AVaultThatWasPutBackPurgesNothing) {
  CopyVault("backup");
  Cron({"retention", "run", "--limit", "1"});
  const auto there = Archived(Path("nas/archives"));
  RestoreVault("backup");
  // On another machine, which has not seen the newer state.
  std::filesystem::create_directory(Path("elsewhere"));
  const RunOptions elsewhere = {.environment = {{"XDG_STATE_HOME", Path("elsewhere")}}};
  const Ran ran = TryJob({}, elsewhere);
  ExpectJsonError(ran, 7, "integrity");
  EXPECT_EQ(Archived(Path("nas/archives")), there);
  const Ran status = As("cron", {"retention", "status", "--json"}, elsewhere);
  EXPECT_EQ(status.json()["expired"], kExpired) << status;
  EXPECT_EQ(status.json()["purged"], 0) << status;
}

TEST_F(RetentionTest, APolicyFromBeforeThereWereRightsOfSubjects) {
  const std::string uid = UidOf(ChatPhones()[0]);
  const std::string before = As("owner", {"policy", "show"}).out;
  ChangePolicy({{", \"subjects\"", ""}, {"\"subjects\", ", ""}});
  const Ran refused = As("owner", {"subject", "hold", uid, "--reason", "court"});
  ExpectError(refused, 3);
  EXPECT_THAT(refused.err, AllOf(HasSubstr("\"subjects\""), HasSubstr("policy apply")));
  // Retention itself goes on under it, and what the hint says helps.
  EXPECT_EQ(RunJob()["purged"], kExpired);
  Must("owner", {"policy", "apply", Write("again.toml", before)});
  Must("owner", {"subject", "hold", uid, "--reason", "court"});
}

}  // namespace
}  // namespace sealbook::testing
