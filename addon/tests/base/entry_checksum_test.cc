#include "base/entry_checksum.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

#include "support/databases.h"

namespace hypha {
namespace {

struct Row {
  std::int64_t ns_id = 7;
  std::string key = "user:1";
  std::string value = R"({"name":"Ada","age":36})";
  std::string metadata = R"({"tag":"x"})";
  std::int64_t created_at = 1'700'000'000'000;
  std::int64_t updated_at = 1'700'000'000'123;
  std::int64_t version = 42;

  EntryView View() const { return {key, value, metadata, created_at, updated_at, version}; }
  std::int64_t Checksum() const { return EntryChecksum(ns_id, View()); }
};

// Calls `check` with each row that differs from `row` in one bit, and whether the value's half covers that bit.
template <class Check>
void FlipEveryBit(Row row, Check check) {
  const auto text = [&](std::string& field, bool in_value_half, bool in_attributes_half) {
    for (std::size_t bit = 0; bit < field.size() * 8; ++bit) {
      const auto mask = static_cast<char>(1U << (bit % 8));
      field[bit / 8] = static_cast<char>(field[bit / 8] ^ mask);
      check(row, in_value_half, in_attributes_half);
      field[bit / 8] = static_cast<char>(field[bit / 8] ^ mask);
    }
  };
  const auto number = [&](std::int64_t& field, bool in_value_half) {
    for (int bit = 0; bit < 64; ++bit) {
      field = static_cast<std::int64_t>(static_cast<std::uint64_t>(field) ^ (1ULL << bit));
      check(row, in_value_half, true);
      field = static_cast<std::int64_t>(static_cast<std::uint64_t>(field) ^ (1ULL << bit));
    }
  };
  text(row.key, true, true);
  text(row.value, true, false);
  text(row.metadata, false, true);
  number(row.ns_id, true);
  number(row.created_at, false);
  number(row.updated_at, false);
  number(row.version, false);
}

TEST(EntryChecksum, EveryFlippedBitIsFoundByTheHalfThatCoversIt) {
  const Row row;
  const std::int64_t crc = row.Checksum();
  ASSERT_TRUE(IsEntryIntact(crc, row.ns_id, row.View()));
  int flips = 0;
  FlipEveryBit(row, [&](const Row& damaged, bool in_value_half, bool in_attributes_half) {
    ++flips;
    ASSERT_FALSE(IsEntryIntact(crc, damaged.ns_id, damaged.View()));
    ASSERT_EQ(IsValueIntact(crc, damaged.ns_id, damaged.key, damaged.value), !in_value_half);
    ASSERT_EQ(AreAttributesIntact(crc, damaged.ns_id, damaged.View()), !in_attributes_half);
  });
  EXPECT_EQ(flips, 8 * static_cast<int>(row.key.size() + row.value.size() + row.metadata.size()) + 4 * 64);
}

TEST(EntryChecksum, EveryFlippedBitOfTheChecksumIsFound) {
  const Row row;
  const std::int64_t crc = row.Checksum();
  for (int bit = 0; bit < 64; ++bit) {
    const auto flipped = static_cast<std::int64_t>(static_cast<std::uint64_t>(crc) ^ (1ULL << bit));
    EXPECT_FALSE(IsEntryIntact(flipped, row.ns_id, row.View())) << bit;
  }
}

TEST(EntryChecksum, TheBordersBetweenTheTextsCount) {
  Row row;
  const std::int64_t crc = row.Checksum();
  row.key.push_back(row.value.front());
  row.value.erase(0, 1);
  EXPECT_FALSE(IsValueIntact(crc, row.ns_id, row.key, row.value));
  EXPECT_FALSE(AreAttributesIntact(crc, row.ns_id, row.View()));
}

EntryChange NewValue(const Row& row, std::string_view value) {
  return {row.ns_id, row.key, ValueChecksum(row.ns_id, row.key, value), std::nullopt, row.updated_at + 1, 43};
}

TEST(EntryChecksum, AChangeGivesWhatTheWholeNewRowWouldHave) {
  Row row;
  const std::int64_t before = row.Checksum();
  const Row old = row;
  row.value = "2";
  row.updated_at += 1;
  row.version = 43;
  EXPECT_EQ(ChangedChecksum(before, old.View(), NewValue(old, "2")), row.Checksum());

  EntryChange both = NewValue(old, "2");
  both.metadata = R"({"tag":"longer than before"})";
  row.metadata = *both.metadata;
  EXPECT_EQ(ChangedChecksum(before, old.View(), both), row.Checksum());
  // A row without one gets one with its next value.
  EXPECT_EQ(ChangedChecksum(std::nullopt, old.View(), both), row.Checksum());

  both.value_half.reset();
  row.value = old.value;
  EXPECT_EQ(ChangedChecksum(before, old.View(), both), row.Checksum());
  EXPECT_EQ(ChangedChecksum(std::nullopt, old.View(), both), std::nullopt) << "nobody vouches for the value";
}

// Otherwise a set() would make a new, valid checksum over metadata or a creation time that had rotted before.
TEST(EntryChecksum, AChangeDoesNotVouchForDamageInWhatItKeeps) {
  const Row row;
  const std::int64_t crc = row.Checksum();
  FlipEveryBit(row, [&](const Row& damaged, bool /*in_value_half*/, bool in_attributes_half) {
    if (damaged.key != row.key || damaged.ns_id != row.ns_id) return;  // a change names them itself
    const auto changed = ChangedChecksum(crc, damaged.View(), NewValue(row, "2"));
    Row after = damaged;
    after.value = "2";
    after.updated_at = row.updated_at + 1;
    after.version = 43;
    ASSERT_TRUE(IsValueIntact(*changed, after.ns_id, after.key, after.value));
    ASSERT_EQ(AreAttributesIntact(*changed, after.ns_id, after.View()), !in_attributes_half);
  });
}

// What a set() without metadata takes, in place of ChangedChecksum().
TEST(EntryChecksum, TheNextOneIsThatOfTheChangeWhateverIsDamaged) {
  const Row row;
  const std::int64_t crc = row.Checksum();
  const Stamp now{row.updated_at + 1, 43};
  const std::int64_t of_new_value = JoinChecksum(0x12345678, ValueChecksum(row.ns_id, row.key, "2"));
  FlipEveryBit(row, [&](const Row& damaged, bool /*in_value_half*/, bool /*in_attributes_half*/) {
    if (damaged.key != row.key || damaged.ns_id != row.ns_id) return;
    const std::int64_t next = NextChecksum(crc, {damaged.updated_at, damaged.version}, of_new_value, now);
    ASSERT_EQ(next, ChangedChecksum(crc, damaged.View(), NewValue(row, "2")));
  });
  for (int bit = 0; bit < 64; ++bit) {
    const auto flipped = static_cast<std::int64_t>(static_cast<std::uint64_t>(crc) ^ (1ULL << bit));
    ASSERT_EQ(NextChecksum(flipped, {row.updated_at, row.version}, of_new_value, now),
              ChangedChecksum(flipped, row.View(), NewValue(row, "2")));
  }
}

TEST(EntryChecksum, TheReportNamesTheEntryAndNotItsValue) {
  const Status status = DamagedEntry("users", "ada");
  EXPECT_EQ(status.code(), Code::kCorrupt);
  EXPECT_NE(status.message().find("\"ada\""), std::string::npos);
  EXPECT_NE(status.message().find("\"users\""), std::string::npos);
}

// A file may be read on another machine. The number was computed apart from this code, from the layout in the decision.
TEST(EntryChecksum, IsTheSameEverywhere) {
  const Row row;
  EXPECT_EQ(row.Checksum(), -651780242317206500);
}

}  // namespace
}  // namespace hypha
