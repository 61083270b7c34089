#include "sqlite/page_reader.h"

#include <algorithm>

namespace hypha {

Status PageReader::Damaged(btree::PageNumber number) {
  return {Code::kCorrupt, "page " + std::to_string(number) + " of the database file is damaged"};
}

Result<btree::PageNumber> PageReader::Open(std::string_view name) {
  auto root = db_.cache().Take("SELECT rootpage FROM sqlite_schema WHERE name = ?1");
  if (!root.ok()) return root.status();
  Cursor cursor(root.value().get());
  cursor.Bind(1, name);
  if (!cursor.Step()) {
    Status status = cursor.status("find a root page");
    return status.ok() ? Status(Code::kSchemaChanged, std::string(name) + " is missing") : status;
  }
  const std::int64_t number = cursor.Integer(0);
  auto lease = db_.cache().Take("SELECT data FROM sqlite_dbpage WHERE pgno = ?1");
  if (!lease.ok()) return lease.status();
  statement_.emplace(std::move(lease.value()));
  std::string first;
  Status status = Fetch(1, &first);
  if (!status.ok()) return status;
  const auto geometry = btree::Geometry::FromFirstPage(first);
  if (!geometry || number < 1) return Damaged(1);
  geometry_ = *geometry;
  return static_cast<btree::PageNumber>(number);
}

Status PageReader::Fetch(btree::PageNumber number, std::string* into) {
  if (db_.PastDeadline()) return Status(Code::kTimeout);
  Cursor cursor(statement_->get());
  cursor.Bind(1, static_cast<std::int64_t>(number));
  if (cursor.Step()) {
    const std::string_view bytes = cursor.Text(0);
    into->assign(bytes);
    return bytes.empty() ? Status(Code::kNoMem) : Status::Ok();
  }
  Status status = cursor.status("read a page");
  return status.ok() ? Damaged(number) : status;  // a number past the file's end
}

Status PageReader::Load(btree::PageNumber number, LoadedPage* into) {
  Status status = Fetch(number, &into->bytes);
  if (!status.ok()) return status;
  const auto page = btree::Page::Parse(into->bytes, number, geometry_);
  if (!page) return Damaged(number);
  into->page = *page;
  return status;
}

Result<std::string_view> PageReader::Record(const btree::Cell& cell, std::string* scratch) {
  if (cell.is_whole()) return cell.local;
  // No record is larger than the file; where a chain of damaged pages goes round, reading ends here.
  const std::uint64_t most = std::uint64_t{geometry_.page_count} * geometry_.page_bytes;
  if (cell.payload_bytes > most) return Damaged(cell.first_overflow);
  scratch->assign(cell.local);
  btree::PageNumber next = cell.first_overflow;
  while (scratch->size() < cell.payload_bytes) {
    if (next == 0) return Damaged(cell.first_overflow);
    Status status = Fetch(next, &overflow_);
    if (!status.ok()) return status;
    constexpr std::size_t kNextBytes = 4;
    const std::size_t room = geometry_.usable_bytes - kNextBytes;
    scratch->append(overflow_, kNextBytes, std::min<std::size_t>(room, cell.payload_bytes - scratch->size()));
    next = btree::ReadU32(overflow_.data());
  }
  return std::string_view(*scratch);
}

}  // namespace hypha
