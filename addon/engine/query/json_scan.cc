#include "query/json_scan.h"

#include <algorithm>
#include <bit>

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

using Mask = ByteBlock::Mask;

// Reads text without escapes block by block, and tells which bytes are inside strings and how deep the brackets nest.
class Nesting {
 public:
  struct Block {
    Mask quotes;
    Mask strings;  // bytes of strings, the opening quote included
    Mask opens;    // brackets outside strings
    Mask closes;
  };

  Block Read(const ByteBlock& block) {
    const Mask quotes = block.Equal('"');
    const Mask strings = ByteBlock::PrefixXor(quotes) ^ carry_;
    carry_ = (strings & ByteBlock::kLast) != 0 ? ByteBlock::kAll : 0;
    const ByteBlock folded = block.Or(0x20);
    return {quotes, strings, folded.Equal('{') & ~strings, folded.Equal('}') & ~strings};
  }

 private:
  Mask carry_ = 0;
};

// Whether the quote at `at` opens a string directly inside the object whose members these are.
bool OpensDirectString(std::string_view members, std::size_t at) {
  Nesting nesting;
  int depth = 0;
  for (std::size_t from = 0;; from += ByteBlock::kWidth) {
    const Nesting::Block block = nesting.Read(LoadPadded(members.data(), from, members.size()));
    if (at - from >= ByteBlock::kWidth) {
      if ((block.opens | block.closes) == 0) continue;
      depth += std::popcount(block.opens) - std::popcount(block.closes);
      continue;
    }
    const Mask here = ByteBlock::At(at - from);
    const Mask before = here - 1;
    return (block.strings & here) != 0 &&
           depth + std::popcount(block.opens & before) == std::popcount(block.closes & before);
  }
}

bool HasBracketBefore(std::string_view text, std::size_t end) {
  const auto brackets = [&](std::size_t from) {
    const ByteBlock folded = LoadPadded(text.data(), from, text.size()).Or(0x20);
    return folded.Equal('{') | folded.Equal('}');
  };
  std::size_t from = 0;
  for (; from + ByteBlock::kWidth <= end; from += ByteBlock::kWidth) {
    if (brackets(from) != 0) return true;
  }
  return (brackets(from) & (ByteBlock::At(end - from) - 1)) != 0;
}

// What can follow a closing quote. A name that starts with anything else cannot be mistaken for what follows one.
bool MayFollowString(char c) { return c == ',' || c == ':' || c == '}' || c == ']' || IsSpace(c); }

// The quotes from `from` on that may open `name`, told by its first byte and its closing quote.
// REQUIRES: a block at each of the three places.
Mask NamesAt(const char* from, std::string_view name) {
  const char first = name.empty() ? '"' : name.front();
  return ByteBlock::Load(from).Equal('"') & ByteBlock::Load(from + 1).Equal(first) &
         ByteBlock::Load(from + name.size() + 1).Equal('"');
}

Mask NamesAtPadded(std::string_view members, std::size_t from, std::string_view name) {
  const std::size_t readable = members.size() - from;
  if (readable >= name.size() + 1 + ByteBlock::kWidth) return NamesAt(members.data() + from, name);
  const auto load = [&](std::size_t ahead) {
    return LoadPadded(members.data(), std::min(from + ahead, members.size()), members.size());
  };
  const char first = name.empty() ? '"' : name.front();
  return load(0).Equal('"') & load(1).Equal(first) & load(name.size() + 1).Equal('"');
}

// The last member of the name, with every nesting level read: no more than once through the text, whatever is in it.
const char* FindPlainMemberForward(std::string_view members, std::string_view name) {
  const char* value = nullptr;
  std::ptrdiff_t depth = 0;
  Nesting nesting;
  for (std::size_t from = 0; from < members.size(); from += ByteBlock::kWidth) {
    const Nesting::Block block = nesting.Read(LoadPadded(members.data(), from, members.size()));
    const Mask names = block.strings & NamesAtPadded(members, from, name);
    for (Mask events = block.opens | block.closes | names; events != 0; events &= events - 1) {
      const Mask event = events & (~events + 1);
      if ((block.opens & event) != 0) {
        ++depth;
      } else if ((block.closes & event) != 0) {
        --depth;
      } else if (depth == 0) {
        const char* const found = ValueOfNameAt(members, from + ByteBlock::First(event), name);
        if (found != nullptr) value = found;
      }
    }
  }
  return value;
}

// FindMember() for an object without escapes, given from after its brace: where the value starts, or null. Places that
// look like the name are few, so they are looked for first, from the end, and the nesting is read only up to them.
// REQUIRES: neither text nor name holds a backslash, and name no quote.
class PlainMember {
 public:
  PlainMember(std::string_view members, std::string_view name)
      : members_(members), name_(name), ambiguous_(name.empty() || MayFollowString(name.front())) {}

  const char* Find() {
    const std::size_t reach = name_.size() + 1;  // from the opening quote to the closing one
    if (members_.size() <= reach) return nullptr;
    std::size_t from = members_.size() - reach;  // no name opens from here on
    while (from >= ByteBlock::kWidth) {
      from -= ByteBlock::kWidth;
      if (Settle(from, NamesAt(members_.data() + from, name_))) return value_;
    }
    Settle(0, NamesAtPadded(members_, 0, name_) & (ByteBlock::At(from) - 1));
    return value_;
  }

 private:
  // True when one of these places is the member, or when it was found by other means.
  bool Settle(std::size_t from, Mask places) {
    while (places != 0) {
      const Mask last = ByteBlock::LastOf(places);
      places ^= last;
      const std::size_t at = from + ByteBlock::First(last);
      const char* const value = ValueOfNameAt(members_, at, name_);
      if (value == nullptr) continue;
      constexpr int kMostTries = 4;  // each reads the text up to the place
      if (tries_++ == kMostTries) {
        value_ = FindPlainMemberForward(members_, name_);
        return true;
      }
      const bool plain = !ambiguous_ && !HasBracketBefore(members_, at);
      if (!plain && !OpensDirectString(members_, at)) continue;
      value_ = value;
      return true;
    }
    return false;
  }

  std::string_view members_;
  std::string_view name_;
  bool ambiguous_;  // the name's opening quote could also be a string's closing one
  int tries_ = 0;
  const char* value_ = nullptr;
};

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
    const char* const value = PlainMember(Slice(at, end), name).Find();
    if (value == nullptr) return std::nullopt;
    return Slice(value, SkipOne(value, end));
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
