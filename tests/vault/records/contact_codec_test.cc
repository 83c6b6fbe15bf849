#include "vault/records/contact_codec.h"

#include <gtest/gtest.h>

#include <limits>
#include <set>

#include "vault/crypto/random.h"

namespace sealbook::records {
namespace {

crypto::Bytes Fill(std::size_t size, std::uint8_t byte) { return crypto::Bytes(size, byte); }

std::vector<ValueEntry> SomeValues() {
  return {{ClassId::kIdentity, 1, 1, Fill(40, 1)},
          {ClassId::kProfile, 300, 128, Fill(0, 0)},
          {ClassId::kLastCustom, std::numeric_limits<std::int64_t>::max(),
           std::numeric_limits<std::uint32_t>::max(), Fill(20000, 3)}};
}
std::vector<WrapEntry> SomeWraps() {
  return {{ClassId::kIdentity, 1, 1, Fill(WrapEntry::kSealedBytes, 1)},
          {ClassId::kProfile, 70000, 200, Fill(WrapEntry::kSealedBytes, 2)}};
}
template <typename Entry>
void ExpectSame(const std::vector<Entry>& a, const std::vector<Entry>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    EXPECT_EQ(a[i].class_id, b[i].class_id);
    EXPECT_EQ(a[i].session, b[i].session);
    EXPECT_EQ(a[i].revision, b[i].revision);
    EXPECT_EQ(a[i].sealed, b[i].sealed);
  }
}

TEST(ContactCodecTest, FieldsComeBackInTheirOrder) {
  const Fields fields = {{"name", "김민아"},
                         {"", ""},
                         {"name", "again"},
                         {"note", std::string("a\0b", 3)},
                         {"long", std::string(100000, 'x')}};
  EXPECT_EQ(*DecodeFields(EncodeFields(fields)), fields);
  EXPECT_TRUE(DecodeFields(EncodeFields({}))->empty());
}

TEST(ContactCodecTest, HostileFieldsAreDataLossOrFields) {
  const crypto::Bytes good = EncodeFields({{"name", "Mina"}, {"note", "text"}});
  EXPECT_TRUE(absl::IsDataLoss(DecodeFields(ByteView(good).first(good.size() - 1)).status()));
  EXPECT_TRUE(absl::IsDataLoss(DecodeFields(Fill(10, 255)).status()));
  for (std::size_t size = 0; size < good.size(); ++size) {
    const auto fields = DecodeFields(ByteView(good).first(size));
    ASSERT_TRUE(absl::IsDataLoss(fields.status()) || fields->size() < 2) << size;
  }
}

TEST(ContactCodecTest, ValuesAndWrapsComeBack) {
  ExpectSame(*DecodeValues(EncodeValues(SomeValues())), SomeValues());
  ExpectSame(*DecodeWraps(EncodeWraps(SomeWraps())), SomeWraps());
  EXPECT_TRUE(DecodeValues({})->empty());
  EXPECT_TRUE(DecodeWraps({})->empty());
}

TEST(ContactCodecTest, SmallNumbersTakeOneByte) {
  // 744 bytes a row is what the layout promises: class, session and revision of a wrap take three.
  EXPECT_EQ(EncodeWraps({{ClassId::kProfile, 127, 127, Fill(WrapEntry::kSealedBytes, 0)}}).size(),
            WrapEntry::kSealedBytes + 3);
  EXPECT_EQ(EncodeWraps({{ClassId::kProfile, 128, 1, Fill(WrapEntry::kSealedBytes, 0)}}).size(),
            WrapEntry::kSealedBytes + 4);
}

TEST(ContactCodecTest, RowCutInsideAnEntryIsDataLoss) {
  std::vector<ValueEntry> values = SomeValues();
  values.pop_back();
  values.push_back({ClassId::kChat, 5, 6, Fill(50, 4)});
  const crypto::Bytes value_bytes = EncodeValues(values), wrap_bytes = EncodeWraps(SomeWraps());
  std::set<std::size_t> value_ends = {0}, wrap_ends = {0};
  for (std::size_t count = 1; count <= values.size(); ++count) {
    value_ends.insert(
        EncodeValues({values.begin(), values.begin() + static_cast<std::ptrdiff_t>(count)}).size());
  }
  wrap_ends.insert(EncodeWraps({SomeWraps()[0]}).size());
  for (std::size_t size = 0; size < value_bytes.size(); ++size) {
    const auto decoded = DecodeValues(ByteView(value_bytes).first(size));
    ASSERT_EQ(decoded.ok(), value_ends.contains(size)) << size;
    ASSERT_TRUE(decoded.ok() || absl::IsDataLoss(decoded.status())) << size;
  }
  for (std::size_t size = 0; size < wrap_bytes.size(); ++size) {
    const auto decoded = DecodeWraps(ByteView(wrap_bytes).first(size));
    ASSERT_EQ(decoded.ok(), wrap_ends.contains(size)) << size;
    ASSERT_TRUE(decoded.ok() || absl::IsDataLoss(decoded.status())) << size;
  }
}

TEST(ContactCodecTest, HostileNumbersAreDataLoss) {
  const crypto::Bytes endless = Fill(20, 0xff);  // a number that does not end
  EXPECT_TRUE(absl::IsDataLoss(DecodeValues(endless).status()));
  EXPECT_TRUE(absl::IsDataLoss(DecodeWraps(endless).status()));
  // A length of 2^63 - 1, and one of one byte more than there is.
  crypto::Bytes huge = {1, 1, 1};
  huge.insert(huge.end(), 8, 0xff);
  huge.push_back(0x7f);
  EXPECT_TRUE(absl::IsDataLoss(DecodeValues(huge).status()));
  EXPECT_TRUE(absl::IsDataLoss(DecodeValues(crypto::Bytes{1, 1, 1, 2, 0}).status()));
  EXPECT_TRUE(DecodeValues(crypto::Bytes{1, 1, 1, 1, 0}).ok());
}

TEST(ContactCodecTest, RandomBytesAreDataLossOrEntriesOfNoMoreBytes) {
  for (int round = 0; round < 20000; ++round) {
    crypto::Bytes bytes(crypto::RandomBelow(300));
    crypto::FillRandomBuffered(bytes);
    const auto values = DecodeValues(bytes);
    ASSERT_TRUE(values.ok() || absl::IsDataLoss(values.status()));
    if (values.ok()) {
      std::size_t sealed = 0;
      for (const ValueEntry& entry : *values) {
        sealed += entry.sealed.size();
        ASSERT_GE(entry.session, 0);
      }
      ASSERT_LE(sealed, bytes.size());
    }
    const auto wraps = DecodeWraps(bytes);
    ASSERT_TRUE(wraps.ok() || absl::IsDataLoss(wraps.status()));
    if (wraps.ok()) {
      for (const WrapEntry& entry : *wraps) ASSERT_EQ(entry.sealed.size(), WrapEntry::kSealedBytes);
    }
  }
}

// Places.

Place SomePlace() {
  Place place{.vault = {1},
              .contact = 2,
              .token = 3,
              .class_id = ClassId::kProfile,
              .revision = 5,
              .session = {},
              .book = BookId{7}};
  place.session.bytes = {6};
  return place;
}

TEST(PlaceTest, Takes89Bytes) {
  EXPECT_EQ(Place::kBytes, 89u);
  EXPECT_EQ(SomePlace().ForValue().size(), 89u);
  EXPECT_EQ(SomePlace().ForWrap().size(), 89u);
}

TEST(PlaceTest, BytesAreThoseOfTheFormat) {
  crypto::ByteWriter expected;
  expected.Raw(crypto::AsBytes("sealbook-value-1"))
      .Raw(SomePlace().vault)
      .U64(2)
      .U64(3)
      .U8(3)
      .U32(5);
  expected.Raw(SomePlace().session.bytes).U32(7);
  const auto bytes = SomePlace().ForValue();
  EXPECT_EQ(crypto::ToHex(bytes), crypto::ToHex(expected.bytes()));
  EXPECT_EQ(crypto::AsText(ByteView(SomePlace().ForWrap()).first(16)), "sealbook-wrap--1");
  EXPECT_EQ(crypto::ToHex(ByteView(SomePlace().ForWrap()).subspan(16)),
            crypto::ToHex(ByteView(bytes).subspan(16)));
}

TEST(PlaceTest, DiffersInEachComponent) {
  std::vector<Place> places(20, SomePlace());
  places[1].vault[0] ^= 1;
  places[2].vault[15] ^= 1;
  places[3].contact = 3;
  places[4].contact = std::int64_t{2} << 32;
  places[5].contact = -2;
  places[6].token = 2;
  places[7].token = std::int64_t{3} << 40;
  std::swap(places[8].contact, places[8].token);
  places[9].class_id = ClassId::kMasked;
  places[10].class_id = ClassId::kAudit;
  places[11].revision = 6;
  places[12].revision = 5u << 24;
  places[13].session.bytes[0] ^= 1;
  places[14].session.bytes[31] ^= 1;
  places[15].book = kRootBook;
  places[16].book = BookId{7u << 24};
  places[17].revision = 7;
  places[17].book = BookId{5};
  places[18].contact = 0;
  places[19].token = 0;
  std::set<std::string> seen;
  for (const Place& place : places) {
    seen.insert(crypto::ToHex(place.ForValue()));
    seen.insert(crypto::ToHex(place.ForWrap()));
  }
  EXPECT_EQ(seen.size(), 2 * places.size());
}

}  // namespace
}  // namespace sealbook::records
