// Sees every SQLite handle that the process opens, whoever opens it, and reads back what makes it safe: the flags and
// limits at each statement, these and the pragmas and the authorizer when it is closed.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "sqlite3.h"

namespace hypha::test {

// One at a time. REQUIRES: handles opened while it lives are closed before it ends.
class HandleWatch {
 public:
  HandleWatch();
  ~HandleWatch();
  HandleWatch(const HandleWatch&) = delete;
  HandleWatch& operator=(const HandleWatch&) = delete;

  int opened() const;
  int closed() const;
  // The files of the handles that were closed, by name without folder; "" for a database in SQLite's own memory.
  std::multiset<std::string> files() const;
  // What a handle lacked, each with the file it is of.
  std::set<std::string> problems() const;
};

}  // namespace hypha::test
