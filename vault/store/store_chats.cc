// Store's tables of chats.
#include "vault/store/store_inl.h"

namespace sealbook::store {
namespace {

void ReadChat(Statement& select, ChatRow& row) {
  row.day = static_cast<std::int32_t>(select.Int(0));
  row.contact = select.Int(1);
  row.sequence = select.Int(2);
  row.session = select.Int(3);
  row.messages = static_cast<std::uint32_t>(select.Int(4));
  CopyTo(select.Blob(5), row.chunk);
}

ChatPlace ReadPlace(Statement& row) {
  return {.day = static_cast<std::int32_t>(row.Int(0)),
          .contact = row.Int(1),
          .sequence = row.Int(2),
          .session = row.Int(3),
          .messages = static_cast<std::uint32_t>(row.Int(4)),
          .bytes = row.Int(5)};
}

ChatWrapRow ReadChatWrap(Statement& select) {
  return {.book = BookId{static_cast<std::uint32_t>(select.Int(0))},
          .contact = select.Int(1),
          .session = select.Int(2),
          .wrapped = select.Int(3),
          .sealed = Copy(select.Blob(4))};
}

}  // namespace

absl::Status Store::InsertChat(const ChatRow& row) {
  USE_STATEMENT(insert,
                "INSERT INTO chat (day, contact, sequence, session, messages, chunk) "
                "VALUES (?, ?, ?, ?, ?, ?)");
  insert->Bind(1, row.day).Bind(2, row.contact).Bind(3, row.sequence).Bind(4, row.session);
  insert->Bind(5, std::int64_t{row.messages}).Bind(6, ByteView(row.chunk));
  return insert->Run();
}

absl::StatusOr<std::int64_t> Store::LastChat(std::int32_t day, ContactNumber contact) {
  USE_STATEMENT(select,
                "SELECT max(coalesce((SELECT max(sequence) FROM chat WHERE day = ?1 AND "
                "contact = ?2), 0), coalesce((SELECT max(sequence) FROM archive_key WHERE "
                "contact = ?2 AND day = ?1), 0))");
  select->Bind(1, day).Bind(2, contact);
  ASSIGN_OR_RETURN(const bool row, select->Step());
  return row ? select->Int(0) : 0;
}

absl::StatusOr<bool> Store::HasChats(std::int32_t day, ContactNumber contact) {
  USE_STATEMENT(select, "SELECT 1 FROM chat WHERE day = ? AND contact = ? LIMIT 1");
  select->Bind(1, day).Bind(2, contact);
  return select->Step();
}

absl::Status Store::EachChat(std::int32_t day, ContactNumber contact,
                             const std::function<absl::Status(const ChatRow&)>& visit) {
  USE_STATEMENT(select,
                "SELECT day, contact, sequence, session, messages, chunk FROM chat "
                "WHERE day = ? AND contact = ? ORDER BY sequence");
  select->Bind(1, day).Bind(2, contact);
  ChatRow chat;
  for (;;) {
    ASSIGN_OR_RETURN(const bool row, select->Step());
    if (!row) return absl::OkStatus();
    ReadChat(*select, chat);
    RETURN_IF_ERROR(visit(chat));
  }
}

absl::Status Store::EachChatAfter(
    std::int32_t day, ContactNumber contact, std::int64_t sequence,
    const std::function<absl::StatusOr<bool>(const ChatRow&)>& visit) {
  ASSIGN_OR_RETURN(
      Statement select,
      database_->Prepare("SELECT day, contact, sequence, session, messages, chunk FROM chat "
                         "WHERE (day, contact, sequence) > (?, ?, ?) "
                         "ORDER BY day, contact, sequence"));
  select.Bind(1, day).Bind(2, contact).Bind(3, sequence);
  ChatRow chat;
  for (;;) {
    ASSIGN_OR_RETURN(const bool row, select.Step());
    if (!row) return absl::OkStatus();
    ReadChat(select, chat);
    ASSIGN_OR_RETURN(const bool more, visit(chat));
    if (!more) return absl::OkStatus();
  }
}

absl::Status Store::DeleteChats(std::int32_t day, ContactNumber contact) {
  USE_STATEMENT(remove, "DELETE FROM chat WHERE day = ? AND contact = ?");
  remove->Bind(1, day).Bind(2, contact);
  return remove->Run();
}

absl::StatusOr<std::optional<std::uint32_t>> Store::DeleteChat(std::int32_t day,
                                                               ContactNumber contact,
                                                               std::int64_t sequence) {
  USE_STATEMENT(remove,
                "DELETE FROM chat WHERE day = ? AND contact = ? AND sequence = ? "
                "RETURNING messages");
  remove->Bind(1, day).Bind(2, contact).Bind(3, sequence);
  ASSIGN_OR_RETURN(const bool found, remove->Step());
  if (!found) return std::nullopt;
  return static_cast<std::uint32_t>(remove->Int(0));
}

absl::StatusOr<bool> Store::GetChat(std::int32_t day, ContactNumber contact, std::int64_t sequence,
                                    ChatRow& row) {
  USE_STATEMENT(select,
                "SELECT day, contact, sequence, session, messages, chunk FROM chat "
                "WHERE day = ? AND contact = ? AND sequence = ?");
  select->Bind(1, day).Bind(2, contact).Bind(3, sequence);
  ASSIGN_OR_RETURN(const bool found, select->Step());
  if (found) ReadChat(*select, row);
  return found;
}

absl::StatusOr<std::optional<std::int32_t>> Store::OldestChatDay() {
  USE_STATEMENT(select, "SELECT day FROM chat ORDER BY day LIMIT 1");
  ASSIGN_OR_RETURN(const bool found, select->Step());
  if (!found) return std::nullopt;
  return static_cast<std::int32_t>(select->Int(0));
}

absl::Status Store::EachChatPlace(
    std::int32_t day, ContactNumber contact, std::int64_t sequence, std::int32_t before_day,
    const std::function<absl::StatusOr<bool>(const ChatPlace&)>& visit) {
  USE_STATEMENT(select,
                "SELECT day, contact, sequence, session, messages, length(chunk) FROM chat "
                "WHERE (day, contact, sequence) > (?, ?, ?) AND day < ? "
                "ORDER BY day, contact, sequence");
  select->Bind(1, day).Bind(2, contact).Bind(3, sequence).Bind(4, before_day);
  for (;;) {
    ASSIGN_OR_RETURN(const bool row, select->Step());
    if (!row) return absl::OkStatus();
    ASSIGN_OR_RETURN(const bool more, visit(ReadPlace(*select)));
    if (!more) return absl::OkStatus();
  }
}

absl::StatusOr<std::pair<std::int64_t, std::int64_t>> Store::CountChats() {
  USE_STATEMENT(select, "SELECT count(*), coalesce(sum(messages), 0) FROM chat");
  ASSIGN_OR_RETURN(const bool row, select->Step());
  if (!row) return std::pair<std::int64_t, std::int64_t>{0, 0};
  return std::pair{select->Int(0), select->Int(1)};
}

absl::Status Store::InsertChatKey(ContactNumber contact, std::int64_t session, ByteView sealed) {
  USE_STATEMENT(insert, "INSERT INTO chat_key (contact, session, sealed) VALUES (?, ?, ?)");
  insert->Bind(1, contact).Bind(2, session).Bind(3, sealed);
  return insert->Run();
}

absl::Status Store::EachChatKey(
    ContactNumber contact,
    const std::function<absl::Status(std::int64_t session, ByteView sealed)>& visit) {
  ASSIGN_OR_RETURN(Statement select, database_->Prepare("SELECT session, sealed FROM chat_key "
                                                        "WHERE contact = ? ORDER BY session"));
  select.Bind(1, contact);
  for (;;) {
    ASSIGN_OR_RETURN(const bool row, select.Step());
    if (!row) return absl::OkStatus();
    RETURN_IF_ERROR(visit(select.Int(0), select.Blob(1)));
  }
}

absl::Status Store::DeleteChatKey(ContactNumber contact, std::int64_t session) {
  USE_STATEMENT(remove, "DELETE FROM chat_key WHERE contact = ? AND session = ?");
  remove->Bind(1, contact).Bind(2, session);
  return remove->Run();
}

absl::StatusOr<bool> Store::GetChatKey(ContactNumber contact, std::int64_t session,
                                       crypto::Bytes& sealed) {
  USE_STATEMENT(select, "SELECT sealed FROM chat_key WHERE contact = ? AND session = ?");
  select->Bind(1, contact).Bind(2, session);
  ASSIGN_OR_RETURN(const bool found, select->Step());
  if (found) CopyTo(select->Blob(0), sealed);
  return found;
}

absl::Status Store::EachChunkCount(
    ContactNumber contact,
    const std::function<absl::Status(std::int64_t session, std::int64_t chunks)>& visit) {
  USE_STATEMENT(select, "SELECT session, chunks FROM chat_key WHERE contact = ? ORDER BY session");
  select->Bind(1, contact);
  for (;;) {
    ASSIGN_OR_RETURN(const bool row, select->Step());
    if (!row) return absl::OkStatus();
    RETURN_IF_ERROR(visit(select->Int(0), select->Int(1)));
  }
}

absl::StatusOr<std::int64_t> Store::AddChunks(ContactNumber contact, std::int64_t session,
                                              std::int64_t more) {
  USE_STATEMENT(update,
                "UPDATE chat_key SET chunks = chunks + ? WHERE contact = ? AND session = ? "
                "RETURNING chunks");
  update->Bind(1, more).Bind(2, contact).Bind(3, session);
  ASSIGN_OR_RETURN(const bool found, update->Step());
  if (!found) return absl::DataLossError("the key of a chat is missing");
  return update->Int(0);
}

absl::Status Store::PutChatWrap(const ChatWrapRow& row) {
  USE_STATEMENT(put,
                "INSERT OR REPLACE INTO chat_wrap (book, contact, session, wrapped, sealed) "
                "VALUES (?, ?, ?, ?, ?)");
  put->Bind(1, Number(row.book)).Bind(2, row.contact).Bind(3, row.session).Bind(4, row.wrapped);
  put->Bind(5, ByteView(row.sealed));
  return put->Run();
}

absl::StatusOr<bool> Store::GetChatWrap(BookId book, ContactNumber contact, std::int64_t session,
                                        ChatWrapRow& row) {
  USE_STATEMENT(select,
                "SELECT book, contact, session, wrapped, sealed FROM chat_wrap "
                "WHERE book = ? AND contact = ? AND session = ?");
  select->Bind(1, Number(book)).Bind(2, contact).Bind(3, session);
  ASSIGN_OR_RETURN(const bool found, select->Step());
  if (found) row = ReadChatWrap(*select);
  return found;
}

absl::Status Store::EachChatWrap(BookId book, ContactNumber contact,
                                 const std::function<absl::Status(const ChatWrapRow&)>& visit) {
  ASSIGN_OR_RETURN(Statement select,
                   database_->Prepare("SELECT book, contact, session, wrapped, sealed "
                                      "FROM chat_wrap WHERE book = ? AND contact = ? "
                                      "ORDER BY session"));
  select.Bind(1, Number(book)).Bind(2, contact);
  for (;;) {
    ASSIGN_OR_RETURN(const bool row, select.Step());
    if (!row) return absl::OkStatus();
    RETURN_IF_ERROR(visit(ReadChatWrap(select)));
  }
}

absl::Status Store::DeleteChatWraps(ContactNumber contact, std::int64_t session,
                                    const std::vector<BookId>& books) {
  USE_STATEMENT(remove, "DELETE FROM chat_wrap WHERE book = ? AND contact = ? AND session = ?");
  for (const BookId book : books) {
    remove->Reset();
    remove->Bind(1, Number(book)).Bind(2, contact).Bind(3, session);
    RETURN_IF_ERROR(remove->Run());
  }
  return absl::OkStatus();
}

absl::Status Store::DeleteChatWraps(BookId book, ContactNumber contact) {
  USE_STATEMENT(remove, "DELETE FROM chat_wrap WHERE book = ? AND contact = ?");
  remove->Bind(1, Number(book)).Bind(2, contact);
  return remove->Run();
}

absl::StatusOr<bool> Store::GetChatTags(ContactNumber contact, std::int32_t day,
                                        crypto::Bytes& tags) {
  USE_STATEMENT(select, "SELECT tags FROM chat_tag WHERE contact = ? AND day = ?");
  select->Bind(1, contact).Bind(2, day);
  ASSIGN_OR_RETURN(const bool found, select->Step());
  if (found) CopyTo(select->Blob(0), tags);
  return found;
}

absl::Status Store::PutChatTags(ContactNumber contact, std::int32_t day, ByteView tags) {
  USE_STATEMENT(put, "INSERT OR REPLACE INTO chat_tag (contact, day, tags) VALUES (?, ?, ?)");
  put->Bind(1, contact).Bind(2, day).Bind(3, tags);
  return put->Run();
}

absl::Status Store::DeleteChatTags(ContactNumber contact, std::int32_t day) {
  USE_STATEMENT(remove, "DELETE FROM chat_tag WHERE contact = ? AND day = ?");
  remove->Bind(1, contact).Bind(2, day);
  return remove->Run();
}

absl::Status Store::EachChatDayBack(
    ContactNumber contact, const std::function<absl::StatusOr<bool>(std::int32_t)>& visit) {
  USE_STATEMENT(select, "SELECT day FROM chat_tag WHERE contact = ? ORDER BY day DESC");
  select->Bind(1, contact);
  for (;;) {
    ASSIGN_OR_RETURN(const bool row, select->Step());
    if (!row) return absl::OkStatus();
    ASSIGN_OR_RETURN(const bool more, visit(static_cast<std::int32_t>(select->Int(0))));
    if (!more) return absl::OkStatus();
  }
}

absl::StatusOr<std::optional<std::pair<std::uint32_t, crypto::Bytes>>> Store::GetChatTagKey() {
  USE_STATEMENT(select, "SELECT epoch, sealed FROM chat_tag_key WHERE id = 1");
  ASSIGN_OR_RETURN(const bool found, select->Step());
  if (!found) return std::nullopt;
  return std::pair{static_cast<std::uint32_t>(select->Int(0)), Copy(select->Blob(1))};
}

absl::Status Store::PutChatTagKey(std::uint32_t epoch, ByteView sealed) {
  USE_STATEMENT(put, "INSERT OR REPLACE INTO chat_tag_key (id, epoch, sealed) VALUES (1, ?, ?)");
  put->Bind(1, std::int64_t{epoch}).Bind(2, sealed);
  return put->Run();
}

absl::Status Store::InsertSubject(const SubjectRow& row) {
  USE_STATEMENT(insert,
                "INSERT INTO subject (contact, session, public, secret) VALUES (?, ?, ?, ?)");
  insert->Bind(1, row.contact).Bind(2, row.session).Bind(3, ByteView(row.public_key));
  insert->Bind(4, ByteView(row.secret));
  return insert->Run();
}

absl::StatusOr<bool> Store::GetSubject(ContactNumber contact, SubjectRow& row) {
  USE_STATEMENT(select, "SELECT contact, session, public, secret FROM subject WHERE contact = ?");
  select->Bind(1, contact);
  ASSIGN_OR_RETURN(const bool found, select->Step());
  if (found) {
    row = {.contact = select->Int(0),
           .session = select->Int(1),
           .public_key = CopyArray<32>(select->Blob(2)),
           .secret = Copy(select->Blob(3))};
  }
  return found;
}

}  // namespace sealbook::store
