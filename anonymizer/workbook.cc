#include "anonymizer/workbook.h"

#include <map>
#include <pugixml.hpp>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "anonymizer/table_reader.h"
#include "anonymizer/workbook_text.h"
#include "vault/status.h"

namespace sealbook::anonymizer {
namespace {

constexpr absl::string_view kSaveAgain =
    "Open it in a spreadsheet program, save it again as .xlsx, and import that.";
constexpr absl::string_view kUsualMainPart = "xl/workbook.xml";
constexpr std::size_t kMaxStyles = 1 << 16;

// By local name. `prefixed`: an attribute of another namespace, "r:id" say.
absl::string_view AttributeOf(pugi::xml_node node, absl::string_view name, bool prefixed = false) {
  for (const pugi::xml_attribute attribute : node.attributes()) {
    const absl::string_view whole = attribute.name();
    if (LocalName(whole) == name && (!prefixed || whole.size() > name.size()))
      return attribute.value();
  }
  return "";
}

bool IsTrue(absl::string_view value) { return value == "1" || value == "true"; }

struct Relationship {
  std::string type, part;  // the last word of its type; empty: outside of the file
};

// Where a relationship's target stands, seen from the folder of its source. Empty: nowhere in the
// file.
std::string Resolve(absl::string_view folder, absl::string_view target) {
  const std::string path = absl::StrReplaceAll(target, {{"\\", "/"}});
  std::vector<absl::string_view> parts;
  if (!absl::StartsWith(path, "/")) parts = absl::StrSplit(folder, '/', absl::SkipEmpty());
  for (const absl::string_view part : absl::StrSplit(path, '/', absl::SkipEmpty())) {
    if (part == ".") continue;
    if (part != "..") {
      parts.push_back(part);
    } else if (parts.empty()) {
      return "";
    } else {
      parts.pop_back();
    }
  }
  return absl::StrJoin(parts, "/");
}

absl::string_view FolderOf(absl::string_view part) {
  const std::size_t slash = part.rfind('/');
  return slash == absl::string_view::npos ? "" : part.substr(0, slash);
}
absl::string_view LastOf(absl::string_view path) {
  const std::size_t slash = path.rfind('/');
  return slash == absl::string_view::npos ? path : path.substr(slash + 1);
}

using Relationships = std::map<std::string, Relationship>;
Relationships ReadRelationships(std::string& xml, absl::string_view folder) {
  Relationships found;
  pugi::xml_document document;
  if (!ParseXml(xml, document)) return found;
  for (const pugi::xml_node node : document.first_child()) {
    const bool outside = AttributeOf(node, "TargetMode") == "External";
    found.try_emplace(
        std::string(AttributeOf(node, "Id")),
        Relationship{.type = std::string(LastOf(AttributeOf(node, "Type"))),
                     .part = outside ? "" : Resolve(folder, AttributeOf(node, "Target"))});
  }
  return found;
}

// The text of a shared string as nearly all are: one piece with nothing to undo. nullopt: another,
// for the parser.
std::optional<absl::string_view> PlainText(absl::string_view xml) {
  if (!absl::ConsumePrefix(&xml, "<si><t>") &&
      !absl::ConsumePrefix(&xml, "<si><t xml:space=\"preserve\">"))
    return std::nullopt;
  if (!absl::ConsumeSuffix(&xml, "</t></si>")) return std::nullopt;
  for (const char undone : {'<', '&', '_', '\r'}) {
    if (absl::StrContains(xml, undone)) return std::nullopt;
  }
  return xml;
}

absl::Status OtherKind(const ZipFile& zip, absl::string_view main_part) {
  if (absl::EndsWithIgnoreCase(main_part, ".bin") || zip.Has("xl/workbook.bin"))
    return WithHint(absl::InvalidArgumentError("is a binary workbook (.xlsb)"), kSaveAgain);
  if (zip.Has("mimetype") && zip.Has("content.xml"))
    return WithHint(absl::InvalidArgumentError("is an OpenDocument file (.ods)"), kSaveAgain);
  if (zip.Has("Index/Document.iwa") || zip.Has("Index.zip"))
    return WithHint(absl::InvalidArgumentError("is a file of Numbers or Pages"), kSaveAgain);
  if (zip.Has("word/document.xml") || zip.Has("ppt/presentation.xml")) {
    return WithHint(absl::InvalidArgumentError("is a text document or slides, not a list"),
                    "Copy the table into a spreadsheet and save that as .xlsx.");
  }
  return WithHint(absl::InvalidArgumentError("is a zip file, but no workbook"),
                  "Unpack it and import the list inside.");
}

}  // namespace

absl::Status InPart(absl::string_view what, const absl::Status& status) {
  if (!absl::IsInvalidArgument(status) && !absl::IsNotFound(status)) return status;
  const std::string hint = HintOf(status);
  return WithHint(
      absl::InvalidArgumentError(absl::StrCat("cannot be read: ", what, " ", status.message())),
      hint.empty() ? kSaveAgain : absl::string_view(hint));
}

absl::StatusOr<std::string> Workbook::ReadSmallPart(const std::string& part,
                                                    absl::string_view what) const {
  auto entry = zip_->OpenEntry(part);
  if (!entry.ok()) return InPart(what, entry.status());
  auto all = XmlText(*std::move(entry)).ReadAll(kMaxPartBytes);
  if (!all.ok()) return InPart(what, all.status());
  return all;
}

absl::StatusOr<std::unique_ptr<Workbook>> Workbook::Open(ByteSource& bytes,
                                                         const WorkbookLimits& limits) {
  if (!absl::StartsWith(bytes.head(), "PK")) {
    return WithHint(absl::InvalidArgumentError("is no workbook"),
                    "Leave --format out, so that the file says itself what it is.");
  }
  std::unique_ptr<Workbook> book(new Workbook(limits));
  ASSIGN_OR_RETURN(book->zip_, ZipFile::Open(bytes));
  ASSIGN_OR_RETURN(book->file_bytes_, bytes.Size());
  std::string main_part(kUsualMainPart);
  if (book->zip_->Has("_rels/.rels")) {
    ASSIGN_OR_RETURN(std::string xml, book->ReadSmallPart("_rels/.rels", "the list of its parts"));
    for (const auto& [id, relationship] : ReadRelationships(xml, "")) {
      if (relationship.type != "officeDocument" || relationship.part.empty()) continue;
      main_part = relationship.part;
      break;
    }
  }
  if (!book->zip_->Has(main_part) || absl::EndsWithIgnoreCase(main_part, ".bin") ||
      absl::StartsWithIgnoreCase(main_part, "word/") ||
      absl::StartsWithIgnoreCase(main_part, "ppt/")) {
    return OtherKind(*book->zip_, main_part);
  }
  RETURN_IF_ERROR(book->ReadSheets(main_part));
  return book;
}

absl::Status Workbook::ReadSheets(const std::string& main_part) {
  constexpr absl::string_view kWhat = "its list of sheets";
  const absl::string_view folder = FolderOf(main_part);
  Relationships relationships;
  const std::string relationships_part =
      absl::StrCat(folder, folder.empty() ? "" : "/", "_rels/", LastOf(main_part), ".rels");
  if (zip_->Has(relationships_part)) {
    ASSIGN_OR_RETURN(std::string xml, ReadSmallPart(relationships_part, kWhat));
    relationships = ReadRelationships(xml, folder);
  }
  ASSIGN_OR_RETURN(std::string xml, ReadSmallPart(main_part, kWhat));
  pugi::xml_document document;
  if (!ParseXml(xml, document)) return InPart(kWhat, absl::InvalidArgumentError("is no sound XML"));
  const pugi::xml_node root = document.first_child();
  if (LocalName(root.name()) != "workbook") {
    return WithHint(absl::InvalidArgumentError("is a zip file, but no workbook"),
                    "Unpack it and import the list inside.");
  }
  since_1904_ = IsTrue(AttributeOf(ChildOf(root, "workbookPr"), "date1904"));
  for (const pugi::xml_node node : ChildOf(root, "sheets")) {
    if (LocalName(node.name()) != "sheet") continue;
    if (sheets_.size() == kMaxSheets)
      return InPart(kWhat, absl::InvalidArgumentError("has far too many"));
    WorkbookSheet sheet{.name = std::string(AttributeOf(node, "name"))};
    const absl::string_view state = AttributeOf(node, "state");
    sheet.hidden = state == "hidden" || state == "veryHidden";
    const auto found = relationships.find(std::string(AttributeOf(node, "id", /*prefixed=*/true)));
    if (found != relationships.end() && found->second.type == "worksheet")
      sheet.part = found->second.part;
    if (found == relationships.end()) {
      return InPart(kWhat, absl::InvalidArgumentError(absl::StrCat("does not say where sheet ",
                                                                   sheets_.size() + 1, " stands")));
    }
    sheets_.push_back(std::move(sheet));
  }
  for (const auto& [id, relationship] : relationships) {
    if (relationship.part.empty()) continue;
    if (relationship.type == "styles") RETURN_IF_ERROR(ReadStyles(relationship.part));
    if (relationship.type == "sharedStrings") RETURN_IF_ERROR(ReadStrings(relationship.part));
  }
  return absl::OkStatus();
}

absl::Status Workbook::ReadStyles(const std::string& part) {
  constexpr absl::string_view kWhat = "its list of styles";
  ASSIGN_OR_RETURN(std::string xml, ReadSmallPart(part, kWhat));
  pugi::xml_document document;
  if (!ParseXml(xml, document)) return InPart(kWhat, absl::InvalidArgumentError("is no sound XML"));
  const pugi::xml_node root = document.first_child();
  absl::flat_hash_map<int, NumberKind> formats;
  for (const pugi::xml_node node : ChildOf(root, "numFmts")) {
    int id = 0;
    if (absl::SimpleAtoi(AttributeOf(node, "numFmtId"), &id))
      formats[id] = KindOfFormatCode(AttributeOf(node, "formatCode"));
  }
  for (const pugi::xml_node node : ChildOf(root, "cellXfs")) {
    if (LocalName(node.name()) != "xf") continue;
    if (kinds_.size() == kMaxStyles)
      return InPart(kWhat, absl::InvalidArgumentError("has far too many"));
    int id = 0;
    if (!absl::SimpleAtoi(AttributeOf(node, "numFmtId"), &id)) id = 0;
    const auto own = formats.find(id);
    kinds_.push_back(own == formats.end() ? KindOfFormat(id) : own->second);
  }
  return absl::OkStatus();
}

absl::Status Workbook::ReadStrings(const std::string& part) {
  constexpr absl::string_view kWhat = "its list of texts";
  if (strings_.size() > 0) return InPart(kWhat, absl::InvalidArgumentError("is there twice"));
  auto entry = zip_->OpenEntry(part);
  if (!entry.ok()) return InPart(kWhat, entry.status());
  ElementCutter cutter(XmlText(*std::move(entry)), "sst", "si");
  ElementCutter::Element element;
  pugi::xml_document document;
  std::string text;
  for (;;) {
    const auto more = cutter.Next(element);
    if (!more.ok()) return InPart(kWhat, more.status());
    if (!*more) return strings_.Finish();
    const auto plain = PlainText({element.xml.data(), element.xml.size()});
    if (plain && plain->size() <= TableReader::kMaxCellBytes) {
      RETURN_IF_ERROR(strings_.Add(*plain));
      continue;
    }
    text.clear();
    // What cannot be used must not end the import: the rows that ask for it are told.
    if (element.too_long || !ParseXml(element.xml, document))
      text = std::string(kUnusableText);
    else
      ReadRichText(document.first_child(), text);
    if (text.size() > TableReader::kMaxCellBytes) text = std::string(kUnusableText);
    RETURN_IF_ERROR(strings_.Add(text));
  }
}

absl::StatusOr<XmlText> Workbook::OpenSheet(std::size_t position) const {
  auto entry = zip_->OpenEntry(sheets_[position].part);
  if (!entry.ok()) return InPart(absl::StrCat("sheet ", position + 1), entry.status());
  return XmlText(*std::move(entry));
}

}  // namespace sealbook::anonymizer
