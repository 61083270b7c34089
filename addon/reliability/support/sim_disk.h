// A disk in memory that remembers what has been written but not synced, so that a loss of power can be tried out at
// every write: SQLite files live on it through the VFS kSimVfs.
//
// What it promises is what a file system may be relied on for, and no more: bytes are safe once their file was synced,
// a name is safe once the directory was, and until then each write (each sector of it) may be lost or kept on its own.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "hypha/hooks.h"

namespace hypha::reliability {

inline constexpr char kSimFile[] = "sim-file";      // for connections that may wait
inline constexpr char kSimInline[] = "sim-inline";  // for those that never do

// Under both, for the hook of inject_vfs.h.
inline constexpr char kSimInject[] = "sim-inject";

// Registers both, over the fault hook of inject_vfs.h.
void RegisterSimDisk();
// To open a store on it.
Hooks OnSimDisk();

// The files that are safe.
using DiskImage = std::map<std::string, std::string>;

struct DiskEvent {
  enum class Kind : std::uint8_t { kWrite, kTruncate, kSync, kLostSync, kCreate, kDelete, kSyncDirectory, kMark };
  Kind kind;
  int file = 0;              // number of a file since the disk was mounted
  std::uint64_t offset = 0;  // kTruncate: the new size
  std::string text;          // the bytes, or the name
  std::int64_t mark = 0;
};

// What happened on a disk since it was mounted, and what it held then.
struct DiskTrace {
  DiskImage start;
  std::vector<DiskEvent> events;
};

class SimDisk {
 public:
  // Starts over with these files, all safe. REQUIRES: nothing is open.
  static void Mount(DiskImage image);
  // All files as a process sees them now, synced or not.
  static DiskImage Visible();
  static DiskTrace TakeTrace();
  // A note in the trace.
  static void Mark(std::int64_t mark);
  static int OpenHandles();
  // From now on no file may grow beyond this many bytes in all; SQLITE_FULL. 0: no limit.
  static void SetCapacity(std::uint64_t bytes);
  // The next failing sync of the hook also loses what waited to be written, as Linux does.
  static void NoteFailedSync(bool log);
};

// The state of a disk along its trace.
class PowerLine {
 public:
  explicit PowerLine(const DiskTrace& trace);
  // Goes one event further; false at the end.
  bool Step();
  const DiskEvent& event() const { return trace_.events[at_ - 1]; }
  std::size_t at() const { return at_; }
  std::size_t pending() const { return pending_.size(); }

  struct Choice {
    // Of the pending write number `write`, the sectors to keep: one answer each.
    enum class Fate : std::uint8_t { kLost, kKept, kTorn, kGarbage };
    std::vector<Fate> fates;         // one for each pending event, in order
    std::vector<std::size_t> order;  // in which they reach the disk; empty: as written
    std::uint64_t seed = 0;          // for torn sectors and garbage
    std::size_t sector = 512;
  };
  // What the disk holds if the power goes now.
  DiskImage Lose(const Choice& choice) const;

 private:
  using Files = std::map<int, std::string>;
  void Apply(const DiskEvent& event, Files* files, std::map<std::string, int>* names) const;

  const DiskTrace& trace_;
  std::size_t at_ = 0;
  Files safe_;
  std::map<std::string, int> names_;
  std::vector<const DiskEvent*> pending_;
};

}  // namespace hypha::reliability
