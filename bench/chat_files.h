// Invented chats as the files in which chats arrive: webhooks and WhatsApp's exports. The same for
// the same numbers, written as they are made.
//
// People speak in conversations of seven messages over some twenty minutes, those of
// tests/fixtures/chat_codec/held_out.txt, which the dictionaries of chunks do not know;
// conversations of different customers overlap.
#pragma once

#include <queue>

#include "absl/strings/str_replace.h"
#include "anonymizer/identifiers.h"
#include "bench/support.h"
#include "tests/support/held_out_chats.h"

namespace sealbook::bench {

struct Utterance {
  std::int64_t customer = 0;  // from 0
  absl::Time time;
  bool outgoing = false;
  std::string text;
  std::uint64_t number = 0;  // of the message, from 0
};

struct Crowd {
  std::int64_t messages = 0, customers = 0;
  std::int64_t conversations_a_day = 0;
};

// In the order of time, which begins in 2010.
class Talk {
 public:
  explicit Talk(const Crowd& crowd)
      : crowd_(crowd),
        gap_(absl::Hours(24) / static_cast<double>(crowd.conversations_a_day)),
        chats_(
            records::HeldOutChats(SEALBOOK_SOURCE_DIR "/tests/fixtures/chat_codec/held_out.txt")) {}

  bool Next(Utterance& out) {
    if (number_ == crowd_.messages) return false;
    while (active_.empty() || next_start_ < active_.top().time) {
      active_.push({.time = next_start_, .conversation = conversations_++});
      next_start_ += gap_;
    }
    Active active = active_.top();
    active_.pop();
    const std::uint64_t dice = Mix(active.conversation * 64 + active.position);
    const records::HeldOutChat& chat = ChatOf(active.conversation);
    const records::ChatEntry& entry = chat.entries[active.position];
    out.customer = CustomerOf(active.conversation);
    out.time = absl::FromUnixSeconds(absl::ToUnixSeconds(active.time));
    out.outgoing = entry.direction == records::ChatDirection::kOut;
    out.text = entry.text;
    // Some name an order, an amount, a day: what nobody else says.
    if (dice % 7 == 0) absl::StrAppend(&out.text, " (", dice / 7 % 1'000'000, ")");
    out.number = static_cast<std::uint64_t>(number_++);
    if (++active.position < chat.entries.size()) {
      active.time += absl::Seconds(20 + dice / 64 % 380);
      active_.push(active);
    }
    return true;
  }

 private:
  struct Active {
    absl::Time time;
    std::uint64_t conversation = 0;
    std::size_t position = 0;
    bool operator<(const Active& other) const {  // the earliest is on top
      return time != other.time ? time > other.time : conversation > other.conversation;
    }
  };
  std::int64_t CustomerOf(std::uint64_t conversation) const {
    return static_cast<std::int64_t>(Mix(conversation + 101) %
                                     static_cast<std::uint64_t>(crowd_.customers));
  }
  // Each customer has one language; a single one has all, lest lines come again in a chunk.
  const records::HeldOutChat& ChatOf(std::uint64_t conversation) const {
    if (crowd_.customers == 1) return chats_[Mix(conversation + 9) % chats_.size()];
    const auto language = Mix(static_cast<std::uint64_t>(CustomerOf(conversation)) + 55);
    const records::HeldOutChat& some = chats_[language % chats_.size()];
    std::vector<const records::HeldOutChat*> same;
    for (const records::HeldOutChat& chat : chats_) {
      if (chat.language == some.language) same.push_back(&chat);
    }
    return *same[Mix(conversation + 9) % same.size()];
  }

  Crowd crowd_;
  absl::Duration gap_;
  std::vector<records::HeldOutChat> chats_;
  absl::Time next_start_ = absl::FromUnixSeconds(1'262'304'000);
  std::priority_queue<Active> active_;
  std::uint64_t conversations_ = 0;
  std::int64_t number_ = 0;
};

// The phone of a customer of bench/support.h's list, as E.164.
inline std::string PhoneNumber(std::int64_t customer) {
  return anonymizer::NormalizePhone(Phone(static_cast<std::uint64_t>(customer)), kRegion)
      .value_or("");
}

template <typename Append>
absl::Status WriteChat(const std::string& path, const Crowd& crowd, std::string head,
                       Append&& append) {
  std::ofstream file(path, std::ios::binary);
  std::string& block = head;
  Talk talk(crowd);
  Utterance utterance;
  while (talk.Next(utterance)) {
    append(utterance, block);
    if (block.size() < 1 << 16) continue;
    file.write(block.data(), static_cast<std::streamsize>(block.size()));
    block.clear();
  }
  file.write(block.data(), static_cast<std::streamsize>(block.size()));
  file.close();
  return file ? absl::OkStatus() : absl::InternalError(absl::StrCat("cannot write ", path));
}

// ---- Webhooks, one a line, as Meta sends them: messages of customers, and echoes of what the
// business wrote in the app.

// An id as WhatsApp makes them: it holds the phone, and 20 or 32 digits by the customer's phone, 18
// for what the service sent.
inline std::string MessageId(absl::string_view phone, const Utterance& utterance) {
  const bool android = Mix(static_cast<std::uint64_t>(utterance.customer) + 5) % 3 != 0;
  const int digits = utterance.outgoing ? 18 : android ? 32 : 20;
  crypto::ByteWriter id;
  id.Raw(crypto::Bytes{0x1c, 0x18, static_cast<std::uint8_t>(phone.size())});
  id.Raw(crypto::AsBytes(phone));
  id.Raw(crypto::Bytes{0x15, 0x02, 0x00,
                       static_cast<std::uint8_t>(utterance.outgoing ? 0x11 : 0x12), 0x18,
                       static_cast<std::uint8_t>(digits)});
  for (int digit = 0; digit < digits; ++digit) {
    const std::uint64_t random = Mix(utterance.number * 4 + static_cast<std::uint64_t>(digit) / 12);
    id.U8(static_cast<std::uint8_t>("0123456789ABCDEF"[random >> digit % 12 * 5 & 15]));
  }
  return absl::StrCat("wamid.", crypto::ToBase64(id.U8(0).bytes()));
}

inline absl::Status WriteWebhooks(const std::string& path, const Crowd& crowd) {
  std::vector<std::string> phones;  // without "+"
  for (std::int64_t i = 0; i < crowd.customers; ++i) phones.push_back(PhoneNumber(i).substr(1));
  return WriteChat(path, crowd, "", [&](const Utterance& utterance, std::string& out) {
    const std::string& phone = phones[static_cast<std::size_t>(utterance.customer)];
    const std::string text = absl::StrReplaceAll(utterance.text, {{"\\", "\\\\"}, {"\"", "\\\""}});
    const std::string rest =
        absl::StrCat("\"id\":\"", MessageId(phone, utterance), "\",\"timestamp\":\"",
                     absl::ToUnixSeconds(utterance.time),
                     "\",\"type\":\"text\",\"text\":{\"body\":\"", text, "\"}}]");
    absl::StrAppend(&out,
                    "{\"object\":\"whatsapp_business_account\",\"entry\":[{\"id\":"
                    "\"102290129340398\",\"changes\":[{\"value\":{\"messaging_product\":"
                    "\"whatsapp\",\"metadata\":{\"display_phone_number\":\"82221234567\","
                    "\"phone_number_id\":\"106540352242922\"},");
    if (utterance.outgoing) {
      absl::StrAppend(&out, "\"message_echoes\":[{\"from\":\"82221234567\",\"to\":\"", phone, "\",",
                      rest, "},\"field\":\"smb_message_echoes\"}]}]}\n");
    } else {
      absl::StrAppend(&out, "\"contacts\":[{\"profile\":{\"name\":\"",
                      Name(static_cast<std::uint64_t>(utterance.customer)), "\"},\"wa_id\":\"",
                      phone, "\"}],\"messages\":[{\"from\":\"", phone, "\",", rest,
                      "},\"field\":\"messages\"}]}]}\n");
    }
  });
}

// ---- WhatsApp's own exports.

inline constexpr absl::string_view kCompany = "Star Shop";

// Of a group, as Android writes it. Half of its members are in the phone book; the others are
// numbers.
inline absl::Status WriteGroup(const std::string& path, const Crowd& crowd) {
  std::vector<std::string> authors;
  for (std::int64_t i = 0; i < crowd.customers; ++i) {
    authors.push_back(i % 2 == 0 ? PhoneNumber(i)
                                 : absl::StrCat(Name(static_cast<std::uint64_t>(i)), " ", i));
  }
  const std::string head =
      "01/01/2010, 00:00 - Messages and calls are end-to-end encrypted. No one outside of this "
      "chat, not even WhatsApp, can read or listen to them.\n";
  return WriteChat(path, crowd, head, [&](const Utterance& utterance, std::string& out) {
    absl::StrAppend(
        &out, absl::FormatTime("%d/%m/%Y, %H:%M - ", utterance.time, absl::UTCTimeZone()),
        utterance.outgoing ? kCompany : authors[static_cast<std::size_t>(utterance.customer)], ": ",
        utterance.text, "\n");
  });
}

// Of a chat of two, as an iPhone writes it.
inline absl::Status WriteChatOfTwo(const std::string& path, Crowd crowd) {
  crowd.customers = 1;
  return WriteChat(path, crowd, "", [&](const Utterance& utterance, std::string& out) {
    absl::StrAppend(&out,
                    absl::FormatTime("[%d/%m/%Y, %H:%M:%S] ", utterance.time, absl::UTCTimeZone()),
                    utterance.outgoing ? kCompany : absl::string_view("Kim Min-seo"), ": ",
                    utterance.text, "\n");
  });
}

}  // namespace sealbook::bench
