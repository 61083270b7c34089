// Rows of a plan's statement, and the places they go to.
#pragma once

#include <cstdint>

#include "base/json_writer.h"
#include "hypha/types.h"
#include "query/ranker.h"
#include "sqlite/statement.h"

namespace hypha {

// The current row of a statement that begins with kSelectRow. Views live until the next Step().
EntryView RowOf(const Cursor& cursor);

inline Status ResultTooLarge() { return {Code::kTooLarge, "the result is larger than limits.resultBytes"}; }

// Rows that come in the order in which they are wanted: skips, takes, and says when it has enough. Feed it one
// statement after the other.
class RowStream {
 public:
  RowStream(const QuerySpec& spec, std::int64_t max_bytes)
      : shape_(spec.shape), skip_(spec.offset), left_(spec.limit.value_or(-1)), max_bytes_(max_bytes) {}

  bool wants_more() const { return left_ != 0; }
  Status Drain(Cursor& cursor);
  std::int64_t rows() const { return rows_; }
  JsonChunks Take() { return out_.Take(); }

 private:
  QueryShape shape_;
  std::int64_t skip_;
  std::int64_t left_;
  std::int64_t max_bytes_;
  std::int64_t rows_ = 0;
  ChunkWriter out_;
};

// Gives every row of the statement to the ranker.
Status DrainInto(Ranker& ranker, Cursor& cursor, std::int64_t max_bytes, std::int64_t* rows);

}  // namespace hypha
