#include "hypha/inline_reader.h"

#include <gtest/gtest.h>

#include <thread>

#include "exec/store_fixture.h"

namespace hypha {
namespace {

using test::SetOp;
using test::Share;

class InlineReaderTest : public test::StoreFixture, public ::testing::WithParamInterface<bool> {
 protected:
  Share OpenIt() { return Open(GetParam() ? Memory() : Options(dir_.File())); }
};
INSTANTIATE_TEST_SUITE_P(Modes, InlineReaderTest, ::testing::Bool(),
                         [](const auto& test) { return std::string(test.param ? "Memory" : "File"); });

// Runs `body` in a turn of its own, again when the machine was too slow for one turn.
template <class Body>
void InOneTurn(InlineReader* reader, Body&& body) {
  for (int i = 0; i < 200; ++i) {
    reader->EndTurn();
    if (body()) return;
  }
  FAIL() << "no turn was short enough";
}

TEST_P(InlineReaderTest, ReadsEveryKind) {
  Share share = OpenIt();
  WriteOp op = SetOp("k", "{\"a\":1}");
  op.metadata = "{\"m\":2}";
  const std::int64_t version = share.Write({op}).outcomes.at(0).version;
  InOneTurn(share.reader(), [&] {
    Entry entry;
    std::string metadata;
    ManyReply many;
    const auto first = share.reader()->GetEntry("default", "k", &entry);
    const auto second = share.reader()->GetMetadata("default", "k", &metadata);
    const auto third = share.reader()->GetMany({"default", {"k", "none", "k"}}, &many);
    if (first != InlineReader::Answer::kFound || second != InlineReader::Answer::kFound ||
        third != InlineReader::Answer::kFound)
      return false;
    EXPECT_EQ(entry.value, "{\"a\":1}");
    EXPECT_EQ(entry.version, version);
    EXPECT_EQ(metadata, "{\"m\":2}");
    EXPECT_EQ(many.values, JsonChunks{"[{\"a\":1},{\"a\":1}]"});
    EXPECT_EQ(many.present, (std::vector<bool>{true, false, true}));
    return true;
  });
  share.reader()->EndTurn();
  EXPECT_EQ(share.reader()->Has("default", "none"), InlineReader::Answer::kAbsent);
  share.reader()->EndTurn();
  EXPECT_EQ(share.reader()->Has("no namespace", "k"), InlineReader::Answer::kAbsent);
}

TEST_P(InlineReaderTest, ValuesThatItKeptGiveWayToEveryCommit) {
  Share share = OpenIt();
  WriteOp op = SetOp("k", "0");
  share.Write({op});
  for (int round = 1; round <= 20; ++round) {
    for (int snapshot = 0; snapshot < 4; ++snapshot) {
      InOneTurn(share.reader(), [&] {
        std::string_view value;
        if (share.reader()->Get("default", "k", &value) == InlineReader::Answer::kElsewhere) return false;
        EXPECT_EQ(value, std::to_string(round - 1));
        return share.reader()->Has("default", "k") == InlineReader::Answer::kFound;
      });
    }
    op.value = std::to_string(round);
    share.Write({op});
  }
  op.kind = WriteKind::kDelete;
  share.Write({op});
  InOneTurn(share.reader(), [&] { return share.reader()->Has("default", "k") == InlineReader::Answer::kAbsent; });
}

TEST_P(InlineReaderTest, OneSnapshotATurnUntilItIsEnded) {
  Share share = OpenIt();
  ASSERT_TRUE(share.Set("k", "1").ok());
  InOneTurn(share.reader(), [&] {
    const std::string before = share.Inline("k");
    EXPECT_TRUE(share.Set("k", std::to_string(std::stoi(before) + 1)).ok());
    const std::string same = share.Inline("k");
    if (same == "yield") return false;
    EXPECT_EQ(same, before);
    share.reader()->EndSnapshot();
    const std::string after = share.Inline("k");
    if (after == "yield") return false;
    EXPECT_EQ(std::stoi(after), std::stoi(before) + 1);
    return true;
  });
}

TEST_P(InlineReaderTest, AfterSixtyFourReadsTheSnapshotIsNew) {
  Share share = OpenIt();
  ASSERT_TRUE(share.Set("k", "1").ok());
  ASSERT_TRUE(share.Set("n", "0").ok());
  InOneTurn(share.reader(), [&] {
    const std::string before = share.Inline("n");
    EXPECT_TRUE(share.Set("n", std::to_string(std::stoi(before) + 1)).ok());
    for (int i = 1; i < InlineReader::kMaxReads; ++i) {
      const std::string now = share.Inline("n");
      if (now == "yield") return false;
      EXPECT_EQ(now, before) << i;
    }
    const std::string after = share.Inline("n");
    if (after == "yield") return false;
    EXPECT_NE(after, before);
    return true;
  });
}

TEST_P(InlineReaderTest, ATurnThatLastsTooLongYieldsUntilItEnds) {
  Share share = OpenIt();
  ASSERT_TRUE(share.Set("k", "1").ok());
  EXPECT_EQ(share.Inline("k"), "1");
  std::this_thread::sleep_for(std::chrono::microseconds(InlineReader::kMaxAgeUs + 500));
  EXPECT_EQ(share.Inline("k"), "yield");
  EXPECT_EQ(share.Inline("k"), "yield");
  EXPECT_TRUE(share.Set("k", "2").ok());
  share.reader()->EndTurn();
  EXPECT_EQ(share.Inline("k"), "2");
}

TEST_P(InlineReaderTest, SeesEachAcknowledgedWriteInTheNextTurn) {
  Share share = OpenIt();
  for (int i = 0; i < 300; ++i) {
    ASSERT_TRUE(share.Set("k", std::to_string(i)).ok());
    share.reader()->EndTurn();
    ASSERT_EQ(share.Inline("k"), std::to_string(i));
  }
}

TEST_P(InlineReaderTest, ReadsWhileATransactionIsOpen) {
  Share share = OpenIt();
  ASSERT_TRUE(share.Set("k", "1").ok());
  test::Answer<Result<TransactionId>> begun;
  share.engine().Begin(nullptr, 30'000, begun);
  const auto id = begun.Get().value();
  test::Answer<WriteReply> written;
  share.engine().WriteIn(id, {{SetOp("k", "2")}, false, Durability::kNormal}, written);
  ASSERT_TRUE(written.Get().status.ok());
  share.reader()->EndTurn();
  EXPECT_EQ(share.Inline("k"), "1");
  test::Answer<Status> ended;
  share.engine().End(id, true, ended);
  ASSERT_TRUE(ended.Get().ok());
  share.reader()->EndTurn();
  EXPECT_EQ(share.Inline("k"), "2");
}

TEST_P(InlineReaderTest, ManyKeysComeFromOneSnapshotWhateverTheirNumber) {
  Share share = OpenIt();
  std::vector<WriteOp> ops;
  GetManySpec spec{"default", {}};
  for (int i = 0; i < 200; ++i) {
    ops.push_back(SetOp("k" + std::to_string(i), "0"));
    spec.keys.push_back("k" + std::to_string(i));
  }
  ASSERT_TRUE(share.Write(ops, Durability::kNormal, true).status.ok());
  std::atomic<bool> stop{false};
  std::thread writer([&] {
    for (int round = 1; !stop; ++round) {
      for (auto& op : ops) op.value = std::to_string(round);
      EXPECT_TRUE(share.Write(ops, Durability::kNormal, true).status.ok());
    }
  });
  int found = 0;
  for (int i = 0; i < 200; ++i) {
    share.reader()->EndTurn();
    ManyReply reply;
    const auto answer = share.reader()->GetMany(spec, &reply);
    if (answer == InlineReader::Answer::kElsewhere) continue;  // a lock was taken at that moment
    EXPECT_EQ(answer, InlineReader::Answer::kFound);
    ++found;
    const std::string& values = reply.values.at(0);
    const std::string first = values.substr(1, values.find(',') - 1);
    std::string wanted = "[" + first;
    for (std::size_t k = 1; k < spec.keys.size(); ++k) wanted += "," + first;
    EXPECT_EQ(values, wanted + "]");
  }
  stop = true;
  writer.join();
  EXPECT_GT(found, 100);
}

class InlineReaderFileTest : public test::StoreFixture {};

TEST_F(InlineReaderFileTest, SeesAnotherProcessesCommitInTheNextSnapshot) {
  Share share = Open();
  EXPECT_EQ(share.Inline("theirs"), "absent");
  test::ChildProcess child("write-once", dir_.File(), "theirs");
  ASSERT_EQ(child.Wait(), 0);
  share.reader()->EndSnapshot();
  share.reader()->EndTurn();
  EXPECT_EQ(share.Inline("theirs"), "1");
  EXPECT_EQ(share.Get("theirs"), "1");
}

TEST_F(InlineReaderFileTest, NeverWaitsForAnothersLock) {
  Share share = Open();
  ASSERT_TRUE(share.Set("k").ok());
  test::ChildProcess child("hold-lock", dir_.File(), "60000");
  ASSERT_EQ(child.Line(), "locked");
  const auto started = std::chrono::steady_clock::now();
  EXPECT_EQ(share.Inline("k"), "1");
  EXPECT_LT(std::chrono::steady_clock::now() - started, std::chrono::milliseconds(200));
}

}  // namespace
}  // namespace hypha
