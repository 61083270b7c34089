// Temporary files and folders, `<path>.tmp-<pid>-<number>`, beside what they will become. Who makes one holds a lock on
// it, so that what a dead process has left can be told from what is still being made.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>

#include "base/file_io.h"
#include "hypha/status.h"

namespace hypha {

// Thread: one. Gives the lock up at its end.
class Claim {
 public:
  Claim() = default;
  Claim(Claim&& other) noexcept : name_(std::exchange(other.name_, {})), lock_(std::move(other.lock_)) {}
  Claim& operator=(Claim&& other) noexcept;
  Claim(const Claim&) = delete;
  Claim& operator=(const Claim&) = delete;
  ~Claim() { Release(); }

  // Of a file or folder that the caller has just made. kExists when another process took it for abandoned meanwhile: it
  // is gone or about to be. OK as well where the file system has no such locks; nothing is removed there.
  Status Take(const std::string& name);
  void Release();

 private:
  std::string name_;  // empty: none
  FileHandle lock_;
};

std::string TemporaryNameOf(const std::string& path, std::int64_t number);

// Calls `remove` with the name of each temporary file or folder of `path` that nobody claims.
void RemoveAbandoned(const std::string& path, const std::function<void(const std::string& name)>& remove);

}  // namespace hypha
