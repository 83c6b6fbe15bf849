// archive list, verify, read, restore: with the vault, without any, and of what was damaged.
#include <gmock/gmock.h>

#include "tests/support/retention_commands.h"

namespace sealbook::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class ArchiveTest : public RetentionCommandTest {
 public:
  ArchiveTest() {
    WriteChats();
    EXPECT_EQ(RunJob()["purged"], kExpired);
    names_ = ArchiveNames();
    EXPECT_THAT(names_, SizeIs(2));
  }
  std::string There(const std::string& name = "") const {
    return name.empty() ? Path("nas/archives") : Path("nas/archives/" + name);
  }
  Ran Read(const std::string& name, Words more = {}) {
    Words words = {"archive", "read", name, "--identity", Identity()};
    words.insert(words.end(), more.begin(), more.end());
    return As("owner", words);
  }
  // Where there is no vault, no member and no state.
  Ran ReadFileAlone(const std::string& file, Words more = {}) {
    Words words = {"archive", "read", "--file", file, "--identity", Identity()};
    words.insert(words.end(), more.begin(), more.end());
    return Run(words, {.environment = {{"SEALBOOK_VAULT", Path("no-vault")},
                                       {"XDG_STATE_HOME", Path("no-state")},
                                       {"HOME", ""}}});
  }
  std::string KeyOf(const std::string& member) {
    const Json keys = Ask("owner", {"receipt", "key"})["keys"];
    for (const Json& key : keys) {
      if (key["name"] == member) return key["key"].get<std::string>();
    }
    ADD_FAILURE() << keys;
    return "";
  }
  static void Flip(const std::string& file, std::size_t at) {
    std::string bytes = ReadFile(file);
    ASSERT_LT(at, bytes.size());
    bytes[at] = static_cast<char>(bytes[at] ^ 1);
    WriteFile(file, bytes);
  }

 protected:
  std::vector<std::string> names_;
};

TEST_F(ArchiveTest, ListTellsWhatStandsWhere) {
  const Json list = Cron({"archive", "list"})["archives"];
  ASSERT_THAT(list, SizeIs(2));
  EXPECT_EQ(list[0]["messages"], 6);
  EXPECT_EQ(list[0]["from"], "2024-03-11");
  EXPECT_EQ(list[0]["to"], "2024-03-12");
  EXPECT_EQ(list[0]["bytes"], std::filesystem::file_size(There(names_[0])));
  EXPECT_EQ(list[0]["sha256"].get<std::string>().size(), 64u);
  ASSERT_THAT(list[0]["remote"], SizeIs(1));
  EXPECT_EQ(list[0]["remote"][0]["destination"], Folder());
  EXPECT_EQ(list[0]["remote"][0]["state"], "verified");
  EXPECT_EQ(list[1]["messages"], 3);
  // The digest is of the file that stands there.
  Ran sum = Run({There(names_[0])}, {.program = "/usr/bin/sha256sum"});
  EXPECT_EQ(sum.out.substr(0, 64), list[0]["sha256"].get<std::string>());
}

TEST_F(ArchiveTest, VerifyLooksHereAndThere) {
  for (const Words& words :
       std::vector<Words>{{"archive", "verify"}, {"archive", "verify", "--remote"}}) {
    const Json json = Cron(words);
    EXPECT_EQ(json["ok"], true);
    EXPECT_THAT(json["archives"], SizeIs(2));
  }
  EXPECT_THAT(Cron({"archive", "verify", names_[1]})["archives"], SizeIs(1));
  ExpectJsonError(As("cron", {"archive", "verify", "other", "--json"}), 5, "not_found");

  // Each fault of what stands there: changed, cut, gone, another archive in its place.
  const std::string whole = ReadFile(There(names_[0]));
  const auto expect_fault = [&](const std::string& what) {
    const Ran ran = As("cron", {"archive", "verify", "--remote", "--json"});
    EXPECT_EQ(ran.exit, 9) << what << ran;
    const Json json = ran.json();
    EXPECT_EQ(json["ok"], false) << what;
    EXPECT_EQ(json["archives"][0]["ok"], false) << what;
    EXPECT_EQ(json["archives"][1]["ok"], true) << what;
    const Ran text = As("cron", {"archive", "verify", names_[0], "--remote"});
    EXPECT_EQ(text.exit, 9) << what << text;
    EXPECT_THAT(text.out, HasSubstr("FAULT  " + names_[0])) << what;
  };
  for (const std::size_t at : {std::size_t{0}, whole.size() / 2, whole.size() - 1}) {
    Flip(There(names_[0]), at);
    expect_fault(absl::StrCat("byte ", at));
    WriteFile(There(names_[0]), whole);
  }
  WriteFile(There(names_[0]), whole.substr(0, whole.size() - 1));
  expect_fault("cut");
  WriteFile(There(names_[0]), ReadFile(There(names_[1])));
  expect_fault("swapped");
  std::filesystem::remove(There(names_[0]));
  expect_fault("gone");
  WriteFile(There(names_[0]), whole);
  EXPECT_EQ(Cron({"archive", "verify", "--remote"})["ok"], true);
}

// An archive that is whole is read by nobody without what stands beside it.
TEST_F(ArchiveTest, VerifyLooksForTheKeysToo) {
  for (const char* lost : {"escrow.key.age", "subjects"}) {
    std::filesystem::rename(There(lost), Path("lost"));
    const Ran ran = As("cron", {"archive", "verify", "--remote"});
    EXPECT_EQ(ran.exit, 9) << lost << ran;
    EXPECT_THAT(ran.err, HasSubstr("has lost")) << lost;
    std::filesystem::rename(Path("lost"), There(lost));
    EXPECT_EQ(Cron({"archive", "verify", "--remote"})["ok"], true) << lost;
  }
}

// Two lines: what and where, then what to do.
TEST_F(ArchiveTest, WhatIsDamagedIsToldWithWhatToDo) {
  std::filesystem::copy(There(), Path("copy"), std::filesystem::copy_options::recursive);
  const std::string file = Path("copy/" + names_[0]), escrow = Path("copy/escrow.key.age");
  for (const std::string& damaged : {file, file + ".sig", escrow}) {
    const std::string whole = ReadFile(damaged);
    Flip(damaged, whole.size() - 20);
    const Ran ran = ReadFileAlone(file, {"--quiet"});
    EXPECT_EQ(ran.exit, 7) << damaged << ran;
    EXPECT_EQ(std::count(ran.err.begin(), ran.err.end(), '\n'), 2) << damaged << ran;
    WriteFile(damaged, whole);
  }
  // The identity is the right one: it is not blamed.
  Flip(escrow, ReadFile(escrow).size() - 20);
  EXPECT_THAT(ReadFileAlone(file, {"--quiet"}).err, HasSubstr("escrow.key.age"));
}

TEST_F(ArchiveTest, ReadByNameGivesEverybodyOrOne) {
  const Ran all = Read(names_[0]);
  EXPECT_EQ(all.exit, 0) << all;
  EXPECT_EQ(all.err, "");
  EXPECT_EQ(TextsOf(all), Texts(ChatPhones(), {OldDays()[0], OldDays()[1]}));
  const std::vector<Json> lines = all.lines();
  EXPECT_EQ(lines[0]["direction"], "in");
  EXPECT_EQ(lines[0]["time"], "2024-03-11T10:00:00Z");
  EXPECT_TRUE(records::ParseToken(lines[0]["uid"].get<std::string>()).ok());
  EXPECT_EQ(lines[1]["direction"], "out");
  EXPECT_EQ(lines[1]["author"], "they");

  const std::string uid = UidOf(ChatPhones()[2]);
  const Ran one = Read(names_[1], {"--uid", uid});
  EXPECT_EQ(one.exit, 0) << one;
  EXPECT_EQ(TextsOf(one), Texts({ChatPhones()[2]}, {OldDays()[2]}));
  ExpectJsonError(Read(names_[1], {"--uid", NobodysToken(), "--json"}), 5, "not_found");
  ExpectJsonError(Read(names_[1], {"--uid", "Wang", "--json"}), 2, "usage");
  ExpectJsonError(Read("other", {"--json"}), 5, "not_found");
  // Who reads stands in the log.
  EXPECT_GE(CountActs("archive.read"), 2);
  // An agent may not, whatever identity is brought.
  ExpectJsonError(As("mina", {"archive", "read", names_[0], "--identity", Identity(), "--json"}), 3,
                  "permission_denied");
}

TEST_F(ArchiveTest, ReadWithoutAnyVault) {
  // A copy of the folder, elsewhere; and nothing of the vault.
  std::filesystem::copy(There(), Path("copy"), std::filesystem::copy_options::recursive);
  std::filesystem::remove_all(Path("nas"));
  const std::string key = KeyOf("cron"), uid = UidOf(ChatPhones()[0]);
  std::filesystem::rename(VaultPath(), Path("hidden"));
  const std::string file = Path("copy/" + names_[0]);
  const Ran free = ReadFileAlone(file);
  EXPECT_EQ(free.exit, 0) << free;
  EXPECT_EQ(TextsOf(free), Texts(ChatPhones(), {OldDays()[0], OldDays()[1]}));
  EXPECT_THAT(free.err, AllOf(HasSubstr(key), HasSubstr("receipt key"))) << free;

  const Ran sure = ReadFileAlone(file, {"--authority", key, "--uid", uid, "--keys", Path("copy")});
  EXPECT_EQ(sure.exit, 0) << sure;
  EXPECT_EQ(sure.err, "");
  EXPECT_EQ(TextsOf(sure), Texts({ChatPhones()[0]}, {OldDays()[0], OldDays()[1]}));

  ExpectJsonError(ReadFileAlone(file, {"--authority", std::string(64, 'a'), "--json"}), 7,
                  "integrity");
  ExpectJsonError(ReadFileAlone(file, {"--authority", "00", "--json"}), 6, "bad_input");
  ExpectJsonError(ReadFileAlone(Path("copy/nothing"), {"--json"}), 6, "bad_input");
  ExpectJsonError(ReadFileAlone(Path("copy"), {"--json"}), 6, "bad_input");
  // Apart from its keys: it is said what is missing.
  std::filesystem::create_directory(Path("alone"));
  for (const char* suffix : {"", ".sig"})
    std::filesystem::copy(file + suffix, Path("alone/" + names_[0] + suffix));
  const Ran alone = ReadFileAlone(Path("alone/" + names_[0]));
  EXPECT_NE(alone.exit, 0) << alone;
  EXPECT_THAT(alone.err, HasSubstr("--keys")) << alone;
  EXPECT_EQ(alone.out, "");
  const Ran together = ReadFileAlone(Path("alone/" + names_[0]), {"--keys", Path("copy")});
  EXPECT_EQ(together.exit, 0) << together;
  EXPECT_THAT(TextsOf(together), SizeIs(6));
}

TEST_F(ArchiveTest, IdentitiesThatDoNotOpenIt) {
  ExpectJsonError(As("owner", {"archive", "read", names_[0], "--json"}), 2, "usage");
  const auto with = [&](const std::string& identity) {
    return As("owner", {"archive", "read", names_[0], "--identity", identity, "--json"});
  };
  ExpectJsonError(with(Path("nothing")), 2, "usage");
  ExpectJsonError(with(Write("empty.txt", "")), 6, "bad_input");
  ExpectJsonError(with(Write("text.txt", "no identity\n")), 6, "bad_input");
  ExpectJsonError(with(Write("open.txt", ReadFile(Identity()), 0644)), 2, "usage");
  const crypto::ExchangePair other = crypto::ExchangePair::Generate();
  const std::string text(crypto::FormatAgeIdentity(other).ExposeText());
  const Ran wrong = with(Write("other.txt", text));
  ExpectJsonError(wrong, 4, "not_authenticated");
  EXPECT_THAT(wrong.out, HasSubstr("kept away"));
  // Among others it is found, and comments are none.
  const Ran right = with(Write("both.txt", "# mine\n" + text + "\n" + ReadFile(Identity())));
  EXPECT_EQ(right.exit, 0) << right;
}

TEST_F(ArchiveTest, ADamagedCopyIsNotTheOnlyOne) {
  std::filesystem::copy(Path("nas"), Path("copy"), std::filesystem::copy_options::recursive);
  SetDestinations({Folder(), Folder("copy")});
  // All over the head of the age file: the line of its version, the recipient, the sealed key, the
  // check. Some of it looks as another identity's file does.
  for (const std::size_t at : {5u, 40u, 60u, 100u, 130u, 170u}) {
    Flip(There(names_[0]), at);
    const Ran damaged =
        As("owner", {"archive", "read", "--file", There(names_[0]), "--identity", Identity()});
    EXPECT_NE(damaged.exit, 0) << at << damaged;
    const Ran ran = Read(names_[0]);
    EXPECT_EQ(ran.exit, 0) << at << ran;
    EXPECT_EQ(TextsOf(ran).size(), 6u) << at;
    Flip(There(names_[0]), at);
  }
  Flip(There(names_[0]), 40);
  std::filesystem::remove_all(Path("copy"));
  EXPECT_NE(Read(names_[0]).exit, 0);
}

TEST_F(ArchiveTest, DamageIsAnIntegrityFailure) {
  const std::string file = There(names_[0]);
  const std::string shard = FilesIn(There("subjects"), "1").at(0);
  const auto expect_damage = [&](const std::string& what) {
    const Ran ran = ReadFileAlone(file, {"--json"});
    EXPECT_EQ(ran.exit, 7) << what << ran;
  };
  // Something of the archive may have been shown before the damage is met; nothing that is false.
  const std::string whole = ReadFile(file);
  for (std::size_t at = 0; at < whole.size(); at += whole.size() / 7) {
    Flip(file, at);
    const Ran ran = ReadFileAlone(file, {"--quiet"});
    EXPECT_TRUE(ran.exit == 7 || ran.exit == 4) << at << ran;
    const auto texts = Texts(ChatPhones(), OldDays());
    for (const std::string& text : TextsOf(ran)) EXPECT_TRUE(texts.contains(text)) << text;
    WriteFile(file, whole);
  }
  WriteFile(file, whole.substr(0, whole.size() - 1));
  expect_damage("cut");
  WriteFile(file, whole);

  const std::string signature = ReadFile(file + ".sig");
  Flip(file + ".sig", signature.size() / 2);
  expect_damage("signature");
  WriteFile(file + ".sig", ReadFile(There(names_[1]) + ".sig"));
  expect_damage("another archive's signature");
  std::filesystem::remove(file + ".sig");
  ExpectJsonError(ReadFileAlone(file, {"--json"}), 6, "bad_input");
  WriteFile(file + ".sig", signature);

  const std::string keys = ReadFile(shard);
  Flip(shard, keys.size() / 2);
  expect_damage("shard");
  std::filesystem::remove(shard);
  const Ran gone = ReadFileAlone(file);
  EXPECT_EQ(gone.exit, 7) << gone;
  EXPECT_THAT(gone.err, HasSubstr("--keys"));
  WriteFile(shard, keys);
  const Ran well = ReadFileAlone(file, {"--quiet"});
  EXPECT_EQ(well.exit, 0) << well;
}

TEST_F(ArchiveTest, RestoreBringsOneCustomerBackForAWhile) {
  const std::string uid = UidOf(ChatPhones()[0]);
  const Json restored =
      Ask("owner", {"archive", "restore", names_[0], "--identity", Identity(), "--uid", uid});
  EXPECT_EQ(restored["messages"], 2);
  EXPECT_EQ(restored["already"], 0);
  EXPECT_EQ(restored["contacts"], 1);
  EXPECT_EQ(restored["until"],
            absl::FormatTime("%Y-%m-%d", absl::Now() + absl::Hours(24 * 90), absl::UTCTimeZone()));
  const Ran shown = As("mina", {"chat", "show", uid, "--json"});
  EXPECT_EQ(TextsOf(shown), Texts({ChatPhones()[0]}, {OldDays()[0], OldDays()[1], Yesterday()}));
  // Once more adds nothing; the job leaves them until then, and archives nothing twice.
  const Json again =
      Ask("owner", {"archive", "restore", names_[0], "--identity", Identity(), "--uid", uid});
  EXPECT_EQ(again["messages"], 0);
  EXPECT_EQ(again["already"], 2);
  const Json ran = RunJob();
  EXPECT_EQ(ran["archived"], 0);
  EXPECT_EQ(ran["purged"], 0);
  EXPECT_EQ(TextsOf(As("mina", {"chat", "show", uid, "--json"})), TextsOf(shown));
  EXPECT_EQ(Archived(There()), Texts(ChatPhones(), OldDays()));

  // Who may write no chats restores none; who has another identity neither.
  for (const char* member : {"cron", "mina"}) {
    ExpectJsonError(
        As(member, {"archive", "restore", names_[0], "--identity", Identity(), "--json"}), 3,
        "permission_denied");
  }
  ExpectJsonError(As("owner", {"archive", "restore", "other", "--identity", Identity(), "--json"}),
                  5, "not_found");
  EXPECT_EQ(Ask("owner", {"archive", "restore", names_[0], "--identity", Identity()})["messages"],
            4);
}

}  // namespace
}  // namespace sealbook::testing
