#include "ops/metrics.h"

namespace hypha {
namespace {

std::int64_t Counted(sqlite3* db, int what) {
  int current = 0;
  int highest = 0;
  return sqlite3_db_status(db, what, &current, &highest, 0) == SQLITE_OK ? current : 0;
}

void Set(Gauge& gauge, std::int64_t value) { gauge.store(value, std::memory_order_relaxed); }

}  // namespace

void PublishCache(Connection& db, CacheGauges* gauges) {
  Set(gauges->hits, Counted(db.handle(), SQLITE_DBSTATUS_CACHE_HIT));
  Set(gauges->misses, Counted(db.handle(), SQLITE_DBSTATUS_CACHE_MISS));
  Set(gauges->writes, Counted(db.handle(), SQLITE_DBSTATUS_CACHE_WRITE));
  Set(gauges->spills, Counted(db.handle(), SQLITE_DBSTATUS_CACHE_SPILL));
  const StatementCacheCounters& statements = db.cache().counters();
  Set(gauges->statement_hits, static_cast<std::int64_t>(statements.hits));
  Set(gauges->statement_misses, static_cast<std::int64_t>(statements.misses));
}

}  // namespace hypha
