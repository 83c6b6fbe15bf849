// Books: made, listed, given members and customers.
#include <gmock/gmock.h>

#include "tests/support/command_vault.h"

namespace sealbook::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class BookTest : public VaultTest {
 public:
  BookTest() { ImportCustomers(); }
  std::int64_t ContactsOf(const std::string& book) {
    const Json books = Ask("owner", {"book", "list"});
    for (const Json& one : books["books"]) {
      if (one["name"] == book) return one["contacts"].get<std::int64_t>();
    }
    return -1;
  }
};

TEST_F(BookTest, ListGivesNameContactsAndMembers) {
  EXPECT_EQ(Ask("owner", {"book", "list"}), Json::parse(R"({"books":[
      {"name":"seoul","contacts":6,"members":["mina","jun","sora"]},
      {"name":"shenzhen","contacts":4,"members":["wei","jun"]}]})"));
  // Who has not all contacts sees their own.
  EXPECT_EQ(Ask("wei", {"book", "list"})["books"].size(), 1u);
  const Ran text = As("owner", {"book", "list"});
  EXPECT_THAT(text.out, HasSubstr("shenzhen  4         wei, jun\n"));
}

TEST_F(BookTest, AddMakesABookOnce) {
  EXPECT_EQ(Ask("ada", {"book", "add", "부산"}), Json::parse(R"({"name":"부산"})"));
  EXPECT_EQ(ContactsOf("부산"), 0);
  ExpectJsonError(As("owner", {"book", "add", "부산", "--json"}), 2, "usage");
  for (const std::string& name :
       {std::string("a\nb"), std::string("\x1b[2J"), std::string(65, 'b'), std::string("")}) {
    ExpectJsonError(As("owner", {"book", "add", name, "--json"}), 2, "usage");
  }
  for (const char* member : {"mina", "sora", "audra", "importer"}) {
    ExpectJsonError(As(member, {"book", "add", "busan", "--json"}), 3, "permission_denied");
  }
  EXPECT_EQ(Ask("owner", {"book", "list"})["books"].size(), 3u);
}

TEST_F(BookTest, AMemberWhoIsAddedReadsWhatTheBookHoldsAlready) {
  const std::set<std::string> before = TokensOf("wei");
  EXPECT_EQ(before.size(), 4u);
  const Json added = Ask("owner", {"book", "members", "seoul", "--add", "wei"});
  EXPECT_EQ(added, Json::parse(R"({"name":"seoul","members":["mina","jun","sora","wei"]})"));
  EXPECT_EQ(TokensOf("wei").size(), 9u);  // one stands in both
  const Json found = Ask("wei", {"lookup", "--name", "김서연"});
  EXPECT_EQ(FieldOf(found["contacts"][0], "phone")["value"], "+82 10-****-5678");
  EXPECT_EQ(As("mina", {"book", "members", "seoul"}).out, "mina\njun\nsora\nwei\n");
}

TEST_F(BookTest, MembersRefusesWhatIsNotThereAndWhoMayNot) {
  ExpectJsonError(As("owner", {"book", "members", "busan", "--json"}), 5, "not_found");
  ExpectJsonError(As("owner", {"book", "members", "busan", "--add", "wei", "--json"}), 5,
                  "not_found");
  ExpectJsonError(As("owner", {"book", "members", "seoul", "--add", "stranger", "--json"}), 5,
                  "not_found");
  ExpectJsonError(As("mina", {"book", "members", "seoul", "--add", "wei", "--json"}), 3,
                  "permission_denied");
  // Another's book is as one that is not there.
  const Ran theirs = As("mina", {"book", "members", "shenzhen", "--json"}),
            none = As("mina", {"book", "members", "nirgends", "--json"});
  ExpectJsonError(theirs, 5, "not_found");
  EXPECT_EQ(theirs.json()["error"]["hint"], none.json()["error"]["hint"]);
}

TEST_F(BookTest, AssignByTokensOnceEach) {
  const std::string token = TokenOf("김서연"), other = TokenOf("이하늘");
  EXPECT_EQ(As("wei", {"lookup", token}).exit, 5);
  EXPECT_EQ(Ask("owner", {"book", "assign", "shenzhen", token, other}),
            Json::parse(R"({"book":"shenzhen","assigned":2,"already":0})"));
  EXPECT_EQ(Ask("owner", {"book", "assign", "shenzhen", token}),
            Json::parse(R"({"book":"shenzhen","assigned":0,"already":1})"));
  const Json found = Ask("wei", {"lookup", token});
  EXPECT_EQ(FieldOf(found["contacts"][0], "name")["value"], "김서연");
  EXPECT_EQ(found["contacts"][0]["books"],
            Json::array({"shenzhen"}));  // of seoul wei knows nothing
  EXPECT_EQ(ContactsOf("shenzhen"), 6);
}

TEST_F(BookTest, AssignFromAFileWithBlankLinesAndEitherLineEnd) {
  const std::string file =
      Write("tokens", absl::StrCat(TokenOf("김서연"), "\r\n\n  ", TokenOf("이하늘"), "  \n\n"));
  const Ran ran = As("owner", {"book", "assign", "shenzhen", "--from", file});
  EXPECT_EQ(ran.exit, 0) << ran;
  EXPECT_EQ(ran.out, "2 assigned to shenzhen.\n");
  EXPECT_EQ(ContactsOf("shenzhen"), 6);
}

TEST_F(BookTest, AWrongLineAssignsNothing) {
  const std::string good = TokenOf("김서연");
  std::string mistyped = TokenOf("이하늘");
  mistyped.back() = mistyped.back() == '0' ? '1' : '0';
  Ran ran = As("owner", {"book", "assign", "shenzhen", "--from",
                         Write("tokens", good + "\n\n" + mistyped + "\n")});
  ExpectError(ran, 6);
  EXPECT_THAT(ran.err, HasSubstr("tokens line 3"));
  EXPECT_THAT(ran.err, Not(HasSubstr(mistyped)));
  ExpectJsonError(As("owner", {"book", "assign", "shenzhen", good, "UID_12", "--json"}), 6,
                  "bad_input");
  ExpectJsonError(As("owner", {"book", "assign", "shenzhen", good, NobodysToken(), "--json"}), 5,
                  "not_found");
  ExpectJsonError(As("owner", {"book", "assign", "shenzhen", "--from", Path("none"), "--json"}), 6,
                  "bad_input");
  ExpectJsonError(As("owner", {"book", "assign", "shenzhen", "--from",
                               Write("binary", std::string("\x7f"
                                                           "ELF\0\0\0",
                                                           7)),
                               "--json"}),
                  6, "bad_input");
  EXPECT_EQ(ContactsOf("shenzhen"), 4);
}

TEST_F(BookTest, AssignNeedsABookContactsAndTheRight) {
  const std::string token = TokenOf("김서연");
  ExpectJsonError(As("owner", {"book", "assign", "busan", token, "--json"}), 5, "not_found");
  ExpectJsonError(As("owner", {"book", "assign", "seoul", "--json"}), 2, "usage");
  ExpectJsonError(As("mina", {"book", "assign", "shenzhen", token, "--json"}), 3,
                  "permission_denied");
  ExpectJsonError(As("sora", {"book", "assign", "shenzhen", token, "--json"}), 3,
                  "permission_denied");
  EXPECT_EQ(ContactsOf("shenzhen"), 4);
}

}  // namespace
}  // namespace sealbook::testing
