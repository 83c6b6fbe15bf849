#include "vault/crypto/random.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <set>
#include <thread>

#include "vault/crypto/bytes.h"

namespace sealbook::crypto {
namespace {

using Block = std::array<std::uint8_t, 16>;

Block NextBlock() {
  Block block;
  FillRandomBuffered(block);
  return block;
}

TEST(FillRandomTest, BlocksDiffer) {
  Block a{};
  Block b{};
  FillRandom(a);
  FillRandom(b);
  EXPECT_NE(a, b);
  EXPECT_NE(a, Block{});
  FillRandom({});
}

TEST(FillRandomBufferedTest, NoBlockComesTwice) {
  // The buffer is filled again many times.
  std::set<Block> seen;
  for (int i = 0; i < 20'000; ++i) EXPECT_TRUE(seen.insert(NextBlock()).second);
}

TEST(FillRandomBufferedTest, EverySizeIsFilledWhole) {
  for (std::size_t size = 0; size < 9'000; size += 97) {
    // A byte that stays zero in 8 rounds was not filled (2^-64 otherwise).
    std::vector<std::uint8_t> any(size);
    for (int round = 0; round < 8; ++round) {
      std::vector<std::uint8_t> bytes(size);
      FillRandomBuffered(bytes);
      for (std::size_t i = 0; i < size; ++i) any[i] |= bytes[i];
    }
    EXPECT_THAT(any, testing::Each(testing::Ne(0))) << size;
  }
}

TEST(FillRandomBufferedTest, ChildDoesNotRepeatItsParent) {
  NextBlock();  // now there are bytes ahead that both processes hold
  int pipe_ends[2];
  ASSERT_EQ(pipe(pipe_ends), 0);
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const Block block = NextBlock();
    _exit(write(pipe_ends[1], block.data(), block.size()) == ssize_t{sizeof(block)} ? 0 : 1);
  }
  Block of_child{};
  ASSERT_EQ(read(pipe_ends[0], of_child.data(), of_child.size()), ssize_t{sizeof(of_child)});
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  close(pipe_ends[0]);
  close(pipe_ends[1]);
  EXPECT_NE(NextBlock(), of_child);
}

TEST(FillRandomBufferedTest, ThreadsHaveBuffersOfTheirOwn) {
  Block other{};
  std::thread([&] { other = NextBlock(); }).join();
  EXPECT_NE(NextBlock(), other);
}

TEST(RandomBelowTest, ValuesAreBelowTheBound) {
  for (const std::uint64_t bound : {std::uint64_t{1}, std::uint64_t{2}, std::uint64_t{7},
                                    (std::uint64_t{1} << 63) + 1, UINT64_MAX}) {
    for (int i = 0; i < 1000; ++i) ASSERT_LT(RandomBelow(bound), bound);
  }
}

TEST(RandomBelowTest, SmallBoundIsUniform) {
  constexpr int kDraws = 100'000;
  std::array<int, 10> counts{};
  for (int i = 0; i < kDraws; ++i) ++counts[RandomBelow(counts.size())];
  double chi_square = 0;
  for (const int count : counts) {
    const double off = count - kDraws / 10.0;
    chi_square += off * off / (kDraws / 10.0);
  }
  // 9 degrees of freedom: more than 60 comes once in a thousand million runs.
  EXPECT_LT(chi_square, 60);
}

TEST(RandomBelowTest, LargeBoundHasNoModuloBias) {
  // Of 2^64 values, a plain remainder by 3 * 2^62 gives the lowest third twice as often as it
  // should.
  constexpr std::uint64_t kThird = std::uint64_t{1} << 62;
  constexpr int kDraws = 30'000;
  std::array<int, 3> counts{};
  for (int i = 0; i < kDraws; ++i) ++counts[RandomBelow(3 * kThird) / kThird];
  for (const int count : counts) EXPECT_NEAR(count, kDraws / 3, 600);  // 7 standard deviations
}

TEST(RandomBelowDeathTest, BoundZeroEndsTheProcess) { EXPECT_DEATH(RandomBelow(0), ""); }

}  // namespace
}  // namespace sealbook::crypto
