#include "vault/records/contact_codec.h"

#include <algorithm>
#include <cstring>

#include "vault/records/fields.pb.h"
#include "vault/records/varint.h"
#include "vault/status.h"

namespace sealbook::records {
namespace {

constexpr char kValueLabel[] = "sealbook-value-1";
constexpr char kWrapLabel[] = "sealbook-wrap--1";
static_assert(sizeof(kValueLabel) == 17 && sizeof(kWrapLabel) == 17);

template <typename Entry>
void PutHead(crypto::Bytes& out, const Entry& entry) {
  out.push_back(static_cast<std::uint8_t>(entry.class_id));
  PutVarint(out, static_cast<std::uint64_t>(entry.session));
  PutVarint(out, entry.revision);
}

// `take(class, session, revision, sealed)` for each entry.
template <typename SizeOf, typename Take>
absl::Status EachEntry(ByteView bytes, SizeOf&& size_of, Take&& take) {
  VarintReader in(bytes);
  while (!in.done()) {
    const ClassId class_id{in.U8()};
    const auto session = static_cast<std::int64_t>(in.Varint());
    const auto revision = static_cast<std::uint32_t>(in.Varint());
    const ByteView sealed = in.Raw(size_of(in));
    if (!in.ok()) return absl::DataLossError("a row that cannot be read");
    take(class_id, session, revision, sealed);
  }
  return in.ok() ? absl::OkStatus() : absl::DataLossError("a row that cannot be read");
}

template <typename Entry, typename SizeOf>
absl::StatusOr<std::vector<Entry>> DecodeEntries(ByteView bytes, SizeOf&& size_of) {
  std::vector<Entry> entries;
  RETURN_IF_ERROR(EachEntry(
      bytes, size_of,
      [&](ClassId class_id, std::int64_t session, std::uint32_t revision, ByteView sealed) {
        entries.push_back({.class_id = class_id,
                           .session = session,
                           .revision = revision,
                           .sealed = {sealed.begin(), sealed.end()}});
      }));
  return entries;
}

}  // namespace

crypto::Bytes EncodeFields(const Fields& fields) {
  FieldSet set;
  for (const Field& field : fields) {
    FieldSet::Field* out = set.add_fields();
    out->set_name(field.name);
    out->set_value(field.value);
  }
  crypto::Bytes bytes(set.ByteSizeLong());
  set.SerializeWithCachedSizesToArray(bytes.data());
  return bytes;
}

FieldsDecoder::FieldsDecoder() : set_(std::make_unique<FieldSet>()) {}
FieldsDecoder::~FieldsDecoder() = default;

absl::Status FieldsDecoder::Append(ByteView bytes, Fields& out) {
  if (!set_->ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return absl::DataLossError("a sealed value holds no fields");
  }
  out.reserve(out.size() + static_cast<std::size_t>(set_->fields_size()));
  for (const FieldSet::Field& field : set_->fields()) out.push_back({field.name(), field.value()});
  return absl::OkStatus();
}

absl::StatusOr<Fields> DecodeFields(ByteView bytes) {
  Fields fields;
  RETURN_IF_ERROR(FieldsDecoder().Append(bytes, fields));
  return fields;
}

crypto::Bytes EncodeValues(const std::vector<ValueEntry>& entries) {
  crypto::Bytes out;
  for (const ValueEntry& entry : entries) {
    PutHead(out, entry);
    PutVarint(out, entry.sealed.size());
    out.insert(out.end(), entry.sealed.begin(), entry.sealed.end());
  }
  return out;
}

absl::StatusOr<std::vector<ValueEntry>> DecodeValues(ByteView bytes) {
  return DecodeEntries<ValueEntry>(bytes, [](VarintReader& in) { return in.Varint(); });
}

absl::Status DecodeValueViews(ByteView bytes, std::vector<ValueView>& out) {
  out.clear();
  return EachEntry(
      bytes, [](VarintReader& in) { return in.Varint(); },
      [&](ClassId class_id, std::int64_t session, std::uint32_t revision, ByteView sealed) {
        out.push_back({class_id, session, revision, sealed});
      });
}

crypto::Bytes EncodeWraps(const std::vector<WrapEntry>& entries) {
  crypto::Bytes out;
  for (const WrapEntry& entry : entries) {
    PutHead(out, entry);
    out.insert(out.end(), entry.sealed.begin(), entry.sealed.end());
  }
  return out;
}

absl::StatusOr<std::vector<WrapEntry>> DecodeWraps(ByteView bytes) {
  return DecodeEntries<WrapEntry>(
      bytes, [](VarintReader&) { return std::uint64_t{WrapEntry::kSealedBytes}; });
}

namespace {
std::array<std::uint8_t, Place::kBytes> Build(const Place& place, const char* label) {
  std::array<std::uint8_t, Place::kBytes> out;
  std::uint8_t* at = out.data();
  const auto raw = [&](const void* bytes, std::size_t size) {
    std::memcpy(at, bytes, size);
    at += size;
  };
  const auto number = [&](std::uint64_t value, int bytes) {
    for (int shift = 8 * bytes - 8; shift >= 0; shift -= 8)
      *at++ = static_cast<std::uint8_t>(value >> shift);
  };
  raw(label, 16);
  raw(place.vault.data(), place.vault.size());
  number(static_cast<std::uint64_t>(place.contact), 8);
  number(static_cast<std::uint64_t>(place.token), 8);
  number(static_cast<std::uint64_t>(place.class_id), 1);
  number(place.revision, 4);
  raw(place.session.bytes.data(), place.session.bytes.size());
  number(static_cast<std::uint64_t>(place.book), 4);
  return out;
}
}  // namespace

std::array<std::uint8_t, Place::kBytes> Place::ForValue() const {
  return Build(*this, kValueLabel);
}
std::array<std::uint8_t, Place::kBytes> Place::ForWrap() const { return Build(*this, kWrapLabel); }

}  // namespace sealbook::records
