// Folders that are no vault, files that are missing, damaged, put back or of another version: a
// clear sentence, the right exit code, nothing lost, and the doctor finds it.
#include <gmock/gmock.h>

#include "tests/support/command_vault.h"

namespace sealbook::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class DamagedVaultTest : public VaultTest {
 public:
  DamagedVaultTest() { ImportCustomers(); }
  // Each command that unlocks ends like this.
  void ExpectAll(int exit, const std::string& code) {
    for (Words words :
         {Words{"list"}, Words{"lookup", "--name", "김서연"}, Words{"import", Path("seoul.csv")},
          Words{"member", "list"}, Words{"doctor"}}) {
      words.push_back("--json");
      const Ran ran = As("owner", words);
      ExpectJsonError(ran, exit, code);
      ExpectNothingPersonal(ran);
    }
    const Ran text = As("owner", {"list"});
    ExpectError(text, exit);
    EXPECT_THAT(text.err, HasSubstr("vault"));
  }
  std::vector<std::string> BadChecks(const Words& more = {}) {
    Words words = {"doctor", "--json"};
    words.insert(words.end(), more.begin(), more.end());
    const Ran ran = As("owner", words);
    std::vector<std::string> bad;
    const Json json = ran.json();
    for (const Json& check : json["checks"]) {
      EXPECT_TRUE(check["name"].is_string() && check["detail"].is_string());
      if (!check["ok"].get<bool>()) bad.push_back(check["name"]);
    }
    EXPECT_EQ(json["ok"], bad.empty());
    EXPECT_EQ(ran.exit, bad.empty() ? 0 : 7) << ran;
    EXPECT_EQ(ran.err, "");
    ExpectNothingPersonal(ran);
    return bad;
  }
};

TEST_F(DamagedVaultTest, AFolderThatIsNoVaultIsNotFound) {
  std::filesystem::rename(VaultPath(), Path("away"));
  ExpectAll(5, "not_found");
  std::filesystem::create_directory(VaultPath());
  Write("vault/notes.txt", "mine");
  ExpectAll(5, "not_found");
  EXPECT_EQ(ReadFile(VaultPath("notes.txt")), "mine");
  std::filesystem::remove_all(VaultPath());
  Write("vault", "a file");
  const Ran ran = As("owner", {"list"});
  EXPECT_NE(ran.exit, 0);
  EXPECT_THAT(ran.err, HasSubstr(VaultPath()));
}

TEST_F(DamagedVaultTest, AMissingFileIsDamage) {
  for (const char* name : {"unlock.json", "vault.db"}) {
    std::filesystem::rename(VaultPath(name), Path("away"));
    ExpectAll(7, "integrity");
    std::filesystem::rename(Path("away"), VaultPath(name));
  }
  // A missing lock-out file costs the counts alone.
  std::filesystem::remove(VaultPath("lockout.json"));
  EXPECT_EQ(As("owner", {"list"}).exit, 0);
}

TEST_F(DamagedVaultTest, ADamagedUnlockFileIsDamage) {
  const std::string text = ReadFile(VaultPath("unlock.json"));
  for (const std::string& damaged :
       {std::string(), std::string("{"), std::string("[]"), std::string("{\"format\":\"1\"}"),
        text.substr(0, text.size() / 2), std::string("{\"format\":1}"),
        std::string("{\"format\":1,\"vault\":\"zz\",\"entries\":{}}"), std::string(1000, '\0')}) {
    Write("vault/unlock.json", damaged, 0660);
    ExpectAll(7, "integrity");
  }
  Write("vault/unlock.json", text, 0660);
  EXPECT_EQ(As("owner", {"list"}).exit, 0);
}

TEST_F(DamagedVaultTest, ADamagedDatabaseIsDamage) {
  const std::string bytes = ReadFile(VaultPath("vault.db"));
  for (const std::string& damaged :
       {std::string(), std::string("SQLite format 3"), bytes.substr(0, 1000),
        std::string(8192, '\0'), std::string(16, '\1') + bytes.substr(16)}) {
    Write("vault/vault.db", damaged, 0660);
    ExpectAll(7, "integrity");
  }
}

TEST_F(DamagedVaultTest, AFlippedByteAnywhereInTheDatabaseIsFoundByTheDoctor) {
  const std::string bytes = ReadFile(VaultPath("vault.db"));
  const std::size_t step = bytes.size() / 14 + 97;
  for (std::size_t at = 5; at < bytes.size(); at += step) {
    std::string damaged = bytes;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x10);
    Write("vault/vault.db", damaged, 0660);
    std::filesystem::remove(VaultPath("vault.db-wal"));
    std::filesystem::remove(VaultPath("vault.db-shm"));
    for (const Words& words : {Words{"doctor", "--json"}, Words{"audit", "verify", "--json"}}) {
      const Ran ran = As("owner", words);
      if (words[0] == "doctor") {
        EXPECT_EQ(ran.exit, 7) << "byte " << at << ran;
      } else {
        EXPECT_TRUE(ran.exit == 0 || ran.exit == 7) << "byte " << at << ran;
      }
      ran.json();
    }
  }
}

TEST_F(DamagedVaultTest, AFlippedByteInTheAuditTableIsFoundByVerify) {
  // Much log, so that most pages are the log's.
  std::string list = "name,phone\n";
  for (int i = 0; i < 40; ++i) absl::StrAppend(&list, "Many ", i, ",010-5000-", 1000 + i, "\n");
  Must("owner", {"import", Write("many.csv", list), "--book", "seoul"});
  for (int i = 0; i < 6; ++i) Must("mina", {"lookup", "--name", "Many"});
  ASSERT_EQ(Ask("owner", {"audit", "verify"})["ok"], true);
  const std::string bytes = ReadFile(VaultPath("vault.db"));
  int found = 0;
  for (std::size_t page = 2; page < bytes.size() / 4096; page += 5) {
    std::string damaged = bytes;
    damaged[page * 4096 + 2000] = static_cast<char>(damaged[page * 4096 + 2000] ^ 1);
    Write("vault/vault.db", damaged, 0660);
    const Ran ran = As("owner", {"audit", "verify", "--json"});
    EXPECT_TRUE(ran.exit == 0 || ran.exit == 7) << ran;
    found += ran.exit == 7 ? 1 : 0;
  }
  EXPECT_GT(found, 0);
}

TEST_F(DamagedVaultTest, AVaultOfANewerVersionIsLeftAloneWithAWordOnWhatToDo) {
  const std::string text = ReadFile(VaultPath("unlock.json"));
  std::string newer = text;
  newer.replace(newer.find("\"format\": 1"), 11, "\"format\": 99");
  Write("vault/unlock.json", newer, 0660);
  Ran ran = As("owner", {"list", "--json"});
  ExpectJsonError(ran, 2, "usage");
  EXPECT_THAT(ran.json()["error"]["hint"].get<std::string>(), HasSubstr("Update Sealbook"));
  Write("vault/unlock.json", text, 0660);
  Alter("PRAGMA user_version = 99");
  ran = As("owner", {"list", "--json"});
  ExpectJsonError(ran, 2, "usage");
  EXPECT_THAT(ran.json()["error"]["hint"].get<std::string>(), HasSubstr("Update Sealbook"));
}

TEST_F(DamagedVaultTest, FilesOfTwoVaultsDoNotGoTogether) {
  std::string text = ReadFile(VaultPath("unlock.json"));
  const auto at = text.find("\"vault\": \"") + 10;
  text[at] = text[at] == '0' ? '1' : '0';
  Write("vault/unlock.json", text, 0660);
  const Ran ran = As("owner", {"list", "--json"});
  EXPECT_TRUE(ran.exit == 4 || ran.exit == 7) << ran;  // entries are named by vault and name
}

TEST_F(DamagedVaultTest, AnOlderCopyThatWasPutBackIsSeenByWhoSawTheNewer) {
  CopyVault("older");
  Must("mina", {"set", TokenOf("김서연"), "note=new"});
  Must("owner", {"book", "add", "busan"});
  RestoreVault("older");
  const Ran ran = As("owner", {"list", "--json"});
  ExpectJsonError(ran, 7, "integrity");
  EXPECT_THAT(ran.json()["error"]["message"].get<std::string>(), HasSubstr("older"));
  EXPECT_THAT(ran.json()["error"]["hint"].get<std::string>(), HasSubstr(Path("state")));
  // On another machine nobody has seen the newer one; and who takes the hint goes on.
  RunOptions elsewhere = Member("owner");
  elsewhere.environment["XDG_STATE_HOME"] = Path("other-state");
  EXPECT_EQ(Run({"list"}, elsewhere).exit, 0);
  std::filesystem::remove_all(Path("state"));
  EXPECT_EQ(As("owner", {"list"}).exit, 0);
}

TEST_F(DamagedVaultTest, DamagedMarksAreToldAndNotTakenForNothing) {
  Must("owner", {"list"});
  for (const auto& file : std::filesystem::directory_iterator(Path("state/sealbook"))) {
    if (file.path().extension() == ".json") WriteFile(file.path().string(), "{\"roster\":", 0600);
  }
  ExpectJsonError(As("owner", {"list", "--json"}), 7, "integrity");
}

TEST_F(DamagedVaultTest, WhatMayNotBeReadOrWrittenIsToldAndNothingIsLost) {
  if (geteuid() != 0) GTEST_SKIP() << "becomes another user, which root alone can";
  // A copy that this user can reach, of a vault that it may read and not write.
  const std::string program = Path("sealbook");
  std::filesystem::copy_file(SEALBOOK_COMMAND, program);
  for (const std::string& path : {program, root()}) chmod(path.c_str(), 0755);
  std::filesystem::create_directory(Path("their-state"));
  for (const char* name : {"their-state", "owner.passphrase"})
    ASSERT_EQ(chown(Path(name).c_str(), kNobody, kNobody), 0);
  RunOptions options = Member("owner");
  options.environment["XDG_STATE_HOME"] = Path("their-state");
  options.user = kNobody;
  options.program = program;
  const std::string before = ReadFile(VaultPath("vault.db"));
  const auto run = [&] { return Run({"list", "--json"}, options); };
  // Nothing may be looked at; files that may be read and not written; a folder without them.
  Ran ran = run();
  EXPECT_NE(ran.exit, 0);
  EXPECT_TRUE(ran.json().contains("error")) << ran;
  chmod(VaultPath().c_str(), 0755);
  for (const char* name : {"unlock.json", "vault.db", "lockout.json"})
    chmod(VaultPath(name).c_str(), 0644);
  ran = run();
  EXPECT_EQ(ran.exit, 1) << ran;
  EXPECT_THAT(ran.json()["error"]["message"].get<std::string>(), HasSubstr("cannot be written"));
  EXPECT_THAT(ran.json()["error"]["hint"].get<std::string>(), HasSubstr("write access"));
  ExpectNothingPersonal(ran);
  EXPECT_EQ(ReadFile(VaultPath("vault.db")), before);
  chmod(VaultPath("unlock.json").c_str(), 0600);
  ran = run();
  EXPECT_EQ(ran.exit, 1) << ran;
  EXPECT_THAT(ran.json()["error"]["message"].get<std::string>(), HasSubstr("unlock.json"));
  EXPECT_EQ(As("owner", {"list"}).exit, 0);
}

TEST_F(DamagedVaultTest, TheDoctorFindsAHealthyVaultWellAndWarnsOfArchives) {
  EXPECT_THAT(BadChecks(), ElementsAre());
  const Json json = Ask("owner", {"doctor"});
  EXPECT_EQ(json["checks"].back()["name"], "archives");
  EXPECT_THAT(json["checks"].back()["detail"].get<std::string>(), HasSubstr("warning"));
  EXPECT_EQ(Ask("mina", {"doctor"})["ok"], true);
  const Ran text = As("owner", {"doctor"});
  EXPECT_EQ(text.exit, 0);
  EXPECT_THAT(text.out, HasSubstr("ok    contacts"));
}

TEST_F(DamagedVaultTest, TheDoctorNamesEachKindOfDamage) {
  CopyVault("healthy");
  const std::pair<const char*, const char*> damages[] = {
      {"DELETE FROM contact WHERE number = 2", "contacts"},
      {"UPDATE contact SET sealed_values = (SELECT sealed_values FROM contact WHERE number = 1) "
       "WHERE number = 3",
       "contacts"},
      {"DELETE FROM session WHERE number = 1", "sessions"},
      {"DELETE FROM contact_index WHERE contact = 1", "index"},
      {"UPDATE contact_index SET contact = 2 WHERE contact = 1", "index"},
      {"INSERT INTO book_contact SELECT 2, contact, session, wraps FROM book_contact WHERE contact "
       "= 1",
       "books"},
      {"DELETE FROM book_contact WHERE contact = 1", "books"},
      {"DELETE FROM access_grant WHERE book > 0 AND member > 0", "grants"},
      {"DELETE FROM audit WHERE sequence = 5", "audit"}};
  for (const auto& [sql, check] : damages) {
    std::filesystem::remove_all(Path("state"));
    Alter(sql);
    const std::vector<std::string> bad = BadChecks();
    EXPECT_TRUE(std::find(bad.begin(), bad.end(), check) != bad.end()) << sql;
    const Ran text = As("owner", {"doctor"});
    EXPECT_EQ(text.exit, 7);
    EXPECT_THAT(text.out, HasSubstr(absl::StrCat("BAD   ", check))) << sql;
    EXPECT_THAT(text.err, HasSubstr("doctor --repair"));
    RestoreVault("healthy");
  }
  std::filesystem::remove_all(Path("state"));
  chmod(VaultPath("unlock.json").c_str(), 0664);
  EXPECT_THAT(BadChecks(), ElementsAre("files"));
}

TEST_F(DamagedVaultTest, RepairRemovesWhatDoesNotCountAndIsInTheLog) {
  const std::string token = TokenOf("김서연");
  Alter(
      "INSERT INTO book_contact SELECT 2, contact, session, wraps FROM book_contact WHERE contact "
      "= 1");
  Alter(
      "INSERT INTO contact_index VALUES (x'00112233445566778899aabbccddeeff', "
      "x'00112233445566778899aabbccddeeff', 1)");
  EXPECT_THAT(BadChecks(), ElementsAre("books", "contacts", "index"));
  ExpectJsonError(As("mina", {"doctor", "--repair", "--json"}), 3, "permission_denied");
  EXPECT_THAT(BadChecks({"--repair"}), ElementsAre());
  EXPECT_THAT(BadChecks(), ElementsAre());
  EXPECT_EQ(CountActs("doctor.repair"), 2);
  EXPECT_EQ(Ask("mina", {"show", token})["contacts"].size(), 1u);
  EXPECT_EQ(As("wei", {"show", token}).exit, 5);
}

TEST_F(DamagedVaultTest, ADamagedCustomerDoesNotHideTheOthers) {
  const std::string token = TokenOf("김서연");
  Alter(
      "UPDATE contact SET sealed_values = (SELECT sealed_values FROM contact WHERE number = 3) "
      "WHERE number = 1");
  ExpectJsonError(As("mina", {"show", token, "--json"}), 7, "integrity");
  // They are shown, and then it is told.
  const Ran ran = As("mina", {"lookup", "--name", "Chloé", "--json"});
  EXPECT_EQ(ran.exit, 7) << ran;
  EXPECT_EQ(ran.err, "");
  const Json json = ran.json();
  EXPECT_EQ(json["contacts"].size(), 1u);
  EXPECT_EQ(json["error"]["code"], "integrity");
  const Ran text = As("mina", {"lookup", "--name", "Chloé"});
  EXPECT_EQ(text.exit, 7);
  EXPECT_THAT(text.out, HasSubstr("Chloé Ingram"));
  EXPECT_THAT(text.err, HasSubstr(token));
}

}  // namespace
}  // namespace sealbook::testing
