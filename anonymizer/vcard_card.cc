#include "anonymizer/vcard_card.h"

#include <algorithm>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "anonymizer/columns.h"
#include "anonymizer/exported_list.h"
#include "anonymizer/vcard_values.h"

namespace sealbook::anonymizer {
namespace {

enum class Kind {
  kName,
  kParts,  // of a name
  kPhone,
  kWhatsApp,
  kEmail,
  kCompany,
  kAddress,
  kDate,
  kTags,
  kMessenger,
  kText,
  kKind,
  kLabel,
  kVersion,
  kLeftOut,
  kOther,
};

struct Known {
  Kind kind;
  VcardColumn column;
};

Known FindKnown(absl::string_view name) {
  static const auto* const known = new absl::flat_hash_map<absl::string_view, Known>{
      {"FN", {Kind::kName, VcardColumn::kName}},
      {"N", {Kind::kParts, VcardColumn::kName}},
      {"TEL", {Kind::kPhone, VcardColumn::kPhone}},
      {"X-WHATSAPP", {Kind::kWhatsApp, VcardColumn::kWhatsApp}},
      {"EMAIL", {Kind::kEmail, VcardColumn::kEmail}},
      {"ORG", {Kind::kCompany, VcardColumn::kCompany}},
      {"TITLE", {Kind::kText, VcardColumn::kTitle}},
      {"ROLE", {Kind::kText, VcardColumn::kRole}},
      {"ADR", {Kind::kAddress, VcardColumn::kAddress}},
      // An address as it is written on an envelope, and nothing like the labels of other lists.
      {"LABEL", {Kind::kText, VcardColumn::kAddressLabel}},
      {"NOTE", {Kind::kText, VcardColumn::kNote}},
      {"BDAY", {Kind::kDate, VcardColumn::kBirthday}},
      {"CATEGORIES", {Kind::kTags, VcardColumn::kTags}},
      {"URL", {Kind::kText, VcardColumn::kUrl}},
      {"NICKNAME", {Kind::kText, VcardColumn::kNickname}},
      {"IMPP", {Kind::kMessenger, VcardColumn::kOther}},
      {"KIND", {Kind::kKind, VcardColumn::kOther}},
      {"X-ADDRESSBOOKSERVER-KIND", {Kind::kKind, VcardColumn::kOther}},
      {"X-ABLABEL", {Kind::kLabel, VcardColumn::kOther}},
      {"VERSION", {Kind::kVersion, VcardColumn::kOther}},
      {"UID", {Kind::kLeftOut, VcardColumn::kOther}},
      {"X-ABUID", {Kind::kLeftOut, VcardColumn::kOther}},
      {"REV", {Kind::kLeftOut, VcardColumn::kOther}},
      {"PRODID", {Kind::kLeftOut, VcardColumn::kOther}},
  };
  const auto found = known->find(name);
  return found == known->end() ? Known{Kind::kOther, VcardColumn::kOther} : found->second;
}

// Of these a card may have several that are not one value; others are put together.
bool IsNumbered(VcardColumn column) {
  return column == VcardColumn::kName || column == VcardColumn::kPhone ||
         column == VcardColumn::kWhatsApp || column == VcardColumn::kEmail ||
         column == VcardColumn::kAddress || column == VcardColumn::kAddressLabel ||
         column == VcardColumn::kUrl;
}

// "_$!<Mobile>!$_" of Apple's own labels is "Mobile".
absl::string_view WithoutDecoration(absl::string_view label) {
  if (absl::ConsumePrefix(&label, "_$!<")) absl::ConsumeSuffix(&label, ">!$_");
  return label;
}

// Digits alone are a WhatsApp id, which has the country's code and no "+".
bool IsBareId(absl::string_view id) {
  return id.size() >= 7 && id[0] != '0' &&
         id.find_first_not_of("0123456789") == absl::string_view::npos;
}

bool IsPhoneLike(absl::string_view text) {
  const auto digits = std::count_if(text.begin(), text.end(),
                                    [](unsigned char c) { return absl::ascii_isdigit(c); });
  return digits >= 7 && text.find_first_not_of("0123456789+-() .") == absl::string_view::npos;
}

// Which field a property of our own writer is (anonymizer/vcard_writer.cc); "-": none, it only
// repeats one. Empty: it is somebody else's.
absl::string_view FieldOf(const VcardProperty& property) {
  for (const VcardParameter& parameter : property.parameters) {
    if (!absl::EqualsIgnoreCase(parameter.name, "X-SEALBOOK")) continue;
    const absl::string_view field = parameter.value;
    if (field == "-" || IsBesideFields(field) || CheckFieldName(field).ok()) return field;
  }
  return "";
}

void AddLabel(absl::string_view label, std::string& labels) {
  label = absl::StripAsciiWhitespace(label);
  if (!label.empty()) absl::StrAppend(&labels, labels.empty() ? "" : ", ", label);
}

}  // namespace

absl::string_view NameOf(VcardColumn column) {
  static constexpr absl::string_view kNames[] = {
      "name",          "phone", "wa_id",    "email", "company", "title",    "role", "address",
      "address label", "note",  "birthday", "tags",  "url",     "nickname", ""};
  return kNames[static_cast<int>(column)];
}

void VcardCard::Clear() {
  version_ = VcardVersion::k30;
  fault_.clear();
  is_group_ = false;
  properties_ = pictures_ = 0;
  bytes_ = 0;
  std::fill(std::begin(count_), std::end(count_), 0);
  parts_.clear();
  values_.clear();
  labelled_.clear();
  labels_.clear();
}

void VcardCard::Fail(const VcardProperty& property, absl::string_view holds) {
  if (fault_.empty())
    fault_ =
        absl::StrCat("holds ", holds, " in its property ", property.name, ", line ", property.line);
}

void VcardCard::Add(VcardColumn column, std::string text, absl::string_view name) {
  if (absl::StripAsciiWhitespace(text).empty()) return;
  if (!Count(text.size())) return;
  values_.push_back({.column = column,
                     .number = IsNumbered(column) ? ++count_[static_cast<int>(column)] : 1,
                     .name = std::string(name),
                     .text = std::move(text)});
}

bool VcardCard::Count(std::size_t bytes) {
  bytes_ += bytes;
  if (bytes_ > kMaxTextBytes && fault_.empty()) fault_ = "holds more than 1 MiB of text";
  return fault_.empty();
}

// Whose label comes with it is labelled at once; Apple's may come later.
void VcardCard::AddLabelled(VcardColumn column, std::string text, const VcardProperty& property,
                            std::string label) {
  const std::size_t before = values_.size();
  Add(column, std::move(text), column == VcardColumn::kOther ? property.name : "");
  if (values_.size() == before || (label.empty() && property.group.empty())) return;
  if (!Count(label.size() + property.group.size())) return;
  labelled_.push_back({before, std::string(property.group), std::move(label)});
}

std::string VcardCard::Parameter(const VcardProperty& property, absl::string_view name,
                                 VcardCharsets& charsets) {
  for (const VcardParameter& parameter : property.parameters) {
    if (!absl::EqualsIgnoreCase(parameter.name, name)) continue;
    std::string text;
    if (!charsets.DecodeUndeclared(parameter.value, true, text))
      Fail(property, "bytes that are no text");
    return UnescapeParameter(text);
  }
  return "";
}

std::string VcardCard::Types(const VcardProperty& property, VcardCharsets& charsets) {
  std::string labels;
  for (const VcardParameter& parameter : property.parameters) {
    if (!parameter.name.empty() && !absl::EqualsIgnoreCase(parameter.name, "TYPE")) continue;
    std::string types;
    if (!charsets.DecodeUndeclared(parameter.value, true, types)) {
      Fail(property, "bytes that are no text");
      continue;
    }
    types = UnescapeParameter(types);
    if (absl::StartsWithIgnoreCase(types, "X-CUSTOM(")) {
      const std::string label = AndroidVcardLabel(types);
      if (label.empty()) Fail(property, "a damaged label");
      AddLabel(label, labels);
      continue;
    }
    for (const absl::string_view type : absl::StrSplit(types, ',')) {
      if (!IsStandardVcardType(absl::StripAsciiWhitespace(type))) AddLabel(type, labels);
    }
  }
  return labels;
}

void VcardCard::TakeWhatsApp(absl::string_view id) {
  id = absl::StripAsciiWhitespace(id);
  Add(VcardColumn::kWhatsApp, absl::StrCat(IsBareId(id) ? "+" : "", id));
}

bool VcardCard::IsFax(const VcardProperty& property) {
  return std::any_of(property.parameters.begin(), property.parameters.end(),
                     [](const VcardParameter& parameter) {
                       return absl::StrContains(absl::AsciiStrToLower(parameter.value), "fax");
                     });
}

void VcardCard::TakePhone(const VcardProperty& property, VcardCharsets& charsets) {
  const VcardPhone phone = ReadVcardPhone(UnescapeVcard(decoded_, version_));
  std::string label = Types(property, charsets);
  // Neither a fax nor what is behind a switchboard finds a customer.
  if (IsFax(property)) return Add(VcardColumn::kOther, phone.number, "fax");
  AddLabelled(VcardColumn::kPhone,
              phone.extension.empty()
                  ? phone.number
                  : absl::StrCat(phone.number, " ext. ", absl::StripSuffix(phone.extension, "#")),
              property, std::move(label));
  TakeWhatsApp(Parameter(property, "WAID", charsets));
}

void VcardCard::TakeDate(const VcardProperty& property) {
  absl::string_view omitted;
  for (const VcardParameter& parameter : property.parameters) {
    if (absl::EqualsIgnoreCase(parameter.name, "X-APPLE-OMIT-YEAR"))
      omitted = absl::StripAsciiWhitespace(parameter.value);
  }
  Add(VcardColumn::kBirthday, ReadVcardDate(UnescapeVcard(decoded_, version_), omitted));
}

void VcardCard::TakeAddress(const VcardProperty& property, VcardCharsets& charsets) {
  std::string written = Parameter(property, "LABEL", charsets);
  written = UnescapeVcard(written, version_);
  UnifyLineBreaks(written);
  const std::string joined = JoinVcardAddress(SplitVcard(decoded_, ';', version_));
  std::string label = Types(property, charsets);
  if (joined.empty()) {
    AddLabelled(VcardColumn::kAddress, std::move(written), property, std::move(label));
    return;
  }
  AddLabelled(VcardColumn::kAddress, joined, property, std::move(label));
  Add(VcardColumn::kAddressLabel, std::move(written));
}

void VcardCard::TakeField(const VcardProperty& property, absl::string_view field,
                          VcardCharsets& charsets) {
  if (field == "-") return;
  std::string text = UnescapeVcard(decoded_, version_);
  const std::string type = Parameter(property, "VALUE", charsets);
  if (property.name == "TEL" && absl::EqualsIgnoreCase(type, "uri")) {
    text = std::string(absl::StripPrefix(text, "tel:"));
  } else if (property.name == "IMPP") {
    text = std::string(absl::StripPrefix(text, "whatsapp:"));
  } else if (property.name == "BDAY" && !absl::EqualsIgnoreCase(type, "text")) {
    text = ReadVcardDate(text, "");
  } else if (property.name == "ADR") {
    const std::vector<std::string> parts = SplitVcard(decoded_, ';', version_);
    constexpr std::size_t kStreet = 2;
    const bool street_only = std::all_of(parts.begin(), parts.end(), [&](const std::string& part) {
      return part.empty() || &part == &parts[std::min(kStreet, parts.size() - 1)];
    });
    // An address that another program took apart is whole again.
    text = street_only && parts.size() > kStreet ? parts[kStreet] : JoinVcardAddress(parts);
  }
  const std::size_t before = values_.size();
  Add(VcardColumn::kOther, std::move(text), field);
  if (values_.size() > before) values_.back().exact = true;
}

void VcardCard::TakeText(const VcardProperty& property, VcardCharsets& charsets) {
  const Known known = FindKnown(property.name);
  switch (known.kind) {
    case Kind::kName:
      return Add(VcardColumn::kName, UnescapeVcard(decoded_, version_));
    case Kind::kParts:
      if (parts_.empty()) parts_ = SplitVcard(decoded_, ';', version_);
      return;
    case Kind::kPhone:
      return TakePhone(property, charsets);
    case Kind::kEmail:
      return AddLabelled(VcardColumn::kEmail, ReadVcardEmail(UnescapeVcard(decoded_, version_)),
                         property, Types(property, charsets));
    case Kind::kCompany: {
      std::vector<std::string> units = SplitVcard(decoded_, ';', version_);
      units.erase(std::remove(units.begin(), units.end(), ""), units.end());
      return Add(VcardColumn::kCompany, absl::StrJoin(units, " / "));
    }
    case Kind::kAddress:
      return TakeAddress(property, charsets);
    case Kind::kDate:
      return TakeDate(property);
    case Kind::kTags: {
      std::vector<std::string> tags = SplitVcard(decoded_, ',', version_);
      tags.erase(std::remove(tags.begin(), tags.end(), ""), tags.end());
      return Add(VcardColumn::kTags, absl::StrJoin(tags, "; "));
    }
    case Kind::kWhatsApp:
    case Kind::kMessenger: {
      const std::string text = UnescapeVcard(decoded_, version_);
      absl::string_view id = absl::StripAsciiWhitespace(text);
      if (absl::StartsWithIgnoreCase(id, "whatsapp:")) {
        id.remove_prefix(9);
      } else if (known.kind == Kind::kMessenger) {
        std::string label = Types(property, charsets);
        const std::string service = Parameter(property, "X-SERVICE-TYPE", charsets);
        if (absl::EqualsIgnoreCase(service, "WhatsApp") && IsPhoneLike(id)) return TakeWhatsApp(id);
        if (!absl::StartsWithIgnoreCase(text, service)) AddLabel(service, label);
        return AddLabelled(VcardColumn::kOther, text, property, std::move(label));
      }
      // What is no number there is a name, which is not looked for among the numbers.
      if (IsPhoneLike(id)) return TakeWhatsApp(id);
      return AddLabelled(VcardColumn::kOther, std::string(id), property, Types(property, charsets));
    }
    case Kind::kText:
      if (known.column == VcardColumn::kUrl) {
        return AddLabelled(known.column, UnescapeVcard(decoded_, version_), property,
                           Types(property, charsets));
      }
      return Add(known.column, UnescapeVcard(decoded_, version_));
    case Kind::kKind: {
      const absl::string_view kind = absl::StripAsciiWhitespace(decoded_);
      if (absl::EqualsIgnoreCase(kind, "group"))
        is_group_ = true;
      else if (!absl::EqualsIgnoreCase(kind, "individual"))
        Add(VcardColumn::kOther, std::string(kind), property.name);
      return;
    }
    case Kind::kLabel:
      if (!property.group.empty()) {
        if (Count(decoded_.size() + property.group.size()))
          labels_.emplace_back(std::string(property.group), UnescapeVcard(decoded_, version_));
        return;
      }
      return Add(VcardColumn::kOther, UnescapeVcard(decoded_, version_), property.name);
    case Kind::kVersion:
    case Kind::kLeftOut:
      return;
    case Kind::kOther: {
      std::string text = UnescapeVcard(decoded_, version_);
      if (absl::StartsWith(property.name, "X-ANDROID-")) {
        while (absl::EndsWith(text, ";")) text.pop_back();
      }
      // Its name would be taken for the customer's.
      if (property.name == "NAME") return Add(VcardColumn::kOther, std::move(text), "SOURCE NAME");
      return AddLabelled(VcardColumn::kOther, std::move(text), property, Types(property, charsets));
    }
  }
}

void VcardCard::Take(const VcardProperty& property, VcardCharsets& charsets) {
  using Fault = VcardProperty::Fault;
  if (!fault_.empty()) return;
  if (++properties_ > kMaxProperties) {
    fault_ = "has more than 1000 properties";
    return;
  }
  if (property.fault == Fault::kNul) {
    fault_ = absl::StrCat("holds a NUL byte in line ", property.line);
    return;
  }
  if (property.is_picture) {
    ++pictures_;
    return;
  }
  // Outlook and others keep pictures in properties of their own; what is no text has no column.
  const bool own = absl::StartsWith(property.name, "X-") &&
                   property.transfer == VcardProperty::Transfer::kBase64;
  if (property.fault == Fault::kTooLong && !own) {
    fault_ = absl::StrCat("has a line longer than 1 MiB, line ", property.line);
  } else if (property.fault == Fault::kNoProperty) {
    fault_ = absl::StrCat("holds something in line ", property.line, " that is no property");
  }
  if (!fault_.empty()) return;
  const Kind kind = FindKnown(property.name).kind;
  const absl::string_view field = FieldOf(property);
  if (kind == Kind::kLeftOut && field.empty()) return;
  if (kind == Kind::kVersion) {
    const absl::string_view version = absl::StripAsciiWhitespace(property.value);
    if (version == "2.1")
      version_ = VcardVersion::k21;
    else if (version == "4.0")
      version_ = VcardVersion::k40;
    else if (version != "3.0")
      fault_ = "is a vCard of a version other than 2.1, 3.0 and 4.0";
    return;
  }
  const char* const wrong =
      property.fault == Fault::kTooLong ? "a picture" : charsets.Decode(property, decoded_);
  if (own && wrong != nullptr && !absl::StartsWith(wrong, "damaged")) {
    ++pictures_;
    return;
  }
  if (wrong != nullptr)
    Fail(property, wrong);
  else if (!field.empty())
    TakeField(property, field, charsets);
  else
    TakeText(property, charsets);
}

void VcardCard::Finish() {
  if (!fault_.empty()) return;
  const bool named = std::any_of(values_.begin(), values_.end(), [](const VcardValue& value) {
    return value.column == VcardColumn::kName;
  });
  if (!named && !parts_.empty()) Add(VcardColumn::kName, JoinVcardName(parts_));
  for (Labelled& labelled : labelled_) {
    const VcardColumn column = values_[labelled.value].column;
    for (const auto& [group, label] : labels_) {
      if (!absl::EqualsIgnoreCase(group, labelled.group)) continue;
      // "Mobile" of a phone says nothing; "Mother" of a name says whose it is.
      if (column == VcardColumn::kOther || WithoutDecoration(label) == label)
        AddLabel(WithoutDecoration(label), labelled.label);
      break;
    }
    if (labelled.label.empty()) continue;
    if (!Count(labelled.label.size())) return;
    VcardValue& value = values_[labelled.value];
    if (column == VcardColumn::kOther) {
      absl::StrAppend(&value.text, " (", labelled.label, ")");
    } else {
      VcardValue label{.column = column, .number = value.number, .is_label = true};
      label.text = std::move(labelled.label);
      values_.push_back(std::move(label));
    }
  }
}

}  // namespace sealbook::anonymizer
