// A process that dies in the middle of a backup, a restore, an export or an import: what it leaves is the old or the
// new as a whole, and whoever tries again leaves nothing else.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstddef>
#include <cstring>
#include <fstream>
#include <functional>
#include <set>

#include "base/claim.h"
#include "exec/copies_fixture.h"
#include "hypha/bundle.h"
#include "schema/kernel_file.h"

namespace hypha {
namespace {

using test::kKilled;
using test::Share;

struct Death {
  const char* point;
  int time;         // dies when the point is reached for the time-th time
  bool leaves_new;  // the target
};

constexpr Death kDeathsOfACopy[] = {
    {"backup-step", 1, false},    {"backup-step", 2, false},     {"backup-copied", 1, false},
    {"backup-written", 1, false}, {"backup-verified", 1, false}, {"before-publish", 1, false},
    {"before-rename", 1, false},  {"after-publish", 1, true},
};

class KilledCopiesTest : public test::CopiesFixture {
 protected:
  static Hooks DyingAt(const Death& death) {
    Hooks hooks;
    hooks.reached = [death, passed = 0](const char* point) mutable {
      if (std::string_view(point) == death.point && ++passed == death.time) ::kill(::getpid(), SIGKILL);
    };
    return hooks;
  }

  // `copy` puts a store at `target`, where another one with a hot log is, and dies on its way.
  void TryEach(const std::string& new_hash, const std::function<bool()>& source_is_untouched,
               const std::function<Status(const std::string& target, const Hooks& hooks)>& copy) {
    ASSERT_NO_FATAL_FAILURE(MakeHotStore(Path("template.db")));
    const std::string target = Path("target.db");
    const auto lay = [&] {
      for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(target + suffix);
      for (const char* suffix : {"", "-wal"}) {
        std::filesystem::copy_file(Path("template.db") + suffix, target + suffix);
      }
    };
    lay();
    const std::string old_hash = HashOf(target);
    ASSERT_EQ(old_hash.size(), 16U) << old_hash;
    ASSERT_EQ(new_hash.size(), 16U) << new_hash;
    ASSERT_NE(old_hash, new_hash);
    for (const Death& death : kDeathsOfACopy) {
      SCOPED_TRACE(std::string(death.point) + ":" + std::to_string(death.time));
      lay();
      const std::set<std::string> whole = Names();
      ASSERT_EQ(InChild([&] { return copy(target, DyingAt(death)).ok() ? 0 : 1; }), kKilled);
      if (death.leaves_new) {
        for (const char* log : {"-wal", "-shm", "-journal"}) EXPECT_FALSE(std::filesystem::exists(target + log)) << log;
      }
      EXPECT_EQ(HashOf(target), death.leaves_new ? new_hash : old_hash);
      EXPECT_TRUE(source_is_untouched());
      // Again from where the death left it, and without a look in between.
      lay();
      ASSERT_EQ(InChild([&] { return copy(target, DyingAt(death)).ok() ? 0 : 1; }), kKilled);
      const Status again = copy(target, {});
      EXPECT_TRUE(again.ok()) << again.message();
      EXPECT_EQ(HashOf(target), new_hash);
      EXPECT_TRUE(source_is_untouched());
      std::set<std::string> left = Names();
      left.insert("target.db-wal");  // was there before
      EXPECT_EQ(left, whole);
    }
  }
};

TEST_F(KilledCopiesTest, ABackupOverAnotherStoreIsTheOldOrTheNew) {
  const std::string source = Path("source.db");
  MakeStore(source, 600, 'c');
  const std::string hash = HashOf(source);
  const auto untouched = [&] { return HashOf(source) == hash; };
  TryEach(hash, untouched, [&](const std::string& target, const Hooks& hooks) {
    auto opened = OpenStore(Options(source), hooks);
    if (!opened.ok()) return opened.status();
    Share store(std::move(opened.value()));
    return store.engine().Backup({target, true, {}}).status();
  });
}

TEST_F(KilledCopiesTest, ARestoreOverAStoreWithAHotLogIsTheOldOrTheNew) {
  const std::string source = Path("backup.db");
  MakeStore(dir_.File(), 600, 'c');
  std::string hash;
  {
    Share store = Open();
    hash = store.engine().Backup({source, false, {}}).value().content_hash;
  }
  const std::string bytes = BytesOf(source);
  const auto untouched = [&] { return BytesOf(source) == bytes; };
  TryEach(hash, untouched, [&](const std::string& target, const Hooks& hooks) {
    return RestoreStore(source, target, {}, hooks).status();
  });
}

TEST_F(KilledCopiesTest, WhatAMigrationKeepsOfTheOldFileIsWholeOrNotThere) {
  const std::string path = Path("old.db");
  const auto before = test::MakeKernelFile(path);
  for (const char* point : {"copy-created", "copy-written", "copy-checked", "copy-renamed"}) {
    SCOPED_TRACE(point);
    ASSERT_EQ(InChild([&] {
                return MigrateStore(Options(path), 2, DyingAt({point, 1, false})).ok() ? 0 : 1;
              }),
              kKilled);
  }
  EXPECT_TRUE(test::ReadKernelFile(path + ".v1") == before);
  ASSERT_TRUE(MigrateStore(Options(path), 2).ok());
  for (const auto& name : Names()) EXPECT_EQ(name.find(".tmp-"), std::string::npos) << name;
  EXPECT_TRUE(test::ReadKernelFile(path + ".v1.2") == before);
}

// ---- What the dead leave, and the living must keep

TEST_F(KilledCopiesTest, OnlyWhatNobodyClaimsIsRemoved) {
  const std::string target = Path("target.db");
  const std::string mine = TemporaryNameOf(target, 1);
  const std::string others = target + ".tmp-1-2";
  const std::string abandoned = target + ".tmp-1-3";
  for (const auto& name : {mine, others, abandoned}) std::ofstream(name) << "x";
  for (const char* name : {"target.db.tmp-1", "target.db.tmp-1-", "target.db.tmp-1-x", "target.db.tmp-1-2-3",
                           "other.db.tmp-1-2", "target.db.tmp--1"}) {
    std::ofstream(Path(name)) << "x";
  }
  std::filesystem::create_symlink(abandoned, target + ".tmp-1-4");
  Claim claim;
  ASSERT_TRUE(claim.Take(mine).ok());
  int ready[2];
  int done[2];
  ASSERT_EQ(::pipe(ready), 0);
  ASSERT_EQ(::pipe(done), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    Claim theirs;
    char byte = theirs.Take(others).ok() ? 'y' : 'n';
    static_cast<void>(::write(ready[1], &byte, 1));
    ::close(done[1]);
    static_cast<void>(::read(done[0], &byte, 1));
    ::_exit(0);
  }
  char byte = 0;
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  ASSERT_EQ(byte, 'y');
  // As SQLite does; closing any descriptor of that file in this process would give it up.
  const FileHandle locked(::open(mine.c_str(), O_RDWR | O_CLOEXEC));
  struct flock lock {};
  lock.l_type = F_WRLCK;
  ASSERT_EQ(::fcntl(locked.get(), F_SETLK, &lock), 0);
  std::vector<std::string> removed;
  const auto collect = [&](const std::string& name) { removed.push_back(name); };
  RemoveAbandoned(target, collect);
  EXPECT_EQ(removed, std::vector<std::string>{abandoned});
  EXPECT_EQ(Claim().Take(others).code(), Code::kExists) << "another process has it";
  EXPECT_EQ(InChild([&] {
              const FileHandle file(::open(mine.c_str(), O_RDWR | O_CLOEXEC));
              struct flock found {};
              found.l_type = F_WRLCK;
              return ::fcntl(file.get(), F_GETLK, &found) == 0 && found.l_type == F_WRLCK ? 0 : 1;
            }),
            0)
      << "the lock on a file of this process was given up";
  ::kill(child, SIGKILL);
  int state = 0;
  ::waitpid(child, &state, 0);
  claim.Release();
  removed.clear();
  RemoveAbandoned(target, collect);
  EXPECT_EQ(std::set(removed.begin(), removed.end()), (std::set{mine, others, abandoned}));
  for (const int end : {ready[0], ready[1], done[0], done[1]}) ::close(end);
}

// Whoever dies between two removals leaves the file, by whose name the next one finds the rest.
TEST_F(KilledCopiesTest, AnAbandonedFileGoesAfterItsLogs) {
  Share store = Open();
  Fill(store, 10, 'a');
  const std::string abandoned = Path("copy.db") + ".tmp-1-2";
  for (const char* suffix : {"", "-journal", "-wal", "-shm"}) std::ofstream(abandoned + suffix) << "x";
  const FileHandle events(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  ASSERT_GE(::inotify_add_watch(events.get(), std::filesystem::path(abandoned).parent_path().c_str(), IN_DELETE), 0);
  ASSERT_TRUE(store.engine().Backup({Path("copy.db"), false, {}}).ok());
  alignas(inotify_event) char buffer[16'384];
  const ssize_t size = ::read(events.get(), buffer, sizeof buffer);
  std::vector<std::string> removed;
  for (ssize_t at = 0; at < size;) {
    const auto* event = reinterpret_cast<const inotify_event*>(buffer + at);
    const std::string_view name(event->name);
    if (name.rfind("copy.db.tmp-1-2", 0) == 0) removed.emplace_back(name.substr(std::strlen("copy.db.tmp-1-2")));
    at += static_cast<ssize_t>(sizeof(inotify_event) + event->len);
  }
  EXPECT_EQ(removed, (std::vector<std::string>{"-journal", "-wal", "-shm", ""}));
}

TEST_F(KilledCopiesTest, ABackupToTheSameTargetLeavesTheOneUnderWayAlone) {
  Share store = Open();
  Fill(store, 1500, 'a');
  Share other = Open(Options(Path("other.db")));
  Fill(other, 10, 'b');
  CopyControl control;
  int inner = 0;
  control.progress = [&](std::int64_t, std::int64_t) {
    if (inner++ > 0) return;
    EXPECT_TRUE(other.engine().Backup({Path("copy.db"), true, {}}).ok());
  };
  const auto report = store.engine().Backup({Path("copy.db"), true, control});
  ASSERT_TRUE(report.ok()) << report.status().message();
  EXPECT_GT(inner, 0);
  EXPECT_EQ(report.value().entries, 1500);
  EXPECT_EQ(HashOf(Path("copy.db")), report.value().content_hash);
}

// ---- Bundles

class KilledBundlesTest : public KilledCopiesTest {
 protected:
  // This process's file systems can exchange no two names from now on.
  static bool ForbidExchange() {
    constexpr unsigned kExchange = 2;
    sock_filter program[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_renameat2, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, args[4])),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kExchange, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EINVAL),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const sock_fprog filter{static_cast<unsigned short>(std::size(program)), program};
    return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
  }
  static Status Export(Share& store, const std::string& path, BundleForm form) {
    ExportSpec spec;
    spec.path = path;
    spec.overwrite = true;
    spec.form = form;
    spec.part_rows = 3;
    BundleSummary summary;
    return ExportBundle(store.engine(), spec, nullptr, &summary).status;
  }
  static std::int64_t EntriesOf(const std::string& path) {
    const BundleReport report = VerifyBundle(path, nullptr);
    EXPECT_TRUE(report.opened.status.ok()) << report.opened.status.message();
    EXPECT_TRUE(report.problems.empty());
    return report.summary.entries;
  }
  Status ExportNew(const std::string& path, BundleForm form, const Hooks& hooks) {
    auto opened = OpenStore(Memory(), hooks);
    if (!opened.ok()) return opened.status();
    Share store(std::move(opened.value()));
    Fill(store, 10, 'n');
    return Export(store, path, form);
  }
};

TEST_F(KilledBundlesTest, AnExportThatDiedLeavesTheOldOrTheNewAndTheNextOneNothingElse) {
  const auto dies = [&](const std::string& path, BundleForm form, const Death& death, bool exchange) {
    SCOPED_TRACE(std::string(death.point) + (form == BundleForm::kFile ? " of a file" : " of a directory"));
    {
      Share store = Open(Memory());
      Fill(store, 2, 'o');
      ASSERT_TRUE(Export(store, path, form).ok());
    }
    const std::set<std::string> whole = Names();
    ASSERT_EQ(InChild([&] {
                if (!exchange && !ForbidExchange()) return 2;
                return ExportNew(path, form, DyingAt(death)).ok() ? 0 : 1;
              }),
              kKilled);
    EXPECT_EQ(EntriesOf(path), death.leaves_new ? 10 : 2);
    const Status again = ExportNew(path, form, {});
    EXPECT_TRUE(again.ok()) << again.message();
    EXPECT_EQ(EntriesOf(path), 10);
    EXPECT_EQ(Names(), whole);
  };
  for (const BundleForm form : {BundleForm::kDirectory, BundleForm::kFile}) {
    const std::string path = Path(form == BundleForm::kFile ? "bundle.jsonl" : "bundle");
    dies(path, form, {"bundle-before-swap", 1, false}, true);
    dies(path, form, {"bundle-after-swap", 1, true}, true);
  }
  dies(Path("bundle"), BundleForm::kDirectory, {"bundle-between-names", 1, false}, false);
}

TEST_F(KilledBundlesTest, AnImportThatDiedIsThereAsAWholeOrNotAtAll) {
  const std::string bundle = Path("bundle");
  {
    Share store = Open(Memory());
    Fill(store, 50, 'n');
    ASSERT_TRUE(Export(store, bundle, BundleForm::kDirectory).ok());
  }
  const auto import = [&](const Hooks& hooks) {
    auto opened = OpenStore(Options(dir_.File()), hooks);
    if (!opened.ok()) return opened.status();
    Share store(std::move(opened.value()));
    ImportSpec spec;
    spec.path = bundle;
    spec.on_conflict = OnConflict::kUpdate;
    ImportSummary summary;
    return ImportBundle(store.engine(), *QueueImport(store.engine(), this), spec, nullptr, &summary).status;
  };
  // How many of the 50 have the letter.
  const auto with = [&](char letter) {
    Share store = Open();
    const std::string value = "\"" + std::string(1000, letter) + "\"";
    int found = 0;
    for (int i = 0; i < 50; ++i) found += store.Get("k" + std::to_string(i)) == value ? 1 : 0;
    return found;
  };
  for (const Death death : {Death{"import-read-through", 1, false}, Death{"import-before-commit", 1, false},
                            Death{"before-commit", 1, false}, Death{"after-commit", 1, true}}) {
    SCOPED_TRACE(death.point);
    {
      Share store = Open();
      WriteOp clear;
      clear.kind = WriteKind::kClear;
      clear.ns = "default";
      ASSERT_TRUE(store.Write({clear}).status.ok());
      Fill(store, 20, 'o');
    }
    const std::set<std::string> whole = Names();
    ASSERT_EQ(InChild([&] { return import(DyingAt(death)).ok() ? 0 : 1; }), kKilled);
    EXPECT_EQ(with('o'), death.leaves_new ? 0 : 20);
    EXPECT_EQ(with('n'), death.leaves_new ? 50 : 0);
    EXPECT_TRUE(import({}).ok());
    EXPECT_EQ(with('n'), 50);
    EXPECT_EQ(HashOf(dir_.File()).size(), 16U);
    EXPECT_EQ(Names(), whole);
    EXPECT_EQ(EntriesOf(bundle), 50);
  }
}

}  // namespace
}  // namespace hypha
