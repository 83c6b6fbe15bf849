// One card's properties as the cells of a row: which column each goes to, and in what form.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "anonymizer/vcard_charsets.h"
#include "anonymizer/vcard_lines.h"

namespace sealbook::anonymizer {

// Columns that every file of vCards names alike; kOther has the property's own name.
enum class VcardColumn {
  kName,
  kPhone,
  kWhatsApp,
  kEmail,
  kCompany,
  kTitle,
  kRole,
  kAddress,
  kAddressLabel,
  kNote,
  kBirthday,
  kTags,
  kUrl,
  kNickname,
  kOther,
};
absl::string_view NameOf(VcardColumn column);

struct VcardValue {
  VcardColumn column = VcardColumn::kOther;
  int number = 1;         // "phone 2" is the second
  bool is_label = false;  // of that value: "phone 2 label"
  bool exact = false;     // `name` is a field's, and `text` its value as it is
  std::string name;       // of kOther
  std::string text;
};

class VcardCard {
 public:
  static constexpr int kMaxProperties = 1000;
  static constexpr std::size_t kMaxTextBytes = 1 << 20;

  void Clear();
  // Takes a property between BEGIN and END. What is wrong with it is the card's fault.
  void Take(const VcardProperty& property, VcardCharsets& charsets);
  // Nothing follows. Afterwards the card's values may be moved from.
  void Finish();

  VcardVersion version() const { return version_; }
  const std::string& fault() const { return fault_; }
  bool is_group() const { return is_group_; }  // a list of other cards, and no customer
  std::vector<VcardValue>& values() { return values_; }
  int pictures() const { return pictures_; }

 private:
  struct Labelled {
    std::size_t value;  // whose label it is
    std::string group, label;
  };
  void TakeText(const VcardProperty& property, VcardCharsets& charsets);
  void TakeField(const VcardProperty& property, absl::string_view field, VcardCharsets& charsets);
  static bool IsFax(const VcardProperty& property);
  void TakePhone(const VcardProperty& property, VcardCharsets& charsets);
  void TakeWhatsApp(absl::string_view id);
  void TakeDate(const VcardProperty& property);
  void TakeAddress(const VcardProperty& property, VcardCharsets& charsets);
  std::string Parameter(const VcardProperty& property, absl::string_view name,
                        VcardCharsets& charsets);
  std::string Types(const VcardProperty& property, VcardCharsets& charsets);
  void Add(VcardColumn column, std::string text, absl::string_view name = "");
  void AddLabelled(VcardColumn column, std::string text, const VcardProperty& property,
                   std::string label);
  bool Count(std::size_t bytes);  // false: the card cannot be used (any more)
  void Fail(const VcardProperty& property, absl::string_view holds);

  VcardVersion version_ = VcardVersion::k30;
  std::string fault_;
  bool is_group_ = false;
  int properties_ = 0, pictures_ = 0;
  std::size_t bytes_ = 0;
  int count_[static_cast<int>(VcardColumn::kOther) + 1] = {};
  std::string decoded_;             // the value of the property at hand
  std::vector<std::string> parts_;  // N's, used where FN says nothing
  std::vector<VcardValue> values_;
  std::vector<Labelled> labelled_;
  std::vector<std::pair<std::string, std::string>> labels_;  // Apple's, by group
};

}  // namespace sealbook::anonymizer
