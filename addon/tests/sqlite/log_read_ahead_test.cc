// Reading ahead in the log while it is recovered.
#include "sqlite/log_read_ahead.h"

#include <gtest/gtest.h>

#include <string>

#include "string_file.h"

namespace hypha {
namespace {

constexpr int kFrame = 4096 + 24;
constexpr int kFrames = 100;

class LogReadAheadTest : public testing::Test {
 protected:
  LogReadAheadTest() {
    for (int i = 0; i < kFrames * kFrame; ++i) file_.bytes.push_back(static_cast<char>(i % 251));
  }

  std::string Read(LogReadAhead* ahead, int count, sqlite3_int64 offset, int want = SQLITE_OK) {
    std::string out(static_cast<std::size_t>(count), '?');
    EXPECT_EQ(ahead->Read(out.data(), count, offset), want);
    return out;
  }
  std::string Bytes(int count, int offset) const {
    return file_.bytes.substr(static_cast<std::size_t>(offset), static_cast<std::size_t>(count));
  }

  StringFile file_;
};

TEST_F(LogReadAheadTest, FramesInARowAreReadThirtyAtATime) {
  LogReadAhead ahead(&file_.handle);
  for (int i = 0; i < kFrames; ++i) EXPECT_EQ(Read(&ahead, kFrame, i * kFrame), Bytes(kFrame, i * kFrame)) << i;
  EXPECT_EQ(file_.reads, 4);
}

TEST_F(LogReadAheadTest, AnyOrderAndAnySizeIsRight) {
  LogReadAhead ahead(&file_.handle);
  unsigned state = 7;
  for (int i = 0; i < 2000; ++i) {
    state = state * 1103515245U + 12345U;
    const int offset = static_cast<int>(state >> 8U) % (kFrames * kFrame - kFrame);
    const int count = 1 + static_cast<int>(state % kFrame);
    ASSERT_EQ(Read(&ahead, count, offset), Bytes(count, offset)) << offset << " " << count;
  }
}

TEST_F(LogReadAheadTest, PastTheEndIsAShortRead) {
  LogReadAhead ahead(&file_.handle);
  const int last = (kFrames - 1) * kFrame;
  EXPECT_EQ(Read(&ahead, kFrame, last), Bytes(kFrame, last));
  EXPECT_EQ(Read(&ahead, kFrame, last + 1, SQLITE_IOERR_SHORT_READ).substr(0, kFrame - 1), Bytes(kFrame - 1, last + 1));
}

TEST_F(LogReadAheadTest, WhereABlockCannotBeReadEachFrameIsAskedFor) {
  file_.fail_reads_with = SQLITE_IOERR_READ;
  LogReadAhead ahead(&file_.handle);
  EXPECT_EQ(Read(&ahead, 4096, 0), Bytes(4096, 0));
  EXPECT_EQ(Read(&ahead, kFrame, 0, SQLITE_IOERR_READ), std::string(kFrame, '?'));
}

}  // namespace
}  // namespace hypha
