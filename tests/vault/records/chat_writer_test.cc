// A writer of many batches: what it remembers between them, and how its chunks stand in the table.
#include "vault/records/chat_writer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/support/chat_vault.h"
#include "tests/support/test_vault.h"
#include "vault/crypto/random.h"

namespace sealbook {
namespace {

using testing::ChatSeenBy;
using testing::kMonday;
using testing::Message;
using testing::TestVault;

class ChatWriterTest : public ::testing::Test {
 protected:
  ChatWriterTest() {
    EXPECT_TRUE(vault_.AddBook("seoul").ok());
    EXPECT_TRUE(vault_.AddMember("service importer", "importer").ok());
    importer_ = vault_.Unlock("service importer");
    auto results = TestVault::Import(
        *importer_, {TestVault::Draft("11112222"), TestVault::Draft("33334444")}, {"seoul"});
    EXPECT_TRUE(results.ok()) << results.status();
    first_ = (*results)[0].contact;
    second_ = (*results)[1].contact;
    auto writer = records::ChatWriter::Open(*importer_);
    EXPECT_TRUE(writer.ok()) << writer.status();
    writer_.emplace(*std::move(writer));
  }

  std::vector<records::ChatDraftResult> Write(const std::vector<records::ChatDraft>& drafts) {
    auto results =
        writer_->WriteBatch(drafts, [](const auto&) { return audit::Event{.act = "chat.import"}; });
    EXPECT_TRUE(results.ok()) << results.status();
    return results.ok() ? *results : std::vector<records::ChatDraftResult>(drafts.size());
  }
  void Alter(const std::string& sql) {
    auto owner = vault_.Unlock("owner");
    const absl::Status status = owner->store().database().Execute(sql.c_str());
    ASSERT_TRUE(status.ok()) << status;
  }
  std::int64_t Count(const std::string& sql) {
    auto owner = vault_.Unlock("owner");
    auto select = owner->store().database().Prepare(sql);
    EXPECT_TRUE(select.ok() && *select->Step());
    return select->Int(0);
  }

  TestVault vault_;
  std::unique_ptr<keyring::Keyring> importer_;
  std::optional<records::ChatWriter> writer_;
  ContactNumber first_ = 0, second_ = 0;
};

// Sessions are read once; what was put in a key's place meanwhile is seen all the same.
TEST_F(ChatWriterTest, SubjectKeyPlantedBetweenTwoBatchesIsSeen) {
  const auto both = [&](std::int64_t time) {
    return Write({{.contact = first_, .messages = {Message(time, "to the first")}},
                  {.contact = second_, .messages = {Message(time, "to the second")}}});
  };
  for (int batch = 0; batch < 3; ++batch) {
    for (const records::ChatDraftResult& result : both(kMonday + batch * 60))
      EXPECT_EQ(result.added, 1u);
  }
  const std::string first = absl::StrCat(first_), second = absl::StrCat(second_);
  Alter(absl::StrCat("CREATE TABLE kept AS SELECT * FROM subject"));
  for (const std::string& change :
       {std::string("public = substr(public, 2) || substr(public, 1, 1)"),
        std::string("secret = substr(secret, 2) || substr(secret, 1, 1)"),
        std::string("session = session + 1"),
        "public = (SELECT public FROM kept WHERE contact = " + second +
            "), secret = (SELECT secret FROM kept WHERE contact = " + second + ")"}) {
    SCOPED_TRACE(change);
    Alter(absl::StrCat("UPDATE subject SET ", change, " WHERE contact = ", first));
    const auto results = both(kMonday + 600);
    EXPECT_TRUE(results[0].damaged);
    EXPECT_FALSE(results[1].damaged);
    Alter("DELETE FROM subject; INSERT INTO subject SELECT * FROM kept");
  }
  EXPECT_EQ(both(kMonday + 600)[0].added, 1u);
}

TEST_F(ChatWriterTest, NothingOfADamagedContactIsStored) {
  Write({{.contact = first_,
          .messages = {Message(kMonday, "one"), Message(kMonday + 86'400, "two")}}});
  Alter(
      "UPDATE chat_tag SET tags = x'0102030405060708' || tags WHERE day = "
      "(SELECT max(day) FROM chat_tag)");
  // The first day could be written, and the second one cannot.
  const auto results =
      Write({{.contact = second_, .messages = {Message(kMonday, "kept")}},
             {.contact = first_,
              .messages = {Message(kMonday + 60, "x"), Message(kMonday + 86'460, "y")}}});
  EXPECT_EQ(results[0].added, 1u);
  EXPECT_TRUE(results[1].damaged);
  EXPECT_EQ(Count(absl::StrCat("SELECT count(*) FROM chat WHERE contact = ", first_)), 2);
  EXPECT_EQ(Count(absl::StrCat("SELECT count(*) FROM chat_key WHERE contact = ", first_)), 1);
}

// 981 bytes of a row of such a table stay on its page.
TEST_F(ChatWriterTest, ChunksOfABusyDayStayOnTheirPages) {
  records::ChatDraft draft{.contact = first_, .messages = {}};
  std::vector<std::string> texts;
  for (int i = 0; i < 500; ++i) {
    // Words that nothing compresses, and now and then a text that is too long for any page.
    crypto::Bytes random(i % 100 == 50 ? 3'000 : 8 + i % 40);
    crypto::FillRandom(random);
    texts.push_back(crypto::ToHex(random));
    draft.messages.push_back(Message(kMonday + i, texts.back()));
  }
  EXPECT_EQ(Write({draft})[0].added, 500u);
  auto owner = vault_.Unlock("owner");
  EXPECT_EQ(ChatSeenBy(*owner, first_), texts);
  EXPECT_EQ(Count("SELECT count(*) FROM chat WHERE length(chunk) > 981 - 40"), 5);
  EXPECT_EQ(Count("SELECT max(messages) FROM chat WHERE length(chunk) > 981 - 40"), 1);
  // And they are not small for that: more than half of what there is room for.
  EXPECT_GT(Count("SELECT avg(length(chunk)) FROM chat WHERE length(chunk) <= 981 - 40"), 600);
}

}  // namespace
}  // namespace sealbook
