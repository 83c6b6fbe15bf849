#include "anonymizer/frequent_letters.h"

#include <unicode/translit.h>
#include <unicode/unistr.h>

#include <memory>

#include "absl/strings/string_view.h"

namespace sealbook::anonymizer {
namespace {

icu::UnicodeString FromUtf8(absl::string_view text) {
  return icu::UnicodeString::fromUTF8(
      icu::StringPiece(text.data(), static_cast<std::int32_t>(text.size())));
}

constexpr absl::string_view kKoreanSurnames =
    "김이박최정강조윤장임한오서신권황안송류유홍전고문양손배백허남심노하곽성차주우구나진지엄채원천방"
    "공현함"
    "변염여추도소석선설마길연위표명기반라왕금옥육인맹제모탁국어은편용예경봉사부";
// Names first, then what addresses, headers and notes are made of.
constexpr absl::string_view kKoreanFirst =
    "김이박최정강조윤장임한오서신권황안송유홍전고문양손배백남심노하민준지우현수영진경희은주연성혜미"
    "선재원아"
    "인태상승동철호기석훈예나윤다소빈도율채린솔별가람슬범규용순옥숙자란라정화시구군번길로대리산천부"
    "울";
constexpr absl::string_view kKoreanSecond =
    "름락처휴폰핸드메일비고객품명주소생년월특별광역읍면층파트빌딩단지남북동서중강초포평창덕마곡릉천"
    "곡송종"
    "관악양봉작등금마은노도봉성북랑제수원용과안산시흥군의왕화여춘속척횡홍영월창철구완전목순무해진남"
    "장흥보"
    "함당논계룡공아홍예태세종익정읍김익완부임순창울통거밀합거창녕함의산사구포문경상안영칠달왕성암건"
    "담당회원등급매장업체상호분류그룹태그예약취소완료확인문의요청배송수령반교환불만좋음없있함합니습"
    "했됨됩되던는을를이가의에게서도만까지부터와과으로하고한할해합히면못않안간각감개거검것게격견결계"
    "골곳관교국권귀그극근급긴길까꼭끝날내너널네년농누눈늘능늦니님닐답당댁더데독돈된두둘뒤든들따때"
    "또뒷람랑래량러런럼렇레려력련령례록론료루류륙륜른를름립마막말맛망맞매머먹먼메면모목몰몸못무묵문"
    "물"
    "므미민밀바반받발밤방번벌법베변병보복본봉봐부분불붙브블빠빨뿐사삼새색생석섬섭셔션세센셋셨손쇄쇼"
    "숍수"
    "스습식싶싸써쓰씨앞애액야약얼업었여엽옆올옷와왔외요욕운웃워월웨위유육으음응의익일임입있잉잎자작"
    "잔"
    "잘잠저적전절점접제져좀좌죄즈즐증직질집짜쪽찬참창찾책처척천첫청체쳐촌총추축출춤충취층치친침카칸"
    "커컨케켜코"
    "콜쿠크큰클타탄탈터테텍토통퇴투트특틀티팀파판팔패퍼펜편포폐표푸품프플피필학할합항해핵행향허험헌"
    "혁"
    "현협형혼홈화환활황회횟효후흐흔희흰";

constexpr absl::string_view kChineseSurnames =
    "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏"
    "薛叶阎"
    "余潘杜戴夏钟汪田任姜范方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易常武乔贺"
    "赖龚文"
    "庞樊兰殷施陶洪翟安颜倪严牛温芦季俞章鲁葛伍韦申尤毕聂丛焦向柳邢路岳齐梅莫庄辛管祝左涂谷祁时舒耿"
    "牟卜"
    "詹关苗凌费纪靳盛童欧甄项曲成游阳裴席卫查屈鲍位覃霍翁隋植甘景薄单包司柏宁柯阮桂闵解强柴华车冉房"
    "边";
constexpr absl::string_view kChineseFirst =
    "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏"
    "薛叶"
    "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉兰红建文志国梅春雪雨婷佳思宇浩然子轩欣怡梓涵"
    "诗"
    "晨琪嘉俊鹏飞云海波峰龙斌健辉琳洁慧萍燕玲凤珍莉翠琴晓小东美天一永德宏中家新成立生少金清光荣民"
    "姓名电话手机号码联系人地址邮箱备注客户公司日期省市区县镇街道路号楼室单元栋北京上海广州深圳南西"
    "山";
constexpr absl::string_view kChineseSecond =
    "的是不了在有我他这个们来到时大地为子说年着就那和要她出也得里后自以会可下而过天去能对小多然"
    "心学么之都好看起发当没成只如事把还用第样道想作种开美总从无情己面最女但现前些所同日行意动"
    "方期它头经长儿回位分爱老因很给名法间斯知世什两次使身者被高已亲其进此话常与活正感见明问力理尔点"
    "文"
    "几定本公特做外孩相果走将月十实向声车全信重三机工物气每并别真打太新比才便夫再书部水像眼等体却加"
    "电主界门利海受听表德少克代员许先口由死安写性马光白或住难望教命花结乐色更拉东神记处让母父应直字"
    "场平报友关放至张认接告入笑内英军候民岁往何度山觉路带万男边风解叫任金快原吃妈变通师立象数四失满"
    "战远"
    "格士音轻目条呢病始达深完今提求清王化空业思切怎非找片罗钱语元喜曾离飞科言干流欢约各即指合反题必"
    "该论"
    "交终林请医晚制球决传画保读运及则房早院量苦火布品近坐产答星精视五连司巴奇管类未朋且婚台夜青北队"
    "久乎"
    "越观落尽形影红爸百令周吧识步希亚术留市半热送兴造谈容极随演收首根讲整式取照办强石古华拿计您装似"
    "足双"
    "妻尼转诉米称丽客南领节衣站黑刻统断福城故历惊脸选包紧争另建维绝树系伤示愿持千史谁准联妇纪基买志"
    "静阿诗"
    "独复痛消社算义竟确酒需单治卡幸兰念举仅钟怕共毛句息功官待究跟穿室易游程号居考突皮哪费倒价图具刚"
    "脑永歌"
    "响商礼细专黄块脚味灵改据般破引食仍存众注笔甚某沉血备习校默务土微娘须试怀料调广苏显赛查密议底列"
    "富梦错"
    "座参八除跑亮假印设线温虽掉京初养香停际致阳纸李纳验助激够严证帝饭忘趣支春集丈木研班普导顿睡展跳"
    "获艺六"
    "波察群皇段急庭创区奥器谢弟店否害草排背止组州朝封睛板角况曲馆育忙质河续哥呼若推境遇雨标姐充围案"
    "伦护冷"
    "警贝著雪索剧啊船险烟依斗值帮汉慢佛肯闻唱沙局伯族低玩资屋击速顾泪洲团圣旁堂兵七露园牛哭旅街劳型"
    "烈姑陈"
    "莫鱼异抱宝权鲁简态级票怪寻杀律胜份汽右洋范床舞秘午登楼贵吸责例追较职属渐左录丝牙党继托赶章智冲"
    "叶胡吉"
    "卖坚喝肉遗救修松临藏担戏善卫药悲敢靠伊村戴词森耳差短祖云规窗散迷油旧适乡架恩投弹铁博雷府压超负"
    "勒杂醒"
    "洗采毫嘴毕九冰既状乱景席珍童顶派素脱农疑练野按犯拍征坏骨余承置彩灯巨琴免环姆暗换技翻束增忍餐洛"
    "塞缺忆"
    "判欧层付阵玛批岛项狗休懂武革良恶恋委拥娜妙探呀营退摇弄桌熟诺宣银势奖宫忽套康供优课鸟喊降夏困刘"
    "罪亡鞋"
    "健模败伴守挥鲜财孤枪禁恐伙杰迹妹遍盖副坦牌江顺秋萨菜划授归浪听凡预奶雄升编典袋莱含盛济蒙棋端腿"
    "招释介"
    "烧误龙宁婷宾镇县栋弄组庄苑湾桥嘴寨沟坪塘岗坡埔圩屯浦港巷陵泉津沪渝粤浙闽湘鄂皖赣冀豫鲁晋陕甘贵"
    "滇琼疆藏"
    "蒙川苏杭宁波温嘉绍台衢舟丽泰徐锡扬盐淮宿连厦福泉漳莆龙岩三长沙株洲湘潭衡邵岳常郴武汉宜襄黄荆郑"
    "洛开封许"
    "昌南九江景德赣吉抚成都绵德宜宾泸内乐自重庆合肥芜湖蚌埠安庆阜阳六济青岛烟台潍淄威临沂石家庄保定"
    "唐邯太原大同"
    "哈尔滨沈大连长春鞍抚顺锦营沿呼和浩特兰州西宁银川乌鲁木齐昆明桂林柳海口三亚佛山东莞惠中珠汕头湛"
    "茂江门肇清远"
    "鑫淼焱森垚博睿哲翰昊宸泽瑞凯彤彬斌锋钧铭铮锐锦钰玥瑶琳琪璐瑾璇瑜珊珂珠琼莹萱蕾薇蓉莲菲芸芬芝芹"
    "茜茹荷蓓馨"
    "媛妍姝婕娇娴嫣婉姣倩倪佩侠俪偲儒允冬凌凡凯剑勤卓卿双启嘉圆垒城培奎奕妮孝孟宁宗宜宝尚尧屹岚峻崇"
    "川巍帆庆庚延"
    "弘彦恒恩悦惠愉慕懿振捷政敬旭昌昕昱晋晗晟晴晶智朋朗权栋梁楠榕樱毅沁沛沫泓泉洁津浚润涛淑淳渊湘滢"
    "滨澄澜炎炜"
    "焕煜熙燕爽牧珏珺琛琦瑄璟甜畅盈睿硕祥祺禹秋程筠绍维罡翔耀聪胜芮若茵荣莎菁萌葵蓝虎蝶衡裕诚谦贤赫"
    "超轶辰达迪通"
    "逸道邦郁钦铃长闯阔雁雅雯霖霏露靖韬韵顺颖飘鸣鸿鹤麒麟黛齐发货订单购买退款快递物流优惠券会员等级"
    "积分账户微信"
    "支付宝淘顾售后询价报价样品库存预约复诊护肤面膜敏感祛斑痘疤染发肩颈腰孕";
// Where ICU's one letter for a simplified one is not the only one, and what is written in Taiwan
// and Hong Kong alone.
constexpr absl::string_view kTraditionalMore =
    "臺灣後裡裏髮鍾範餘佈週複復係繫瞭鬆鬱麵隻製乾幹閒傢祇籲於葉范遊註週線綫峯荃埔邨道埗灣仔葵涌沙咀"
    "旺角"
    "環柴荔枝屯元朗尖鰂魚東區中正信義松大安內湖士林北投文萬華南港板橋新莊永和中和土城蘆洲汐止樹鶯歌"
    "鹿港"
    "彰化嘉雲屏花蓮宜蘭基隆苗栗桃園竹澎縣鄉鎮里鄰段巷弄號樓之室您嗎聯絡電郵信箱備註客戶會員訂購貨單"
    "統編";

constexpr absl::string_view kJapaneseSurnames = "林森原関東西南北堀辻岡谷";
constexpr absl::string_view kJapaneseFirst =
    "佐藤鈴木高橋田中伊渡辺山本村小林加吉原井上野松口清水川石島池内谷前岡後長太美子一郎男雄夫恵千真"
    "由紀智"
    "香奈優大輝翔健浩明正和久幸典彦樹介代江東京都区市町県丁目番号氏名電話住所携帯郵便様";
constexpr absl::string_view kJapaneseSecond =
    "斎斉齋阿部橘森坂近遠菅桜福岩金西武平今宮竹安柴酒荒丸土居関沢澤瀬滝浜濱塚崎嶋堀辻横矢矢富杉沼根"
    "黒白青赤"
    "星月日本大阪京兵庫神奈埼玉葉愛知静岡広福札幌仙台横浜名屋新宿渋谷世品目黒練馬板橋豊島北足立飾江"
    "戸港文墨"
    "八王府調布三鷹武蔵国分寺立小金吉祥道府区郡村字条番地号室階棟館荘備考顧客会社株式有限注文購入履"
    "歴配送先"
    "登録更新性別生年月齢男女記事確認済未連絡来店予約希望商品返交換対応担当者最終回数合計額備忘録誕"
    "祝入院薬"
    "結衣陽葵莉凛咲希菜愛美桜葉音花心彩楓琴杏穂里沙織帆歩未来遥悠斗蓮湊蒼颯朔陸律暖朝輝奏結翼匠拓哉"
    "隼亮直"
    "裕昭誠勝茂実進豊博隆哲義治弘修徹剛学仁信敏英孝昌忠栄秀良清光保文貴宏淳雅裕司慎聡卓克洋晃康宗龍"
    "竜虎"
    "節洋順良静悦京和文栄富貴弘敬登喜春夏秋冬雪梅松竹鶴亀絵瑠璃理佳那津乃菜緒梨紗";

LetterFrequencies Make(const icu::UnicodeString& surnames, const icu::UnicodeString& first,
                       const icu::UnicodeString& second) {
  LetterFrequencies out;
  const auto each = [](const icu::UnicodeString& text, const auto& use) {
    for (std::int32_t i = 0; i < text.length(); i = text.moveIndex32(i, 1))
      use(static_cast<char32_t>(text.char32At(i)));
  };
  each(surnames, [&](char32_t c) { out.surnames.insert(c); });
  each(first, [&](char32_t c) { out.first += out.rank.emplace(c, 1).second ? 1 : 0; });
  each(second, [&](char32_t c) { out.second += out.rank.emplace(c, 2).second ? 1 : 0; });
  return out;
}

// Letter by letter, since neighbours in those lists make no words.
icu::UnicodeString ToTraditional(absl::string_view simplified) {
  UErrorCode error = U_ZERO_ERROR;
  const std::unique_ptr<icu::Transliterator> convert(
      icu::Transliterator::createInstance("Hans-Hant", UTRANS_FORWARD, error));
  const icu::UnicodeString from = FromUtf8(simplified);
  icu::UnicodeString out;
  for (std::int32_t i = 0; i < from.length(); i = from.moveIndex32(i, 1)) {
    icu::UnicodeString letter(from.char32At(i));
    if (U_SUCCESS(error)) convert->transliterate(letter);
    out.append(letter);
  }
  return out;
}

}  // namespace

const LetterFrequencies& KoreanLetters() {
  static const auto* const letters = new LetterFrequencies(
      Make(FromUtf8(kKoreanSurnames), FromUtf8(kKoreanFirst), FromUtf8(kKoreanSecond)));
  return *letters;
}

const LetterFrequencies& SimplifiedLetters() {
  static const auto* const letters = new LetterFrequencies(
      Make(FromUtf8(kChineseSurnames), FromUtf8(kChineseFirst), FromUtf8(kChineseSecond)));
  return *letters;
}

const LetterFrequencies& TraditionalLetters() {
  static const auto* const letters =
      new LetterFrequencies(Make(ToTraditional(kChineseSurnames), ToTraditional(kChineseFirst),
                                 ToTraditional(kChineseSecond) + FromUtf8(kTraditionalMore)));
  return *letters;
}

const LetterFrequencies& JapaneseLetters() {
  static const auto* const letters = new LetterFrequencies(
      Make(FromUtf8(kJapaneseSurnames), FromUtf8(kJapaneseFirst), FromUtf8(kJapaneseSecond)));
  return *letters;
}

}  // namespace sealbook::anonymizer
