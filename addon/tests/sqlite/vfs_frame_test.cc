// Log frames gathered for one write: what a killed process leaves behind must recover.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <string>

#include "sqlite/vfs_shim.h"
#include "vfs_test_util.h"

namespace hypha {
namespace {

// A transaction larger than the page cache, which writes pages to the log early, overwrites them there, and at its
// commit writes the headers of those frames again, alone.
constexpr char kSpillingTransaction[] =
    "BEGIN;"
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)"
    "  INSERT INTO t SELECT i, printf('%0500d', i) FROM n;"
    "UPDATE t SET b = printf('%0500d', a + 1);"
    "UPDATE t SET b = printf('%0500d', a + 2) WHERE a % 2 = 0;"
    "UPDATE t SET b = printf('%0500d', a + 3);"
    "COMMIT";

struct FrameCase {
  std::string vfs;
  const char* pragmas;
  const char* key = "";
};

// In a child of its own: commits, then dies at once.
void CommitAndDie(const std::string& path, const FrameCase& how) {
  TestDb db(path, how.vfs);
  const std::string pragmas = how.pragmas;
  const bool ok = db.Exec(how.key) == SQLITE_OK && db.Exec(pragmas) == SQLITE_OK &&
                  db.Query("PRAGMA journal_mode=WAL") == "wal" &&
                  db.Exec("PRAGMA wal_autocheckpoint=0; CREATE TABLE t(a INTEGER PRIMARY KEY, b)") == SQLITE_OK &&
                  db.Exec(kSpillingTransaction) == SQLITE_OK;
  if (!ok) ::_exit(1);
  ::kill(::getpid(), SIGKILL);
}

class VfsFrameTest : public testing::TestWithParam<FrameCase> {};

TEST_P(VfsFrameTest, ACommitThatRewroteFramesSurvivesSigkill) {
  ASSERT_EQ(RegisterFileVfs(), SQLITE_OK);
  TestDirectory directory;
  const std::string path = directory.File("a.db");
  const pid_t child = ::fork();
  if (child == 0) CommitAndDie(path, GetParam());
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << status;

  TestDb db(path, GetParam().vfs);
  ASSERT_EQ(db.Exec(GetParam().key), SQLITE_OK);
  EXPECT_EQ(db.Query("SELECT count(*), sum(b = printf('%0500d', a + 3)) FROM t"), "3000|3000");
  EXPECT_EQ(db.Query("PRAGMA integrity_check"), "ok");
}

constexpr char kSmallNormal[] = "PRAGMA cache_size=20; PRAGMA synchronous=NORMAL";
constexpr char kSmallFull[] = "PRAGMA cache_size=20; PRAGMA synchronous=FULL";
constexpr char kLargeNormal[] = "PRAGMA cache_size=-8000; PRAGMA synchronous=NORMAL";
constexpr char kLargePages[] = "PRAGMA page_size=65536; PRAGMA cache_size=5; PRAGMA synchronous=NORMAL";

const std::string kCipherVfs = std::string(kCipherPrefix) + kFileVfs;
constexpr char kKey[] = "PRAGMA key='a key'";

INSTANTIATE_TEST_SUITE_P(Levels, VfsFrameTest,
                         testing::Values(FrameCase{kFileVfs, kSmallNormal}, FrameCase{kFileVfs, kSmallFull},
                                         FrameCase{kFileVfs, kLargeNormal}, FrameCase{kFileVfs, kLargePages},
                                         FrameCase{kCipherVfs, kSmallNormal, kKey},
                                         FrameCase{kCipherVfs, kLargeNormal, kKey}));

}  // namespace
}  // namespace hypha
