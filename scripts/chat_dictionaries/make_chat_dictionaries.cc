// Makes the dictionaries of chat chunks (vault/records/chat_dictionaries) from the phrases beside
// it: invented ones, of no customer and no person.
//
//   make_chat_dictionaries PHRASES OUT           writes them into the folder OUT
//   make_chat_dictionaries --check PHRASES OUT   compares: exits 1 where they differ, and 77 where
//                                                zstd is of another version than made them
//
// The same phrases and the same zstd give the same bytes. Dictionaries that were released never
// change, since chunks are packed with them: new phrases make new dictionaries, with new numbers.
//
// A dictionary is the phrases themselves, their slots filled, and the entropy tables that zstd
// starts with. The tables are made from conversations of every other phrase, compressed with a
// dictionary of the rest: so they fit what is *not* in the dictionary, which is what they are used
// for. With tables made from what it is made of, chats that it has not seen took 6 % more.
#include <zdict.h>
#include <zstd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <vector>

namespace {

constexpr unsigned kMadeWith = 10504;  // zstd 1.5.4
constexpr int kLevel = 6;              // as in vault/records/chat_packer.cc
constexpr int kConversations = 3000;
constexpr std::uint64_t kMostPhrases = 7;
// zstd keeps the numbers from 2^15 to 2^31 for private use. No frame in a chunk holds one.
constexpr unsigned kFirstId = 0x53420000;
constexpr char kTextEnd = '\xff';

struct Script {
  unsigned number;  // permanent
  const char* name;
  std::vector<const char*> languages;
};
const std::vector<Script>& Scripts() {
  static const auto* const scripts = new std::vector<Script>{
      {1, "latin", {"en", "es", "pt", "de", "id"}},
      {2, "korean", {"ko"}},
      {3, "japanese", {"ja"}},
      {4, "chinese", {"zh_hans", "zh_hant"}},
      {5, "arabic", {"ar"}},
      {6, "devanagari", {"hi"}},
  };
  return *scripts;
}

// SplitMix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014):
// the same numbers with every standard library.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t Below(std::uint64_t bound) {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (z ^ (z >> 31)) % bound;
  }

 private:
  std::uint64_t state_;
};

// A file of phrases: one a line, with slots as {date}, and lines "@date today|tomorrow" that say
// what may stand there. {number} is 6 to 11 digits.
struct Language {
  std::map<std::string, std::vector<std::string>> slots;
  std::vector<std::string> phrases;
};

[[noreturn]] void Fail(const std::string& what) {
  std::fprintf(stderr, "make_chat_dictionaries: %s\n", what.c_str());
  std::exit(1);
}

Language ReadLanguage(const std::filesystem::path& path) {
  std::ifstream file(path);
  if (!file) Fail("cannot read " + path.string());
  Language language;
  for (std::string line; std::getline(file, line);) {
    if (line.empty()) continue;
    if (line[0] != '@') {
      language.phrases.push_back(line);
      continue;
    }
    const std::size_t blank = line.find(' ');
    std::vector<std::string>& values = language.slots[line.substr(1, blank - 1)];
    for (std::size_t at = blank + 1, end = 0; end != std::string::npos; at = end + 1) {
      end = line.find('|', at);
      values.push_back(line.substr(at, end == std::string::npos ? end : end - at));
    }
  }
  return language;
}

std::string Filled(const Language& language, const std::string& phrase, Random& random) {
  std::string out;
  for (std::size_t i = 0; i < phrase.size();) {
    if (phrase[i] != '{') {
      out += phrase[i++];
      continue;
    }
    const std::size_t end = phrase.find('}', i);
    const std::string name = phrase.substr(i + 1, end - i - 1);
    if (name == "number") {
      for (std::uint64_t digits = 6 + random.Below(6); digits > 0; --digits)
        out += static_cast<char>('0' + random.Below(10));
    } else {
      const auto slot = language.slots.find(name);
      if (slot == language.slots.end()) Fail("no such slot: " + name);
      out += slot->second[random.Below(slot->second.size())];
    }
    i = end + 1;
  }
  return out;
}

// The phrases and products, of every phrase or of every other one.
std::string Content(const std::vector<Language>& languages, std::size_t step) {
  std::string content;
  Random random(5);
  for (const Language& language : languages) {
    const auto products = language.slots.find("product");
    if (products == language.slots.end()) Fail("a language without products");
    for (const std::string& product : products->second) content += product + ' ';
    for (std::size_t i = 0; i < language.phrases.size(); i += step)
      content += Filled(language, language.phrases[i], random) + kTextEnd;
  }
  return content;
}

// zstd's dictionary of `content`, with entropy tables from conversations of odd phrases.
std::string Finalized(const std::vector<Language>& languages, const std::string& content,
                      unsigned id) {
  std::string samples;
  std::vector<std::size_t> sizes;
  Random random(2);
  for (int i = 0; i < kConversations; ++i) {
    const Language& language = languages[static_cast<std::size_t>(i) % languages.size()];
    const std::size_t before = samples.size();
    for (std::uint64_t count = 1 + random.Below(kMostPhrases); count > 0; --count) {
      const std::size_t odd = 2 * random.Below(language.phrases.size() / 2) + 1;
      samples += Filled(language, language.phrases[odd], random) + kTextEnd;
    }
    sizes.push_back(samples.size() - before);
  }
  ZDICT_params_t how = {};
  how.compressionLevel = kLevel;
  how.dictID = id;
  std::string out(content.size() + 4096, '\0');
  const std::size_t size = ZDICT_finalizeDictionary(out.data(), out.size(), content.data(),
                                                    content.size(), samples.data(), sizes.data(),
                                                    static_cast<unsigned>(sizes.size()), how);
  if (ZDICT_isError(size)) Fail(ZDICT_getErrorName(size));
  out.resize(size);
  return out;
}

std::string Dictionary(const std::filesystem::path& phrases, const Script& script) {
  std::vector<Language> languages;
  for (const char* name : script.languages)
    languages.push_back(ReadLanguage(phrases / (std::string(name) + ".txt")));
  std::string tables = Finalized(languages, Content(languages, 2), kFirstId + script.number);
  const std::size_t size = ZDICT_getDictHeaderSize(tables.data(), tables.size());
  if (ZDICT_isError(size)) Fail(ZDICT_getErrorName(size));
  tables.resize(size);
  return tables + Content(languages, 1);
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  const bool check = arguments.size() == 3 && arguments[0] == "--check";
  if (!check && arguments.size() != 2) {
    std::fputs("usage: make_chat_dictionaries [--check] PHRASES OUT\n", stderr);
    return 2;
  }
  if (check && ZSTD_versionNumber() != kMadeWith) {
    std::printf("skipped: zstd here is %s, and other versions make other tables\n",
                ZSTD_versionString());
    return 77;
  }
  const std::filesystem::path phrases = arguments[arguments.size() - 2], out = arguments.back();
  bool same = true;
  for (const Script& script : Scripts()) {
    const std::filesystem::path path =
        out / (std::to_string(script.number) + "_" + script.name + ".zdict");
    const std::string bytes = Dictionary(phrases, script);
    if (check) {
      std::ifstream file(path, std::ios::binary);
      const std::string there{std::istreambuf_iterator<char>(file), {}};
      if (there == bytes) continue;
      std::printf("%s is not what its phrases give\n", path.c_str());
      same = false;
      continue;
    }
    std::ofstream file(path, std::ios::binary);
    file << bytes;
    file.close();
    if (!file) Fail("cannot write " + path.string());
    std::printf("%s: %zu bytes\n", path.c_str(), bytes.size());
  }
  return same ? 0 : 1;
}
