#include "exec/key_lines.h"

#include <gtest/gtest.h>

#include "support/answer.h"

namespace hypha {
namespace {

using test::Answer;

class KeyLinesTest : public ::testing::Test {
 protected:
  KeyLines lines_;
  const int me_ = 0;
  const int you_ = 0;
};

TEST_F(KeyLinesTest, OneAtATimeInTheOrderOfArrival) {
  Answer<Status> second;
  Answer<Status> third;
  EXPECT_TRUE(lines_.Enter(&me_, 1, "k", {}));
  EXPECT_FALSE(lines_.Enter(&you_, 1, "k", second));
  EXPECT_FALSE(lines_.Enter(&me_, 2, "k", third));
  EXPECT_TRUE(lines_.Enter(&you_, 2, "another", {}));
  EXPECT_FALSE(second.Came());
  lines_.Leave(&me_, 1, "k");
  EXPECT_TRUE(second.Get().ok());
  EXPECT_FALSE(third.Came());
  lines_.Leave(&you_, 1, "k");
  EXPECT_TRUE(third.Get().ok());
  lines_.Leave(&me_, 2, "k");
  EXPECT_TRUE(lines_.Enter(&me_, 3, "k", {})) << "nobody is left";
}

TEST_F(KeyLinesTest, APlaceMayBeGivenUp) {
  Answer<Status> second;
  Answer<Status> third;
  EXPECT_TRUE(lines_.Enter(&me_, 1, "k", {}));
  EXPECT_FALSE(lines_.Enter(&me_, 2, "k", second));
  EXPECT_FALSE(lines_.Enter(&me_, 3, "k", third));
  lines_.Leave(&me_, 2, "k");
  EXPECT_EQ(second.Get().code(), Code::kAborted);
  EXPECT_FALSE(third.Came()) << "it is still the first one's turn";
  lines_.Leave(&me_, 1, "k");
  EXPECT_TRUE(third.Get().ok());
  EXPECT_EQ(second.count(), 1);
}

TEST_F(KeyLinesTest, LeavingWhereOneDoesNotStandDoesNothing) {
  lines_.Leave(&me_, 1, "k");
  EXPECT_TRUE(lines_.Enter(&me_, 1, "k", {}));
  lines_.Leave(&you_, 1, "k");
  lines_.Leave(&me_, 2, "k");
  EXPECT_FALSE(lines_.Enter(&you_, 1, "k", [](const Status&) {}));
}

TEST_F(KeyLinesTest, AnOwnerThatGoesAwayHoldsUpNobody) {
  Answer<Status> mine;
  Answer<Status> yours;
  EXPECT_TRUE(lines_.Enter(&me_, 1, "k", {}));
  EXPECT_FALSE(lines_.Enter(&me_, 2, "k", mine));
  EXPECT_FALSE(lines_.Enter(&you_, 1, "k", yours));
  EXPECT_TRUE(lines_.Enter(&me_, 3, "alone", {}));
  lines_.Abandon(&me_);
  EXPECT_EQ(mine.Get().code(), Code::kClosed);
  EXPECT_TRUE(yours.Get().ok());
  EXPECT_TRUE(lines_.Enter(&you_, 2, "alone", {}));
  EXPECT_EQ(mine.count() + yours.count(), 2);
}

}  // namespace
}  // namespace hypha
