// Lists over an index of keys that was damaged in the file: told, or found by verify().
#include <algorithm>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <random>

#include "exec/store_fixture.h"
#include "sqlite/btree_page.h"

namespace hypha {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kPage = 4096;

class DamagedKeysTest : public test::StoreFixture {
 protected:
  void SetUp() override {
    {
      test::Share store = Open();
      std::vector<WriteOp> ops;
      for (const char* ns : {"animals", "people", "zoo"}) {
        for (int i = 0; i < 400; ++i) ops.push_back(test::SetOp("user:" + std::to_string(1000 + 10 * i), "1", ns));
      }
      ASSERT_TRUE(store.Write(std::move(ops)).status.ok());
    }
    const auto db = test::Open(test::FileOptions(dir_.File(), Role::kReader));
    id_ = static_cast<char>(db->QueryInteger("SELECT id FROM hypha_namespaces WHERE name = 'people'").value());
    std::ifstream in(dir_.File(), std::ios::binary);
    sound_.assign(std::istreambuf_iterator<char>(in), {});
    for (std::size_t page = 0; page < sound_.size(); page += kPage) {
      const bool leaf = sound_[page] == 10;
      if (leaf && sound_.substr(page, kPage).find("user:") != std::string::npos) leaves_.push_back(page);
    }
    ASSERT_GE(leaves_.size(), 3U);
    test::Share store = Open();
    good_ = Keys(store).value();
    ASSERT_EQ(good_.size(), 400U);
    ASSERT_TRUE(IsSound(store));
  }

  void Write(const std::string& image) {
    std::ofstream(dir_.File(), std::ios::binary | std::ios::trunc)
        .write(image.data(), static_cast<std::streamsize>(image.size()));
  }

  // Where the index has this key of namespace "people", whose id stands in the byte before it. Among the cells: beside
  // them a page has remains of older ones.
  std::size_t PlaceOf(const std::string& key) const {
    for (const std::size_t page : leaves_) {
      const std::uint32_t cells = btree::ReadU16(&sound_[page + 3]);
      for (std::uint32_t i = 0; i < cells; ++i) {
        constexpr std::size_t kBeforeKey = 6;  // lengths, types, namespace
        const std::size_t at = page + btree::ReadU16(&sound_[page + 8 + 2 * i]) + kBeforeKey;
        if (sound_.compare(at, key.size(), key) == 0 && sound_[at - 1] == id_) return at;
      }
    }
    ADD_FAILURE() << key << " is not in the index";
    return 0;
  }

  static Result<std::vector<std::string>> Keys(test::Share& store, ListSpec spec = {}) {
    spec.ns = "people";
    auto reply = store.Read(spec);
    if (!reply.ok()) return reply.status();
    std::vector<std::string> keys;
    for (const auto& chunk : std::get<JsonChunks>(reply.value())) {
      for (const auto& key : Json::parse(chunk)) keys.push_back(key.get<std::string>());
    }
    return keys;
  }

  static bool IsSound(test::Share& store) {
    auto report = store.engine().Verify(true, {});
    return report.ok() && Json::parse(report.value())["ok"] == true;
  }

  // Changes bytes from this key on, and lists.
  void ExpectTold(const std::string& key, std::ptrdiff_t offset, char byte, const ListSpec& spec = {}) {
    std::string damaged = sound_;
    damaged[PlaceOf(key) + static_cast<std::size_t>(offset)] = byte;
    Write(damaged);
    test::Share store = Open();
    const Status status = Keys(store, spec).status();
    EXPECT_EQ(status.code(), Code::kCorrupt) << key << " " << offset;
    EXPECT_NE(status.message().find("\"people\""), std::string::npos) << status.message();
    EXPECT_FALSE(IsSound(store)) << key << " " << offset;
  }

  char id_ = 0;  // of the namespace "people"
  std::string sound_;
  std::vector<std::size_t> leaves_;  // of the index
  std::vector<std::string> good_;
};

TEST_F(DamagedKeysTest, AKeyOutOfOrder) {
  ExpectTold("user:3000", 5, '9');
  ExpectTold("user:3000", 5, '1');
  ExpectTold("user:3000", 7, '1');  // the key after it
}

TEST_F(DamagedKeysTest, AKeyThatIsNoText) {
  ExpectTold("user:4990", 8, '\xb0');
  ExpectTold("user:3000", 8, '\xb0', [] {
    ListSpec spec;
    spec.after = "user:2990";
    spec.limit = 1;
    return spec;
  }());
}

TEST_F(DamagedKeysTest, AnEntryOfAnotherLength) {
  ExpectTold("user:3000", -3, 13 + 2 * 8);  // the type of the text: one byte less
  ExpectTold("user:3000", -3, 13 + 2 * 10);
  ExpectTold("user:3000", -2, 7);  // the type of the rowid: no integer
}

TEST_F(DamagedKeysTest, AnEntryOfAnotherNamespace) {
  ExpectTold("user:3000", -1, static_cast<char>(id_ - 1));
  ExpectTold("user:3000", -1, static_cast<char>(id_ + 1));
  ExpectTold("user:3000", -1, 127);
}

TEST_F(DamagedKeysTest, AKeyBeyondTheRange) {
  ListSpec spec;
  spec.prefix = "user:30";
  ExpectTold("user:3000", 6, '9', spec);
}

// All entries of another namespace would be right, and none of them this one's.
TEST_F(DamagedKeysTest, ANameThatLeadsToAnotherNamespace) {
  std::size_t at = std::string::npos;
  for (std::size_t page = 0; page < sound_.size(); page += kPage) {
    const std::size_t found = sound_.find(std::string("people") + id_, page);
    if (sound_[page] == 10 && found < page + kPage) at = found + 6;
  }
  ASSERT_NE(at, std::string::npos);
  std::string damaged = sound_;
  damaged[at] = static_cast<char>(id_ + 1);
  Write(damaged);
  test::Share store = Open();
  EXPECT_EQ(Keys(store).status().code(), Code::kCorrupt);
  EXPECT_NE(store.Get("user:1000", "people").find("\"people\" leads to another one"), std::string::npos);
  EXPECT_EQ(store.Set("new", "1", "people").code(), Code::kCorrupt);
  EXPECT_EQ(store.Get("user:1000", "zoo"), "1");
  EXPECT_FALSE(IsSound(store));
}

// The order does not tell a key that is still between its neighbours: verify() does, as all that was changed.
TEST_F(DamagedKeysTest, WhatAListDoesNotSeeVerifyDoes) {
  std::string damaged = sound_;
  damaged[PlaceOf("user:3000") + 8] = '4';
  Write(damaged);
  {
    test::Share store = Open();
    const auto keys = Keys(store);
    ASSERT_TRUE(keys.ok()) << keys.status().message();
    EXPECT_EQ(std::count(keys.value().begin(), keys.value().end(), "user:3004"), 1);
    EXPECT_NE(store.Get("user:3004", "people").find("does not have the checksum"), std::string::npos)
        << store.Get("user:3004", "people");
    EXPECT_FALSE(IsSound(store));
  }
  std::mt19937 random(test::Seed());
  int told = 0;
  int unseen = 0;
  for (int i = 0; i < 150; ++i) {
    damaged = sound_;
    const std::size_t at = leaves_[random() % leaves_.size()] + random() % kPage;
    damaged[at] = static_cast<char>(damaged[at] ^ (1U << random() % 8));
    Write(damaged);
    test::Share store = Open();
    const auto keys = Keys(store);
    if (!keys.ok()) {
      ++told;
      EXPECT_EQ(keys.status().code(), Code::kCorrupt) << at << keys.status().message();
    } else if (keys.value() != good_) {
      ++unseen;
      EXPECT_FALSE(IsSound(store)) << at;
    }
  }
  EXPECT_GT(told, 0);
  std::printf("%d told, %d seen by verify() alone\n", told, unseen);
}

}  // namespace
}  // namespace hypha
