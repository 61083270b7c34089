// What the engine answers, as promises and values of JavaScript.
#pragma once

#include "hypha/engine.h"
#include "promise.h"

namespace hypha::binding {

// A promise that is rejected already. Empty when the environment is being terminated.
Napi::Value Rejected(Napi::Env env, const Status& status);
// A number for one operation that succeeded; arrays for more, or for a failure. A durability above the one that was
// asked for stands behind them.
Napi::Value ReplyValue(Napi::Env env, const WriteReply& reply, Durability asked);
// {last, busy, stopped, frames}
Napi::Value CloseReportToJs(Napi::Env env, const CloseReport& report);

void SettleWrite(Napi::Env env, Pending& pending, const WriteReply& reply, Durability asked);
void SettleRead(Napi::Env env, Pending& pending, Result<ReadReply> reply);
void SettleStatus(Napi::Env env, Pending& pending, const Status& status);
void SettleBegin(Napi::Env env, Pending& pending, const Result<TransactionId>& id);

}  // namespace hypha::binding
