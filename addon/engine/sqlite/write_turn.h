// Turns at the write lock among processes. SQLite's lock has no queue: who waits for it looks again every few
// milliseconds, and a process with much to write takes it again microseconds after giving it back. So whoever fails to
// get it leaves a note in a word of the wal-index that SQLite keeps free, and a process that sees one lets others go
// first.
#pragma once

#include <chrono>
#include <cstdint>

#include "sqlite3.h"

namespace hypha {

// File control code, answered by every shim on the main database file. WriteNote*: read, or withdrawn.
inline constexpr int kWriteNoteFcntl = 0x48595005;

struct WriteNote {
  bool withdraw = false;    // takes back the note `value`, if that is still the one
  std::uint32_t value = 0;  // milliseconds of a clock that all processes share, 0: nobody waits
};

// For the shim: keeps the note as the outcome of an attempt to lock says. `region` is region 0 of the wal-index, or
// null.
void NoteWriteLock(volatile void* region, int offset, int flags, int outcome);
void AnswerWriteNote(volatile void* region, WriteNote* note);

// Whether another process has failed to get the write lock of the main database a moment ago, and not got it since.
// REQUIRES: this connection does not hold it.
bool OthersWantToWrite(sqlite3* db);

// Waits until one of them has got it, or perhaps no longer wants it: for some 25 ms at most, and not beyond `until`.
void LetOthersWrite(sqlite3* db, std::chrono::steady_clock::time_point until);

}  // namespace hypha
