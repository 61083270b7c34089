#include "base/crc32c.h"

#include <gtest/gtest.h>

#include <array>
#include <random>
#include <span>
#include <string>

#include "support/databases.h"

namespace hypha {
namespace {

// One bit at a time, straight from the definition.
std::uint32_t Slow(std::string_view data) {
  std::uint32_t crc = 0xFFFFFFFF;
  for (const char c : data) {
    crc ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ (0x82F63B78 & (0U - (crc & 1)));
  }
  return ~crc;
}

TEST(Crc32c, KnownVectors) {
  EXPECT_EQ(Crc32c(""), 0U);
  EXPECT_EQ(Crc32c("a"), 0xC1D04330U);
  EXPECT_EQ(Crc32c("123456789"), 0xE3069283U);
  EXPECT_EQ(Crc32c(std::string(32, '\0')), 0x8A9136AAU);
  EXPECT_EQ(Crc32c(std::string(32, '\xff')), 0x62A8AB43U);
  std::string rising;
  for (char c = 0; c < 32; ++c) rising.push_back(c);
  EXPECT_EQ(Crc32c(rising), 0x46DD794EU);
}

TEST(Crc32c, EveryLengthAndAlignmentAgreesWithTheDefinition) {
  std::mt19937 random(test::Seed());
  std::string data(256, '\0');
  for (char& c : data) c = static_cast<char>(random());
  for (std::size_t from = 0; from < 9; ++from) {
    for (std::size_t length = 0; from + length <= 64; ++length) {
      const std::string_view piece = std::string_view(data).substr(from, length);
      ASSERT_EQ(Crc32c(piece), Slow(piece)) << from << " " << length;
    }
  }
}

TEST(Crc32c, PiecesContinueEachOther) {
  std::mt19937 random(test::Seed());
  std::string data(300, '\0');
  for (char& c : data) c = static_cast<char>(random());
  for (std::size_t cut = 0; cut <= data.size(); ++cut) {
    const std::uint32_t first = Crc32c(std::string_view(data).substr(0, cut));
    ASSERT_EQ(Crc32c(std::string_view(data).substr(cut), first), Crc32c(data)) << cut;
  }
}

std::string Bytes(const CrcInput& input) {
  std::string bytes;
  const auto add = [&](std::uint64_t number) {
    for (int shift = 0; shift < 64; shift += 8) bytes.push_back(static_cast<char>(number >> shift));
  };
  for (const std::uint64_t number : input.head) add(number);
  bytes.append(input.first).append(input.second);
  for (const std::uint64_t number : input.tail) add(number);
  return bytes;
}

TEST(Crc32c, TextsBetweenNumbersAreOneText) {
  std::mt19937_64 random(test::Seed());
  std::string data(100, '\0');
  for (char& c : data) c = static_cast<char>(random());
  const std::array tail{random(), random(), random()};
  for (std::size_t first = 0; first <= 40; ++first) {
    for (std::size_t second = first; second <= data.size(); ++second) {
      CrcInput input{{random(), random()}, std::string_view(data).substr(0, first), {}, {}};
      input.second = std::string_view(data).substr(first, second - first);
      input.tail = std::span(tail).first(second % 4);
      ASSERT_EQ(Crc32c(input), Slow(Bytes(input))) << first << " " << second;
      ASSERT_EQ(PortableCrc32c(input), Slow(Bytes(input))) << first << " " << second;
    }
  }
}

TEST(Crc32c, TheDifferenceFollowsFromTheNumbersAtTheEnd) {
  std::mt19937_64 random(test::Seed());
  for (int i = 0; i < 200; ++i) {
    const std::array one{random(), random(), random()};
    const std::array other{one[0], random(), random()};
    const CrcInput with_one{{random(), random()}, "key", "text", one};
    CrcInput with_other = with_one;
    with_other.tail = other;
    ASSERT_EQ(Crc32cDifference(one[1] ^ other[1], one[2] ^ other[2]), Crc32c(with_one) ^ Crc32c(with_other)) << i;
  }
  EXPECT_EQ(Crc32cDifference(0, 0), 0U);
}

}  // namespace
}  // namespace hypha
