#include "base/line_file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <string>
#include <vector>

#include "base/crc32c.h"
#include "support/temp_dir.h"

namespace hypha {
namespace {

class LineFileTest : public ::testing::Test {
 protected:
  LineReader Read(const std::string& content) {
    const std::string path = dir_.File("lines");
    std::ofstream(path, std::ios::binary) << content;
    auto file = OpenForReading(path);
    EXPECT_TRUE(file.ok()) << file.status().message();
    return {std::move(file.value()), path};
  }
  std::vector<std::string> LinesOf(const std::string& content) {
    LineReader reader = Read(content);
    std::vector<std::string> lines;
    std::string_view line;
    while (reader.Next(&line)) lines.emplace_back(line);
    EXPECT_TRUE(reader.status().ok()) << reader.status().message();
    totals_ = reader.totals();
    number_ = reader.number();
    return lines;
  }

  test::TempDir dir_;
  LineTotals totals_;
  std::int64_t number_ = 0;
};

using Lines = std::vector<std::string>;

TEST_F(LineFileTest, LinesEndWithALineFeedAPairOrTheFile) {
  EXPECT_EQ(LinesOf(""), Lines());
  EXPECT_EQ(LinesOf("a"), Lines({"a"}));
  EXPECT_EQ(LinesOf("a\n"), Lines({"a"}));
  EXPECT_EQ(LinesOf("a\r\nb\r\n"), Lines({"a", "b"}));
  EXPECT_EQ(LinesOf("a\rb\r\r\nc\r"), Lines({"a\rb\r", "c"}));
  EXPECT_EQ(LinesOf(std::string("a\0b\n", 4)), Lines({std::string("a\0b", 3)}));
}

TEST_F(LineFileTest, BlankLinesAndAByteOrderMarkAreSkippedAndLinesNumbered) {
  EXPECT_EQ(LinesOf("\n \t\r\n\na\n\n"), Lines({"a"}));
  EXPECT_EQ(number_, 5);
  EXPECT_EQ(totals_.lines, 1);
  EXPECT_EQ(LinesOf("\xEF\xBB\xBF"
                    "a\n\xEF\xBB\xBF"
                    "b"),
            Lines({"a",
                   "\xEF\xBB\xBF"
                   "b"}));
  EXPECT_EQ(LinesOf("\xEF\xBB\xBF"), Lines());
  EXPECT_EQ(LinesOf("\xEF\xBB"
                    "a"),
            Lines({"\xEF\xBB"
                   "a"}));
}

TEST_F(LineFileTest, TotalsAreThoseOfTheNormalForm) {
  const LineTotals expected{2, 6, Crc32c("ab\ncd\n")};
  for (const char* content : {"ab\ncd\n", "ab\r\ncd\r\n", "ab\ncd",
                              "\xEF\xBB\xBF"
                              "ab\n\n  \ncd\n"}) {
    LinesOf(content);
    EXPECT_EQ(totals_, expected) << content;
  }
}

TEST_F(LineFileTest, TotalsBeforeAreThoseWithoutTheLastLine) {
  LineReader reader = Read("a\nb\n");
  std::string_view line;
  ASSERT_TRUE(reader.Next(&line));
  EXPECT_EQ(reader.totals_before(), LineTotals());
  ASSERT_TRUE(reader.Next(&line));
  EXPECT_EQ(reader.totals_before(), (LineTotals{1, 2, Crc32c("a\n")}));
}

TEST_F(LineFileTest, LinesAroundTheSizeOfTheBufferAreWhole) {
  constexpr std::size_t kBuffer = 64U << 10;
  for (const std::size_t size : {kBuffer - 1, kBuffer, kBuffer + 1, 3 * kBuffer, 20 * kBuffer + 7}) {
    const std::string large(size, 'x');
    EXPECT_EQ(LinesOf("first\n" + large + "\r\nlast\n" + large), Lines({"first", large, "last", large})) << size;
  }
}

TEST_F(LineFileTest, WhatIsWrittenIsRead) {
  const std::string path = dir_.File("written");
  auto file = CreateFile(path);
  ASSERT_TRUE(file.ok());
  struct stat info {};
  ASSERT_EQ(::stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0600U);
  LineWriter writer(std::move(file.value()), path);
  Lines lines;
  for (int i = 0; i < 5000; ++i) lines.push_back(std::string(static_cast<std::size_t>(i % 300) + 1, 'a'));
  for (const auto& line : lines) ASSERT_TRUE(writer.Append(line).ok());
  ASSERT_TRUE(writer.Finish().ok());
  auto opened = OpenForReading(path);
  ASSERT_TRUE(opened.ok());
  LineReader reader(std::move(opened.value()), path);
  Lines found;
  for (std::string_view line; reader.Next(&line);) found.emplace_back(line);
  EXPECT_EQ(found, lines);
  EXPECT_EQ(reader.totals(), writer.totals());
  EXPECT_EQ(CreateFile(path).status().code(), Code::kExists);
}

TEST_F(LineFileTest, AFullDeviceIsToldOnceAndForAll) {
  LineWriter writer(FileHandle(::open("/dev/full", O_WRONLY | O_CLOEXEC)), "/dev/full");
  const std::string line(1000, 'x');
  Status status;
  for (int i = 0; i < 1000 && status.ok(); ++i) status = writer.Append(line);
  EXPECT_EQ(status.code(), Code::kFull);
  EXPECT_EQ(writer.Append(line).code(), Code::kFull);
  EXPECT_EQ(writer.Finish().code(), Code::kFull);
}

TEST_F(LineFileTest, OnlyRegularFilesAreOpened) {
  EXPECT_EQ(OpenForReading(dir_.path()).status().code(), Code::kCantOpen);
  EXPECT_EQ(OpenForReading(dir_.File("absent")).status().code(), Code::kCantOpen);
  ASSERT_EQ(::mkfifo(dir_.File("fifo").c_str(), 0600), 0);
  EXPECT_EQ(OpenForReading(dir_.File("fifo")).status().code(), Code::kCantOpen);
  EXPECT_EQ(OpenForReading("/dev/null").status().code(), Code::kCantOpen);
}

TEST_F(LineFileTest, NamesAreGivenAndExchangedAtOnce) {
  std::ofstream(dir_.File("a")) << "a";
  std::ofstream(dir_.File("b")) << "bb";
  EXPECT_EQ(RenameToNew(dir_.File("a"), dir_.File("b")).code(), Code::kExists);
  EXPECT_TRUE(ExchangeNames(dir_.File("a"), dir_.File("b")).ok());
  EXPECT_EQ(std::filesystem::file_size(dir_.File("a")), 2U);
  EXPECT_TRUE(RenameToNew(dir_.File("a"), dir_.File("c")).ok());
  EXPECT_FALSE(dir_.Has("a"));
  EXPECT_EQ(RenameToNew(dir_.File("a"), dir_.File("d")).code(), Code::kCantOpen);
  EXPECT_TRUE(SyncDirectory(dir_.path()).ok());
  EXPECT_EQ(DirectoryOf("a/b/c"), "a/b");
  EXPECT_EQ(DirectoryOf("/a"), "/");
  EXPECT_EQ(DirectoryOf("a"), ".");
  EXPECT_EQ(NameOf("a/b"), "b");
}

}  // namespace
}  // namespace hypha
