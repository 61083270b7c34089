// Backup and restore for JavaScript: each on a thread of its own.
#pragma once

#include <memory>

#include "env_state.h"
#include "hypha/engine.h"
#include "napi_setup.h"

namespace hypha::binding {

// backup(path, replace, token) of a store: a promise for {path, bytes, entries, namespaces, createdAt,
// contentHash, totalPages}.
Napi::Value Backup(const Napi::CallbackInfo& info, const std::shared_ptr<EnvState>& state,
                   const std::shared_ptr<Engine>& engine);

// restore(from, to, token): the same for what is restored.
Napi::Value Restore(const Napi::CallbackInfo& info);

// verify(full, token) of a store: a promise for JSON text.
Napi::Value Verify(const Napi::CallbackInfo& info, const std::shared_ptr<EnvState>& state,
                   const std::shared_ptr<Engine>& engine);

// progress(token): [done, in all] of a copy in pages, of an index in values; undefined when no such work runs.
Napi::Value ProgressOf(const Napi::CallbackInfo& info);

// cancel(token): what was begun with that token ends soon, with kAborted.
Napi::Value Cancel(const Napi::CallbackInfo& info);

}  // namespace hypha::binding
