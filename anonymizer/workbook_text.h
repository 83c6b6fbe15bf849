// The text of cells, which pugixml has parsed. Functions may be called from any thread.
#pragma once

#include <pugixml.hpp>
#include <span>
#include <string>

#include "absl/strings/string_view.h"

namespace sealbook::anonymizer {

// Stands for a shared string that is too long or no sound XML; no UTF-8 holds it.
inline constexpr absl::string_view kUnusableText = "\xff";

// Parses in place. Blanks stay where they are all that an element holds. False: no sound XML, or a
// character that would end a text before its end.
bool ParseXml(std::span<char> xml, pugi::xml_document& document);

// The first child of that local name, or an empty node.
pugi::xml_node ChildOf(pugi::xml_node node, absl::string_view local_name);
// The text in an element itself, in whatever pieces, as it stands.
void AppendText(pugi::xml_node node, std::string& out);
// The text of a shared or inline string (CT_Rst): its own or that of its runs, without readings
// (rPh). Escapes are undone.
void ReadRichText(pugi::xml_node node, std::string& out);

}  // namespace sealbook::anonymizer
