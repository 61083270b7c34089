// Keeps the rows of a query that its order and paging may yet want.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "hypha/types.h"
#include "query/position.h"
#include "query/row_text.h"
#include "query/sort_value.h"

namespace hypha {

// Collects rows in any order, and gives them back sorted by the sort keys and then by key, cut by offset and limit.
// With a limit it never holds more than about twice offset + limit rows.
class Ranker {
 public:
  // `after`: only rows behind that position count; may be null, else it outlives the ranker.
  Ranker(const QuerySpec& spec, const Position* after);

  // False once the rows held exceed `max_bytes`.
  bool Add(const EntryView& row, std::int64_t max_bytes);

  // Takes the rows of another ranker of the same query over.
  void Absorb(Ranker&& other);

  // The cursor of a page that more rows follow, else empty. REQUIRES: called before Take().
  std::string CursorText();

  // REQUIRES: called once, last.
  JsonChunks Take();

 private:
  struct Item {
    std::string key;
    std::string text;
    std::vector<SortValue> sort;
  };

  bool Before(const Item& a, const Item& b) const;
  bool IsBehind(std::string_view key) const;
  void Sort();
  void Prune();

  SortExtractor extractor_;
  RowShape shape_;
  const Position* after_;
  bool page_;
  std::size_t offset_;
  std::size_t wanted_;  // offset + limit, and for a page one more, which tells whether rows follow
  bool bounded_;
  std::vector<Item> items_;
  std::vector<SortValue> scratch_;
  std::optional<std::size_t> worst_;  // after a Prune(): index of the last wanted row
  std::int64_t bytes_ = 0;
  bool sorted_ = false;
};

}  // namespace hypha
