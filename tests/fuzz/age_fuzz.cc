// age files. The first byte says what is done with the rest:
//
//   even   the rest is a file: read in pieces of two sizes, on one thread and with small reads, it
//          gives the same
//   odd    the rest are edits (4 bytes each: where, 2 bytes; what; with which byte) of a true file:
//          what is released is what it begins with, and only the unchanged file is whole
//
// The identity below is everybody's, and so is the passphrase.
#include "tests/fuzz/list_fuzz.h"
#include "vault/crypto/age_file.h"
#include "vault/crypto/age_reader.h"
#include "vault/crypto/age_writer.h"

namespace sealbook::fuzz {
namespace {

using crypto::Bytes;

struct Keys {
  std::vector<crypto::ExchangePair> identities;
  crypto::SecretBytes passphrase = crypto::SecretBytes::CopyOf(crypto::AsBytes("open"));
};
const Keys& TheKeys() {
  static const Keys keys = [] {
    Keys made;
    crypto::Bytes secret(crypto::kKeyBytes);
    for (std::size_t i = 0; i < secret.size(); ++i) secret[i] = static_cast<std::uint8_t>(i);
    made.identities.push_back(
        crypto::ExchangePair::FromSecret(crypto::ExchangeSecret::CopyOf(secret)));
    return made;
  }();
  return keys;
}

struct Sink : ByteSink {
  absl::Status Append(ByteView more) override {
    bytes.insert(bytes.end(), more.begin(), more.end());
    return absl::OkStatus();
  }
  Bytes bytes;
};

struct Outcome {
  absl::StatusCode code = absl::StatusCode::kOk;
  Bytes released;
  bool operator==(const Outcome&) const = default;
};

Outcome Read(ByteView file, std::size_t piece, int threads) {
  const auto source = [&](std::span<std::uint8_t> out) -> absl::StatusOr<std::size_t> {
    const std::size_t size = std::min({out.size(), piece, file.size()});
    std::copy_n(file.begin(), size, out.begin());
    file = file.subspan(size);
    return size;
  };
  const auto reader = crypto::AgeReader::Open(source, {.identities = TheKeys().identities,
                                                       .passphrase = &TheKeys().passphrase,
                                                       .max_work_factor = 4,
                                                       .threads = threads});
  if (!reader.ok()) return {.code = reader.status().code()};
  Sink sink;
  const absl::Status status = (*reader)->CopyTo(sink);
  return {.code = status.code(), .released = std::move(sink.bytes)};
}

struct TrueFile {
  Bytes plaintext, file;
};
// Some chunks, binary; a short one, armored; one with a passphrase. Made anew in each process: the
// keys and nonces differ, what an edit hits does not.
const std::vector<TrueFile>& TrueFiles() {
  static const std::vector<TrueFile> files = [] {
    std::vector<TrueFile> made;
    const crypto::ExchangePublic recipient = TheKeys().identities[0].public_key();
    for (const std::size_t size : {3 * 65536 + 5, 65536, 100, 0}) {
      for (int kind = 0; kind < 3; ++kind) {
        TrueFile one;
        for (std::size_t i = 0; i < size; ++i) {
          one.plaintext.push_back(static_cast<std::uint8_t>(i * 7 + i / 65536));
        }
        Sink sink;
        const crypto::AgeWriterOptions options{.armor = kind == 1, .threads = 1};
        auto writer = kind == 2
                          ? crypto::AgeWriter::ForPassphrase(sink, TheKeys().passphrase, options, 1)
                          : crypto::AgeWriter::ForRecipients(sink, {&recipient, 1}, options);
        Check(writer.ok() && (*writer)->Append(one.plaintext).ok() && (*writer)->Finish().ok(),
              "a true file is written");
        one.file = std::move(sink.bytes);
        made.push_back(std::move(one));
      }
    }
    return made;
  }();
  return files;
}

void ReadFile(ByteView data) {
  const Outcome outcome = Read(data, SIZE_MAX, 1);
  Check(outcome == Read(data, 7, 2), "pieces and threads change nothing");
}

void Edit(ByteView edits) {
  if (edits.empty()) return;
  const TrueFile& file = TrueFiles()[edits[0] % TrueFiles().size()];
  Bytes edited = file.file;
  for (edits = edits.subspan(1); edits.size() >= 4; edits = edits.subspan(4)) {
    // Near the beginning, near chunks' bounds, or anywhere.
    const std::size_t number = static_cast<std::size_t>(edits[0]) << 8 | edits[1];
    const std::size_t wide = (edits[2] & 8) != 0 ? number * 4 : number % 512;
    const std::size_t at = std::min(wide, edited.size());
    const auto place = edited.begin() + static_cast<std::ptrdiff_t>(at);
    switch (edits[2] & 7) {
      case 0:
        edited.insert(place, edits[3]);
        break;
      case 1:
        edited.resize(at);
        break;
      case 2:
        if (at < edited.size()) edited.erase(place);
        break;
      case 3: {  // a chunk goes
        const auto size = std::min<std::ptrdiff_t>(edited.end() - place, 65552);
        edited.erase(place, place + size);
        break;
      }
      case 4:
        edited.push_back(edits[3]);
        break;
      default:
        if (at < edited.size()) *place = edits[3];
    }
  }
  const Outcome outcome = Read(edited, SIZE_MAX, (edited.size() & 1) != 0 ? 1 : 2);
  Check(outcome.released.size() <= file.plaintext.size() &&
            std::equal(outcome.released.begin(), outcome.released.end(), file.plaintext.begin()),
        "what is released is what the true file begins with");
  const bool armored = file.file[0] == '-';
  if (outcome.code == absl::StatusCode::kOk) {
    // Armor may have blanks around it and other line ends; nothing else may differ.
    Check(armored || edited == file.file, "only the true file is whole");
    Check(outcome.released == file.plaintext, "a whole file is all of it");
  } else {
    Check(edited != file.file, "the true file is whole");
  }
}

}  // namespace
}  // namespace sealbook::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const sealbook::ByteView rest(data + 1, size - 1);
  if (data[0] % 2 == 0) {
    sealbook::fuzz::ReadFile(rest);
  } else {
    sealbook::fuzz::Edit(rest);
  }
  return 0;
}
