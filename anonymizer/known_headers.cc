#include "anonymizer/known_headers.h"

#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>

#include <algorithm>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace sealbook::anonymizer {
namespace {

struct Known {
  absl::string_view field;
  absl::string_view headers;  // as FoldHeader leaves them, with a blank between
};

// Faxes, switchboards and senders' numbers are named so that their content is not taken for a
// customer's phone, by which other customers would be found.
constexpr Known kKnownHeaders[] = {
    {"phone",
     "phone phones phonenumber phoneno mobile mobilephone mobilenumber mobileno cell "
     "cellphone cellular tel telephone contactnumber contactno homephone "
     "businessphone workphone otherphone primaryphone whatsapp whatsappnumber "
     "whatsappphone sms defaultaddressphone billingphone 전화 전화번호 "
     "연락처 휴대폰 휴대폰번호 핸드폰 핸드폰번호 휴대전화 휴대전화번호 모바일 "
     "연락처1 연락처2 구매자연락처 구매자전화번호 고객연락처 휴대번호 전화번호1 "
     "전화번호2 집전화 자택전화 카톡번호 왓츠앱 电话 電話 手机 手機 手机号 手机号码 "
     "手機號 手機號碼 电话号码 電話號碼 联系电话 聯絡電話 联系手机 联系方式 移动电话 "
     "備用電話 备用电话 行動電話 座机 電話番号 携帯 携帯電話 携帯番号 携帯電話番号 "
     "連絡先 telefono telefonomovil celular movil "
     "telefone telemovel telefon telefonnummer handy handynummer mobilnummer "
     "mobiltelefon nomortelepon nomorhp nohp telepon nomorponsel phonevalue telno "
     "telnumber telephonenumber mobilephonenumber mobiletel cellno cellnumber "
     "cellphonenumber carphone primaryphonenumber phonemobile phonehome phonework "
     "mobilephoneno contactphone customerphone customerphonenumber "
     "billingphonenumber phonewhatsapp nowa nomorwa nomorwhatsapp nowhatsapp "
     "nohandphone handphone 전화번호휴대폰 휴대폰전화 구매자휴대폰 구매자휴대폰번호 "
     "주문자연락처 주문자전화번호 주문자휴대폰 주문자휴대전화 고객전화번호 "
     "고객휴대폰 회원연락처 회원휴대폰 연락번호 집번호 모바일번호 일반전화 买家手机 "
     "买家电话 客户电话 客户手机 移动手机 联络电话 联系人电话 联系人手机 聯絡手機 "
     "聯繫電話 聯繫方式 聯絡方式 手提电话 手提電話 家庭电话 微信电话 whatsapp号码 "
     "自宅電話 自宅電話番号 tel番号 telefonocelular telefonoprincipal "
     "numerodetelefono numerodecelular numerotelefono telefonofijo telefonedecelular "
     "telefonecelular telefonefixo numerodetelefone fone whatsappcelular "
     "mobil rufnummer festnetz telefonprivat telefongeschaftlich telefonmobil "
     "nomortelpon notelp notelepon notelpon telp nomorhandphone ponsel"},
    {"email",
     "email emails emailaddress mail mailaddress customeremail contactemail 이메일 "
     "이메일주소 메일 메일주소 전자우편 邮箱 郵箱 电子邮箱 电子邮件 電子郵件 "
     "電子信箱 邮件 邮箱地址 信箱 メール メールアドレス eメール correo "
     "correoelectronico emailadresse surel emailvalue "
     "emailaddressvalue primaryemail personalemail workemail homeemail emailid "
     "buyeremail emailprimary 구매자이메일 주문자이메일 고객이메일 电邮 電郵 "
     "电子信箱 邮件地址 客户邮箱 emailcontato enderecodeemail mailadresse "
     "emailkontakt alamatemail"},
    {"whatsapp_id", "whatsappid bsuid whatsappuserid jid whatsappjid lid waid"},
    {"username", "username whatsappusername handle"},
    {"name",
     "name fullname customername customer contactname displayname clientname client "
     "이름 성명 고객명 고객이름 고객성함 성함 회원명 구매자명 구매자 姓名 名字 名称 "
     "客户 客户名称 客户姓名 客戶姓名 客戶名稱 联系人 聯絡人 会员名 氏名 名前 お名前 "
     "顧客名 顧客氏名 ご氏名 nombre nombrecompleto nome nomecompleto "
     "vollstandigername kundenname kunde nama namalengkap namapelanggan "
     "customerfullname clientfullname billingname namefull person "
     "whatsappname profilename 고객 회원 회원이름 구매자이름 구매자성명 주문자 "
     "주문자명 주문자이름 주문자성명 예금주 성명이름 담당자명 客户名 顾客姓名 顾客 "
     "用户姓名 联系人姓名 聯絡人姓名 會員姓名 顧客姓名 买家姓名 买家 お客様名 会員名 "
     "宛名 nombreyapellidos nombreyapellido nombrecliente cliente nomedocliente "
     "nomecliente name1 vorundnachname kundename pelanggan"},
    {kGivenName,
     "firstname billingfirstname givenname forename vorname 名 prenom primernombre firstnames "
     "givennames fname nombres prenome namadepan 이름성제외"},
    {kMiddleName, "middlename additionalname middle secondname segundonombre"},
    {kFamilyName,
     "billinglastname lastname familyname surname nachname 姓 성 apellido apellidos sobrenome"},
    {kRecipientName,
     "수취인명 수취인이름 수취인 수령인 수령인명 받는사람 받는분 받는분성명 "
     "받는사람이름 수령자 수령자명 收货人姓名 收货人 收件人 收件人姓名 收貨人 "
     "收貨人姓名 recipient recipientname shiptoname consignee destinatario "
     "お届け先名"},
    {kRecipientPhone,
     "수취인연락처 수취인전화번호 수취인휴대폰 수령인연락처 수령인전화번호 "
     "수령인휴대폰 받는분전화번호 받는사람전화번호 받는분연락처 받는분휴대폰 "
     "받는분핸드폰 수령자연락처 收货人电话 收货人手机 收件人电话 收件人手机 "
     "收貨人電話 recipientphone shiptophone お届け先電話番号"},
    {"address",
     "address address1 otheraddress streetaddress street homeaddress mailingaddress "
     "shippingaddress deliveryaddress 주소 배송지 통합배송지 배송주소 집주소 "
     "수취인주소 받는주소 地址 住址 收货地址 收件地址 送货地址 详细地址 聯絡地址 "
     "住所 配送先 お届け先 direccion endereco adresse anschrift "
     "alamat addressformatted fulladdress homeaddress1 postaladdress "
     "deliveryaddress1 주소지 자택주소 수령지 배송지주소 수취인배송지 联系地址 "
     "详细收货地址 通讯地址 家庭住址 送貨地址 收貨地址 通訊地址 direccioncompleta "
     "enderecocompleto domicilio wohnadresse postanschrift alamatlengkap"},
    {kAddressPart,
     "streetvalue addressstreet addresscity addressregion addresspostalcode "
     "addresscountry addresspobox addressextendedaddress addressneighborhood city "
     "state province provincecode country countrycode countryregion zip zipcode "
     "postalcode postcode pobox county suburb stateprovince region homestreet "
     "homecity homestate homepostalcode homecountry homecountryregion homepobox "
     "homeaddresspobox businessstreet businesscity businessstate businesspostalcode "
     "businesscountry businesscountryregion businessaddresspobox otherstreet "
     "othercity otherstate otherpostalcode othercountry othercountryregion "
     "otheraddresspobox mailingstreet mailingcity mailingstate mailingstateprovince "
     "mailingzip mailingzippostalcode mailingpostalcode mailingcountry billingcity "
     "billingstate billingzip billingcountry billingaddress1 billingaddress2 "
     "shippingcity shippingstate shippingzip shippingcountry shippingaddress1 "
     "shippingaddress2 shippingaddressline1 shippingaddressline2 shippingaddresscity "
     "shippingaddressstate shippingaddresspostalcode shippingaddresscountry shippingpostcode "
     "billingpostcode defaultaddressaddress "
     "defaultaddresscity defaultaddressprovincecode defaultaddresscountrycode "
     "defaultaddresszip defaultaddressprovince defaultaddresscountry address2 "
     "addressline1 addressline2 addressline 우편번호 상세주소 기본주소 시도 시군구 "
     "읍면동 배송지우편번호 수취인우편번호 邮编 邮政编码 郵遞區號 省份 城市 省 市 "
     "区县 国家 街道 郵便番号 都道府県 市区町村 番地 ciudad codigopostal provincia "
     "pais cidade estado cep bairro stadt plz postleitzahl land ort strasse "
     "hausnummer kota provinsi kodepos negara kecamatan"},
    {"company",
     "company companyname organization organisation organizationname business 회사 "
     "회사명 상호 상호명 업체명 거래처 거래처명 소속 公司 公司名称 公司名稱 单位 "
     "企业名称 会社 会社名 empresa firma unternehmen perusahaan accountname "
     "associatedcompany companynamevalue employer 기업명 사업자명 상점명 매장명 업체 "
     "企业 店铺名称 店名 公司名 organizacion organizacao firmenname namaperusahaan"},
    {"tags",
     "tags tag labels label groups group groupmembership segment 태그 분류 등급 그룹 "
     "고객등급 회원등급 标签 標籤 分组 分類 分类 客户标签 等级 タグ グループ ラベル "
     "etiquetas gruppen kategori memberships customergroup customertags 고객그룹 "
     "회원그룹 고객분류 会员等级 客户等级 客戶標籤"},
    {"orders",
     "orders order orderhistory purchases purchasehistory lastorder 주문 주문내역 "
     "구매내역 구매이력 주문이력 订单 訂單 购买记录 订单记录 購買記錄 注文 注文履歴 "
     "購入履歴 pedidos bestellungen pesanan 주문상품 주문수 총주문수 구매횟수 订单数 "
     "下单次数 購買紀錄"},
    {"note",
     "note notes memo comment comments remark remarks description 메모 비고 특이사항 "
     "참고 고객메모 상담내용 备注 備註 备忘 说明 客户备注 备注信息 メモ 備考 notas "
     "observaciones notiz notizen bemerkung catatan notesvalue customernote "
     "internalnote additionalnotes 고객특이사항 관리자메모 상담메모 요청사항 "
     "客服备注 买家留言 卖家备注 顧客備註 observacoes observacao comentarios nota "
     "anotacoes anmerkung anmerkungen bemerkungen keterangan"},
    {"birth_date",
     "birthdate birthday dateofbirth dob 생년월일 생일 출생일 生日 出生日期 出生年月 "
     "生年月日 誕生日 fechadenacimiento datadenascimento geburtsdatum geburtstag "
     "tanggallahir birthdaydate bday birth 출생년월일 생년월일8자리 생일자 出生日 "
     "生辰 nacimiento nascimento aniversario tgllahir"},
    {"fax",
     "fax faxnumber faxno homefax businessfax workfax otherfax 팩스 팩스번호 传真 "
     "傳真 传真号码 ファックス fax番号 telefax"},
    {"company_phone",
     "companymainphone companyphone companytel storephone shopphone 매장전화 "
     "매장연락처 매장번호 대표전화 대표번호 公司电话 公司電話 店铺电话 会社電話"},
    {"sender_phone",
     "senderphone sendertel 보내는분전화번호 보내는사람전화번호 발송인연락처 "
     "송하인연락처 판매자연락처 寄件人电话 寄件人手机 卖家电话 寄件人電話"},
    // Written by --rejects, and of no meaning when the mended rows come back.
    {kIgnored, "sealbookline sealbookreason sealbooktext xsealbookline xsealbookreason"},
};

const absl::flat_hash_map<std::string, absl::string_view>& FieldsByHeader() {
  static const auto* const fields = [] {
    auto* out = new absl::flat_hash_map<std::string, absl::string_view>;
    for (const Known& known : kKnownHeaders) {
      for (const absl::string_view name : absl::StrSplit(known.headers, ' '))
        out->emplace(std::string(name), known.field);
    }
    return out;
  }();
  return *fields;
}

std::string WithoutDigits(absl::string_view folded) {
  std::string out;
  for (const char c : folded) {
    if (c < '0' || c > '9') out.push_back(c);
  }
  return out;
}

// Whose name, number or address it is: a word in front of a known header.
struct Party {
  absl::string_view word;
  enum class Who { kCustomer, kRecipient, kOther } who;
};
constexpr Party kParties[] = {{"구매자", Party::Who::kCustomer},
                              {"주문자", Party::Who::kCustomer},
                              {"주문하신분", Party::Who::kCustomer},
                              {"고객", Party::Who::kCustomer},
                              {"회원", Party::Who::kCustomer},
                              {"买家", Party::Who::kCustomer},
                              {"客户", Party::Who::kCustomer},
                              {"顾客", Party::Who::kCustomer},
                              {"buyer", Party::Who::kCustomer},
                              {"orderer", Party::Who::kCustomer},
                              {"customer", Party::Who::kCustomer},
                              {"billing", Party::Who::kCustomer},
                              {"수취인", Party::Who::kRecipient},
                              {"수령인", Party::Who::kRecipient},
                              {"수령자", Party::Who::kRecipient},
                              {"수신인", Party::Who::kRecipient},
                              {"수신자", Party::Who::kRecipient},
                              {"받는분", Party::Who::kRecipient},
                              {"받는사람", Party::Who::kRecipient},
                              {"받으시는분", Party::Who::kRecipient},
                              {"배송지", Party::Who::kRecipient},
                              {"收货人", Party::Who::kRecipient},
                              {"收貨人", Party::Who::kRecipient},
                              {"收件人", Party::Who::kRecipient},
                              {"recipient", Party::Who::kRecipient},
                              {"receiver", Party::Who::kRecipient},
                              {"consignee", Party::Who::kRecipient},
                              {"shipto", Party::Who::kRecipient},
                              {"shipping", Party::Who::kRecipient},
                              {"delivery", Party::Who::kRecipient},
                              {"お届け先", Party::Who::kRecipient},
                              {"配送先", Party::Who::kRecipient},
                              {"destinatario", Party::Who::kRecipient},
                              {"보내는분", Party::Who::kOther},
                              {"보내는사람", Party::Who::kOther},
                              {"발송인", Party::Who::kOther},
                              {"송하인", Party::Who::kOther},
                              {"판매자", Party::Who::kOther},
                              {"담당자", Party::Who::kOther},
                              {"보호자", Party::Who::kOther},
                              {"추천인", Party::Who::kOther},
                              {"비상", Party::Who::kOther},
                              {"寄件人", Party::Who::kOther},
                              {"卖家", Party::Who::kOther},
                              {"sender", Party::Who::kOther},
                              {"seller", Party::Who::kOther},
                              {"assistant", Party::Who::kOther},
                              {"asst", Party::Who::kOther},
                              {"emergency", Party::Who::kOther},
                              {"salesrep", Party::Who::kOther},
                              {"owner", Party::Who::kOther},
                              {"manager", Party::Who::kOther},
                              {"guardian", Party::Who::kOther}};

// "주문자 휴대전화", "Ship To Phone": a party, and a known header behind it.
absl::string_view FieldOfParty(absl::string_view folded) {
  for (const Party& party : kParties) {
    absl::string_view rest = folded;
    if (!absl::ConsumePrefix(&rest, party.word)) continue;
    const auto& fields = FieldsByHeader();
    auto found = fields.find(std::string(rest));
    if (found == fields.end()) found = fields.find(WithoutDigits(rest));
    const bool is_name = rest == "명" || rest == "성명" || rest == "姓名" || rest.empty();
    const absl::string_view field = is_name                 ? absl::string_view("name")
                                    : found == fields.end() ? absl::string_view()
                                                            : found->second;
    // A name that a shop's members choose ("买家会员名") is none of a person.
    if (party.who == Party::Who::kOther || rest == "会员名") return "";
    if (party.who == Party::Who::kCustomer) return rest.empty() ? "" : field;
    if (field == "name") return kRecipientName;
    if (field == "phone") return kRecipientPhone;
    return field == "address" || field == kAddressPart ? field : absl::string_view();
  }
  return "";
}

// "Phone (Shipping)" is not "Phone".
bool NamesAParty(absl::string_view bracket) {
  const std::string folded = FoldHeader(bracket);
  return std::any_of(std::begin(kParties), std::end(kParties), [&](const Party& party) {
    return party.who != Party::Who::kCustomer && absl::StrContains(folded, party.word);
  });
}

absl::string_view FieldOfFolded(const std::string& folded) {
  if (folded.empty()) return "";
  const auto& fields = FieldsByHeader();
  auto found = fields.find(folded);
  // "Phone 2", "연락처2", "E-mail 1 - Value": the number says only which.
  if (found == fields.end()) found = fields.find(WithoutDigits(folded));
  return found == fields.end() ? FieldOfParty(folded) : found->second;
}

// The parts of a header in which a name stands beside something else.
std::vector<absl::string_view> PartsOf(absl::string_view header) {
  std::vector<absl::string_view> parts;
  for (const absl::string_view open : {"(", "（", "[", "【"}) {
    const std::size_t at = header.find(open.data(), 0, open.size());
    if (at != absl::string_view::npos && at > 0 && !NamesAParty(header.substr(at)))
      parts.push_back(header.substr(0, at));
  }
  for (const char separator : {'/', '|', '\n'}) {
    if (absl::StrContains(header, std::string(1, separator)))
      parts = absl::StrSplit(header, separator);
  }
  return parts;
}

}  // namespace

std::string FoldHeader(absl::string_view header) {
  UErrorCode error = U_ZERO_ERROR;
  const icu::Normalizer2* nfkc = icu::Normalizer2::getNFKCCasefoldInstance(error);
  const icu::Normalizer2* nfd = icu::Normalizer2::getNFDInstance(error);
  if (U_FAILURE(error)) return "";
  const icu::UnicodeString folded =
      nfkc->normalize(icu::UnicodeString::fromUTF8(icu::StringPiece(
                          header.data(), static_cast<std::int32_t>(header.size()))),
                      error);
  icu::UnicodeString kept;
  for (std::int32_t i = 0; i < folded.length(); i = folded.moveIndex32(i, 1)) {
    const UChar32 c = folded.char32At(i);
    icu::UnicodeString parts;
    // Latin letters lose their accents, which people leave out; kana and others need their marks.
    if (c >= 0xc0 && c < 0x250 && nfd->getDecomposition(c, parts))
      kept.append(parts.char32At(0));
    else if (u_isalnum(c) || u_getIntPropertyValue(c, UCHAR_CANONICAL_COMBINING_CLASS) != 0)
      kept.append(c);
  }
  std::string out;
  kept.toUTF8String(out);
  return out;
}

absl::string_view FieldOfHeader(absl::string_view header) {
  const absl::string_view whole = FieldOfFolded(FoldHeader(header));
  if (!whole.empty()) return whole;
  absl::string_view field;
  for (const absl::string_view part : PartsOf(header)) {
    const absl::string_view of_part = FieldOfFolded(FoldHeader(part));
    // "Name / Phone" is no column of one kind.
    if (!field.empty() && !of_part.empty() && of_part != field) return "";
    if (!of_part.empty()) field = of_part;
  }
  return field;
}

bool NamesSomebodyElse(absl::string_view header) {
  const std::string folded = FoldHeader(header);
  return std::any_of(std::begin(kParties), std::end(kParties), [&](const Party& party) {
    return party.who == Party::Who::kOther && absl::StartsWith(folded, party.word);
  });
}

bool IsCompleteAddress(absl::string_view header) {
  const std::string folded = FoldHeader(header);
  for (const absl::string_view word :
       {"formatted", "full", "complet", "통합", "전체", "详细", "lengkap"}) {
    if (absl::StrContains(folded, word)) return true;
  }
  return false;
}

std::string AddressGroup(absl::string_view header) {
  const std::string folded = FoldHeader(header);
  for (const absl::string_view prefix :
       {"defaultaddress", "home", "business", "other", "mailing", "billing", "shipping"}) {
    if (absl::StartsWith(folded, prefix)) return std::string(prefix);
  }
  // "Address 2 - City" of Google: its number.
  if (absl::StartsWith(folded, "address") && folded.size() > 8 && folded[7] >= '0' &&
      folded[7] <= '9' && (folded[8] < '0' || folded[8] > '9'))
    return folded.substr(0, 8);
  return "";
}

}  // namespace sealbook::anonymizer
