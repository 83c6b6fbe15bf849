// How WhatsApp calls the files that it exports.
#include <algorithm>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/strip.h"
#include "anonymizer/whatsapp_words.h"
#include "anonymizer/written_text.h"

namespace sealbook::anonymizer {

std::optional<std::string> ChatNameOf(absl::string_view path) {
  struct Title {
    absl::string_view before, behind;
  };
  static constexpr Title kTitles[] = {{"WhatsApp Chat with ", ""},
                                      {"WhatsApp Chat - ", ""},
                                      {"WhatsApp Gesprek met ", ""},
                                      {"دردشة واتساب مع ", ""},
                                      {"دردشة WhatsApp مع ", ""},
                                      {"محادثة واتساب مع ", ""},
                                      {"", " ilə WhatsApp Söhbəti"},
                                      {"WhatsApp Чат с ", ""},
                                      {"", " এর সাথে WhatsApp চ্যাট"},
                                      {"Xat de WhatsApp amb ", ""},
                                      {"Chat WhatsApp s uživatelem ", ""},
                                      {"WhatsApp chat med ", ""},
                                      {"WhatsApp Chat mit ", ""},
                                      {"WhatsApp-Chat mit ", ""},
                                      {"Συνομιλία WhatsApp με ", ""},
                                      {"Chat de WhatsApp con ", ""},
                                      {"WhatsApp'i vestlus kontaktiga ", ""},
                                      {"گفتگوی WhatsApp با ", ""},
                                      {"گفتگوی واتساپ با ", ""},
                                      {"WhatsApp-keskustelu henkilön ", " kanssa"},
                                      {"Discussion WhatsApp avec ", ""},
                                      {"", " સાથેની WhatsApp વાત"},
                                      {"צ'אט WhatsApp עם ", ""},
                                      {"צ׳אט WhatsApp עם ", ""},
                                      {"", " के साथ WhatsApp चैट"},
                                      {"WhatsApp razgovor s ", ""},
                                      {"WhatsApp csevegés vele: ", ""},
                                      {"Chat WhatsApp dengan ", ""},
                                      {"Chat WhatsApp con ", ""},
                                      {"", "とのWhatsAppチャット"},
                                      {"", "とのWhatsAppトーク"},
                                      {"WhatsApp чат: ", ""},
                                      {"", " ಜೊತೆ WhatsApp ಸಂಭಾಷಣೆ"},
                                      {"", "님과의 WhatsApp 대화"},
                                      {"", "님과 WhatsApp 대화"},
                                      {"WhatsApp 대화 - ", ""},
                                      {"WhatsApp pokalbis su ", ""},
                                      {"WhatsApp sarakste ar ", ""},
                                      {"WhatsApp разговор со ", ""},
                                      {"", " മായുള്ള WhatsApp ചാറ്റുകൾ"},
                                      {"", " सोबतच्या WhatsApp गप्पा"},
                                      {"Sembang WhatsApp dengan ", ""},
                                      {"WhatsApp-samtale med ", ""},
                                      {"WhatsApp-chat met ", ""},
                                      {"WhatsApp Chat met ", ""},
                                      {"", " ਨਾਲ WhatsApp ਗੱਲਬਾਤ"},
                                      {"Czat WhatsApp z ", ""},
                                      {"Conversa no WhatsApp com ", ""},
                                      {"Conversa do WhatsApp com ", ""},
                                      {"Conversație WhatsApp cu ", ""},
                                      {"Чат WhatsApp с контактом ", ""},
                                      {"Чат WhatsApp с ", ""},
                                      {"WhatsApp chat s používateľom ", ""},
                                      {"WhatsApp klepet z ", ""},
                                      {"Biseda me ", " në WhatsApp"},
                                      {"WhatsApp Ћаскање са ", ""},
                                      {"WhatsApp-chatt med ", ""},
                                      {"Soga za WhatsApp na ", ""},
                                      {"", " உடன் WhatsApp உரையாடல்"},
                                      {"", " తో WhatsApp సంభాషణ"},
                                      {"แชท WhatsApp กับ ", ""},
                                      {"WhatsApp Chat kay ", ""},
                                      {"", " ile WhatsApp Sohbeti"},
                                      {"Бесіда WhatsApp з ", ""},
                                      {"Чат WhatsApp із ", ""},
                                      {"", " کے ساتھ WhatsApp بات چیت"},
                                      {"", " bilan WhatsApp chati"},
                                      {"Trò chuyện WhatsApp với ", ""},
                                      {"WhatsApp 与 ", " 的对话"},
                                      {"WhatsApp 與 ", " 的對話"},
                                      {"与", "的 WhatsApp 对话"},
                                      {"與", "的 WhatsApp 對話"},
                                      {"与 ", " 的 WhatsApp 对话"},
                                      {"與 ", " 的 WhatsApp 對話"},
                                      {"WhatsApp 聊天 - ", ""},
                                      {"WhatsApp 对话 - ", ""},
                                      {"WhatsApp 對話 - ", ""},
                                      {"WhatsApp 与", "的对话"},
                                      {"WhatsApp 與", "的對話"}};
  const std::size_t slash = path.rfind('/');
  if (slash != absl::string_view::npos) path.remove_prefix(slash + 1);
  const std::string lower = absl::AsciiStrToLower(path);
  if (!absl::EndsWith(lower, ".txt") && !absl::EndsWith(lower, ".zip")) return std::nullopt;
  path.remove_suffix(4);
  // "… (1)", as a browser names the second of one name.
  if (const std::size_t open = path.rfind(" (");
      open != absl::string_view::npos && path.size() > 3 && path.back() == ')') {
    const absl::string_view number = path.substr(open + 2, path.size() - open - 3);
    if (!number.empty() && number.size() < 4 &&
        std::all_of(number.begin(), number.end(),
                    [](char c) { return absl::ascii_isdigit(static_cast<unsigned char>(c)); })) {
      path = path.substr(0, open);
    }
  }
  // Where a program put underscores for blanks, it did so everywhere.
  std::string name(path);
  if (name.find(' ') == std::string::npos) std::replace(name.begin(), name.end(), '_', ' ');
  for (const Title& title : kTitles) {
    if (name.size() <= title.before.size() + title.behind.size()) continue;
    absl::string_view left = name;
    if (!absl::ConsumePrefix(&left, title.before) || !absl::ConsumeSuffix(&left, title.behind))
      continue;
    left = TrimBlanks(left);
    if (!left.empty()) return std::string(left);
  }
  return std::nullopt;
}

}  // namespace sealbook::anonymizer
