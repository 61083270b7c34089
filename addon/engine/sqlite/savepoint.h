// A savepoint inside an open transaction.
#pragma once

#include "base/mutant.h"
#include "hypha/caught.h"
#include "hypha/status.h"
#include "sqlite/connection.h"

namespace hypha {

// Undoes what was done since Begin() in the destructor, unless Release() was called. Savepoints nest.
class Savepoint {
 public:
  static Result<Savepoint> Begin(Connection& db) {
    Status status = db.RunCached("SAVEPOINT hypha");
    if (!status.ok()) return status;
    db.Reach("after-savepoint");
    return Savepoint(&db);
  }
  Savepoint(Savepoint&& other) noexcept : db_(std::exchange(other.db_, nullptr)) {}
  Savepoint(const Savepoint&) = delete;
  Savepoint& operator=(const Savepoint&) = delete;
  Savepoint& operator=(Savepoint&&) = delete;
  ~Savepoint() {
    // Nothing is left to undo when SQLite has rolled the whole transaction back by itself.
    if (db_ == nullptr || !db_->in_transaction()) return;
    if (Mutated(Mutant::kNoSavepoint)) return;
    const auto undo = [&] {
      Status status = db_->RunCached("ROLLBACK TO hypha");
      return status.ok() ? db_->RunCached("RELEASE hypha") : status;
    };
    if (Caught(undo).ok()) return;
    // What cannot be undone alone must not be committed with the rest: the owner sees that the transaction is gone.
    static_cast<void>(db_->RollBack());
  }

  Status Release() && {
    db_->Reach("before-release");
    Status status = db_->RunCached("RELEASE hypha");
    if (status.ok()) db_ = nullptr;
    return status;
  }

 private:
  explicit Savepoint(Connection* db) : db_(db) {}
  Connection* db_;
};

}  // namespace hypha
