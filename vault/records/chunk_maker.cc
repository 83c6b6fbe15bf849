#include "vault/records/chunk_maker.h"

#include <algorithm>
#include <iterator>

#include "absl/cleanup/cleanup.h"
#include "vault/crypto/aead.h"
#include "vault/status.h"

namespace sealbook::records {
namespace {

// Of a packed chunk: a row that is larger with its key does not stay on its page as a whole (SQLite
// keeps 981 bytes of a row of such a table there), and the rest gets a page of its own.
constexpr std::size_t kRowBytes = 896;
// How many days wait before the worker is called: waking it costs as much as some of them.
constexpr std::size_t kDaysAtOnce = 16;

}  // namespace

absl::Status MakeChunks(const keyring::VaultId& vault, const ChunkKey& key, ChatOwner owner,
                        std::int32_t day, std::int64_t sequence, std::span<const ChatEntry> entries,
                        ChunkPacker& packer, std::vector<store::ChatRow>& rows) {
  crypto::SecretBytes packed;
  std::size_t most = kMaxChunkMessages;
  while (!entries.empty()) {
    std::size_t taken = std::min(most, ChunkPacker::Take(entries));
    // A long text stands alone, lest its neighbours be strewn over many chunks.
    const auto is_long = [](const ChatEntry& entry) { return entry.text.size() > 2 * kRowBytes; };
    const auto others = entries.first(taken).subspan(1);
    taken = 1 + static_cast<std::size_t>(std::ranges::find_if(others, is_long) - others.begin());
    RETURN_IF_ERROR(packer.Pack(entries.first(taken), packed));
    while (packed.size() > kRowBytes && taken > 1) {
      taken = std::max<std::size_t>(1, std::min(taken - 1, taken * kRowBytes / packed.size()));
      RETURN_IF_ERROR(packer.Pack(entries.first(taken), packed));
    }
    // Those that follow are much the same, unless this was a single long one.
    most = packed.size() > kRowBytes
               ? kMaxChunkMessages
               : std::min(kMaxChunkMessages, taken * kRowBytes / packed.size() + 1);
    store::ChatRow row{.day = day,
                       .contact = owner.contact,
                       .sequence = ++sequence,
                       .session = key.session,
                       .messages = static_cast<std::uint32_t>(taken),
                       .chunk = {}};
    crypto::SealAppend(key.key, ChunkPlace(vault, owner, row, key.ephemeral), packed.ExposeBytes(),
                       row.chunk);
    rows.push_back(std::move(row));
    entries = entries.subspan(taken);
  }
  return absl::OkStatus();
}

ChunkMaker::ChunkMaker(const keyring::VaultId& vault, ChunkPacker& packer, bool with_thread)
    : vault_(vault), packer_(packer) {
  if (with_thread) worker_ = std::thread([this] { Work(); });
}

ChunkMaker::~ChunkMaker() {
  {
    // Whoever goes without Finish wants nothing of it.
    const std::lock_guard lock(mutex_);
    waiting_.clear();
  }
  End();
}

void ChunkMaker::End() {
  if (!worker_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
  }
  changed_.notify_one();
  worker_.join();
}

ChunkMaker::Made ChunkMaker::Make(const Day& day) {
  std::vector<ChatEntry> entries;
  const absl::Cleanup wipe = [&] { Wipe(entries); };
  entries.reserve(day.entries.size());
  for (const ChatEntry* entry : day.entries) entries.push_back(*entry);
  Made made{.batch_place = day.batch_place, .status = {}, .rows = {}};
  made.status =
      MakeChunks(vault_, *day.key, day.owner, day.day, day.sequence, entries, packer_, made.rows);
  return made;
}

void ChunkMaker::Add(Day day) {
  if (!worker_.joinable()) {
    made_.push_back(Make(day));
    return;
  }
  bool call = false;
  {
    const std::lock_guard lock(mutex_);
    waiting_.push_back(std::move(day));
    call = waiting_.size() == kDaysAtOnce;
  }
  if (call) changed_.notify_one();
}

void ChunkMaker::Work() {
  std::deque<Day> days;
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return waiting_.size() >= kDaysAtOnce || ended_; });
      if (waiting_.empty()) return;
      days.swap(waiting_);
    }
    for (const Day& day : days) made_.push_back(Make(day));
    days.clear();
  }
}

absl::Status ChunkMaker::Finish(const std::vector<bool>& dropped,
                                std::vector<store::ChatRow>& rows) {
  End();
  for (Made& made : made_) {
    if (dropped[made.batch_place]) continue;
    RETURN_IF_ERROR(made.status);
    rows.insert(rows.end(), std::make_move_iterator(made.rows.begin()),
                std::make_move_iterator(made.rows.end()));
  }
  made_.clear();
  return absl::OkStatus();
}

}  // namespace sealbook::records
