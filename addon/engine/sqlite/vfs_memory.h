// Databases in the memory of this process, with all of WAL mode: readers with snapshots beside a writer, on any
// threads. Open them by name with the VFS kMemoryVfs; connections with the same name see the same database. It, its
// log and its shared memory are freed when the last connection that has it open closes.
#pragma once

#include <string>

namespace hypha {

inline constexpr char kMemoryVfs[] = "hypha-memory";
// The same databases for connections on the JavaScript thread: WaitPolicy::kNeverWait of vfs_shim.h.
inline constexpr char kInlineMemoryVfs[] = "hypha-memory-inline";

// Registers both, as shims over the in-memory VFS itself: all file controls and helpers of vfs_shim.h work on them.
// Time, randomness and sleep are the platform's. Thread-safe, only the first call does something, all return its
// SQLite result code.
int RegisterMemoryVfs();

// A database name not handed out before in this process. Opening it needs SQLITE_OPEN_CREATE once. Thread-safe.
std::string NewMemoryName();

// How many named files exist now: 0 once all connections are closed. Thread-safe.
int CountMemoryFiles();

}  // namespace hypha
