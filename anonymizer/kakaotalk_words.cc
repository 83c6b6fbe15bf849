#include "anonymizer/kakaotalk_words.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "anonymizer/chat_text.h"
#include "anonymizer/identifiers.h"

namespace sealbook::anonymizer {
namespace {

template <std::size_t N>
bool IsOneOf(absl::string_view text, const absl::string_view (&words)[N]) {
  return std::find(std::begin(words), std::end(words), text) != std::end(words);
}

template <std::size_t N>
bool EndsWithOneOf(absl::string_view text, const absl::string_view (&words)[N]) {
  return std::any_of(std::begin(words), std::end(words), [&](absl::string_view word) {
    return text.size() > word.size() && absl::EndsWith(text, word);
  });
}

bool IsDigits(absl::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == absl::string_view::npos;
}

// Longer ones are none.
constexpr std::size_t kMaxPlaceholderBytes = 1024;

// "사진 3장", "Photo 3", "3 photos".
bool IsCounted(absl::string_view text) {
  for (const absl::string_view word : {"사진", "동영상"}) {
    absl::string_view rest = text;
    if (absl::ConsumePrefix(&rest, word) && absl::ConsumePrefix(&rest, " ")) {
      absl::ConsumeSuffix(&rest, "장");
      absl::ConsumeSuffix(&rest, "개");
      if (IsDigits(rest)) return true;
    }
  }
  for (const absl::string_view word : {"photo", "photos", "video", "videos"}) {
    absl::string_view rest = text;
    if (absl::ConsumePrefix(&rest, word) && absl::ConsumePrefix(&rest, " ") && IsDigits(rest))
      return true;
    rest = text;
    if (absl::ConsumeSuffix(&rest, word) && absl::ConsumeSuffix(&rest, " ") && IsDigits(rest))
      return true;
  }
  return false;
}

// Names of files that an Android phone saves beside the text: a hash and what kind it is.
bool IsHashedName(absl::string_view line) {
  const std::size_t dot = line.find('.');
  if (dot == absl::string_view::npos || dot < 32 || dot > 64) return false;
  const absl::string_view kind = line.substr(dot + 1);
  return line.substr(0, dot).find_first_not_of("0123456789abcdef") == absl::string_view::npos &&
         !kind.empty() && kind.size() <= 5 &&
         std::all_of(kind.begin(), kind.end(),
                     [](unsigned char c) { return absl::ascii_isalnum(c); });
}

bool IsMedia(absl::string_view text) {
  static constexpr absl::string_view kWords[] = {"사진",
                                                 "동영상",
                                                 "이모티콘",
                                                 "음성메시지",
                                                 "음성 메시지",
                                                 "카카오톡 프로필",
                                                 "photo",
                                                 "photos",
                                                 "video",
                                                 "videos",
                                                 "emoticon",
                                                 "emoticons",
                                                 "sticker",
                                                 "voice message",
                                                 "voice note",
                                                 "voice memo",
                                                 "kakaotalk profile",
                                                 "写真",
                                                 "動画",
                                                 "スタンプ",
                                                 "絵文字",
                                                 "ボイスメッセージ"};
  static constexpr absl::string_view kBeforeNames[] = {
      "파일: ", "파일 : ", "연락처: ", "file: ", "contact: ", "ファイル: ", "連絡先: "};
  if (text.size() > kMaxPlaceholderBytes) return false;
  absl::string_view inner = text;
  // "<사진 읽지 않음>" of old Android phones, "(Photo)" of Macs.
  for (const auto& [open, close] :
       {std::pair<absl::string_view, absl::string_view>{"<", ">"}, {"(", ")"}}) {
    absl::string_view rest = text;
    if (absl::ConsumePrefix(&rest, open) && absl::ConsumeSuffix(&rest, close)) inner = rest;
  }
  absl::ConsumeSuffix(&inner, " 읽지 않음");
  const std::string lower = absl::AsciiStrToLower(inner);
  if (IsOneOf(lower, kWords) || IsCounted(lower)) return true;
  if (!absl::StrContains(text, "\n") &&
      std::any_of(std::begin(kBeforeNames), std::end(kBeforeNames), [&](absl::string_view word) {
        return lower.size() > word.size() && absl::StartsWith(lower, word);
      })) {
    return true;
  }
  const std::vector<absl::string_view> lines = absl::StrSplit(text, '\n');
  return std::all_of(lines.begin(), lines.end(), IsHashedName);
}

absl::string_view WithoutPeriod(absl::string_view text) {
  absl::ConsumeSuffix(&text, ".");
  absl::ConsumeSuffix(&text, "。");
  return text;
}

constexpr absl::string_view kComings[] = {
    "님이 들어왔습니다",       "님이 나갔습니다",       " has joined this chatroom",
    " has left this chatroom", " joined this chatroom", " left this chatroom",
    "さんが参加しました",      "さんが退室しました",    "が参加しました",
    "が退室しました"};
constexpr absl::string_view kInvitations[] = {"님을 내보냈습니다", "님을 초대하였습니다",
                                              "님을 초대했습니다", "を招待しました"};

}  // namespace

MessageKind KindOfKakaoTalkText(absl::string_view text) {
  static constexpr absl::string_view kDeleted[] = {
      "삭제된 메시지입니다",      "메시지가 삭제되었습니다", "채팅방 관리자가 메시지를 가렸습니다",
      "this message was deleted", "deleted message",         "this message has been deleted",
      "削除されたメッセージです"};
  const std::string lower = absl::AsciiStrToLower(
      WithoutPeriod(text.substr(0, std::min(text.size(), kMaxPlaceholderBytes))));
  if (IsOneOf(lower, kDeleted)) return MessageKind::kDeleted;
  return IsMedia(text) ? MessageKind::kMedia : MessageKind::kText;
}

bool TellsOfGroup(absl::string_view notice) {
  const absl::string_view text = WithoutPeriod(notice.substr(0, notice.find('\n')));
  return EndsWithOneOf(text, kInvitations) || absl::StrContains(text, " invited ");
}

std::string WhoCameOrWent(absl::string_view notice) {
  absl::string_view text = WithoutPeriod(notice.substr(0, notice.find('\n')));
  for (const absl::string_view coming : kComings) {
    if (absl::ConsumeSuffix(&text, coming)) return TidyAuthor(text);
  }
  return "";
}

bool IsKakaoTalkNotice(absl::string_view line) {
  static constexpr absl::string_view kWhole[] = {
      "채팅방 관리자가 메시지를 가렸습니다",
      "운영정책을 위반한 메시지로 신고 접수 시 카카오톡 이용에 제한이 있을 수 있습니다",
      "타인, 기관 등의 사칭에 유의해 주세요. 금전 또는 개인정보를 요구 받을 경우 신고해 주시기 "
      "바랍니다"};
  if (line.size() > kMaxPlaceholderBytes) return false;
  const absl::string_view text = WithoutPeriod(line);
  return IsOneOf(text, kWhole) || EndsWithOneOf(text, kComings) ||
         EndsWithOneOf(text, kInvitations);
}

bool IsKakaoTalkNoticeAbout(absl::string_view text, absl::string_view author) {
  if (IsKakaoTalkNotice(text) && (author.empty() || absl::StartsWith(text, author))) return true;
  absl::string_view rest = text;
  return text.size() <= kMaxPlaceholderBytes && !author.empty() &&
         absl::ConsumePrefix(&rest, author) && absl::StartsWith(rest, " invited ") &&
         absl::EndsWith(rest, ".");
}

bool IsKakaoTalkSelf(absl::string_view author) {
  return author == "회원님" || author == "You" || author == "you";
}

std::optional<KakaoTalkTitle> ReadKakaoTalkTitle(absl::string_view line) {
  absl::string_view text = absl::StripAsciiWhitespace(WithoutMarks(line));
  if (text.size() > kMaxPlaceholderBytes) return std::nullopt;
  // Phones put the file's name there: "… 카카오톡 대화-1.txt".
  if (absl::ConsumeSuffix(&text, ".txt")) {
    const std::size_t dash = text.rfind('-');
    if (dash != absl::string_view::npos && IsDigits(text.substr(dash + 1)))
      text = text.substr(0, dash);
  }
  bool found = false;
  for (const absl::string_view behind :
       {"카카오톡 대화", "with KakaoTalk Chats", "KakaoTalk Chats", "とのカカオトーク"}) {
    if (absl::ConsumeSuffix(&text, behind)) {
      found = true;
      break;
    }
  }
  if (!found) found = absl::ConsumePrefix(&text, "KakaoTalk Chats with ");
  if (!found) return std::nullopt;
  text = absl::StripAsciiWhitespace(text);
  // "(4명)과", where a name could end in that syllable too.
  for (const absl::string_view word : {"님과", "さん", ")과", ")와"}) {
    if (!absl::EndsWith(text, word)) continue;
    text.remove_suffix(word.size() - (word[0] == ')' ? 1 : 0));
    break;
  }
  text = absl::StripAsciiWhitespace(text);
  KakaoTalkTitle title;
  // "(4)", "(4명)", "(4 people)".
  const std::size_t open = text.rfind('(');
  absl::string_view inside = open == absl::string_view::npos ? "" : text.substr(open + 1);
  if (absl::ConsumeSuffix(&inside, ")")) {
    for (const absl::string_view word : {"명", " people", "人"}) absl::ConsumeSuffix(&inside, word);
    if (inside.size() <= 6 && IsDigits(inside) && absl::SimpleAtoi(inside, &title.members))
      text = text.substr(0, open);
  }
  title.chat_name = CleanText(text);
  return title;
}

bool IsKakaoTalkSavedLine(absl::string_view line) {
  line = absl::StripAsciiWhitespace(WithoutMarks(line));
  for (const absl::string_view begin :
       {"저장한 날짜 :", "저장한 날짜:", "Date Saved :", "Date Saved:", "保存した日付"}) {
    if (absl::StartsWith(line, begin)) return true;
  }
  return false;
}

}  // namespace sealbook::anonymizer
