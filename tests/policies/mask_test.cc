// What a mask shows, of whole values and of garbage. Each case names the rendering, so that a
// reader sees what an agent sees; kNothing is a value that is hidden.
#include "policies/mask.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/policies/policy_text.h"

namespace sealbook::policies {
namespace {

constexpr char kNothing[] = "(hidden)";

std::string Shown(MaskRule rule, absl::string_view value) {
  return Mask(rule, value).value_or(kNothing);
}
std::string Phone(absl::string_view value) { return Shown(MaskRule::kPhone, value); }
std::string Email(absl::string_view value) { return Shown(MaskRule::kEmail, value); }
std::string Last4(absl::string_view value) { return Shown(MaskRule::kLast4, value); }

TEST(PhoneMaskTest, ShowsCountryFirstDigitsAndLastFour) {
  EXPECT_EQ(Phone("+821012345678"), "+82 10-****-5678");    // Korea
  EXPECT_EQ(Phone("+8613800138000"), "+86 138-****-8000");  // China
  EXPECT_EQ(Phone("+12125550123"), "+1 21-****-0123");      // United States
  EXPECT_EQ(Phone("+447911123456"), "+44 79-****-3456");    // United Kingdom
  EXPECT_EQ(Phone("+4915112345678"), "+49 151-****-5678");  // Germany
  EXPECT_EQ(Phone("+5511912345678"), "+55 119-****-5678");  // Brazil
  EXPECT_EQ(Phone("+919876543210"), "+91 98-****-3210");    // India
  EXPECT_EQ(Phone("+79161234567"), "+7 91-****-4567");      // Russia
  EXPECT_EQ(Phone("+33612345678"), "+33 6-****-5678");      // France
  EXPECT_EQ(Phone("+6591234567"), "+65 ****-4567");         // Singapore, eight digits
  EXPECT_EQ(Phone("+85291234567"), "+852 ****-4567");       // Hong Kong
  EXPECT_EQ(Phone("+886912345678"), "+886 9-****-5678");    // Taiwan
  EXPECT_EQ(Phone("+971501234567"), "+971 5-****-4567");    // United Arab Emirates
  EXPECT_EQ(Phone("+2348012345678"), "+234 80-****-5678");  // Nigeria
  EXPECT_EQ(Phone("+390612345678"), "+39 06-****-5678");    // Italy keeps its zero
}

TEST(PhoneMaskTest, ShowsTwoDigitsOfAShortNumber) {
  EXPECT_EQ(Phone("+3725123456"), "+372 ****56");  // Estonia, seven digits
  EXPECT_EQ(Phone("+3545551234"), "+354 ****34");  // Iceland
  EXPECT_EQ(Phone("+6834002"), "+683 ****02");     // Niue, four digits
  EXPECT_EQ(Phone("+2907123"), "+290 ****23");
}

TEST(PhoneMaskTest, LongestNumberShowsNoMore) {
  EXPECT_EQ(Phone("+491234567890123"), "+49 123-****-0123");
}

TEST(PhoneMaskTest, HidesAtLeastHalfOfAShortNumberAndFourDigitsOfAnother) {
  for (const std::string code : {"1", "7", "82", "44", "852", "971"}) {
    for (std::size_t length = 4; code.size() + length <= 15; ++length) {
      if (code.size() + length < 7) continue;
      std::string national;
      for (std::size_t i = 0; i < length; ++i)
        national.push_back(static_cast<char>('0' + (i * 7 + 3) % 10));
      const std::string masked = Phone("+" + code + national);
      ASSERT_NE(masked, kNothing) << code << " " << length;
      EXPECT_EQ(masked.rfind("+" + code + " ", 0), 0u) << masked;
      std::size_t shown = 0;
      for (const char c : masked.substr(code.size() + 2)) shown += c >= '0' && c <= '9';
      EXPECT_GE(length - shown, length < 8 ? (length + 1) / 2 : 4) << masked;
      EXPECT_NE(masked.find("****"), std::string::npos);
      EXPECT_EQ(masked.find(national), std::string::npos);
    }
  }
}

TEST(PhoneMaskTest, WhatIsNoPhoneNumberIsHidden) {
  for (const absl::string_view value : {"",
                                        "+",
                                        "+1",
                                        "+12345",
                                        "+123456",
                                        "110",
                                        "821012345678",
                                        "010-1234-5678",
                                        "+82 10-1234-5678",
                                        "+82-10-1234-5678",
                                        "+8210123456 7",
                                        "+8210-1234-567",
                                        "+82101234567a",
                                        "++821012345678",
                                        "+8210123456789012",
                                        "+821012345678;ext=12",
                                        "tel:+821012345678",
                                        "＋821012345678",
                                        "+８２１０１２３４５６７８",
                                        "+82101234\n5678",
                                        "unknown",
                                        "Mina Kim",
                                        "mina@example.com",
                                        "+0821012345678",
                                        "+8613800138000+8613900139000"}) {
    EXPECT_EQ(Phone(value), kNothing) << value;
  }
  EXPECT_EQ(Phone(absl::string_view("+8210123\0"
                                    "5678",
                                    12)),
            kNothing);
}

TEST(EmailMaskTest, ShowsOneLetterAndTheDomain) {
  EXPECT_EQ(Email("mina@example.com"), "m***@example.com");
  EXPECT_EQ(Email("mina.kim+shop@mail.example.co.kr"), "m***@mail.example.co.kr");
  EXPECT_EQ(Email("ab@example.com"), "a***@example.com");
  EXPECT_EQ(Email("x@xn--fsqu00a.xn--0zwm56d"), "***@xn--fsqu00a.xn--0zwm56d");
}

TEST(EmailMaskTest, ShowsNothingOfAOneLetterName) {
  EXPECT_EQ(Email("m@example.com"), "***@example.com");
  EXPECT_EQ(Email("민@example.com"), "***@example.com");
}

TEST(EmailMaskTest, FirstLetterIsAWholeCharacter) {
  EXPECT_EQ(Email("미나@example.com"), "미***@example.com");
  EXPECT_EQ(Email("élodie@example.fr"), "é***@example.fr");
  EXPECT_EQ(Email("😀smile@example.com"), "😀***@example.com");
}

TEST(EmailMaskTest, LastAtSignEndsTheName) {
  EXPECT_EQ(Email("\"mina@home\"@example.com"), "\"***@example.com");
  EXPECT_EQ(Email("mina@example.com, jin@example.org"), "m***@example.org");
}

TEST(EmailMaskTest, WhatIsNoAddressIsHidden) {
  for (const absl::string_view value :
       {"", "@", "mina", "mina@", "@example.com", "+821012345678", "a@@"}) {
    EXPECT_EQ(Email(value), kNothing) << value;
  }
}

// The domain is shown whole: what people write behind it must not come with it.
TEST(EmailMaskTest, DomainWithAnythingElseIsHidden) {
  for (const absl::string_view value :
       {"mina@example.com 010-1234-5678", "mina@example.com;01012345678",
        "mina@example.com (Mina Kim)", "mina@example.com\n010-1234-5678", "mina@01012345678",
        "mina@82.10.1234.5678", "mina@[10.1.2.3]", "mina@example.com.",
        "mina@example.com　서울시 강남구", "mina@예시.한국", "mina@exam_ple.com",
        "mina@example.com/01012345678"}) {
    EXPECT_EQ(Email(value), kNothing) << value;
  }
}

TEST(Last4MaskTest, ShowsTheLastFourCharacters) {
  EXPECT_EQ(Last4("wa.1234567890"), "****7890");
  EXPECT_EQ(Last4("12345678"), "****5678");
  EXPECT_EQ(Last4("120363041234567890@lid"), "****@lid");
  EXPECT_EQ(Last4("서울의미나공식계정"), "****공식계정");
  EXPECT_EQ(Last4("mina😀😁😂🤣"), "****😀😁😂🤣");
}

TEST(Last4MaskTest, ShowsNothingOfAShortId) {
  for (const absl::string_view value : {"", "1", "1234", "1234567", "미나공식계정임", "ééééééé"}) {
    EXPECT_EQ(Last4(value), kNothing) << value;
  }
}

TEST(MaskTest, HiddenIsHidden) {
  EXPECT_EQ(Shown(MaskRule::kHidden, "+821012345678"), kNothing);
  EXPECT_EQ(Shown(static_cast<MaskRule>(99), "+821012345678"), kNothing);
}

TEST(MaskTest, BytesThatAreNoUtf8DoNotCrashIt) {
  for (const absl::string_view value :
       {"\x80\x80\x80\x80\x80\x80\x80\x80\x80", "\xff\xfe\xfd", "\x80@example.com",
        "\xf0@example.com", "aaaaaaaa\xe2\x82"}) {
    for (const MaskRule rule : {MaskRule::kPhone, MaskRule::kEmail, MaskRule::kLast4}) {
      const std::string shown = Shown(rule, value);
      EXPECT_TRUE(shown == kNothing || shown.find("***") != std::string::npos);
    }
  }
}

TEST(MaskTest, MaskOfAMaskShowsNoMore) {
  EXPECT_EQ(Phone(Phone("+821012345678")), kNothing);
  EXPECT_EQ(Email(Email("mina@example.com")), "m***@example.com");
  EXPECT_EQ(Last4(Last4("wa.1234567890")), "****7890");
}

TEST(MaskedFieldsTest, KeepsNamesAndLeavesOutWhatIsHidden) {
  const records::Fields masked =
      MaskedFields(DefaultPolicy(), {{"phone", "+821012345678"},
                                     {"phone_2", "+12125550123"},
                                     {"phone_3", "ask her mother"},
                                     {"email", "mina@example.com"},
                                     {"whatsapp_id", "KR.1234567890"},
                                     {"jid", "short"},
                                     {"address", "12 Sejong-daero, Seoul"},
                                     {"passport", "M12345678"},
                                     {"", "+821012345678"}});
  EXPECT_EQ(masked, records::Fields({{"phone", "+82 10-****-5678"},
                                     {"phone_2", "+1 21-****-0123"},
                                     {"email", "m***@example.com"},
                                     {"whatsapp_id", "****7890"}}));
}

TEST(MaskedFieldsTest, PolicyWithoutMasksHidesEverything) {
  std::string text = DefaultText();
  const auto masks = text.find("[masks]"), roles = text.find("# scope ");
  ASSERT_TRUE(masks != std::string::npos && roles != std::string::npos);
  const Policy policy = Parsed(text.erase(masks, roles - masks));
  EXPECT_TRUE(
      MaskedFields(policy, {{"phone", "+821012345678"}, {"email", "mina@example.com"}}).empty());
}

TEST(MaskShowsLast4Test, IsTrueForTheShownDigitsOnly) {
  EXPECT_TRUE(MaskShowsLast4("+82 10-****-5678", "5678"));
  EXPECT_TRUE(MaskShowsLast4("****7890", "7890"));
  EXPECT_FALSE(MaskShowsLast4("+82 10-****-5678", "1234"));
  EXPECT_FALSE(MaskShowsLast4("+82 10-****-5678", "678"));
  EXPECT_FALSE(MaskShowsLast4("+82 10-****-5678", "-5678"));
  EXPECT_FALSE(MaskShowsLast4("+82 10-****-5678", ""));
  EXPECT_FALSE(MaskShowsLast4("+372 ****56", "1256"));
  EXPECT_FALSE(MaskShowsLast4("m***@example.com", ".com"));
  EXPECT_FALSE(MaskShowsLast4("+821012345678", "5678"));  // no mask
  EXPECT_FALSE(MaskShowsLast4("", "5678"));
}

}  // namespace
}  // namespace sealbook::policies
