// Reading JSON text in place: values are slices of the text, nothing is built.
//
// Every function but IsValid() takes text that IsValid() accepted. On other bytes the answers have no meaning, but no
// byte outside the view is read, every call ends, and none recurses. Decoded text is WTF-8: an escaped lone surrogate
// becomes three bytes, an escaped pair the four bytes of its character.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace hypha::json {

enum class Kind : std::uint8_t { kNull, kBoolean, kNumber, kString, kArray, kObject };

// Whether JavaScript's JSON.parse accepts the text, decoded as UTF-8. Malformed UTF-8 and a byte order mark are not
// accepted; nesting has no limit.
bool IsValid(std::string_view text);

// `text` without the white space JSON allows around a value.
std::string_view Trim(std::string_view text);

// The kind of the first value in `text`; kNull when there is none.
Kind KindOf(std::string_view text);

// Where the value that starts at `from`, or after white space there, ends.
std::size_t SkipValue(std::string_view text, std::size_t from);

// The value of the member `name` (WTF-8), compared with the decoded names; the last duplicate wins. Nothing if there is
// no such member or `object` is not an object.
std::optional<std::string_view> FindMember(std::string_view object, std::string_view name);

struct Member {
  std::string_view name;  // the literal, with its quotes
  std::string_view value;
};

// Walks the members of an object in their written order, duplicates included. Views the text given.
class ObjectMembers {
 public:
  explicit ObjectMembers(std::string_view object);
  // The next member; nothing after the last one, or if the text is not an object.
  std::optional<Member> Next();

 private:
  const char* at_;
  const char* end_;
};

// Walks the elements of an array. Views the text given.
class ArrayElements {
 public:
  explicit ArrayElements(std::string_view array);
  std::optional<std::string_view> Next();

 private:
  const char* at_;
  const char* end_;
};

std::size_t ArrayLength(std::string_view array);
std::optional<std::string_view> ArrayElement(std::string_view array, std::size_t index);

// The text a string literal stands for. Views the literal when it holds no escape, else `*scratch`, which is
// overwritten.
std::string_view DecodeString(std::string_view literal, std::string* scratch);
std::string DecodeString(std::string_view literal);

// JavaScript's {...base, ...patch}: names and values keep their bytes, a name keeps its first place and takes its last
// value, new names follow. A text that is not an object adds nothing.
std::string MergeObjects(std::string_view base, std::string_view patch);

}  // namespace hypha::json
