// What the tests of archives share beside tests/support/archive_files.h.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/archive_files.h"
#include "vault/crypto/age_reader.h"

namespace sealbook::archive {

class ArchiveTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { ASSERT_TRUE(crypto::PrepareProcess().ok()); }

  absl::StatusOr<std::unique_ptr<ArchiveReader>> Open(const testing::FinishedFile& file,
                                                      testing::ReadCounter* counter = nullptr) {
    return ArchiveReader::Open(testing::AccessTo(file.bytes, counter), {&keys_.identity, 1},
                               file.signature);
  }
  // The plaintext, by the other reader of age files.
  crypto::Bytes PlaintextOf(const testing::FinishedFile& file) {
    ByteView rest = file.bytes;
    const auto source = [&](std::span<std::uint8_t> out) -> absl::StatusOr<std::size_t> {
      const std::size_t size = std::min(out.size(), rest.size());
      std::copy_n(rest.begin(), size, out.begin());
      rest = rest.subspan(size);
      return size;
    };
    const auto reader = testing::Must(
        crypto::AgeReader::Open(source, {.identities = {&keys_.identity, 1}, .threads = 1}));
    testing::BytesSink sink;
    testing::Must(reader->CopyTo(sink));
    return std::move(sink.bytes);
  }
  // All that a reader who knows everybody's secret gets, each chunk opened: OK where all is right.
  absl::Status ReadEverything(ArchiveReader& reader,
                              const std::vector<testing::ArchivedPerson>& people) {
    RETURN_IF_ERROR(reader.VerifyAll());
    std::size_t seen = 0;
    for (const testing::ArchivedPerson& person : people) {
      ASSIGN_OR_RETURN(const auto texts, testing::TextsOf(reader, person));
      seen += texts.size();
    }
    return seen == reader.totals().messages ? absl::OkStatus()
                                            : absl::DataLossError("messages are missing");
  }

  testing::ArchiveKeys keys_;
};

}  // namespace sealbook::archive
