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

RowStream::RowStream(const QuerySpec& spec, const Position* after, std::int64_t max_bytes)
    : extractor_(spec.sort),
      scratch_(spec.sort.size()),
      shape_{spec.shape, spec.select},
      after_(after),
      page_(spec.page),
      skip_(spec.offset),
      left_(spec.limit.value_or(-1)),
      max_bytes_(max_bytes) {}

bool RowStream::IsBehind(const EntryView& row) {
  if (after_ == nullptr) return true;
  extractor_.Extract(row, scratch_);
  const int order = extractor_.Compare(scratch_, after_->sort);
  return order > 0 || (order == 0 && row.key > after_->key);
}

void RowStream::Emit(const EntryView& row) {
  if (left_ > 0) --left_;
  AppendRow(out_.Element(), row, shape_);
  bytes_ = out_.Close();
  if (!page_ || left_ != 0) return;
  extractor_.Extract(row, scratch_);
  cursor_ = EncodePosition(scratch_, row.key);
}

Status RowStream::Drain(Cursor& cursor) {
  while ((left_ != 0 || page_) && !more_ && cursor.Step()) {
    ++rows_;
    const EntryView row = RowOf(cursor);
    if (!IsBehind(row)) continue;
    if (left_ == 0) {
      more_ = true;
    } else if (skip_ > 0) {
      --skip_;
    } else {
      Emit(row);
      if (static_cast<std::int64_t>(bytes_) > max_bytes_) return ResultTooLarge();
    }
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
