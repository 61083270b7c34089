#include "exec/registry.h"

#include <sys/stat.h>

#include <string>
#include <utility>
#include <vector>

#include "base/mutex.h"
#include "exec/engine_impl.h"
#include "hypha/caught.h"
#include "query/index_catalog.h"
#include "query/sql_functions.h"
#include "schema/migrations.h"
#include "sqlite/vfs_memory.h"
#include "sqlite/vfs_shim.h"

namespace hypha {
namespace {

struct FileId {
  dev_t device = 0;
  ino_t inode = 0;
  bool operator==(const FileId&) const = default;
  bool exists() const { return inode != 0; }  // false for a database in memory too
};

struct Running {
  FileId file;
  std::shared_ptr<EngineImpl> engine;
  int shares = 0;
};

// Opening and closing are rare and may take long; one at a time keeps two openers of one new file apart.
// Leaked on purpose: threads may still hold engines when static destructors run.
struct Registry {
  Mutex opening;
  Mutex mutex;
  std::vector<Running> running GUARDED_BY(mutex);
};

Registry& Engines() {
  static Registry& registry = *new Registry();
  return registry;
}

FileId IdOf(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return {};
  return {info.st_dev, info.st_ino};
}

bool SameEngineOptions(const OpenOptions& a, const OpenOptions& b) {
  const Limits& x = a.limits;
  const Limits& y = b.limits;
  return a.read_only == b.read_only && a.readers == b.readers && a.durability == b.durability &&
         a.busy_timeout_ms == b.busy_timeout_ms && a.statement_cache_size == b.statement_cache_size &&
         a.checksums == b.checksums && a.wal == b.wal && x.queue_operations == y.queue_operations &&
         x.queue_bytes == y.queue_bytes && x.result_bytes == y.result_bytes &&
         x.query_timeout_ms == y.query_timeout_ms && x.snapshot_age_ms == y.snapshot_age_ms &&
         x.max_snapshots == y.max_snapshots;
}

// One more share of the engine that runs for `file`, null when there is none.
Result<std::shared_ptr<EngineImpl>> Join(const FileId& file, const OpenOptions& options) {
  Registry& registry = Engines();
  MutexLock lock(registry.mutex);
  for (auto& running : registry.running) {
    if (!file.exists() || !(running.file == file) || running.engine->stopped()) continue;
    if (!SameEngineOptions(running.engine->options(), options)) return Status(Code::kOptionsConflict);
    ++running.shares;
    return running.engine;
  }
  return std::shared_ptr<EngineImpl>();
}

Result<std::shared_ptr<EngineImpl>> JoinOrOpen(OpenOptions options, const Hooks& hooks) {
  bool exists = false;
  if (options.memory) {
    options.path = NewMemoryName();
  } else if (hooks.vfs.empty()) {
    auto file = CheckFile(options.path, options.create && !options.read_only);
    if (!file.ok()) return file.status();
    options.path = file.value().path;
    exists = file.value().exists;
  }
  if (exists) {
    auto joined = Join(IdOf(options.path), options);
    if (!joined.ok() || joined.value() != nullptr) return joined;
  }
  Registry& registry = Engines();
  {
    // Now: once the engine runs, nothing may fail before it is in the list.
    MutexLock lock(registry.mutex);
    registry.running.reserve(registry.running.size() + 1);
  }
  auto opened = EngineImpl::Open(options, hooks);
  if (!opened.ok()) return opened;
  MutexLock lock(registry.mutex);
  const bool has_file = !options.memory && hooks.vfs.empty();
  registry.running.push_back({has_file ? IdOf(options.path) : FileId{}, opened.value(), 1});
  return opened;
}

// Takes one share away; true when it was the last.
bool Leave(const Engine* engine) {
  Registry& registry = Engines();
  MutexLock lock(registry.mutex);
  for (auto running = registry.running.begin(); running != registry.running.end(); ++running) {
    if (running->engine.get() != engine) continue;
    if (--running->shares > 0) return false;
    registry.running.erase(running);
    return true;
  }
  return false;
}

Result<OpenedStore> Open(const OpenOptions& options, const Hooks& hooks) {
  Status status = RegisterVfses();
  if (!status.ok()) return status;
  MutexLock lock(Engines().opening);
  auto engine = JoinOrOpen(options, hooks);
  if (!engine.ok()) return engine.status();
  OpenedStore store;
  store.engine = engine.value();
  auto reader = Caught([&] { return engine.value()->NewInlineReader(); });
  // Without it every read goes through the pool, which is slower and nothing else.
  if (reader.ok()) store.reader = std::move(reader.value());
  return store;
}

Status MigrateFile(const OpenOptions& options, int target, const Hooks& hooks) {
  Status status = RegisterVfses();
  if (!status.ok()) return status;
  MutexLock lock(Engines().opening);
  ConnectionOptions connect;
  connect.path = options.path;
  if (hooks.vfs.empty()) {
    auto file = CheckFile(options.path, false);
    if (!file.ok()) return file.status();
    connect.path = file.value().path;
    Registry& registry = Engines();
    MutexLock running_lock(registry.mutex);
    for (const auto& running : registry.running) {
      if (running.file == IdOf(connect.path)) return {Code::kBusy, "the file is open in this process"};
    }
  } else {
    connect.vfs = {hooks.vfs, hooks.inline_vfs};
  }
  const std::string path = hooks.vfs.empty() ? connect.path : "";
  connect.hooks = &hooks;
  connect.role = Role::kWriter;
  connect.busy_timeout_ms = options.busy_timeout_ms;
  connect.max_text_bytes = options.limits.result_bytes;
  connect.register_functions = &RegisterSqlFunctions;
  connect.accept = [](Connection& db) { return SchemaVersion(db).status(); };
  auto db = Connection::Open(connect);
  if (!db.ok()) return db.status();
  const auto restore = [&](Connection& up) { return RestoreIndexes(up, hooks.now_ms()); };
  return Migrate(*db.value(), {target, options.keep_old, path, restore}, hooks);
}

}  // namespace

Status RegisterVfses() {
  if (RegisterFileVfs() == SQLITE_OK && RegisterMemoryVfs() == SQLITE_OK) return Status::Ok();
  return Status(Code::kInternal, "the VFS layer could not be registered");
}

bool IsSameFile(const std::string& a, const std::string& b) {
  const FileId id = IdOf(a);
  return id.exists() && id == IdOf(b);
}

Status WithFileClosed(const std::string& path, const std::function<Status()>& work) {
  Registry& registry = Engines();
  MutexLock opening(registry.opening);
  {
    MutexLock lock(registry.mutex);
    const FileId file = IdOf(path);
    for (const auto& running : registry.running) {
      if (file.exists() && running.file == file) return {Code::kBusy, path + " is open in this process"};
    }
  }
  return work();
}

bool IsOpenDatabase(const std::string& path) {
  const FileId file = IdOf(path);
  if (!file.exists()) return false;
  Registry& registry = Engines();
  MutexLock lock(registry.mutex);
  for (const auto& running : registry.running) {
    if (running.file == file) return true;
    const std::string& name = running.engine->options().path;
    if (running.file.exists() && (IdOf(name + "-wal") == file || IdOf(name + "-shm") == file)) return true;
  }
  return false;
}

Result<OpenedStore> OpenStore(const OpenOptions& options, const Hooks& hooks) {
  return Caught([&] { return Open(options, hooks); });
}

Status CloseStore(const std::shared_ptr<Engine>& engine, CloseReport* report) {
  return Caught([&] {
    MutexLock lock(Engines().opening);
    if (!Leave(engine.get())) return Status::Ok();
    auto* last = static_cast<EngineImpl*>(engine.get());
    Status status = last->Close();
    if (report != nullptr) *report = last->close_report();
    return status;
  });
}

Status MigrateStore(const OpenOptions& options, int target, const Hooks& hooks) {
  return Caught([&] { return MigrateFile(options, target, hooks); });
}

const char* SqliteVersion() { return SQLITE_VERSION; }

static_assert(SQLITE_VERSION_NUMBER >= 3051003 && SQLITE_VERSION_NUMBER != 3052000,
              "older versions lose commits when a checkpoint meets a reset of the log; 3.52.0 was withdrawn");

Status VerifySqlite() {
  const bool same =
      sqlite3_libversion_number() == SQLITE_VERSION_NUMBER && std::string(sqlite3_sourceid()) == SQLITE_SOURCE_ID;
  if (same) return Status::Ok();
  return {Code::kInternal, std::string("another SQLite took this addon's place: ") + sqlite3_sourceid()};
}

}  // namespace hypha
