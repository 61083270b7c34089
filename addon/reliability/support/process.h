// Other roles of this program, in processes of their own.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

namespace hypha::reliability {

class Process {
 public:
  // This program with these arguments, in a process group of its own.
  explicit Process(const std::vector<std::string>& arguments);
  ~Process();  // kills what still runs
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  void Signal(int signal) const;
  // The exit code, or minus the signal; kTimedOut, and it is dead, if it does not end in time.
  int Wait(int timeout_ms);
  bool Ended();

  static constexpr int kTimedOut = -1000;

 private:
  pid_t pid_ = -1;
  int state_ = 0;
};

// True once SIGTERM has come, which from the call on ends this process no more.
const std::atomic<bool>& StopOnTerm();

void SleepMs(std::int64_t ms);
std::int64_t NowMs();  // of a steady clock
double NowSeconds();

// A new folder under $HYPHA_RELIABILITY_DIR or /dev/shm, deleted with the object.
class Folder {
 public:
  Folder();
  ~Folder();
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  const std::string& path() const { return path_; }
  std::string File(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

}  // namespace hypha::reliability
