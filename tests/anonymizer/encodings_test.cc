#include "anonymizer/encodings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "tests/support/encodings.h"
#include "vault/status.h"

namespace sealbook::anonymizer {
namespace {

using testing::Encode;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr Encoding kAll[] = {Encoding::kUtf8,  Encoding::kUtf16Le,    Encoding::kUtf16Be,
                             Encoding::kCp949, Encoding::kGbk,        Encoding::kGb18030,
                             Encoding::kBig5,  Encoding::kWindows1252};

// What every one of these encodings has letters for.
absl::string_view TextFor(Encoding encoding) {
  switch (encoding) {
    case Encoding::kCp949:
      return "이름,전화\r\n똠방각하,010\n뷁쌰,펲시콜라|x\"\n";
    case Encoding::kGbk:
    case Encoding::kBig5:
      return "姓名,地址\r\n王小明,台北市\n林中,一二三|x\"\n";
    case Encoding::kGb18030:
      return "姓名,地址\r\n王小明,㐀㐁\n𠀀𠮷,한글é|x\"\n";
    case Encoding::kWindows1252:
      return "Straße,Noël\r\n€ “œ” ÿ\n";
    default:
      return "이름,姓名\r\n😀é,\n";
  }
}

void ExpectDetected(absl::string_view text, Encoding encoding) {
  const auto found = DetectEncoding(Encode(text, encoding, false));
  ASSERT_TRUE(found.ok()) << NameOf(encoding) << ": " << found.status() << "\n" << text;
  EXPECT_EQ(NameOf(*found), NameOf(encoding)) << text;
}

void ExpectNotTold(absl::string_view bytes, const std::vector<std::string>& words) {
  const auto found = DetectEncoding(bytes);
  ASSERT_TRUE(absl::IsInvalidArgument(found.status())) << NameOf(found.value_or(Encoding::kUtf8));
  for (const std::string& word : words)
    EXPECT_THAT(std::string(found.status().message()), HasSubstr(word));
  EXPECT_THAT(HintOf(found.status()), Not(IsEmpty()));
}

TEST(EncodingTest, NamesAreReadAsPeopleWriteThem) {
  const std::pair<const char*, Encoding> names[] = {{"UTF-8", Encoding::kUtf8},
                                                    {"utf8", Encoding::kUtf8},
                                                    {"utf_16", Encoding::kUtf16Le},
                                                    {"UTF-16BE", Encoding::kUtf16Be},
                                                    {"EUC-KR", Encoding::kCp949},
                                                    {"euc_kr", Encoding::kCp949},
                                                    {"ks_c_5601-1987", Encoding::kCp949},
                                                    {"KS_C_5601_1987", Encoding::kCp949},
                                                    {"UHC", Encoding::kCp949},
                                                    {"ms949", Encoding::kCp949},
                                                    {"x-windows-949", Encoding::kCp949},
                                                    {"CP936", Encoding::kGbk},
                                                    {"gb2312", Encoding::kGbk},
                                                    {"GB18030", Encoding::kGb18030},
                                                    {"gb_18030", Encoding::kGb18030},
                                                    {"Big5-HKSCS", Encoding::kBig5},
                                                    {"cp950", Encoding::kBig5},
                                                    {"Latin1", Encoding::kWindows1252},
                                                    {"ISO-8859-1", Encoding::kWindows1252},
                                                    {"iso_8859_1", Encoding::kWindows1252},
                                                    {" cp1252 ", Encoding::kWindows1252}};
  for (const auto& [name, encoding] : names) {
    const auto parsed = ParseEncoding(name);
    ASSERT_TRUE(parsed.ok()) << name;
    EXPECT_EQ(*parsed, encoding) << name;
  }
  for (const Encoding encoding : kAll) {
    EXPECT_EQ(ParseEncoding(NameOf(encoding)).value(), encoding);
    EXPECT_EQ(ParseEncoding(TitleOf(encoding)).value(), encoding);
  }
  for (const char* name : {"", "ebcdic", "shift_jis", "iso-8859-2", "utf-7", "utf-32"}) {
    const auto parsed = ParseEncoding(name);
    EXPECT_TRUE(absl::IsInvalidArgument(parsed.status())) << name;
    for (const Encoding encoding : kAll)
      EXPECT_THAT(HintOf(parsed.status()), HasSubstr(std::string(NameOf(encoding))));
  }
}

TEST(DecoderTest, EveryLetterComesThroughWhereverItIsCut) {
  for (const Encoding encoding : kAll) {
    SCOPED_TRACE(NameOf(encoding));
    const absl::string_view text = TextFor(encoding);
    const std::string bytes = Encode(text, encoding, false);
    EXPECT_EQ(ToUtf8(bytes, encoding), std::string(text));
    EXPECT_EQ(ToEscapedUtf8(bytes, encoding), text);
    for (std::size_t piece = 1; piece <= bytes.size(); ++piece) {
      Decoder decoder(encoding);
      std::string out;
      for (std::size_t at = 0; at < bytes.size(); at += piece)
        decoder.Decode(absl::string_view(bytes).substr(at, piece), at + piece >= bytes.size(), out);
      EXPECT_EQ(out, text) << piece;
    }
  }
}

TEST(DecoderTest, EverySyllableIsInCp949) {
  std::string text;
  for (unsigned c = 0xac00; c <= 0xd7a3; ++c) {
    text += static_cast<char>(0xe0 | c >> 12);
    text += static_cast<char>(0x80 | (c >> 6 & 63));
    text += static_cast<char>(0x80 | (c & 63));
  }
  const std::string bytes = Encode(text, Encoding::kCp949, false);
  EXPECT_EQ(bytes.size(), 2u * 11172);
  EXPECT_EQ(ToUtf8(bytes, Encoding::kCp949), text);
}

TEST(DecoderTest, WhatIsNoTextIsOneByteAndTakesNoAsciiAlong) {
  const struct {
    Encoding encoding;
    absl::string_view bytes, decoded, escaped;
  } cases[] = {
      {Encoding::kCp949, "\xb1\xe8\xb0,\xb0\n\xb0", "김\xff,\xff\n\xff", "김\\xB0,\\xB0\n\\xB0"},
      {Encoding::kCp949, "\xc9\xa1\x80\xff", "\xff\xff\xff", "\\xC9\\xA1\\x80\\xFF"},
      {Encoding::kCp949, "\xb0\"x\"", "\xff\"x\"", "\\xB0\"x\""},
      {Encoding::kGbk, "\x80\xff,\xd6;", "€\xff,\xff;", "€\\xFF,\\xD6;"},
      {Encoding::kGbk, "\xaa\xa1\t", "\xff\t", "\\xAA\\xA1\t"},
      {Encoding::kGb18030, "\x81\x30,\x81\x30\x81\n\x81\x30\x81",
       "\xff"
       "0,\xff"
       "0\xff\n\xff"
       "0\xff",
       "\\x810,\\x810\\x81\n\\x810\\x81"},
      {Encoding::kGb18030, "\x84\x31\xa5\x30",
       "\xff"
       "1\xff"
       "0",
       "\\x841\\xA50"},
      {Encoding::kBig5, "\xa4,\xff\xa4\n", "\xff,\xff\xff\n", "\\xA4,\\xFF\\xA4\n"},
      {Encoding::kWindows1252, "\x81\x8d\x8f\x90\x9d.", "\xff\xff\xff\xff\xff.",
       "\\x81\\x8D\\x8F\\x90\\x9D."},
      {Encoding::kUtf8, "\xea\xb0,\xed\xa0\x80;\xc0\xaf", "\xff,\xff\xff\xff;\xff\xff",
       "\\xEA\\xB0,\\xED\\xA0\\x80;\\xC0\\xAF"},
      {Encoding::kUtf16Le, absl::string_view("a\0\x3d\xd8,\0\0\xdcx", 9), "a\xff,\xff\xff",
       "a\\x3D\\xD8,\\x00\\xDC\\x78"},
  };
  for (const auto& one : cases) {
    SCOPED_TRACE(absl::StrCat(NameOf(one.encoding), " ", one.escaped));
    EXPECT_EQ(ToUtf8(one.bytes, one.encoding), std::nullopt);
    EXPECT_EQ(ToEscapedUtf8(one.bytes, one.encoding), one.escaped);
    for (std::size_t cut = 0; cut <= one.bytes.size(); ++cut) {
      Decoder decoder(one.encoding);
      std::string out;
      decoder.Decode(one.bytes.substr(0, cut), false, out);
      decoder.Decode(one.bytes.substr(cut), true, out);
      EXPECT_EQ(out, one.decoded) << cut;
    }
  }
}

TEST(DetectEncodingTest, SmallListsAreTold) {
  for (const absl::string_view text :
       {"이름,연락처\n김하나,010-1234-5678\n이두리,010-1234-5679\n박세찬,010-1234-5670\n",
        "name,phone\n김하나,010-1234-5678\n이두리,010-1234-5679\n박세찬,010-1234-5670\n",
        "최민수,010-1234-5678\n정유진,010-1234-5679\n한지민,010-1234-5670\n",
        "고객명;주소;메모\n남궁민;서울특별시 강남구 역삼동 1;단골, 예약 문의\n",
        "{\"이름\":\"김하나\",\"전화\":\"010-1234-5678\"}\n", "이름|전화\n김하나|010-1234-5678\n",
        "이름\t전화\r김하나\t010-1234-5678\r"}) {
    ExpectDetected(text, Encoding::kCp949);
    ExpectDetected(text, Encoding::kUtf8);
    ExpectDetected(text, Encoding::kUtf16Le);
    ExpectDetected(text, Encoding::kUtf16Be);
  }
  for (const absl::string_view text :
       {"姓名,手机\n王伟,13812345678\n李娜,13812345679\n张秀英,13812345670\n",
        "name,phone\n王伟,13812345678\n李娜,13812345679\n张秀英,13812345670\n",
        "刘洋,13812345678\n陈静,13812345679\n杨勇,13812345670\n",
        "收货人姓名,联系电话,收货地址\n赵敏,138,北京市朝阳区建国路1号\n",
        "收货人姓名|联系电话\n赵敏|13812345678\n"}) {
    ExpectDetected(text, Encoding::kGbk);
    ExpectDetected(text, Encoding::kUtf8);
    ExpectDetected(text, Encoding::kUtf16Le);
  }
  ExpectDetected("姓名,手机\n王伟,1\n李㐀,2\n张𠮷英,3\n", Encoding::kGb18030);
  for (const absl::string_view text :
       {"姓名,電話\n陳怡君,0912345678\n林志明,0912345679\n黃淑芬,0912345670\n",
        "name,phone\n陳怡君,0912345678\n林志明,0912345679\n黃淑芬,0912345670\n",
        "張家豪,0912345678\n李美玲,0912345679\n王建國,0912345670\n",
        "客戶姓名,地址,備註\n吳,臺北市信義區松仁路1號,常客\n"}) {
    ExpectDetected(text, Encoding::kBig5);
    ExpectDetected(text, Encoding::kUtf8);
  }
  // Traditional letters, written where simplified ones are usual.
  ExpectDetected("姓名,電話\n陳怡君,0912345678\n林志明,0912345679\n黃淑芬,0912345670\n",
                 Encoding::kGbk);
  for (const absl::string_view text :
       {"name,phone\nJosé García,600123456\nMaría Núñez,600123457\n",
        "Vorname,Straße\nJürgen,Müllerstraße 1\nKäthe,Schönhauser Allee 2\n",
        "nom,ville\nHélène,Orléans\nFrançois,Besançon\n",
        "nome,cidade\nJoão,São Paulo\nConceição,Maringá\n",
        "navn,by\nSøren,Ærøskøbing\nÅse,Tromsø\n"}) {
    ExpectDetected(text, Encoding::kWindows1252);
    ExpectDetected(text, Encoding::kUtf8);
  }
  ExpectDetected("name,phone\nsomebody,1\n", Encoding::kUtf8);
}

TEST(DetectEncodingTest, TheMajorityOfCellsDecides) {
  const std::string korean =
      "이름,연락처\n김하나,1\n이두리,2\n박세찬,3\n최민수,4\n정유진,5\n한지민,6\n";
  const std::string few = "오나라,7\n장보고,8\n";
  for (const auto& [main, other] : {std::pair(Encoding::kCp949, Encoding::kUtf8),
                                    std::pair(Encoding::kUtf8, Encoding::kCp949)}) {
    const auto found = DetectEncoding(Encode(korean, main, false) + Encode(few, other, false));
    ASSERT_TRUE(found.ok()) << found.status();
    EXPECT_EQ(*found, main);
  }
  // Broken bytes, and a letter that the end of the sample cuts.
  const std::string bytes = Encode(korean, Encoding::kCp949, false);
  for (const absl::string_view broken : {"\xff\xfe,7\n", "\xb0,8\n\x80\x80,9\n", "\xb1"}) {
    const auto found = DetectEncoding(bytes + std::string(broken));
    ASSERT_TRUE(found.ok()) << found.status();
    EXPECT_EQ(*found, Encoding::kCp949);
  }
  const std::string utf8(korean.substr(0, korean.size() - 2));
  for (std::size_t size = utf8.size() - 8; size < utf8.size(); ++size)
    EXPECT_EQ(DetectEncoding(absl::string_view(utf8).substr(0, size)).value(), Encoding::kUtf8);
}

TEST(DetectEncodingTest, WhatCannotBeToldIsRefusedAndNamesTheCandidates) {
  // One letter that is a name in both.
  ExpectNotTold("name,phone\n\xc0\xee,1\n", {"may be in", "CP949", "GBK"});
  const auto found = DetectEncoding("name,phone\n\xc0\xee,1\n");
  EXPECT_THAT(HintOf(found.status()), HasSubstr("--encoding cp949"));
  EXPECT_THAT(HintOf(found.status()), HasSubstr("--encoding gbk"));
  EXPECT_THAT(HintOf(found.status()), HasSubstr("--dry-run"));
}

TEST(DetectEncodingTest, WhatIsNotReadIsRefusedByItsName) {
  // "氏名,電話" and three names; "Имя" and three names; "imię" and two names.
  ExpectNotTold(
      "\x8e\x81\x96\xbc,\x93\x64\x98\x62\n\x8d\xb2\x93\xa1\x8c\xb3,1\n\x97\xe9\x96\xd8\x88\xea,2\n",
      {"Shift_JIS"});
  ExpectNotTold(
      "name,phone\n\xba\xb4\xc6\xa3\xb8\xb5,1\n\xce\xeb\xcc\xda\xb0\xec,2\n"
      "\xc5\xc4\xc3\xe6\xb7\xf2,3\n",
      {"EUC-JP"});
  ExpectNotTold(
      "\xc8\xec\xff,\xf2\xe5\xeb\xe5\xf4\xee\xed\n\xc8\xe2\xe0\xed,1\n\xce\xeb\xfc\xe3\xe0,2\n",
      {"Windows-1251"});
  ExpectNotTold(
      "imi\xea,miasto\nPawe\xb3 Wa\xb3\xeasa,Gda\xf1sk\nMa\xb3gorzata,\xa3\xf3"
      "d\x9f\n",
      {"Windows-1250"});
  std::string noise;
  unsigned state = 1;
  for (int i = 0; i < 5000; ++i) {
    state = state * 1664525 + 1013904223;
    noise += static_cast<char>(state >> 24 | 1);
  }
  ExpectNotTold(noise, {});
}

TEST(DetectEncodingTest, FewStrayBytesInAsciiAreFaultsOfTheirLines) {
  const auto found = DetectEncoding("name,phone\na,1\nb,2\nc\x81\xff\x8d\x9d\xff,3\nd,4\n");
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_EQ(*found, Encoding::kUtf8);
}

}  // namespace
}  // namespace sealbook::anonymizer
