// A Writer over a database in memory whose VFS can be told to fail.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "exec/writer.h"
#include "support/answer.h"
#include "support/databases.h"
#include "support/fault_vfs.h"

namespace hypha::test {

class WriterFixture : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(RegisterMemoryVfs(), SQLITE_OK);
    ASSERT_EQ(RegisterFaultVfs(), SQLITE_OK);
    TheFaults().Clear();
    hooks_.reached = [this](const char* point) {
      const std::lock_guard lock(reached_mutex_);
      if (reached_) reached_(point);
    };
    Start({1000, 1 << 20, 5000});
  }
  void TearDown() override {
    WhenReached({});
    TheFaults().Clear();
    if (writer_ != nullptr) static_cast<void>(Close());
  }

  void Start(WriterOptions options) {
    if (writer_ != nullptr) static_cast<void>(Close());
    ConnectionOptions connect = MemoryOptions(name_);
    connect.vfs = {kFaultVfs, kFaultVfs};
    writer_ = std::make_unique<Writer>(std::make_unique<WriteSession>(OpenFresh(std::move(connect)), hooks_), options);
    keeper_ = Open(MemoryOptions(name_));
  }
  // What is called at each point that the writer passes from now on, on its thread or on this one. What it refers to
  // need not outlive the test's body.
  void WhenReached(std::function<void(const char*)> call) {
    const std::lock_guard lock(reached_mutex_);
    reached_ = std::move(call);
  }
  Status Flush() {
    Answer<Status> flushed;
    writer_->Flush({}, flushed);
    return flushed.Get();
  }
  Status Close() {
    Answer<Status> closed;
    writer_->Close([] {}, closed);
    const Status status = closed.Get();
    writer_->Join();
    EXPECT_EQ(closed.count(), 1);
    writer_.reset();
    return status;
  }

  static WriteRequest Request(std::vector<WriteOp> ops, Durability durability = Durability::kNormal) {
    return {std::move(ops), false, durability};
  }
  Answer<WriteReply> Write(std::vector<WriteOp> ops, Durability durability = Durability::kNormal) {
    Answer<WriteReply> answer;
    writer_->Write(Request(std::move(ops), durability), answer);
    return answer;
  }
  Answer<Result<TransactionId>> Begin(std::int64_t timeout_ms = 30'000, const void* owner = nullptr) {
    Answer<Result<TransactionId>> answer;
    writer_->Begin(owner, Durability::kNormal, timeout_ms, nullptr, answer);
    return answer;
  }
  Answer<WriteReply> WriteIn(TransactionId id, WriteOp op) {
    Answer<WriteReply> answer;
    writer_->WriteIn(id, Request({std::move(op)}), answer);
    return answer;
  }
  Answer<Status> End(TransactionId id, bool commit) {
    Answer<Status> answer;
    writer_->End(id, commit, answer);
    return answer;
  }
  // What another connection sees.
  std::string Stored(const std::string& key) {
    auto found = keeper_->QueryText(
        ("SELECT coalesce(max(value), 'absent') FROM hypha_entries WHERE key = '" + key + "'").c_str());
    return found.ok() ? found.value() : found.status().message();
  }

  std::string name_ = NewMemoryName();
  Hooks hooks_;
  std::mutex reached_mutex_;
  std::function<void(const char*)> reached_;
  std::unique_ptr<Connection> keeper_;  // keeps the database alive when the writer is closed
  std::unique_ptr<Writer> writer_;
};

}  // namespace hypha::test
