#include "query/row_reader.h"

#include "query/planner.h"
#include "query/row_text.h"

namespace hypha {

Status ReadRow(const Cursor& cursor, const NamespaceRef& of, EntryView* row) {
  const auto column = [](RowColumn c) { return static_cast<int>(c); };
  row->key = cursor.Text(column(RowColumn::kKey));
  row->value = cursor.Text(column(RowColumn::kValue));
  row->metadata = cursor.Text(column(RowColumn::kMetadata));
  row->created_at = cursor.Integer(column(RowColumn::kCreatedAt));
  row->updated_at = cursor.Integer(column(RowColumn::kUpdatedAt));
  row->version = cursor.Integer(column(RowColumn::kVersion));
  const auto crc = cursor.OptionalInteger(column(RowColumn::kCrc));
  // A row that was cut short by damage has neither a checksum nor what it must have.
  const bool whole = !cursor.IsNull(column(RowColumn::kValue)) && !cursor.IsNull(column(RowColumn::kVersion));
  const bool intact = crc ? IsEntryIntact(*crc, of.id, *row) : whole;
  return intact ? Status::Ok() : DamagedEntry(of.name, row->key);
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

Status RowStream::Drain(Cursor& cursor, const NamespaceRef& of) {
  while ((left_ != 0 || page_) && !more_ && cursor.Step()) {
    ++rows_;
    EntryView row;
    Status status = ReadRow(cursor, of, &row);
    if (!status.ok()) return status;
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

Status DrainInto(Ranker& ranker, Cursor& cursor, const NamespaceRef& of, std::int64_t max_bytes, std::int64_t* count) {
  while (cursor.Step()) {
    ++*count;
    EntryView row;
    Status status = ReadRow(cursor, of, &row);
    if (!status.ok()) return status;
    if (!ranker.Add(row, max_bytes)) return ResultTooLarge();
  }
  return cursor.status("query");
}

}  // namespace hypha
