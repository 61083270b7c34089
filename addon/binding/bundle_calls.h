// The calls on bundles that need no store; those that do are methods of StoreHandle.
#pragma once

#include "napi_setup.h"

namespace hypha::binding {

// verifyBundle(token, path): a promise for the report.
Napi::Value VerifyBundleCall(const Napi::CallbackInfo& info);

}  // namespace hypha::binding
