// How many small lists of made-up people have their encoding told right. The score is printed; what
// is told wrong without a word must be next to nothing.
#include <gtest/gtest.h>

#include <iostream>
#include <map>
#include <random>

#include "absl/strings/str_cat.h"
#include "anonymizer/encodings.h"
#include "tests/support/encodings.h"

namespace sealbook::anonymizer {
namespace {

using Words = std::vector<const char*>;

struct People {
  Words headers;  // the last one in ASCII, as exports have it
  Words family, given, places, notes;
  const char* between;  // given and family name; nullptr: the family name comes first
};

const People kKorean = {
    {"이름,연락처,주소", "고객명,휴대폰,비고", "구매자명,구매자연락처,배송지", "name,phone,note"},
    {"김", "이", "박", "최", "정", "강", "조", "윤", "장",   "임",  "한",
     "오", "서", "신", "권", "황", "안", "송", "류", "전",   "홍",  "고",
     "문", "양", "손", "배", "백", "허", "남", "심", "남궁", "선우"},
    {"민수", "서연", "지훈", "하은", "도윤", "예진", "영숙", "철수", "미경", "정호",
     "수빈", "태현", "유나", "은지", "성민", "혜원", "동욱", "보람", "재석", "순자",
     "규리", "찬호", "나래", "시우", "가온", "효주", "현빈", "말순", "용팔", "세라"},
    {"서울특별시 강남구 역삼동", "부산 해운대구", "대구광역시 수성구 범어동", "인천", "광주 북구",
     "경기도 성남시 분당구", "강원도 춘천시", "제주", "전북 전주시 완산구", "충남 천안시"},
    {"단골", "예약 취소", "재구매 문의", "지성 피부", "카톡 상담 완료", "배송 지연 불만", "VIP", "",
     "없음"},
    nullptr};
const People kSimplified = {
    {"姓名,手机,地址", "收货人姓名,联系电话,备注", "客户名称,电话,城市", "name,phone,note"},
    {"王", "李", "张", "刘", "陈", "杨", "赵", "黄", "周", "吴", "徐", "孙", "胡", "朱", "高",
     "林", "何", "郭", "马", "罗", "梁", "宋", "郑", "谢", "韩", "唐", "冯", "于", "董", "欧阳"},
    {"伟",   "芳",   "娜",   "秀英", "敏",   "静",   "丽",   "强",   "磊",   "洋",
     "艳",   "勇",   "军",   "杰",   "娟",   "涛",   "明",   "超",   "秀兰", "霞",
     "梓涵", "浩然", "诗琪", "宇轩", "欣怡", "子豪", "思远", "雨桐", "国庆", "建华"},
    {"北京市朝阳区建国路", "上海市浦东新区", "广州市天河区", "深圳市南山区科技园", "成都市武侯区",
     "杭州市西湖区文三路", "南京", "武汉市洪山区", "重庆", "西安市雁塔区"},
    {"老客户", "退货", "敏感肌", "微信联系", "已发货", "会员", "", "无", "下次打折"},
    nullptr};
const People kTraditional = {
    {"姓名,電話,地址", "客戶姓名,行動電話,備註", "收件人,手機,縣市", "name,phone,note"},
    {"陳", "林", "黃", "張", "李", "王", "吳", "劉", "蔡", "楊", "許", "鄭", "謝", "郭", "洪",
     "曾", "邱", "廖", "賴", "周", "徐", "蘇", "葉", "莊", "呂", "江", "何", "蕭", "羅", "歐陽"},
    {"怡君", "志明", "淑芬", "家豪", "美玲", "俊傑", "雅婷", "建宏", "淑惠", "宗翰",
     "佳穎", "冠宇", "麗華", "文雄", "秀英", "承恩", "品妍", "柏翰", "詩涵", "宥廷"},
    {"臺北市信義區松仁路", "高雄市左營區", "新北市板橋區", "臺中市西屯區", "台南市東區",
     "桃園市中壢區", "香港九龍旺角", "新竹縣竹北市"},
    {"常客", "退貨", "敏感肌", "已出貨", "會員", "", "無", "下次優惠"},
    nullptr};
const People kWestern = {
    {"Name,Téléphone,Ville", "Nombre,Teléfono,Dirección", "Name,Straße,Ort", "name,phone,note"},
    {"García",   "Núñez",     "Fernández", "Müller",   "Schröder", "Jäger",     "Lefèvre",
     "Gérard",   "Gonçalves", "Araújo",    "Sørensen", "Åberg",    "Lindström", "Mäkinen",
     "D'Angelo", "Smith",     "Jones",     "López",    "Muñoz",    "Weiß"},
    {"José", "María", "Andrés", "Jürgen", "Käthe", "Björn", "François", "Hélène", "Zoë", "João",
     "Inês", "Søren", "Åse", "Anna", "Peter", "Noël", "Raúl", "Sofía"},
    {"Málaga", "Köln", "Besançon", "São Paulo", "Tromsø", "Göteborg", "Zürich", "Paris", "Córdoba",
     "Orléans", "Düsseldorf"},
    {"no llamar mañana", "très bon client", "möchte Rückruf", "", "VIP"},
    " "};

struct Case {
  const char* name;
  const People* people;
  Encoding encoding;
};
constexpr int kLists = 300;

TEST(DetectEncodingTest, MadeUpListsAreToldRight) {
  const Case cases[] = {{"Korean", &kKorean, Encoding::kCp949},
                        {"Korean", &kKorean, Encoding::kUtf8},
                        {"Korean", &kKorean, Encoding::kUtf16Le},
                        {"Korean", &kKorean, Encoding::kUtf16Be},
                        {"simplified", &kSimplified, Encoding::kGbk},
                        {"simplified", &kSimplified, Encoding::kGb18030},
                        {"simplified", &kSimplified, Encoding::kUtf8},
                        {"simplified", &kSimplified, Encoding::kUtf16Le},
                        {"traditional", &kTraditional, Encoding::kBig5},
                        {"traditional", &kTraditional, Encoding::kGbk},
                        {"traditional", &kTraditional, Encoding::kUtf8},
                        {"Western", &kWestern, Encoding::kWindows1252},
                        {"Western", &kWestern, Encoding::kUtf8},
                        {"Western", &kWestern, Encoding::kUtf16Le}};
  std::mt19937 random(20240607);
  const auto number = [&](std::size_t below) { return static_cast<std::size_t>(random()) % below; };
  const auto one_of = [&](const Words& words) { return words[number(words.size())]; };
  for (const Case& one : cases) {
    int right = 0, wrong = 0, refused = 0, lists = 0;
    while (lists < kLists) {
      const People& people = *one.people;
      std::string text;
      if (number(4) != 0) absl::StrAppend(&text, one_of(people.headers), "\r\n");
      const std::size_t rows = 3 + number(number(2) == 0 ? 8 : 38);
      const bool with_places = number(2) == 0, with_notes = number(3) == 0;
      for (std::size_t row = 0; row < rows; ++row) {
        const std::string name =
            people.between == nullptr
                ? absl::StrCat(one_of(people.family), one_of(people.given))
                : absl::StrCat(one_of(people.given), people.between, one_of(people.family));
        absl::StrAppend(&text, name, ",010-", 1000 + number(9000), "-", 1000 + number(9000), ",");
        if (with_places) absl::StrAppend(&text, one_of(people.places), " ", 1 + number(200));
        if (with_notes) absl::StrAppend(&text, one_of(people.notes));
        // A letter that only four bytes hold, in every list that is to be GB18030.
        if (row == 0 && one.encoding == Encoding::kGb18030) text += "㐂";
        text += "\r\n";
      }
      if (IsAscii(text)) continue;
      ++lists;
      const auto found = DetectEncoding(sealbook::testing::Encode(text, one.encoding, false));
      if (!found.ok()) {
        ++refused;
      } else if (*found == one.encoding) {
        ++right;
      } else {
        ++wrong;
      }
    }
    std::cout << one.name << " in " << NameOf(one.encoding) << ": of " << lists << " lists "
              << right << " right, " << refused << " refused, " << wrong << " wrong\n";
    EXPECT_GE(right * 100, lists * 99) << one.name << " " << NameOf(one.encoding);
    EXPECT_LE(wrong * 200, lists) << one.name << " " << NameOf(one.encoding);
  }
}

}  // namespace
}  // namespace sealbook::anonymizer
