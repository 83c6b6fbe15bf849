#include "vault/records/token.h"

#include <gtest/gtest.h>

#include <limits>
#include <set>

#include "absl/strings/str_cat.h"

namespace sealbook::records {
namespace {

std::vector<std::int64_t> SomeTokens() {
  std::vector<std::int64_t> tokens;
  for (int digits = kTokenDigits; digits <= kMaxTokenDigits; ++digits) {
    for (int i = 0; i < 50; ++i) tokens.push_back(MakeToken(digits));
  }
  return tokens;
}

TEST(TokenTest, ComesBackAsItWasWritten) {
  for (const std::int64_t token : SomeTokens()) {
    const std::string text = FormatToken(token);
    EXPECT_EQ(text, absl::StrCat("UID_", token));
    const auto parsed = ParseToken(text);
    ASSERT_TRUE(parsed.ok()) << text << parsed.status();
    EXPECT_EQ(*parsed, token);
    EXPECT_TRUE(LooksLikeToken(text));
  }
}

TEST(TokenTest, CheckDigitIsDamms) {
  // 572 has the check digit 4, the example published with the table. Behind a right token, whose
  // digits bring the interim digit back to 0, it is checked as if it stood alone.
  const std::string front = absl::StrCat("UID_", MakeToken(kTokenDigits));
  for (int last = 0; last < 10; ++last) {
    EXPECT_EQ(ParseToken(absl::StrCat(front, "572", last)).ok(), last == 4) << last;
  }
  int right = 0;
  for (int last = 0; last < 10; ++last) {
    if (ParseToken(absl::StrCat("UID_283747019", last)).ok()) ++right;
  }
  EXPECT_EQ(right, 1);
}

TEST(TokenTest, EverySingleWrongDigitIsCaught) {
  for (const std::int64_t token : SomeTokens()) {
    const std::string text = FormatToken(token);
    for (std::size_t at = kTokenPrefix.size(); at < text.size(); ++at) {
      for (char digit = '0'; digit <= '9'; ++digit) {
        if (digit == text[at]) continue;
        std::string wrong = text;
        wrong[at] = digit;
        ASSERT_TRUE(absl::IsInvalidArgument(ParseToken(wrong).status())) << text << " " << wrong;
        ASSERT_TRUE(LooksLikeToken(wrong));
      }
    }
  }
}

TEST(TokenTest, EverySwapOfNeighboursIsCaught) {
  int swaps = 0;
  for (const std::int64_t token : SomeTokens()) {
    const std::string text = FormatToken(token);
    for (std::size_t at = kTokenPrefix.size(); at + 1 < text.size(); ++at) {
      if (text[at] == text[at + 1]) continue;
      std::string wrong = text;
      std::swap(wrong[at], wrong[at + 1]);
      ASSERT_TRUE(absl::IsInvalidArgument(ParseToken(wrong).status())) << text << " " << wrong;
      ++swaps;
    }
  }
  EXPECT_GT(swaps, 1000);
}

TEST(TokenTest, HasAsManyDigitsAsWereAskedForAndNoLeadingZero) {
  for (int digits = kTokenDigits; digits <= kMaxTokenDigits; ++digits) {
    std::set<char> first;
    for (int i = 0; i < 300; ++i) {
      const std::string text = absl::StrCat(MakeToken(digits));
      ASSERT_EQ(text.size(), static_cast<std::size_t>(digits));
      first.insert(text[0]);
    }
    EXPECT_EQ(first.size(), 9u) << digits;  // 1 to 9, each of them
    EXPECT_FALSE(first.contains('0'));
  }
}

TEST(TokenTest, TwoAreHardlyEverTheSame) {
  std::set<std::int64_t> tokens;
  for (int i = 0; i < 1000; ++i) tokens.insert(MakeToken(kMaxTokenDigits));
  EXPECT_EQ(tokens.size(), 1000u);
}

TEST(TokenTest, PrefixInAnyCase) {
  const std::int64_t token = MakeToken(10);
  for (const char* prefix : {"UID_", "uid_", "Uid_", "uID_"}) {
    EXPECT_EQ(*ParseToken(absl::StrCat(prefix, token)), token) << prefix;
  }
}

TEST(TokenTest, OtherTextIsNoToken) {
  const std::string digits = absl::StrCat(MakeToken(10));
  for (const std::string& text :
       {std::string(), std::string("UID_"), std::string("UID"), digits, "UID-" + digits,
        "UID_ " + digits, "UID_" + digits + " ", " UID_" + digits, "UID_+" + digits,
        "UID_-" + digits, "UID_" + digits + "\n", "UID_" + digits.substr(0, 9) + "x",
        "UID_" + std::string(1, '\0') + digits,
        std::string("UID_\xd9\xa1\xd9\xa2\xd9\xa3\xd9\xa4\xd9\xa5\xd9\xa6\xd9\xa7")}) {
    EXPECT_FALSE(LooksLikeToken(text)) << text;
    EXPECT_TRUE(absl::IsInvalidArgument(ParseToken(text).status())) << text;
  }
}

TEST(TokenTest, TooShortTooLongOrLeadingZeroIsMistyped) {
  // All of them have a right check digit: 0 is that of 0, and of everything that ends in one.
  for (const std::string& digits :
       {std::string("0"), std::string(10, '0'), std::string(18, '0'), std::string(19, '0'),
        std::string(100, '0'), "0" + absl::StrCat(MakeToken(10)), std::string("5724")}) {
    EXPECT_TRUE(LooksLikeToken("UID_" + digits));
    EXPECT_TRUE(absl::IsInvalidArgument(ParseToken("UID_" + digits).status())) << digits;
  }
  // A zero after a right token is right again: the shape alone bounds the length.
  const std::string longest = absl::StrCat(MakeToken(kMaxTokenDigits));
  EXPECT_TRUE(ParseToken("UID_" + longest).ok());
  EXPECT_TRUE(absl::IsInvalidArgument(ParseToken("UID_" + longest + "0").status()));
}

TEST(TokenTest, NewTokensGrowByADigitWithEachPercentTaken) {
  EXPECT_EQ(TokenDigitsFor(0), 10);
  EXPECT_EQ(TokenDigitsFor(8'999'999), 10);  // nine hundred million tokens of ten digits
  EXPECT_EQ(TokenDigitsFor(9'000'000), 11);
  EXPECT_EQ(TokenDigitsFor(89'999'999), 11);
  EXPECT_EQ(TokenDigitsFor(90'000'000), 12);
  EXPECT_EQ(TokenDigitsFor(std::numeric_limits<std::int64_t>::max()), kMaxTokenDigits);
}

}  // namespace
}  // namespace sealbook::records
