// What the engine takes from its surroundings, injected so that tests can replace it.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

namespace hypha {

// Milliseconds since 1970-01-01 UTC.
inline std::int64_t SystemNowMs() {
  using std::chrono::milliseconds;
  return std::chrono::duration_cast<milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

using SteadyTime = std::chrono::steady_clock::time_point;

// One of these lives as long as what it was given to.
struct Hooks {
  std::function<std::int64_t()> now_ms = &SystemNowMs;
  // What deadlines, intervals and ages are counted by. May be called by any thread of the engine.
  std::function<SteadyTime()> steady_now = &std::chrono::steady_clock::now;
  // SQLite VFSes that the file lives in, for connections that may wait and for those that may not. Empty: the
  // platform's. With them set, the path is a name in that VFS, and the file system is not looked at.
  std::string vfs;
  std::string inline_vfs;
  // Called with the name of each point at which a crash test may kill the process; empty in production.
  std::function<void(const char* point)> reached;

  void Reach(const char* point) const {
    if (reached) reached(point);
  }
};

}  // namespace hypha
