// Payloads after the examples of Meta's documentation of webhooks, with invented people.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/anonymizer/chat_fixture.h"
#include "tests/support/encodings.h"

namespace sealbook::anonymizer {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

constexpr absl::string_view kContact = R"({"profile":{"name":"김하나"},"wa_id":"821012345678"})";

std::string Message(absl::string_view content) {
  return absl::StrCat(R"({"from":"821012345678","id":"wamid.A","timestamp":"1704258300",)", content,
                      "}");
}

std::string Change(absl::string_view value, absl::string_view field = "messages") {
  return absl::StrCat(
      R"({"object":"whatsapp_business_account","entry":[{"id":"10","changes":[{"value":)",
      R"({"messaging_product":"whatsapp","metadata":{"display_phone_number":"82 2-2123-4567",)",
      R"("phone_number_id":"106"},)", value, R"(},"field":")", field, R"("}]}]})");
}

std::string Webhook(absl::string_view content) {
  return Change(
      absl::StrCat(R"("contacts":[)", kContact, R"(],"messages":[)", Message(content), "]"));
}

std::string TextWebhook(absl::string_view body) {
  return Webhook(absl::StrCat(R"("type":"text","text":{"body":")", body, R"("})"));
}

Chat ReadWebhooks(absl::string_view bytes) {
  ChatReaderOptions options = TestChatOptions();
  options.format = ChatFormat::kWebhook;
  auto chat = ReadChat(bytes, options);
  EXPECT_TRUE(chat.ok()) << chat.status();
  if (!chat.ok()) return {};
  EXPECT_TRUE(chat->end.ok()) << chat->end;
  return *std::move(chat);
}

// The one message of a webhook, as "KIND TEXT"; or "!FAULT".
std::string One(absl::string_view content) {
  const Chat chat = ReadWebhooks(Webhook(content));
  if (!chat.rejects.empty()) return absl::StrCat("!", chat.rejects[0].fault);
  if (chat.messages.size() != 1) return absl::StrCat(chat.messages.size(), " messages");
  return absl::StrCat(KindName(chat.messages[0].kind), chat.messages[0].edited ? " edited " : " ",
                      absl::StrReplaceAll(chat.messages[0].text, {{"\n", "|"}}));
}

std::vector<std::string> Identifiers(const ChatMessage& message) {
  std::vector<std::string> out;
  for (const auto& one : message.customer) out.push_back(one.value);
  return out;
}

TEST(WebhookReaderTest, TextFromACustomer) {
  const Chat chat = ReadWebhooks(TextWebhook("안녕하세요\\n\\ud83d\\ude00"));
  ASSERT_THAT(chat.messages, SizeIs(1));
  const ChatMessage& message = chat.messages[0];
  EXPECT_EQ(Describe(message), "1 2024-01-03 14:05:00 text 김하나: 안녕하세요|😀");
  EXPECT_THAT(message.customer,
              ElementsAre(records::IdentifierValue{IdentifierKind::kPhone, "+821012345678"}));
  EXPECT_EQ(message.outgoing, false);
  EXPECT_EQ(message.id, "wamid.A");
  EXPECT_EQ(chat.survey, std::nullopt);
  EXPECT_THAT(chat.remarks, IsEmpty());
}

TEST(WebhookReaderTest, EachTypeOfMessage) {
  EXPECT_EQ(One(R"("type":"image","image":{"caption":"사진이에요","id":"1","sha256":"x"})"),
            "media <image>|사진이에요");
  EXPECT_EQ(One(R"("type":"video","video":{"id":"1"})"), "media <video>");
  EXPECT_EQ(One(R"("type":"document","document":{"filename":"a.pdf","caption":"b"})"),
            "media <document: a.pdf>|b");
  EXPECT_EQ(One(R"("type":"audio","audio":{"voice":true})"), "media <audio>");
  EXPECT_EQ(One(R"("type":"sticker","sticker":{"animated":false})"), "media <sticker>");
  EXPECT_EQ(One(R"("type":"location","location":{"latitude":37.5,"longitude":127.25,)"
                R"("name":"가게","address":"서울"})"),
            "text <location: 37.5, 127.25>|가게|서울");
  EXPECT_EQ(One(R"("type":"contacts","contacts":[{"name":{"formatted_name":"이둘"},)"
                R"("phones":[{"phone":"+82 10-2222-3333","wa_id":"821022223333"}],)"
                R"("emails":[{"email":"e@example.org"}]},{"vcard":"x","phones":[{"phone":"1"}]}])"),
            "text <contact: 이둘, +82 10-2222-3333, e@example.org>|<contact: 1>");
  EXPECT_EQ(One(R"("type":"interactive","interactive":{"type":"button_reply",)"
                R"("button_reply":{"id":"1","title":"예"}})"),
            "text 예");
  EXPECT_EQ(One(R"("type":"interactive","interactive":{"type":"list_reply",)"
                R"("list_reply":{"id":"1","title":"오후","description":"2시부터"}})"),
            "text 오후|2시부터");
  EXPECT_EQ(One(R"("type":"interactive","interactive":{"type":"nfm_reply",)"
                R"("nfm_reply":{"body":"Sent","response_json":"{\"a\":1}"}})"),
            R"(text Sent|{"a":1})");
  EXPECT_EQ(One(R"("type":"button","button":{"payload":"stop","text":"그만"})"), "text 그만");
  EXPECT_EQ(One(R"("type":"reaction","reaction":{"message_id":"wamid.B","emoji":"👍"})"),
            "text <reaction: 👍>");
  EXPECT_EQ(One(R"("type":"reaction","reaction":{"message_id":"wamid.B"})"),
            "text <reaction taken back>");
  EXPECT_EQ(One(R"("type":"order","order":{"text":"빨리요","product_items":[)"
                R"({"product_retailer_id":"SKU1","quantity":2,"item_price":9.5,)"
                R"("currency":"USD"}]})"),
            "text <order>|빨리요|2 x SKU1 9.5 USD");
  EXPECT_EQ(One(R"("type":"unsupported","errors":[{"code":131051,"title":"x"}])"),
            "media <unsupported>");
  EXPECT_EQ(One(R"("type":"request_welcome")"), "system <opened the chat>");
  EXPECT_EQ(One(R"("type":"revoke","revoke":{"original_message_id":"wamid.B"})"),
            "deleted <taken back>");
  EXPECT_EQ(One(R"("type":"edit","edit":{"original_message_id":"wamid.B","message":)"
                R"({"type":"text","text":{"body":"고침"}}})"),
            "text edited 고침");
  EXPECT_EQ(One(R"("type":"poll_of_tomorrow","poll_of_tomorrow":{"a":1})"),
            "media <poll_of_tomorrow>");
  EXPECT_EQ(One(R"("type":"Kim 010-1234-5678")"), "media <unknown>");
  EXPECT_THAT(ReadWebhooks(Webhook(R"("type":"poll_of_tomorrow")")).remarks,
              ElementsAre(HasSubstr("1 message is of a type that is not known")));
}

TEST(WebhookReaderTest, ChangedNumberIsOfTheSamePerson) {
  const Chat chat =
      ReadWebhooks(Webhook(R"("type":"system","system":{"body":"김하나 changed from 1 to 2",)"
                           R"("wa_id":"821099998888","type":"user_changed_number"})"));
  ASSERT_THAT(chat.messages, SizeIs(1));
  EXPECT_EQ(chat.messages[0].kind, MessageKind::kSystem);
  EXPECT_EQ(chat.messages[0].author, "");
  EXPECT_THAT(Identifiers(chat.messages[0]), ElementsAre("+821012345678", "+821099998888"));
}

TEST(WebhookReaderTest, SeveralIdentifiersAreOnePerson) {
  const Chat chat = ReadWebhooks(Change(
      R"("contacts":[{"profile":{"name":"Ana","username":"@ana"},"wa_id":"821012345678",)"
      R"("user_id":"KR.1349120865530","parent_user_id":"KR.ENT.1181579921"}],)"
      R"("messages":[{"from":"821012345678","from_user_id":"KR.1349120865530","id":"wamid.A",)"
      R"("timestamp":"1704258300","type":"text","text":{"body":"hi"}}])"));
  ASSERT_THAT(chat.messages, SizeIs(1));
  EXPECT_THAT(Identifiers(chat.messages[0]),
              ElementsAre("+821012345678", "KR.1349120865530", "KR.ENT.1181579921"));
}

TEST(WebhookReaderTest, PersonWithoutAPhone) {
  for (const absl::string_view from :
       {R"("from_user_id":"KR.1349120865530",)", ""}) {  // also where only the contact says it
    const Chat chat = ReadWebhooks(Change(absl::StrCat(
        R"("contacts":[{"profile":{"name":"Ana"},"user_id":"KR.1349120865530"}],)"
        R"("messages":[{)",
        from, R"("id":"a","timestamp":"1704258300","type":"text","text":{"body":"hi"}}])")));
    ASSERT_THAT(chat.messages, SizeIs(1)) << from;
    EXPECT_THAT(chat.messages[0].customer, ElementsAre(records::IdentifierValue{
                                               IdentifierKind::kWhatsAppId, "KR.1349120865530"}));
  }
}

TEST(WebhookReaderTest, EachMessageHasTheContactThatWroteIt) {
  const Chat chat = ReadWebhooks(Change(
      R"("contacts":[{"profile":{"name":"A"},"wa_id":"821012345678","user_id":"KR.1111111"},)"
      R"({"profile":{"name":"B"},"wa_id":"821022223333","user_id":"KR.2222222"}],)"
      R"("messages":[)"
      R"({"from":"821022223333","id":"1","timestamp":"1704258300","type":"text","text":{"body":"b"}},)"
      R"({"from_user_id":"KR.1111111","id":"2","timestamp":"1704258300","type":"text",)"
      R"("text":{"body":"a"}},)"
      R"({"from":"821044445555","id":"3","timestamp":"1704258300","type":"text",)"
      R"("text":{"body":"c"}}])"));
  ASSERT_THAT(chat.messages, SizeIs(3));
  EXPECT_THAT(Identifiers(chat.messages[0]), ElementsAre("+821022223333", "KR.2222222"));
  EXPECT_EQ(chat.messages[0].author, "B");
  EXPECT_THAT(Identifiers(chat.messages[1]), ElementsAre("+821012345678", "KR.1111111"));
  EXPECT_THAT(Identifiers(chat.messages[2]), ElementsAre("+821044445555"));
  EXPECT_EQ(chat.messages[2].author, "");
}

TEST(WebhookReaderTest, TwoPeopleAsOneAreAFault) {
  const Chat chat = ReadWebhooks(
      Change(R"("contacts":[{"wa_id":"821012345678","user_id":"KR.1111111"}],)"
             R"("messages":[{"from":"821012345678","from_user_id":"KR.2222222","id":"1",)"
             R"("timestamp":"1704258300","type":"text","text":{"body":"b"}}])"));
  EXPECT_THAT(chat.faults(), ElementsAre("1 names two people as one"));
}

TEST(WebhookReaderTest, WaIdWithoutPlusIsReadAsAWholeNumber) {
  // A German and an Indonesian mobile, which a reader without the plus takes for something else.
  for (const auto& [id, phone] : {std::pair("4915112345678", "+4915112345678"),
                                  std::pair("6281234567890", "+6281234567890")}) {
    const Chat chat = ReadWebhooks(Change(absl::StrCat(
        R"("messages":[{"from":")", id,
        R"(","id":"1","timestamp":"1704258300","type":"text","text":{"body":"b"}}])")));
    ASSERT_THAT(chat.messages, SizeIs(1));
    EXPECT_THAT(Identifiers(chat.messages[0]), ElementsAre(phone));
  }
}

TEST(WebhookReaderTest, EchoesAreOutgoing) {
  const Chat chat = ReadWebhooks(Change(
      R"("message_echoes":[{"from":"82221234567","to":"821012345678","to_user_id":"KR.1111111",)"
      R"("id":"wamid.E","timestamp":1704258300,"type":"text","text":{"body":"네"}},)"
      R"({"from":"82221234567","id":"x","timestamp":"1704258300","type":"text",)"
      R"("text":{"body":"?"}},)"
      R"({"from":"82221234567","to":"821012345678","group_id":"G","id":"x",)"
      R"("timestamp":"1704258300","type":"text","text":{"body":"?"}}])",
      "smb_message_echoes"));
  ASSERT_THAT(chat.messages, SizeIs(1));
  EXPECT_EQ(chat.messages[0].outgoing, true);
  EXPECT_EQ(chat.messages[0].author, "");
  EXPECT_THAT(Identifiers(chat.messages[0]), ElementsAre("+821012345678", "KR.1111111"));
  EXPECT_THAT(chat.faults(), ElementsAre("1 does not say to whom it went",
                                         "1 was written to a group, which is no customer's chat"));
}

TEST(WebhookReaderTest, HistoryHasBothDirections) {
  const Chat chat = ReadWebhooks(Change(
      R"("history":[{"metadata":{"phase":0,"chunk_order":1,"progress":55},"threads":[)"
      R"({"id":"821012345678","messages":[)"
      R"({"from":"821012345678","id":"1","timestamp":"1704258300","type":"text",)"
      R"("text":{"body":"묻다"},"history_context":{"status":"read"}},)"
      R"({"from":"82221234567","to":"821012345678","id":"2","timestamp":"1704258360",)"
      R"("type":"text","text":{"body":"답"},"history_context":{"status":"sent"}},)"
      R"({"from":"821012345678","id":"3","timestamp":"1704258361","type":"media_placeholder"},)"
      R"({"id":"4","timestamp":"1704258361","type":"text","text":{"body":"누구"}}]}]}])",
      "history"));
  ASSERT_THAT(chat.messages, SizeIs(3));
  EXPECT_EQ(chat.messages[0].outgoing, false);
  EXPECT_EQ(chat.messages[1].outgoing, true);
  EXPECT_THAT(Identifiers(chat.messages[1]), ElementsAre("+821012345678"));
  EXPECT_EQ(chat.messages[2].text, "<media>");
  EXPECT_THAT(chat.faults(), ElementsAre("1 does not say who wrote it"));
}

TEST(WebhookReaderTest, StatusesAndOtherEventsAreCounted) {
  const std::string bytes = absl::StrCat(
      Change(R"("statuses":[{"id":"wamid.A","status":"sent","timestamp":"1704258300",)"
             R"("recipient_id":"821012345678"},{"id":"wamid.A","status":"read"}])"),
      "\n", Change(R"("calls":[{"id":"c"}])", "calls"), "\n",
      R"({"object":"whatsapp_business_account","entry":[{"id":"1","changes":[{"field":)"
      R"("message_template_status_update","value":{"event":"APPROVED"}}]}]})",
      "\n");
  const Chat chat = ReadWebhooks(bytes);
  EXPECT_THAT(chat.messages, IsEmpty());
  EXPECT_THAT(chat.faults(), IsEmpty());
  EXPECT_THAT(chat.remarks, ElementsAre(HasSubstr("2 statuses of messages were passed over"),
                                        HasSubstr("2 events of other kinds were passed over")));
}

TEST(WebhookReaderTest, GroupMessagesAreTheirWriters) {
  const Chat chat =
      ReadWebhooks(Webhook(R"("group_id":"G1","type":"text","text":{"body":"모두"})"));
  EXPECT_THAT(chat.messages, SizeIs(1));
  EXPECT_THAT(chat.remarks, ElementsAre(HasSubstr("1 message was written in a group")));
}

TEST(WebhookReaderTest, ValuesAndChangesAloneAreTakenToo) {
  const std::string value = absl::StrCat(R"({"contacts":[)", kContact, R"(],"messages":[)",
                                         Message(R"("type":"text","text":{"body":"x"})"), "]}");
  EXPECT_THAT(ReadWebhooks(value).messages, SizeIs(1));
  EXPECT_THAT(ReadWebhooks(absl::StrCat(R"({"field":"messages","value":)", value, "}")).messages,
              SizeIs(1));
}

TEST(WebhookReaderTest, OneDocumentSeveralLinesOrAnArray) {
  const std::string a = TextWebhook("a"), b = TextWebhook("b");
  const auto spread = [](const std::string& text) {
    return absl::StrReplaceAll(text, {{",", ",\n "}, {"{", "{\n "}});
  };
  for (const std::string& bytes :
       {absl::StrCat(a, "\n", b, "\n"), absl::StrCat(a, b), absl::StrCat(a, " ", b),
        absl::StrCat("\n\n", a, "\r\n\r\n", b), absl::StrCat("[", a, ",", b, "]"),
        absl::StrCat("[\n  ", a, ",\n  ", b, "\n]\n"), absl::StrCat("[", a, "]\n[", b, "]\n"),
        absl::StrCat(spread(a), spread(b)), absl::StrCat("[", spread(a), "\n,\n", spread(b), "]"),
        absl::StrCat("\xef\xbb\xbf", a, "\n", b),
        testing::Encode(absl::StrCat(a, "\n", b), Encoding::kUtf16Le, true)}) {
    const Chat chat = ReadWebhooks(bytes);
    ASSERT_THAT(chat.faults(), IsEmpty()) << bytes;
    ASSERT_THAT(chat.messages, SizeIs(2)) << bytes;
    EXPECT_EQ(chat.messages[1].text, "b");
  }
  EXPECT_EQ(ReadWebhooks(absl::StrCat("[\n", a, ",\n\n", b, "]")).messages[1].line, 4);
}

TEST(WebhookReaderTest, BrokenLineCostsItself) {
  const std::string a = TextWebhook("a"), b = TextWebhook("b");
  const Chat chat = ReadWebhooks(absl::StrCat(
      a, "\n", a.substr(0, 150), "\n", b, "\nno json\n{\"a\"}\n", "7\n", a, "\n", b.substr(0, 80)));
  EXPECT_THAT(chat.messages, SizeIs(3));
  EXPECT_THAT(chat.faults(),
              ElementsAre("2 is cut off", "4 is no JSON object", "5 is no JSON",
                          "6 is no JSON object", "8 is cut off at the end of the file"));
  EXPECT_EQ(chat.rejects[0].raw, a.substr(0, 150));
}

TEST(WebhookReaderTest, HalfACharacterCostsNothingElse) {
  const auto said = [](absl::string_view body) {
    return Message(absl::StrCat(R"("type":"text","text":{"body":")", body, R"("})"));
  };
  const Chat chat = ReadWebhooks(Change(
      absl::StrCat(R"("contacts":[)", kContact, R"(],"messages":[)", said("whole \\ud83d\\ude00"),
                   ",", said("cut \\ud83d"), ",", said("\\uDE00 \\ud83d\\ud83d\\ude00"), ",",
                   said("no escape \\\\ud83d"), "]")));
  std::vector<std::string> texts;
  for (const ChatMessage& message : chat.messages) texts.push_back(message.text);
  EXPECT_THAT(texts, ElementsAre("whole 😀", "cut \ufffd", "\ufffd \ufffd😀", "no escape \\ud83d"));
  EXPECT_THAT(chat.faults(), IsEmpty());
  // What is broken otherwise, or names a key twice, is so all the same.
  EXPECT_THAT(ReadWebhooks(R"({"object":"\ud83d",})").faults(), ElementsAre("1 is no JSON"));
  EXPECT_THAT(ReadWebhooks(R"({"object":"\ud83d","object":"a"})").faults(),
              ElementsAre("1 names the same key twice"));
  EXPECT_THAT(ReadWebhooks(R"({"object":"\ud8zz"})").faults(), ElementsAre("1 is no JSON"));
}

TEST(WebhookReaderTest, BrokenDocumentOfManyLinesCostsItself) {
  const auto spread = [](const std::string& text) {
    return absl::StrReplaceAll(text, {{",\"", ",\n    \""}, {"{\"object", "{\n  \"object"}});
  };
  const std::string a = spread(TextWebhook("a")), b = spread(TextWebhook("b"));
  const std::size_t cut = a.find("timestamp");
  for (const std::size_t at : {cut, cut + 4, cut - 2, a.find("김")}) {
    const Chat chat = ReadWebhooks(absl::StrCat(a, "\n", a.substr(0, at), "\n", b, "\n"));
    EXPECT_THAT(chat.messages, SizeIs(2)) << at;
    EXPECT_THAT(chat.faults(), ElementsAre(HasSubstr("is cut off: another begins in line"))) << at;
  }
}

TEST(WebhookReaderTest, FirstLineCutDoesNotHideTheRest) {
  const std::string a = TextWebhook("a");
  const Chat chat = ReadWebhooks(absl::StrCat(a.substr(0, 60), "\n", a, "\n", a, "\n"));
  EXPECT_THAT(chat.messages, SizeIs(2));
  EXPECT_THAT(chat.faults(), ElementsAre("1 is cut off: another begins in line 2"));
}

TEST(WebhookReaderTest, OtherProductsAreFaultsOfTheirLines) {
  const Chat chat = ReadWebhooks(absl::StrCat(
      R"({"object":"page","entry":[{"id":"1","messaging":[{"message":{"text":"010-1234-5678"}}]}]})",
      "\n", R"({"object":"instagram","entry":[{"id":"1","messaging":[]}]})", "\n",
      R"({"object":"user","entry":[]})", "\n", R"({"entry":[{"id":"1","messaging":[]}]})", "\n",
      R"({"messaging_product":"telegram","metadata":{},"messages":[]})", "\n",
      R"({"event":"push"})", "\n", R"({})", "\n", R"([1])", "\n", TextWebhook("a"), "\n"));
  EXPECT_THAT(chat.faults(),
              ElementsAre("1 is a webhook of Messenger, which is not read",
                          "2 is a webhook of Instagram, which is not read",
                          "3 is a webhook of another product, which is not read",
                          "4 is a webhook of Messenger or Instagram, which are not read",
                          "5 is a webhook of another product, which is not read",
                          "6 is no webhook of WhatsApp", "7 is no webhook of WhatsApp",
                          "8 is no JSON object"));
  EXPECT_THAT(chat.messages, SizeIs(1));
  for (const std::string& fault : chat.faults()) EXPECT_THAT(fault, Not(HasSubstr("010")));
}

TEST(WebhookReaderTest, BadMessagesAreFaultsAndTheOthersOfTheWebhookStay) {
  const Chat chat = ReadWebhooks(Change(absl::StrCat(
      R"("contacts":[)", kContact, R"(],"messages":[)",
      R"(7,{"from":"821012345678","id":"1","type":"text","text":{"body":"x"}},)",
      R"({"from":"821012345678","timestamp":"soon","type":"text","text":{"body":"x"}},)",
      R"({"from":"821012345678","timestamp":"1","type":"text","text":{"body":"x"}},)",
      R"({"from":"821012345678","timestamp":"1999999999999","type":"text","text":{"body":"x"}},)",
      R"({"from":"12","timestamp":"1704258300","type":"text","text":{"body":"x"}},)",
      R"({"from":"821012345678","timestamp":"1704258300","type":"text","text":{}},)",
      R"({"from":"821012345678","timestamp":"1704258300","type":"text","text":{"body":"a\u0000b"}},)",
      Message(R"("type":"text","text":{"body":"gut"})"), "]")));
  EXPECT_THAT(chat.faults(),
              ElementsAre("1 has a message that is no object", "1 has no time",
                          "1 has a time that is no number of seconds", "1 has a time before 2009",
                          "1 has a time in the future",
                          "1 names its customer by nothing that is a phone or an id of WhatsApp",
                          "1 has no text", "1 holds a NUL, so it is no text"));
  EXPECT_THAT(chat.messages, SizeIs(1));
  EXPECT_THAT(chat.rejects[2].raw, AllOf(HasSubstr("soon"), Not(HasSubstr("gut"))));
}

TEST(WebhookReaderTest, PartsOfTheWrongKindAreFaults) {
  EXPECT_THAT(ReadWebhooks(Change(R"("messages":{"a":1})")).faults(),
              ElementsAre("1 has a part that should be a list and is none"));
  EXPECT_THAT(ReadWebhooks(R"({"object":"whatsapp_business_account","entry":7})").faults(),
              ElementsAre("1 has an entry that is no list"));
  EXPECT_THAT(ReadWebhooks(R"({"object":"whatsapp_business_account","entry":[1]})").faults(),
              ElementsAre("1 has an entry without changes"));
  EXPECT_THAT(
      ReadWebhooks(R"({"object":"whatsapp_business_account","entry":[{"changes":[1]}]})").faults(),
      ElementsAre("1 has a change without a value"));
  EXPECT_THAT(ReadWebhooks(TextWebhook(R"(a","body":"b)")).faults(),
              ElementsAre("1 names the same key twice"));
}

TEST(WebhookReaderTest, BytesThatAreNoTextAreFaults) {
  const Chat chat = ReadWebhooks(absl::StrCat(TextWebhook("a\xed\x95"), "\n",
                                              TextWebhook(absl::string_view("a\0b", 3)), "\n",
                                              TextWebhook("c"), "\n"));
  EXPECT_THAT(chat.faults(), ElementsAre("1 holds bytes that are no UTF-8",
                                         "2 holds a NUL byte, so it is no text"));
  EXPECT_THAT(chat.rejects[0].raw, HasSubstr("a\\xED\\x95"));
  EXPECT_THAT(chat.messages, SizeIs(1));
}

TEST(WebhookReaderTest, SizeAndDepthAreBounded) {
  const std::string a = TextWebhook("a");
  std::string bytes = absl::StrCat(a, "\n", TextWebhook(std::string(5 << 20, 'x')), "\n",
                                   TextWebhook(std::string((1 << 20) + 1, 'x')), "\n");
  absl::StrAppend(&bytes, R"({"object":)", std::string(1'000'000, '['), "\n", a, "\n");
  absl::StrAppend(&bytes, R"({"object":)", std::string(100, '['), std::string(100, ']'), "}\n");
  const Chat chat = ReadWebhooks(bytes);
  EXPECT_THAT(chat.faults(),
              ElementsAre("2 is larger than 4 MiB", "3 is longer than 1 MiB",
                          "4 is deeper than 64 levels", "6 is deeper than 64 levels"));
  EXPECT_THAT(chat.messages, SizeIs(2));
}

TEST(WebhookReaderTest, PipeGivesWhatAFileGives) {
  std::string bytes = "[";
  for (int i = 0; i < 500; ++i)
    absl::StrAppend(&bytes, i > 0 ? ",\n" : "", TextWebhook(absl::StrCat("메시지 ", i)));
  bytes += "]\n";
  const auto chat = ReadChatThroughPipe(bytes);
  ASSERT_TRUE(chat.ok()) << chat.status();
  EXPECT_EQ(DescribeAll(*chat), DescribeAll(ReadWebhooks(bytes)));
  EXPECT_THAT(chat->messages, SizeIs(500));
}

}  // namespace
}  // namespace sealbook::anonymizer
