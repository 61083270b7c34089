#include "query/row_reader.h"

#include "query/planner.h"
#include "query/row_text.h"

namespace hypha {

EntryView RowOf(const Cursor& cursor) {
  const auto column = [](RowColumn c) { return static_cast<int>(c); };
  EntryView row;
  row.key = cursor.Text(column(RowColumn::kKey));
  row.value = cursor.Text(column(RowColumn::kValue));
  row.metadata = cursor.Text(column(RowColumn::kMetadata));
  row.created_at = cursor.Integer(column(RowColumn::kCreatedAt));
  row.updated_at = cursor.Integer(column(RowColumn::kUpdatedAt));
  row.version = cursor.Integer(column(RowColumn::kVersion));
  return row;
}

Status RowStream::Drain(Cursor& cursor) {
  while (left_ != 0 && cursor.Step()) {
    ++rows_;
    if (skip_ > 0) {
      --skip_;
      continue;
    }
    if (left_ > 0) --left_;
    AppendRow(out_.Element(), RowOf(cursor), shape_);
    if (static_cast<std::int64_t>(out_.Close()) > max_bytes_) return ResultTooLarge();
  }
  return cursor.status("query");
}

Status DrainInto(Ranker& ranker, Cursor& cursor, std::int64_t max_bytes, std::int64_t* rows) {
  while (cursor.Step()) {
    ++*rows;
    if (!ranker.Add(RowOf(cursor), max_bytes)) return ResultTooLarge();
  }
  return cursor.status("query");
}

}  // namespace hypha
