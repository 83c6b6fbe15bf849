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

using ::testing::ElementsAre;
using ::testing::HasSubstr;

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
  if (!GetParam().also_at.empty()) text = With(text, GetParam().also_at, "^" + GetParam().also_at);
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
                  std::string("[archives]\nrecipients = [\n  \"") + kRecipient + "\",\n]",
                  std::string("^[archives]\nrecipients = ^'") + kRecipient + "'"}),
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
                  std::string("[archives]\nrecipients = [\n  \"") + kRecipient + "\",\n]",
                  "^[archives]\nrecipients = []"},
        FaultCase{"RecipientsKey",
                  std::string("[archives]\nrecipients = [\n  \"") + kRecipient + "\",\n]",
                  "^[archives]"}),
    NameOf);

}  // namespace
}  // namespace sealbook::policies
