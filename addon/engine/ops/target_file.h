// A file that appears under its name only when it is whole: written under a temporary name beside it, synced, renamed.
#pragma once

#include <functional>
#include <string>

#include "base/claim.h"
#include "base/file_io.h"
#include "hypha/status.h"

namespace hypha {

// The target's directory is looked up once, by Create(), and held open: whoever moves it, or puts a link in its place,
// while the copy is made gets neither the copy nor anything of his own opened, changed or removed. SQLite alone goes by
// names, and refuses links among them; its journal of the temporary file is all that it could make elsewhere.
//
// Thread: one. What is not published is removed by the destructor.
class TargetFile {
 public:
  // Makes the temporary file, mode 0600, and removes those of the same target whose process died. kCantOpen for a
  // folder that is missing or may not be written to, and for a target that is no regular file or has a second name;
  // kExists for one that is there, or a log of it, when `replace` is off; kFull.
  static Result<TargetFile> Create(const std::string& path, bool replace);

  TargetFile(TargetFile&& other) noexcept;
  TargetFile(const TargetFile&) = delete;
  TargetFile& operator=(const TargetFile&) = delete;
  TargetFile& operator=(TargetFile&&) = delete;
  ~TargetFile();

  // The target's absolute name, links of its folder resolved; and the temporary one.
  const std::string& path() const { return path_; }
  const std::string& temporary() const { return temporary_; }
  // The target's directory, and its name in there.
  int folder() const { return folder_.get(); }
  std::string name() const { return NameOf(path_); }
  // kExists for a log by the target's name where nothing may be replaced: it is of a database that is not there.
  Status CheckLogs() const;
  // kCantOpen when the directory's name leads elsewhere by now.
  Status CheckFolder() const;

  // Sends what has been written so far to the disk, and promises nothing about it: the last sync has little left to do.
  Status WriteBack();
  Status Sync();
  // What was made or removed beside it.
  Status SyncFolder();
  // REQUIRES: nobody has the temporary file open any more. `before_rename` may still refuse, and says whether there is
  // a file to be replaced; one that came into being since is not: it is called again.
  Status Publish(const std::function<Status(bool* exists)>& before_rename = {});

 private:
  TargetFile(std::string path, bool replace) : path_(std::move(path)), replace_(replace) {}
  Status OpenFolder();
  Status CheckTarget() const;
  Status Make();
  Status Rename(bool replace);
  void RemoveTemporary() noexcept;

  std::string path_;
  std::string temporary_;
  bool replace_;
  FileHandle folder_;
  int descriptor_ = -1;
  Claim claim_;
};

}  // namespace hypha
