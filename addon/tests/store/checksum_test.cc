// Every way to read an entry, over rows that were changed behind the engine's back.
#include <gtest/gtest.h>

#include <random>

#include "query/index_definition.h"
#include "query/query_runner.h"
#include "store/entry_reader.h"
#include "store/entry_writer.h"
#include "support/databases.h"

namespace hypha {
namespace {

using test::Op;
using test::SetOp;

class ChecksumTest : public ::testing::Test {
 protected:
  void SetUp() override {
    WriteOp op = SetOp("k", R"({"n":1})");
    op.metadata = R"({"tag":"x"})";
    Write(op);
    Write(SetOp("other", R"({"n":2})"));
  }

  WriteOutcome Write(const WriteOp& op) {
    EXPECT_TRUE(db_->Exec("BEGIN IMMEDIATE").ok());
    writer_.OnBegin();
    WriteOutcome outcome = writer_.Apply(op);
    EXPECT_TRUE(db_->Exec("COMMIT").ok());
    writer_.OnCommit();
    return outcome;
  }
  // As a flipped bit in the file would: the statement knows nothing of checksums.
  void Damage(const std::string& set) {
    ASSERT_TRUE(db_->Exec(("UPDATE hypha_entries SET " + set + " WHERE key = 'k'").c_str()).ok());
  }
  std::string Crc() { return db_->QueryText("SELECT quote(crc) FROM hypha_entries WHERE key = 'k'").value(); }

  Status Get() {
    return reader_.Get("default", "k", [&](std::string_view text) { seen_ = text; }).status();
  }
  Status GetEntry() { return reader_.GetEntry("default", "k").status(); }
  Status GetMetadata() { return reader_.GetMetadata("default", "k").status(); }
  Status GetMany() {
    ManyReply reply;
    return reader_.GetMany("default", {"other", "k"}, 1 << 20, &reply);
  }
  Status Query(Term term, std::vector<SortKey> sort = {}) {
    QuerySpec spec;
    spec.ns = "default";
    if (!term.path.empty() || term.source != Source::kField) spec.filter = {FilterNode::Kind::kTerm, {}, term};
    spec.sort = std::move(sort);
    return runner_.Run(spec, NsId(), 1 << 20).status();
  }
  Status Query() { return Query(Term()); }
  Status Count(const Term& term) {
    return runner_.Count({"default", {FilterNode::Kind::kTerm, {}, term}}, NsId()).status();
  }
  std::int64_t NsId() { return writer_.namespaces().Find("default").value(); }
  static Term Field(double wanted) {
    Term term;
    term.path = {"n"};
    term.operand.tag = Operand::Tag::kNumber;
    term.operand.number = wanted;
    return term;
  }

  static void ExpectNamed(const Status& status, const char* what) {
    EXPECT_EQ(status.code(), Code::kCorrupt) << what;
    EXPECT_NE(status.message().find("Key \"k\" in namespace \"default\""), std::string::npos)
        << what << status.message();
  }

  Hooks hooks_;
  std::unique_ptr<Connection> db_ = test::OpenFreshMemory();
  KvStatements statements_{*db_};
  EntryWriter writer_{statements_, hooks_};
  EntryReader reader_{statements_, writer_.namespaces()};
  QueryRunner runner_{*db_};
  std::string seen_ = "nothing";
};

TEST_F(ChecksumTest, ADamagedValueIsNeverGiven) {
  Damage("value = '{\"n\":9}'");
  ExpectNamed(Get(), "get");
  EXPECT_EQ(seen_, "nothing");
  ExpectNamed(GetEntry(), "getEntry");
  ExpectNamed(GetMany(), "getMany");
  ExpectNamed(Query(), "query");
  ExpectNamed(Query(Term(), {{Source::kKey, {}, true}}), "sorted query");
  EXPECT_TRUE(GetMetadata().ok()) << "its own half is intact";
  ValueCache cache;
  cache.OnSnapshot(1);
  cache.OnSnapshot(1);
  reader_.set_cache(&cache);
  ExpectNamed(Get(), "get past the cache");
  ExpectNamed(Get(), "and nothing was kept");
}

TEST_F(ChecksumTest, AFilterDecidesOnNothingDamaged) {
  Damage("value = '{\"n\":9}'");
  ExpectNamed(Query(Field(9)), "it would match");
  ExpectNamed(Query(Field(1)), "it would not, and should");
  ExpectNamed(Count(Field(9)), "count");
  ExpectNamed(Count(Field(1)), "count");
  Damage("value = '{\"n\":1}', metadata = '{\"tag\":\"y\"}'");
  ExpectNamed(Count(Field(5)), "a field may come from the metadata");
  Damage("metadata = '{\"tag\":\"x\"}', updated_at = updated_at + 1");
  Term updated;
  updated.source = Source::kUpdatedAt;
  updated.op = Operator::kGt;
  updated.operand.tag = Operand::Tag::kNumber;
  ExpectNamed(Count(updated), "times");
  Damage("updated_at = updated_at - 1");
  EXPECT_TRUE(Count(updated).ok());
  EXPECT_TRUE(Count(Field(1)).ok());
}

TEST_F(ChecksumTest, AScanOfTheTableInTwoHalvesToo) {
  for (int i = 0; i < 100; ++i) Write(SetOp("more" + std::to_string(i), R"({"n":3})"));
  Damage("value = '{\"n\":9}'");
  ExpectNamed(Query(Field(1)), "table scan");
  ExpectNamed(Count(Field(1)), "table scan");
}

TEST_F(ChecksumTest, AnIndexedRowIsCheckedWhenItIsGiven) {
  const std::string fields = FieldsToJson({IndexField{Source::kField, {"n"}}});
  ASSERT_TRUE(Write(Op(WriteKind::kCreateIndex, "default", "", fields)).status.ok());
  Damage("crc = crc + 1");
  ExpectNamed(Query(Field(1)), "the row that the index names");
  EXPECT_TRUE(Query(Field(2)).ok());
}

TEST_F(ChecksumTest, DamagedAttributesAreNeverGiven) {
  for (const char* damage : {"metadata = '{\"tag\":\"y\"}'", "metadata = NULL", "created_at = created_at + 1",
                             "updated_at = updated_at + 1", "version = version + 1"}) {
    ASSERT_TRUE(Write(Op(WriteKind::kDelete, "default", "k")).status.ok());
    SetUp();
    Damage(damage);
    EXPECT_TRUE(Get().ok()) << damage;
    ExpectNamed(GetEntry(), damage);
    ExpectNamed(GetMetadata(), damage);
    ExpectNamed(Query(), damage);
    EXPECT_EQ(Write(Op(WriteKind::kMergeMetadata, "default", "k")).status.code(), Code::kCorrupt) << damage;
  }
}

TEST_F(ChecksumTest, ASetHealsTheValueAndKeepsDamageOfWhatItKeeps) {
  Damage("value = '{\"n\":9}'");
  ASSERT_TRUE(Write(SetOp("k", "2")).status.ok());
  EXPECT_TRUE(Get().ok());
  EXPECT_TRUE(GetEntry().ok());
  Damage("metadata = '{\"tag\":\"y\"}'");
  ASSERT_TRUE(Write(SetOp("k", "3")).status.ok());
  EXPECT_TRUE(Get().ok());
  ExpectNamed(GetEntry(), "metadata that rotted before the set");
  ASSERT_TRUE(Write(Op(WriteKind::kDelete, "default", "k")).status.ok());
  ASSERT_TRUE(Write(SetOp("k", "4")).status.ok());
  EXPECT_TRUE(GetEntry().ok());
}

TEST_F(ChecksumTest, ASetVouchesForNothingThatItDidNotWrite) {
  for (const bool with_metadata : {false, true}) {
    for (const char* damage : {"created_at = created_at + 1", "updated_at = updated_at + 1", "version = version + 1",
                               "crc = crc + (1 << 40)", "metadata = NULL"}) {
      ASSERT_TRUE(Write(Op(WriteKind::kDelete, "default", "k")).status.ok());
      SetUp();
      Damage(damage);
      WriteOp op = SetOp("k", "2");
      if (with_metadata) op.metadata = R"({"tag":"z"})";
      ASSERT_TRUE(Write(op).status.ok());
      EXPECT_TRUE(Get().ok()) << damage;
      ExpectNamed(GetEntry(), damage);
    }
  }
}

TEST_F(ChecksumTest, AnEditOfADamagedValueFails) {
  Damage("value = '{\"n\":9}'");
  WriteOp edit = Op(WriteKind::kEdit, "default", "k", "1");
  edit.metadata = R"(["n"])";
  ExpectNamed(Write(edit).status, "edit");
}

TEST_F(ChecksumTest, EveryWriteLeavesAValidChecksum) {
  std::mt19937 random(test::Seed());
  for (int i = 0; i < 2000; ++i) {
    WriteOp op = SetOp("k", std::string(random() % 300, ' ') + std::to_string(i));
    switch (random() % 6) {
      case 0: op.overwrite = false; break;
      case 1: op.if_version = reader_.GetEntry("default", "k").value().value_or(Entry{}).version; break;
      case 2: op.kind = WriteKind::kDelete; break;
      case 3: op.kind = WriteKind::kSetMetadata; break;
      case 4: op.kind = WriteKind::kMergeMetadata; break;
      default: break;
    }
    const bool merges = op.kind == WriteKind::kMergeMetadata;
    if (merges || random() % 2 == 0) op.metadata = "{\"m\":" + std::to_string(random() % 100000) + "}";
    const WriteOutcome outcome = Write(op);
    ASSERT_NE(outcome.status.code(), Code::kCorrupt) << i;
    ASSERT_TRUE(GetEntry().ok()) << i << GetEntry().message();
    ASSERT_TRUE(Query().ok()) << i;
  }
}

TEST_F(ChecksumTest, RowsWithoutOneAreUncheckedUntilTheyAreRewritten) {
  Damage("crc = NULL, value = '{\"n\":9}', created_at = 5");
  EXPECT_TRUE(Get().ok());
  EXPECT_TRUE(Query(Field(9)).ok());
  WriteOp metadata = Op(WriteKind::kSetMetadata, "default", "k");
  metadata.metadata = R"({"tag":"kept"})";
  ASSERT_TRUE(Write(metadata).status.ok());
  EXPECT_EQ(Crc(), "NULL") << "the value it keeps was never checked";
  ASSERT_TRUE(Write(SetOp("k", "2")).status.ok());
  EXPECT_NE(Crc(), "NULL");
  EXPECT_TRUE(GetEntry().ok()) << "made of the metadata and the time of creation that stay";
  Damage("value = '3'");
  ExpectNamed(Get(), "get");
}

TEST_F(ChecksumTest, SwitchedOffNoneIsWrittenAndThoseThereAreChecked) {
  writer_.set_checksums(false);
  EXPECT_NE(Crc(), "NULL");
  Damage("value = '3'");
  ExpectNamed(Get(), "an old row");
  ASSERT_TRUE(Write(SetOp("k", "2")).status.ok());
  EXPECT_EQ(Crc(), "NULL");
  ASSERT_TRUE(Write(SetOp("new", "2")).status.ok());
  EXPECT_EQ(db_->QueryText("SELECT quote(crc) FROM hypha_entries WHERE key = 'new'").value(), "NULL");
  Damage("value = '3'");
  EXPECT_TRUE(Get().ok());
}

}  // namespace
}  // namespace hypha
