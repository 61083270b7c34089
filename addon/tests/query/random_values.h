// Random JSON values, names, operands and terms, of the kinds that trip up translations.
#pragma once

#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "hypha/filter.h"
#include "query/index_definition.h"

namespace hypha::test {

class RandomValues {
 public:
  explicit RandomValues(unsigned seed) : random_(seed) {}

  std::size_t Below(std::size_t n) { return random_() % n; }
  template <class T>
  const T& OneOf(const std::vector<T>& list) {
    return list[Below(list.size())];
  }

  double Number() {
    static const std::vector<double> kNumbers{0,
                                              -0.0,
                                              1,
                                              -1,
                                              2,
                                              9,
                                              10,
                                              16,
                                              0.1,
                                              -0.5,
                                              1e21,
                                              1e-7,
                                              1e308,
                                              -1e308,
                                              5e-324,
                                              -5e-324,
                                              9007199254740992,
                                              1152921504606846976.0,
                                              1.7976931348623157e308};
    if (Below(3) == 0) return OneOf(kNumbers);
    if (Below(2) == 0) return static_cast<double>(Below(25)) - 12;
    return std::ldexp(static_cast<double>(random_()) - 2147483648.0, static_cast<int>(Below(200)) - 100);
  }
  // WTF-8 in its canonical form, as it comes from JavaScript.
  std::string Text() {
    static const std::vector<std::string> kTexts{"",
                                                 " ",
                                                 "0",
                                                 "10",
                                                 "9",
                                                 "abc",
                                                 "ABC",
                                                 "ab",
                                                 "true",
                                                 "false",
                                                 "null",
                                                 "NaN",
                                                 "Infinity",
                                                 "-Infinity",
                                                 "1e21",
                                                 "1e+21",
                                                 " 0x10 ",
                                                 "1,2",
                                                 "[object Object]",
                                                 "\xf0\x9f\x98\x80",
                                                 "\xef\xbf\xae",
                                                 "\xef\xac\x81",
                                                 "\xed\xa0\xbd",
                                                 "\xed\xb8\x80x",
                                                 "x\xed\xa0\x80",
                                                 "-",
                                                 "I",
                                                 "N",
                                                 "t",
                                                 "f",
                                                 "n",
                                                 "u"};
    if (Below(3) != 0) return OneOf(kTexts);
    return Wtf8(Below(6));
  }
  std::string Wtf8(std::size_t units) {
    static const std::vector<unsigned> kUnits{0,      1,      8,      9,      10,     0x1f,   ' ',   '"',    '\'',
                                              '\\',   '$',    '.',    '*',    'a',    'b',    '0',   '1',    '-',
                                              'I',    'u',    0x7f,   0x80,   0xe9,   0x7ff,  0x800, 0xd7ff, 0xd800,
                                              0xdbff, 0xdc00, 0xdfff, 0xe000, 0xfb01, 0xffee, 0xffff};
    std::vector<unsigned> text(units);
    for (auto& unit : text) unit = OneOf(kUnits);
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
      const unsigned unit = text[i];
      const bool pair =
          unit >= 0xd800 && unit < 0xdc00 && i + 1 < text.size() && text[i + 1] >= 0xdc00 && text[i + 1] < 0xe000;
      Append(out, pair ? 0x10000 + ((unit - 0xd800) << 10) + (text[++i] - 0xdc00) : unit);
    }
    return out;
  }
  std::string Json(int depth = 2) {
    switch (Below(depth > 0 ? 10 : 7)) {
      case 0: return OneOf<std::string>({"null", "true", "false"});
      case 1:
      case 2: return NumberJson();
      case 3:
        return OneOf<std::string>(
            {"1e400", "-1e400", "-0", "-0.0", "0e5", "9007199254740993", "[]", "{}", "[3]", "[null]", "[[1,2],\"x\"]"});
      case 7: return "[" + Json(depth - 1) + "," + Json(depth - 1) + "]";
      case 8: return "[" + Json(depth - 1) + "]";
      case 9: return "{\"a\":" + Json(depth - 1) + "}";
      default: return JsonName(Text());
    }
  }
  Operand Scalar() {
    switch (Below(8)) {
      case 0: return {Operand::Tag::kNull, false, 0, {}, {}};
      case 1: return {Operand::Tag::kBoolean, Below(2) == 0, 0, {}, {}};
      case 2:
        return Below(3) == 0
                   ? Operand{}
                   : Operand{Operand::Tag::kNumber, false, OneOf<double>({NAN, INFINITY, -INFINITY, -0.0}), {}, {}};
      case 3:
      case 4: return {Operand::Tag::kNumber, false, Number(), {}, {}};
      default: return {Operand::Tag::kString, false, 0, Text(), {}};
    }
  }
  Operand List(std::size_t size) {
    Operand list;
    list.tag = Operand::Tag::kList;
    for (std::size_t i = 0; i < size; ++i) list.list.push_back(Scalar());
    return list;
  }
  Operand OperandFor(Operator op) {
    const bool odd = Below(12) == 0;
    if (op == Operator::kBetween) return odd ? List(Below(4)) : List(2);
    if (op == Operator::kIn || op == Operator::kNin) return odd ? Scalar() : List(Below(6));
    if (op == Operator::kExists) return {Operand::Tag::kBoolean, Below(2) == 0, 0, {}, {}};
    if (op == Operator::kLike) {
      return {Operand::Tag::kString, false, 0, Text() + OneOf<std::string>({"", "*", "*1", "**"}), {}};
    }
    return odd ? List(2) : Scalar();
  }
  Term TermOn(const std::string& field) {
    Term term;
    term.path = {field};
    term.op = static_cast<Operator>(Below(static_cast<std::size_t>(Operator::kHas) + 1));
    term.operand = OperandFor(term.op);
    return term;
  }

 private:
  std::string NumberJson() {
    const double number = Number();
    char text[40];
    std::snprintf(text, sizeof text, "%.17g", number);
    return text;
  }
  static void Append(std::string& out, unsigned code) {
    const auto tail = [&](int shift) { out.push_back(static_cast<char>(0x80 | ((code >> shift) & 63))); };
    if (code < 0x80) {
      out.push_back(static_cast<char>(code));
    } else if (code < 0x800) {
      out.push_back(static_cast<char>(0xC0 | (code >> 6)));
      tail(0);
    } else if (code < 0x10000) {
      out.push_back(static_cast<char>(0xE0 | (code >> 12)));
      tail(6);
      tail(0);
    } else {
      out.push_back(static_cast<char>(0xF0 | (code >> 18)));
      tail(12);
      tail(6);
      tail(0);
    }
  }

  std::mt19937 random_;
};

}  // namespace hypha::test
