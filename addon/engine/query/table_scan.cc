#include "query/table_scan.h"

#include <limits>
#include <utility>

#include "sqlite/record.h"

namespace hypha {
namespace {

constexpr const char* kTable = "hypha_entries";

// The columns of schema/0002_lean_layout.up.sql, in its order.
enum Column : std::size_t {
  kId,
  kNamespace,
  kVersion,
  kCreatedAt,
  kUpdatedAt,
  kCrc,
  kKey,
  kMetadata,
  kValue,
  kColumns
};

Status Damaged() { return {Code::kCorrupt, "the entries of the database file are damaged"}; }

bool IsTablePage(const btree::Page& page) { return !page.is_index(); }

}  // namespace

Status TableParts::AddChildren(const btree::Page& page, const Part& parent, std::vector<Part>* below) {
  std::int64_t after = parent.after;
  for (std::uint32_t i = 0; i <= page.cell_count(); ++i) {
    Part child{page.Child(i), after, parent.last};
    if (i < page.cell_count() && !page.ReadSeparator(i, &child.last)) return Damaged();
    if (child.page == 0 || child.last < child.after || child.last > parent.last) return Damaged();
    after = child.last;
    below->push_back(child);
  }
  return Status::Ok();
}

Status TableParts::Find(Connection& db) {
  PageReader pages(db);
  auto root = pages.Open(kTable);
  if (!root.ok()) return root.status();
  parts_ = {Part{root.value()}};
  LoadedPage loaded;
  for (int depth = 0; parts_.size() < kEnough && depth < kMaxTreeDepth; ++depth) {
    std::vector<Part> below;
    for (const Part& part : parts_) {
      Status status = pages.Load(part.page, &loaded);
      if (!status.ok()) return status;
      if (!IsTablePage(loaded.page)) return Damaged();
      if (loaded.page.is_leaf()) return Status::Ok();  // all leaves are equally deep
      status = AddChildren(loaded.page, part, &below);
      if (!status.ok()) return status;
    }
    parts_ = std::move(below);
  }
  return Status::Ok();
}

Status TableScan::Run(TableParts& parts, std::int64_t ns_id, EntrySink& sink) {
  ns_id_ = ns_id;
  sink_ = &sink;
  auto root = pages_.Open(kTable);
  if (!root.ok()) return root.status();
  TableParts::Part part;
  while (parts.Take(&part)) {
    rowid_ = part.after;
    last_rowid_ = part.last;
    Status status = ScanBelow(parts, part.page, 0);
    if (!status.ok()) return status;
  }
  return Status::Ok();
}

// Recursion ends at kMaxTreeDepth.
Status TableScan::ScanBelow(TableParts& parts, btree::PageNumber number, int depth) {  // NOLINT(misc-no-recursion)
  if (depth == kMaxTreeDepth) return Damaged();
  LoadedPage& loaded = levels_[static_cast<std::size_t>(depth)];
  Status status = pages_.Load(number, &loaded);
  if (!status.ok()) return status;
  if (!IsTablePage(loaded.page)) return Damaged();
  if (loaded.page.is_leaf()) return parts.IsLeafDepth(depth) ? ScanLeaf(loaded.page) : Damaged();
  for (std::uint32_t i = 0; i <= loaded.page.cell_count() && status.ok(); ++i) {
    status = ScanBelow(parts, loaded.page.Child(i), depth + 1);
  }
  return status;
}

Status TableScan::ScanLeaf(const btree::Page& page) {
  btree::Cell cell;
  for (std::uint32_t i = 0; i < page.cell_count(); ++i) {
    if (!page.ReadCell(i, &cell)) return Damaged();
    // A whole table begins at the least integer, which may be a rowid itself.
    const bool rises = cell.rowid > rowid_ || rowid_ == std::numeric_limits<std::int64_t>::min();
    if (!rises || cell.rowid > last_rowid_) return Damaged();
    rowid_ = cell.rowid;
    Status status = ReadEntry(cell);
    if (!status.ok()) return status;
  }
  return Status::Ok();
}

Status TableScan::ReadEntry(const btree::Cell& cell) {
  btree::Record<kColumns> record;
  std::int64_t ns_id = 0;
  // Where the value overflows, the columns before it are still on the page: other namespaces' values are not fetched.
  const bool readable = record.Parse(cell.local, cell.payload_bytes) && record.IsPresent(kNamespace);
  if (readable && (!record.Integer(kNamespace, &ns_id) || ns_id != ns_id_)) {
    return ns_id == 0 ? Damaged() : Status::Ok();
  }
  if (!cell.is_whole()) {
    auto whole = pages_.Record(cell, &scratch_);
    if (!whole.ok()) return whole.status();
    if (!record.Parse(whole.value(), cell.payload_bytes)) return Damaged();
    if (!record.Integer(kNamespace, &ns_id)) return Damaged();
    if (ns_id != ns_id_) return Status::Ok();
  } else if (!readable) {
    return Damaged();
  }
  EntryView entry;
  const bool sound = record.Text(kKey, &entry.key) && record.Text(kValue, &entry.value) &&
                     (record.IsNull(kMetadata) || record.Text(kMetadata, &entry.metadata)) &&
                     record.Integer(kCreatedAt, &entry.created_at) && record.Integer(kUpdatedAt, &entry.updated_at) &&
                     record.Integer(kVersion, &entry.version);
  if (!sound) return Damaged();
  if (record.IsNull(kCrc)) return sink_->Take(entry, std::nullopt);
  std::int64_t crc = 0;
  return record.Integer(kCrc, &crc) ? sink_->Take(entry, crc) : Damaged();
}

}  // namespace hypha
