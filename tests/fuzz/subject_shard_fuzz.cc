// Subject shards, whatever their signer put into them: the input is a shard without its signature.
// It is signed and read under the name that it gives itself. What is read has one form and opens
// what its records' boxes hold, or nothing; as it is, without a signature, it never counts. And as
// a name.
#include "tests/support/archive_files.h"

namespace sealbook::fuzz {
namespace {

using archive::SubjectShard;
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

absl::StatusOr<SubjectShard> Read(ByteView file) {
  crypto::ByteReader in(file.size() < 56 ? ByteView() : file.subspan(44));
  const std::uint32_t number = in.U32();
  const std::string name = archive::ShardName(number, in.U64());
  return SubjectShard::Verify(file, name,
                              [](const archive::ArchiveSigner& signer) { return signer.key; });
}

void ReadSigned(Bytes file) {
  if (file.size() >= 108) {
    // The corpus cannot hold our key.
    std::ranges::copy(Keys().signing.verify_key().bytes, file.begin() + 76);
  }
  const crypto::Signature signature = Keys().signing.Sign("sealbook/subject-shard/1", file);
  file.insert(file.end(), signature.begin(), signature.end());
  const auto shard = Read(file);
  if (!shard.ok()) {
    Check(absl::IsDataLoss(shard.status()) || absl::IsInvalidArgument(shard.status()),
          "a shard that is none is told so");
    return;
  }
  const auto again = shard->Sign(Keys().signing);
  Check(again.ok() && *again == file, "a shard has one form");
  for (const archive::SubjectRecord& record : shard->records) {
    Check(shard->Find(record.contact) == &record, "who is in it is found");
    const auto subject = archive::OpenSubjectSecret(Keys().escrow, shard->vault, record);
    Check(absl::IsDataLoss(subject.status()), "no box of the input is sealed to our escrow key");
  }
  // One that is, in the place of the first.
  if (shard->records.empty()) return;
  archive::SubjectRecord record = shard->records.front();
  testing::ArchivedPerson person = testing::Person(record.contact, record.token);
  record.secret = Keys().Record(person).secret;
  Check(archive::OpenSubjectSecret(Keys().escrow, Keys().vault, record).ok() ==
            (record.public_key == person.subject.public_key()),
        "a box opens for its own public key alone");
}

}  // namespace
}  // namespace sealbook::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace sealbook::fuzz;
  const sealbook::ByteView input(data, size);
  Check(!Read(input).ok(), "what nobody signed does not count");
  ReadSigned({input.begin(), input.end()});
  const absl::string_view name = sealbook::crypto::AsText(input);
  if (const auto parts = sealbook::archive::ParseShardName(name); parts.has_value()) {
    const std::string whole = sealbook::archive::ShardName(parts->number, parts->version);
    Check(name == whole || "subjects/" + std::string(name) == whole, "a name has one spelling");
  }
  return 0;
}
