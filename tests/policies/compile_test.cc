// What the vault's signed roster holds of a policy, and which changes of a policy would need keys
// to be granted or values to be sealed again.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "tests/policies/policy_text.h"

namespace sealbook::policies {
namespace {

using keyring::CompiledPolicy;
using keyring::Power;
using keyring::RoleDefinition;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr ClassId kIdentity = ClassId::kIdentity, kMasked = ClassId::kMasked,
                  kProfile = ClassId::kProfile, kSensitive = ClassId::kSensitive,
                  kChat = ClassId::kChat, kIndex = ClassId::kIndex, kAudit = ClassId::kAudit;

std::uint32_t Bits(std::initializer_list<Power> powers) {
  std::uint32_t out = 0;
  for (const Power power : powers) out |= static_cast<std::uint32_t>(power);
  return out;
}
RoleDefinition RoleOf(const CompiledPolicy& policy, absl::string_view name) {
  for (const RoleDefinition& role : policy.roles) {
    if (role.name == name) return role;
  }
  ADD_FAILURE() << "no role " << name;
  return {};
}

TEST(CompileTest, ClassesAreThePolicysAndTheVaultsOwnInOrder) {
  const CompiledPolicy compiled = DefaultPolicy().Compile();
  EXPECT_EQ(compiled.classes, std::vector<keyring::ClassDefinition>({{kIdentity, "identity"},
                                                                     {kMasked, "masked"},
                                                                     {kProfile, "profile"},
                                                                     {kSensitive, "sensitive"},
                                                                     {kChat, "chat"},
                                                                     {kIndex, "index"},
                                                                     {kAudit, "audit"}}));
  EXPECT_EQ(compiled.text, DefaultText());
  EXPECT_EQ(compiled.cost, (crypto::PassphraseCost{.memory_kib = 256 * 1024, .passes = 3}));
  EXPECT_EQ(compiled.lockout.after, 5);
  EXPECT_EQ(compiled.lockout.lasts, absl::Minutes(15));
}

// The keys that each role's members are granted: this is what the promises rest on.
TEST(CompileTest, RolesHoldTheirClearanceAndNoOtherKey) {
  const CompiledPolicy compiled = DefaultPolicy().Compile();
  const std::vector<ClassId> all = {kIdentity, kMasked, kProfile, kSensitive,
                                    kChat,     kIndex,  kAudit};
  const std::vector<ClassId> data = {kIdentity, kMasked, kProfile, kSensitive, kChat};
  const std::uint32_t admin = Bits({Power::kSignRoster, Power::kAssign, Power::kCreateContacts,
                                    Power::kWriteChats, Power::kRetention, Power::kSubjects});
  EXPECT_EQ(compiled.roles,
            std::vector<RoleDefinition>({
                {"admin", true, false, all, data, admin},
                {"agent", false, false, {kMasked, kProfile, kChat}, {kProfile}, 0},
                {"auditor", true, false, {kAudit}, {}, 0},
                {"importer",
                 true,
                 true,
                 {kIndex},
                 data,
                 Bits({Power::kAssign, Power::kCreateContacts, Power::kWriteChats})},
                {"owner", true, false, all, data, admin},
                {"retention", true, true, {}, {}, Bits({Power::kRetention})},
                {"supervisor", false, false, data, {kProfile, kSensitive}, 0},
            }));
}

TEST(CompileTest, OrderAndCommentsChangeTheTextOnly) {
  std::string text = DefaultWith("clear = [\"profile\", \"sensitive\", \"chat\"]",
                                 "clear = [\"chat\", \"profile\", \"sensitive\"]  # as before");
  const std::string agent =
      "[roles.agent]\nscope = \"books\"\nclear = [\"profile\", \"chat\"]\n"
      "masked = [\"identity\"]\nchange = [\"profile\"]\n";
  text = With(text, agent, "");
  text = With(text, "[passphrase]", agent + "[passphrase]");
  const CompiledPolicy before = DefaultPolicy().Compile(), after = Parsed(text).Compile();
  EXPECT_EQ(before.classes, after.classes);
  EXPECT_EQ(before.roles, after.roles);
  EXPECT_NE(before.text, after.text);
}

TEST(CompileTest, RoleThatSeesNoMasksHoldsNoKeyToThem) {
  const CompiledPolicy compiled =
      Parsed(DefaultWith("masked = [\"identity\"]\nchange", "change")).Compile();
  EXPECT_THAT(RoleOf(compiled, "agent").holds, ElementsAre(kProfile, kChat));
}

TEST(CompileTest, ClassListedTwiceIsHeldOnce) {
  const CompiledPolicy compiled =
      Parsed(DefaultWith("reveal = [\"identity\"]", "reveal = [\"identity\", \"profile\"]"))
          .Compile();
  EXPECT_THAT(RoleOf(compiled, "supervisor").holds,
              ElementsAre(kIdentity, kMasked, kProfile, kSensitive, kChat));
}

TEST(CompileTest, ExportIsNoPowerOfTheRoster) {
  const CompiledPolicy compiled =
      Parsed(DefaultWith("[roles.auditor]\nscope = \"all\"\nmay = [\"audit\"]",
                         "[roles.auditor]\nscope = \"all\"\nmay = [\"audit\", \"export\"]"))
          .Compile();
  EXPECT_EQ(RoleOf(compiled, "auditor").powers, 0u);
  EXPECT_THAT(RoleOf(compiled, "auditor").holds, ElementsAre(kAudit));
}

// --- changes
// -----------------------------------------------------------------------------------------

std::vector<std::string> Changes(absl::string_view from, absl::string_view to) {
  return ChangesThatNeedResealing(DefaultPolicy(), Parsed(DefaultWith(from, to)));
}
std::string WithVip(absl::string_view fields) {
  std::string text = DefaultWith(
      "[classes.chat]",
      absl::StrCat("[classes.vip]\nnumber = 16\nfields = ", fields, "\n[classes.chat]"));
  return absl::StrReplaceAll(text,
                             {{"\nclear = [\"identity\"", "\nclear = [\"vip\", \"identity\""}});
}

TEST(ChangesThatNeedResealingTest, SamePolicyNeedsNone) {
  EXPECT_THAT(ChangesThatNeedResealing(DefaultPolicy(), DefaultPolicy()), IsEmpty());
  EXPECT_THAT(Changes("version = 1", "# a comment\nversion = 1"), IsEmpty());
}

TEST(ChangesThatNeedResealingTest, LimitsRightsAndDestinationsAreFree) {
  EXPECT_THAT(Changes("region = \"KR\"", "region = \"CN\""), IsEmpty());
  EXPECT_THAT(Changes("min_length = 12", "min_length = 16"), IsEmpty());
  EXPECT_THAT(Changes("memory_mib = 256", "memory_mib = 512"), IsEmpty());
  EXPECT_THAT(Changes("after = 5", "after = 3"), IsEmpty());
  EXPECT_THAT(Changes("shown = 50", "shown = 10"), IsEmpty());
  EXPECT_THAT(Changes("reveal_daily = 20", "reveal_daily = 5"), IsEmpty());
  EXPECT_THAT(Changes("burst = 10", "burst = 3"), IsEmpty());
  EXPECT_THAT(Changes("countersign = true", "countersign = false"), IsEmpty());
  EXPECT_THAT(Changes("approvals = 0", "approvals = 1"), IsEmpty());
  EXPECT_THAT(Changes("destinations = [", "destinations = ['file:///mnt/archive',"), IsEmpty());
  EXPECT_THAT(Changes("may = [\"import\", \"assign\"]", "may = [\"import\"]"), IsEmpty());
}

TEST(ChangesThatNeedResealingTest, NewRoleIsFree) {
  EXPECT_THAT(Changes("[roles.auditor]",
                      "[roles.trainee]\nscope = \"books\"\nclear = [\"chat\"]\n[roles.auditor]"),
              IsEmpty());
}

TEST(ChangesThatNeedResealingTest, RoleThatGoesIsFree) {
  EXPECT_THAT(Changes("[roles.auditor]\nscope = \"all\"\nmay = [\"audit\"]", ""), IsEmpty());
}

TEST(ChangesThatNeedResealingTest, MoreToChangeIsFree) {
  EXPECT_THAT(Changes("change = [\"profile\", \"sensitive\"]\n",
                      "change = [\"profile\", \"sensitive\", \"chat\"]\n"),
              IsEmpty());
}

TEST(ChangesThatNeedResealingTest, NamingAnUnknownColumnInItsClassIsFree) {
  EXPECT_THAT(Changes("fields = [\"birth_date\"]", "fields = [\"birth_date\", \"skin_type\"]"),
              IsEmpty());
  EXPECT_THAT(Changes("fields = [\"birth_date\"]", "fields = []"), IsEmpty());  // still sensitive
}

// From the clear to a request, or back, with the same key in the members' hands.
TEST(ChangesThatNeedResealingTest, OtherViewWithTheSameKeysIsFree) {
  EXPECT_THAT(Changes("clear = [\"profile\", \"sensitive\", \"chat\"]\nmasked = "
                      "[\"identity\"]\nreveal = [\"identity\"]",
                      "clear = [\"profile\", \"chat\"]\nmasked = [\"identity\"]\nreveal = "
                      "[\"identity\", \"sensitive\"]"),
              IsEmpty());
}

TEST(ChangesThatNeedResealingTest, NewClassIsReported) {
  EXPECT_THAT(ChangesThatNeedResealing(DefaultPolicy(), Parsed(WithVip("[]"))), Not(IsEmpty()));
}

TEST(ChangesThatNeedResealingTest, ClassThatGoesIsReported) {
  EXPECT_THAT(ChangesThatNeedResealing(Parsed(WithVip("[]")), DefaultPolicy()), Not(IsEmpty()));
}

TEST(ChangesThatNeedResealingTest, RenamedAndRenumberedClassesAreReported) {
  const std::string text = WithVip("[\"rank\"]");
  EXPECT_THAT(
      ChangesThatNeedResealing(Parsed(text), Parsed(absl::StrReplaceAll(text, {{"vip", "gold"}}))),
      Not(IsEmpty()));
  EXPECT_THAT(
      ChangesThatNeedResealing(Parsed(text), Parsed(With(text, "number = 16", "number = 17"))),
      Not(IsEmpty()));
}

TEST(ChangesThatNeedResealingTest, MovedFieldIsReported) {
  std::string text = DefaultWith("\"orders\", \"note\", ", "\"orders\", ");
  text = With(text, "fields = [\"birth_date\"]", "fields = [\"birth_date\", \"note\"]");
  EXPECT_THAT(ChangesThatNeedResealing(DefaultPolicy(), Parsed(text)), Not(IsEmpty()));
}

TEST(ChangesThatNeedResealingTest, FieldTakenOutOfItsClassIsReported) {
  // It becomes an unknown column, and so sensitive.
  EXPECT_THAT(Changes("\"orders\", \"note\", ", "\"orders\", "), Not(IsEmpty()));
}

TEST(ChangesThatNeedResealingTest, UnknownColumnPutIntoAnotherClassIsReported) {
  EXPECT_THAT(Changes("\"orders\", \"note\", ", "\"orders\", \"note\", \"skin_type\", "),
              Not(IsEmpty()));
  EXPECT_THAT(Changes("\"username\", \"address\"]", "\"username\", \"address\", \"passport\"]"),
              Not(IsEmpty()));
}

// A vault from before there were consents keeps them with what nobody named.
TEST(ChangesThatNeedResealingTest, ConsentIsNamedLaterInTheClassForUnknownFieldsAlone) {
  const Policy before = Parsed(DefaultWith(", \"consent\"]", "]"));
  EXPECT_EQ(before.ClassOfField("consent").name, "sensitive");
  EXPECT_THAT(ChangesThatNeedResealing(before, DefaultPolicy()), Not(IsEmpty()));
  const std::string text = With(before.text(), "[\"birth_date\"]", "[\"birth_date\", \"consent\"]");
  EXPECT_THAT(ChangesThatNeedResealing(before, Parsed(text)), IsEmpty());
}

TEST(ChangesThatNeedResealingTest, OtherClassForUnknownColumnsIsReported) {
  std::string text = DefaultWith("unknown_fields = true", "unknown_fields = false");
  text = With(text, "number = 3\n", "number = 3\nunknown_fields = true\n");
  EXPECT_THAT(ChangesThatNeedResealing(DefaultPolicy(), Parsed(text)), Not(IsEmpty()));
}

TEST(ChangesThatNeedResealingTest, OtherMaskIsReported) {
  EXPECT_THAT(Changes("email = \"email\"", "email = \"hidden\""), Not(IsEmpty()));
  EXPECT_THAT(Changes("email = \"email\"\n", ""), Not(IsEmpty()));
  EXPECT_THAT(Changes("address = \"hidden\"", "address = \"last4\""), Not(IsEmpty()));
  EXPECT_THAT(Changes("address = \"hidden\"\n", ""),
              IsEmpty());  // hidden it is without a mask, too
}

// The vault gives and takes the keys that follow.
TEST(ChangesThatNeedResealingTest, RoleThatReadsMoreOrLessIsFree) {
  EXPECT_THAT(
      Changes("clear = [\"profile\", \"chat\"]", "clear = [\"profile\", \"sensitive\", \"chat\"]"),
      IsEmpty());
  EXPECT_THAT(Changes("clear = [\"profile\", \"chat\"]", "clear = [\"profile\"]"), IsEmpty());
  EXPECT_THAT(Changes("masked = [\"identity\"]\nchange", "change"), IsEmpty());
}

TEST(ChangesThatNeedResealingTest, OtherReachIsFree) {
  EXPECT_THAT(Changes("[roles.agent]\nscope = \"books\"", "[roles.agent]\nscope = \"all\""),
              IsEmpty());
}

TEST(ChangesThatNeedResealingTest, OtherKindOfAccountIsReported) {
  EXPECT_THAT(Changes("service = true\nmay = [\"retention\"]", "may = [\"retention\"]"),
              Not(IsEmpty()));
}

TEST(ChangesThatNeedResealingTest, RightsThatComeWithKeysAreFree) {
  // "import" comes with the index key, "audit" with the log's.
  EXPECT_THAT(Changes("[roles.auditor]\nscope = \"all\"\nmay = [\"audit\"]",
                      "[roles.auditor]\nscope = \"all\"\nmay = [\"audit\", \"import\"]"),
              IsEmpty());
}

// What was written under the old policy counts by that.
TEST(ChangesThatNeedResealingTest, LostRightToChangeIsFree) {
  EXPECT_THAT(Changes("change = [\"profile\", \"sensitive\"]\n", "change = [\"profile\"]\n"),
              IsEmpty());
}

TEST(ChangesThatNeedResealingTest, EachSentenceNamesItsLineWhereThereIsOne) {
  const std::string text =
      DefaultWith("service = true\nmay = [\"retention\"]", "may = [\"retention\"]");
  const Policy next = Parsed(text);
  const std::vector<std::string> changes = ChangesThatNeedResealing(DefaultPolicy(), next);
  ASSERT_EQ(changes.size(), 1u);
  EXPECT_THAT(changes[0],
              ::testing::HasSubstr(absl::StrCat("line ", next.FindRole("retention")->line)));
}

}  // namespace
}  // namespace sealbook::policies
