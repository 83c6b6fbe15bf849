#include "vault/status.h"

#include "absl/strings/cord.h"

namespace sealbook {
namespace {
constexpr absl::string_view kHintPayload = "sealbook/hint";
}  // namespace

absl::Status WithHint(absl::Status status, absl::string_view hint) {
  if (!status.ok() && !status.GetPayload(kHintPayload)) {
    status.SetPayload(kHintPayload, absl::Cord(hint));
  }
  return status;
}

std::string HintOf(const absl::Status& status) {
  const auto payload = status.GetPayload(kHintPayload);
  return payload ? std::string(*payload) : std::string();
}

}  // namespace sealbook
