// A file that is replaced while another process opens it, and a store whose file was replaced under it.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "exec/copies_fixture.h"
#include "hypha/bundle.h"

namespace hypha {
namespace {

using test::Share;

class ReplacedFileTest : public test::CopiesFixture {
 protected:
  // A process that waits for a sign, opens the store, writes to it and closes it: 0 when it found `key` in it and all
  // went well, 1 when it did not find it, else what went wrong.
  int OpenerOf(const std::string& path, const std::string& key) {
    OpenOptions options = Options(path);
    options.busy_timeout_ms = 20'000;
    char sign = 0;
    if (::read(sign_[0], &sign, 1) != 1) return 9;
    auto opened = OpenStore(options);
    if (!opened.ok()) return 2;
    Share share(std::move(opened.value()));
    const bool found = share.Get(key) != "absent";
    if (!share.Set("late", "\"kept\"").ok()) return 3;
    if (!share.Close().ok()) return 4;
    return found ? 0 : 1;
  }

  // Runs `replace` with hooks that let an opener loose before the rename, and returns what became of it. The opener
  // has some time to come in, and none of the outcomes rests on whether it does.
  int WithOpener(const std::string& path, const std::string& key,
                 const std::function<Status(const Hooks& hooks)>& replace) {
    EXPECT_EQ(::pipe(sign_), 0);
    const pid_t opener = ::fork();
    if (opener == 0) ::_exit(OpenerOf(path, key));
    Hooks hooks;
    hooks.reached = [&](const char* point) {
      if (std::string_view(point) != "before-rename") return;
      EXPECT_EQ(::write(sign_[1], "x", 1), 1);
      std::this_thread::sleep_for(std::chrono::milliseconds(300));
    };
    const Status replaced = replace(hooks);
    EXPECT_TRUE(replaced.ok()) << replaced.message();
    for (const int end : sign_) ::close(end);
    int state = 0;
    EXPECT_EQ(::waitpid(opener, &state, 0), opener);
    return WIFSIGNALED(state) ? -WTERMSIG(state) : WEXITSTATUS(state);
  }

  void ExpectWhole(const std::string& path, const std::string& key) {
    Share share = Open(Options(path));
    EXPECT_EQ(share.Get("late"), "\"kept\"");
    EXPECT_NE(share.Get(key), "absent");
    const auto verified = share.engine().Verify(true, {});
    ASSERT_TRUE(verified.ok());
    EXPECT_NE(verified.value().find(R"("ok":true)"), std::string::npos) << verified.value();
  }

  int sign_[2] = {-1, -1};
};

TEST_F(ReplacedFileTest, WhoOpensTheTargetOfARestoreWaitsAndFindsTheNewFile) {
  MakeStore(Path("new.db"), 400, 'n');
  MakeStore(Path("target.db"), 20, 'o');
  const int outcome = WithOpener(Path("target.db"), "k399", [&](const Hooks& hooks) {
    return RestoreStore(Path("new.db"), Path("target.db"), {}, hooks).status();
  });
  EXPECT_EQ(outcome, 0);
  ExpectWhole(Path("target.db"), "k399");
}

TEST_F(ReplacedFileTest, WhoOpensTheTargetOfABackupWaitsAndFindsTheNewFile) {
  MakeStore(Path("target.db"), 20, 'o');
  MakeStore(Path("new.db"), 400, 'n');
  const int outcome = WithOpener(Path("target.db"), "k399", [&](const Hooks& hooks) -> Status {
    auto opened = OpenStore(Options(Path("new.db")), hooks);
    if (!opened.ok()) return opened.status();
    Share store(std::move(opened.value()));
    return store.engine().Backup({Path("target.db"), true, {}}).status();
  });
  EXPECT_EQ(outcome, 0);
  ExpectWhole(Path("target.db"), "k399");
}

// It was not there when the way was cleared: nobody could hold it.
TEST_F(ReplacedFileTest, ATargetThatComesIntoBeingMeanwhileIsReplacedAsAnyOther) {
  MakeStore(Path("new.db"), 400, 'n');
  MakeHotStore(Path("template.db"));
  bool made = false;
  Hooks hooks;
  hooks.reached = [&](const char* point) {
    if (std::string_view(point) != "before-rename" || std::exchange(made, true)) return;
    for (const char* suffix : {"", "-wal"}) {
      std::filesystem::copy_file(Path("template.db") + suffix, Path("target.db") + suffix);
    }
  };
  const auto report = RestoreStore(Path("new.db"), Path("target.db"), {}, hooks);
  ASSERT_TRUE(report.ok()) << report.status().message();
  EXPECT_TRUE(made);
  EXPECT_FALSE(std::filesystem::exists(Path("target.db-wal")));
  Share share = Open(Options(Path("target.db")));
  EXPECT_EQ(share.Get("k399"), "\"" + std::string(1000, 'n') + "\"");
}

// What has the name now is another store: its data must not come out of this one.
TEST_F(ReplacedFileTest, AStoreWhoseFileWasReplacedOpensNothingByThatName) {
  MakeStore(Path("other.db"), 3, 'x');
  Share share = Open(Options(Path("mine.db")));
  ASSERT_TRUE(share.Set("k0", "\"mine\"").ok());
  ASSERT_TRUE(share.Checkpoint());
  std::filesystem::rename(Path("other.db"), Path("mine.db"));
  test::Answer<Result<TransactionId>> begun;
  share.engine().BeginSnapshot(nullptr, 0, begun);
  EXPECT_EQ(begun.Get().status().code(), Code::kWalMoved);
  EXPECT_EQ(share.engine().Verify(true, {}).status().code(), Code::kWalMoved);
  EXPECT_EQ(share.engine().Backup({Path("copy.db"), false, {}}).status().code(), Code::kWalMoved);
  ExportSpec spec;
  spec.path = Path("bundle");
  BundleSummary summary;
  EXPECT_EQ(ExportBundle(share.engine(), spec, nullptr, &summary).status.code(), Code::kWalMoved);
  EXPECT_FALSE(std::filesystem::exists(Path("copy.db")));
  EXPECT_FALSE(std::filesystem::exists(Path("bundle")));
  const Status closed = share.Close();
  EXPECT_TRUE(closed.ok() || closed.code() == Code::kWalMoved) << closed.message();
}

}  // namespace
}  // namespace hypha
