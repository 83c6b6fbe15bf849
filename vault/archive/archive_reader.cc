#include "vault/archive/archive_reader.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "vault/archive/archive_cursor.h"
#include "vault/archive/archive_layout.h"
#include "vault/status.h"

namespace sealbook::archive {

using crypto::AgeRangeReader;
using crypto::ByteReader;
using internal::ArchiveCursor;
using internal::Item;

namespace {

absl::Status Wrong(absl::string_view what) {
  return absl::DataLossError(absl::StrCat("an archive's ", what, " is wrong"));
}
absl::Status WrongFrame(std::int64_t token) {
  return absl::DataLossError(absl::StrCat("an archive's frame of token ", token, " is wrong"));
}

std::int64_t Signed(std::uint64_t number) { return static_cast<std::int64_t>(number); }

// Each block of the file against the signature.
std::function<absl::Status(std::uint64_t, ByteView)> CheckBlocks(const ArchiveDigest& digest) {
  return [&digest](std::uint64_t number, ByteView block) -> absl::Status {
    if (number >= digest.blocks.size() ||
        BlockHash(number, block) != digest.blocks[static_cast<std::size_t>(number)]) {
      return absl::DataLossError(
          absl::StrCat("an archive is not the file that was signed (block ", number, ")"));
    }
    return absl::OkStatus();
  };
}

ArchiveEntry DecodeEntry(ByteView bytes) {
  ByteReader in(bytes);
  ArchiveEntry entry;
  entry.token = Signed(in.U64());
  entry.contact = Signed(in.U64());
  entry.offset = in.U64();
  entry.length = in.U64();
  return entry;
}

}  // namespace

ArchiveReader::ArchiveReader(std::unique_ptr<AgeRangeReader> age, const ArchiveSignature& signature)
    : age_(std::move(age)), signature_(signature) {}
ArchiveReader::~ArchiveReader() = default;

absl::StatusOr<std::unique_ptr<ArchiveReader>> ArchiveReader::Open(
    const crypto::RandomAccess& source, std::span<const crypto::ExchangePair> identities,
    const ArchiveSignature& signature) {
  if (source.size != signature.digest.size) {
    return absl::DataLossError(absl::StrCat("an archive has ", source.size, " bytes of ",
                                            signature.digest.size, " that were signed"));
  }
  auto age = AgeRangeReader::Open(
      source, {.identities = identities, .check = CheckBlocks(signature.digest)});
  if (absl::IsInvalidArgument(age.status())) {
    return absl::DataLossError(
        absl::StrCat("an archive is not the file that was signed: ", age.status().message()));
  }
  RETURN_IF_ERROR(age.status());
  std::unique_ptr<ArchiveReader> reader(new ArchiveReader(*std::move(age), signature));
  RETURN_IF_ERROR(reader->ReadFooter());
  RETURN_IF_ERROR(reader->ReadHeader());
  return reader;
}

absl::Status ArchiveReader::ReadFooter() {
  if (age_->size() < internal::kFixedHeaderBytes + internal::kFooterBytes) return Wrong("size");
  footer_at_ = age_->size() - internal::kFooterBytes;
  std::array<std::uint8_t, internal::kFooterBytes> bytes;
  RETURN_IF_ERROR(age_->Read(footer_at_, bytes));
  ByteReader in(bytes);
  index_at_ = in.U64();
  ArchiveTotals totals;
  totals.contacts = in.U64();
  totals.chunks = in.U64();
  totals.messages = in.U64();
  content_hash_ = in.Array<32>();
  if (crypto::AsText(in.rest()) != internal::kArchiveEnd || totals != signature_.totals ||
      totals.contacts > kMaxArchiveContacts || index_at_ > footer_at_ ||
      totals.contacts * internal::kIndexEntryBytes != footer_at_ - index_at_) {
    return Wrong("footer");
  }
  return absl::OkStatus();
}

absl::Status ArchiveReader::ReadHeader() {
  std::array<std::uint8_t, internal::kFixedHeaderBytes> fixed;
  RETURN_IF_ERROR(age_->Read(0, fixed));
  ASSIGN_OR_RETURN(const auto header, internal::DecodeFixedHeader(fixed));
  if (header.first != signature_.header) return Wrong("header");
  crypto::Bytes dictionaries(header.second * internal::kDictionaryBytes);
  frames_at_ = fixed.size() + dictionaries.size();
  if (frames_at_ > index_at_) return Wrong("header");
  RETURN_IF_ERROR(age_->Read(fixed.size(), dictionaries));
  return internal::CheckDictionaries(dictionaries, header.second);
}

absl::Status ArchiveReader::CheckEntry(const ArchiveEntry& entry) const {
  if (entry.token < 1 || entry.contact < 1 || entry.length < internal::kMinFrameBytes ||
      entry.offset < frames_at_ || entry.offset > index_at_ ||
      entry.length > index_at_ - entry.offset) {
    return Wrong("index");
  }
  return absl::OkStatus();
}

absl::StatusOr<ArchiveEntry> ArchiveReader::EntryAt(std::uint64_t position) {
  std::array<std::uint8_t, internal::kIndexEntryBytes> bytes;
  RETURN_IF_ERROR(age_->Read(index_at_ + position * bytes.size(), bytes));
  const ArchiveEntry entry = DecodeEntry(bytes);
  RETURN_IF_ERROR(CheckEntry(entry));
  return entry;
}

absl::StatusOr<std::optional<ArchiveEntry>> ArchiveReader::Find(std::int64_t token) {
  std::uint64_t begin = 0, end = totals().contacts;
  while (begin < end) {
    const std::uint64_t middle = begin + (end - begin) / 2;
    ASSIGN_OR_RETURN(const ArchiveEntry entry, EntryAt(middle));
    if (entry.token == token) return entry;
    if (entry.token < token) {
      begin = middle + 1;
    } else {
      end = middle;
    }
  }
  return std::nullopt;
}

// In the order of frames, which is that of contacts; they leave no byte between header and index.
absl::StatusOr<std::vector<ArchiveEntry>> ArchiveReader::ReadIndex() {
  std::vector<ArchiveEntry> entries;
  ArchiveCursor index(*age_, index_at_, footer_at_, nullptr);
  for (std::uint64_t i = 0; i < totals().contacts; ++i) {
    ASSIGN_OR_RETURN(const ByteView bytes, index.Take(internal::kIndexEntryBytes));
    const ArchiveEntry entry = DecodeEntry(bytes);
    RETURN_IF_ERROR(CheckEntry(entry));
    if (!entries.empty() && entry.token <= entries.back().token) return Wrong("index");
    entries.push_back(entry);
  }
  std::ranges::sort(entries, {}, &ArchiveEntry::contact);
  std::uint64_t at = frames_at_;
  ContactNumber last = 0;
  for (const ArchiveEntry& entry : entries) {
    if (entry.contact <= last || entry.offset != at) return Wrong("index");
    last = entry.contact;
    at += entry.length;
  }
  if (at != index_at_) return Wrong("index");
  return entries;
}

absl::Status ArchiveReader::EachContact(
    const std::function<absl::StatusOr<bool>(const ArchiveEntry&)>& visit) {
  ASSIGN_OR_RETURN(const std::vector<ArchiveEntry> entries, ReadIndex());
  for (const ArchiveEntry& entry : entries) {
    ASSIGN_OR_RETURN(const bool more, visit(entry));
    if (!more) break;
  }
  return absl::OkStatus();
}

absl::Status ArchiveReader::ReadFrame(ArchiveCursor& cursor, const ArchiveEntry& entry,
                                      const ChunkVisitor& visit, ArchiveTotals& totals) {
  const std::uint64_t end = entry.offset + entry.length;
  const auto take = [&](std::size_t size) -> absl::StatusOr<ByteReader> {
    if (size > end - cursor.offset()) return WrongFrame(entry.token);
    ASSIGN_OR_RETURN(const ByteView bytes, cursor.Take(size));
    return ByteReader(bytes);
  };
  const auto next_item = [&]() -> absl::StatusOr<Item> {
    ASSIGN_OR_RETURN(ByteReader in, take(1));
    return static_cast<Item>(in.U8());
  };

  ASSIGN_OR_RETURN(const Item first, next_item());
  if (first != Item::kContact) return WrongFrame(entry.token);
  ArchiveContact contact;
  ASSIGN_OR_RETURN(ByteReader head, take(internal::kContactItemBytes));
  contact.token = Signed(head.U64());
  contact.contact = Signed(head.U64());
  contact.subject.bytes = head.Array<32>();
  if (contact.token != entry.token || contact.contact != entry.contact ||
      !internal::WrongWith(contact).empty()) {
    return WrongFrame(entry.token);
  }

  std::vector<ArchiveKey> keys;  // by slot
  std::uint64_t added = 0, chunks = 0, messages = 0;
  std::pair<std::int32_t, std::int64_t> last;
  while (true) {
    ASSIGN_OR_RETURN(const Item item, next_item());
    switch (item) {
      case Item::kKey: {
        ASSIGN_OR_RETURN(ByteReader in, take(internal::kKeyItemBytes));
        const auto slot = static_cast<std::size_t>(added++ % internal::kKeySlots);
        if (slot == keys.size()) keys.emplace_back();
        ArchiveKey& key = keys[slot];
        key.session = Signed(in.U64());
        key.ephemeral.bytes = in.Array<32>();
        key.sealed = in.Array<72>();
        if (!internal::WrongWith(key).empty()) return WrongFrame(entry.token);
        break;
      }
      case Item::kChunk: {
        ASSIGN_OR_RETURN(ByteReader in, take(internal::kChunkItemBytes));
        ArchiveChunk chunk;
        chunk.day = static_cast<std::int32_t>(in.U32());
        chunk.sequence = in.U32();
        chunk.messages = in.U8();
        const std::size_t slot = in.U8();
        const std::uint32_t size = in.U32();
        if (slot >= keys.size() || size > kMaxSealedChunkBytes) return WrongFrame(entry.token);
        chunk.session = keys[slot].session;
        ASSIGN_OR_RETURN(const ByteReader sealed, take(size));
        chunk.sealed = sealed.rest();
        const std::pair at(chunk.day, chunk.sequence);
        if (!internal::WrongWith(chunk).empty() || chunk.day < header().first_day ||
            chunk.day > header().last_day || (chunks > 0 && at <= last)) {
          return WrongFrame(entry.token);
        }
        last = at;
        ++chunks;
        messages += chunk.messages;
        if (visit != nullptr) RETURN_IF_ERROR(visit(contact, {.chunk = chunk, .key = keys[slot]}));
        break;
      }
      case Item::kEnd: {
        ASSIGN_OR_RETURN(ByteReader in, take(internal::kEndItemBytes));
        if (in.U64() != chunks || in.U64() != messages || chunks == 0 || cursor.offset() != end) {
          return WrongFrame(entry.token);
        }
        ++totals.contacts;
        totals.chunks += chunks;
        totals.messages += messages;
        return absl::OkStatus();
      }
      default:
        return WrongFrame(entry.token);
    }
  }
}

absl::Status ArchiveReader::EachChunk(const ArchiveEntry& entry, const ChunkVisitor& visit) {
  RETURN_IF_ERROR(CheckEntry(entry));
  ArchiveCursor cursor(*age_, entry.offset, entry.offset + entry.length, nullptr);
  ArchiveTotals totals;
  return ReadFrame(cursor, entry, visit, totals);
}

absl::Status ArchiveReader::VerifyAll(const ChunkVisitor& visit) {
  crypto::LabeledHash hash(internal::kContentLabel);
  ASSIGN_OR_RETURN(const std::vector<ArchiveEntry> entries, ReadIndex());
  ArchiveCursor content(*age_, 0, footer_at_ + 4 * 8, &hash);
  RETURN_IF_ERROR(content.Skip(frames_at_));
  ArchiveTotals sums;
  for (const ArchiveEntry& entry : entries) RETURN_IF_ERROR(ReadFrame(content, entry, visit, sums));
  if (content.offset() != index_at_ || sums != totals()) return Wrong("footer");
  RETURN_IF_ERROR(content.Skip(footer_at_ + 4 * 8 - index_at_));
  if (hash.Finish() != content_hash_) return Wrong("hash");
  return absl::OkStatus();
}

}  // namespace sealbook::archive
