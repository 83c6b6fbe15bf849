#include "vault/crypto/bytes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace sealbook::crypto {
namespace {

using ::testing::ElementsAre;

TEST(HexTest, BytesMakeTheRoundTrip) {
  const Bytes bytes = {0x00, 0x01, 0x7f, 0x80, 0xff};
  EXPECT_EQ(ToHex(bytes), "00017f80ff");
  EXPECT_EQ(FromHex("00017f80ff").value(), bytes);
  EXPECT_EQ(FromHex("00017F80FF").value(), bytes);
  EXPECT_EQ(ToHex({}), "");
  EXPECT_TRUE(FromHex("").value().empty());
}

TEST(HexTest, AnythingElseIsInvalidArgument) {
  for (const char* text : {"0", "000", "0g", "g0", " 00", "00 ", "0 0", "00:00", "0x00"}) {
    EXPECT_EQ(FromHex(text).status().code(), absl::StatusCode::kInvalidArgument) << text;
  }
  EXPECT_FALSE(FromHex(absl::string_view("00\0\0", 4)).ok());
}

// RFC 4648, section 10.
TEST(Base64Test, PublishedVectorsMatch) {
  const std::pair<const char*, const char*> vectors[] = {{"", ""},
                                                         {"f", "Zg=="},
                                                         {"fo", "Zm8="},
                                                         {"foo", "Zm9v"},
                                                         {"foob", "Zm9vYg=="},
                                                         {"fooba", "Zm9vYmE="},
                                                         {"foobar", "Zm9vYmFy"}};
  for (const auto& [clear, encoded] : vectors) {
    EXPECT_EQ(ToBase64(AsBytes(clear)), encoded);
    const absl::StatusOr<Bytes> decoded = FromBase64(encoded);
    ASSERT_TRUE(decoded.ok()) << encoded;
    EXPECT_EQ(AsText(*decoded), clear);
  }
}

TEST(Base64Test, AnythingElseIsInvalidArgument) {
  for (const char* text : {"Zg", "Zg=", "Zg===", "Z", "Zm9v=", "Zm9v Zm9v", "Zm9v\n", "Zm9-",
                           "Zm9_", "=", "====", "Zh==", "Zm9="}) {
    EXPECT_EQ(FromBase64(text).status().code(), absl::StatusCode::kInvalidArgument) << text;
  }
}

// Every character at every place: what decodes is what those bytes are written as.
TEST(Base64Test, NoTwoTextsAreTheSameBytes) {
  for (const std::string text : {"+/+/", "Zm9vYg==", "Zm9vYmE="}) {
    for (std::size_t at = 0; at < text.size(); ++at) {
      for (int character = 0; character < 256; ++character) {
        std::string other = text;
        other[at] = static_cast<char>(character);
        const absl::StatusOr<Bytes> decoded = FromBase64(other);
        if (decoded.ok()) {
          EXPECT_EQ(ToBase64(*decoded), other);
        }
      }
    }
  }
}

TEST(ByteWriterTest, IntegersAreBigEndianAndLengthsStandFirst) {
  ByteWriter writer;
  writer.U8(0x01).U16(0x0203).U32(0x04050607).U64(0x08090a0b0c0d0e0f).Raw(Bytes{0xaa}).Text("hi");
  EXPECT_EQ(ToHex(writer.bytes()), "0102030405060708090a0b0c0d0e0faa000000026869");
}

TEST(ByteReaderTest, ReadsWhatWasWritten) {
  ByteWriter writer;
  writer.U8(1).U16(0xfffe).U32(0xfffffffd).U64(0xfffffffffffffffc);
  writer.Variable(Bytes{9, 8}).Text("").Raw(Bytes{1, 2, 3});
  ByteReader reader(writer.bytes());
  EXPECT_EQ(reader.U8(), 1);
  EXPECT_EQ(reader.U16(), 0xfffe);
  EXPECT_EQ(reader.U32(), 0xfffffffdU);
  EXPECT_EQ(reader.U64(), 0xfffffffffffffffcU);
  EXPECT_THAT(reader.Variable(), ElementsAre(9, 8));
  EXPECT_EQ(reader.Text(), "");
  EXPECT_THAT(reader.Array<3>(), ElementsAre(1, 2, 3));
  EXPECT_TRUE(reader.Finish("a thing").ok());
}

TEST(ByteReaderTest, EveryTruncationIsDataLoss) {
  ByteWriter writer;
  writer.U16(7).U64(1).Text("three").U32(5);
  const Bytes whole = writer.Take();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    ByteReader reader(ByteView(whole).first(size));
    reader.U16();
    reader.U64();
    reader.Text();
    reader.U32();
    EXPECT_EQ(reader.Finish("a thing").code(), absl::StatusCode::kDataLoss) << size;
  }
}

TEST(ByteReaderTest, LeftOverBytesAreDataLoss) {
  const Bytes bytes = {0, 1, 2};
  ByteReader reader(bytes);
  EXPECT_EQ(reader.U16(), 1);
  EXPECT_EQ(reader.Finish("a thing").code(), absl::StatusCode::kDataLoss);
}

TEST(ByteReaderTest, AfterAReadPastTheEndEverythingIsZero) {
  const Bytes bytes = {0xff, 0xff, 0xff};
  ByteReader reader(bytes);
  EXPECT_EQ(reader.U32(), 0U);
  EXPECT_FALSE(reader.ok());
  // The three bytes are there, and must not be taken for something else now.
  EXPECT_EQ(reader.U8(), 0);
  EXPECT_EQ(reader.U64(), 0U);
  EXPECT_TRUE(reader.Variable().empty());
  EXPECT_EQ(reader.Text(), "");
  EXPECT_THAT(reader.Array<2>(), ElementsAre(0, 0));
  EXPECT_EQ(reader.Count(1), 0U);
  EXPECT_TRUE(reader.rest().empty());
}

TEST(ByteReaderTest, HostileLengthsFail) {
  for (const char* hex : {"ffffffff", "ffffffff00", "00000002aa", "7fffffff0000"}) {
    const Bytes bytes = FromHex(hex).value();
    ByteReader reader(bytes);
    EXPECT_TRUE(reader.Variable().empty()) << hex;
    EXPECT_FALSE(reader.ok()) << hex;
  }
}

TEST(ByteReaderTest, CountsBeyondTheRestFail) {
  const Bytes two_items = FromHex("00000002aaaaaaaabbbbbbbb").value();
  ByteReader fits(two_items);
  EXPECT_EQ(fits.Count(4), 2U);
  EXPECT_TRUE(fits.ok());

  for (const std::size_t item_bytes : {std::size_t{5}, std::size_t{1} << 31, SIZE_MAX}) {
    ByteReader reader(two_items);
    EXPECT_EQ(reader.Count(item_bytes), 0U) << item_bytes;
    EXPECT_FALSE(reader.ok()) << item_bytes;
  }
  const Bytes many = FromHex("ffffffff0000").value();
  // Items of no size must not turn four bytes into four thousand million rounds.
  for (const std::size_t item_bytes : {std::size_t{0}, std::size_t{1}, std::size_t{1} << 32}) {
    ByteReader reader(many);
    EXPECT_EQ(reader.Count(item_bytes), 0U) << item_bytes;
    EXPECT_FALSE(reader.ok()) << item_bytes;
  }
}

}  // namespace
}  // namespace sealbook::crypto
