// vCards as rows: one card a row, and a column for each kind of property, found as the file goes.
// The lines are anonymizer/vcard_lines.h's, what a card's properties mean is vcard_card.h's.
#include <deque>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "anonymizer/table_reader.h"
#include "anonymizer/vcard_card.h"
#include "anonymizer/vcard_charsets.h"
#include "anonymizer/vcard_lines.h"
#include "vault/status.h"

namespace sealbook::anonymizer {
namespace {

// Read ahead, so that there are columns to begin with.
constexpr std::size_t kSampleRows = 200;
constexpr std::size_t kSampleBytes = 4 << 20;

constexpr char kNoEnd[] = "has no END:VCARD";

class VcardReader : public TableReader {
 public:
  VcardReader(ByteSource& bytes, VcardCharsets charsets)
      : bytes_(bytes),
        charsets_(std::move(charsets)),
        lines_(VcardSource([&bytes](char* out, std::size_t size) { return bytes.Read(out, size); },
                           charsets_.form())) {
    lines_.raw().set_fallback(charsets_.fallback());
  }

  absl::Status ReadAhead();
  absl::StatusOr<bool> Next(TableRow& row) override {
    if (!held_.empty()) {
      row = std::move(held_.front());
      held_.pop_front();
    } else {
      ASSIGN_OR_RETURN(const bool more, ReadRow(row));
      if (!more) return false;
    }
    if (row.fault.empty()) row.cells.resize(columns_.size());
    return true;
  }
  const std::vector<std::string>& columns() const override { return columns_; }
  std::int64_t header_line() const override { return 0; }
  TableFormat format() const override { return TableFormat::kVcard; }
  std::optional<Encoding> encoding() const override { return charsets_.used(); }
  std::vector<std::string> remarks() const override;
  std::uint64_t bytes_read() const override { return bytes_.bytes_read(); }
  bool is_exact(std::size_t column) const override { return exact_[column]; }

 private:
  enum class Card { kRow, kPassedOver };
  absl::StatusOr<bool> NextLine();
  absl::StatusOr<bool> ReadRow(TableRow& row);
  absl::StatusOr<Card> ReadCard(TableRow& row);
  absl::StatusOr<bool> PassNestedCard();
  absl::Status ReadStray(TableRow& row);
  Card FinishCard(TableRow& row);
  bool Fill(TableRow& row);
  std::size_t* PositionOf(const VcardValue& value);

  bool IsAgent(absl::string_view value) const {
    return property_.name == "AGENT" &&
           absl::EqualsIgnoreCase(absl::StripAsciiWhitespace(property_.value), value);
  }
  // Reads the last property once more, with what was kept of it.
  std::string PutBack() {
    put_back_ = true;
    return lines_.raw().TakeBeforeLine(property_.IsMark("BEGIN") ? "BEGIN:VCARD\n" : "END:VCARD\n");
  }

  ByteSource& bytes_;
  VcardCharsets charsets_;
  VcardLines lines_;
  VcardProperty property_;
  bool put_back_ = false;
  VcardCard card_;
  std::deque<TableRow> held_;
  std::vector<std::string> columns_;
  std::vector<bool> exact_;                                  // of the columns
  absl::flat_hash_map<std::string, std::size_t> positions_;  // by name, exact ones behind a blank
  // Of the columns that every file names alike, by number, and their labels: position + 1.
  std::vector<std::size_t> known_[static_cast<int>(VcardColumn::kOther)][2];
  std::int64_t cards_ = 0, groups_ = 0, nested_ = 0, pictures_ = 0;
};

absl::Status VcardReader::ReadAhead() {
  std::size_t bytes = 0;
  while (held_.size() < kSampleRows && bytes < kSampleBytes) {
    TableRow row;
    ASSIGN_OR_RETURN(const bool more, ReadRow(row));
    if (!more) break;
    bytes += row.raw.size();
    for (const std::string& cell : row.cells) bytes += cell.size();
    held_.push_back(std::move(row));
  }
  if (cards_ > 0) return absl::OkStatus();
  return WithHint(absl::InvalidArgumentError("holds no vCard"),
                  "A card begins with BEGIN:VCARD; leave --format out if this is another list.");
}

absl::StatusOr<bool> VcardReader::NextLine() {
  if (put_back_) {
    put_back_ = false;
    return true;
  }
  return lines_.Next(property_);
}

absl::StatusOr<bool> VcardReader::ReadRow(TableRow& row) {
  row = {};
  for (;;) {
    ASSIGN_OR_RETURN(const bool more, NextLine());
    if (!more) return false;
    row.line = property_.line;
    if (property_.IsMark("BEGIN")) {
      ASSIGN_OR_RETURN(const Card card, ReadCard(row));
      if (card == Card::kRow) return true;
      lines_.raw().Take();
      row = {};
      continue;
    }
    if (property_.IsMark("END")) {
      row.fault = "has END:VCARD without BEGIN:VCARD";
      row.raw = lines_.raw().Take();
      return true;
    }
    RETURN_IF_ERROR(ReadStray(row));
    return true;
  }
}

// What stands between cards is one row, however long it is.
absl::Status VcardReader::ReadStray(TableRow& row) {
  row.fault = "stands outside of every card";
  for (;;) {
    ASSIGN_OR_RETURN(const bool more, NextLine());
    if (!more) {
      row.raw = lines_.raw().Take();
      return absl::OkStatus();
    }
    if (property_.IsMark("BEGIN") || property_.IsMark("END")) {
      row.raw = PutBack();
      return absl::OkStatus();
    }
  }
}

// A card inside AGENT, which is somebody else's. False: its END is missing, or the file's end came.
absl::StatusOr<bool> VcardReader::PassNestedCard() {
  std::int64_t depth = 1;
  bool after_agent = false;
  ++nested_;
  while (depth > 0) {
    ASSIGN_OR_RETURN(const bool more, NextLine());
    if (!more) return false;
    if (property_.IsMark("BEGIN")) {
      if (!after_agent) {
        put_back_ = true;
        return false;
      }
      ++depth;
    } else if (property_.IsMark("END")) {
      --depth;
    }
    after_agent = IsAgent("");
  }
  return true;
}

absl::StatusOr<VcardReader::Card> VcardReader::ReadCard(TableRow& row) {
  ++cards_;
  card_.Clear();
  lines_.set_version(VcardVersion::k30);
  bool after_agent = false;
  for (;;) {
    ASSIGN_OR_RETURN(const bool more, NextLine());
    if (!more) {
      row.fault = kNoEnd;
      row.raw = lines_.raw().Take();
      return Card::kRow;
    }
    bool ended = true;
    const bool inline_agent = IsAgent("BEGIN:VCARD");
    if (inline_agent || (after_agent && property_.IsMark("BEGIN"))) {
      ASSIGN_OR_RETURN(ended, PassNestedCard());
      if (ended) {
        after_agent = false;
        continue;
      }
    }
    if (!ended || property_.IsMark("BEGIN")) {
      row.fault = kNoEnd;
      row.raw = !ended && !put_back_ ? lines_.raw().Take() : PutBack();
      return Card::kRow;
    }
    if (property_.IsMark("END")) return FinishCard(row);
    after_agent = IsAgent("");
    if (after_agent) continue;
    card_.Take(property_, charsets_);
    lines_.set_version(card_.version());
  }
}

VcardReader::Card VcardReader::FinishCard(TableRow& row) {
  card_.Finish();
  pictures_ += card_.pictures();
  row.fault = card_.fault();
  if (row.fault.empty()) {
    if (card_.is_group()) ++groups_;
    if (card_.is_group() || card_.values().empty()) return Card::kPassedOver;
    if (!Fill(row)) row.cells.clear();
  }
  row.raw = lines_.raw().Take();
  return Card::kRow;
}

// Where the value's column stands, plus one; a place to write that where it is not known yet.
std::size_t* VcardReader::PositionOf(const VcardValue& value) {
  if (value.column == VcardColumn::kOther) {
    const std::string key = absl::StrCat(value.exact ? " " : "", value.name);
    const auto found = positions_.find(key);
    if (found != positions_.end()) return &found->second;
    return columns_.size() < kMaxColumns ? &positions_[key] : nullptr;
  }
  auto& numbered = known_[static_cast<int>(value.column)][value.is_label ? 1 : 0];
  const auto number = static_cast<std::size_t>(value.number);
  if (numbered.size() < number) numbered.resize(number);
  std::size_t* const position = &numbered[number - 1];
  return *position == 0 && columns_.size() >= kMaxColumns ? nullptr : position;
}

bool VcardReader::Fill(TableRow& row) {
  row.cells.resize(columns_.size());
  for (VcardValue& value : card_.values()) {
    std::size_t* const position = PositionOf(value);
    if (position == nullptr) {
      row.fault =
          absl::StrCat("brings the file to more than ", kMaxColumns, " different properties");
      return false;
    }
    if (*position == 0) {
      std::string name =
          value.column == VcardColumn::kOther ? value.name : std::string(NameOf(value.column));
      // In other lists "address 2" is the second line of one.
      const bool other_address = value.column == VcardColumn::kAddress && value.number > 1;
      if (other_address) name = "other address";
      if (value.number > (other_address ? 2 : 1)) absl::StrAppend(&name, " ", value.number);
      if (value.is_label) name += " label";
      columns_.push_back(std::move(name));
      exact_.push_back(value.exact);
      *position = columns_.size();
      row.cells.resize(columns_.size());
    }
    std::string& cell = row.cells[*position - 1];
    if (cell.empty()) {
      cell = std::move(value.text);
    } else {
      absl::StrAppend(&cell, value.column == VcardColumn::kNote ? "\n" : "; ", value.text);
    }
    if (cell.size() > kMaxCellBytes) {
      row.fault = "has a value longer than 64 KiB";
      return false;
    }
  }
  return true;
}

std::vector<std::string> VcardReader::remarks() const {
  std::vector<std::string> remarks;
  const auto add = [&](std::int64_t count, absl::string_view one, absl::string_view many) {
    if (count > 0) remarks.push_back(absl::StrCat(count, " ", count == 1 ? one : many));
  };
  add(groups_, "card is a group of others and was passed over.",
      "cards are groups of others and were passed over.");
  add(nested_, "card of an agent inside another card was passed over.",
      "cards of agents inside other cards were passed over.");
  add(pictures_, "picture, sound or key was passed over.",
      "pictures, sounds and keys were passed over.");
  return remarks;
}

}  // namespace

absl::StatusOr<std::unique_ptr<TableReader>> OpenVcards(ByteSource& bytes,
                                                        const TableOptions& options) {
  if (options.delimiter) {
    return WithHint(absl::FailedPreconditionError("vCards have no delimiter"),
                    "Leave --delimiter out.");
  }
  ASSIGN_OR_RETURN(VcardCharsets charsets, VcardCharsets::Find(bytes, options.encoding));
  auto reader = std::make_unique<VcardReader>(bytes, std::move(charsets));
  RETURN_IF_ERROR(reader->ReadAhead());
  return reader;
}

}  // namespace sealbook::anonymizer
