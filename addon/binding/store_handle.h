// The JavaScript object over one share of an engine: converts, enqueues, promises.
#pragma once

#include <memory>

#include "env_state.h"
#include "hypha/engine.h"
#include "napi_setup.h"
#include "read_arguments.h"

namespace hypha::binding {

// Methods (lib/native.js describes them for JavaScript): a read on the calling thread answers at once with the value,
// undefined for an absent key, kYield or kElsewhere; everything else answers with a promise, but write(), begin() and
// end(), which answer at once when the engine could do it inline, and readSync(), which waits.
class StoreHandle : public Napi::ObjectWrap<StoreHandle> {
 public:
  static constexpr int kYield = 1;      // end the turn, then ask again
  static constexpr int kElsewhere = 2;  // ask read()

  static Napi::Function Define(Napi::Env env);
  // Takes the store out of *opened; leaves it there when the environment is being terminated.
  static Napi::Object New(Napi::Env env, OpenedStore* opened);

  explicit StoreHandle(const Napi::CallbackInfo& info);
  ~StoreHandle() override;

  // Thread: JavaScript.
  void EndSnapshot();
  void AbandonNow();
  void CloseNow();
  std::int64_t MemoryUsed() const { return reader_ != nullptr ? reader_->MemoryUsed() : 0; }

 private:
  Napi::Value Get(const Napi::CallbackInfo& info);
  Napi::Value GetEntry(const Napi::CallbackInfo& info);
  Napi::Value Has(const Napi::CallbackInfo& info);
  Napi::Value GetMetadata(const Napi::CallbackInfo& info);
  Napi::Value GetMany(const Napi::CallbackInfo& info);
  Napi::Value EndTurn(const Napi::CallbackInfo& info);
  Napi::Value Write(const Napi::CallbackInfo& info);
  Napi::Value WriteSets(const Napi::CallbackInfo& info);
  Napi::Value Read(const Napi::CallbackInfo& info);
  Napi::Value Cancel(const Napi::CallbackInfo& info);
  Napi::Value ReadSync(const Napi::CallbackInfo& info);
  Napi::Value EntryInline(const Napi::CallbackInfo& info);
  Napi::Value Begin(const Napi::CallbackInfo& info);
  Napi::Value BeginSnapshot(const Napi::CallbackInfo& info);
  Napi::Value End(const Napi::CallbackInfo& info);
  Napi::Value Backup(const Napi::CallbackInfo& info);
  Napi::Value Verify(const Napi::CallbackInfo& info);
  Napi::Value EnterLine(const Napi::CallbackInfo& info);
  Napi::Value LeaveLine(const Napi::CallbackInfo& info);
  Napi::Value Flush(const Napi::CallbackInfo& info);
  Napi::Value Recovery(const Napi::CallbackInfo& info);
  Napi::Value Stats(const Napi::CallbackInfo& info);
  Napi::Value Ping(const Napi::CallbackInfo& info);
  Napi::Value Maintain(const Napi::CallbackInfo& info);
  Napi::Value Abandon(const Napi::CallbackInfo& info);
  Napi::Value ExportBundle(const Napi::CallbackInfo& info);  // these two: bundle_calls.cc
  Napi::Value ImportBundle(const Napi::CallbackInfo& info);
  Napi::Value Close(const Napi::CallbackInfo& info);

  // A method as Node-API may call it.
  template <Napi::Value (StoreHandle::*method)(const Napi::CallbackInfo&)>
  Napi::Value Guard(const Napi::CallbackInfo& info);

  Napi::Value Send(Napi::Env env, const CallTarget& target, WriteRequest request, bool may_run_inline);
  bool TrySendInline(TransactionId transaction, WriteRequest& request, WriteReply* reply);
  // Of a call that may end early.
  CallControl ControlOf(const CallTarget& target);
  void Start(const CallTarget& target, ReadRequest request, Engine::ReadDone done);
  // undefined, a sentinel, or nothing when the answer is kFound.
  std::optional<Napi::Value> NotFound(Napi::Env env, InlineReader::Answer answer);
  InlineReader* reader(Napi::Env env);
  // Throws the record of kClosed or kForked, and answers false, when the handle may not be used.
  bool Usable(Napi::Env env);

  std::shared_ptr<EnvState> state_;
  std::shared_ptr<Engine> engine_;  // null once closed
  std::unique_ptr<InlineReader> reader_;
};

}  // namespace hypha::binding
