#include "anonymizer/import.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "anonymizer/batch_queue.h"
#include "anonymizer/import_rights.h"
#include "anonymizer/merge.h"
#include "policies/decision.h"
#include "policies/mask.h"
#include "vault/records/suppression.h"
#include "vault/status.h"

namespace sealbook::anonymizer {
namespace {

using records::DraftResult;
using records::OnDuplicate;

struct Batch {
  std::vector<records::ContactDraft> drafts;
  std::vector<std::int64_t> lines;  // of the drafts
  std::vector<SourceRow> sources;   // of the drafts, where somebody wants those of rejected rows
  std::vector<ClassId> classes;     // that the list has columns for, as far as it was read
  std::vector<std::pair<Reject, SourceRow>> rejects;
  std::int64_t notes_in_names = 0;  // of the list so far
  std::uint64_t bytes_read = 0;
  std::int64_t rows() const { return static_cast<std::int64_t>(drafts.size() + rejects.size()); }
};

struct ReadOptions {
  const std::atomic<std::size_t>& batch_rows;
  std::string role;
  bool keep_sources = false;
  bool merge = false;
  std::vector<ClassId> readable;
};

absl::Status ReadBatches(const policies::Policy& policy, CustomerList& list,
                         const ReadOptions& options, BatchQueue<Batch>& queue,
                         absl::Duration& time) {
  Batch batch;
  std::size_t bytes = 0, checked_columns = 0;
  absl::Time start = absl::Now();
  const auto hand_over = [&] {
    batch.bytes_read = list.bytes_read();
    batch.notes_in_names = list.notes_in_names();
    batch.classes = ClassesOf(policy, list);
    time += absl::Now() - start;
    const bool wanted = queue.Put(std::exchange(batch, Batch()));
    start = absl::Now();
    bytes = 0;
    return wanted;
  };
  CustomerRow row;
  for (;;) {
    ASSIGN_OR_RETURN(const bool more, list.Next(row));
    if (!more) break;
    // JSON Lines bring columns as they go.
    const std::size_t from = std::exchange(checked_columns, list.columns().size());
    RETURN_IF_ERROR(MayWrite(policy, options.role, list, from));
    if (options.merge)
      RETURN_IF_ERROR(MayMerge(policy, options.readable, options.role, list, from));
    if (options.keep_sources || !row.reject.empty()) bytes += row.source.bytes();
    if (!row.reject.empty()) {
      batch.rejects.push_back({{row.line, std::move(row.reject)}, std::move(row.source)});
    } else {
      for (const records::Field& field : row.fields)
        bytes += field.name.size() + field.value.size();
      records::ContactDraft draft{.identifiers = std::move(row.identifiers),
                                  .classes = ByClass(policy, row.fields)};
      RETURN_IF_ERROR(MayWriteClasses(policy, options.role, draft.classes));
      // In whatever class there is: this role may be one that writes no identity.
      if (draft.identifiers.front().kind == IdentifierKind::kRow) {
        draft.classes.front().fields.push_back(
            {std::string(records::kRowField), draft.identifiers.front().value});
      }
      batch.drafts.push_back(std::move(draft));
      batch.lines.push_back(row.line);
      if (options.keep_sources) batch.sources.push_back(std::move(row.source));
    }
    const bool full = static_cast<std::size_t>(batch.rows()) >= options.batch_rows ||
                      bytes >= ImportOptions::kBatchBytes;
    if (full && !hand_over()) return absl::OkStatus();
  }
  if (batch.rows() > 0) hand_over();
  return absl::OkStatus();
}

std::string NameIn(const std::vector<records::ClassFields>& classes) {
  for (const records::ClassFields& fields : classes) {
    for (const records::Field& field : fields.fields) {
      if (field.name == "name") return field.value;
    }
  }
  return "";
}

bool ReadsNames(keyring::Keyring& keyring, const policies::Policy& policy) {
  return keyring.role().root_scope && keyring.Holds(kRootBook, policy.ClassOfField("name").id);
}

// The name of a contact that was in the vault already, where this member may read it.
std::string KnownName(keyring::Keyring& keyring, const policies::Policy& policy,
                      ContactNumber contact) {
  const ClassId class_id = policy.ClassOfField("name").id;
  store::ContactRow row;
  const auto found = keyring.store().GetContact(contact, row);
  if (!found.ok() || !*found) return "";
  const auto fields = records::ContactReader(keyring).OpenClass(row, class_id);
  if (!fields.ok() || !*fields) return "";
  return NameIn({{class_id, **fields}});
}

class Importer {
 public:
  Importer(keyring::Keyring& keyring, const policies::Policy& policy, CustomerList& list,
           const ImportOptions& options, ImportReport& report)
      : keyring_(keyring),
        policy_(policy),
        list_(list),
        options_(options),
        report_(report),
        batch_rows_(options.batch_rows) {}

  absl::Status Run() {
    ASSIGN_OR_RETURN(auto writer, records::ContactWriter::Open(keyring_));
    readable_ = ReadableClasses(keyring_, policy_);
    reads_names_ = options_.on_duplicate == OnDuplicate::kSkip
                       ? ReadsNames(keyring_, policy_)
                       : Has(readable_, policy_.ClassOfField("name").id);
    batch_options_ = {.books = options_.books,
                      .on_duplicate = options_.on_duplicate,
                      .combine = nullptr,
                      .opened = {},
                      .event = &Importer::EventOf};
    BatchQueue<Batch> queue;
    batch_options_.sealed = [&queue] { queue.Release(); };
    const ReadOptions read_options{.batch_rows = batch_rows_,
                                   .role = keyring_.self().role,
                                   .keep_sources = options_.on_reject != nullptr,
                                   .merge = options_.on_duplicate == OnDuplicate::kMerge,
                                   .readable = readable_};
    std::thread reading(
        [&] { queue.Finish(ReadBatches(policy_, list_, read_options, queue, report_.read)); });
    const absl::Status status = WriteAll(writer, queue);
    queue.Close();
    reading.join();
    report_.phones = list_.phone_time();
    report_.lookup = writer.times().lookup;
    report_.seal = writer.times().seal;
    report_.lock = writer.times().write;
    report_.index = writer.times().index;
    report_.commit = writer.times().commit;
    return status;
  }

 private:
  static audit::Event EventOf(const std::vector<DraftResult>& results) {
    std::int64_t imported = 0, updated = 0, duplicates = 0;
    for (const DraftResult& result : results) {
      if (result.outcome == DraftResult::Outcome::kImported) ++imported;
      if (result.outcome == DraftResult::Outcome::kUpdated) ++updated;
      if (result.outcome == DraftResult::Outcome::kDuplicate) ++duplicates;
    }
    const nlohmann::ordered_json detail = {
        {"imported", imported}, {"updated", updated}, {"duplicates", duplicates}};
    return {.act = "import", .detail = detail.dump()};
  }

  // What known customers become by this batch. Opened is what it has to do with, and no more: a
  // class that does not count keeps others out of nothing but itself.
  void PrepareCombining(const Batch& batch) {
    if (options_.on_duplicate == OnDuplicate::kSkip) return;
    std::vector<ClassId> concerned = batch.classes;
    for (const records::ContactDraft& draft : batch.drafts) {
      for (const records::ClassFields& fields : draft.classes) {
        if (!Has(concerned, fields.class_id)) concerned.push_back(fields.class_id);
      }
    }
    std::vector<ClassId>& opened = batch_options_.opened;
    opened.clear();
    for (const ClassId id : readable_) {
      if (Has(concerned, id) && id != ClassId::kMasked) opened.push_back(id);
    }
    if (options_.on_duplicate == OnDuplicate::kMerge) {
      batch_options_.combine = [this](const auto& now, const auto& draft) {
        return Merge(policy_, batch_options_.opened, now, draft);
      };
    } else {
      batch_options_.combine = [this, replaced = batch.classes](const auto& now,
                                                                const auto& draft) {
        return Replace(policy_, batch_options_.opened, replaced, now, draft);
      };
    }
  }

  absl::Status WriteAll(records::ContactWriter& writer, BatchQueue<Batch>& queue) {
    for (;;) {
      if (options_.interrupted && options_.interrupted()) {
        return WithHint(absl::CancelledError("interrupted: what was stored so far stays"),
                        "Run the same import again; it adds nothing twice.");
      }
      ASSIGN_OR_RETURN(std::optional<Batch> batch, queue.Take());
      if (!batch) return absl::OkStatus();
      std::vector<DraftResult> results;
      if (!batch->drafts.empty()) {
        PrepareCombining(*batch);
        ASSIGN_OR_RETURN(results, writer.WriteBatch(batch->drafts, batch_options_));
        const absl::Duration lock = writer.times().last_lock;
        report_.longest_lock = writer.times().longest_lock;
        // Lookups must not wait long: where storing is slow, batches get smaller, and larger again.
        if (lock > absl::Milliseconds(600))
          batch_rows_ = std::max<std::size_t>(batch_rows_ / 2, 500);
        else if (lock < absl::Milliseconds(300))
          batch_rows_ = std::min(batch_rows_ + batch_rows_ / 4, options_.batch_rows);
      }
      RETURN_IF_ERROR(Count(*batch, results));
      if (options_.progress)
        options_.progress(report_.rows, batch->bytes_read, list_.bytes_total());
      queue.Release();
      queue.GiveBack(*std::move(batch));
    }
  }

  absl::Status Count(Batch& batch, const std::vector<DraftResult>& results) {
    report_.rows += batch.rows();
    report_.notes_in_names = batch.notes_in_names;
    for (std::size_t i = 0; i < results.size(); ++i) {
      const DraftResult& result = results[i];
      switch (result.outcome) {
        case DraftResult::Outcome::kImported:
          ++report_.imported;
          break;
        case DraftResult::Outcome::kUpdated:
          ++report_.updated;
          break;
        case DraftResult::Outcome::kDuplicate:
          ++report_.duplicates;
          break;
        case DraftResult::Outcome::kConflict:
          batch.rejects.push_back(
              {{batch.lines[i], std::string(kConflictReason)},
               batch.sources.empty() ? SourceRow() : std::move(batch.sources[i])});
          break;
        case DraftResult::Outcome::kSuppressed:
          batch.rejects.push_back(
              {{batch.lines[i], std::string(records::kSuppressedReason)},
               batch.sources.empty() ? SourceRow() : std::move(batch.sources[i])});
          break;
        case DraftResult::Outcome::kDamaged:
          ++report_.damaged;
          if (report_.damaged_lines.size() < ImportReport::kMaxListed)
            report_.damaged_lines.push_back(batch.lines[i]);
          break;
      }
      if (result.assigned && result.outcome != DraftResult::Outcome::kImported) ++report_.assigned;
      if (result.unassigned) ++report_.unassigned;
      report_.notes_left += static_cast<std::int64_t>(result.left);
      if (result.unread) ++report_.consents_unread;
      bool unread = false;
      const bool other_name = HasOtherName(batch, i, result, unread);
      if (unread) ++report_.names_unread;
      if (other_name) {
        ++report_.other_names;
        if (report_.other_name_lines.size() < ImportReport::kMaxListed)
          report_.other_name_lines.push_back(batch.lines[i]);
      }
    }
    std::sort(batch.rejects.begin(), batch.rejects.end(),
              [](const auto& a, const auto& b) { return a.first.line < b.first.line; });
    for (const auto& [reject, source] : batch.rejects) {
      report_.rejects_kept &= source.kept();
      ++report_.rejected;
      if (report_.rejects.size() < ImportReport::kMaxListed) report_.rejects.push_back(reject);
      if (options_.on_reject) RETURN_IF_ERROR(options_.on_reject(reject, source));
    }
    return absl::OkStatus();
  }

  // `unread`: of a customer known before, whose name this member may not read.
  bool HasOtherName(const Batch& batch, std::size_t i, const DraftResult& result, bool& unread) {
    unread = false;
    const bool duplicate = result.outcome == DraftResult::Outcome::kDuplicate ||
                           result.outcome == DraftResult::Outcome::kUpdated;
    if (!duplicate) return false;
    const std::string name = NameIn(batch.drafts[i].classes);
    if (name.empty()) return false;
    if (result.duplicate_of) {
      const std::string known = NameIn(batch.drafts[*result.duplicate_of].classes);
      return result.other_name || (!known.empty() && known != name);
    }
    unread = !reads_names_;
    if (unread) return false;
    if (options_.on_duplicate != OnDuplicate::kSkip) return result.other_name;
    const std::string known = KnownName(keyring_, policy_, result.contact);
    return !known.empty() && known != name;
  }

  keyring::Keyring& keyring_;
  const policies::Policy& policy_;
  CustomerList& list_;
  const ImportOptions& options_;
  ImportReport& report_;
  records::BatchOptions batch_options_;
  std::vector<ClassId> readable_;
  bool reads_names_ = false;
  std::atomic<std::size_t> batch_rows_;
};

}  // namespace

std::vector<records::ClassFields> ByClass(const policies::Policy& policy,
                                          const records::Fields& fields) {
  std::map<ClassId, records::Fields> by_class;
  for (const records::Field& field : fields)
    by_class[policy.ClassOfField(field.name).id].push_back(field);
  const auto identity = by_class.find(ClassId::kIdentity);
  if (identity != by_class.end()) {
    records::Fields masked = policies::MaskedFields(policy, identity->second);
    if (!masked.empty()) by_class[ClassId::kMasked] = std::move(masked);
  }
  std::vector<records::ClassFields> out;
  for (auto& [class_id, values] : by_class) out.push_back({class_id, std::move(values)});
  return out;
}

absl::Status Import(keyring::Keyring& keyring, const policies::Policy& policy, CustomerList& list,
                    const ImportOptions& options, ImportReport& report) {
  RETURN_IF_ERROR(MayWrite(policy, keyring.self().role, list));
  if (options.on_duplicate == records::OnDuplicate::kMerge) {
    RETURN_IF_ERROR(MayMerge(policy, ReadableClasses(keyring, policy), keyring.self().role, list));
  }
  return Importer(keyring, policy, list, options, report).Run();
}

}  // namespace sealbook::anonymizer
