// From the lines of a bundle to one transaction of a store.
#pragma once

#include <string>

#include "hypha/bundle.h"
#include "ops/bundle_writer.h"

namespace hypha {

// The row of hypha_meta that tells that an import with `once` was committed.
inline constexpr const char* kLoadedMark = "bundle_load";

BundleProblem ImportLines(Engine& engine, ImportTransaction& transaction, const ImportSpec& spec, const Hooks& hooks,
                          const IsDatabase& is_database, const Cancellation& cancelled, ImportSummary* summary);

}  // namespace hypha
