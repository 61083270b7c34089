// What this process asks of the file system to make names and contents durable, in order. The test program has fsync(),
// rename(), renameat2() and unlink() of its own, which do what the system's do.
#pragma once

#include <string>
#include <vector>

namespace hypha::test {

struct TracedCall {
  enum class What { kSync, kRename, kUnlink } what;
  std::string path;  // of kSync: what the descriptor is open on; of kRename: the old name
  std::string to;    // of kRename
};

// Notes the calls of all threads that succeed while it lives. One at a time.
class CallTrace {
 public:
  CallTrace();
  ~CallTrace();
  CallTrace(const CallTrace&) = delete;
  CallTrace& operator=(const CallTrace&) = delete;

  static std::vector<TracedCall> Calls();
};

}  // namespace hypha::test
