#include "store/entry_writer.h"

#include <gtest/gtest.h>

#include <set>

#include "sqlite/transaction.h"
#include "store/entry_reader.h"
#include "support/databases.h"
#include "support/temp_dir.h"

namespace hypha {
namespace {

using test::Op;
using test::SetOp;

// One connection that writes, with what hangs on it.
struct Store {
  explicit Store(std::unique_ptr<Connection> connection)
      : db(std::move(connection)),
        statements(*db),
        writer(statements, hooks),
        reader(statements, writer.namespaces()) {}

  void Begin() {
    ASSERT_TRUE(db->Exec("BEGIN IMMEDIATE").ok());
    writer.OnBegin();
  }
  void Commit() {
    ASSERT_TRUE(db->Exec("COMMIT").ok());
    writer.OnCommit();
  }
  void RollBack() {
    ASSERT_TRUE(db->Exec("ROLLBACK").ok());
    writer.OnRollback();
  }
  WriteOutcome Write(const WriteOp& op) {
    Begin();
    WriteOutcome outcome = writer.Apply(op);
    Commit();
    return outcome;
  }
  std::string Value(std::string_view ns, std::string_view key) {
    std::string value = "absent";
    EXPECT_TRUE(reader.Get(ns, key, [&](std::string_view text) { value = text; }).ok());
    return value;
  }

  Hooks hooks;
  std::unique_ptr<Connection> db;
  KvStatements statements;
  EntryWriter writer;
  EntryReader reader;
};

class EntryWriterTest : public ::testing::Test {
 protected:
  std::string name_ = NewMemoryName();
  Store store_{test::OpenFresh(test::MemoryOptions(name_))};
};

TEST_F(EntryWriterTest, TimesComeFromTheClock) {
  std::int64_t now = 1000;
  store_.hooks.now_ms = [&] { return now; };
  store_.Write(SetOp("k"));
  now = 2000;
  store_.Write(SetOp("k", "2"));
  const auto entry = store_.reader.GetEntry("default", "k").value();
  EXPECT_EQ(entry->created_at, 1000);
  EXPECT_EQ(entry->updated_at, 2000);
  EXPECT_EQ(entry->value, "2");
}

TEST_F(EntryWriterTest, MetadataNotGivenIsKept) {
  WriteOp op = SetOp("k");
  op.metadata = "{\"a\":1}";
  store_.Write(op);
  store_.Write(SetOp("k", "2"));
  EXPECT_EQ(store_.reader.GetMetadata("default", "k").value(), "{\"a\":1}");
  WriteOp merge = Op(WriteKind::kMergeMetadata, "default", "k");
  merge.metadata = "{\"b\":2}";
  store_.Write(merge);
  EXPECT_EQ(store_.reader.GetMetadata("default", "k").value(), "{\"a\":1,\"b\":2}");
  merge.kind = WriteKind::kSetMetadata;
  store_.Write(merge);
  EXPECT_EQ(store_.reader.GetMetadata("default", "k").value(), "{\"b\":2}");
}

TEST_F(EntryWriterTest, AFailedSetMakesNoNamespace) {
  WriteOp op = SetOp("k", "1", "new");
  op.if_version = 5;
  EXPECT_EQ(store_.Write(op).status.code(), Code::kConflict);
  EXPECT_FALSE(store_.reader.GetNamespace("new").value());
  WriteOp large = SetOp("k", std::string(94U << 20, ' '), "new");
  EXPECT_EQ(store_.Write(large).status.code(), Code::kTooLarge);
  EXPECT_FALSE(store_.reader.GetNamespace("new").value());
  EXPECT_TRUE(store_.Write(SetOp("k", "1", "new")).status.ok());
  EXPECT_EQ(store_.Value("new", "k"), "1");
}

TEST_F(EntryWriterTest, ConflictsNameBothVersions) {
  const std::int64_t version = store_.Write(SetOp("k")).version;
  WriteOp op = SetOp("k", "2");
  op.if_version = version + 7;
  const Status status = store_.Write(op).status;
  EXPECT_EQ(status.code(), Code::kConflict);
  EXPECT_NE(status.message().find(std::to_string(version + 7)), std::string::npos);
  EXPECT_NE(status.message().find("found version " + std::to_string(version)), std::string::npos);
  op.if_version = 0;
  EXPECT_EQ(store_.Write(op).status.code(), Code::kConflict);
  op.if_version = version;
  EXPECT_TRUE(store_.Write(op).status.ok());
}

TEST_F(EntryWriterTest, DeletedNamespacesTakeTheirEntriesAlong) {
  store_.Write(SetOp("k", "1", "gone"));
  WriteOp op = Op(WriteKind::kDeleteNamespace, "gone");
  EXPECT_EQ(store_.Write(op).status.code(), Code::kNamespaceNotEmpty);
  op.recursive = true;
  const WriteOutcome outcome = store_.Write(op);
  EXPECT_TRUE(outcome.status.ok());
  EXPECT_EQ(outcome.changed, 1);
  EXPECT_EQ(store_.Write(op).status.code(), Code::kNamespaceNotFound);
  EXPECT_EQ(store_.Value("gone", "k"), "absent");
  store_.Write(SetOp("other", "1", "gone"));
  EXPECT_EQ(store_.Value("gone", "k"), "absent");
}

TEST_F(EntryWriterTest, AnImplicitNamespaceCanBeMadeExplicitOnce) {
  store_.Write(SetOp("k", "1", "n"));
  WriteOp op = Op(WriteKind::kCreateNamespace, "n");
  op.metadata = "{\"about\":1}";
  EXPECT_TRUE(store_.Write(op).status.ok());
  EXPECT_EQ(store_.reader.GetNamespace("n").value()->metadata, "{\"about\":1}");
  EXPECT_EQ(store_.Write(op).status.code(), Code::kNamespaceExists);
  EXPECT_EQ(store_.Write(Op(WriteKind::kCreateNamespace, "default")).status.code(), Code::kNamespaceExists);
  EXPECT_EQ(store_.Write(Op(WriteKind::kDeleteNamespace, "default")).status.code(), Code::kNamespaceReserved);
}

TEST_F(EntryWriterTest, GetManyKeepsOrderDuplicatesAndGaps) {
  store_.Write(SetOp("a", "1"));
  store_.Write(SetOp("b", "\"x\""));
  ManyReply reply;
  ASSERT_TRUE(store_.reader.GetMany("default", {"b", "no", "a", "b"}, 100, &reply).ok());
  EXPECT_EQ(reply.values, JsonChunks{"[\"x\",1,\"x\"]"});
  EXPECT_EQ(reply.present, (std::vector<bool>{true, false, true, true}));
  ManyReply small;
  EXPECT_EQ(store_.reader.GetMany("default", {"b", "a"}, 3, &small).code(), Code::kTooLarge);
}

TEST_F(EntryWriterTest, ListStopsAtTheResultLimit) {
  store_.Begin();
  for (int i = 0; i < 100; ++i) store_.writer.Apply(SetOp("key" + std::to_string(i)));
  store_.Commit();
  ListSpec spec;
  spec.ns = "default";
  EXPECT_EQ(store_.reader.List(spec, 100).status().code(), Code::kTooLarge);
  EXPECT_TRUE(store_.reader.List(spec, 10'000).ok());
}

// ---- Caches of two connections on one file

class TwoWritersTest : public EntryWriterTest {
 protected:
  Store other_{test::Open(test::MemoryOptions(name_))};
};

TEST_F(TwoWritersTest, VersionsNeverRepeat) {
  std::set<std::int64_t> seen;
  std::int64_t newest = 0;
  for (int i = 0; i < 40; ++i) {
    Store& store = i % 3 == 0 ? other_ : store_;
    const WriteOutcome outcome = store.Write(SetOp("k" + std::to_string(i)));
    ASSERT_TRUE(outcome.status.ok());
    EXPECT_TRUE(seen.insert(outcome.version).second);
    EXPECT_GT(outcome.version, newest);
    newest = outcome.version;
  }
}

TEST_F(TwoWritersTest, VersionsOfARolledBackBlockAreNotKept) {
  store_.Begin();
  store_.writer.Apply(SetOp("a"));
  store_.RollBack();
  const std::int64_t theirs = other_.Write(SetOp("b")).version;
  EXPECT_GT(store_.Write(SetOp("c")).version, theirs);
}

TEST_F(TwoWritersTest, ABlockThatRunsOutIsFollowedByTheNext) {
  store_.Begin();
  std::int64_t newest = 0;
  for (int i = 0; i < VersionCounter::kBlock + 10; ++i) {
    const WriteOutcome outcome = store_.writer.Apply(SetOp("k" + std::to_string(i % 10)));
    ASSERT_EQ(outcome.version, newest + 1);
    newest = outcome.version;
  }
  store_.Commit();
  EXPECT_GT(other_.Write(SetOp("k")).version, newest);
}

TEST_F(TwoWritersTest, NamespacesDeletedByAnotherAreNotWrittenTo) {
  store_.Write(SetOp("k", "1", "n"));
  WriteOp op = Op(WriteKind::kDeleteNamespace, "n");
  op.recursive = true;
  ASSERT_TRUE(other_.Write(op).status.ok());
  ASSERT_TRUE(store_.Write(SetOp("k2", "2", "n")).status.ok());
  EXPECT_TRUE(store_.reader.GetNamespace("n").value());
  EXPECT_EQ(other_.reader.Count("n").value(), 1);
}

TEST_F(TwoWritersTest, NamespacesRolledBackAreForgotten) {
  store_.Begin();
  store_.writer.Apply(SetOp("k", "1", "n"));
  store_.RollBack();
  ASSERT_TRUE(store_.Write(SetOp("k", "2", "n")).status.ok());
  EXPECT_EQ(store_.Value("n", "k"), "2");
  EXPECT_EQ(store_.db->QueryInteger("SELECT count(*) FROM hypha_namespaces WHERE name = 'n'").value(), 1);
}

TEST_F(TwoWritersTest, ASnapshotSeesNamespacesAsTheyAreNow) {
  NamespaceCache cache(other_.statements);
  const auto look = [&](std::string_view name) {
    EXPECT_TRUE(other_.db->Exec("BEGIN").ok());
    EXPECT_TRUE(cache.OnSnapshot("default").ok());
    const std::int64_t id = cache.Find(name).value();
    EXPECT_TRUE(other_.db->Exec("COMMIT").ok());
    return id;
  };
  EXPECT_EQ(look("n"), 0);
  store_.Write(SetOp("k", "1", "n"));
  const std::int64_t first = look("n");
  EXPECT_NE(first, 0);
  WriteOp op = Op(WriteKind::kDeleteNamespace, "n");
  op.recursive = true;
  store_.Write(op);
  EXPECT_EQ(look("n"), 0);
  store_.Write(SetOp("k", "1", "n"));
  EXPECT_GT(look("n"), first);
}

TEST(VersionCounterFile, VersionsRiseOverReopening) {
  test::TempDir dir;
  std::int64_t newest = 0;
  for (int i = 0; i < 3; ++i) {
    Store store(test::OpenFresh(test::FileOptions(dir.File())));
    const std::int64_t version = store.Write(SetOp("k" + std::to_string(i))).version;
    EXPECT_GT(version, newest);
    newest = version;
  }
}

}  // namespace
}  // namespace hypha
