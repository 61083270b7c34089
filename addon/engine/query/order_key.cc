#include "query/order_key.h"

#include <bit>
#include <cstdint>

namespace hypha {
namespace {

std::string NumberKey(double number) {
  constexpr std::uint64_t kSign = std::uint64_t{1} << 63;
  auto bits = std::bit_cast<std::uint64_t>(number == 0 ? 0.0 : number);
  bits = (bits & kSign) != 0 ? ~bits : bits | kSign;
  std::string key(1, order_tag::kNumber);
  for (int shift = 56; shift >= 0; shift -= 8) key.push_back(static_cast<char>(bits >> shift));
  return key;
}

void AppendUnit(std::string& key, unsigned unit) {
  key.push_back(static_cast<char>(0xE0 | (unit >> 12)));
  key.push_back(static_cast<char>(0x80 | ((unit >> 6) & 63)));
  key.push_back(static_cast<char>(0x80 | (unit & 63)));
}

// WTF-8 differs from CESU-8 only in characters of four bytes, which become their two surrogates.
std::string StringKey(std::string_view text) {
  std::string key(1, order_tag::kString);
  key.reserve(text.size() + 1);
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = [&](std::size_t n) {
      return static_cast<unsigned>(static_cast<unsigned char>(text[i + n])) & 63;
    };
    if (static_cast<unsigned char>(text[i]) < 0xF0 || i + 3 >= text.size()) {
      key.push_back(text[i]);
      continue;
    }
    const unsigned code = (((byte(0) & 7) << 18) | (byte(1) << 12) | (byte(2) << 6) | byte(3)) - 0x10000;
    AppendUnit(key, 0xD800 + (code >> 10));
    AppendUnit(key, 0xDC00 + (code & 0x3FF));
    i += 3;
  }
  return key;
}

}  // namespace

std::string OrderKey(const js::Primitive& primitive) {
  switch (primitive.tag) {
    case js::Primitive::Tag::kUndefined: break;
    case js::Primitive::Tag::kNull: return std::string(1, order_tag::kNull);
    case js::Primitive::Tag::kBoolean: return std::string(1, primitive.boolean ? order_tag::kTrue : order_tag::kFalse);
    case js::Primitive::Tag::kNumber: return NumberKey(primitive.number);
    case js::Primitive::Tag::kString: return StringKey(primitive.text);
  }
  return {};
}

std::string OrderKey(const SortValue& value) {
  switch (value.rank) {
    case SortValue::Rank::kNumber: return NumberKey(value.number);
    case SortValue::Rank::kString: return StringKey(value.text);
    case SortValue::Rank::kBoolean: return std::string(1, value.number != 0 ? order_tag::kTrue : order_tag::kFalse);
    case SortValue::Rank::kComposite: return std::string(1, order_tag::kComposite);
    case SortValue::Rank::kMissing: break;
  }
  return std::string(1, order_tag::kNull);
}

std::string OrderKey(const js::Value& value) {
  std::string scratch;
  const auto primitive = js::AsPrimitive(value, &scratch);
  return primitive ? OrderKey(*primitive) : std::string(1, order_tag::kComposite);
}

}  // namespace hypha
