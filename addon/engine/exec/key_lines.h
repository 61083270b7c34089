// Lines of those who want to change the same thing one after the other, across all users of an engine.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <unordered_map>

#include "base/mutex.h"
#include "hypha/status.h"

namespace hypha {

// Thread-safe. Nothing is locked by it: who does not stand in line may write all the same. A place is known by its
// owner and a ticket that the owner chose.
class KeyLines {
 public:
  using StatusDone = std::function<void(Status)>;

  // True when it is the caller's turn at once; else `done` is called when it is, by whoever leaves before it.
  bool Enter(const void* owner, std::int64_t ticket, const std::string& name, StatusDone done);
  // Gives up the turn, or the place; a place is answered with kAborted.
  void Leave(const void* owner, std::int64_t ticket, const std::string& name);
  // Leaves every line; places are answered with kClosed.
  void Abandon(const void* owner);

 private:
  struct Place {
    const void* owner;
    std::int64_t ticket;
    StatusDone done;  // empty for whose turn it is
  };
  using Line = std::deque<Place>;
  using Lines = std::unordered_map<std::string, Line>;

  Mutex mutex_;
  Lines lines_ GUARDED_BY(mutex_);
};

}  // namespace hypha
