#include "anonymizer/list_export.h"

#include <algorithm>
#include <atomic>
#include <tuple>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/numbers.h"
#include "anonymizer/columns.h"
#include "anonymizer/exported_list.h"
#include "anonymizer/known_headers.h"
#include "anonymizer/ordered_work.h"
#include "policies/policy.h"
#include "vault/status.h"

namespace sealbook::anonymizer {
namespace {

constexpr int kThreads = 2;

constexpr absl::string_view kKnown[] = {
    "name",    "phone", "email",  "whatsapp_id", "jid",        "username", "company",
    "address", "tags",  "orders", "note",        "birth_date", "consent"};

std::tuple<std::size_t, std::string, std::int64_t> OrderOf(const std::string& field) {
  const absl::string_view base = policies::BaseField(field);
  std::int64_t number = 1;
  if (base.size() < field.size() &&
      !absl::SimpleAtoi(absl::string_view(field).substr(base.size() + 1), &number)) {
    number = 1;
  }
  const auto at = std::find(std::begin(kKnown), std::end(kKnown), base);
  return {static_cast<std::size_t>(at - std::begin(kKnown)), std::string(base), number};
}

// Reads all customers, page by page: `work` on the threads, `take` on this one, in order.
template <typename Result>
absl::Status EachPage(records::BulkReader& reader, const ListExportOptions& options, bool looking,
                      std::int64_t total,
                      const std::function<absl::StatusOr<Result>(records::SealedPage)>& work,
                      const std::function<absl::Status(Result)>& take) {
  OrderedWork<records::SealedPage, Result> pieces(kThreads, work);
  const auto take_one = [&]() -> absl::Status {
    ASSIGN_OR_RETURN(Result result, pieces.Take());
    return take(std::move(result));
  };
  for (std::int64_t done = 0;;) {
    if (options.interrupted && options.interrupted()) return absl::CancelledError("interrupted");
    if (options.progress) options.progress(looking, done, total);
    ASSIGN_OR_RETURN(records::SealedPage page, reader.Next());
    if (page.rows.empty()) break;
    done += static_cast<std::int64_t>(page.rows.size());
    if (pieces.full()) RETURN_IF_ERROR(take_one());
    pieces.Give(std::move(page));
  }
  while (!pieces.empty()) RETURN_IF_ERROR(take_one());
  return absl::OkStatus();
}

using Names = absl::flat_hash_set<std::string>;

// Lists had columns "uid" and "books" before those meant something else: such fields get the names
// that they would have had since.
void Rename(records::Fields& fields) {
  for (records::Field& field : fields) {
    if (IsBesideFields(field.name) || field.name == kIgnored)
      field.name = FieldNameFor(field.name, 0);
  }
}

absl::StatusOr<std::vector<std::string>> FindColumns(records::BulkReader& reader,
                                                     const ListExportOptions& options,
                                                     std::int64_t total) {
  Names all;
  const auto names = [](records::SealedPage page) -> absl::StatusOr<Names> {
    ASSIGN_OR_RETURN(auto contacts, records::OpenPage(page));
    Names found;
    for (records::BulkContact& contact : contacts) {
      Rename(contact.fields);
      for (const records::Field& field : contact.fields) {
        if (!found.contains(field.name)) found.insert(field.name);
      }
    }
    return found;
  };
  const auto add = [&](Names found) {
    all.merge(found);
    return absl::OkStatus();
  };
  RETURN_IF_ERROR(EachPage<Names>(reader, options, /*looking=*/true, total, names, add));
  return InColumnOrder({all.begin(), all.end()});
}

}  // namespace

std::vector<std::string> InColumnOrder(std::vector<std::string> fields) {
  std::sort(fields.begin(), fields.end(),
            [](const std::string& a, const std::string& b) { return OrderOf(a) < OrderOf(b); });
  return fields;
}

absl::StatusOr<ListExportReport> ExportList(keyring::Keyring& keyring, ExportPermit permit,
                                            const ListExportOptions& options, ByteSink& sink) {
  ListExportReport report{.rows = 0, .columns = options.columns, .empty_columns = {}};
  const bool all_fields = options.columns.empty();
  const bool with_books =
      std::count(options.columns.begin(), options.columns.end(), kBooksColumn) > 0;
  ASSIGN_OR_RETURN(const auto reader,
                   records::BulkReader::Open(keyring, std::move(permit), with_books));
  ASSIGN_OR_RETURN(const std::int64_t total, reader->AtMost());
  if (all_fields) {
    ASSIGN_OR_RETURN(report.columns, FindColumns(*reader, options, total));
    // A list of nobody has a header all the same.
    if (report.columns.empty()) report.columns = {"name", "phone"};
    // By their tokens an import knows the list for one of Sealbook's own, and takes it as it is.
    report.columns.insert(report.columns.begin(), std::string(kUidColumn));
    reader->Restart();
  }
  ASSIGN_OR_RETURN(const auto writer, ListWriter::Create(options.format, report.columns, sink));
  // Whether something stands in a column that was asked for; written on both threads.
  std::vector<std::atomic<bool>> filled(options.columns.size());
  const auto note_filled = [&](const std::vector<ListedContact>& contacts) {
    for (std::size_t i = 0; i < filled.size(); ++i) {
      if (filled[i] || IsBesideFields(options.columns[i])) continue;
      const bool here =
          std::any_of(contacts.begin(), contacts.end(), [&](const ListedContact& contact) {
            return std::any_of(
                contact.fields.begin(), contact.fields.end(),
                [&](const records::Field& field) { return field.name == options.columns[i]; });
          });
      if (here) filled[i] = true;
    }
  };
  const Names known(report.columns.begin(), report.columns.end());
  absl::flat_hash_map<BookId, std::string> book_names;
  for (const keyring::Book& book : keyring.roster().books) book_names[book.id] = book.name;

  const auto render = [&](records::SealedPage page) -> absl::StatusOr<RenderedRows> {
    ASSIGN_OR_RETURN(auto opened, records::OpenPage(page));
    std::vector<ListedContact> contacts;
    contacts.reserve(opened.size());
    for (records::BulkContact& contact : opened) {
      Rename(contact.fields);
      if (all_fields) {
        for (const records::Field& field : contact.fields) {
          if (known.contains(field.name)) continue;
          return WithHint(
              absl::UnavailableError("a customer got a field meanwhile that nobody had"),
              "Run it again.");
        }
      }
      ListedContact listed{
          .token = contact.token, .books = {}, .fields = std::move(contact.fields)};
      for (const BookId book : contact.books) {
        // One that was added meanwhile has no name here: its members come with the next export.
        if (const auto at = book_names.find(book); at != book_names.end())
          listed.books.push_back(at->second);
      }
      contacts.push_back(std::move(listed));
    }
    note_filled(contacts);
    return writer->Render(contacts, page.rows_before);
  };
  const auto append = [&](RenderedRows rows) { return writer->Append(std::move(rows)); };
  RETURN_IF_ERROR(
      EachPage<RenderedRows>(*reader, options, /*looking=*/false, total, render, append));
  RETURN_IF_ERROR(writer->Finish());
  report.rows = reader->given();
  for (std::size_t i = 0; i < filled.size(); ++i) {
    if (report.rows > 0 && !filled[i] && !IsBesideFields(options.columns[i]))
      report.empty_columns.push_back(options.columns[i]);
  }
  return report;
}

}  // namespace sealbook::anonymizer
