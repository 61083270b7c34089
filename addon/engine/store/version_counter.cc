#include "store/version_counter.h"

namespace hypha {

Result<std::int64_t> VersionCounter::Next() {
  if (next_ == end_) {
    Status status = TakeBlock();
    if (!status.ok()) return status;
  }
  return ++next_;
}

Result<std::int64_t> VersionCounter::Mark() {
  auto get = statements_.Get(Sql::kVersionMarkGet);
  if (!get.ok()) return get.status();
  Cursor cursor(get.value());
  if (cursor.Step()) return cursor.Integer(0);
  Status status = cursor.status("read the version mark");
  return status.ok() ? Status(Code::kCorrupt, "the version mark is missing") : status;
}

Status VersionCounter::SetMark(std::int64_t mark) {
  auto set = statements_.Get(Sql::kVersionMarkSet);
  if (!set.ok()) return set.status();
  return Cursor(set.value()).Bind(1, mark).Run("move the version mark");
}

Status VersionCounter::TakeBlock() {
  auto mark = Mark();
  if (!mark.ok()) return mark.status();
  Status status = SetMark(mark.value() + kBlock);
  if (!status.ok()) return status;
  next_ = mark.value();
  end_ = mark.value() + kBlock;
  return Status::Ok();
}

Status VersionCounter::Reserve(std::int64_t version) {
  if (version <= reserved_) return Status::Ok();
  auto mark = Mark();
  if (!mark.ok()) return mark.status();
  std::int64_t reserved = mark.value();
  if (version > reserved) {
    reserved = version + kBlock;
    Status status = SetMark(reserved);
    if (!status.ok()) return status;
  }
  Forget();  // the rest of a block from below the new mark
  reserved_ = reserved;
  return Status::Ok();
}

}  // namespace hypha
