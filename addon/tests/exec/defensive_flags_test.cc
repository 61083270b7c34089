// Every handle that the engine opens is hardened, whatever it is for: those of stores, and those of copies.
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>

#include "exec/store_fixture.h"
#include "sqlite/vfs_test_util.h"
#include "support/handle_watch.h"

namespace hypha {
namespace {

using test::HandleWatch;
using test::Share;

class DefensiveFlagsTest : public test::StoreFixture {
 protected:
  std::string Path(const std::string& name) const { return dir_.File(name); }

  // How many handles were closed on files whose names begin so.
  static std::ptrdiff_t Seen(const HandleWatch& watch, const std::string& prefix) {
    const auto files = watch.files();
    return std::count_if(files.begin(), files.end(), [&](const auto& name) { return name.rfind(prefix, 0) == 0; });
  }
  static void ExpectSafe(const HandleWatch& watch) {
    EXPECT_EQ(watch.opened(), watch.closed());
    for (const auto& problem : watch.problems()) ADD_FAILURE() << problem;
  }
};

TEST_F(DefensiveFlagsTest, TheWatchSeesARawHandle) {
  const HandleWatch watch;
  {
    TestDb raw(Path("raw.db"), "unix");
    ASSERT_EQ(raw.Exec("CREATE TABLE t(a)"), SQLITE_OK);
  }
  EXPECT_EQ(watch.opened(), 1);
  EXPECT_EQ(watch.closed(), 1);
  const auto problems = watch.problems();
  const auto about = [&](const std::string& what) {
    return std::any_of(problems.begin(), problems.end(),
                       [&](const auto& problem) { return problem.rfind("raw.db: " + what, 0) == 0; });
  };
  EXPECT_TRUE(about("flag " + std::to_string(SQLITE_DBCONFIG_DEFENSIVE)));
  EXPECT_TRUE(about("limit " + std::to_string(SQLITE_LIMIT_ATTACHED)));
  EXPECT_TRUE(about("PRAGMA cell_size_check"));
  EXPECT_TRUE(about("has no authorizer"));
}

TEST_F(DefensiveFlagsTest, OfAStoreItsReadersAndItsSnapshots) {
  const HandleWatch watch;
  {
    OpenOptions options = Options(dir_.File());
    options.readers = 2;
    Share store = Open(options);
    ASSERT_TRUE(store.Set("k").ok());
    EXPECT_EQ(store.Inline("k"), "1");
    EXPECT_EQ(store.Get("k"), "1");
    test::Answer<Result<TransactionId>> begun;
    store.engine().BeginSnapshot(nullptr, 0, begun);
    test::Answer<Status> ended;
    store.engine().End(begun.Get().value(), false, ended);
    ASSERT_TRUE(ended.Get().ok());
    for (const Maintenance what : {Maintenance::kVacuum, Maintenance::kOptimize, Maintenance::kTruncate}) {
      test::Answer<Result<std::string>> done;
      store.engine().Maintain(what, {}, done);
      ASSERT_TRUE(done.Get().ok());
    }
    ASSERT_TRUE(store.engine().Verify(true, {}).ok());
  }
  EXPECT_GE(Seen(watch, "a.db"), 5) << "the writer, two readers, the inline reader, a snapshot";
  ExpectSafe(watch);
}

TEST_F(DefensiveFlagsTest, OfAStoreInMemoryAndAReadOnlyOne) {
  {
    Share store = Open();
    ASSERT_TRUE(store.Set("k").ok());
  }
  const HandleWatch watch;
  {
    Share memory = Open(Memory());
    ASSERT_TRUE(memory.Set("k").ok());
    OpenOptions options = Options(dir_.File());
    options.read_only = true;
    Share store = Open(options);
    EXPECT_EQ(store.Get("k"), "1");
  }
  EXPECT_GE(Seen(watch, "a.db"), 1);
  EXPECT_GE(watch.opened(), 4);
  ExpectSafe(watch);
}

TEST_F(DefensiveFlagsTest, OfABackupAndARestore) {
  const HandleWatch watch;
  {
    Share store = Open();
    ASSERT_TRUE(store.Set("k").ok());
    ASSERT_TRUE(store.engine().Backup({Path("copy.db"), false, {}}).ok());
    EXPECT_EQ(Seen(watch, "copy.db.tmp-"), 2) << "the copy is written by one and read back by another";
    ASSERT_TRUE(store.engine().Backup({Path("copy.db"), true, {}}).ok());
    EXPECT_EQ(Seen(watch, "copy.db"), 5) << "the old file is opened once before the new one takes its place";
  }
  ASSERT_TRUE(RestoreStore(Path("copy.db"), dir_.File(), {}).ok());
  EXPECT_EQ(Seen(watch, "a.db.tmp-"), 2);
  ExpectSafe(watch);
}

TEST_F(DefensiveFlagsTest, OfAMigrationAndTheCopyThatItKeeps) {
  {
    Share store = Open();
    ASSERT_TRUE(store.Set("k").ok());
  }
  ASSERT_TRUE(MigrateStore(Options(dir_.File()), 1).ok());
  const HandleWatch watch;
  ASSERT_TRUE(MigrateStore(Options(dir_.File()), kLatestSchema).ok());
  EXPECT_EQ(Seen(watch, "a.db.v1"), 1);
  EXPECT_GE(Seen(watch, "a.db"), 3) << "with the source of the copy and the connection that migrates";
  EXPECT_TRUE(dir_.Has("a.db.v1"));
  ExpectSafe(watch);
}

}  // namespace
}  // namespace hypha
