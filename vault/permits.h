// Permits: proof that the policy allowed one act. The vault demands them without knowing the
// policy: only policies::PermitIssuer (policies/decision.h) and policies::ExportControl
// (policies/export_control.h) can make one, so code that skips the policy engine does not compile.
// What a permit allows is still bounded by the keys that the member holds.
#pragma once

#include <optional>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "vault/ids.h"

namespace sealbook::policies {
class ExportControl;
class PermitIssuer;
}  // namespace sealbook::policies

namespace sealbook {

// Allows one member to open some classes of one contact, or of every contact within reach, for a
// short time. `clear` are the classes that are opened as they are; `masked` says that the masked
// rendering of what is not clear may be opened.
class ReadPermit {
 public:
  static constexpr absl::Duration kLifetime = absl::Minutes(10);

  MemberId member() const { return member_; }
  bool AllowsClear(ClassId class_id) const;
  bool AllowsMasked() const { return masked_; }
  // False once the permit has run out, or where it is for another contact.
  bool Covers(ContactNumber contact, absl::Time now) const;
  // True where the permit is for every contact within the member's reach and has not run out.
  bool CoversAll(absl::Time now) const;

 private:
  friend class policies::PermitIssuer;
  ReadPermit(MemberId member, std::optional<ContactNumber> subject, std::vector<ClassId> clear,
             bool masked, absl::Time issued)
      : member_(member),
        subject_(subject),
        clear_(std::move(clear)),
        masked_(masked),
        issued_(issued) {}

  MemberId member_;
  std::optional<ContactNumber> subject_;
  std::vector<ClassId> clear_;
  bool masked_;
  absl::Time issued_;
};

// Allows one member to read the clear values of many contacts once, for a file that leaves the
// vault: of one book or of all, and so many at most. Only policies::ExportControl makes one, after
// a one-time code and the approvals that the policy asks for; whoever reads by it consumes it.
class ExportPermit {
 public:
  // To begin in; the reading itself may take longer.
  static constexpr absl::Duration kLifetime = absl::Minutes(10);

  // What was moved from is no permit any more.
  ExportPermit(ExportPermit&& other) noexcept
      : member_(other.member_),
        book_(other.book_),
        classes_(std::move(other.classes_)),
        max_contacts_(std::exchange(other.max_contacts_, 0)),
        issued_(std::exchange(other.issued_, absl::InfiniteFuture())) {}
  ExportPermit& operator=(ExportPermit&&) = delete;

  MemberId member() const { return member_; }
  BookId book() const { return book_; }  // the root book: every contact
  const std::vector<ClassId>& classes() const { return classes_; }
  std::int64_t max_contacts() const { return max_contacts_; }
  // False once the permit has run out, or where the clock was set back.
  bool IsValid(absl::Time now) const { return now >= issued_ && now - issued_ <= kLifetime; }

 private:
  friend class policies::ExportControl;
  ExportPermit(MemberId member, BookId book, std::vector<ClassId> classes,
               std::int64_t max_contacts, absl::Time issued)
      : member_(member),
        book_(book),
        classes_(std::move(classes)),
        max_contacts_(max_contacts),
        issued_(issued) {}

  MemberId member_;
  BookId book_;
  std::vector<ClassId> classes_;
  std::int64_t max_contacts_;
  absl::Time issued_;
};

// Allows one member to take chats away for good once they stand in verified archives, or, with a
// subject, to erase that one contact. What is purged is bounded by the archive's list of keys
// (vault/archive/purge.h).
class PurgePermit {
 public:
  static constexpr absl::Duration kLifetime = absl::Hours(24);

  MemberId member() const { return member_; }
  // Of expired chats that stand in archives.
  bool CoversArchived(absl::Time now) const { return !subject_ && IsValid(now); }
  bool CoversErasure(ContactNumber contact, absl::Time now) const {
    return subject_ == contact && IsValid(now);
  }

 private:
  friend class policies::PermitIssuer;
  PurgePermit(MemberId member, std::optional<ContactNumber> subject, absl::Time issued)
      : member_(member), subject_(subject), issued_(issued) {}
  bool IsValid(absl::Time now) const { return now >= issued_ && now - issued_ <= kLifetime; }

  MemberId member_;
  std::optional<ContactNumber> subject_;
  absl::Time issued_;
};

}  // namespace sealbook
