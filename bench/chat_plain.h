// What the vault's chats stand beside: the same messages in plain SQLCipher rows, in the clear,
// with two indexes. The same readers, a thread that reads ahead, the same connection (64 MiB page
// cache, WAL, synchronous = FULL, secure_delete), the same batches and checkpoints.
#pragma once

#include <thread>

#include "absl/container/flat_hash_map.h"
#include "anonymizer/batch_queue.h"
#include "anonymizer/chat_import.h"
#include "anonymizer/occurrences.h"
#include "bench/support.h"
#include "vault/crypto/hash.h"
#include "vault/store/database.h"

namespace sealbook::bench {

inline crypto::DatabaseKey PlainKey() {
  return crypto::DatabaseKey::CopyOf(crypto::Bytes(crypto::kKeyBytes, 0x77));
}

// Customers are there before their messages, as in the vault.
inline absl::Status MakePlain(const std::string& path, const std::vector<std::string>& phones) {
  ASSIGN_OR_RETURN(const auto database,
                   store::Database::Open(path, PlainKey(), store::Database::Mode::kCreate));
  RETURN_IF_ERROR(database->Execute(
      "CREATE TABLE customer (number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);"
      "CREATE TABLE message (contact INTEGER NOT NULL, time INTEGER NOT NULL, "
      "direction INTEGER NOT NULL, author TEXT NOT NULL, text TEXT NOT NULL, "
      "id BLOB NOT NULL UNIQUE);"
      "CREATE INDEX message_of ON message (contact, time)"));
  ASSIGN_OR_RETURN(store::Statement insert,
                   database->Prepare("INSERT INTO customer (name) VALUES (?)"));
  ASSIGN_OR_RETURN(store::Transaction all,
                   store::Transaction::Begin(*database, store::Transaction::Kind::kWrite));
  for (const std::string& phone : phones) {
    insert.Bind(1, absl::string_view(phone));
    RETURN_IF_ERROR(insert.Run());
  }
  return all.Commit();
}

class PlainChats {
 public:
  static absl::StatusOr<std::unique_ptr<PlainChats>> Open(const std::string& path) {
    ASSIGN_OR_RETURN(auto database,
                     store::Database::Open(path, PlainKey(), store::Database::Mode::kReadWrite));
    database->DeferCheckpoints();
    return std::unique_ptr<PlainChats>(new PlainChats(std::move(database)));
  }

  // How many messages were new. `me`: as ChatImportOptions.
  absl::StatusOr<std::int64_t> Import(anonymizer::ChatReader& reader, const std::string& me,
                                      std::size_t batch_messages) {
    ASSIGN_OR_RETURN(store::Statement insert,
                     database_->Prepare("INSERT OR IGNORE INTO message (contact, time, direction, "
                                        "author, text, id) VALUES (?, ?, ?, ?, ?, ?)"));
    ASSIGN_OR_RETURN(store::Statement find,
                     database_->Prepare("SELECT number FROM customer WHERE name = ?"));
    ASSIGN_OR_RETURN(store::Statement make,
                     database_->Prepare("INSERT INTO customer (name) VALUES (?) RETURNING number"));
    Batches queue;
    std::thread reading([&] { queue.Finish(ReadAll(reader, batch_messages, queue)); });
    absl::StatusOr<std::int64_t> added = 0;
    while (added.ok()) {
      auto batch = queue.Take();
      if (!batch.ok() || !*batch) {
        if (!batch.ok()) added = batch.status();
        break;
      }
      queue.Release();
      const auto of_batch = Store(**batch, reader.survey() != nullptr, me, insert, find, make);
      if (of_batch.ok())
        *added += *of_batch;
      else
        added = of_batch.status();
      queue.GiveBack(**std::move(batch));
    }
    queue.Close();
    reading.join();
    return added;
  }

 private:
  using Messages = std::vector<anonymizer::ChatMessage>;
  using Batches = anonymizer::BatchQueue<Messages>;
  explicit PlainChats(std::unique_ptr<store::Database> database) : database_(std::move(database)) {}

  static absl::Status ReadAll(anonymizer::ChatReader& reader, std::size_t batch_messages,
                              Batches& queue) {
    for (;;) {
      Messages batch;
      bool more = true;
      while (more && batch.size() < batch_messages) {
        ASSIGN_OR_RETURN(more, reader.Next(batch.emplace_back()));
        if (!more) batch.pop_back();
      }
      if (!batch.empty() && !queue.Put(std::move(batch))) return absl::OkStatus();
      if (!more) return absl::OkStatus();
    }
  }

  absl::StatusOr<std::int64_t> Customer(const std::string& name, store::Statement& find,
                                        store::Statement& make) {
    const auto [at, is_new] = customers_.try_emplace(name, 0);
    if (!is_new) return at->second;
    for (store::Statement* statement : {&find, &make}) {
      statement->Bind(1, absl::string_view(name));
      ASSIGN_OR_RETURN(const bool found, statement->Step());
      if (found) at->second = statement->Int(0);
      statement->Reset();
      if (found) break;
    }
    return at->second;
  }

  absl::StatusOr<std::int64_t> Store(const Messages& batch, bool is_export, const std::string& me,
                                     store::Statement& insert, store::Statement& find,
                                     store::Statement& make) {
    std::int64_t added = 0;
    {
      ASSIGN_OR_RETURN(store::Transaction transaction,
                       store::Transaction::Begin(*database_, store::Transaction::Kind::kWrite));
      for (const anonymizer::ChatMessage& message : batch) {
        if (!message.fault.empty()) return absl::InternalError("a faulty message");
        // As the vault does, a group's messages of the company go to whoever wrote last.
        const bool system = message.kind == anonymizer::MessageKind::kSystem;
        const bool outgoing = is_export ? !system && message.author == me : *message.outgoing;
        if (!is_export) {
          ASSIGN_OR_RETURN(last_, Customer(message.customer.front().value, find, make));
        } else if (!outgoing && !system) {
          ASSIGN_OR_RETURN(last_, Customer(message.author, find, make));
        }
        records::ChatEntry entry;  // only to count equal ones
        entry.time = absl::ToUnixSeconds(message.time);
        entry.direction = system     ? records::ChatDirection::kNone
                          : outgoing ? records::ChatDirection::kOut
                                     : records::ChatDirection::kIn;
        crypto::Hash256 hash{};
        insert.Bind(1, last_)
            .Bind(2, entry.time)
            .Bind(3, static_cast<std::int64_t>(entry.direction));
        insert.Bind(4, absl::string_view(is_export ? message.author : ""));
        insert.Bind(5, absl::string_view(message.text));
        if (message.id.empty()) {
          entry.text = message.text;
          crypto::ByteWriter head;
          head.U64(static_cast<std::uint64_t>(last_));
          head.U64(static_cast<std::uint64_t>(entry.time / 60));
          head.U8(static_cast<std::uint8_t>(entry.direction));
          head.U32(occurrences_.Count(last_, entry));
          hash = crypto::HashOf("bench/message", {head.bytes(), crypto::AsBytes(message.text)});
          insert.Bind(6, ByteView(hash).first(16));
        } else {
          insert.Bind(6, absl::string_view(message.id));
        }
        RETURN_IF_ERROR(insert.Run());
        added += database_->changes();
      }
      RETURN_IF_ERROR(transaction.Commit());
    }
    RETURN_IF_ERROR(database_->CheckpointPast(records::ContactWriter::kWalPages));
    return added;
  }

  std::unique_ptr<store::Database> database_;
  absl::flat_hash_map<std::string, std::int64_t> customers_;
  anonymizer::Occurrences occurrences_;
  std::int64_t last_ = 1;
};

}  // namespace sealbook::bench
