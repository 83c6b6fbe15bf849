// The derivations of docs/format.md, each under a label of its own.
#pragma once

#include "vault/crypto/exchange.h"
#include "vault/ids.h"

namespace sealbook::crypto {

// K(contact, class, revision), from s(root, class).          label "sealbook/value-key/1"
ValueKey DeriveValueKey(const SessionSecret& secret, ContactNumber contact, ClassId class_id,
                        std::uint32_t revision);
// The same in the place of another key: a slot of guarded memory for each value takes its time.
void DeriveValueKeyInto(ValueKey& key, const SessionSecret& secret, ContactNumber contact,
                        ClassId class_id, std::uint32_t revision);
// Seals value keys for one book, from s(book, class).        label "sealbook/wrap-key/1"
WrapKey DeriveWrapKey(const SessionSecret& secret);
// From the secret of the compartment (root, index).          labels "sealbook/index-hash/1" and
//                                                            "sealbook/index-tag/1"
IndexHashKey DeriveIndexHashKey(const ExchangeSecret& index_compartment);
IndexTagKey DeriveIndexTagKey(const ExchangeSecret& index_compartment);
// From the secret of a newer epoch: seals the older one's.   label "sealbook/epoch-link/1"
EpochLinkKey DeriveEpochLinkKey(const ExchangeSecret& newer_epoch);

// K(contact, session), from s(root, chat).                   label "sealbook/chat-key/1"
ChatKey DeriveChatKey(const SessionSecret& secret, ContactNumber contact);

// From the secret of the compartment (root, index).          label "sealbook/chat-tag-seal/1"
ChatTagSealKey DeriveChatTagSealKey(const ExchangeSecret& index_compartment);

}  // namespace sealbook::crypto
