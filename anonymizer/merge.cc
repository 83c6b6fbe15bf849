#include "anonymizer/merge.h"

#include <algorithm>
#include <optional>
#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "anonymizer/identifiers.h"
#include "anonymizer/import_rights.h"
#include "policies/mask.h"
#include "vault/records/consent.h"

namespace sealbook::anonymizer {
namespace {

using records::ClassFields;
using records::Field;
using records::Fields;

const Fields* Find(const std::vector<ClassFields>& classes, ClassId id) {
  const auto at = std::find_if(classes.begin(), classes.end(),
                               [&](const ClassFields& c) { return c.class_id == id; });
  return at == classes.end() ? nullptr : &at->fields;
}

// Under the name itself where that is free, and otherwise under the next number.
void Add(const Field& field, Fields& fields) {
  std::string name = field.name;
  const auto taken = [&](const Field& other) { return other.name == name; };
  for (int number = 2; std::any_of(fields.begin(), fields.end(), taken); ++number)
    name = absl::StrCat(policies::BaseField(field.name), "_", number);
  fields.push_back({std::move(name), field.value});
}

// Notes that stood beside an identifier or within a name.
bool IsSideNote(absl::string_view base) {
  return absl::ConsumeSuffix(&base, "_note") && (base == "name" || KindOfField(base).has_value());
}

// Whether there may be several of it, each with a meaning of its own, and this one is there.
std::optional<bool> ThereAmongMany(const Field& field, const Fields& fields) {
  const absl::string_view base = policies::BaseField(field.name);
  const auto kind = KindOfField(field.name);
  const bool consent = base == records::kConsentField;
  if (!kind && !consent && !IsSideNote(base)) return std::nullopt;
  return std::any_of(fields.begin(), fields.end(), [&](const Field& other) {
    if (kind) return KindOfField(other.name) == kind && other.value == field.value;
    if (policies::BaseField(other.name) != base) return false;
    return consent ? records::SameConsent(other.value, field.value) : other.value == field.value;
  });
}

// `wins`: a value of the draft takes the place of one that is there.
bool MergeClass(const Fields& draft, bool wins, Fields& fields, bool& other_name) {
  std::set<std::string> there;
  std::string name;
  for (const Field& field : fields) {
    there.emplace(policies::BaseField(field.name));
    if (field.name == "name") name = field.value;
  }
  const Fields before = fields;
  for (const Field& field : draft) {
    if (field.name == records::kRowField) continue;
    if (const auto is_there = ThereAmongMany(field, fields)) {
      if (!*is_there) Add(field, fields);
      continue;
    }
    if (field.name == "name" && !name.empty() && name != field.value) other_name = true;
    const std::string base(policies::BaseField(field.name));
    if (there.contains(base)) {
      if (!wins) continue;
      std::erase_if(fields, [&](const Field& f) { return policies::BaseField(f.name) == base; });
      there.erase(base);
    }
    Add(field, fields);
  }
  return fields != before;
}

void MergeInto(const policies::Policy& policy, const ClassFields& draft, bool wins,
               const std::vector<ClassId>& opened, const std::vector<ClassFields>& now,
               records::Combined& out) {
  if (!Has(opened, draft.class_id)) {
    out.left += static_cast<std::size_t>(
        std::count_if(draft.fields.begin(), draft.fields.end(),
                      [](const Field& field) { return field.name != records::kRowField; }));
    return;
  }
  const Fields* old = Find(now, draft.class_id);
  ClassFields merged{draft.class_id, old == nullptr ? Fields() : *old};
  if (!MergeClass(draft.fields, wins, merged.fields, out.other_name)) return;
  if (merged.class_id == ClassId::kIdentity)
    out.changed.push_back({ClassId::kMasked, policies::MaskedFields(policy, merged.fields)});
  out.changed.push_back(std::move(merged));
}

}  // namespace

records::Combined Merge(const policies::Policy& policy, const std::vector<ClassId>& opened,
                        const std::vector<ClassFields>& now,
                        const std::vector<ClassFields>& draft) {
  records::Combined out;
  for (const ClassFields& fields : draft) {
    if (fields.class_id != ClassId::kMasked) MergeInto(policy, fields, false, opened, now, out);
  }
  return out;
}

records::Combined Replace(const policies::Policy& policy, const std::vector<ClassId>& opened,
                          const std::vector<ClassId>& replaced, const std::vector<ClassFields>& now,
                          const std::vector<ClassFields>& draft) {
  records::Combined out;
  const ClassId consents = policy.ClassOfField(records::kConsentField).id;
  const ClassId names = policy.ClassOfField("name").id;
  const auto name_in = [&](const std::vector<ClassFields>& classes) -> absl::string_view {
    const Fields* fields = Find(classes, names);
    if (fields == nullptr) return "";
    const auto at = std::find_if(fields->begin(), fields->end(),
                                 [](const Field& field) { return field.name == "name"; });
    return at == fields->end() ? "" : absl::string_view(at->value);
  };
  const absl::string_view name = name_in(now), new_name = name_in(draft);
  out.other_name = !name.empty() && !new_name.empty() && name != new_name;
  for (const ClassId id : replaced) {
    const Fields* fresh = Find(draft, id);
    ClassFields fields{id, fresh == nullptr ? Fields() : *fresh};
    if (id == consents && !Has(opened, id)) out.unread = true;
    if (const Fields* old = Find(now, id); old != nullptr && Has(opened, id)) {
      for (const Field& field : *old) {
        if (policies::BaseField(field.name) == records::kConsentField &&
            !*ThereAmongMany(field, fields.fields))
          Add(field, fields.fields);
      }
    }
    out.changed.push_back(std::move(fields));
  }
  for (const ClassFields& fields : draft) {
    if (!Has(replaced, fields.class_id) && fields.class_id != ClassId::kMasked)
      MergeInto(policy, fields, true, opened, now, out);
  }
  return out;
}

}  // namespace sealbook::anonymizer
