// On a terminal of 80 columns: what is asked there, and what is drawn there and nowhere else.
#include <gmock/gmock.h>

#include "tests/support/command_vault.h"

namespace sealbook::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class TerminalTest : public VaultTest {
 public:
  Terminal On(const std::string& member, const Words& words) {
    return Terminal(words, EnvironmentFor(Member(member)));
  }
  // Without a passphrase file: it is asked for.
  std::map<std::string, std::string> Asked(const std::string& member) const {
    return EnvironmentFor({.environment = {{"SEALBOOK_MEMBER", member}}});
  }
};

TEST_F(TerminalTest, ThePassphraseIsAskedForAndNotEchoed) {
  Terminal terminal({"book", "list"}, Asked("mina"));
  ASSERT_TRUE(terminal.Expect("Passphrase of mina: "));
  EXPECT_FALSE(terminal.Echoes());
  terminal.Type(PassphraseOf("mina"));
  EXPECT_EQ(terminal.Wait(), 0) << terminal.screen();
  EXPECT_THAT(terminal.screen(), HasSubstr("seoul"));
  EXPECT_THAT(terminal.screen(), Not(HasSubstr(PassphraseOf("mina"))));
  EXPECT_TRUE(terminal.Echoes());
}

TEST_F(TerminalTest, AWrongPassphraseIsRefusedInRedUnlessColourIsOff) {
  Write("mina.passphrase", "a guess that is wrong");
  Terminal plain = On("mina", {"list", "--no-color"});
  EXPECT_EQ(plain.Wait(), 4);
  EXPECT_THAT(plain.screen(), HasSubstr("sealbook: "));
  EXPECT_THAT(plain.screen(), Not(HasSubstr("\x1b")));
  Terminal red = On("mina", {"list"});
  EXPECT_EQ(red.Wait(), 4);
  EXPECT_THAT(red.screen(), HasSubstr("\x1b[31msealbook:\x1b[0m "));
  RunOptions options = Member("mina");
  options.environment["NO_COLOR"] = "1";
  Terminal also_plain({"list"}, EnvironmentFor(options));
  EXPECT_EQ(also_plain.Wait(), 4);
  EXPECT_THAT(also_plain.screen(), Not(HasSubstr("\x1b")));
}

TEST_F(TerminalTest, CtrlCAtThePromptEndsItAndGivesTheEchoBack) {
  Terminal terminal({"list"}, Asked("mina"));
  ASSERT_TRUE(terminal.Expect("Passphrase of mina: "));
  terminal.Press("half\x03");
  EXPECT_EQ(terminal.Wait(), 130) << terminal.screen();
  EXPECT_TRUE(terminal.Echoes());
  EXPECT_THAT(terminal.screen(), Not(HasSubstr("half")));
}

TEST_F(TerminalTest, ANewPassphraseIsAskedTwice) {
  Terminal differing = On("mina", {"member", "passwd"});
  ASSERT_TRUE(differing.Expect("New passphrase: "));
  differing.Type("some entirely new words");
  ASSERT_TRUE(differing.Expect("Once more: "));
  differing.Type("some entirely other words");
  EXPECT_EQ(differing.Wait(), 2);
  EXPECT_THAT(differing.screen(), HasSubstr("the two passphrases differ"));
  EXPECT_EQ(As("mina", {"list"}).exit, 0);
  Terminal same = On("mina", {"member", "passwd"});
  ASSERT_TRUE(same.Expect("New passphrase: "));
  same.Type("some entirely new words");
  ASSERT_TRUE(same.Expect("Once more: "));
  same.Type("some entirely new words");
  EXPECT_EQ(same.Wait(), 0);
  EXPECT_THAT(same.screen(), Not(HasSubstr("entirely")));
  EXPECT_EQ(As("mina", {"list"}).exit, 4);
}

TEST_F(TerminalTest, ProgressShowsOnATerminalAloneAndIsWipedAway) {
  const std::string file = Write("list.csv", kSeoulCsv);
  Terminal drawn = On("importer", {"import", file, "--json"});
  EXPECT_EQ(drawn.Wait(), 0);
  EXPECT_THAT(drawn.screen(), HasSubstr("\rimport: 6 rows, "));
  EXPECT_THAT(drawn.screen(), HasSubstr(" rows/s, 100 %"));
  const auto wiped = drawn.screen().rfind("\r\x1b[K");
  ASSERT_NE(wiped, std::string::npos);
  EXPECT_EQ(drawn.screen().substr(wiped + 4).rfind("{\"rows\":6,", 0), 0u) << drawn.screen();
  for (const char* flag : {"--no-progress", "--quiet"}) {
    Terminal silent = On("importer", {"import", file, flag});
    EXPECT_EQ(silent.Wait(), 0);
    EXPECT_THAT(silent.screen(), Not(HasSubstr("rows/s"))) << flag;
  }
  const Ran elsewhere = As("importer", {"import", file});
  EXPECT_EQ(elsewhere.err, "");
  EXPECT_THAT(elsewhere.out, Not(HasSubstr("\r")));
}

TEST_F(TerminalTest, TablesAndListsStayWithinEightyColumns) {
  std::string list = "name,phone\n";
  absl::StrAppend(&list, "아주아주아주아주아주 긴 이름을 가진 사람,010-1111-2222\n");
  for (int i = 0; i < 6; ++i) Must("owner", {"book", "add", absl::StrCat("긴 이름의 책 번호 ", i)});
  for (int i = 0; i < 6; ++i)
    Must("owner", {"book", "members", absl::StrCat("긴 이름의 책 번호 ", i), "--add", "mina"});
  Must("owner", {"import", Write("list.csv", list), "--book", "seoul"});
  for (const Words& words : {Words{"member", "list"}, Words{"book", "list"}, Words{"list"},
                             Words{"import", Path("list.csv"), "--dry-run"}}) {
    Terminal terminal = On("owner", words);
    EXPECT_EQ(terminal.Wait(), 0);
    std::istringstream screen(terminal.screen());
    for (std::string line; std::getline(screen, line);) {
      if (!line.empty() && line.back() == '\r') line.pop_back();
      if (line.find(root()) != std::string::npos || line.find('\x1b') != std::string::npos)
        continue;
      // Two columns for what has three bytes and is no ellipsis: enough for this list.
      int columns = 0;
      for (std::size_t at = 0; at < line.size();) {
        const auto lead = static_cast<unsigned char>(line[at]);
        const std::size_t width = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : 3;
        columns += width == 3 && line.compare(at, 3, "…") != 0 ? 2 : 1;
        at += width;
      }
      EXPECT_LE(columns, 80) << line;
    }
  }
}

}  // namespace
}  // namespace sealbook::testing
