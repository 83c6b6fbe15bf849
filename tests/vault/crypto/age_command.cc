// A small `age`, for tests beside Debian's: from standard input to standard output.
//
//   age_command encrypt [--armor] RECIPIENT...
//   age_command encrypt [--armor] --passphrase TEXT WORK_FACTOR
//   age_command decrypt IDENTITY...
//   age_command decrypt --passphrase TEXT
#include <unistd.h>

#include <cstdio>

#include "absl/strings/numbers.h"
#include "vault/crypto/age_file.h"
#include "vault/crypto/age_reader.h"
#include "vault/crypto/age_writer.h"
#include "vault/status.h"

namespace sealbook::crypto {
namespace {

absl::StatusOr<std::size_t> ReadInput(std::span<std::uint8_t> out) {
  const ssize_t size = read(STDIN_FILENO, out.data(), out.size());
  if (size < 0) return absl::InternalError("cannot read");
  return static_cast<std::size_t>(size);
}

class Output : public ByteSink {
 public:
  absl::Status Append(ByteView bytes) override {
    while (!bytes.empty()) {
      const ssize_t size = write(STDOUT_FILENO, bytes.data(), bytes.size());
      if (size <= 0) return absl::InternalError("cannot write");
      bytes = bytes.subspan(static_cast<std::size_t>(size));
    }
    return absl::OkStatus();
  }
};

absl::Status Encrypt(std::span<const std::string> arguments) {
  AgeWriterOptions options;
  if (!arguments.empty() && arguments[0] == "--armor") {
    options.armor = true;
    arguments = arguments.subspan(1);
  }
  Output out;
  std::unique_ptr<AgeWriter> writer;
  if (arguments.size() == 3 && arguments[0] == "--passphrase") {
    int work_factor = 0;
    if (!absl::SimpleAtoi(arguments[2], &work_factor)) return absl::InvalidArgumentError("factor");
    ASSIGN_OR_RETURN(
        writer, AgeWriter::ForPassphrase(out, SecretBytes::CopyOf(AsBytes(arguments[1])), options,
                                         work_factor));
  } else {
    std::vector<ExchangePublic> recipients;
    for (const std::string& text : arguments) {
      ASSIGN_OR_RETURN(const ExchangePublic recipient, ParseAgeRecipient(text));
      recipients.push_back(recipient);
    }
    ASSIGN_OR_RETURN(writer, AgeWriter::ForRecipients(out, recipients, options));
  }
  Bytes buffer(100'000);
  while (true) {
    ASSIGN_OR_RETURN(const std::size_t size, ReadInput(buffer));
    if (size == 0) return writer->Finish();
    RETURN_IF_ERROR(writer->Append(ByteView(buffer).first(size)));
  }
}

absl::Status Decrypt(std::span<const std::string> arguments) {
  std::vector<ExchangePair> identities;
  SecretBytes passphrase;
  AgeReaderOptions options;
  if (arguments.size() == 2 && arguments[0] == "--passphrase") {
    passphrase = SecretBytes::CopyOf(AsBytes(arguments[1]));
    options.passphrase = &passphrase;
  } else {
    for (const std::string& text : arguments) {
      ASSIGN_OR_RETURN(ExchangePair identity, ParseAgeIdentity(text));
      identities.push_back(std::move(identity));
    }
    options.identities = identities;
  }
  ASSIGN_OR_RETURN(const auto reader, AgeReader::Open(ReadInput, options));
  Output out;
  return reader->CopyTo(out);
}

absl::Status Run(std::span<const std::string> arguments) {
  RETURN_IF_ERROR(PrepareProcess());
  if (!arguments.empty() && arguments[0] == "encrypt") return Encrypt(arguments.subspan(1));
  if (!arguments.empty() && arguments[0] == "decrypt") return Decrypt(arguments.subspan(1));
  return absl::FailedPreconditionError("encrypt or decrypt?");
}

}  // namespace
}  // namespace sealbook::crypto

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  const absl::Status status = sealbook::crypto::Run(arguments);
  if (!status.ok()) std::fprintf(stderr, "%s\n", status.ToString().c_str());
  return status.ok() ? 0 : 1;
}
