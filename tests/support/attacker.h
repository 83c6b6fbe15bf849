// Somebody with secrets and copies of a vault's files, and a program of their own: no reader, no
// roster rules, no permit. Tries every secret on every row, by the formats alone.
//
//   Attacker attacker;
//   attacker.Take(*mina);                       // mina's own keys, and all that they open today
//   …
//   EXPECT_EQ(attacker.Opens(later), …);        // in the files as they are later
//
// Take remembers compartments' secrets and, with them, the keys of single values; Forget() drops
// the latter, as somebody who kept the secrets and no copy of the files.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <ostream>
#include <set>
#include <tuple>
#include <vector>

#include "vault/crypto/aead.h"
#include "vault/crypto/derive.h"
#include "vault/keyring/epochs.h"
#include "vault/records/chat_keys.h"
#include "vault/records/contact_codec.h"
#include "vault/records/index.h"

namespace sealbook::testing {

// A value by contact, class and revision: a later revision was written later.
struct Value {
  ContactNumber contact = 0;
  ClassId class_id{};
  std::uint32_t revision = 1;
  auto operator<=>(const Value&) const = default;
};
inline void PrintTo(const Value& value, std::ostream* out) {
  *out << "contact " << value.contact << " class " << static_cast<int>(value.class_id)
       << " revision " << value.revision;
}
using Values = std::set<Value>;

inline Values Times(const std::vector<ContactNumber>& contacts, const std::vector<ClassId>& classes,
                    std::uint32_t revision = 1) {
  Values out;
  for (const ContactNumber contact : contacts) {
    for (const ClassId class_id : classes) out.insert({contact, class_id, revision});
  }
  return out;
}

class Attacker {
 public:
  void Take(keyring::Keyring& member) {
    Add(member.bundle().exchange);
    Learn(member);
    Opens(member);
    OpensChats(member);
  }
  void Forget() {
    keys_.clear();
    chat_keys_.clear();
  }

  // What opens in `vault`'s files: the member whose keyring this is lends the database key only.
  Values Opens(keyring::Keyring& vault) {
    Learn(vault);
    store::Store& store = vault.store();
    const auto sessions = SessionsOf(store);
    Values opened;
    Each(store, [&](const store::ContactRow& row) {
      const std::vector<records::ValueEntry> entries = *records::DecodeValues(row.values);
      for (const records::ValueEntry& entry : entries) {
        records::Place place{.vault = vault.roster().vault,
                             .contact = row.number,
                             .token = row.token,
                             .class_id = entry.class_id,
                             .revision = entry.revision,
                             .session = sessions.at(entry.session),
                             .book = kRootBook};
        const Value value{row.number, entry.class_id, entry.revision};
        const auto opens = [&](const crypto::ValueKey& key) {
          if (!crypto::Open(key, place.ForValue(), entry.sealed).ok()) return false;
          opened.insert(value);
          keys_.insert_or_assign(value, key.Duplicate());
          return true;
        };
        if (const auto known = keys_.find(value); known != keys_.end()) {
          const crypto::ValueKey key = known->second.Duplicate();
          if (opens(key)) continue;
        }
        for (const crypto::ExchangePair& pair : pairs_) {
          const auto secret = pair.SessionSecretAsReader(place.session);
          if (opens(crypto::DeriveValueKey(*secret, row.number, entry.class_id, entry.revision)))
            break;
        }
        for (const auto& [book, wraps] : WrapsOf(vault, row.number)) {
          for (const records::WrapEntry& wrap : wraps) {
            records::Place at = place;
            at.class_id = wrap.class_id;
            at.revision = wrap.revision;
            at.session = sessions.at(wrap.session);
            at.book = book;
            for (const crypto::ExchangePair& pair : pairs_) {
              const auto secret = pair.SessionSecretAsReader(at.session);
              const auto key = crypto::OpenKey<crypto::ValuePurpose>(crypto::DeriveWrapKey(*secret),
                                                                     at.ForWrap(), wrap.sealed);
              if (key.ok()) opens(*key);
            }
          }
        }
      }
    });
    return opened;
  }

  // How many messages of which contacts open, by keys of single chats that were learned before, by
  // the root's derivation, and by every wrap that there is, the subject keys' among them.
  std::map<ContactNumber, std::uint32_t> OpensChats(keyring::Keyring& vault) {
    Learn(vault);
    store::Store& store = vault.store();
    const auto sessions = SessionsOf(store);
    std::map<ContactNumber, std::uint32_t> opened;
    EXPECT_TRUE(
        store
            .EachChatAfter(
                std::numeric_limits<std::int32_t>::min(), 0, 0,
                [&](const store::ChatRow& row) -> absl::StatusOr<bool> {
                  const crypto::ExchangePublic& written = sessions.at(row.session);
                  store::ContactRow contact;
                  EXPECT_TRUE(*store.GetContact(row.contact, contact));
                  const records::ChatOwner owner{row.contact, contact.token};
                  const keyring::VaultId& id = vault.roster().vault;
                  bool done = false;
                  const auto opens = [&](const crypto::ChatKey& key) {
                    if (done ||
                        !crypto::Open(key, records::ChunkPlace(id, owner, row, written), row.chunk)
                             .ok())
                      return;
                    done = true;
                    opened[row.contact] += row.messages;
                    chat_keys_.insert_or_assign(std::pair(row.contact, row.session),
                                                key.Duplicate());
                  };
                  const auto known = chat_keys_.find({row.contact, row.session});
                  if (known != chat_keys_.end()) opens(known->second.Duplicate());
                  for (const crypto::ExchangePair& pair : pairs_) {
                    opens(crypto::DeriveChatKey(*pair.SessionSecretAsReader(written), row.contact));
                    for (const store::ChatWrapRow& wrap : ChatWrapsOf(vault, row.contact)) {
                      const crypto::ExchangePublic& wrapped = sessions.at(wrap.wrapped);
                      const auto key = crypto::OpenKey<crypto::ChatPurpose>(
                          crypto::DeriveWrapKey(*pair.SessionSecretAsReader(wrapped)),
                          records::ChatKeyPlace(id, owner, sessions.at(wrap.session), wrapped,
                                                wrap.book),
                          wrap.sealed);
                      if (key.ok()) opens(*key);
                    }
                  }
                  return true;
                })
            .ok());
    return opened;
  }

  // Whether `value` can be found in the index: what a thief does with every number that there is.
  bool Confirms(keyring::Keyring& vault, IdentifierKind kind, absl::string_view value) {
    Learn(vault);
    const auto kind_byte = static_cast<std::uint8_t>(kind);
    for (const crypto::ExchangePair& pair : pairs_) {
      const crypto::IndexHashKey key = crypto::DeriveIndexHashKey(pair.secret());
      store::IndexRow row;
      const auto found = vault.store().FindIndex(
          crypto::KeyedHash128(key.ExposeBytes(), "sealbook/index/1",
                               {ByteView(&kind_byte, 1), crypto::AsBytes(value)}),
          row);
      EXPECT_TRUE(found.ok());
      if (found.ok() && *found) return true;
    }
    return false;
  }

  // How many details of the audit log open, from row `from` on.
  int OpensDetails(keyring::Keyring& vault, std::int64_t from) {
    Learn(vault);
    int opened = 0;
    EXPECT_TRUE(
        vault.store()
            .EachAudit(from,
                       [&](std::int64_t, ByteView bytes) -> absl::Status {
                         const auto record = audit::Record::Parse(bytes);
                         if (record->sealed_detail.empty()) return absl::OkStatus();
                         for (const crypto::ExchangePair& pair : pairs_) {
                           if (!crypto::OpenSealedToPublic(pair, record->sealed_detail).ok())
                             continue;
                           ++opened;
                           break;
                         }
                         return absl::OkStatus();
                       })
            .ok());
    return opened;
  }

 private:
  bool Add(const crypto::ExchangePair& pair) {
    if (!known_.insert(pair.public_key().bytes).second) return false;
    pairs_.push_back(crypto::ExchangePair::FromSecret(pair.secret().Duplicate()));
    return true;
  }

  // Every grant and link in the files that opens with a secret that is known, and then with what
  // that gave.
  void Learn(keyring::Keyring& vault) {
    std::vector<store::GrantRow> grants;
    std::vector<store::EpochLinkRow> links;
    EXPECT_TRUE(vault.store()
                    .EachGrant([&](const store::GrantRow& row) {
                      grants.push_back(row);
                      return absl::OkStatus();
                    })
                    .ok());
    EXPECT_TRUE(vault.store()
                    .EachEpochLink([&](const store::EpochLinkRow& row) {
                      links.push_back(row);
                      return absl::OkStatus();
                    })
                    .ok());
    for (std::size_t p = 0; p < pairs_.size(); ++p) {
      for (const store::GrantRow& grant : grants) {
        const auto plaintext = crypto::OpenSealedToPublic(pairs_[p], grant.sealed);
        if (plaintext.ok())
          Add(crypto::ExchangePair::FromSecret(
              crypto::ExchangeSecret::CopyOf(plaintext->ExposeBytes().last(crypto::kKeyBytes))));
      }
      for (const store::EpochLinkRow& link : links) {
        const auto older = keyring::OpenEpochLink(vault.roster().vault, link, pairs_[p]);
        if (older.ok()) Add(*older);
      }
    }
  }

  static std::map<std::int64_t, crypto::ExchangePublic> SessionsOf(store::Store& store) {
    std::map<std::int64_t, crypto::ExchangePublic> out;
    EXPECT_TRUE(store
                    .EachSession(1,
                                 [&](std::int64_t number, ByteView record) {
                                   out[number] =
                                       keyring::SignedSession::Parse(record)->session.ephemeral;
                                   return absl::OkStatus();
                                 })
                    .ok());
    return out;
  }
  static void Each(store::Store& store, const std::function<void(const store::ContactRow&)>& use) {
    EXPECT_TRUE(store
                    .EachContact(1,
                                 [&](const store::ContactRow& row) -> absl::StatusOr<bool> {
                                   use(row);
                                   return true;
                                 })
                    .ok());
  }
  // Also those of books that the contact is not in, and those for its subject key.
  static std::vector<store::ChatWrapRow> ChatWrapsOf(keyring::Keyring& vault,
                                                     ContactNumber contact) {
    std::vector<store::ChatWrapRow> out;
    for (const keyring::Book& book : vault.roster().books) {
      EXPECT_TRUE(vault.store()
                      .EachChatWrap(book.id, contact,
                                    [&](const store::ChatWrapRow& row) {
                                      out.push_back(row);
                                      return absl::OkStatus();
                                    })
                      .ok());
    }
    EXPECT_TRUE(vault.store()
                    .EachChatKey(contact,
                                 [&](std::int64_t session, ByteView sealed) {
                                   out.push_back({.book = records::kSubjectBook,
                                                  .contact = contact,
                                                  .session = session,
                                                  .wrapped = session,
                                                  .sealed = {sealed.begin(), sealed.end()}});
                                   return absl::OkStatus();
                                 })
                    .ok());
    return out;
  }
  static std::vector<std::pair<BookId, std::vector<records::WrapEntry>>> WrapsOf(
      keyring::Keyring& vault, ContactNumber contact) {
    std::vector<std::pair<BookId, std::vector<records::WrapEntry>>> out;
    for (const keyring::Book& book : vault.roster().books) {
      store::BookContactRow row;
      const auto there = vault.store().GetBookContact(book.id, contact, row);
      if (there.ok() && *there) out.emplace_back(book.id, *records::DecodeWraps(row.wraps));
    }
    return out;
  }

  std::vector<crypto::ExchangePair> pairs_;
  std::set<std::array<std::uint8_t, 32>> known_;
  std::map<Value, crypto::ValueKey> keys_;
  std::map<std::pair<ContactNumber, std::int64_t>, crypto::ChatKey> chat_keys_;
};

}  // namespace sealbook::testing
