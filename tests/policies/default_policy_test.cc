// The policy of a new vault gives each role exactly what the design's table of roles says: what it
// sees in the clear, masked, on request, and what it may change and do.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "policies/decision.h"
#include "tests/policies/policy_text.h"

namespace sealbook::policies {
namespace {

using ::testing::ElementsAre;

// A field of each class that has fields; the last is a column that nobody named.
constexpr absl::string_view kIdentityFields[] = {"phone",    "email",   "whatsapp_id", "jid",
                                                 "username", "phone_2", "email_10"};
constexpr absl::string_view kProfileFields[] = {"name", "company", "tags",    "orders",
                                                "note", "note_2",  "consent", "consent_2"};
constexpr absl::string_view kSensitiveFields[] = {
    "birth_date", "skin_type", "주민등록번호", "phone_home", "Phone", "passport", "phone_2_3", ""};

enum CellView { kShut, kMask, kOnRequest, kOpen };  // kOnRequest: masked until it is asked for
struct Cell {
  CellView view;
  bool change;
};
struct Row {
  const char* role;
  bool all_contacts, service;
  Cell identity, profile, sensitive, chat;
  std::vector<std::string> may;
};
void PrintTo(const Row& row, std::ostream* out) { *out << row.role; }

const std::vector<std::string> kAllRights = {"members", "books", "assign",    "import",  "export",
                                             "policy",  "audit", "retention", "subjects"};
const Row kTable[] = {
    //  role       all    service  identity             profile           sensitive         chat
    {"owner", true, false, {kOpen, true}, {kOpen, true}, {kOpen, true}, {kOpen, true}, kAllRights},
    {"admin", true, false, {kOpen, true}, {kOpen, true}, {kOpen, true}, {kOpen, true}, kAllRights},
    {"supervisor",
     false,
     false,
     {kOnRequest, false},
     {kOpen, true},
     {kOpen, true},
     {kOpen, false},
     {}},
    {"agent", false, false, {kMask, false}, {kOpen, true}, {kShut, false}, {kOpen, false}, {}},
    {"importer",
     true,
     true,
     {kShut, true},
     {kShut, true},
     {kShut, true},
     {kShut, true},
     {"import", "assign"}},
    {"retention",
     true,
     true,
     {kShut, false},
     {kShut, false},
     {kShut, false},
     {kShut, false},
     {"retention"}},
    {"auditor",
     true,
     false,
     {kShut, false},
     {kShut, false},
     {kShut, false},
     {kShut, false},
     {"audit"}},
};

bool Lists(const std::vector<ClassId>& classes, ClassId id) {
  return std::find(classes.begin(), classes.end(), id) != classes.end();
}

class DefaultRoleTest : public ::testing::TestWithParam<Row> {
 protected:
  const Policy policy_ = DefaultPolicy();
};

TEST_P(DefaultRoleTest, ListsWhatTheTableSays) {
  const Row& row = GetParam();
  const RoleRule* role = policy_.FindRole(row.role);
  ASSERT_NE(role, nullptr);
  EXPECT_EQ(role->all_contacts, row.all_contacts);
  EXPECT_EQ(role->service, row.service);
  EXPECT_EQ(std::set<std::string>(role->may.begin(), role->may.end()),
            std::set<std::string>(row.may.begin(), row.may.end()));
  const std::pair<ClassId, Cell> cells[] = {{ClassId::kIdentity, row.identity},
                                            {ClassId::kProfile, row.profile},
                                            {ClassId::kSensitive, row.sensitive},
                                            {ClassId::kChat, row.chat}};
  for (const auto& [id, cell] : cells) {
    SCOPED_TRACE(policy_.FindClass(id)->name);
    EXPECT_EQ(Lists(role->clear, id), cell.view == kOpen);
    EXPECT_EQ(Lists(role->masked, id), cell.view == kMask || cell.view == kOnRequest);
    EXPECT_EQ(Lists(role->reveal, id), cell.view == kOnRequest);
    EXPECT_EQ(Lists(role->change, id), cell.change);
  }
}

TEST_P(DefaultRoleTest, IsDecidedFieldByFieldAsTheTableSays) {
  const Row& row = GetParam();
  const auto expect = [&](absl::string_view field, const Cell& cell) {
    SCOPED_TRACE(field);
    const Decision read = Decide(policy_, row.role, Action::kRead, field);
    const View view = cell.view == kOpen   ? View::kClear
                      : cell.view == kShut ? View::kHidden
                                           : View::kMasked;
    EXPECT_EQ(read.view, view);
    EXPECT_EQ(read.allowed, view != View::kHidden);
    EXPECT_EQ(Decide(policy_, row.role, Action::kChange, field).allowed, cell.change);
    EXPECT_EQ(Require(policy_, row.role, Action::kChange, field).ok(), cell.change);
    const bool reveals = cell.view == kOnRequest || cell.view == kOpen;
    EXPECT_EQ(Decide(policy_, row.role, Action::kReveal, field).allowed, reveals);
    EXPECT_EQ(Require(policy_, row.role, Action::kReveal, field).ok(), reveals);
  };
  for (const auto field : kIdentityFields) expect(field, row.identity);
  for (const auto field : kProfileFields) expect(field, row.profile);
  for (const auto field : kSensitiveFields) expect(field, row.sensitive);
  // An address has no mask worth the name: whoever sees masks does not see it at all.
  const bool clear = row.identity.view == kOpen;
  EXPECT_EQ(Decide(policy_, row.role, Action::kRead, "address").view,
            clear ? View::kClear : View::kHidden);
  EXPECT_EQ(Decide(policy_, row.role, Action::kRead, "address").allowed, clear);
}

TEST_P(DefaultRoleTest, HasTheRightsOfTheTableAndNoOthers) {
  const Row& row = GetParam();
  const std::pair<Action, const char*> rights[] = {
      {Action::kImport, "import"},         {Action::kAssign, "assign"},
      {Action::kManageMembers, "members"}, {Action::kManageBooks, "books"},
      {Action::kManagePolicy, "policy"},   {Action::kReadAudit, "audit"},
      {Action::kRetention, "retention"},   {Action::kSubjects, "subjects"}};
  for (const auto& [action, right] : rights) {
    SCOPED_TRACE(right);
    const bool has = std::find(row.may.begin(), row.may.end(), right) != row.may.end();
    EXPECT_EQ(Decide(policy_, row.role, action).allowed, has);
    EXPECT_EQ(Require(policy_, row.role, action).ok(), has);
  }
}

INSTANTIATE_TEST_SUITE_P(Table, DefaultRoleTest, ::testing::ValuesIn(kTable),
                         [](const auto& row) { return std::string(row.param.role); });

TEST(DefaultPolicyTest, HasTheRolesOfTheTableAndNoOthers) {
  const Policy policy = DefaultPolicy();
  std::set<std::string> roles, expected;
  for (const RoleRule& role : policy.roles()) roles.insert(role.name);
  for (const Row& row : kTable) expected.insert(row.role);
  EXPECT_EQ(roles, expected);
}

TEST(DefaultPolicyTest, ClassesHoldTheFieldsOfTheDesign) {
  const Policy policy = DefaultPolicy();
  ASSERT_EQ(policy.classes().size(), 5u);
  EXPECT_THAT(policy.FindClass(ClassId::kIdentity)->fields,
              ElementsAre("phone", "email", "whatsapp_id", "jid", "username", "address"));
  EXPECT_THAT(policy.FindClass(ClassId::kProfile)->fields,
              ElementsAre("name", "company", "tags", "orders", "note", "consent"));
  EXPECT_THAT(policy.FindClass(ClassId::kSensitive)->fields, ElementsAre("birth_date"));
  EXPECT_TRUE(policy.FindClass(ClassId::kSensitive)->unknown_fields);
  EXPECT_TRUE(policy.FindClass(ClassId::kMasked)->fields.empty());
  EXPECT_TRUE(policy.FindClass(ClassId::kChat)->fields.empty());
}

// Invariant 8: an unknown column is sensitive.
TEST(DefaultPolicyTest, UnknownColumnIsSensitive) {
  const Policy policy = DefaultPolicy();
  for (const absl::string_view field : kSensitiveFields) {
    EXPECT_EQ(policy.ClassOfField(field).id, ClassId::kSensitive) << field;
    EXPECT_EQ(policy.MaskOf(field), MaskRule::kHidden) << field;
  }
}

TEST(DefaultPolicyTest, NumberedFieldsBelongWithTheFirst) {
  const Policy policy = DefaultPolicy();
  EXPECT_EQ(policy.ClassOfField("phone_2").id, ClassId::kIdentity);
  EXPECT_EQ(policy.MaskOf("phone_2"), MaskRule::kPhone);
  EXPECT_EQ(BaseField("phone_12"), "phone");
  EXPECT_EQ(BaseField("birth_date"), "birth_date");
  EXPECT_EQ(BaseField("phone_"), "phone_");
  EXPECT_EQ(BaseField("_2"), "_2");
  EXPECT_EQ(BaseField("phone_2a"), "phone_2a");
  EXPECT_EQ(BaseField(""), "");
}

TEST(DefaultPolicyTest, OptionsAreWhatIsRead) {
  const Policy policy = DefaultPolicy();
  EXPECT_EQ(policy.region(), "KR");
  EXPECT_THAT(policy.archive_recipients(), ElementsAre(kRecipient));
  EXPECT_THAT(policy.archive_destinations(), ElementsAre("sftp://shop@archive.example/chats"));
  const Policy bare = Parsed(DefaultPolicyText(
      {.region = "", .archive_recipients = {kRecipient}, .archive_destinations = {}}));
  EXPECT_EQ(bare.region(), "");
  EXPECT_TRUE(bare.archive_destinations().empty());
}

TEST(DefaultPolicyTest, NoRecipientIsNoPolicy) {
  EXPECT_FALSE(Policy::Parse(DefaultPolicyText({})).ok());
}

TEST(DefaultPolicyTest, TextFromOutsideCannotAddSections) {
  const std::string thief = "\n[roles.thief]\nscope = \"all\"\nclear = [\"identity\"]\n#";
  const std::string recipient = kRecipient;
  const DefaultPolicyOptions hostile[] = {
      {.region = "KR\"" + thief, .archive_recipients = {recipient}, .archive_destinations = {}},
      {.region = "K\\", .archive_recipients = {recipient}, .archive_destinations = {}},
      {.region = "KR",
       .archive_recipients = {recipient + "\"]" + thief},
       .archive_destinations = {}},
      {.region = "KR",
       .archive_recipients = {recipient + "']" + thief},
       .archive_destinations = {}}};
  for (const DefaultPolicyOptions& options : hostile) {
    // One fault, at the value itself.
    EXPECT_EQ(Policy::Check(DefaultPolicyText(options)).size(), 1u);
    EXPECT_FALSE(Policy::Parse(DefaultPolicyText(options)).ok());
  }
  const std::string folder = "file:///mnt/mina's \"disk\"\t1";
  const Policy policy = Parsed(DefaultPolicyText(
      {.region = "", .archive_recipients = {recipient}, .archive_destinations = {folder}}));
  EXPECT_THAT(policy.archive_destinations(), ElementsAre(folder));
}

}  // namespace
}  // namespace sealbook::policies
