// Engine over one writer and a pool of readers.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "exec/inline_reader_impl.h"
#include "exec/key_lines.h"
#include "exec/reader_pool.h"
#include "exec/snapshots.h"
#include "exec/writer.h"
#include "hypha/engine.h"
#include "ops/file_identity.h"
#include "ops/metrics.h"

namespace hypha {

class EngineImpl final : public Engine {
 public:
  // Opens the file: checks, migration, connections, threads. Blocks.
  static Result<std::shared_ptr<EngineImpl>> Open(const OpenOptions& options, const Hooks& hooks);
  ~EngineImpl() override;

  void Write(WriteRequest request, WriteDone done) override;
  bool TryWriteInline(WriteRequest& request, WriteReply* reply) override;
  using Engine::Read;
  using Engine::ReadIn;
  void Read(ReadRequest request, ReadControl control, ReadDone done) override;
  using Engine::Begin;
  void Begin(const void* owner, TransactionControl how, BeginDone done) override;
  void End(TransactionId id, bool commit, StatusDone done) override;
  void WriteIn(TransactionId id, WriteRequest request, WriteDone done) override;
  void ReadIn(TransactionId id, ReadRequest request, ReadControl control, ReadDone done) override;
  bool TryBeginInline(const void* owner, const TransactionControl& how, TransactionId* id) override;
  bool TryWriteInInline(TransactionId id, WriteRequest& request, WriteReply* reply) override;
  bool TryReadInInline(TransactionId id, const GetEntrySpec& spec, Result<std::optional<Entry>>* entry) override;
  bool TryEndInline(TransactionId id, bool commit, Status* status) override;
  void BeginSnapshot(const void* owner, std::int64_t timeout_ms, BeginDone done) override;
  bool EnterLine(const void* owner, std::int64_t ticket, const std::string& name, StatusDone done) override {
    return lines_.Enter(owner, ticket, name, std::move(done));
  }
  void LeaveLine(const void* owner, std::int64_t ticket, const std::string& name) override {
    lines_.Leave(owner, ticket, name);
  }
  void Abandon(const void* owner) override;
  void Wake() override;
  Result<BackupReport> Backup(const BackupSpec& spec) override;
  Result<std::string> Verify(bool full, const CopyControl& control) override;
  void Flush(CallControl control, StatusDone done) override;
  std::string Stats() override;
  void Ping(int connection, std::int64_t timeout_ms, StatusDone done) override;
  void Maintain(Maintenance what, CallControl control, TextDone done) override;
  const OpenOptions& options() const override { return options_; }
  const RecoveryReport& recovery() const override { return recovery_; }

  // A reader for one more JavaScript thread. Blocks.
  Result<std::unique_ptr<InlineReader>> NewInlineReader();

  // Runs `work` on a connection of its own, in one snapshot. Blocks.
  Status WithSnapshot(const std::function<Status(Connection&)>& work);
  const Hooks& hooks() const { return hooks_; }

  // After a commit of unknown outcome.
  bool stopped();

  // Stops the threads and closes the file. Blocks; call once.
  Status Close();
  // REQUIRES: Close() has returned.
  const CloseReport& close_report() const { return close_report_; }

 private:
  EngineImpl(OpenOptions options, Hooks hooks) : options_(std::move(options)), hooks_(std::move(hooks)) {}

  ConnectionOptions Connect(Role role) const;
  Status Accept(Connection& db) const;
  Result<std::unique_ptr<Connection>> OpenConnection(Role role);
  // The connection that finds the file as it was left; what it found of a log is in recovery_.
  Result<std::unique_ptr<Connection>> OpenFirst(Role role);
  Status OpenWriter();
  Status OpenReaders();
  void StopReading();
  Durability RaisedLevel(Durability asked) const;
  ReadLimits LimitsOf(const ReadControl& control) const {
    const std::int64_t timeout = control.timeout_ms > 0 ? control.timeout_ms : options_.limits.query_timeout_ms;
    return {options_.limits.result_bytes, timeout, control.cancelled, SteadyTime::max()};
  }

  const OpenOptions options_;
  const Hooks hooks_;
  KeyLines lines_;
  RecoveryReport recovery_;
  std::optional<FileIdentity> identity_;  // from the first connection on
  CloseReport close_report_;
  ReaderGate gate_{hooks_};
  Metrics metrics_;
  std::unique_ptr<ReaderPool> readers_;
  std::unique_ptr<Snapshots> snapshots_;  // outlives the threads of the pool, which Close() ends
  std::unique_ptr<Writer> writer_;        // null when read-only
};

}  // namespace hypha
