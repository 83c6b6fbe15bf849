// Notes that staff hide in names: "김 씨-지성 민감성-여드름 에센스 구매" is Mrs Kim, and what she
// told about her skin. The name stays the name, the rest is split off.
//
// Short Korean names are ordinary words too, and people are called Smith-Jones: what is looked for
// is a pattern and not a name. A name ends with an honorific or a relation ("씨", "고객님", "엄마",
// "先生", "Mrs Kim"), a separator follows, and then a topic. Without an honorific it takes a family
// name, two to four letters in all, and a topic of several parts ("김민지-건성-수분크림 재구매"),
// or a remark in brackets ("김민지 (단골)").
#pragma once

#include <string>

#include "absl/strings/string_view.h"

namespace sealbook::anonymizer {

struct SplitName {
  std::string name;
  std::string note;  // empty: the name is nothing but a name
};
// `text` is clean (CleanText). Any thread.
SplitName SplitNameNote(absl::string_view text);

}  // namespace sealbook::anonymizer
