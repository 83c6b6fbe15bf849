// The archive of docs/format.md's worked example, as format_example_test.cc has the rest of it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/archive_files.h"
#include "tests/vault/format_document.h"
#include "vault/crypto/age_reader.h"

namespace sealbook {
namespace raw {
namespace {
Bytes Day() { return BigEndian(20000, 4); }
Bytes Contact() { return BigEndian(7, 8); }
Bytes ItsToken() { return BigEndian(2837470195, 8); }
Bytes E() { return Hex("ephemeral_public"); }
Bytes Text(absl::string_view text) { return Join({BigEndian(text.size(), 4), Ascii(text)}); }
Bytes Blake2b(ByteView bytes) {
  Bytes out(32);
  EXPECT_EQ(crypto_generichash(out.data(), 32, bytes.data(), bytes.size(), nullptr, 0), 0);
  return out;
}
Bytes Sha256(ByteView bytes) {
  Bytes out(32);
  EXPECT_EQ(crypto_hash_sha256(out.data(), bytes.data(), bytes.size()), 0);
  return out;
}
Bytes Signer() {
  return Join(
      {BigEndian(1, 4), BigEndian(1, 8), BigEndian(1767225605000, 8), Hex("member_verify")});
}
}  // namespace
}  // namespace raw

namespace {

using archive::ArchiveReader;
using archive::ArchiveSignature;
using archive::SubjectShard;

constexpr std::int32_t kDay = 20000;
std::int64_t Token() { return Document::Get().Number("token_number"); }

class FormatArchiveExampleTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { ASSERT_TRUE(crypto::PrepareProcess().ok()); }

  static ExchangePair Identity() {
    return testing::Must(crypto::ParseAgeIdentity(Document::Get().Text("archive_identity")));
  }
  static crypto::VerifyKey Member() { return {HexArray<32>("member_verify")}; }
  static archive::SubjectRecord Record() {
    return {.contact = ExampleContact(),
            .token = Token(),
            .session = 1,
            .ephemeral = {HexArray<32>("ephemeral_public")},
            .public_key = {HexArray<32>("subject_public")},
            .secret = HexArray<archive::SubjectRecord::kSecretBytes>("subject_box")};
  }
  static ArchiveSignature Signature() {
    return testing::Must(ArchiveSignature::Verify(
        Hex("archive_signature"), Document::Get().Text("archive_name"), archive::TheKey(Member())));
  }
  static Bytes Decrypted(ByteView file) {
    const ExchangePair identity = Identity();
    const auto reader = testing::Must(crypto::AgeReader::Open(
        [&](std::span<std::uint8_t> out) -> absl::StatusOr<std::size_t> {
          const std::size_t size = std::min(out.size(), file.size());
          std::copy_n(file.begin(), size, out.begin());
          file = file.subspan(size);
          return size;
        },
        {.identities = {&identity, 1}, .threads = 1}));
    testing::BytesSink sink;
    testing::Must(reader->CopyTo(sink));
    return sink.bytes;
  }
};

TEST_F(FormatArchiveExampleTest, TheIdentityOpensTheEscrowKey) {
  EXPECT_EQ(crypto::FormatAgeRecipient(Identity().public_key()),
            Document::Get().Text("archive_recipient"));
  const ExchangePair identity = Identity();
  const auto escrow = archive::OpenEscrow({&identity, 1}, Hex("escrow_file"));
  ASSERT_TRUE(escrow.ok()) << escrow.status();
  EXPECT_EQ(HexOf(escrow->secret()), HexText("escrow_secret"));
  EXPECT_EQ(Decrypted(Hex("escrow_file")), Hex("escrow_secret"));
}

TEST_F(FormatArchiveExampleTest, TheSubjectKeyIsEscrowedAndHashed) {
  EXPECT_EQ(raw::OpenBox(Hex("escrow_secret"), Hex("subject_box")), Hex("subject_plaintext"));
  EXPECT_EQ(raw::Join({raw::Text("sealbook/subject-secret/1"), Hex("vault_id"), raw::Contact(),
                       raw::ItsToken(), Hex("subject_secret")}),
            Hex("subject_plaintext"));
  EXPECT_EQ(raw::Hash(32, {}, "sealbook/subject/1",
                      {Hex("vault_id"), raw::Contact(), raw::ItsToken(), raw::E(),
                       Hex("subject_public"), raw::BigEndian(141, 4), Hex("subject_box")}),
            Hex("subject_row_hash"));
  const auto subject =
      archive::OpenSubjectSecret(PairOf("escrow_secret"), ExampleVault(), Record());
  ASSERT_TRUE(subject.ok()) << subject.status();
  EXPECT_EQ(HexOf(subject->secret()), HexText("subject_secret"));
}

TEST_F(FormatArchiveExampleTest, TheChatKeyIsTheSameFromBothSides) {
  const Bytes root = raw::SessionSecret(Hex("chat_secret"), raw::E(), raw::E(), Hex("chat_public"));
  EXPECT_EQ(raw::Hash(32, root, "sealbook/chat-key/1", {raw::Contact()}), Hex("chat_key"));
  EXPECT_EQ(raw::SessionSecret(Hex("subject_secret"), raw::E(), raw::E(), Hex("subject_public")),
            Hex("subject_session_secret"));
  EXPECT_EQ(raw::SessionSecret(Hex("ephemeral_secret"), Hex("subject_public"), raw::E(),
                               Hex("subject_public")),
            Hex("subject_session_secret"));
  EXPECT_EQ(raw::Hash(32, Hex("subject_session_secret"), "sealbook/wrap-key/1", {}),
            Hex("subject_wrap_key"));
  EXPECT_EQ(raw::Join({raw::Ascii("sealbook-chatk-1"), Hex("vault_id"), raw::Contact(),
                       raw::ItsToken(), raw::E(), raw::E(), raw::BigEndian(0xffffffff, 4)}),
            Hex("chat_key_place"));
  EXPECT_EQ(raw::Open(Hex("subject_wrap_key"), Hex("chat_key_place"), Hex("chat_key_sealed")),
            Hex("chat_key"));
  const auto shared =
      PairOf("subject_secret").SessionSecretAsReader({HexArray<32>("ephemeral_public")});
  const auto key = crypto::OpenKey<crypto::ChatPurpose>(
      crypto::DeriveWrapKey(*shared), Hex("chat_key_place"), Hex("chat_key_sealed"));
  ASSERT_TRUE(key.ok()) << key.status();
  EXPECT_EQ(HexOf(*key), HexText("chat_key"));
}

TEST_F(FormatArchiveExampleTest, TheChunkOpensAtItsPlace) {
  EXPECT_EQ(
      raw::Join({raw::Ascii("sealbook-chat--1"), Hex("vault_id"), raw::Contact(), raw::ItsToken(),
                 raw::Day(), raw::BigEndian(1, 8), raw::BigEndian(2, 4), raw::E()}),
      Hex("chat_chunk_place"));
  EXPECT_EQ(raw::Open(Hex("chat_key"), Hex("chat_chunk_place"), Hex("chat_chunk_sealed")),
            Hex("chat_chunk"));
}

TEST_F(FormatArchiveExampleTest, ThePlaintextIsHeaderFrameIndexAndFooter) {
  Bytes dictionaries = raw::BigEndian(records::kChatDictionaries, 4);
  for (std::uint8_t n = 1; n <= records::kChatDictionaries; ++n) {
    dictionaries =
        raw::Join({dictionaries, raw::BigEndian(n, 1), raw::Blake2b(records::ChatDictionary(n))});
  }
  const Bytes header =
      raw::Join({raw::Ascii("sealbook-archive"), raw::BigEndian(1, 2), Hex("vault_id"),
                 raw::BigEndian(1, 8), raw::Day(), raw::Day(), dictionaries});
  const Bytes chunk = Hex("chat_chunk_sealed");
  const Bytes frame =
      raw::Join({raw::BigEndian(1, 1), raw::ItsToken(), raw::Contact(), Hex("subject_public"),
                 raw::BigEndian(2, 1), raw::BigEndian(1, 8), raw::E(), Hex("chat_key_sealed"),
                 raw::BigEndian(3, 1), raw::Day(), raw::BigEndian(1, 4), raw::BigEndian(2, 1),
                 raw::BigEndian(0, 1), raw::BigEndian(chunk.size(), 4), chunk, raw::BigEndian(4, 1),
                 raw::BigEndian(1, 8), raw::BigEndian(2, 8)});
  const Bytes before =
      raw::Join({header, frame, raw::ItsToken(), raw::Contact(), raw::BigEndian(header.size(), 8),
                 raw::BigEndian(frame.size(), 8), raw::BigEndian(header.size() + frame.size(), 8),
                 raw::BigEndian(1, 8), raw::BigEndian(1, 8), raw::BigEndian(2, 8)});
  EXPECT_EQ(raw::Join({before, raw::Hash(32, {}, "sealbook/archive-content/1", {before}),
                       raw::Ascii("sealbook-arc-end")}),
            Hex("archive_plaintext"));
  EXPECT_EQ(Decrypted(Hex("archive_file")), Hex("archive_plaintext"));
}

TEST_F(FormatArchiveExampleTest, TheWriterGivesThatPlaintext) {
  testing::BytesSink sink;
  const crypto::ExchangePublic recipient = Identity().public_key();
  const auto writer = testing::Must(archive::ArchiveWriter::Open(
      sink, {&recipient, 1},
      {.vault = ExampleVault(), .run = 1, .first_day = kDay, .last_day = kDay}));
  testing::Must(writer->BeginContact(
      {.contact = 7, .token = Token(), .subject = {HexArray<32>("subject_public")}}));
  testing::Must(writer->AddKey({.session = 1,
                                .ephemeral = {HexArray<32>("ephemeral_public")},
                                .sealed = HexArray<72>("chat_key_sealed")}));
  const Bytes chunk = Hex("chat_chunk_sealed");
  testing::Must(
      writer->AddChunk({.day = kDay, .sequence = 1, .messages = 2, .session = 1, .sealed = chunk}));
  testing::Must(writer->Finish().status());
  EXPECT_EQ(Decrypted(sink.bytes), Hex("archive_plaintext"));
}

TEST_F(FormatArchiveExampleTest, TheSignatureBindsTheFile) {
  const Bytes file = Hex("archive_file");
  // What is behind the header's text, its MAC and its line's end, and the nonce.
  const absl::string_view text = crypto::AsText(file);
  const std::size_t block0 = text.find("\n--- ") + 5 + 43 + 1 + 16;
  const auto block = [&](std::uint64_t number, ByteView bytes) {
    return raw::Hash(32, {}, "sealbook/archive-block/1", {raw::BigEndian(number, 8), bytes});
  };
  const Bytes blocks =
      raw::Join({block(0, ByteView(file).first(block0)), block(1, ByteView(file).subspan(block0))});
  const Bytes body =
      raw::Join({raw::Text("sealbook/archive/1"), Hex("vault_id"), raw::BigEndian(1, 8), raw::Day(),
                 raw::Day(), raw::BigEndian(1, 8), raw::BigEndian(1, 8), raw::BigEndian(2, 8),
                 raw::Signer(), raw::BigEndian(file.size(), 8), raw::Sha256(file),
                 raw::BigEndian(block0, 4), raw::BigEndian(2, 4), blocks});
  const Bytes signature = Hex("archive_signature");
  ASSERT_EQ(signature.size(), body.size() + 64);
  EXPECT_EQ(Bytes(signature.begin(), signature.end() - 64), body);
  EXPECT_TRUE(raw::Verifies(Hex("member_verify"), "sealbook/archive/1", body,
                            ByteView(signature).last(64)));
  EXPECT_EQ(raw::Hash(32, {}, "sealbook/archive-hash/1",
                      {raw::BigEndian(file.size(), 8), raw::BigEndian(block0, 4), blocks}),
            Hex("archive_hash"));

  EXPECT_EQ(crypto::ToHex(Signature().digest.Hash()), HexText("archive_hash"));
  EXPECT_EQ(Signature().Sign(SignerOf("member_seed")), signature);
  const ArchiveSignature read = Signature();
  archive::ArchiveChecker checker(read.digest);
  EXPECT_TRUE(checker.Append(file).ok());
  EXPECT_TRUE(checker.Finish().ok());
}

TEST_F(FormatArchiveExampleTest, TheShardHoldsTheRecord) {
  const Bytes shard = Hex("subject_shard");
  const Bytes body = raw::Join(
      {raw::Text("sealbook/subject-shard/1"), Hex("vault_id"), raw::BigEndian(0, 4),
       raw::BigEndian(1, 8), raw::Signer(), raw::BigEndian(1, 4), raw::Contact(), raw::ItsToken(),
       raw::BigEndian(1, 8), raw::E(), Hex("subject_public"), Hex("subject_box")});
  ASSERT_EQ(shard.size(), body.size() + 64);
  EXPECT_EQ(Bytes(shard.begin(), shard.end() - 64), body);
  EXPECT_TRUE(raw::Verifies(Hex("member_verify"), "sealbook/subject-shard/1", body,
                            ByteView(shard).last(64)));
  const auto read = SubjectShard::Verify(shard, Document::Get().Text("subject_shard_name"),
                                         archive::TheKey(Member()));
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_THAT(read->records, ::testing::ElementsAre(Record()));
  EXPECT_EQ(*read->Sign(SignerOf("member_seed")), shard);
}

TEST_F(FormatArchiveExampleTest, TheMessagesAreReadWithoutTheVault) {
  const ExchangePair identity = Identity();
  const ArchiveSignature signature = Signature();
  const Bytes file = Hex("archive_file");
  const auto reader = ArchiveReader::Open(testing::AccessTo(file), {&identity, 1}, signature);
  ASSERT_TRUE(reader.ok()) << reader.status();
  EXPECT_TRUE((*reader)->VerifyAll().ok());
  const auto escrow = archive::OpenEscrow({&identity, 1}, Hex("escrow_file"));
  const auto shard =
      SubjectShard::Verify(Hex("subject_shard"), "subjects/000000.v1", archive::TheKey(Member()));
  const auto subject = archive::OpenSubjectSecret(*escrow, shard->vault, *shard->Find(7));
  const auto entry = (*reader)->Find(Token());
  ASSERT_TRUE(entry.ok() && entry->has_value());
  std::vector<std::string> seen;
  ASSERT_TRUE(archive::OpenArchivedContact(**reader, **entry, *subject,
                                           [&](const records::ChatEntry& message) {
                                             seen.push_back(message.author + ": " + message.text);
                                             return absl::OkStatus();
                                           })
                  .ok());
  EXPECT_THAT(seen, ::testing::ElementsAre("민아: 안녕하세요, 내일 예약 가능한가요?",
                                           ": 네, 내일 오후 2시에 예약되셨습니다."));
}

}  // namespace
}  // namespace sealbook
