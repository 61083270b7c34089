#include "open_arguments.h"

namespace hypha::binding {
namespace {

struct IntegerField {
  const char* name;
  std::int64_t Limits::*field;
};

constexpr IntegerField kLimits[] = {{"keyBytes", &Limits::key_bytes},
                                    {"namespaceBytes", &Limits::namespace_bytes},
                                    {"valueBytes", &Limits::value_bytes},
                                    {"metadataBytes", &Limits::metadata_bytes},
                                    {"queueOperations", &Limits::queue_operations},
                                    {"queueBytes", &Limits::queue_bytes},
                                    {"resultBytes", &Limits::result_bytes},
                                    {"queryTimeout", &Limits::query_timeout_ms},
                                    {"transactionTimeout", &Limits::transaction_timeout_ms},
                                    {"snapshotAge", &Limits::snapshot_age_ms},
                                    {"maxSnapshots", &Limits::max_snapshots}};

struct WalField {
  const char* name;
  std::int64_t WalOptions::*field;
};

constexpr WalField kWal[] = {{"idleBytes", &WalOptions::idle_bytes},
                             {"busyBytes", &WalOptions::busy_bytes},
                             {"restartBytes", &WalOptions::restart_bytes},
                             {"expireBytes", &WalOptions::expire_bytes},
                             {"limitBytes", &WalOptions::limit_bytes},
                             {"readerGap", &WalOptions::reader_gap_ms},
                             {"checkpointInterval", &WalOptions::checkpoint_interval_ms},
                             {"syncInterval", &WalOptions::sync_interval_ms},
                             {"journalSizeLimit", &WalOptions::journal_size_limit},
                             {"walAutocheckpoint", &WalOptions::autocheckpoint_pages},
                             {"cacheSizeKiB", &WalOptions::cache_kib}};

std::int64_t Integer(Reader& reader, napi_value object, const char* name) {
  std::int64_t number = 0;
  reader.Integer(reader.Property(object, name), &number);
  return number;
}

}  // namespace

bool ReadOpenOptions(Napi::Env env, Napi::Value value, OpenOptions* out) {
  Reader reader(env);
  const napi_value object = value;
  reader.Text(reader.Property(object, "path"), &out->path);
  reader.Boolean(reader.Property(object, "memory"), &out->memory);
  reader.Boolean(reader.Property(object, "readOnly"), &out->read_only);
  reader.Boolean(reader.Property(object, "create"), &out->create);
  reader.Boolean(reader.Property(object, "migrate"), &out->migrate);
  reader.Boolean(reader.Property(object, "keepOld"), &out->keep_old);
  reader.Boolean(reader.Property(object, "checksums"), &out->checksums);
  out->readers = static_cast<int>(Integer(reader, object, "readers"));
  out->durability = static_cast<Durability>(Integer(reader, object, "durability"));
  out->busy_timeout_ms = Integer(reader, object, "busyTimeout");
  out->statement_cache_size = static_cast<int>(Integer(reader, object, "statementCacheSize"));
  const napi_value limits = reader.Property(object, "limits");
  for (const auto& limit : kLimits) out->limits.*(limit.field) = Integer(reader, limits, limit.name);
  const napi_value wal = reader.Property(object, "wal");
  for (const auto& field : kWal) out->wal.*(field.field) = Integer(reader, wal, field.name);
  return reader.ok();
}

}  // namespace hypha::binding
