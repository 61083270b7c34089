// The checksum that a row of hypha_entries carries in its column `crc`, see docs/decisions/0005-checksums.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/mutant.h"
#include "hypha/filter.h"
#include "hypha/status.h"

namespace hypha {

// 64 bits that hold two CRC-32C. The low half covers namespace id, key and value, so that get() reads nothing else; the
// high half covers namespace id, key, metadata, times and version. Pass the key that was asked for, not the row's own:
// an index that leads to another row is found then.
std::uint32_t ValueChecksum(std::int64_t ns_id, std::string_view key, std::string_view value);
std::uint32_t AttributesChecksum(std::int64_t ns_id, const EntryView& entry);  // entry.value is not looked at

inline std::int64_t JoinChecksum(std::uint32_t attributes, std::uint32_t value) {
  return static_cast<std::int64_t>((static_cast<std::uint64_t>(attributes) << 32U) | value);
}
std::int64_t EntryChecksum(std::int64_t ns_id, const EntryView& entry);
inline std::uint32_t ValueHalf(std::int64_t crc) { return static_cast<std::uint32_t>(crc); }
inline std::uint32_t AttributesHalf(std::int64_t crc) {
  return static_cast<std::uint32_t>(static_cast<std::uint64_t>(crc) >> 32U);
}

// Whether what was read is what `crc` was computed from. A row whose crc is NULL has nothing to check: do not ask.
inline bool IsValueIntact(std::int64_t crc, std::int64_t ns_id, std::string_view key, std::string_view value) {
  if (Mutated(Mutant::kSkipChecksum)) return true;
  return ValueHalf(crc) == ValueChecksum(ns_id, key, value);
}
inline bool AreAttributesIntact(std::int64_t crc, std::int64_t ns_id, const EntryView& entry) {
  return AttributesHalf(crc) == AttributesChecksum(ns_id, entry);
}
inline bool IsEntryIntact(std::int64_t crc, std::int64_t ns_id, const EntryView& entry) {
  return IsValueIntact(crc, ns_id, entry.key, entry.value) && AreAttributesIntact(crc, ns_id, entry);
}

// A write over a row that is there. It keeps created_at, and whatever it does not replace.
struct EntryChange {
  std::int64_t ns_id = 0;
  std::string_view key;
  std::optional<std::uint32_t> value_half;   // of the new value; none: the value stays
  std::optional<std::string_view> metadata;  // empty: from now on there is none; no text: it stays
  std::int64_t updated_at = 0;
  std::int64_t version = 0;
};

// The checksum of the row after the change; none (NULL) where a part that stays had none. What stays is not vouched
// for anew: if it does not fit `old_crc`, neither will it fit the new one.
std::optional<std::int64_t> ChangedChecksum(std::optional<std::int64_t> old_crc, const EntryView& old,
                                            const EntryChange& change);

// What each write gives a row anew.
struct Stamp {
  std::int64_t updated_at = 0;
  std::int64_t version = 0;
};

// The same as ChangedChecksum() where the metadata stays and the value does not, in a fraction of the time: by the
// checksum that the row has, by the stamp in it, which the new one replaces, and by any checksum of the new value's.
std::int64_t NextChecksum(std::int64_t crc, const Stamp& old, std::int64_t new_crc, const Stamp& now);

// The namespace of the rows that a statement reads.
struct NamespaceRef {
  std::string_view name;
  std::int64_t id = 0;
};

// kCorrupt, naming the entry.
Status DamagedEntry(std::string_view ns, std::string_view key);

}  // namespace hypha
