#include "store/list_cache.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "exec/reader_pool.h"
#include "support/databases.h"
#include "support/temp_dir.h"

namespace hypha {
namespace {

TEST(ListCache, GivesTheSameListOfTheSameStateOnly) {
  ListCache cache;
  ListSpec spec;
  spec.prefix = "a";
  EXPECT_EQ(cache.Find(0, 1, spec), nullptr);
  cache.Put(7, 3, spec, {"[\"a\"]"});
  ASSERT_NE(cache.Find(7, 3, spec), nullptr);
  EXPECT_EQ(*cache.Find(7, 3, spec), JsonChunks{"[\"a\"]"});
  EXPECT_EQ(cache.Find(8, 3, spec), nullptr);
  EXPECT_EQ(cache.Find(7, 4, spec), nullptr);
  spec.limit = 1;
  EXPECT_EQ(cache.Find(7, 3, spec), nullptr);
}

TEST(ListCache, DoesNotKeepWhatIsTooLong) {
  ListCache cache;
  for (const std::size_t more : {std::size_t{0}, std::size_t{1}}) {
    cache.Put(1, 1, {}, {std::string(ListCache::kMaxBytes, 'x'), std::string(more, 'y')});
    EXPECT_EQ(cache.Find(1, 1, {}) != nullptr, more == 0);
  }
}

// Two readers that list between the commits of a writer, each with a cache, against a reader without.
TEST(ListCache, ListsAreThoseOfTheSnapshot) {
  const test::TempDir dir;
  const auto writer = test::OpenFresh(test::FileOptions(dir.File()));
  ASSERT_TRUE(writer
                  ->Exec("INSERT OR IGNORE INTO hypha_namespaces(id, name, explicit, created_at) "
                         "VALUES(1, 'default', 1, 0)")
                  .ok());
  ReadSession kept(test::Open(test::FileOptions(dir.File(), Role::kReader)));
  ReadSession plain(test::Open(test::FileOptions(dir.File(), Role::kReader)));
  const auto list = [](ReadSession& session, bool cached, const ListSpec& spec) {
    JsonChunks keys;
    const Status status = session.InSnapshot(SteadyTime{}, [&](ReadContext& context) {
      if (!cached) context.entries().set_list_cache(nullptr);
      keys = context.entries().List(spec, 1 << 20).value();
    });
    EXPECT_TRUE(status.ok()) << status.message();
    return keys;
  };
  std::mt19937 random(test::Seed());
  int repeated = 0;
  JsonChunks last;
  for (int round = 0; round < 400; ++round) {
    if (random() % 3 == 0) {
      const std::string key = std::string(1, static_cast<char>('a' + random() % 3)) + std::to_string(random() % 20);
      const std::string sql =
          random() % 2 == 0
              ? "INSERT OR REPLACE INTO hypha_entries(ns_id, version, created_at, updated_at, key, value) "
                "VALUES(1, 1, 0, 0, '" +
                    key + "', '1')"
              : "DELETE FROM hypha_entries WHERE key = '" + key + "'";
      ASSERT_TRUE(writer->Exec(sql.c_str()).ok());
    }
    ListSpec spec;
    spec.ns = "default";
    spec.prefix = std::string(1, static_cast<char>('a' + random() % 2));
    const JsonChunks keys = list(kept, true, spec);
    EXPECT_EQ(keys, list(plain, false, spec)) << round;
    if (keys == last) ++repeated;
    last = keys;
  }
  EXPECT_GT(repeated, 0);
}

}  // namespace
}  // namespace hypha
