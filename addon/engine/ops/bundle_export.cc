#include "ops/bundle_export.h"

#include <algorithm>
#include <vector>

#include "base/ended_by.h"
#include "base/entry_checksum.h"
#include "query/index_catalog.h"

namespace hypha {
namespace {

struct NamespaceRow {
  std::int64_t id = 0;
  NamespaceInfo info;
};

Result<std::vector<NamespaceRow>> Namespaces(Connection& db, const ExportSpec& spec) {
  auto lease = db.cache().Take("SELECT id, name, explicit, metadata, created_at FROM hypha_namespaces ORDER BY name");
  if (!lease.ok()) return lease.status();
  const auto wanted = [&](const std::string& name) {
    return spec.namespaces.empty() ||
           std::find(spec.namespaces.begin(), spec.namespaces.end(), name) != spec.namespaces.end();
  };
  std::vector<NamespaceRow> rows;
  Cursor cursor(lease.value().get());
  while (cursor.Step()) {
    const std::string name(cursor.Text(1));
    if (!wanted(name)) continue;
    rows.push_back({cursor.Integer(0), {name, cursor.Integer(2) != 0, std::string(cursor.Text(3)), cursor.Integer(4)}});
  }
  Status status = cursor.status("read the namespaces");
  if (!status.ok()) return status;
  for (const auto& name : spec.namespaces) {
    const bool found =
        std::any_of(rows.begin(), rows.end(), [&](const NamespaceRow& row) { return row.info.name == name; });
    if (!found && name != kDefaultNamespace) {
      return Status(Code::kNamespaceNotFound, "Namespace \"" + name + "\" does not exist");
    }
  }
  return rows;
}

class Exporter {
 public:
  Exporter(Connection& db, const Cancellation& cancelled, BundleWriter& writer, BundleSummary* summary)
      : db_(db), cancelled_(cancelled), writer_(writer), summary_(summary) {}

  Status Entries(const NamespaceRow& ns) {
    auto lease = db_.cache().Take(
        "SELECT key, value, metadata, created_at, updated_at, version, crc FROM hypha_entries WHERE ns_id = ?1 ORDER "
        "BY "
        "key");
    if (!lease.ok()) return lease.status();
    const std::string prefix = bundle::EntryPrefix(ns.info.name);
    Cursor cursor(lease.value().get());
    cursor.Bind(1, ns.id);
    while (cursor.Step()) {
      if (cancelled_ != nullptr && cancelled_->load(std::memory_order_relaxed)) return Status(Code::kAborted);
      if (db_.expired()) return StatusOf(EndedBy::kLog);
      const EntryView entry{cursor.Text(0),    cursor.Text(1),    cursor.Text(2),
                            cursor.Integer(3), cursor.Integer(4), cursor.Integer(5)};
      const bool whole = !cursor.IsNull(1) && !cursor.IsNull(5);
      if (cursor.IsNull(6) ? !whole : !IsEntryIntact(cursor.Integer(6), ns.id, entry)) {
        return DamagedEntry(ns.info.name, entry.key);
      }
      Status status = bundle::EntryLine(prefix, entry, &line_);
      if (status.ok()) status = writer_.Append(line_);
      if (!status.ok()) return status;
      ++summary_->entries;
    }
    return cursor.status("read entries");
  }

  Status Indexes(const NamespaceRow& ns) {
    auto indexes = LoadIndexes(db_, ns.id);
    if (!indexes.ok()) return indexes.status();
    for (const auto& index : indexes.value()) {
      Status status = writer_.Append(bundle::IndexLine(ns.info.name, FieldsToJson(index.fields), index.unique));
      if (!status.ok()) return status;
      ++summary_->indexes;
    }
    return Status::Ok();
  }

 private:
  Connection& db_;
  const Cancellation& cancelled_;
  BundleWriter& writer_;
  BundleSummary* summary_;
  std::string line_;
};

}  // namespace

Status ExportRows(Connection& db, const ExportSpec& spec, const Cancellation& cancelled, BundleWriter& writer,
                  BundleSummary* summary) {
  auto namespaces = Namespaces(db, spec);
  if (!namespaces.ok()) return namespaces.status();
  for (const auto& ns : namespaces.value()) {
    Status status = writer.Append(bundle::NamespaceLine(ns.info));
    if (!status.ok()) return status;
    ++summary->namespaces;
  }
  Exporter exporter(db, cancelled, writer, summary);
  // Indexes come last: an import makes them once everything is there, whatever the order.
  for (const auto step : {&Exporter::Entries, &Exporter::Indexes}) {
    for (const auto& ns : namespaces.value()) {
      Status status = (exporter.*step)(ns);
      if (!status.ok()) return status;
    }
  }
  return Status::Ok();
}

}  // namespace hypha
