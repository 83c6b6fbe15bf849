// Which field a column's header names: the headers of Google Contacts, Outlook, Shopify, HubSpot,
// Zoho, Salesforce, Mailchimp, Brevo, Stripe, Naver SmartStore, Coupang and Taobao, and plain words
// in Korean, Chinese, Japanese, English, Spanish, Portuguese, German and Indonesian.
#pragma once

#include <string>

#include "absl/strings/string_view.h"

namespace sealbook::anonymizer {

// Fields that are put together from columns, and columns that are left out.
inline constexpr absl::string_view kGivenName = "given_name";
inline constexpr absl::string_view kMiddleName = "middle_name";
inline constexpr absl::string_view kFamilyName = "family_name";
inline constexpr absl::string_view kAddressPart = "address_part";
// The person to whom an order was sent: the customer, or somebody else.
inline constexpr absl::string_view kRecipientName = "recipient_name";
inline constexpr absl::string_view kRecipientPhone = "recipient_phone";
inline constexpr absl::string_view kIgnored = "ignore";

// Compatibility forms folded (full-width letters), small letters, no accents, nothing but letters
// and digits.
std::string FoldHeader(absl::string_view header);

// The field of a known header, empty for others. What stands in brackets behind a name, numbers
// ("Phone 2", "Phone 1 - Value") and a second language ("이름 / Name") make no difference.
absl::string_view FieldOfHeader(absl::string_view header);

// "Owner Email", "보호자 연락처": whatever stands there is not the customer's.
bool NamesSomebodyElse(absl::string_view header);

// Address parts belong together where their headers begin alike: "Home " of "Home City". Folded.
std::string AddressGroup(absl::string_view header);

// "Address 1 - Formatted", "통합배송지": it holds what the parts beside it say.
bool IsCompleteAddress(absl::string_view header);

}  // namespace sealbook::anonymizer
