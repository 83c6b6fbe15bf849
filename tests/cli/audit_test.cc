// The log: who did what, that it is whole, and that what was altered or cut is seen.
#include <gmock/gmock.h>

#include "tests/support/command_vault.h"

namespace sealbook::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class AuditTest : public VaultTest {
 public:
  // The object of a verification that finds damage, which exits 7.
  Json VerifyBad(Words more = {}) {
    more.insert(more.begin(), {"audit", "verify", "--json"});
    const Ran ran = As("owner", more);
    EXPECT_EQ(ran.exit, 7) << ran;
    EXPECT_EQ(ran.err, "");
    return ran.json();
  }
  // Whoever saw nothing yet.
  void ForgetMarks() { std::filesystem::remove_all(Path("state")); }
};

TEST_F(AuditTest, EveryCommandThatReadsOrChangesCustomersIsInIt) {
  ImportCustomers();
  const std::string token = TokenOf("김서연");
  Must("mina", {"lookup", token});
  Must("mina", {"show", token});
  Must("mina", {"list"});
  Must("mina", {"set", token, "note=x"});
  Must("owner", {"book", "add", "busan"});
  Must("owner", {"book", "members", "busan", "--add", "mina"});
  Must("owner", {"book", "assign", "busan", token});
  Must("importer", {"import", Path("seoul.csv"), "--dry-run"});
  As("wei", {"show", token});
  As("wei", {"import", Path("seoul.csv")});
  const std::vector<Json> log = AuditLog();
  std::vector<std::string> acts;
  for (const Json& line : log) {
    for (const char* key : {"sequence", "time", "member", "act", "outcome"})
      EXPECT_TRUE(line.contains(key)) << line;
    const auto from = static_cast<std::int64_t>(log.size()) - 12;
    if (line["sequence"].get<std::int64_t>() > from) {
      acts.push_back(absl::StrCat(line["member"].get<std::string>(), " ",
                                  line["act"].get<std::string>(), " ",
                                  line["outcome"].get<std::string>()));
    }
  }
  EXPECT_THAT(
      acts, ElementsAre("owner lookup done", "mina lookup done", "mina show done", "mina list done",
                        "mina set done", "owner book.add done", "owner book.add_member done",
                        "owner book.assign done", "importer import.dry_run done",
                        "wei show not_found", "wei import denied", "owner audit.log done"));
  EXPECT_EQ(log[log.size() - 11]["uid"], token);
  const Ran text = As("owner", {"audit", "log"});
  ExpectNothingPersonal(text);
  EXPECT_THAT(text.out, HasSubstr(token));
}

TEST_F(AuditTest, LogIsFilteredByMemberCustomerAndTime) {
  ImportCustomers();
  const std::string token = TokenOf("김서연"), other = TokenOf("이하늘");
  Must("mina", {"show", token});
  Must("mina", {"show", other});
  Must("sora", {"show", token});
  for (const Json& line : AuditLog({"--member", "sora"})) EXPECT_EQ(line["member"], "sora");
  EXPECT_EQ(AuditLog({"--member", "stranger"}).size(), 0u);
  EXPECT_EQ(AuditLog({"--uid", token}).size(), 3u);
  EXPECT_EQ(AuditLog({"--uid", token, "--member", "mina"}).size(), 1u);
  EXPECT_EQ(AuditLog({"--since", "2999-01-01"}).size(), 0u);
  EXPECT_GT(AuditLog({"--since", "2020-01-01T00:00:00+09:00"}).size(), 10u);
  const std::string time = AuditLog().back()["time"];
  for (const Json& line : AuditLog({"--since", time}))
    EXPECT_GE(line["time"].get<std::string>(), time);
  for (Words words :
       {Words{"--since", "yesterday"}, Words{"--uid", "UID_1"}, Words{"--uid", "김"}}) {
    words.insert(words.begin(), {"audit", "log", "--json"});
    ExpectJsonError(As("owner", words), 2, "usage");
  }
}

TEST_F(AuditTest, AuditorsReadItAndOthersDoNot) {
  EXPECT_EQ(As("audra", {"audit", "log"}).exit, 0);
  EXPECT_EQ(Ask("audra", {"audit", "verify"})["ok"], true);
  for (const char* member : {"mina", "sora", "importer"}) {
    for (Words words : {Words{"audit", "log"}, Words{"audit", "verify"},
                        Words{"audit", "checkpoint", "-o", Path("point")}}) {
      words.push_back("--json");
      ExpectJsonError(As(member, words), 3, "permission_denied");
    }
  }
  EXPECT_FALSE(std::filesystem::exists(Path("point")));
}

TEST_F(AuditTest, VerifyTellsEntriesAndHead) {
  const Json json = Ask("owner", {"audit", "verify"});
  EXPECT_EQ(json["ok"], true);
  EXPECT_EQ(json["first_bad"], nullptr);
  EXPECT_EQ(json["head"].get<std::string>().size(), 64u);
  EXPECT_EQ(static_cast<std::int64_t>(AuditLog().size()), json["entries"].get<std::int64_t>() + 1);
  EXPECT_THAT(As("owner", {"audit", "verify"}).out, HasSubstr("The log is whole: "));
}

TEST_F(AuditTest, AnEntryThatWasAlteredTakenOrMovedIsFound) {
  CopyVault("kept");
  const std::pair<const char*, int> attacks[] = {
      {"UPDATE audit SET record = (SELECT record FROM audit WHERE sequence = 6) WHERE sequence = 5",
       5},
      {"DELETE FROM audit WHERE sequence = 4", 4},
      {"UPDATE audit SET record = substr(record, 1, length(record) - 1) || CASE hex(substr(record, "
       "-1)) WHEN '00' THEN x'01' ELSE x'00' END "
       "WHERE sequence = 3",
       3},
      {"UPDATE audit SET record = x'' WHERE sequence = 7", 7},
      {"DELETE FROM audit WHERE sequence = 1", 1}};
  for (const auto& [sql, first_bad] : attacks) {
    Alter(sql);
    ForgetMarks();
    const Json json = VerifyBad();
    EXPECT_EQ(json["ok"], false) << sql;
    EXPECT_EQ(json["first_bad"], first_bad) << sql;
    const Ran text = As("owner", {"audit", "verify"});
    EXPECT_EQ(text.exit, 7) << sql;
    EXPECT_THAT(text.err, HasSubstr(absl::StrCat("entry ", first_bad)));
    RestoreVault("kept");
    ForgetMarks();
  }
  EXPECT_EQ(Ask("owner", {"audit", "verify"})["ok"], true);
}

TEST_F(AuditTest, ACutTailIsSeenByTheMarksAndByACheckpoint) {
  const Json point = Ask("owner", {"audit", "checkpoint", "-o", Path("point")});
  EXPECT_EQ(point["file"], Path("point"));
  EXPECT_EQ(Ask("audra", {"audit", "verify", "--checkpoint", Path("point")})["ok"], true);
  Must("mina", {"book", "list"});
  EXPECT_EQ(Ask("owner", {"audit", "verify", "--checkpoint", Path("point")})["ok"], true);
  Alter(
      absl::StrCat("DELETE FROM audit WHERE sequence > ", point["entries"].get<int>() - 2).c_str());
  // Whoever saw more before refuses to go on.
  ExpectJsonError(As("owner", {"audit", "verify", "--json"}), 7, "integrity");
  // Without the marks the chain is whole as far as it goes, and the checkpoint shows what is
  // missing.
  ForgetMarks();
  EXPECT_EQ(Ask("owner", {"audit", "verify"})["ok"], true);
  EXPECT_EQ(VerifyBad({"--checkpoint", Path("point")})["ok"], false);
}

TEST_F(AuditTest, CheckpointsAreNewFilesSignedAndOfThisVault) {
  Must("owner", {"audit", "checkpoint", "-o", Path("point")});
  ExpectJsonError(As("owner", {"audit", "checkpoint", "-o", Path("point"), "--json"}), 2, "usage");
  ExpectJsonError(As("owner", {"audit", "checkpoint", "--json"}), 2, "usage");
  const std::string text = ReadFile(Path("point"));
  const auto verify = [&](const std::string& checkpoint) {
    return As("owner", {"audit", "verify", "--json", "--checkpoint", Write("changed", checkpoint)});
  };
  EXPECT_EQ(verify(text).exit, 0);
  for (std::size_t at = 0; at + 1 < text.size(); at += 1 + text.size() / 12) {
    std::string changed = text;
    changed[at] = changed[at] == '7' ? '8' : '7';
    const Ran ran = verify(changed);
    EXPECT_TRUE(ran.exit == 6 || ran.exit == 7) << "byte " << at << ran;
  }
  ExpectJsonError(verify(""), 6, "bad_input");
  ExpectJsonError(verify(std::string(100'000, 'x')), 6, "bad_input");
  ExpectJsonError(As("owner", {"audit", "verify", "--json", "--checkpoint", Path("none")}), 6,
                  "bad_input");
}

}  // namespace
}  // namespace sealbook::testing
