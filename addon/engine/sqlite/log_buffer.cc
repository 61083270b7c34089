#include "sqlite/log_buffer.h"

#include <algorithm>
#include <cstring>
#include <new>

#include "base/mutant.h"

namespace hypha {
namespace {

// Layout of the log (sqlite.org/fileformat2.html, section 4.1).
constexpr int kFrameHeaderBytes = 24;
constexpr int kCommitMarkAt = 4;
constexpr int kCommitMarkBytes = 4;

bool HasCommitMark(const void* header) {
  const auto* mark = static_cast<const unsigned char*>(header) + kCommitMarkAt;
  return std::any_of(mark, mark + kCommitMarkBytes, [](unsigned char byte) { return byte != 0; });
}

}  // namespace

void LogBuffer::BeginTransaction() {
  in_transaction_ = true;
  end_ = 0;
}

void LogBuffer::EndTransaction() {
  in_transaction_ = false;
  in_frame_ = false;
  size_ = 0;
  failure_ = SQLITE_OK;
}

int LogBuffer::Flush() {
  if (size_ == 0) return failure_;
  const int rc = log_->pMethods->xWrite(log_, bytes_.get(), size_, start_);
  if (rc != SQLITE_OK) {
    failure_ = rc;
    lost_from_ = start_;
  }
  size_ = 0;
  return rc;
}

int LogBuffer::WriteThrough(const void* data, int count, sqlite3_int64 offset) {
  const int rc = Flush();
  return rc == SQLITE_OK ? log_->pMethods->xWrite(log_, data, count, offset) : rc;
}

bool LogBuffer::MayGather(int count, sqlite3_int64 offset) {
  if (!in_transaction_ || count > kCapacity) return false;
  if (!in_frame_ && (count != kFrameHeaderBytes || (offset < end_ && !Mutated(Mutant::kDelayEveryHeader))))
    return false;
  if (bytes_ == nullptr) bytes_.reset(new (std::nothrow) unsigned char[kCapacity]);
  return bytes_ != nullptr;
}

void LogBuffer::Append(const void* data, int count, sqlite3_int64 offset) {
  if (size_ == 0) start_ = offset;
  std::memcpy(bytes_.get() + size_, data, static_cast<std::size_t>(count));
  size_ += count;
}

int LogBuffer::Write(const void* data, int count, sqlite3_int64 offset) {
  if (failure_ != SQLITE_OK) return failure_;
  if (in_frame_ && offset != end_) in_frame_ = false;  // its page is not what comes
  const bool gather = MayGather(count, offset);
  const bool contiguous = size_ == 0 || offset == start_ + size_;
  end_ = offset == 0 ? count : std::max(end_, offset + count);
  if (!gather) {
    in_frame_ = false;
    return WriteThrough(data, count, offset);
  }
  if (!contiguous || size_ + count > kCapacity) {
    const int rc = Flush();
    if (rc != SQLITE_OK) return rc;
  }
  Append(data, count, offset);
  if (!in_frame_) is_commit_ = HasCommitMark(data);
  in_frame_ = !in_frame_;
  return !in_frame_ && is_commit_ && !Mutated(Mutant::kSyncWithoutHeader) ? Flush() : SQLITE_OK;
}

int LogBuffer::Read(void* out, int count, sqlite3_int64 offset) {
  // Else nothing that is read can be missing in the file.
  if (size_ != 0 && offset < start_ + size_ && offset + count > start_) static_cast<void>(Flush());
  if (failure_ != SQLITE_OK && offset + count > lost_from_) return failure_;
  return log_->pMethods->xRead(log_, out, count, offset);
}

}  // namespace hypha
