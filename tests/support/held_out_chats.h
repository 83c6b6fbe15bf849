// The conversations of tests/fixtures/chat_codec/held_out.txt, which the dictionaries of chat
// chunks do not know.
#pragma once

#include <fstream>
#include <string>
#include <vector>

#include "vault/records/chat_codec.h"

namespace sealbook::records {

struct HeldOutChat {
  std::string language;
  std::vector<ChatEntry> entries;  // of one day, two to the minute who answer each other
};

// Ends the process where the file is not there.
inline std::vector<HeldOutChat> HeldOutChats(const std::string& path) {
  constexpr std::int64_t kMorning = 20'000 * kSecondsOfDay + 9 * 3600;
  std::ifstream file(path);
  std::vector<HeldOutChat> chats;
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line[0] == '#') continue;
    if (line[0] == '[') {
      chats.push_back({.language = line.substr(1, line.find(' ') - 1)});
      continue;
    }
    std::vector<ChatEntry>& entries = chats.at(chats.size() - 1).entries;
    const auto nth = static_cast<std::int64_t>(entries.size());
    entries.push_back({.time = kMorning + 60 * (nth * nth + nth % 3),
                       .direction = nth % 2 == 0 ? ChatDirection::kIn : ChatDirection::kOut,
                       .to_the_minute = true,
                       .text = line});
  }
  if (chats.empty()) std::abort();
  return chats;
}

}  // namespace sealbook::records
