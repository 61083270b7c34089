// JavaScript values and their conversions, over JSON text that is not parsed into objects.
//
// JSON slices are valid JSON (query/json_scan.h says what other bytes do). Text is WTF-8 in its one canonical form:
// a surrogate pair is one four-byte character. Views live as long as what they were made from.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace hypha::js {

struct Primitive {
  enum class Tag : std::uint8_t { kUndefined, kNull, kBoolean, kNumber, kString };
  Tag tag = Tag::kUndefined;
  bool boolean = false;
  double number = 0;
  std::string_view text;

  static Primitive Null() { return {Tag::kNull, false, 0, {}}; }
  static Primitive Boolean(bool boolean) { return {Tag::kBoolean, boolean, 0, {}}; }
  static Primitive Number(double number) { return {Tag::kNumber, false, number, {}}; }
  static Primitive String(std::string_view text) { return {Tag::kString, false, 0, text}; }
};

// What a filter compares: a slice of stored JSON, or a primitive that is no part of it (a key, a time, a length).
struct Value {
  bool is_json = false;
  std::string_view json;
  Primitive primitive;

  static Value Json(std::string_view json) { return {true, json, {}}; }
  static Value Of(Primitive primitive) { return {false, {}, primitive}; }
};

// The own property `name` of an object or array in JSON; an array has its canonical indexes and `length`. Nothing for
// any other kind.
std::optional<Value> OwnProperty(std::string_view json, std::string_view name);

// String(x). The first writes to `*scratch` only what the value does not hold as it is.
std::string_view ToText(const Value& value, std::string* scratch);
std::string_view ToText(const Primitive& primitive, std::string* scratch);
std::string ToString(std::string_view json);

// Number(x).
double ToNumber(const Primitive& primitive);
double ToNumber(std::string_view json);

// The value itself if it is a primitive, else the text that JavaScript converts an array or object to.
Primitive ToPrimitive(const Value& value, std::string* scratch);

// The value if it is a primitive; nothing for an array or object.
std::optional<Primitive> AsPrimitive(const Value& value, std::string* scratch);

// a === b.
bool StrictEquals(const Primitive& a, const Primitive& b);

// By UTF-16 code units, as JavaScript orders strings: negative, zero or positive.
int CompareUtf16(std::string_view a, std::string_view b);

// How <, >, <= and >= see two primitives: unordered where all four are false.
std::partial_ordering Relate(const Primitive& a, const Primitive& b);
// a < b for values, arrays and objects converted first.
bool LessThan(const Value& a, const Value& b);

}  // namespace hypha::js
