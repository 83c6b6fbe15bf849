#include "vault/archive/archive_signature.h"

#include "tests/vault/archive/archive_fixture.h"

namespace sealbook::archive {
namespace {

using crypto::Bytes;

class ArchiveSignatureTest : public ArchiveTest {
 protected:
  void SetUp() override {
    file_ = keys_.WriteSmall({testing::Person(7, 2837470195)});
    bytes_ = file_.signature.Sign(keys_.signing);
  }
  absl::Status Verify(ByteView bytes) {
    return ArchiveSignature::Verify(bytes, file_.name(), keys_.Authority()).status();
  }
  // A document that its signer signed, whatever it holds.
  Bytes Resign(Bytes bytes) {
    bytes.resize(bytes.size() - 64);
    const crypto::Signature signature = keys_.signing.Sign("sealbook/archive/1", bytes);
    bytes.insert(bytes.end(), signature.begin(), signature.end());
    return bytes;
  }

  testing::FinishedFile file_;
  Bytes bytes_;
};

TEST_F(ArchiveSignatureTest, ComesBackAsItWasSigned) {
  const auto read = ArchiveSignature::Verify(bytes_, file_.name(), keys_.Authority());
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->header, file_.signature.header);
  EXPECT_EQ(read->totals, file_.signature.totals);
  EXPECT_EQ(read->digest, file_.signature.digest);
  EXPECT_EQ(read->signer, keys_.Signer());
}

TEST_F(ArchiveSignatureTest, EveryChangedByteIsNoticed) {
  for (std::size_t at = 0; at < bytes_.size(); ++at) {
    Bytes changed = bytes_;
    changed[at] ^= 0x40;
    const absl::Status status = Verify(changed);
    EXPECT_TRUE(absl::IsDataLoss(status) || absl::IsInvalidArgument(status)) << at << status;
  }
}

TEST_F(ArchiveSignatureTest, EveryCutIsNoticedAndEverythingBehind) {
  for (std::size_t size = 0; size < bytes_.size(); ++size) {
    const absl::Status status = Verify(ByteView(bytes_).first(size));
    EXPECT_TRUE(absl::IsDataLoss(status) || absl::IsInvalidArgument(status)) << size << status;
  }
  Bytes longer = bytes_;
  longer.push_back(0);
  EXPECT_FALSE(Verify(longer).ok());
}

TEST_F(ArchiveSignatureTest, AnotherKeyIsDataLoss) {
  const auto other = crypto::SigningPair::Generate();
  EXPECT_TRUE(absl::IsDataLoss(
      ArchiveSignature::Verify(bytes_, file_.name(), TheKey(other.verify_key())).status()));
  // Signed by somebody else who claims to be that member.
  ArchiveSignature forged = file_.signature;
  forged.signer.key = other.verify_key();
  EXPECT_TRUE(absl::IsDataLoss(Verify(forged.Sign(other))));
}

TEST_F(ArchiveSignatureTest, TheAuthorityIsAskedAboutTheSignerAndMayRefuse) {
  ArchiveSigner asked;
  EXPECT_TRUE(absl::IsPermissionDenied(
      ArchiveSignature::Verify(bytes_, file_.name(), [&](const ArchiveSigner& signer) {
        asked = signer;
        return absl::PermissionDeniedError("not that one");
      }).status()));
  EXPECT_EQ(asked, keys_.Signer());
}

TEST_F(ArchiveSignatureTest, AnotherArchivesNameIsDataLoss) {
  ArchiveHeader header = file_.signature.header;
  for (const auto& change : std::vector<std::function<void()>>{
           [&] { ++header.run; }, [&] { --header.last_day; }, [&] { header.vault[3] ^= 1; }}) {
    header = file_.signature.header;
    change();
    EXPECT_TRUE(absl::IsDataLoss(
        ArchiveSignature::Verify(bytes_, ArchiveName(header), keys_.Authority()).status()));
  }
  EXPECT_TRUE(absl::IsDataLoss(ArchiveSignature::Verify(bytes_, "", keys_.Authority()).status()));
  EXPECT_TRUE(absl::IsDataLoss(
      ArchiveSignature::Verify(bytes_, file_.name() + ".sig", keys_.Authority()).status()));
}

TEST_F(ArchiveSignatureTest, WhatNoArchiveHasIsRefusedThoughSigned) {
  // docs/format.md has the places.
  struct Lie {
    std::string name;
    int at, width;
    std::uint8_t fill;
  };
  for (const Lie& lie :
       {Lie{"run 0", 38, 8, 0}, Lie{"run -1", 38, 8, 0xff}, Lie{"days out of order", 46, 4, 0x7f},
        Lie{"another day", 50, 4, 0x11}, Lie{"size 0", 130, 8, 0},
        Lie{"a large size", 130, 8, 0x7f}, Lie{"a larger size", 130, 8, 0xff},
        Lie{"no block 0", 170, 4, 0}, Lie{"a large block 0", 170, 4, 0xff},
        Lie{"no blocks", 174, 4, 0}, Lie{"too many blocks", 174, 4, 0xff}}) {
    Bytes changed = bytes_;
    std::fill_n(changed.begin() + lie.at, lie.width, lie.fill);
    const absl::Status status = Verify(Resign(changed));
    EXPECT_TRUE(absl::IsDataLoss(status) || absl::IsInvalidArgument(status))
        << lie.name << ": " << status;
  }
  // The control: signed again as it was.
  EXPECT_TRUE(Verify(Resign(bytes_)).ok());
}

TEST_F(ArchiveSignatureTest, ASubjectShardIsNone) {
  const auto shard = keys_.Shard({testing::Person(7, 2837470195)}).Sign(keys_.signing);
  ASSERT_TRUE(shard.ok());
  EXPECT_TRUE(absl::IsInvalidArgument(Verify(*shard)));
}

TEST_F(ArchiveSignatureTest, WhoNamesAnotherSignerCannotSign) {
  const auto other = crypto::SigningPair::Generate();
  EXPECT_DEATH(file_.signature.Sign(other), "");
}

}  // namespace
}  // namespace sealbook::archive
