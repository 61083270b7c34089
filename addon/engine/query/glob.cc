#include "query/glob.h"

#include <utility>

namespace hypha {
namespace {

bool IsSurrogateAt(std::string_view text, std::size_t at, unsigned char second_low, unsigned char second_high) {
  const auto second = static_cast<unsigned char>(text[at + 1]);
  return static_cast<unsigned char>(text[at]) == 0xed && second >= second_low && second <= second_high;
}

// Whether the literal could begin or end inside a character of four bytes.
bool SplitsPair(std::string_view literal) {
  return literal.size() >= 3 &&
         (IsSurrogateAt(literal, 0, 0xb0, 0xbf) || IsSurrogateAt(literal, literal.size() - 3, 0xa0, 0xaf));
}

std::u16string ToUtf16(std::string_view text) {
  std::u16string units;
  units.reserve(text.size());
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const std::size_t size = lead < 0xc0 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    unsigned code = size == 1 ? lead : lead & (0x7fU >> size);
    for (std::size_t k = 1; k < size && i + k < text.size(); ++k) {
      code = code << 6 | (static_cast<unsigned char>(text[i + k]) & 0x3fU);
    }
    i += size;
    if (size == 4) {
      units.push_back(static_cast<char16_t>(0xd800 + ((code - 0x10000) >> 10)));
      units.push_back(static_cast<char16_t>(0xdc00 + (code & 0x3ff)));
    } else {
      units.push_back(static_cast<char16_t>(code));
    }
  }
  return units;
}

}  // namespace

template <class Char>
Needle<Char>::Needle(View literal) : literal_(literal), border_(literal.size(), 0) {
  for (std::size_t i = 1, matched = 0; i < literal.size(); ++i) {
    while (matched > 0 && literal[i] != literal[matched]) matched = border_[matched - 1];
    if (literal[i] == literal[matched]) ++matched;
    border_[i] = matched;
  }
}

template <class Char>
std::size_t Needle<Char>::FindEnd(View text, std::size_t from) const {
  if (literal_.empty()) return from;
  std::size_t matched = 0;
  for (std::size_t i = from; i < text.size(); ++i) {
    if (matched == 0) {
      i = text.find(literal_[0], i);
      if (i == View::npos) return View::npos;
    }
    while (matched > 0 && text[i] != literal_[matched]) matched = border_[matched - 1];
    if (text[i] == literal_[matched]) ++matched;
    if (matched == literal_.size()) return i + 1;
  }
  return View::npos;
}

template <class Char>
bool GlobParts<Char>::Match(std::basic_string_view<Char> text) const {
  if (!has_star) return text == prefix;
  if (text.size() < prefix.size() + suffix.size()) return false;
  if (text.substr(0, prefix.size()) != prefix) return false;
  if (text.substr(text.size() - suffix.size()) != suffix) return false;
  text.remove_suffix(suffix.size());
  std::size_t at = prefix.size();
  for (const Needle<Char>& literal : middle) {
    at = literal.FindEnd(text, at);
    if (at == std::basic_string_view<Char>::npos) return false;
  }
  return true;
}

struct Glob::Shape {
  bool has_star = true;
  std::string_view prefix;
  std::vector<std::string_view> middle;
  std::string_view suffix;

  static Shape Of(std::string_view pattern) {
    Shape shape;
    std::size_t star = pattern.find('*');
    shape.has_star = star != std::string_view::npos;
    shape.prefix = pattern.substr(0, star);
    while (star != std::string_view::npos) {
      const std::size_t next = pattern.find('*', star + 1);
      const std::string_view literal = pattern.substr(star + 1, next - star - 1);
      if (next == std::string_view::npos) {
        shape.suffix = literal;
      } else if (!literal.empty()) {
        shape.middle.push_back(literal);
      }
      star = next;
    }
    return shape;
  }

  bool SplitsPairs() const {
    bool splits = SplitsPair(prefix) || SplitsPair(suffix);
    for (const std::string_view literal : middle) splits = splits || SplitsPair(literal);
    return splits;
  }
};

Glob::Glob(const Shape& shape) {
  if (shape.SplitsPairs()) {
    GlobParts<char16_t> parts{shape.has_star, ToUtf16(shape.prefix), ToUtf16(shape.suffix), {}};
    for (const std::string_view literal : shape.middle) parts.middle.emplace_back(ToUtf16(literal));
    parts_ = std::move(parts);
  } else {
    GlobParts<char> parts{shape.has_star, std::string(shape.prefix), std::string(shape.suffix), {}};
    for (const std::string_view literal : shape.middle) parts.middle.emplace_back(literal);
    parts_ = std::move(parts);
  }
}

Glob::Glob(std::string_view pattern) : Glob(Shape::Of(pattern)) {}

Glob Glob::Containing(std::string_view literal) {
  Shape shape;
  shape.middle.push_back(literal);
  return Glob(shape);
}

Glob Glob::StartingWith(std::string_view literal) {
  Shape shape;
  shape.prefix = literal;
  return Glob(shape);
}

Glob Glob::EndingWith(std::string_view literal) {
  Shape shape;
  shape.suffix = literal;
  return Glob(shape);
}

bool Glob::Matches(std::string_view text) const {
  if (const auto* bytes = std::get_if<GlobParts<char>>(&parts_)) return bytes->Match(text);
  return std::get<GlobParts<char16_t>>(parts_).Match(ToUtf16(text));
}

bool MatchesPattern(std::string_view text, std::string_view pattern) { return Glob(pattern).Matches(text); }

}  // namespace hypha
