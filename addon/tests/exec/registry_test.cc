#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <thread>

#include "exec/store_fixture.h"
#include "schema/kernel_file.h"

namespace hypha {
namespace {

using test::Share;
using RegistryTest = test::StoreFixture;

std::string Bytes(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

TEST_F(RegistryTest, OneFileIsOneEngineWhateverItsName) {
  Share one = Open();
  std::filesystem::create_directory(dir_.File("sub"));
  std::filesystem::create_directory_symlink(dir_.path(), dir_.File("again"));
  for (const char* name : {"a.db", "sub/../a.db", "./a.db", "again/a.db", "sub/..//a.db"}) {
    Share other = Open(Options(dir_.File(name)));
    EXPECT_EQ(&other.engine(), &one.engine()) << name;
  }
  EXPECT_TRUE(one.Set("k").ok());
}

TEST_F(RegistryTest, OtherEngineOptionsConflict) {
  Share one = Open();
  OpenOptions options = Options(dir_.File());
  options.durability = Durability::kFull;
  EXPECT_EQ(CodeOf(options), Code::kOptionsConflict);
  options = Options(dir_.File());
  options.read_only = true;
  EXPECT_EQ(CodeOf(options), Code::kOptionsConflict);
  options = Options(dir_.File());
  options.limits.queue_bytes = 5;
  EXPECT_EQ(CodeOf(options), Code::kOptionsConflict);
  options = Options(dir_.File());
  options.create = false;  // says how to open, not how the engine is
  EXPECT_EQ(CodeOf(options), Code::kOk);
}

TEST_F(RegistryTest, TheLastShareClosesTheFile) {
  Share one = Open();
  Share two = Open();
  EXPECT_TRUE(one.Set("k").ok());
  EXPECT_TRUE(one.Close().ok());
  EXPECT_TRUE(dir_.Has("a.db-wal"));
  EXPECT_EQ(two.Get("k"), "1");
  EXPECT_TRUE(two.Close().ok());
  EXPECT_FALSE(dir_.Has("a.db-wal"));
  EXPECT_FALSE(dir_.Has("a.db-shm"));
  EXPECT_EQ(Open().Get("k"), "1");
}

TEST_F(RegistryTest, MemoryStoresAreSeparate) {
  Share one = Open(Memory());
  Share two = Open(Memory());
  EXPECT_NE(&one.engine(), &two.engine());
  EXPECT_TRUE(one.Set("k").ok());
  EXPECT_EQ(two.Get("k"), "absent");
  EXPECT_EQ(one.Inline("k"), "1");
  EXPECT_TRUE(one.Close().ok());
  EXPECT_TRUE(two.Close().ok());
  EXPECT_EQ(CountMemoryFiles(), 0);
}

TEST_F(RegistryTest, OddNamesAreJustNames) {
  for (const char* name : {"a?mode=ro", "b#c", "100%25.db", "quote'\".db", "\xe6\x95\xb0\xe6\x8d\xae.db", "file:x.db",
                           " ", ":memory:", "-x"}) {
    const std::string path = dir_.File(name);
    {
      Share share = Open(Options(path));
      EXPECT_TRUE(share.Set("k").ok()) << name;
    }
    EXPECT_TRUE(dir_.Has(name)) << name;
    EXPECT_EQ(Open(Options(path)).Get("k"), "1") << name;
  }
}

TEST_F(RegistryTest, RefusesWhatMustNotBeOpened) {
  { Open(); }
  std::filesystem::create_symlink(dir_.File(), dir_.File("link.db"));
  std::filesystem::create_symlink(dir_.File("nowhere"), dir_.File("dangling.db"));
  std::filesystem::create_directory(dir_.File("folder"));
  ASSERT_EQ(::mkfifo(dir_.File("fifo").c_str(), 0600), 0);
  for (const char* name : {"link.db", "dangling.db", "folder", "folder/", "fifo", ".", "a.db/x.db"}) {
    EXPECT_EQ(CodeOf(Options(dir_.File(name))), Code::kCantOpen) << name;
  }
  EXPECT_EQ(CodeOf(Options("")), Code::kInvalidArgument);
  EXPECT_EQ(CodeOf(Options(dir_.File(std::string("a\0b", 3)))), Code::kInvalidArgument);
  EXPECT_FALSE(dir_.Has("nowhere"));
  ASSERT_EQ(::link(dir_.File().c_str(), dir_.File("hard.db").c_str()), 0);
  EXPECT_EQ(CodeOf(Options(dir_.File("hard.db"))), Code::kCantOpen);
  EXPECT_EQ(CodeOf(Options(dir_.File())), Code::kCantOpen);
}

TEST_F(RegistryTest, CreateSaysWhetherAFileMayBeMade) {
  OpenOptions options = Options(dir_.File("x/y/z.db"));
  options.create = false;
  EXPECT_EQ(CodeOf(options), Code::kCantOpen);
  EXPECT_FALSE(dir_.Has("x"));
  options.create = true;
  EXPECT_EQ(CodeOf(options), Code::kOk);
  struct stat info {};
  ASSERT_EQ(::stat(dir_.File("x/y").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0700U);
  options.path = dir_.File("missing.db");
  options.read_only = true;
  EXPECT_EQ(CodeOf(options), Code::kCantOpen);
}

TEST_F(RegistryTest, FoldersOfARelativePathAreMade) {
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(dir_.path());
  EXPECT_EQ(CodeOf(Options("a/b/c.db")), Code::kOk);
  EXPECT_EQ(CodeOf(Options("plain.db")), Code::kOk);
  std::filesystem::current_path(before);
  EXPECT_TRUE(dir_.Has("a/b/c.db"));
  EXPECT_TRUE(dir_.Has("plain.db"));
}

TEST_F(RegistryTest, ForeignFilesAreRefusedByteForByteUnchanged) {
  ASSERT_EQ(RegisterFileVfs(), SQLITE_OK);
  TestDb(dir_.File("foreign.db"), kFileVfs).Exec("CREATE TABLE t(a); PRAGMA application_id = 99");
  TestDb(dir_.File("newer.db"), kFileVfs)
      .Exec("CREATE TABLE schema_version(version, applied_at); INSERT INTO schema_version VALUES(9, 1)");
  std::ofstream(dir_.File("text.db")) << std::string(4096, 't');
  const std::pair<const char*, Code> files[] = {
      {"foreign.db", Code::kNotADatabase}, {"newer.db", Code::kSchemaTooNew}, {"text.db", Code::kNotADatabase}};
  for (const auto& [name, code] : files) {
    const std::string before = Bytes(dir_.File(name));
    EXPECT_EQ(CodeOf(Options(dir_.File(name))), code) << name;
    EXPECT_EQ(Bytes(dir_.File(name)), before) << name;
  }
}

TEST_F(RegistryTest, AnOldFileIsNotMigratedAgainstTheUsersWish) {
  const test::KernelContent before = test::MakeKernelFile(dir_.File());
  const std::string bytes = Bytes(dir_.File());
  OpenOptions options = Options(dir_.File());
  options.migrate = false;
  EXPECT_EQ(CodeOf(options), Code::kSchemaOutdated);
  options.read_only = true;
  EXPECT_EQ(CodeOf(options), Code::kSchemaOutdated);
  EXPECT_EQ(Bytes(dir_.File()), bytes);
  options = Options(dir_.File());
  { EXPECT_EQ(Open(options).Get("key3"), "{\"i\":3}"); }
  EXPECT_TRUE(test::ReadKernelFile(dir_.File("a.db.v1")) == before);
  options.migrate = false;
  EXPECT_EQ(CodeOf(options), Code::kOk);
  EXPECT_EQ(MigrateStore(Options(dir_.File()), 1).code(), Code::kOk);
  EXPECT_TRUE(test::ReadKernelFile(dir_.File()) == before);
}

TEST_F(RegistryTest, AFreshFileNeedsNoPermissionToMigrate) {
  OpenOptions options = Options(dir_.File());
  options.migrate = false;
  EXPECT_EQ(CodeOf(options), Code::kOk);
}

TEST_F(RegistryTest, MigrateStoreRefusesWhatIsOpenOrMissing) {
  EXPECT_EQ(MigrateStore(Options(dir_.File()), 1).code(), Code::kCantOpen);
  Share share = Open();
  EXPECT_EQ(MigrateStore(Options(dir_.File()), 1).code(), Code::kBusy);
  EXPECT_TRUE(share.Close().ok());
  EXPECT_EQ(MigrateStore(Options(dir_.File()), 0).code(), Code::kInvalidArgument);
  EXPECT_EQ(MigrateStore(Options(dir_.File()), 3).code(), Code::kInvalidArgument);
  EXPECT_TRUE(MigrateStore(Options(dir_.File()), 1).ok());
}

TEST_F(RegistryTest, ReadOnlyReadsAndRefusesToWrite) {
  {
    Share share = Open();
    EXPECT_TRUE(share.Set("k").ok());
  }
  OpenOptions options = Options(dir_.File());
  options.read_only = true;
  Share share = Open(options);
  EXPECT_EQ(share.Get("k"), "1");
  EXPECT_EQ(share.Set("k", "2").code(), Code::kReadOnly);
  test::Answer<Result<TransactionId>> begun;
  share.engine().Begin(nullptr, 1000, begun);
  EXPECT_EQ(begun.Get().status().code(), Code::kReadOnly);
}

TEST_F(RegistryTest, ThreadsThatOpenAndCloseAtOnceGetCorrectStores) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 15; ++i) {
        Share share = Open();
        const std::string key = std::to_string(t) + "-" + std::to_string(i);
        EXPECT_TRUE(share.Set(key).ok());
        EXPECT_EQ(share.Get(key), "1");
      }
    });
  }
  for (auto& thread : threads) thread.join();
  Share share = Open();
  const auto reply = share.Read(CountSpec{"default", {}});
  EXPECT_EQ(std::get<std::int64_t>(reply.value()), 60);
}

}  // namespace
}  // namespace hypha
