#include "store_handle.h"

#include <pthread.h>

#include <atomic>
#include <utility>

#include "convert.h"
#include "copies.h"
#include "guard.h"
#include "promise.h"
#include "read_arguments.h"

namespace hypha::binding {
namespace {

std::atomic<bool> g_forked{false};

// Registered once: the flag is all that a child of fork() may rely on.
void WatchForks() {
  static const int registered = pthread_atfork(nullptr, nullptr, [] { g_forked.store(true); });
  static_cast<void>(registered);
}

Napi::Value Rejected(Napi::Env env, const Status& status) {
  napi_deferred deferred = nullptr;
  napi_value promise = nullptr;
  if (napi_create_promise(env, &deferred, &promise) != napi_ok) return {};  // the environment is being terminated
  napi_reject_deferred(env, deferred, ErrorRecord(env, status));
  return {env, promise};
}

// A failed request as a rejection, outcomes as a number for one operation and as arrays for more.
Napi::Value ReplyValue(Napi::Env env, const WriteReply& reply) {
  if (reply.outcomes.size() == 1 && reply.outcomes[0].status.ok()) {
    return Napi::Number::New(env, NumberOf(reply.outcomes[0]));
  }
  return OutcomesToJs(env, reply.outcomes);
}

void SettleWrite(Napi::Env env, Pending& pending, const WriteReply& reply) {
  if (!reply.status.ok()) return pending.Reject(env, reply.status);
  pending.Resolve(ReplyValue(env, reply));
}

void SettleRead(Napi::Env env, Pending& pending, Result<ReadReply> reply) {
  if (!reply.ok()) return pending.Reject(env, reply.status());
  pending.Resolve(ReplyToJs(env, std::move(reply.value())));
}

void SettleStatus(Napi::Env env, Pending& pending, const Status& status) {
  if (!status.ok()) return pending.Reject(env, status);
  pending.Resolve(env.Undefined());
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
                      InstanceMethod<&StoreHandle::Guard<&StoreHandle::Begin>>("begin"),
                      InstanceMethod<&StoreHandle::Guard<&StoreHandle::End>>("end"),
                      InstanceMethod<&StoreHandle::Guard<&StoreHandle::Backup>>("backup"),
                      InstanceMethod<&StoreHandle::Guard<&StoreHandle::Verify>>("verify"),
                      InstanceMethod<&StoreHandle::Guard<&StoreHandle::Checkpoint>>("checkpoint"),
                      InstanceMethod<&StoreHandle::Guard<&StoreHandle::Stats>>("stats"),
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
  return info.Env().Undefined();
}

// ---- Everything else

// write(transaction, flat operations, durability, atomic, inline)
Napi::Value StoreHandle::Write(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (!Usable(env)) return {};
  Reader arguments(env);
  WriteRequest request;
  std::int64_t transaction = 0;
  std::int64_t durability = 0;
  if (!arguments.Integer(info[0], &transaction) || !arguments.Ops(info[1], &request.ops)) return {};
  bool may_run_inline = false;
  if (!arguments.Integer(info[2], &durability) || !arguments.Boolean(info[3], &request.atomic) ||
      !arguments.Boolean(info[4], &may_run_inline)) {
    return {};
  }
  request.durability = static_cast<Durability>(durability);
  return Send(env, transaction, std::move(request), may_run_inline);
}

// writeSets(transaction, kind and flags, namespace, count, joined keys, joined values, durability, atomic, inline)
Napi::Value StoreHandle::WriteSets(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (!Usable(env)) return {};
  Reader arguments(env);
  WriteRequest request;
  std::int64_t transaction = 0;
  std::int64_t kind = 0;
  std::int64_t count = 0;
  std::int64_t durability = 0;
  std::string ns;
  bool may_run_inline = false;
  if (!arguments.Integer(info[0], &transaction) || !arguments.Integer(info[1], &kind) ||
      !arguments.Text(info[2], &ns) || !arguments.Integer(info[3], &count) ||
      !arguments.Sets(static_cast<unsigned>(kind), static_cast<std::uint32_t>(count), info[4], info[5], &request.ops) ||
      !arguments.Integer(info[6], &durability) || !arguments.Boolean(info[7], &request.atomic) ||
      !arguments.Boolean(info[8], &may_run_inline)) {
    return {};
  }
  for (auto& op : request.ops) op.ns = ns;
  request.durability = static_cast<Durability>(durability);
  return Send(env, transaction, std::move(request), may_run_inline);
}

Napi::Value StoreHandle::Send(Napi::Env env, std::int64_t transaction, WriteRequest request, bool may_run_inline) {
  if (transaction == 0 && may_run_inline) {
    WriteReply reply;
    if (engine_->TryWriteInline(request, &reply)) {
      state_->EndSnapshots();
      return reply.status.ok() ? ReplyValue(env, reply) : Rejected(env, reply.status);
    }
  }
  auto pending = std::make_shared<Pending>(env, state_);
  OrReject(env, *pending, [&] {
    auto done = Deliver<WriteReply>(pending, &SettleWrite);
    if (transaction == 0) {
      engine_->Write(std::move(request), std::move(done));
    } else {
      engine_->WriteIn(static_cast<TransactionId>(transaction), std::move(request), std::move(done));
    }
  });
  return pending->promise();
}

// read(transaction | [transaction, timeout, token], kind, ...arguments of the kind)
Napi::Value StoreHandle::Read(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (!Usable(env)) return {};
  Reader arguments(env);
  ReadTarget target;
  ReadRequest request;
  if (!ReadTargetOf(info, arguments, &target) || !ReadArguments(info, arguments, &request)) return {};
  ReadControl control{target.timeout_ms, nullptr};
  if (target.token != 0) control.cancelled = state_->NewCancellation(target.token);
  auto pending = std::make_shared<Pending>(env, state_);
  OrReject(env, *pending, [&] {
    auto done =
        Deliver<Result<ReadReply>>(pending, [token = target.token](Napi::Env e, Pending& p, Result<ReadReply> reply) {
          p.state().ForgetCancellation(token);
          SettleRead(e, p, std::move(reply));
        });
    if (target.transaction == 0) {
      engine_->Read(std::move(request), std::move(control), std::move(done));
    } else {
      engine_->ReadIn(static_cast<TransactionId>(target.transaction), std::move(request), std::move(control),
                      std::move(done));
    }
  });
  return pending->promise();
}

// cancel(token): what was read with that token ends soon, with kAborted.
Napi::Value StoreHandle::Cancel(const Napi::CallbackInfo& info) {
  Reader arguments(info.Env());
  std::int64_t token = 0;
  if (arguments.Integer(info[0], &token)) state_->Cancel(token);
  return info.Env().Undefined();
}

// begin(timeout in milliseconds)
Napi::Value StoreHandle::Begin(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (!Usable(env)) return {};
  Reader arguments(env);
  std::int64_t timeout_ms = 0;
  if (!arguments.Integer(info[0], &timeout_ms)) return {};
  auto pending = std::make_shared<Pending>(env, state_);
  OrReject(env, *pending, [&] {
    engine_->Begin(this, timeout_ms,
                   Deliver<Result<TransactionId>>(pending, [](Napi::Env e, Pending& p, Result<TransactionId> id) {
                     if (!id.ok()) return p.Reject(e, id.status());
                     p.Resolve(Napi::Number::New(e, static_cast<double>(id.value())));
                   }));
  });
  return pending->promise();
}

// end(transaction, commit)
Napi::Value StoreHandle::End(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (!Usable(env)) return {};
  Reader arguments(env);
  std::int64_t transaction = 0;
  bool commit = false;
  if (!arguments.Integer(info[0], &transaction) || !arguments.Boolean(info[1], &commit)) return {};
  auto pending = std::make_shared<Pending>(env, state_);
  OrReject(env, *pending, [&] {
    engine_->End(static_cast<TransactionId>(transaction), commit, Deliver<Status>(pending, &SettleStatus));
  });
  return pending->promise();
}

Napi::Value StoreHandle::Backup(const Napi::CallbackInfo& info) {
  if (!Usable(info.Env())) return {};
  return binding::Backup(info, state_, engine_);
}

Napi::Value StoreHandle::Verify(const Napi::CallbackInfo& info) {
  if (!Usable(info.Env())) return {};
  return binding::Verify(info, state_, engine_);
}

Napi::Value StoreHandle::Checkpoint(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (!Usable(env)) return {};
  // This thread's own snapshot would stand in the way.
  state_->EndSnapshots();
  auto pending = std::make_shared<Pending>(env, state_);
  OrReject(env, *pending, [&] { engine_->Checkpoint(Deliver<Status>(pending, &SettleStatus)); });
  return pending->promise();
}

Napi::Value StoreHandle::Stats(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (!Usable(env)) return {};
  const EngineStats stats = engine_->Stats();
  Napi::Object result = Napi::Object::New(env);
  result.Set("queuedOperations", Napi::Number::New(env, static_cast<double>(stats.queued_operations)));
  result.Set("queuedBytes", Napi::Number::New(env, static_cast<double>(stats.queued_bytes)));
  return result;
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
    auto status = std::make_shared<Status>(Code::kNoMem);
    auto after = MakeSettling(pending, [status](Napi::Env e, Pending& p) { SettleStatus(e, p, *status); });
    state_->RunBlocking([engine = engine_, status] { *status = CloseStore(engine); }, std::move(after));
    // Only now: a close() for which there was no thread may be called again.
    state_->Remove(this);
    engine_.reset();
  });
  return pending->promise();
}

}  // namespace hypha::binding
