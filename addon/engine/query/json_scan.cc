#include "query/json_scan.h"

#include <algorithm>

#include "query/byte_block.h"

namespace hypha::json {
namespace {

bool IsSpace(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }

const char* SkipSpace(const char* at, const char* end) {
  while (at != end && IsSpace(*at)) ++at;
  return at;
}

std::string_view Slice(const char* begin, const char* end) {
  return std::string_view(begin, static_cast<std::size_t>(end - begin));
}

bool HasBlock(const char* at, const char* end) { return static_cast<std::size_t>(end - at) >= ByteBlock::kWidth; }

const char* FindQuoteOrBackslash(const char* at, const char* end) {
  for (; HasBlock(at, end); at += ByteBlock::kWidth) {
    const ByteBlock block = ByteBlock::Load(at);
    const auto hits = block.Equal('"') | block.Equal('\\');
    if (hits != 0) return at + ByteBlock::First(hits);
  }
  while (at != end && *at != '"' && *at != '\\') ++at;
  return at;
}

// Past the closing quote of the string whose opening quote is at[-1].
const char* SkipStringTail(const char* at, const char* end) {
  for (;;) {
    at = FindQuoteOrBackslash(at, end);
    if (at == end) return end;
    if (*at == '"') return at + 1;
    if (end - at <= 2) return end;
    at += 2;
  }
}

bool IsBracketOrQuote(char c) { return c == '"' || c == '{' || c == '}' || c == '[' || c == ']'; }

const char* FindBracketOrQuote(const char* at, const char* end) {
  for (; HasBlock(at, end); at += ByteBlock::kWidth) {
    // Bit 0x20 makes '[' a '{' and ']' a '}'. It also makes 0x02 a quote, which valid text does not hold.
    const ByteBlock folded = ByteBlock::Load(at).Or(0x20);
    const auto hits = folded.Equal('{') | folded.Equal('}') | folded.Equal('"');
    if (hits != 0) return at + ByteBlock::First(hits);
  }
  while (at != end && !IsBracketOrQuote(*at)) ++at;
  return at;
}

// `at` is on the opening bracket. Counting is enough: in valid text brackets pair up by kind.
const char* SkipContainer(const char* at, const char* end) {
  std::size_t depth = 0;
  while (at != end) {
    const char c = *at++;
    if (c == '"') {
      at = SkipStringTail(at, end);
    } else if (c == '{' || c == '[') {
      ++depth;
    } else if ((c == '}' || c == ']') && --depth == 0) {
      return at;
    }
    at = FindBracketOrQuote(at, end);
  }
  return end;
}

// `at` is on the value's first byte.
const char* SkipOne(const char* at, const char* end) {
  if (at == end) return end;
  if (*at == '"') return SkipStringTail(at + 1, end);
  if (*at == '{' || *at == '[') return SkipContainer(at, end);
  while (at != end && *at != ',' && *at != '}' && *at != ']' && !IsSpace(*at)) ++at;
  return at;
}

// Reads `"name": value` and the comma after it. False at the closing brace.
bool TakeMember(const char** at, const char* end, Member* member) {
  const char* p = SkipSpace(*at, end);
  if (p == end || *p != '"') return false;
  const char* const name_end = SkipStringTail(p + 1, end);
  member->name = Slice(p, name_end);
  p = SkipSpace(name_end, end);
  if (p == end || *p != ':') return false;
  p = SkipSpace(p + 1, end);
  const char* const value_end = SkipOne(p, end);
  member->value = Slice(p, value_end);
  p = SkipSpace(value_end, end);
  *at = p != end && *p == ',' ? p + 1 : end;
  return true;
}

// Where the inside of the container starts, or `end` if the text does not open with `bracket`.
const char* Enter(std::string_view text, char bracket) {
  const char* const end = text.data() + text.size();
  const char* const at = SkipSpace(text.data(), end);
  return at != end && *at == bracket ? at + 1 : end;
}

bool NameIs(std::string_view literal, std::string_view name, std::string* scratch) {
  if (literal.size() < 2) return false;
  const std::string_view raw = literal.substr(1, literal.size() - 2);
  // An escaped name is longer than what it stands for.
  if (raw.size() < name.size()) return false;
  const bool is_escaped = raw.find('\\') != std::string_view::npos;
  return is_escaped ? DecodeString(literal, scratch) == name : raw == name;
}

// Where the value of `"name":` starts if that stands in `text` at `at`, else null.
const char* ValueOfNameAt(std::string_view text, std::size_t at, std::string_view name) {
  if (text.substr(at + 1, name.size()) != name) return nullptr;
  const char* const end = text.data() + text.size();
  const char* const colon = SkipSpace(text.data() + at + name.size() + 2, end);
  return colon != end && *colon == ':' ? SkipSpace(colon + 1, end) : nullptr;
}

// FindMember() for an object without escapes, given from after its brace. Blocks tell which bytes are inside strings,
// so that only brackets and quotes as far apart as the name's are looked at one by one. REQUIRES: neither text nor name
// holds a backslash, and name no quote.
std::optional<std::string_view> FindPlainMember(std::string_view members, std::string_view name) {
  using Mask = ByteBlock::Mask;
  const std::size_t gap = name.size() + 1;
  const char* value = nullptr;
  std::ptrdiff_t depth = 0;
  Mask carry = 0;
  for (std::size_t from = 0; from < members.size(); from += ByteBlock::kWidth) {
    const ByteBlock block = LoadPadded(members.data(), from, members.size());
    const Mask quotes = block.Equal('"');
    const Mask strings = ByteBlock::PrefixXor(quotes) ^ carry;
    carry = (strings & ByteBlock::kLast) != 0 ? ByteBlock::kAll : 0;
    const ByteBlock folded = block.Or(0x20);
    const Mask opens = folded.Equal('{') & ~strings;
    const Mask closes = folded.Equal('}') & ~strings;
    const std::size_t partner = std::min(from + gap, members.size());
    const Mask names = quotes & strings & LoadPadded(members.data(), partner, members.size()).Equal('"');
    for (Mask events = opens | closes | names; events != 0; events &= events - 1) {
      const Mask event = events & (~events + 1);
      if ((opens & event) != 0) {
        ++depth;
      } else if ((closes & event) != 0) {
        --depth;
      } else if (depth == 0) {
        const char* const found = ValueOfNameAt(members, from + ByteBlock::First(event), name);
        if (found != nullptr) value = found;
      }
    }
  }
  if (value == nullptr) return std::nullopt;
  return Slice(value, SkipOne(value, members.data() + members.size()));
}

}  // namespace

std::string_view Trim(std::string_view text) {
  const char* end = text.data() + text.size();
  const char* const begin = SkipSpace(text.data(), end);
  while (end != begin && IsSpace(end[-1])) --end;
  return Slice(begin, end);
}

Kind KindOf(std::string_view text) {
  const char* const end = text.data() + text.size();
  const char* const at = SkipSpace(text.data(), end);
  if (at == end) return Kind::kNull;
  switch (*at) {
    case '"': return Kind::kString;
    case '{': return Kind::kObject;
    case '[': return Kind::kArray;
    case 't':
    case 'f': return Kind::kBoolean;
    default: return *at == '-' || (*at >= '0' && *at <= '9') ? Kind::kNumber : Kind::kNull;
  }
}

std::size_t SkipValue(std::string_view text, std::size_t from) {
  if (from >= text.size()) return text.size();
  const char* const end = text.data() + text.size();
  return static_cast<std::size_t>(SkipOne(SkipSpace(text.data() + from, end), end) - text.data());
}

std::optional<std::string_view> FindMember(std::string_view object, std::string_view name) {
  const char* const end = object.data() + object.size();
  const char* at = Enter(object, '{');
  if (object.find('\\') == std::string_view::npos) {
    if (name.find_first_of("\"\\") != std::string_view::npos) return std::nullopt;
    return FindPlainMember(Slice(at, end), name);
  }
  std::optional<std::string_view> found;
  Member member;
  std::string scratch;
  while (TakeMember(&at, end, &member)) {
    if (NameIs(member.name, name, &scratch)) found = member.value;
  }
  return found;
}

ObjectMembers::ObjectMembers(std::string_view object) : at_(Enter(object, '{')), end_(object.data() + object.size()) {}

std::optional<Member> ObjectMembers::Next() {
  Member member;
  if (!TakeMember(&at_, end_, &member)) return std::nullopt;
  return member;
}

ArrayElements::ArrayElements(std::string_view array) : at_(Enter(array, '[')), end_(array.data() + array.size()) {}

std::optional<std::string_view> ArrayElements::Next() {
  const char* const begin = SkipSpace(at_, end_);
  const char* const end = SkipOne(begin, end_);
  if (begin == end) return std::nullopt;
  const char* const after = SkipSpace(end, end_);
  at_ = after != end_ && *after == ',' ? after + 1 : end_;
  return Slice(begin, end);
}

std::size_t ArrayLength(std::string_view array) {
  ArrayElements elements(array);
  std::size_t length = 0;
  while (elements.Next()) ++length;
  return length;
}

std::optional<std::string_view> ArrayElement(std::string_view array, std::size_t index) {
  ArrayElements elements(array);
  std::optional<std::string_view> element = elements.Next();
  for (; element && index > 0; --index) element = elements.Next();
  return element;
}

}  // namespace hypha::json
