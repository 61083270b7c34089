// The log as a connection reads it that recovers it: from the first frame to the last, one call for each
// (walIndexRecover() of wal.c). Here each call reads what fits into 127 KiB, and the next thirty are answered from
// memory. Nobody else can write meanwhile: SQLite holds every lock of the wal-index but those of readers' marks.
#pragma once

#include <array>

#include "sqlite3.h"

namespace hypha {

// Thread: that of the connection. To be made when the locks are held and gone before they are let go.
class LogReadAhead {
 public:
  // `log` outlives it.
  explicit LogReadAhead(sqlite3_file* log);

  // As xRead.
  int Read(void* out, int count, sqlite3_int64 offset);

 private:
  // SQLite's VFS for Unix reads no 128 KiB or more at once: it uses the 17 low bits of the size.
  static constexpr int kCapacity = 127 << 10;

  bool Holds(int count, sqlite3_int64 offset) const { return offset >= start_ && offset + count <= start_ + size_; }
  bool Fill(int count, sqlite3_int64 offset);

  sqlite3_file* log_;
  sqlite3_int64 end_ = 0;    // of the file
  sqlite3_int64 start_ = 0;  // where bytes_ belongs in the file
  int size_ = 0;
  std::array<unsigned char, kCapacity> bytes_;
};

}  // namespace hypha
