#include "exec/engine_impl.h"

#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/mutant.h"
#include "exec/stats_json.h"
#include "hypha/caught.h"
#include "ops/backup.h"
#include "ops/maintenance.h"
#include "query/index_catalog.h"
#include "query/sql_functions.h"
#include "schema/migrations.h"
#include "sqlite/vfs_memory.h"
#include "sqlite/vfs_shim.h"

namespace hypha {
namespace {

// Rows that another program wrote may be longer than this store's own limits; they stay readable.
constexpr std::int64_t kReadableTextBytes = 90LL << 20;

}  // namespace

Result<std::shared_ptr<EngineImpl>> EngineImpl::Open(const OpenOptions& options, const Hooks& hooks) {
  std::shared_ptr<EngineImpl> engine(new EngineImpl(options, hooks));
  for (const auto step : {&EngineImpl::OpenWriter, &EngineImpl::OpenReaders}) {
    Status status = Caught([&] { return (engine.get()->*step)(); });
    if (status.ok()) continue;
    static_cast<void>(engine->Close());
    return status;
  }
  return engine;
}

EngineImpl::~EngineImpl() = default;

ConnectionOptions EngineImpl::Connect(Role role) const {
  ConnectionOptions connect;
  connect.path = options_.path;
  if (options_.memory) connect.vfs = {kMemoryVfs, kInlineMemoryVfs};
  if (!hooks_.vfs.empty()) connect.vfs = {hooks_.vfs, hooks_.inline_vfs};
  connect.role = role;
  connect.read_only = options_.read_only;
  connect.create = options_.create && role == Role::kWriter;
  connect.durability = options_.durability;
  connect.busy_timeout_ms = options_.busy_timeout_ms;
  connect.hooks = &hooks_;
  connect.journal_size_limit = options_.wal.journal_size_limit;
  connect.cache_kib = options_.wal.cache_kib;
  connect.statement_cache_size = static_cast<std::size_t>(options_.statement_cache_size);
  connect.max_text_bytes = std::max(kReadableTextBytes, options_.limits.value_bytes);
  connect.register_functions = &RegisterSqlFunctions;
  connect.accept = [this, role](Connection& db) {
    Status status = identity_ ? identity_->CheckDatabase() : Status::Ok();
    return status.ok() && (role == Role::kWriter || options_.read_only) ? Accept(db) : status;
  };
  return connect;
}

// A file that is not ours, or that may not be migrated, is only looked at.
Status EngineImpl::Accept(Connection& db) const {
  auto version = SchemaVersion(db);
  if (!version.ok()) return version.status();
  if (version.value() == kLatestSchema || (options_.migrate && !options_.read_only)) return Status::Ok();
  auto empty = IsEmptyDatabase(db);
  if (!empty.ok()) return empty.status();
  if (empty.value() && !options_.read_only) return Status::Ok();
  return {Code::kSchemaOutdated, "the file has schema " + std::to_string(version.value()) + ", " +
                                     std::to_string(kLatestSchema) + " is needed and no migration was allowed"};
}

namespace {

std::int64_t SizeOf(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 ? static_cast<std::int64_t>(info.st_size) : 0;
}

}  // namespace

Result<std::unique_ptr<Connection>> EngineImpl::OpenConnection(Role role) {
  auto db = Connection::Open(Connect(role));
  if (db.ok()) metrics_.connections.fetch_add(1, std::memory_order_relaxed);
  return db;
}

Result<std::unique_ptr<Connection>> EngineImpl::OpenFirst(Role role) {
  recovery_.bytes = options_.memory || !hooks_.vfs.empty() ? 0 : SizeOf(options_.path + "-wal");
  recovery_.had_log = recovery_.bytes > 0;
  const SteadyTime start = hooks_.steady_now();
  auto db = OpenConnection(role);
  if (!db.ok()) return db.status();
  recovery_.micros = std::chrono::duration_cast<std::chrono::microseconds>(hooks_.steady_now() - start).count();
  const auto wal = ReadWalState(db.value()->handle());
  recovery_.frames = recovery_.had_log && wal ? wal->max_frame : 0;
  recovery_.recovered = recovery_.had_log && HasRecovered(db.value()->handle());
  identity_.emplace(options_.memory || !hooks_.vfs.empty() ? "" : options_.path);
  return db;
}

Status EngineImpl::OpenWriter() {
  if (options_.read_only) return Status::Ok();
  auto db = OpenFirst(Role::kWriter);
  if (!db.ok()) return db.status();
  auto version = SchemaVersion(*db.value());
  if (!version.ok()) return version.status();
  const bool has_file = !options_.memory && hooks_.vfs.empty();
  Status status;
  if (version.value() != kLatestSchema) {
    const MigrationRequest request{kLatestSchema, options_.keep_old, has_file ? options_.path : "",
                                   [this](Connection& file) { return RestoreIndexes(file, hooks_.now_ms()); }};
    status = Migrate(*db.value(), request, hooks_);
  }
  if (status.ok()) status = VerifySchema(*db.value());
  if (status.ok()) status = RefreshIndexes(*db.value());
  if (status.ok()) status = VerifyIndexes(*db.value());
  if (status.ok()) status = ForgetManifest(*db.value());
  if (!status.ok()) return status;
  hooks_.Reach("writer-opened");
  const WriterOptions writer{options_.limits.queue_operations,
                             options_.limits.queue_bytes,
                             options_.busy_timeout_ms,
                             options_.wal,
                             has_file ? options_.path : "",
                             &gate_,
                             &metrics_};
  auto session = std::make_unique<WriteSession>(std::move(db.value()), hooks_, options_.wal.autocheckpoint_pages);
  session->Configure(options_);
  writer_ = std::make_unique<Writer>(std::move(session), writer);
  return Status::Ok();
}

Status EngineImpl::OpenReaders() {
  std::vector<std::unique_ptr<ReadSession>> sessions;
  for (int i = 0; i < options_.readers; ++i) {
    const bool first = options_.read_only && i == 0;
    auto db = first ? OpenFirst(Role::kReader) : OpenConnection(Role::kReader);
    if (!db.ok()) return db.status();
    if (first) {
      Status status = VerifySchema(*db.value());
      if (status.ok()) status = VerifyIndexes(*db.value());
      if (!status.ok()) return status;
    }
    sessions.push_back(std::make_unique<ReadSession>(std::move(db.value()), &gate_));
  }
  const auto connect = [this] { return OpenConnection(Role::kReader); };
  const auto reopen = [this, connect]() -> Result<std::unique_ptr<ReadSession>> {
    auto db = connect();
    if (!db.ok()) return db.status();
    return std::make_unique<ReadSession>(std::move(db.value()), &gate_);
  };
  readers_ = std::make_unique<ReaderPool>(std::move(sessions), options_.busy_timeout_ms, &metrics_, reopen);
  const SnapshotOptions snapshots{options_.limits.max_snapshots, options_.limits.snapshot_age_ms,
                                  options_.busy_timeout_ms, &gate_};
  snapshots_ = std::make_unique<Snapshots>(*readers_, connect, snapshots);
  gate_.OnExpired([this] { snapshots_->EndExpired(); });
  return Status::Ok();
}

Result<std::unique_ptr<InlineReader>> EngineImpl::NewInlineReader() {
  auto db = OpenConnection(Role::kInline);
  if (!db.ok()) return db.status();
  return std::unique_ptr<InlineReader>(std::make_unique<InlineReaderImpl>(std::move(db.value()), &gate_));
}

Status EngineImpl::WithSnapshot(const std::function<Status(Connection&)>& work) {
  auto db = OpenConnection(Role::kReader);
  if (!db.ok()) return db.status();
  ReaderSeat seat(gate_, db.value().get());
  seat.Sit();
  db.value()->SetLockDeadline(hooks_.steady_now() + std::chrono::milliseconds(options_.busy_timeout_ms));
  db.value()->SetDeadline(SteadyTime::max());  // what is expired ends as well
  Status status = db.value()->RunCached("BEGIN");
  if (status.ok()) status = work(*db.value());
  if (!status.ok() && seat.expired()) return StatusOf(EndedBy::kLog);
  // Nothing was written: closing the connection ends the snapshot in any case.
  return status;
}

// A commit without any sync may start the log over and lose, with the power, what was durable before: only who opened
// the whole store so may have that.
Durability EngineImpl::RaisedLevel(Durability asked) const {
  if (options_.durability == Durability::kOff || Mutated(Mutant::kOffIsOff)) return asked;
  return std::max(asked, Durability::kNormal);
}

void EngineImpl::Write(WriteRequest request, WriteDone done) {
  if (writer_ == nullptr) return done({Status(Code::kReadOnly), {}});
  request.durability = RaisedLevel(request.durability);
  writer_->Write(std::move(request), std::move(done));
}

bool EngineImpl::TryWriteInline(WriteRequest& request, WriteReply* reply) {
  request.durability = RaisedLevel(request.durability);
  return writer_ != nullptr && writer_->TryRunInline(request, reply);
}

void EngineImpl::Read(ReadRequest request, ReadControl control, ReadDone done) {
  auto shared = std::make_shared<ReadDone>(std::move(done));
  readers_->Run([request = std::move(request), limits = LimitsOf(control),
                 shared](ReadContext& context) { (*shared)(context.Answer(request, limits)); },
                [shared](Status status) { (*shared)(std::move(status)); });
}

void EngineImpl::Begin(const void* owner, TransactionControl how, BeginDone done) {
  if (writer_ == nullptr) return done(Status(Code::kReadOnly));
  const Durability level = RaisedLevel(how.durability.value_or(options_.durability));
  writer_->Begin(owner, level, how.timeout_ms, std::move(how.cancelled), std::move(done));
}

void EngineImpl::BeginSnapshot(const void* owner, std::int64_t timeout_ms, BeginDone done) {
  snapshots_->Begin(owner, timeout_ms, std::move(done));
}

void EngineImpl::End(TransactionId id, bool commit, StatusDone done) {
  if (snapshots_->Knows(id)) return snapshots_->End(id, std::move(done));
  if (writer_ == nullptr) return done(Status(Code::kTransactionInvalid));
  writer_->End(id, commit, std::move(done));
}

void EngineImpl::WriteIn(TransactionId id, WriteRequest request, WriteDone done) {
  if (snapshots_->Knows(id)) return done({Status(Code::kReadOnly, "the transaction only reads"), {}});
  if (writer_ == nullptr) return done({Status(Code::kTransactionInvalid), {}});
  writer_->WriteIn(id, std::move(request), std::move(done));
}

void EngineImpl::ReadIn(TransactionId id, ReadRequest request, ReadControl control, ReadDone done) {
  auto shared = std::make_shared<ReadDone>(std::move(done));
  const auto failed = [shared](Status status) { (*shared)(std::move(status)); };
  if (snapshots_->Knows(id)) {
    snapshots_->Read(
        id,
        [request = std::move(request), limits = LimitsOf(control), shared](ReadContext& context, SteadyTime expires,
                                                                           EndedBy expires_by) mutable {
          limits.expires = expires;
          limits.expires_by = expires_by;
          (*shared)(context.Answer(request, limits));
        },
        failed);
    return;
  }
  if (writer_ == nullptr) return failed(Status(Code::kTransactionInvalid));
  writer_->RunIn(
      id,
      [request = std::move(request), limits = LimitsOf(control), shared](ReadContext& context) {
        (*shared)(context.Answer(request, limits));
      },
      control.cancelled, failed);
}

bool EngineImpl::TryBeginInline(const void* owner, const TransactionControl& how, TransactionId* id) {
  const Durability level = RaisedLevel(how.durability.value_or(options_.durability));
  return writer_ != nullptr && writer_->TryBeginInline(owner, level, how.timeout_ms, id);
}

bool EngineImpl::TryWriteInInline(TransactionId id, WriteRequest& request, WriteReply* reply) {
  return writer_ != nullptr && writer_->TryWriteInInline(id, request, reply);
}

bool EngineImpl::TryReadInInline(TransactionId id, const GetEntrySpec& spec, Result<std::optional<Entry>>* entry) {
  *entry = Status(Code::kNoMem);
  return writer_ != nullptr && writer_->TryReadInInline(id, [&](ReadContext& context) {
    *entry = context.entries().GetEntry(spec.ns, spec.key);
  });
}

bool EngineImpl::TryEndInline(TransactionId id, bool commit, Status* status) {
  return writer_ != nullptr && writer_->TryEndInline(id, commit, status);
}

void EngineImpl::Abandon(const void* owner) {
  lines_.Abandon(owner);
  snapshots_->Abandon(owner);
  if (writer_ != nullptr) writer_->Abandon(owner);
}

void EngineImpl::Wake() {
  if (writer_ != nullptr) writer_->Wake();
}

void EngineImpl::Flush(CallControl control, StatusDone done) {
  if (writer_ == nullptr) return done(Status::Ok());
  writer_->Flush(std::move(control), std::move(done));
}

std::string EngineImpl::Stats() {
  EngineNow now;
  if (writer_ != nullptr) {
    const QueueState queue = writer_->queue_state();
    now.queued_operations = queue.operations;
    now.queued_bytes = queue.bytes;
    now.transaction_open = writer_->transaction_open();
    now.stopped = writer_->stopped();
  }
  now.reader_threads = static_cast<std::int64_t>(readers_->threads());
  now.waiting_reads = static_cast<std::int64_t>(readers_->waiting_jobs());
  return StatsJson(metrics_, gate_, now);
}

void EngineImpl::Ping(int connection, std::int64_t timeout_ms, StatusDone done) {
  if (connection != kWriterConnection) {
    return readers_->Ping(static_cast<std::size_t>(connection), timeout_ms, std::move(done));
  }
  if (writer_ == nullptr) return done(Status(Code::kReadOnly));
  auto shared = std::make_shared<StatusDone>(std::move(done));
  const auto ping = [this, timeout_ms](Connection& db) {
    sqlite3_db_release_memory(db.handle());  // from the file, not from what was read of it before
    db.SetLockDeadline(hooks_.steady_now() + std::chrono::milliseconds(timeout_ms));
    Status status = db.Exec("BEGIN IMMEDIATE");
    if (!status.ok()) return status;
    status = db.QueryInteger("SELECT count(*) FROM (SELECT 1 FROM hypha_entries LIMIT 1)").status();
    if (db.in_transaction()) static_cast<void>(db.Exec("ROLLBACK"));
    return status;
  };
  writer_->RunAlone([shared, ping](WalService& wal) { (*shared)(Caught([&] { return ping(wal.db()); })); }, {},
                    *shared);
}

void EngineImpl::Maintain(Maintenance what, CallControl control, TextDone done) {
  if (writer_ == nullptr) return done(Status(Code::kReadOnly));
  auto shared = std::make_shared<TextDone>(std::move(done));
  writer_->RunAlone(
      [this, shared, what](WalService& wal) {
        auto text = Caught([&] { return hypha::Maintain(wal, hooks_, what); });
        wal.Publish(&metrics_);
        (*shared)(std::move(text));
      },
      std::move(control), [shared](Status status) { (*shared)(std::move(status)); });
}

bool EngineImpl::stopped() { return writer_ != nullptr && writer_->stopped(); }

void EngineImpl::StopReading() {
  if (snapshots_ != nullptr) snapshots_->Stop();
  if (readers_ != nullptr) readers_->Close();
}

Status EngineImpl::Close() {
  if (writer_ == nullptr) {
    close_report_.last = true;
    StopReading();
    return Status::Ok();
  }
  hooks_.Reach("before-close");
  Status status;  // the writer's last act sets it
  writer_->Close(
      [this] {
        StopReading();
        hooks_.Reach("readers-closed");
      },
      [&status](Status closed) { status = std::move(closed); });
  writer_->Join();
  hooks_.Reach("closed");
  close_report_ = writer_->close_report();
  return status;
}

}  // namespace hypha
