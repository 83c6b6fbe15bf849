#include "vault/archive/archived_chat.h"

#include <malloc.h>

#include <fstream>
#include <iterator>
#include <random>

#include "tests/support/chat_vault.h"
#include "tests/vault/archive/archive_fixture.h"

namespace sealbook::archive {
namespace {

using crypto::Bytes;
using testing::ArchivedPerson;
using testing::kArchiveDay;
using testing::Messages;
using testing::Person;

class ArchivedChatTest : public ArchiveTest {
 protected:
  // The text of one chunk, opened as `person`'s under `key`.
  absl::StatusOr<std::string> OpenOne(const ArchivedPerson& person, const ArchiveKey& key,
                                      const ArchiveChunk& chunk) {
    ASSIGN_OR_RETURN(const auto opener,
                     ArchivedChatOpener::Create(keys_.vault, person.ForArchive(), person.subject));
    std::vector<records::ChatEntry> out(1);
    const absl::Status status = opener->Open({.chunk = chunk, .key = key}, out);
    EXPECT_EQ(out[0], records::ChatEntry());
    if (!status.ok()) {
      EXPECT_EQ(out.size(), 1u) << "nothing of what does not open is given out";
      return status;
    }
    EXPECT_EQ(out.size(), 2u);
    return out[1].text;
  }

  ArchivedPerson mina_ = Person(3, 1000000009), joon_ = Person(7, 2837470195);
};

TEST_F(ArchivedChatTest, MessagesAreThoseThatWereWritten) {
  const auto entries =
      Messages(kArchiveDay + 1, {"안녕하세요", "네, 내일 오후 2시에 예약되셨습니다."});
  const auto file = keys_.Write(keys_.Header(), [&](ArchiveWriter& writer) {
    testing::Must(writer.BeginContact(mina_.ForArchive()));
    testing::Must(keys_.AddChunk(writer, mina_, 4, kArchiveDay + 1, 1, entries));
  });
  const auto reader = *Open(file);
  std::vector<records::ChatEntry> read;
  ASSERT_TRUE(OpenArchivedContact(*reader, **reader->Find(mina_.token), mina_.subject,
                                  [&](const records::ChatEntry& entry) {
                                    read.push_back(entry);
                                    return absl::OkStatus();
                                  })
                  .ok());
  EXPECT_EQ(read, entries);
}

TEST_F(ArchivedChatTest, AVisitorsErrorEndsIt) {
  const auto file = keys_.WriteSmall({mina_});
  const auto reader = *Open(file);
  int seen = 0;
  EXPECT_TRUE(absl::IsCancelled(OpenArchivedContact(
      *reader, **reader->Find(mina_.token), mina_.subject, [&](const records::ChatEntry&) {
        return ++seen == 3 ? absl::CancelledError("enough") : absl::OkStatus();
      })));
  EXPECT_EQ(seen, 3);
}

TEST_F(ArchivedChatTest, WhatWasMovedDoesNotOpen) {
  const auto entries = Messages(kArchiveDay, {"text"});
  const Bytes sealed = keys_.Chunk(mina_, 1, kArchiveDay, 1, entries);
  const ArchiveKey key = keys_.KeyRow(mina_, 1);
  const ArchiveChunk chunk{
      .day = kArchiveDay, .sequence = 1, .messages = 1, .session = 1, .sealed = sealed};
  ASSERT_EQ(*OpenOne(mina_, key, chunk), "text");
  const auto is_lost = [&](const ArchivedPerson& person, const ArchiveKey& with,
                           const ArchiveChunk& what) {
    return absl::IsDataLoss(OpenOne(person, with, what).status());
  };
  ArchiveChunk moved = chunk;
  moved.day = kArchiveDay + 1;
  EXPECT_TRUE(is_lost(mina_, key, moved)) << "to another day";
  moved = chunk;
  moved.sequence = 2;
  EXPECT_TRUE(is_lost(mina_, key, moved)) << "to another place of the day";
  moved = chunk;
  moved.messages = 2;
  EXPECT_TRUE(is_lost(mina_, key, moved)) << "with another number of messages";
  EXPECT_TRUE(is_lost(joon_, keys_.KeyRow(joon_, 1), chunk)) << "to another contact";
  EXPECT_TRUE(is_lost(joon_, key, chunk)) << "to another contact, with its key";
  EXPECT_TRUE(is_lost(mina_, keys_.KeyRow(mina_, 2), chunk)) << "under another session's key";
  EXPECT_TRUE(is_lost(mina_, keys_.KeyRow(joon_, 1), chunk)) << "under another contact's key";
  ArchiveKey mixed = key;
  mixed.ephemeral = keys_.Session(2).public_key();
  EXPECT_TRUE(is_lost(mina_, mixed, chunk)) << "a key with another session's E";
  mixed.ephemeral = {};
  EXPECT_TRUE(is_lost(mina_, mixed, chunk)) << "a key with an E of small order";
  ArchivedPerson other = mina_;
  other.token += 10;
  EXPECT_TRUE(is_lost(other, key, chunk)) << "under another token";
  // Another secret than the frame's.
  EXPECT_TRUE(absl::IsDataLoss(
      ArchivedChatOpener::Create(keys_.vault, mina_.ForArchive(), joon_.subject).status()));
  keyring::VaultId vault = keys_.vault;
  vault[15] ^= 1;
  const auto elsewhere = *ArchivedChatOpener::Create(vault, mina_.ForArchive(), mina_.subject);
  std::vector<records::ChatEntry> out;
  EXPECT_TRUE(absl::IsDataLoss(elsewhere->Open({.chunk = chunk, .key = key}, out)));
}

TEST_F(ArchivedChatTest, AChunkThatHoldsMoreThanItSaysIsDataLoss) {
  // Sealed for one message, holding two: whoever wrote it lied.
  records::ChunkPacker packer;
  crypto::SecretBytes packed;
  testing::Must(packer.Pack(Messages(kArchiveDay, {"one", "two"}), packed));
  const Bytes sealed = crypto::Seal(keys_.ChatKeyOf(mina_, 1),
                                    records::ChunkPlace(keys_.vault, {mina_.contact, mina_.token},
                                                        {.day = kArchiveDay,
                                                         .contact = 7,
                                                         .sequence = 1,
                                                         .session = 1,
                                                         .messages = 1,
                                                         .chunk = {}},
                                                        keys_.Session(1).public_key()),
                                    packed.ExposeBytes());
  EXPECT_TRUE(absl::IsDataLoss(
      OpenOne(mina_, keys_.KeyRow(mina_, 1),
              {.day = kArchiveDay, .sequence = 1, .messages = 1, .session = 1, .sealed = sealed})
          .status()));
}

TEST_F(ArchivedChatTest, AChunkSwappedIntoAnotherFrameIsDataLossForThatPersonAlone) {
  const Bytes of_mina = keys_.Chunk(mina_, 1, kArchiveDay, 1, Messages(kArchiveDay, {"mina's"}));
  const auto file = keys_.Write(keys_.Header(), [&](ArchiveWriter& writer) {
    testing::Must(writer.BeginContact(mina_.ForArchive()));
    testing::Must(writer.AddKey(keys_.KeyRow(mina_, 1)));
    const ArchiveChunk chunk{
        .day = kArchiveDay, .sequence = 1, .messages = 1, .session = 1, .sealed = of_mina};
    testing::Must(writer.AddChunk(chunk));
    testing::Must(writer.BeginContact(joon_.ForArchive()));
    testing::Must(writer.AddKey(keys_.KeyRow(joon_, 1)));
    testing::Must(writer.AddChunk(chunk));
  });
  const auto reader = *Open(file);
  EXPECT_TRUE(reader->VerifyAll().ok()) << "nobody without keys can know it";
  EXPECT_THAT(*testing::TextsOf(*reader, mina_), ::testing::ElementsAre("mina's"));
  EXPECT_TRUE(absl::IsDataLoss(testing::TextsOf(*reader, joon_).status()));
}

TEST_F(ArchivedChatTest, MemoryStaysFlatForAPersonWith200000Messages) {
  // In more than the slots' worth of sessions, which come round again and again.
  constexpr std::int64_t kSessions = 300;
  constexpr int kChunks = 3'200;
  std::mt19937 dice(1);
  std::vector<std::string> texts(records::kMaxChunkMessages);
  for (std::string& text : texts) {  // that zstd makes not much smaller
    for (int i = 0; i < 100; ++i) text += static_cast<char>(' ' + dice() % 90);
  }
  std::size_t written_from = 0, highest = 0;
  const auto look = [&] { highest = std::max<std::size_t>(highest, mallinfo2().uordblks); };
  testing::FinishedFile file;
  {
    struct NoSink : ByteSink {
      absl::Status Append(ByteView bytes) override {
        size += bytes.size();
        return absl::OkStatus();
      }
      std::size_t size = 0;
    };
    // Once into nothing, to see the writer's memory alone.
    NoSink nothing;
    const crypto::ExchangePublic recipient = keys_.identity.public_key();
    const auto writer = *ArchiveWriter::Open(nothing, {&recipient, 1}, keys_.Header(), 1);
    const Bytes sealed(5'000, 3);
    testing::Must(writer->BeginContact(mina_.ForArchive()));
    for (int i = 1; i <= kChunks; ++i) {
      if (!writer->HasKey(i)) {
        testing::Must(writer->AddKey({.session = i, .ephemeral = {}, .sealed = {}}));
      }
      // By then the age writer has its buffers.
      if (i == 2'000) written_from = mallinfo2().uordblks;
      if (i > 2'000) look();
      testing::Must(writer->AddChunk(
          {.day = kArchiveDay, .sequence = i, .messages = 64, .session = i, .sealed = sealed}));
    }
    testing::Must(writer->Finish().status());
    EXPECT_GT(nothing.size, 16'000'000u);
    EXPECT_LT(highest - written_from, std::size_t{1} << 20);
  }
  file = keys_.Write(keys_.Header(), [&](ArchiveWriter& writer) {
    testing::Must(writer.BeginContact(mina_.ForArchive()));
    const auto entries = Messages(kArchiveDay, texts);
    for (int i = 1; i <= kChunks; ++i) {
      const std::int64_t session = 1 + i % kSessions;
      testing::Must(keys_.AddChunk(writer, mina_, session, kArchiveDay, i, entries));
    }
  });
  EXPECT_GT(file.bytes.size(), 16'000'000u);
  EXPECT_EQ(file.signature.totals.messages, 204'800u);
  const auto reader = *Open(file);
  std::size_t messages = 0;
  const std::size_t before = mallinfo2().uordblks;
  highest = before;
  ASSERT_TRUE(OpenArchivedContact(*reader, **reader->Find(mina_.token), mina_.subject,
                                  [&](const records::ChatEntry&) {
                                    if (++messages % 1000 == 0) look();
                                    return absl::OkStatus();
                                  })
                  .ok());
  EXPECT_EQ(messages, 204'800u);
  EXPECT_LT(highest - before, std::size_t{4} << 20);
}

// From a real vault: its rows as they stand, moved by somebody without any key, read with nothing
// but the offline identity and the files.
TEST_F(ArchivedChatTest, RowsOfAVaultAreReadWithoutIt) {
  testing::TestVault vault;
  auto owner = vault.Unlock(testing::TestVault::kOwner);
  ASSERT_TRUE(testing::TestVault::Import(
                  *owner,
                  {testing::TestVault::Draft("12345678"), testing::TestVault::Draft("87654321")},
                  {})
                  .ok());
  for (const int batch : {1, 2}) {
    std::vector<records::ChatDraft> drafts;
    for (const ContactNumber contact : {1, 2}) {
      const std::string text = absl::StrCat("message ", batch, " of contact ", contact);
      drafts.push_back({.contact = contact,
                        .messages = {testing::Message(testing::kMonday + batch * 60, text)}});
    }
    ASSERT_TRUE(testing::WriteChats(*owner, drafts).ok());
  }

  // What the retention job does: rows, and public keys.
  const std::int32_t day = records::DayOf(testing::kMonday);
  const ArchiveHeader header{
      .vault = owner->roster().vault, .run = 1, .first_day = day, .last_day = day};
  testing::BytesSink sink;
  const crypto::ExchangePublic recipient = vault.archive_identity().public_key();
  const auto writer = *ArchiveWriter::Open(sink, {&recipient, 1}, header);
  SubjectShard shard{.vault = header.vault, .version = 1, .signer = keys_.Signer()};
  for (const ContactNumber contact : {1, 2}) {
    const std::int64_t token = testing::TestVault::TokenOf(*owner, contact);
    store::SubjectRow subject;
    ASSERT_TRUE(*owner->store().GetSubject(contact, subject));
    ASSERT_TRUE(
        writer->BeginContact({.contact = contact, .token = token, .subject = {subject.public_key}})
            .ok());
    ASSERT_EQ(subject.secret.size(), SubjectRecord::kSecretBytes);
    SubjectRecord record{.contact = contact,
                         .token = token,
                         .session = subject.session,
                         .ephemeral = (*owner->sessions().Get(subject.session))->ephemeral,
                         .public_key = {subject.public_key}};
    std::copy(subject.secret.begin(), subject.secret.end(), record.secret.begin());
    shard.records.push_back(record);
    ASSERT_TRUE(owner->store()
                    .EachChatKey(contact,
                                 [&](std::int64_t session, ByteView sealed) -> absl::Status {
                                   ArchiveKey key{
                                       .session = session,
                                       .ephemeral = (*owner->sessions().Get(session))->ephemeral};
                                   std::copy(sealed.begin(), sealed.end(), key.sealed.begin());
                                   return writer->AddKey(key);
                                 })
                    .ok());
    ASSERT_TRUE(owner->store()
                    .EachChat(day, contact,
                              [&](const store::ChatRow& row) {
                                return writer->AddChunk({.day = row.day,
                                                         .sequence = row.sequence,
                                                         .messages = row.messages,
                                                         .session = row.session,
                                                         .sealed = row.chunk});
                              })
                    .ok());
  }
  std::ranges::sort(shard.records, {}, &SubjectRecord::contact);
  FinishedArchive done = *writer->Finish();
  const ArchiveSignature signature{.header = header,
                                   .totals = done.totals,
                                   .digest = std::move(done.digest),
                                   .signer = keys_.Signer()};
  const Bytes sig = signature.Sign(keys_.signing), shard_file = *shard.Sign(keys_.signing);

  // What somebody with the offline identity does.
  const auto read_signature = ArchiveSignature::Verify(sig, ArchiveName(header), keys_.Authority());
  ASSERT_TRUE(read_signature.ok()) << read_signature.status();
  const auto reader = ArchiveReader::Open(testing::AccessTo(sink.bytes),
                                          {&vault.archive_identity(), 1}, *read_signature);
  ASSERT_TRUE(reader.ok()) << reader.status();
  std::ifstream escrow_in(vault.paths().escrow(), std::ios::binary);
  const Bytes escrow_file{std::istreambuf_iterator<char>(escrow_in), {}};
  const auto escrow = OpenEscrow({&vault.archive_identity(), 1}, escrow_file);
  ASSERT_TRUE(escrow.ok()) << escrow.status();
  EXPECT_EQ(escrow->public_key(), owner->roster().escrow);
  const auto read_shard = SubjectShard::Verify(shard_file, ShardName(0, 1), keys_.Authority());
  ASSERT_TRUE(read_shard.ok()) << read_shard.status();
  for (const ContactNumber contact : {1, 2}) {
    const std::int64_t token = testing::TestVault::TokenOf(*owner, contact);
    const auto subject = OpenSubjectSecret(*escrow, header.vault, *read_shard->Find(contact));
    ASSERT_TRUE(subject.ok()) << subject.status();
    std::vector<std::string> texts;
    ASSERT_TRUE(OpenArchivedContact(**reader, **(*reader)->Find(token), *subject,
                                    [&](const records::ChatEntry& entry) {
                                      texts.push_back(entry.text);
                                      return absl::OkStatus();
                                    })
                    .ok());
    EXPECT_THAT(texts, ::testing::ElementsAre(absl::StrCat("message 1 of contact ", contact),
                                              absl::StrCat("message 2 of contact ", contact)));
  }
}

}  // namespace
}  // namespace sealbook::archive
