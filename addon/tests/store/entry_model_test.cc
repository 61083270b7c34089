// EntryWriter and EntryReader against a model: random operations on a map of maps.
#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <random>

#include "sqlite/transaction.h"
#include "store/entry_reader.h"
#include "store/entry_writer.h"
#include "support/databases.h"

namespace hypha {
namespace {

using Json = nlohmann::json;

struct ModelEntry {
  std::string value;
  std::optional<Json> metadata;
  std::int64_t version = 0;
};
struct ModelNamespace {
  bool is_explicit = false;
  std::map<std::string, ModelEntry> entries;
};

class Model {
 public:
  // What Apply() must answer, and its effect.
  Code Apply(const WriteOp& op, std::int64_t version) {
    switch (op.kind) {
      case WriteKind::kSet: return Set(op, version);
      case WriteKind::kDelete: return Delete(op);
      case WriteKind::kSetMetadata:
      case WriteKind::kMergeMetadata: return SetMetadata(op, version);
      case WriteKind::kCreateNamespace:
        if (op.ns == kDefaultNamespace || (spaces.count(op.ns) != 0 && spaces[op.ns].is_explicit))
          return Code::kNamespaceExists;
        spaces[op.ns].is_explicit = true;
        return Code::kOk;
      case WriteKind::kDeleteNamespace:
        if (op.ns == kDefaultNamespace) return Code::kNamespaceReserved;
        if (spaces.count(op.ns) == 0) return Code::kNamespaceNotFound;
        if (!op.recursive && !spaces[op.ns].entries.empty()) return Code::kNamespaceNotEmpty;
        spaces.erase(op.ns);
        return Code::kOk;
      case WriteKind::kClear:
        for (auto& [name, space] : spaces) {
          if (op.all || name == op.ns) space.entries.clear();
        }
        return Code::kOk;
      default: break;
    }
    return Code::kInternal;
  }
  const ModelEntry* Find(const std::string& ns, const std::string& key) const {
    const auto space = spaces.find(ns);
    if (space == spaces.end()) return nullptr;
    const auto entry = space->second.entries.find(key);
    return entry == space->second.entries.end() ? nullptr : &entry->second;
  }

  std::map<std::string, ModelNamespace> spaces;

 private:
  Code Set(const WriteOp& op, std::int64_t version) {
    const ModelEntry* old = Find(op.ns, op.key);
    if (op.if_version && *op.if_version != (old == nullptr ? 0 : old->version)) return Code::kConflict;
    if (!op.if_version && !op.overwrite && old != nullptr) return Code::kExists;
    ModelEntry& entry = spaces[op.ns].entries[op.key];
    entry.value = op.value;
    entry.version = version;
    if (op.metadata) entry.metadata = Json::parse(*op.metadata);
    return Code::kOk;
  }
  Code Delete(const WriteOp& op) {
    const ModelEntry* old = Find(op.ns, op.key);
    if (op.if_version && (old == nullptr || old->version != *op.if_version)) return Code::kConflict;
    if (old != nullptr) spaces[op.ns].entries.erase(op.key);
    return Code::kOk;
  }
  Code SetMetadata(const WriteOp& op, std::int64_t version) {
    if (Find(op.ns, op.key) == nullptr) return Code::kNotFound;
    ModelEntry& entry = spaces[op.ns].entries[op.key];
    const Json given = Json::parse(*op.metadata);
    if (op.kind == WriteKind::kSetMetadata || !entry.metadata) entry.metadata = Json::object();
    entry.metadata->update(given);
    entry.version = version;
    return Code::kOk;
  }
};

class EntryModelTest : public ::testing::Test {
 protected:
  EntryModelTest()
      : db_(test::OpenFreshMemory()),
        statements_(*db_),
        writer_(statements_, hooks_),
        reader_(statements_, writer_.namespaces()),
        random_(test::Seed()) {}

  std::size_t Below(std::size_t n) { return random_() % n; }
  std::string Key() {
    static const std::vector<std::string> kKeys{"a",
                                                "ab",
                                                "abc",
                                                "b",
                                                "a*c",
                                                "A",
                                                "a%",
                                                std::string("a\0b", 3),
                                                std::string("\0", 1),
                                                "\xe6\x95\xb0\xe6\x8d\xae",
                                                "\xf0\x9f\x98\x80",
                                                "\xf4\x8f\xbf\xbf",
                                                "zz",
                                                "a/b/c"};
    return kKeys[Below(kKeys.size())];
  }
  std::string Ns() { return std::vector<std::string>{"default", "one", "two", "\xe7\xa9\xba"}[Below(4)]; }

  WriteOp RandomOp() {
    WriteOp op = test::Op(WriteKind::kSet, Ns(), Key());
    const std::size_t dice = Below(100);
    if (dice < 60) {
      op.value = Below(50) == 0 ? "\"" + std::string(100'000, 'v') + "\"" : std::to_string(random_());
      op.overwrite = Below(3) != 0;
      if (Below(4) == 0) op.if_version = PlausibleVersion(op);
      if (Below(3) == 0) op.metadata = "{\"m" + std::to_string(Below(3)) + "\":" + std::to_string(Below(9)) + "}";
    } else if (dice < 78) {
      op.kind = WriteKind::kDelete;
      if (Below(4) == 0) op.if_version = PlausibleVersion(op);
    } else if (dice < 92) {
      op.kind = Below(2) == 0 ? WriteKind::kSetMetadata : WriteKind::kMergeMetadata;
      op.metadata = "{\"m" + std::to_string(Below(3)) + "\":true}";
    } else if (dice < 95) {
      op.kind = WriteKind::kCreateNamespace;
    } else if (dice < 98) {
      op.kind = WriteKind::kDeleteNamespace;
      op.recursive = Below(2) == 0;
    } else {
      op.kind = WriteKind::kClear;
      op.all = Below(4) == 0;
    }
    return op;
  }
  std::int64_t PlausibleVersion(const WriteOp& op) {
    const ModelEntry* old = model_.Find(op.ns, op.key);
    return old == nullptr || Below(3) == 0 ? static_cast<std::int64_t>(Below(3)) : old->version;
  }

  void ExpectSame() {
    std::vector<std::string> names;
    for (const auto& [name, space] : model_.spaces) {
      names.push_back(name);
      EXPECT_EQ(reader_.GetNamespace(name).value()->is_explicit, space.is_explicit);
      EXPECT_EQ(reader_.Count(name).value(), static_cast<std::int64_t>(space.entries.size()));
      for (const auto& [key, entry] : space.entries) {
        const auto found = reader_.GetEntry(name, key).value();
        ASSERT_TRUE(found) << name << "/" << key;
        EXPECT_EQ(found->value, entry.value);
        EXPECT_EQ(found->version, entry.version);
        EXPECT_EQ(found->metadata.empty(), !entry.metadata.has_value());
        if (entry.metadata) {
          EXPECT_EQ(Json::parse(found->metadata), *entry.metadata);
        }
      }
    }
    EXPECT_EQ(reader_.NamespaceNames().value(), names);
  }

  // The model's answer to List().
  std::vector<std::string> ModelList(const ListSpec& spec) {
    std::vector<std::string> keys;
    const auto space = model_.spaces.find(spec.ns);
    if (space == model_.spaces.end()) return keys;
    std::int64_t skip = spec.offset;
    for (const auto& [key, entry] : space->second.entries) {
      if (spec.prefix && key.compare(0, spec.prefix->size(), *spec.prefix) != 0) continue;
      if (spec.after && key <= *spec.after) continue;
      if (spec.pattern && !Matches(key, *spec.pattern)) continue;
      if (skip-- > 0) continue;
      if (spec.limit && static_cast<std::int64_t>(keys.size()) >= *spec.limit) break;
      keys.push_back(key);
    }
    return keys;
  }
  // The definition: a star is any run.
  static bool Matches(std::string_view text, std::string_view pattern) {
    if (pattern.empty()) return text.empty();
    if (pattern.front() != '*')
      return !text.empty() && text.front() == pattern.front() && Matches(text.substr(1), pattern.substr(1));
    for (std::size_t i = 0; i <= text.size(); ++i) {
      if (Matches(text.substr(i), pattern.substr(1))) return true;
    }
    return false;
  }
  std::vector<std::string> List(const ListSpec& spec) {
    std::vector<std::string> keys;
    const auto chunks = reader_.List(spec, 1 << 30);
    for (const auto& chunk : chunks.value()) {
      for (const auto& key : Json::parse(chunk)) keys.push_back(key);
    }
    return keys;
  }

  Hooks hooks_;
  std::unique_ptr<Connection> db_;
  KvStatements statements_;
  EntryWriter writer_;
  EntryReader reader_;
  std::mt19937 random_;
  Model model_;
};

TEST_F(EntryModelTest, RandomOperationsAgreeWithTheModel) {
  std::int64_t newest = 0;
  for (int round = 0; round < 60; ++round) {
    auto transaction = Transaction::Begin(*db_);
    ASSERT_TRUE(transaction.ok());
    writer_.OnBegin();
    const Model before = model_;
    const std::size_t count = Below(40);
    for (std::size_t i = 0; i < count; ++i) {
      const WriteOp op = RandomOp();
      const WriteOutcome outcome = writer_.Apply(op);
      ASSERT_EQ(outcome.status.code(), model_.Apply(op, outcome.version))
          << static_cast<int>(op.kind) << " " << op.ns << "/" << op.key << ": " << outcome.status.message();
      if (outcome.version != 0) {
        EXPECT_GT(outcome.version, newest);
        newest = outcome.version;
      }
    }
    ExpectSame();
    if (Below(4) == 0) {
      { const Transaction dropped = std::move(transaction.value()); }
      writer_.OnRollback();
      model_ = before;
      newest = 0;  // versions of what was rolled back may come again
      for (const auto& [name, space] : model_.spaces) {
        for (const auto& [key, entry] : space.entries) newest = std::max(newest, entry.version);
      }
    } else {
      ASSERT_TRUE(std::move(transaction.value()).Commit().ok());
      writer_.OnCommit();
    }
    ExpectSame();
  }
}

TEST_F(EntryModelTest, ListsAgreeWithTheModel) {
  auto transaction = Transaction::Begin(*db_);
  for (int i = 0; i < 60; ++i) {
    WriteOp op = test::SetOp(Key() + (Below(2) == 0 ? Key() : ""), "1", Below(5) == 0 ? "one" : "default");
    const WriteOutcome outcome = writer_.Apply(op);
    ASSERT_EQ(outcome.status.code(), model_.Apply(op, outcome.version));
  }
  const std::vector<std::string> patterns{"*",
                                          "a*",
                                          "*a",
                                          "*b*",
                                          "a*c",
                                          "a",
                                          "",
                                          "**",
                                          "a**",
                                          "A*",
                                          "%",
                                          "a%*",
                                          "\xe6\x95\xb0*",
                                          "*\xf0\x9f\x98\x80*",
                                          std::string("a\0*", 3),
                                          "zz*zz",
                                          "*/*"};
  for (int i = 0; i < 3000; ++i) {
    ListSpec spec;
    spec.ns = Below(6) == 0 ? "one" : Below(20) == 0 ? "none" : "default";
    if (Below(2) == 0) spec.pattern = patterns[Below(patterns.size())];
    if (Below(3) == 0) spec.prefix = Key().substr(0, 1 + Below(3));
    if (Below(3) == 0) spec.after = Key();
    if (Below(2) == 0) spec.limit = static_cast<std::int64_t>(Below(5));
    spec.offset = Below(2) == 0 ? static_cast<std::int64_t>(Below(5)) : 0;
    // A prefix cut inside a character is not one that JavaScript could give.
    if (spec.prefix && static_cast<unsigned char>(spec.prefix->back()) >= 0x80) spec.prefix.reset();
    ASSERT_EQ(List(spec), ModelList(spec))
        << spec.pattern.value_or("(no pattern)") << " prefix " << spec.prefix.value_or("(none)") << " after "
        << spec.after.value_or("(none)");
  }
}

}  // namespace
}  // namespace hypha
