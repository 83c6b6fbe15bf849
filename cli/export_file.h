// The file that an export becomes. Until it is published it stands beside its place under a name of
// its own, ".NAME.sealbook-export-ID", for its owner alone, and begins with zeros in place of the
// header, so that it opens for nobody. Published it is whole, or it is not there at all.
//
//   ASSIGN_OR_RETURN(auto file, ExportFile::Create(path, id, force));
//   file->LeaveRoomFor(header);
//   … file->Append(…) …
//   ASSIGN_OR_RETURN(Written written, file->Close());
//   … the vault records the export, with the header …
//   RETURN_IF_ERROR(file->Publish(receipt));
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "vault/byte_sink.h"
#include "vault/crypto/sha256.h"
#include "vault/records/exports.h"

namespace sealbook::cli {

class ExportFile : public ByteSink {
 public:
  struct Written {
    std::int64_t bytes = 0;  // with the header
    crypto::Sha256Hash sha256{};
  };

  // FailedPrecondition: `path` is there already and `force` is not given, is no regular file, has
  // too long a name, is in the folder `vault`, or cannot be written.
  static absl::Status CheckPlace(const std::string& path, const std::string& vault, bool force);
  static absl::StatusOr<std::unique_ptr<ExportFile>> Create(const std::string& path,
                                                            const std::string& vault,
                                                            const records::ExportId& id,
                                                            bool force);
  // Removes the file, unless it was published or is to be kept.
  ~ExportFile() override;

  // Before the first byte. The header is hashed and not written.
  void LeaveRoomFor(ByteView header);
  absl::Status Append(ByteView bytes) override;
  // Everything but the header is on the disk then.
  absl::StatusOr<Written> Close();

  // The vault may have recorded this export: whatever happens from now on, the file stays; until it
  // is known that it has not.
  void Keep() { keep_ = true; }
  void Discard() { keep_ = false; }
  // The receipt beside it as "NAME.receipt", the header in front, and the file in its place. Gives
  // the receipt's name: where something has that name already, it is "NAME.receipt-2" and so on;
  // with `force` an older receipt is replaced.
  // FailedPrecondition: something came to that place meanwhile, and `force` was not given.
  absl::StatusOr<std::string> Publish(absl::string_view receipt);

 private:
  friend class InterruptedExports;
  ExportFile(std::string path, std::string temporary, int fd, bool force)
      : path_(std::move(path)), temporary_(std::move(temporary)), fd_(fd), force_(force) {}
  absl::Status Flush();

  std::string path_, temporary_;
  int fd_;
  bool force_;
  bool keep_ = false, published_ = false;
  crypto::Bytes header_;
  std::string buffer_;
  crypto::Sha256 hash_;
  std::int64_t bytes_ = 0;
};

// What exports to one place left beside it when they were killed.
class InterruptedExports {
 public:
  // Those that are not under way any more.
  static absl::StatusOr<InterruptedExports> Find(const std::string& path);
  struct One {
    records::ExportId id{};
    std::string path;
  };
  const std::vector<One>& all() const { return all_; }

  // Puts one in its place: the vault's record of it has the header. DataLoss: the file is not what
  // was recorded.
  static absl::StatusOr<std::string> Publish(const One& one, const std::string& path, bool force,
                                             const records::ExportRecord& record,
                                             absl::string_view receipt);
  // Removes one of which the vault knows nothing, and which therefore opens for nobody.
  static void Remove(const One& one);

 private:
  std::vector<One> all_;
};

}  // namespace sealbook::cli
