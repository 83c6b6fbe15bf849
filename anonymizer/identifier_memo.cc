#include "anonymizer/identifier_memo.h"

namespace sealbook::anonymizer {

const absl::StatusOr<records::IdentifierValue>& IdentifierMemo::Normalize(IdentifierKind kind,
                                                                          absl::string_view text) {
  std::pair<IdentifierKind, std::string> key(kind, text);
  const auto known = known_.find(key);
  if (known != known_.end()) return known->second;
  // Whoever writes often is soon there again.
  if (known_.size() >= kMostIdentifiers) known_.clear();
  return known_.emplace(std::move(key), NormalizeIdentifier(kind, text, region_)).first->second;
}

}  // namespace sealbook::anonymizer
