// Text in the encodings in which lists arrive.
#pragma once

#include <gtest/gtest.h>
#include <unicode/ucnv.h>
#include <unicode/ucnv_err.h>

#include <string>

#include "absl/strings/string_view.h"
#include "anonymizer/text_source.h"

namespace sealbook::testing {

// `utf8` must be well formed, and of letters that the encoding has. `mark` is for those of Unicode.
inline std::string Encode(absl::string_view utf8, anonymizer::Encoding encoding, bool mark) {
  using anonymizer::Encoding;
  const char* converter = nullptr;
  std::string out;
  switch (encoding) {
    case Encoding::kUtf8:
      return (mark ? "\xef\xbb\xbf" : "") + std::string(utf8);
    case Encoding::kUtf16Le:
      if (mark) out = "\xff\xfe";
      converter = "UTF-16LE";
      break;
    case Encoding::kUtf16Be:
      if (mark) out = "\xfe\xff";
      converter = "UTF-16BE";
      break;
    case Encoding::kCp949:
      converter = "windows-949-2000";
      break;
    case Encoding::kGbk:
      converter = "windows-936-2000";
      break;
    case Encoding::kGb18030:
      converter = "gb18030";
      break;
    case Encoding::kBig5:
      converter = "windows-950-2000";
      break;
    case Encoding::kWindows1252:
      converter = "ibm-5348_P100-1997";
      break;
  }
  UErrorCode error = U_ZERO_ERROR;
  UConverter* target = ucnv_open(converter, &error);
  UConverter* source = ucnv_open("UTF-8", &error);
  ucnv_setFromUCallBack(target, UCNV_FROM_U_CALLBACK_STOP, nullptr, nullptr, nullptr, &error);
  std::string encoded(utf8.size() * 4 + 8, '\0');
  char* to = encoded.data();
  const char* from = utf8.data();
  ucnv_convertEx(target, source, &to, encoded.data() + encoded.size(), &from,
                 utf8.data() + utf8.size(), nullptr, nullptr, nullptr, nullptr, true, true, &error);
  EXPECT_TRUE(U_SUCCESS(error)) << "a letter that " << converter << " has not";
  out.append(encoded, 0, static_cast<std::size_t>(to - encoded.data()));
  ucnv_close(source);
  ucnv_close(target);
  return out;
}

}  // namespace sealbook::testing
