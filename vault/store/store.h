// Everything that the vault keeps, as rows. The one place with SQL; it knows no keys and no
// meanings: what a row's bytes say, and whether the row counts, is for keyring/, records/ and
// audit/ to tell (docs/format.md). A store for another database would stand beside this one.
//
// Rows are written inside a Transaction of kind kWrite; each method says what it expects. One Store
// belongs to one thread at a time.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "vault/crypto/hash.h"
#include "vault/ids.h"
#include "vault/store/database.h"

namespace sealbook::store {

struct GrantRow {
  MemberId member{};  // 0: sealed to the root compartment of the same class
  BookId book{};
  ClassId class_id{};
  std::uint32_t epoch = 0;
  crypto::Bytes sealed;
};

struct EpochLinkRow {
  BookId book{};
  ClassId class_id{};
  std::uint32_t epoch = 0;
  crypto::Bytes sealed;
};

struct ContactRow {
  ContactNumber number = 0;
  std::int64_t token = 0;
  crypto::Bytes identifiers;  // the index hashes of this contact, 16 bytes each
  crypto::Bytes values;       // docs/format.md, "Contact row"
};

struct BookContactRow {
  BookId book{};
  ContactNumber contact = 0;
  std::int64_t session = 0;  // whose coverage lists the assignment
  crypto::Bytes wraps;       // docs/format.md, "Book row"
};

struct IndexRow {
  crypto::Hash128 hash{};
  crypto::Hash128 tag{};
  ContactNumber contact = 0;
};

struct ChatRow {
  std::int32_t day = 0;
  ContactNumber contact = 0;
  std::int64_t sequence = 0;  // of the contact's chunks of that day, from 1
  std::int64_t session = 0;
  std::uint32_t messages = 0;
  crypto::Bytes chunk;
};

// The chat key of a contact and session, sealed for a book by session `wrapped`.
struct ChatWrapRow {
  BookId book{};
  ContactNumber contact = 0;
  std::int64_t session = 0;
  std::int64_t wrapped = 0;
  crypto::Bytes sealed;
};

struct SubjectRow {
  ContactNumber contact = 0;
  std::int64_t session = 0;
  std::array<std::uint8_t, 32> public_key{};
  crypto::Bytes secret;
};

// An archive of expired chats (docs/format.md, "Retention").
struct ArchiveRow {
  std::int64_t run = 0;
  int state = 0;
  std::string label;
  std::int32_t first_day = 0, last_day = 0;
  std::int64_t purged = 0;  // messages that were
  crypto::Bytes signature;  // what stands beside it; empty until it is spooled
};

// A chunk that archive `run` has and that is still here. Not purged before day `due`.
struct ArchiveKeyRow {
  // In the place of a day: the chunk is gone, and its chat key's count does not know yet.
  static constexpr std::int32_t kGone = -1;

  ContactNumber contact = 0;
  std::int32_t day = 0;
  std::int64_t sequence = 0;
  std::int64_t run = 0;
  std::int64_t session = 0;
  std::int32_t due = 0;
};

// A chunk without its bytes.
struct ChatPlace {
  std::int32_t day = 0;
  ContactNumber contact = 0;
  std::int64_t sequence = 0;
  std::int64_t session = 0;
  std::uint32_t messages = 0;
  std::int64_t bytes = 0;
};

class Store {
 public:
  static constexpr int kSchemaVersion = 5;

  // Creates the file and the schema. Open refuses a schema that is newer than kSchemaVersion
  // (FailedPrecondition) and applies the migrations that an older one lacks.
  static absl::StatusOr<std::unique_ptr<Store>> Create(const std::string& path,
                                                       const crypto::DatabaseKey& key);
  static absl::StatusOr<std::unique_ptr<Store>> Open(const std::string& path,
                                                     const crypto::DatabaseKey& key);

  // Opens the file again under another key; no transaction may be open. As it was where that fails:
  // DataLoss: it is not under this key either.
  absl::Status Reopen(const crypto::DatabaseKey& key);

  Database& database() { return *database_; }
  absl::StatusOr<Transaction> BeginRead() {
    return Transaction::Begin(*database_, Transaction::Kind::kRead);
  }
  absl::StatusOr<Transaction> BeginWrite() {
    return Transaction::Begin(*database_, Transaction::Kind::kWrite);
  }
  // SQLite's own check of pages and B-trees, and SQLCipher's of every page's HMAC. DataLoss:
  // damage.
  absl::Status CheckPages();
  // Differs between two transactions of this connection where another one has written in between.
  absl::StatusOr<std::int64_t> DataVersion();

  // Roster versions, from 1; `document` is the signed bytes.
  absl::Status InsertRoster(std::uint64_t version, ByteView document);
  absl::StatusOr<std::uint64_t> LastRosterVersion();
  absl::Status EachRoster(std::uint64_t from,
                          const std::function<absl::Status(std::uint64_t, ByteView)>& visit);

  absl::Status PutPolicy(const crypto::Hash256& hash, absl::string_view text);
  absl::StatusOr<std::string> GetPolicy(const crypto::Hash256& hash);  // NotFound

  absl::Status PutGrant(const GrantRow& row);
  absl::StatusOr<std::optional<crypto::Bytes>> GetGrant(MemberId member, BookId book,
                                                        ClassId class_id, std::uint32_t epoch);
  absl::Status EachGrant(const std::function<absl::Status(const GrantRow&)>& visit);
  // Of one compartment, those of epochs before `epoch`, whomever they are sealed to.
  absl::Status DeleteGrantsBefore(BookId book, ClassId class_id, std::uint32_t epoch);

  // One a member: a request for other keys (docs/format.md, "Rekey request").
  absl::Status PutRekeyRequest(MemberId member, ByteView document);
  absl::StatusOr<std::optional<crypto::Bytes>> GetRekeyRequest(MemberId member);
  absl::Status DeleteRekeyRequest(MemberId member);

  // Second factors, one document a member and kind (vault/keyring/second_factor.h).
  absl::Status PutSecondFactor(MemberId member, int kind, ByteView document);
  absl::StatusOr<std::optional<crypto::Bytes>> GetSecondFactor(MemberId member, int kind);
  absl::Status DeleteSecondFactor(MemberId member, int kind);
  absl::Status EachSecondFactor(
      const std::function<absl::Status(MemberId, int kind, ByteView)>& visit);

  // Exports: what was asked for, who approved it, what was done (docs/format.md, "Exports").
  absl::Status InsertExportRequest(const crypto::Hash128& id, ByteView document);
  absl::StatusOr<std::optional<crypto::Bytes>> GetExportRequest(const crypto::Hash128& id);
  absl::Status EachExportRequest(
      const std::function<absl::Status(const crypto::Hash128&, ByteView)>& visit);
  absl::Status PutExportApproval(const crypto::Hash128& request, MemberId member,
                                 ByteView document);
  absl::Status EachExportApproval(const crypto::Hash128& request,
                                  const std::function<absl::Status(MemberId, ByteView)>& visit);
  // Of all requests, whether they are there or not.
  absl::Status EachExportApproval(
      const std::function<absl::Status(const crypto::Hash128& request, MemberId)>& visit);
  absl::Status InsertExport(std::int64_t number, ByteView document);
  // Number and document of the newest; number 0 where there is none.
  absl::StatusOr<std::pair<std::int64_t, crypto::Bytes>> LastExport();
  // From the newest back, until `visit` gives false.
  absl::Status EachExportBack(
      const std::function<absl::StatusOr<bool>(std::int64_t, ByteView)>& visit);

  absl::Status InsertReceipt(const crypto::Hash128& id, absl::string_view text);
  absl::StatusOr<std::optional<std::string>> GetReceipt(const crypto::Hash128& id);

  // The secret of `epoch`, sealed under that of the epoch after it.
  absl::Status PutEpochLink(const EpochLinkRow& row);
  absl::StatusOr<std::optional<crypto::Bytes>> GetEpochLink(BookId book, ClassId class_id,
                                                            std::uint32_t epoch);
  absl::Status DeleteEpochLink(BookId book, ClassId class_id, std::uint32_t epoch);
  absl::Status DeleteEpochLinks(BookId book, ClassId class_id);
  absl::Status EachEpochLink(const std::function<absl::Status(const EpochLinkRow&)>& visit);

  absl::Status InsertSession(std::int64_t number, ByteView record);
  absl::StatusOr<std::optional<crypto::Bytes>> GetSession(std::int64_t number);
  absl::StatusOr<std::int64_t> LastSession();  // 0: none yet
  absl::Status EachSession(std::int64_t from,
                           const std::function<absl::Status(std::int64_t, ByteView)>& visit);

  // Takes `count` contact numbers that nobody else gets, in a transaction of its own; gives the
  // first.
  absl::StatusOr<ContactNumber> ReserveContacts(std::int64_t count);
  absl::StatusOr<ContactNumber> NextContact();

  absl::Status InsertContact(const ContactRow& row);
  absl::Status UpdateContact(const ContactRow& row);                       // identifiers and values
  absl::StatusOr<bool> GetContact(ContactNumber number, ContactRow& row);  // false: not there
  absl::Status EachContact(ContactNumber from,
                           const std::function<absl::StatusOr<bool>(const ContactRow&)>& visit);
  absl::StatusOr<std::int64_t> CountContacts();

  absl::Status InsertToken(std::int64_t token, ContactNumber contact);  // AlreadyExists
  absl::StatusOr<std::optional<ContactNumber>> FindToken(std::int64_t token);
  absl::StatusOr<std::int64_t> CountTokens();

  absl::Status InsertIndex(const IndexRow& row);  // AlreadyExists
  // As InsertIndex, for large batches: quick while few such rows wait, which MergeRecentIndex then
  // puts among the others. `known_new`: the caller has looked for it, and nobody else wrote since
  // (DataVersion).
  absl::Status InsertRecentIndex(const IndexRow& row, bool known_new);
  absl::StatusOr<std::int64_t> CountRecentIndex();
  // The rows of one of kIndexSlices ranges of hashes, inside a write transaction: all at once would
  // hold the lock for too long.
  static constexpr int kIndexSlices = 16;
  absl::Status MergeRecentIndex(int slice);
  absl::StatusOr<bool> FindIndex(const crypto::Hash128& hash, IndexRow& row);
  absl::Status DeleteIndex(const crypto::Hash128& hash);
  absl::Status EachIndex(const std::function<absl::Status(const IndexRow&)>& visit);

  absl::Status PutBookContact(const BookContactRow& row);
  absl::StatusOr<bool> GetBookContact(BookId book, ContactNumber contact, BookContactRow& row);
  absl::Status DeleteBookContact(BookId book, ContactNumber contact);
  // In the order of contact numbers, after `after`, until `visit` gives false.
  absl::Status EachBookContact(
      BookId book, ContactNumber after,
      const std::function<absl::StatusOr<bool>(const BookContactRow&)>& visit);
  // With the rows of the contacts, joined: for searches through a whole book.
  absl::Status EachAssigned(
      BookId book, ContactNumber after,
      const std::function<absl::StatusOr<bool>(const BookContactRow&, const ContactRow&)>& visit);
  absl::StatusOr<std::int64_t> CountBookContacts(BookId book);
  absl::Status EachBookNumber(const std::function<absl::Status(BookId)>& visit);

  // Chats (docs/format.md, "Chats").
  absl::Status InsertChat(const ChatRow& row);
  // The newest sequence of a contact's day, that of a chunk which is gone and still listed in
  // archive_key too: no number is used again while that is so. 0: it has none.
  absl::StatusOr<std::int64_t> LastChat(std::int32_t day, ContactNumber contact);
  absl::StatusOr<bool> HasChats(std::int32_t day, ContactNumber contact);
  absl::Status EachChat(std::int32_t day, ContactNumber contact,
                        const std::function<absl::Status(const ChatRow&)>& visit);
  // All chats after a place, in the order of the rows, until `visit` gives false.
  absl::Status EachChatAfter(std::int32_t day, ContactNumber contact, std::int64_t sequence,
                             const std::function<absl::StatusOr<bool>(const ChatRow&)>& visit);
  absl::Status DeleteChats(std::int32_t day, ContactNumber contact);
  // How many messages it had; nullopt: it was not there.
  absl::StatusOr<std::optional<std::uint32_t>> DeleteChat(std::int32_t day, ContactNumber contact,
                                                          std::int64_t sequence);
  absl::StatusOr<bool> GetChat(std::int32_t day, ContactNumber contact, std::int64_t sequence,
                               ChatRow& row);
  // The oldest; nullopt: there are no chats.
  absl::StatusOr<std::optional<std::int32_t>> OldestChatDay();
  // Those after a place and before a day, until `visit` gives false.
  absl::Status EachChatPlace(std::int32_t day, ContactNumber contact, std::int64_t sequence,
                             std::int32_t before_day,
                             const std::function<absl::StatusOr<bool>(const ChatPlace&)>& visit);
  // Of every chat: rows, messages.
  absl::StatusOr<std::pair<std::int64_t, std::int64_t>> CountChats();

  // The chat key of a contact and session, sealed to the contact's subject key.
  absl::Status InsertChatKey(ContactNumber contact, std::int64_t session, ByteView sealed);
  absl::Status EachChatKey(
      ContactNumber contact,
      const std::function<absl::Status(std::int64_t session, ByteView sealed)>& visit);
  absl::Status DeleteChatKey(ContactNumber contact, std::int64_t session);
  absl::StatusOr<bool> GetChatKey(ContactNumber contact, std::int64_t session,
                                  crypto::Bytes& sealed);
  // How many chunks stand under each of a contact's chat keys, as they count themselves.
  absl::Status EachChunkCount(
      ContactNumber contact,
      const std::function<absl::Status(std::int64_t session, std::int64_t chunks)>& visit);
  // So many chunks more (or fewer) stand under it; gives how many do.
  absl::StatusOr<std::int64_t> AddChunks(ContactNumber contact, std::int64_t session,
                                         std::int64_t more);

  absl::Status PutChatWrap(const ChatWrapRow& row);
  absl::StatusOr<bool> GetChatWrap(BookId book, ContactNumber contact, std::int64_t session,
                                   ChatWrapRow& row);
  absl::Status EachChatWrap(BookId book, ContactNumber contact,
                            const std::function<absl::Status(const ChatWrapRow&)>& visit);
  // Of every book.
  absl::Status DeleteChatWraps(ContactNumber contact, std::int64_t session,
                               const std::vector<BookId>& books);
  absl::Status DeleteChatWraps(BookId book, ContactNumber contact);

  // Tags of a contact and day, with the check behind them; false: there are none.
  absl::StatusOr<bool> GetChatTags(ContactNumber contact, std::int32_t day, crypto::Bytes& tags);
  absl::Status PutChatTags(ContactNumber contact, std::int32_t day, ByteView tags);
  absl::Status DeleteChatTags(ContactNumber contact, std::int32_t day);
  // Days of a contact on which it has tags, newest first, until `visit` gives false.
  absl::Status EachChatDayBack(ContactNumber contact,
                               const std::function<absl::StatusOr<bool>(std::int32_t)>& visit);
  // Epoch of (root, index) and the sealed key; nullopt: there is none yet.
  absl::StatusOr<std::optional<std::pair<std::uint32_t, crypto::Bytes>>> GetChatTagKey();
  absl::Status PutChatTagKey(std::uint32_t epoch, ByteView sealed);

  absl::Status InsertSubject(const SubjectRow& row);
  absl::StatusOr<bool> GetSubject(ContactNumber contact, SubjectRow& row);

  // Retention (docs/format.md, "Retention").
  absl::Status PutArchive(const ArchiveRow& row);
  absl::StatusOr<bool> GetArchive(std::int64_t run, ArchiveRow& row);
  // Its state becomes `state` where that is a later one, and so many more messages were purged; how
  // many in all. NotFound.
  absl::StatusOr<std::int64_t> AdvanceArchive(std::int64_t run, int state, std::int64_t purged);
  absl::Status DeleteArchive(std::int64_t run);
  absl::Status EachArchive(const std::function<absl::StatusOr<bool>(const ArchiveRow&)>& visit);
  absl::StatusOr<std::int64_t> LastArchiveRun();                      // 0: none yet
  absl::Status RenumberArchive(std::int64_t run, std::int64_t next);  // with its keys

  absl::Status PutArchiveKey(const ArchiveKeyRow& row);
  absl::StatusOr<bool> GetArchiveKey(ContactNumber contact, std::int32_t day, std::int64_t sequence,
                                     ArchiveKeyRow& row);
  // Its `due` becomes kGone.
  absl::Status MarkArchiveKeyGone(ContactNumber contact, std::int32_t day, std::int64_t sequence);
  absl::Status DeleteArchiveKey(ContactNumber contact, std::int32_t day, std::int64_t sequence);
  // After a place, by contact, until `visit` gives false.
  absl::Status EachArchiveKey(
      const ArchiveKeyRow& after,
      const std::function<absl::StatusOr<bool>(const ArchiveKeyRow&)>& visit);
  // Of one contact.
  absl::Status EachArchiveKeyOf(ContactNumber contact,
                                const std::function<absl::Status(const ArchiveKeyRow&)>& visit);
  // Whether an archive has something of the contact that is here.
  absl::StatusOr<bool> HasArchiveKeys(ContactNumber contact);

  // Which contacts an archive has, in blocks that begin with contact `first`.
  absl::Status PutArchiveSubjects(std::int64_t run, ContactNumber first, ByteView contacts);
  // The block that would have a contact; nullopt: none.
  absl::StatusOr<std::optional<crypto::Bytes>> FindArchiveSubjects(std::int64_t run,
                                                                   ContactNumber contact);
  absl::Status EachArchiveSubjects(std::int64_t run,
                                   const std::function<absl::Status(ByteView contacts)>& visit);
  absl::Status DeleteArchiveSubjects(std::int64_t run);

  // Version and the set of contacts of a subject shard; version 0: there is none yet.
  absl::StatusOr<std::pair<std::int64_t, crypto::Bytes>> GetSubjectShard(std::int64_t shard);
  absl::Status PutSubjectShard(std::int64_t shard, std::int64_t version, ByteView contacts);
  absl::Status EachSubjectShard(
      const std::function<absl::Status(std::int64_t shard, std::int64_t version)>& visit);

  // What stands at a destination; state 0: not there as far as is known.
  absl::StatusOr<int> GetRemoteFile(absl::string_view destination, absl::string_view path);
  absl::Status PutRemoteFile(absl::string_view destination, absl::string_view path, int state);
  absl::Status DeleteRemoteFile(absl::string_view destination, absl::string_view path);
  // All of a destination's files.
  absl::Status SetRemoteFiles(absl::string_view destination, int state);
  // Those whose path begins so, of one destination; with an empty one, of all.
  absl::Status EachRemoteFile(
      absl::string_view destination, absl::string_view prefix,
      const std::function<absl::Status(absl::string_view destination, absl::string_view path,
                                       int state)>& visit);

  // Holds and labels (vault/records/subject_marks.h).
  absl::Status PutSubjectMark(ContactNumber contact, int kind, absl::string_view label,
                              ByteView document);
  absl::StatusOr<std::optional<crypto::Bytes>> GetSubjectMark(ContactNumber contact, int kind);
  absl::Status DeleteSubjectMark(ContactNumber contact, int kind);
  absl::Status EachSubjectMark(
      const std::function<absl::Status(ContactNumber, int kind, absl::string_view label,
                                       ByteView document)>& visit);
  // The label of a contact's mark; nullopt: it has none of this kind.
  absl::StatusOr<std::optional<std::string>> LabelOf(ContactNumber contact, int kind);
  absl::StatusOr<bool> HasSubjectMarks();

  // Erased contacts.
  absl::Status InsertTombstone(ContactNumber contact, std::int64_t token,
                               std::int64_t shard_version, ByteView document);
  absl::Status EachTombstone(const std::function<absl::Status(
                                 ContactNumber, std::int64_t token, std::int64_t shard_version,
                                 ByteView document, bool confirmed)>& visit);
  // It has reached every destination.
  absl::Status ConfirmTombstone(ContactNumber contact);
  absl::StatusOr<bool> HasTombstone(std::int64_t token);

  absl::Status PutSuppression(const crypto::Hash128& hash);
  absl::StatusOr<bool> HasSuppression(const crypto::Hash128& hash);
  absl::StatusOr<std::int64_t> CountSuppressions();

  // All that there is of a contact and its chats, but for its index rows, whose hashes stand in its
  // row.
  absl::Status DeleteContact(const ContactRow& row, const std::vector<BookId>& books);

  absl::Status InsertAudit(std::int64_t sequence, ByteView record);
  // Sequence and record of the newest row; sequence 0 where there is none.
  absl::StatusOr<std::pair<std::int64_t, crypto::Bytes>> LastAudit();
  absl::StatusOr<std::optional<crypto::Bytes>> GetAudit(std::int64_t sequence);
  absl::Status EachAudit(std::int64_t from,
                         const std::function<absl::Status(std::int64_t, ByteView)>& visit);
  // From the newest row back, until `visit` gives false.
  absl::Status EachAuditBack(
      const std::function<absl::StatusOr<bool>(std::int64_t, ByteView)>& visit);

 private:
  Store(std::string path, std::unique_ptr<Database> database)
      : path_(std::move(path)), database_(std::move(database)) {}
  // Prepared once, by the address of the constant text.
  absl::StatusOr<Statement*> Cached(const char* sql);
  absl::Status Migrate();

  std::string path_;
  std::unique_ptr<Database> database_;
  absl::flat_hash_map<const char*, std::unique_ptr<Statement>> statements_;
};

}  // namespace sealbook::store
