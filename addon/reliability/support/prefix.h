// Which of a client's units a content holds: since its requests commit in the order of its calls, a prefix.
#pragma once

#include <cstdint>
#include <string>

#include "support/ledger.h"
#include "support/units.h"

namespace hypha::reliability {

// What one client did in one process.
struct ClientRun {
  const Ledger& ledger;
  const Content& start;  // what it had before
  std::uint64_t seed = 0;
  int client = 0;
  std::uint64_t first = 0;  // the number of its first unit
  std::uint64_t asked = 0;
};

struct PrefixMatch {
  bool matches = false;
  std::uint64_t units = 0;  // of the first prefix that matches
  std::string difference;   // of the first one that does not, for a person
};

// Of the prefixes with at least `certain` units the first one that leaves `found`. Units that failed leave nothing.
PrefixMatch FindPrefix(const ClientRun& run, std::uint64_t certain, const Content& found);

// The entries in the namespaces of the client.
Content ContentOfClient(const Content& all, int client);

}  // namespace hypha::reliability
