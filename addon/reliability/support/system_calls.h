// The calls by which a copy goes past SQLite to the file system, for the hook of inject_vfs.h to see and fail: fsync()
// of a file or a folder, sync_file_range(), renameat2() and unlink(), and inside a call into the engine open(), read(),
// write() and close(). A program that links this has them in place of the C library's.
#pragma once

namespace hypha::reliability {

// Also puts the hook over every file that SQLite opens on the platform's file system. Call it before anything is
// opened.
void HookPlatformFiles();

}  // namespace hypha::reliability
