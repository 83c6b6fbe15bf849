// JSON Lines: one flat object a line, keys as column names. Numbers keep their digits as they were
// written, since a phone number is not one.
#include <nlohmann/json.hpp>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "anonymizer/table_reader.h"
#include "vault/status.h"

namespace sealbook::anonymizer {
namespace {

constexpr std::size_t kMaxKeyBytes = 1024;  // keys are kept, as names of columns

// Takes a flat object apart as it is parsed: no tree is built, so depth costs nothing.
class FlatObject : public nlohmann::json_sax<nlohmann::json> {
 public:
  std::vector<std::pair<std::string, std::string>> values;
  std::string fault;

  bool null() override { return Add(""); }
  bool boolean(bool value) override { return Add(value ? "true" : "false"); }
  bool number_integer(number_integer_t value) override { return Add(absl::StrCat(value)); }
  bool number_unsigned(number_unsigned_t value) override { return Add(absl::StrCat(value)); }
  bool number_float(number_float_t, const string_t& text) override { return Add(text); }
  bool string(string_t& value) override { return Add(value); }
  bool binary(binary_t&) override { return Fail("holds bytes"); }
  bool start_object(std::size_t) override {
    if (depth_++ > 0) return Fail("holds an object inside an object");
    return true;
  }
  bool key(string_t& name) override {
    key_ = name;
    for (const auto& value : values) {
      if (value.first == key_) return Fail("names the same key twice");
    }
    if (name.size() > kMaxKeyBytes) return Fail("has a key longer than 1 KiB");
    if (values.size() >= TableReader::kMaxColumns) return Fail("has too many keys");
    values.emplace_back(key_, "");
    return true;
  }
  bool end_object() override { return true; }
  bool start_array(std::size_t) override {
    if (depth_ == 0) return Fail("is no object");
    if (in_array_) return Fail("holds a list inside a list");
    in_array_ = true;
    return true;
  }
  bool end_array() override {
    in_array_ = false;
    return true;
  }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) override {
    return Fail("is no JSON");
  }

 private:
  bool Add(absl::string_view text) {
    if (depth_ == 0) return Fail("is no object");
    std::string& cell = values.back().second;
    if (text.empty()) return true;
    if (!cell.empty()) cell += "; ";
    cell.append(text.data(), text.size());
    if (cell.size() > TableReader::kMaxCellBytes) return Fail("has a value longer than 64 KiB");
    return true;
  }
  bool Fail(absl::string_view reason) {
    if (fault.empty()) fault = std::string(reason);
    return false;
  }
  int depth_ = 0;
  bool in_array_ = false;
  std::string key_;
};

class JsonLinesReader : public TableReader {
 public:
  explicit JsonLinesReader(std::unique_ptr<TextSource> source) : source_(std::move(source)) {
    for (const TextLine& line : source_->sample()) {
      FlatObject object;
      if (line.fault.empty() && nlohmann::json::sax_parse(line.text, &object)) {
        for (const auto& [name, value] : object.values) ColumnOf(name);
      }
    }
  }

  absl::StatusOr<bool> Next(TableRow& row) override {
    row = {};
    TextLine line;
    do {
      ASSIGN_OR_RETURN(const bool more, source_->Next(line));
      if (!more) return false;
    } while (line.fault.empty() && absl::StripAsciiWhitespace(line.text).empty());
    row.line = line.number;
    row.fault = std::move(line.fault);
    if (!row.fault.empty()) {
      row.raw = std::move(line.raw);
      return true;
    }
    FlatObject object;
    const bool parsed = nlohmann::json::sax_parse(line.text, &object);
    row.raw = std::move(line.text);
    if (!parsed) {
      row.fault = std::move(object.fault);
      return true;
    }
    row.cells.resize(columns_.size());
    for (auto& [name, value] : object.values) {
      const std::size_t column = ColumnOf(name);
      if (column >= kMaxColumns) {
        row.fault = absl::StrCat("brings the file to more than ", kMaxColumns, " different keys");
        return true;
      }
      if (column >= row.cells.size()) row.cells.resize(column + 1);
      row.cells[column] = std::move(value);
    }
    return true;
  }
  const std::vector<std::string>& columns() const override { return columns_; }
  std::int64_t header_line() const override { return 0; }
  TableFormat format() const override { return TableFormat::kJsonLines; }
  std::optional<Encoding> encoding() const override { return source_->encoding(); }
  std::uint64_t bytes_read() const override { return source_->bytes_read(); }

 private:
  std::size_t ColumnOf(const std::string& name) {
    const auto known = positions_.find(name);
    if (known != positions_.end()) return known->second;
    if (columns_.size() >= kMaxColumns) return kMaxColumns;
    positions_[name] = columns_.size();
    columns_.push_back(name);
    return columns_.size() - 1;
  }

  std::unique_ptr<TextSource> source_;
  std::vector<std::string> columns_;
  absl::flat_hash_map<std::string, std::size_t> positions_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<TableReader>> OpenJsonLines(std::unique_ptr<TextSource> source) {
  return std::make_unique<JsonLinesReader>(std::move(source));
}

}  // namespace sealbook::anonymizer
