// Backup and restore through the public interface.
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <optional>
#include <thread>

#include "exec/store_fixture.h"
#include "ops/disk_pace.h"
#include "sqlite/vfs_shim.h"
#include "sqlite/vfs_test_util.h"

namespace hypha {
namespace {

using test::ChildProcess;
using test::SetOp;
using test::Share;

class BackupTest : public test::StoreFixture {
 protected:
  std::string Path(const std::string& name) const { return dir_.File(name); }

  static Result<BackupReport> Backup(Share& store, const std::string& path, bool replace = false,
                                     CopyControl control = {}) {
    return store.engine().Backup({path, replace, std::move(control)});
  }
  static Code BackupCode(Share& store, const std::string& path, bool replace = false) {
    return Backup(store, path, replace).status().code();
  }
  // The names in the folder, sorted.
  std::vector<std::string> Names() const {
    std::vector<std::string> names;
    for (const auto& file : std::filesystem::directory_iterator(dir_.path())) names.push_back(file.path().filename());
    std::sort(names.begin(), names.end());
    return names;
  }
  static std::int64_t Count(Share& store) {
    return std::get<std::int64_t>(store.Read(CountSpec{"default", {}}).value());
  }
  static void Fill(Share& store, int entries, const std::string& value = "\"some text\"") {
    for (int from = 0; from < entries; from += 500) {
      std::vector<WriteOp> ops;
      for (int i = from; i < std::min(from + 500, entries); ++i) ops.push_back(SetOp("k" + std::to_string(i), value));
      ASSERT_TRUE(store.Write(std::move(ops)).status.ok());
    }
  }
};

TEST_F(BackupTest, HoldsWhatTheStoreHeld) {
  Share store = Open();
  Fill(store, 2000);
  ASSERT_TRUE(store.Set("only", "{\"a\":1}", "users").ok());
  std::int64_t told = -1;
  CopyControl control;
  control.progress = [&](std::int64_t done, std::int64_t total) {
    EXPECT_GE(done, told);
    EXPECT_LE(done, total);
    told = done;
  };
  const auto report = Backup(store, Path("copy.db"), false, control);
  ASSERT_TRUE(report.ok()) << report.status().message();
  EXPECT_EQ(report.value().entries, 2001);
  EXPECT_EQ(report.value().namespaces, 2);
  EXPECT_EQ(report.value().content_hash.size(), 16U);
  EXPECT_EQ(report.value().bytes, static_cast<std::int64_t>(std::filesystem::file_size(Path("copy.db"))));
  EXPECT_EQ(told * 4096, report.value().bytes) << "the last report is of the whole";
  struct stat info {};
  ASSERT_EQ(::stat(Path("copy.db").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600U);
  ASSERT_TRUE(store.Set("k0", "2").ok());
  Share copy = Open(Options(Path("copy.db")));
  EXPECT_EQ(Count(copy), 2000);
  EXPECT_EQ(copy.Get("k0"), "\"some text\"");
  EXPECT_EQ(copy.Get("only", "users"), "{\"a\":1}");
}

TEST_F(BackupTest, TheHashIsThatOfTheContent) {
  Share store = Open();
  Fill(store, 100);
  const auto first = Backup(store, Path("1.db"));
  const auto second = Backup(store, Path("2.db"));
  ASSERT_TRUE(store.Set("k5", "0").ok());
  const auto third = Backup(store, Path("3.db"));
  EXPECT_EQ(first.value().content_hash, second.value().content_hash);
  EXPECT_NE(first.value().content_hash, third.value().content_hash);
}

// Each write sets the next key and the counter together: any single state is a prefix.
TEST_F(BackupTest, UnderFullWriteLoadItIsOneStateAndItEnds) {
  Share store = Open();
  Fill(store, 5000, "\"" + std::string(1000, 'x') + "\"");
  std::atomic<bool> stop{false};
  std::atomic<int> acknowledged{0};
  std::thread writer([&] {
    for (int i = 1; !stop.load(); ++i) {
      std::vector<WriteOp> ops{SetOp("n" + std::to_string(i), std::to_string(i), "load"),
                               SetOp("last", std::to_string(i), "load"),
                               SetOp("k" + std::to_string(i % 5000), "\"" + std::string(1000, 'y') + "\"")};
      ASSERT_TRUE(store.Write(std::move(ops), Durability::kNormal, true).status.ok());
      acknowledged.store(i);
    }
  });
  while (acknowledged.load() < 100) std::this_thread::yield();
  for (int round = 0; round < 5; ++round) {
    const int before = acknowledged.load();
    const auto report = Backup(store, Path("copy" + std::to_string(round) + ".db"));
    const int after = acknowledged.load();
    ASSERT_TRUE(report.ok()) << report.status().message();
    Share copy = Open(Options(Path("copy" + std::to_string(round) + ".db")));
    const int last = std::stoi(copy.Get("last", "load"));
    EXPECT_GE(last, before);
    EXPECT_LE(last, after + 1);
    EXPECT_EQ(std::get<std::int64_t>(copy.Read(CountSpec{"load", {}}).value()), last + 1);
    for (const int i : {1, last / 2, last}) EXPECT_EQ(copy.Get("n" + std::to_string(i), "load"), std::to_string(i));
  }
  stop.store(true);
  writer.join();
}

// A commit lands before each piece of the copy: how large are the pieces?
class BackupPaceTest : public BackupTest {
 protected:
  static constexpr std::int64_t kEntries = 4000;  // of a KiB
  struct Copied {
    std::int64_t pages = 0;
    int pieces = 0;
  };

  void SetUp() override {
    {
      Share store = Open();
      Fill(store, kEntries, "\"" + std::string(1000, 'x') + "\"");
    }
    hooks_.reached = [this](const char* point) {
      if (std::string_view(point) != "backup-step") return;
      ++copied_.pieces;
      if (commit_) commit_();
    };
    OpenOptions options = Options(dir_.File());
    options.durability = Durability::kFull;
    auto opened = OpenStore(options, hooks_);
    ASSERT_TRUE(opened.ok()) << opened.status().message();
    store_.emplace(std::move(opened.value()));
  }
  Copied CopyWhile(std::function<void()> commit) {
    commit_ = std::move(commit);
    copied_ = {};
    CopyControl control;
    control.progress = [&](std::int64_t, std::int64_t total) { copied_.pages = total; };
    const auto report = Backup(*store_, Path("copy.db"), true, control);
    EXPECT_TRUE(report.ok()) << report.status().message();
    EXPECT_GT(copied_.pages, 1000);
    return copied_;
  }
  std::function<void()> SetAt(Durability durability) {
    return [this, durability] { ASSERT_TRUE(store_->Write({SetOp("new", "1")}, durability).status.ok()); };
  }

  Hooks hooks_;
  Copied copied_;
  std::function<void()> commit_;
  std::optional<Share> store_;
};

TEST_F(BackupPaceTest, InSmallPiecesWhereCommitsAreSynced) {
  const Copied copied = CopyWhile(SetAt(Durability::kFull));
  EXPECT_GE(copied.pieces, copied.pages / DiskPace::kFewPages - 8) << "small ones, once the first commit was seen";
}

TEST_F(BackupPaceTest, ATransactionIsSeenAsWell) {
  const Copied copied = CopyWhile([this] {
    test::Answer<Result<TransactionId>> begun;
    store_->engine().Begin(nullptr, 30'000, begun);
    const TransactionId id = begun.Get().value();
    test::Answer<WriteReply> written;
    store_->engine().WriteIn(id, {{SetOp("new", "1")}, false, Durability::kFull}, written);
    ASSERT_TRUE(written.Get().status.ok());
    test::Answer<Status> ended;
    store_->engine().End(id, true, ended);
    ASSERT_TRUE(ended.Get().ok());
  });
  EXPECT_GE(copied.pieces, copied.pages / DiskPace::kFewPages - 8);
}

TEST_F(BackupPaceTest, InLargePiecesWhereNobodySyncs) {
  const auto largest = [](const Copied& copied) { return copied.pages / DiskPace::kManyPages + 1; };
  const Copied alone = CopyWhile({});
  EXPECT_LE(alone.pieces, largest(alone));
  const Copied beside = CopyWhile(SetAt(Durability::kNormal));
  EXPECT_LE(beside.pieces, largest(beside));
}

TEST_F(BackupTest, CancelledItLeavesNothing) {
  Share store = Open();
  Fill(store, 3000, "\"" + std::string(500, 'x') + "\"");
  CopyControl control;
  control.cancelled = std::make_shared<std::atomic<bool>>(false);
  control.progress = [&](std::int64_t, std::int64_t) { control.cancelled->store(true); };
  const auto before = Names();
  EXPECT_EQ(Backup(store, Path("copy.db"), false, control).status().code(), Code::kAborted);
  EXPECT_EQ(Names(), before);
  control.cancelled->store(true);
  EXPECT_EQ(Backup(store, Path("copy.db"), false, control).status().code(), Code::kAborted);
  EXPECT_EQ(Names(), before);
}

TEST_F(BackupTest, BadTargetsAreRefusedAndLeftAlone) {
  Share store = Open();
  ASSERT_TRUE(store.Set("k").ok());
  std::filesystem::create_directory(Path("folder"));
  std::ofstream(Path("there.db")) << "precious";
  std::filesystem::create_symlink(Path("there.db"), Path("link.db"));
  std::filesystem::create_hard_link(Path("there.db"), Path("second.db"));
  std::ofstream(Path("plain.db")) << "precious too";
  ASSERT_EQ(::mkfifo(Path("fifo").c_str(), 0600), 0);
  const auto before = Names();
  EXPECT_EQ(BackupCode(store, ""), Code::kInvalidArgument);
  EXPECT_EQ(BackupCode(store, Path("missing/copy.db")), Code::kCantOpen);
  EXPECT_EQ(BackupCode(store, "/proc/copy.db"), Code::kCantOpen) << "a folder in which no file can be made";
  EXPECT_EQ(BackupCode(store, Path("folder"), true), Code::kCantOpen);
  EXPECT_EQ(BackupCode(store, Path("folder") + "/"), Code::kCantOpen);
  EXPECT_EQ(BackupCode(store, Path("plain.db")), Code::kExists);
  EXPECT_EQ(BackupCode(store, Path("link.db"), true), Code::kCantOpen);
  EXPECT_EQ(BackupCode(store, Path("second.db"), true), Code::kCantOpen);
  EXPECT_EQ(BackupCode(store, Path("fifo"), true), Code::kCantOpen);
  EXPECT_EQ(BackupCode(store, dir_.File()), Code::kInvalidArgument);
  EXPECT_EQ(BackupCode(store, dir_.File(), true), Code::kInvalidArgument);
  EXPECT_EQ(Names(), before);
  EXPECT_EQ(store.Get("k"), "1");
  std::string text;
  std::getline(std::ifstream(Path("plain.db")), text);
  EXPECT_EQ(text, "precious too");
  EXPECT_TRUE(Backup(store, Path("plain.db"), true).ok());
}

TEST_F(BackupTest, ATargetThatIsOpenIsBusy) {
  Share store = Open();
  Share other = Open(Options(Path("other.db")));
  ASSERT_TRUE(other.Set("k", "\"other\"").ok());
  EXPECT_EQ(BackupCode(store, Path("other.db"), true), Code::kBusy);
  EXPECT_EQ(other.Get("k"), "\"other\"");
}

TEST_F(BackupTest, ADamagedEntryIsNamedAndNotBackedUp) {
  {
    Share store = Open();
    ASSERT_TRUE(store.Set("k", "\"a value to damage\"").ok());
  }
  {
    std::fstream file(dir_.File(), std::ios::in | std::ios::out | std::ios::binary);
    std::string image((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    file.clear();
    file.seekp(static_cast<std::streamoff>(image.find("a value to damage")));
    file.put('b');
  }
  Share store = Open();
  const auto before = Names();
  const auto report = Backup(store, Path("copy.db"));
  EXPECT_EQ(report.status().code(), Code::kCorrupt);
  EXPECT_NE(report.status().message().find("\"k\""), std::string::npos) << report.status().message();
  EXPECT_EQ(Names(), before);
}

TEST_F(BackupTest, OfMemoryAndOfAReadOnlyStore) {
  {
    Share memory = Open(Memory());
    ASSERT_TRUE(memory.Set("k", "7").ok());
    ASSERT_TRUE(Backup(memory, Path("memory.db")).ok());
  }
  OpenOptions options = Options(Path("memory.db"));
  options.read_only = true;
  Share store = Open(options);
  ASSERT_TRUE(Backup(store, Path("again.db")).ok());
  Share again = Open(Options(Path("again.db")));
  EXPECT_EQ(again.Get("k"), "7");
}

// ---- Restore

TEST_F(BackupTest, RestoreGivesTheContentOfTheBackup) {
  BackupReport made;
  {
    Share store = Open();
    Fill(store, 300);
    made = Backup(store, Path("copy.db")).value();
    ASSERT_TRUE(store.Set("k0", "\"later\"").ok());
  }
  const auto restored = RestoreStore(Path("copy.db"), dir_.File(), {});
  ASSERT_TRUE(restored.ok()) << restored.status().message();
  EXPECT_EQ(restored.value().content_hash, made.content_hash);
  EXPECT_EQ(Names(), (std::vector<std::string>{"a.db", "copy.db"}));
  {
    Share store = Open();
    EXPECT_EQ(store.Get("k0"), "\"some text\"");
    EXPECT_EQ(Count(store), 300);
  }
  EXPECT_TRUE(RestoreStore(Path("copy.db"), Path("elsewhere.db"), {}).ok()) << "to a new name as well";
}

TEST_F(BackupTest, RestoreIsRefusedWhileTheTargetIsOpen) {
  Share store = Open();
  ASSERT_TRUE(store.Set("k").ok());
  ASSERT_TRUE(Backup(store, Path("copy.db")).ok());
  EXPECT_EQ(RestoreStore(Path("copy.db"), dir_.File(), {}).status().code(), Code::kBusy);
  EXPECT_EQ(store.Get("k"), "1");
}

// The copy's manifest is written over: a trigger in the file would run, in the worst case without end.
TEST_F(BackupTest, RestoreRefusesAnEditedSchemaBeforeItWrites) {
  {
    Share store = Open();
    Fill(store, 10);
    ASSERT_TRUE(Backup(store, Path("copy.db")).ok());
  }
  {
    TestDb db(Path("copy.db"), kFileVfs, SQLITE_OPEN_READWRITE);
    ASSERT_EQ(
        db.Exec("CREATE TRIGGER endless AFTER DELETE ON hypha_meta BEGIN INSERT INTO hypha_meta(name, value) WITH "
                "RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT 'x' || max(i), 1 FROM n; END"),
        SQLITE_OK);
  }
  EXPECT_EQ(RestoreStore(Path("copy.db"), Path("elsewhere.db"), {}).status().code(), Code::kSchemaChanged);
  EXPECT_EQ(Names(), (std::vector<std::string>{"a.db", "copy.db"}));
}

TEST_F(BackupTest, RestoreRefusesWhatIsNoWholeBackup) {
  {
    Share store = Open();
    Fill(store, 10);
    ASSERT_TRUE(Backup(store, Path("copy.db")).ok());
  }
  std::ofstream(Path("text.db")) << "this is no database, whatever its name may say about it";
  EXPECT_EQ(RestoreStore(Path("absent.db"), dir_.File(), {}).status().code(), Code::kCantOpen);
  EXPECT_EQ(RestoreStore(Path("text.db"), dir_.File(), {}).status().code(), Code::kNotADatabase);
  EXPECT_EQ(RestoreStore(dir_.File(), dir_.File(), {}).status().code(), Code::kInvalidArgument);
  {
    auto db = test::Open([&] {
      auto options = test::FileOptions(Path("copy.db"));
      options.create = false;
      return options;
    }());
    ASSERT_TRUE(db->Exec("DELETE FROM hypha_entries WHERE key = 'k3'").ok());
  }
  const auto changed = RestoreStore(Path("copy.db"), dir_.File(), {});
  EXPECT_EQ(changed.status().code(), Code::kCorrupt);
  EXPECT_NE(changed.status().message().find("manifest"), std::string::npos);
  Share store = Open();
  EXPECT_EQ(Count(store), 10) << "the target is as it was";
}

// What has been opened as a store since is no backup any more, and may differ from the manifest.
TEST_F(BackupTest, ABackupThatWasOpenedAndWrittenMayBeRestored) {
  {
    Share store = Open();
    Fill(store, 10);
    ASSERT_TRUE(Backup(store, Path("copy.db")).ok());
  }
  {
    Share copy = Open(Options(Path("copy.db")));
    ASSERT_TRUE(copy.Set("more").ok());
  }
  const auto restored = RestoreStore(Path("copy.db"), dir_.File(), {});
  ASSERT_TRUE(restored.ok()) << restored.status().message();
  EXPECT_EQ(restored.value().entries, 11);
}

TEST_F(BackupTest, TheLogOfAKilledWriterNeverMeetsTheRestoredFile) {
  {
    Share store = Open();
    ASSERT_TRUE(store.Set("k", "\"backed up\"").ok());
    ASSERT_TRUE(Backup(store, Path("copy.db")).ok());
  }
  ChildProcess child("write-forever", dir_.File());
  ASSERT_EQ(child.Line(), "0");
  EXPECT_EQ(RestoreStore(Path("copy.db"), dir_.File(), {}).status().code(), Code::kBusy)
      << "another process has it open";
  {
    Share store = Open();
    EXPECT_EQ(BackupCode(store, Path("elsewhere.db")), Code::kOk);
  }
  child.Kill();
  child.Wait();
  ASSERT_TRUE(std::filesystem::exists(dir_.File() + "-wal"));
  ASSERT_TRUE(RestoreStore(Path("copy.db"), dir_.File(), {}).ok());
  EXPECT_FALSE(std::filesystem::exists(dir_.File() + "-wal"));
  EXPECT_FALSE(std::filesystem::exists(dir_.File() + "-shm"));
  Share store = Open();
  EXPECT_EQ(store.Get("k"), "\"backed up\"");
  EXPECT_EQ(store.Get("k0-0"), "absent");
}

// A file system of one MiB, where this process may make one.
class FullDiskTest : public BackupTest {
 protected:
  void SetUp() override {
    std::filesystem::create_directory(Path("small"));
    mounted_ = ::mount("tmpfs", Path("small").c_str(), "tmpfs", 0, "size=1m") == 0;
    if (!mounted_) GTEST_SKIP() << "only root may mount";
  }
  void TearDown() override {
    if (!mounted_) return;
    EXPECT_EQ(::umount(Path("small").c_str()), 0);
  }
  bool mounted_ = false;
};

TEST_F(FullDiskTest, MidwayLeavesNothing) {
  Share store = Open();
  Fill(store, 3000, "\"" + std::string(1000, 'x') + "\"");
  const auto report = Backup(store, Path("small/copy.db"));
  EXPECT_EQ(report.status().code(), Code::kFull) << report.status().message();
  EXPECT_TRUE(std::filesystem::is_empty(Path("small")));
  EXPECT_EQ(Count(store), 3000);
  ASSERT_TRUE(Backup(store, Path("copy.db")).ok());
  {
    Share small = Open(Options(Path("small/kept.db")));
    ASSERT_TRUE(small.Set("k", "\"kept\"").ok());
  }
  EXPECT_EQ(RestoreStore(Path("copy.db"), Path("small/kept.db"), {}).status().code(), Code::kFull);
  Share small = Open(Options(Path("small/kept.db")));
  EXPECT_EQ(small.Get("k"), "\"kept\"") << "the target is as it was";
}

}  // namespace
}  // namespace hypha
