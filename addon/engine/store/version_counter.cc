#include "store/version_counter.h"

namespace hypha {

Result<std::int64_t> VersionCounter::Next() {
  if (next_ == end_) {
    Status status = TakeBlock();
    if (!status.ok()) return status;
  }
  return ++next_;
}

Status VersionCounter::TakeBlock() {
  auto get = statements_.Get(Sql::kVersionMarkGet);
  if (!get.ok()) return get.status();
  std::int64_t mark = 0;
  {
    Cursor cursor(get.value());
    if (!cursor.Step()) {
      Status status = cursor.status("read the version mark");
      return status.ok() ? Status(Code::kCorrupt, "the version mark is missing") : status;
    }
    mark = cursor.Integer(0);
  }
  auto set = statements_.Get(Sql::kVersionMarkSet);
  if (!set.ok()) return set.status();
  Status status = Cursor(set.value()).Bind(1, mark + kBlock).Run("move the version mark");
  if (!status.ok()) return status;
  next_ = mark;
  end_ = mark + kBlock;
  return Status::Ok();
}

}  // namespace hypha
