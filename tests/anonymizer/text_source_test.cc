#include "anonymizer/text_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <fstream>
#include <functional>
#include <thread>

#include "absl/strings/str_cat.h"
#include "tests/support/encodings.h"
#include "tests/support/temporary_file.h"
#include "vault/status.h"

namespace sealbook::anonymizer {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using testing::Encode;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using testing::TemporaryFile;

std::string Repeat(absl::string_view text, std::size_t times) {
  std::string out;
  for (std::size_t i = 0; i < times; ++i) out.append(text.data(), text.size());
  return out;
}

// The lines of a file; a faulty one as "!fault".
absl::StatusOr<std::vector<std::string>> LinesOf(absl::string_view bytes,
                                                 std::optional<Encoding> encoding = std::nullopt) {
  const TemporaryFile file(bytes);
  auto bytes_of_file = ByteSource::Open(file.path());
  if (!bytes_of_file.ok()) return bytes_of_file.status();
  auto source = TextSource::Open(**bytes_of_file, encoding);
  if (!source.ok()) return source.status();
  std::vector<std::string> lines;
  TextLine line;
  for (;;) {
    const auto more = (*source)->Next(line);
    if (!more.ok()) return more.status();
    if (!*more) return lines;
    EXPECT_EQ(line.number, static_cast<std::int64_t>(lines.size()) + 1);
    lines.push_back(line.fault.empty() ? line.text : absl::StrCat("!", line.fault));
  }
}

void ExpectRefused(absl::string_view bytes, absl::string_view word) {
  const auto lines = LinesOf(bytes);
  EXPECT_TRUE(absl::IsInvalidArgument(lines.status())) << lines.status();
  EXPECT_THAT(std::string(lines.status().message()), HasSubstr(std::string(word)));
  EXPECT_THAT(HintOf(lines.status()), Not(IsEmpty()));
}

TEST(TextSourceTest, EncodingsMarksAndLineEndsGiveTheSameLines) {
  for (const Encoding encoding : {Encoding::kUtf8, Encoding::kUtf16Le, Encoding::kUtf16Be}) {
    for (const bool mark : {true, false}) {
      for (const absl::string_view end : {"\n", "\r\n", "\r"}) {
        for (const bool ended : {true, false}) {
          SCOPED_TRACE(absl::StrCat(NameOf(encoding), " mark ", mark, " end ", end.size(),
                                    end[0] == '\n', " ", ended));
          std::string text =
              absl::StrCat("name,phone", end, "가을😀,+821012345678", end, end, "last line,1");
          if (ended) absl::StrAppend(&text, end);
          const auto lines = LinesOf(Encode(text, encoding, mark));
          ASSERT_TRUE(lines.ok()) << lines.status();
          EXPECT_THAT(*lines, ElementsAre("name,phone", "가을😀,+821012345678", "", "last line,1"));
        }
      }
    }
  }
}

TEST(TextSourceTest, Utf16WithoutMarkIsReadWhereItIsNamed) {
  // Too few Latin characters to tell it without help.
  const std::string bytes = Encode("가나다라마바사\n아자차카타파하\n", Encoding::kUtf16Be, false);
  const auto lines = LinesOf(bytes, Encoding::kUtf16Be);
  ASSERT_TRUE(lines.ok()) << lines.status();
  EXPECT_THAT(*lines, ElementsAre("가나다라마바사", "아자차카타파하"));
}

TEST(TextSourceTest, MarkAgainstTheNamedEncodingIsRefused) {
  const auto lines = LinesOf(Encode("a,b\n", Encoding::kUtf16Le, true), Encoding::kUtf8);
  EXPECT_TRUE(absl::IsInvalidArgument(lines.status())) << lines.status();
}

TEST(TextSourceTest, LineEndsThatMeetTheEdgeOfABlockStayOneEnd) {
  // The sample is 64 KiB, and blocks are 256 KiB: a CRLF and a character straddle each of them.
  for (const std::size_t edge : {std::size_t{64} << 10, std::size_t{320} << 10}) {
    for (int shift = -4; shift <= 4; ++shift) {
      SCOPED_TRACE(absl::StrCat(edge, " ", shift));
      const std::size_t first = edge + static_cast<std::size_t>(shift) - 2;
      const auto lines = LinesOf(absl::StrCat(std::string(first, 'x'), "\r\n가\r\nend\r"));
      ASSERT_TRUE(lines.ok()) << lines.status();
      ASSERT_EQ(lines->size(), 3u);
      EXPECT_EQ((*lines)[0].size(), first);
      EXPECT_EQ((*lines)[1], "가");
      EXPECT_EQ((*lines)[2], "end");
    }
  }
}

TEST(TextSourceTest, Utf16CharacterAtTheEdgeOfABlockIsWhole) {
  for (std::size_t before = (32u << 10) - 4; before < (32u << 10) + 3; ++before) {
    const auto lines =
        LinesOf(Encode(std::string(before, 'x') + "😀\nend\n", Encoding::kUtf16Le, true));
    ASSERT_TRUE(lines.ok()) << lines.status();
    EXPECT_EQ(*lines, (std::vector<std::string>{std::string(before, 'x') + "😀", "end"})) << before;
  }
}

TEST(TextSourceTest, InvalidBytesInOneLineCostThatLine) {
  const auto lines = LinesOf("이름,전화\n하늘,1\n\xc0\xaf,2\n바다,3\n");
  ASSERT_TRUE(lines.ok()) << lines.status();
  ASSERT_EQ(lines->size(), 4u);
  EXPECT_THAT((*lines)[2], HasSubstr("!holds bytes that are no UTF-8"));
  EXPECT_EQ((*lines)[3], "바다,3");
}

TEST(TextSourceTest, FormsThatUtf8ForbidsAreFaults) {
  for (const absl::string_view bad : {"\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80",
                                      "\xf8\x88\x80\x80\x80", "\xff", "\xe2\x82", "\x80"}) {
    const auto lines =
        LinesOf(absl::StrCat("name,phone\na,1\nb,2\nc,3\n", bad, ",4\nd,5\n"), Encoding::kUtf8);
    ASSERT_TRUE(lines.ok()) << lines.status();
    EXPECT_EQ((*lines)[4].front(), '!');
    EXPECT_EQ((*lines)[5], "d,5");
  }
}

TEST(TextSourceTest, FileInAnotherEncodingThanTheNamedOneIsRefusedWithItsLine) {
  const std::string korean =
      Encode("이름,전화\n김하나,1\n이두리,2\n박세찬,3\n", Encoding::kCp949, false);
  const auto lines = LinesOf(korean, Encoding::kUtf8);
  EXPECT_TRUE(absl::IsInvalidArgument(lines.status())) << lines.status();
  EXPECT_THAT(std::string(lines.status().message()), HasSubstr("line 1"));
  EXPECT_THAT(HintOf(lines.status()), HasSubstr("--encoding"));
}

TEST(TextSourceTest, EncodingsWithoutMarkAreFoundWhereverTheirLettersBegin) {
  const std::pair<Encoding, const char*> cases[] = {
      {Encoding::kCp949, "김하나,서울\n이두리,부산\n박세찬,대구\n"},
      {Encoding::kGbk, "王伟,北京\n李娜,上海\n张秀英,广州\n"},
      {Encoding::kGb18030, "王㐀伟,北京\n李娜,上海\n张秀英,广州\n"},
      {Encoding::kBig5, "陳怡君,台北\n林志明,高雄\n黃淑芬,台中\n"},
      {Encoding::kWindows1252, "José García,Málaga\nJürgen Groß,Köln\nHélène,Orléans\n"},
      {Encoding::kUtf8, "김하나,서울\n李娜,上海\nJosé,Málaga\n"}};
  for (const auto& [encoding, text] : cases) {
    for (const std::size_t ascii : {0u, 5'000u, 120'000u}) {
      SCOPED_TRACE(absl::StrCat(NameOf(encoding), " after ", ascii));
      const TemporaryFile file(absl::StrCat("name,city\n", Repeat("somebody,1\n", ascii),
                                            Encode(text, encoding, false)));
      const auto bytes = ByteSource::Open(file.path());
      ASSERT_TRUE(bytes.ok()) << bytes.status();
      const auto source = TextSource::Open(**bytes, std::nullopt);
      ASSERT_TRUE(source.ok()) << source.status();
      EXPECT_EQ(NameOf((*source)->encoding()), NameOf(encoding));
      TextLine line;
      std::string read;
      while (*(*source)->Next(line)) {
        EXPECT_EQ(line.fault, "");
        if (!IsAscii(line.text)) absl::StrAppend(&read, line.text, "\n");
      }
      EXPECT_EQ(read, text);
    }
  }
}

TEST(TextSourceTest, FaultSaysWhereAndTheLineIsKeptAsItStands) {
  const struct {
    Encoding encoding;
    absl::string_view line, fault, raw;
  } cases[] = {
      {Encoding::kUtf8, "김,\xb0x",
       "holds bytes that are no UTF-8, the first at column 3 of the line", "김,\\xB0x"},
      {Encoding::kCp949, "\xb1\xe8\xb1\xe8,\xb0,\xff",
       "holds bytes that are no CP949, the first at column 4 of the line", "김김,\\xB0,\\xFF"},
      {Encoding::kGb18030, "\x81\x30,1",
       "holds bytes that are no GB18030, the first at column 1 of the line", "\\x810,1"},
      {Encoding::kBig5, "\xff", "holds bytes that are no Big5, the first at column 1 of the line",
       "\\xFF"},
      {Encoding::kWindows1252, "\xe9\x81",
       "holds bytes that are no Windows-1252, the first at column 2 of the line", "é\\x81"},
      {Encoding::kCp949, absl::string_view("a\0b\xb0,", 5), "holds a NUL byte, so it is no text",
       "a\\x00b\\xB0,"},
      {Encoding::kCp949, "김하나,1", "looks like UTF-8 in a file of CP949", "김하나,1"},
      {Encoding::kGbk, "李娜", "looks like UTF-8 in a file of GBK", "李娜"}};
  for (const auto& one : cases) {
    const TemporaryFile file(absl::StrCat("a,b\nc,d\ne,f\ng,h\n", one.line, "\r\nlast"));
    const auto bytes = ByteSource::Open(file.path());
    ASSERT_TRUE(bytes.ok()) << bytes.status();
    const auto source = TextSource::Open(**bytes, one.encoding);
    ASSERT_TRUE(source.ok()) << source.status();
    TextLine line;
    for (int i = 0; i < 4; ++i) {
      ASSERT_TRUE(*(*source)->Next(line));
      EXPECT_EQ(line.raw, "");
    }
    ASSERT_TRUE(*(*source)->Next(line));
    EXPECT_EQ(line.fault, one.fault);
    EXPECT_EQ(line.text, "");
    EXPECT_EQ(line.raw, one.raw);
    ASSERT_TRUE(*(*source)->Next(line));
    EXPECT_EQ(line.text, "last");
    EXPECT_EQ(line.raw, "");
  }
}

TEST(TextSourceTest, PastedLinesOfAnotherEncodingAreFaults) {
  const std::string korean = "이름,전화\n김하나,1\n이두리,2\n박세찬,3\n최민수,4\n";
  const std::string pasted = "정유진,5\n한지민,6\n";
  for (const auto& [main, other] : {std::pair(Encoding::kCp949, Encoding::kUtf8),
                                    std::pair(Encoding::kUtf8, Encoding::kCp949)}) {
    const auto lines = LinesOf(Encode(korean, main, false) + Encode(pasted, other, false));
    ASSERT_TRUE(lines.ok()) << lines.status();
    EXPECT_THAT(*lines, ElementsAre("이름,전화", "김하나,1", "이두리,2", "박세찬,3", "최민수,4",
                                    HasSubstr("!"), HasSubstr("!")));
  }
}

TEST(TextSourceTest, LetterBeyondGbkTellsToNameGb18030) {
  std::string bytes = Encode("姓名,手机\n", Encoding::kGbk, false);
  for (int i = 0; i < 10'000; ++i) bytes += Encode("王伟,1\n李娜,2\n", Encoding::kGbk, false);
  const auto lines = LinesOf(bytes + Encode("张㐀,3\n", Encoding::kGb18030, false));
  ASSERT_TRUE(lines.ok()) << lines.status();
  EXPECT_THAT(lines->back(), HasSubstr("--encoding gb18030"));
}

TEST(TextSourceTest, StrayBytesInAsciiAreFaultsAndTellToNameTheEncoding) {
  const auto lines = LinesOf("name,phone\na,1\nb,2\nBad \xff\xfe,3\nd,4\n");
  ASSERT_TRUE(lines.ok()) << lines.status();
  EXPECT_THAT((*lines)[3], HasSubstr("--encoding"));
  EXPECT_EQ(lines->back(), "d,4");
}

TEST(TextSourceTest, PipeOfAsciiFaultsWhatFollowsAndTellsToNameTheEncoding) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  std::thread writer([&] {
    const std::string text = absl::StrCat(
        Repeat("somebody,1\n", 10'000), Encode("김하나,서울\n", Encoding::kCp949, false), "end\n");
    for (std::size_t at = 0; at < text.size();) {
      const ssize_t wrote = write(ends[1], text.data() + at, text.size() - at);
      if (wrote <= 0) break;
      at += static_cast<std::size_t>(wrote);
    }
    close(ends[1]);
  });
  const auto bytes = ByteSource::Open(absl::StrCat("/proc/self/fd/", ends[0]));
  ASSERT_TRUE(bytes.ok()) << bytes.status();
  const auto source = TextSource::Open(**bytes, std::nullopt);
  ASSERT_TRUE(source.ok()) << source.status();
  TextLine line;
  std::vector<std::string> faults;
  std::string last;
  while (*(*source)->Next(line)) {
    if (!line.fault.empty()) faults.push_back(line.fault);
    last = line.text;
  }
  writer.join();
  close(ends[0]);
  EXPECT_THAT(faults, ElementsAre(HasSubstr("name the encoding with --encoding")));
  EXPECT_EQ(last, "end");
}

TEST(TextSourceTest, LoneSurrogateCostsItsLine) {
  for (const Encoding encoding : {Encoding::kUtf16Le, Encoding::kUtf16Be}) {
    for (const unsigned surrogate : {0xd83du, 0xde00u}) {
      std::string bytes = Encode("name,phone\na,1\nb,2\nc", encoding, true);
      const char low = static_cast<char>(surrogate & 0xff),
                 high = static_cast<char>(surrogate >> 8);
      bytes += encoding == Encoding::kUtf16Le ? std::string{low, high} : std::string{high, low};
      bytes += Encode(",3\nd,4\ne,5\n", encoding, false);
      const auto lines = LinesOf(bytes);
      ASSERT_TRUE(lines.ok()) << lines.status();
      ASSERT_EQ(lines->size(), 6u);
      EXPECT_THAT((*lines)[3], HasSubstr("!holds bytes that are no UTF-16"));
      EXPECT_EQ((*lines)[4], "d,4");
    }
  }
}

TEST(TextSourceTest, Utf16CutInsideACharacterFaultsItsLastLine) {
  std::string bytes = Encode("name,phone\na,1\nb,2\nc,3\nd,4", Encoding::kUtf16Le, true);
  bytes.pop_back();
  const auto lines = LinesOf(bytes);
  ASSERT_TRUE(lines.ok()) << lines.status();
  ASSERT_EQ(lines->size(), 5u);
  EXPECT_EQ((*lines)[3], "c,3");
  EXPECT_EQ((*lines)[4].front(), '!');
}

TEST(TextSourceTest, NulBytesCostTheirLine) {
  const auto lines = LinesOf(absl::string_view("name,phone\na,1\nb\0b,2\nc,3\nd,4\n", 29));
  ASSERT_TRUE(lines.ok()) << lines.status();
  EXPECT_THAT((*lines)[2], HasSubstr("NUL"));
  EXPECT_EQ((*lines)[3], "c,3");
}

TEST(TextSourceTest, HugeLineCostsItsLineAndItsNeighboursStay) {
  for (const std::size_t size : {TextSource::kMaxLineBytes + 1, std::size_t{5} << 20}) {
    for (const absl::string_view end : {"\n", "\r\n", "\r"}) {
      const auto lines = LinesOf(
          absl::StrCat("a", end, "b", end, "c", end, std::string(size, 'x'), end, "d", end));
      ASSERT_TRUE(lines.ok()) << lines.status();
      ASSERT_EQ(lines->size(), 5u) << size << " " << end.size();
      EXPECT_EQ((*lines)[3], "!is longer than 1 MiB");
      EXPECT_EQ((*lines)[4], "d");
    }
  }
  const auto just = LinesOf(absl::StrCat("a\n", std::string(TextSource::kMaxLineBytes, 'x')));
  ASSERT_TRUE(just.ok()) << just.status();
  EXPECT_EQ((*just)[1].size(), TextSource::kMaxLineBytes);
}

TEST(TextSourceTest, FileOfOneEndlessLineIsRefused) {
  ExpectRefused(std::string(3 << 20, 'x'), "longer than 1 MiB");
}

TEST(TextSourceTest, WhatIsNoTextIsRefusedAndSaysWhatToDo) {
  ExpectRefused("", "empty");
  ExpectRefused(absl::StrCat(absl::string_view("PK\x03\x04\x14\0\x06\0", 8), "[Content_Types].xml"),
                "line 1");
  ExpectRefused(absl::string_view("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0\0", 10), "encoding");
  ExpectRefused(absl::string_view("\xff\xfe\0\0a\0\0\0", 8), "UTF-32");
  ExpectRefused("\x89PNG\r\n\x1a\n\xff\xfe\xfd\n", "encoding");
  std::string noise;
  unsigned state = 1;
  for (int i = 0; i < 200'000; ++i)
    noise += static_cast<char>((state = state * 1664525 + 1013904223) >> 24);
  ExpectRefused(noise, "is in no encoding");
}

TEST(TextSourceTest, FolderMissingFileAndDeviceAreRefused) {
  for (const char* path : {"/tmp", "/tmp/there is no such file", "/dev/zero"}) {
    const auto source = ByteSource::Open(path);
    EXPECT_TRUE(absl::IsInvalidArgument(source.status())) << source.status();
    EXPECT_THAT(std::string(source.status().message()), HasSubstr(path));
    EXPECT_THAT(HintOf(source.status()), Not(IsEmpty()));
  }
}

TEST(TextSourceTest, PipeOfUnknownSizeIsRead) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  std::thread writer([&] {
    for (const absl::string_view part : {"a,b\r", "\nc,", "d\r\n"}) {
      EXPECT_EQ(write(ends[1], part.data(), part.size()), static_cast<ssize_t>(part.size()));
    }
    close(ends[1]);
  });
  const auto bytes = ByteSource::Open(absl::StrCat("/proc/self/fd/", ends[0]));
  writer.join();
  ASSERT_TRUE(bytes.ok()) << bytes.status();
  EXPECT_EQ((*bytes)->bytes_total(), 0u);
  const auto source = TextSource::Open(**bytes, std::nullopt);
  ASSERT_TRUE(source.ok()) << source.status();
  std::vector<std::string> lines;
  TextLine line;
  while (*(*source)->Next(line)) lines.push_back(line.text);
  EXPECT_THAT(lines, ElementsAre("a,b", "c,d"));
  EXPECT_EQ((*source)->bytes_read(), 10u);
  close(ends[0]);
}

TEST(TextSourceTest, SampleIsGivenAgainAndIsBounded) {
  const TemporaryFile file(Repeat("name,phone\n", 50'000));
  const auto bytes = ByteSource::Open(file.path());
  ASSERT_TRUE(bytes.ok()) << bytes.status();
  EXPECT_EQ((*bytes)->bytes_total(), 550'000u);
  auto source = TextSource::Open(**bytes, std::nullopt);
  ASSERT_TRUE(source.ok()) << source.status();
  EXPECT_EQ((*source)->sample().size(), TextSource::kSampleLines);
  TextLine line;
  std::size_t count = 0;
  std::vector<std::string> texts;
  while (*(*source)->Next(line)) {
    ++count;
    texts.push_back(line.text);
  }
  EXPECT_EQ(count, 50'000u);
  EXPECT_THAT(texts, Each(std::string("name,phone")));
  EXPECT_EQ((*source)->bytes_read(), 550'000u);
}

// The most memory, in KiB, that a child process used while `work` ran in it beyond what it had
// before.
std::int64_t PeakGrowthKib(const std::function<void()>& work) {
  int ends[2];
  EXPECT_EQ(pipe(ends), 0);
  const pid_t child = fork();
  if (child == 0) {
    const auto peak = [] {
      std::ifstream status("/proc/self/status");
      std::string word;
      std::int64_t value = 0;
      while (status >> word) {
        if (word == "VmHWM:") status >> value;
      }
      return value;
    };
    std::ofstream("/proc/self/clear_refs") << "5";  // forget the parent's peak
    const std::int64_t before = peak();
    work();
    const std::int64_t grown = peak() - before;
    _exit(write(ends[1], &grown, sizeof grown) == sizeof grown ? 0 : 1);
  }
  close(ends[1]);
  std::int64_t grown = -1;
  EXPECT_EQ(read(ends[0], &grown, sizeof grown), static_cast<ssize_t>(sizeof grown));
  close(ends[0]);
  int status = 0;
  EXPECT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  return grown;
}

constexpr std::int64_t kFileKib = 64 << 10;
constexpr std::int64_t kAllowedKib = 8 << 10;

TEST(TextSourceTest, MeasureOfMemorySeesAFileThatIsHeld) {
  if (SEALBOOK_SANITIZED) GTEST_SKIP() << "sanitizers keep what is freed";
  // Without this the next test could not fail.
  EXPECT_GT(PeakGrowthKib([] {
              volatile std::size_t sum = 0;
              const std::string held(kFileKib << 10, 'x');
              for (const char c : held) sum = sum + static_cast<std::size_t>(c);
            }),
            kFileKib / 2);
}

TEST(TextSourceTest, LargeFileThroughAPipeIsNotHeld) {
  if (SEALBOOK_SANITIZED) GTEST_SKIP() << "sanitizers keep what is freed";
  for (const bool one_line : {false, true}) {
    const std::int64_t grown = PeakGrowthKib([&] {
      int ends[2];
      if (pipe(ends) != 0) _exit(2);
      std::thread writer([&] {
        const std::string head = "name,phone\nsomebody,1\n";
        if (write(ends[1], head.data(), head.size()) < 0) _exit(3);
        const std::string block =
            one_line ? std::string(1 << 16, 'x') : Repeat("somebody,+821012345678\n", 2850);
        for (std::int64_t sent = 0; sent < (kFileKib << 10);
             sent += static_cast<std::int64_t>(block.size())) {
          if (write(ends[1], block.data(), block.size()) < 0) _exit(3);
        }
        close(ends[1]);
      });
      const auto bytes = ByteSource::Open(absl::StrCat("/proc/self/fd/", ends[0]));
      if (!bytes.ok()) _exit(4);
      const auto source = TextSource::Open(**bytes, std::nullopt);
      if (!source.ok()) _exit(4);
      TextLine line;
      while (*(*source)->Next(line)) {
      }
      writer.join();
      if ((*source)->bytes_read() < (static_cast<std::uint64_t>(kFileKib) << 10)) _exit(5);
    });
    EXPECT_LT(grown, kAllowedKib) << one_line;
  }
}

}  // namespace
}  // namespace sealbook::anonymizer
