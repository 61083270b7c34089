#include "base/crc32c.h"

#include <gtest/gtest.h>

#include <random>
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

TEST(Crc32c, PartsAreOneText) {
  std::mt19937 random(test::Seed());
  std::string data(100, '\0');
  for (char& c : data) c = static_cast<char>(random());
  const std::string_view all = data;
  for (std::size_t first = 0; first <= 40; ++first) {
    for (std::size_t second = first; second <= data.size(); ++second) {
      const auto parts = {all.substr(0, first), all.substr(first, second - first), all.substr(second)};
      ASSERT_EQ(Crc32c(parts), Slow(data)) << first << " " << second;
      ASSERT_EQ(PortableCrc32c(parts), Slow(data)) << first << " " << second;
    }
  }
}

}  // namespace
}  // namespace hypha
