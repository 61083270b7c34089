// The arguments of native.open() and native.migrate() as OpenOptions.
#pragma once

#include "convert.h"

namespace hypha::binding {

// lib/options.js has filled in every option. False after throwing.
bool ReadOpenOptions(Napi::Env env, Napi::Value value, OpenOptions* out);

}  // namespace hypha::binding
