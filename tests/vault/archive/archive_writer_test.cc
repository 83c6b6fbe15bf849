#include "vault/archive/archive_writer.h"

#include "tests/vault/archive/archive_fixture.h"
#include "vault/archive/archive_layout.h"

namespace sealbook::archive {
namespace {

using crypto::Bytes;
using testing::BytesSink;
using testing::kArchiveDay;
using testing::Messages;
using testing::Person;

class ArchiveWriterTest : public ArchiveTest {
 protected:
  absl::StatusOr<std::unique_ptr<ArchiveWriter>> NewWriter() {
    recipient_ = keys_.identity.public_key();
    return ArchiveWriter::Open(sink_, {&recipient_, 1}, keys_.Header(), 1);
  }
  // A chunk of the right shape that nobody opens.
  ArchiveChunk Shape(std::int32_t day, std::int64_t sequence) const {
    return {.day = day, .sequence = sequence, .messages = 1, .session = 1, .sealed = sealed_};
  }

  BytesSink sink_;
  crypto::ExchangePublic recipient_;
  Bytes sealed_ = Bytes(kMinSealedChunkBytes, 5);
  testing::ArchivedPerson mina_ = Person(7, 2837470195), joon_ = Person(9, 9000000009);
};

TEST_F(ArchiveWriterTest, WhatIsWrittenIsReadBack) {
  const auto file = keys_.WriteSmall({mina_, joon_});
  EXPECT_EQ(file.signature.totals, (ArchiveTotals{.contacts = 2, .chunks = 6, .messages = 10}));
  const auto reader = Open(file);
  ASSERT_TRUE(reader.ok()) << reader.status();
  EXPECT_EQ((*reader)->header(), keys_.Header());
  EXPECT_TRUE((*reader)->VerifyAll().ok());
  EXPECT_THAT(*testing::TextsOf(**reader, joon_),
              ::testing::ElementsAre("first 9", "second 9", "third 9", "fourth 9", "fifth 9"));
}

TEST_F(ArchiveWriterTest, ThePlaintextIsTheSameWithOneThreadAndTwo) {
  // Sealed chunks of random bytes, the same ones twice, over several batches of the age writer.
  Bytes chunk(30'000);
  std::array<Bytes, 2> plaintexts;
  for (const int threads : {1, 2}) {
    testing::FinishedFile file;
    BytesSink sink;
    recipient_ = keys_.identity.public_key();
    const auto writer = *ArchiveWriter::Open(sink, {&recipient_, 1}, keys_.Header(), threads);
    ASSERT_TRUE(writer->BeginContact(mina_.ForArchive()).ok());
    ASSERT_TRUE(writer->AddKey({.session = 1, .ephemeral = {}, .sealed = {}}).ok());
    for (int i = 1; i <= 150; ++i) {
      std::fill(chunk.begin(), chunk.end(), static_cast<std::uint8_t>(i));
      ASSERT_TRUE(
          writer
              ->AddChunk(
                  {.day = kArchiveDay, .sequence = i, .messages = 2, .session = 1, .sealed = chunk})
              .ok());
    }
    const std::uint64_t content = writer->plaintext_bytes();
    FinishedArchive done = *writer->Finish();
    EXPECT_EQ(done.totals.messages, 300u);
    EXPECT_GT(content, 150u * chunk.size());
    EXPECT_EQ(done.digest.size, sink.bytes.size());
    file = {std::move(sink.bytes),
            {.header = keys_.Header(), .totals = done.totals, .digest = done.digest, .signer = {}}};
    EXPECT_TRUE(Open(file).value()->VerifyAll().ok());
    plaintexts[static_cast<std::size_t>(threads - 1)] = PlaintextOf(file);
  }
  EXPECT_EQ(plaintexts[0], plaintexts[1]);
}

TEST_F(ArchiveWriterTest, AnArchiveOfNobodyIsOne) {
  const auto file = keys_.Write(keys_.Header(), [](ArchiveWriter&) {});
  const auto reader = Open(file);
  ASSERT_TRUE(reader.ok()) << reader.status();
  EXPECT_TRUE((*reader)->VerifyAll().ok());
  EXPECT_EQ(*(*reader)->Find(mina_.token), std::nullopt);
}

TEST_F(ArchiveWriterTest, WrongHeadersAndRecipientsAreRefused) {
  ArchiveHeader header = keys_.Header();
  recipient_ = keys_.identity.public_key();
  EXPECT_TRUE(absl::IsInvalidArgument(ArchiveWriter::Open(sink_, {}, header).status()));
  const crypto::ExchangePublic nobody;
  EXPECT_TRUE(absl::IsInvalidArgument(ArchiveWriter::Open(sink_, {&nobody, 1}, header).status()));
  header.run = 0;
  EXPECT_TRUE(
      absl::IsInvalidArgument(ArchiveWriter::Open(sink_, {&recipient_, 1}, header).status()));
  header = keys_.Header();
  header.first_day = header.last_day + 1;
  EXPECT_TRUE(
      absl::IsInvalidArgument(ArchiveWriter::Open(sink_, {&recipient_, 1}, header).status()));
  EXPECT_TRUE(sink_.bytes.empty());
}

// One mistake each, and what it is called. After it nothing more is taken.
struct Mistake {
  std::string name;
  absl::StatusCode code;
  std::function<absl::Status(ArchiveWriter&, ArchiveContact, ArchiveChunk)> make;
};

TEST_F(ArchiveWriterTest, MistakesAreRefusedAndStick) {
  using absl::StatusCode;
  const auto begin = [&](ArchiveWriter& w, const ArchiveContact& contact) {
    RETURN_IF_ERROR(w.BeginContact(contact));
    return w.AddKey({.session = 1, .ephemeral = {}, .sealed = {}});
  };
  const std::vector<Mistake> mistakes = {
      {"a key without a contact", StatusCode::kFailedPrecondition,
       [](ArchiveWriter& w, ArchiveContact, ArchiveChunk) {
         return w.AddKey({.session = 1, .ephemeral = {}, .sealed = {}});
       }},
      {"a chunk without a contact", StatusCode::kFailedPrecondition,
       [](ArchiveWriter& w, ArchiveContact, ArchiveChunk chunk) { return w.AddChunk(chunk); }},
      {"a contact without chunks, then another", StatusCode::kFailedPrecondition,
       [&](ArchiveWriter& w, ArchiveContact contact, ArchiveChunk) {
         RETURN_IF_ERROR(begin(w, contact));
         ++contact.contact;
         return w.BeginContact(contact);
       }},
      {"a contact without chunks at the end", StatusCode::kFailedPrecondition,
       [&](ArchiveWriter& w, ArchiveContact contact, ArchiveChunk) {
         RETURN_IF_ERROR(begin(w, contact));
         return w.Finish().status();
       }},
      {"a contact twice", StatusCode::kFailedPrecondition,
       [&](ArchiveWriter& w, ArchiveContact contact, ArchiveChunk chunk) {
         RETURN_IF_ERROR(begin(w, contact));
         RETURN_IF_ERROR(w.AddChunk(chunk));
         return w.BeginContact(contact);
       }},
      {"a token twice", StatusCode::kDataLoss,
       [&](ArchiveWriter& w, ArchiveContact contact, ArchiveChunk chunk) {
         RETURN_IF_ERROR(begin(w, contact));
         RETURN_IF_ERROR(w.AddChunk(chunk));
         ++contact.contact;
         RETURN_IF_ERROR(begin(w, contact));
         RETURN_IF_ERROR(w.AddChunk(chunk));
         return w.Finish().status();
       }},
      {"contacts out of order", StatusCode::kFailedPrecondition,
       [&](ArchiveWriter& w, ArchiveContact contact, ArchiveChunk chunk) {
         RETURN_IF_ERROR(begin(w, contact));
         RETURN_IF_ERROR(w.AddChunk(chunk));
         --contact.contact;
         ++contact.token;
         return w.BeginContact(contact);
       }},
      {"contact 0", StatusCode::kDataLoss,
       [](ArchiveWriter& w, ArchiveContact contact, ArchiveChunk) {
         contact.contact = 0;
         return w.BeginContact(contact);
       }},
      {"token 0", StatusCode::kDataLoss,
       [](ArchiveWriter& w, ArchiveContact contact, ArchiveChunk) {
         contact.token = 0;
         return w.BeginContact(contact);
       }},
      {"a subject key of small order", StatusCode::kDataLoss,
       [](ArchiveWriter& w, ArchiveContact contact, ArchiveChunk) {
         contact.subject = {};
         return w.BeginContact(contact);
       }},
      {"a key twice", StatusCode::kFailedPrecondition,
       [&](ArchiveWriter& w, ArchiveContact contact, ArchiveChunk) {
         RETURN_IF_ERROR(begin(w, contact));
         return w.AddKey({.session = 1, .ephemeral = {}, .sealed = {}});
       }},
      {"session 0", StatusCode::kDataLoss,
       [](ArchiveWriter& w, ArchiveContact contact, ArchiveChunk) {
         RETURN_IF_ERROR(w.BeginContact(contact));
         return w.AddKey({.session = 0, .ephemeral = {}, .sealed = {}});
       }},
      {"a chunk of another session", StatusCode::kFailedPrecondition,
       [&](ArchiveWriter& w, ArchiveContact contact, ArchiveChunk chunk) {
         RETURN_IF_ERROR(begin(w, contact));
         chunk.session = 2;
         return w.AddChunk(chunk);
       }},
      {"the key of the contact before", StatusCode::kFailedPrecondition,
       [&](ArchiveWriter& w, ArchiveContact contact, ArchiveChunk chunk) {
         RETURN_IF_ERROR(begin(w, contact));
         RETURN_IF_ERROR(w.AddChunk(chunk));
         ++contact.contact;
         RETURN_IF_ERROR(w.BeginContact(contact));
         return w.AddChunk(chunk);
       }},
      {"a day before", StatusCode::kFailedPrecondition,
       [&](ArchiveWriter& w, ArchiveContact contact, ArchiveChunk chunk) {
         RETURN_IF_ERROR(begin(w, contact));
         chunk.day = kArchiveDay - 1;
         return w.AddChunk(chunk);
       }},
      {"a day behind", StatusCode::kFailedPrecondition,
       [&](ArchiveWriter& w, ArchiveContact contact, ArchiveChunk chunk) {
         RETURN_IF_ERROR(begin(w, contact));
         chunk.day = kArchiveDay + 10;
         return w.AddChunk(chunk);
       }},
      {"a chunk twice", StatusCode::kFailedPrecondition,
       [&](ArchiveWriter& w, ArchiveContact contact, ArchiveChunk chunk) {
         RETURN_IF_ERROR(begin(w, contact));
         RETURN_IF_ERROR(w.AddChunk(chunk));
         return w.AddChunk(chunk);
       }},
      {"days out of order", StatusCode::kFailedPrecondition,
       [&](ArchiveWriter& w, ArchiveContact contact, ArchiveChunk chunk) {
         RETURN_IF_ERROR(begin(w, contact));
         chunk.day = kArchiveDay + 1;
         RETURN_IF_ERROR(w.AddChunk(chunk));
         chunk.day = kArchiveDay;
         chunk.sequence = 9;
         return w.AddChunk(chunk);
       }},
      {"sequence 0", StatusCode::kDataLoss,
       [&](ArchiveWriter& w, ArchiveContact contact, ArchiveChunk chunk) {
         RETURN_IF_ERROR(begin(w, contact));
         chunk.sequence = 0;
         return w.AddChunk(chunk);
       }},
      {"a sequence of more than 32 bits", StatusCode::kDataLoss,
       [&](ArchiveWriter& w, ArchiveContact contact, ArchiveChunk chunk) {
         RETURN_IF_ERROR(begin(w, contact));
         chunk.sequence = kMaxSequence + 1;
         return w.AddChunk(chunk);
       }},
      {"no message", StatusCode::kDataLoss,
       [&](ArchiveWriter& w, ArchiveContact contact, ArchiveChunk chunk) {
         RETURN_IF_ERROR(begin(w, contact));
         chunk.messages = 0;
         return w.AddChunk(chunk);
       }},
      {"too many messages", StatusCode::kDataLoss,
       [&](ArchiveWriter& w, ArchiveContact contact, ArchiveChunk chunk) {
         RETURN_IF_ERROR(begin(w, contact));
         chunk.messages = records::kMaxChunkMessages + 1;
         return w.AddChunk(chunk);
       }},
      {"a chunk that is too short", StatusCode::kDataLoss,
       [&](ArchiveWriter& w, ArchiveContact contact, ArchiveChunk chunk) {
         RETURN_IF_ERROR(begin(w, contact));
         chunk.sealed = chunk.sealed.first(kMinSealedChunkBytes - 1);
         return w.AddChunk(chunk);
       }},
      {"a chunk that is too long", StatusCode::kDataLoss,
       [&](ArchiveWriter& w, ArchiveContact contact, ArchiveChunk chunk) {
         RETURN_IF_ERROR(begin(w, contact));
         const Bytes longer(kMaxSealedChunkBytes + 1);
         chunk.sealed = longer;
         return w.AddChunk(chunk);
       }},
  };
  for (const Mistake& mistake : mistakes) {
    sink_.bytes.clear();
    const auto writer = *NewWriter();
    const absl::Status status = mistake.make(*writer, mina_.ForArchive(), Shape(kArchiveDay, 1));
    EXPECT_EQ(status.code(), mistake.code) << mistake.name << ": " << status;
    EXPECT_EQ(writer->BeginContact(joon_.ForArchive()).code(), mistake.code) << mistake.name;
    EXPECT_EQ(writer->Finish().status().code(), mistake.code) << mistake.name;
  }
}

TEST_F(ArchiveWriterTest, NothingCanBeAddedToAFinishedOne) {
  const auto writer = *NewWriter();
  ASSERT_TRUE(writer->Finish().ok());
  EXPECT_TRUE(absl::IsFailedPrecondition(writer->BeginContact(mina_.ForArchive())));
  EXPECT_TRUE(absl::IsFailedPrecondition(writer->Finish().status()));
}

TEST_F(ArchiveWriterTest, AFullDiskIsReportedWhereverItComes) {
  const auto whole = keys_.WriteSmall({mina_, joon_});
  for (std::size_t room = 0; room < whole.bytes.size(); room += 97) {
    BytesSink sink;
    sink.room = room;
    recipient_ = keys_.identity.public_key();
    const auto writer = ArchiveWriter::Open(sink, {&recipient_, 1}, keys_.Header(), 1);
    if (!writer.ok()) {
      EXPECT_TRUE(absl::IsResourceExhausted(writer.status())) << room;
      continue;
    }
    absl::Status status = (*writer)->BeginContact(mina_.ForArchive());
    if (status.ok()) {
      status = keys_.AddChunk(**writer, mina_, 1, kArchiveDay, 1, Messages(kArchiveDay, {"text"}));
    }
    const absl::Status finished = (*writer)->Finish().status();
    EXPECT_TRUE(finished.ok() || absl::IsResourceExhausted(finished)) << room << finished;
    if (!status.ok()) {
      EXPECT_EQ(finished.code(), status.code());
    }
  }
}

TEST_F(ArchiveWriterTest, MoreKeysThanSlotsTakeTheOldestOnesPlaces) {
  constexpr std::int64_t kSessions = internal::kKeySlots + 5;
  std::vector<std::string> wanted;
  const auto file = keys_.Write(keys_.Header(), [&](ArchiveWriter& writer) {
    testing::Must(writer.BeginContact(mina_.ForArchive()));
    std::int64_t sequence = 0;
    const auto add = [&](std::int64_t session) {
      wanted.push_back(absl::StrCat("of session ", session));
      testing::Must(keys_.AddChunk(writer, mina_, session, kArchiveDay, ++sequence,
                                   Messages(kArchiveDay, {wanted.back()})));
    };
    for (std::int64_t session = 1; session <= kSessions; ++session) add(session);
    EXPECT_FALSE(writer.HasKey(5));
    EXPECT_TRUE(writer.HasKey(6));
    add(6);
    EXPECT_TRUE(writer.HasKey(6));
    add(5);  // once more, in the place of 6
    EXPECT_FALSE(writer.HasKey(6));
    add(6);
  });
  const auto reader = Open(file);
  ASSERT_TRUE(reader.ok()) << reader.status();
  EXPECT_TRUE((*reader)->VerifyAll().ok());
  EXPECT_EQ(*testing::TextsOf(**reader, mina_), wanted);
}

}  // namespace
}  // namespace sealbook::archive
