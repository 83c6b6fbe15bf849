// Identifiers that were normalised before: the library of phones needs 10 us for each, and in chats
// the same few people write again and again. Bounded; belongs to one thread.
#pragma once

#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "anonymizer/identifiers.h"

namespace sealbook::anonymizer {

class IdentifierMemo {
 public:
  static constexpr std::size_t kMostIdentifiers = 32'768;

  // `region` is for phones without a country code, as in NormalizePhone.
  explicit IdentifierMemo(absl::string_view region = "") : region_(region) {}

  // As NormalizeIdentifier. Valid until the next call.
  const absl::StatusOr<records::IdentifierValue>& Normalize(IdentifierKind kind,
                                                            absl::string_view text);

 private:
  std::string region_;
  absl::flat_hash_map<std::pair<IdentifierKind, std::string>,
                      absl::StatusOr<records::IdentifierValue>>
      known_;
};

}  // namespace sealbook::anonymizer
