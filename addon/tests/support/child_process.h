// Runs a role of child_process.cc in a fresh process of this test program, and talks to it by lines.
#pragma once

#include <sys/types.h>

#include <cstdio>
#include <string>

namespace hypha::test {

class ChildProcess {
 public:
  // `role` is one of child_process.cc; `argument` is for it to understand.
  ChildProcess(const std::string& role, const std::string& path, const std::string& argument = "");
  ~ChildProcess();  // kills what still runs
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  // The next line that the child prints, "" when it is over.
  std::string Line();
  void Kill();
  void Stop();      // SIGSTOP
  void Continue();  // SIGCONT
  // The exit code, or minus the signal.
  int Wait();

 private:
  pid_t pid_ = -1;
  std::FILE* out_ = nullptr;
};

}  // namespace hypha::test
