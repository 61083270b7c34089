// A Writer over a database in memory whose VFS can be told to fail.
#pragma once

#include <gtest/gtest.h>

#include <memory>
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
    Start({1000, 1 << 20, 5000});
  }
  void TearDown() override {
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
  Status Flush() {
    Answer<Status> flushed;
    writer_->Flush(flushed);
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
  std::unique_ptr<Connection> keeper_;  // keeps the database alive when the writer is closed
  std::unique_ptr<Writer> writer_;
};

}  // namespace hypha::test
