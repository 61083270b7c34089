// Transaction: BEGIN IMMEDIATE with one exit. Savepoint: the same inside an open transaction.
#pragma once

#include "hypha/status.h"
#include "sqlite/connection.h"

namespace hypha {

// Rolls back in the destructor unless Commit() was called. REQUIRES: the connection outlives it.
class Transaction {
 public:
  static Result<Transaction> Begin(Connection& db) {
    Status status = db.Exec("BEGIN IMMEDIATE");
    if (!status.ok()) return status;
    return Transaction(&db);
  }
  Transaction(Transaction&& other) noexcept : db_(std::exchange(other.db_, nullptr)) {}
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction() {
    if (db_ != nullptr) static_cast<void>(db_->RollBack());
  }

  Status Commit() && {
    db_->Reach("before-plain-commit");
    Status status = db_->Exec("COMMIT");
    if (!status.ok()) return status;
    db_->Reach("after-plain-commit");
    db_ = nullptr;
    return status;
  }

 private:
  explicit Transaction(Connection* db) : db_(db) {}
  Connection* db_;
};

}  // namespace hypha
