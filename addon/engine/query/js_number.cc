#include "query/js_number.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>
#include <system_error>

namespace hypha::js {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// Length of the white space character `text` starts with, 0 if it starts with none.
std::size_t SpaceLength(std::string_view text) {
  const auto byte = [&](std::size_t i) -> unsigned { return static_cast<unsigned char>(text[i]); };
  if (text.empty()) return 0;
  if (byte(0) == ' ' || (byte(0) >= 0x09 && byte(0) <= 0x0d)) return 1;
  if (byte(0) < 0x80 || text.size() < 2) return 0;
  if (byte(0) == 0xc2) return byte(1) == 0xa0 ? 2 : 0;
  if (text.size() < 3) return 0;
  const unsigned code = byte(0) << 16 | byte(1) << 8 | byte(2);
  const bool is_space = code == 0xe19a80 || (code >= 0xe28080 && code <= 0xe2808a) || code == 0xe280a8 ||
                        code == 0xe280a9 || code == 0xe280af || code == 0xe2819f || code == 0xe38080 ||
                        code == 0xefbbbf;
  return is_space ? 3 : 0;
}

std::size_t TrailingSpaceLength(std::string_view text) {
  for (std::size_t length = 1; length <= 3 && length <= text.size(); ++length) {
    if (SpaceLength(text.substr(text.size() - length)) == length) return length;
  }
  return 0;
}

}  // namespace

std::string_view TrimSpace(std::string_view text) {
  while (const std::size_t length = SpaceLength(text)) text.remove_prefix(length);
  while (const std::size_t length = TrailingSpaceLength(text)) text.remove_suffix(length);
  return text;
}

namespace {

// Past the decimal digits at `at`.
std::size_t SkipDigits(std::string_view text, std::size_t at) {
  while (at < text.size() && IsDigit(text[at])) ++at;
  return at;
}

// Whether the text is digits with an optional point and exponent, one digit at least before the exponent.
bool IsUnsignedDecimal(std::string_view text) {
  std::size_t at = SkipDigits(text, 0);
  std::size_t digits = at;
  if (at < text.size() && text[at] == '.') {
    const std::size_t fraction = SkipDigits(text, at + 1);
    digits += fraction - at - 1;
    at = fraction;
  }
  if (digits == 0) return false;
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    if (at < text.size() && (text[at] == '+' || text[at] == '-')) ++at;
    const std::size_t exponent = SkipDigits(text, at);
    if (exponent == at) return false;
    at = exponent;
  }
  return at == text.size();
}

// Whether a decimal is 1 or more. REQUIRES: IsUnsignedDecimal(text).
bool IsAtLeastOne(std::string_view text) {
  const std::size_t mantissa_end = std::min(text.find_first_of("eE"), text.size());
  const std::string_view mantissa = text.substr(0, mantissa_end);
  const std::size_t first = mantissa.find_first_of("123456789");
  if (first == std::string_view::npos) return false;
  const auto point = static_cast<std::int64_t>(std::min(mantissa.find('.'), mantissa.size()));
  std::int64_t magnitude = point - static_cast<std::int64_t>(first);
  if (magnitude < 0) ++magnitude;
  std::int64_t exponent = 0;
  bool negative = false;
  for (const char c : text.substr(mantissa_end)) {
    if (c == '-') negative = true;
    if (IsDigit(c)) exponent = std::min<std::int64_t>(exponent * 10 + (c - '0'), std::int64_t{1} << 40);
  }
  return magnitude + (negative ? -exponent : exponent) > 0;
}

// REQUIRES: IsUnsignedDecimal(text).
double DecimalToDouble(std::string_view text) {
  double number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  if (parsed.ec == std::errc::result_out_of_range) return IsAtLeastOne(text) ? kInfinity : 0;
  return number;
}

int DigitValue(char c) {
  if (IsDigit(c)) return c - '0';
  const char lower = static_cast<char>(c | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : 36;
}

// Digits of `bits` bits each. 64 leading bits and one that says whether any later bit was set round as the whole would.
double BinaryToDouble(std::string_view digits, int bits) {
  std::uint64_t leading = 0;
  int dropped = 0;
  bool later_bits = false;
  for (const char c : digits) {
    const int value = DigitValue(c);
    if (value >= 1 << bits) return kNaN;
    for (int bit = bits - 1; bit >= 0; --bit) {
      const bool is_set = (value >> bit & 1) != 0;
      if (leading >> 63 == 0) {
        leading = leading << 1 | (is_set ? 1 : 0);
      } else {
        later_bits = later_bits || is_set;
        dropped = std::min(dropped + 1, 4096);
      }
    }
  }
  return std::ldexp(static_cast<double>(leading | (later_bits ? 1 : 0)), dropped);
}

std::string LayOutDigits(std::string_view digits, int point) {
  const int count = static_cast<int>(digits.size());
  const auto whole = static_cast<std::size_t>(std::max(point, 0));
  std::string text;
  if (count <= point && point <= 21) {
    text.append(digits).append(whole - digits.size(), '0');
  } else if (0 < point && point <= 21) {
    text.append(digits.substr(0, whole)).append(".").append(digits.substr(whole));
  } else if (-6 < point && point <= 0) {
    text.append("0.").append(static_cast<std::size_t>(-point), '0').append(digits);
  } else {
    text.append(digits.substr(0, 1));
    if (count > 1) text.append(".").append(digits.substr(1));
    text.append(point > 0 ? "e+" : "e-").append(std::to_string(std::abs(point - 1)));
  }
  return text;
}

}  // namespace

std::string NumberToString(double number) {
  if (std::isnan(number)) return "NaN";
  if (std::isinf(number)) return number > 0 ? "Infinity" : "-Infinity";
  if (std::fabs(number) < 1e15 && number == std::trunc(number)) {
    return std::to_string(static_cast<std::int64_t>(number));
  }
  char buffer[40];
  const auto written = std::to_chars(buffer, buffer + sizeof(buffer), std::fabs(number), std::chars_format::scientific);
  const std::string_view scientific(buffer, static_cast<std::size_t>(written.ptr - buffer));
  const std::size_t e = scientific.find('e');
  std::string digits(scientific.substr(0, 1));
  if (e > 2) digits.append(scientific.substr(2, e - 2));
  int exponent = 0;
  const std::size_t exponent_at = e + (scientific[e + 1] == '+' ? 2 : 1);
  std::from_chars(buffer + exponent_at, written.ptr, exponent);
  const std::string text = LayOutDigits(digits, exponent + 1);
  return number < 0 ? "-" + text : text;
}

double StringToNumber(std::string_view text) {
  text = TrimSpace(text);
  if (text.empty()) return 0;
  if (text.size() > 2 && text[0] == '0') {
    switch (text[1] | 0x20) {
      case 'x': return BinaryToDouble(text.substr(2), 4);
      case 'o': return BinaryToDouble(text.substr(2), 3);
      case 'b': return BinaryToDouble(text.substr(2), 1);
      default: break;
    }
  }
  const bool negative = text[0] == '-';
  if (negative || text[0] == '+') text.remove_prefix(1);
  const double magnitude = text == "Infinity" ? kInfinity : IsUnsignedDecimal(text) ? DecimalToDouble(text) : kNaN;
  return negative ? -magnitude : magnitude;
}

double ParseJsonNumber(std::string_view literal) {
  const bool negative = !literal.empty() && literal[0] == '-';
  if (negative) literal.remove_prefix(1);
  // Up to 15 digits are exact in a double, and most stored numbers are such integers.
  std::int64_t integer = 0;
  std::size_t at = 0;
  for (; at < literal.size() && at < 15 && IsDigit(literal[at]); ++at) integer = integer * 10 + (literal[at] - '0');
  double number = static_cast<double>(integer);
  if (at == 0 || at != literal.size()) number = IsUnsignedDecimal(literal) ? DecimalToDouble(literal) : kNaN;
  return negative ? -number : number;
}

}  // namespace hypha::js
