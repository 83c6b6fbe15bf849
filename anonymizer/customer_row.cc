// CustomerList: one row of a table as a customer.
#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "anonymizer/customer_list.h"
#include "anonymizer/exported_list.h"
#include "anonymizer/identifiers.h"
#include "anonymizer/name_notes.h"
#include "policies/policy.h"
#include "vault/crypto/hash.h"
#include "vault/status.h"

namespace sealbook::anonymizer {
namespace {

std::string Naming(const Column& column, std::size_t position) {
  constexpr std::size_t kMaxBytes = 64;
  if (column.name.empty() || column.name.size() > kMaxBytes)
    return absl::StrCat("column ", position + 1);
  return absl::StrCat("column '", column.name, "'");
}

// Spreadsheets and shops put an apostrophe before a number so that it stays a text, or write
// ="010…"; careful ones before what would be a formula.
absl::string_view WithoutQuoting(absl::string_view cell) {
  if (cell.size() >= 3 && absl::StartsWith(cell, "=\"") && absl::EndsWith(cell, "\""))
    return absl::StripAsciiWhitespace(cell.substr(2, cell.size() - 3));
  if (cell == "'") return "";
  if (cell.size() > 1 && cell[0] == '\'' &&
      absl::ascii_isdigit(static_cast<unsigned char>(cell[1]))) {
    return cell.substr(1);
  }
  return WithoutApostrophe(cell);
}

bool IsDigits(absl::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == absl::string_view::npos;
}

// The number or address at the end of a name, or in its place.
std::string TakeNumber(std::string& name, absl::string_view region) {
  const std::size_t at = name.find_first_of("0123456789+(@");
  if (at == std::string::npos) return "";
  if (NormalizeEmail(name).ok()) return std::exchange(name, "");
  constexpr int kDigitsOfANumber = 8;
  const auto digits = std::count_if(name.begin(), name.end(),
                                    [](unsigned char c) { return absl::ascii_isdigit(c); });
  if (digits < kDigitsOfANumber) return "";
  std::string number = name.substr(at);
  if (!ParsePhone(number, region).ok()) return "";
  name = std::string(absl::StripAsciiWhitespace(absl::string_view(name).substr(0, at)));
  return number;
}

bool IsHangulOrHan(absl::string_view text) {
  // Three-byte UTF-8 from U+3040 on: kana, Han, Hangul.
  return std::any_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte >= 0xe3 && byte <= 0xed;
  });
}

std::string JoinName(const std::string& family, const std::string& given) {
  if (family.empty()) return given;
  if (given.empty()) return family;
  return IsHangulOrHan(family) || IsHangulOrHan(given) ? absl::StrCat(family, given)
                                                       : absl::StrCat(given, " ", family);
}

// `text` has `word` between ends of words.
bool HoldsAsAWord(absl::string_view text, absl::string_view word) {
  const auto joins = [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return absl::ascii_isalnum(byte) || byte >= 0x80;
  };
  for (std::size_t at = text.find(word); at != absl::string_view::npos;
       at = text.find(word, at + 1)) {
    const std::size_t end = at + word.size();
    if ((at == 0 || !joins(text[at - 1])) && (end == text.size() || !joins(text[end]))) return true;
  }
  return false;
}

// "* myContacts ::: VIP" of Google: the groups that are its own say nothing.
std::string WithoutSystemGroups(absl::string_view cell) {
  std::vector<absl::string_view> kept;
  for (absl::string_view group : absl::StrSplit(cell, ":::")) {
    group = absl::StripAsciiWhitespace(group);
    static constexpr absl::string_view kGooglesOwn[] = {"* myContacts", "* My Contacts",
                                                        "* starred", "Starred in Android", ""};
    if (std::find(std::begin(kGooglesOwn), std::end(kGooglesOwn), group) == std::end(kGooglesOwn))
      kept.push_back(group);
  }
  return absl::StrJoin(kept, ", ");
}

}  // namespace

// One value is kept once, however many columns say it; one of another column gets a number.
void CustomerList::AddField(CustomerRow& row, absl::string_view field, std::string value) {
  if (value.empty()) return;
  std::string name(field);
  const auto taken = [&](const records::Field& other) { return other.name == name; };
  for (int number = 2;; ++number) {
    const auto at = std::find_if(row.fields.begin(), row.fields.end(), taken);
    if (at == row.fields.end()) break;
    if (at->value == value) return;
    name = absl::StrCat(policies::BaseField(field), "_", number);
  }
  row.fields.push_back({std::move(name), std::move(value)});
}

void CustomerList::AddName(std::string name, CustomerRow& row) {
  SplitName split = SplitNameNote(name);
  // A telephone that knows no name shows the number in its place; agents read names and no numbers.
  std::string number = TakeNumber(split.name, options_.region);
  AddField(row, "name", std::move(split.name));
  if (!split.note.empty()) {
    row.has_name_note = true;
    AddField(row, "name_note", std::move(split.note));
  }
  if (!number.empty()) AddField(row, "name_note", std::move(number));
}

absl::Status CustomerList::AddIdentifiers(const Column& column, std::size_t position,
                                          IdentifierKind kind, absl::string_view cell,
                                          CustomerRow& row) {
  CellParts parts = SplitCell(cell);
  std::vector<std::string> notes;
  if (!parts.note.empty()) notes.push_back(CleanText(parts.note));
  const bool phones = kind == IdentifierKind::kPhone;
  for (std::string& value : parts.values) {
    if (phones && column.country_coded && IsDigits(value)) value.insert(0, "+");
    absl::StatusOr<records::IdentifierValue> identifier;
    if (phones) {
      const absl::Time start = absl::Now();
      const std::string word = TakeWordBeside(value);
      auto parsed = ParsePhone(value, options_.region);
      if (!parsed.ok() && column.may_lack_plus && IsDigits(value))
        parsed = ParsePhone(absl::StrCat("+", value), "");
      phone_time_ += absl::Now() - start;
      if (!word.empty()) notes.push_back(word);
      if (parsed.ok() && !parsed->extension.empty()) {
        extensions_.push_back(*std::move(parsed));
        continue;
      }
      if (parsed.ok())
        identifier = records::IdentifierValue{kind, std::move(parsed->phone)};
      else
        identifier = parsed.status();
    } else {
      identifier = NormalizeIdentifier(kind, value, options_.region);
      // People write a number there as they dial it.
      if (!identifier.ok() && kind == IdentifierKind::kWhatsAppId) {
        if (auto phone = NormalizePhone(value, options_.region); phone.ok())
          identifier = records::IdentifierValue{IdentifierKind::kPhone, *std::move(phone)};
      }
    }
    if (!identifier.ok()) {
      return absl::InvalidArgumentError(
          absl::StrCat(Naming(column, position), " ", identifier.status().message()));
    }
    if (std::find(row.identifiers.begin(), row.identifiers.end(), *identifier) !=
        row.identifiers.end())
      continue;
    AddField(row, FieldOfKind(identifier->kind), identifier->value);
    row.identifiers.push_back(*std::move(identifier));
  }
  if (!notes.empty())
    AddField(row, absl::StrCat(policies::BaseField(FieldOfKind(kind)), "_note"),
             absl::StrJoin(notes, "; "));
  return absl::OkStatus();
}

// Behind a switchboard are many, and by its number one would be taken for another. So it finds a
// customer who has no other number, and otherwise is noted.
void CustomerList::AddExtensions(CustomerRow& row) {
  for (PhoneAndExtension& number : extensions_) {
    const bool has_phone = std::any_of(
        row.identifiers.begin(), row.identifiers.end(),
        [](const records::IdentifierValue& i) { return i.kind == IdentifierKind::kPhone; });
    const std::string note = absl::StrCat("ext. ", number.extension);
    AddField(row, "phone_note", has_phone ? absl::StrCat(number.phone, " ", note) : note);
    if (has_phone) continue;
    AddField(row, "phone", number.phone);
    row.identifiers.push_back({IdentifierKind::kPhone, std::move(number.phone)});
  }
}

// "Name;Vorname", "성,이름": what is called a name is one half of it, unless it holds the other.
void CustomerList::AddPartsOfName(const std::string& family, const std::string& given,
                                  CustomerRow& row) {
  if (family.empty() && given.empty()) return;
  const auto name = std::find_if(row.fields.begin(), row.fields.end(),
                                 [](const records::Field& field) { return field.name == "name"; });
  if (name == row.fields.end()) return AddName(JoinName(family, given), row);
  const std::string& other = family.empty() ? given : family;
  if (absl::StrContains(name->value, other))
    AddField(row, family.empty() ? kGivenName : kFamilyName, other);
  else
    name->value = family.empty() ? JoinName(name->value, given) : JoinName(family, name->value);
}

// Names and addresses are put together once all cells of a row are seen.
struct CustomerList::Parts {
  struct Address {
    absl::string_view group;
    std::string text;
    bool whole;  // more than a postal code or a town
    bool complete;
  };
  struct RecipientPhone {
    const Column* column;
    std::size_t position;
    absl::string_view cell;
  };
  std::string given, middle, family, recipient;
  std::vector<Address> addresses;
  std::vector<RecipientPhone> recipient_phones;

  void AddAddress(const Column& column, std::string value) {
    const auto same_group = [&](const Address& address) { return address.group == column.group; };
    const auto at = std::find_if(addresses.rbegin(), addresses.rend(), same_group);
    const bool whole = column.field == "address";
    if (at == addresses.rend() || (whole && at->whole)) {
      addresses.push_back({column.group, std::move(value), whole, column.complete});
      return;
    }
    // Japanese and Korean lists have the postal code in front.
    at->whole = at->whole || whole;
    // What repeats its parts gets none of them a second time; elsewhere "12" may be a door,
    // although "12" is a part of the street's line as well.
    if (!at->complete || !HoldsAsAWord(at->text, value)) absl::StrAppend(&at->text, ", ", value);
  }
};

// A value of a list of our own. An identifier that somebody has written otherwise since is read
// like any other list's.
absl::Status CustomerList::ConvertExact(const Column& column, std::size_t position,
                                        absl::string_view cell, CustomerRow& row) {
  const bool text_table =
      table_->format() == TableFormat::kCsv || table_->format() == TableFormat::kTsv;
  std::string value = CleanText(text_table ? WithoutApostrophe(cell) : cell);
  if (value.empty()) return absl::OkStatus();
  if (const auto kind = KindOfField(column.field)) {
    auto identifier = NormalizeIdentifier(*kind, value, options_.region);
    if (!identifier.ok() || identifier->kind != *kind || identifier->value != value)
      return AddIdentifiers(column, position, *kind, WithoutQuoting(cell), row);
    if (std::find(row.identifiers.begin(), row.identifiers.end(), *identifier) ==
        row.identifiers.end())
      row.identifiers.push_back(*std::move(identifier));
  }
  const bool taken =
      std::any_of(row.fields.begin(), row.fields.end(),
                  [&](const records::Field& field) { return field.name == column.field; });
  if (taken)
    AddField(row, column.field, std::move(value));
  else
    row.fields.push_back({column.field, std::move(value)});
  return absl::OkStatus();
}

absl::Status CustomerList::ConvertCell(const Column& column, std::size_t position,
                                       absl::string_view cell, Parts& parts, CustomerRow& row) {
  if (const auto kind = KindOfField(column.field))
    return AddIdentifiers(column, position, *kind, cell, row);
  const absl::string_view written = FieldWritten(column);
  if (column.field == kRecipientPhone && written != column.field) {
    parts.recipient_phones.push_back({&column, position, cell});
    return absl::OkStatus();
  }
  std::string value = CleanText(cell);
  if (value.empty()) return absl::OkStatus();
  if (policies::BaseField(column.field) == records::kConsentField &&
      records::ParseConsent(value).ok()) {
    // As Sealbook writes it, in whatever list.
    AddField(row, records::kConsentField, std::move(value));
  } else if (policies::BaseField(column.field) == records::kConsentField) {
    consents_.Take(column, position, std::move(value));
  } else if (written == "address") {
    parts.AddAddress(column, std::move(value));
  } else if (column.field == "name") {
    AddName(std::move(value), row);
  } else if (written == column.field) {
    AddField(row, column.field, written == "tags" ? WithoutSystemGroups(value) : std::move(value));
  } else if (column.field == kGivenName) {
    parts.given = std::move(value);
  } else if (column.field == kMiddleName) {
    parts.middle = std::move(value);
  } else if (column.field == kFamilyName) {
    parts.family = std::move(value);
  } else {
    parts.recipient = std::move(value);
  }
  return absl::OkStatus();
}

absl::Status CustomerList::Convert(TableRow& raw, CustomerRow& row) {
  Parts parts;
  consents_.Begin();
  extensions_.clear();
  for (std::size_t i = 0; i < raw.cells.size(); ++i) {
    if (columns_[i].exact && columns_[i].field != kIgnored) {
      RETURN_IF_ERROR(ConvertExact(columns_[i], i, raw.cells[i], row));
      continue;
    }
    const absl::string_view cell = WithoutQuoting(absl::StripAsciiWhitespace(raw.cells[i]));
    if (cell.empty() || columns_[i].field == kIgnored) continue;
    RETURN_IF_ERROR(ConvertCell(columns_[i], i, cell, parts, row));
  }
  const std::string given =
      parts.middle.empty()
          ? parts.given
          : std::string(absl::StripAsciiWhitespace(absl::StrCat(parts.given, " ", parts.middle)));
  AddPartsOfName(parts.family, given, row);
  const auto name = std::find_if(row.fields.begin(), row.fields.end(),
                                 [](const records::Field& field) { return field.name == "name"; });
  // Who is sent a parcel by somebody else is another person, and no customer is found by that
  // number.
  const bool own = parts.recipient.empty()
                       ? row.identifiers.empty()
                       : name == row.fields.end() || name->value == parts.recipient;
  if (!parts.recipient.empty()) {
    if (!own)
      AddField(row, kRecipientName, parts.recipient);
    else if (name == row.fields.end())
      AddName(parts.recipient, row);
  }
  for (const Parts::RecipientPhone& phone : parts.recipient_phones) {
    if (own) {
      RETURN_IF_ERROR(
          AddIdentifiers(*phone.column, phone.position, IdentifierKind::kPhone, phone.cell, row));
    } else {
      AddField(row, kRecipientPhone, CleanText(phone.cell));
    }
  }
  AddExtensions(row);
  for (Parts::Address& address : parts.addresses) AddField(row, "address", std::move(address.text));
  for (ConsentReader::RowField& field : consents_.Finish(columns_, raw.line))
    AddField(row, field.name, std::move(field.value));
  if (row.fields.empty()) return absl::InvalidArgumentError("holds nothing to keep");
  if (row.identifiers.empty()) {
    // Found again by all that it says, so that a second import adds nothing.
    std::string whole;
    for (const records::Field& field : row.fields) {
      const bool consent = policies::BaseField(field.name) == records::kConsentField;
      absl::StrAppend(&whole, field.name, "\x1f",
                      consent ? WithoutSource(field.value) : field.value, "\x1e");
    }
    row.identifiers.push_back(
        {IdentifierKind::kRow,
         crypto::ToHex(crypto::HashOf("sealbook/row/1", {crypto::AsBytes(whole)}))});
  }
  return absl::OkStatus();
}

}  // namespace sealbook::anonymizer
