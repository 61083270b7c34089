#include "sqlite/connection.h"

#include <algorithm>
#include <random>
#include <string>
#include <thread>
#include <utility>

#include "base/mutant.h"
#include "sqlite/database_handle.h"
#include "sqlite/error_map.h"

namespace hypha {
namespace {

constexpr int kProgressSteps = 4000;  // virtual machine steps between two looks at the deadline: about 0.1 ms
constexpr int kTriesToOpen = 10;
constexpr std::int64_t kTextSlack = 1 << 20;

const char* SynchronousText(Durability durability) {
  switch (durability) {
    case Durability::kOff: return "PRAGMA synchronous=OFF";
    case Durability::kNormal:
    case Durability::kPeriodic: return "PRAGMA synchronous=NORMAL";
    case Durability::kFull: break;
  }
  return "PRAGMA synchronous=FULL";
}

// What PRAGMA synchronous reads.
std::int64_t SynchronousLevel(Durability durability) {
  switch (durability) {
    case Durability::kOff: return 0;
    case Durability::kNormal:
    case Durability::kPeriodic: return 1;
    case Durability::kFull: break;
  }
  return 2;
}

Status Differs(const char* what, const std::string& got) {
  return {Code::kInternal, std::string(what) + " did not take effect, it reads " + got};
}

Status OpenFailure(const Status& why, const std::string& path) {
  return {why.code(), "cannot open " + path + ": " + why.message(), why.sqlite_code()};
}

}  // namespace

Result<std::unique_ptr<Connection>> Connection::Open(const ConnectionOptions& options) {
  for (int tries = 1;; ++tries) {
    std::unique_ptr<Connection> connection(new Connection());
    connection->options_ = options;
    Status status;
    // By its name twice: a file without a log is locked only once it has one.
    for (const auto step :
         {&Connection::OpenHandle, &Connection::RegisterFunctions, &Connection::LookAtFile, &Connection::CheckName,
          &Connection::EnterWal, &Connection::CheckName, &Connection::SetPragmas}) {
      if (status.ok()) status = (connection.get()->*step)();
    }
    if (status.ok()) return connection;
    // Whatever went wrong: of a file that was replaced it says nothing.
    if (connection->db_ != nullptr && !connection->moved_) static_cast<void>(connection->CheckName());
    if (!connection->moved_ || tries == kTriesToOpen) return status;
  }
}

Connection::~Connection() {
  cache_.reset();
  sqlite3_close(db_);
}

Status Connection::OpenHandle() {
  const bool inline_role = options_.role == Role::kInline;
  int flags = options_.read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
  if (options_.create && !options_.read_only) flags |= SQLITE_OPEN_CREATE;
  const std::string& vfs = inline_role ? options_.vfs.inline_reader : options_.vfs.file;
  auto opened = OpenHardened(options_.path, flags, vfs.c_str(), options_.max_text_bytes + kTextSlack);
  if (!opened.ok()) return OpenFailure(opened.status(), options_.path);
  db_ = opened.value().release();
  // SQLite falls back to a read-only handle in silence when the file may not be written.
  if (!options_.read_only && sqlite3_db_readonly(db_, "main") != 0) {
    return {Code::kCantOpen, "cannot open " + options_.path + " for writing: permission denied"};
  }
  lock_deadline_ = Now() + std::chrono::milliseconds(options_.busy_timeout_ms);
  if (inline_role) {
    sqlite3_db_config(db_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  } else {
    sqlite3_busy_handler(db_, &Connection::OnBusy, this);
  }
  return Status::Ok();
}

Status Connection::RegisterFunctions() {
  if (!options_.register_functions) return Status::Ok();
  const int rc = options_.register_functions(db_);
  return rc == SQLITE_OK ? Status::Ok() : FromSqlite(rc, db_, "register functions");
}

// The first read of the file: one that is no database shows here.
Status Connection::LookAtFile() {
  cache_ = std::make_unique<StatementCache>(db_, options_.statement_cache_size);
  auto encoding = QueryText("PRAGMA encoding");
  if (!encoding.ok()) {
    const Status& why = encoding.status();
    // The one failure that has no code of its own: a schema format that SQLite does not know.
    const bool foreign = why.sqlite_code() == SQLITE_ERROR;
    return OpenFailure(foreign ? Status(Code::kNotADatabase, why.message(), SQLITE_ERROR) : why, options_.path);
  }
  if (encoding.value() != "UTF-8") {
    return {Code::kNotADatabase, "cannot open " + options_.path + ": its text is " + encoding.value() + ", not UTF-8"};
  }
  return options_.accept ? options_.accept(*this) : Status::Ok();
}

// Between opening the file and having a lock on it, another process may have put a copy in its place. The log by that
// name is then not the log of what is open here, and must be neither copied nor removed.
Status Connection::CheckName() {
  int moved = 0;
  const int rc = sqlite3_file_control(db_, "main", SQLITE_FCNTL_HAS_MOVED, &moved);
  if (rc != SQLITE_OK && rc != SQLITE_NOTFOUND) return FromSqlite(rc, nullptr, "look at the file's name");
  moved_ = moved != 0;
  if (!moved_) return Status::Ok();
  sqlite3_db_config(db_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  return {Code::kBusy, "cannot open " + options_.path + ": it is being replaced"};
}

// SQLite does not wait for the lock that the switch to WAL takes: two processes may meet at a new file.
Status Connection::EnterWal() {
  const bool may_switch = options_.role == Role::kWriter && !options_.read_only;
  const char* sql = may_switch ? "PRAGMA journal_mode=WAL" : "PRAGMA journal_mode";
  auto mode = QueryText(sql);
  for (int count = 0; !mode.ok() && mode.status().code() == Code::kBusy && may_switch && OnBusy(this, count) != 0;) {
    ++count;
    mode = QueryText(sql);
  }
  if (!mode.ok()) return OpenFailure(mode.status(), options_.path);
  if (mode.value() != "wal" && !(options_.read_only && mode.value() == "delete")) {
    return {Code::kWalUnavailable, "no write-ahead log for " + options_.path + ": journal mode is " + mode.value()};
  }
  return Status::Ok();
}

Status Connection::SetPragmas() {
  Status sized = SetNumber("PRAGMA wal_autocheckpoint", 0);
  if (sized.ok()) sized = SetNumber("PRAGMA cache_size", -options_.cache_kib);
  if (sized.ok()) sized = SetNumber("PRAGMA journal_size_limit", options_.journal_size_limit);
  if (!sized.ok()) return sized;
  Status status = Exec(SynchronousText(options_.durability));
  if (!status.ok()) return status;
  durability_ = options_.durability;
  auto level = QueryInteger("PRAGMA synchronous");
  if (!level.ok()) return level.status();
  if (level.value() != SynchronousLevel(durability_)) return Differs("synchronous", std::to_string(level.value()));
  return options_.role == Role::kWriter ? Status::Ok() : Exec("PRAGMA query_only=ON");
}

Status Connection::SetNumber(const char* pragma, std::int64_t number) {
  Status status = Exec((std::string(pragma) + "=" + std::to_string(number)).c_str());
  if (!status.ok()) return status;
  auto now = QueryInteger(pragma);
  if (!now.ok()) return now.status();
  return now.value() == number ? Status::Ok() : Differs(pragma, std::to_string(now.value()));
}

Status Connection::Exec(const char* sql) {
  const int rc = sqlite3_exec(db_, sql, nullptr, nullptr, nullptr);
  return rc == SQLITE_OK ? Status::Ok() : FromSqlite(rc, db_, "exec");
}

bool Connection::RollBack() noexcept {
  if (sqlite3_get_autocommit(db_) == 0) sqlite3_exec(db_, "ROLLBACK", nullptr, nullptr, nullptr);
  doomed_ = sqlite3_get_autocommit(db_) == 0;
  return !doomed_;
}

Status Connection::RunCached(std::string_view sql) {
  auto lease = cache_->Take(sql);
  if (!lease.ok()) return lease.status();
  return Cursor(lease.value().get()).Run("run");
}

Result<std::string> Connection::QueryText(const char* sql) {
  auto statement = Prepare(db_, sql);
  if (!statement.ok()) return statement.status();
  Cursor cursor(statement.value().get());
  if (cursor.Step()) {
    std::string text(cursor.Text(0));
    // A number becomes text here, and without memory for that nothing.
    const bool no_memory = text.empty() && sqlite3_errcode(db_) == SQLITE_NOMEM;
    return no_memory ? Result<std::string>(Status(Code::kNoMem)) : std::move(text);
  }
  Status status = cursor.status(sql);
  return status.ok() ? Status(Code::kInternal, std::string("no row from ") + sql) : status;
}

Result<std::int64_t> Connection::QueryInteger(const char* sql) {
  auto text = QueryText(sql);
  if (!text.ok()) return text.status();
  return static_cast<std::int64_t>(std::strtoll(text.value().c_str(), nullptr, 10));
}

Status Connection::SetDurability(Durability durability) {
  if (Mutated(Mutant::kNormalForFull)) durability = std::min(durability, Durability::kNormal);
  if (durability == durability_) return Status::Ok();
  Status status = Exec(SynchronousText(durability));
  if (!status.ok()) return status;
  durability_ = durability;
  return status;
}

void Connection::SetDeadline(SteadyTime deadline, const std::atomic<bool>* cancelled) {
  deadline_ = deadline;
  cancelled_ = cancelled;
  has_deadline_ = true;
  sqlite3_progress_handler(db_, kProgressSteps, &Connection::OnProgress, this);
}

void Connection::ClearDeadline() {
  cancelled_ = nullptr;
  has_deadline_ = false;
  sqlite3_progress_handler(db_, 0, nullptr, nullptr);
}

int Connection::OnProgress(void* self) { return static_cast<Connection*>(self)->PastDeadline() ? 1 : 0; }

bool Connection::PastDeadline() const {
  if (!has_deadline_) return false;
  if (expired()) return true;
  if (cancelled_ != nullptr && cancelled_->load(std::memory_order_relaxed)) return true;
  return std::chrono::steady_clock::now() > deadline_;
}

// Waits with jitter, so that processes that collide do not keep step. Never runs for the inline role.
int Connection::OnBusy(void* self, int count) {
  auto* connection = static_cast<Connection*>(self);
  const auto now = connection->Now();
  const auto deadline = connection->lock_deadline_;
  if (now >= deadline) return 0;
  if (connection->attention_ != nullptr && connection->attention_->load()) return 0;
  connection->busy_waits_.fetch_add(1, std::memory_order_relaxed);
  static thread_local std::minstd_rand random(static_cast<unsigned>(now.time_since_epoch().count()));
  const std::int64_t ceiling_us = std::min<std::int64_t>(4'000, 500LL << std::min(count, 3));
  const std::chrono::microseconds pause(ceiling_us / 2 + static_cast<std::int64_t>(random()) % (ceiling_us / 2));
  std::this_thread::sleep_for(std::min<std::chrono::nanoseconds>(pause, deadline - now));
  return 1;
}

}  // namespace hypha
