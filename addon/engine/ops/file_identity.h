// Whether the files behind the names are still the ones that are open.
#pragma once

#include <sys/types.h>

#include <string>

#include "hypha/status.h"

namespace hypha {

// A file that was moved, restored or deleted under a running engine must not be written any more: its log would go to
// nobody, or into somebody else's database. Only stat(2): opening a live database file drops its locks.
class FileIdentity {
 public:
  // `path` empty: a database in memory, which is always the same.
  explicit FileIdentity(std::string path);

  // kWalMoved when the database or its log is another file than at first sight, or gone.
  Status Check();
  // The same of the database alone. Thread: any.
  Status CheckDatabase() const;

 private:
  struct Id {
    dev_t device = 0;
    ino_t inode = 0;
    bool known() const { return inode != 0; }
    bool operator==(const Id&) const = default;
  };
  static Id IdOf(const std::string& path);

  std::string path_;
  std::string log_path_;
  Id file_;
  Id log_;  // unknown until the log is there
};

}  // namespace hypha
