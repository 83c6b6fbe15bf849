#include "anonymizer/consents.h"

#include <algorithm>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "anonymizer/identifiers.h"
#include "policies/policy.h"

namespace sealbook::anonymizer {
namespace {

using records::Consent;

struct Known {
  ConsentColumn column;
  std::vector<absl::string_view> headers;  // as FoldHeader leaves them
};

const std::vector<Known>& KnownHeaders() {
  static const auto* const known = new std::vector<Known>{
      // Mailchimp. CONFIRM_TIME is set for people whom the list's owner added as well, and so is no
      // evidence by itself.
      {{"email_marketing", ConsentPart::kGivenTime, true}, {"optintime"}},
      {{"email_marketing", ConsentPart::kDetail}, {"optinip", "confirmtime", "confirmip"}},
      // Shopify, Klaviyo, HubSpot, Brevo and shops' own forms.
      {{"email_marketing", ConsentPart::kState},
       {"acceptsemailmarketing",
        "emailmarketingconsent",
        "emailconsent",
        "emailoptin",
        "newsletter",
        "newsletterconsent",
        "newsletteroptin",
        "newslettersubscribed",
        "newsletteranmeldung",
        "einwilligungnewsletter",
        "이메일수신동의",
        "이메일수신동의여부",
        "이메일수신여부",
        "메일수신동의",
        "메일수신여부",
        "뉴스레터수신동의",
        "뉴스레터",
        "同意接收邮件",
        "是否接收邮件",
        "邮件订阅",
        "メルマガ購読",
        "メルマガ",
        "メール配信",
        "メール配信希望",
        "メルマガ配信",
        "boletin",
        "boletín"}},
      {{"email_marketing", ConsentPart::kOptOut},
       {"unsubscribedfromallemail", "emailoptout", "이메일수신거부"}},
      {{"email_marketing", ConsentPart::kTime}, {"emailmarketingconsenttimestamp"}},
      {{"sms_marketing", ConsentPart::kState},
       {"acceptssmsmarketing", "smsmarketingconsent", "smsconsent", "smsoptin", "sms수신동의",
        "sms수신동의여부", "sms수신여부", "문자수신동의", "문자수신여부", "문자수신동의여부",
        "同意接收短信", "是否同意接收短信", "短信订阅"}},
      {{"sms_marketing", ConsentPart::kOptOut}, {"smsoptout", "sms수신거부", "문자수신거부"}},
      {{"sms_marketing", ConsentPart::kTime}, {"smsmarketingconsenttimestamp"}},
      {{"whatsapp_marketing", ConsentPart::kState},
       {"whatsappconsent", "whatsappoptin", "whatsappmarketingconsent", "acceptswhatsappmarketing",
        "카카오톡수신동의", "알림톡수신동의"}},
      {{"whatsapp_marketing", ConsentPart::kOptOut}, {"whatsappoptout"}},
      {{"marketing", ConsentPart::kState},
       {"acceptsmarketing",
        "marketingconsent",
        "consentmarketing",
        "marketingoptin",
        "optin",
        "optedin",
        "subscribed",
        "마케팅수신동의",
        "마케팅동의",
        "마케팅수신동의여부",
        "마케팅활용동의",
        "광고수신동의",
        "광고성정보수신동의",
        "수신동의",
        "수신동의여부",
        "홍보수신동의",
        "营销同意",
        "是否同意营销",
        "同意营销",
        "接受营销",
        "行銷同意",
        "consentimientomarketing",
        "consentimentomarketing",
        "aceptamarketing",
        "aceitamarketing",
        "werbeeinwilligung",
        "persetujuanpemasaran"}},
      {{"marketing", ConsentPart::kOptOut},
       {"optout", "optedout", "unsubscribed", "수신거부", "donotcontact"}},
      {{"marketing", ConsentPart::kGivenTime},
       {"optindate", "marketingoptindate", "수신동의일", "수신동의일시", "수신동의일자",
        "마케팅수신동의일", "마케팅수신동의일시", "마케팅동의일"}},
      {{"personal_data", ConsentPart::kState},
       {"개인정보동의", "개인정보수집동의", "개인정보이용동의", "개인정보수집이용동의",
        "個人情報同意", "个人信息同意", "gdprconsent", "dataprocessingconsent"}},
      {{"personal_data", ConsentPart::kGivenTime},
       {"개인정보동의일", "개인정보동의일시", "개인정보동의일자"}},
      // For what, the list does not say.
      {{"unspecified", ConsentPart::kState},
       {"consent", "consentgiven", "동의", "동의여부", "同意", "是否同意", "einwilligung",
        "consentimiento", "consentimento", "persetujuan"}},
      {{"unspecified", ConsentPart::kGivenTime}, {"동의일", "동의일자", "동의일시", "同意日"}},
      {{"unspecified", ConsentPart::kTime}, {"consenttimestamp", "consentdate", "consenttime"}},
      {{"unspecified", ConsentPart::kDetail}, {"consentsource", "consentip"}},
  };
  return *known;
}

bool HasDigits(absl::string_view text) {
  const auto count = [&](auto&& is) { return std::count_if(text.begin(), text.end(), is); };
  // MySQL writes 0000-00-00 for never.
  return count([](char c) { return c >= '0' && c <= '9'; }) >= 6 &&
         count([](char c) { return c >= '1' && c <= '9'; }) > 0;
}

absl::string_view NameOfFile(absl::string_view path) {
  const std::size_t slash = path.rfind('/');
  return slash == absl::string_view::npos ? path : path.substr(slash + 1);
}

}  // namespace

std::optional<ConsentColumn> ConsentColumnOf(absl::string_view header) {
  static const auto* const columns = [] {
    auto* out = new absl::flat_hash_map<absl::string_view, ConsentColumn>;
    for (const Known& known : KnownHeaders()) {
      for (const absl::string_view name : known.headers) out->emplace(name, known.column);
    }
    return out;
  }();
  const std::string folded = FoldHeader(header);
  const auto found = columns->find(folded);
  if (found != columns->end()) return found->second;
  // HubSpot has one for each kind of email: "Opted out of email: One to One".
  if (absl::StartsWith(folded, "optedoutofemail"))
    return ConsentColumn{"email_marketing", ConsentPart::kOptOut};
  return std::nullopt;
}

std::optional<bool> ConsentState(absl::string_view cell) {
  static const auto* const words = [] {
    auto* out = new absl::flat_hash_map<absl::string_view, bool>;
    for (const char* yes :
         {"yes",      "y",        "true",     "1",        "o",      "subscribed", "optin",
          "optedin",  "given",    "granted",  "accepted", "agreed", "consented",  "동의",
          "동의함",   "수신동의", "수신",     "예",       "네",     "허용",       "是",
          "同意",     "已同意",   "接受",     "已订阅",   "はい",   "同意する",   "購読",
          "購読する", "購読中",   "希望する", "配信する", "ja",     "si",         "sí",
          "sim",      "ya",       "setuju",   "acepto",   "aceito"})
      out->emplace(yes, true);
    for (const char* no : {"no",
                           "n",
                           "false",
                           "0",
                           "x",
                           "unsubscribed",
                           "neversubscribed",
                           "notsubscribed",
                           "optout",
                           "optedout",
                           "notgiven",
                           "declined",
                           "denied",
                           "refused",
                           "rejected",
                           "withdrawn",
                           "revoked",
                           "미동의",
                           "비동의",
                           "동의안함",
                           "동의하지않음",
                           "거부",
                           "수신거부",
                           "수신안함",
                           "미수신",
                           "아니오",
                           "아니요",
                           "否",
                           "不同意",
                           "未同意",
                           "拒绝",
                           "未订阅",
                           "いいえ",
                           "同意しない",
                           "希望しない",
                           "購読しない",
                           "配信しない",
                           "nein",
                           "não",
                           "nao",
                           "tidak"})
      out->emplace(no, false);
    return out;
  }();
  for (const absl::string_view sign : {"○", "◯", "〇", "✓", "✔", "√"}) {
    if (cell == sign) return true;
  }
  for (const absl::string_view sign : {"×", "✗", "✕"}) {
    if (cell == sign) return false;
  }
  const auto found = words->find(FoldHeader(cell));
  return found == words->end() ? std::nullopt : std::optional(found->second);
}

ConsentReader::ConsentReader(absl::string_view source) {
  source_ = CleanText(NameOfFile(source));
  // A file's name has no more than 255 bytes; but for what a name of bytes becomes as text.
  if (source_.size() > Consent::kMaxTextBytes) source_.clear();
}

ConsentColumn ConsentReader::KindOf(const Column& column, std::size_t position) {
  if (kinds_.size() <= position) kinds_.resize(position + 1);
  if (!kinds_[position])
    kinds_[position] = ConsentColumnOf(column.name).value_or(kUnspecifiedConsent);
  return *kinds_[position];
}

void ConsentReader::Take(const Column& column, std::size_t position, std::string cell) {
  KindOf(column, position);
  std::string name = column.name;
  if (name.empty() || name.size() > Consent::kMaxTextBytes)
    name = absl::StrCat("column ", position + 1);
  cells_.push_back({position, std::move(name), std::move(cell)});
}

std::vector<ConsentReader::RowField> ConsentReader::Finish(const std::vector<Column>& columns,
                                                           std::int64_t line) {
  std::vector<RowField> fields;
  if (cells_.empty()) return fields;
  std::vector<bool> used(cells_.size());
  const auto kind = [&](std::size_t i) -> ConsentColumn { return *kinds_[cells_[i].position]; };
  const auto has_state_column = [&](absl::string_view purpose) {
    for (std::size_t i = 0; i < columns.size(); ++i) {
      if (policies::BaseField(columns[i].field) != records::kConsentField) continue;
      const ConsentColumn of = KindOf(columns[i], i);
      if (of.part == ConsentPart::kState && of.purpose == purpose) return true;
    }
    return false;
  };
  const auto fits = [&](std::size_t i) { return cells_[i].value.size() <= Consent::kMaxTextBytes; };
  const auto add_evidence = [&](std::size_t i, Consent& consent) {
    if (used[i] || !fits(i) || consent.evidence.size() == Consent::kMaxEvidence) return;
    used[i] = true;
    consent.evidence.push_back({cells_[i].name, cells_[i].value});
  };
  const auto write = [&](Consent& consent) {
    consent.source = source_;
    consent.line = source_.empty() ? 0 : line;
    const auto text = records::FormatConsent(consent);
    if (text.ok()) fields.push_back({std::string(records::kConsentField), *text});
    return text.ok();
  };
  // The rest of the evidence for a purpose, once it is known what it is for.
  const auto complete = [&](Consent& consent) {
    for (const bool times : {true, false}) {
      for (std::size_t i = 0; i < cells_.size(); ++i) {
        const ConsentColumn of = kind(i);
        const bool is_time = of.part == ConsentPart::kTime || of.part == ConsentPart::kGivenTime;
        if (used[i] || of.purpose != consent.purpose || is_time != times ||
            (!is_time && of.part != ConsentPart::kDetail))
          continue;
        add_evidence(i, consent);
        if (is_time && consent.time.empty())
          consent.time = records::ConsentTime(cells_[i].value, of.utc);
      }
    }
  };
  for (std::size_t i = 0; i < cells_.size(); ++i) {
    const ConsentColumn of = kind(i);
    if (used[i] || !fits(i)) continue;
    Consent consent{.purpose = std::string(of.purpose)};
    const bool states = of.part == ConsentPart::kState || of.part == ConsentPart::kOptOut;
    if (states) {
      const auto state = ConsentState(cells_[i].value);
      if (!state || (of.part == ConsentPart::kOptOut && !*state)) continue;
      consent.given = of.part == ConsentPart::kState && *state;
    } else if (of.part == ConsentPart::kGivenTime) {
      if (!HasDigits(cells_[i].value) || has_state_column(of.purpose)) continue;
      consent.given = true;
    } else {
      continue;
    }
    // Of several states for one purpose, nothing says to which of them a time belongs.
    std::size_t rivals = 0;
    for (std::size_t j = 0; j < cells_.size(); ++j) {
      const ConsentPart part = kind(j).part;
      rivals += kind(j).purpose == of.purpose &&
                (part == ConsentPart::kState || part == ConsentPart::kOptOut);
    }
    const std::vector<bool> before = used;
    add_evidence(i, consent);
    if (!states) consent.time = records::ConsentTime(cells_[i].value, of.utc);
    if (rivals <= 1) complete(consent);
    if (!write(consent)) used = before;
  }
  for (std::size_t i = 0; i < cells_.size(); ++i) {
    if (used[i] || MeansNothing(cells_[i].value)) continue;
    // A column that was mapped may be called after another field, which this is not.
    const std::string& header = columns[cells_[i].position].name;
    std::string name = "consent_text";
    if (ConsentColumnOf(header)) name = FieldNameFor(header, cells_[i].position);
    if (policies::BaseField(name) == records::kConsentField) name = "consent_text";
    fields.push_back({std::move(name), std::move(cells_[i].value)});
  }
  cells_.clear();
  return fields;
}

std::string WithoutSource(absl::string_view consent) {
  auto parsed = records::ParseConsent(consent);
  if (!parsed.ok()) return std::string(consent);
  parsed->source.clear();
  parsed->line = 0;
  return records::FormatConsent(*parsed).value_or(std::string(consent));
}

}  // namespace sealbook::anonymizer
