#include "base/entry_checksum.h"

#include <array>
#include <span>
#include <string>

#include "base/crc32c.h"

namespace hypha {
namespace {

// The lengths are covered too: a flipped bit in a row's header moves the border between key and value.
CrcInput Input(std::int64_t ns_id, std::string_view key, std::string_view text,
               std::span<const std::uint64_t> tail = {}) {
  return {{static_cast<std::uint64_t>(ns_id), (std::uint64_t{key.size()} << 32U) | text.size()}, key, text, tail};
}

}  // namespace

std::uint32_t ValueChecksum(std::int64_t ns_id, std::string_view key, std::string_view value) {
  return Crc32c(Input(ns_id, key, value));
}

std::uint32_t AttributesChecksum(std::int64_t ns_id, const EntryView& entry) {
  const std::array tail{static_cast<std::uint64_t>(entry.created_at), static_cast<std::uint64_t>(entry.updated_at),
                        static_cast<std::uint64_t>(entry.version)};
  return Crc32c(Input(ns_id, entry.key, entry.metadata, tail));
}

std::int64_t EntryChecksum(std::int64_t ns_id, const EntryView& entry) {
  return JoinChecksum(AttributesChecksum(ns_id, entry), ValueChecksum(ns_id, entry.key, entry.value));
}

std::int64_t NextChecksum(std::int64_t crc, const Stamp& old, std::int64_t new_crc, const Stamp& now) {
  const std::uint32_t difference =
      Crc32cDifference(static_cast<std::uint64_t>(old.updated_at) ^ static_cast<std::uint64_t>(now.updated_at),
                       static_cast<std::uint64_t>(old.version) ^ static_cast<std::uint64_t>(now.version));
  return JoinChecksum(AttributesHalf(crc) ^ difference, ValueHalf(new_crc));
}

std::optional<std::int64_t> ChangedChecksum(std::optional<std::int64_t> old_crc, const EntryView& old,
                                            const EntryChange& change) {
  if (!old_crc && !change.value_half) return std::nullopt;
  EntryView row = old;
  row.key = change.key;
  // CRC is linear: the difference that damage makes to the old checksum makes the new one wrong in the same way.
  const std::uint32_t damage = old_crc ? AttributesHalf(*old_crc) ^ AttributesChecksum(change.ns_id, row) : 0;
  if (change.metadata) row.metadata = *change.metadata;
  row.updated_at = change.updated_at;
  row.version = change.version;
  const std::uint32_t value_half = change.value_half ? *change.value_half : ValueHalf(*old_crc);
  return JoinChecksum(AttributesChecksum(change.ns_id, row) ^ damage, value_half);
}

Status DamagedEntry(std::string_view ns, std::string_view key) {
  return {Code::kCorrupt, "Key \"" + std::string(key) + "\" in namespace \"" + std::string(ns) +
                              "\" is damaged: it does not have the checksum it was written with"};
}

}  // namespace hypha
