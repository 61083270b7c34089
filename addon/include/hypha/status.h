// Status and Result: how every engine function reports failure. No exception leaves the engine.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace hypha {

// Every failure a caller can see. Append only: JavaScript receives these through kCodeTable.
enum class Code : std::uint8_t {
  kOk,
  kInvalidArgument,
  kUnknownOption,
  kInvalidKey,
  kInvalidValue,
  kInvalidNamespace,
  kInvalidFilter,
  kTooLarge,
  kNotFound,
  kExists,
  kNamespaceNotFound,
  kNamespaceExists,
  kNamespaceNotEmpty,
  kNamespaceReserved,
  kConflict,
  kConstraint,
  kTransactionInvalid,
  kTransactionTimeout,
  kNested,
  kBusy,
  kQueueFull,
  kTimeout,
  kAborted,
  kSnapshotExpired,
  kClosed,
  kStopped,
  kForked,
  kFull,
  kIo,
  kNoMem,
  kReadOnly,
  kCantOpen,
  kNotADatabase,
  kCorrupt,
  kSchemaTooNew,
  kSchemaOutdated,
  kSchemaChanged,
  kIndeterminate,
  kOptionsConflict,
  kDuplicateLibrary,
  kWalUnavailable,
  kWalMoved,
  kWalLimit,
  kInternal,
  kBundleInvalid,
  kLowDisk,
  kCount
};

struct CodeInfo {
  Code code;
  std::string_view name;     // stable, public
  bool retryable;            // the same call may succeed later, unchanged
  std::string_view meaning;  // default message
};

inline constexpr std::array kCodeTable{
    CodeInfo{Code::kOk, "OK", false, "success"},
    CodeInfo{Code::kInvalidArgument, "HYPHA_INVALID_ARGUMENT", false, "an argument has the wrong type or range"},
    CodeInfo{Code::kUnknownOption, "HYPHA_UNKNOWN_OPTION", false, "an option that does not exist"},
    CodeInfo{Code::kInvalidKey, "HYPHA_INVALID_KEY", false, "key must be a non-empty string"},
    CodeInfo{Code::kInvalidValue, "HYPHA_INVALID_VALUE", false, "the value cannot be represented as JSON"},
    CodeInfo{Code::kInvalidNamespace, "HYPHA_INVALID_NAMESPACE", false, "namespace must be a non-empty string"},
    CodeInfo{Code::kInvalidFilter, "HYPHA_INVALID_FILTER", false, "the filter is not valid"},
    CodeInfo{Code::kTooLarge, "HYPHA_TOO_LARGE", false, "a size limit was exceeded"},
    CodeInfo{Code::kNotFound, "HYPHA_NOT_FOUND", false, "the key does not exist"},
    CodeInfo{Code::kExists, "HYPHA_EXISTS", false, "the key already exists"},
    CodeInfo{Code::kNamespaceNotFound, "HYPHA_NAMESPACE_NOT_FOUND", false, "the namespace does not exist"},
    CodeInfo{Code::kNamespaceExists, "HYPHA_NAMESPACE_EXISTS", false, "the namespace already exists"},
    CodeInfo{Code::kNamespaceNotEmpty, "HYPHA_NAMESPACE_NOT_EMPTY", false, "the namespace still has entries"},
    CodeInfo{Code::kNamespaceReserved, "HYPHA_NAMESPACE_RESERVED", false, "Cannot delete default namespace"},
    CodeInfo{Code::kConflict, "HYPHA_CONFLICT", false, "the entry has another version"},
    CodeInfo{Code::kConstraint, "HYPHA_CONSTRAINT", false, "a unique index refused the value"},
    CodeInfo{Code::kTransactionInvalid, "HYPHA_TRANSACTION_INVALID", false, "Invalid transaction ID"},
    CodeInfo{Code::kTransactionTimeout, "HYPHA_TRANSACTION_TIMEOUT", false,
             "the transaction passed its deadline and was rolled back"},
    CodeInfo{Code::kNested, "HYPHA_NESTED", false,
             "the outer store was used inside its own transaction, and would wait for itself"},
    CodeInfo{Code::kBusy, "HYPHA_BUSY", true, "another process holds the lock"},
    CodeInfo{Code::kQueueFull, "HYPHA_QUEUE_FULL", true, "the write queue is full"},
    CodeInfo{Code::kTimeout, "HYPHA_TIMEOUT", true, "the operation took longer than its timeout"},
    CodeInfo{Code::kAborted, "HYPHA_ABORTED", false, "the operation was aborted"},
    CodeInfo{Code::kSnapshotExpired, "HYPHA_SNAPSHOT_EXPIRED", true, "the snapshot is older than its limit"},
    CodeInfo{Code::kClosed, "HYPHA_CLOSED", false, "the store is closed"},
    CodeInfo{Code::kStopped, "HYPHA_STOPPED", false,
             "the engine stopped after an unknown outcome; open the store again"},
    CodeInfo{Code::kForked, "HYPHA_FORKED", false, "the store was opened in another process"},
    CodeInfo{Code::kFull, "HYPHA_FULL", true, "the disk is full"},
    CodeInfo{Code::kIo, "HYPHA_IO", false, "an I/O operation failed"},
    CodeInfo{Code::kNoMem, "HYPHA_NOMEM", true, "out of memory"},
    CodeInfo{Code::kReadOnly, "HYPHA_READ_ONLY", false, "the store is read-only"},
    CodeInfo{Code::kCantOpen, "HYPHA_CANT_OPEN", false, "the database file cannot be opened"},
    CodeInfo{Code::kNotADatabase, "HYPHA_NOT_A_DATABASE", false, "the file is not a HyphaDB database"},
    CodeInfo{Code::kCorrupt, "HYPHA_CORRUPT", false, "the database file is damaged"},
    CodeInfo{Code::kSchemaTooNew, "HYPHA_SCHEMA_TOO_NEW", false, "the file was written by a newer HyphaDB"},
    CodeInfo{Code::kSchemaOutdated, "HYPHA_SCHEMA_OUTDATED", false, "the file needs a migration and migrate is false"},
    CodeInfo{Code::kSchemaChanged, "HYPHA_SCHEMA_CHANGED", false,
             "an applied migration or one of HyphaDB's tables differs from what this version wrote"},
    CodeInfo{Code::kIndeterminate, "HYPHA_INDETERMINATE", false, "the outcome of the commit is unknown"},
    CodeInfo{Code::kOptionsConflict, "HYPHA_OPTIONS_CONFLICT", false,
             "the file is already open in this process with other engine options"},
    CodeInfo{Code::kDuplicateLibrary, "HYPHA_DUPLICATE_LIBRARY", false,
             "a second copy of the HyphaDB addon was loaded into this process"},
    CodeInfo{Code::kWalUnavailable, "HYPHA_WAL_UNAVAILABLE", false, "the file system cannot hold a write-ahead log"},
    CodeInfo{Code::kWalMoved, "HYPHA_WAL_MOVED", false, "the database or its write-ahead log was replaced while open"},
    CodeInfo{Code::kWalLimit, "HYPHA_WAL_LIMIT", true, "the write-ahead log reached its size limit"},
    CodeInfo{Code::kInternal, "HYPHA_INTERNAL", false, "a defect in HyphaDB"},
    CodeInfo{Code::kBundleInvalid, "HYPHA_BUNDLE_INVALID", false, "the bundle is damaged, or is none"},
    CodeInfo{Code::kLowDisk, "HYPHA_LOW_DISK", false, "the disk has less free space than minFreeBytes"},
};

consteval bool CodeTableInOrder() {
  for (std::size_t i = 0; i < kCodeTable.size(); ++i) {
    if (static_cast<std::size_t>(kCodeTable[i].code) != i) return false;
  }
  return kCodeTable.size() == static_cast<std::size_t>(Code::kCount);
}
static_assert(CodeTableInOrder(), "kCodeTable must list every Code once, in enum order");

constexpr const CodeInfo& Describe(Code code) { return kCodeTable[static_cast<std::size_t>(code)]; }

// The outcome of one operation. Branch on code(), never on the text. OK carries no allocation. Where memory ran out a
// literal or copied text is lost, and nothing else.
class [[nodiscard]] Status {
 public:
  Status() = default;
  explicit Status(Code code) : code_(code) {}
  Status(Code code, std::string detail, int sqlite_code = 0)
      : code_(code), sqlite_code_(sqlite_code), detail_(std::move(detail)) {}
  Status(Code code, const char* detail, int sqlite_code = 0) noexcept : code_(code), sqlite_code_(sqlite_code) {
    SetDetail(detail);
  }
  Status(const Status& other) noexcept
      : code_(other.code_), sqlite_code_(other.sqlite_code_), attempts_(other.attempts_) {
    SetDetail(other.detail_);
  }
  Status(Status&&) noexcept = default;
  Status& operator=(const Status& other) noexcept { return *this = Status(other); }
  Status& operator=(Status&&) noexcept = default;
  ~Status() = default;

  static Status Ok() { return {}; }

  bool ok() const { return code_ == Code::kOk; }
  Code code() const { return code_; }
  int sqlite_code() const { return sqlite_code_; }  // SQLite's extended result code, 0 if none
  // How often the transaction was tried before this failure was final; 0: not one that is tried again.
  int attempts() const { return attempts_; }
  void set_attempts(int attempts) { attempts_ = attempts; }
  // What happened, for a person. Never holds a stored value; may hold a key.
  std::string message() const { return std::string(text()); }
  std::string_view text() const { return detail_.empty() ? Describe(code_).meaning : std::string_view(detail_); }

 private:
  void SetDetail(std::string_view text) noexcept {
    try {
      detail_ = text;
    } catch (...) {  // the code says enough
      detail_.clear();
    }
  }

  Code code_ = Code::kOk;
  int sqlite_code_ = 0;
  int attempts_ = 0;
  std::string detail_;
};

// A value or the Status that says why there is none.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::move(value)) {}         // NOLINT(google-explicit-constructor)
  Result(Status status) : state_(std::move(status)) {}  // NOLINT(google-explicit-constructor)

  bool ok() const { return std::holds_alternative<T>(state_); }
  Status status() const { return ok() ? Status::Ok() : std::get<Status>(state_); }
  // REQUIRES: ok().
  T& value() { return std::get<T>(state_); }
  const T& value() const { return std::get<T>(state_); }

 private:
  std::variant<T, Status> state_;
};

}  // namespace hypha
