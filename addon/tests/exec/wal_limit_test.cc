// The log's limits with readers that do not go: in this process, and in another one that stands still.
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <thread>

#include "exec/engine_impl.h"
#include "exec/reader_pool.h"
#include "exec/store_fixture.h"
#include "exec/writer_fixture.h"
#include "support/eventually.h"
#include "support/slow_reads.h"

namespace hypha {
namespace {

using test::Answer;
using test::ChildProcess;
using test::Eventually;
using test::SetOp;
using test::Share;

constexpr std::int64_t kPage = 4096;

class WalLimitTest : public test::StoreFixture {
 protected:
  static OpenOptions Small(const std::string& path) {
    OpenOptions options = Options(path);
    options.wal.idle_bytes = 4 * kPage;
    options.wal.busy_bytes = 16 * kPage;
    options.wal.restart_bytes = 64 * kPage;
    options.wal.expire_bytes = 128 * kPage;
    options.wal.limit_bytes = 256 * kPage;
    options.wal.reader_gap_ms = 5;
    return options;
  }
  std::int64_t LogFile() const { return static_cast<std::int64_t>(std::filesystem::file_size(dir_.File("a.db-wal"))); }
  static nlohmann::json Stats(Share& share) { return nlohmann::json::parse(share.engine().Stats()); }
};

TEST_F(WalLimitTest, AStoppedReaderOfAnotherProcessMakesWritesFailCleanlyUntilItGoes) {
  Share share = Open(Small(dir_.File()));
  ASSERT_TRUE(share.Set("start").ok());
  ChildProcess child("hold-read", dir_.File(), "600000");
  ASSERT_EQ(child.Line(), "reading");
  child.Stop();
  const std::string value = "\"" + std::string(2 * kPage, 'v') + "\"";
  Status status;
  int written = 0;
  while ((status = share.Set("k" + std::to_string(written % 50), value)).ok() && written < 2000) ++written;
  EXPECT_EQ(status.code(), Code::kWalLimit);
  EXPECT_GT(written, 20);
  EXPECT_LT(LogFile(), 2 * 256 * kPage) << "the limit and one transaction";
  const std::int64_t size = LogFile();
  for (int i = 0; i < 20; ++i) EXPECT_EQ(share.Set("late").code(), Code::kWalLimit);
  EXPECT_EQ(LogFile(), size) << "refused writes write nothing";
  EXPECT_EQ(share.Get("late"), "absent");
  EXPECT_EQ(share.Get("k1"), value) << "reads go on";
  Answer<Result<TransactionId>> begun;
  share.engine().Begin(nullptr, 1000, begun);
  EXPECT_EQ(begun.Get().status().code(), Code::kWalLimit);
  EXPECT_GT(Stats(share)["log"]["refused"], 20);

  child.Kill();
  child.Wait();
  EXPECT_TRUE(Eventually([&] { return share.Set("after").ok(); }));
  EXPECT_EQ(share.Get("after"), "1");
  EXPECT_TRUE(Eventually([&] { return LogFile() < 64 * kPage; })) << LogFile();
}

// Writes 8 KiB a request until one is refused.
class TransactionLimitTest : public WalLimitTest {
 protected:
  static OpenOptions SmallCache(const std::string& path) {
    OpenOptions options = Small(path);
    options.wal.cache_kib = 64;
    return options;
  }
  TransactionId Begin(Share& share) {
    Answer<Result<TransactionId>> begun;
    share.engine().Begin(nullptr, 600'000, begun);
    const auto id = begun.Get();
    EXPECT_TRUE(id.ok()) << id.status().message();
    return id.ok() ? id.value() : 0;
  }
  Status WriteIn(Share& share, TransactionId id, int key, bool may_fill_log = false) {
    WriteRequest request{{SetOp("t" + std::to_string(key), value_)}, false, Durability::kOff};
    request.may_fill_log = may_fill_log;
    Answer<WriteReply> reply;
    share.engine().WriteIn(id, std::move(request), reply);
    return reply.Get().status;
  }
  Status Fill(Share& share, TransactionId id) {
    Status status;
    for (written_ = 0; written_ < 1000; ++written_) {
      status = WriteIn(share, id, written_);
      if (!status.ok()) break;
    }
    return status;
  }
  Status Commit(Share& share, TransactionId id) {
    Answer<Status> ended;
    share.engine().End(id, true, ended);
    return ended.Get();
  }
  // The limit, what the cache and one request put in after it, and the headers of the frames.
  static constexpr std::int64_t kMost = 256 * kPage + (64 << 10) + 16 * kPage;
  const std::string value_ = "\"" + std::string(2 * kPage, 'v') + "\"";
  int written_ = 0;
};

TEST_F(TransactionLimitTest, OneLargerThanTheLimitIsRefusedAndKeepsWhatItHas) {
  Share share = Open(SmallCache(dir_.File()));
  ASSERT_TRUE(share.Set("start").ok());
  const TransactionId id = Begin(share);
  const Status refused = Fill(share, id);
  EXPECT_EQ(refused.code(), Code::kTooLarge) << refused.message();
  EXPECT_GT(written_, 50);
  EXPECT_EQ(WriteIn(share, id, 5000).code(), Code::kTooLarge);
  EXPECT_TRUE(Commit(share, id).ok());
  EXPECT_LE(LogFile(), kMost);
  EXPECT_EQ(share.Get("t0"), value_);
  EXPECT_EQ(share.Get("t" + std::to_string(written_ - 1)), value_);
  EXPECT_EQ(share.Get("t" + std::to_string(written_)), "absent");
  EXPECT_TRUE(share.Set("after").ok());
}

TEST_F(TransactionLimitTest, WhatWasInTheLogCounts) {
  Share share = Open(SmallCache(dir_.File()));
  ASSERT_TRUE(share.Set("start").ok());
  ChildProcess child("hold-read", dir_.File(), "600000");
  ASSERT_EQ(child.Line(), "reading");
  child.Stop();
  while (LogFile() < 150 * kPage) ASSERT_TRUE(share.Set("k", value_).ok());
  const TransactionId id = Begin(share);
  EXPECT_EQ(Fill(share, id).code(), Code::kWalLimit);
  EXPECT_GT(written_, 5);
  EXPECT_TRUE(Commit(share, id).ok());
  EXPECT_LE(LogFile(), kMost);
  EXPECT_EQ(share.Set("after").code(), Code::kWalLimit);
  child.Kill();
  child.Wait();
}

TEST_F(TransactionLimitTest, AnImportGoesOn) {
  Share share = Open(SmallCache(dir_.File()));
  const TransactionId id = Begin(share);
  for (int i = 0; i < 300; ++i) ASSERT_TRUE(WriteIn(share, id, i, true).ok()) << i;
  EXPECT_TRUE(Commit(share, id).ok());
  EXPECT_GT(LogFile(), 512 * kPage);
  EXPECT_EQ(share.Get("t299"), value_);
}

TEST_F(WalLimitTest, TheLogRecoversByItselfAfterTheReaderHasGone) {
  Share share = Open(Small(dir_.File()));
  ASSERT_TRUE(share.Set("start").ok());
  ChildProcess child("hold-read", dir_.File(), "600000");
  ASSERT_EQ(child.Line(), "reading");
  while (LogFile() < 100 * kPage) ASSERT_TRUE(share.Set("k", "\"" + std::string(4 * kPage, 'v') + "\"").ok());
  child.Kill();
  child.Wait();
  EXPECT_TRUE(Eventually([&] { return LogFile() == 0; })) << "nobody wrote: the look of each second did it";
}

// A read of this process that stands in the way: past the threshold it is ended, and the log is emptied.
class ExpiryTest : public test::WriterFixture {
 protected:
  static WriterOptions Small(ReaderGate* gate) {
    WriterOptions options{1000, 64 << 20, 5000};
    options.wal.idle_bytes = 4 * kPage;
    options.wal.busy_bytes = 16 * kPage;
    options.wal.restart_bytes = 32 * kPage;
    options.wal.expire_bytes = 64 * kPage;
    options.wal.reader_gap_ms = 5;
    options.gate = gate;
    return options;
  }
};

TEST_F(ExpiryTest, AnOldReadEndsWithSnapshotExpired) {
  ReaderGate gate(hooks_);
  Start(Small(&gate));
  ASSERT_TRUE(Write({SetOp("start")}).Get().status.ok());
  std::vector<std::unique_ptr<ReadSession>> sessions;
  sessions.push_back(std::make_unique<ReadSession>(test::Open(test::MemoryOptions(name_, Role::kReader)), &gate));
  ReaderPool pool(std::move(sessions), 5000);
  Answer<Status> begun;
  Answer<Result<ReadReply>> answer;
  pool.Run(
      [&](ReadContext& context) {
        begun(Status::Ok());
        while (gate.expired() == 0) std::this_thread::yield();
        answer(context.Answer(CountSpec{"default", {}}, {1 << 20, 60'000, nullptr}));
      },
      [&](Status status) { answer(std::move(status)); });
  ASSERT_TRUE(begun.Get().ok());
  const std::string value = "\"" + std::string(2 * kPage, 'v') + "\"";
  for (int i = 0; i < 1000 && gate.expired() == 0; ++i) ASSERT_TRUE(Write({SetOp("k", value)}).Get().status.ok());
  EXPECT_EQ(answer.Get().status().code(), Code::kSnapshotExpired);
  EXPECT_EQ(gate.expired(), 1);
  // The next read of the same connection is another one.
  Answer<Result<ReadReply>> next;
  pool.Run(
      [&](ReadContext& context) {
        next(context.Answer(GetEntrySpec{"default", "k"}, {1 << 20, 60'000, nullptr}));
      },
      [&](Status status) { next(std::move(status)); });
  EXPECT_TRUE(next.Get().ok());
  pool.Close();
  static_cast<void>(Close());
}

// A snapshot that nobody reads from at the moment cannot be interrupted: it is ended.
TEST_F(WalLimitTest, AnIdleSnapshotIsEndedToo) {
  OpenOptions options = Small(dir_.File());
  options.limits.snapshot_age_ms = 600'000;
  options.limits.max_snapshots = 1;
  Share share = Open(options);
  ASSERT_TRUE(share.Set("k").ok());
  const auto begin = [&] {
    Answer<Result<TransactionId>> begun;
    share.engine().BeginSnapshot(nullptr, 300'000, begun);  // a timeout of its own is not what ends it
    return begun.Get();
  };
  const auto read = [&](TransactionId id) {
    Answer<Result<ReadReply>> answer;
    share.engine().ReadIn(id, CountSpec{"default", {}}, answer);
    return answer.Get();
  };
  const TransactionId id = begin().value();
  ASSERT_TRUE(read(id).ok());
  EXPECT_EQ(Stats(share)["readers"]["open"], 1);
  const std::string value = "\"" + std::string(2 * kPage, 'v') + "\"";
  ASSERT_TRUE(Eventually([&] { return !share.Set("k", value).ok() || Stats(share)["readers"]["expired"] == 1; }));
  EXPECT_EQ(read(id).status().code(), Code::kSnapshotExpired);
  EXPECT_EQ(Stats(share)["log"]["refused"], 0);
  EXPECT_TRUE(Eventually([&] { return share.Set("k", value).ok() && LogFile() < 64 * kPage; })) << LogFile();
  auto next = begin();
  ASSERT_TRUE(next.ok()) << "the ended one makes room: " << next.status().message();
  EXPECT_TRUE(read(next.value()).ok());
  Answer<Status> ended;
  share.engine().End(next.value(), true, ended);
  EXPECT_TRUE(ended.Get().ok());
}

// What reads the whole file at once is a reader like any other.
TEST_F(WalLimitTest, ALongReadOfTheWholeFileIsExpired) {
  Share share = Open(Small(dir_.File()));
  ASSERT_TRUE(share.Set("k").ok());
  auto& engine = static_cast<EngineImpl&>(share.engine());
  std::atomic<bool> reading{false};
  Status status;
  std::thread whole([&] {
    status = engine.WithSnapshot([&](Connection& db) {
      Status read = db.QueryInteger("SELECT count(*) FROM hypha_entries").status();
      reading = true;
      if (!read.ok()) return read;
      // It does not end by itself.
      return db.QueryInteger(test::kEndless).status();
    });
  });
  EXPECT_TRUE(Eventually([&] { return reading.load(); }));
  const std::string value = "\"" + std::string(2 * kPage, 'v') + "\"";
  EXPECT_TRUE(Eventually([&] { return !share.Set("k", value).ok() || Stats(share)["readers"]["expired"] > 0; }));
  whole.join();
  EXPECT_EQ(status.code(), Code::kSnapshotExpired);
}

TEST_F(WalLimitTest, EightOverlappingReadersDoNotStarveTheCheckpoint) {
  OpenOptions options = Small(dir_.File());
  options.readers = 4;
  options.wal.reader_gap_ms = 50;
  Share share = Open(options);
  std::vector<WriteOp> ops;
  for (int i = 0; i < 500; ++i) ops.push_back(SetOp("n" + std::to_string(i), R"({"v":"some text to look at"})"));
  ASSERT_TRUE(share.Write(std::move(ops)).status.ok());
  std::atomic<bool> stop{false};
  std::atomic<int> failed{0};
  std::vector<std::thread> readers;
  for (int t = 0; t < 8; ++t) {
    readers.emplace_back([&] {
      while (!stop) {
        auto reply = share.Read(CountSpec{"default", {}});
        QuerySpec all;
        all.ns = "default";
        auto rows = share.Read(all);
        if (!rows.ok() && rows.status().code() != Code::kSnapshotExpired) ++failed;
        if (!reply.ok() && reply.status().code() != Code::kSnapshotExpired) ++failed;
      }
    });
  }
  int refused = 0;
  std::int64_t longest = 0;
  for (int i = 0; i < 600; ++i) {
    const Status status = share.Set("k" + std::to_string(i % 20), "\"" + std::string(3 * kPage, 'v') + "\"");
    if (status.code() == Code::kWalLimit) ++refused;
    longest = std::max(longest, LogFile());
  }
  stop = true;
  for (auto& reader : readers) reader.join();
  std::printf("longest log %lld KiB, %d writes refused\n", static_cast<long long>(longest >> 10), refused);
  EXPECT_EQ(refused, 0);
  EXPECT_EQ(failed, 0);
  EXPECT_LT(longest, 256 * kPage);
}

TEST_F(WalLimitTest, CloseReportsAReaderInAnotherProcess) {
  auto opened = OpenStore(Small(dir_.File()));
  ASSERT_TRUE(opened.ok());
  Answer<WriteReply> set;
  opened.value().engine->Write({{SetOp("k")}, false, Durability::kNormal}, set);
  ASSERT_TRUE(set.Get().status.ok());
  ChildProcess child("hold-read", dir_.File(), "600000");
  ASSERT_EQ(child.Line(), "reading");
  Answer<WriteReply> another;
  opened.value().engine->Write({{SetOp("k", "2")}, false, Durability::kNormal}, another);
  ASSERT_TRUE(another.Get().status.ok());
  opened.value().reader.reset();
  CloseReport report;
  EXPECT_TRUE(CloseStore(std::exchange(opened.value().engine, nullptr), &report).ok());
  EXPECT_TRUE(report.last);
  EXPECT_TRUE(report.busy);
  EXPECT_GT(report.frames, 0);
  child.Kill();
  child.Wait();
  EXPECT_EQ(Open().Get("k"), "2");
}

TEST_F(WalLimitTest, AReplacedLogStopsTheWriter) {
  auto opened = OpenStore(Small(dir_.File()));
  ASSERT_TRUE(opened.ok());
  auto engine = std::exchange(opened.value().engine, nullptr);
  const auto write = [&](const char* key) {
    Answer<WriteReply> answer;
    engine->Write({{SetOp(key)}, false, Durability::kNormal}, answer);
    return answer.Get().status.code();
  };
  ASSERT_EQ(write("k"), Code::kOk);
  std::filesystem::rename(dir_.File("a.db-wal"), dir_.File("stolen-wal"));
  EXPECT_TRUE(Eventually([&] { return write("k") == Code::kWalMoved; }));
  EXPECT_EQ(write("later"), Code::kWalMoved);
  opened.value().reader.reset();
  CloseReport report;
  EXPECT_TRUE(CloseStore(engine, &report).ok());
  EXPECT_TRUE(report.stopped);
  EXPECT_TRUE(dir_.Has("stolen-wal"));
  EXPECT_TRUE(dir_.Has("a.db"));
}

// What an engine that died left in its log is told by the one that opens next.
TEST_F(WalLimitTest, OpeningReportsWhatItRecovered) {
  {
    Share fresh = Open();
    EXPECT_FALSE(fresh.engine().recovery().had_log);
    EXPECT_FALSE(fresh.engine().recovery().recovered);
  }
  {
    ChildProcess child("write-forever", dir_.File(), "1");
    for (int i = 0; i < 20; ++i) ASSERT_NE(child.Line(), "");
    child.Kill();
    child.Wait();
  }
  const std::int64_t left = LogFile();
  ASSERT_GT(left, 0);
  {
    Share share = Open();
    const RecoveryReport& report = share.engine().recovery();
    EXPECT_TRUE(report.had_log);
    EXPECT_TRUE(report.recovered);
    EXPECT_EQ(report.bytes, left);
    EXPECT_GE(report.frames, 20);
    EXPECT_GT(report.micros, 0);
    ChildProcess beside("hold-read", dir_.File(), "600000");
    ASSERT_EQ(beside.Line(), "reading");
  }
  Share clean = Open();
  EXPECT_FALSE(clean.engine().recovery().recovered);
}

TEST_F(WalLimitTest, AStoppedEngineLeavesTheRegistryToANewOne) {
  auto opened = OpenStore(Small(dir_.File()));
  ASSERT_TRUE(opened.ok());
  auto dead = std::exchange(opened.value().engine, nullptr);
  const auto write = [](Engine& engine, const char* key) {
    Answer<WriteReply> answer;
    engine.Write({{SetOp(key)}, false, Durability::kNormal}, answer);
    return answer.Get().status.code();
  };
  ASSERT_EQ(write(*dead, "k"), Code::kOk);
  std::filesystem::rename(dir_.File("a.db-wal"), dir_.File("aside-wal"));
  EXPECT_TRUE(Eventually([&] { return write(*dead, "k") == Code::kWalMoved; }));
  std::filesystem::rename(dir_.File("aside-wal"), dir_.File("a.db-wal"));
  Share fresh = Open(Small(dir_.File()));
  EXPECT_NE(&fresh.engine(), dead.get());
  EXPECT_TRUE(fresh.Set("new").ok());
  EXPECT_EQ(write(*dead, "old"), Code::kWalMoved);
  opened.value().reader.reset();
  EXPECT_TRUE(CloseStore(dead).ok());
  EXPECT_TRUE(fresh.Set("again").ok());
}

}  // namespace
}  // namespace hypha
