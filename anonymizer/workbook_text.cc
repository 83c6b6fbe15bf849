#include "anonymizer/workbook_text.h"

#include "absl/strings/ascii.h"
#include "absl/strings/strip.h"
#include "anonymizer/workbook_values.h"
#include "anonymizer/xml_part.h"

namespace sealbook::anonymizer {
namespace {

// "&#0;" and "&#x000;", which no XML may hold.
bool HoldsNulReference(absl::string_view text) {
  for (std::size_t at = text.find("&#"); at != absl::string_view::npos; at = text.find("&#", at)) {
    at += 2;
    absl::string_view rest = text.substr(at);
    absl::ConsumePrefix(&rest, "x");
    const std::size_t zeros = rest.find_first_not_of('0');
    if (zeros == absl::string_view::npos || zeros > 0) {
      if (zeros == absl::string_view::npos ||
          !absl::ascii_isxdigit(static_cast<unsigned char>(rest[zeros])))
        return true;
    }
  }
  return false;
}

}  // namespace

bool ParseXml(std::span<char> xml, pugi::xml_document& document) {
  if (HoldsNulReference({xml.data(), xml.size()})) return false;
  constexpr unsigned kOptions = pugi::parse_cdata | pugi::parse_escapes | pugi::parse_eol |
                                pugi::parse_ws_pcdata_single | pugi::parse_embed_pcdata;
  return static_cast<bool>(
      document.load_buffer_inplace(xml.data(), xml.size(), kOptions, pugi::encoding_utf8));
}

pugi::xml_node ChildOf(pugi::xml_node node, absl::string_view local_name) {
  pugi::xml_node child = node.first_child();
  while (child && !IsNamed(child.name(), local_name)) child = child.next_sibling();
  return child;
}

void AppendText(pugi::xml_node node, std::string& out) {
  out += node.value();  // what parse_embed_pcdata has put there: mostly all of it
  for (auto child = node.first_child(); child; child = child.next_sibling()) {
    if (child.type() == pugi::node_pcdata || child.type() == pugi::node_cdata) out += child.value();
  }
}

void ReadRichText(pugi::xml_node node, std::string& out) {
  for (auto child = node.first_child(); child; child = child.next_sibling()) {
    if (IsNamed(child.name(), "t")) {
      AppendText(child, out);
    } else if (IsNamed(child.name(), "r")) {
      for (auto part = child.first_child(); part; part = part.next_sibling()) {
        if (IsNamed(part.name(), "t")) AppendText(part, out);
      }
    }
  }
  UnescapeXstring(out);
}

}  // namespace sealbook::anonymizer
