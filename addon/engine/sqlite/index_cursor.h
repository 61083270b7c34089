// The entries of an index in order, read page by page.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "sqlite/page_reader.h"

namespace hypha {

// Thread and REQUIRES: as PageReader.
class IndexCursor {
 public:
  // Below zero when the record comes before the place that is sought. Records come in the index's own order.
  // `*ok` is set to false for a record that does not hold together.
  using Compare = std::function<int(std::string_view record, bool* ok)>;

  explicit IndexCursor(Connection& db) : pages_(db) {}

  // Goes to the first entry of index `name` that does not come before the place.
  Status Seek(std::string_view name, const Compare& compare);
  // False at the end, and where a page does not hold together; status() tells. The record lives until the next call but
  // one.
  bool Next(std::string_view* record);
  // After Next() gave an entry of a leaf page: that page's last entry, and how many there are after the one given.
  // False where that is not to be had.
  bool LastOfPage(std::string_view* record, std::uint32_t* after) const;
  const Status& status() const { return status_; }

 private:
  struct Level {
    std::array<LoadedPage, 2> pages;  // the one before stays, for the record that was given from it last
    unsigned turn = 0;
    LoadedPage& loaded() { return pages[turn]; }
    const LoadedPage& loaded() const { return pages[turn]; }
    std::uint32_t cell = 0;  // the next entry; of an interior page the one after the child that was entered
  };

  bool Enter(btree::PageNumber number);
  bool DescendToFirst();
  bool ReadRecord(const btree::Page& page, std::uint32_t i, std::string_view* record);
  std::uint32_t FirstNotBefore(const btree::Page& page, const Compare& compare);
  bool Fail(Status status);

  PageReader pages_;
  std::array<std::unique_ptr<Level>, kMaxTreeDepth> levels_;
  int depth_ = 0;                       // levels in use
  std::array<std::string, 2> scratch_;  // by turns: records that are not whole in their page
  unsigned turn_ = 0;
  Status status_;
};

}  // namespace hypha
