// Matching text: globs, and the substring operators, which are globs of one literal. Compares UTF-16 code units as
// JavaScript does: half of a surrogate pair in a pattern matches half of a character in the text.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace hypha {

// A literal to look for, in time linear in the text whatever the literal is.
template <class Char>
class Needle {
 public:
  using View = std::basic_string_view<Char>;
  explicit Needle(View literal);
  // The end of the first occurrence at or after `from`, View::npos if there is none.
  std::size_t FindEnd(View text, std::size_t from) const;

 private:
  std::basic_string<Char> literal_;
  std::vector<std::size_t> border_;  // longest proper prefix of literal_[0..i] that is also its suffix
};

// A prefix, literals in this order, a suffix. Without a star the text is the prefix alone.
template <class Char>
struct GlobParts {
  bool has_star = false;
  std::basic_string<Char> prefix;
  std::basic_string<Char> suffix;
  std::vector<Needle<Char>> middle;

  bool Match(std::basic_string_view<Char> text) const;
};

// A compiled pattern. Thread-safe once made.
class Glob {
 public:
  // '*' matches any run of code units, the empty one included; all else is literal and case-sensitive.
  explicit Glob(std::string_view pattern);
  // Patterns without wildcards: '*' in these is literal.
  static Glob Containing(std::string_view literal);
  static Glob StartingWith(std::string_view literal);
  static Glob EndingWith(std::string_view literal);

  bool Matches(std::string_view text) const;

 private:
  struct Shape;
  explicit Glob(const Shape& shape);

  // Bytes, unless an edge of some literal is half a surrogate pair.
  std::variant<GlobParts<char>, GlobParts<char16_t>> parts_;
};

// One match of one pattern; to match more than one text, keep a Glob.
bool MatchesPattern(std::string_view text, std::string_view pattern);

}  // namespace hypha
