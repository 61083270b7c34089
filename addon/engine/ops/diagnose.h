// What can be told about a store without changing it, as JSON text.
#pragma once

#include <string>

#include "hypha/status.h"
#include "sqlite/connection.h"
#include "store/entry_reader.h"

namespace hypha {

// {size, namespaces, bytes, walBytes, schemaVersion}: entries, namespaces ('default' always counted), file bytes.
Result<std::string> StatusJson(EntryReader& entries, Connection& db);

// {quarantine: [{source, id, namespace, key, reason}], integrity: 'ok' | text, schema: {version, verified}}.
// Quarantined values are not shown. Reads the whole file.
Result<std::string> DiagnoseJson(Connection& db);

}  // namespace hypha
