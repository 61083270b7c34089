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
                                    {"transactionTimeout", &Limits::transaction_timeout_ms}};

std::int64_t Integer(Reader& reader, const Napi::Object& object, const char* name) {
  std::int64_t number = 0;
  reader.Integer(object.Get(name), &number);
  return number;
}

}  // namespace

bool ReadOpenOptions(Napi::Env env, Napi::Value value, OpenOptions* out) {
  Reader reader(env);
  const Napi::Object object = value.As<Napi::Object>();
  reader.Text(object.Get("path"), &out->path);
  out->memory = object.Get("memory").ToBoolean();
  out->read_only = object.Get("readOnly").ToBoolean();
  out->create = object.Get("create").ToBoolean();
  out->migrate = object.Get("migrate").ToBoolean();
  out->keep_old = object.Get("keepOld").ToBoolean();
  out->readers = static_cast<int>(Integer(reader, object, "readers"));
  out->durability = static_cast<Durability>(Integer(reader, object, "durability"));
  out->busy_timeout_ms = Integer(reader, object, "busyTimeout");
  out->statement_cache_size = static_cast<int>(Integer(reader, object, "statementCacheSize"));
  const Napi::Object limits = object.Get("limits").As<Napi::Object>();
  for (const auto& limit : kLimits) out->limits.*(limit.field) = Integer(reader, limits, limit.name);
  return reader.ok();
}

}  // namespace hypha::binding
