// One thread's share of an engine, with calls that wait for their answer.
#pragma once

#include <future>
#include <string>
#include <utility>
#include <vector>

#include "hypha/engine.h"

namespace hypha::stress {

class Share {
 public:
  Share(OpenedStore opened, std::string ns) : opened_(std::move(opened)), ns_(std::move(ns)) {}
  Status Close() {
    opened_.reader.reset();
    return CloseStore(std::exchange(opened_.engine, nullptr));
  }

  // Outside a transaction `id` is 0.
  WriteReply Write(TransactionId id, std::vector<WriteOp> ops) {
    WriteRequest request{std::move(ops), true, Durability::kNormal};
    if (id == 0) {
      return Wait<WriteReply>([&](auto done) { opened_.engine->Write(std::move(request), std::move(done)); });
    }
    return Wait<WriteReply>([&](auto done) { opened_.engine->WriteIn(id, std::move(request), std::move(done)); });
  }
  Result<ReadReply> Read(TransactionId id, ReadRequest request) {
    if (id == 0) {
      return Wait<Result<ReadReply>>([&](auto done) { opened_.engine->Read(std::move(request), std::move(done)); });
    }
    return Wait<Result<ReadReply>>([&](auto done) { opened_.engine->ReadIn(id, std::move(request), std::move(done)); });
  }
  Result<TransactionId> Begin() {
    return Wait<Result<TransactionId>>([&](auto done) { opened_.engine->Begin(this, 30'000, std::move(done)); });
  }
  Status End(TransactionId id, bool commit) {
    return Wait<Status>([&](auto done) { opened_.engine->End(id, commit, std::move(done)); });
  }
  // Null when this file has none.
  InlineReader* reader() { return opened_.reader.get(); }

  const std::string& ns() const { return ns_; }

 private:
  // Waiting is what ends a turn of an event loop: without it the thread's snapshot would hold the log for as long.
  template <class T, class Call>
  T Wait(const Call& call) {
    if (opened_.reader != nullptr) opened_.reader->EndTurn();
    auto promise = std::make_shared<std::promise<T>>();
    auto answer = promise->get_future();
    call([promise](T value) { promise->set_value(std::move(value)); });
    return answer.get();
  }

  OpenedStore opened_;
  std::string ns_;
};

}  // namespace hypha::stress
