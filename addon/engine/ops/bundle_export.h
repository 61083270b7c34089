// From the rows of a store to the lines of a bundle.
#pragma once

#include "hypha/bundle.h"
#include "ops/bundle_writer.h"
#include "sqlite/connection.h"

namespace hypha {

// REQUIRES: a snapshot is open on `db`.
Status ExportRows(Connection& db, const ExportSpec& spec, const Cancellation& cancelled, BundleWriter& writer,
                  BundleSummary* summary);

}  // namespace hypha
