// Where a page ended: the sort values and the key of its last row, and their text form, the cursor.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "query/sort_value.h"

namespace hypha {

struct Position {
  std::vector<SortValue> sort;
  std::string key;
};

// Printable text that only DecodePosition() understands: base64url (RFC 4648) of, for each sort value, its rank and
// then its number, or its length and text; and last the key.
std::string EncodePosition(std::span<const SortValue> sort, std::string_view key);

// Nothing if the text was not made for `sort_keys` sort keys.
std::optional<Position> DecodePosition(std::string_view cursor, std::size_t sort_keys);

}  // namespace hypha
