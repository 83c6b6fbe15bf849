#include "anonymizer/whatsapp_words.h"

#include <unicode/locid.h>
#include <unicode/unistr.h>

#include <algorithm>
#include <cstdint>
#include <string>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "anonymizer/written_text.h"

namespace sealbook::anonymizer {
namespace {

// Longer texts are nothing that the app wrote.
constexpr std::size_t kMaxPlaceholderBytes = 200;

// Without < > and a dot at the end; either capital or small letters.
constexpr absl::string_view kMedia =
    // For all kinds, Android.
    "Media omitted|Media weggelaat|تم استبعاد الوسائط|media buraxıldı|Media çıxarılmışdır|Без файл|"
    "মিডিয়া বাদ দেওয়া হয়েছে|fitxers multimèdia omesos|Mitjans omesos|média vynechány|Média "
    "vynechána|"
    "medier udeladt|Mediefil udeladt|Medien ausgeschlossen|Medien weggelassen|Medien ausgelassen|"
    "αρχείο παραλήφθηκε|Εξαίρεση πολυμέσων|Multimedia omitido|Archivo omitido|Archivos omitidos|"
    "Archivo multimedia omitido|meedia välja jäetud|Meedia ära jäetud|رسانه حذف شد|پيوست نما/آهنگ "
    "حذف شد|"
    "media jätettiin pois|Media jätetty pois|Médias omis|Fichier omis|મિડિયા છોડી મૂકાયું|મીડિયા "
    "અવગણાયું|"
    "મીડિયા અવગણવામાં આવ્યા|मीडिया के बिना|medijski zapis izostavljen|média elhagyva|Hiányzó "
    "médiafájl|"
    "media tidak disertakan|media omessi|Media omesso|המדיה לא נכללה|מדיה הושמטה|メディアなし|"
    "メディアは含まれていません|файлдар қосылмаған|Файл қосылған жоқ|ಮಾಧ್ಯಮ ಕೈಬಿಡಲಾಗಿದೆ|ಮೀಡಿಯಾ ಕೈಬಿಡಲಾಗಿದೆ|"
    "미디어 파일 제외됨|미디어 파일을 생략한 대화내용|미디어 파일 생략됨|미디어 "
    "생략됨|ບໍ່ລວມມີເດຍ|medija praleista|"
    "Praleistas medijos turinys|nav iekļauta multivide|Bez multivides|без фајлови|Без фајл|മീഡിയ "
    "ഒഴിവാക്കി|"
    "मीडिया वगळण्यात आला|मीडिया वगळले|media dikecualikan|Media disingkirkan|media utelatt|Uten "
    "vedlegg|"
    "Media weggelaten|ਮੀਡੀਆ ਛੱਡਿਆ|ਮੀਡੀਆ ਛੱਡਿਆ ਗਿਆ|ਮੀਡੀਆ ਛਡਿਆ ਗਿਆ|pominięto multimedia|pliki "
    "pominięto|"
    "Ficheiro não revelado|Mídia omitida|Mídia oculta|Mídias ocultas|Arquivo de mídia oculto|"
    "Conținut media omis|Без медиафайлов|Файл пропущен|Médiá vynechané|datoteke izpuščene|Medij "
    "izpuščen|"
    "media u hoq|Media hequr|Pa media|медији су изостављени|media utelämnat|Media har utelämnats|"
    "media hazijajumuishwa|Media imerukwa|கோப்புகள் விடப்பட்டன|ஊடகங்கள் நீக்கப்பட்டது|"
    "మీడియా విస్మరించబడింది|మాధ్యమం విస్మరించబడింది|ไฟล์สื่อถูกลบ|สื่อถูกลบ|inalis ang media|"
    "Walang kalakip na media|medya dahil edilmedi|Medya atlanmış|медіа пропущено|میڈیا چھوڑ دیا "
    "گیا|"
    "میڈیا ہٹا دیا گیا|fayl o‘tkazib yuborildi|fayl o'tkazib yuborildi|bỏ qua tệp phương tiện|Bỏ "
    "qua Media|"
    "忽略多媒體檔|忽略多媒體檔案|省略多媒體檔案|已略去多媒體檔案|省略多媒体文件|忽略多媒体文件|"
    "媒体文件已省略|"
    // Of one kind, iOS.
    "image omitted|video omitted|audio omitted|sticker omitted|GIF omitted|Contact card omitted|"
    "document omitted|video note omitted|voice message omitted|photo omitted|"
    "התמונה הושמטה|סרטון הווידאו הושמט|קטע קול הושמט|סטיקר הושמט|GIF הושמט|כרטיס איש קשר "
    "הושמט|מסמך הושמט|"
    "изображение отсутствует|видео отсутствует|аудиофайл отсутствует|стикер не добавлен|GIF "
    "отсутствует|"
    "Карточка контакта отсутствует|документ отсутствует|"
    "image absente|vidéo absente|audio omis|sticker omis|GIF retiré|Fiche contact "
    "manquante|document manquant|"
    "document omis|image omise|vidéo omise|"
    "immagine omessa|video omesso|audio omesso|sticker non incluso|GIF esclusa|Scheda contatto "
    "omessa|"
    "documento omesso|imagem não revelada|vídeo não revelado|ficheiro de áudio não revelado|"
    "sticker não revelado|GIF não revelada|Contacto não revelado|documento não revelado|"
    "imagem ocultada|imagem omitida|vídeo omitido|áudio ocultado|áudio omitido|figurinha "
    "omitida|GIF omitido|"
    "Cartão do contato omitido|documento omitido|imagen omitida|Video omitido|audio "
    "omitido|sticker omitido|"
    "Tarjeta de contacto omitida|εικόνα παραλείφθηκε|βίντεο παραλείφθηκε|ήχος παραλείφθηκε|"
    "αυτοκόλλητο παραλήφθηκε|Παράληψη GIF|Η κάρτα επαφής παραλήφθηκε|έγγραφο παραλείφθηκε|"
    "зображення відсутнє|відео відсутнє|аудіо відсутнє|Наклейку не додано|GIF-анімацію пропущено|"
    "Картка контакту відсутня|документ пропущено|Bild weggelassen|Video weggelassen|Audio "
    "weggelassen|"
    "Sticker weggelassen|GIF weggelassen|Kontaktkarte ausgelassen|Kontaktkarte "
    "weggelassen|Dokument weggelassen|"
    "لم يتم إدراج الصورة|لم يتم إدراج الفيديوهات|لم يتم إدراج الفيديو|لم يتم إدراج المقاطع الصوتية|"
    "تم حذف الملصقات|لم يتم إدراج صورة GIF|لم يتم إدراج بطاقة جهة اتصال|لم يتم إدراج المستند|"
    "ইমেজ বাদ দেওয়া হয়েছে|ভিডিও বাদ দেওয়া হয়েছে|অডিও বাদ দেওয়া হয়েছে|স্টিকার বাদ দেওয়া হয়েছে|"
    "জিআইএফ বাদ দেওয়া হয়েছে|পরিচিতির কার্ড বাদ দেওয়া হয়েছে|ডকুমেন্ট বাদ দেওয়া হয়েছে|"
    "圖片已略去|圖像已省略|影片已略去|影片已省略|音訊已略去|音訊已省略|貼圖已略去|貼圖已忽略|GIF "
    "已略去|"
    "GIF 圖片已被省略|聯絡人卡片已略去|聯絡人卡片已省略|文件已略去|文件已忽略|"
    "照片已忽略|图片已忽略|图像已忽略|视频已忽略|音频已忽略|贴图已省略|GIF "
    "动态图已被忽略|联系人卡片已忽略|"
    "文档已省略|文档已忽略|"
    "đã bỏ qua hình ảnh|đã bỏ video|bỏ qua tệp âm thanh|đã bỏ sticker|Đã bỏ qua ảnh GIF|Bỏ qua thẻ "
    "liên lạc|"
    "đã bỏ qua tài liệu|تصویر نکال دی گئی ہے|ویڈیو نظرانداز|آڈیو نظرانداز|اسٹیکر نظرانداز|GIF "
    "نظرانداز|"
    "رابطہ کارڈ نظر انداز|دستاویز نظرانداز|görüntü dahil edilmedi|video dahil edilmedi|ses dahil "
    "edilmedi|"
    "Çıkartma dahil edilmedi|GIF dahil edilmedi|Kişi kartı dahil edilmedi|belge dahil edilmedi|"
    "ไม่มีรูปภาพ|วิดีโอถูกลบ|ไม่มีไฟล์เสียง|ไม่มีสติกเกอร์|ละเว้น GIF|บัตรรายชื่อที่ละเว้น|ละเว้นเอกสาร|"
    "bild utesluten|video utesluten|ljud utelslutet|ljud uteslutet|sticker utesluten|GIF utesluten|"
    "Kontaktkort uteslutet|dokument uteslutet|obrázok vynechaný|video vynechané|zvuk vynechaný|"
    "nálepka vynechaná|GIF vynechaný|Karta kontaktu vynechaná|dokument vynechaný|obraz pominięty|"
    "wideo pominięte|audio pominięte|pominięto naklejkę|Plik GIF pominięty|Pominięta wizytówka "
    "kontaktu|"
    "dokument pominięty|Imagine omisă|clip video omis|fără audio|GIF omis|Carte de vizită contact "
    "omisă|"
    "afbeelding weggelaten|video weggelaten|audio weggelaten|sticker weggelaten|GIF weggelaten|"
    "Visitekaartje weggelaten|document weggelaten|bilde ikke inkludert|video utelatt|lyd utelatt|"
    "klistremerke utelatt|GIF utelatt|Kontaktkort sløyfet|utelatt dokument|imej tidak dimasukkan|"
    "video tidak dimasukkan|audio tidak dimasukkan|pelekat tidak dimasukkan|GIF tidak dimasukkan|"
    "Kad kenalan tidak dimasukkan|dokumen tidak dimasukkan|इमेज वगळली|व्हिडीओ वगळला|ऑडिओ वगळला|"
    "स्टिकर वगळले|GIF वगळले|संपर्क कार्ड वगळले|डॉक्युमेंट वगळले|"
    "이미지 생략됨|사진 생략됨|비디오 생략됨|동영상 생략됨|오디오 생략됨|음성 메시지 생략됨|스티커 "
    "제외됨|스티커 생략됨|"
    "GIF 생략됨|연락처 카드 생략됨|연락처 생략됨|문서 생략됨|"
    "画像は含まれていません|ビデオは含まれていません|動画は含まれていません|音声は含まれていません|"
    "スタンプは含まれていません|GIFは含まれていません|連絡先カードを省略|"
    "ドキュメントは含まれていません|"
    "kép küldése sikertelen|kép kihagyva|Videó kihagyva|Hang kihagyása|matrica kihagyva|GIF fájl "
    "kihagyása|"
    "Névjegykártya kihagyva|dokumentum kihagyva|gambar tidak disertakan|video tidak disertakan|"
    "audio tidak disertakan|stiker tidak disertakan|GIF tidak disertakan|Kartu kontak tidak "
    "disertakan|"
    "dokumen tidak disertakan|slika izostavljena|video izostavljen|zvuk izostavljen|naljepnica "
    "izostavljena|"
    "GIF izostavljen|Posjetnica izostavljena|dokument izostavljen|फ़ोटो हटाई गई|वीडियो छोड़ा गया|"
    "ऑडियो हटाई गयी|स्टिकर छोड़ा गया|GIF छोड़ा गया|कॉन्टैक्ट कार्ड छोड़ा गया|डॉक्यूमेंट छोड़ा गया|"
    "છબી પડતી મૂકાઈ|વિડિયો પડતી મુકાઈ|ઓડિયો ફાઇલ શામેલ કરી નથી|સ્ટીકર પડતું મુકાયું|GIF પડતી મૂકાઈ|"
    "સંપર્કનું કાર્ડ પડતું મૂકાયું|ડોક્યુમેન્ટ સામેલ કર્યું નહિ|íomhá ligthe ar lár|físeán ligthe ar lár|"
    "comhad fuaime ar lár|fágadh an greamán ar lár|GIF ligthe ar lár|Cárta teagmhála ar lár|"
    "cáipéis ligthe ar lár|ei kuvaa|videota ei sisällytetä|äänitiedostoa ei sisällytetä|"
    "tarraa ei sisällytetty|GIF-animaatio jätetty pois|Yhteystietokortti jätettiin pois|"
    "dokumenttia ei sisällytetä|تصویر حذف شد|ویدیو حذف شد|صدا حذف شد|استیکر حذف شد|GIF حذف شد|"
    "برگ مخاطب حذف شد|سند حذف شد|billede udeladt|video udeladt|lyd udeladt|klistermærke "
    "udeladt|GIF udeladt|"
    "Kontaktkort udeladt|dokument udeladt|obrázek vynechán|video vynecháno|zvukový soubor vynechán|"
    "nálepka vynechána|GIF vynechán|Vizitka vynechána|dokument vynechán|Imatge omesa|vídeo "
    "omès|Àudio omès|"
    "adhesiu omès|GIF omès|Targeta de contacte omesa|Document omès";

// In brackets behind a file's name, Android.
constexpr absl::string_view kAttached =
    "file attached|lêer aangeheg|الملف مرفق|fayl əlavə olunub|прикачен файл|ফাইল সংযুক্ত হয়েছে|arxiu "
    "adjunt|"
    "soubor byl přiložen|fil vedhæftet|Datei angehängt|συνημμένο αρχείο|archivo adjuntado|archivo "
    "adjunto|"
    "fail lisatud|liitetiedosto|fichier joint|ફાઇલ જોડાયેલ|קובץ מצורף|फाइल अटैच कर दी गई है|"
    "datoteka u privitku|fájl csatolva|file terlampir|file "
    "allegato|添付ファイル有り|添付ファイル|қосымша файл|"
    "ಕಡತ ಸೇರಿಸಲಾಯಿತು|파일 첨부됨|byla prisegta|pievienots fails|прикачен фајл|ഫയൽ ചേർത്തു|फाइल संलग्न|"
    "fail dilampirkan|vedlagt fil|bestand bijgevoegd|ਫਾਈਲ ਅਟੈਚ ਕੀਤੀ|ਅਟੈਚ ਕੀਤੀ ਫਾਇਲ|załączony plik|"
    "ficheiro anexado|arquivo anexado|fișier atașat|файл добавлен|súbor pripojený|priložena "
    "datoteka|"
    "skedë e ngjitur|прикачена датотека|bifogad fil|faili limeambatanishwa|இணைக்கப்பட்டது|"
    "ఫైల్ జోడించబడినది|ไฟล์ที่แนบ|nakalakip na file|dosya ekli|файл додано|پیوستہ فائل|fayl biriktirildi|"
    "tệp đính kèm|文件附件|附件檔案|附件";

constexpr absl::string_view kDeleted =
    "This message was deleted|You deleted this message|You deleted this message as admin|"
    "This message was deleted by an admin|You deleted this message for everyone|"
    "הודעה זו נמחקה|מחקת את ההודעה הזו|מחקת הודעה זו|Данное сообщение удалено|Это сообщение "
    "удалено|"
    "Сообщение удалено|Вы удалили это сообщение|Вы удалили данное сообщение|Ce message a été "
    "supprimé|"
    "Vous avez supprimé ce message|Questo messaggio è stato eliminato|Hai eliminato questo "
    "messaggio|"
    "Esta mensagem foi apagada|Esta mensagem foi apagada pelo remetente|Apagou esta mensagem|"
    "Você apagou esta mensagem|Mensagem apagada|Se eliminó este mensaje|Este mensaje fue eliminado|"
    "Eliminaste este mensaje|Αυτό το μήνυμα διαγράφηκε|Διαγράψατε αυτό το μήνυμα|Διαγράψατε το "
    "μήνυμα|"
    "Це повідомлення було видалено|Ви видалили це повідомлення|Diese Nachricht wurde gelöscht|"
    "Du hast diese Nachricht gelöscht|تم حذف هذه الرسالة|لقد حذَفت هذه الرسالة|لقد حذفت هذه الرسالة|"
    "أنت حذفت هذه الرسالة|এই মেসেজটি বাদ দেওয়া হয়েছে|আপনি এই মেসেজটি বাদ দিয়েছেন|এই বার্তাটি মুছে "
    "ফেলা হয়েছে|"
    "আপনি এই বার্তাটি মুছে "
    "ফেলেছেন|此訊息已刪除|您已刪除此訊息|你已刪除此訊息|这条消息已被删除|这条消息已删除|"
    "此消息已被删除|"
    "信息已删除|您已删除这条消息|你已删除这条消息|您删除了这条消息|你删除了这条消息|您刪除了此訊息|"
    "您删除这个信息|"
    "Tin nhắn này đã bị xóa|Tin nhắn này đã bị xoá|Bạn đã xóa tin nhắn này|Bạn đã xoá tin nhắn này|"
    "یہ میسج حذف کر دیا گیا ہے|آپ نے یہ میسج حذف کر دیا ہے|یہ پیغام حذف کیا گیا|آپ نے اس پیغام کو "
    "حذف کیا|"
    "Bu mesaj silindi|Bu mesajı sildiniz|ข้อความนี้ถูกลบแล้ว|ข้อความนี้ได้ถูกลบ|คุณได้ลบข้อความนี้|คุณลบข้อความนี้|"
    "Det här meddelandet raderades|Detta meddelande raderades|Du har tagit bort meddelandet|"
    "Du raderade det här meddelandet|Du raderade detta meddelande|Táto správa bola odstránená|"
    "Túto správu ste odstránili|Ta wiadomość została usunięta|Usunąłeś(-ęłaś) tę wiadomość|"
    "Usunąłeś(aś) tę wiadomość|Usunięto tę wiadomość|Acest mesaj a fost șters|Ați șters acest "
    "mesaj|"
    "Ai șters acest mesaj|Dit bericht is verwijderd|U hebt dit bericht verwijderd|"
    "Je hebt dit bericht verwijderd|Denne meldingen ble slettet|Du slettet denne meldingen|"
    "Mesej ini telah dipadam|Anda telah memadamkan mesej ini|हा मेसेज हटवण्यात आला|तुम्ही हा मेसेज हटवला|"
    "हा संदेश हटविण्यात आला होता|आपण हा संदेश हटविलात|이 메시지는 삭제되었습니다|이 메시지가 "
    "삭제되었습니다|"
    "삭제한 메시지입니다|이 메시지를 삭제했습니다|내가 이 메시지를 삭제했습니다|삭제된 "
    "메시지입니다|"
    "このメッセージは削除されました|このメッセージを削除しました|Ez az üzenet törlésre került|Ezt "
    "az üzenetet törölted|"
    "Törölted ezt az üzenetet|Pesan ini dihapus|Pesan ini telah dihapus|Anda menghapus pesan ini|"
    "Anda telah menghapus pesan ini|Ova je poruka izbrisana|Ova poruka je izbrisana|Izbrisali ste "
    "ovu poruku|"
    "यह मैसेज डिलीट कर दिया गया है|आपने यह मैसेज डिलीट किया|यह संदेश मिटाया गया|आपने यह संदेश मिटाया|"
    "આ મેસેજ ડિલીટ કરાયો|તમે આ મેસેજ ડિલીટ કર્યો|આ સંદેશ રદ્દ કરાયો|તમે આ સંદેશને રદ્દ કર્યો|"
    "Scriosadh an teachtaireacht seo|Scrios tú an teachtaireacht seo|Tämä viesti poistettiin|"
    "Poistit tämän viestin|این پیام حذف شده است|این پیام حذف شد|شما این پیام را حذف کردید|"
    "Denne besked er blevet slettet|Denne besked blev slettet|Du har slettet denne besked|"
    "Du slettede denne besked|Tato zpráva byla smazána|Tato zpráva byla odstraněna|Tuto zprávu "
    "jste smazal/a|"
    "Tuto zprávu jste odstranil/a|Aquest missatge s'ha suprimit|Has suprimit aquest missatge|"
    "Aquest missatge està esborrat|Has esborrat aquest missatge|Itong mensahe ay binura na|"
    "Binura mo itong mensahe|Šī ziņa tika izdzēsta|Jūs izdzēsāt šo ziņu|Бұл хат жойылды|Сіз бұл "
    "хатты жойдыңыз|"
    "Ushbu xabar o‘chirildi|Siz ushbu xabarni o‘chirdingiz|To sporočilo je bilo izbrisano|"
    "To sporočilo ste izbrisali|Ujumbe huu ulifutwa|Umefuta ujumbe huu|இத்தகவல் திரும்பப்பெறப்பட்டது|"
    "இத்தகவலை தாங்கள் அழித்தீர்கள்|Ši žinutė buvo ištrinta|Jūs ištrynėte šią žinutę|See sõnum on "
    "kustutatud|"
    "Kustutasid selle sõnumi|Съобщението беше изтрито|Изтрихте това съобщение|Hierdie boodskap was "
    "uitgevee|"
    "Jy het boodskap uitgevee|Bu ismarıc silindi|Siz bu ismarıcı sildiniz|ഈ സന്ദേശം ഇല്ലാതാക്കിയതാണ്|"
    "ഈ സന്ദേശം നിങ്ങൾ ഇല്ലാതാക്കി|Оваа порака беше избришана|Ја избриша оваа порака|ಈ ಸಂದೇಶವು ಅಳಿಸಲ್ಪಟ್ಟಿದೆ|"
    "ನೀವು ಈ ಸಂದೇಶವನ್ನು ಅಳಿಸಿದ್ದೀರಿ|Ова порука је обрисана|Обрисао/ла си ову поруку|ਇਸ ਸੁਨੇਹੇ ਨੂੰ ਹਟਾਇਆ ਗਿਆ|"
    "ਤੁਸੀਂ ਇਹ ਸੁਨੇਹਾ ਹਟਾਇਆ";

constexpr absl::string_view kEdited =
    "This message was edited|Message edited|Edited|Diese Nachricht wurde bearbeitet|Se editó este "
    "mensaje|"
    "Este mensaje fue editado|Mensaje editado|Ce message a été modifié|Message modifié|Mensagem "
    "editada|"
    "Esta mensagem foi editada|Questo messaggio è stato modificato|Messaggio modificato|"
    "Dit bericht is bewerkt|Это сообщение изменено|Сообщение изменено|Данное сообщение "
    "изменено|ההודעה נערכה|"
    "הודעה זו נערכה|تم تعديل هذه الرسالة|تم تحرير هذه الرسالة|Bu mesaj düzenlendi|Pesan ini diedit|"
    "Pesan ini telah diedit|Mesej ini telah disunting|메시지가 수정되었습니다|이 메시지는 "
    "수정되었습니다|수정된 메시지|"
    "このメッセージは編集されました|メッセージが編集されました|此訊息已編輯|此消息已编辑|"
    "已编辑此消息|这条消息已编辑|"
    "Ta wiadomość została edytowana|Wiadomość edytowana|Це повідомлення змінено|Tato zpráva byla "
    "upravena|"
    "Det här meddelandet har redigerats|Tin nhắn này đã được chỉnh sửa|ข้อความนี้ถูกแก้ไขแล้ว|"
    "Acest mesaj a fost editat|यह मैसेज एडिट किया गया|Αυτό το μήνυμα τροποποιήθηκε";

using Phrases = absl::flat_hash_set<std::string>;

absl::string_view WithoutDot(absl::string_view text) {
  for (;;) {
    const absl::string_view before = text;
    text = TrimBlanks(text);
    for (const absl::string_view dot : {".", "。", "।", "．"}) {
      text = absl::StripSuffix(text, dot);
    }
    if (text.size() == before.size()) return text;
  }
}

// As they stand, in small letters, and with a capital letter.
Phrases MakePhrases(absl::string_view list) {
  Phrases phrases;
  for (const absl::string_view phrase : absl::StrSplit(list, '|')) {
    phrases.emplace(WithoutDot(phrase));
    icu::UnicodeString small = icu::UnicodeString::fromUTF8(
        icu::StringPiece(phrase.data(), static_cast<std::int32_t>(phrase.size())));
    small.toLower(icu::Locale::getRoot());
    std::string text;
    small.toUTF8String(text);
    phrases.insert(text);
    icu::UnicodeString first(small, 0, small.moveIndex32(0, 1));
    small.replace(0, first.length(), first.toUpper(icu::Locale::getRoot()));
    text.clear();
    small.toUTF8String(text);
    phrases.insert(text);
  }
  return phrases;
}

bool Holds(const Phrases& phrases, absl::string_view text) {
  if (text.size() > kMaxPlaceholderBytes) return false;
  const absl::string_view bare = WithoutDot(text);
  if (phrases.contains(bare)) return true;
  return std::any_of(bare.begin(), bare.end(), [](char c) { return c >= 'A' && c <= 'Z'; }) &&
         phrases.contains(absl::AsciiStrToLower(bare));
}

absl::string_view FirstLine(absl::string_view text) { return text.substr(0, text.find('\n')); }

// "IMG-20240101-WA0001.jpg": as WhatsApp itself names files; or any name with a dot and letters.
bool IsFileName(absl::string_view text, bool of_whatsapp) {
  text = TrimBlanks(text);
  const std::size_t dot = text.rfind('.');
  if (dot == absl::string_view::npos || dot == 0) return false;
  const absl::string_view ending = text.substr(dot + 1);
  if (ending.empty() || ending.size() > 5 || !std::all_of(ending.begin(), ending.end(), [](char c) {
        return absl::ascii_isalnum(static_cast<unsigned char>(c));
      })) {
    return false;
  }
  if (!of_whatsapp) return true;
  const absl::string_view name = text.substr(0, dot);
  const std::size_t wa = name.rfind("-WA");
  return wa != absl::string_view::npos && wa >= 8 && wa + 3 < name.size() &&
         std::all_of(name.begin() + static_cast<std::ptrdiff_t>(wa) + 3, name.end(),
                     [](char c) { return absl::ascii_isdigit(static_cast<unsigned char>(c)); });
}

// "IMG-20240101-WA0001.jpg (file attached)", in any language where the name is WhatsApp's.
bool IsAttachedFile(absl::string_view line) {
  if (!absl::EndsWith(line, ")")) return false;
  static const Phrases* const attached = new Phrases(MakePhrases(kAttached));
  for (std::size_t open = line.find(" ("); open != absl::string_view::npos;
       open = line.find(" (", open + 1)) {
    const absl::string_view words = line.substr(open + 2, line.size() - open - 3);
    if (IsFileName(line.substr(0, open), true) || Holds(*attached, words)) return true;
  }
  return false;
}

// "<attached: 00000012-PHOTO-2024-01-01-10-00-00.jpg>", in any language.
bool IsAttachedTag(absl::string_view line) {
  if (!absl::EndsWith(line, ">")) return false;
  const std::size_t open = line.rfind('<');
  if (open == absl::string_view::npos) return false;
  const absl::string_view tag = line.substr(open + 1, line.size() - open - 2);
  const std::size_t colon = tag.find(": ");
  return colon != absl::string_view::npos && colon > 0 && colon < 80 &&
         IsFileName(tag.substr(colon + 2), false);
}

}  // namespace

bool IsMediaPlaceholder(absl::string_view text) {
  static const Phrases* const media = new Phrases(MakePhrases(kMedia));
  absl::string_view line = TrimBlanks(FirstLine(text));
  if (line.empty() || line.size() > 3 * kMaxPlaceholderBytes) return false;
  if (IsAttachedFile(line) || IsAttachedTag(line)) return true;
  if (line.front() == '<' && line.back() == '>') {
    return Holds(*media, TrimBlanks(line.substr(1, line.size() - 2)));
  }
  if (Holds(*media, line)) return true;
  // "Price list.pdf • 2 pages ‎document omitted": a name with a dot, and the placeholder in the
  // end.
  if (line.find('.') == absl::string_view::npos) return false;
  for (std::size_t space = line.find(' '); space != absl::string_view::npos;
       space = line.find(' ', space + 1)) {
    const absl::string_view name = line.substr(0, space);
    const bool is_named = IsFileName(name, false) || absl::StrContains(name, "•");
    if (is_named && Holds(*media, TrimBlanks(line.substr(space)))) return true;
  }
  return false;
}

bool IsDeletedPlaceholder(absl::string_view text) {
  static const Phrases* const deleted = new Phrases(MakePhrases(kDeleted));
  if (text.find('\n') != absl::string_view::npos) return false;
  return Holds(*deleted, text) || (text.size() <= kMaxPlaceholderBytes &&
                                   absl::StartsWith(text, "This message was deleted by admin "));
}

std::size_t EditedMarkBytes(absl::string_view text) {
  static const Phrases* const edited = new Phrases(MakePhrases(kEdited));
  const absl::string_view trimmed = TrimBlanks(text);
  if (!absl::EndsWith(trimmed, ">")) return 0;
  const std::size_t open = text.rfind('<');
  if (open == absl::string_view::npos || text.size() - open > kMaxPlaceholderBytes) return 0;
  absl::string_view words = TrimBlanks(text.substr(open + 1));
  words.remove_suffix(1);
  // What is before it, and whether the app put it there.
  absl::string_view before = text.substr(0, open);
  const absl::string_view unmarked = TrimDirectionMarks(before);
  const bool marked = unmarked.size() < before.size();
  const bool other_language = marked && !TrimBlanks(before).empty() && !words.empty() &&
                              words.find_first_of(":<>\n") == absl::string_view::npos;
  if (!Holds(*edited, words) && !other_language) return 0;
  while (!before.empty()) {
    const absl::string_view trimmed_end = [&] {
      for (std::size_t size = 1; size <= 3 && size <= before.size(); ++size) {
        if (BlankBytes(before.substr(before.size() - size)) == size)
          return before.substr(0, before.size() - size);
      }
      return before;
    }();
    if (trimmed_end.size() == before.size()) break;
    before = trimmed_end;
  }
  return text.size() - before.size();
}

}  // namespace sealbook::anonymizer
