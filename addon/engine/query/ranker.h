// Keeps the rows of a query that its order and paging may yet want.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "hypha/types.h"
#include "query/sort_value.h"

namespace hypha {

// Collects rows in any order, and gives them back sorted by the sort keys and then by key, cut by offset and limit.
// With a limit it never holds more than about twice offset + limit rows.
class Ranker {
 public:
  Ranker(const std::vector<SortKey>& sort, std::int64_t offset, std::optional<std::int64_t> limit, QueryShape shape);

  // False once the rows held exceed `max_bytes`.
  bool Add(const EntryView& row, std::int64_t max_bytes);

  // Takes the rows of another ranker of the same query over.
  void Absorb(Ranker&& other);

  // REQUIRES: called once, last.
  JsonChunks Take();

 private:
  struct Item {
    std::string key;
    std::string text;
    std::vector<SortValue> sort;
  };

  bool Before(const Item& a, const Item& b) const;
  void Prune();

  SortExtractor extractor_;
  QueryShape shape_;
  std::size_t offset_;
  std::size_t wanted_;  // offset + limit
  bool bounded_;
  std::vector<Item> items_;
  std::vector<SortValue> scratch_;
  std::optional<std::size_t> worst_;  // after a Prune(): index of the last wanted row
  std::int64_t bytes_ = 0;
};

}  // namespace hypha
