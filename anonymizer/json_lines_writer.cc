// JSON Lines: one flat object a line (RFC 8259), its keys in the order of the columns, and only
// those that the contact has. Written by hand since a tree for each row takes most of the time.
#include <array>

#include "absl/strings/str_cat.h"
#include "anonymizer/list_rows.h"
#include "vault/crypto/bytes.h"
#include "vault/status.h"

namespace sealbook::anonymizer {
namespace {

constexpr std::array<bool, 256> kToEscape = [] {
  std::array<bool, 256> escaped{};
  for (int c = 0; c < 0x20; ++c) escaped[static_cast<std::size_t>(c)] = true;
  escaped['"'] = escaped['\\'] = true;
  escaped[0x7f] = true;  // allowed, but some terminals take it for a command
  return escaped;
}();

void AppendText(absl::string_view text, std::string& out) {
  constexpr char kHex[] = "0123456789abcdef";
  std::size_t begin = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (!kToEscape[c]) continue;
    out.append(text.data() + begin, i - begin);
    begin = i + 1;
    if (c == '"' || c == '\\') {
      out += '\\';
      out += text[i];
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else {
      out += "\\u00";
      out += kHex[c >> 4];
      out += kHex[c & 0xf];
    }
  }
  out.append(text.data() + begin, text.size() - begin);
}

class JsonLinesWriter : public PlainListWriter {
 public:
  JsonLinesWriter(std::vector<std::string> names, ByteSink& sink)
      : PlainListWriter(std::move(names), sink) {
    for (const std::string& name : columns().names()) {
      // Names of fields are letters, digits and underscores.
      keys_.push_back(absl::StrCat("\"", name, "\":\""));
      key_bytes_ += keys_.back().size() + 2;
    }
  }

  absl::StatusOr<RenderedRows> Render(std::span<const ListedContact> contacts,
                                      std::uint64_t) const override {
    std::string out;
    RowCells cells(columns());
    for (const ListedContact& contact : contacts) {
      RETURN_IF_ERROR(cells.Take(contact));
      Reserve(out, 6 * cells.bytes() + key_bytes_ + 4);
      out += '{';
      bool first = true;
      for (std::size_t i = 0; i < columns().size(); ++i) {
        if (cells[i].empty()) continue;
        if (!first) out += ',';
        first = false;
        out += keys_[i];
        AppendText(cells[i], out);
        out += '"';
      }
      out += "}\n";
    }
    return RenderedRows(std::move(out));
  }

 private:
  std::vector<std::string> keys_;
  std::size_t key_bytes_ = 0;
};

}  // namespace

std::unique_ptr<ListWriter> MakeJsonLinesWriter(std::vector<std::string> columns, ByteSink& sink) {
  return std::make_unique<JsonLinesWriter>(std::move(columns), sink);
}

}  // namespace sealbook::anonymizer
