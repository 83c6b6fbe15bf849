// The worked example of docs/format.md, read from the document itself and computed again: by the
// library, and in its main steps by libsodium alone, with nothing of the library in between. So the
// document, the code and the bytes cannot part without a failure here.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <sstream>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "tests/support/test_vault.h"
#include "tests/vault/format_document.h"
#include "vault/audit/log.h"
#include "vault/crypto/aead.h"
#include "vault/crypto/derive.h"
#include "vault/crypto/hash.h"
#include "vault/keyring/epochs.h"
#include "vault/keyring/fingerprint.h"
#include "vault/keyring/join_request.h"
#include "vault/keyring/rekeying.h"
#include "vault/keyring/session.h"
#include "vault/records/contact_codec.h"
#include "vault/store/schema.h"

namespace sealbook {
namespace {

using testing::TestVault;

class FormatExampleTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { ASSERT_TRUE(crypto::PrepareProcess().ok()); }
};

// A value that no test reads would be a claim that nobody checks.
TEST_F(FormatExampleTest, HasTheValuesThatAreCheckedHereAndNoOthers) {
  std::vector<std::string> names;
  for (const auto& [name, value] : Document::Get().values()) {
    if (!absl::StartsWith(name, "damm_")) names.push_back(name);
  }
  EXPECT_THAT(
      names,
      ::testing::UnorderedElementsAre(
          "vault_id", "identity_secret", "identity_public", "book_secret", "book_public",
          "index_secret", "index_public", "audit_secret", "audit_public", "ephemeral_secret",
          "ephemeral_public", "escrow_public", "member_secret", "member_public", "member_seed",
          "member_verify", "root_seed", "root_verify", "database_key", "shared_point",
          "session_secret", "book_session_secret", "contact_number", "revision_number", "value_key",
          "wrap_key", "token_text", "token_number", "fields", "value_place", "sealed_value",
          "wrap_place", "sealed_wrap", "contact_values", "book_wraps", "identifier_kind_number",
          "identifier", "index_hash_key", "index_tag_key", "index_hash", "index_tag", "policy_text",
          "policy_hash", "roster_document", "roster_hash", "session_record", "session_hash",
          "grant_plaintext", "grant_sealed", "audit_detail", "audit_start", "audit_row", "name",
          "passphrase", "entry_id", "unlock_key", "bundle", "bundle_place",
          "database_key_plaintext", "key_file_secret", "key_file_entry_id", "key_file_unlock_key",
          "recovery_code", "recovery_entry_id", "joiner_secret", "joiner_public", "joiner_seed",
          "joiner_verify", "joiner_passphrase", "joiner_unlock_key", "join_secrets",
          "join_secrets_place", "join_request_body", "join_fingerprint", "joiner_entry_id",
          "admission_plaintext", "vault_fingerprint", "newer_secret", "newer_public",
          "epoch_link_key", "epoch_link_place", "epoch_link", "rekeyed_secret", "rekeyed_public",
          "rekeyed_seed", "rekeyed_verify", "rekey_bundle_hash", "rekey_request",
          "rekey_fingerprint", "row_value", "archive_identity", "archive_recipient",
          "escrow_secret", "escrow_file", "chat_secret", "chat_public", "subject_secret",
          "subject_public", "subject_plaintext", "subject_box", "subject_row_hash", "chat_key",
          "subject_session_secret", "subject_wrap_key", "chat_key_place", "chat_key_sealed",
          "chat_chunk", "chat_chunk_place", "chat_chunk_sealed", "archive_name",
          "archive_plaintext", "archive_file", "archive_hash", "archive_signature",
          "subject_shard_name", "subject_shard"));
}

TEST_F(FormatExampleTest, PublicKeysFollowFromSecrets) {
  for (const std::string name : {"identity", "book", "index", "audit", "ephemeral", "member",
                                 "joiner", "newer", "rekeyed", "escrow", "chat", "subject"}) {
    EXPECT_EQ(crypto::ToHex(PairOf(name + "_secret").public_key().bytes), HexText(name + "_public"))
        << name;
    EXPECT_EQ(raw::PublicOf(Hex(name + "_secret")), Hex(name + "_public")) << name;
  }
  for (const std::string name : {"member", "root", "joiner", "rekeyed"}) {
    EXPECT_EQ(crypto::ToHex(SignerOf(name + "_seed").verify_key().bytes), HexText(name + "_verify"))
        << name;
    EXPECT_EQ(raw::VerifyKeyOf(Hex(name + "_seed")), Hex(name + "_verify")) << name;
  }
}

TEST_F(FormatExampleTest, SessionSecretIsTheSameFromBothSides) {
  const ExchangePair session = PairOf("ephemeral_secret");
  for (const auto& [name, secret] :
       {std::pair<std::string, std::string>{"identity", "session_secret"},
        {"book", "book_session_secret"}}) {
    const ExchangePair compartment = PairOf(name + "_secret");
    EXPECT_EQ(HexOf(*session.SessionSecretAsWriter(compartment.public_key())), HexText(secret));
    EXPECT_EQ(HexOf(*compartment.SessionSecretAsReader(session.public_key())), HexText(secret));
    const Bytes e = Hex("ephemeral_public"), p = Hex(name + "_public");
    EXPECT_EQ(raw::SessionSecret(Hex("ephemeral_secret"), p, e, p), Hex(secret));
    EXPECT_EQ(raw::SessionSecret(Hex(name + "_secret"), e, e, p), Hex(secret));
  }
  EXPECT_EQ(raw::ScalarMult(Hex("identity_secret"), Hex("ephemeral_public")), Hex("shared_point"));
}

TEST_F(FormatExampleTest, ValueAndWrapKeysAreDerived) {
  EXPECT_EQ(HexOf(crypto::DeriveValueKey(HexKey<crypto::SessionSecret>("session_secret"),
                                         ExampleContact(), ClassId::kIdentity, ExampleRevision())),
            HexText("value_key"));
  EXPECT_EQ(HexOf(crypto::DeriveWrapKey(HexKey<crypto::SessionSecret>("book_session_secret"))),
            HexText("wrap_key"));
  EXPECT_EQ(raw::Hash(32, Hex("session_secret"), "sealbook/value-key/1",
                      {raw::BigEndian(7, 8), raw::BigEndian(1, 1), raw::BigEndian(1, 4)}),
            Hex("value_key"));
  EXPECT_EQ(raw::Hash(32, Hex("book_session_secret"), "sealbook/wrap-key/1", {}), Hex("wrap_key"));
}

records::Place ExamplePlace(BookId book) {
  return {.vault = ExampleVault(),
          .contact = ExampleContact(),
          .token = Document::Get().Number("token_number"),
          .class_id = ClassId::kIdentity,
          .revision = ExampleRevision(),
          .session = {HexArray<32>("ephemeral_public")},
          .book = book};
}

TEST_F(FormatExampleTest, PlacesAre89BytesInThisOrder) {
  EXPECT_EQ(crypto::ToHex(ExamplePlace(kRootBook).ForValue()), HexText("value_place"));
  EXPECT_EQ(crypto::ToHex(ExamplePlace(BookId{1}).ForWrap()), HexText("wrap_place"));
  for (const auto& [name, label, book] :
       {std::tuple{"value_place", "sealbook-value-1", 0}, {"wrap_place", "sealbook-wrap--1", 1}}) {
    const Bytes place =
        raw::Join({raw::Ascii(label), Hex("vault_id"), raw::BigEndian(7, 8),
                   raw::BigEndian(2837470195, 8), raw::BigEndian(1, 1), raw::BigEndian(1, 4),
                   Hex("ephemeral_public"), raw::BigEndian(static_cast<std::uint64_t>(book), 4)});
    EXPECT_EQ(place.size(), 89U);
    EXPECT_EQ(place, Hex(name));
  }
}

TEST_F(FormatExampleTest, SealedValueOpensAtItsPlace) {
  const records::Fields fields = {{"phone", "+821012345678"},
                                  {"email", "mina@example.com"},
                                  {"address", "12 Example-ro, Mapo-gu, Seoul"}};
  EXPECT_EQ(crypto::ToHex(records::EncodeFields(fields)), HexText("fields"));
  const auto opened = crypto::Open(HexKey<crypto::ValueKey>("value_key"),
                                   ExamplePlace(kRootBook).ForValue(), Hex("sealed_value"));
  ASSERT_TRUE(opened.ok()) << opened.status();
  EXPECT_EQ(*records::DecodeFields(opened->ExposeBytes()), fields);
  EXPECT_EQ(raw::Open(Hex("value_key"), Hex("value_place"), Hex("sealed_value")), Hex("fields"));
  EXPECT_TRUE(absl::IsDataLoss(crypto::Open(HexKey<crypto::ValueKey>("value_key"),
                                            ExamplePlace(BookId{1}).ForValue(), Hex("sealed_value"))
                                   .status()));
}

TEST_F(FormatExampleTest, WrapOpensToTheValueKey) {
  const auto key = crypto::OpenKey<crypto::ValuePurpose>(
      HexKey<crypto::WrapKey>("wrap_key"), ExamplePlace(BookId{1}).ForWrap(), Hex("sealed_wrap"));
  ASSERT_TRUE(key.ok()) << key.status();
  EXPECT_EQ(HexOf(*key), HexText("value_key"));
  EXPECT_EQ(raw::Open(Hex("wrap_key"), Hex("wrap_place"), Hex("sealed_wrap")), Hex("value_key"));
}

TEST_F(FormatExampleTest, RowsHoldThem) {
  EXPECT_EQ(crypto::ToHex(records::EncodeValues({{ClassId::kIdentity, 1, 1, Hex("sealed_value")}})),
            HexText("contact_values"));
  EXPECT_EQ(crypto::ToHex(records::EncodeWraps({{ClassId::kIdentity, 1, 1, Hex("sealed_wrap")}})),
            HexText("book_wraps"));
  const auto values = records::DecodeValues(Hex("contact_values"));
  ASSERT_TRUE(values.ok() && values->size() == 1);
  EXPECT_EQ((*values)[0].sealed, Hex("sealed_value"));
  const auto wraps = records::DecodeWraps(Hex("book_wraps"));
  ASSERT_TRUE(wraps.ok() && wraps->size() == 1);
  EXPECT_EQ((*wraps)[0].sealed, Hex("sealed_wrap"));
}

TEST_F(FormatExampleTest, TokenAndItsCheckDigit) {
  const std::string text = Document::Get().Text("token_text");
  EXPECT_EQ(*records::ParseToken(text), Document::Get().Number("token_number"));
  EXPECT_EQ(records::FormatToken(Document::Get().Number("token_number")), text);
  // By the document's table alone, and every wrong check digit as well.
  std::size_t interim = 0;
  const std::string front = text.substr(4, text.size() - 5);
  for (const char digit : front) {
    const std::string row = Document::Get().values().at(absl::StrCat("damm_", interim));
    ASSERT_EQ(row.size(), 10U);
    interim = static_cast<std::size_t>(row[static_cast<std::size_t>(digit - '0')] - '0');
  }
  EXPECT_EQ(text, absl::StrCat("UID_", front, interim));
  for (std::size_t digit = 0; digit < 10; ++digit) {
    EXPECT_EQ(records::ParseToken(absl::StrCat("UID_", front, digit)).ok(), digit == interim)
        << digit;
  }
}

TEST_F(FormatExampleTest, TokensOfTheLibraryFollowTheTable) {
  for (int i = 0; i < 100; ++i) {
    std::size_t interim = 0;
    for (const char digit : absl::StrCat(records::MakeToken(10))) {
      interim =
          static_cast<std::size_t>(Document::Get().values().at(absl::StrCat(
                                       "damm_", interim))[static_cast<std::size_t>(digit - '0')] -
                                   '0');
    }
    EXPECT_EQ(interim, 0U);
  }
}

TEST_F(FormatExampleTest, IndexHashAndTag) {
  const ExchangePair index = PairOf("index_secret");
  const auto hash_key = crypto::DeriveIndexHashKey(index.secret());
  const auto tag_key = crypto::DeriveIndexTagKey(index.secret());
  EXPECT_EQ(HexOf(hash_key), HexText("index_hash_key"));
  EXPECT_EQ(HexOf(tag_key), HexText("index_tag_key"));
  const std::string value = Document::Get().Text("identifier");
  EXPECT_EQ(Document::Get().Number("identifier_kind_number"),
            static_cast<int>(IdentifierKind::kPhone));
  EXPECT_EQ(crypto::ToHex(crypto::KeyedHash128(hash_key.ExposeBytes(), "sealbook/index/1",
                                               {raw::BigEndian(1, 1), crypto::AsBytes(value)})),
            HexText("index_hash"));
  EXPECT_EQ(crypto::ToHex(crypto::KeyedHash128(tag_key.ExposeBytes(), "sealbook/index-row/1",
                                               {Hex("index_hash"), raw::BigEndian(7, 8)})),
            HexText("index_tag"));
  EXPECT_EQ(raw::Hash(32, Hex("index_secret"), "sealbook/index-hash/1", {}), Hex("index_hash_key"));
  EXPECT_EQ(raw::Hash(32, Hex("index_secret"), "sealbook/index-tag/1", {}), Hex("index_tag_key"));
  EXPECT_EQ(raw::Hash(16, Hex("index_hash_key"), "sealbook/index/1",
                      {raw::BigEndian(1, 1), raw::Ascii(value)}),
            Hex("index_hash"));
  EXPECT_EQ(raw::Hash(16, Hex("index_tag_key"), "sealbook/index-row/1",
                      {Hex("index_hash"), raw::BigEndian(7, 8)}),
            Hex("index_tag"));
}

keyring::RosterHistory ExampleHistory() {
  keyring::RosterHistory history({HexArray<32>("root_verify")});
  EXPECT_TRUE(history.Append(Hex("roster_document")).ok());
  return history;
}

TEST_F(FormatExampleTest, RosterCountsAndSaysWhatTheDocumentSays) {
  const keyring::RosterHistory history = ExampleHistory();
  ASSERT_FALSE(history.empty());
  const keyring::Roster& roster = history.current();
  EXPECT_EQ(crypto::ToHex(history.current_hash()), HexText("roster_hash"));
  EXPECT_EQ(roster.vault, ExampleVault());
  EXPECT_EQ(roster.version, 1U);
  EXPECT_EQ(roster.signer, keyring::kRootSigner);
  EXPECT_EQ(roster.escrow.bytes, HexArray<32>("escrow_public"));
  EXPECT_EQ(roster.policy_hash, keyring::HashOfPolicy(Document::Get().Text("policy_text")));
  EXPECT_EQ(roster.policy_hash, HexArray<32>("policy_hash"));
  ASSERT_EQ(roster.members.size(), 1U);
  EXPECT_EQ(roster.members[0].name, "mina");
  EXPECT_EQ(roster.members[0].exchange.bytes, HexArray<32>("member_public"));
  EXPECT_EQ(roster.members[0].verify.bytes, HexArray<32>("member_verify"));
  ASSERT_NE(roster.RoleOf(roster.members[0]), nullptr);
  EXPECT_TRUE(roster.RoleOf(roster.members[0])->Holds(ClassId::kAudit));
  EXPECT_TRUE(roster.RoleOf(roster.members[0])->Writes(ClassId::kIdentity));
  EXPECT_EQ(roster.RoleOf(roster.members[0])->powers, 15U);
  ASSERT_EQ(roster.books.size(), 1U);
  EXPECT_EQ(roster.books[0].name, "seoul");
  EXPECT_TRUE(roster.IsMember(BookId{1}, MemberId{1}));
  for (const auto& [book, class_id, name] :
       {std::tuple{kRootBook, ClassId::kIdentity, "identity_public"},
        {kRootBook, ClassId::kIndex, "index_public"},
        {kRootBook, ClassId::kAudit, "audit_public"},
        {BookId{1}, ClassId::kIdentity, "book_public"}}) {
    ASSERT_NE(roster.FindCompartment(book, class_id), nullptr);
    EXPECT_EQ(roster.FindCompartment(book, class_id)->public_key.bytes, HexArray<32>(name));
  }
  // Written again it gives the same bytes.
  EXPECT_EQ(crypto::ToHex(roster.Sign(SignerOf("root_seed"))), HexText("roster_document"));
}

TEST_F(FormatExampleTest, RosterByHand) {
  const Bytes document = Hex("roster_document");
  const ByteView body = ByteView(document).first(document.size() - 64);
  EXPECT_TRUE(
      raw::Verifies(Hex("root_verify"), "sealbook/roster/1", body, ByteView(document).last(64)));
  EXPECT_EQ(raw::Hash(32, {}, "sealbook/roster-hash/1", {document}), Hex("roster_hash"));
  EXPECT_EQ(
      raw::Hash(32, {}, "sealbook/policy/1", {raw::Ascii(Document::Get().Text("policy_text"))}),
      Hex("policy_hash"));
  EXPECT_EQ(Array<16>(body.subspan(21, 16)), ExampleVault());
  EXPECT_EQ(raw::Number(body.subspan(37, 8)), 1U);
  EXPECT_EQ(Array<32>(body.subspan(129, 32)), HexArray<32>("root_verify"));
  EXPECT_EQ(Array<32>(body.subspan(161, 32)), HexArray<32>("escrow_public"));
  EXPECT_EQ(Array<32>(body.subspan(193, 32)), HexArray<32>("policy_hash"));
  EXPECT_EQ(raw::Number(body.subspan(225, 4)), 3U);
}

TEST_F(FormatExampleTest, SessionCountsAndSaysWhatTheDocumentSays) {
  const keyring::RosterHistory history = ExampleHistory();
  const auto session = keyring::CheckSession(1, Hex("session_record"), history);
  ASSERT_TRUE(session.ok()) << session.status();
  EXPECT_EQ(session->ephemeral.bytes, HexArray<32>("ephemeral_public"));
  EXPECT_EQ(session->member, MemberId{1});
  EXPECT_TRUE(session->Covers(keyring::CoverageKind::kCreated, kRootBook, ExampleContact()));
  EXPECT_TRUE(session->Covers(keyring::CoverageKind::kAssigned, BookId{1}, ExampleContact()));
  EXPECT_FALSE(session->Covers(keyring::CoverageKind::kAssigned, BookId{1}, ExampleContact() + 1));
  EXPECT_FALSE(session->TakesAway());
  EXPECT_EQ(crypto::ToHex(keyring::HashOfSession(Hex("session_record"))), HexText("session_hash"));
  EXPECT_EQ(crypto::ToHex(session->Sign(SignerOf("member_seed"))), HexText("session_record"));
}

TEST_F(FormatExampleTest, SessionByHand) {
  const Bytes record = Hex("session_record");
  const ByteView body = ByteView(record).first(record.size() - 64);
  EXPECT_TRUE(raw::Verifies(Hex("member_verify"), "sealbook/session-record/1", body,
                            ByteView(record).last(64)));
  EXPECT_EQ(raw::Hash(32, {}, "sealbook/session-hash/1", {record}), Hex("session_hash"));
  EXPECT_EQ(raw::Number(body.subspan(29, 8)), 1U);
  EXPECT_EQ(Array<16>(body.subspan(69, 16)), ExampleVault());
  EXPECT_EQ(raw::Number(body.subspan(85, 4)), 1U);
  EXPECT_EQ(raw::Number(body.subspan(89, 8)), 1U);
  EXPECT_EQ(Array<32>(body.subspan(113, 32)), HexArray<32>("ephemeral_public"));
  const Bytes range = raw::Join({raw::BigEndian(1, 4), raw::BigEndian(7, 8), raw::BigEndian(1, 8)});
  const Bytes coverage =
      raw::Join({raw::BigEndian(2, 4), raw::BigEndian(1, 1), raw::BigEndian(0, 4), range,
                 raw::BigEndian(2, 1), raw::BigEndian(1, 4), range});
  EXPECT_EQ(Bytes(body.begin() + 145, body.end()), coverage);
}

TEST_F(FormatExampleTest, GrantGivesTheCompartmentsSecret) {
  const Bytes plaintext = raw::Join(
      {raw::BigEndian(16, 4), raw::Ascii("sealbook/grant/1"), Hex("vault_id"), raw::BigEndian(1, 4),
       raw::BigEndian(0, 4), raw::BigEndian(1, 1), raw::BigEndian(1, 4), Hex("identity_secret")});
  EXPECT_EQ(plaintext, Hex("grant_plaintext"));
  EXPECT_EQ(raw::OpenBox(Hex("member_secret"), Hex("grant_sealed")), plaintext);
  const ExchangePair member = PairOf("member_secret");
  const Bytes sealed = keyring::SealGrant(ExampleVault(),
                                          {.member = MemberId{1},
                                           .book = kRootBook,
                                           .class_id = ClassId::kIdentity,
                                           .epoch = 1,
                                           .sealed = {}},
                                          PairOf("identity_secret"), member.public_key());
  EXPECT_EQ(sealed.size(), Hex("grant_sealed").size());
  for (const Bytes& box : {sealed, Hex("grant_sealed")}) {
    const auto opened = crypto::OpenSealedToPublic(member, box);
    ASSERT_TRUE(opened.ok()) << opened.status();
    EXPECT_EQ(crypto::ToHex(opened->ExposeBytes()), HexText("grant_plaintext"));
  }
}

std::optional<crypto::VerifyKey> KeyOfMember(MemberId member, std::uint64_t roster_version) {
  if (member != MemberId{1} || roster_version != 1) return std::nullopt;
  return crypto::VerifyKey{HexArray<32>("member_verify")};
}

TEST_F(FormatExampleTest, AuditRowAndDetail) {
  const Bytes row = Hex("audit_row");
  const auto record = audit::Record::Parse(row);
  ASSERT_TRUE(record.ok()) << record.status();
  EXPECT_EQ(record->sequence, 1);
  EXPECT_EQ(record->act, "import");
  EXPECT_EQ(record->outcome, "done");
  EXPECT_EQ(record->previous, crypto::HashOf("sealbook/audit-start/1", {Hex("vault_id")}));
  EXPECT_EQ(record->previous, HexArray<32>("audit_start"));
  EXPECT_TRUE(crypto::Verify(*KeyOfMember(MemberId{1}, 1), "sealbook/audit/1", record->hash,
                             record->signature));
  EXPECT_EQ(*audit::OpenDetail(*record, HexArray<16>("vault_id"), PairOf("audit_secret")),
            "{\"contacts\":1}");

  const ByteView bytes = row, body = bytes.first(row.size() - 96),
                 hash = bytes.subspan(row.size() - 96, 32);
  EXPECT_EQ(raw::Hash(32, {}, "sealbook/audit-start/1", {Hex("vault_id")}), Hex("audit_start"));
  EXPECT_EQ(raw::Hash(32, {}, "sealbook/audit/1", {body}), Bytes(hash.begin(), hash.end()));
  EXPECT_TRUE(raw::Verifies(Hex("member_verify"), "sealbook/audit/1", hash, bytes.last(64)));
  EXPECT_EQ(raw::Number(body.subspan(20, 8)), 1U);
  EXPECT_EQ(raw::OpenBox(Hex("audit_secret"), record->sealed_detail), Hex("audit_detail"));
  EXPECT_EQ(raw::Join({raw::BigEndian(23, 4), raw::Ascii("sealbook/audit-detail/1"),
                       Hex("vault_id"), raw::BigEndian(14, 4), raw::Ascii("{\"contacts\":1}")}),
            Hex("audit_detail"));
}

TEST_F(FormatExampleTest, CheckpointOfTheAuditRow) {
  const std::string text = Document::Get().Block("checkpoint");
  const auto checkpoint = audit::ParseCheckpoint(text, KeyOfMember);
  ASSERT_TRUE(checkpoint.ok()) << checkpoint.status();
  EXPECT_EQ(checkpoint->vault, ExampleVault());
  EXPECT_EQ(checkpoint->head.sequence, 1);
  EXPECT_EQ(checkpoint->head.hash, audit::Record::Parse(Hex("audit_row"))->hash);
  EXPECT_EQ(audit::FormatCheckpoint(*checkpoint, SignerOf("member_seed")), text);
}

// unlock.json as the document has it, in a file.
class FormatExampleUnlockTest : public FormatExampleTest {
 protected:
  FormatExampleUnlockTest() {
    path_ = ::testing::TempDir() + "sealbook-format-example-" + absl::StrCat(getpid()) + ".json";
    std::ofstream(path_) << Document::Get().Block("unlock");
  }
  ~FormatExampleUnlockTest() override { std::remove(path_.c_str()); }
  std::string path_;
};

TEST_F(FormatExampleUnlockTest, PassphraseOpensBundleAndDatabaseKey) {
  const auto file = keyring::UnlockFile::Load(path_);
  ASSERT_TRUE(file.ok()) << file.status();
  const std::string id = file->EntryId(Document::Get().Text("name"));
  EXPECT_EQ(id, HexText("entry_id"));
  const std::string passphrase = Document::Get().Text("passphrase");
  const auto bundle =
      file->Open(id, {.kind = keyring::UnlockSecret::Kind::kPassphrase,
                      .bytes = crypto::SecretBytes::CopyOf(crypto::AsBytes(passphrase))});
  ASSERT_TRUE(bundle.ok()) << bundle.status();
  EXPECT_EQ(bundle->member, MemberId{1});
  EXPECT_FALSE(bundle->must_change);
  EXPECT_EQ(HexOf(bundle->exchange.secret()), HexText("member_secret"));
  EXPECT_EQ(HexOf(bundle->signing.seed()), HexText("member_seed"));
  EXPECT_EQ(bundle->root.bytes, HexArray<32>("root_verify"));
  ASSERT_TRUE(bundle->root_pair.has_value());
  EXPECT_EQ(HexOf(bundle->root_pair->seed()), HexText("root_seed"));
  const auto database_key =
      keyring::UnlockFile::OpenDatabaseKey(file->Find(id)->database_key, *bundle, file->vault());
  ASSERT_TRUE(database_key.ok()) << database_key.status();
  EXPECT_EQ(HexOf(*database_key), HexText("database_key"));
}

TEST_F(FormatExampleUnlockTest, PassphraseByHand) {
  const auto file = keyring::UnlockFile::Load(path_);
  ASSERT_TRUE(file.ok()) << file.status();
  const keyring::UnlockEntry* entry = file->Find(HexText("entry_id"));
  ASSERT_NE(entry, nullptr);
  const Bytes full_id = raw::Hash(32, {}, "sealbook/entry/1",
                                  {Hex("vault_id"), raw::Ascii(Document::Get().Text("name"))});
  EXPECT_EQ(Bytes(full_id.begin(), full_id.begin() + 16), Hex("entry_id"));
  const std::string passphrase = Document::Get().Text("passphrase");
  Bytes key(32);
  ASSERT_EQ(crypto_pwhash(key.data(), key.size(), passphrase.data(), passphrase.size(),
                          entry->salt.data(), entry->cost.passes,
                          std::size_t{entry->cost.memory_kib} * 1024, crypto_pwhash_ALG_ARGON2ID13),
            0);
  EXPECT_EQ(key, Hex("unlock_key"));
  const Bytes place =
      raw::Join({raw::BigEndian(17, 4), raw::Ascii("sealbook/bundle/1"), Hex("vault_id"),
                 raw::BigEndian(32, 4), raw::Ascii(HexText("entry_id")), raw::BigEndian(0, 1),
                 raw::BigEndian(8, 4), raw::BigEndian(1, 4), entry->salt});
  EXPECT_EQ(place.size(), 98U);
  EXPECT_EQ(place, Hex("bundle_place"));
  const Bytes bundle =
      raw::Join({raw::BigEndian(1, 4), raw::BigEndian(0, 1), Hex("member_secret"),
                 Hex("member_seed"), Hex("root_verify"), raw::BigEndian(1, 1), Hex("root_seed")});
  EXPECT_EQ(bundle.size(), 134U);
  EXPECT_EQ(bundle, Hex("bundle"));
  EXPECT_EQ(raw::Open(key, place, entry->bundle), bundle);
  EXPECT_EQ(raw::Join({raw::BigEndian(23, 4), raw::Ascii("sealbook/database-key/1"),
                       Hex("vault_id"), raw::BigEndian(1, 4), Hex("database_key")}),
            Hex("database_key_plaintext"));
  EXPECT_EQ(raw::OpenBox(Hex("member_secret"), entry->database_key), Hex("database_key_plaintext"));
}

TEST_F(FormatExampleUnlockTest, KeyFileOpensItsBundle) {
  const std::string text = Document::Get().Block("key-file");
  const auto key_file = keyring::ParseKeyFile(text);
  ASSERT_TRUE(key_file.ok()) << key_file.status();
  EXPECT_EQ(key_file->vault, ExampleVault());
  EXPECT_EQ(key_file->name, "loader");
  EXPECT_EQ(HexOf(key_file->secret), HexText("key_file_secret"));
  EXPECT_EQ(keyring::FormatKeyFile(key_file->vault, key_file->name, key_file->secret.ExposeBytes())
                .ExposeText(),
            text);
  const auto file = keyring::UnlockFile::Load(path_);
  ASSERT_TRUE(file.ok()) << file.status();
  const std::string id = file->EntryId(key_file->name);
  EXPECT_EQ(id, HexText("key_file_entry_id"));
  const auto bundle =
      file->Open(id, {.kind = keyring::UnlockSecret::Kind::kKeyFile,
                      .bytes = crypto::SecretBytes::CopyOf(key_file->secret.ExposeBytes())});
  ASSERT_TRUE(bundle.ok()) << bundle.status();
  EXPECT_EQ(bundle->member, MemberId{3});
  EXPECT_FALSE(bundle->root_pair.has_value());
  const auto database_key =
      keyring::UnlockFile::OpenDatabaseKey(file->Find(id)->database_key, *bundle, file->vault());
  ASSERT_TRUE(database_key.ok()) << database_key.status();
  EXPECT_EQ(HexOf(*database_key), HexText("database_key"));

  const Bytes key =
      raw::Hash(32, Hex("key_file_secret"), "sealbook/key-file/1", {file->Find(id)->salt});
  EXPECT_EQ(key, Hex("key_file_unlock_key"));
  const Bytes place = raw::Join({raw::BigEndian(17, 4), raw::Ascii("sealbook/bundle/1"),
                                 Hex("vault_id"), raw::BigEndian(32, 4), raw::Ascii(id),
                                 raw::BigEndian(1, 1), raw::BigEndian(0, 8), file->Find(id)->salt});
  EXPECT_EQ(raw::Open(key, place, file->Find(id)->bundle).size(), 102U);
}

TEST_F(FormatExampleUnlockTest, SavingGivesTheSameFile) {
  const auto file = keyring::UnlockFile::Load(path_);
  ASSERT_TRUE(file.ok()) << file.status();
  ASSERT_TRUE(file->Save(path_).ok());
  std::stringstream saved;
  saved << std::ifstream(path_).rdbuf();
  EXPECT_EQ(saved.str(), Document::Get().Block("unlock"));
}

// Six numbers of five bytes each, modulo 100,000.
std::string DigitsByHand(const Bytes& hash) {
  std::string out;
  for (std::size_t at = 0; at < 30; at += 5) {
    std::string group = absl::StrCat(raw::Number(ByteView(hash).subspan(at, 5)) % 100'000);
    group.insert(0, 5 - group.size(), '0');
    absl::StrAppend(&out, at == 0 ? "" : " ", group);
  }
  return out;
}

TEST_F(FormatExampleTest, JoinRequestVerifiesAndItsSecretsOpen) {
  const std::string text = Document::Get().Block("join-request");
  const auto request = keyring::JoinRequest::Parse(text);
  ASSERT_TRUE(request.ok()) << request.status();
  EXPECT_EQ(request->Format(), text);
  EXPECT_EQ(crypto::ToHex(request->exchange().bytes), HexText("joiner_public"));
  EXPECT_EQ(crypto::ToHex(request->verify().bytes), HexText("joiner_verify"));
  EXPECT_EQ(request->Fingerprint(), Document::Get().Text("join_fingerprint"));
  const std::string passphrase = Document::Get().Text("joiner_passphrase");
  const auto secrets = request->secrets().Open(crypto::AsBytes(passphrase));
  ASSERT_TRUE(secrets.ok()) << secrets.status();
  EXPECT_EQ(HexOf(secrets->exchange.secret()), HexText("joiner_secret"));
  EXPECT_EQ(HexOf(secrets->signing.seed()), HexText("joiner_seed"));

  const Bytes body = Hex("join_request_body");
  EXPECT_EQ(body.size(), 227U);
  EXPECT_NE(text.find("\"body\": \"" + crypto::ToBase64(body) + "\""), std::string::npos);
  const auto at = text.find("\"signature\": \"") + 14;
  const auto signature = crypto::FromBase64(text.substr(at, text.find('"', at) - at));
  ASSERT_TRUE(signature.ok());
  EXPECT_TRUE(raw::Verifies(Hex("joiner_verify"), "sealbook/join-request/1", body, *signature));
  const ByteView sealed = ByteView(body).subspan(123), salt = ByteView(body).subspan(107, 16);
  EXPECT_EQ(raw::Join({raw::BigEndian(23, 4), raw::Ascii("sealbook/join-request/1"),
                       Hex("joiner_public"), Hex("joiner_verify"),
                       raw::BigEndian(static_cast<std::uint64_t>(request->time_ms()), 8),
                       raw::BigEndian(8, 4), raw::BigEndian(1, 4), salt, sealed}),
            body);
  Bytes key(32);
  ASSERT_EQ(crypto_pwhash(key.data(), key.size(), passphrase.data(), passphrase.size(), salt.data(),
                          1, 8 * 1024, crypto_pwhash_ALG_ARGON2ID13),
            0);
  EXPECT_EQ(key, Hex("joiner_unlock_key"));
  const Bytes place =
      raw::Join({raw::BigEndian(23, 4), raw::Ascii("sealbook/join-secrets/1"), Hex("joiner_public"),
                 Hex("joiner_verify"), raw::BigEndian(8, 4), raw::BigEndian(1, 4), salt});
  EXPECT_EQ(place.size(), 115U);
  EXPECT_EQ(place, Hex("join_secrets_place"));
  EXPECT_EQ(raw::Open(key, place, sealed), Hex("join_secrets"));
  EXPECT_EQ(raw::Join({Hex("joiner_secret"), Hex("joiner_seed")}), Hex("join_secrets"));
  EXPECT_EQ(DigitsByHand(raw::Hash(32, {}, "sealbook/join-fingerprint/1", {body})),
            request->Fingerprint());
}

TEST_F(FormatExampleTest, VaultFingerprintIsOfItsIdAndRootKey) {
  const std::string shown = Document::Get().Text("vault_fingerprint");
  EXPECT_EQ(keyring::VaultFingerprint(ExampleVault(), {HexArray<32>("root_verify")}), shown);
  EXPECT_EQ(DigitsByHand(raw::Hash(32, {}, "sealbook/vault-fingerprint/1",
                                   {Hex("vault_id"), Hex("root_verify")})),
            shown);
}

TEST_F(FormatExampleTest, JoiningEntryOpensToABundle) {
  const std::string text = Document::Get().Block("unlock-joining");
  const std::string path =
      ::testing::TempDir() + "sealbook-format-joining-" + absl::StrCat(getpid()) + ".json";
  std::ofstream(path) << text;
  const auto file = keyring::UnlockFile::Load(path);
  std::remove(path.c_str());
  ASSERT_TRUE(file.ok()) << file.status();
  const std::string id = file->EntryId("hana");
  EXPECT_EQ(id, HexText("joiner_entry_id"));
  const keyring::UnlockEntry* entry = file->Find(id);
  ASSERT_TRUE(entry != nullptr && entry->joining.has_value());
  const auto bundle = file->Open(id, {.bytes = crypto::SecretBytes::CopyOf(crypto::AsBytes(
                                          Document::Get().Text("joiner_passphrase")))});
  ASSERT_TRUE(bundle.ok()) << bundle.status();
  EXPECT_EQ(bundle->member, MemberId{4});
  EXPECT_FALSE(bundle->must_change);
  EXPECT_EQ(bundle->root.bytes, HexArray<32>("root_verify"));
  const auto database_key =
      keyring::UnlockFile::OpenDatabaseKey(entry->database_key, *bundle, file->vault());
  ASSERT_TRUE(database_key.ok()) << database_key.status();
  EXPECT_EQ(HexOf(*database_key), HexText("database_key"));

  const Bytes body = Hex("join_request_body");
  EXPECT_EQ(entry->bundle, Bytes(body.begin() + 123, body.end()));
  EXPECT_EQ(Bytes(entry->salt.begin(), entry->salt.end()),
            Bytes(body.begin() + 107, body.begin() + 123));
  EXPECT_EQ(crypto::ToHex(entry->joining->exchange.bytes), HexText("joiner_public"));
  EXPECT_EQ(crypto::ToHex(entry->joining->verify.bytes), HexText("joiner_verify"));
  const Bytes admission = raw::Join({raw::BigEndian(20, 4), raw::Ascii("sealbook/admission/1"),
                                     Hex("vault_id"), raw::BigEndian(4, 4), Hex("root_verify")});
  EXPECT_EQ(admission.size(), 76U);
  EXPECT_EQ(admission, Hex("admission_plaintext"));
  EXPECT_EQ(raw::OpenBox(Hex("joiner_secret"), entry->joining->admission), admission);
  ASSERT_TRUE(file->Save(path).ok());
  std::stringstream saved;
  saved << std::ifstream(path).rdbuf();
  std::remove(path.c_str());
  EXPECT_EQ(saved.str(), text);
}

TEST_F(FormatExampleTest, RecoveryCodeHasItsCheckCharacters) {
  const std::string shown = Document::Get().Text("recovery_code");
  const auto code = keyring::NormalizeRecoveryCode(shown);
  ASSERT_TRUE(code.ok()) << code.status();
  const std::string plain = absl::StrReplaceAll(shown, {{"-", ""}});
  EXPECT_EQ(code->ExposeText(), plain);
  const Bytes hash =
      raw::Hash(32, {}, "sealbook/recovery-check/1", {raw::Ascii(plain.substr(0, 26))});
  const std::string alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
  EXPECT_EQ(plain[26], alphabet[hash[0] & 31]);
  EXPECT_EQ(plain[27], alphabet[hash[1] & 31]);
  EXPECT_EQ(keyring::UnlockFile(ExampleVault()).EntryId(keyring::kRecoveryEntryName),
            HexText("recovery_entry_id"));
  const Bytes id =
      raw::Hash(32, {}, "sealbook/entry/1", {Hex("vault_id"), raw::Ascii("\x01recovery")});
  EXPECT_EQ(Bytes(id.begin(), id.begin() + 16), Hex("recovery_entry_id"));
}

TEST_F(FormatExampleTest, EpochLinkOpensToTheOlderSecret) {
  const ExchangePair newer = PairOf("newer_secret");
  EXPECT_EQ(raw::Hash(32, Hex("newer_secret"), "sealbook/epoch-link/1", {}), Hex("epoch_link_key"));
  EXPECT_EQ(raw::Join({raw::Ascii("sealbook-epoch-1"), Hex("vault_id"), raw::BigEndian(0, 4),
                       raw::BigEndian(1, 1), raw::BigEndian(1, 4)}),
            Hex("epoch_link_place"));
  EXPECT_EQ(raw::Open(Hex("epoch_link_key"), Hex("epoch_link_place"), Hex("epoch_link")),
            Hex("identity_secret"));
  const auto older = keyring::OpenEpochLink(
      ExampleVault(),
      {.book = kRootBook, .class_id = ClassId::kIdentity, .epoch = 1, .sealed = Hex("epoch_link")},
      newer);
  ASSERT_TRUE(older.ok()) << older.status();
  EXPECT_EQ(crypto::ToHex(older->public_key().bytes), HexText("identity_public"));
}

TEST_F(FormatExampleTest, RekeyRequestIsSignedByBothKeys) {
  const Bytes document = Hex("rekey_request");
  const ByteView body = ByteView(document).first(document.size() - 128);
  EXPECT_EQ(raw::Hash(32, {}, "sealbook/rekey-bundle/1", {raw::Ascii("a bundle")}),
            Hex("rekey_bundle_hash"));
  EXPECT_TRUE(raw::Verifies(Hex("member_verify"), "sealbook/rekey-request/1", body,
                            ByteView(document).subspan(body.size(), 64)));
  EXPECT_TRUE(raw::Verifies(Hex("rekeyed_verify"), "sealbook/rekey-request/1", body,
                            ByteView(document).last(64)));
  const auto request = keyring::RekeyRequest::Parse(document, {HexArray<32>("member_verify")});
  ASSERT_TRUE(request.ok()) << request.status();
  EXPECT_EQ(crypto::ToHex(request->exchange.bytes), HexText("rekeyed_public"));
  EXPECT_EQ(crypto::ToHex(request->bundle_hash), HexText("rekey_bundle_hash"));
  EXPECT_EQ(request->Fingerprint(), Document::Get().Text("rekey_fingerprint"));
  EXPECT_EQ(request->Sign(SignerOf("member_seed"), SignerOf("rekeyed_seed")), document);
}

TEST_F(FormatExampleTest, RowWithoutIdentifiersHasTheValueOfItsFields) {
  EXPECT_EQ(crypto::ToHex(raw::Hash(32, {}, "sealbook/row/1",
                                    {raw::Ascii("name\x1fMina\x1enote\x1f"
                                                "call on Friday\x1e")})),
            Document::Get().Text("row_value"));
}

TEST_F(FormatExampleTest, SchemaIsTheDocuments) {
  std::string all;
  for (const char* migration : store::Migrations()) all += migration + 1;
  EXPECT_EQ(absl::StrReplaceAll(all, {{"INSERT INTO counter VALUES ('contact', 1);\n", ""}}),
            Document::Get().Block("schema"));
}

// Not the example but a vault just made, read as the document says, from a compartment's secret to
// the fields: so what is described is what is written.
TEST(FormatOfAVaultTest, ReadsByTheDocumentAlone) {
  TestVault vault;
  ASSERT_TRUE(vault.AddBook("seoul").ok());
  auto owner = vault.Unlock("owner");
  ASSERT_NE(owner, nullptr);
  const auto results = TestVault::Import(*owner, {TestVault::Draft("11112222")}, {"seoul"});
  ASSERT_TRUE(results.ok()) << results.status();
  const ContactNumber contact = (*results)[0].contact;
  const auto secret_of = [&](BookId book, ClassId class_id) {
    const ByteView bytes = (*owner->CompartmentPair(book, class_id))->secret().ExposeBytes();
    return Bytes(bytes.begin(), bytes.end());
  };
  store::ContactRow row;
  ASSERT_TRUE(*owner->store().GetContact(contact, row));
  store::BookContactRow book_row;
  ASSERT_TRUE(*owner->store().GetBookContact(BookId{1}, contact, book_row));

  ByteView values = row.values, wraps = book_row.wraps;
  int classes = 0;
  while (!values.empty() && !wraps.empty()) {
    ++classes;
    const std::uint8_t class_byte = values[0];
    ASSERT_EQ(wraps[0], class_byte);
    values = values.subspan(1);
    wraps = wraps.subspan(1);
    const std::uint64_t session = raw::Varint(values), revision = raw::Varint(values),
                        size = raw::Varint(values);
    const ByteView sealed = values.first(size);
    values = values.subspan(size);
    ASSERT_EQ(raw::Varint(wraps), session);
    ASSERT_EQ(raw::Varint(wraps), revision);
    const ByteView wrap = wraps.first(72);
    wraps = wraps.subspan(72);

    const auto record = *owner->store().GetSession(static_cast<std::int64_t>(session));
    ASSERT_TRUE(record.has_value());
    const ByteView e = ByteView(*record).subspan(113, 32);
    const Bytes p = secret_of(kRootBook, ClassId{class_byte}),
                b = secret_of(BookId{1}, ClassId{class_byte});
    const Bytes s = raw::SessionSecret(p, e, e, raw::PublicOf(p));
    const Bytes key = raw::Hash(32, s, "sealbook/value-key/1",
                                {raw::BigEndian(static_cast<std::uint64_t>(contact), 8),
                                 ByteView(&class_byte, 1), raw::BigEndian(revision, 4)});
    const auto place = [&](absl::string_view label, std::uint64_t book) {
      return raw::Join({raw::Ascii(label), owner->roster().vault,
                        raw::BigEndian(static_cast<std::uint64_t>(contact), 8),
                        raw::BigEndian(static_cast<std::uint64_t>(row.token), 8),
                        ByteView(&class_byte, 1), raw::BigEndian(revision, 4), e,
                        raw::BigEndian(book, 4)});
    };
    const auto fields = records::DecodeFields(raw::Open(key, place("sealbook-value-1", 0), sealed));
    ASSERT_TRUE(fields.ok());
    EXPECT_FALSE(fields->empty());
    const Bytes wrap_key =
        raw::Hash(32, raw::SessionSecret(b, e, e, raw::PublicOf(b)), "sealbook/wrap-key/1", {});
    EXPECT_EQ(raw::Open(wrap_key, place("sealbook-wrap--1", 1), wrap), key);
  }
  EXPECT_EQ(classes, 4);
  EXPECT_TRUE(values.empty() && wraps.empty());

  const Bytes index = secret_of(kRootBook, ClassId::kIndex);
  const std::uint8_t phone = 1;
  const Bytes hash =
      raw::Hash(16, raw::Hash(32, index, "sealbook/index-hash/1", {}), "sealbook/index/1",
                {ByteView(&phone, 1), raw::Ascii("+821011112222")});
  store::IndexRow index_row;
  ASSERT_TRUE(*owner->store().FindIndex(Array<16>(hash), index_row));
  EXPECT_EQ(index_row.contact, contact);
  EXPECT_EQ(Bytes(index_row.tag.begin(), index_row.tag.end()),
            raw::Hash(16, raw::Hash(32, index, "sealbook/index-tag/1", {}), "sealbook/index-row/1",
                      {hash, raw::BigEndian(static_cast<std::uint64_t>(contact), 8)}));
  EXPECT_EQ(Bytes(row.identifiers.begin(), row.identifiers.begin() + 16), hash);
}

}  // namespace
}  // namespace sealbook
