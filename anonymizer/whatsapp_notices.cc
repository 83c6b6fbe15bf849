// What WhatsApp itself says in a chat: that messages are encrypted, that a number changed, what
// became of a group.
#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "anonymizer/encodings.h"
#include "anonymizer/whatsapp_words.h"

namespace sealbook::anonymizer {
namespace {

// How notices begin, in small and capital letters as they are.
constexpr absl::string_view kNotices =
    "Messages and calls are end-to-end|Messages to this chat and calls are now|Messages to this "
    "group are now|"
    "Messages you send to this|Messages are end-to-end|Messages and calls are now secured|"
    "Messages to this chat are|Messages to this group are|This chat is with a business|"
    "This business uses |This business works with |This business is now |Your security code with "
    "|Your security code changed|הודעות ושיחות מוצפנות|"
    "ההודעות והשיחות מוצפנות|קוד האבטחה עם |Сообщения и звонки защищены|Ваш код безопасности с |"
    "Les messages et les appels sont|Les messages et appels sont|Les messages que vous envoyez|"
    "Votre code de sécurité avec |I messaggi e le chiamate sono|I messaggi inviati a questa|"
    "Il tuo codice di sicurezza con |As mensagens e chamadas são|As mensagens e as chamadas são|"
    "As mensagens e as ligações são|As mensagens e as chamadas têm|As mensagens que você enviar|"
    "O seu código de segurança partilhado com |Seu código de segurança com |Los mensajes y las "
    "llamadas están|"
    "Los mensajes y llamadas en este chat|Los mensajes que envíes|Cambió tu código de seguridad "
    "con |"
    "Tu código de seguridad con |Τα μηνύματα και οι κλήσεις|Ο κωδικός ασφαλείας σας με |"
    "Повідомлення й дзвінки захищено|Код безпеки з |Nachrichten und Anrufe sind|Nachrichten in "
    "diesem Chat|"
    "Nachrichten, die du in|Nachrichten, die Sie|Deine Sicherheitsnummer für |Die "
    "Sicherheitsnummer von |"
    "الرسائل والمكالمات مشفرة|تغيّر رمز أمانك|মেসেজ এবং কল "
    "এন্ড|訊息和通話經端對端|訊息與通話已受端對端|"
    "訊息和通話已受端對端|訊息已受端對端|消息和通话都进行端到端|消息和通话已进行端到端|"
    "消息和通话已获得端对端|您發送到此對話的|"
    "您发送给这个|Tin nhắn và cuộc gọi được mã hóa|Tin nhắn và cuộc gọi được mã hoá|Mã bảo mật của "
    "bạn với |"
    "میسجز اور کالز اینڈ|Mesajlar ve aramalar uçtan uca|ข้อความและการโทรได้รับ|รหัสความปลอดภัยของคุณกับ |"
    "Meddelanden och samtal är|Správy a hovory sú|Bezpečnostný kód, ktorý |Wiadomości i połączenia "
    "są|"
    "Wiadomości i rozmowy są|Twój kod zabezpieczeń z |Mesajele și apelurile sunt|Codul dvs. de "
    "securitate cu |"
    "Berichten en gesprekken worden|Uw beveiligingscode voor |Je beveiligingscode voor |"
    "Meldinger og samtaler er|Sikkerhetskoden med |Mesej dan panggilan disulitkan|"
    "मेसेजेस आणि कॉल्स एन्ड|मैसेजेस और कॉल्स एंड|메시지 및 전화는 종단간|메시지와 통화는 종단간|메시지와 "
    "통화는 종단 간|"
    "메시지 및 전화는 암호화|메시지 및 통화는 "
    "종단간|メッセージと通話はエンドツーエンド|メッセージと通話は、エンドツーエンド|"
    "Az üzenetek és hívások végpontok|Pesan dan panggilan terenkripsi|Kode keamanan Anda dengan |"
    "Poruke i pozivi zaštićeni|Vaš sigurnosni kôd za |મેસેજ અને કૉલ શરૂથી|Viestit ja puhelut salataan|"
    "Viestit ja puhelut ovat|پیام‌ها و تماس‌ها سرتاسر|پیامها و "
    "تماسها "
    "سرتاسر|Beskeder "
    "og "
    "opkald er|"
    "Din sikkerhedskode for |Zprávy a hovory jsou|Bezpečnostní kód mezi |Els missatges i les "
    "trucades estan|"
    "Съобщенията и обажданията";
// What stands behind a name in such a notice.
constexpr absl::string_view kNoticeEnds =
    "님과의 보안 코드가 "
    "변경되었습니다|とのセキュリティコードが変更されました|的安全代碼已變更|的安全碼已變更|"
    "的安全代码已更改|"
    "के लिए आपका सुरक्षा कोड बदल गया है|ile aranızdaki güvenlik kodu değişti|biztonsági kódja "
    "megváltozott";

// The group itself, and what is done to groups alone.
constexpr absl::string_view kGroup =
    "group|grupo|gruppe|groupe|gruppo|groep|grup|ryhmä|skupin|csoport|груп|ομάδα|그룹|群|グループ|"
    "กลุ่ม|nhóm|"
    "קבוצ|مجموعة|المجموعة|گروه|گروپ|ग्रुप|समूह|গ্রুপ|குழு|గ్రూప్|ಗುಂಪು|ഗ്രൂപ്പ|ਗਰੁੱਪ|ગ્રૂપ|kumpulan|kikundi|"
    "guruh|community|comunidad|comunidade|communauté|커뮤니티|社区|社群|コミュニティ|invite link|"
    "changed the subject|cambió el asunto|hat den Betreff|a changé le sujet|mudou o assunto|"
    "alterou o assunto|ha cambiato l'oggetto|изменил тему|изменила тему|created this|"
    "You're now an admin";

// Somebody goes.
constexpr absl::string_view kGoing =
    "님이 나갔습니다|님이 나가셨습니다|已退出|已離開|離開了|离开了|verlassen| salió|est parti|a "
    "quitté|è uscito| saiu|вышел|покинул| ayrıldı";
// Or comes, or is put in or out.
constexpr absl::string_view kComing =
    "님을 추가했습니다|님이 추가|님이 참여|님을 초대|나를 "
    "추가했습니다|添加了|移除了|已加入|加入了|新增了| "
    "added | removed | joined|You were added|hinzugefügt|entfernt|añadió a|agregó a| se unió|"
    "eliminó a|a ajouté|a retiré|a rejoint|ha aggiunto|ha rimosso| adicionou | removeu |добавил|"
    "присоединил|toegevoegd| ekledi|admin";
// Put into a list of the phone, which says nothing of a group.
constexpr absl::string_view kLists =
    "your contacts|address book|phone number|favorites|favourites|this chat|this contact|joined "
    "whatsapp|contactos|"
    "contatos|contatti|kontakte|favoriten|favoris|favoritos|preferiti|연락처|즐겨찾기|連絡先|"
    "通讯录|"
    "通訊錄|联系人|聯絡人|お気に入り|收藏|контакт|избранн";
// A call of several is none of a group's.
constexpr absl::string_view kCalls =
    "call|anruf|llamada|appel|chamada|ligação|chiamat|звон|дзвін|통화|전화|通話|通话|arama|"
    "panggilan|"
    "oproep|gesprek|samtal|opkald|anrop|połączeni|hovor|apel |κλήση|cuộc gọi|कॉल|مكالمة|שיחה|שיחת";

constexpr absl::string_view kGroupActs =
    "changed the subject|changed the group|changed this group|changed the description|created "
    "group|"
    "created this group|joined using|cambió el asunto|cambió la descripción|cambió el nombre del "
    "grupo|"
    "creó el grupo|hat den betreff|hat die gruppe|hat den gruppennamen|a changé le sujet|"
    "a changé la description|a créé le groupe|mudou o assunto|alterou o assunto|mudou a descrição|"
    "criou o grupo|ha cambiato l'oggetto|ha cambiato la descrizione|ha creato il gruppo|"
    "그룹을 만들었습니다|그룹 이름을|그룹 "
    "설명을|更改了群|更改了本群|變更了群|建立了群|创建了群|創建了群|グループを作成|"
    "グループの件名を|グループ名を|создал(-а) группу|создал группу|изменил(-а) тему|grubu "
    "oluşturdu|membuat grup|"
    "mengubah subjek";

}  // namespace

bool IsNotice(absl::string_view text) {
  static const auto* const begins =
      new std::vector<std::string>(absl::StrSplit(kNotices, '|', absl::SkipEmpty()));
  static const auto* const ends =
      new std::vector<std::string>(absl::StrSplit(kNoticeEnds, '|', absl::SkipEmpty()));
  // By the first byte and the second: nearly no text of a person comes so far.
  static const auto* const first = [] {
    auto* bytes = new std::array<bool, 65536>{};
    for (const std::string& begin : *begins) {
      (*bytes)[static_cast<std::uint8_t>(begin[0]) * 256U + static_cast<std::uint8_t>(begin[1])] =
          true;
    }
    return bytes;
  }();
  if (text.size() < 12) return false;
  if ((*first)[static_cast<std::uint8_t>(text[0]) * 256U + static_cast<std::uint8_t>(text[1])] &&
      std::any_of(begins->begin(), begins->end(),
                  [&](const std::string& begin) { return absl::StartsWith(text, begin); })) {
    return true;
  }
  return text.size() < 600 && !IsAscii(text) &&
         std::any_of(ends->begin(), ends->end(),
                     [&](const std::string& end) { return absl::StrContains(text, end); });
}

GroupSign GroupSignOf(absl::string_view text) {
  if (IsGroupAct(text)) return GroupSign::kGroup;
  const absl::string_view head = text.substr(0, 1000);
  const std::string small = absl::AsciiStrToLower(head);
  const auto holds = [&](const std::vector<std::string>& words) {
    return std::any_of(words.begin(), words.end(), [&](const std::string& word) {
      return absl::StrContains(small, word) || absl::StrContains(head, word);
    });
  };
  static const auto* const group =
      new std::vector<std::string>(absl::StrSplit(kGroup, '|', absl::SkipEmpty()));
  static const auto* const calls =
      new std::vector<std::string>(absl::StrSplit(kCalls, '|', absl::SkipEmpty()));
  // That messages and calls are encrypted may be said of a group.
  if (holds(*group) && (IsNotice(text) || !holds(*calls))) return GroupSign::kGroup;
  static const auto* const going =
      new std::vector<std::string>(absl::StrSplit(kGoing, '|', absl::SkipEmpty()));
  if (absl::EndsWith(absl::StripTrailingAsciiWhitespace(small), " left") || holds(*going))
    return GroupSign::kGoing;
  static const auto* const coming =
      new std::vector<std::string>(absl::StrSplit(kComing, '|', absl::SkipEmpty()));
  static const auto* const lists =
      new std::vector<std::string>(absl::StrSplit(kLists, '|', absl::SkipEmpty()));
  return holds(*coming) && !holds(*lists) ? GroupSign::kComing : GroupSign::kNone;
}

bool IsGroupAct(absl::string_view text) {
  static const auto* const words =
      new std::vector<std::string>(absl::StrSplit(kGroupActs, '|', absl::SkipEmpty()));
  const std::string small = absl::AsciiStrToLower(text.substr(0, 1000));
  return std::any_of(words->begin(), words->end(),
                     [&](const std::string& word) { return absl::StrContains(small, word); });
}

}  // namespace sealbook::anonymizer
