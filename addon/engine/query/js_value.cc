#include "query/js_value.h"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstring>
#include <limits>
#include <utility>

#include "query/js_number.h"
#include "query/json_scan.h"

namespace hypha::js {
namespace {

constexpr std::string_view kObjectText = "[object Object]";

bool IsTrue(std::string_view json) { return !json.empty() && json.front() == 't'; }

std::string_view ToText(std::string_view json, std::string* scratch);

// Array.prototype.join, which nests into plain commas: every container around the current byte is an array.
void AppendArray(std::string_view array, std::string* out) {
  std::string scratch;
  for (std::size_t at = 0; at < array.size();) {
    if (std::string_view("[], \n\r\t").find(array[at]) != std::string_view::npos) {
      if (array[at] == ',') out->push_back(',');
      ++at;
      continue;
    }
    const std::size_t end = std::max(json::SkipValue(array, at), at + 1);
    const std::string_view element = array.substr(at, end - at);
    if (json::KindOf(element) != json::Kind::kNull) out->append(ToText(element, &scratch));
    at = end;
  }
}

std::string_view Keep(std::string text, std::string* scratch) {
  *scratch = std::move(text);
  return *scratch;
}

std::string_view ToText(std::string_view json, std::string* scratch) {
  switch (json::KindOf(json)) {
    case json::Kind::kNull: return "null";
    case json::Kind::kBoolean: return IsTrue(json) ? "true" : "false";
    case json::Kind::kNumber: return Keep(NumberToString(ParseJsonNumber(json)), scratch);
    case json::Kind::kString: return json::DecodeString(json, scratch);
    case json::Kind::kObject: return kObjectText;
    case json::Kind::kArray: break;
  }
  scratch->clear();
  AppendArray(json, scratch);
  return *scratch;
}

// The index a canonical array index names.
std::optional<std::size_t> ArrayIndex(std::string_view name) {
  if (name.empty() || name.size() > 10 || (name.size() > 1 && name[0] == '0')) return std::nullopt;
  if (name.find_first_not_of("0123456789") != std::string_view::npos) return std::nullopt;
  std::uint64_t index = 0;
  std::from_chars(name.data(), name.data() + name.size(), index);
  if (index >= std::numeric_limits<std::uint32_t>::max()) return std::nullopt;
  return static_cast<std::size_t>(index);
}

// Where two texts first differ, or the shorter one's end.
std::size_t CommonLength(std::string_view a, std::string_view b) {
  const std::size_t size = std::min(a.size(), b.size());
  std::size_t at = 0;
  for (; at + 8 <= size; at += 8) {
    if (std::memcmp(a.data() + at, b.data() + at, 8) != 0) break;
  }
  while (at < size && a[at] == b[at]) ++at;
  return at;
}

// The code point at the start of `text`, whose bytes may be fewer than its lead byte says.
int CodePoint(std::string_view text, std::size_t size) {
  const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0; };
  if (size == 1) return byte(0);
  int code = byte(0) & (0x7f >> size);
  for (std::size_t i = 1; i < size; ++i) code = code << 6 | (byte(i) & 0x3f);
  return code;
}

std::size_t CharacterSize(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  return lead < 0xc0 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}

// The first UTF-16 unit of `text`, -1 at its end.
int FirstUnit(std::string_view text) {
  if (text.empty()) return -1;
  const std::size_t size = CharacterSize(text);
  const int code = CodePoint(text, size);
  return size < 4 ? code : 0xd800 + ((code - 0x10000) >> 10);
}

// The second UTF-16 unit of `text`, -1 if there is none. REQUIRES: !text.empty().
int SecondUnit(std::string_view text) {
  const std::size_t size = CharacterSize(text);
  if (size == 4) return 0xdc00 + (CodePoint(text, size) & 0x3ff);
  return FirstUnit(text.substr(std::min(size, text.size())));
}

}  // namespace

std::optional<Value> OwnProperty(std::string_view json, std::string_view name) {
  const json::Kind kind = json::KindOf(json);
  std::optional<std::string_view> slice;
  if (kind == json::Kind::kObject) {
    slice = json::FindMember(json, name);
  } else if (kind == json::Kind::kArray) {
    if (name == "length") return Value::Of(Primitive::Number(static_cast<double>(json::ArrayLength(json))));
    if (const std::optional<std::size_t> index = ArrayIndex(name)) slice = json::ArrayElement(json, *index);
  }
  if (!slice) return std::nullopt;
  return Value::Json(*slice);
}

std::string_view ToText(const Primitive& primitive, std::string* scratch) {
  switch (primitive.tag) {
    case Primitive::Tag::kUndefined: return "undefined";
    case Primitive::Tag::kNull: return "null";
    case Primitive::Tag::kBoolean: return primitive.boolean ? "true" : "false";
    case Primitive::Tag::kNumber: return Keep(NumberToString(primitive.number), scratch);
    case Primitive::Tag::kString: break;
  }
  return primitive.text;
}

std::string_view ToText(const Value& value, std::string* scratch) {
  return value.is_json ? ToText(json::Trim(value.json), scratch) : ToText(value.primitive, scratch);
}

std::string ToString(std::string_view json) {
  std::string scratch;
  return std::string(ToText(Value::Json(json), &scratch));
}

double ToNumber(const Primitive& primitive) {
  switch (primitive.tag) {
    case Primitive::Tag::kUndefined: break;
    case Primitive::Tag::kNull: return 0;
    case Primitive::Tag::kBoolean: return primitive.boolean ? 1 : 0;
    case Primitive::Tag::kNumber: return primitive.number;
    case Primitive::Tag::kString: return StringToNumber(primitive.text);
  }
  return std::numeric_limits<double>::quiet_NaN();
}

double ToNumber(std::string_view json) {
  std::string scratch;
  return ToNumber(ToPrimitive(Value::Json(json), &scratch));
}

std::optional<Primitive> AsPrimitive(const Value& value, std::string* scratch) {
  if (!value.is_json) return value.primitive;
  const std::string_view json = json::Trim(value.json);
  switch (json::KindOf(json)) {
    case json::Kind::kNull: return Primitive::Null();
    case json::Kind::kBoolean: return Primitive::Boolean(IsTrue(json));
    case json::Kind::kNumber: return Primitive::Number(ParseJsonNumber(json));
    case json::Kind::kString: return Primitive::String(json::DecodeString(json, scratch));
    case json::Kind::kArray:
    case json::Kind::kObject: break;
  }
  return std::nullopt;
}

Primitive ToPrimitive(const Value& value, std::string* scratch) {
  if (const std::optional<Primitive> primitive = AsPrimitive(value, scratch)) return *primitive;
  return Primitive::String(ToText(value, scratch));
}

bool StrictEquals(const Primitive& a, const Primitive& b) {
  if (a.tag != b.tag) return false;
  switch (a.tag) {
    case Primitive::Tag::kUndefined:
    case Primitive::Tag::kNull: return true;
    case Primitive::Tag::kBoolean: return a.boolean == b.boolean;
    case Primitive::Tag::kNumber: return a.number == b.number;
    case Primitive::Tag::kString: break;
  }
  return a.text == b.text;
}

int CompareUtf16(std::string_view a, std::string_view b) {
  const std::size_t at = CommonLength(a, b);
  if (at == a.size() || at == b.size()) return a.size() < b.size() ? -1 : a.size() > b.size() ? 1 : 0;
  const auto a_byte = static_cast<unsigned char>(a[at]);
  const auto b_byte = static_cast<unsigned char>(b[at]);
  if ((a_byte >= 0xf0) == (b_byte >= 0xf0)) return a_byte < b_byte ? -1 : 1;
  // Code point order is not UTF-16 order where a character of two units meets one above the surrogates.
  const std::string_view a_rest = a.substr(at);
  const std::string_view b_rest = b.substr(at);
  int order = FirstUnit(a_rest) - FirstUnit(b_rest);
  if (order == 0) order = SecondUnit(a_rest) - SecondUnit(b_rest);
  return order < 0 ? -1 : 1;
}

std::partial_ordering Relate(const Primitive& a, const Primitive& b) {
  if (a.tag == Primitive::Tag::kString && b.tag == Primitive::Tag::kString) {
    return CompareUtf16(a.text, b.text) <=> 0;
  }
  return ToNumber(a) <=> ToNumber(b);
}

bool LessThan(const Value& a, const Value& b) {
  std::string a_scratch;
  std::string b_scratch;
  return std::is_lt(Relate(ToPrimitive(a, &a_scratch), ToPrimitive(b, &b_scratch)));
}

}  // namespace hypha::js
