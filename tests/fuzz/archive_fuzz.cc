// Archives and their signatures. The first byte says what is done with the rest:
//
//   0 (of 3)  the rest is what an archive holds: sealed, signed and read
//   1         the rest are edits (4 bytes each: where, 2 bytes; what; with which byte) of what a
//             true archive holds, which reach further in
//   2         the rest is an archive's signature without its signature: signed and read; and a name
//
// Whoever signs may lie, so all that is asked is: what is read agrees with itself, what is refused
// is DataLoss, and nothing takes more memory than an archive may. In both of the first the hash
// over all is made right, where there is room for one.
#include "tests/support/archive_files.h"
#include "vault/archive/archive_layout.h"

namespace sealbook::fuzz {
namespace {

using archive::ArchiveHeader;
using archive::ArchiveReader;
using archive::ArchiveSignature;
using archive::ArchiveTotals;
using crypto::Bytes;

void Check(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s\n", what);
  std::abort();
}

testing::ArchiveKeys& Keys() {
  static auto* const keys = new testing::ArchiveKeys;
  return *keys;
}

// As the plaintext itself says, so that more than the comparison with the signature is tried.
ArchiveTotals TotalsIn(ByteView plaintext) {
  ArchiveTotals totals;
  if (plaintext.size() < archive::internal::kFooterBytes) return totals;
  crypto::ByteReader in(plaintext.last(archive::internal::kFooterBytes));
  in.U64();
  totals.contacts = in.U64();
  totals.chunks = in.U64();
  totals.messages = in.U64();
  return totals;
}

void ReadPlaintext(Bytes plaintext) {
  if (plaintext.size() >= archive::internal::kFooterBytes) {
    const std::size_t at = plaintext.size() - 48;
    const auto hash =
        crypto::HashOf(archive::internal::kContentLabel, {ByteView(plaintext).first(at)});
    std::copy(hash.begin(), hash.end(), plaintext.begin() + static_cast<std::ptrdiff_t>(at));
  }
  ArchiveHeader header = Keys().Header();
  if (plaintext.size() >= archive::internal::kFixedHeaderBytes) {
    const auto decoded = archive::internal::DecodeFixedHeader(
        ByteView(plaintext).first(archive::internal::kFixedHeaderBytes));
    if (decoded.ok()) header = decoded->first;
  }
  const auto file = Keys().SealPlaintext(plaintext, header, TotalsIn(plaintext));
  const auto reader =
      ArchiveReader::Open(testing::AccessTo(file.bytes), {&Keys().identity, 1}, file.signature);
  if (!reader.ok()) {
    Check(absl::IsDataLoss(reader.status()), "what does not open is DataLoss");
    return;
  }
  ArchiveTotals seen;
  const auto count = [&](const archive::ArchiveContact&, const archive::ArchivedChunk& chunk) {
    ++seen.chunks;
    seen.messages += chunk.chunk.messages;
    Check(chunk.chunk.sealed.size() <= archive::kMaxSealedChunkBytes, "a chunk has its bound");
    return absl::OkStatus();
  };
  const absl::Status whole = (*reader)->VerifyAll(count);
  Check(whole.ok() || absl::IsDataLoss(whole), "what is not right is DataLoss");
  Check(!whole.ok() || (seen.chunks == (*reader)->totals().chunks &&
                        seen.messages == (*reader)->totals().messages),
        "the totals are the sums");

  std::vector<archive::ArchiveEntry> entries;
  const absl::Status listed =
      (*reader)->EachContact([&](const archive::ArchiveEntry& entry) -> absl::StatusOr<bool> {
        if (entries.size() < 100) entries.push_back(entry);
        return true;
      });
  Check(listed.ok() || (absl::IsDataLoss(listed) && !whole.ok()), "a right archive is listed");
  for (const archive::ArchiveEntry& entry : entries) {
    const auto found = (*reader)->Find(entry.token);
    Check(!whole.ok() || (found.ok() && *found == entry), "who is listed is found");
    const absl::Status frame = (*reader)->EachChunk(
        entry, [&](const archive::ArchiveContact& contact, const archive::ArchivedChunk&) {
          Check(contact.token == entry.token && contact.contact == entry.contact,
                "a frame is its contact's");
          return absl::OkStatus();
        });
    Check(frame.ok() || (absl::IsDataLoss(frame) && !whole.ok()), "a right frame is read");
  }
}

const Bytes& TruePlaintext() {
  static const Bytes plaintext = [] {
    const std::vector<testing::ArchivedPerson> people = {testing::Person(7, 1000000009),
                                                         testing::Person(3, 2837470195)};
    const auto file = Keys().WriteSmall(people);
    const auto age = testing::Must(crypto::AgeRangeReader::Open(
        testing::AccessTo(file.bytes), {.identities = {&Keys().identity, 1}, .check = {}}));
    Bytes made(static_cast<std::size_t>(age->size()));
    testing::Must(age->Read(0, made));
    return made;
  }();
  return plaintext;
}

void Edit(ByteView edits) {
  Bytes edited = TruePlaintext();
  for (; edits.size() >= 4; edits = edits.subspan(4)) {
    const std::size_t at =
        std::min<std::size_t>(std::size_t{edits[0]} << 8 | edits[1], edited.size());
    const auto place = edited.begin() + static_cast<std::ptrdiff_t>(at);
    switch (edits[2] & 7) {
      case 0:
        edited.insert(place, edits[3]);
        break;
      case 1:
        edited.resize(at);
        break;
      case 2:
        edited.erase(place, place + std::min<std::ptrdiff_t>(edited.end() - place, edits[3]));
        break;
      case 3: {  // a part comes once more
        const Bytes part(place, place + std::min<std::ptrdiff_t>(edited.end() - place, edits[3]));
        edited.insert(place, part.begin(), part.end());
        break;
      }
      default:
        if (at < edited.size()) *place = edits[3];
    }
  }
  const bool unchanged = edited == TruePlaintext();
  if (unchanged) return;
  ReadPlaintext(std::move(edited));
}

void ReadSignature(ByteView data) {
  Bytes file(data.begin(), data.end());
  const crypto::Signature signature = Keys().signing.Sign("sealbook/archive/1", file);
  file.insert(file.end(), signature.begin(), signature.end());
  ArchiveHeader header;
  if (data.size() >= 54) {
    crypto::ByteReader in(data.subspan(22));
    header.vault = in.Array<16>();
    header.run = static_cast<std::int64_t>(in.U64());
    header.first_day = static_cast<std::int32_t>(in.U32());
    header.last_day = static_cast<std::int32_t>(in.U32());
  }
  // Whatever key it names is taken: it is signed with ours, so the others are wrong.
  const auto read =
      ArchiveSignature::Verify(file, archive::ArchiveName(header),
                               [](const archive::ArchiveSigner& signer) { return signer.key; });
  if (read.ok()) {
    Check(read->Sign(Keys().signing) == file, "a signature has one form");
  } else {
    Check(absl::IsDataLoss(read.status()) || absl::IsInvalidArgument(read.status()),
          "a signature that is none is told so");
  }
  const absl::string_view name = crypto::AsText(data);
  if (const auto parts = archive::ParseArchiveName(name); parts.has_value()) {
    Check(archive::ArchiveName(
              {.vault = parts->vault, .run = parts->run, .last_day = parts->last_day}) == name,
          "a name has one spelling");
  }
}

// A corpus cannot hold our keys: they are put where a signature names its signer's.
Bytes WithOurKey(ByteView data) {
  Bytes bytes(data.begin(), data.end());
  if (bytes.size() >= 130) {
    std::ranges::copy(Keys().signing.verify_key().bytes, bytes.begin() + 98);
  }
  return bytes;
}

}  // namespace
}  // namespace sealbook::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const sealbook::ByteView rest(data + 1, size - 1);
  switch (data[0] % 3) {
    case 0:
      sealbook::fuzz::ReadPlaintext({rest.begin(), rest.end()});
      break;
    case 1:
      sealbook::fuzz::Edit(rest);
      break;
    default:
      sealbook::fuzz::ReadSignature(sealbook::fuzz::WithOurKey(rest));
      sealbook::fuzz::ReadSignature(rest);
  }
  return 0;
}
