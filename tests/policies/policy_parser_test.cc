// A policy with a fault is no policy. Each case damages the default policy in one place; a ^ in the
// new text stands before every place where a fault is to be reported, and is taken out before
// parsing.
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

using testing::DefaultText;
using testing::DefaultWith;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::Parsed;
using Position = std::pair<int, int>;

// Where the marks stand, as line and column from 1; a column is a character, not a byte.
std::vector<Position> TakeMarks(std::string& text) {
  std::vector<Position> marks;
  std::string clean;
  int line = 1, column = 1;
  for (const char c : text) {
    if (c == '^') {
      marks.push_back({line, column});
      continue;
    }
    clean.push_back(c);
    if (c == '\n') {
      ++line;
      column = 1;
    } else if ((static_cast<unsigned char>(c) & 0xC0) != 0x80) {
      ++column;
    }
  }
  text = clean;
  return marks;
}

std::vector<Position> PositionsOf(const std::vector<Fault>& faults) {
  std::vector<Position> out;
  for (const Fault& fault : faults) out.push_back({fault.line, fault.column});
  return out;
}
std::string Show(const std::vector<Fault>& faults) {
  std::ostringstream out;
  for (const Fault& fault : faults)
    out << fault.line << ":" << fault.column << " " << fault.message << "\n";
  return out.str();
}

constexpr char kStart[] = "# Who may";  // of what is missing as a whole
constexpr char kClasses[] = "[classes.identity]";

struct FaultCase {
  const char* name;
  std::string from, to;
  std::string also_at = "";  // a fault where this text stands, too
  std::string reads = "";    // classes that owner and admin read beside the usual ones, as TOML
};
void PrintTo(const FaultCase& test_case, std::ostream* out) { *out << test_case.name; }

class PolicyFaultTest : public ::testing::TestWithParam<FaultCase> {};

TEST_P(PolicyFaultTest, IsReportedAtItsPlaceAndLeavesNoPolicy) {
  std::string text = DefaultWith(GetParam().from, GetParam().to);
  if (!GetParam().reads.empty()) {
    const std::string list = "\nclear = [\"identity\", ";
    text = absl::StrReplaceAll(text, {{list, list + GetParam().reads + ", "}});
  }
  if (!GetParam().also_at.empty())
    text = testing::With(text, GetParam().also_at, "^" + GetParam().also_at);
  const std::vector<Position> marks = TakeMarks(text);
  ASSERT_FALSE(marks.empty());

  const std::vector<Fault> faults = Policy::Check(text);
  EXPECT_EQ(PositionsOf(faults), marks) << Show(faults);
  for (const Fault& fault : faults) EXPECT_FALSE(fault.message.empty());

  const absl::StatusOr<Policy> policy = Policy::Parse(text);
  EXPECT_EQ(policy.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_NE(HintOf(policy.status()), "");
}

std::string NameOf(const ::testing::TestParamInfo<FaultCase>& info) { return info.param.name; }

INSTANTIATE_TEST_SUITE_P(
    Keys, PolicyFaultTest,
    ::testing::Values(
        FaultCase{"UnknownAtTop", "version = 1\n", "version = 1\n^colour = \"red\"\n"},
        FaultCase{"UnknownSection", "[lookup]", "[^looking]"},
        FaultCase{"UnknownInToken", "digits = 10", "digits = 10\n^check = true"},
        FaultCase{"UnknownInClass", "number = 3", "number = 3\n^key = 7"},
        FaultCase{"UnknownInRole", "[roles.auditor]", "[roles.auditor]\n^can = [\"audit\"]"},
        FaultCase{"UnknownInPassphrase", "passes = 3", "^rounds = 3"},
        FaultCase{"UnknownInLockout", "after = 5", "^times = 5"},
        FaultCase{"UnknownInLookup", "shown = 50", "^show = 50"},
        FaultCase{"UnknownInReveal", "burst = 10", "^bursts = 10"},
        FaultCase{"UnknownInSecondFactor", "wrong_codes = 5", "^wrong = 5"},
        FaultCase{"UnknownInExport", "max_rows = 0", "^rows = 0"},
        FaultCase{"UnknownInArchives", "[archives]", "[archives]\n^keep_days = 90"},
        FaultCase{"OtherCase", "shown = 50", "^Shown = 50"},
        FaultCase{"AfterKoreanText", "region = \"KR\"", "^\"지역\" = '서울'"},
        FaultCase{"SeveralAtOnce", "after = 5\nminutes = 15", "^times = 5\nminutes = ^0"}),
    NameOf);

INSTANTIATE_TEST_SUITE_P(
    Types, PolicyFaultTest,
    ::testing::Values(
        FaultCase{"VersionText", "version = 1", "version = ^\"1\""},
        FaultCase{"VersionFraction", "version = 1", "version = ^1.0"},
        FaultCase{"RegionNumber", "region = \"KR\"", "region = ^82"},
        FaultCase{"TokenNoSection", "[token]\nprefix = \"UID_\"\ndigits = 10", "token = ^10"},
        FaultCase{"TokenPrefixNumber", "prefix = \"UID_\"", "prefix = ^7"},
        FaultCase{"TokenDigitsText", "digits = 10", "digits = ^\"10\""},
        FaultCase{"ClassNoSection", "[classes.chat]", "[classes]\n^vip = 16\n[classes.chat]"},
        FaultCase{"ClassNumberText", "[classes.chat]\nnumber = 5",
                  "[classes.^chat]\nnumber = ^\"5\""},
        FaultCase{"FieldsText", "fields = [\"birth_date\"]", "fields = ^\"birth_date\""},
        FaultCase{"FieldNumber", "fields = [\"birth_date\"]", "fields = [\"birth_date\", ^7]"},
        FaultCase{"UnknownFieldsText", "number = 3\n", "number = 3\nunknown_fields = ^\"yes\"\n"},
        FaultCase{"MaskNumber", "phone = \"phone\"", "phone = ^4"},
        FaultCase{"RoleNoSection", "[roles.auditor]\nscope = \"all\"\nmay = [\"audit\"]",
                  "[roles]\n^auditor = \"all\""},
        FaultCase{"ScopeNumber", "[roles.auditor]\nscope = \"all\"",
                  "[roles.^^auditor]\nscope = ^7"},
        FaultCase{"ServiceText", "service = true\nmay", "service = ^\"true\"\nmay"},
        FaultCase{"ClearText", "clear = [\"profile\", \"chat\"]", "clear = ^\"profile\""},
        FaultCase{"MayNumber", "may = [\"audit\"]", "may = [\"audit\", ^1]"},
        FaultCase{"PassphraseNoSection",
                  "[passphrase]\nmin_length = 12\nmemory_mib = 256\npasses = 3",
                  "^[[passphrase]]\nmin_length = 12\nmemory_mib = 256\npasses = 3"},
        FaultCase{"MinLengthFraction", "min_length = 12", "min_length = ^12.5"},
        FaultCase{"RevealDailyText", "reveal_daily = 20", "reveal_daily = ^\"20\""},
        FaultCase{"BurstFraction", "burst = 10", "burst = ^10.5"},
        FaultCase{"CountersignText", "countersign = true", "countersign = ^\"yes\""},
        FaultCase{"PlaintextNumber", "plaintext = false", "plaintext = ^0"},
        FaultCase{"ExportRecipientsText", "recipients = []", "recipients = ^'age1'"},
        FaultCase{"RecipientsText",
                  std::string("[archives]\nrecipients = [\n  \"") + testing::kRecipient + "\",\n]",
                  std::string("^[archives]\nrecipients = ^'") + testing::kRecipient + "'"}),
    NameOf);

INSTANTIATE_TEST_SUITE_P(
    Values, PolicyFaultTest,
    ::testing::Values(
        FaultCase{"OtherVersion", "version = 1", "version = ^2"},
        FaultCase{"NoVersion", "version = 1", "", kStart},
        FaultCase{"RegionInWords", "region = \"KR\"", "region = ^\"Korea\""},
        FaultCase{"RegionInSmallLetters", "region = \"KR\"", "region = ^\"kr\""},
        FaultCase{"OtherTokenPrefix", "prefix = \"UID_\"", "prefix = ^\"CUST_\""},
        FaultCase{"OtherTokenLength", "digits = 10", "digits = ^12"},
        FaultCase{"MinLengthTooShort", "min_length = 12", "min_length = ^11"},
        FaultCase{"MinLengthTooLong", "min_length = 12", "min_length = ^129"},
        FaultCase{"TooLittleMemory", "memory_mib = 256", "memory_mib = ^63"},
        FaultCase{"TooMuchMemory", "memory_mib = 256", "memory_mib = ^2049"},
        FaultCase{"NoPass", "passes = 3", "passes = ^0"},
        FaultCase{"TooManyPasses", "passes = 3", "passes = ^21"},
        FaultCase{"LockoutTooStrict", "after = 5", "after = ^2"},
        FaultCase{"LockoutTooLax", "after = 5", "after = ^21"},
        FaultCase{"LockoutForNoTime", "after = 5\nminutes = 15", "after = 5\nminutes = ^0"},
        FaultCase{"LockoutForDays", "after = 5\nminutes = 15", "after = 5\nminutes = ^1441"},
        FaultCase{"NegativeNumber", "after = 5\nminutes = 15", "after = 5\nminutes = ^-15"},
        FaultCase{"NumberBeyond32Bits", "after = 5\nminutes = 15",
                  "after = 5\nminutes = ^4294967311"},
        FaultCase{"LookupShowsNothing", "shown = 50", "shown = ^0"},
        FaultCase{"LookupShowsAll", "shown = 50", "shown = ^1001"},
        FaultCase{"RevealsNone", "reveal_daily = 20", "reveal_daily = ^0"},
        FaultCase{"RevealsTheWholeList", "reveal_daily = 20", "reveal_daily = ^10001"},
        FaultCase{"BurstOfOne", "burst = 10", "burst = ^1"},
        FaultCase{"BurstOfAList", "burst = 10", "burst = ^1001"},
        FaultCase{"BurstInNoTime", "burst_minutes = 10", "burst_minutes = ^0"},
        FaultCase{"BurstOfMoreThanADay", "burst_minutes = 10", "burst_minutes = ^1441"},
        FaultCase{"BurstLocksForNoTime", "lock_minutes = 60", "lock_minutes = ^0"},
        FaultCase{"BurstLocksForMoreThanAWeek", "lock_minutes = 60", "lock_minutes = ^10081"},
        FaultCase{"CodesTooStrict", "wrong_codes = 5", "wrong_codes = ^2"},
        FaultCase{"CodesTooLax", "wrong_codes = 5", "wrong_codes = ^21"},
        FaultCase{"CodesLockedForDays", "locked_minutes = 15", "locked_minutes = ^1441"},
        FaultCase{"ApprovalsBelowNone", "approvals = 0", "approvals = ^-1"},
        FaultCase{"ApprovalsByTooMany", "approvals = 0", "approvals = ^11"},
        FaultCase{"ApprovalForNoTime", "approval_hours = 24", "approval_hours = ^0"},
        FaultCase{"RowsBelowNone", "max_rows = 0", "max_rows = ^-1"},
        FaultCase{"CooldownOfYears", "cooldown_minutes = 0", "cooldown_minutes = ^525601"},
        FaultCase{"NotAnExportRecipient", "recipients = []", "recipients = [^'age1nobody']"},
        FaultCase{"UnknownMask", "phone = \"phone\"", "phone = ^\"half\""},
        FaultCase{"NoSuchScope", "[roles.auditor]\nscope = \"all\"",
                  "[roles.^^auditor]\nscope = \"some\""},
        FaultCase{"NoScope", "[roles.auditor]\nscope = \"all\"", "[roles.^^auditor]"},
        FaultCase{"NoSuchRight", "may = [\"audit\"]", "may = [\"audit\", ^\"everything\"]"},
        FaultCase{"NotARecipient", "[archives]\nrecipients = [",
                  "[archives]\nrecipients = [ ^'age1nobody',"},
        FaultCase{"AnIdentityForARecipient", "[archives]\nrecipients = [",
                  "[archives]\nrecipients = [ "
                  "^'AGE-SECRET-KEY-1QQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQ6',"},
        FaultCase{"NotADestination", "destinations = [", "destinations = [ ^'/var/archive',"},
        FaultCase{"PlainHttpDestination", "destinations = [",
                  "destinations = [ ^'http://archive.example/x',"},
        FaultCase{"RelativeFileDestination", "destinations = [",
                  "destinations = [ ^'file://archive',"}),
    NameOf);

INSTANTIATE_TEST_SUITE_P(
    Classes, PolicyFaultTest,
    ::testing::Values(
        FaultCase{"PermanentNumberChanged", "[classes.chat]\nnumber = 5",
                  "[classes.^chat]\nnumber = 6"},
        FaultCase{"PermanentNumbersSwapped", "[classes.sensitive]\nnumber = 4",
                  "[classes.^^sensitive]\nnumber = 3"},
        FaultCase{"ReservedNumber", "[classes.chat]", "[classes.^vip]\nnumber = 15\n[classes.chat]",
                  "", R"("vip")"},
        FaultCase{"NumberOfTheVault", "[classes.chat]",
                  "[classes.^vip]\nnumber = ^254\n[classes.chat]", "", R"("vip")"},
        FaultCase{"NameOfTheVault", "[classes.chat]",
                  "[classes.^index]\nnumber = 16\n[classes.chat]", "", R"("index")"},
        FaultCase{"OtherNameOfTheVault", "[classes.chat]",
                  "[classes.^audit]\nnumber = 16\n[classes.chat]", "", R"("audit")"},
        FaultCase{"NoNumber", "[classes.chat]", "[classes.^vip]\n[classes.chat]", "", R"("vip")"},
        FaultCase{"NumberTwice", "[classes.chat]",
                  "[classes.vip]\nnumber = 16\n[classes.^wip]\nnumber = 16\n[classes.chat]", "",
                  R"("vip", "wip")"},
        FaultCase{"FieldInTwoClasses", "[classes.chat]",
                  "[classes.vip]\nnumber = 16\nfields = [^\"birth_date\"]\n[classes.chat]", "",
                  R"("vip")"},
        FaultCase{"FieldTwice", "fields = [\"birth_date\"]",
                  "fields = [\"birth_date\", ^\"birth_date\"]"},
        FaultCase{"NumberedField", "fields = [\"birth_date\"]",
                  "fields = [\"birth_date\", ^\"child_2\"]"},
        FaultCase{"FieldWithoutName", "fields = [\"birth_date\"]",
                  "fields = [\"birth_date\", ^\"\"]"},
        FaultCase{"FieldWithLongName", "fields = [\"birth_date\"]",
                  "fields = [\"birth_date\", ^\"" + std::string(65, 'x') + "\"]"},
        FaultCase{"FieldWithControlCharacter", "fields = [\"birth_date\"]",
                  "fields = [^\"birth\\u001bdate\"]"},
        FaultCase{"FieldInOtherNormalForm", "fields = [\"birth_date\"]",
                  "fields = [^\"cafe\\u0301\"]"},
        FaultCase{"ClassWithoutName", "[classes.chat]",
                  "[classes.^\"\"]\nnumber = 16\n[classes.chat]", "", R"("")"},
        FaultCase{"ClassWithLineBreak", "[classes.chat]",
                  "[classes.^\"a\\nb\"]\nnumber = 16\n[classes.chat]", "", R"("a\nb")"},
        FaultCase{"FieldsInMasked", "[classes.masked]\n",
                  "[classes.^masked]\nfields = [\"nick\"]\n"},
        FaultCase{"FieldsInChat", "[classes.chat]\n", "[classes.^chat]\nfields = [\"nick\"]\n"},
        FaultCase{"UnknownColumnsInChat", "[classes.chat]\n",
                  "[classes.^chat]\nunknown_fields = true\n", kClasses},
        FaultCase{"NobodyTakesUnknownColumns", "unknown_fields = true", "unknown_fields = false",
                  kClasses},
        FaultCase{"TwoTakeUnknownColumns", "number = 3\n", "number = 3\nunknown_fields = true\n",
                  kClasses},
        FaultCase{"IdentifierElsewhere", "fields = [\"birth_date\"]",
                  "fields = [\"birth_date\", ^\"email\"]"}),
    NameOf);

INSTANTIATE_TEST_SUITE_P(Masks, PolicyFaultTest,
                         ::testing::Values(
                             // They would look as if they hid something, and would not.
                             FaultCase{"OfNumberedField", "phone = \"phone\"",
                                       "phone = \"phone\"\n^phone_2 = \"hidden\""},
                             FaultCase{"OfProfile", "phone = \"phone\"",
                                       "phone = \"phone\"\n^name = \"hidden\""},
                             FaultCase{"OfMistypedField", "phone = \"phone\"",
                                       "phone = \"phone\"\n^emial = \"hidden\""}),
                         NameOf);

INSTANTIATE_TEST_SUITE_P(
    Roles, PolicyFaultTest,
    ::testing::Values(
        FaultCase{"UnknownClass", "clear = [\"profile\", \"chat\"]",
                  "clear = [\"profile\", ^\"chats\"]"},
        FaultCase{"UnknownClassToChange", "change = [\"profile\"]",
                  "change = [\"profile\", ^\"vip\"]"},
        FaultCase{"UnknownClassToReveal", "reveal = [\"identity\"]", "reveal = [^\"identities\"]"},
        FaultCase{"UnknownClassMasked", "reveal = [\"identity\"]",
                  "reveal = [\"identity\", ^\"vip\"]"},
        FaultCase{"ClassTwice", "clear = [\"profile\", \"chat\"]",
                  "clear = [\"profile\", ^\"profile\"]"},
        FaultCase{"RightTwice", "may = [\"audit\"]", "may = [\"audit\", ^\"audit\"]"},
        FaultCase{"MaskedAsAClass", "clear = [\"profile\", \"chat\"]",
                  "clear = [\"profile\", ^\"masked\"]"},
        FaultCase{"VaultsClass", "clear = [\"profile\", \"chat\"]",
                  "clear = [\"profile\", ^\"index\"]"},
        FaultCase{"ClassWithoutMasks", "masked = [\"identity\"]\nchange",
                  "masked = ^[\"sensitive\"]\nchange"},
        FaultCase{"ClearAndMasked", "masked = [\"identity\"]\nreveal",
                  "masked = ^^[\"identity\", \"profile\"]\nreveal"},
        FaultCase{"BudgetOfARoleThatRevealsNothing", "[roles.auditor]",
                  "[roles.auditor]\nreveal_daily = ^20"},
        FaultCase{"RightsWithBooksOnly", "[roles.agent]\nscope = \"books\"",
                  "[roles.^agent]\nscope = \"books\"\nmay = [\"assign\"]"},
        FaultCase{"ChangesIdentityWithoutIndex",
                  "[roles.agent]\nscope = \"books\"\nclear = [\"profile\", \"chat\"]\n"
                  "masked = [\"identity\"]\nchange = [\"profile\"]",
                  "[roles.^agent]\nscope = \"books\"\nchange = [\"identity\"]"},
        FaultCase{"HalfAnAdmin", "[roles.auditor]\nscope = \"all\"\nmay = [\"audit\"]",
                  // identity, profile, sensitive, chat, import and audit are missing
                  "[roles.^^^^^^deputy]\nscope = \"all\"\nmay = [\"members\"]"},
        FaultCase{"AdminWithoutAudit", "[roles.auditor]\nscope = \"all\"\nmay = [\"audit\"]",
                  "[roles.^deputy]\nscope = \"all\"\nclear = [\"identity\", \"profile\", "
                  "\"sensitive\", \"chat\"]\n"
                  "may = [\"books\", \"import\"]"},
        FaultCase{"AdminThatIsNobody", "[roles.auditor]\nscope = \"all\"\nmay = [\"audit\"]",
                  "[roles.^robot]\nscope = \"all\"\nservice = true\n"
                  "clear = [\"identity\", \"profile\", \"sensitive\", \"chat\"]\n"
                  "may = [\"policy\", \"import\", \"audit\"]"},
        FaultCase{"RoleWithoutName", "[roles.auditor]", "[roles.^\"\"]"},
        FaultCase{"RoleWithEscapeSequence", "[roles.auditor]", "[roles.^\"\\u001b[31mauditor\"]"},
        FaultCase{"RoleThatLooksLikeAnother", "[roles.auditor]", "[roles.^\"agent\\u200b\"]"}),
    NameOf);

INSTANTIATE_TEST_SUITE_P(
    NotToml, PolicyFaultTest,
    ::testing::Values(FaultCase{"NoValue", "shown = 50", "shown = ^\n"},
                      FaultCase{"OpenText", "region = \"KR\"", "region = \"KR^\n"},
                      FaultCase{"KeyTwice", "shown = 50", "shown = 50\nshown = ^50"},
                      FaultCase{"SectionTwice", "[lookup]", "^[lockout]\n[lookup]"},
                      FaultCase{"ControlCharacter", "region = \"KR\"", "region = \"K^\x01R\""},
                      FaultCase{"NotUtf8", "region = \"KR\"", "region = \"^K\xff\""},
                      FaultCase{"OverlongUtf8", "region = \"KR\"", "region = \"^K\xc0\x80\""},
                      FaultCase{"Surrogate", "region = \"KR\"", "region = \"^K\xed\xa0\x80\""},
                      FaultCase{"Yaml", "[lookup]\nshown = 50", "lookup^:\n  shown: 50"}),
    NameOf);

INSTANTIATE_TEST_SUITE_P(
    Missing, PolicyFaultTest,
    ::testing::Values(
        FaultCase{"OwnerRole", "[roles.owner]", "^[roles.boss]"},
        FaultCase{"Recipients",
                  std::string("[archives]\nrecipients = [\n  \"") + testing::kRecipient + "\",\n]",
                  "^[archives]\nrecipients = []"},
        FaultCase{"RecipientsKey",
                  std::string("[archives]\nrecipients = [\n  \"") + testing::kRecipient + "\",\n]",
                  "^[archives]"}),
    NameOf);

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
  text = testing::With(text, "[token]\nprefix = \"UID_\"\ndigits = 10\n", "");
  text = testing::With(text, "region = \"KR\"\n", "");
  text = testing::With(text, "reveal_daily = 20\n", "");
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
  text = testing::With(text, "min_length = 12\nmemory_mib = 256\npasses = 3",
                       "min_length = 20\nmemory_mib = 512\npasses = 4");
  text = testing::With(text, "after = 5\nminutes = 15", "after = 3\nminutes = 1440");
  text = testing::With(text, "shown = 50", "shown = 1000");
  text = testing::With(text, "reveal_daily = 20", "reveal_daily = 10000");
  text = testing::With(text, "burst = 10\nburst_minutes = 10\nlock_minutes = 60",
                       "burst = 1000\nburst_minutes = 1440\nlock_minutes = 10080");
  text = testing::With(text, "wrong_codes = 5\nlocked_minutes = 15\ncountersign = true",
                       "wrong_codes = 20\nlocked_minutes = 1440\ncountersign = false");
  text = testing::With(
      text,
      "recipients = []\nother_recipients = true\nplaintext = false\napprovals = 0\n"
      "approval_hours = 24\nmax_rows = 0\ncooldown_minutes = 0",
      absl::StrCat("recipients = ['", testing::kRecipient,
                   "']\nother_recipients = false\nplaintext = true\napprovals = 2\n"
                   "approval_hours = 1\nmax_rows = 1000000000\ncooldown_minutes = 60"));
  const Policy policy = Parsed(text);
  EXPECT_EQ(policy.factors().wrong_codes, 20);
  EXPECT_EQ(policy.factors().locked, absl::Hours(24));
  EXPECT_FALSE(policy.factors().countersign);
  EXPECT_THAT(policy.exports().recipients, ElementsAre(testing::kRecipient));
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
  EXPECT_THAT(policy.archive_recipients(), ElementsAre(testing::kRecipient));
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
  text = testing::With(text, "region = \"KR\"", "region = 1");
  text = testing::With(text, "[roles.auditor]", "[roles.auditor]\ncan = 1");
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
