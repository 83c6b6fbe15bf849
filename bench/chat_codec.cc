// How small and how fast chunks of chats are, on one thread and in processor time, with
// conversations that the dictionaries do not know (tests/fixtures/chat_codec/held_out.txt).
//
//   bench_chat_codec
#include "vault/records/chat_codec.h"

#include <cstdio>
#include <ctime>
#include <map>

#include "absl/strings/str_cat.h"
#include "tests/support/held_out_chats.h"

namespace sealbook::records {
namespace {

constexpr double kSecondsMeasured = 1;

[[noreturn]] void Fail(const absl::Status& status) {
  std::fprintf(stderr, "bench_chat_codec: %s\n", std::string(status.message()).c_str());
  std::exit(1);
}

struct Sizes {
  std::size_t messages = 0, text = 0, packed = 0;
  void Print(const std::string& name) const {
    const auto count = static_cast<double>(messages);
    std::printf("  %-34s %6.1f %8.1f\n", name.c_str(), static_cast<double>(text) / count,
                static_cast<double>(packed) / count);
  }
};

// Packs `entries` in chunks of `most` messages.
void Measure(ChunkPacker& packer, std::span<const ChatEntry> entries, std::size_t most,
             Sizes& sizes, std::vector<crypto::SecretBytes>* chunks = nullptr) {
  while (!entries.empty()) {
    const std::size_t count = std::min(most, ChunkPacker::Take(entries));
    crypto::SecretBytes chunk;
    if (const absl::Status status = packer.Pack(entries.first(count), chunk); !status.ok())
      Fail(status);
    sizes.messages += count;
    sizes.packed += chunk.size();
    for (const ChatEntry& entry : entries.first(count)) sizes.text += entry.text.size();
    if (chunks != nullptr) chunks->push_back(std::move(chunk));
    entries = entries.subspan(count);
  }
}

// As a webhook brings them: an id for each.
void GiveIds(std::vector<ChatEntry>& entries) {
  std::uint64_t state = 88172645463325252u;
  for (ChatEntry& entry : entries) {
    crypto::ByteWriter id;
    id.Raw(crypto::Bytes{0x1c, 0x18, 0x0c}).Raw(crypto::AsBytes("821055550123"));
    id.Raw(crypto::Bytes{0x15, 0x02, 0x00, 0x12, 0x18, 0x20});
    for (int digit = 0; digit < 32; ++digit) {
      state = state * 6364136223846793005u + 1442695040888963407u;
      id.U8(static_cast<std::uint8_t>("0123456789ABCDEF"[state >> 60]));
    }
    entry.id = absl::StrCat("wamid.", crypto::ToBase64(id.U8(0).bytes()));
  }
}

// Messages a second.
template <typename Round>
double Rate(Round&& round) {
  const std::clock_t start = std::clock();
  double seconds = 0;
  std::size_t messages = 0;
  while (seconds < kSecondsMeasured) {
    messages += round();
    seconds = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
  }
  return static_cast<double>(messages) / seconds;
}

void Main() {
  const std::vector<HeldOutChat> chats =
      HeldOutChats(SEALBOOK_SOURCE_DIR "/tests/fixtures/chat_codec/held_out.txt");
  ChunkPacker packer;
  std::printf("Bytes a message                        text   packed\n");
  std::map<std::string, Sizes> languages;
  Sizes all, single, long_chunks, with_ids, with_authors;
  std::vector<crypto::SecretBytes> chunks;
  for (const HeldOutChat& chat : chats) {
    Measure(packer, chat.entries, kMaxChunkMessages, languages[chat.language]);
    Measure(packer, chat.entries, kMaxChunkMessages, all, &chunks);
    Measure(packer, chat.entries, 1, single);
    std::vector<ChatEntry> changed = chat.entries;
    GiveIds(changed);
    Measure(packer, changed, kMaxChunkMessages, with_ids);
    changed = chat.entries;
    for (ChatEntry& entry : changed)
      entry.author = entry.direction == ChatDirection::kIn ? "Hong Gildong" : "Seoul Shop";
    Measure(packer, changed, kMaxChunkMessages, with_authors);
    // A busy day: the conversation of one language six times over would compress too well, so its
    // neighbours follow.
    std::vector<ChatEntry> busy;
    for (const HeldOutChat& other : chats) {
      if (other.language != chat.language) continue;
      busy.insert(busy.end(), other.entries.begin(), other.entries.end());
    }
    if (busy.size() >= 4 * chat.entries.size())
      Measure(packer, busy, kMaxChunkMessages, long_chunks);
  }
  all.Print("chunks of 7");
  for (const auto& [language, sizes] : languages) sizes.Print("  " + language);
  with_authors.Print("  with authors");
  with_ids.Print("  with WhatsApp's ids (66 bytes)");
  long_chunks.Print("chunks of 28");
  single.Print("chunks of 1");

  crypto::SecretBytes chunk;
  std::printf("Messages a second, chunks of 7\n");
  std::printf("  packed  %9.0f\n", Rate([&] {
                std::size_t messages = 0;
                for (const HeldOutChat& chat : chats) {
                  if (const absl::Status status = packer.Pack(chat.entries, chunk); !status.ok())
                    Fail(status);
                  messages += chat.entries.size();
                }
                return messages;
              }));
  ChunkOpener opener;
  std::vector<ChatEntry> opened;
  std::printf("  opened  %9.0f\n", Rate([&] {
                opened.clear();
                for (const crypto::SecretBytes& each : chunks) {
                  if (const absl::Status status = opener.Open(each.ExposeBytes(), 20'000, opened);
                      !status.ok())
                    Fail(status);
                }
                return opened.size();
              }));
}

}  // namespace
}  // namespace sealbook::records

int main() { sealbook::records::Main(); }
