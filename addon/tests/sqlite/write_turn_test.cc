#include "sqlite/write_turn.h"

#include <gtest/gtest.h>

#include <thread>

#include "sqlite/vfs_shim.h"
#include "sqlite/vfs_test_util.h"

namespace hypha {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

class WriteTurnTest : public ::testing::Test {
 protected:
  WriteTurnTest() {
    EXPECT_EQ(RegisterFileVfs(), SQLITE_OK);
    one_ = std::make_unique<TestDb>(directory_.File("a.db"), kFileVfs);
    EXPECT_EQ(one_->Exec("PRAGMA journal_mode = WAL; CREATE TABLE t (x)"), SQLITE_OK);
    other_ = std::make_unique<TestDb>(directory_.File("a.db"), kFileVfs);
    EXPECT_EQ(other_->Query("SELECT count(*) FROM t"), "0");
  }
  static steady_clock::time_point After(milliseconds time) { return steady_clock::now() + time; }

  TestDirectory directory_;
  std::unique_ptr<TestDb> one_;
  std::unique_ptr<TestDb> other_;
};

TEST_F(WriteTurnTest, WhoFailsToGetTheLockIsNoticedUntilItHasGotIt) {
  EXPECT_FALSE(OthersWantToWrite(one_->get()));
  ASSERT_EQ(one_->Exec("BEGIN IMMEDIATE; INSERT INTO t VALUES (1)"), SQLITE_OK);
  EXPECT_FALSE(OthersWantToWrite(one_->get()));
  EXPECT_EQ(other_->Exec("BEGIN IMMEDIATE"), SQLITE_BUSY);
  ASSERT_EQ(one_->Exec("COMMIT"), SQLITE_OK);
  EXPECT_TRUE(OthersWantToWrite(one_->get()));
  ASSERT_EQ(other_->Exec("BEGIN IMMEDIATE"), SQLITE_OK);
  EXPECT_FALSE(OthersWantToWrite(one_->get()));
  EXPECT_EQ(other_->Exec("COMMIT"), SQLITE_OK);
}

TEST_F(WriteTurnTest, TheWaitEndsWhenTheOtherHasTheLock) {
  ASSERT_EQ(one_->Exec("BEGIN IMMEDIATE"), SQLITE_OK);
  EXPECT_EQ(other_->Exec("BEGIN IMMEDIATE"), SQLITE_BUSY);
  ASSERT_EQ(one_->Exec("COMMIT"), SQLITE_OK);
  std::thread waiting([&] { LetOthersWrite(one_->get(), After(milliseconds(60'000))); });
  EXPECT_EQ(other_->Exec("BEGIN IMMEDIATE"), SQLITE_OK);
  waiting.join();
  EXPECT_EQ(one_->Exec("BEGIN IMMEDIATE"), SQLITE_BUSY);
  EXPECT_TRUE(OthersWantToWrite(other_->get()));
  EXPECT_EQ(other_->Exec("COMMIT"), SQLITE_OK);
}

TEST_F(WriteTurnTest, ANoteOfSomebodyWhoNeverComesCostsOneShortWait) {
  ASSERT_EQ(one_->Exec("BEGIN IMMEDIATE"), SQLITE_OK);
  EXPECT_EQ(other_->Exec("BEGIN IMMEDIATE"), SQLITE_BUSY);
  ASSERT_EQ(one_->Exec("COMMIT"), SQLITE_OK);
  const auto started = steady_clock::now();
  LetOthersWrite(one_->get(), After(milliseconds(60'000)));
  EXPECT_GE(steady_clock::now() - started, milliseconds(20));
  EXPECT_LT(steady_clock::now() - started, milliseconds(20'000));
  EXPECT_FALSE(OthersWantToWrite(one_->get()));
}

TEST_F(WriteTurnTest, TheWaitEndsAtItsDeadline) {
  ASSERT_EQ(one_->Exec("BEGIN IMMEDIATE"), SQLITE_OK);
  EXPECT_EQ(other_->Exec("BEGIN IMMEDIATE"), SQLITE_BUSY);
  ASSERT_EQ(one_->Exec("COMMIT"), SQLITE_OK);
  LetOthersWrite(one_->get(), steady_clock::now());
  EXPECT_FALSE(OthersWantToWrite(one_->get()));
}

TEST_F(WriteTurnTest, WithoutALogThereIsNothingToNotice) {
  TestDb plain(directory_.File("b.db"), kFileVfs);
  ASSERT_EQ(plain.Exec("CREATE TABLE t (x)"), SQLITE_OK);
  EXPECT_FALSE(OthersWantToWrite(plain.get()));
  LetOthersWrite(plain.get(), After(milliseconds(60'000)));
}

}  // namespace
}  // namespace hypha
