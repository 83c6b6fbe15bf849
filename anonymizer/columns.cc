#include "anonymizer/columns.h"

#include <unicode/locid.h>
#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>

#include <algorithm>
#include <set>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "anonymizer/consents.h"
#include "anonymizer/exported_list.h"
#include "anonymizer/identifiers.h"
#include "vault/status.h"

namespace sealbook::anonymizer {

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
  // Those names are taken in exported lists.
  if (IsBesideFields(out)) out += "_2";
  return out;
}

absl::Status CheckFieldName(absl::string_view field) {
  if (!field.empty() && field == FieldNameFor(field, 0)) return absl::OkStatus();
  return WithHint(absl::InvalidArgumentError("that is no name for a field"),
                  IsBesideFields(field) || field == kIgnored
                      ? "Use another name; that one means something else in lists."
                      : "Use small letters, digits and underscores, up to 64.");
}

namespace {

// What the values of one column are, where nine of ten agree.
struct Contents {
  std::size_t filled = 0, phones = 0, emails = 0, ids = 0;
  // Of those of digits alone: with a plus in front they are a number; without it they are another.
  std::size_t digits_only = 0, international = 0, otherwise_national = 0;
  std::set<std::string> distinct_phones, distinct_emails;
};

bool NineOfTen(std::size_t part, std::size_t whole) { return whole > 0 && part * 10 >= whole * 9; }

bool IsWhatsAppId(absl::string_view value) {
  if (absl::StrContains(value, "@")) return NormalizeWhatsAppId(value).ok();
  const auto id = RecognizeIdentifier(value, "");
  return id && id->kind == IdentifierKind::kWhatsAppId;
}

// "2024-02-01", "1.2.2024", "20240201 10:15": in regions whose numbers have many lengths, a phone
// as well.
bool IsDate(absl::string_view value) {
  value = value.substr(0, value.find_first_of(" T"));
  std::vector<absl::string_view> parts = absl::StrSplit(value, absl::ByAnyChar("-."));
  if (parts.size() == 1 && value.size() == 8)
    parts = {value.substr(0, 4), value.substr(4, 2), value.substr(6)};
  if (parts.size() != 3) return false;
  if (parts[2].size() == 4) std::swap(parts[0], parts[2]);
  int year = 0, one = 0, other = 0;
  return parts[0].size() == 4 && parts[1].size() <= 2 && parts[2].size() <= 2 &&
         absl::SimpleAtoi(parts[0], &year) && absl::SimpleAtoi(parts[1], &one) &&
         absl::SimpleAtoi(parts[2], &other) && year >= 1900 && year < 2100 && one >= 1 &&
         other >= 1 && std::min(one, other) <= 12 && std::max(one, other) <= 31;
}

Contents LookAt(const std::vector<std::vector<std::string>>& sample, std::size_t column,
                absl::string_view region) {
  Contents contents;
  for (const auto& row : sample) {
    if (column >= row.size()) continue;
    for (const std::string& value : SplitCell(row[column]).values) {
      ++contents.filled;
      if (IsDate(value)) continue;
      if (auto email = NormalizeEmail(value); email.ok()) {
        ++contents.emails;
        contents.distinct_emails.insert(*std::move(email));
      } else if (IsWhatsAppId(value)) {
        ++contents.ids;
      } else if (auto phone = NormalizePhone(value, region); phone.ok()) {
        ++contents.phones;
        contents.distinct_phones.insert(*std::move(phone));
      }
      if (value.find_first_not_of("0123456789") != std::string::npos) continue;
      ++contents.digits_only;
      const auto national = NormalizePhone(value, region);
      const auto international = NormalizePhone(absl::StrCat("+", value), "");
      if (international.ok()) ++contents.international;
      if (national.ok() && (!international.ok() || *national != *international))
        ++contents.otherwise_national;
    }
  }
  return contents;
}

// One value in most rows is the shop's: by it one customer would be taken for another.
bool IsShared(std::size_t distinct, std::size_t all) {
  constexpr std::size_t kEnoughToTell = 4;
  return all >= kEnoughToTell && distinct * 2 < all;
}

// "Order ID", "주문번호": numbers of things.
bool NamesAThing(absl::string_view header) {
  const std::string folded = FoldHeader(header);
  static constexpr absl::string_view kThings[] = {"order", "code", "product", "item", "invoice",
                                                  "주문",  "상품", "송장",    "코드", "订单",
                                                  "商品",  "编号", "編號",    "注文"};
  return absl::EndsWith(folded, "id") ||
         std::any_of(std::begin(kThings), std::end(kThings),
                     [&](absl::string_view thing) { return absl::StrContains(folded, thing); });
}

absl::string_view FieldOfContents(const Contents& contents, absl::string_view header) {
  if (NineOfTen(contents.ids, contents.filled)) return "whatsapp_id";
  if (NineOfTen(contents.emails, contents.filled))
    return IsShared(contents.distinct_emails.size(), contents.emails) ? "" : "email";
  if (!NineOfTen(contents.phones, contents.filled) || NamesAThing(header) ||
      IsShared(contents.distinct_phones.size(), contents.phones))
    return "";
  return "phone";
}

// Numbers that are none of the region, or the same one, but all of them with the plus in front that
// some systems leave out (WhatsApp's wa_id, Brevo's SMS). In regions whose numbers have many
// lengths a foreign one may be one of theirs too.
bool IsCountryCoded(const Contents& contents) {
  constexpr std::size_t kEnoughToTell = 3;
  return contents.digits_only >= kEnoughToTell &&
         NineOfTen(contents.international, contents.digits_only) &&
         contents.otherwise_national * 2 <= contents.digits_only;
}

}  // namespace

std::vector<Column> RecognizeColumns(const std::vector<std::string>& headers,
                                     const std::vector<std::vector<std::string>>& sample,
                                     absl::string_view region, const std::vector<bool>& exact) {
  std::vector<Column> columns;
  std::vector<bool> shared;  // by name a phone or an email, and the same in most rows
  for (std::size_t i = 0; i < headers.size(); ++i) {
    if (i < exact.size() && exact[i]) {
      const bool left_out = IsBesideFields(headers[i]) || FieldOfHeader(headers[i]) == kIgnored;
      columns.push_back({.name = headers[i],
                         .field = left_out ? std::string(kIgnored) : headers[i],
                         .by = RecognizedBy::kName,
                         .exact = true});
      shared.push_back(false);
      continue;
    }
    Column column{.name = CleanText(headers[i]),
                  .field = std::string(FieldOfHeader(headers[i])),
                  .by = RecognizedBy::kName};
    if (column.field.empty() && ConsentColumnOf(headers[i]))
      column.field = std::string(records::kConsentField);
    const bool identifies = column.field.empty() || column.field == "phone" ||
                            column.field == "email" || column.field == kRecipientPhone;
    const Contents contents = identifies ? LookAt(sample, i, region) : Contents();
    column.country_coded = IsCountryCoded(contents);
    column.may_lack_plus = FoldHeader(headers[i]) == "sms";
    shared.push_back(
        (column.field == "phone" && IsShared(contents.distinct_phones.size(), contents.phones)) ||
        (column.field == "email" && IsShared(contents.distinct_emails.size(), contents.emails)));
    if (column.field == "address" || column.field == kAddressPart) {
      column.group = AddressGroup(headers[i]);
      column.complete = IsCompleteAddress(headers[i]);
    }
    if (column.field.empty() && !NamesSomebodyElse(headers[i])) {
      column.field = std::string(FieldOfContents(contents, headers[i]));
      if (column.field.empty() && column.country_coded && !NamesAThing(headers[i]))
        column.field = "phone";
      column.by = RecognizedBy::kContent;
    }
    if (column.field.empty()) {
      column.field = FieldNameFor(headers[i], i);
      column.by = RecognizedBy::kNothing;
    }
    columns.push_back(std::move(column));
  }
  const auto any = [&](std::initializer_list<absl::string_view> fields) {
    return std::any_of(columns.begin(), columns.end(), [&](const Column& column) {
      return std::find(fields.begin(), fields.end(), column.field) != fields.end();
    });
  };
  // Where a column is called a phone, one that is called something else holds somebody else's: a
  // referrer's, an assistant's. By those, customers would be taken for each other.
  const auto by_name = [&](absl::string_view field) {
    for (std::size_t i = 0; i < columns.size(); ++i) {
      if (columns[i].field == field && columns[i].by == RecognizedBy::kName && !shared[i])
        return true;
    }
    return false;
  };
  for (std::size_t i = 0; i < columns.size(); ++i) {
    Column& column = columns[i];
    if (column.by == RecognizedBy::kContent && !column.name.empty() && by_name(column.field))
      column = {.name = column.name, .field = FieldNameFor(headers[i], i)};
  }
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (!shared[i]) continue;
    for (std::size_t other = 0; other < columns.size(); ++other) {
      if (other != i && columns[other].field == columns[i].field && !shared[other])
        columns[i].field = absl::StrCat("shared_", columns[i].field);
    }
  }
  // Parts of a name beside the whole one are kept as they are, and not put together a second time;
  // but one part alone is the other half of what is called a name ("Name;Vorname", "성,이름").
  const bool both_parts = any({kGivenName}) && any({kFamilyName});
  if (any({"name"}) && (both_parts || !(any({kGivenName}) || any({kFamilyName})))) {
    for (Column& column : columns) {
      if (column.exact) continue;
      if (column.field == kGivenName || column.field == kMiddleName || column.field == kFamilyName)
        column.by = RecognizedBy::kNothing;
    }
  }
  // Mailchimp guesses a region from where somebody's computer stood; it is no part of an address.
  const auto is = [](const Column& column, absl::string_view folded) {
    return FoldHeader(column.name) == folded;
  };
  if (std::any_of(columns.begin(), columns.end(),
                  [&](const Column& column) { return is(column, "euid"); })) {
    for (Column& column : columns) {
      if (is(column, "region") && !column.exact) column = {.name = column.name, .field = "region"};
    }
  }
  // Where a list names recipients only, they are the customers.
  const bool has_name = any({"name", kGivenName, kFamilyName}), has_phone = any({"phone"});
  for (Column& column : columns) {
    if (column.exact) continue;
    if (column.field == kRecipientName && !has_name) column.field = "name";
    if (column.field == kRecipientPhone && !has_phone) column.field = "phone";
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
  if (column.by == RecognizedBy::kNothing || column.exact) return column.field;
  for (const absl::string_view part : {kGivenName, kMiddleName, kFamilyName, kRecipientName}) {
    if (column.field == part) return "name";
  }
  if (column.field == kRecipientPhone) return "phone";
  if (column.field == kAddressPart) return "address";
  return column.field;
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
    if (field != kIgnored && !CheckFieldName(field).ok()) {
      return WithHint(
          absl::FailedPreconditionError("--map names a field that cannot be one"),
          "Use small letters, digits and underscores, or 'ignore' to leave the column out.");
    }
    bool found = false;
    for (Column& column : columns) {
      if (column.name != name || name.empty()) continue;
      column.field = field;
      column.by = RecognizedBy::kMapping;
      column.exact = false;
      found = true;
    }
    int position = 0;
    if (!found && absl::SimpleAtoi(name, &position) && position >= 1 &&
        static_cast<std::size_t>(position) <= columns.size()) {
      Column& column = columns[static_cast<std::size_t>(position) - 1];
      column.field = field;
      column.by = RecognizedBy::kMapping;
      column.exact = false;
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
  if (IsExportedHeader(cells)) return true;
  std::set<absl::string_view> fields;
  for (const std::string& cell : cells) {
    absl::string_view field = FieldOfHeader(cell);
    // "동의" is a column's name in one list and a cell in another.
    if (field.empty() && ConsentColumnOf(cell) && !ConsentState(cell))
      field = records::kConsentField;
    if (!field.empty()) fields.insert(field);
  }
  // A customer's values are no names of columns.
  if (LooksLikeData(cells)) return false;
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
