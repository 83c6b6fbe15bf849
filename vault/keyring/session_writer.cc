#include "vault/keyring/session_writer.h"

#include <algorithm>

#include "absl/time/clock.h"
#include "vault/status.h"

namespace sealbook::keyring {

SessionWriter SessionWriter::Open(Keyring& keyring) {
  return SessionWriter(keyring, keyring.roster().version);
}

absl::StatusOr<const SessionKeys*> SessionWriter::Keys(BookId book, ClassId class_id) {
  // Asked without a change where they are there: several threads may be at it.
  const auto made = keys_.find({book, class_id});
  if (made != keys_.end()) return made->second.get();
  const Compartment* compartment =
      keyring_->history().Version(roster_version_)->FindCompartment(book, class_id);
  if (compartment == nullptr) return absl::NotFoundError("no such compartment");
  ASSIGN_OR_RETURN(crypto::SessionSecret secret,
                   pair_.SessionSecretAsWriter(compartment->public_key));
  crypto::WrapKey wrap = crypto::DeriveWrapKey(secret);
  auto& slot = keys_[{book, class_id}];
  slot = std::make_unique<SessionKeys>(SessionKeys{std::move(secret), std::move(wrap)});
  return slot.get();
}

absl::Status SessionWriter::Prepare(ClassId class_id, const std::vector<BookId>& books) {
  RETURN_IF_ERROR(Keys(kRootBook, class_id).status());
  for (const BookId book : books) RETURN_IF_ERROR(Keys(book, class_id).status());
  return absl::OkStatus();
}

absl::StatusOr<const crypto::SessionSecret*> SessionWriter::RootSecret(ClassId class_id) {
  ASSIGN_OR_RETURN(const SessionKeys* keys, Keys(kRootBook, class_id));
  return &keys->secret;
}

absl::StatusOr<const crypto::WrapKey*> SessionWriter::Wrap(BookId book, ClassId class_id) {
  ASSIGN_OR_RETURN(const SessionKeys* keys, Keys(book, class_id));
  return &keys->wrap;
}

absl::StatusOr<std::int64_t> SessionWriter::Number() {
  if (number_ == 0) {
    ASSIGN_OR_RETURN(const std::uint64_t newest, keyring_->store().LastRosterVersion());
    if (newest != roster_version_) {
      return WithHint(
          absl::UnavailableError("members or books changed while this was being written"),
          "Try again in a moment.");
    }
    ASSIGN_OR_RETURN(const std::int64_t last, keyring_->store().LastSession());
    number_ = last + 1;
  }
  return number_;
}

void SessionWriter::Cover(CoverageKind kind, BookId book, ContactNumber contact) {
  auto at = std::find_if(coverage_.begin(), coverage_.end(),
                         [&](const Coverage& c) { return c.kind == kind && c.book == book; });
  if (at == coverage_.end()) at = coverage_.insert(at, {kind, book, {}});
  std::vector<CoverageRange>& ranges = at->ranges;
  if (!ranges.empty() &&
      ranges.back().first + static_cast<ContactNumber>(ranges.back().count) == contact) {
    ++ranges.back().count;
  } else {
    ranges.push_back({contact, 1});
  }
}

absl::Status SessionWriter::Insert() {
  ASSIGN_OR_RETURN(const std::int64_t number, Number());
  Session session{.number = number,
                  .previous = {},
                  .vault = keyring_->roster().vault,
                  .member = keyring_->bundle().member,
                  .roster_version = roster_version_,
                  .time_ms = absl::ToUnixMillis(absl::Now()),
                  .last_taking = 0,
                  .ephemeral = pair_.public_key(),
                  .coverage = std::move(coverage_),
                  .subjects = std::move(subjects_)};
  std::ranges::reverse(session.subjects);
  std::ranges::stable_sort(session.subjects, {}, &CoveredSubject::contact);
  session.subjects.erase(
      std::unique(session.subjects.begin(), session.subjects.end(),
                  [](const auto& a, const auto& b) { return a.contact == b.contact; }),
      session.subjects.end());
  for (Coverage& c : session.coverage) {
    // Contacts were named in any order; ranges stand in ascending order and do not touch.
    std::sort(c.ranges.begin(), c.ranges.end(), [](auto& a, auto& b) { return a.first < b.first; });
    std::vector<CoverageRange> merged;
    for (const CoverageRange& range : c.ranges) {
      if (!merged.empty() &&
          merged.back().first + static_cast<ContactNumber>(merged.back().count) >= range.first) {
        const auto end =
            std::max(merged.back().first + static_cast<ContactNumber>(merged.back().count),
                     range.first + static_cast<ContactNumber>(range.count));
        merged.back().count = static_cast<std::uint64_t>(end - merged.back().first);
      } else {
        merged.push_back(range);
      }
    }
    c.ranges = std::move(merged);
  }
  if (number > 1) {
    ASSIGN_OR_RETURN(const auto record, keyring_->store().GetSession(number - 1));
    if (!record) return absl::DataLossError("the newest session is missing");
    session.previous = HashOfSession(*record);
  }
  // Where sessions at the end are missing this fails: under one of their numbers nobody could read
  // what is written.
  ASSIGN_OR_RETURN(session.last_taking, keyring_->sessions().LastTaking());
  return keyring_->store().InsertSession(number, session.Sign(keyring_->bundle().signing));
}

}  // namespace sealbook::keyring
