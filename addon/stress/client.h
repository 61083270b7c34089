// One client of a stress run on a thread of its own: random transactions, one after the other. The same work as
// scripts/stress/client.js does through JavaScript.
#pragma once

#include <array>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "history_writer.h"
#include "share.h"

namespace hypha::stress {

class Client {
 public:
  static constexpr int kSlots = 20;
  // A list longer than this is left alone, and its slot gets a new one.
  static constexpr int kListLength = 30;
  static constexpr int kAccounts = 10;

  // `number`: of this client, from 0, among all `clients` of the run.
  Client(Share& share, HistoryWriter& history, unsigned seed, int number, int clients)
      : share_(share), history_(history), random_(seed), number_(number), clients_(clients) {}

  void Run(std::int64_t until);

 private:
  using Ops = std::vector<Micro>;

  void Step();
  void Transact();
  void AppendBlindly();
  void CompareAndSet();
  void ReadMany();
  void Transfer();
  void SumAccounts();
  void Count();
  void Put();
  void Take();

  Status Work(TransactionId id, Ops& ops);
  Status Move(TransactionId id, std::int64_t amount, const std::string& from, const std::string& to);
  Status TakeFirst(TransactionId id, std::string* job);
  Outcome Finish(const Status& status, std::int64_t start);
  // Ends `id` as `status` of its work says, and tells how all of it went.
  Status EndAs(TransactionId id, const Status& status);

  Result<std::optional<Entry>> Read(TransactionId id, const std::string& key);
  // The values' JSON texts, "[]" or as `absent` says for those that are not there. Inline or on a reader thread.
  Result<std::vector<std::string>> ReadAll(const std::vector<std::string>& keys, const std::string& absent);
  Status Write(TransactionId id, WriteOp op);
  WriteOp Set(const std::string& key, std::string value) const;
  WriteOp Edit(EditKind edit, const std::string& key, std::string operand) const;
  std::string Saw(Ops& ops, const std::string& key, std::string list);

  int Below(int limit) { return static_cast<int>(random_() % static_cast<unsigned>(limit)); }
  std::int64_t NextValue() { return number_ + static_cast<std::int64_t>(clients_) * ++appended_; }
  std::string Key();
  std::vector<std::string> Keys(int most);

  Share& share_;
  HistoryWriter& history_;
  std::mt19937 random_;
  int number_;
  int clients_;
  std::int64_t appended_ = 0;
  std::int64_t jobs_ = 0;
  std::int64_t done_ = 0;
  std::int64_t conflicts_ = 0;
  std::map<std::string, int> codes_;
  std::array<int, kSlots> generations_{};
};

}  // namespace hypha::stress
