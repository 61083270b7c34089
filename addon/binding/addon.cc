// The module's table of contents.
#include "bundle_calls.h"
#include "convert.h"
#include "copies.h"
#include "duplicate_image.h"
#include "env_state.h"
#include "guard.h"
#include "hypha/engine.h"
#include "napi_setup.h"
#include "open_arguments.h"
#include "promise.h"
#include "store_handle.h"

namespace hypha::binding {
namespace {

// A store on its way to JavaScript: nobody takes it over when the environment ends first.
struct Unclaimed {
  Unclaimed() = default;
  Unclaimed(const Unclaimed&) = delete;
  Unclaimed& operator=(const Unclaimed&) = delete;
  ~Unclaimed() {
    if (!result.ok() || result.value().engine == nullptr) return;
    result.value().reader.reset();
    static_cast<void>(CloseStore(result.value().engine));
  }

  Result<OpenedStore> result = Status(Code::kNoMem);
};

// open(options): a promise for a NativeStore.
Napi::Value Open(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  OpenOptions options;
  if (!ReadOpenOptions(env, info[0], &options)) return {};
  const auto state = EnvState::Of(env);
  auto pending = std::make_shared<Pending>(env, state);
  OrReject(env, *pending, [&] {
    auto opened = std::make_shared<Unclaimed>();
    auto after = MakeSettling(pending, [opened](Napi::Env e, Pending& p) {
      if (!opened->result.ok()) return p.Reject(e, opened->result.status());
      const Napi::Object store = StoreHandle::New(e, &opened->result.value());
      if (opened->result.value().engine == nullptr) return p.Resolve(store);
      // Not taken over: for want of memory, or since the environment is being terminated.
      napi_value thrown = nullptr;
      napi_get_and_clear_last_exception(e, &thrown);
      p.Reject(e, Status(Code::kNoMem));
    });
    state->RunBlocking([options, opened] { opened->result = OpenStore(options); }, std::move(after));
  });
  return pending->promise();
}

// migrate(options, target): a promise.
Napi::Value Migrate(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  OpenOptions options;
  if (!ReadOpenOptions(env, info[0], &options)) return {};
  Reader reader(env);
  std::int64_t target = 0;
  if (!reader.Integer(info[1], &target)) return {};
  const auto state = EnvState::Of(env);
  auto pending = std::make_shared<Pending>(env, state);
  OrReject(env, *pending, [&] {
    auto status = std::make_shared<Status>(Code::kNoMem);
    auto after = MakeSettling(pending, [status](Napi::Env e, Pending& p) {
      if (!status->ok()) return p.Reject(e, *status);
      p.Resolve(e.Undefined());
    });
    state->RunBlocking([options, target, status] { *status = MigrateStore(options, static_cast<int>(target)); },
                       std::move(after));
  });
  return pending->promise();
}

// closeAll(): for process.on('exit'), where nothing asynchronous runs any more.
Napi::Value CloseAll(const Napi::CallbackInfo& info) {
  EnvState::Of(info.Env())->CloseAll();
  return info.Env().Undefined();
}

// takeChunk(number): the next chunk of a long result, undefined after the last.
Napi::Value TakeChunk(const Napi::CallbackInfo& info) {
  Reader reader(info.Env());
  std::int64_t id = 0;
  if (!reader.Integer(info[0], &id)) return {};
  const auto chunk = EnvState::Of(info.Env())->TakeChunk(id);
  return chunk ? Napi::Value(info.Env(), ToJs(info.Env(), *chunk)) : info.Env().Undefined();
}

// externalBytes(): what this environment has told V8 that it holds outside its heap.
Napi::Value ExternalBytes(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(EnvState::Of(info.Env())->accounted()));
}

// {code: {retryable, meaning}}
Napi::Object ErrorCodes(Napi::Env env) {
  Napi::Object codes = Napi::Object::New(env);
  for (const auto& info : kCodeTable) {
    if (info.code == Code::kOk) continue;
    Napi::Object entry = Napi::Object::New(env);
    entry.Set("retryable", Napi::Boolean::New(env, info.retryable));
    entry.Set("meaning", Napi::String::New(env, std::string(info.meaning)));
    codes.Set(std::string(info.name), entry);
  }
  return codes;
}

// The names of the engine's enumerations, in their order: what JavaScript sends is the index.
Napi::Array Names(Napi::Env env, std::initializer_list<const char*> names) {
  Napi::Array array = Napi::Array::New(env, names.size());
  std::uint32_t index = 0;
  for (const char* name : names) array.Set(index++, name);
  return array;
}

void ExportEnumerations(Napi::Env env, Napi::Object exports) {
  exports.Set("operators", Names(env, {"eq", "ne", "gt", "gte", "lt", "lte", "contains", "startsWith", "endsWith", "in",
                                       "nin", "exists", "between", "like", "has"}));
  exports.Set("sources",
              Names(env, {"field", "value", "key", "path", "metadata", "createdAt", "updatedAt", "version"}));
  exports.Set("writeKinds", Names(env, {"set", "delete", "setMetadata", "mergeMetadata", "createNamespace",
                                        "deleteNamespace", "clear", "createIndex", "dropIndex", "check", "edit",
                                        "savepoint", "release", "rollbackTo", "restore"}));
  exports.Set("maintenances", Names(env, {"passive", "restart", "truncate", "optimize", "analyze", "vacuum"}));
  exports.Set("durabilities", Names(env, {"off", "normal", "periodic", "full"}));
}

// Why this image may not be used; lib/native.js raises it.
std::optional<Status> Refusal() {
  if (const auto duplicate = FindEarlierImage()) {
    return Status(Code::kDuplicateLibrary, "two copies of the HyphaDB addon were loaded into this process: " +
                                               duplicate->first + " and " + duplicate->second);
  }
  const Status sqlite = VerifySqlite();
  if (!sqlite.ok()) return sqlite;
  return std::nullopt;
}

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  exports.Set("errorCodes", ErrorCodes(env));
  exports.Set("sqliteVersion", Napi::String::New(env, SqliteVersion()));
  exports.Set("version", Napi::String::New(env, HYPHA_VERSION));
  ExportEnumerations(env, exports);
  if (const auto refusal = Refusal()) {
    exports.Set("refusal", ErrorRecord(env, *refusal));
    return exports;
  }
  const auto state = EnvState::Install(env);
  state->store_constructor() = Napi::Persistent(StoreHandle::Define(env));
  exports.Set("open", Napi::Function::New<Guard<&Open>>(env, "open"));
  exports.Set("migrate", Napi::Function::New<Guard<&Migrate>>(env, "migrate"));
  exports.Set("restore", Napi::Function::New<Guard<&Restore>>(env, "restore"));
  exports.Set("progress", Napi::Function::New<Guard<&ProgressOf>>(env, "progress"));
  exports.Set("cancel", Napi::Function::New<Guard<&Cancel>>(env, "cancel"));
  exports.Set("closeAll", Napi::Function::New<Guard<&CloseAll>>(env, "closeAll"));
  exports.Set("verifyBundle", Napi::Function::New<Guard<&VerifyBundleCall>>(env, "verifyBundle"));
  exports.Set("onConflict", Names(env, {"error", "update", "skip"}));
  exports.Set("takeChunk", Napi::Function::New<TakeChunk>(env, "takeChunk"));
  exports.Set("externalBytes", Napi::Function::New<ExternalBytes>(env, "externalBytes"));
  exports.Set("YIELD", Napi::Number::New(env, StoreHandle::kYield));
  exports.Set("ELSEWHERE", Napi::Number::New(env, StoreHandle::kElsewhere));
  return exports;
}

}  // namespace
}  // namespace hypha::binding

static Napi::Object InitModule(Napi::Env env, Napi::Object exports) {
  return hypha::binding::Guarded(env, [&] { return hypha::binding::Init(env, exports); });
}
NODE_API_MODULE(hypha, InitModule)
