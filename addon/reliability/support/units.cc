#include "support/units.h"

#include <cstdio>
#include <cstdlib>
#include <functional>

#include "support/random.h"

namespace hypha::reliability {
namespace {

constexpr int kKeys = 12;

WriteOp Op(WriteKind kind, const std::string& ns, const std::string& key, std::string value = {}) {
  WriteOp op;
  op.kind = kind;
  op.ns = ns;
  op.key = key;
  op.value = std::move(value);
  return op;
}

std::string Hex(std::uint64_t number) {
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(number));
  return text;
}

// The unit's name and a hash of its payload; a torn value would not be the one that the checker makes again.
std::string Value(Random& random, int client, std::uint64_t index) {
  std::size_t length = 10 + random.Below(300);
  if (random.OneIn(20)) length = 4000 + random.Below(20'000);
  const std::uint64_t pattern = random.Next();
  std::string payload;
  payload.reserve(length + 16);
  while (payload.size() < length) payload += Hex(pattern + payload.size());
  const std::string hash = Hex(std::hash<std::string>{}(payload));
  return "{\"c\":" + std::to_string(client) + ",\"i\":" + std::to_string(index) + ",\"h\":\"" + hash + "\",\"p\":\"" +
         payload + "\"}";
}

WriteOp SetOne(Random& random, const std::string& ns, int client, std::uint64_t index) {
  WriteOp op = Op(WriteKind::kSet, ns, "k" + std::to_string(random.Below(kKeys)), Value(random, client, index));
  if (random.OneIn(4)) op.metadata = "{\"i\":" + std::to_string(index) + "}";
  return op;
}

// Fails always: no entry ever has this version.
WriteOp Poison(const std::string& ns, WriteKind kind = WriteKind::kDelete) {
  WriteOp op = Op(kind, ns, "k0");
  op.if_version = 4'000'000'000'000;
  return op;
}

// Three to seven keys in two namespaces, a counter, and the same stamp on both sides.
void AddBatch(Random& random, int client, std::uint64_t index, Unit* unit) {
  const std::string a = NamespaceOf('a', client);
  const std::string b = NamespaceOf('b', client);
  const std::uint64_t count = 3 + random.Below(5);
  for (std::uint64_t i = 0; i < count; ++i) unit->ops.push_back(SetOne(random, i % 2 == 0 ? a : b, client, index));
  if (random.OneIn(3)) unit->ops.push_back(Op(WriteKind::kDelete, b, "k" + std::to_string(random.Below(kKeys))));
  WriteOp sum = Op(WriteKind::kEdit, a, "count", "1");
  sum.edit = EditKind::kSum;
  unit->ops.push_back(sum);
  unit->ops.push_back(Op(WriteKind::kSet, a, "stamp", std::to_string(index)));
  unit->ops.push_back(Op(WriteKind::kSet, b, "stamp", std::to_string(index)));
  unit->has_stamp = true;
  unit->atomic = true;
}

void ApplyOp(const WriteOp& op, Content* content) {
  const auto place = std::make_pair(op.ns, op.key);
  const auto erase_namespace = [&] {
    for (auto entry = content->begin(); entry != content->end();) {
      entry = entry->first.first == op.ns ? content->erase(entry) : std::next(entry);
    }
  };
  switch (op.kind) {
    case WriteKind::kSet:
      (*content)[place].value = op.value;
      if (op.metadata) (*content)[place].metadata = *op.metadata;
      break;
    case WriteKind::kDelete:
      if (!op.if_version) content->erase(place);
      break;
    case WriteKind::kEdit: {
      Stored& stored = (*content)[place];
      stored.value = std::to_string(std::atoll(stored.value.c_str()) + std::atoll(op.value.c_str()));
      break;
    }
    case WriteKind::kClear:
    case WriteKind::kDeleteNamespace: erase_namespace(); break;
    default: break;  // no content
  }
}

}  // namespace

std::string NamespaceOf(char letter, int client) { return letter + std::to_string(client); }

Unit MakeUnit(std::uint64_t seed, int client, std::uint64_t index) {
  Random random(seed, static_cast<std::uint64_t>(client) + 1, index);
  const std::string a = NamespaceOf('a', client);
  const std::string t = NamespaceOf('t', client);
  Unit unit;
  const std::uint64_t choice = random.Below(100);
  if (choice < 30) {
    unit.ops.push_back(SetOne(random, random.OneIn(4) ? t : a, client, index));
  } else if (choice < 55) {
    AddBatch(random, client, index, &unit);
  } else if (choice < 62) {  // an atomic request that fails in its middle
    AddBatch(random, client, index, &unit);
    unit.ops.insert(unit.ops.begin() + 2, SetOne(random, t, client, index));
    unit.ops.push_back(Poison(a, random.OneIn(3) ? WriteKind::kCheck : WriteKind::kDelete));
    unit.rolls_back = true;
  } else if (choice < 70) {  // each stands alone, and one fails
    for (int i = 0; i < 4; ++i) unit.ops.push_back(SetOne(random, i == 0 ? t : a, client, index));
    unit.ops.insert(unit.ops.begin() + 2, Poison(t));
  } else if (choice < 76) {
    unit.ops.push_back(Op(WriteKind::kDelete, a, "k" + std::to_string(random.Below(kKeys))));
  } else if (choice < 88) {
    AddBatch(random, client, index, &unit);
    unit.shape = Unit::Shape::kTransaction;
    unit.rolls_back = random.OneIn(4);
  } else if (choice < 92) {
    unit.ops.push_back(Op(random.OneIn(2) ? WriteKind::kClear : WriteKind::kDeleteNamespace, t, ""));
    unit.ops.back().recursive = true;
  } else if (choice < 96) {
    unit.ops.push_back(
        Op(random.OneIn(2) ? WriteKind::kCreateIndex : WriteKind::kDropIndex, a, "", "[{\"field\":\"i\"}]"));
  } else {  // a namespace that comes and goes inside one request
    unit.ops.push_back(Op(WriteKind::kSet, t, "x", Value(random, client, index)));
    unit.ops.push_back(Op(WriteKind::kClear, t, ""));
    unit.ops.push_back(SetOne(random, t, client, index));
    unit.atomic = true;
  }
  return unit;
}

void ApplyUnit(const Unit& unit, Content* content) {
  if (unit.rolls_back) return;
  Content at_savepoint;
  for (const auto& op : unit.ops) {
    if (op.kind == WriteKind::kSavepoint) at_savepoint = *content;
    if (op.kind == WriteKind::kRollbackTo) *content = at_savepoint;
    ApplyOp(op, content);
  }
}

std::string Difference(const Content& expected, const Content& found) {
  const auto name = [](const Content::value_type& entry) { return entry.first.first + "/" + entry.first.second; };
  const auto brief = [](const Stored& stored) { return stored.value.substr(0, 40) + "|" + stored.metadata; };
  for (const auto& entry : expected) {
    const auto other = found.find(entry.first);
    if (other == found.end()) return name(entry) + " is missing, expected " + brief(entry.second);
    if (!(other->second == entry.second)) {
      return name(entry) + " is " + brief(other->second) + ", expected " + brief(entry.second);
    }
  }
  for (const auto& entry : found) {
    if (expected.count(entry.first) == 0) return name(entry) + " should be absent, is " + brief(entry.second);
  }
  return "";
}

}  // namespace hypha::reliability
