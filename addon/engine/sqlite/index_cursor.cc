#include "sqlite/index_cursor.h"

#include <utility>

namespace hypha {
namespace {

Status Damaged() { return {Code::kCorrupt, "an index of the database file is damaged"}; }

}  // namespace

bool IndexCursor::Fail(Status status) {
  status_ = std::move(status);
  depth_ = 0;
  return false;
}

bool IndexCursor::Enter(btree::PageNumber number) {
  if (depth_ == kMaxTreeDepth) return Fail(Damaged());
  auto& level = levels_[static_cast<std::size_t>(depth_)];
  if (level == nullptr) level = std::make_unique<Level>();
  level->turn ^= 1U;
  Status status = pages_.Load(number, &level->loaded());
  if (!status.ok()) return Fail(std::move(status));
  if (!level->loaded().page.is_index()) return Fail(Damaged());
  level->cell = 0;
  ++depth_;
  return true;
}

bool IndexCursor::ReadRecord(const btree::Page& page, std::uint32_t i, std::string_view* record) {
  btree::Cell cell;
  if (!page.ReadCell(i, &cell)) return Fail(Damaged());
  if (cell.is_whole()) {
    *record = cell.local;
    return true;
  }
  turn_ ^= 1U;
  auto whole = pages_.Record(cell, &scratch_[turn_]);
  if (!whole.ok()) return Fail(whole.status());
  *record = whole.value();
  return true;
}

// A page's cells are in order: halve until the first that does not come before the place is found.
std::uint32_t IndexCursor::FirstNotBefore(const btree::Page& page, const Compare& compare) {
  std::uint32_t low = 0;
  std::uint32_t high = page.cell_count();
  while (low < high) {
    const std::uint32_t middle = low + (high - low) / 2;
    std::string_view record;
    bool ok = true;
    if (!ReadRecord(page, middle, &record)) return 0;
    const int order = compare(record, &ok);
    if (!ok) {
      static_cast<void>(Fail(Damaged()));
      return 0;
    }
    if (order < 0) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

Status IndexCursor::Seek(std::string_view name, const Compare& compare) {
  status_ = Status::Ok();
  depth_ = 0;
  auto root = pages_.Open(name);
  if (!root.ok()) return root.status();
  btree::PageNumber number = root.value();
  while (Enter(number)) {
    Level& level = *levels_[static_cast<std::size_t>(depth_ - 1)];
    level.cell = FirstNotBefore(level.loaded().page, compare);
    if (!status_.ok() || level.loaded().page.is_leaf()) break;
    number = level.loaded().page.Child(level.cell);
  }
  return status_;
}

// From the interior page on top to the first entry of the child that comes next.
bool IndexCursor::DescendToFirst() {
  for (;;) {
    const Level& level = *levels_[static_cast<std::size_t>(depth_ - 1)];
    if (level.loaded().page.is_leaf()) return true;
    if (!Enter(level.loaded().page.Child(level.cell))) return false;
  }
}

bool IndexCursor::LastOfPage(std::string_view* record, std::uint32_t* after) const {
  if (depth_ == 0) return false;
  const Level& level = *levels_[static_cast<std::size_t>(depth_ - 1)];
  const btree::Page& page = level.loaded().page;
  btree::Cell cell;
  if (!page.is_leaf() || level.cell == 0 || !page.ReadCell(page.cell_count() - 1, &cell) || !cell.is_whole())
    return false;
  *record = cell.local;
  *after = page.cell_count() - level.cell;
  return true;
}

bool IndexCursor::Next(std::string_view* record) {
  while (depth_ > 0) {
    Level& level = *levels_[static_cast<std::size_t>(depth_ - 1)];
    const btree::Page& page = level.loaded().page;
    if (level.cell < page.cell_count()) {
      if (page.is_leaf()) return ReadRecord(page, level.cell++, record);
      // An interior entry comes after its child, which was left; its record must outlive the pages that come next.
      if (!ReadRecord(page, level.cell++, record)) return false;
      return DescendToFirst();
    }
    --depth_;
  }
  return false;
}

}  // namespace hypha
