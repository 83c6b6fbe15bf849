#include "anonymizer/columns.h"

#include <unicode/locid.h>
#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>

#include <algorithm>
#include <set>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "anonymizer/consents.h"
#include "anonymizer/identifiers.h"
#include "vault/status.h"

namespace sealbook::anonymizer {
namespace {

// Compatibility forms folded (full-width letters), small letters, nothing but letters and digits.
std::string Fold(absl::string_view header) {
  UErrorCode error = U_ZERO_ERROR;
  const icu::Normalizer2* nfkc = icu::Normalizer2::getNFKCCasefoldInstance(error);
  const icu::UnicodeString folded =
      nfkc->normalize(icu::UnicodeString::fromUTF8(icu::StringPiece(
                          header.data(), static_cast<std::int32_t>(header.size()))),
                      error);
  icu::UnicodeString kept;
  for (std::int32_t i = 0; i < folded.length(); i = folded.moveIndex32(i, 1)) {
    const UChar32 c = folded.char32At(i);
    if (u_isalnum(c) || u_getIntPropertyValue(c, UCHAR_CANONICAL_COMBINING_CLASS) != 0)
      kept.append(c);
  }
  std::string out;
  kept.toUTF8String(out);
  return out;
}

struct Known {
  absl::string_view field;
  std::vector<absl::string_view> headers;
};

// Headers as Fold leaves them.
const std::vector<Known>& KnownHeaders() {
  static const auto* const known = new std::vector<Known>{
      {"phone",
       {"phone",
        "phones",
        "phonenumber",
        "phoneno",
        "mobile",
        "mobilephone",
        "mobilenumber",
        "mobileno",
        "cell",
        "cellphone",
        "cellular",
        "tel",
        "telephone",
        "contactnumber",
        "contactno",
        "homephone",
        "businessphone",
        "workphone",
        "otherphone",
        "primaryphone",
        "phone1value",
        "phone2value",
        "phone3value",
        "whatsapp",
        "whatsappnumber",
        "waid",
        "whatsappphone",
        "sms",
        "defaultaddressphone",
        "billingphone",
        "shippingphone",
        "전화",
        "전화번호",
        "연락처",
        "휴대폰",
        "휴대폰번호",
        "핸드폰",
        "핸드폰번호",
        "휴대전화",
        "휴대전화번호",
        "모바일",
        "연락처1",
        "연락처2",
        "구매자연락처",
        "구매자전화번호",
        "수취인연락처1",
        "수취인연락처2",
        "수취인전화번호",
        "고객연락처",
        "휴대번호",
        "전화번호1",
        "전화번호2",
        "집전화",
        "자택전화",
        "카톡번호",
        "왓츠앱",
        "电话",
        "電話",
        "手机",
        "手機",
        "手机号",
        "手机号码",
        "手機號",
        "手機號碼",
        "电话号码",
        "電話號碼",
        "联系电话",
        "聯絡電話",
        "联系手机",
        "联系方式",
        "移动电话",
        "備用電話",
        "备用电话",
        "行動電話",
        "座机",
        "收货人电话",
        "收货人手机",
        "電話番号",
        "携帯",
        "携帯電話",
        "携帯番号",
        "携帯電話番号",
        "連絡先",
        "telefono",
        "teléfono",
        "telefonomovil",
        "teléfonomóvil",
        "celular",
        "movil",
        "móvil",
        "telefone",
        "telemovel",
        "telefon",
        "telefonnummer",
        "handy",
        "handynummer",
        "mobilnummer",
        "mobiltelefon",
        "nomortelepon",
        "nomorhp",
        "nohp",
        "telepon",
        "nomorponsel"}},
      {"email",
       {"email",
        "emails",
        "emailaddress",
        "mail",
        "mailaddress",
        "email1value",
        "email2value",
        "email1address",
        "customeremail",
        "contactemail",
        "이메일",
        "이메일주소",
        "메일",
        "메일주소",
        "전자우편",
        "邮箱",
        "郵箱",
        "电子邮箱",
        "电子邮件",
        "電子郵件",
        "電子信箱",
        "邮件",
        "邮箱地址",
        "信箱",
        "メール",
        "メールアドレス",
        "eメール",
        "correo",
        "correoelectronico",
        "correoelectrónico",
        "emailadresse",
        "surel"}},
      {"whatsapp_id",
       {"whatsappid", "bsuid", "whatsappuserid", "userid", "jid", "whatsappjid", "lid"}},
      {"username", {"username", "whatsappusername", "handle"}},
      {"name", {"name",           "fullname",    "customername", "customer",
                "contactname",    "displayname", "clientname",   "client",
                "이름",           "성명",        "고객명",       "고객이름",
                "고객성함",       "성함",        "회원명",       "구매자명",
                "구매자",         "수취인명",    "수취인이름",   "姓名",
                "名字",           "名称",        "客户",         "客户名称",
                "客户姓名",       "客戶姓名",    "客戶名稱",     "联系人",
                "聯絡人",         "收货人姓名",  "收货人",       "收件人",
                "会员名",         "氏名",        "名前",         "お名前",
                "顧客名",         "顧客氏名",    "ご氏名",       "nombre",
                "nombrecompleto", "nome",        "nomecompleto", "vollstandigername",
                "kundenname",     "kunde",       "nama",         "namalengkap",
                "namapelanggan"}},
      {kGivenName,
       {"firstname", "givenname", "forename", "vorname", "名", "prenom", "primernombre"}},
      {kFamilyName,
       {"lastname", "familyname", "surname", "nachname", "姓", "성", "apellido", "apellidos",
        "sobrenome"}},
      {"address",
       {"address",
        "address1",
        "streetaddress",
        "street",
        "homeaddress",
        "mailingaddress",
        "shippingaddress",
        "deliveryaddress",
        "defaultaddressaddress1",
        "address1formatted",
        "주소",
        "배송지",
        "통합배송지",
        "배송주소",
        "집주소",
        "수취인주소",
        "받는주소",
        "地址",
        "住址",
        "收货地址",
        "收件地址",
        "送货地址",
        "详细地址",
        "聯絡地址",
        "住所",
        "配送先",
        "お届け先",
        "direccion",
        "dirección",
        "endereco",
        "endereço",
        "adresse",
        "anschrift",
        "alamat"}},
      {"company",
       {"company",
        "companyname",
        "organization",
        "organisation",
        "organizationname",
        "organization1name",
        "business",
        "회사",
        "회사명",
        "상호",
        "상호명",
        "업체명",
        "거래처",
        "거래처명",
        "소속",
        "公司",
        "公司名称",
        "公司名稱",
        "单位",
        "企业名称",
        "会社",
        "会社名",
        "empresa",
        "firma",
        "unternehmen",
        "perusahaan"}},
      {"tags",
       {"tags",    "tag",      "labels", "label",     "groups",  "group",    "groupmembership",
        "segment", "태그",     "분류",   "등급",      "그룹",    "고객등급", "회원등급",
        "标签",    "標籤",     "分组",   "分類",      "分类",    "客户标签", "等级",
        "タグ",    "グループ", "ラベル", "etiquetas", "gruppen", "kategori"}},
      {"orders", {"orders",       "order",  "orderhistory", "purchases", "purchasehistory",
                  "lastorder",    "주문",   "주문내역",     "구매내역",  "구매이력",
                  "주문이력",     "订单",   "訂單",         "购买记录",  "订单记录",
                  "購買記錄",     "注文",   "注文履歴",     "購入履歴",  "pedidos",
                  "bestellungen", "pesanan"}},
      {"note",
       {"note",        "notes", "memo",          "comment",  "comments", "remark",    "remarks",
        "description", "메모",  "비고",          "특이사항", "참고",     "고객메모",  "상담내용",
        "备注",        "備註",  "备忘",          "说明",     "客户备注", "备注信息",  "メモ",
        "備考",        "notas", "observaciones", "notiz",    "notizen",  "bemerkung", "catatan"}},
      {"birth_date",
       {"birthdate", "birthday", "dateofbirth", "dob", "생년월일", "생일", "출생일", "生日",
        "出生日期", "出生年月", "生年月日", "誕生日", "fechadenacimiento", "datadenascimento",
        "geburtsdatum", "geburtstag", "tanggallahir"}},
      // Written by --rejects, and of no meaning when the mended rows come back.
      {kIgnored, {"sealbookline", "sealbookreason"}},
  };
  return *known;
}

// "Phone 2", "연락처2", "备用电话 3": the number behind a known name says only which.
absl::string_view WithoutNumber(absl::string_view folded) {
  while (!folded.empty() && folded.back() >= '0' && folded.back() <= '9') folded.remove_suffix(1);
  return folded;
}

}  // namespace

std::string FoldHeader(absl::string_view header) { return Fold(header); }

absl::string_view FieldOfHeader(absl::string_view header) {
  static const auto* const fields = [] {
    auto* out = new absl::flat_hash_map<std::string, absl::string_view>;
    for (const Known& known : KnownHeaders()) {
      for (const absl::string_view name : known.headers)
        out->emplace(std::string(name), known.field);
    }
    return out;
  }();
  const std::string folded = Fold(header);
  auto found = fields->find(folded);
  if (found == fields->end()) found = fields->find(std::string(WithoutNumber(folded)));
  return found == fields->end() ? "" : found->second;
}

std::string FieldNameFor(absl::string_view header, std::size_t position) {
  std::string lower_text;
  icu::UnicodeString::fromUTF8(CleanText(header))
      .toLower(icu::Locale::getRoot())
      .toUTF8String(lower_text);
  // Cleaned again: small letters may be composed otherwise than large ones.
  const icu::UnicodeString lower = icu::UnicodeString::fromUTF8(CleanText(lower_text));
  icu::UnicodeString kept;
  for (std::int32_t i = 0; i < lower.length(); i = lower.moveIndex32(i, 1)) {
    const UChar32 c = lower.char32At(i);
    if (u_isalnum(c) || u_getIntPropertyValue(c, UCHAR_CANONICAL_COMBINING_CLASS) != 0) {
      kept.append(c);
    } else if (!kept.isEmpty() && !kept.endsWith(u"_")) {
      kept.append(u'_');
    }
  }
  while (kept.endsWith(u"_")) kept.truncate(kept.length() - 1);
  if (kept.isEmpty() || kept.countChar32() > 64 || kept == u"ignore")
    return absl::StrCat("column_", position + 1);
  std::string out;
  kept.toUTF8String(out);
  return out;
}

absl::Status CheckFieldName(absl::string_view field) {
  if (field == kIgnored || (!field.empty() && field == FieldNameFor(field, 0)))
    return absl::OkStatus();
  return WithHint(absl::InvalidArgumentError("that is no name for a field"),
                  "Use small letters, digits and underscores, up to 64.");
}

std::vector<Column> RecognizeColumns(const std::vector<std::string>& headers,
                                     const std::vector<std::vector<std::string>>& sample,
                                     absl::string_view region) {
  std::vector<Column> columns;
  for (std::size_t i = 0; i < headers.size(); ++i) {
    Column column{.name = CleanText(headers[i]),
                  .field = std::string(FieldOfHeader(headers[i])),
                  .by = RecognizedBy::kName};
    if (column.field.empty() && ConsentColumnOf(headers[i]))
      column.field = std::string(records::kConsentField);
    if (column.field.empty()) {
      std::size_t filled = 0, phones = 0, emails = 0, ids = 0;
      for (const auto& row : sample) {
        if (i >= row.size()) continue;
        const CellParts parts = SplitCell(row[i]);
        for (const std::string& value : parts.values) {
          ++filled;
          if (NormalizeEmail(value).ok())
            ++emails;
          else if (absl::StrContains(value, "@") && NormalizeWhatsAppId(value).ok())
            ++ids;
          else if (NormalizePhone(value, region).ok())
            ++phones;
        }
      }
      column.by = RecognizedBy::kContent;
      if (filled > 0 && emails * 10 >= filled * 9)
        column.field = "email";
      else if (filled > 0 && ids * 10 >= filled * 9)
        column.field = "whatsapp_id";
      else if (filled > 0 && phones * 10 >= filled * 9)
        column.field = "phone";
    }
    if (column.field.empty()) {
      column.field = FieldNameFor(headers[i], i);
      column.by = RecognizedBy::kNothing;
    }
    columns.push_back(std::move(column));
  }
  // Parts of a name beside the whole one are kept as they are, and not put together a second time.
  const auto is_name = [](const Column& column) { return column.field == "name"; };
  if (std::any_of(columns.begin(), columns.end(), is_name)) {
    for (Column& column : columns) {
      if (column.field == kGivenName || column.field == kFamilyName)
        column.by = RecognizedBy::kNothing;
    }
  }
  SeparateUnknownFields(columns, 0);
  return columns;
}

void SeparateUnknownFields(std::vector<Column>& columns, std::size_t from) {
  std::set<std::string> taken;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    Column& column = columns[i];
    if (i >= from && column.by == RecognizedBy::kNothing) {
      const std::string base = column.field;
      for (int number = 2; taken.contains(column.field); ++number)
        column.field = absl::StrCat(base, "_", number);
    }
    taken.insert(column.field);
  }
}

absl::string_view FieldWritten(const Column& column) {
  const bool part = column.field == kGivenName || column.field == kFamilyName;
  return part && column.by != RecognizedBy::kNothing ? absl::string_view("name")
                                                     : absl::string_view(column.field);
}

absl::Status ApplyMappings(const std::vector<std::string>& mappings, std::vector<Column>& columns) {
  for (const std::string& mapping : mappings) {
    const std::size_t equals = mapping.rfind('=');
    if (equals == std::string::npos || equals == 0) {
      return WithHint(absl::FailedPreconditionError("--map needs COLUMN=FIELD"),
                      "For example --map 'Tel (M)=phone'.");
    }
    const std::string name = CleanText(absl::string_view(mapping).substr(0, equals));
    const std::string field = mapping.substr(equals + 1);
    if (!CheckFieldName(field).ok()) {
      return WithHint(
          absl::FailedPreconditionError("--map names a field that cannot be one"),
          "Use small letters, digits and underscores, or 'ignore' to leave the column out.");
    }
    bool found = false;
    for (Column& column : columns) {
      if (column.name != name || name.empty()) continue;
      column.field = field;
      column.by = RecognizedBy::kMapping;
      found = true;
    }
    int position = 0;
    if (!found && absl::SimpleAtoi(name, &position) && position >= 1 &&
        static_cast<std::size_t>(position) <= columns.size()) {
      Column& column = columns[static_cast<std::size_t>(position) - 1];
      column.field = field;
      column.by = RecognizedBy::kMapping;
      found = true;
    }
    if (!found) {
      return WithHint(absl::InvalidArgumentError(absl::StrCat("has no column '", name, "'")),
                      "'--dry-run' shows the columns that it has; a number works too.");
    }
  }
  return absl::OkStatus();
}

bool LooksLikeHeader(const std::vector<std::string>& cells) {
  std::set<absl::string_view> fields;
  for (const std::string& cell : cells) {
    absl::string_view field = FieldOfHeader(cell);
    // "동의" is a column's name in one list and a cell in another.
    if (field.empty() && ConsentColumnOf(cell) && !ConsentState(cell))
      field = records::kConsentField;
    if (!field.empty()) fields.insert(field);
  }
  // One known word in a row of many could stand in a notice above the header.
  return fields.size() >= 2 || (fields.size() == 1 && cells.size() <= 2);
}

bool LooksLikeData(const std::vector<std::string>& cells) {
  return std::any_of(cells.begin(), cells.end(), [](const std::string& cell) {
    const auto digits =
        std::count_if(cell.begin(), cell.end(), [](char c) { return c >= '0' && c <= '9'; });
    return NormalizeEmail(cell).ok() || (digits >= 8 && cell.size() <= 32);
  });
}

}  // namespace sealbook::anonymizer
