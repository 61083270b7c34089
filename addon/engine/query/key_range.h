// Prefixes of keys as ranges of the key index.
#pragma once

#include <optional>
#include <string>

namespace hypha {

// The least byte string above every string that starts with `prefix`; none when there is no such string.
inline std::optional<std::string> PrefixEnd(std::string prefix) {
  while (!prefix.empty() && static_cast<unsigned char>(prefix.back()) == 0xFF) prefix.pop_back();
  if (prefix.empty()) return std::nullopt;
  prefix.back() = static_cast<char>(static_cast<unsigned char>(prefix.back()) + 1);
  return prefix;
}

}  // namespace hypha
