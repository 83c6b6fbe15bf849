// What of a policy is taken over, and what bounds the reading of one; single faults:
// policy_faults_test.cc.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/policies/policy_text.h"
#include "vault/status.h"

namespace sealbook::policies {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<std::string> Lines(const std::vector<Fault>& faults) {
  std::vector<std::string> out;
  for (const Fault& fault : faults) out.push_back(absl::StrCat(fault.line, ":", fault.column));
  return out;
}

TEST(PolicyParserTest, DefaultPolicyHasNoFault) {
  EXPECT_EQ(Show(Policy::Check(DefaultText())), "");
  EXPECT_EQ(Parsed(DefaultText()).text(), DefaultText());
}

TEST(PolicyParserTest, EmptyTextLacksEverything) {
  EXPECT_THAT(Lines(Policy::Check("")), ElementsAre("1:1", "1:1", "1:1", "1:1"));
  EXPECT_FALSE(Policy::Parse("").ok());
}

TEST(PolicyParserTest, SectionsThatAreNoneAreFaultsAtTheirValues) {
  EXPECT_THAT(
      Lines(Policy::Check("version = 1\nclasses = 1\nroles = []\narchives = 'age1'\nmasks = 4\n"
                          "passphrase = 5\nlockout = 6\nlookup = 7\ntoken = 8\nreveal = 9\n")),
      ElementsAre("2:11", "3:9", "4:12", "5:9", "6:14", "7:11", "8:10", "9:9", "10:10"));
}

TEST(PolicyParserTest, LimitsMayBeLeftOut) {
  std::string text = DefaultText();
  const auto limits = text.find("# What a passphrase costs"),
             archives = text.find("# Old chats go");
  ASSERT_TRUE(limits != std::string::npos && archives != std::string::npos);
  text.erase(limits, archives - limits);
  text = With(text, "[token]\nprefix = \"UID_\"\ndigits = 10\n", "");
  text = With(text, "region = \"KR\"\n", "");
  text = With(text, "reveal_daily = 20\n", "");
  const Policy policy = Parsed(text);
  EXPECT_EQ(policy.region(), "");
  EXPECT_EQ(policy.passphrase_min_length(), 12);
  EXPECT_EQ(policy.cost(), (crypto::PassphraseCost{.memory_kib = 256 * 1024, .passes = 3}));
  EXPECT_EQ(policy.lockout().after, 5);
  EXPECT_EQ(policy.lockout().lasts, absl::Minutes(15));
  EXPECT_EQ(policy.lookup_limit(), 50);
  EXPECT_EQ(policy.FindRole("supervisor")->reveal_daily, 20);
  EXPECT_EQ(policy.burst().burst, 10);
  EXPECT_EQ(policy.burst().within, absl::Minutes(10));
  EXPECT_EQ(policy.burst().lasts, absl::Minutes(60));
  EXPECT_EQ(policy.factors().wrong_codes, 5);
  EXPECT_EQ(policy.factors().locked, absl::Minutes(15));
  EXPECT_TRUE(policy.factors().countersign);
  EXPECT_THAT(policy.exports().recipients, ElementsAre());
  EXPECT_TRUE(policy.exports().other_recipients);
  EXPECT_FALSE(policy.exports().plaintext);
  EXPECT_EQ(policy.exports().approvals, 0);
  EXPECT_EQ(policy.exports().approval_lasts, absl::Hours(24));
  EXPECT_EQ(policy.exports().max_rows, 0);
  EXPECT_EQ(policy.exports().cooldown, absl::ZeroDuration());
}

TEST(PolicyParserTest, LimitsAreTakenOver) {
  std::string text = DefaultText();
  text = With(text, "min_length = 12\nmemory_mib = 256\npasses = 3",
              "min_length = 20\nmemory_mib = 512\npasses = 4");
  text = With(text, "after = 5\nminutes = 15", "after = 3\nminutes = 1440");
  text = With(text, "shown = 50", "shown = 1000");
  text = With(text, "reveal_daily = 20", "reveal_daily = 10000");
  text = With(text, "burst = 10\nburst_minutes = 10\nlock_minutes = 60",
              "burst = 1000\nburst_minutes = 1440\nlock_minutes = 10080");
  text = With(text, "wrong_codes = 5\nlocked_minutes = 15\ncountersign = true",
              "wrong_codes = 20\nlocked_minutes = 1440\ncountersign = false");
  text = With(text,
              "recipients = []\nother_recipients = true\nplaintext = false\napprovals = 0\n"
              "approval_hours = 24\nmax_rows = 0\ncooldown_minutes = 0",
              absl::StrCat("recipients = ['", kRecipient,
                           "']\nother_recipients = false\nplaintext = true\napprovals = 2\n"
                           "approval_hours = 1\nmax_rows = 1000000000\ncooldown_minutes = 60"));
  const Policy policy = Parsed(text);
  EXPECT_EQ(policy.factors().wrong_codes, 20);
  EXPECT_EQ(policy.factors().locked, absl::Hours(24));
  EXPECT_FALSE(policy.factors().countersign);
  EXPECT_THAT(policy.exports().recipients, ElementsAre(kRecipient));
  EXPECT_FALSE(policy.exports().other_recipients);
  EXPECT_TRUE(policy.exports().plaintext);
  EXPECT_EQ(policy.exports().approvals, 2);
  EXPECT_EQ(policy.exports().approval_lasts, absl::Hours(1));
  EXPECT_EQ(policy.exports().max_rows, 1'000'000'000);
  EXPECT_EQ(policy.exports().cooldown, absl::Minutes(60));
  EXPECT_EQ(policy.region(), "KR");
  EXPECT_EQ(policy.passphrase_min_length(), 20);
  EXPECT_EQ(policy.cost(), (crypto::PassphraseCost{.memory_kib = 512 * 1024, .passes = 4}));
  EXPECT_EQ(policy.lockout().after, 3);
  EXPECT_EQ(policy.lockout().lasts, absl::Hours(24));
  EXPECT_EQ(policy.lookup_limit(), 1000);
  EXPECT_EQ(policy.FindRole("supervisor")->reveal_daily, 10000);
  EXPECT_EQ(policy.FindRole("owner")->reveal_daily, 20);
  EXPECT_EQ(policy.burst().burst, 1000);
  EXPECT_EQ(policy.burst().within, absl::Hours(24));
  EXPECT_EQ(policy.burst().lasts, absl::Hours(24 * 7));
  EXPECT_THAT(policy.archive_recipients(), ElementsAre(kRecipient));
  EXPECT_THAT(policy.archive_destinations(), ElementsAre("sftp://shop@archive.example/chats"));
}

TEST(PolicyParserTest, EveryKindOfDestinationIsTaken) {
  const Policy policy =
      Parsed(DefaultWith("destinations = [", "destinations = ['file:///mnt/disk', 's3://b/p',"));
  EXPECT_EQ(policy.archive_destinations().size(), 3u);
}

TEST(PolicyParserTest, MissingClassIsReportedWithEverythingThatNamesIt) {
  const std::string text = DefaultWith("[classes.chat]\nnumber = 5", "");
  const std::vector<Fault> faults = Policy::Check(text);
  ASSERT_FALSE(faults.empty());
  // The classes; two lists of owner and of admin; one of supervisor, agent and importer.
  EXPECT_EQ(faults.size(), 8u) << Show(faults);
}

TEST(PolicyParserTest, IdentifierThatNoClassNamesIsAFault) {
  const std::string text = DefaultWith("\"jid\", \"username\", ", "\"jid\", ");
  // At the classes, and at the mask that has lost its field.
  EXPECT_EQ(Policy::Check(text).size(), 2u) << Show(Policy::Check(text));
}

TEST(PolicyParserTest, FaultsComeInTheOrderOfTheFile) {
  std::string text = DefaultWith("shown = 50", "shown = 0");
  text = With(text, "region = \"KR\"", "region = 1");
  text = With(text, "[roles.auditor]", "[roles.auditor]\ncan = 1");
  const std::vector<Position> positions = PositionsOf(Policy::Check(text));
  ASSERT_EQ(positions.size(), 3u);
  EXPECT_TRUE(std::is_sorted(positions.begin(), positions.end()));
}

TEST(PolicyParserTest, StatusNamesTheFirstFaultsPlace) {
  const std::string text = "version = 1\nregion = 7\n";
  const absl::Status status = Policy::Parse(text).status();
  const std::string message(status.message());
  EXPECT_THAT(message, HasSubstr("line 1"));
  EXPECT_THAT(HintOf(status), HasSubstr("4"));  // three sections are missing beside it
}

TEST(PolicyParserTest, WindowsLineEndsAndByteOrderMarkAreTaken) {
  const std::string text = "\xef\xbb\xbf" + absl::StrReplaceAll(DefaultText(), {{"\n", "\r\n"}});
  EXPECT_EQ(Show(Policy::Check(text)), "");
  const std::string broken = absl::StrReplaceAll(text, {{"shown = 50", "shown = 0"}});
  const int line = PositionsOf(Policy::Check(DefaultWith("shown = 50", "shown = 0")))[0].first;
  EXPECT_EQ(PositionsOf(Policy::Check(broken)), std::vector<Position>({{line, 9}}));
}

TEST(PolicyParserTest, Utf16IsRefused) {
  std::string wide = "\xff\xfe";
  for (const char c : DefaultText()) wide.append({c, '\0'});
  EXPECT_EQ(PositionsOf(Policy::Check(wide)), std::vector<Position>({{1, 1}}));
}

TEST(PolicyParserTest, CutOffAnywhereIsNeverAnotherPolicy) {
  const std::string text = DefaultText();
  const std::size_t last_list = text.find("destinations = ");
  for (std::size_t size = 0; size < text.size(); ++size) {
    const absl::StatusOr<Policy> policy = Policy::Parse(absl::string_view(text).substr(0, size));
    if (!policy.ok()) continue;
    // Only the destinations, at the very end, may be missing: archiving then has nowhere to go.
    EXPECT_GE(size + 1, last_list);
    EXPECT_EQ(policy->Compile().roles, Parsed(text).Compile().roles) << "cut at " << size;
  }
}

TEST(PolicyParserTest, LargestSizeIsTakenAndOneByteMoreIsNot) {
  std::string text = DefaultText() + "# ";
  text.resize(Policy::kMaxBytes - 1, 'x');
  EXPECT_EQ(Show(Policy::Check(text + "\n")), "");
  EXPECT_EQ(PositionsOf(Policy::Check(text + "x\n")), std::vector<Position>({{1, 1}}));
}

TEST(PolicyParserTest, KeyOfManyPartsDoesNotOverflowTheStack) {
  std::string key;
  for (int i = 0; i < 250'000; ++i) key += "a.";
  EXPECT_EQ(PositionsOf(Policy::Check("version = 1\n" + key + "a = 1\n")),
            std::vector<Position>({{2, 1}}));
  EXPECT_EQ(PositionsOf(Policy::Check("[" + key + "a]\n")), std::vector<Position>({{1, 1}}));
  std::string spaced, quoted;
  for (int i = 0; i < 100'000; ++i) spaced += "a . ", quoted += "\"..\".";
  EXPECT_EQ(PositionsOf(Policy::Check(spaced + "a = 1\n")), std::vector<Position>({{1, 1}}));
  EXPECT_EQ(PositionsOf(Policy::Check(quoted + "a = 1\n")), std::vector<Position>({{1, 1}}));
}

TEST(PolicyParserTest, NestedAsDeepAsLinesAllowIsAFaultAndNoCrash) {
  std::string key = "a";
  for (int i = 0; i < 63; ++i) key += ".a";
  std::string text = "[" + key + "]\n";
  for (int i = 0; i < 2'000; ++i) text += key + " = [\n{";
  EXPECT_EQ(Policy::Check(text).size(), 1u);
  EXPECT_EQ(Policy::Check("a = " + std::string(500'000, '[')).size(), 1u);
}

// toml++ 3.3 assumed both away.
TEST(PolicyParserTest, SectionNameThatBeginsWithNoLetterIsAFault) {
  for (const char* text : {"[.a]\n", "[\x01]\n", "[,]\n", "[[.a]]\n", "[=]\n"}) {
    EXPECT_EQ(Policy::Check(text).size(), 1u) << text;
  }
}
TEST(PolicyParserTest, LettersOfOtherScriptsBetweenKeysAreFaults) {
  for (const char* letter : {"é", "Я", "ア", "ﾀ", "서", "中", "😀", "\xc2\xa0"}) {
    EXPECT_EQ(Policy::Check(absl::StrCat("a = {", letter, " = 1}\n")).size(), 1u) << letter;
    EXPECT_EQ(Policy::Check(absl::StrCat("a = 1 ", letter, "\n")).size(), 1u) << letter;
  }
}

TEST(PolicyParserTest, LinesDrawnWithDotsAreNoKeys) {
  EXPECT_EQ(Show(Policy::Check(DefaultText() + "# " + std::string(200, '.') + "\n")), "");
}

TEST(PolicyParserTest, LongListsTakeNoLongTime) {
  std::string list = "version = 1\n[classes.identity]\nfields = [";
  for (int i = 0; list.size() + 20 < Policy::kMaxBytes; ++i) absl::StrAppend(&list, "\"", i, "\",");
  EXPECT_FALSE(Policy::Check(list + "]\n").empty());
}

}  // namespace
}  // namespace sealbook::policies
