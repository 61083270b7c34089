// Numbers and text as ECMAScript converts them. All functions are total and correctly rounded.
#pragma once

#include <string>
#include <string_view>

namespace hypha::js {

// String.prototype.trim.
std::string_view TrimSpace(std::string_view text);

// Number::toString, base 10.
std::string NumberToString(double number);

// StringToNumber of WTF-8 text, white space and 0x, 0o, 0b forms included; NaN for what is not a number.
double StringToNumber(std::string_view text);

// The value JSON.parse gives a number literal: too large is an infinity, too small is a zero. NaN for other text.
double ParseJsonNumber(std::string_view literal);

}  // namespace hypha::js
