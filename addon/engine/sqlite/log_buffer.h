// Log frames of one transaction, gathered so that they reach the file with few writes.
//
// SQLite writes each frame of the write-ahead log with two calls, a header of 24 bytes and a page: in walFrames(),
// first to last, and that function alone makes frames visible, after its last write. What is gathered is therefore
// written
//   * when the frame with the commit mark is whole (bytes 4 to 7 of its header, the size of the database, are not 0).
//     It is the last that walFrames() appends; what follows in the commit (checksums written again, the sync, the
//     wal-index header that other connections go by) comes after it, so that nothing is synced, published or
//     acknowledged that the file does not have, and an error of this write is an error of the commit;
//   * before anything else looks at the log file or writes elsewhere in it;
//   * when the buffer is full.
// Frames that a transaction writes early, for want of cache, may stay here. No other connection knows of them before
// the commit, and this one's reads write them first. When the transaction ends without a commit, which is when SQLite
// lets go of the write lock, they are dropped: the next writer, of whatever process, uses their place.
//
// A write that fails here may belong to frames that SQLite was told are written. From then on the transaction can do
// nothing with the log, whatever SQLite makes of the first error.
#pragma once

#include <memory>

#include "sqlite3.h"

namespace hypha {

// Thread: that of the connection. Nothing is gathered outside a transaction.
class LogBuffer {
 public:
  // `log` outlives it.
  explicit LogBuffer(sqlite3_file* log) : log_(log) {}

  // The write lock was taken, and is about to be let go.
  void BeginTransaction();
  void EndTransaction();

  // As the methods of the file. Those that have no method here need a Flush() before.
  int Write(const void* data, int count, sqlite3_int64 offset);
  int Read(void* out, int count, sqlite3_int64 offset);
  int Flush();

  // Behind all that this transaction has written, in bytes of the file; 0: nothing, or no transaction.
  sqlite3_int64 end() const { return in_transaction_ ? end_ : 0; }

 private:
  // SQLite's VFS for Unix takes no write of 128 KiB or more: it uses the 17 low bits of the size.
  static constexpr int kCapacity = 127 << 10;

  bool MayGather(int count, sqlite3_int64 offset);
  void Append(const void* data, int count, sqlite3_int64 offset);
  int WriteThrough(const void* data, int count, sqlite3_int64 offset);

  sqlite3_file* log_;
  std::unique_ptr<unsigned char[]> bytes_;
  sqlite3_int64 start_ = 0;  // where bytes_ belongs in the file
  int size_ = 0;
  bool in_transaction_ = false;
  bool in_frame_ = false;  // a header was appended, its page comes next
  bool is_commit_ = false;
  // Behind all that this transaction has written. A frame that is written again, wholly or in part, is written through:
  // its header may come alone, and be the last write of all.
  sqlite3_int64 end_ = 0;
  int failure_ = SQLITE_OK;      // of a flush in this transaction
  sqlite3_int64 lost_from_ = 0;  // what that flush did not write
};

}  // namespace hypha
