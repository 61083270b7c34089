#include "ops/reader_gate.h"

#include <gtest/gtest.h>

#include <future>
#include <thread>

#include "support/databases.h"
#include "support/fake_clock.h"
#include "support/slow_reads.h"

namespace hypha {
namespace {

using std::chrono::milliseconds;

class ReaderGateTest : public ::testing::Test {
 protected:
  ReaderGateTest() { clock_.Install(&hooks_); }

  test::FakeClock clock_;
  Hooks hooks_;
  ReaderGate gate_{hooks_};
  std::unique_ptr<Connection> db_ = test::OpenFreshMemory();
  std::unique_ptr<Connection> other_db_ = test::OpenFreshMemory();
};

TEST_F(ReaderGateTest, KnowsTheOldestReader) {
  ReaderSeat old_seat(gate_, db_.get());
  ReaderSeat young_seat(gate_, other_db_.get());
  EXPECT_EQ(gate_.OldestAge().count(), 0);
  EXPECT_EQ(gate_.open(), 0);
  old_seat.Sit();
  clock_.Advance(milliseconds(5000));
  young_seat.Sit();
  EXPECT_EQ(gate_.open(), 2);
  EXPECT_GE(gate_.OldestAge(), milliseconds(5000));
  old_seat.Leave();
  EXPECT_LT(gate_.OldestAge(), milliseconds(5000));
  young_seat.Leave();
  EXPECT_EQ(gate_.OldestAge().count(), 0);
}

TEST_F(ReaderGateTest, ExpiresTheOldestThatIsOldEnough) {
  ReaderSeat old_seat(gate_, db_.get());
  ReaderSeat young_seat(gate_, other_db_.get());
  EXPECT_FALSE(gate_.ExpireOldest(milliseconds(0)));
  old_seat.Sit();
  clock_.Advance(milliseconds(100));
  young_seat.Sit();
  EXPECT_FALSE(gate_.ExpireOldest(milliseconds(10'000)));
  EXPECT_TRUE(gate_.ExpireOldest(milliseconds(50)));
  EXPECT_TRUE(old_seat.expired());
  EXPECT_FALSE(young_seat.expired());
  EXPECT_FALSE(gate_.ExpireOldest(milliseconds(50))) << "the one that is left is young, the other already told";
  EXPECT_EQ(gate_.expired(), 1);
  old_seat.Leave();
  old_seat.Sit();
  EXPECT_FALSE(old_seat.expired()) << "the next read transaction is another one";
}

TEST_F(ReaderGateTest, ExpiryEndsARunningStatement) {
  ReaderSeat seat(gate_, db_.get());
  seat.Sit();
  db_->SetDeadline(std::chrono::steady_clock::now() + std::chrono::hours(1));
  auto endless = std::async(std::launch::async, [&] { return db_->QueryInteger(test::kEndless).status(); });
  std::this_thread::sleep_for(milliseconds(20));
  EXPECT_TRUE(gate_.ExpireOldest(milliseconds(0)));
  ASSERT_EQ(endless.wait_for(std::chrono::seconds(30)), std::future_status::ready);
  EXPECT_EQ(endless.get().code(), Code::kTimeout);
  db_->ClearDeadline();
  seat.Leave();
}

TEST_F(ReaderGateTest, APauseHoldsNewReadersOnly) {
  ReaderSeat inside(gate_, db_.get());
  ReaderSeat outside(gate_, other_db_.get());
  ReaderSeat hasty(gate_, nullptr);
  inside.Sit();
  gate_.Pause();
  inside.Leave();
  EXPECT_FALSE(hasty.TrySit(hooks_.steady_now()));
  auto seated = std::async(std::launch::async, [&] { outside.Sit(); });
  EXPECT_EQ(seated.wait_for(milliseconds(30)), std::future_status::timeout);
  EXPECT_EQ(gate_.open(), 0);
  gate_.Resume();
  ASSERT_EQ(seated.wait_for(std::chrono::seconds(30)), std::future_status::ready);
  EXPECT_EQ(gate_.open(), 1);
  EXPECT_TRUE(hasty.TrySit(hooks_.steady_now()));
  EXPECT_EQ(gate_.open(), 2);
}

}  // namespace
}  // namespace hypha
