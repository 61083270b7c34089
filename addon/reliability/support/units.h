// What the clients of the programme write, and what a store must hold afterwards. A unit is one request or one
// transaction, all or nothing, made from (seed, client, index) alone: whoever checks makes it again.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "hypha/types.h"

namespace hypha::reliability {

struct Stored {
  std::string value;
  std::string metadata;
  bool operator==(const Stored&) const = default;
};
// By namespace and key.
using Content = std::map<std::pair<std::string, std::string>, Stored>;

struct Unit {
  enum class Shape : std::uint8_t { kRequest, kTransaction };
  Shape shape = Shape::kRequest;
  std::vector<WriteOp> ops;
  bool atomic = false;
  bool rolls_back = false;  // a transaction that its client rolls back, or a request that one of its operations fails
  bool has_stamp = false;   // sets the key `stamp` in both namespaces of the client to its index
};

// Each client has the namespaces a<client>, b<client> and t<client> to itself.
Unit MakeUnit(std::uint64_t seed, int client, std::uint64_t index);

// What the unit, committed, makes of `content`; nothing if it rolls back.
void ApplyUnit(const Unit& unit, Content* content);

// How two contents differ, in a line for a person; empty when they do not.
std::string Difference(const Content& expected, const Content& found);

std::string NamespaceOf(char letter, int client);

}  // namespace hypha::reliability
