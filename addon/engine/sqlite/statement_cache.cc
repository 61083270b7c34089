#include "sqlite/statement_cache.h"

#include <new>
#include <utility>

namespace hypha {

Result<StatementCache::Lease> StatementCache::Take(std::string_view sql) {
  const auto found = index_.find(sql);
  if (found != index_.end()) {
    ++counters_.hits;
    const auto place = found->second;
    index_.erase(found);  // first: its key is a view of the item's text
    Item item = std::move(*place);
    items_.erase(place);
    return Lease(this, std::move(item.sql), std::move(item.statement));
  }
  ++counters_.misses;
  auto prepared = Prepare(db_, sql);
  if (!prepared.ok()) return prepared.status();
  return Lease(this, std::string(sql), std::move(prepared.value()));
}

void StatementCache::Return(std::string sql, StatementHandle statement) {
  sqlite3_reset(statement.get());
  sqlite3_clear_bindings(statement.get());
  // A second lease of the same text may have come back first; one copy is enough.
  if (capacity_ == 0 || index_.count(sql) != 0) return;
  try {
    items_.push_front({std::move(sql), std::move(statement)});
  } catch (const std::bad_alloc&) {
    return;  // a lease's destructor is the caller: the statement is prepared again when it is needed
  }
  try {
    index_.emplace(items_.front().sql, items_.begin());
  } catch (const std::bad_alloc&) {
    items_.pop_front();
    return;
  }
  if (items_.size() <= capacity_) return;
  index_.erase(items_.back().sql);
  items_.pop_back();
}

void StatementCache::Clear() {
  index_.clear();
  items_.clear();
}

}  // namespace hypha
