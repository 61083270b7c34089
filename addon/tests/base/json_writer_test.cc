#include "base/json_writer.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace hypha {
namespace {

std::string Quoted(std::string_view text) {
  std::string out;
  AppendJsonString(out, text);
  return out;
}

TEST(JsonWriter, EveryByteBelowASpaceComesBack) {
  for (int c = 0; c < 0x80; ++c) {
    const std::string text = std::string("x") + static_cast<char>(c) + "y";
    EXPECT_EQ(nlohmann::json::parse(Quoted(text)).get<std::string>(), text) << c;
  }
}

TEST(JsonWriter, KeepsOtherTextAsItIs) {
  EXPECT_EQ(Quoted(""), "\"\"");
  EXPECT_EQ(Quoted("a/b\x7f"), "\"a/b\x7f\"");
  EXPECT_EQ(Quoted("\"\\\n"), "\"\\\"\\\\\\n\"");
  EXPECT_EQ(Quoted(std::string_view("\0", 1)), "\"\\u0000\"");
  EXPECT_EQ(Quoted("\xe6\x95\xb0\xf0\x9f\x98\x80"), "\"\xe6\x95\xb0\xf0\x9f\x98\x80\"");
}

TEST(ChunkWriter, NoElementsGiveNoChunks) { EXPECT_TRUE(ChunkWriter().Take().empty()); }

TEST(ChunkWriter, ConcatenatedChunksAreTheElementsInOrder) {
  ChunkWriter out;
  const std::string pad(1000, 'p');
  for (int i = 0; i < 1000; ++i) {
    AppendJsonString(out.Element(), pad + std::to_string(i));
    out.Close();
  }
  const JsonChunks chunks = out.Take();
  EXPECT_GE(chunks.size(), 4U);
  int next = 0;
  for (const auto& chunk : chunks) {
    EXPECT_LE(chunk.size(), kChunkBytes + 1100);
    for (const auto& element : nlohmann::json::parse(chunk)) EXPECT_EQ(element, pad + std::to_string(next++));
  }
  EXPECT_EQ(next, 1000);
}

TEST(ChunkWriter, AnElementLargerThanAChunkStaysWhole) {
  ChunkWriter out;
  for (int i = 0; i < 3; ++i) {
    AppendJsonString(out.Element(), std::string(2 * kChunkBytes, 'x'));
    out.Close();
  }
  EXPECT_EQ(out.Take().size(), 3U);
}

TEST(ChunkWriter, CloseCountsTheBytesOfAllChunks) {
  ChunkWriter out;
  std::size_t total = 0;
  for (int i = 0; i < 400; ++i) {
    out.Element() += std::string(1000, '1');
    const std::size_t now = out.Close();
    EXPECT_GT(now, total);
    total = now;
  }
  std::size_t sum = 0;
  for (const auto& chunk : out.Take()) sum += chunk.size();
  EXPECT_LE(sum - total, 1U);  // the last bracket
}

}  // namespace
}  // namespace hypha
