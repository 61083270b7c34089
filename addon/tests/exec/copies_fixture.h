// Stores that copies are made of and over, and processes that die.
#pragma once

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <functional>
#include <set>
#include <sstream>

#include "exec/store_fixture.h"

namespace hypha::test {

constexpr int kKilled = -SIGKILL;

class CopiesFixture : public StoreFixture {
 protected:
  std::string Path(const std::string& name) const { return dir_.File(name); }
  std::set<std::string> Names() const { return NamesOf(dir_.path()); }
  static std::set<std::string> NamesOf(const std::string& folder) {
    std::set<std::string> names;
    for (const auto& file : std::filesystem::directory_iterator(folder)) names.insert(file.path().filename());
    return names;
  }
  static std::string BytesOf(const std::string& path) {
    std::ostringstream bytes;
    bytes << std::ifstream(path, std::ios::binary).rdbuf();
    return bytes.str();
  }

  // In a process of its own: what `work` returns, or minus the signal that ended it.
  static int InChild(const std::function<int()>& work) {
    const pid_t child = ::fork();
    if (child == 0) ::_exit(work());
    int state = 0;
    if (::waitpid(child, &state, 0) != child) return 127;
    return WIFSIGNALED(state) ? -WTERMSIG(state) : WEXITSTATUS(state);
  }

  // Keys k0, k1, ... with that value, 1,000 bytes long.
  static void Fill(Share& store, int entries, char letter) {
    std::vector<WriteOp> ops;
    for (int i = 0; i < entries; ++i) {
      ops.push_back(SetOp("k" + std::to_string(i), "\"" + std::string(1000, letter) + "\""));
    }
    const WriteReply reply = store.Write(std::move(ops), Durability::kNormal, true);
    EXPECT_TRUE(reply.status.ok()) << reply.status.message();
  }
  void MakeStore(const std::string& path, int entries, char letter) {
    Share store = Open(Options(path));
    Fill(store, entries, letter);
  }
  // A store of which a killed writer has left a part in the log alone.
  void MakeHotStore(const std::string& path) {
    MakeStore(path, 40, 'a');
    const int ended = InChild([&] {
      Share store = Open(Options(path));
      Fill(store, 80, 'b');
      return ::kill(::getpid(), SIGKILL);
    });
    ASSERT_EQ(ended, kKilled);
    ASSERT_GT(std::filesystem::file_size(path + "-wal"), 80'000U);
  }

  // The hash of all that a store holds, or what is wrong with it. Opens it, so that a log beside it is applied.
  std::string HashOf(const std::string& path) {
    auto opened = OpenStore(Options(path));
    if (!opened.ok()) return "cannot be opened: " + opened.status().message();
    Share store(std::move(opened.value()));
    auto verified = store.engine().Verify(true, {});
    if (!verified.ok()) return verified.status().message();
    if (verified.value().find("\"ok\":true") == std::string::npos) return verified.value();
    const auto copy = store.engine().Backup({Path("looked-at.db"), true, {}});
    std::filesystem::remove(Path("looked-at.db"));
    return copy.ok() ? copy.value().content_hash : copy.status().message();
  }
};

}  // namespace hypha::test
