#include "exec/inline_reader_impl.h"

#include <utility>

#include "base/mutant.h"

namespace hypha {

InlineReaderImpl::InlineReaderImpl(std::unique_ptr<Connection> db, ReaderGate* gate)
    : db_(std::move(db)), statements_(*db_), namespaces_(statements_), entries_(statements_, namespaces_) {
  entries_.set_cache(&cache_);
  if (gate != nullptr) seat_.emplace(*gate, nullptr);  // it reads for a turn at most
  auto begin = Prepare(db_->handle(), "BEGIN");
  auto commit = Prepare(db_->handle(), "COMMIT");
  if (begin.ok()) begin_ = std::move(begin.value());
  if (commit.ok()) commit_ = std::move(commit.value());
}

InlineReaderImpl::~InlineReaderImpl() { EndSnapshot(); }

InlineReader::Answer InlineReaderImpl::Enter(std::string_view ns, int reads) {
  if (in_turn_) {
    const auto age = std::chrono::steady_clock::now() - turn_started_;
    if (age > std::chrono::microseconds(kMaxAgeUs)) {
      EndSnapshot();
      return Answer::kYield;
    }
  } else {
    in_turn_ = true;
    turn_started_ = std::chrono::steady_clock::now();
  }
  if (in_snapshot_ && reads_ >= kMaxReads) EndSnapshot();
  if (!in_snapshot_) {
    const Answer answer = StartSnapshot(ns);
    if (answer != Answer::kFound) return answer;
  }
  reads_ += reads;
  return Answer::kFound;
}

InlineReader::Answer InlineReaderImpl::StartSnapshot(std::string_view ns) {
  if (begin_ == nullptr || commit_ == nullptr) return Answer::kElsewhere;
  if (seat_ && !seat_->TrySit(turn_started_)) return Answer::kElsewhere;  // there it waits for the gap to end
  in_snapshot_ = true;                                                    // EndSnapshot() has to be called from here on
  if (!Cursor(begin_.get()).Run("begin a read").ok()) {
    EndSnapshot();
    return Answer::kElsewhere;
  }
  reads_ = 0;
  if (namespaces_.OnSnapshot(ns).ok()) {
    cache_.OnSnapshot(DataVersion(*db_));
    return Answer::kFound;
  }
  EndSnapshot();
  return Answer::kElsewhere;
}

InlineReader::Answer InlineReaderImpl::Settle(const Result<bool>& found) {
  if (found.ok()) return found.value() ? Answer::kFound : Answer::kAbsent;
  EndSnapshot();
  return Answer::kElsewhere;
}

template <class Read>
InlineReader::Answer InlineReaderImpl::OrElsewhere(Read read) {
  try {
    return read();
  } catch (...) {
    EndSnapshot();
    return Answer::kElsewhere;
  }
}

InlineReader::Answer InlineReaderImpl::Get(std::string_view ns, std::string_view key, std::string_view* value) {
  return OrElsewhere([&] {
    const Answer entered = Enter(ns, 1);
    if (entered != Answer::kFound) return entered;
    const Answer answer = Settle(entries_.Get(ns, key, [&](std::string_view text) { value_.assign(text); }));
    *value = value_;
    return answer;
  });
}

InlineReader::Answer InlineReaderImpl::GetEntry(std::string_view ns, std::string_view key, Entry* entry) {
  return OrElsewhere([&] {
    const Answer entered = Enter(ns, 1);
    if (entered != Answer::kFound) return entered;
    auto found = entries_.GetEntry(ns, key);
    if (!found.ok()) return Settle(found.status());
    if (!found.value()) return Answer::kAbsent;
    *entry = std::move(*found.value());
    return Answer::kFound;
  });
}

InlineReader::Answer InlineReaderImpl::Has(std::string_view ns, std::string_view key) {
  return OrElsewhere([&] {
    const Answer entered = Enter(ns, 1);
    return entered == Answer::kFound ? Settle(entries_.Has(ns, key)) : entered;
  });
}

InlineReader::Answer InlineReaderImpl::GetMetadata(std::string_view ns, std::string_view key, std::string* metadata) {
  return OrElsewhere([&] {
    const Answer entered = Enter(ns, 1);
    if (entered != Answer::kFound) return entered;
    auto found = entries_.GetMetadata(ns, key);
    if (!found.ok()) return Settle(found.status());
    if (!found.value()) return Answer::kAbsent;
    *metadata = std::move(*found.value());
    return Answer::kFound;
  });
}

InlineReader::Answer InlineReaderImpl::GetMany(const GetManySpec& spec, ManyReply* reply) {
  return OrElsewhere([&] {
    // All of it from one snapshot: a batch that would cross the count of reads starts a new one first.
    if (in_snapshot_ && reads_ + static_cast<int>(spec.keys.size()) > kMaxReads) EndSnapshot();
    const Answer entered = Enter(spec.ns, static_cast<int>(spec.keys.size()));
    if (entered != Answer::kFound) return entered;
    Status status = entries_.GetMany(spec.ns, spec.keys, kMaxBytes, reply);
    return status.ok() ? Answer::kFound : Settle(status);
  });
}

std::int64_t InlineReaderImpl::MemoryUsed() const {
  int pages = 0;
  int highest = 0;
  sqlite3_db_status(db_->handle(), SQLITE_DBSTATUS_CACHE_USED, &pages, &highest, 0);
  return pages + static_cast<std::int64_t>(cache_.bytes());
}

void InlineReaderImpl::EndSnapshot() {
  if (!in_snapshot_ || Mutated(Mutant::kKeepSnapshotAfterCommit)) return;
  in_snapshot_ = false;
  // The end of a read transaction has nothing to lose; a failure shows at the next BEGIN.
  // No status: its text takes memory, and a destructor is among the callers.
  {
    Cursor commit(commit_.get());
    while (commit.Step()) {
    }
  }
  if (seat_) seat_->Leave();
}

void InlineReaderImpl::EndTurn() {
  EndSnapshot();
  in_turn_ = false;
}

}  // namespace hypha
