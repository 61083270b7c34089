#include "sqlite/log_read_ahead.h"

#include <algorithm>
#include <cstring>

namespace hypha {

LogReadAhead::LogReadAhead(sqlite3_file* log) : log_(log) {
  if (log->pMethods->xFileSize(log, &end_) != SQLITE_OK) end_ = 0;
}

int LogReadAhead::Read(void* out, int count, sqlite3_int64 offset) {
  // What fails or is not there must be SQLite's own question to have SQLite's own answer.
  if (!Holds(count, offset) && !Fill(count, offset)) return log_->pMethods->xRead(log_, out, count, offset);
  std::memcpy(out, bytes_.data() + (offset - start_), static_cast<std::size_t>(count));
  return SQLITE_OK;
}

bool LogReadAhead::Fill(int count, sqlite3_int64 offset) {
  const auto size = static_cast<int>(std::clamp<sqlite3_int64>(end_ - offset, 0, kCapacity));
  if (size < count) return false;
  start_ = offset;
  size_ = log_->pMethods->xRead(log_, bytes_.data(), size, offset) == SQLITE_OK ? size : 0;
  return size_ > 0;
}

}  // namespace hypha
