// Between Node-API and this addon: no C++ exception passes.
#pragma once

#include <type_traits>

#include "convert.h"
#include "hypha/caught.h"

namespace hypha::binding {

// What `work` returns; after an exception an empty value, with its record thrown in JavaScript.
template <class Work>
auto Guarded(Napi::Env env, Work work) noexcept -> decltype(work()) {
  decltype(work()) value;
  const Status status = Caught([&] {
    value = work();
    return Status::Ok();
  });
  if (!status.ok()) napi_throw(env, ErrorRecord(env, status));
  return value;
}

using Exported = Napi::Value (*)(const Napi::CallbackInfo&);

template <Exported function>
Napi::Value Guard(const Napi::CallbackInfo& info) {
  return Guarded(info.Env(), [&] { return function(info); });
}

}  // namespace hypha::binding
