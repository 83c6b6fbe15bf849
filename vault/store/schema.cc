#include "vault/store/schema.h"

namespace sealbook::store {

// The tables of docs/format.md, "Rows". Big rows stand in tables whose key grows (contact numbers),
// so that bulk writing appends; what is random by nature (tokens, index hashes) is kept as small as
// can be, and inserted sorted, batch by batch. A large batch would still touch most pages of a
// large index for a few rows each: its index rows stand in contact_index_recent until there are
// enough of them to be worth a walk through the whole index.
const std::vector<const char*>& Migrations() {
  static const auto* const migrations = new std::vector<const char*>{
      R"sql(
CREATE TABLE counter (name TEXT PRIMARY KEY, next INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO counter VALUES ('contact', 1);
CREATE TABLE roster (version INTEGER PRIMARY KEY, document BLOB NOT NULL);
CREATE TABLE policy (hash BLOB PRIMARY KEY, text TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE access_grant (
  member INTEGER NOT NULL, book INTEGER NOT NULL, class INTEGER NOT NULL, epoch INTEGER NOT NULL,
  sealed BLOB NOT NULL, PRIMARY KEY (member, book, class, epoch)) WITHOUT ROWID;
CREATE TABLE epoch_link (
  book INTEGER NOT NULL, class INTEGER NOT NULL, epoch INTEGER NOT NULL,
  sealed BLOB NOT NULL, PRIMARY KEY (book, class, epoch)) WITHOUT ROWID;
CREATE TABLE session (number INTEGER PRIMARY KEY, record BLOB NOT NULL);
CREATE TABLE contact (
  number INTEGER PRIMARY KEY, token INTEGER NOT NULL, identifiers BLOB NOT NULL,
  sealed_values BLOB NOT NULL);
CREATE TABLE token (token INTEGER PRIMARY KEY, contact INTEGER NOT NULL);
CREATE TABLE contact_index (
  hash BLOB PRIMARY KEY, tag BLOB NOT NULL, contact INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE contact_index_recent (
  hash BLOB PRIMARY KEY, tag BLOB NOT NULL, contact INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE book_contact (
  book INTEGER NOT NULL, contact INTEGER NOT NULL, session INTEGER NOT NULL, wraps BLOB NOT NULL,
  PRIMARY KEY (book, contact)) WITHOUT ROWID;
CREATE TABLE audit (sequence INTEGER PRIMARY KEY, record BLOB NOT NULL);
)sql",
      R"sql(
CREATE TABLE rekey_request (member INTEGER PRIMARY KEY, document BLOB NOT NULL);
)sql",
      R"sql(
CREATE TABLE second_factor (
  member INTEGER NOT NULL, kind INTEGER NOT NULL, document BLOB NOT NULL,
  PRIMARY KEY (member, kind)) WITHOUT ROWID;
CREATE TABLE export_request (id BLOB PRIMARY KEY, document BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE export_approval (
  request BLOB NOT NULL, member INTEGER NOT NULL, document BLOB NOT NULL,
  PRIMARY KEY (request, member)) WITHOUT ROWID;
CREATE TABLE export (number INTEGER PRIMARY KEY, document BLOB NOT NULL);
CREATE TABLE receipt (id BLOB PRIMARY KEY, text TEXT NOT NULL) WITHOUT ROWID;
)sql",
      // Chats by day first, so that a day goes as one range; who reads a contact finds its days by
      // chat_tag.
      R"sql(
CREATE TABLE chat (
  day INTEGER NOT NULL, contact INTEGER NOT NULL, sequence INTEGER NOT NULL,
  session INTEGER NOT NULL, messages INTEGER NOT NULL, chunk BLOB NOT NULL,
  PRIMARY KEY (day, contact, sequence)) WITHOUT ROWID;
CREATE TABLE chat_key (
  contact INTEGER NOT NULL, session INTEGER NOT NULL, sealed BLOB NOT NULL,
  PRIMARY KEY (contact, session)) WITHOUT ROWID;
CREATE TABLE chat_wrap (
  book INTEGER NOT NULL, contact INTEGER NOT NULL, session INTEGER NOT NULL,
  wrapped INTEGER NOT NULL, sealed BLOB NOT NULL,
  PRIMARY KEY (book, contact, session)) WITHOUT ROWID;
CREATE TABLE chat_tag (
  contact INTEGER NOT NULL, day INTEGER NOT NULL, tags BLOB NOT NULL,
  PRIMARY KEY (contact, day)) WITHOUT ROWID;
CREATE TABLE chat_tag_key (id INTEGER PRIMARY KEY, epoch INTEGER NOT NULL, sealed BLOB NOT NULL);
CREATE TABLE subject (
  contact INTEGER PRIMARY KEY, session INTEGER NOT NULL, public BLOB NOT NULL,
  secret BLOB NOT NULL);
)sql",
      // Retention. A chat key's number of chunks says when it can go. archive_key lists what an
      // archive has and the live store still has, too: to be purged, and never archived again.
      R"sql(
ALTER TABLE chat_key ADD COLUMN chunks INTEGER NOT NULL DEFAULT 0;
UPDATE chat_key SET chunks = counted.chunks FROM
  (SELECT contact, session, count(*) AS chunks FROM chat GROUP BY contact, session) AS counted
  WHERE counted.contact = chat_key.contact AND counted.session = chat_key.session;
CREATE TABLE archive (
  run INTEGER PRIMARY KEY, state INTEGER NOT NULL, label TEXT NOT NULL, first_day INTEGER NOT NULL,
  last_day INTEGER NOT NULL, purged INTEGER NOT NULL, signature BLOB NOT NULL);
CREATE TABLE archive_key (
  contact INTEGER NOT NULL, day INTEGER NOT NULL, sequence INTEGER NOT NULL, run INTEGER NOT NULL,
  session INTEGER NOT NULL, due INTEGER NOT NULL,
  PRIMARY KEY (contact, day, sequence)) WITHOUT ROWID;
CREATE TABLE archive_subject (
  run INTEGER NOT NULL, first INTEGER NOT NULL, contacts BLOB NOT NULL,
  PRIMARY KEY (run, first)) WITHOUT ROWID;
CREATE TABLE subject_shard (
  shard INTEGER PRIMARY KEY, version INTEGER NOT NULL, contacts BLOB NOT NULL);
CREATE TABLE remote_file (
  destination TEXT NOT NULL, path TEXT NOT NULL, state INTEGER NOT NULL,
  PRIMARY KEY (destination, path)) WITHOUT ROWID;
CREATE TABLE subject_mark (
  contact INTEGER NOT NULL, kind INTEGER NOT NULL, label TEXT NOT NULL, document BLOB NOT NULL,
  PRIMARY KEY (contact, kind)) WITHOUT ROWID;
CREATE TABLE tombstone (
  contact INTEGER PRIMARY KEY, token INTEGER NOT NULL, shard_version INTEGER NOT NULL,
  document BLOB NOT NULL, confirmed INTEGER NOT NULL);
CREATE TABLE suppression (hash BLOB PRIMARY KEY) WITHOUT ROWID;
)sql",
  };
  return *migrations;
}

}  // namespace sealbook::store
