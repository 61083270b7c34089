// Rows of a plan's statement, and the places they go to.
#pragma once

#include <cstdint>

#include "base/entry_checksum.h"
#include "base/json_writer.h"
#include "hypha/types.h"
#include "query/ranker.h"
#include "sqlite/statement.h"

namespace hypha {

// The current row of a statement that begins with kSelectRow; kCorrupt when it does not have its checksum. Views live
// until the next Step().
Status ReadRow(const Cursor& cursor, const NamespaceRef& of, EntryView* row);

inline Status ResultTooLarge() { return {Code::kTooLarge, "the result is larger than limits.resultBytes"}; }

// Rows that come in the order in which they are wanted: skips, takes, and says when it has enough. Feed it one
// statement after the other.
class RowStream {
 public:
  // `after`: only rows behind that position count; may be null, else it outlives the stream.
  RowStream(const QuerySpec& spec, const Position* after, std::int64_t max_bytes);

  bool wants_more() const { return (left_ != 0 || page_) && !more_; }
  Status Drain(Cursor& cursor, const NamespaceRef& of);
  std::int64_t rows() const { return rows_; }
  // The cursor of a page that more rows follow, else empty.
  std::string CursorText() { return more_ ? std::move(cursor_) : std::string(); }
  JsonChunks Take() { return out_.Take(); }

 private:
  bool IsBehind(const EntryView& row);
  void Emit(const EntryView& row);

  SortExtractor extractor_;
  std::vector<SortValue> scratch_;
  RowShape shape_;
  const Position* after_;
  bool page_;
  std::int64_t skip_;
  std::int64_t left_;
  std::int64_t max_bytes_;
  std::int64_t rows_ = 0;
  std::size_t bytes_ = 0;
  std::string cursor_;  // of the last row that a page takes
  bool more_ = false;
  ChunkWriter out_;
};

// Gives every row of the statement to the ranker.
Status DrainInto(Ranker& ranker, Cursor& cursor, const NamespaceRef& of, std::int64_t max_bytes, std::int64_t* count);

}  // namespace hypha
