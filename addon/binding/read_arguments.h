// The arguments of NativeStore.read() as a ReadRequest.
#pragma once

#include "convert.h"

namespace hypha::binding {

// info[1] names the kind, the rest are its arguments. False after throwing.
bool ReadArguments(const Napi::CallbackInfo& info, Reader& reader, ReadRequest* out);

}  // namespace hypha::binding
