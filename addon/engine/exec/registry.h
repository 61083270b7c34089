// The engines of this process, one for each database file.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "hypha/engine.h"

namespace hypha {

// What a path means before anything is opened.
struct FileCheck {
  std::string path;  // absolute, the parent's links resolved
  bool exists = false;
};

// Whether both name one file that exists.
bool IsSameFile(const std::string& a, const std::string& b);

// Runs `work` while nobody in this process opens or closes a store. kBusy, and no work, when the file of that name is
// open here.
Status WithFileClosed(const std::string& path, const std::function<Status()>& work);

// Registers the engine's SQLite VFSes; may be called again.
Status RegisterVfses();

// Refuses what must not be opened: kCantOpen for a directory, a FIFO or device, a symbolic link, a file with a second
// hard link, a missing file or folder when `create` is off; kInvalidArgument for an empty path or one with a NUL byte.
// With `create` missing folders are made, mode 0700. Never opens the file itself.
Result<FileCheck> CheckFile(const std::string& path, bool create);

// Whether the path leads to a database that this process has open, to its log, or to the log's index: opening and
// closing such a file drops the locks that SQLite holds on it.
bool IsOpenDatabase(const std::string& path);

}  // namespace hypha
