#include <cstring>
#include <vector>

#include "base/utf8.h"
#include "query/json_scan.h"

namespace hypha::json {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

bool IsHexDigit(char c) { return IsDigit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

class Validator {
 public:
  explicit Validator(std::string_view text) : at_(text.data()), end_(text.data() + text.size()) {}

  bool Run() {
    while (BeginValue()) {
      if (inside_new_container_) continue;
      if (!EndValue()) return !failed_;
    }
    return false;
  }

 private:
  char Peek() const { return at_ == end_ ? '\0' : *at_; }

  bool Take(char c) {
    if (at_ == end_ || *at_ != c) return false;
    ++at_;
    return true;
  }

  void SkipSpace() {
    while (at_ != end_ && (*at_ == ' ' || *at_ == '\n' || *at_ == '\r' || *at_ == '\t')) ++at_;
  }

  // Reads a scalar, an empty container, or the opening of one that is not empty.
  bool BeginValue() {
    SkipSpace();
    inside_new_container_ = false;
    if (Take('[')) return Open(false);
    if (Take('{')) return Open(true);
    return Scalar();
  }

  bool Open(bool is_object) {
    SkipSpace();
    if (Take(is_object ? '}' : ']')) return true;
    open_.push_back(is_object);
    inside_new_container_ = true;
    return !is_object || Name();
  }

  // After a whole value: closes containers up to the comma before the next value, and says whether there is one.
  bool EndValue() {
    for (;;) {
      SkipSpace();
      if (open_.empty()) {
        failed_ = at_ != end_;
        return false;
      }
      const bool is_object = open_.back();
      if (Take(',')) {
        failed_ = is_object && !Name();
        return !failed_;
      }
      if (!Take(is_object ? '}' : ']')) {
        failed_ = true;
        return false;
      }
      open_.pop_back();
    }
  }

  bool Name() {
    SkipSpace();
    if (!Take('"') || !StringTail()) return false;
    SkipSpace();
    return Take(':');
  }

  bool Scalar() {
    switch (Peek()) {
      case '"': ++at_; return StringTail();
      case 't': return Literal("true");
      case 'f': return Literal("false");
      case 'n': return Literal("null");
      default: return Number();
    }
  }

  bool Literal(std::string_view word) {
    if (std::string_view(at_, static_cast<std::size_t>(end_ - at_)).substr(0, word.size()) != word) return false;
    at_ += word.size();
    return true;
  }

  bool Digits() {
    const char* const begin = at_;
    while (at_ != end_ && IsDigit(*at_)) ++at_;
    return at_ != begin;
  }

  bool Number() {
    Take('-');
    if (!Take('0') && !Digits()) return false;
    if (Take('.') && !Digits()) return false;
    if (Take('e') || Take('E')) {
      if (!Take('+')) Take('-');
      return Digits();
    }
    return true;
  }

  bool StringTail() {
    while (at_ != end_) {
      const unsigned char c = static_cast<unsigned char>(*at_);
      if (c == '"') {
        ++at_;
        return true;
      }
      if (c < 0x20) return false;
      if (c == '\\') {
        if (!Escape()) return false;
      } else if (c < 0x80) {
        ++at_;
      } else {
        const std::size_t length = MultiByteLength(at_, end_);
        if (length == 0) return false;
        at_ += length;
      }
    }
    return false;
  }

  bool Escape() {
    ++at_;
    if (!Take('u')) {
      if (at_ == end_ || std::string_view("\"\\/bfnrt").find(*at_) == std::string_view::npos) return false;
      ++at_;
      return true;
    }
    if (end_ - at_ < 4) return false;
    for (const char* const stop = at_ + 4; at_ != stop; ++at_) {
      if (!IsHexDigit(*at_)) return false;
    }
    return true;
  }

  const char* at_;
  const char* end_;
  std::vector<bool> open_;  // the containers around at_, outermost first; true for an object
  bool inside_new_container_ = false;
  bool failed_ = false;
};

}  // namespace

bool IsValid(std::string_view text) { return Validator(text).Run(); }

}  // namespace hypha::json
