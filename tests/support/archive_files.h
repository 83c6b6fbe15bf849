// Archives, signatures and shards in memory, made without a vault: its keys, people with chats, and
// a file that counts what is read of it and can be told to fail. No gtest in here: a fuzz target
// and a helper program make archives, too.
#pragma once

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "vault/archive/archive_reader.h"
#include "vault/archive/archive_writer.h"
#include "vault/archive/archived_chat.h"
#include "vault/archive/subject_shard.h"
#include "vault/crypto/aead.h"
#include "vault/crypto/age_file.h"
#include "vault/crypto/derive.h"
#include "vault/records/chat_keys.h"
#include "vault/status.h"
#include "vault/store/store.h"

namespace sealbook::testing {

class BytesSink : public ByteSink {
 public:
  absl::Status Append(ByteView more) override {
    if (more.size() > room - bytes.size()) return absl::ResourceExhaustedError("the disk is full");
    bytes.insert(bytes.end(), more.begin(), more.end());
    return absl::OkStatus();
  }
  crypto::Bytes bytes;
  std::size_t room = SIZE_MAX;
};

// A file of which parts are read.
struct ReadCounter {
  std::size_t reads = 0, bytes = 0;
  std::size_t fail_at = SIZE_MAX;  // this read fails, and all behind it
  std::size_t piece = SIZE_MAX;    // no read gives more
};
inline crypto::RandomAccess AccessTo(ByteView file, ReadCounter* counter = nullptr) {
  return {.size = file.size(),
          .read_at = [file, counter](std::uint64_t offset,
                                     std::span<std::uint8_t> out) -> absl::StatusOr<std::size_t> {
            const std::uint64_t at = std::min<std::uint64_t>(offset, file.size());
            std::size_t size =
                static_cast<std::size_t>(std::min<std::uint64_t>(out.size(), file.size() - at));
            if (counter != nullptr) {
              if (counter->reads >= counter->fail_at) return UnreachableError("the server is gone");
              size = std::min(size, counter->piece);
              ++counter->reads;
              counter->bytes += size;
            }
            std::copy_n(file.begin() + static_cast<std::ptrdiff_t>(at), size, out.begin());
            return size;
          }};
}

template <typename T>
T Must(absl::StatusOr<T> value) {
  if (!value.ok()) {
    std::fprintf(stderr, "%s\n", value.status().ToString().c_str());
    std::abort();
  }
  return *std::move(value);
}
inline void Must(const absl::Status& status) {
  if (status.ok()) return;
  std::fprintf(stderr, "%s\n", status.ToString().c_str());
  std::abort();
}

struct ArchivedPerson {
  ArchivedPerson(ContactNumber number, std::int64_t its_token, crypto::ExchangePair pair)
      : contact(number), token(its_token), subject(std::move(pair)) {}
  ArchivedPerson(ArchivedPerson&&) = default;
  ArchivedPerson& operator=(ArchivedPerson&&) = default;
  ArchivedPerson(const ArchivedPerson& other)  // keys are not copied by accident elsewhere
      : ArchivedPerson(other.contact, other.token,
                       crypto::ExchangePair::FromSecret(other.subject.secret().Duplicate())) {}

  archive::ArchiveContact ForArchive() const {
    return {.contact = contact, .token = token, .subject = subject.public_key()};
  }

  ContactNumber contact;
  std::int64_t token;
  crypto::ExchangePair subject;
};
inline ArchivedPerson Person(ContactNumber contact, std::int64_t token) {
  return {contact, token, crypto::ExchangePair::Generate()};
}

// 2024-10-04.
inline constexpr std::int32_t kArchiveDay = 20000;

inline std::vector<records::ChatEntry> Messages(std::int32_t day,
                                                const std::vector<std::string>& texts) {
  std::vector<records::ChatEntry> out;
  std::int64_t time = std::int64_t{day} * records::kSecondsOfDay + 9 * 3600;
  for (const std::string& text : texts) {
    out.push_back({.time = time += 61,
                   .direction = out.size() % 2 == 0 ? records::ChatDirection::kIn
                                                    : records::ChatDirection::kOut,
                   .author = "Mina",
                   .text = text});
  }
  return out;
}

struct FinishedFile {
  crypto::Bytes bytes;
  archive::ArchiveSignature signature;
  std::string name() const { return archive::ArchiveName(signature.header); }
};

// The keys that a vault and its owner have.
class ArchiveKeys {
 public:
  keyring::VaultId vault{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
  crypto::ExchangePair identity = crypto::ExchangePair::Generate();
  crypto::ExchangePair escrow = crypto::ExchangePair::Generate();
  crypto::ExchangePair chat_compartment = crypto::ExchangePair::Generate();
  crypto::SigningPair signing = crypto::SigningPair::Generate();

  // Sessions from 1, as many as are asked for.
  const crypto::ExchangePair& Session(std::int64_t number) {
    while (static_cast<std::int64_t>(sessions_.size()) < number)
      sessions_.push_back(crypto::ExchangePair::Generate());
    return sessions_[static_cast<std::size_t>(number - 1)];
  }
  crypto::ChatKey ChatKeyOf(const ArchivedPerson& person, std::int64_t session) {
    return crypto::DeriveChatKey(
        Must(Session(session).SessionSecretAsWriter(chat_compartment.public_key())),
        person.contact);
  }
  archive::ArchiveKey KeyRow(const ArchivedPerson& person, std::int64_t session) {
    const crypto::ExchangePair& pair = Session(session);
    const crypto::Bytes sealed = crypto::Seal(
        crypto::DeriveWrapKey(Must(pair.SessionSecretAsWriter(person.subject.public_key()))),
        records::ChatKeyPlace(vault, {person.contact, person.token}, pair.public_key(),
                              pair.public_key(), records::kSubjectBook),
        ChatKeyOf(person, session).ExposeBytes());
    archive::ArchiveKey row{.session = session, .ephemeral = pair.public_key()};
    std::copy(sealed.begin(), sealed.end(), row.sealed.begin());
    return row;
  }
  crypto::Bytes Chunk(const ArchivedPerson& person, std::int64_t session, std::int32_t day,
                      std::int64_t sequence, const std::vector<records::ChatEntry>& entries) {
    crypto::SecretBytes packed;
    Must(packer_.Pack(entries, packed));
    return crypto::Seal(ChatKeyOf(person, session),
                        records::ChunkPlace(vault, {person.contact, person.token},
                                            {.day = day,
                                             .contact = person.contact,
                                             .sequence = sequence,
                                             .session = session,
                                             .messages = static_cast<std::uint32_t>(entries.size()),
                                             .chunk = {}},
                                            Session(session).public_key()),
                        packed.ExposeBytes());
  }
  // Adds a chunk, and its key where it is needed.
  absl::Status AddChunk(archive::ArchiveWriter& writer, const ArchivedPerson& person,
                        std::int64_t session, std::int32_t day, std::int64_t sequence,
                        const std::vector<records::ChatEntry>& entries) {
    if (!writer.HasKey(session)) RETURN_IF_ERROR(writer.AddKey(KeyRow(person, session)));
    const crypto::Bytes sealed = Chunk(person, session, day, sequence, entries);
    return writer.AddChunk({.day = day,
                            .sequence = sequence,
                            .messages = static_cast<std::uint32_t>(entries.size()),
                            .session = session,
                            .sealed = sealed});
  }

  archive::ArchiveHeader Header(std::int64_t run = 1) const {
    return {.vault = vault, .run = run, .first_day = kArchiveDay, .last_day = kArchiveDay + 9};
  }
  archive::ArchiveSigner Signer() const {
    return {.member = MemberId{3},
            .roster_version = 2,
            .time = absl::FromUnixMillis(1735732805123),
            .key = signing.verify_key()};
  }
  archive::SignerKey Authority() const { return archive::TheKey(signing.verify_key()); }

  // What `fill` puts into a writer, and its signature.
  FinishedFile Write(const archive::ArchiveHeader& header,
                     const std::function<void(archive::ArchiveWriter&)>& fill) {
    BytesSink sink;
    const crypto::ExchangePublic recipient = identity.public_key();
    const auto writer =
        Must(archive::ArchiveWriter::Open(sink, {&recipient, 1}, header, /*threads=*/1));
    fill(*writer);
    archive::FinishedArchive done = Must(writer->Finish());
    return {std::move(sink.bytes),
            {.header = header,
             .totals = done.totals,
             .digest = std::move(done.digest),
             .signer = Signer()}};
  }
  // A small one: each of `people` with two days, three chunks and five messages.
  FinishedFile WriteSmall(std::vector<ArchivedPerson> people, std::int64_t run = 1) {
    std::ranges::sort(people, {}, &ArchivedPerson::contact);
    return Write(Header(run), [&](archive::ArchiveWriter& writer) {
      for (const ArchivedPerson& person : people) {
        Must(writer.BeginContact(person.ForArchive()));
        const std::string tag = absl::StrCat(" ", person.contact);
        Must(AddChunk(writer, person, 1, kArchiveDay, 1,
                      Messages(kArchiveDay, {"first" + tag, "second" + tag})));
        Must(AddChunk(writer, person, 2, kArchiveDay, 2, Messages(kArchiveDay, {"third" + tag})));
        Must(AddChunk(writer, person, 1, kArchiveDay + 3, 1,
                      Messages(kArchiveDay + 3, {"fourth" + tag, "fifth" + tag})));
      }
    });
  }
  // Any plaintext, sealed and signed as an archive with that header and those totals.
  FinishedFile SealPlaintext(ByteView plaintext, const archive::ArchiveHeader& header,
                             const archive::ArchiveTotals& totals) {
    BytesSink sink;
    archive::DigestSink digest(sink);
    const crypto::ExchangePublic recipient = identity.public_key();
    const auto age =
        Must(crypto::AgeWriter::ForRecipients(digest, {&recipient, 1}, {.threads = 1}));
    digest.EndHeader();
    Must(age->Append(plaintext));
    Must(age->Finish());
    archive::ArchiveDigest done = digest.Finish();
    return {std::move(sink.bytes),
            {.header = header, .totals = totals, .digest = std::move(done), .signer = Signer()}};
  }

  archive::SubjectRecord Record(const ArchivedPerson& person, std::int64_t session = 1) {
    crypto::ByteWriter plaintext;
    plaintext.Text("sealbook/subject-secret/1").Raw(vault);
    plaintext.U64(static_cast<std::uint64_t>(person.contact));
    plaintext.U64(static_cast<std::uint64_t>(person.token));
    plaintext.Raw(person.subject.secret().ExposeBytes());
    return RecordWith(person, session, plaintext.bytes());
  }
  // Its box holds whatever is wanted.
  archive::SubjectRecord RecordWith(const ArchivedPerson& person, std::int64_t session,
                                    ByteView plaintext) {
    archive::SubjectRecord record{.contact = person.contact,
                                  .token = person.token,
                                  .session = session,
                                  .ephemeral = Session(session).public_key(),
                                  .public_key = person.subject.public_key()};
    const crypto::Bytes box = crypto::SealToPublic(escrow.public_key(), plaintext);
    if (box.size() != record.secret.size()) std::abort();
    std::copy(box.begin(), box.end(), record.secret.begin());
    return record;
  }
  archive::SubjectShard Shard(const std::vector<ArchivedPerson>& people,
                              std::uint64_t version = 1) {
    archive::SubjectShard shard{.vault = vault, .version = version, .signer = Signer()};
    for (const ArchivedPerson& person : people) {
      shard.number = archive::SubjectShard::NumberOf(person.contact);
      shard.records.push_back(Record(person));
    }
    std::ranges::sort(shard.records, {}, &archive::SubjectRecord::contact);
    return shard;
  }
  crypto::Bytes EscrowFile() const {
    return Must(crypto::EncryptAge({identity.public_key()}, escrow.secret().ExposeBytes()));
  }

 private:
  std::vector<crypto::ExchangePair> sessions_;
  records::ChunkPacker packer_;
};

// The texts of one person in an archive, or the error.
inline absl::StatusOr<std::vector<std::string>> TextsOf(archive::ArchiveReader& reader,
                                                        const ArchivedPerson& person) {
  ASSIGN_OR_RETURN(const auto entry, reader.Find(person.token));
  if (!entry.has_value()) return absl::NotFoundError("not in it");
  std::vector<std::string> texts;
  RETURN_IF_ERROR(archive::OpenArchivedContact(reader, *entry, person.subject,
                                               [&](const records::ChatEntry& message) {
                                                 texts.push_back(message.text);
                                                 return absl::OkStatus();
                                               }));
  return texts;
}

}  // namespace sealbook::testing
