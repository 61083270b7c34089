// Order keys: bytes whose memcmp order is the contract's order of values. What an index stores.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "query/js_value.h"
#include "query/sort_value.h"

namespace hypha {

// One tag byte, then: of a number its eight bytes, big-endian, sign-adjusted (-0 as 0); of a string its UTF-16 code
// units in the three-byte form of UTF-8 (CESU-8), whose byte order is the order of the units; of the rest nothing.
namespace order_tag {
inline constexpr char kNumber = 0x10;
inline constexpr char kString = 0x20;
inline constexpr char kFalse = 0x30;
inline constexpr char kTrue = 0x31;
inline constexpr char kComposite = 0x40;  // objects and arrays tie
inline constexpr char kNull = 0x50;
// null, where the metadata has another value of that name: filters see null, sorting sees the metadata.
inline constexpr char kNullOverMetadata = 0x51;
inline constexpr char kEnd = 0x60;
}  // namespace order_tag

// Two values that are === have one key. kUndefined has none: an empty string.
std::string OrderKey(const js::Primitive& primitive);
std::string OrderKey(const js::Value& value);
// Of a sort value; what is missing sorts as null.
std::string OrderKey(const SortValue& value);

}  // namespace hypha
