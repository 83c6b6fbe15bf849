// Ids of messages in fewer bytes (docs/format.md, "Chat chunk"). WhatsApp's are "wamid." and the
// base64 of a head, which holds the phone number and is the same for all messages of one direction,
// and of digits, which differ.
#pragma once

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "vault/crypto/bytes.h"

namespace sealbook::records {

// Numbers are permanent: they stand in sealed chunks.
enum class IdForm : std::uint8_t {
  kNone = 0,    // the message has no id
  kText = 1,    // the id as it is
  kWamid = 2,   // the bytes of which base64 makes what follows "wamid."
  kDigits = 3,  // the same without the head, and two hexadecimal digits a byte
};

class MessageId {
 public:
  MessageId() = default;
  ~MessageId() { Wipe(); }
  MessageId(const MessageId&) = delete;
  MessageId& operator=(const MessageId&) = delete;

  // The shortest form from which JoinId makes `id` again. The views stand until the next Split; of
  // kText in `id` itself.
  void Split(absl::string_view id);
  void Wipe();
  IdForm form() const { return form_; }
  ByteView head() const { return head_; }  // kDigits: ends with the number of digits
  ByteView rest() const { return rest_; }

 private:
  static constexpr std::size_t kMaxWamidBytes = 192;  // longer ones stay texts
  IdForm form_ = IdForm::kNone;
  bool used_ = false;  // bytes_ and digits_ may hold something
  ByteView head_, rest_;
  std::uint8_t bytes_[kMaxWamidBytes];
  std::uint8_t digits_[kMaxWamidBytes / 2];
};

// How many bytes `rest` has for a head of kDigits, or 0 where `head` is none.
std::size_t DigitBytes(ByteView head);
// How many bytes JoinId gives.
std::size_t JoinedIdSize(IdForm form, ByteView head, ByteView rest);
std::string JoinId(IdForm form, ByteView head, ByteView rest);

}  // namespace sealbook::records
