#include "support/watch.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace hypha::reliability {
namespace {

constexpr unsigned kHangSeconds = 60;

const char* the_program = "";
std::array<char, 256> the_case{};

void Say(const char* text) {
  if (::write(STDERR_FILENO, text, std::strlen(text)) < 0) ::_exit(3);
}

void Die(int signal) {
  Say(the_program);
  Say(signal == SIGALRM ? ": hangs in: " : ": crashed in: ");
  Say(the_case.data());
  Say("\n");
  ::signal(signal, SIG_DFL);
  if (signal == SIGALRM) ::_exit(1);
  ::raise(signal);
}

}  // namespace

void WatchCases(const char* program) {
  the_program = program;
  for (const int signal : {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL, SIGALRM}) ::signal(signal, &Die);
}

void NextCase(const std::string& text) {
  const std::size_t length = std::min(text.size(), the_case.size() - 1);
  std::copy_n(text.data(), length, the_case.data());
  the_case[length] = '\0';
  ::alarm(kHangSeconds);
}

}  // namespace hypha::reliability
