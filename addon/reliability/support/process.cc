#include "support/process.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <thread>

namespace hypha::reliability {

Process::Process(const std::vector<std::string>& arguments) {
  std::vector<char*> argv;
  std::string program = "hypha_reliability";
  argv.push_back(program.data());
  std::vector<std::string> copies = arguments;
  for (auto& each : copies) argv.push_back(each.data());
  argv.push_back(nullptr);
  pid_ = ::fork();
  if (pid_ != 0) return;
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::execv("/proc/self/exe", argv.data());
  ::_exit(127);
}

Process::~Process() {
  if (pid_ <= 0) return;
  Signal(SIGKILL);
  Wait(10'000);
}

void Process::Signal(int signal) const {
  if (pid_ > 0) ::kill(pid_, signal);
}

bool Process::Ended() {
  if (pid_ <= 0) return true;
  if (::waitpid(pid_, &state_, WNOHANG) != pid_) return false;
  pid_ = -1;
  return true;
}

int Process::Wait(int timeout_ms) {
  const std::int64_t deadline = NowMs() + timeout_ms;
  while (!Ended()) {
    if (NowMs() > deadline) {
      Signal(SIGKILL);
      ::waitpid(pid_, &state_, 0);
      pid_ = -1;
      return kTimedOut;
    }
    ::usleep(300);
  }
  return WIFEXITED(state_) ? WEXITSTATUS(state_) : -WTERMSIG(state_);
}

const std::atomic<bool>& StopOnTerm() {
  static std::atomic<bool> stop{false};
  ::signal(SIGTERM, [](int) { stop = true; });
  return stop;
}

void SleepMs(std::int64_t ms) { std::this_thread::sleep_for(std::chrono::milliseconds(ms)); }

std::int64_t NowMs() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

double NowSeconds() { return static_cast<double>(NowMs()) / 1000; }

Folder::Folder() {
  const char* root = ::getenv("HYPHA_RELIABILITY_DIR");
  std::string pattern = std::string(root != nullptr ? root : "/dev/shm") + "/hypha-reliability-XXXXXX";
  if (::mkdtemp(pattern.data()) == nullptr) ::abort();
  path_ = pattern;
}

Folder::~Folder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace hypha::reliability
