// What fails for want of memory fails with kNoMem; the process, its threads and its transactions go on.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

#include "exec/reader_pool.h"
#include "exec/store_fixture.h"
#include "exec/writer_fixture.h"
#include "hypha/caught.h"
#include "support/sanitizers.h"

namespace hypha {
namespace {

using test::Answer;
using test::SetOp;

TEST(Caught, TurnsExceptionsIntoCodes) {
  EXPECT_EQ(Caught([]() -> Status { throw std::bad_alloc(); }).code(), Code::kNoMem);
  EXPECT_EQ(Caught([]() -> Status { throw std::system_error(EAGAIN, std::generic_category()); }).code(), Code::kNoMem);
  EXPECT_EQ(Caught([]() -> Result<int> { throw std::runtime_error("x"); }).status().code(), Code::kInternal);
  EXPECT_EQ(Caught([]() -> Result<int> { return 1; }).value(), 1);
}

class OutOfMemoryTest : public test::WriterFixture {
 protected:
  // The next time that the writer passes `point`, there is no memory.
  void FailAt(const std::string& point, int after = 0) {
    auto left = std::make_shared<int>(after);
    WhenReached([point, left](const char* reached) {
      if (point == reached && (*left)-- == 0) throw std::bad_alloc();
    });
    Start({1000, 1 << 20, 5000});
  }
};

TEST_F(OutOfMemoryTest, OneRequestFailsAlone) {
  FailAt("before-operation", 1);
  auto first = Write({SetOp("a"), SetOp("b")});
  EXPECT_EQ(first.Get().status.code(), Code::kNoMem);
  EXPECT_EQ(Stored("a"), "absent");
  EXPECT_TRUE(Write({SetOp("c")}).Get().status.ok());
  EXPECT_EQ(Stored("c"), "1");
}

TEST_F(OutOfMemoryTest, BeforeBeginAndCommitNothingIsWritten) {
  for (const char* point : {"before-begin", "after-begin", "before-commit"}) {
    FailAt(point);
    EXPECT_EQ(Write({SetOp("a")}).Get().status.code(), Code::kNoMem) << point;
    EXPECT_EQ(Stored("a"), "absent") << point;
    EXPECT_TRUE(Write({SetOp("b")}).Get().status.ok()) << point;
  }
}

TEST_F(OutOfMemoryTest, AnInlineWriteFailsAndTheWriterIsFreeAgain) {
  EXPECT_TRUE(Write({SetOp("x")}).Get().status.ok());
  FailAt("before-operation", 1);
  EXPECT_TRUE(Write({SetOp("y")}).Get().status.ok());
  WriteRequest request = Request({SetOp("a")});
  WriteReply reply;
  // The writer may still be putting itself to rest.
  while (!writer_->TryRunInline(request, &reply)) ::usleep(1000);
  EXPECT_EQ(reply.status.code(), Code::kNoMem);
  EXPECT_TRUE(Write({SetOp("b")}).Get().status.ok());
  EXPECT_EQ(Stored("a"), "absent");
}

TEST_F(OutOfMemoryTest, ATransactionThatRanOutIsRolledBack) {
  FailAt("before-operation", 1);
  const TransactionId id = Begin().Get().value();
  EXPECT_TRUE(WriteIn(id, SetOp("a")).Get().status.ok());
  EXPECT_EQ(WriteIn(id, SetOp("b")).Get().status.code(), Code::kNoMem);
  EXPECT_EQ(End(id, true).Get().code(), Code::kTransactionInvalid);
  EXPECT_EQ(Stored("a"), "absent");
  EXPECT_TRUE(Write({SetOp("c")}).Get().status.ok());
}

TEST_F(OutOfMemoryTest, AReadThatThrowsFailsAndItsThreadReadsOn) {
  std::vector<std::unique_ptr<ReadSession>> sessions;
  sessions.push_back(std::make_unique<ReadSession>(test::Open(test::MemoryOptions(name_, Role::kReader))));
  ReaderPool pool(std::move(sessions), 1000);
  Answer<Status> failed;
  pool.Run([](ReadContext&) { throw std::bad_alloc(); }, failed);
  EXPECT_EQ(failed.Get().code(), Code::kNoMem);
  Answer<Status> good;
  pool.Run([good](ReadContext& context) { good(context.entries().Has("default", "a").status()); }, good);
  EXPECT_TRUE(good.Get().ok());
  EXPECT_EQ(failed.count(), 1);
}

// Opens stores in a process that may not grow, until that fails; whatever failed, the rest is closed in order.
int OpenUntilItFails(const std::string& folder) {
  struct rlimit limit {};
  limit.rlim_cur = limit.rlim_max = 1500UL << 20;
  if (::setrlimit(RLIMIT_AS, &limit) != 0) return 2;
  std::vector<OpenedStore> stores;
  int failures = 0;
  for (int i = 0; i < 60 && failures < 4; ++i) {
    OpenOptions options;
    options.path = folder + "/" + std::to_string(i) + ".db";
    options.readers = 16;
    auto opened = OpenStore(options);
    if (opened.ok()) {
      stores.push_back(std::move(opened.value()));
    } else if (opened.status().code() == Code::kNoMem) {
      ++failures;
    } else {
      return 100 + static_cast<int>(opened.status().code());
    }
  }
  for (auto& store : stores) {
    store.reader.reset();
    if (!CloseStore(store.engine).ok()) return 4;
  }
  return failures > 0 ? 0 : 5;
}

TEST(OutOfThreads, OpeningFailsWithACodeAndWhatIsOpenCanBeClosed) {
#ifdef HYPHA_UNDER_SANITIZER
  GTEST_SKIP() << "a sanitizer's shadow does not fit under a limit";
#endif
  const test::TempDir dir;
  const pid_t child = ::fork();
  if (child == 0) {
    ::alarm(60);
    ::_exit(OpenUntilItFails(dir.path()));
  }
  int state = 0;
  ASSERT_EQ(::waitpid(child, &state, 0), child);
  EXPECT_TRUE(WIFEXITED(state)) << "signal " << WTERMSIG(state);
  EXPECT_EQ(WEXITSTATUS(state), 0);
}

}  // namespace
}  // namespace hypha
