// The arguments of NativeStore.read() as a ReadRequest, and where any call goes.
#pragma once

#include "convert.h"

namespace hypha::binding {

// Where a call goes, and how long it may take.
struct CallTarget {
  std::int64_t transaction = 0;
  std::int64_t timeout_ms = 0;
  std::int64_t token = 0;  // 0: cannot be cancelled
};

// info[0]: the transaction alone, or [transaction, timeout, token]. False after throwing.
bool CallTargetOf(const Napi::CallbackInfo& info, Reader& reader, CallTarget* out);

// info[1] names the kind, the rest are its arguments. False after throwing.
bool ReadArguments(const Napi::CallbackInfo& info, Reader& reader, ReadRequest* out);

}  // namespace hypha::binding
