// Where an export goes, and what others have there; what changes while it is written; and what the
// vault says of exports that somebody deleted.
#include <gmock/gmock.h>

#include <filesystem>

#include "tests/support/export_vault.h"

namespace sealbook::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

class ExportPlacesTest : public ExportTest {
 public:
  // So many that an export takes its time.
  void ImportMany() {
    std::string list = "name,phone\n";
    for (int i = 0; i < 20'000; ++i)
      absl::StrAppend(&list, "Customer ", i, ",0105", 1'000'000 + i, "\n");
    Must("owner", {"import", Write("many.csv", list), "--book", "seoul"});
  }
  // An export in the middle of its writing.
  Process StartExport(const std::string& file) {
    Process process = StartAs("owner", Export(file, Code()));
    for (int i = 0; i < 20'000 && LeftBehind().empty(); ++i) absl::SleepFor(absl::Milliseconds(1));
    EXPECT_FALSE(LeftBehind().empty());
    return process;
  }
  // "" where doctor says nothing is wrong with it.
  std::string FaultOf(const std::string& check) {
    const Ran ran = As("owner", {"doctor", "--json"});
    const Json json = ran.json();
    for (const Json& one : json["checks"]) {
      if (one["name"] != check) continue;
      EXPECT_EQ(ran.exit, one["ok"] == true ? 0 : 7) << ran;
      return one["ok"] == true ? "" : one["detail"].get<std::string>();
    }
    return "not checked";
  }
};

TEST_F(ExportPlacesTest, OthersFilesBesideItStay) {
  Write("a.csv.receipt", "mine");
  const Json first = Ask("owner", Export("a.csv", Code()));
  EXPECT_EQ(ReadFile(Path("a.csv.receipt")), "mine");
  EXPECT_EQ(first["receipt"], Path("a.csv.receipt-2"));
  EXPECT_EQ(ModeOf(Path("a.csv.receipt-2")), 0600u);
  const std::string receipt = ReadFile(Path("a.csv.receipt-2"));
  EXPECT_THAT(receipt, HasSubstr(first["export_id"].get<std::string>()));
  // Neither is the receipt of a file that was moved away.
  std::filesystem::rename(Path("a.csv"), Path("moved.csv"));
  EXPECT_EQ(Ask("owner", Export("a.csv", Code()))["receipt"], Path("a.csv.receipt-3"));
  EXPECT_EQ(ReadFile(Path("a.csv.receipt-2")), receipt);
  Must("owner", Export("a.csv", Code(), {"--force"}));
  EXPECT_EQ(ReadFile(Path("a.csv.receipt")), "mine");
  // A folder of that name is in nobody's way.
  std::filesystem::create_directory(Path("b.csv.receipt"));
  EXPECT_EQ(Ask("owner", Export("b.csv", Code()))["receipt"], Path("b.csv.receipt-2"));
  EXPECT_THAT(LeftBehind(), IsEmpty());
}

TEST_F(ExportPlacesTest, ForceReplacesTheReceiptWithTheFile) {
  Must("owner", Export("a.csv", Code()));
  const Json second = Ask("owner", Export("a.csv", Code(), {"--force"}));
  EXPECT_EQ(second["receipt"], Path("a.csv.receipt"));
  EXPECT_THAT(ReadFile(Path("a.csv.receipt")), HasSubstr(second["export_id"].get<std::string>()));
  EXPECT_FALSE(std::filesystem::exists(Path("a.csv.receipt-2")));
}

TEST_F(ExportPlacesTest, ANameThatLeavesNoRoomForTheReceiptsSpendsNoCode) {
  const std::string code = Code();
  EXPECT_EQ(As("owner", Export(std::string(250, 'x'), code)).exit, 2);
  EXPECT_EQ(CountActs("export.begin"), 0);
  Must("owner", Export(std::string(190, 'x'), code));
  EXPECT_THAT(LeftBehind(), IsEmpty());
}

TEST_F(ExportPlacesTest, NeverIntoTheVault) {
  const std::string code = Code();
  std::filesystem::create_directory_symlink(VaultPath(), Path("link"));
  for (const char* place :
       {"vault/vault.db", "vault/unlock.json", "vault/new.csv", "link/vault.db"})
    EXPECT_EQ(As("owner", Export(place, code, {"--force"})).exit, 2) << place;
  EXPECT_FALSE(std::filesystem::exists(VaultPath("new.csv")));
  Must("owner", Export("a.csv", code));
}

// As /dev/stdout is.
TEST_F(ExportPlacesTest, ALinkToADeviceIsNotReplaced) {
  std::filesystem::create_symlink("/dev/null", Path("device"));
  EXPECT_EQ(As("owner", Export("device", Code(), {"--force"})).exit, 2);
  EXPECT_TRUE(std::filesystem::is_symlink(Path("device")));
}

TEST_F(ExportPlacesTest, NamesOfFieldsAreLookedAtFirst) {
  const Json mistyped = Ask("owner", Export("a.jsonl", Code(), {"--fields", "name,nmae,uid"}));
  EXPECT_EQ(mistyped["empty_columns"], Json::array({"nmae"}));
  const Ran told = As("owner", Export("b.jsonl", Code(), {"--fields", "nmae,phone"}));
  EXPECT_EQ(told.exit, 0);
  EXPECT_THAT(told.err, HasSubstr("nmae"));
  const std::string code = Code();
  for (const char* fields : {"Name", "a b", "name,_x", "ignore"})
    EXPECT_EQ(As("owner", Export("c.csv", code, {"--fields", fields})).exit, 2) << fields;
  EXPECT_EQ(As("owner", {"export", "request", "--reason", "r", "--recipient", recipient_,
                         "--fields", "Name"})
                .exit,
            2);
  EXPECT_EQ(CountActs("export.begin"), 2);
  EXPECT_EQ(CountActs("export.request"), 0);
}

TEST_F(ExportPlacesTest, AClosedTerminalLeavesNothing) {
  ImportMany();
  Process process = StartExport("a.csv");
  process.Signal(SIGHUP);
  process.Signal(SIGHUP);
  EXPECT_EQ(process.Wait().exit, 130);
  EXPECT_THAT(LeftBehind(), IsEmpty());
  EXPECT_FALSE(std::filesystem::exists(Path("a.csv")));
  EXPECT_EQ(CountActs("export", "failed"), 1);
}

TEST_F(ExportPlacesTest, ThePolicyOfTheEndHolds) {
  ImportMany();
  Process process = StartExport("a.csv");
  process.Signal(SIGSTOP);
  ChangePolicy({{"other_recipients = true", "other_recipients = false"}});
  process.Signal(SIGCONT);
  EXPECT_EQ(process.Wait().exit, 3);
  EXPECT_THAT(LeftBehind(), IsEmpty());
  EXPECT_FALSE(std::filesystem::exists(Path("a.csv")));
  EXPECT_EQ(CountActs("export"), 0);
}

// Requests are sealed to the log's readers; who is none is told what is missing.
TEST_F(ExportPlacesTest, WhoDoesNotReadTheLogIsToldWhyNoRequestCanBeMade) {
  ChangePolicy({{"[roles.auditor]",
                 "[roles.mailer]\nscope = \"all\"\nclear = [\"profile\"]\nmay = [\"export\"]\n\n"
                 "[roles.auditor]"}});
  Write("max.first", "a first one that is changed");
  Must("owner",
       {"member", "add", "max", "--role", "mailer", "--new-passphrase-file", Path("max.first")});
  Write("max.passphrase", PassphraseOf("max"));
  RunOptions first;
  first.environment = {{"SEALBOOK_MEMBER", "max"}, {"SEALBOOK_PASSPHRASE_FILE", Path("max.first")}};
  ASSERT_EQ(Run({"member", "passwd", "--new-passphrase-file", Path("max.passphrase")}, first).exit,
            0);
  const Ran ran =
      As("max", {"export", "request", "--reason", "r", "--recipient", recipient_, "--json"});
  ExpectJsonError(ran, 3, "permission_denied");
  EXPECT_THAT(ran.json()["error"]["hint"].get<std::string>(), HasSubstr("'audit'"));
}

// Attack: who holds the database key deletes what tells of an export.
TEST_F(ExportPlacesTest, ADeletedExportIsMissed) {
  Must("owner", Export("a.csv", Code()));
  Must("owner", Export("b.csv", Code()));
  EXPECT_EQ(FaultOf("exports"), "");
  Alter("CREATE TABLE kept AS SELECT * FROM receipt; DELETE FROM receipt");
  EXPECT_THAT(FaultOf("exports"), HasSubstr("receipt"));
  // Of the same member, and genuine.
  Alter("INSERT INTO receipt SELECT id, (SELECT max(text) FROM kept) FROM kept");
  EXPECT_THAT(FaultOf("exports"), HasSubstr("receipt"));
  Alter("DELETE FROM receipt; INSERT INTO receipt SELECT * FROM kept; DROP TABLE kept");
  EXPECT_EQ(FaultOf("exports"), "");
  Alter("DELETE FROM export WHERE number = 2");
  EXPECT_THAT(FaultOf("exports"), HasSubstr("log entry"));
  EXPECT_EQ(As("owner", {"export", "list"}).exit, 7);
  // Nor does another one in its place hide it.
  Must("owner", Export("c.csv", Code()));
  EXPECT_THAT(FaultOf("exports"), HasSubstr("log entry"));
}

// The receipt of another export, of the same member, in the place of an interrupted one's.
TEST_F(ExportPlacesTest, AnInterruptedExportGetsNoOthersReceipt) {
  Must("owner", Export("other.csv", Code()));
  const std::string code = Code();
  const Json json = Ask("owner", Export("a.csv", code));
  std::filesystem::rename(Path("a.csv"), Path(absl::StrCat(".a.csv.sealbook-export-",
                                                           json["export_id"].get<std::string>())));
  const std::string id = absl::StrCat("x'", json["export_id"].get<std::string>(), "'");
  Alter(absl::StrCat("UPDATE receipt SET text = (SELECT text FROM receipt WHERE id <> ", id,
                     ") WHERE id = ", id)
            .c_str());
  EXPECT_EQ(As("owner", Export("a.csv", code)).exit, 7);
}

}  // namespace
}  // namespace sealbook::testing
