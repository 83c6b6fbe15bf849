// The customer list out of the vault: who may, after which code, into which file; and what is left
// where it is refused. Where it is interrupted: export_interrupted_test.cc, and scripts/kill_test.
#include <gmock/gmock.h>

#include <filesystem>

#include "absl/strings/match.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "tests/support/export_vault.h"
#include "vault/crypto/sha256.h"
#include "vault/keyring/keyring.h"
#include "vault/records/contact_changes.h"

namespace sealbook::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

TEST_F(ExportTest, TheWholeListOpensWithStockAge) {
  const Json json = Ask("owner", Export("all.csv.age", CodeAt("owner", 0)));
  EXPECT_EQ(json["rows"], 9);
  EXPECT_EQ(json["recipients"], Json::array({recipient_}));
  EXPECT_EQ(json["export_id"].get<std::string>().size(), 32u);
  EXPECT_EQ(ModeOf(Path("all.csv.age")), 0600u);
  EXPECT_THAT(ReadFile(Path("all.csv.age")), StartsWith("age-encryption.org/v1\n"));
  crypto::Sha256 hash;
  hash.Update(crypto::AsBytes(ReadFile(Path("all.csv.age"))));
  EXPECT_EQ(json["sha256"], crypto::ToHex(hash.Finish()));
  const std::string text = Opened("all.csv.age");
  for (const char* value : {"김서연", "+821012345678", "1990-02-03", "王嘉豪", "chloe@example.com"})
    EXPECT_THAT(text, HasSubstr(value));
  EXPECT_THAT(LeftBehind(), IsEmpty());
  EXPECT_EQ(CountActs("export.begin"), 1);
  EXPECT_EQ(CountActs("export"), 1);
}

TEST_F(ExportTest, ABookAndChosenFields) {
  const Json json =
      Ask("owner", Export("chosen.csv.age", Code(), {"--book", "seoul", "--fields", "name,phone"}));
  EXPECT_EQ(json["rows"], 6);
  EXPECT_EQ(json["columns"], Json::parse("[\"name\",\"phone\"]"));
  const std::string text = Opened("chosen.csv.age");
  EXPECT_THAT(text, HasSubstr("김서연"));
  EXPECT_THAT(text, Not(HasSubstr("王芳")));
  EXPECT_THAT(text, Not(HasSubstr("seoyeon@example.com")));
}

TEST_F(ExportTest, ComesBackTheSameInEveryFormat) {
  const auto contents = [&](const std::string& file) {
    std::vector<std::string> lines = absl::StrSplit(ReadFile(file), '\n');
    std::sort(lines.begin(), lines.end());
    return lines;
  };
  ChangePolicy({{"plaintext = false", "plaintext = true"}});
  const Words plain = {"export", "--reason", "move", "--plaintext"};
  const auto dump = [&](const std::string& file, const std::string& code) {
    Words words = plain;
    for (const char* const more :
         {"--fields", "name,phone,email,whatsapp_id,company,note,birth_date"})
      words.push_back(more);
    words.insert(words.end(), {"--format", "jsonl", "-o", Path(file), "--otp", code});
    Must("owner", words);
  };
  dump("before.jsonl", Code());
  for (const std::string format : {"csv", "jsonl", "vcard", "xlsx"}) {
    SCOPED_TRACE(format);
    const std::string file = "round." + format;
    Words words = plain;
    words.insert(words.end(), {"--format", format, "-o", Path(file), "--otp", Code()});
    Must("owner", words);
    // The same customers again add nothing and change nothing.
    const Json again = Ask("owner", {"import", Path(file), "--on-duplicate", "replace"});
    EXPECT_EQ(again["rows"], 9);
    EXPECT_EQ(again["rejected"], 0) << again;
    dump("after-" + format + ".jsonl", Code());
    EXPECT_EQ(contents(Path("before.jsonl")), contents(Path("after-" + format + ".jsonl")));
  }
}

TEST_F(ExportTest, NoCodeNoExport) {
  Words words = Export("x.csv", "");
  words.erase(words.begin() + 5, words.begin() + 7);
  ExpectJsonError(As("owner",
                     [&] {
                       Words w = words;
                       w.push_back("--json");
                       return w;
                     }()),
                  4, "not_authenticated");
  // Nor one that somebody who never enrolled makes up.
  const Ran ada = As("ada", Export("x.csv", "123456"));
  EXPECT_EQ(ada.exit, 4) << ada;
  EXPECT_FALSE(std::filesystem::exists(Path("x.csv")));
  EXPECT_EQ(CountActs("export"), 0);
  EXPECT_EQ(CountActs("export", "denied"), 2);
}

TEST_F(ExportTest, EachCodeOnce) {
  const std::string code = CodeAt("owner", 0);
  Must("owner", Export("1.csv", code));
  EXPECT_EQ(As("owner", Export("2.csv", code)).exit, 4);
  EXPECT_EQ(As("owner", Export("2.csv", code.substr(0, 3) + " " + code.substr(3))).exit, 4);
  std::string wide;
  for (const char c : code)
    wide += absl::StrCat("\xef\xbc", std::string(1, static_cast<char>(0x90 + c - '0')));
  EXPECT_EQ(As("owner", Export("2.csv", wide)).exit, 4);
  const std::string recovery = Code();
  Must("owner", Export("3.csv", recovery));
  EXPECT_EQ(As("owner", Export("4.csv", recovery)).exit, 4);
  EXPECT_FALSE(std::filesystem::exists(Path("2.csv")));
  EXPECT_FALSE(std::filesystem::exists(Path("4.csv")));
  EXPECT_THAT(LeftBehind(), IsEmpty());
}

TEST_F(ExportTest, TwoProcessesShareNoCode) {
  const std::string code = Code();
  Process first = StartAs("owner", Export("1.csv", code));
  Process second = StartAs("owner", Export("2.csv", code));
  const int ended = (first.Wait().exit == 0) + (second.Wait().exit == 0);
  EXPECT_EQ(ended, 1);
  EXPECT_EQ(std::filesystem::exists(Path("1.csv")) + std::filesystem::exists(Path("2.csv")), 1);
  EXPECT_EQ(CountActs("export"), 1);
  EXPECT_THAT(LeftBehind(), IsEmpty());
}

TEST_F(ExportTest, OthersRolesAreRefused) {
  for (const char* member : {"mina", "sora", "audra", "importer"}) {
    const Ran ran = As(member, Export("x.csv", "123456"));
    EXPECT_EQ(ran.exit, 3) << ran;
    ExpectNothingPersonal(ran);
  }
  EXPECT_EQ(CountActs("export", "denied"), 4);
}

TEST_F(ExportTest, ApprovedExactlyAndOnce) {
  Enroll("ada", "owner");
  ChangePolicy({{"approvals = 0", "approvals = 1"}});
  EXPECT_EQ(As("owner", Export("x.csv", Code())).exit, 3);
  const Words wanted = {"export",      "request",  "--reason", "yearly mailing",
                        "--recipient", recipient_, "--book",   "seoul"};
  const std::string id = Ask("owner", wanted)["id"];
  EXPECT_EQ(As("owner", Export("x.csv", Code(), {"--book", "seoul"})).exit, 3);
  // Not by the one who asks, and not without a code of the approver's own.
  EXPECT_EQ(As("owner", {"export", "approve", id, "--otp", Code()}).exit, 3);
  EXPECT_EQ(As("ada", {"export", "approve", id, "--otp", Code("owner")}).exit, 4);
  Must("ada", {"export", "approve", id.substr(0, 8), "--otp", Code("ada")});
  // Not for another book, other fields, another format, another recipient or another reason.
  const std::string other =
      crypto::FormatAgeRecipient(crypto::ExchangePair::Generate().public_key());
  for (const Words& more :
       {Words{}, Words{"--book", "shenzhen"}, Words{"--book", "seoul", "--fields", "name"},
        Words{"--book", "seoul", "--format", "xlsx"},
        Words{"--book", "seoul", "--recipient", other}}) {
    EXPECT_EQ(As("owner", Export("x.csv", CodeAt("owner", 1), more)).exit, 3);
  }
  Words another = Export("x.csv", CodeAt("owner", 1), {"--book", "seoul"});
  another[4] = "another reason";
  EXPECT_EQ(As("owner", another).exit, 3);
  EXPECT_EQ(As("ada", Export("x.csv", Code("ada"), {"--book", "seoul"})).exit, 3);
  Must("owner", Export("x.csv", Code(), {"--book", "seoul"}));
  EXPECT_EQ(As("owner", Export("y.csv", Code(), {"--book", "seoul"})).exit, 3);
  EXPECT_EQ(Ask("owner", {"export", "list"})["requests"][0]["state"], "made");
}

TEST_F(ExportTest, ReceiptsAreCheckedWithoutAVault) {
  const Json json = Ask("owner", Export("x.csv", Code()));
  const std::string receipt = json["receipt"], key = json["authority"];
  RunOptions nowhere;
  const Ran good = Run({"receipt", "verify", receipt, "--authority", key, "--json"}, nowhere);
  EXPECT_EQ(good.exit, 0) << good;
  EXPECT_EQ(good.json()["ok"], true);
  EXPECT_EQ(good.json()["kind"], "export");
  EXPECT_EQ(good.json()["facts"]["rows"], "9");
  Write("forged", absl::StrReplaceAll(ReadFile(receipt), {{"rows: 9", "rows: 8"}}));
  const Ran forged =
      Run({"receipt", "verify", Path("forged"), "--authority", key, "--json"}, nowhere);
  EXPECT_EQ(forged.exit, 7) << forged;
  EXPECT_EQ(forged.json()["ok"], false);
  EXPECT_EQ(Run({"receipt", "verify", receipt, "--authority", std::string(64, 'a')}, nowhere).exit,
            7);
  EXPECT_EQ(Run({"receipt", "verify", receipt, "--authority", "nonsense"}, nowhere).exit, 6);
  EXPECT_EQ(Run({"receipt", "verify", Path("seoul.csv"), "--authority", key}, nowhere).exit, 6);
}

TEST_F(ExportTest, PolicyLimits) {
  EXPECT_EQ(
      As("owner", {"export", "-o", Path("x.csv"), "--reason", "r", "--otp", Code(), "--plaintext"})
          .exit,
      3);
  ChangePolicy(
      {{"max_rows = 0", "max_rows = 8"}, {"cooldown_minutes = 0", "cooldown_minutes = 60"}});
  EXPECT_EQ(As("owner", Export("x.csv", Code())).exit, 3);
  Must("owner", Export("seoul.csv.age", Code(), {"--book", "seoul"}));
  const Ran soon = As("owner", Export("again.csv.age", Code(), {"--book", "seoul"}));
  EXPECT_EQ(soon.exit, 3) << soon;
  ChangePolicy({{"other_recipients = true", "other_recipients = false"},
                {"cooldown_minutes = 60", "cooldown_minutes = 0"}});
  EXPECT_EQ(As("owner", Export("again.csv.age", Code(), {"--book", "seoul"})).exit, 3);
}

TEST_F(ExportTest, PlacesThatDoNotFit) {
  Write("there.csv", "mine");
  const std::string code = CodeAt("owner", 0);
  EXPECT_EQ(As("owner", Export("there.csv", code)).exit, 2);
  EXPECT_EQ(ReadFile(Path("there.csv")), "mine");
  EXPECT_EQ(As("owner", Export("nowhere/x.csv", code)).exit, 2);
  EXPECT_EQ(
      As("owner", {"export", "-o", "-", "--reason", "r", "--otp", code, "--recipient", recipient_})
          .exit,
      2);
  ASSERT_EQ(mkfifo(Path("pipe").c_str(), 0600), 0);
  EXPECT_EQ(As("owner", Export("pipe", code, {"--force"})).exit, 2);
  Words wrong = Export("x.csv", code);
  wrong.back() = "age1nobody";
  EXPECT_EQ(As("owner", wrong).exit, 6);
  // None of it spent the code, and all of it is on record.
  EXPECT_EQ(CountActs("export", "failed"), 5);
  Must("owner", Export("there.csv", code, {"--force"}));
  EXPECT_THAT(ReadFile(Path("there.csv")), StartsWith("age-encryption.org/v1\n"));
}

// Before lists had tokens, a column "uid" of theirs was a field like any other.
TEST_F(ExportTest, FieldsOfOlderVaultsThatAreCalledLikeColumnsGetOtherNames) {
  {
    auto keyring =
        keyring::Keyring::Unlock(keyring::VaultPaths(VaultPath()),
                                 {.name = "owner",
                                  .secret = {.kind = keyring::UnlockSecret::Kind::kPassphrase,
                                             .bytes = Secret(PassphraseOf("owner"))}});
    ASSERT_TRUE(keyring.ok()) << keyring.status();
    const absl::Status changed = records::ChangeContact(
        **keyring, 1,
        [](const store::ContactRow&) -> absl::StatusOr<records::ContactChange> {
          return records::ContactChange{
              .classes = {{ClassId::kSensitive, {{"uid", "user-7"}, {"ignore", "yes"}}}}};
        },
        {.act = "set"});
    ASSERT_TRUE(changed.ok()) << changed;
  }
  const Json json = Ask("owner", Export("old.jsonl.age", Code()));
  EXPECT_EQ(json["format"], "jsonl");
  const std::string text = Opened("old.jsonl.age");
  EXPECT_THAT(text, HasSubstr("\"uid_2\":\"user-7\""));
  EXPECT_THAT(text, HasSubstr("\":\"yes\""));
}

// What a process left that died between the vault's commit and the last step.
TEST_F(ExportTest, RecordedAndNotInPlaceIsFinishedWithoutAnotherCode) {
  const std::string code = Code();
  const Json json = Ask("owner", Export("all.csv.age", code));
  const std::string whole = ReadFile(Path("all.csv.age"));
  const auto body = whole.find("\n--- ");
  ASSERT_NE(body, std::string::npos);
  const std::size_t header = whole.find('\n', body + 1) + 1 + 16;
  const std::string left =
      absl::StrCat(".all.csv.age.sealbook-export-", json["export_id"].get<std::string>());
  Write(left, std::string(header, '\0') + whole.substr(header));
  std::filesystem::remove(Path("all.csv.age"));
  std::filesystem::remove(Path("all.csv.age.receipt"));
  // Whatever is asked for now: it is what was recorded, and says so.
  Words others = Export("all.csv.age", code);
  others.back() = crypto::FormatAgeRecipient(crypto::ExchangePair::Generate().public_key());
  const Json again = Ask("owner", others);
  EXPECT_EQ(again["finished_interrupted"], true);
  EXPECT_EQ(again["recipients"], json["recipients"]);
  EXPECT_EQ(again["sha256"], json["sha256"]);
  EXPECT_EQ(ReadFile(Path("all.csv.age")), whole);
  EXPECT_TRUE(std::filesystem::exists(Path("all.csv.age.receipt")));
  EXPECT_THAT(LeftBehind(), IsEmpty());
  EXPECT_EQ(CountActs("export"), 1);
}

}  // namespace
}  // namespace sealbook::testing
