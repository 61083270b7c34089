#include "query/position.h"

#include <bit>
#include <cstdint>

namespace hypha {
namespace {

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

std::string ToBase64(std::string_view bytes) {
  std::string out;
  unsigned buffer = 0;
  int bits = 0;
  for (const char c : bytes) {
    buffer = (buffer << 8) | static_cast<unsigned char>(c);
    for (bits += 8; bits >= 6; bits -= 6) out.push_back(kAlphabet[(buffer >> (bits - 6)) & 63]);
  }
  if (bits > 0) out.push_back(kAlphabet[(buffer << (6 - bits)) & 63]);
  return out;
}

std::optional<std::string> FromBase64(std::string_view text) {
  std::string out;
  unsigned buffer = 0;
  int bits = 0;
  for (const char c : text) {
    const auto value = kAlphabet.find(c);
    if (value == std::string_view::npos) return std::nullopt;
    buffer = (buffer << 6) | static_cast<unsigned>(value);
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    out.push_back(static_cast<char>(buffer >> bits));
  }
  return out;
}

void AppendNumber(std::string& out, std::uint64_t number) {
  for (int shift = 56; shift >= 0; shift -= 8) out.push_back(static_cast<char>(number >> shift));
}

bool TakeNumber(std::string_view& in, std::uint64_t* number) {
  if (in.size() < 8) return false;
  *number = 0;
  for (int i = 0; i < 8; ++i) *number = (*number << 8) | static_cast<unsigned char>(in[static_cast<std::size_t>(i)]);
  in.remove_prefix(8);
  return true;
}

bool TakeValue(std::string_view& in, SortValue* value) {
  if (in.empty() || static_cast<unsigned char>(in[0]) > static_cast<unsigned char>(SortValue::Rank::kMissing))
    return false;
  value->rank = static_cast<SortValue::Rank>(in[0]);
  in.remove_prefix(1);
  std::uint64_t number = 0;
  if (!TakeNumber(in, &number)) return false;
  if (value->rank != SortValue::Rank::kString) {
    value->number = std::bit_cast<double>(number);
    return true;
  }
  if (number > in.size()) return false;
  value->text = in.substr(0, number);
  in.remove_prefix(number);
  return true;
}

}  // namespace

std::string EncodePosition(std::span<const SortValue> sort, std::string_view key) {
  std::string bytes;
  for (const auto& value : sort) {
    bytes.push_back(static_cast<char>(value.rank));
    const bool text = value.rank == SortValue::Rank::kString;
    AppendNumber(bytes, text ? value.text.size() : std::bit_cast<std::uint64_t>(value.number));
    if (text) bytes += value.text;
  }
  bytes += key;
  return ToBase64(bytes);
}

std::optional<Position> DecodePosition(std::string_view cursor, std::size_t sort_keys) {
  const auto bytes = FromBase64(cursor);
  if (!bytes) return std::nullopt;
  Position position;
  position.sort.resize(sort_keys);
  std::string_view in = *bytes;
  for (auto& value : position.sort) {
    if (!TakeValue(in, &value)) return std::nullopt;
  }
  if (in.empty()) return std::nullopt;
  position.key = in;
  return position;
}

}  // namespace hypha
