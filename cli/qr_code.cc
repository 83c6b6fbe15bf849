#include "cli/qr_code.h"

#include <qrencode.h>

#include <memory>
#include <string>

#include "absl/status/statusor.h"

namespace sealbook::cli {
namespace {

// Half of what the standard asks for, which every reader takes: four modules would not fit 24 rows.
constexpr int kQuietModules = 2;

struct FreeCode {
  void operator()(QRcode* code) const {
    crypto::Wipe(code->data, static_cast<std::size_t>(code->width * code->width));
    QRcode_free(code);
  }
};

}  // namespace

absl::StatusOr<crypto::SecretBytes> DrawQrCode(const crypto::SecretBytes& text, bool color) {
  const std::unique_ptr<QRcode, FreeCode> code(QRcode_encodeData(
      static_cast<int>(text.size()), text.ExposeBytes().data(), /*version=*/0, QR_ECLEVEL_L));
  if (code == nullptr) return absl::InternalError("the QR code cannot be made");
  const int width = code->width;
  // The light ones are drawn: a terminal is dark, or is made so.
  const auto light = [&](int x, int y) {
    const bool inside = x >= 0 && y >= 0 && x < width && y < width;
    return !inside || (code->data[y * width + x] & 1) == 0;
  };
  std::string drawn;
  drawn.reserve(static_cast<std::size_t>(width + 8) * static_cast<std::size_t>(width + 8) * 2);
  for (int y = -kQuietModules; y < width + kQuietModules; y += 2) {
    if (color) drawn += "\033[40;37;1m";
    for (int x = -kQuietModules; x < width + kQuietModules; ++x) {
      const bool upper = light(x, y), lower = y + 1 < width + kQuietModules && light(x, y + 1);
      drawn += upper && lower ? "█" : upper ? "▀" : lower ? "▄" : " ";
    }
    if (color) drawn += "\033[0m";
    drawn += '\n';
  }
  crypto::SecretBytes out = crypto::SecretBytes::CopyOf(crypto::AsBytes(drawn));
  crypto::Wipe(drawn);
  return out;
}

}  // namespace sealbook::cli
