// One table of people, written in every encoding, dialect, line end and form of header in which
// lists arrive (and as JSON Lines, cards and workbooks), gives the same customers in the vault.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "anonymizer/identifiers.h"
#include "anonymizer/import.h"
#include "tests/support/encodings.h"
#include "tests/support/policy_vault.h"
#include "tests/support/temporary_file.h"
#include "tests/support/workbook.h"

namespace sealbook::anonymizer {
namespace {

using testing::Encode;
using testing::PolicyVault;
using testing::TemporaryFile;

// The people, once in each script: an encoding can write some of them. Twelve numbers and addresses
// are the same in all.
struct Script {
  const char* name;
  std::vector<const char*> header;  // name, phone, email, address, note
  std::vector<const char*> notice;
  std::vector<const char*> names, addresses, notes;
};

const Script kKorean = {
    "Korean",
    {"이름", "휴대폰 번호", "이메일", "주소", "메모"},
    {"고객 명단", "2025년 3월 현재; 외부 유출 금지"},
    {"김서연", "이민준", "박지우", "최하은", "정도윤", "강수빈", "조예린", "윤태호", "장미경",
     "남궁솔", "한빛나", "뷁쓩"},
    {"서울 마포구 가상로 12", "부산 해운대구 달맞이길 3", "대구 수성구"},
    {"오후 통화 선호", "쉼표, 쌍점; 막대| 탭 \"인용\"", "두 줄\n메모", "재구매 고객"}};
const Script kSimplified = {
    "Simplified Chinese",
    {"姓名", "手机号码", "邮箱", "收货地址", "备注"},
    {"客户名单", "内部资料; 请勿外传"},
    {"王芳", "李秀英", "张伟", "刘洋", "陈静", "杨敏", "黄丽", "赵强", "吴军", "周杰", "欧阳雨桐",
     "孙涛"},
    {"广东省深圳市南山区虚构路12号", "上海市浦东新区", "北京市朝阳区"},
    {"下午联系", "逗号, 分号; 竖线| \"引号\"", "两行\n备注", "老客户，要发票"}};
const Script kTraditional = {
    "Traditional Chinese",
    {"姓名", "手機號碼", "電子郵件", "地址", "備註"},
    {"客戶名單", "內部資料; 請勿外傳"},
    {"王芳儀", "李淑芬", "張家豪", "劉怡君", "陳俊傑", "楊雅婷", "黃志明", "趙美玲", "吳宗翰",
     "周詩涵", "歐陽雅雯", "孫建國"},
    {"台北市大安區虛構路12號", "高雄市左營區", "台中市西屯區"},
    {"下午聯絡", "逗號, 分號; 直線| \"引號\"", "兩行\n備註", "老客戶，要發票"}};
const Script kWestern = {
    "Western European",
    {"Nombre", "Teléfono", "Correo electrónico", "Dirección", "Notas"},
    {"Lista de clientes", "Sólo para uso interno; no difundir"},
    {"José Núñez", "María Muñoz", "Jürgen Groß", "Zoë Ingram", "François Lefèvre", "Åsa Öberg",
     "João Conceição", "Ángel Ibáñez", "Sofía Gómez", "Renée Müller", "Núria Peña", "Íñigo Señas"},
    {"Calle Inventada 12, Málaga", "Münchener Straße 3, Köln", "Rua Imaginária 7, São Paulo"},
    {"llamar mañana", "coma, punto y coma; barra| \"comillas\"", "dos\nlíneas",
     "cliente habitual, 10 €"}};
// Letters that only four bytes of GB18030 write, and those of all the others.
Script Universal() {
  Script script = kKorean;
  script.name = "all scripts";
  script.names = {"김서연", "王芳",  "張家豪", "José Núñez", "佐藤さくら", "𠮷野家",
                  "Ελένη",  "Ольга", "한😀빛",  "नेहा",        "마 리 아",   "O'Neil"};
  return script;
}

constexpr int kPeople = 12;
std::string PhoneOf(int i) {
  const std::string digits = absl::StrCat("0102", 345 + i, "678", i % 10);
  switch (i % 4) {
    case 0:
      return absl::StrCat(digits.substr(0, 3), "-", digits.substr(3, 4), "-", digits.substr(7));
    case 1:
      return absl::StrCat("+82 ", digits.substr(1, 2), " ", digits.substr(3, 4), " ",
                          digits.substr(7));
    case 2:
      return absl::StrCat("'", digits);
    default:
      return digits.substr(1);  // the zero eaten by a spreadsheet
  }
}
std::vector<std::vector<std::string>> RowsOf(const Script& script) {
  std::vector<std::vector<std::string>> rows;
  for (int i = 0; i < kPeople; ++i) {
    const auto at = static_cast<std::size_t>(i);
    rows.push_back({script.names[at], PhoneOf(i), absl::StrCat("p", i, "@example.com"),
                    script.addresses[at % script.addresses.size()],
                    script.notes[at % script.notes.size()]});
  }
  return rows;
}

struct Dialect {
  const char* name;
  char delimiter;
  bool quote_all, sep_line;
};
constexpr Dialect kDialects[] = {
    {"commas", ',', false, false},         {"commas, all quoted", ',', true, false},
    {"semicolons", ';', false, false},     {"sep=;", ';', false, true},
    {"tabs", '\t', false, false},          {"bars", '|', false, false},
    {"bars, all quoted", '|', true, false}};

std::string Cell(absl::string_view cell, const Dialect& dialect) {
  const bool quote = dialect.quote_all ||
                     cell.find_first_of(absl::StrCat(
                         "\"\r\n", std::string(1, dialect.delimiter))) != absl::string_view::npos;
  if (!quote) return std::string(cell);
  return absl::StrCat("\"", absl::StrReplaceAll(cell, {{"\"", "\"\""}}), "\"");
}
std::string Line(const std::vector<std::string>& cells, const Dialect& dialect,
                 absl::string_view end) {
  return absl::StrCat(absl::StrJoin(cells, std::string(1, dialect.delimiter),
                                    [&](std::string* out, const std::string& cell) {
                                      out->append(Cell(cell, dialect));
                                    }),
                      end);
}

enum class Header { kPlain, kNotice, kDuplicateAndEmpty, kNone };
constexpr Header kHeaders[] = {Header::kPlain, Header::kNotice, Header::kDuplicateAndEmpty,
                               Header::kNone};
const char* NameOf(Header header) {
  switch (header) {
    case Header::kPlain:
      return "header";
    case Header::kNotice:
      return "header after notice";
    case Header::kDuplicateAndEmpty:
      return "duplicate and empty headers";
    case Header::kNone:
      return "no header";
  }
  return "";
}

std::string ListOf(const Script& script, const Dialect& dialect, absl::string_view end,
                   Header form) {
  std::string text;
  if (dialect.sep_line) absl::StrAppend(&text, "sep=", std::string(1, dialect.delimiter), end);
  if (form == Header::kNotice) {
    for (const char* line : script.notice) absl::StrAppend(&text, Line({line}, dialect, end));
    absl::StrAppend(&text, end);
  }
  std::vector<std::string> header(script.header.begin(), script.header.end());
  std::vector<std::vector<std::string>> rows = RowsOf(script);
  if (form == Header::kDuplicateAndEmpty) {
    // The phone twice, and a column without name or values.
    header.push_back(header[1]);
    header.push_back("");
    for (auto& row : rows) row.push_back(row[1]), row.push_back("");
  }
  if (form != Header::kNone) absl::StrAppend(&text, Line(header, dialect, end));
  for (auto& row : rows) {
    // Line breaks inside of quotes are those of the program that wrote the list.
    for (std::string& cell : row) cell = absl::StrReplaceAll(cell, {{"\n", end}});
    absl::StrAppend(&text, Line(row, dialect, end));
  }
  return text;
}

struct Writing {
  Encoding encoding;
  bool mark;
};

class MatrixTest : public ::testing::Test {
 protected:
  // What the vault holds after the list was written over what was there. Empty, and a failure,
  // where not all of it went in.
  std::vector<std::string> ContentsAfter(absl::string_view bytes, std::vector<std::string> mappings,
                                         std::optional<Encoding> expected_encoding) {
    const TemporaryFile file(bytes);
    auto list = CustomerList::Open(file.path(), {.mappings = std::move(mappings), .region = "KR"});
    EXPECT_TRUE(list.ok()) << list.status();
    if (!list.ok()) return {};
    if (expected_encoding) {
      EXPECT_EQ((*list)->encoding(), expected_encoding);
    }
    ImportReport report;
    const absl::Status status = Import(*owner_, vault_.policy(), **list,
                                       {.on_duplicate = records::OnDuplicate::kReplace}, report);
    EXPECT_TRUE(status.ok()) << status;
    EXPECT_EQ(report.rows, kPeople);
    EXPECT_EQ(report.rejected, 0) << (report.rejects.empty() ? "" : report.rejects[0].reason);
    EXPECT_EQ(report.imported, first_ ? kPeople : 0);
    EXPECT_EQ(report.updated, first_ ? 0 : kPeople);
    first_ = false;
    return vault_.Contacts("owner");
  }
  static std::vector<std::string> Expected(const Script& script) {
    std::vector<std::string> contents;
    for (const std::vector<std::string>& row : RowsOf(script)) {
      const auto phone = NormalizePhone(row[1], "KR");
      EXPECT_TRUE(phone.ok()) << phone.status();
      contents.push_back(absl::StrCat("address=", row[3], " email=", row[2], " name=", row[0],
                                      " note=", row[4], " phone=", phone.value_or("")));
    }
    std::sort(contents.begin(), contents.end());
    return contents;
  }

  // Each variant counts; the score is printed at the end.
  void Try(const std::string& variant, const Script& script, absl::string_view bytes,
           std::vector<std::string> mappings, std::optional<Encoding> encoding) {
    SCOPED_TRACE(variant);
    ++tried_;
    std::vector<std::string> contents = ContentsAfter(bytes, std::move(mappings), encoding);
    // A line break inside of a cell is the list's own.
    for (std::string& customer : contents)
      customer = absl::StrReplaceAll(customer, {{"\r\n", "\n"}, {"\r", "\n"}});
    std::sort(contents.begin(), contents.end());
    const bool same = contents == Expected(script);
    EXPECT_TRUE(same) << (contents.empty() ? "nothing" : contents.front());
    if (same) ++right_;
  }
  // Everything that encodings × dialects × line ends × headers give.
  void TryAll(const Script& script, std::initializer_list<Writing> writings) {
    for (const Writing& writing : writings) {
      for (const Dialect& dialect : kDialects) {
        for (const absl::string_view end : {"\n", "\r\n", "\r"}) {
          for (const Header header : kHeaders) {
            const char* end_name = end == "\n" ? "LF" : end == "\r" ? "CR" : "CRLF";
            Try(absl::StrCat(script.name, ", ", anonymizer::NameOf(writing.encoding),
                             writing.mark ? " with mark" : "", ", ", dialect.name, ", ", end_name,
                             ", ", NameOf(header)),
                script,
                Encode(ListOf(script, dialect, end, header), writing.encoding, writing.mark),
                header == Header::kNone ? std::vector<std::string>{"1=name", "4=address", "5=note"}
                                        : std::vector<std::string>{},
                writing.encoding);
          }
        }
      }
    }
  }
  void TearDown() override {
    std::printf("%s: %d of %d variants read right\n",
                ::testing::UnitTest::GetInstance()->current_test_info()->name(), right_, tried_);
  }

  PolicyVault vault_;
  std::unique_ptr<keyring::Keyring> owner_ = vault_.Unlock("owner");
  bool first_ = true;
  int tried_ = 0, right_ = 0;
};

TEST_F(MatrixTest, KoreanLists) {
  TryAll(kKorean, {{Encoding::kCp949, false},
                   {Encoding::kUtf8, false},
                   {Encoding::kUtf8, true},
                   {Encoding::kUtf16Le, true},
                   {Encoding::kUtf16Be, true}});
}
TEST_F(MatrixTest, SimplifiedChineseLists) {
  TryAll(kSimplified, {{Encoding::kGbk, false}, {Encoding::kUtf8, false}});
}
TEST_F(MatrixTest, TraditionalChineseLists) {
  TryAll(kTraditional, {{Encoding::kBig5, false}, {Encoding::kUtf16Le, true}});
}
TEST_F(MatrixTest, WesternLists) {
  TryAll(kWestern, {{Encoding::kWindows1252, false}, {Encoding::kUtf8, true}});
}
TEST_F(MatrixTest, ListsOfAllScripts) {
  const Script universal = Universal();
  TryAll(universal,
         {{Encoding::kGb18030, false}, {Encoding::kUtf8, false}, {Encoding::kUtf16Be, true}});
}

const Script* const kScripts[] = {&kKorean, &kSimplified, &kTraditional, &kWestern};

TEST_F(MatrixTest, JsonLinesOfAllScripts) {
  const Script universal = Universal();
  const auto lines = [](const Script& script, absl::string_view end) {
    std::string text;
    for (const auto& row : RowsOf(script)) {
      nlohmann::ordered_json object;
      for (std::size_t i = 0; i < row.size(); ++i) object[script.header[i]] = row[i];
      absl::StrAppend(&text, object.dump(), end);
    }
    return text;
  };
  for (const absl::string_view end : {"\n", "\r\n", "\r"}) {
    for (const Encoding encoding : {Encoding::kUtf8, Encoding::kUtf16Le, Encoding::kUtf16Be})
      Try("JSON Lines", universal, Encode(lines(universal, end), encoding, true), {}, encoding);
    Try("JSON Lines", kKorean, Encode(lines(kKorean, end), Encoding::kCp949, false), {},
        Encoding::kCp949);
    Try("JSON Lines", kSimplified, Encode(lines(kSimplified, end), Encoding::kGbk, false), {},
        Encoding::kGbk);
  }
}

TEST_F(MatrixTest, WorkbooksOfAllScripts) {
  const auto cell = [](absl::string_view text) {
    return absl::StrReplaceAll(text, {{"&", "&amp;"}, {"<", "&lt;"}});
  };
  for (const Script* script : kScripts) {
    for (const bool shared : {false, true}) {
      for (const Header header : {Header::kPlain, Header::kNotice, Header::kNone}) {
        std::vector<std::vector<std::string>> rows;
        if (header == Header::kNotice) rows.push_back({script->notice[0]});
        if (header != Header::kNone)
          rows.emplace_back(script->header.begin(), script->header.end());
        for (auto& row : RowsOf(*script)) rows.push_back(std::move(row));
        std::string sheet, strings;
        int next = 0;
        for (const auto& row : rows) {
          sheet += "<row>";
          for (const std::string& text : row) {
            if (shared) {
              absl::StrAppend(&strings, "<si><t>", cell(text), "</t></si>");
              absl::StrAppend(&sheet, "<c t=\"s\"><v>", next++, "</v></c>");
            } else {
              sheet += testing::InlineCell(cell(text));
            }
          }
          sheet += "</row>";
        }
        Try(absl::StrCat(script->name, ", xlsx, ", NameOf(header)), *script,
            testing::WriteWorkbook({.sheets = {{.rows = sheet}}, .strings = strings}),
            header == Header::kNone ? std::vector<std::string>{"1=name", "4=address", "5=note"}
                                    : std::vector<std::string>{},
            std::nullopt);
      }
    }
  }
}

TEST_F(MatrixTest, CardsOfAllScripts) {
  const auto escaped = [](absl::string_view text) {
    return absl::StrReplaceAll(text, {{"\\", "\\\\"}, {",", "\\,"}, {";", "\\;"}, {"\n", "\\n"}});
  };
  for (const Script* script : kScripts) {
    for (const char* version : {"3.0", "4.0"}) {
      for (const absl::string_view end : {"\n", "\r\n"}) {
        std::string cards;
        for (const auto& row : RowsOf(*script)) {
          absl::StrAppend(&cards, "BEGIN:VCARD", end, "VERSION:", version, end,
                          "FN:", escaped(row[0]), end, "TEL:", row[1], end, "EMAIL:", row[2], end);
          absl::StrAppend(&cards, "ADR:;;", escaped(row[3]), ";;;;", end, "NOTE:", escaped(row[4]),
                          end, "END:VCARD", end);
        }
        Try(absl::StrCat(script->name, ", vCard ", version), *script, cards, {}, std::nullopt);
      }
    }
  }
}

}  // namespace
}  // namespace sealbook::anonymizer
