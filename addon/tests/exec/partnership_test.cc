// Scans that two readers share, against scans of one.
#include "exec/partnership.h"

#include <gtest/gtest.h>

#include <atomic>
#include <random>
#include <thread>

#include "exec/store_fixture.h"
#include "support/answer.h"
#include "support/filters.h"

namespace hypha::test {
namespace {

constexpr int kEntries = 12'000;

FilterNode IsOne(const char* field) { return Leaf(Source::kField, {field}, Operator::kEq, Num(1)); }
std::string KeyOf(int i) { return "k" + std::to_string(100'000 + i); }
std::string ValueOf(int i, bool one) {
  return "{\"f\":" + std::to_string(one ? 1 : 0) + ",\"n\":" + std::to_string(i % 97) + "}";
}
std::vector<WriteOp> AllEntries() {
  std::vector<WriteOp> ops;
  for (int i = 0; i < kEntries; ++i) ops.push_back(SetOp(KeyOf(i), ValueOf(i, i % 10 == 0)));
  return ops;
}

using PartnershipTest = StoreFixture;

// Each commit moves a 1 from a low row to a high one or back: in every snapshot there are as many.
TEST_F(PartnershipTest, AScanSeesOneSnapshotWhileAWriterCommits) {
  for (const bool memory : {true, false}) {
    Share store = memory ? Open(Memory()) : Open();
    ASSERT_TRUE(store.Write(AllEntries()).status.ok());
    std::atomic<bool> stop{false};
    std::atomic<int> commits{0};
    std::thread writer([&] {
      std::minstd_rand random(Seed());
      bool low = true;
      const int here = 0;
      const int there = kEntries - 1;
      while (!stop) {
        low = !low;
        const auto reply =
            store.Write({SetOp(KeyOf(here), ValueOf(here, low)), SetOp(KeyOf(there), ValueOf(there, !low))},
                        Durability::kOff, true);
        if (!reply.status.ok()) return;
        ++commits;
        if (random() % 3 == 0) std::this_thread::sleep_for(std::chrono::microseconds(random() % 8000));
      }
    });
    const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(1500);
    int scans = 0;
    // Longer where a starved machine has not come to a comparison yet.
    const auto give_up = until + test::kPatience;
    const auto seen_little = [&] { return (scans <= 5 || commits <= 5) && std::chrono::steady_clock::now() < give_up; };
    for (; std::chrono::steady_clock::now() < until || seen_little(); ++scans) {
      auto count = store.Read(CountSpec{"default", IsOne("f")});
      ASSERT_TRUE(count.ok());
      ASSERT_EQ(std::get<std::int64_t>(count.value()), kEntries / 10) << scans << " scans, " << commits << " commits";
      QuerySpec spec;
      spec.ns = "default";
      spec.filter = IsOne("f");
      spec.sort = {{Source::kField, {"n"}, true}};
      spec.shape = QueryShape::kKernel;
      auto reply = store.Read(spec);
      ASSERT_TRUE(reply.ok());
      std::string all;
      for (const auto& chunk : std::get<QueryReply>(reply.value()).chunks) all += chunk;
      ASSERT_NE(all.find(KeyOf(0)) == std::string::npos, all.find(KeyOf(kEntries - 1)) == std::string::npos);
    }
    stop = true;
    writer.join();
    EXPECT_GT(scans, 5);
    EXPECT_GT(commits, 5);
  }
}

// Always there, on a connection of its own, and counts how often it was used.
class ReadyPartner final : public ScanPartner {
 public:
  explicit ReadyPartner(std::unique_ptr<Connection> db) : db_(std::move(db)) {}
  bool Together(const std::function<void()>& mine, const std::function<void(Connection&)>& theirs) override {
    ++used;
    std::thread other([&] {
      ASSERT_TRUE(db_->Exec("BEGIN").ok());
      theirs(*db_);
      ASSERT_TRUE(db_->Exec("COMMIT").ok());
    });
    mine();
    other.join();
    return true;
  }
  int used = 0;

 private:
  std::unique_ptr<Connection> db_;
};

TEST(SharedScan, GivesWhatOneReaderGives) {
  const std::string name = NewMemoryName();
  auto db = OpenFresh(MemoryOptions(name));
  KvStatements statements(*db);
  Hooks hooks;
  EntryWriter writer(statements, hooks);
  ASSERT_TRUE(db->Exec("BEGIN IMMEDIATE").ok());
  writer.OnBegin();
  for (const auto& op : AllEntries()) ASSERT_TRUE(writer.Apply(op).status.ok());
  // A file that others wrote may hold such a row.
  ASSERT_TRUE(db->Exec("UPDATE hypha_entries SET id = -5 WHERE id = 1").ok());
  ASSERT_TRUE(db->Exec("COMMIT").ok());
  QueryRunner alone(*db);
  QueryRunner shared(*db);
  ReadyPartner partner(Open(MemoryOptions(name, Role::kReader)));
  shared.set_partner(&partner);
  std::minstd_rand random(Seed());
  for (int i = 0; i < 60; ++i) {
    QuerySpec spec;
    spec.filter = IsOne(random() % 2 == 0 ? "f" : "n");
    if (random() % 4 != 0) spec.sort = {{Source::kField, {random() % 2 == 0 ? "n" : "f"}, random() % 2 == 0}};
    if (random() % 2 == 0) spec.limit = random() % 700;
    if (random() % 3 == 0) spec.offset = random() % 300;
    const auto a = alone.Run(spec, 1, 1 << 30);
    const auto b = shared.Run(spec, 1, 1 << 30);
    ASSERT_TRUE(a.ok() && b.ok());
    ASSERT_EQ(a.value().chunks, b.value().chunks);
    ASSERT_EQ(a.value().examined, b.value().examined);
    ASSERT_EQ(alone.Count({spec.ns, spec.filter}, 1).value(), shared.Count({spec.ns, spec.filter}, 1).value());
    if (!spec.limit) continue;
    spec.page = true;
    spec.offset = 0;
    spec.limit = std::max<std::int64_t>(*spec.limit, 1);
    ASSERT_EQ(alone.Run(spec, 1, 1 << 30).value().cursor, shared.Run(spec, 1, 1 << 30).value().cursor);
  }
  EXPECT_GT(partner.used, 50);
}

TEST(SharedScan, RowIdsBelowOneDoNoHarm) {
  auto db = OpenFreshMemory();
  ASSERT_TRUE(db->Exec("INSERT INTO hypha_namespaces(id, name, explicit, created_at) VALUES(1, 'default', 1, 0)").ok());
  ASSERT_TRUE(db->Exec("INSERT INTO hypha_entries(id, ns_id, version, created_at, updated_at, key, value) VALUES(-1, "
                       "1, 1, 0, 0, 'k', '{\"f\":1}')")
                  .ok());
  QueryRunner runner(*db);
  EXPECT_EQ(runner.Count({"default", IsOne("f")}, 1).value(), 1);
  ASSERT_TRUE(db->Exec("UPDATE hypha_entries SET id = 9223372036854775807").ok());
  EXPECT_EQ(runner.Count({"default", IsOne("f")}, 1).value(), 1);
}

}  // namespace
}  // namespace hypha::test
