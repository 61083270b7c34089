#include "base/entry_checksum.h"

#include <array>
#include <bit>
#include <cstring>
#include <string>

#include "base/crc32c.h"

namespace hypha {
namespace {

// Numbers as eight bytes each, the lowest first.
template <std::size_t kCount>
class Words {
 public:
  explicit Words(const std::array<std::uint64_t, kCount>& numbers) {
    if constexpr (std::endian::native == std::endian::little) {
      std::memcpy(bytes_.data(), numbers.data(), bytes_.size());
      return;
    }
    for (std::size_t i = 0; i < kCount * 8; ++i) {
      bytes_[i] = static_cast<char>(numbers[i / 8] >> (8 * (i % 8)));
    }
  }
  std::string_view bytes() const { return {bytes_.data(), bytes_.size()}; }

 private:
  std::array<char, kCount * 8> bytes_;
};

// The lengths are covered too: a flipped bit in a row's header moves the border between key and value.
Words<2> Head(std::int64_t ns_id, std::string_view key, std::string_view text) {
  return Words<2>({static_cast<std::uint64_t>(ns_id), (std::uint64_t{key.size()} << 32U) | text.size()});
}

}  // namespace

std::uint32_t ValueChecksum(std::int64_t ns_id, std::string_view key, std::string_view value) {
  return Crc32c({Head(ns_id, key, value).bytes(), key, value});
}

std::uint32_t AttributesChecksum(std::int64_t ns_id, const EntryView& entry) {
  const Words<3> tail({static_cast<std::uint64_t>(entry.created_at), static_cast<std::uint64_t>(entry.updated_at),
                       static_cast<std::uint64_t>(entry.version)});
  return Crc32c({Head(ns_id, entry.key, entry.metadata).bytes(), entry.key, entry.metadata, tail.bytes()});
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
