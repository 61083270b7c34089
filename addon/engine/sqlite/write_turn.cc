#include "sqlite/write_turn.h"

#include <algorithm>
#include <thread>

#include "sqlite/vfs_wal_index.h"

namespace hypha {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// WalCkptInfo::notUsed0: after two headers of 48 bytes and 36 bytes of the structure itself.
constexpr std::size_t kNoteWord = 132 / sizeof(std::uint32_t);
// Older notes are of processes that have given up or died; those that wait renew theirs every few milliseconds.
constexpr std::uint32_t kNoteMs = 500;
constexpr milliseconds kMostPatience{25};
constexpr std::chrono::microseconds kLookEvery{300};

// The steady clock counts from the start of the machine. Never 0.
std::uint32_t NowMs() {
  const auto since = std::chrono::duration_cast<milliseconds>(steady_clock::now().time_since_epoch());
  return static_cast<std::uint32_t>(since.count()) | 1U;
}

volatile std::uint32_t* NoteOf(volatile void* region) {
  return static_cast<volatile std::uint32_t*>(region) + kNoteWord;
}

std::uint32_t ReadNote(sqlite3* db) {
  WriteNote note;
  return sqlite3_file_control(db, "main", kWriteNoteFcntl, &note) == SQLITE_OK ? note.value : 0;
}

}  // namespace

void NoteWriteLock(volatile void* region, int offset, int flags, int outcome) {
  if (region == nullptr || !IsWriteLock(offset, flags) || (flags & SQLITE_SHM_LOCK) == 0) return;
  if (outcome == SQLITE_OK) {
    // Others that wait write theirs again when they look the next time.
    if (__atomic_load_n(NoteOf(region), __ATOMIC_RELAXED) != 0) __atomic_store_n(NoteOf(region), 0U, __ATOMIC_RELAXED);
  } else if ((outcome & 0xff) == SQLITE_BUSY) {
    __atomic_store_n(NoteOf(region), NowMs(), __ATOMIC_RELAXED);
  }
}

void AnswerWriteNote(volatile void* region, WriteNote* note) {
  if (region == nullptr) return;
  if (!note->withdraw) {
    note->value = __atomic_load_n(NoteOf(region), __ATOMIC_RELAXED);
    return;
  }
  std::uint32_t expected = note->value;
  __atomic_compare_exchange_n(NoteOf(region), &expected, 0U, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

bool OthersWantToWrite(sqlite3* db) {
  const std::uint32_t note = ReadNote(db);
  return note != 0 && NowMs() - note < kNoteMs;
}

void LetOthersWrite(sqlite3* db, steady_clock::time_point until) {
  WriteNote note{true, ReadNote(db)};
  const auto deadline = std::min(until, steady_clock::now() + kMostPatience);
  while (note.value != 0 && steady_clock::now() < deadline) {
    std::this_thread::sleep_for(kLookEvery);
    if (ReadNote(db) != note.value) return;
  }
  // Nobody came: the next transaction shall not wait for the same note.
  sqlite3_file_control(db, "main", kWriteNoteFcntl, &note);
}

}  // namespace hypha
