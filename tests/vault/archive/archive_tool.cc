// A small writer and reader of archives, for tests beside read_archive.py.
//
//   archive_tool write FOLDER SEED     an archive with what belongs to it, of random chats
//   archive_tool read ARCHIVE SIGNATURE KEYS IDENTITY SIGNER
//
// `write` leaves in FOLDER: the archive and its .sig, escrow.key.age, subjects/, identity.txt,
// signer.txt, and messages.jsonl with what the archive holds. `read` prints what can be read, a
// line of JSON a message, as read_archive.py does.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>
#include <random>

#include "absl/strings/numbers.h"
#include "absl/time/time.h"
#include "tests/support/archive_files.h"
#include "vault/records/token.h"

namespace sealbook::archive {
namespace {

using testing::Must;

crypto::Bytes ReadFile(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) Must(absl::NotFoundError(path.string()));
  return {std::istreambuf_iterator<char>(in), {}};
}
void WriteFile(const std::filesystem::path& path, ByteView bytes) {
  std::ofstream(path, std::ios::binary)
      .write(crypto::AsText(bytes).data(), static_cast<std::streamsize>(bytes.size()));
}

std::string Line(std::int64_t token, const records::ChatEntry& entry) {
  const nlohmann::ordered_json line = {
      {"uid", records::FormatToken(token)},
      {"time", absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", absl::FromUnixSeconds(entry.time),
                                absl::UTCTimeZone())},
      {"direction", entry.direction == records::ChatDirection::kIn    ? "in"
                    : entry.direction == records::ChatDirection::kOut ? "out"
                                                                      : "none"},
      {"author", entry.author},
      {"text", entry.text}};
  return line.dump() + "\n";
}

// All forms of ids, all scripts, lengths from nothing to some chunks' worth.
records::ChatEntry RandomEntry(std::mt19937& dice, std::int32_t day) {
  static const std::string kWords[] = {"안녕하세요 ", "내일 ", "hello ", "delivery ", "お世話に",
                                       "なります ",   "谢谢 ", "发货 ",  "مرحبا ",    "नमस्ते ",
                                       "12:30 ",      "😀 ",    "\n",     "Zürich ",   "ok"};
  static const std::string kIds[] = {
      "", "", "plain-id-7", "wamid.HBgMODIxMDU1NTUwMTIzFQIAERgUM0VCMEM3NjdEMjZGOEIyQTZFNDEA",
      "wamid.AAEC"};
  static const std::string kAuthors[] = {"", "Mina", "민아", "the shop"};
  records::ChatEntry entry;
  entry.time = std::int64_t{day} * records::kSecondsOfDay + dice() % 86'400;
  if (dice() % 3 == 0) {
    entry.time -= entry.time % 60;
    entry.to_the_minute = true;
  }
  entry.direction = static_cast<records::ChatDirection>(dice() % 3);
  entry.kind = static_cast<records::ChatKind>(dice() % 4);
  entry.edited = dice() % 10 == 0;
  entry.author = kAuthors[dice() % std::size(kAuthors)];
  entry.id = kIds[dice() % std::size(kIds)];
  const std::size_t words = dice() % 50 == 0 ? 3'000 : dice() % 20;
  for (std::size_t i = 0; i < words; ++i) entry.text += kWords[dice() % std::size(kWords)];
  return entry;
}

void Write(const std::filesystem::path& folder, std::uint32_t seed) {
  std::mt19937 dice(seed);
  testing::ArchiveKeys keys;
  std::vector<testing::ArchivedPerson> people;
  std::map<ContactNumber, std::int64_t> tokens;
  for (std::size_t i = 0, count = dice() % 30; i <= count; ++i) {
    tokens.emplace(1 + 300 * static_cast<int>(i), records::MakeToken(i % 7 == 0 ? 12 : 10));
  }
  std::string truth;
  const testing::FinishedFile file = keys.Write(keys.Header(17), [&](ArchiveWriter& writer) {
    for (const auto& [contact, token] : tokens) {
      const testing::ArchivedPerson& person = people.emplace_back(testing::Person(contact, token));
      Must(writer.BeginContact(person.ForArchive()));
      // Now and then more sessions than a frame has slots.
      const std::int64_t sessions = dice() % 12 == 0 ? 300 : 1 + dice() % 3;
      const int chunks = sessions > 3 ? 700 : 1 + static_cast<int>(dice() % 5);
      for (int i = 0; i < chunks; ++i) {
        const std::int32_t day = testing::kArchiveDay + 10 * i / chunks;
        std::vector<records::ChatEntry> entries;
        for (std::size_t n = 0, most = sessions > 3 ? 2 : 64; n <= dice() % most; ++n) {
          entries.push_back(RandomEntry(dice, day));
        }
        entries.resize(records::ChunkPacker::Take(entries));
        Must(keys.AddChunk(writer, person, 1 + dice() % sessions, day, i + 1, entries));
        for (const records::ChatEntry& entry : entries) truth += Line(token, entry);
      }
    }
  });

  std::filesystem::create_directories(folder / kShardFolder.data());
  WriteFile(folder / file.name(), file.bytes);
  WriteFile(folder / (file.name() + ".sig"), file.signature.Sign(keys.signing));
  WriteFile(folder / "escrow.key.age", keys.EscrowFile());
  WriteFile(folder / "identity.txt", crypto::FormatAgeIdentity(keys.identity).ExposeBytes());
  WriteFile(folder / "signer.txt", crypto::AsBytes(crypto::ToHex(keys.signing.verify_key().bytes)));
  WriteFile(folder / "messages.jsonl", crypto::AsBytes(truth));
  std::map<std::uint32_t, std::vector<testing::ArchivedPerson>> shards;
  for (const testing::ArchivedPerson& person : people) {
    shards[SubjectShard::NumberOf(person.contact)].push_back(person);
  }
  for (const auto& [number, its_people] : shards) {
    // The older version has one more, who was erased since.
    std::vector<testing::ArchivedPerson> all = its_people;
    const std::uint64_t version = 1 + dice() % 12;
    WriteFile(folder / ShardName(number, version),
              Must(keys.Shard(all, version).Sign(keys.signing)));
    if (dice() % 3 != 0) continue;
    all.pop_back();
    SubjectShard next = keys.Shard(all, version + 1);
    next.number = number;
    WriteFile(folder / ShardName(number, version + 1), Must(next.Sign(keys.signing)));
  }
}

absl::Status Read(std::span<const std::string> arguments) {
  const std::filesystem::path archive = arguments[0], folder = arguments[2];
  ASSIGN_OR_RETURN(const crypto::Bytes signer, crypto::FromHex(arguments[4]));
  crypto::VerifyKey key;
  if (signer.size() != key.bytes.size()) return absl::InvalidArgumentError("no public key");
  std::copy(signer.begin(), signer.end(), key.bytes.begin());
  ASSIGN_OR_RETURN(
      const ArchiveSignature signature,
      ArchiveSignature::Verify(ReadFile(arguments[1]), archive.filename().string(), TheKey(key)));
  ASSIGN_OR_RETURN(const auto identities,
                   crypto::ParseAgeIdentities(crypto::SecretBytes::CopyOf(ReadFile(arguments[3]))));
  const crypto::Bytes file = ReadFile(archive);
  ASSIGN_OR_RETURN(const auto reader,
                   ArchiveReader::Open(testing::AccessTo(file), identities, signature));
  RETURN_IF_ERROR(reader->VerifyAll());
  ASSIGN_OR_RETURN(const auto escrow, OpenEscrow(identities, ReadFile(folder / "escrow.key.age")));
  std::map<std::uint32_t, std::uint64_t> newest;
  for (const auto& entry : std::filesystem::directory_iterator(folder / kShardFolder.data())) {
    const auto parts = ParseShardName(entry.path().filename().string());
    if (!parts.has_value()) continue;
    newest[parts->number] = std::max(newest[parts->number], parts->version);
  }
  std::map<std::uint32_t, SubjectShard> shards;
  for (const auto& [number, version] : newest) {
    const std::string name = ShardName(number, version);
    ASSIGN_OR_RETURN(SubjectShard shard,
                     SubjectShard::Verify(ReadFile(folder / name), name, TheKey(key)));
    shards.emplace(number, std::move(shard));
  }
  return reader->EachContact([&](const ArchiveEntry& entry) -> absl::StatusOr<bool> {
    const auto shard = shards.find(SubjectShard::NumberOf(entry.contact));
    const SubjectRecord* record =
        shard == shards.end() ? nullptr : shard->second.Find(entry.contact);
    if (record == nullptr) return true;
    ASSIGN_OR_RETURN(const auto subject,
                     OpenSubjectSecret(escrow, signature.header.vault, *record));
    RETURN_IF_ERROR(
        OpenArchivedContact(*reader, entry, subject, [&](const records::ChatEntry& message) {
          std::fputs(Line(entry.token, message).c_str(), stdout);
          return absl::OkStatus();
        }));
    return true;
  });
}

int Main(std::span<const std::string> arguments) {
  Must(crypto::PrepareProcess());
  std::uint32_t seed = 0;
  if (arguments.size() == 3 && arguments[0] == "write" && absl::SimpleAtoi(arguments[2], &seed)) {
    Write(arguments[1], seed);
    return 0;
  }
  if (arguments.size() == 6 && arguments[0] == "read") {
    const absl::Status status = Read(arguments.subspan(1));
    if (!status.ok()) std::fprintf(stderr, "%s\n", status.ToString().c_str());
    return status.ok() ? 0 : 1;
  }
  std::fprintf(stderr,
               "archive_tool write FOLDER SEED, or read ARCHIVE SIGNATURE KEYS IDENTITY SIGNER\n");
  return 2;
}

}  // namespace
}  // namespace sealbook::archive

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  return sealbook::archive::Main(arguments);
}
