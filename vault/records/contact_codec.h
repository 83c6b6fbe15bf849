// The bytes of contact and book rows, and the places to which sealed values are bound
// (docs/format.md, "Contact row", "Book row", "Places").
#pragma once

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "vault/crypto/bytes.h"
#include "vault/crypto/exchange.h"
#include "vault/keyring/roster.h"

namespace sealbook::records {

struct Field {
  std::string name;   // "phone", "phone_2", "name", …
  std::string value;  // UTF-8
  friend bool operator==(const Field&, const Field&) = default;
};
using Fields = std::vector<Field>;

// One class of a contact, in the clear.
struct ClassFields {
  ClassId class_id{};
  Fields fields;
};

// A class's fields as they are sealed (protobuf FieldSet).
crypto::Bytes EncodeFields(const Fields& fields);
absl::StatusOr<Fields> DecodeFields(ByteView bytes);

class FieldSet;
// As DecodeFields, for who decodes many: what protobuf needs for one serves for the next.
class FieldsDecoder {
 public:
  FieldsDecoder();
  ~FieldsDecoder();
  // DataLoss: no fields; then `out` is as it was.
  absl::Status Append(ByteView bytes, Fields& out);

 private:
  std::unique_ptr<FieldSet> set_;
};

// One class of a contact row: session and revision of its newest writing, and the sealed fields.
struct ValueEntry {
  ClassId class_id{};
  std::int64_t session = 0;
  std::uint32_t revision = 0;
  crypto::Bytes sealed;
};
// One class of a book row: K(contact, class, revision) sealed for the book by session `session`.
struct WrapEntry {
  static constexpr std::size_t kSealedBytes = 72;
  ClassId class_id{};
  std::int64_t session = 0;
  std::uint32_t revision = 0;
  crypto::Bytes sealed;
};

// Its place among the bytes of a row, for who reads so many that copies would count.
struct ValueView {
  ClassId class_id{};
  std::int64_t session = 0;
  std::uint32_t revision = 0;
  ByteView sealed;
};
// As DecodeValues, into `out`, in whose bytes the views stand.
absl::Status DecodeValueViews(ByteView bytes, std::vector<ValueView>& out);

crypto::Bytes EncodeValues(const std::vector<ValueEntry>& entries);
absl::StatusOr<std::vector<ValueEntry>> DecodeValues(ByteView bytes);
crypto::Bytes EncodeWraps(const std::vector<WrapEntry>& entries);
absl::StatusOr<std::vector<WrapEntry>> DecodeWraps(ByteView bytes);

// The associated data of a value (book 0) or of a wrap.
struct Place {
  keyring::VaultId vault{};
  ContactNumber contact = 0;
  std::int64_t token = 0;
  ClassId class_id{};
  std::uint32_t revision = 0;
  crypto::ExchangePublic session;  // E of the session that sealed it
  BookId book{};

  static constexpr std::size_t kBytes = 16 + 16 + 8 + 8 + 1 + 4 + 32 + 4;
  std::array<std::uint8_t, kBytes> ForValue() const;
  std::array<std::uint8_t, kBytes> ForWrap() const;
};

}  // namespace sealbook::records
