// vCard 4.0 (RFC 6350). Each property says in the parameter X-SEALBOOK which field it is, so that
// the reader beside it gives back just that, and other programs see properties that they know.
// What has no property of its own stands in X-SEALBOOK-FIELD. "X-SEALBOOK=-" marks what repeats a
// field for other programs.
#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "anonymizer/list_rows.h"
#include "policies/policy.h"
#include "vault/crypto/bytes.h"
#include "vault/status.h"

namespace sealbook::anonymizer {
namespace {

enum class Property { kText, kName, kPhone, kAddress, kDate, kTags, kChat };

struct Known {
  absl::string_view field, name;
  Property kind;
  bool once;  // a card has at most one, that of the field without a number
};
constexpr Known kKnown[] = {{"name", "FN", Property::kName, false},
                            {"phone", "TEL", Property::kPhone, false},
                            {"email", "EMAIL", Property::kText, false},
                            {"company", "ORG", Property::kText, false},
                            {"note", "NOTE", Property::kText, false},
                            {"title", "TITLE", Property::kText, false},
                            {"role", "ROLE", Property::kText, false},
                            {"address", "ADR", Property::kAddress, false},
                            {"birth_date", "BDAY", Property::kDate, true},
                            {"tags", "CATEGORIES", Property::kTags, true},
                            {"whatsapp_id", "IMPP", Property::kChat, false},
                            {"jid", "IMPP", Property::kChat, false},
                            {kUidColumn, "UID;VALUE=text", Property::kText, true}};
constexpr absl::string_view kOther = "X-SEALBOOK-FIELD";

Known KnownOf(absl::string_view field) {
  for (const Known& known : kKnown) {
    if (known.field == field || (!known.once && known.field == policies::BaseField(field)))
      return known;
  }
  return {field, kOther, Property::kText, false};
}

// A content line, folded so that none is longer than 75 bytes and no character is cut
// (RFC 6350, 3.2).
class Line {
 public:
  explicit Line(std::string& out) : out_(out) {}
  Line& Put(absl::string_view text) {
    if (bytes_ + text.size() <= kMaxBytes) {
      out_.append(text.data(), text.size());
      bytes_ += text.size();
      return *this;
    }
    for (std::size_t i = 0; i < text.size();) {
      std::size_t size = 1;
      while (i + size < text.size() && (static_cast<unsigned char>(text[i + size]) & 0xc0) == 0x80)
        ++size;
      if (bytes_ + size > kMaxBytes) {
        out_ += "\r\n ";
        bytes_ = 1;
      }
      out_.append(text.data() + i, size);
      bytes_ += size;
      i += size;
    }
    return *this;
  }
  // A value of the type text (RFC 6350, 3.4).
  Line& PutText(absl::string_view text) {
    std::size_t begin = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
      const char c = text[i];
      if (c != '\\' && c != ',' && c != ';' && c != '\n') continue;
      Put(text.substr(begin, i - begin));
      begin = i + 1;
      const char escaped[] = {'\\', c == '\n' ? 'n' : c};
      Put({escaped, 2});
    }
    return Put(text.substr(begin));
  }
  void End() { out_ += "\r\n"; }

 private:
  static constexpr std::size_t kMaxBytes = 75;
  std::string& out_;
  std::size_t bytes_ = 0;
};

bool HoldsOnly(absl::string_view text, absl::string_view others) {
  return std::all_of(text.begin(), text.end(), [&](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
           absl::StrContains(others, absl::string_view(&c, 1));
  });
}

bool IsDigits(absl::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == absl::string_view::npos;
}

// "1990-01-02" as "19900102"; empty where it is no such day.
std::string DayOf(absl::string_view text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return "";
  const std::string digits = absl::StrCat(text.substr(0, 4), text.substr(5, 2), text.substr(8));
  if (!IsDigits(digits)) return "";
  const std::string month = digits.substr(4, 2), day = digits.substr(6);
  return month >= "01" && month <= "12" && day >= "01" && day <= "31" ? digits : "";
}

class VcardWriter : public PlainListWriter {
 public:
  VcardWriter(std::vector<std::string> names, ByteSink& sink)
      : PlainListWriter(std::move(names), sink) {
    // A card needs a name to be shown by; where it has none, what it has.
    for (const absl::string_view base : {"name", "company", "username", "phone", "email"}) {
      for (std::size_t i = 0; i < columns().size(); ++i) {
        if (policies::BaseField(columns().names()[i]) == base) shown_.push_back(i);
      }
    }
    for (const std::string& name : columns().names()) {
      known_.push_back(KnownOf(name));
      head_bytes_ += 2 * (name.size() + 64);
    }
  }

  absl::StatusOr<RenderedRows> Render(std::span<const ListedContact> contacts,
                                      std::uint64_t) const override {
    std::string out;
    RowCells cells(columns());
    for (const ListedContact& contact : contacts) {
      RETURN_IF_ERROR(cells.Take(contact));
      // A name stands in FN and N, tags may stand twice; escapes and folds make twice of each.
      Reserve(out, 8 * cells.bytes() + head_bytes_ + 512);
      out += "BEGIN:VCARD\r\nVERSION:4.0\r\nPRODID:-//Sealbook//Sealbook//EN\r\n";
      AppendNames(cells, out);
      for (std::size_t i = 0; i < columns().size(); ++i) {
        if (cells[i].empty()) continue;
        RETURN_IF_ERROR(Check(contact, i, cells[i]));
        AppendField(i, cells[i], out);
      }
      out += "END:VCARD\r\n";
    }
    return RenderedRows(std::move(out));
  }

 private:
  absl::Status Check(const ListedContact& contact, std::size_t column,
                     absl::string_view value) const {
    const bool controls = std::any_of(value.begin(), value.end(), [](unsigned char c) {
      return (c < 0x20 && c != '\t' && c != '\n') || c == 0x7f;
    });
    if (!controls) return absl::OkStatus();
    return DoesNotFit(contact.token, columns().names()[column],
                      "holds a control character, which no vCard can hold",
                      "Leave that field out, or choose JSON Lines.");
  }

  // Where no field is called a name: FN is a must (RFC 6350, 6.2.1).
  void AppendNames(const RowCells& cells, std::string& out) const {
    const auto at = std::find_if(shown_.begin(), shown_.end(),
                                 [&](std::size_t column) { return !cells[column].empty(); });
    const absl::string_view shown = at == shown_.end() ? "Customer" : cells[*at];
    const bool has_name = at != shown_.end() && known_[*at].kind == Property::kName;
    if (!has_name) Line(out).Put("FN;X-SEALBOOK=-:").PutText(shown).End();
    // Which part of a name is the family's nobody knows; older programs show this one.
    Line(out).Put("N;X-SEALBOOK=-:;").PutText(shown).Put(";;;").End();
  }

  void AppendField(std::size_t column, absl::string_view value, std::string& out) const {
    const absl::string_view field = columns().names()[column];
    const Known& known = known_[column];
    const auto start = [&](absl::string_view name) {
      Line line(out);
      line.Put(name).Put(";X-SEALBOOK=").Put(field).Put(":");
      return line;
    };
    switch (known.kind) {
      case Property::kText:
      case Property::kName:
        return start(known.name).PutText(value).End();
      case Property::kPhone:
        if (value[0] == '+' && IsDigits(value.substr(1)))
          return start("TEL;VALUE=uri").Put("tel:").Put(value).End();
        return start("TEL;VALUE=text").PutText(value).End();
      case Property::kAddress:
        // All of it in the place of the street, as RFC 6350 has no address in one piece.
        return start(known.name).Put(";;").PutText(value).Put(";;;;").End();
      case Property::kDate: {
        const std::string day = DayOf(value);
        if (!day.empty()) return start("BDAY").Put(day).End();
        return start("BDAY;VALUE=text").PutText(value).End();
      }
      case Property::kChat:
        if (HoldsOnly(value, "._-@")) return start(known.name).Put("whatsapp:").Put(value).End();
        return start(kOther).PutText(value).End();
      case Property::kTags:
        break;
    }
    if (value.find_first_of(",;") == absl::string_view::npos)
      return start(known.name).PutText(value).End();
    // Several: each a category of its own, and the field as it is.
    Line line(out);
    line.Put(known.name).Put(";X-SEALBOOK=-:");
    bool first = true;
    for (const absl::string_view part : absl::StrSplit(value, absl::ByAnyChar(",;"))) {
      const absl::string_view tag = absl::StripAsciiWhitespace(part);
      if (tag.empty()) continue;
      if (!first) line.Put(",");
      first = false;
      line.PutText(tag);
    }
    line.End();
    start(kOther).PutText(value).End();
  }

  std::vector<Known> known_;
  std::vector<std::size_t> shown_;  // columns, the best first
  std::size_t head_bytes_ = 0;
};

}  // namespace

std::unique_ptr<ListWriter> MakeVcardWriter(std::vector<std::string> columns, ByteSink& sink) {
  return std::make_unique<VcardWriter>(std::move(columns), sink);
}

}  // namespace sealbook::anonymizer
