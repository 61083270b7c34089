#include "client.h"

#include <algorithm>
#include <cstdlib>

namespace hypha::stress {
namespace {

constexpr std::int64_t kBusyTimeoutNs = 5'000'000'000;

Status RolledBack() { return Status(Code::kAborted, "rolled back on purpose"); }

int LengthOf(const std::string& list) {
  return list == "[]" ? 0 : 1 + static_cast<int>(std::count(list.begin(), list.end(), ','));
}

std::string WithAppended(const std::string& list, std::int64_t value) {
  return list.substr(0, list.size() - 1) + (list == "[]" ? "" : ",") + std::to_string(value) + "]";
}

// The elements of a JSON array of values that hold no comma outside brackets.
void SplitInto(std::vector<std::string>& values, const std::string& chunk) {
  int depth = 0;
  std::string value;
  for (const char c : chunk.substr(1, chunk.size() - 2)) {
    if (c == '[') ++depth;
    if (c == ']') --depth;
    if (c == ',' && depth == 0) {
      values.push_back(std::exchange(value, ""));
    } else {
      value += c;
    }
  }
  if (!value.empty()) values.push_back(value);
}

std::string AccountName(int number) { return "account-" + std::to_string(number); }

}  // namespace

void Client::Run(std::int64_t until) {
  while (Now() < until) Step();
  std::string codes;
  for (const auto& [code, count] : codes_) {
    codes += (codes.empty() ? "\"" : ",\"") + code + "\":" + std::to_string(count);
  }
  history_.Summary("\"done\":" + std::to_string(done_) + ",\"conflicts\":" + std::to_string(conflicts_) +
                   ",\"codes\":{" + codes + "}");
}

void Client::Step() {
  // A turn of the event loop, as far as the snapshots of inline reads are concerned.
  if (share_.reader() != nullptr) share_.reader()->EndTurn();
  const int at = Below(100);
  if (at < 36) return Transact();
  if (at < 50) return AppendBlindly();
  if (at < 62) return CompareAndSet();
  if (at < 85) return ReadMany();
  if (at < 89) return Transfer();
  if (at < 92) return SumAccounts();
  if (at < 95) return Count();
  if (at < 97) return Put();
  Take();
}

Outcome Client::Finish(const Status& status, std::int64_t start) {
  if (status.ok() || status.code() == Code::kAborted) {
    ++done_;
    return status.ok() ? Outcome::kOk : Outcome::kFail;
  }
  if (status.code() == Code::kConflict) {
    ++conflicts_;
  } else {
    const bool is_late = status.code() == Code::kBusy && Now() - start >= kBusyTimeoutNs;
    ++codes_[is_late ? "HYPHA_BUSY after busyTimeout" : std::string(Describe(status.code()).name)];
  }
  return status.code() == Code::kIndeterminate ? Outcome::kUnknown : Outcome::kFail;
}

Status Client::EndAs(TransactionId id, const Status& status) {
  const Status ended = share_.End(id, status.ok());
  return status.ok() ? ended : status;
}

void Client::Transact() {
  Ops ops;
  const std::int64_t start = Now();
  const auto id = share_.Begin();
  const Status status = id.ok() ? EndAs(id.value(), Work(id.value(), ops)) : id.status();
  history_.Transaction(Finish(status, start), start, ops);
}

Status Client::Work(TransactionId id, Ops& ops) {
  for (int i = 1 + Below(6); i > 0; --i) {
    const std::string key = Key();
    const auto entry = Read(id, key);
    if (!entry.ok()) return entry.status();
    const std::string list = Saw(ops, key, entry.value() ? entry.value()->value : "[]");
    if (Below(2) == 0) continue;
    const std::int64_t value = NextValue();
    ops.push_back({false, key, "", value});
    const Status written = Write(id, Set(key, WithAppended(list, value)));
    if (!written.ok()) return written;
  }
  return Below(10) == 0 ? RolledBack() : Status();
}

void Client::AppendBlindly() {
  Ops ops;
  std::vector<WriteOp> writes;
  for (const std::string& key : Keys(3)) {
    const std::int64_t value = NextValue();
    ops.push_back({false, key, "", value});
    writes.push_back(Edit(EditKind::kAppend, key, std::to_string(value)));
  }
  const std::int64_t start = Now();
  const Status status = share_.Write(0, std::move(writes)).status;
  history_.Transaction(Finish(status, start), start, ops);
}

void Client::CompareAndSet() {
  Ops ops;
  const std::string key = Key();
  const std::int64_t start = Now();
  const auto entry = Read(0, key);
  Status status = entry.status();
  if (status.ok()) {
    const std::string list = Saw(ops, key, entry.value() ? entry.value()->value : "[]");
    const std::int64_t value = NextValue();
    ops.push_back({false, key, "", value});
    WriteOp set = Set(key, WithAppended(list, value));
    set.if_version = entry.value() ? entry.value()->version : 0;
    status = Write(0, std::move(set));
  }
  history_.Transaction(Finish(status, start), start, ops);
}

void Client::ReadMany() {
  Ops ops;
  const std::vector<std::string> keys = Keys(6);
  const std::int64_t start = Now();
  const auto lists = ReadAll(keys, "[]");
  if (lists.ok()) {
    for (std::size_t i = 0; i < keys.size(); ++i) Saw(ops, keys[i], lists.value()[i]);
  }
  history_.Transaction(Finish(lists.status(), start), start, ops);
}

void Client::Transfer() {
  const std::string from = AccountName(Below(kAccounts));
  const std::string to = AccountName(Below(kAccounts));
  if (from == to) return;
  const std::int64_t amount = 1 + Below(20);
  const std::int64_t start = Now();
  if (Below(2) == 0) {
    std::vector<WriteOp> edits{Edit(EditKind::kSum, from, std::to_string(-amount)),
                               Edit(EditKind::kSum, to, std::to_string(amount))};
    Finish(share_.Write(0, std::move(edits)).status, start);
    return;
  }
  const auto id = share_.Begin();
  Finish(id.ok() ? EndAs(id.value(), Move(id.value(), amount, from, to)) : id.status(), start);
}

Status Client::Move(TransactionId id, std::int64_t amount, const std::string& from, const std::string& to) {
  for (const auto& [key, change] : {std::pair(from, -amount), std::pair(to, amount)}) {
    const auto entry = Read(id, key);
    if (!entry.ok()) return entry.status();
    const std::int64_t balance = entry.value() ? std::atoll(entry.value()->value.c_str()) : 0;
    const Status status = Write(id, Set(key, std::to_string(balance + change)));
    if (!status.ok()) return status;
  }
  return Status();
}

void Client::SumAccounts() {
  std::vector<std::string> keys;
  for (int i = 0; i < kAccounts; ++i) keys.push_back(AccountName(i));
  const std::int64_t start = Now();
  const auto balances = ReadAll(keys, "0");
  std::int64_t sum = 0;
  if (balances.ok()) {
    for (const std::string& balance : balances.value()) sum += std::atoll(balance.c_str());
  }
  history_.Model("bank", Finish(balances.status(), start), std::to_string(sum));
}

void Client::Count() {
  const std::int64_t start = Now();
  const auto entry = Read(0, "counter");
  Status status = entry.status();
  std::int64_t next = 0;
  if (status.ok() && entry.value()) {
    next = std::atoll(entry.value()->value.c_str()) + 1;
    WriteOp set = Set("counter", std::to_string(next));
    set.if_version = entry.value()->version;
    status = Write(0, std::move(set));
  }
  history_.Model("counter", Finish(status, start), std::to_string(next));
}

void Client::Put() {
  const std::string job = std::to_string(Below(1000)) + "-" + std::to_string(number_) + "-" + std::to_string(++jobs_);
  WriteOp set = Set(job, "{}");
  set.ns += "-jobs";
  const std::int64_t start = Now();
  history_.Model("put", Finish(Write(0, std::move(set)), start), "\"" + job + "\"");
}

void Client::Take() {
  const std::int64_t start = Now();
  std::string job;
  const auto id = share_.Begin();
  const Status status = id.ok() ? EndAs(id.value(), TakeFirst(id.value(), &job)) : id.status();
  const Outcome outcome = Finish(status, start);
  if (!job.empty()) history_.Model("take", outcome, "\"" + job + "\"");
}

Status Client::TakeFirst(TransactionId id, std::string* job) {
  ListSpec first;
  first.ns = share_.ns() + "-jobs";
  first.limit = 1;
  const auto reply = share_.Read(id, first);
  if (!reply.ok()) return reply.status();
  const auto& chunks = std::get<JsonChunks>(reply.value());
  if (chunks.empty() || chunks[0] == "[]") return Status();
  *job = chunks[0].substr(2, chunks[0].size() - 4);
  WriteOp remove;
  remove.kind = WriteKind::kDelete;
  remove.ns = first.ns;
  remove.key = *job;
  const WriteReply removed = share_.Write(id, {std::move(remove)});
  if (removed.status.ok() && removed.outcomes.at(0).changed != 1)
    return Status(Code::kInternal, "a listed job is gone");
  return removed.status;
}

Result<std::optional<Entry>> Client::Read(TransactionId id, const std::string& key) {
  if (id == 0 && share_.reader() != nullptr) {
    Entry entry;
    switch (share_.reader()->GetEntry(share_.ns(), key, &entry)) {
      case InlineReader::Answer::kFound: return std::optional<Entry>(entry);
      case InlineReader::Answer::kAbsent: return std::optional<Entry>();
      case InlineReader::Answer::kYield:
      case InlineReader::Answer::kElsewhere: break;
    }
  }
  auto reply = share_.Read(id, GetEntrySpec{share_.ns(), key});
  if (!reply.ok()) return reply.status();
  return std::get<std::optional<Entry>>(std::move(reply.value()));
}

Result<std::vector<std::string>> Client::ReadAll(const std::vector<std::string>& keys, const std::string& absent) {
  const GetManySpec spec{share_.ns(), keys};
  ManyReply many;
  const bool inline_first = share_.reader() != nullptr && Below(2) == 0;
  if (!inline_first || share_.reader()->GetMany(spec, &many) != InlineReader::Answer::kFound) {
    auto reply = share_.Read(0, spec);
    if (!reply.ok()) return reply.status();
    many = std::get<ManyReply>(std::move(reply.value()));
  }
  std::vector<std::string> found;
  for (const std::string& chunk : many.values) SplitInto(found, chunk);
  std::vector<std::string> all;
  std::size_t next = 0;
  for (const bool present : many.present) all.push_back(present ? found.at(next++) : absent);
  return all;
}

Status Client::Write(TransactionId id, WriteOp op) {
  std::vector<WriteOp> ops;
  ops.push_back(std::move(op));
  return share_.Write(id, std::move(ops)).status;
}

WriteOp Client::Set(const std::string& key, std::string value) const {
  WriteOp op;
  op.ns = share_.ns();
  op.key = key;
  op.value = std::move(value);
  return op;
}

WriteOp Client::Edit(EditKind edit, const std::string& key, std::string operand) const {
  WriteOp op = Set(key, std::move(operand));
  op.kind = WriteKind::kEdit;
  op.edit = edit;
  return op;
}

std::string Client::Saw(Ops& ops, const std::string& key, std::string list) {
  if (LengthOf(list) >= kListLength) {
    const std::size_t dash = key.find('-');
    generations_[std::stoul(key.substr(1, dash - 1))] = std::stoi(key.substr(dash + 1)) + 1;
  }
  ops.push_back({true, key, list, 0});
  return list;
}

std::string Client::Key() {
  const int slot = Below(kSlots);
  return "k" + std::to_string(slot) + "-" + std::to_string(generations_[static_cast<std::size_t>(slot)]);
}

std::vector<std::string> Client::Keys(int most) {
  std::vector<std::string> keys;
  for (int i = 1 + Below(most); i > 0; --i) {
    std::string key = Key();
    if (std::find(keys.begin(), keys.end(), key) == keys.end()) keys.push_back(std::move(key));
  }
  return keys;
}

}  // namespace hypha::stress
