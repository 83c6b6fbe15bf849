// Nothing that the policy does not allow is allowed, each decision names its rule, and a permit
// says no more than the policy did, about one subject, for ten minutes.
#include "policies/decision.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <type_traits>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "tests/policies/policy_text.h"
#include "vault/status.h"

namespace sealbook::policies {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr MemberId kMina{7};

std::string LineOf(const Policy& policy, int number) {
  const std::vector<std::string> lines = absl::StrSplit(policy.text(), '\n');
  return number >= 1 && number <= static_cast<int>(lines.size())
             ? lines[static_cast<std::size_t>(number) - 1]
             : "";
}
// The line of the policy's text that begins with `start`, after the line `section`.
int FindLine(const Policy& policy, absl::string_view section, absl::string_view start) {
  const std::vector<std::string> lines = absl::StrSplit(policy.text(), '\n');
  bool inside = false;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (lines[i] == section) inside = true;
    if (inside && lines[i].rfind(std::string(start), 0) == 0) return static_cast<int>(i) + 1;
  }
  return 0;
}

TEST(DecideTest, ClearViewNamesItsRuleAndLine) {
  const Policy policy = DefaultPolicy();
  const Decision decision = Decide(policy, "agent", Action::kRead, "name");
  EXPECT_TRUE(decision.allowed);
  EXPECT_EQ(decision.view, View::kClear);
  EXPECT_EQ(decision.rule, "roles.agent.clear");
  EXPECT_EQ(decision.line, FindLine(policy, "[roles.agent]", "clear"));
  EXPECT_EQ(LineOf(policy, decision.line), "clear = [\"profile\", \"chat\"]");
}

TEST(DecideTest, MaskedViewNamesItsRuleAndLine) {
  const Policy policy = DefaultPolicy();
  const Decision decision = Decide(policy, "supervisor", Action::kRead, "phone_2");
  EXPECT_TRUE(decision.allowed);
  EXPECT_EQ(decision.view, View::kMasked);
  EXPECT_EQ(decision.rule, "roles.supervisor.masked");
  EXPECT_EQ(decision.line, FindLine(policy, "[roles.supervisor]", "masked"));
  // It says of which class the field is and where that stands.
  const int line = FindLine(policy, "[classes.identity]", "[classes.identity]");
  EXPECT_THAT(decision.because, Contains(AllOf(HasSubstr("phone"), HasSubstr("identity"),
                                               HasSubstr(absl::StrCat("line ", line)))));
}

TEST(DecideTest, ChangeNamesItsRuleAndLine) {
  const Policy policy = DefaultPolicy();
  const Decision decision = Decide(policy, "importer", Action::kChange, "phone");
  EXPECT_TRUE(decision.allowed);
  EXPECT_EQ(decision.rule, "roles.importer.change");
  EXPECT_EQ(decision.line, FindLine(policy, "[roles.importer]", "change"));
}

TEST(DecideTest, RevealNamesItsRuleAndLine) {
  const Policy policy = DefaultPolicy();
  const Decision masked = Decide(policy, "supervisor", Action::kReveal, "phone_2");
  EXPECT_TRUE(masked.allowed);
  EXPECT_EQ(masked.view, View::kClear);
  EXPECT_EQ(masked.rule, "roles.supervisor.reveal");
  EXPECT_EQ(masked.line, FindLine(policy, "[roles.supervisor]", "reveal"));
  EXPECT_EQ(LineOf(policy, masked.line), "reveal = [\"identity\"]");
  // What is hidden behind its mask, too.
  EXPECT_TRUE(Decide(policy, "supervisor", Action::kReveal, "address").allowed);
  const Decision clear = Decide(policy, "owner", Action::kReveal, "phone");
  EXPECT_TRUE(clear.allowed);
  EXPECT_EQ(clear.rule, "roles.owner.clear");
  for (const absl::string_view role : {"agent", "importer", "retention", "auditor"}) {
    const Decision refused = Decide(policy, role, Action::kReveal, "phone");
    EXPECT_FALSE(refused.allowed) << role;
    EXPECT_EQ(refused.view, View::kHidden);
    EXPECT_EQ(refused.rule, "");
  }
}

TEST(DecideTest, RightNamesItsRuleAndLine) {
  const Policy policy = DefaultPolicy();
  const Decision decision = Decide(policy, "auditor", Action::kReadAudit);
  EXPECT_TRUE(decision.allowed);
  EXPECT_EQ(decision.view, View::kHidden);  // a right shows nothing
  EXPECT_EQ(decision.rule, "roles.auditor.may");
  EXPECT_EQ(decision.line, FindLine(policy, "[roles.auditor]", "may"));
}

TEST(DecideTest, LineIsThatOfTheFileInForce) {
  const Policy policy = Parsed("# one line more\n\n" + DefaultText());
  const Decision decision = Decide(policy, "agent", Action::kRead, "name");
  EXPECT_EQ(decision.line, Decide(DefaultPolicy(), "agent", Action::kRead, "name").line + 2);
  EXPECT_EQ(LineOf(policy, decision.line), "clear = [\"profile\", \"chat\"]");
}

TEST(DecideTest, RefusalNamesNoRuleAndSaysWhy) {
  const Policy policy = DefaultPolicy();
  for (const Decision& decision : {Decide(policy, "agent", Action::kRead, "birth_date"),
                                   Decide(policy, "agent", Action::kChange, "phone"),
                                   Decide(policy, "agent", Action::kImport)}) {
    EXPECT_FALSE(decision.allowed);
    EXPECT_EQ(decision.view, View::kHidden);
    EXPECT_EQ(decision.rule, "");
    EXPECT_EQ(decision.line, 0);
    EXPECT_FALSE(decision.because.empty());
  }
}

TEST(DecideTest, UnknownRoleMayNothing) {
  const Policy policy = DefaultPolicy();
  for (const absl::string_view role : {"", "Owner", "owner ", "thief", "owne"}) {
    for (int action = 0; action <= static_cast<int>(Action::kSubjects); ++action) {
      const Decision decision = Decide(policy, role, static_cast<Action>(action), "name");
      EXPECT_FALSE(decision.allowed) << role << " " << action;
      EXPECT_EQ(decision.view, View::kHidden);
      EXPECT_FALSE(Require(policy, role, static_cast<Action>(action), "name").ok());
    }
  }
}

TEST(DecideTest, UnknownActionIsRefused) {
  EXPECT_FALSE(Decide(DefaultPolicy(), "agent", static_cast<Action>(99)).allowed);
}

TEST(DecideTest, RevealAloneShowsNothing) {
  const Policy policy = Parsed(DefaultWith("masked = [\"identity\"]\nreveal", "reveal"));
  EXPECT_EQ(Decide(policy, "supervisor", Action::kRead, "phone").view, View::kHidden);
}

// Invariant 8: what has no mask, or a policy without masks, hides.
TEST(DecideTest, MaskedRoleDoesNotSeeAFieldWithoutAMask) {
  const Policy policy = Parsed(DefaultWith("phone = \"phone\"\n", ""));
  EXPECT_EQ(policy.MaskOf("phone"), MaskRule::kHidden);
  EXPECT_FALSE(Decide(policy, "agent", Action::kRead, "phone").allowed);
  EXPECT_EQ(Decide(policy, "agent", Action::kRead, "email").view, View::kMasked);
  EXPECT_EQ(Decide(policy, "owner", Action::kRead, "phone").view, View::kClear);
}

TEST(DecideTest, ClassOfOnesOwnIsHiddenFromRolesThatDoNotListIt) {
  std::string text = DefaultWith("[classes.chat]",
                                 "[classes.vip]\nnumber = 16\nfields = [\"rank\"]\n[classes.chat]");
  text =
      absl::StrReplaceAll(text, {{"\nclear = [\"identity\"", "\nclear = [\"vip\", \"identity\""}});
  const Policy policy = Parsed(text);
  EXPECT_EQ(Decide(policy, "owner", Action::kRead, "rank").view, View::kClear);
  EXPECT_FALSE(Decide(policy, "supervisor", Action::kRead, "rank").allowed);
  EXPECT_FALSE(Decide(policy, "agent", Action::kRead, "rank_2").allowed);
  EXPECT_FALSE(Decide(policy, "owner", Action::kChange, "rank").allowed);
}

TEST(RequireTest, RefusalIsPermissionDeniedWithAHint) {
  const absl::Status status = Require(DefaultPolicy(), "agent", Action::kChange, "phone_2");
  EXPECT_EQ(status.code(), absl::StatusCode::kPermissionDenied);
  EXPECT_THAT(std::string(status.message()), AllOf(HasSubstr("agent"), HasSubstr("phone")));
  EXPECT_NE(HintOf(status), "");
}

// A name that the policy does not have comes from who asks.
TEST(RequireTest, RefusalDoesNotRepeatAFieldThatThePolicyDoesNotName) {
  for (const Action action : {Action::kRead, Action::kChange, Action::kReveal}) {
    const absl::Status status = Require(DefaultPolicy(), "agent", action, "01012345678_2");
    EXPECT_EQ(status.code(), absl::StatusCode::kPermissionDenied);
    EXPECT_THAT(std::string(status.message()),
                AllOf(HasSubstr("class sensitive"), Not(HasSubstr("0101234"))));
  }
}

TEST(RequireTest, ClassAsAWholeIsForThoseWhoListIt) {
  const Policy policy = DefaultPolicy();
  for (const char* role : {"owner", "admin", "supervisor", "agent"})
    EXPECT_TRUE(RequireClass(policy, role, Action::kRead, ClassId::kChat).ok()) << role;
  for (const char* role : {"importer", "retention", "auditor", "nobody"}) {
    const absl::Status status = RequireClass(policy, role, Action::kRead, ClassId::kChat);
    EXPECT_EQ(status.code(), absl::StatusCode::kPermissionDenied) << role;
    EXPECT_THAT(std::string(status.message()), HasSubstr("class chat"));
    EXPECT_NE(HintOf(status), "");
  }
  for (const char* role : {"owner", "admin", "importer"})
    EXPECT_TRUE(RequireClass(policy, role, Action::kChange, ClassId::kChat).ok()) << role;
  for (const char* role : {"supervisor", "agent", "auditor"})
    EXPECT_FALSE(RequireClass(policy, role, Action::kChange, ClassId::kChat).ok()) << role;
  // To reveal, a class is opened one value at a time.
  EXPECT_FALSE(RequireClass(policy, "owner", Action::kReveal, ClassId::kChat).ok());
  EXPECT_FALSE(RequireClass(policy, "owner", Action::kRead, static_cast<ClassId>(99)).ok());
}

// --- permits
// -----------------------------------------------------------------------------------------

static_assert(!std::is_default_constructible_v<ReadPermit>);
static_assert(!std::is_constructible_v<ReadPermit, MemberId, std::optional<ContactNumber>,
                                       std::vector<ClassId>, bool, absl::Time>);

constexpr ClassId kAllClasses[] = {ClassId::kIdentity,  ClassId::kMasked, ClassId::kProfile,
                                   ClassId::kSensitive, ClassId::kChat,   ClassId::kIndex,
                                   ClassId::kAudit,     ClassId{16},      ClassId{0}};

std::vector<ClassId> ClearClasses(const ReadPermit& permit) {
  std::vector<ClassId> out;
  for (const ClassId id : kAllClasses) {
    if (permit.AllowsClear(id)) out.push_back(id);
  }
  return out;
}
const std::vector<ClassId> kEverything = {ClassId::kIdentity, ClassId::kProfile,
                                          ClassId::kSensitive, ClassId::kChat};
const std::vector<ClassId> kWithoutIdentity = {ClassId::kProfile, ClassId::kSensitive,
                                               ClassId::kChat};

TEST(PermitTest, ReadOneGivesTheRolesViewOfThatContactOnly) {
  const Policy policy = DefaultPolicy();
  const auto permit = PermitIssuer(policy).ReadOne(kMina, "agent", 42);
  ASSERT_TRUE(permit.ok()) << permit.status();
  EXPECT_EQ(permit->member(), kMina);
  EXPECT_EQ(ClearClasses(*permit), std::vector<ClassId>({ClassId::kProfile, ClassId::kChat}));
  EXPECT_TRUE(permit->AllowsMasked());
  const absl::Time now = absl::Now();
  EXPECT_TRUE(permit->Covers(42, now));
  EXPECT_FALSE(permit->Covers(41, now));
  EXPECT_FALSE(permit->Covers(0, now));
  EXPECT_FALSE(permit->CoversAll(now));
}

TEST(PermitTest, ReadOneGivesAnAdminEverythingInTheClear) {
  const Policy policy = DefaultPolicy();
  const auto permit = PermitIssuer(policy).ReadOne(kMina, "admin", 42);
  ASSERT_TRUE(permit.ok());
  EXPECT_EQ(ClearClasses(*permit), kEverything);
  EXPECT_FALSE(permit->AllowsMasked());
}

TEST(PermitTest, RunsOutAfterItsLifetime) {
  const Policy policy = DefaultPolicy();
  const absl::Time before = absl::Now();
  const auto one = PermitIssuer(policy).ReadOne(kMina, "agent", 42);
  const auto all = PermitIssuer(policy).List(kMina, "agent");
  const absl::Time after = absl::Now();
  ASSERT_TRUE(one.ok() && all.ok());
  EXPECT_EQ(ReadPermit::kLifetime, absl::Minutes(10));

  const absl::Time last = before + ReadPermit::kLifetime;
  EXPECT_TRUE(one->Covers(42, last));
  EXPECT_TRUE(all->Covers(42, last));
  EXPECT_TRUE(all->CoversAll(last));
  const absl::Time too_late = after + ReadPermit::kLifetime + absl::Nanoseconds(1);
  EXPECT_FALSE(one->Covers(42, too_late));
  EXPECT_FALSE(all->Covers(42, too_late));
  EXPECT_FALSE(all->CoversAll(too_late));
  EXPECT_FALSE(all->CoversAll(absl::InfiniteFuture()));
}

TEST(PermitTest, ClockThatWasSetBackEndsIt) {
  const Policy policy = DefaultPolicy();
  const absl::Time before = absl::Now() - absl::Nanoseconds(1);
  const auto all = PermitIssuer(policy).List(kMina, "agent");
  ASSERT_TRUE(all.ok());
  EXPECT_FALSE(all->CoversAll(before));
  EXPECT_FALSE(all->Covers(42, before));
  EXPECT_FALSE(all->CoversAll(absl::InfinitePast()));
}

// The whole list in the clear is an export.
TEST(PermitTest, ListMasksIdentityForEveryRole) {
  const Policy policy = DefaultPolicy();
  int readers = 0;
  for (const RoleRule& role : policy.roles()) {
    SCOPED_TRACE(role.name);
    const auto permit = PermitIssuer(policy).List(kMina, role.name);
    if (!permit.ok()) continue;
    ++readers;
    EXPECT_THAT(ClearClasses(*permit), Not(Contains(ClassId::kIdentity)));
    EXPECT_TRUE(permit->AllowsMasked());
    EXPECT_TRUE(permit->CoversAll(absl::Now()));
    EXPECT_TRUE(permit->Covers(1, absl::Now()));
  }
  EXPECT_EQ(readers, 4);  // owner, admin, supervisor, agent
  EXPECT_EQ(ClearClasses(*PermitIssuer(policy).List(kMina, "owner")), kWithoutIdentity);
}

TEST(PermitTest, ListOfARoleWithoutIdentityShowsNoMasks) {
  const Policy policy = Parsed(DefaultWith("masked = [\"identity\"]\nchange", "change"));
  const auto permit = PermitIssuer(policy).List(kMina, "agent");
  ASSERT_TRUE(permit.ok());
  EXPECT_FALSE(permit->AllowsMasked());
}

TEST(PermitTest, SearchReachesEveryContactInTheRolesView) {
  const Policy policy = DefaultPolicy();
  const auto agent = PermitIssuer(policy).Search(kMina, "agent");
  ASSERT_TRUE(agent.ok());
  EXPECT_TRUE(agent->CoversAll(absl::Now()));
  EXPECT_TRUE(agent->AllowsMasked());
  EXPECT_EQ(ClearClasses(*agent), std::vector<ClassId>({ClassId::kProfile, ClassId::kChat}));
  const auto owner = PermitIssuer(policy).Search(kMina, "owner");
  ASSERT_TRUE(owner.ok());
  EXPECT_EQ(ClearClasses(*owner), kEverything);
  EXPECT_TRUE(owner->AllowsMasked());
}

TEST(PermitTest, RevealIsInNoReadPermit) {
  const Policy policy = DefaultPolicy();
  const PermitIssuer issuer(policy);
  for (const auto& permit :
       {issuer.ReadOne(kMina, "supervisor", 42), issuer.Search(kMina, "supervisor"),
        issuer.List(kMina, "supervisor")}) {
    ASSERT_TRUE(permit.ok());
    EXPECT_EQ(ClearClasses(*permit), kWithoutIdentity);
  }
}

TEST(PermitTest, RevealCoversThatClassOfThatContactAndNoMasks) {
  const Policy policy = DefaultPolicy();
  const PermitIssuer issuer(policy);
  const absl::Time before = absl::Now();
  const auto permit = issuer.Reveal(kMina, "supervisor", 42, "phone_2");
  const absl::Time after = absl::Now();
  ASSERT_TRUE(permit.ok()) << permit.status();
  EXPECT_EQ(permit->member(), kMina);
  EXPECT_EQ(ClearClasses(*permit), std::vector<ClassId>({ClassId::kIdentity}));
  EXPECT_FALSE(permit->AllowsMasked());
  EXPECT_TRUE(permit->Covers(42, after));
  EXPECT_FALSE(permit->Covers(41, after));
  EXPECT_FALSE(permit->CoversAll(after));
  EXPECT_TRUE(permit->Covers(42, before + ReadPermit::kLifetime));
  EXPECT_FALSE(permit->Covers(42, after + ReadPermit::kLifetime + absl::Nanoseconds(1)));
  EXPECT_EQ(ClearClasses(*issuer.Reveal(kMina, "owner", 42, "name")),
            std::vector<ClassId>({ClassId::kProfile}));
}

TEST(PermitTest, RevealIsRefusedToRolesThatDoNotListTheClass) {
  const Policy policy = DefaultPolicy();
  const PermitIssuer issuer(policy);
  for (const absl::string_view role : {"agent", "importer", "retention", "auditor", "thief", ""}) {
    const absl::Status status = issuer.Reveal(kMina, role, 42, "phone").status();
    EXPECT_EQ(status.code(), absl::StatusCode::kPermissionDenied) << role;
    EXPECT_NE(HintOf(status), "") << role;
  }
}

TEST(PermitTest, RoleThatReadsNothingGetsNone) {
  const Policy policy = DefaultPolicy();
  const PermitIssuer issuer(policy);
  for (const absl::string_view role : {"importer", "retention", "auditor", "thief", ""}) {
    SCOPED_TRACE(role);
    for (const absl::Status& status :
         {issuer.ReadOne(kMina, role, 42).status(), issuer.Search(kMina, role).status(),
          issuer.List(kMina, role).status()}) {
      EXPECT_EQ(status.code(), absl::StatusCode::kPermissionDenied);
      EXPECT_NE(HintOf(status), "");
    }
  }
}

TEST(PermitTest, NeverNamesTheVaultsOwnClasses) {
  const Policy policy = DefaultPolicy();
  for (const RoleRule& role : policy.roles()) {
    const auto permit = PermitIssuer(policy).Search(kMina, role.name);
    if (!permit.ok()) continue;
    for (const ClassId id : {ClassId::kIndex, ClassId::kAudit, ClassId::kMasked}) {
      EXPECT_FALSE(permit->AllowsClear(id)) << role.name;
    }
  }
}

}  // namespace
}  // namespace sealbook::policies
