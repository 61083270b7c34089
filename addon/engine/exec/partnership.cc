#include "exec/partnership.h"

#include <memory>
#include <new>

namespace hypha {
namespace {

// Where the two threads meet. The partner takes its snapshot, then waits to hear whether it is the right one.
class Meeting {
 public:
  enum class State : std::uint8_t { kStarting, kReady, kGo, kOff, kDone };

  void Set(State state) {
    MutexLock lock(mutex_);
    state_ = state;
    changed_.NotifyAll();
  }
  State WaitWhile(State a, State b) {
    MutexLock lock(mutex_);
    while (state_ == a || state_ == b) changed_.Wait(mutex_);
    return state_;
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  State state_ GUARDED_BY(mutex_) = State::kStarting;
};
using State = Meeting::State;

}  // namespace

bool Partnership::Together(const std::function<void()>& mine, const std::function<void(Connection&)>& theirs) {
  if (!session_.SnapshotIsNewest()) return false;
  auto meeting = std::make_shared<Meeting>();
  const SteadyTime deadline = session_.db().deadline();
  const std::atomic<bool>* cancelled = session_.db().cancelled();
  struct Timed {
    ~Timed() { db.ClearDeadline(); }
    Connection& db;
  };
  ReaderPool::Job job;
  // `theirs` lives on this thread's stack: it is called only between kGo and kDone, while this thread waits.
  job.run = [meeting, deadline, cancelled, &theirs](ReadSession& partner) {
    Status status = partner.InSnapshot(SteadyTime{}, [&](ReadContext& context) {
      meeting->Set(State::kReady);
      if (meeting->WaitWhile(State::kReady, State::kReady) != State::kGo) return;
      context.db().SetDeadline(deadline, cancelled);
      const Timed timed{context.db()};
      theirs(context.db());
    });
    meeting->Set(status.ok() ? State::kDone : State::kOff);
  };
  job.failed = [meeting](const Status&) { meeting->Set(State::kOff); };
  if (!pool_.RunIfIdle(std::move(job))) return false;
  if (meeting->WaitWhile(State::kStarting, State::kStarting) != State::kReady) return false;
  if (!session_.SnapshotIsNewest()) {
    meeting->Set(State::kOff);
    return false;
  }
  meeting->Set(State::kGo);
  // Also when mine() throws: the partner works on this thread's stack.
  struct Partner {
    ~Partner() { meeting.WaitWhile(State::kGo, State::kReady); }
    Meeting& meeting;
  };
  {
    const Partner partner{*meeting};
    mine();
  }
  // After kGo only an exception of the partner's ends in kOff.
  if (meeting->WaitWhile(State::kGo, State::kReady) != State::kDone) throw std::bad_alloc();
  return true;
}

}  // namespace hypha
