#include "store_handle.h"

#include <pthread.h>

#include <atomic>
#include <future>
#include <utility>

#include "convert.h"
#include "copies.h"
#include "guard.h"
#include "promise.h"
#include "read_arguments.h"
#include "settle.h"

namespace hypha::binding {
namespace {

bool MakesIndex(const WriteRequest& request) {
  return request.ops.size() == 1 && request.ops[0].kind == WriteKind::kCreateIndex;
}

std::atomic<bool> g_forked{false};

// Registered once: the flag is all that a child of fork() may rely on.
void WatchForks() {
  static const int registered = pthread_atfork(nullptr, nullptr, [] { g_forked.store(true); });
  static_cast<void>(registered);
}

}  // namespace

template <Napi::Value (StoreHandle::*method)(const Napi::CallbackInfo&)>
Napi::Value StoreHandle::Guard(const Napi::CallbackInfo& info) {
  return Guarded(info.Env(), [&] { return (this->*method)(info); });
}

Napi::Function StoreHandle::Define(Napi::Env env) {
  WatchForks();
  return DefineClass(env, "NativeStore",
                     {InstanceMethod<&StoreHandle::Guard<&StoreHandle::Get>>("get"),
                      InstanceMethod<&StoreHandle::Guard<&StoreHandle::GetEntry>>("getEntry"),
                      InstanceMethod<&StoreHandle::Guard<&StoreHandle::Has>>("has"),
                      InstanceMethod<&StoreHandle::Guard<&StoreHandle::GetMetadata>>("getMetadata"),
                      InstanceMethod<&StoreHandle::Guard<&StoreHandle::GetMany>>("getMany"),
                      InstanceMethod<&StoreHandle::Guard<&StoreHandle::EndTurn>>("endTurn"),
                      InstanceMethod<&StoreHandle::Guard<&StoreHandle::Write>>("write"),
                      InstanceMethod<&StoreHandle::Guard<&StoreHandle::WriteSets>>("writeSets"),
                      InstanceMethod<&StoreHandle::Guard<&StoreHandle::Read>>("read"),
                      InstanceMethod<&StoreHandle::Guard<&StoreHandle::Cancel>>("cancel"),
                      InstanceMethod<&StoreHandle::Guard<&StoreHandle::ReadSync>>("readSync"),
                      InstanceMethod<&StoreHandle::Guard<&StoreHandle::EntryInline>>("entryInline"),
                      InstanceMethod<&StoreHandle::Guard<&StoreHandle::Begin>>("begin"),
                      InstanceMethod<&StoreHandle::Guard<&StoreHandle::BeginSnapshot>>("beginSnapshot"),
                      InstanceMethod<&StoreHandle::Guard<&StoreHandle::End>>("end"),
                      InstanceMethod<&StoreHandle::Guard<&StoreHandle::Backup>>("backup"),
                      InstanceMethod<&StoreHandle::Guard<&StoreHandle::Verify>>("verify"),
                      InstanceMethod<&StoreHandle::Guard<&StoreHandle::EnterLine>>("enterLine"),
                      InstanceMethod<&StoreHandle::Guard<&StoreHandle::LeaveLine>>("leaveLine"),
                      InstanceMethod<&StoreHandle::Guard<&StoreHandle::Flush>>("flush"),
                      InstanceMethod<&StoreHandle::Guard<&StoreHandle::Recovery>>("recovery"),
                      InstanceMethod<&StoreHandle::Guard<&StoreHandle::Stats>>("stats"),
                      InstanceMethod<&StoreHandle::Guard<&StoreHandle::Ping>>("ping"),
                      InstanceMethod<&StoreHandle::Guard<&StoreHandle::Maintain>>("maintain"),
                      InstanceMethod<&StoreHandle::Guard<&StoreHandle::Abandon>>("abandon"),
                      InstanceMethod<&StoreHandle::Guard<&StoreHandle::ExportBundle>>("exportBundle"),
                      InstanceMethod<&StoreHandle::Guard<&StoreHandle::ImportBundle>>("importBundle"),
                      InstanceMethod<&StoreHandle::Guard<&StoreHandle::Close>>("close")});
}

Napi::Object StoreHandle::New(Napi::Env env, OpenedStore* opened) {
  const auto state = EnvState::Of(env);
  return state->store_constructor().New({Napi::External<OpenedStore>::New(env, opened)});
}

StoreHandle::StoreHandle(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<StoreHandle>(info), state_(EnvState::Of(info.Env())) {
  if (!info[0].IsExternal()) {
    Napi::TypeError::New(info.Env(), "hyphadb: a store is made by open()").ThrowAsJavaScriptException();
    return;
  }
  auto* opened = info[0].As<Napi::External<OpenedStore>>().Data();
  // A failure leaves the store with open(), which rejects; Node-API takes no exception from a constructor.
  const Status added = Caught([&] {
    state_->Add(this);
    return Status::Ok();
  });
  if (!added.ok()) return;
  engine_ = std::move(opened->engine);
  reader_ = std::move(opened->reader);
}

// A store that was never closed: its engine is stopped on a thread of its own, since a finalizer may not wait.
StoreHandle::~StoreHandle() {
  state_->Remove(this);
  if (engine_ == nullptr) return;
  engine_->Abandon(this);
  reader_.reset();
  const Status started = Caught([&] {
    state_->RunBlocking([engine = engine_] { static_cast<void>(CloseStore(engine)); },
                        MakeCompletion([](Napi::Env) {}));
    return Status::Ok();
  });
  if (!started.ok()) static_cast<void>(CloseStore(engine_));
}

void StoreHandle::EndSnapshot() {
  if (reader_ != nullptr) reader_->EndSnapshot();
}

void StoreHandle::AbandonNow() {
  if (engine_ != nullptr) engine_->Abandon(this);
}

void StoreHandle::CloseNow() {
  if (engine_ == nullptr) return;
  engine_->Abandon(this);
  reader_.reset();
  static_cast<void>(CloseStore(engine_));
  engine_.reset();
  state_->Remove(this);
}

bool StoreHandle::Usable(Napi::Env env) {
  if (engine_ != nullptr && !g_forked.load(std::memory_order_relaxed)) return true;
  const Status status(engine_ == nullptr ? Code::kClosed : Code::kForked);
  napi_throw(env, ErrorRecord(env, status));
  return false;
}

InlineReader* StoreHandle::reader(Napi::Env env) { return Usable(env) ? reader_.get() : nullptr; }

std::optional<Napi::Value> StoreHandle::NotFound(Napi::Env env, InlineReader::Answer answer) {
  switch (answer) {
    case InlineReader::Answer::kFound: return std::nullopt;
    case InlineReader::Answer::kAbsent: return env.Undefined();
    case InlineReader::Answer::kYield: return Napi::Number::New(env, kYield);
    case InlineReader::Answer::kElsewhere: break;
  }
  return Napi::Number::New(env, kElsewhere);
}

// ---- Reads on the calling thread

Napi::Value StoreHandle::Get(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  InlineReader* reader = this->reader(env);
  if (reader == nullptr) return Napi::Number::New(env, kElsewhere);
  Reader arguments(env);
  std::string ns;
  std::string key;
  if (!arguments.Namespace(info[0], &ns) || !arguments.Text(info[1], &key)) return {};
  std::string_view value;
  const auto other = NotFound(env, reader->Get(ns, key, &value));
  return other ? *other : Napi::Value(env, ToJs(env, value));
}

Napi::Value StoreHandle::GetEntry(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  InlineReader* reader = this->reader(env);
  if (reader == nullptr) return Napi::Number::New(env, kElsewhere);
  Reader arguments(env);
  std::string ns;
  std::string key;
  if (!arguments.Text(info[0], &ns) || !arguments.Text(info[1], &key)) return {};
  Entry entry;
  const auto other = NotFound(env, reader->GetEntry(ns, key, &entry));
  return other ? *other : EntryToJs(env, entry);
}

Napi::Value StoreHandle::Has(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  InlineReader* reader = this->reader(env);
  if (reader == nullptr) return Napi::Number::New(env, kElsewhere);
  Reader arguments(env);
  std::string ns;
  std::string key;
  if (!arguments.Namespace(info[0], &ns) || !arguments.Text(info[1], &key)) return {};
  const auto other = NotFound(env, reader->Has(ns, key));
  return other ? *other : Napi::Boolean::New(env, true);
}

Napi::Value StoreHandle::GetMetadata(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  InlineReader* reader = this->reader(env);
  if (reader == nullptr) return Napi::Number::New(env, kElsewhere);
  Reader arguments(env);
  std::string ns;
  std::string key;
  if (!arguments.Text(info[0], &ns) || !arguments.Text(info[1], &key)) return {};
  std::string metadata;
  const auto other = NotFound(env, reader->GetMetadata(ns, key, &metadata));
  return other ? *other : Napi::Value(env, ToJs(env, metadata));
}

Napi::Value StoreHandle::GetMany(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  InlineReader* reader = this->reader(env);
  if (reader == nullptr) return Napi::Number::New(env, kElsewhere);
  Reader arguments(env);
  GetManySpec spec;
  if (!arguments.Text(info[0], &spec.ns) || !arguments.Texts(info[1], &spec.keys)) return {};
  ManyReply reply;
  const auto other = NotFound(env, reader->GetMany(spec, &reply));
  return other ? *other : ManyToJs(env, std::move(reply));
}

Napi::Value StoreHandle::EndTurn(const Napi::CallbackInfo& info) {
  if (reader_ != nullptr) reader_->EndTurn();
  state_->Account();
  return info.Env().Undefined();
}

// ---- Everything else

// write(target, flat operations, durability, atomic, inline)
Napi::Value StoreHandle::Write(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (!Usable(env)) return {};
  Reader arguments(env);
  WriteRequest request;
  CallTarget target;
  std::int64_t durability = 0;
  if (!CallTargetOf(info, arguments, &target) || !arguments.Ops(info[1], &request.ops)) return {};
  bool may_run_inline = false;
  if (!arguments.Integer(info[2], &durability) || !arguments.Boolean(info[3], &request.atomic) ||
      !arguments.Boolean(info[4], &may_run_inline)) {
    return {};
  }
  request.durability = static_cast<Durability>(durability);
  return Send(env, target, std::move(request), may_run_inline);
}

// writeSets(target, kind and flags, namespace, count, joined keys, joined values, durability, atomic, inline)
Napi::Value StoreHandle::WriteSets(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (!Usable(env)) return {};
  Reader arguments(env);
  WriteRequest request;
  CallTarget target;
  std::int64_t kind = 0;
  std::int64_t count = 0;
  std::int64_t durability = 0;
  std::string ns;
  bool may_run_inline = false;
  if (!CallTargetOf(info, arguments, &target) || !arguments.Integer(info[1], &kind) || !arguments.Text(info[2], &ns) ||
      !arguments.Integer(info[3], &count) ||
      !arguments.Sets(static_cast<unsigned>(kind), static_cast<std::uint32_t>(count), info[4], info[5], &request.ops) ||
      !arguments.Integer(info[6], &durability) || !arguments.Boolean(info[7], &request.atomic) ||
      !arguments.Boolean(info[8], &may_run_inline)) {
    return {};
  }
  for (auto& op : request.ops) op.ns = ns;
  request.durability = static_cast<Durability>(durability);
  return Send(env, target, std::move(request), may_run_inline);
}

bool StoreHandle::TrySendInline(TransactionId transaction, WriteRequest& request, WriteReply* reply) {
  if (transaction != 0) return engine_->TryWriteInInline(transaction, request, reply);
  if (!engine_->TryWriteInline(request, reply)) return false;
  state_->EndSnapshots();
  return true;
}

Napi::Value StoreHandle::Send(Napi::Env env, const CallTarget& target, WriteRequest request, bool may_run_inline) {
  const auto transaction = static_cast<TransactionId>(target.transaction);
  const Durability asked = request.durability;
  WriteReply reply;
  if (may_run_inline && TrySendInline(transaction, request, &reply)) {
    return reply.status.ok() ? ReplyValue(env, reply, asked) : Rejected(env, reply.status);
  }
  request.control.timeout_ms = target.timeout_ms;
  if (target.token != 0) {
    request.control.cancelled = state_->NewCancellation(target.token);
    if (MakesIndex(request)) request.control.progress = state_->NewProgress(target.token);
  }
  auto pending = std::make_shared<Pending>(env, state_);
  OrReject(env, *pending, [&] {
    auto done =
        Deliver<WriteReply>(pending, [token = target.token, asked](Napi::Env e, Pending& p, const WriteReply& r) {
          p.state().ForgetCancellation(token);
          p.state().ForgetProgress(token);
          SettleWrite(e, p, r, asked);
        });
    if (transaction == 0) {
      engine_->Write(std::move(request), std::move(done));
    } else {
      engine_->WriteIn(transaction, std::move(request), std::move(done));
    }
  });
  return pending->promise();
}

CallControl StoreHandle::ControlOf(const CallTarget& target) {
  CallControl control{target.timeout_ms};
  if (target.token != 0) control.cancelled = state_->NewCancellation(target.token);
  return control;
}

void StoreHandle::Start(const CallTarget& target, ReadRequest request, Engine::ReadDone done) {
  ReadControl control = ControlOf(target);
  if (target.transaction == 0) {
    engine_->Read(std::move(request), std::move(control), std::move(done));
  } else {
    engine_->ReadIn(static_cast<TransactionId>(target.transaction), std::move(request), std::move(control),
                    std::move(done));
  }
}

// read(target, kind, ...arguments of the kind)
Napi::Value StoreHandle::Read(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (!Usable(env)) return {};
  Reader arguments(env);
  CallTarget target;
  ReadRequest request;
  if (!CallTargetOf(info, arguments, &target) || !ReadArguments(info, arguments, &request)) return {};
  auto pending = std::make_shared<Pending>(env, state_);
  OrReject(env, *pending, [&] {
    Start(target, std::move(request),
          Deliver<Result<ReadReply>>(pending, [token = target.token](Napi::Env e, Pending& p, Result<ReadReply> reply) {
            p.state().ForgetCancellation(token);
            SettleRead(e, p, std::move(reply));
          }));
  });
  return pending->promise();
}

// readSync(target, kind, ...arguments of the kind): the answer of read(), waited for on this thread. The engine's
// threads answer without it.
Napi::Value StoreHandle::ReadSync(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (!Usable(env)) return {};
  Reader arguments(env);
  CallTarget target;
  ReadRequest request;
  if (!CallTargetOf(info, arguments, &target) || !ReadArguments(info, arguments, &request)) return {};
  auto answer = std::make_shared<std::promise<Result<ReadReply>>>();
  auto future = answer->get_future();
  Start(target, std::move(request), [answer](Result<ReadReply> reply) { answer->set_value(std::move(reply)); });
  auto reply = future.get();
  if (!reply.ok()) {
    napi_throw(env, ErrorRecord(env, reply.status()));
    return {};
  }
  return ReplyToJs(env, std::move(reply.value()));
}

// cancel(token): what was called with that token and has not begun, or is a read, ends soon, with kAborted.
Napi::Value StoreHandle::Cancel(const Napi::CallbackInfo& info) {
  Reader arguments(info.Env());
  std::int64_t token = 0;
  if (!arguments.Integer(info[0], &token)) return {};
  state_->Cancel(token);
  if (engine_ != nullptr) engine_->Wake();
  return info.Env().Undefined();
}

Napi::Value StoreHandle::Backup(const Napi::CallbackInfo& info) {
  if (!Usable(info.Env())) return {};
  return binding::Backup(info, state_, engine_);
}

Napi::Value StoreHandle::Verify(const Napi::CallbackInfo& info) {
  if (!Usable(info.Env())) return {};
  return binding::Verify(info, state_, engine_);
}

// abandon(): rolls back this store's transactions, those that wait included; their users hear kClosed.
Napi::Value StoreHandle::Abandon(const Napi::CallbackInfo& info) {
  if (!Usable(info.Env())) return {};
  engine_->Abandon(this);
  return info.Env().Undefined();
}

Napi::Value StoreHandle::Close(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (!Usable(env)) return {};
  engine_->Abandon(this);
  reader_.reset();
  auto pending = std::make_shared<Pending>(env, state_);
  OrReject(env, *pending, [&] {
    struct Closed {
      Status status{Code::kNoMem};
      CloseReport report;
    };
    auto closed = std::make_shared<Closed>();
    auto after = MakeSettling(pending, [closed](Napi::Env e, Pending& p) {
      if (!closed->status.ok()) return p.Reject(e, closed->status);
      p.Resolve(CloseReportToJs(e, closed->report));
    });
    state_->RunBlocking([engine = engine_, closed] { closed->status = CloseStore(engine, &closed->report); },
                        std::move(after));
    // Only now: a close() for which there was no thread may be called again.
    state_->Remove(this);
    engine_.reset();
  });
  return pending->promise();
}

}  // namespace hypha::binding
