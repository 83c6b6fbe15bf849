// Which of several equal messages of a file this is: some messages differ in nothing from one
// another, two times "ok" within one minute, and are told apart by their order alone
// (vault/records/chat_writer.h).
//
// Equal are messages of one contact, minute, direction and kind with the same text; of media and of
// what was deleted the placeholder's words do not count, as in the tags. They are
// counted while no more than kWindow to 2·kWindow other messages stand between them; beyond that
// counting begins anew, so that memory does not grow with the file. Messages of one minute stand
// together in every export.
#pragma once

#include <array>
#include <cstdint>

#include "absl/container/flat_hash_map.h"
#include "absl/hash/hash.h"
#include "vault/ids.h"
#include "vault/records/chat_codec.h"

namespace sealbook::anonymizer {

class Occurrences {
 public:
  static constexpr std::size_t kWindow = 50'000;

  // From 1.
  std::uint32_t Count(ContactNumber contact, const records::ChatEntry& entry) {
    // Two hashes of one text: what is kept is no text, and differs from process to process.
    const bool placeholder =
        entry.kind == records::ChatKind::kMedia || entry.kind == records::ChatKind::kDeleted;
    const auto key_of = [&](int salt) {
      return absl::HashOf(salt, contact, entry.time / 60, static_cast<int>(entry.direction),
                          static_cast<int>(entry.kind),
                          placeholder ? absl::string_view() : absl::string_view(entry.text));
    };
    const std::array<std::size_t, 2> key = {key_of(1), key_of(2)};
    if (newer_.size() >= kWindow) {
      older_ = std::move(newer_);
      newer_.clear();
    }
    std::uint32_t& count = newer_[key];
    if (count == 0) {
      const auto before = older_.find(key);
      if (before != older_.end()) count = before->second;
    }
    return ++count;
  }

 private:
  absl::flat_hash_map<std::array<std::size_t, 2>, std::uint32_t> newer_, older_;
};

}  // namespace sealbook::anonymizer
