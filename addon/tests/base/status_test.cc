#include "hypha/status.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace hypha {
namespace {

TEST(Status, EachCodeHasItsOwnPublicNameAndAMeaning) {
  std::set<std::string_view> names;
  for (const auto& info : kCodeTable) {
    EXPECT_TRUE(names.insert(info.name).second) << info.name;
    EXPECT_FALSE(info.meaning.empty()) << info.name;
    EXPECT_EQ(Describe(info.code).name, info.name);
    EXPECT_TRUE(info.code == Code::kOk || info.name.starts_with("HYPHA_")) << info.name;
  }
}

TEST(Status, MessageFallsBackToTheMeaning) {
  EXPECT_TRUE(Status().ok());
  EXPECT_EQ(Status(Code::kBusy).message(), Describe(Code::kBusy).meaning);
  const Status detailed(Code::kIo, "the disk is on fire", 266);
  EXPECT_EQ(detailed.message(), "the disk is on fire");
  EXPECT_EQ(detailed.sqlite_code(), 266);
}

TEST(Result, HoldsEitherAValueOrTheReason) {
  Result<std::string> good(std::string("v"));
  EXPECT_TRUE(good.ok());
  EXPECT_TRUE(good.status().ok());
  Result<std::string> bad = Status(Code::kFull);
  EXPECT_FALSE(bad.ok());
  EXPECT_EQ(bad.status().code(), Code::kFull);
}

}  // namespace
}  // namespace hypha
