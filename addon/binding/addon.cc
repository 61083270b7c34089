// The module's table of contents.
#include "convert.h"
#include "duplicate_image.h"
#include "env_state.h"
#include "hypha/engine.h"
#include "napi_setup.h"
#include "open_arguments.h"
#include "promise.h"
#include "store_handle.h"

namespace hypha::binding {
namespace {

// A store on its way to JavaScript: nobody takes it over when the environment ends first.
struct Unclaimed {
  explicit Unclaimed(Result<OpenedStore> opened) : result(std::move(opened)) {}
  Unclaimed(const Unclaimed&) = delete;
  Unclaimed& operator=(const Unclaimed&) = delete;
  ~Unclaimed() {
    if (!result.ok() || result.value().engine == nullptr) return;
    result.value().reader.reset();
    static_cast<void>(CloseStore(result.value().engine));
  }

  Result<OpenedStore> result;
};

// open(options): a promise for a NativeStore.
Napi::Value Open(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  OpenOptions options;
  if (!ReadOpenOptions(env, info[0], &options)) return {};
  const auto state = EnvState::Of(env);
  auto pending = std::make_shared<Pending>(env, state);
  state->RunBlocking([options, pending] {
    auto opened = std::make_shared<Unclaimed>(OpenStore(options));
    return MakeCompletion([pending, opened](Napi::Env e) {
      if (!opened->result.ok()) return pending->Reject(e, opened->result.status());
      pending->Resolve(StoreHandle::New(e, &opened->result.value()));
    });
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
  state->RunBlocking([options, target, pending] {
    Status status = MigrateStore(options, static_cast<int>(target));
    return MakeCompletion([pending, status = std::move(status)](Napi::Env e) {
      if (!status.ok()) return pending->Reject(e, status);
      pending->Resolve(e.Undefined());
    });
  });
  return pending->promise();
}

// closeAll(): for process.on('exit'), where nothing asynchronous runs any more.
Napi::Value CloseAll(const Napi::CallbackInfo& info) {
  EnvState::Of(info.Env())->CloseAll();
  return info.Env().Undefined();
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
                                        "deleteNamespace", "clear", "createIndex", "dropIndex", "check", "edit", "savepoint", "release",
                                        "rollbackTo"}));
  exports.Set("durabilities", Names(env, {"off", "normal", "full"}));
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
  exports.Set("open", Napi::Function::New<Open>(env, "open"));
  exports.Set("migrate", Napi::Function::New<Migrate>(env, "migrate"));
  exports.Set("closeAll", Napi::Function::New<CloseAll>(env, "closeAll"));
  exports.Set("YIELD", Napi::Number::New(env, StoreHandle::kYield));
  exports.Set("ELSEWHERE", Napi::Number::New(env, StoreHandle::kElsewhere));
  return exports;
}

}  // namespace
}  // namespace hypha::binding

static Napi::Object InitModule(Napi::Env env, Napi::Object exports) { return hypha::binding::Init(env, exports); }
NODE_API_MODULE(hypha, InitModule)
