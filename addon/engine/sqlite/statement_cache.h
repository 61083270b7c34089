// An LRU cache of prepared statements, keyed by their SQL text. Thread: that of the connection that owns it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>

#include "sqlite/statement.h"

namespace hypha {

struct StatementCacheCounters {
  std::uint64_t hits = 0;
  std::uint64_t misses = 0;
};

class StatementCache {
 public:
  // A statement on loan. It goes back to the cache when the lease ends; a lease may outlive no cache.
  class Lease {
   public:
    Lease(StatementCache* cache, std::string sql, StatementHandle statement)
        : cache_(cache), sql_(std::move(sql)), statement_(std::move(statement)) {}
    Lease(Lease&&) noexcept = default;
    Lease& operator=(Lease&&) = delete;
    ~Lease() {
      if (statement_ != nullptr) cache_->Return(std::move(sql_), std::move(statement_));
    }
    sqlite3_stmt* get() const { return statement_.get(); }

   private:
    StatementCache* cache_;
    std::string sql_;
    StatementHandle statement_;
  };

  // `capacity` 0 keeps nothing.
  StatementCache(sqlite3* db, std::size_t capacity) : db_(db), capacity_(capacity) {}

  // Takes the statement for `sql` out of the cache, or prepares it.
  Result<Lease> Take(std::string_view sql);
  void Clear();
  std::size_t size() const { return index_.size(); }
  const StatementCacheCounters& counters() const { return counters_; }

 private:
  struct Item {
    std::string sql;
    StatementHandle statement;
  };

  void Return(std::string sql, StatementHandle statement);

  sqlite3* db_;
  std::size_t capacity_;
  std::list<Item> items_;  // most recently used first
  std::unordered_map<std::string_view, std::list<Item>::iterator> index_;
  StatementCacheCounters counters_;
};

}  // namespace hypha
