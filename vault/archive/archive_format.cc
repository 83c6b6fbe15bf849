#include "vault/archive/archive_format.h"

#include <algorithm>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"
#include "absl/time/civil_time.h"
#include "vault/archive/archive_layout.h"
#include "vault/crypto/hash.h"
#include "vault/records/chat_codec.h"

namespace sealbook::archive {
namespace {

constexpr absl::string_view kArchiveSuffix = ".sba.age";
constexpr absl::CivilDay kFirstDay(1970, 1, 1);
constexpr std::size_t kMaxNameBytes = 128;

std::string FormatDay(std::int32_t day) {
  const absl::CivilDay civil = kFirstDay + day;
  return absl::StrFormat("%04d-%02d-%02d", civil.year(), civil.month(), civil.day());
}

const std::array<crypto::Hash256, records::kChatDictionaries>& DictionaryHashes() {
  static const auto hashes = [] {
    std::array<crypto::Hash256, records::kChatDictionaries> made{};
    for (std::uint8_t n = 1; n <= records::kChatDictionaries; ++n) {
      crypto::internal::Blake2bRaw({}, records::ChatDictionary(n), made[n - std::size_t{1}]);
    }
    return made;
  }();
  return hashes;
}

}  // namespace

SignerKey TheKey(const crypto::VerifyKey& key) {
  return [key](const ArchiveSigner&) { return key; };
}

std::string ArchiveName(const ArchiveHeader& header) {
  return absl::StrCat(crypto::ToHex(header.vault), "-", FormatDay(header.last_day), "-", header.run,
                      kArchiveSuffix);
}

std::optional<ArchiveNameParts> ParseArchiveName(absl::string_view name) {
  constexpr std::size_t kHexDigits = 2 * sizeof(keyring::VaultId);
  absl::string_view rest = name;
  if (name.size() > kMaxNameBytes || !absl::ConsumeSuffix(&rest, kArchiveSuffix) ||
      rest.size() <= kHexDigits || rest[kHexDigits] != '-') {
    return std::nullopt;
  }
  const auto vault = crypto::FromHex(rest.substr(0, kHexDigits));
  rest.remove_prefix(kHexDigits + 1);
  const auto run_at = rest.rfind('-');
  absl::CivilDay day;
  ArchiveNameParts parts;
  if (!vault.ok() || run_at == absl::string_view::npos ||
      !absl::ParseCivilTime(rest.substr(0, run_at), &day) ||
      !absl::SimpleAtoi(rest.substr(run_at + 1), &parts.run)) {
    return std::nullopt;
  }
  std::copy(vault->begin(), vault->end(), parts.vault.begin());
  parts.last_day = static_cast<std::int32_t>(day - kFirstDay);
  // One spelling each: no sign, no leading zeros, small letters.
  const ArchiveHeader header{.vault = parts.vault, .run = parts.run, .last_day = parts.last_day};
  if (parts.run < 1 || ArchiveName(header) != name) return std::nullopt;
  return parts;
}

std::string ShardName(std::uint32_t number, std::uint64_t version) {
  return absl::StrFormat("%s/%06d.v%d", kShardFolder, number, version);
}

std::optional<ShardNameParts> ParseShardName(absl::string_view name) {
  if (name.size() > kMaxNameBytes) return std::nullopt;
  const std::string folder = absl::StrCat(kShardFolder, "/");
  absl::ConsumePrefix(&name, folder);
  const auto dot = name.find(".v");
  ShardNameParts parts;
  if (dot == absl::string_view::npos || !absl::SimpleAtoi(name.substr(0, dot), &parts.number) ||
      !absl::SimpleAtoi(name.substr(dot + 2), &parts.version) || parts.version == 0 ||
      ShardName(parts.number, parts.version) != absl::StrCat(folder, name)) {
    return std::nullopt;
  }
  return parts;
}

namespace internal {

crypto::Bytes EncodeHeader(const ArchiveHeader& header) {
  crypto::ByteWriter out;
  out.Raw(crypto::AsBytes(kArchiveMagic)).U16(kArchiveVersion).Raw(header.vault);
  out.U64(static_cast<std::uint64_t>(header.run));
  out.U32(static_cast<std::uint32_t>(header.first_day));
  out.U32(static_cast<std::uint32_t>(header.last_day));
  out.U32(records::kChatDictionaries);
  for (std::uint8_t n = 1; n <= records::kChatDictionaries; ++n) {
    out.U8(n).Raw(DictionaryHashes()[n - std::size_t{1}]);
  }
  return out.Take();
}

absl::StatusOr<std::pair<ArchiveHeader, std::uint32_t>> DecodeFixedHeader(ByteView bytes) {
  crypto::ByteReader in(bytes);
  if (crypto::AsText(in.Raw(kArchiveMagic.size())) != kArchiveMagic) {
    return absl::DataLossError("what the age file holds is no archive");
  }
  if (in.U16() != kArchiveVersion) {
    return absl::DataLossError("an archive of a version that this program does not know");
  }
  ArchiveHeader header;
  header.vault = in.Array<16>();
  header.run = static_cast<std::int64_t>(in.U64());
  header.first_day = static_cast<std::int32_t>(in.U32());
  header.last_day = static_cast<std::int32_t>(in.U32());
  const std::uint32_t dictionaries = in.U32();
  if (!in.ok() || !WrongWith(header).empty() || dictionaries > kMaxDictionaries) {
    return absl::DataLossError("an archive's header is wrong");
  }
  return std::pair(header, dictionaries);
}

absl::Status CheckDictionaries(ByteView bytes, std::uint32_t count) {
  crypto::ByteReader in(bytes);
  std::uint8_t last = 0;
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::uint8_t number = in.U8();
    const auto hash = in.Array<32>();
    if (number <= last) return absl::DataLossError("an archive's header is wrong");
    last = number;
    if (number <= records::kChatDictionaries &&
        hash != DictionaryHashes()[number - std::size_t{1}]) {
      return absl::DataLossError(
          absl::StrCat("an archive was written with another dictionary ", number));
    }
  }
  return in.Finish("an archive's header");
}

absl::string_view WrongWith(const ArchiveHeader& header) {
  if (header.run < 1) return "an archive's run below 1";
  if (header.first_day > header.last_day) return "an archive's days are out of order";
  return "";
}

absl::string_view WrongWith(const ArchiveContact& contact) {
  if (contact.contact < 1) return "a contact number below 1";
  if (contact.token < 1) return "a token below 1";
  if (!crypto::IsUsablePoint(contact.subject)) return "a subject key of small order";
  return "";
}

absl::string_view WrongWith(const ArchiveKey& key) {
  if (key.session < 1) return "a chat key's session below 1";
  return "";
}

absl::string_view WrongWith(const ArchiveChunk& chunk) {
  if (chunk.sequence < 1 || chunk.sequence > kMaxSequence) return "a chunk's sequence out of range";
  if (chunk.messages < 1 || chunk.messages > records::kMaxChunkMessages) {
    return "a chunk's number of messages out of range";
  }
  if (chunk.sealed.size() < kMinSealedChunkBytes || chunk.sealed.size() > kMaxSealedChunkBytes) {
    return "a chunk's size out of range";
  }
  return "";
}

}  // namespace internal
}  // namespace sealbook::archive
