#include <unicode/normalizer2.h>
#include <unicode/unistr.h>

#include <algorithm>
#include <array>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "anonymizer/identifiers.h"
#include "cli/commands.h"
#include "cli/contacts.h"
#include "policies/mask.h"
#include "vault/records/token.h"
#include "vault/status.h"

namespace sealbook::cli {
namespace {

// Folded for comparison: compatibility forms, small letters, no blanks.
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

bool IsFourDigits(absl::string_view text) {
  return text.size() == 4 && text.find_first_not_of("0123456789") == absl::string_view::npos;
}

struct Query {
  enum class Kind { kToken, kIdentifier, kName, kLast4 };
  Kind kind = Kind::kName;
  std::string text;
  records::IdentifierValue identifier;
};

absl::StatusOr<Query> ParseQuery(Context& context, const Arguments& arguments) {
  const std::string& region = context.policy().region();
  const auto& words = arguments.positional();
  const std::size_t given = words.size() + arguments.Has("phone") + arguments.Has("email") +
                            arguments.Has("name") + arguments.Has("last4");
  if (given != 1)
    return Usage("one thing to look for is needed", "For example 'sealbook lookup --name 김서연'.");
  const auto identifier = [&](IdentifierKind kind,
                              const std::string& text) -> absl::StatusOr<Query> {
    auto value = anonymizer::NormalizeIdentifier(kind, text, region);
    if (!value.ok()) {
      return Usage(absl::StrCat("what is looked for ", value.status().message()),
                   kind == IdentifierKind::kPhone
                       ? "Write it with its country code, +82 10-1234-5678 say."
                       : "Check it.");
    }
    return Query{.kind = Query::Kind::kIdentifier, .text = text, .identifier = *std::move(value)};
  };
  if (arguments.Has("phone")) return identifier(IdentifierKind::kPhone, arguments.Value("phone"));
  if (arguments.Has("email")) return identifier(IdentifierKind::kEmail, arguments.Value("email"));
  if (arguments.Has("last4") && !IsFourDigits(arguments.Value("last4")))
    return Usage("--last4 takes four digits", "For example --last4 5678.");
  if (arguments.Has("last4"))
    return Query{.kind = Query::Kind::kLast4, .text = arguments.Value("last4"), .identifier = {}};
  const std::string text =
      anonymizer::CleanText(arguments.Has("name") ? arguments.Value("name") : words[0]);
  if (text.empty())
    return Usage("there is nothing to look for",
                 "Give a token, a phone number, an email or a name.");
  Query query{.kind = Query::Kind::kName, .text = text, .identifier = {}};
  if (arguments.Has("name")) return query;
  if (records::LooksLikeToken(text)) {
    query.kind = Query::Kind::kToken;
  } else if (IsFourDigits(text)) {
    query.kind = Query::Kind::kLast4;
  } else if (auto recognized = anonymizer::RecognizeIdentifier(text, region)) {
    query.kind = Query::Kind::kIdentifier;
    query.identifier = *std::move(recognized);
  }
  return query;
}

// What is found, best first. Holds the first few of each rank, and counts all.
class Hits {
 public:
  explicit Hits(std::size_t limit) : limit_(limit) {}
  void Add(std::size_t rank, ContactNumber number) {
    ++count_;
    if (ranks_[rank].size() < limit_) ranks_[rank].push_back(number);
  }
  std::size_t count() const { return count_; }
  std::vector<ContactNumber> Best() const {
    std::vector<ContactNumber> best;
    for (const auto& rank : ranks_) {
      for (const ContactNumber number : rank) {
        if (best.size() < limit_) best.push_back(number);
      }
    }
    return best;
  }

 private:
  std::size_t limit_, count_ = 0;
  std::array<std::vector<ContactNumber>, 3> ranks_;
};

// Exact, prefix, part: ranks 0, 1, 2.
std::optional<std::size_t> RankOf(const std::string& name, const std::string& wanted) {
  const std::size_t at = name.find(wanted);
  if (at == std::string::npos) return std::nullopt;
  if (at == 0) return name.size() == wanted.size() ? 0 : 1;
  return 2;
}

absl::Status Search(Context& context, const Query& query, Hits& hits) {
  keyring::Keyring& keyring = context.keyring();
  records::ContactReader reader(keyring);
  if (query.kind == Query::Kind::kToken) {
    const auto token = records::ParseToken(query.text);
    if (!token.ok())
      return Usage("the token is mistyped",
                   "Its last digit checks the others: compare it once more.");
    ASSIGN_OR_RETURN(const ContactNumber number, reader.FindToken(*token));
    hits.Add(0, number);
    return absl::OkStatus();
  }
  const policies::RoleRule& rule = *context.policy().FindRole(context.role());
  const bool sees_identity =
      std::find(rule.clear.begin(), rule.clear.end(), ClassId::kIdentity) != rule.clear.end();
  ASSIGN_OR_RETURN(const ReadPermit permit,
                   context.permits().Search(keyring.bundle().member, context.role()));
  if (query.kind == Query::Kind::kIdentifier && sees_identity &&
      keyring.Holds(kRootBook, ClassId::kIndex)) {
    ASSIGN_OR_RETURN(const ContactNumber number,
                     reader.FindIdentifier(query.identifier.kind, query.identifier.value));
    hits.Add(0, number);
    return absl::OkStatus();
  }
  ClassId class_id = ClassId::kMasked;
  std::string wanted = query.text;
  if (query.kind == Query::Kind::kName) {
    class_id = context.policy().ClassOfField("name").id;
    wanted = FoldName(query.text);
  } else if (query.kind == Query::Kind::kIdentifier) {
    wanted = query.identifier.value;
    if (sees_identity) {
      class_id = ClassId::kIdentity;
    } else {
      // Masked first and then compared, so that it confirms no number.
      const absl::string_view field = anonymizer::FieldOfKind(query.identifier.kind);
      auto masked = policies::Mask(context.policy().MaskOf(field), wanted);
      if (!masked) return absl::NotFoundError("nobody of yours is found by this");
      wanted = *std::move(masked);
    }
  }
  const auto field_matches = [&](const records::Field& field) -> std::optional<std::size_t> {
    switch (query.kind) {
      case Query::Kind::kName:
        if (policies::BaseField(field.name) != "name") return std::nullopt;
        return RankOf(FoldName(field.value), wanted);
      case Query::Kind::kLast4:
        return policies::MaskShowsLast4(field.value, wanted) ? std::optional<std::size_t>(0)
                                                             : std::nullopt;
      case Query::Kind::kIdentifier:
        return anonymizer::KindOfField(field.name) == query.identifier.kind && field.value == wanted
                   ? std::optional<std::size_t>(0)
                   : std::nullopt;
      case Query::Kind::kToken:
        break;
    }
    return std::nullopt;
  };
  return reader.EachClass(permit, std::nullopt, class_id,
                          [&](ContactNumber number, std::int64_t,
                              const records::Fields& fields) -> absl::StatusOr<bool> {
                            std::optional<std::size_t> best;
                            for (const records::Field& field : fields) {
                              const auto rank = field_matches(field);
                              if (rank && (!best || *rank < *best)) best = rank;
                            }
                            if (best) hits.Add(*best, number);
                            if (Interrupted()) return absl::CancelledError("interrupted");
                            return true;
                          });
}

absl::Status RunLookup(Context& context, const Arguments& arguments) {
  RETURN_IF_ERROR(context.Unlock());
  // Refused before anything is looked for: an account that reads nothing learns nothing.
  RETURN_IF_ERROR(
      context.permits().Search(context.keyring().bundle().member, context.role()).status());
  ASSIGN_OR_RETURN(const Query query, ParseQuery(context, arguments));
  CatchInterrupts();
  const auto limit = static_cast<std::size_t>(context.policy().lookup_limit());
  Hits hits(limit);
  // One damaged contact does not hide the others: they are shown, and then it is told.
  const absl::Status searched = Search(context, query, hits);
  if (!searched.ok() && (!absl::IsDataLoss(searched) || hits.count() == 0)) return searched;
  if (hits.count() == 0) {
    return WithHint(absl::NotFoundError("nobody of yours is found by this"),
                    "Only customers assigned to you are looked through.");
  }
  records::ContactReader reader(context.keyring());
  std::vector<records::Contact> contacts;
  std::vector<audit::Event> events;
  for (const ContactNumber number : hits.Best()) {
    ASSIGN_OR_RETURN(
        const ReadPermit permit,
        context.permits().ReadOne(context.keyring().bundle().member, context.role(), number));
    ASSIGN_OR_RETURN(records::Contact contact, reader.Read(permit, number));
    events.push_back({.act = "lookup", .token = contact.token});
    contacts.push_back(std::move(contact));
  }
  RETURN_IF_ERROR(context.RecordAll(events));
  if (context.globals().json) {
    Json list = Json::array();
    for (const records::Contact& contact : contacts) list.push_back(ToJson(contact));
    Json json = {{"contacts", std::move(list)}, {"found", hits.count()}};
    if (!searched.ok()) json["error"] = ErrorJson(searched);
    PrintJson(json);
  } else {
    for (std::size_t i = 0; i < contacts.size(); ++i) {
      if (i > 0) PrintLine("");
      PrintContact(contacts[i]);
    }
  }
  if (hits.count() > contacts.size()) {
    PrintNote(context.globals(), absl::StrCat("The first ", contacts.size(), " of ", hits.count(),
                                              "; say more to find fewer."));
  }
  // With --json it is said already.
  return !searched.ok() && context.globals().json ? absl::Status(searched.code(), "") : searched;
}

}  // namespace

Command LookupCommand() {
  return {.name = "lookup",
          .arguments = "QUERY | --phone P | --email E | --name N | --last4 D",
          .summary = "finds your customers by token, number, email, name or last digits",
          .options = {{"phone", Option::Kind::kValue, "P", "a phone number, as people write it"},
                      {"email", Option::Kind::kValue, "E", "an email address"},
                      {"name", Option::Kind::kValue, "N", "a name or a part of it"},
                      {"last4", Option::Kind::kValue, "D",
                       "the four digits that a masked number shows"}},
          .max_positional = 1,
          .run = &RunLookup};
}

}  // namespace sealbook::cli
