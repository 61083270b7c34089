#include "support/child_process.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <string>
#include <thread>

#include "hypha/engine.h"
#include "sqlite/vfs_shim.h"
#include "sqlite/vfs_test_util.h"
#include "support/answer.h"
#include "support/databases.h"

namespace hypha::test {

ChildProcess::ChildProcess(const std::string& role, const std::string& path, const std::string& argument) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) std::abort();
  const std::string filter = "--gtest_filter=ChildProcess.DISABLED_Run";
  pid_ = ::fork();
  if (pid_ == 0) {
    ::setenv("HYPHA_CHILD_ROLE", role.c_str(), 1);
    ::setenv("HYPHA_CHILD_PATH", path.c_str(), 1);
    ::setenv("HYPHA_CHILD_ARGUMENT", argument.c_str(), 1);
    ::dup2(ends[1], 3);
    ::execl("/proc/self/exe", "hypha_tests", filter.c_str(), "--gtest_also_run_disabled_tests", "--gtest_brief=1",
            nullptr);
    ::_exit(127);
  }
  ::close(ends[1]);
  out_ = ::fdopen(ends[0], "r");
}

ChildProcess::~ChildProcess() {
  if (pid_ > 0) {
    Kill();
    Wait();
  }
  std::fclose(out_);
}

std::string ChildProcess::Line() {
  char text[256];
  if (std::fgets(text, sizeof text, out_) == nullptr) return "";
  std::string line = text;
  if (!line.empty() && line.back() == '\n') line.pop_back();
  return line;
}

void ChildProcess::Kill() { ::kill(pid_, SIGKILL); }

void ChildProcess::Stop() { ::kill(pid_, SIGSTOP); }
void ChildProcess::Continue() { ::kill(pid_, SIGCONT); }

int ChildProcess::Wait() {
  int state = 0;
  if (::waitpid(pid_, &state, 0) != pid_) return 127;
  pid_ = -1;
  return WIFEXITED(state) ? WEXITSTATUS(state) : -WTERMSIG(state);
}

namespace {

void Say(const std::string& line) {
  const std::string text = line + "\n";
  if (::write(3, text.data(), text.size()) < 0) ::_exit(2);
}

// Holds the write lock for so many milliseconds.
int HoldLock(const std::string& path, const std::string& argument) {
  RegisterFileVfs();
  TestDb db(path, kFileVfs);
  sqlite3_busy_timeout(db.get(), 5000);
  if (db.Exec("BEGIN IMMEDIATE; DELETE FROM hypha_entries WHERE key = 'nobody'") != SQLITE_OK) return 3;
  Say("locked");
  std::this_thread::sleep_for(std::chrono::milliseconds(std::atoi(argument.c_str())));
  return db.Exec("COMMIT") == SQLITE_OK ? 0 : 4;
}

// Reads in one snapshot for so many milliseconds, and says when the snapshot is taken.
int HoldRead(const std::string& path, const std::string& argument) {
  RegisterFileVfs();
  TestDb db(path, kFileVfs);
  sqlite3_busy_timeout(db.get(), 5000);
  if (db.Exec("BEGIN; SELECT count(*) FROM hypha_namespaces") != SQLITE_OK) return 3;
  Say("reading");
  std::this_thread::sleep_for(std::chrono::milliseconds(std::atoi(argument.c_str())));
  return db.Exec("COMMIT") == SQLITE_OK ? 0 : 4;
}

// Writes numbered keys until it is killed, and says each number once it is acknowledged.
int WriteForever(const std::string& path, const std::string& argument) {
  OpenOptions options;
  options.path = path;
  auto opened = OpenStore(options);
  if (!opened.ok()) return 3;
  const std::size_t batch = argument.empty() ? 1 : static_cast<std::size_t>(std::atoi(argument.c_str()));
  for (int i = 0;; ++i) {
    WriteRequest request;
    request.atomic = true;
    for (std::size_t k = 0; k < batch; ++k) {
      request.ops.push_back(SetOp("k" + std::to_string(i) + "-" + std::to_string(k), std::to_string(i)));
    }
    Answer<WriteReply> answer;
    opened.value().engine->Write(std::move(request), answer);
    if (!answer.Get().status.ok()) return 4;
    Say(std::to_string(i));
  }
}

// Opens, writes one key named by the argument, closes.
int WriteOnce(const std::string& path, const std::string& argument) {
  OpenOptions options;
  options.path = path;
  auto opened = OpenStore(options);
  if (!opened.ok()) {
    Say(std::string(Describe(opened.status().code()).name));
    return 3;
  }
  Answer<WriteReply> answer;
  opened.value().engine->Write({{SetOp(argument)}, false, Durability::kFull}, answer);
  const bool good = answer.Get().status.ok();
  opened.value().reader.reset();
  // Somebody else may be reading the log, so that it cannot be emptied.
  const Code closed = CloseStore(std::move(opened.value().engine)).code();
  return (closed == Code::kOk || closed == Code::kBusy) && good ? 0 : 4;
}

TEST(ChildProcess, DISABLED_Run) {
  const char* role = std::getenv("HYPHA_CHILD_ROLE");
  if (role == nullptr) GTEST_SKIP() << "the other half of ChildProcess";
  const std::string path = std::getenv("HYPHA_CHILD_PATH");
  const std::string argument = std::getenv("HYPHA_CHILD_ARGUMENT");
  const std::string_view name = role;
  int code = 126;
  if (name == "hold-lock") code = HoldLock(path, argument);
  if (name == "hold-read") code = HoldRead(path, argument);
  if (name == "write-forever") code = WriteForever(path, argument);
  if (name == "write-once") code = WriteOnce(path, argument);
  ::_exit(code);
}

}  // namespace
}  // namespace hypha::test
