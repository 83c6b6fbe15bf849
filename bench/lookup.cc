// How long an unlocked process takes to find and open contacts.
//
//   bench_lookup [--contacts N] [--book N] [--dir DIR]
//
// By token and by phone, one contact at a time, anywhere in the vault; and searches through an
// agent's books of N and of 10 N contacts, as `sealbook lookup` makes them: permits from the
// policy, "What counts" checked, the found contacts opened. A book is either one import (its
// contacts lie together) or picked from the whole vault (each contact on another page). "first" is
// the first one of a process, with an empty page cache. A vault in DIR is used again where it was
// made with the same numbers.
#include <unicode/normalizer2.h>
#include <unicode/unistr.h>

#include "anonymizer/identifiers.h"
#include "bench/support.h"
#include "policies/decision.h"
#include "policies/mask.h"
#include "vault/records/contact_reader.h"
#include "vault/records/contact_changes.h"
#include "vault/records/contact_writer.h"

namespace sealbook::bench {
namespace {

constexpr std::size_t kReads = 20'000, kAudited = 2'000, kSearches = 9;
constexpr std::size_t kShown = 50;  // the policy's lookup_limit
constexpr int kLargeBook = 10;      // times the small one

struct Size {
  std::int64_t contacts, book;
};

// Contacts at random distances, all over those that were imported into no agent's book.
absl::Status Pick(keyring::Keyring& owner, const Size& size, std::int64_t count,
                  const std::string& book) {
  const std::int64_t first = (1 + kLargeBook) * size.book + 1;
  const std::int64_t stride = (size.contacts - first + 1) / count;
  if (stride < 1) return absl::InvalidArgumentError("too few contacts for books of this size");
  const BookId id = owner.roster().FindBook(book)->id;
  std::vector<ContactNumber> batch;
  for (std::int64_t i = 0; i < count; ++i) {
    batch.push_back(first + i * stride +
                    static_cast<std::int64_t>(Mix(static_cast<std::uint64_t>(i)) %
                                              static_cast<std::uint64_t>(stride)));
    if (batch.size() < 5000 && i + 1 < count) continue;
    RETURN_IF_ERROR(records::AssignContacts(owner, id, batch, {.act = "book.assign"}).status());
    batch.clear();
  }
  return absl::OkStatus();
}

const std::vector<std::string>& Books() {
  static const auto* const books =
      new std::vector<std::string>{"together", "together-large", "picked", "picked-large"};
  return *books;
}

absl::Status Build(const std::string& root, const Size& size) {
  for (const char* old : {"/vault", "/state", "/importer.key"})
    std::filesystem::remove_all(root + old);
  std::vector<std::string> books = Books();
  books.push_back("everyone");
  RETURN_IF_ERROR(MakeVault(root, books));
  const std::int64_t large = kLargeBook * size.book;
  RETURN_IF_ERROR(ImportRows(root, 0, size.book, "together"));
  RETURN_IF_ERROR(ImportRows(root, size.book, size.book + large, "together-large"));
  RETURN_IF_ERROR(ImportRows(root, size.book + large, size.contacts, "everyone"));
  ASSIGN_OR_RETURN(const auto owner, UnlockPerson(root, "owner"));
  RETURN_IF_ERROR(Pick(*owner, size, size.book, "picked"));
  RETURN_IF_ERROR(Pick(*owner, size, large, "picked-large"));
  for (const std::string& book : Books()) RETURN_IF_ERROR(AddAgent(*owner, "agent-" + book, book));
  std::ofstream(root + "/made") << size.contacts << " " << size.book;
  return absl::OkStatus();
}

bool IsThere(const std::string& root, const Size& size) {
  Size made{};
  std::ifstream(root + "/made") >> made.contacts >> made.book;
  return made.contacts == size.contacts && made.book == size.book;
}

// ---- One contact at a time.

struct Times {
  double first = 0, middle = 0, high = 0;  // seconds: the first, p50, p99
  double cpu = 0;                          // of searches, p50
};

Times Summary(std::vector<double>& samples) {
  return {.first = samples.front(),
          .middle = Percentile(samples, 0.5),
          .high = Percentile(samples, 0.99)};
}

struct Reads {
  Times read, audited;
};

absl::StatusOr<std::vector<std::int64_t>> SomeTokens(const std::string& root,
                                                     const std::vector<ContactNumber>& numbers) {
  ASSIGN_OR_RETURN(const auto keyring, UnlockPerson(root, "owner"));
  std::vector<std::int64_t> tokens;
  for (const ContactNumber number : numbers) {
    store::ContactRow row;
    ASSIGN_OR_RETURN(const bool found, keyring->store().GetContact(number, row));
    if (!found) return absl::InternalError("a contact is missing");
    tokens.push_back(row.token);
  }
  return tokens;
}

absl::Status Record(keyring::Keyring& keyring, std::int64_t token) {
  ASSIGN_OR_RETURN(store::Transaction transaction, keyring.store().BeginWrite());
  RETURN_IF_ERROR(keyring.Refresh());
  RETURN_IF_ERROR(
      audit::Append(keyring.store(), keyring.AuditAuthor(), {.act = "lookup", .token = token}));
  return transaction.Commit();
}

// `find(reader, i)` gives the i-th contact's number.
template <typename Find>
absl::StatusOr<Reads> MeasureReads(const std::string& root, const std::string& member,
                                   std::size_t count, Find&& find) {
  ASSIGN_OR_RETURN(const auto keyring, UnlockPerson(root, member));
  ASSIGN_OR_RETURN(const policies::Policy policy, PolicyOf(*keyring));
  const policies::PermitIssuer permits(policy);
  records::ContactReader reader(*keyring);
  std::vector<double> reads, audited;
  for (std::size_t i = 0; i < count; ++i) {
    const Stopwatch watch;
    ASSIGN_OR_RETURN(const ContactNumber number, find(reader, i));
    ASSIGN_OR_RETURN(const ReadPermit permit,
                     permits.ReadOne(keyring->bundle().member, keyring->self().role, number));
    ASSIGN_OR_RETURN(const records::Contact contact, reader.Read(permit, number));
    reads.push_back(watch.Seconds());
    if (contact.fields.empty()) return absl::InternalError("a contact opened with no field");
    // The last ones: so that the reads before stand alone.
    if (i + kAudited < count) continue;
    RETURN_IF_ERROR(Record(*keyring, contact.token));
    audited.push_back(watch.Seconds());
  }
  return Reads{Summary(reads), Summary(audited)};
}

std::vector<ContactNumber> RandomNumbers(std::int64_t first, std::int64_t count) {
  std::vector<ContactNumber> numbers;
  for (std::size_t i = 0; i < kReads; ++i) {
    numbers.push_back(
        first + static_cast<std::int64_t>(crypto::RandomBelow(static_cast<std::uint64_t>(count))));
  }
  return numbers;
}

absl::StatusOr<Reads> ByToken(const std::string& root, const std::string& member,
                              std::int64_t first, std::int64_t count) {
  ASSIGN_OR_RETURN(const std::vector<std::int64_t> tokens,
                   SomeTokens(root, RandomNumbers(first, count)));
  return MeasureReads(root, member, kReads, [&](records::ContactReader& reader, std::size_t i) {
    return reader.FindToken(tokens[i]);
  });
}

absl::StatusOr<Reads> ByPhone(const std::string& root, std::int64_t contacts) {
  std::vector<std::string> phones;
  for (std::size_t i = 0; i < kReads; ++i) {
    const std::uint64_t row = crypto::RandomBelow(static_cast<std::uint64_t>(contacts));
    ASSIGN_OR_RETURN(std::string phone, anonymizer::NormalizePhone(Phone(row), kRegion));
    phones.push_back(std::move(phone));
  }
  return MeasureReads(root, "owner", kReads, [&](records::ContactReader& reader, std::size_t i) {
    return reader.FindIdentifier(IdentifierKind::kPhone, phones[i]);
  });
}

// ---- Searches.

std::string FoldName(absl::string_view name) {
  UErrorCode error = U_ZERO_ERROR;
  const icu::Normalizer2* fold = icu::Normalizer2::getNFKCCasefoldInstance(error);
  icu::UnicodeString text =
      fold->normalize(icu::UnicodeString::fromUTF8(
                          icu::StringPiece(name.data(), static_cast<std::int32_t>(name.size()))),
                      error);
  text.findAndReplace(u" ", u"");
  std::string out;
  text.toUTF8String(out);
  return out;
}

struct Searches {
  Times name, phone;
  std::int64_t looked_through = 0, names_found = 0, phones_found = 0;
};

absl::StatusOr<Searches> Search(const std::string& root, const std::string& book) {
  Searches out;
  const auto measure = [&](ClassId class_id, auto&& matches,
                           std::int64_t& found_count) -> absl::StatusOr<Times> {
    ASSIGN_OR_RETURN(const auto keyring, UnlockPerson(root, "agent-" + book));
    ASSIGN_OR_RETURN(const policies::Policy policy, PolicyOf(*keyring));
    const policies::PermitIssuer permits(policy);
    const MemberId member = keyring->bundle().member;
    const std::string& role = keyring->self().role;
    records::ContactReader reader(*keyring);
    std::vector<double> samples, cpu;
    for (std::size_t i = 0; i < kSearches; ++i) {
      const Stopwatch watch;
      const double cpu_before = CpuSeconds(OwnUsage());
      std::vector<ContactNumber> found;
      found_count = out.looked_through = 0;
      ASSIGN_OR_RETURN(const ReadPermit permit, permits.Search(member, role));
      RETURN_IF_ERROR(reader.EachClass(permit, std::nullopt, class_id,
                                       [&](ContactNumber number, std::int64_t,
                                           const records::Fields& fields) -> absl::StatusOr<bool> {
                                         ++out.looked_through;
                                         if (std::any_of(fields.begin(), fields.end(), matches)) {
                                           ++found_count;
                                           if (found.size() < kShown) found.push_back(number);
                                         }
                                         return true;
                                       }));
      for (const ContactNumber number : found) {
        ASSIGN_OR_RETURN(const ReadPermit one, permits.ReadOne(member, role, number));
        RETURN_IF_ERROR(reader.Read(one, number).status());
      }
      samples.push_back(watch.Seconds());
      cpu.push_back(CpuSeconds(OwnUsage()) - cpu_before);
    }
    Times times = Summary(samples);
    times.cpu = Percentile(cpu, 0.5);
    return times;
  };
  const std::string part = FoldName("花子");
  ASSIGN_OR_RETURN(out.name, measure(
                                 ClassId::kProfile,
                                 [&](const records::Field& field) {
                                   return policies::BaseField(field.name) == "name" &&
                                          FoldName(field.value).find(part) != std::string::npos;
                                 },
                                 out.names_found));
  ASSIGN_OR_RETURN(const std::string phone, anonymizer::NormalizePhone(Phone(17), kRegion));
  const std::string masked = policies::Mask(policies::MaskRule::kPhone, phone).value_or("");
  ASSIGN_OR_RETURN(out.phone, measure(
                                  ClassId::kMasked,
                                  [&](const records::Field& field) {
                                    return anonymizer::KindOfField(field.name) ==
                                               IdentifierKind::kPhone &&
                                           field.value == masked;
                                  },
                                  out.phones_found));
  return out;
}

absl::Status Run(int argc, char** argv) {
  const Size size{NumberFlag(argc, argv, "--contacts", 1'000'000),
                  NumberFlag(argc, argv, "--book", 5'000)};
  const Workplace place(Flag(argc, argv, "--dir", ""));
  const std::string& root = place.path();
  if (!IsThere(root, size)) {
    RETURN_IF_ERROR(InPreparedChild([&]() -> absl::StatusOr<bool> {
                      RETURN_IF_ERROR(Build(root, size));
                      return true;
                    }).status());
  }
  std::printf("%lld contacts\n\n", static_cast<long long>(size.contacts));
  std::printf("%-44s %10s %10s %10s\n", "one contact, milliseconds", "first", "p50", "p99");
  const auto print = [](const std::string& name, const Times& times) {
    std::printf("%-44s %10.3f %10.3f %10.3f\n", name.c_str(), times.first * 1e3, times.middle * 1e3,
                times.high * 1e3);
  };
  const auto print_reads = [&](const std::string& name, const Reads& reads) {
    print(name, reads.read);
    print("  with the audit row committed", reads.audited);
  };
  ASSIGN_OR_RETURN(Reads reads,
                   InPreparedChild([&] { return ByToken(root, "owner", 1, size.contacts); }));
  print_reads("by token, owner", reads);
  ASSIGN_OR_RETURN(reads, InPreparedChild([&] { return ByPhone(root, size.contacts); }));
  print_reads("by phone, owner", reads);
  ASSIGN_OR_RETURN(reads, InPreparedChild([&] {
                     return ByToken(root, "agent-together-large", size.book + 1,
                                    kLargeBook * size.book);
                   }));
  print_reads("by token, agent", reads);

  std::printf("\n%-44s %10s %10s %10s %10s\n", "a search, milliseconds", "first", "p50", "CPU, p50",
              "found");
  for (const std::string& book : Books()) {
    ASSIGN_OR_RETURN(const Searches searches, InPreparedChild([&] { return Search(root, book); }));
    const std::string where = absl::StrCat(
        searches.looked_through, book[0] == 't' ? " imported together" : " picked from all");
    const auto print_search = [&](const char* what, const Times& times, std::int64_t found) {
      std::printf("%-44s %10.1f %10.1f %10.1f %10lld\n", absl::StrCat(what, where).c_str(),
                  times.first * 1e3, times.middle * 1e3, times.cpu * 1e3,
                  static_cast<long long>(found));
    };
    print_search("part of a name, ", searches.name, searches.names_found);
    print_search("masked phone,   ", searches.phone, searches.phones_found);
  }
  return absl::OkStatus();
}

}  // namespace
}  // namespace sealbook::bench

int main(int argc, char** argv) {
  const absl::Status status = sealbook::bench::Run(argc, argv);
  if (!status.ok()) std::fprintf(stderr, "bench_lookup: %s\n", status.ToString().c_str());
  return status.ok() ? 0 : 1;
}
