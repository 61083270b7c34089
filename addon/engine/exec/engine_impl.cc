#include "exec/engine_impl.h"

#include <algorithm>
#include <utility>

#include "hypha/caught.h"
#include "ops/backup.h"
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
  connect.hooks = &hooks_;
  connect.role = role;
  connect.read_only = options_.read_only;
  connect.create = options_.create && role == Role::kWriter;
  connect.durability = options_.durability;
  connect.busy_timeout_ms = options_.busy_timeout_ms;
  connect.statement_cache_size = static_cast<std::size_t>(options_.statement_cache_size);
  connect.max_text_bytes = std::max(kReadableTextBytes, options_.limits.value_bytes);
  connect.register_functions = &RegisterSqlFunctions;
  if (role == Role::kWriter || options_.read_only) connect.accept = [this](Connection& db) { return Accept(db); };
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

Status EngineImpl::OpenWriter() {
  if (options_.read_only) return Status::Ok();
  auto db = Connection::Open(Connect(Role::kWriter));
  if (!db.ok()) return db.status();
  auto version = SchemaVersion(*db.value());
  if (!version.ok()) return version.status();
  Status status;
  if (version.value() != kLatestSchema) {
    const bool has_file = !options_.memory && hooks_.vfs.empty();
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
  const WriterOptions writer{options_.limits.queue_operations, options_.limits.queue_bytes, options_.busy_timeout_ms};
  auto session = std::make_unique<WriteSession>(std::move(db.value()), hooks_);
  session->Configure(options_);
  writer_ = std::make_unique<Writer>(std::move(session), writer);
  return Status::Ok();
}

Status EngineImpl::OpenReaders() {
  std::vector<std::unique_ptr<ReadSession>> sessions;
  for (int i = 0; i < options_.readers; ++i) {
    auto db = Connection::Open(Connect(Role::kReader));
    if (!db.ok()) return db.status();
    if (options_.read_only && i == 0) {
      Status status = VerifySchema(*db.value());
      if (status.ok()) status = VerifyIndexes(*db.value());
      if (!status.ok()) return status;
    }
    sessions.push_back(std::make_unique<ReadSession>(std::move(db.value())));
  }
  readers_ = std::make_unique<ReaderPool>(std::move(sessions), options_.busy_timeout_ms);
  const SnapshotOptions snapshots{options_.limits.max_snapshots, options_.limits.snapshot_age_ms,
                                  options_.busy_timeout_ms};
  snapshots_ = std::make_unique<Snapshots>(
      *readers_, [this] { return Connection::Open(Connect(Role::kReader)); }, snapshots);
  return Status::Ok();
}

Result<std::unique_ptr<InlineReader>> EngineImpl::NewInlineReader() {
  auto db = Connection::Open(Connect(Role::kInline));
  if (!db.ok()) return db.status();
  return std::unique_ptr<InlineReader>(std::make_unique<InlineReaderImpl>(std::move(db.value())));
}

Status EngineImpl::WithSnapshot(const std::function<Status(Connection&)>& work) {
  auto db = Connection::Open(Connect(Role::kReader));
  if (!db.ok()) return db.status();
  db.value()->SetLockDeadline(std::chrono::steady_clock::now() + std::chrono::milliseconds(options_.busy_timeout_ms));
  Status status = db.value()->RunCached("BEGIN");
  if (status.ok()) status = work(*db.value());
  // Nothing was written: closing the connection ends the snapshot in any case.
  return status;
}

void EngineImpl::Write(WriteRequest request, WriteDone done) {
  if (writer_ == nullptr) return done({Status(Code::kReadOnly), {}});
  writer_->Write(std::move(request), std::move(done));
}

bool EngineImpl::TryWriteInline(WriteRequest& request, WriteReply* reply) {
  return writer_ != nullptr && writer_->TryRunInline(request, reply);
}

void EngineImpl::Read(ReadRequest request, ReadControl control, ReadDone done) {
  auto shared = std::make_shared<ReadDone>(std::move(done));
  readers_->Run([request = std::move(request), limits = LimitsOf(control),
                 shared](ReadContext& context) { (*shared)(context.Answer(request, limits)); },
                [shared](Status status) { (*shared)(std::move(status)); });
}

void EngineImpl::Begin(const void* owner, std::int64_t timeout_ms, std::shared_ptr<std::atomic<bool>> cancelled,
                       BeginDone done) {
  if (writer_ == nullptr) return done(Status(Code::kReadOnly));
  writer_->Begin(owner, options_.durability, timeout_ms, std::move(cancelled), std::move(done));
}

void EngineImpl::BeginSnapshot(const void* owner, std::int64_t max_age_ms, BeginDone done) {
  snapshots_->Begin(owner, max_age_ms, std::move(done));
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
        [request = std::move(request), limits = LimitsOf(control), shared](ReadContext& context,
                                                                           SteadyTime expires) mutable {
          limits.expires = expires;
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

bool EngineImpl::TryBeginInline(const void* owner, std::int64_t timeout_ms, TransactionId* id) {
  return writer_ != nullptr && writer_->TryBeginInline(owner, options_.durability, timeout_ms, id);
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

void EngineImpl::Checkpoint(StatusDone done) {
  if (writer_ == nullptr) return done(Status::Ok());
  auto shared = std::make_shared<StatusDone>(std::move(done));
  writer_->RunAlone(
      [shared](Checkpointer& checkpointer) { (*shared)(Caught([&] { return checkpointer.Truncate(); })); }, *shared);
}

EngineStats EngineImpl::Stats() {
  if (writer_ == nullptr) return {};
  const QueueState queue = writer_->queue_state();
  return {queue.operations, queue.bytes};
}

bool EngineImpl::stopped() { return writer_ != nullptr && writer_->stopped(); }

void EngineImpl::StopReading() {
  if (snapshots_ != nullptr) snapshots_->Stop();
  if (readers_ != nullptr) readers_->Close();
}

Status EngineImpl::Close() {
  if (writer_ == nullptr) {
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
  return status;
}

}  // namespace hypha
