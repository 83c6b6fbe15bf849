#include "vault/audit/receipt.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_replace.h"

namespace sealbook::audit {
namespace {

using ::testing::HasSubstr;

class ReceiptTest : public ::testing::Test {
 protected:
  ReceiptTest() : signing_(crypto::SigningPair::Generate()) {
    receipt_ = {.kind = "export",
                .id = {},
                .vault = {},
                .time = absl::FromUnixSeconds(1'700'000'000),
                .member = MemberId{7},
                .key = signing_.verify_key(),
                .facts = {{"rows", "12"}, {"approved_by", "aa"}, {"approved_by", "bb"}}};
    receipt_.id.fill(0xab);
    receipt_.vault.fill(0x01);
    text_ = receipt_.Sign(signing_);
  }
  absl::StatusOr<Receipt> Verify(const std::string& text) const {
    return Receipt::Verify(text, signing_.verify_key());
  }

  crypto::SigningPair signing_;
  Receipt receipt_;
  std::string text_;
};

TEST_F(ReceiptTest, SaysWhatWasSigned) {
  const auto receipt = Verify(text_);
  ASSERT_TRUE(receipt.ok()) << receipt.status();
  EXPECT_EQ(receipt->kind, "export");
  EXPECT_EQ(receipt->id, receipt_.id);
  EXPECT_EQ(receipt->vault, receipt_.vault);
  EXPECT_EQ(receipt->time, receipt_.time);
  EXPECT_EQ(receipt->member, MemberId{7});
  EXPECT_EQ(receipt->key, signing_.verify_key());
  EXPECT_EQ(receipt->facts, receipt_.facts);
  EXPECT_EQ(*receipt->Find("rows"), "12");
  EXPECT_EQ(receipt->Find("columns"), nullptr);
}

TEST_F(ReceiptTest, IsReadableText) {
  EXPECT_THAT(text_,
              HasSubstr("Sealbook receipt 1\nkind: export\nid: abababababababababababababab"));
  EXPECT_THAT(text_, HasSubstr("\ntime: 2023-11-14T22:13:20Z\nmember: 7\nkey: "));
  EXPECT_THAT(text_, HasSubstr("\nrows: 12\napproved_by: aa\napproved_by: bb\nsignature: "));
}

// Whatever byte is changed, added or taken away: never a receipt that counts.
TEST_F(ReceiptTest, EveryChangedByteIsSeen) {
  for (std::size_t i = 0; i < text_.size(); ++i) {
    std::string changed = text_;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    EXPECT_FALSE(Verify(changed).ok()) << i;
    EXPECT_FALSE(Verify(text_.substr(0, i)).ok()) << i;
  }
  EXPECT_FALSE(Verify(text_ + "\n").ok());
  EXPECT_FALSE(Verify(text_ + text_).ok());
  EXPECT_FALSE(Verify("rows: 13\n" + text_).ok());
}

TEST_F(ReceiptTest, AnotherNumberOfRowsIsDataLoss) {
  EXPECT_TRUE(
      absl::IsDataLoss(Verify(absl::StrReplaceAll(text_, {{"rows: 12", "rows: 13"}})).status()));
}

// A receipt names a key itself; only the reader's own counts.
TEST_F(ReceiptTest, SignedByAnotherIsDataLoss) {
  const crypto::SigningPair forger = crypto::SigningPair::Generate();
  Receipt forged = receipt_;
  forged.key = forger.verify_key();
  EXPECT_TRUE(absl::IsDataLoss(Verify(forged.Sign(forger)).status()));
  // Nor where it names the right one and another signed.
  EXPECT_TRUE(absl::IsDataLoss(Verify(receipt_.Sign(forger)).status()));
}

TEST_F(ReceiptTest, WhatIsNoReceiptIsInvalid) {
  for (const char* text :
       {"", "\n", "Sealbook receipt 1\n", "signature: AAAA\n", "x\nsignature: \n"})
    EXPECT_TRUE(absl::IsInvalidArgument(Verify(text).status())) << text;
}

}  // namespace
}  // namespace sealbook::audit
