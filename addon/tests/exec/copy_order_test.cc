// In which order a copy that replaces another file or bundle reaches the disk: a loss of power finds the old one or the
// new one, and never the new one beside the old one's log.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <new>
#include <set>
#include <string>
#include <vector>

#include "exec/store_fixture.h"
#include "hypha/bundle.h"
#include "support/call_trace.h"

namespace hypha {
namespace {

using test::CallTrace;
using test::SetOp;
using test::Share;
using test::TracedCall;
using What = test::TracedCall::What;
using Calls = std::vector<TracedCall>;

class CopyOrderTest : public test::StoreFixture {
 protected:
  // As the file system names it.
  std::string Folder() const { return std::filesystem::canonical(dir_.path()); }
  std::string Path(const std::string& name) const { return Folder() + "/" + name; }

  static void Fill(Share& store, char letter) {
    std::vector<WriteOp> ops;
    for (int i = 0; i < 50; ++i) ops.push_back(SetOp("k" + std::to_string(i), "\"" + std::string(300, letter) + "\""));
    ASSERT_TRUE(store.Write(std::move(ops)).status.ok());
  }
  void MakeStore(const std::string& path) {
    Share store = Open(Options(path));
    Fill(store, 's');
  }
  // As a killed process leaves it.
  void MakeStoreWithLog(const std::string& path) {
    const pid_t child = ::fork();
    if (child == 0) {
      Share store = Open(Options(path));
      Fill(store, 'o');
      ::kill(::getpid(), SIGKILL);
    }
    int state = 0;
    ASSERT_EQ(::waitpid(child, &state, 0), child);
    ASSERT_GT(std::filesystem::file_size(path + "-wal"), 10'000U);
  }

  using Wanted = std::function<bool(const TracedCall& call)>;
  static std::size_t First(const Calls& calls, const Wanted& wanted, std::size_t from = 0) {
    const auto start = calls.begin() + static_cast<std::ptrdiff_t>(std::min(from, calls.size()));
    return static_cast<std::size_t>(std::find_if(start, calls.end(), wanted) - calls.begin());
  }
  static std::size_t Last(const Calls& calls, const Wanted& wanted) {
    std::size_t last = calls.size();
    for (std::size_t i = 0; i < calls.size(); ++i) last = wanted(calls[i]) ? i : last;
    return last;
  }
  static Wanted SyncOf(const std::string& path) {
    return [path](const TracedCall& call) { return call.what == What::kSync && call.path == path; };
  }
  static Wanted RenameTo(const std::string& path) {
    return [path](const TracedCall& call) { return call.what == What::kRename && call.to == path; };
  }

  // `copy` has put a store in place of one with a log.
  void ExpectStoreReplacedInOrder(const Calls& calls, const std::string& target) {
    const auto rename = First(calls, RenameTo(target));
    ASSERT_LT(rename, calls.size());
    EXPECT_LT(First(calls, SyncOf(calls[rename].path)), rename) << "the copy is not on the disk before it has its name";
    const auto no_log = Last(calls, [&](const TracedCall& call) {
      return call.what == What::kUnlink && call.path.rfind(target + "-", 0) == 0;
    });
    ASSERT_LT(no_log, rename) << "there was a log";
    EXPECT_LT(First(calls, SyncOf(Folder()), no_log), rename) << "the old log may come back beside the new file";
    EXPECT_LT(First(calls, SyncOf(Folder()), rename), calls.size()) << "the new name may be lost";
  }
};

TEST_F(CopyOrderTest, ABackupOverAStoreWithALog) {
  MakeStore(Path("source.db"));
  ASSERT_NO_FATAL_FAILURE(MakeStoreWithLog(Path("target.db")));
  Share store = Open(Options(Path("source.db")));
  const CallTrace trace;
  const auto report = store.engine().Backup({Path("target.db"), true, {}});
  ASSERT_TRUE(report.ok()) << report.status().message();
  ExpectStoreReplacedInOrder(CallTrace::Calls(), Path("target.db"));
}

TEST_F(CopyOrderTest, ARestoreOverAStoreWithALog) {
  MakeStore(Path("source.db"));
  {
    Share store = Open(Options(Path("source.db")));
    ASSERT_TRUE(store.engine().Backup({Path("backup.db"), false, {}}).ok());
  }
  ASSERT_NO_FATAL_FAILURE(MakeStoreWithLog(Path("target.db")));
  const CallTrace trace;
  const auto report = RestoreStore(Path("backup.db"), Path("target.db"), {});
  ASSERT_TRUE(report.ok()) << report.status().message();
  ExpectStoreReplacedInOrder(CallTrace::Calls(), Path("target.db"));
}

class ExportOrderTest : public CopyOrderTest, public ::testing::WithParamInterface<BundleForm> {
 protected:
  std::string Target() const { return Path(GetParam() == BundleForm::kFile ? "bundle.jsonl" : "bundle"); }
  static Status Export(Share& store, const std::string& path) {
    ExportSpec spec;
    spec.path = path;
    spec.overwrite = true;
    spec.form = GetParam();
    spec.part_rows = 20;
    BundleSummary summary;
    return ExportBundle(store.engine(), spec, nullptr, &summary).status;
  }
  std::set<std::string> Names() const {
    std::set<std::string> names;
    for (const auto& file : std::filesystem::recursive_directory_iterator(Folder())) names.insert(file.path());
    return names;
  }
};
INSTANTIATE_TEST_SUITE_P(BothForms, ExportOrderTest, ::testing::Values(BundleForm::kDirectory, BundleForm::kFile));

TEST_P(ExportOrderTest, EverythingIsOnTheDiskBeforeItHasItsName) {
  Share store = Open(Memory());
  Fill(store, 'e');
  for (const bool replaces : {false, true}) {
    const CallTrace trace;
    ASSERT_TRUE(Export(store, Target()).ok());
    const Calls calls = CallTrace::Calls();
    const auto rename = First(calls, RenameTo(Target()));
    ASSERT_LT(rename, calls.size()) << replaces;
    const std::string temporary = calls[rename].path;
    EXPECT_LT(First(calls, SyncOf(Folder()), rename), calls.size()) << "the new name may be lost";
    EXPECT_LT(First(calls, SyncOf(temporary)), rename);
    if (GetParam() == BundleForm::kFile) continue;
    int parts = 0;
    for (const auto& file : std::filesystem::directory_iterator(Target())) {
      ++parts;
      const std::string name = temporary + "/" + file.path().filename().string();
      EXPECT_LT(First(calls, SyncOf(name)), First(calls, SyncOf(temporary))) << name << " or its name may be lost";
    }
    EXPECT_EQ(parts, 4);  // three of entries, and the manifest
  }
}

TEST_P(ExportOrderTest, WithoutMemoryItLeavesWhatWasThereAndNothingElse) {
  Hooks hooks;
  bool fails = false;
  hooks.reached = [&](const char* point) {
    if (fails && std::string(point) == "bundle-before-swap") throw std::bad_alloc();
  };
  auto opened = OpenStore(Memory(), hooks);
  ASSERT_TRUE(opened.ok());
  Share store(std::move(opened.value()));
  Fill(store, 'o');
  ASSERT_TRUE(Export(store, Target()).ok());
  const std::set<std::string> before = Names();
  fails = true;
  Fill(store, 'n');
  EXPECT_EQ(Export(store, Target()).code(), Code::kNoMem);
  EXPECT_EQ(Names(), before);
  EXPECT_TRUE(VerifyBundle(Target(), nullptr).problems.empty());
  fails = false;
  EXPECT_TRUE(Export(store, Target()).ok());
  EXPECT_EQ(Names(), before);
}

}  // namespace
}  // namespace hypha
