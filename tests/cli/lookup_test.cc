// Who finds whom, by what, and how much of it is shown.
#include <gmock/gmock.h>

#include "tests/support/command_vault.h"

namespace sealbook::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::UnorderedElementsAre;

class LookupTest : public VaultTest {
 public:
  LookupTest() { ImportCustomers(); }
  // The names that a lookup shows, in its order; empty where nobody was found.
  std::vector<std::string> Found(const std::string& member, Words words) {
    words.insert(words.begin(), "lookup");
    words.push_back("--json");
    const Ran ran = As(member, words);
    if (ran.exit == 5) {
      ExpectJsonError(ran, 5, "not_found");
      return {};
    }
    EXPECT_EQ(ran.exit, 0) << ran;
    std::vector<std::string> names;
    const Json json = ran.json();
    for (const Json& contact : json["contacts"]) {
      const std::set<std::string> keys = {"uid", "books", "fields"};
      for (const auto& [key, value] : contact.items()) EXPECT_TRUE(keys.contains(key)) << key;
      names.push_back(FieldOf(contact, "name")["value"]);
    }
    return names;
  }
};

TEST_F(LookupTest, AgentsSeeProfileClearIdentityMaskedAndNothingSensitive) {
  const Json contact = Ask("mina", {"lookup", "김서연"})["contacts"][0];
  EXPECT_EQ(contact["books"], Json::array({"seoul"}));
  EXPECT_EQ(contact["fields"], Json::parse(R"({
      "phone":{"value":"+82 10-****-5678","form":"masked"},"email":{"value":"s***@example.com","form":"masked"},
      "name":{"value":"김서연","form":"clear"},"company":{"value":"별빛상사","form":"clear"},"note":{"value":"오후 통화","form":"clear"}})"))
      << contact;
}

TEST_F(LookupTest, SupervisorsSeeSensitiveFieldsAsWellAndAdminsAllInTheClear) {
  const Json supervised = Ask("sora", {"lookup", "김서연"})["contacts"][0]["fields"];
  EXPECT_EQ(supervised["birth_date"], Json::parse(R"({"value":"1990-02-03","form":"clear"})"));
  EXPECT_EQ(supervised["phone"]["form"], "masked");
  for (const char* member : {"ada", "owner"}) {
    const Json fields = Ask(member, {"lookup", "김서연"})["contacts"][0]["fields"];
    EXPECT_EQ(fields["phone"], Json::parse(R"({"value":"+821012345678","form":"clear"})"));
    EXPECT_EQ(fields["email"], Json::parse(R"({"value":"seoyeon@example.com","form":"clear"})"));
    EXPECT_EQ(fields["birth_date"]["form"], "clear");
  }
}

TEST_F(LookupTest, TextShowsWhatIsMaskedAsSuch) {
  const Ran ran = As("mina", {"lookup", "--name", "김서연"});
  EXPECT_EQ(ran.exit, 0);
  EXPECT_THAT(ran.out, HasSubstr("UID_"));
  EXPECT_THAT(ran.out, HasSubstr("  in seoul\n"));
  EXPECT_THAT(ran.out, HasSubstr("+82 10-****-5678  (masked)\n"));
  EXPECT_THAT(ran.out, Not(HasSubstr("1990")));
}

TEST_F(LookupTest, PhonesAreFoundInEveryWriting) {
  for (const char* phone : {"010-1234-5678", "01012345678", "010 1234 5678", "+82 10-1234-5678",
                            "+821012345678", "0082 10 1234 5678", "+82 (0)10 1234 5678",
                            "０１０－１２３４－５６７８", "010.1234.5678"}) {
    EXPECT_THAT(Found("owner", {"--phone", phone}), ElementsAre("김서연")) << phone;
    EXPECT_THAT(Found("owner", {phone}), ElementsAre("김서연")) << phone;
  }
  EXPECT_THAT(Found("owner", {"+8617629630546"}), ElementsAre("王芳"));
  EXPECT_THAT(Found("owner", {"+1 (914) 555-0189"}), ElementsAre("Chloé Ingram"));
  EXPECT_THAT(Found("owner", {"--phone", "010-1234-5679"}), ElementsAre());
}

TEST_F(LookupTest, AMaskedSearchByPhoneConfirmsNoNumber) {
  // Both have +82 10-****-5678 there, and so has whoever is not there.
  for (const char* phone : {"010-1234-5678", "010-9876-5678", "010-7777-5678"}) {
    EXPECT_THAT(Found("mina", {"--phone", phone}), UnorderedElementsAre("김서연", "김서준"))
        << phone;
  }
  EXPECT_THAT(Found("mina", {"--email", "seoyeon@example.com"}),
              UnorderedElementsAre("김서연", "김서준"));
  EXPECT_THAT(Found("sora", {"--phone", "010-1234-5678"}),
              UnorderedElementsAre("김서연", "김서준"));
  EXPECT_THAT(Found("wei", {"--phone", "010-1234-5678"}), ElementsAre());
}

TEST_F(LookupTest, EmailsAndWhatsAppIds) {
  EXPECT_THAT(Found("owner", {"--email", "Seoyeon@Example.COM"}), ElementsAre("김서연"));
  EXPECT_THAT(Found("owner", {"wang.fang@example.net"}), ElementsAre("王芳"));
  EXPECT_THAT(Found("owner", {"19145550189@s.whatsapp.net"}), ElementsAre("Chloé Ingram"));
  EXPECT_THAT(Found("owner", {"--email", "nobody@example.com"}), ElementsAre());
}

TEST_F(LookupTest, NamesExactFirstThenPrefixesThenParts) {
  EXPECT_THAT(Found("mina", {"--name", "김"}), UnorderedElementsAre("김서연", "김서준"));
  EXPECT_THAT(Found("mina", {"--name", "서연"}), ElementsAre("김서연"));
  EXPECT_THAT(Found("mina", {"하늘"}), UnorderedElementsAre("이하늘", "박 하늘"));
  EXPECT_THAT(Found("mina", {"--name", "박하늘"}), ElementsAre("박 하늘"));
  EXPECT_THAT(Found("mina", {"--name", "chloé"}), ElementsAre("Chloé Ingram"));
  EXPECT_THAT(Found("mina", {"--name", "CHLOE\u0301 ingram"}), ElementsAre("Chloé Ingram"));
  EXPECT_THAT(Found("mina", {"--name", "gram"}), ElementsAre("Chloé Ingram"));
  EXPECT_THAT(Found("wei", {"王"}), UnorderedElementsAre("王芳", "王嘉豪"));
  EXPECT_THAT(Found("wei", {"嘉豪"}), ElementsAre("王嘉豪"));
  Write("more.csv", "name,phone\n서연,010-7000-0001\n서연희,010-7000-0002\n");
  Must("owner", {"import", Path("more.csv"), "--book", "seoul"});
  EXPECT_THAT(Found("mina", {"--name", "서연"}), ElementsAre("서연", "서연희", "김서연"));
}

TEST_F(LookupTest, TheDigitsThatAMaskShows) {
  EXPECT_THAT(Found("mina", {"--last4", "5678"}), UnorderedElementsAre("김서연", "김서준"));
  EXPECT_THAT(Found("mina", {"5678"}), UnorderedElementsAre("김서연", "김서준"));
  EXPECT_THAT(Found("mina", {"--last4", "9999"}), ElementsAre("이하늘"));
  EXPECT_THAT(Found("wei", {"--last4", "9999"}), ElementsAre("高佳琪"));
  EXPECT_THAT(Found("owner", {"--last4", "9999"}), UnorderedElementsAre("이하늘", "高佳琪"));
  EXPECT_THAT(Found("mina", {"--last4", "1234"}), ElementsAre());  // in the middle, hidden
}

TEST_F(LookupTest, BooksBoundWhatAnAgentFindsAndListsExactly) {
  EXPECT_EQ(TokensOf("mina").size(), 6u);
  EXPECT_EQ(TokensOf("wei").size(), 4u);
  EXPECT_EQ(TokensOf("jun").size(), 9u);
  EXPECT_EQ(TokensOf("sora"), TokensOf("mina"));
  EXPECT_EQ(TokensOf("owner"), TokensOf("jun"));
  EXPECT_EQ(TokensOf("jun", {"--book", "shenzhen"}), TokensOf("wei"));
  EXPECT_THAT(Found("mina", {"--name", "王芳"}), ElementsAre());
  EXPECT_THAT(Found("wei", {"--name", "김서연"}), ElementsAre());
  const Json shared = Ask("jun", {"lookup", "王嘉豪"})["contacts"][0];
  EXPECT_EQ(shared["books"], Json::parse(R"(["seoul","shenzhen"])"));
  EXPECT_EQ(Ask("wei", {"lookup", "王嘉豪"})["contacts"][0]["books"], Json::array({"shenzhen"}));
}

TEST_F(LookupTest, WhoIsNotThereAndWhoIsNotYoursGetTheSameAnswer) {
  const std::string theirs = TokenOf("王芳"), nobodys = NobodysToken();
  const std::vector<std::pair<Words, Words>> pairs = {
      {{"lookup", theirs}, {"lookup", nobodys}},
      {{"show", theirs}, {"show", nobodys}},
      {{"set", theirs, "note=x"}, {"set", nobodys, "note=x"}},
      {{"set", theirs, "phone=010"}, {"set", nobodys, "phone=010"}},
      {{"lookup", "--name", "王芳"}, {"lookup", "--name", "王琪"}},
      {{"lookup", "--phone", "+86 176-2963-0546"}, {"lookup", "--phone", "+86 176-2963-0549"}},
      {{"lookup", "--email", "wang.fang@example.net"}, {"lookup", "--email", "nobody@example.net"}},
      {{"list", "--book", "shenzhen"}, {"list", "--book", "nowhere"}}};
  for (auto [first, second] : pairs) {
    for (const bool json : {false, true}) {
      if (json) first.push_back("--json"), second.push_back("--json");
      const Ran ran = As("mina", first), other = As("mina", second);
      EXPECT_EQ(ran.exit, 5) << first[0];
      EXPECT_EQ(other.exit, 5) << first[0];
      EXPECT_EQ(ran.out, other.out) << first[0];
      EXPECT_EQ(ran.err, other.err) << first[0];
      ExpectNothingPersonal(ran);
    }
  }
  EXPECT_EQ(Ask("wei", {"show", theirs})["contacts"][0]["uid"], theirs);
}

TEST_F(LookupTest, TheSameHoldsInTheLogForWhoReadsIt) {
  const std::string theirs = TokenOf("王芳");
  As("mina", {"show", theirs});
  As("mina", {"show", NobodysToken()});
  std::vector<Json> log = AuditLog({"--member", "mina"});
  ASSERT_EQ(log.size(), 3u);  // her own passphrase before
  EXPECT_EQ(log[1]["outcome"], "not_found");
  for (Json* line : {&log[1], &log[2]}) line->erase("time"), line->erase("sequence");
  EXPECT_EQ(log[1], log[2]);
}

TEST_F(LookupTest, WhatCannotBeLookedForIsWrongUsageAndIsNotRepeated) {
  std::string mistyped = TokenOf("김서연");
  mistyped.back() = mistyped.back() == '0' ? '1' : '0';
  const std::vector<Words> wrong = {{},
                                    {"a", "b"},
                                    {"--phone", "010-1234-5678", "--name", "x"},
                                    {"--phone", "secret"},
                                    {"--phone", ""},
                                    {"--email", "secret"},
                                    {"--last4", "567"},
                                    {"--last4", "567a"},
                                    {mistyped},
                                    {""},
                                    {"\x01"}};
  for (Words words : wrong) {
    words.insert(words.begin(), "lookup");
    words.push_back("--json");
    const Ran ran = As("mina", words);
    ExpectJsonError(ran, 2, "usage");
    EXPECT_THAT(ran.out, Not(HasSubstr("secret")));
  }
  for (const char* command : {"show", "set"}) {
    Words words = {command, mistyped, "--json"};
    if (words[0] == "set") words.push_back("note=x");
    ExpectJsonError(As("mina", words), 2, "usage");
  }
}

TEST_F(LookupTest, AuditorsReadNobody) {
  for (Words words : {Words{"lookup", "김"}, Words{"list"}, Words{"show", TokenOf("김서연")}}) {
    words.push_back("--json");
    ExpectJsonError(As("audra", words), 3, "permission_denied");
  }
}

TEST_F(LookupTest, OneLookupShowsNoMoreThanThePolicySays) {
  std::string list = "name,phone\n";
  for (int i = 0; i < 60; ++i) absl::StrAppend(&list, "Many ", i, ",010-5000-", 1000 + i, "\n");
  Must("owner", {"import", Write("many.csv", list), "--book", "seoul"});
  const Ran ran = As("mina", {"lookup", "--name", "Many", "--json"});
  EXPECT_EQ(ran.exit, 0);
  EXPECT_EQ(ran.json()["contacts"].size(), 50u);
  EXPECT_EQ(ran.json()["found"], 60);
  EXPECT_THAT(ran.err, HasSubstr("The first 50 of 60"));
}

TEST_F(LookupTest, ListIsJsonLinesAndStopsAtItsLimit) {
  EXPECT_EQ(TokensOf("mina", {"--limit", "2"}).size(), 2u);
  EXPECT_EQ(TokensOf("mina", {"--limit", "100"}).size(), 6u);
  for (const char* limit : {"0", "-1", "x", "1.5", ""}) {
    ExpectJsonError(As("mina", {"list", "--json", "--limit", limit}), 2, "usage");
  }
  const Ran text = As("mina", {"list", "--limit", "1"});
  EXPECT_EQ(std::count(text.out.begin(), text.out.end(), '\n'), 2) << text;
  EXPECT_THAT(text.out, HasSubstr("UID "));
  // The whole list in the clear is what export is for.
  const Ran all = As("owner", {"list", "--json"});
  EXPECT_THAT(all.out, Not(HasSubstr("+821012345678")));
  EXPECT_THAT(all.out, HasSubstr("+82 10-****-5678"));
  // Nobody there is no error.
  Must("owner", {"book", "add", "empty"});
  const Ran none = As("owner", {"list", "--json", "--book", "empty"});
  EXPECT_EQ(none.exit, 0);
  EXPECT_EQ(none.out, "");
}

TEST_F(LookupTest, AReaderThatStopsReadingEndsTheListSoon) {
  std::string list = "name,phone,note\n";
  const std::string note(400, 'n');
  for (int i = 0; i < 3000; ++i)
    absl::StrAppend(&list, "Many ", i, ",010-5", 100 + i / 1000, "-", 1000 + i, ",", note, "\n");
  Must("importer", {"import", Write("many.csv", list), "--book", "seoul"});
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  Process process = StartAs("mina", {"list"}, {.stdout_fd = ends[1]});
  close(ends[1]);
  char first[100];
  EXPECT_GT(read(ends[0], first, sizeof first), 0);
  close(ends[0]);
  const Ran ran = process.Wait();
  EXPECT_EQ(ran.exit, 1) << ran;  // told, and no death by a signal
  EXPECT_THAT(ran.err, HasSubstr("standard output"));
  EXPECT_EQ(Ask("owner", {"audit", "verify"})["ok"], true);
}

}  // namespace
}  // namespace sealbook::testing
