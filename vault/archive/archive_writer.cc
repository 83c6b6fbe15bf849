#include "vault/archive/archive_writer.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "vault/archive/archive_layout.h"
#include "vault/status.h"

namespace sealbook::archive {

using crypto::ByteWriter;
using internal::Item;

namespace {

std::uint64_t Unsigned(std::int64_t number) { return static_cast<std::uint64_t>(number); }

// Rows that no vault holds: somebody put them there.
absl::Status Check(absl::string_view wrong, absl::string_view where) {
  if (wrong.empty()) return absl::OkStatus();
  return absl::DataLossError(absl::StrCat(wrong, " (", where, ")"));
}

}  // namespace

ArchiveWriter::ArchiveWriter(ByteSink& out, const ArchiveHeader& header)
    : header_(header),
      digest_(out),
      content_(std::make_unique<crypto::LabeledHash>(internal::kContentLabel)),
      slot_sessions_(internal::kKeySlots) {}
ArchiveWriter::~ArchiveWriter() = default;

absl::StatusOr<std::unique_ptr<ArchiveWriter>> ArchiveWriter::Open(
    ByteSink& out, std::span<const crypto::ExchangePublic> recipients, const ArchiveHeader& header,
    int threads) {
  const absl::string_view wrong = internal::WrongWith(header);
  if (!wrong.empty()) return absl::InvalidArgumentError(wrong);
  std::unique_ptr<ArchiveWriter> writer(new ArchiveWriter(out, header));
  ASSIGN_OR_RETURN(writer->age_, crypto::AgeWriter::ForRecipients(writer->digest_, recipients,
                                                                  {.threads = threads}));
  writer->digest_.EndHeader();
  RETURN_IF_ERROR(writer->Write(internal::EncodeHeader(header)));
  return writer;
}

absl::Status ArchiveWriter::Write(ByteView bytes) {
  content_->Update(bytes);
  offset_ += bytes.size();
  return age_->Append(bytes);
}

absl::Status ArchiveWriter::Sticky(absl::Status status) {
  if (!status.ok()) status_ = status;
  return status;
}

absl::Status ArchiveWriter::EndContact() {
  if (!in_contact_) return absl::OkStatus();
  if (chunks_ == 0) return absl::FailedPreconditionError("a contact without chunks in an archive");
  in_contact_ = false;
  RETURN_IF_ERROR(Write(
      ByteWriter().U8(static_cast<std::uint8_t>(Item::kEnd)).U64(chunks_).U64(messages_).bytes()));
  index_.back().length = offset_ - index_.back().offset;
  ++totals_.contacts;
  totals_.chunks += chunks_;
  totals_.messages += messages_;
  slots_.clear();
  keys_ = chunks_ = messages_ = 0;
  return absl::OkStatus();
}

absl::Status ArchiveWriter::BeginContact(const ArchiveContact& contact) {
  RETURN_IF_ERROR(status_);
  return Sticky([&]() -> absl::Status {
    if (finished_) return absl::FailedPreconditionError("an archive is finished already");
    RETURN_IF_ERROR(EndContact());
    RETURN_IF_ERROR(Check(internal::WrongWith(contact), absl::StrCat("contact ", contact.contact)));
    if (!index_.empty() && contact.contact <= index_.back().contact) {
      return absl::FailedPreconditionError("contacts of an archive come in the order of numbers");
    }
    if (index_.size() == kMaxArchiveContacts) {
      return absl::ResourceExhaustedError("an archive holds no more contacts");
    }
    index_.push_back(
        {.token = contact.token, .contact = contact.contact, .offset = offset_, .length = 0});
    in_contact_ = true;
    return Write(ByteWriter()
                     .U8(static_cast<std::uint8_t>(Item::kContact))
                     .U64(Unsigned(contact.token))
                     .U64(Unsigned(contact.contact))
                     .Raw(contact.subject.bytes)
                     .bytes());
  }());
}

absl::Status ArchiveWriter::AddKey(const ArchiveKey& key) {
  RETURN_IF_ERROR(status_);
  return Sticky([&]() -> absl::Status {
    if (!in_contact_) return absl::FailedPreconditionError("a chat key without a contact");
    RETURN_IF_ERROR(
        Check(internal::WrongWith(key), absl::StrCat("contact ", index_.back().contact)));
    if (HasKey(key.session)) return absl::FailedPreconditionError("a chat key twice");
    const std::size_t slot = keys_ % internal::kKeySlots;
    if (keys_ >= internal::kKeySlots) slots_.erase(slot_sessions_[slot]);
    slot_sessions_[slot] = key.session;
    slots_[key.session] = static_cast<std::uint8_t>(slot);
    ++keys_;
    return Write(ByteWriter()
                     .U8(static_cast<std::uint8_t>(Item::kKey))
                     .U64(Unsigned(key.session))
                     .Raw(key.ephemeral.bytes)
                     .Raw(key.sealed)
                     .bytes());
  }());
}

absl::Status ArchiveWriter::AddChunk(const ArchiveChunk& chunk) {
  RETURN_IF_ERROR(status_);
  return Sticky([&]() -> absl::Status {
    if (!in_contact_) return absl::FailedPreconditionError("a chunk without a contact");
    RETURN_IF_ERROR(Check(internal::WrongWith(chunk),
                          absl::StrCat("contact ", index_.back().contact, ", day ", chunk.day)));
    if (chunk.day < header_.first_day || chunk.day > header_.last_day) {
      return absl::FailedPreconditionError("a chunk of a day that is not the archive's");
    }
    if (chunks_ > 0 &&
        std::pair(chunk.day, chunk.sequence) <= std::pair(last_day_, last_sequence_)) {
      return absl::FailedPreconditionError(
          "chunks of an archive come in the order of day and sequence");
    }
    const auto slot = slots_.find(chunk.session);
    if (slot == slots_.end()) return absl::FailedPreconditionError("a chunk without its key");
    last_day_ = chunk.day;
    last_sequence_ = chunk.sequence;
    ++chunks_;
    messages_ += chunk.messages;
    RETURN_IF_ERROR(Write(ByteWriter()
                              .U8(static_cast<std::uint8_t>(Item::kChunk))
                              .U32(static_cast<std::uint32_t>(chunk.day))
                              .U32(static_cast<std::uint32_t>(chunk.sequence))
                              .U8(static_cast<std::uint8_t>(chunk.messages))
                              .U8(slot->second)
                              .U32(static_cast<std::uint32_t>(chunk.sealed.size()))
                              .bytes()));
    return Write(chunk.sealed);
  }());
}

absl::StatusOr<FinishedArchive> ArchiveWriter::Finish() {
  RETURN_IF_ERROR(status_);
  RETURN_IF_ERROR(Sticky([&]() -> absl::Status {
    if (finished_) return absl::FailedPreconditionError("an archive is finished already");
    finished_ = true;
    RETURN_IF_ERROR(EndContact());
    const std::uint64_t index_at = offset_;
    std::ranges::sort(index_, {}, &IndexEntry::token);
    if (std::ranges::adjacent_find(index_, {}, &IndexEntry::token) != index_.end())
      return absl::DataLossError("two contacts have the same token");
    for (const IndexEntry& entry : index_) {
      RETURN_IF_ERROR(Write(ByteWriter()
                                .U64(Unsigned(entry.token))
                                .U64(Unsigned(entry.contact))
                                .U64(entry.offset)
                                .U64(entry.length)
                                .bytes()));
    }
    RETURN_IF_ERROR(Write(ByteWriter()
                              .U64(index_at)
                              .U64(totals_.contacts)
                              .U64(totals_.chunks)
                              .U64(totals_.messages)
                              .bytes()));
    RETURN_IF_ERROR(age_->Append(content_->Finish()));
    RETURN_IF_ERROR(age_->Append(crypto::AsBytes(internal::kArchiveEnd)));
    return age_->Finish();
  }()));
  return FinishedArchive{.totals = totals_, .digest = digest_.Finish()};
}

}  // namespace sealbook::archive
