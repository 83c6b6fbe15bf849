// Looks for markers in files, in every form in which a value could leak:
//
//   find_markers MARKERS PATH…
//
// MARKERS is a file of one marker a line; a PATH that is a folder is searched with all below it.
// Each marker is looked for as UTF-8, as UTF-16 of both byte orders, as base64 (both alphabets, at
// the three places where it can stand in a longer text), as hexadecimal in both cases, and, where
// it has eight digits or more (twelve beside Latin letters), as those digits alone with anything
// between them that is no digit.
//
// Prints "FILE: MARKER'S LINE as FORM" for each find. Exit 0: nothing found. 1: something was
// found. 2: a file could not be read, or there was none to read: nothing was proved.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace {

struct Form {
  std::string name;
  std::string bytes;
  bool digits_only = false;  // looked for in the file's digits
};

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

std::string DigitsOf(const std::string& text) {
  std::string digits;
  std::copy_if(text.begin(), text.end(), std::back_inserter(digits), &IsDigit);
  return digits;
}

// `utf8` is well formed: the tests write it.
std::string Utf16(const std::string& utf8, bool big_endian) {
  std::string out;
  const auto put = [&](std::uint32_t unit) {
    const char high = static_cast<char>(unit >> 8), low = static_cast<char>(unit & 0xff);
    out += big_endian ? high : low;
    out += big_endian ? low : high;
  };
  for (std::size_t i = 0; i < utf8.size();) {
    const auto lead = static_cast<unsigned char>(utf8[i]);
    const std::size_t width = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    std::uint32_t character = width == 1 ? lead : lead & (0xffu >> (width + 1));
    for (std::size_t k = 1; k < width && i + k < utf8.size(); ++k) {
      character = character << 6 | (static_cast<unsigned char>(utf8[i + k]) & 0x3fu);
    }
    i += width;
    if (character < 0x10000) {
      put(character);
    } else {
      put(0xd800 + ((character - 0x10000) >> 10));
      put(0xdc00 + ((character - 0x10000) & 0x3ff));
    }
  }
  return out;
}

// The characters of a base64 text that are the same whatever stands around `bytes`, which begin
// `offset` bytes (0 to 2) after a multiple of three.
std::string Base64At(const std::string& bytes, std::size_t offset, const char* last_two) {
  const std::string alphabet =
      std::string("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789") + last_two;
  const std::string padded = std::string(offset, '\0') + bytes;
  std::string out;
  for (std::size_t bit = (offset * 8 + 5) / 6 * 6; bit + 6 <= padded.size() * 8; bit += 6) {
    std::uint32_t sextet = 0;
    for (std::size_t k = bit; k < bit + 6; ++k) {
      sextet = sextet << 1 | ((static_cast<unsigned char>(padded[k / 8]) >> (7 - k % 8)) & 1u);
    }
    out += alphabet[sextet];
  }
  return out;
}

std::string Hex(const std::string& bytes, const char* digits) {
  std::string out;
  for (const char c : bytes) {
    out += digits[static_cast<unsigned char>(c) >> 4];
    out += digits[static_cast<unsigned char>(c) & 15];
  }
  return out;
}

std::vector<Form> FormsOf(const std::string& marker) {
  std::vector<Form> forms = {{"UTF-8", marker},
                             {"UTF-16LE", Utf16(marker, false)},
                             {"UTF-16BE", Utf16(marker, true)},
                             {"hexadecimal", Hex(marker, "0123456789abcdef")},
                             {"HEXADECIMAL", Hex(marker, "0123456789ABCDEF")}};
  for (std::size_t offset = 0; offset < 3; ++offset) {
    const std::string at = " at " + std::to_string(offset);
    forms.push_back({"base64" + at, Base64At(marker, offset, "+/")});
    forms.push_back({"base64url" + at, Base64At(marker, offset, "-_")});
  }
  constexpr std::size_t kMinDigits = 8, kMinDigitsOfCodes = 12;  // fewer turn up by chance
  // The few digits of a code without its letters tell nothing, and stand somewhere by chance.
  const bool letters = std::any_of(marker.begin(), marker.end(), [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
  });
  if (const std::string digits = DigitsOf(marker);
      digits.size() >= (letters ? kMinDigitsOfCodes : kMinDigits)) {
    forms.push_back({"digits", digits, true});
  }
  return forms;
}

}  // namespace

int main(int argc, char** argv) {
  namespace fs = std::filesystem;
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  if (arguments.size() < 2) {
    std::fputs("usage: find_markers MARKERS PATH...\n", stderr);
    return 2;
  }
  std::vector<std::vector<Form>> markers;
  std::ifstream list(arguments[0]);
  for (std::string line; std::getline(list, line);) {
    if (!line.empty()) markers.push_back(FormsOf(line));
  }
  if (markers.empty()) {
    std::fprintf(stderr, "find_markers: no markers in %s\n", arguments[0].c_str());
    return 2;
  }
  std::vector<fs::path> files;
  bool failed = false, found = false;
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    std::error_code error;
    if (!fs::is_directory(arguments[i], error)) {
      files.emplace_back(arguments[i]);
      continue;
    }
    for (fs::recursive_directory_iterator at(arguments[i], error), end; !error && at != end;
         at.increment(error)) {
      if (at->is_regular_file(error)) files.push_back(at->path());
    }
  }
  std::size_t read = 0;
  for (const fs::path& path : files) {
    std::ifstream file(path, std::ios::binary);
    const std::string bytes((std::istreambuf_iterator<char>(file)),
                            std::istreambuf_iterator<char>());
    if (!file.is_open() || file.bad()) {
      std::error_code error;
      // A running command's temporary files may go while they are listed.
      if (!fs::exists(path, error)) continue;
      std::fprintf(stderr, "find_markers: cannot read %s\n", path.c_str());
      failed = true;
      continue;
    }
    ++read;
    const std::string digits = DigitsOf(bytes);
    for (std::size_t i = 0; i < markers.size(); ++i) {
      for (const Form& form : markers[i]) {
        if ((form.digits_only ? digits : bytes).find(form.bytes) == std::string::npos) continue;
        std::printf("%s: marker %zu as %s\n", path.c_str(), i + 1, form.name.c_str());
        found = true;
      }
    }
  }
  if (read == 0) {
    std::fputs("find_markers: there was no file to read\n", stderr);
    failed = true;
  }
  return failed ? 2 : found ? 1 : 0;
}
