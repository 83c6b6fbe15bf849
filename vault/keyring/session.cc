#include "vault/keyring/session.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "vault/status.h"

namespace sealbook::keyring {
namespace {
constexpr absl::string_view kSessionLabel = "sealbook/session-record/1";
// Stands where other coverage has its kind.
constexpr std::uint8_t kSubjects = 4;

// The last item of the coverage.
absl::Status ReadSubjects(crypto::ByteReader& in, std::vector<CoveredSubject>& subjects) {
  const std::uint32_t book = in.U32();
  subjects.resize(in.Count(8 + 32));
  ContactNumber before = 0;
  for (CoveredSubject& subject : subjects) {
    subject.contact = static_cast<std::int64_t>(in.U64());
    subject.row = in.Array<32>();
    if (subject.contact <= before) return absl::DataLossError("a session's subjects are no order");
    before = subject.contact;
  }
  if (book != static_cast<std::uint32_t>(kRootBook) || subjects.empty())
    return absl::DataLossError("a session's subjects are none");
  return absl::OkStatus();
}

}  // namespace

bool Coverage::Contains(ContactNumber contact) const {
  const auto after = std::partition_point(
      ranges.begin(), ranges.end(), [&](const CoverageRange& r) { return r.first <= contact; });
  if (after == ranges.begin()) return false;
  const CoverageRange& range = *(after - 1);
  return static_cast<std::uint64_t>(contact - range.first) < range.count;
}

bool Session::Covers(CoverageKind kind, BookId book, ContactNumber contact) const {
  return std::any_of(coverage.begin(), coverage.end(), [&](const Coverage& c) {
    return c.kind == kind && c.book == book && c.Contains(contact);
  });
}

bool Session::TakesAway() const {
  return std::any_of(coverage.begin(), coverage.end(),
                     [](const Coverage& c) { return c.kind == CoverageKind::kTakenAway; });
}

crypto::Bytes Session::Sign(const crypto::SigningPair& pair) const {
  crypto::ByteWriter out;
  out.Text(kSessionLabel).U64(static_cast<std::uint64_t>(number)).Raw(previous).Raw(vault);
  out.U32(static_cast<std::uint32_t>(member)).U64(roster_version);
  out.U64(static_cast<std::uint64_t>(time_ms)).U64(static_cast<std::uint64_t>(last_taking));
  out.Raw(ephemeral.bytes);
  out.U32(static_cast<std::uint32_t>(coverage.size() + (subjects.empty() ? 0 : 1)));
  for (const Coverage& c : coverage) {
    out.U8(static_cast<std::uint8_t>(c.kind)).U32(static_cast<std::uint32_t>(c.book));
    out.U32(static_cast<std::uint32_t>(c.ranges.size()));
    for (const CoverageRange& range : c.ranges) {
      out.U64(static_cast<std::uint64_t>(range.first)).U64(range.count);
    }
  }
  if (!subjects.empty()) {
    out.U8(kSubjects).U32(static_cast<std::uint32_t>(kRootBook));
    out.U32(static_cast<std::uint32_t>(subjects.size()));
    for (const CoveredSubject& subject : subjects)
      out.U64(static_cast<std::uint64_t>(subject.contact)).Raw(subject.row);
  }
  crypto::Bytes record = out.Take();
  const crypto::Signature signature = pair.Sign(kSessionLabel, record);
  record.insert(record.end(), signature.begin(), signature.end());
  return record;
}

crypto::Hash256 HashOfSession(ByteView record) {
  return crypto::HashOf("sealbook/session-hash/1", {record});
}

absl::StatusOr<SignedSession> SignedSession::Parse(ByteView record) {
  SignedSession out;
  if (record.size() < out.signature.size()) return absl::DataLossError("a session is cut short");
  const ByteView body = record.first(record.size() - out.signature.size());
  std::copy(record.end() - static_cast<std::ptrdiff_t>(out.signature.size()), record.end(),
            out.signature.begin());
  out.body.assign(body.begin(), body.end());
  crypto::ByteReader in(body);
  if (in.Text() != kSessionLabel) return absl::DataLossError("not a session of this format");
  Session& session = out.session;
  session.number = static_cast<std::int64_t>(in.U64());
  session.previous = in.Array<32>();
  session.vault = in.Array<16>();
  session.member = MemberId{in.U32()};
  session.roster_version = in.U64();
  session.time_ms = static_cast<std::int64_t>(in.U64());
  session.last_taking = static_cast<std::int64_t>(in.U64());
  session.ephemeral.bytes = in.Array<32>();
  const std::uint32_t items = in.Count(9);
  session.coverage.reserve(items);
  for (std::uint32_t i = 0; i < items; ++i) {
    const std::uint8_t kind = in.U8();
    if (kind == kSubjects) {
      if (i + 1 < items) return absl::DataLossError("a session's coverage is out of order");
      RETURN_IF_ERROR(ReadSubjects(in, session.subjects));
      break;
    }
    Coverage& c = session.coverage.emplace_back();
    c.kind = CoverageKind{kind};
    c.book = BookId{in.U32()};
    c.ranges.resize(in.Count(16));
    for (CoverageRange& range : c.ranges) {
      range.first = static_cast<std::int64_t>(in.U64());
      range.count = in.U64();
    }
    // Contains() searches by halving: ranges out of order, or that overlap, would answer wrongly,
    // so they count for nothing.
    const CoverageRange* before = nullptr;
    for (const CoverageRange& range : c.ranges) {
      if (range.first < 1 || range.count < 1 ||
          range.count >
              static_cast<std::uint64_t>(std::numeric_limits<ContactNumber>::max() - range.first) ||
          (before != nullptr &&
           (range.first <= before->first ||
            static_cast<std::uint64_t>(range.first - before->first) <= before->count))) {
        return absl::DataLossError("a session's coverage is out of order");
      }
      before = &range;
    }
  }
  RETURN_IF_ERROR(in.Finish("a session"));
  return out;
}

absl::StatusOr<Session> CheckSession(std::int64_t number, ByteView record,
                                     const RosterHistory& history) {
  const auto fails = [&](absl::string_view why) {
    return absl::DataLossError(absl::StrCat("session ", number, " does not count: ", why));
  };
  absl::StatusOr<SignedSession> parsed = SignedSession::Parse(record);
  if (!parsed.ok()) return fails("it cannot be read");
  Session& session = parsed->session;
  const Roster* roster = history.ForSession(number);
  if (session.number != number || roster == nullptr || session.vault != roster->vault) {
    return fails("it stood elsewhere");
  }
  if (session.roster_version != roster->version) return fails("it names the wrong roster version");
  const Member* signer = roster->FindMember(session.member);
  if (signer == nullptr || !signer->active) return fails("its signer was no active member");
  if (!crypto::Verify(signer->verify, kSessionLabel, parsed->body, parsed->signature)) {
    return fails("its signature is wrong");
  }
  if (session.last_taking < 0 || session.last_taking >= number) {
    return fails("it names a later session as an earlier one");
  }
  return std::move(session);
}

namespace {

// Whether `member` may do today, with the same key, all that it might at `then`.
bool KeptItsRights(const Roster& then, const Roster& now, MemberId id) {
  const Member *old = then.FindMember(id), *member = now.FindMember(id);
  if (old == nullptr || member == nullptr || !member->active || member->verify != old->verify)
    return false;
  const RoleDefinition *old_role = then.RoleOf(*old), *role = now.RoleOf(*member);
  if (old_role == nullptr || role == nullptr) return false;
  const std::vector<BookId> old_books = then.BooksOf(id);
  return (role->powers & old_role->powers) == old_role->powers &&
         (role->root_scope || !old_role->root_scope) &&
         std::all_of(old_role->writes.begin(), old_role->writes.end(),
                     [&](ClassId c) { return role->Writes(c); }) &&
         std::all_of(old_role->holds.begin(), old_role->holds.end(),
                     [&](ClassId c) { return role->Holds(c); }) &&
         std::all_of(old_books.begin(), old_books.end(),
                     [&](BookId book) { return role->root_scope || now.IsMember(book, id); });
}

}  // namespace

// From the head that `after` names back to `number`, each record checked against the one after it.
absl::StatusOr<crypto::Hash256> SessionDirectory::HashInChain(const Roster& after,
                                                              std::int64_t number) {
  std::vector<crypto::Hash256>& chain = chains_[after.version];
  if (chain.empty()) chain.push_back(after.session_head_hash);
  for (;;) {
    const std::int64_t lowest = after.session_head - static_cast<std::int64_t>(chain.size()) + 1;
    if (lowest <= number) return chain[static_cast<std::size_t>(after.session_head - number)];
    ASSIGN_OR_RETURN(const auto record, store_.GetSession(lowest));
    if (!record || HashOfSession(*record) != chain.back()) {
      return absl::DataLossError(
          absl::StrCat("session ", lowest, " is missing, or not the one that was there"));
    }
    ASSIGN_OR_RETURN(const SignedSession session, SignedSession::Parse(*record));
    chain.push_back(session.session.previous);
  }
}

absl::StatusOr<Session> SessionDirectory::Load(std::int64_t number) {
  ASSIGN_OR_RETURN(const auto record, store_.GetSession(number));
  if (!record) return absl::DataLossError(absl::StrCat("session ", number, " is missing"));
  ASSIGN_OR_RETURN(Session session, CheckSession(number, *record, history_));
  const Roster& then = *history_.Version(session.roster_version);
  if (!KeptItsRights(then, history_.current(), session.member)) {
    const Roster* after = history_.Version(then.version + 1);
    absl::StatusOr<crypto::Hash256> named =
        after == nullptr ? HashOfSession(*record) : HashInChain(*after, number);
    if (!named.ok() || *named != HashOfSession(*record)) {
      return absl::DataLossError(absl::StrCat(
          "session ", number,
          " does not count: its signer was removed, and it is not the one that was there"));
    }
  }
  return session;
}

void SessionDirectory::Keep(std::int64_t number, std::vector<CoveredSubject> subjects) {
  if (subjects_kept_ + subjects.size() > max_subjects_) {
    subjects_.clear();
    subjects_kept_ = 0;
  }
  subjects_kept_ += subjects.size();
  subjects_[number] = std::move(subjects);
}

absl::StatusOr<const Session*> SessionDirectory::Get(std::int64_t number) {
  const auto at = sessions_.find(number);
  if (at != sessions_.end()) return at->second.get();
  ASSIGN_OR_RETURN(Session session, Load(number));
  if (!session.subjects.empty()) Keep(number, std::exchange(session.subjects, {}));
  return (sessions_[number] = std::make_unique<Session>(std::move(session))).get();
}

absl::StatusOr<std::optional<crypto::Hash256>> SessionDirectory::SubjectRow(std::int64_t number,
                                                                            ContactNumber contact) {
  RETURN_IF_ERROR(Get(number).status());
  auto at = subjects_.find(number);
  if (at == subjects_.end()) {
    // Forgotten, or it has none: what is there now must count as much as what was.
    ASSIGN_OR_RETURN(Session session, Load(number));
    Keep(number, std::move(session.subjects));
    at = subjects_.find(number);
  }
  const auto subject = std::ranges::lower_bound(at->second, contact, {}, &CoveredSubject::contact);
  if (subject == at->second.end() || subject->contact != contact) return std::nullopt;
  return subject->row;
}

// What a session says of earlier ones is believed where its signer may assign, since nobody else
// takes anything away: whoever may not is passed over, one session at a time. Each of those must
// count, and be the one that the session after it names; and what is named as a taking must be one:
// else somebody could put a session of their own in the place of the one that took from them.
absl::Status SessionDirectory::LoadTakings() {
  ASSIGN_OR_RETURN(const std::int64_t head, store_.LastSession());
  if (head < history_.current().session_head) {
    return absl::DataLossError(
        absl::StrCat("session ", history_.current().session_head, " is missing"));
  }
  std::vector<const Session*> found;
  std::optional<crypto::Hash256> chained;  // the hash that the session after `next` names
  bool named = false;                      // as the newest taking
  for (std::int64_t next = head; next > takings_read_to_;) {
    ASSIGN_OR_RETURN(const auto record, store_.GetSession(next));
    if (!record) return absl::DataLossError(absl::StrCat("session ", next, " is missing"));
    if (next == trusted_.number) {
      if (HashOfSession(*record) != trusted_.hash || (chained && *chained != trusted_.hash))
        return absl::DataLossError(
            absl::StrCat("session ", next, " is not the one that was there"));
      chained.reset();
      named = true;
      if (trusted_.taking != next) {
        next = trusted_.taking;
        continue;
      }
    }
    ASSIGN_OR_RETURN(const Session* session, Get(next));
    const Roster* roster = history_.Version(session->roster_version);
    const RoleDefinition* role = roster->RoleOf(*roster->FindMember(session->member));
    const bool may = role != nullptr && role->Has(Power::kAssign);
    if ((chained && HashOfSession(*record) != *chained) ||
        (named && !(may && session->TakesAway()))) {
      return absl::DataLossError(absl::StrCat("session ", next, " is not the one that was there"));
    }
    if (may) {
      if (session->TakesAway()) found.push_back(session);
      chained.reset();
      next = session->last_taking;
    } else {
      chained = session->previous;
      --next;
    }
    named = may;
  }
  takings_.insert(takings_.end(), found.rbegin(), found.rend());
  takings_read_to_ = head;
  return absl::OkStatus();
}

absl::StatusOr<std::int64_t> SessionDirectory::LastTaking() {
  RETURN_IF_ERROR(LoadTakings());
  return takings_.empty() ? 0 : takings_.back()->number;
}

absl::Status SessionDirectory::CheckAssignment(BookId book, ContactNumber contact,
                                               std::int64_t number) {
  ASSIGN_OR_RETURN(const Session* session, Get(number));
  const Roster* roster = history_.Version(session->roster_version);
  const RoleDefinition* role = roster->RoleOf(*roster->FindMember(session->member));
  if (role == nullptr || !role->Has(Power::kAssign)) {
    return absl::DataLossError(absl::StrCat("an assignment to book number ",
                                            static_cast<std::uint32_t>(book),
                                            " by a member who may not assign"));
  }
  if (!session->Covers(CoverageKind::kAssigned, book, contact)) {
    return absl::DataLossError(absl::StrCat("an assignment to book number ",
                                            static_cast<std::uint32_t>(book), " that session ",
                                            number, " does not list"));
  }
  RETURN_IF_ERROR(LoadTakings());
  for (auto at = takings_.rbegin(); at != takings_.rend() && (*at)->number > number; ++at) {
    if ((*at)->Covers(CoverageKind::kTakenAway, book, contact)) {
      return absl::DataLossError(absl::StrCat("an assignment to book number ",
                                              static_cast<std::uint32_t>(book), " that session ",
                                              (*at)->number, " took away"));
    }
  }
  return absl::OkStatus();
}

}  // namespace sealbook::keyring
