// The row that a point statement stands on, and its checksum.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/entry_checksum.h"
#include "sqlite/statement.h"

namespace hypha {

// A row of sql::kGet, kGetEntry or kGetMetadata. Views live until the cursor's next Step().
// REQUIRES: the columns that a call reads are among those of the statement.
class StoredEntry {
 public:
  // `key`: the one that was asked for.
  StoredEntry(const Cursor& cursor, std::int64_t ns_id, std::string_view key)
      : cursor_(cursor), ns_id_(ns_id), key_(key) {}

  std::string_view value() const { return cursor_.Text(0); }
  // Without the value.
  EntryView attributes() const {
    return {key_, {}, cursor_.Text(2), cursor_.Integer(3), cursor_.Integer(4), cursor_.Integer(5)};
  }

  // A row that was cut short by damage has neither a checksum nor what it must have.
  bool IsValueIntact() const {
    const auto crc = cursor_.OptionalInteger(1);
    return crc ? hypha::IsValueIntact(*crc, ns_id_, key_, value()) : !cursor_.IsNull(0);
  }
  bool AreAttributesIntact() const {
    const auto crc = cursor_.OptionalInteger(1);
    return crc ? hypha::AreAttributesIntact(*crc, ns_id_, attributes()) : !cursor_.IsNull(5);
  }

 private:
  const Cursor& cursor_;
  std::int64_t ns_id_;
  std::string_view key_;
};

}  // namespace hypha
