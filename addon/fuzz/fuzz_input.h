// Bytes become filters, sort keys and index definitions: any of those that the engine can be handed.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "filter_grammar.h"
#include "hypha/types.h"
#include "query/index_definition.h"

namespace hypha::fuzz {

// Every operand text and every name carries its mark, so that neither can hide in SQL.
inline constexpr std::string_view kOperandMark = "HYPHAOPERAND";
inline constexpr std::string_view kNameMark = "HYPHANAME";
inline constexpr const char* kHotNames[] = {"a", "b", "HYPHANAME it's \"\\", "HYPHANAME' FROM x",
                                            "x AND hypha_match(HYPHANAME"};

// Reads the input; zeros after its end.
class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size) : at_(data), end_(data + size) {}
  unsigned Byte() { return at_ == end_ ? 0 : *at_++; }
  unsigned Below(unsigned n) { return Byte() % n; }
  template <class T>
  const T& Pick(const std::vector<T>& items) {
    return items[Below(static_cast<unsigned>(items.size()))];
  }
  double Number() {
    switch (Below(4)) {
      case 0: return static_cast<double>(Byte()) - 20;
      case 1: return static_cast<double>(Below(3));
      default: break;
    }
    unsigned char bytes[8];
    for (auto& byte : bytes) byte = static_cast<unsigned char>(Byte());
    double number = 0;
    std::memcpy(&number, bytes, 8);
    return number;
  }
  // WTF-8 in its canonical form, which is what the binding gives.
  std::string Text(std::string_view mark) {
    std::string out(mark);
    unsigned high = 0;
    for (unsigned n = Below(12); n > 0; --n) {
      unsigned unit = Byte();
      if (unit >= 0xF0) unit = (unit << 8) | Byte();
      if (unit >= 0xE8 && unit < 0xF0) unit = (unit < 0xEC ? 0xD800 : 0xDC00) + Byte();
      if (high != 0 && unit >= 0xDC00 && unit < 0xE000) {
        out.resize(out.size() - 3);
        AppendCode(out, 0x10000 + ((high - 0xD800) << 10) + (unit - 0xDC00));
        high = 0;
        continue;
      }
      high = unit >= 0xD800 && unit < 0xDC00 ? unit : 0;
      AppendCode(out, unit);
    }
    return out;
  }
  std::string Name() { return Below(3) != 0 ? kHotNames[Below(std::size(kHotNames))] : Text(kNameMark); }

 private:
  static void AppendCode(std::string& out, unsigned code) {
    const auto push = [&](unsigned byte) { out.push_back(static_cast<char>(byte)); };
    if (code < 0x80) {
      push(code);
    } else if (code < 0x800) {
      push(0xC0 | (code >> 6));
    } else if (code < 0x10000) {
      push(0xE0 | (code >> 12));
      push(0x80 | ((code >> 6) & 63));
    } else {
      push(0xF0 | (code >> 18));
      push(0x80 | ((code >> 12) & 63));
      push(0x80 | ((code >> 6) & 63));
    }
    if (code >= 0x80) push(0x80 | (code & 63));
  }

  const std::uint8_t* at_;
  const std::uint8_t* end_;
};

inline Operand ReadScalar(Input& in) {
  switch (in.Below(8)) {
    case 0: return {Operand::Tag::kNull, false, 0, {}, {}};
    case 1: return {Operand::Tag::kBoolean, in.Below(2) == 0, 0, {}, {}};
    case 2: return {};
    case 3:
    case 4: return {Operand::Tag::kNumber, false, in.Number(), {}, {}};
    case 5: {
      // Short texts of stored values: too short to be recognised in SQL, so of digits and quotes that no plan holds.
      constexpr const char* kShort[] = {"", "7777", "\"'\"", "k7777", "-"};
      return {Operand::Tag::kString, false, 0, kShort[in.Below(5)], {}};
    }
    default: return {Operand::Tag::kString, false, 0, in.Text(kOperandMark), {}};
  }
}

inline Operand ReadList(Input& in, unsigned length) {
  Operand list;
  list.tag = Operand::Tag::kList;
  for (; length > 0; --length) list.list.push_back(ReadScalar(in));
  return list;
}

inline Operand ReadPattern(Input& in) {
  std::string text = in.Below(4) == 0 ? "*" : in.Text(kOperandMark);
  if (in.Below(2) == 0) text += "*" + in.Text("");
  return {Operand::Tag::kString, false, 0, std::move(text), {}};
}

inline Operand ReadOperand(Input& in, OperandKind kind) {
  switch (kind) {
    case OperandKind::kValues: return ReadList(in, in.Below(6));
    case OperandKind::kRange: return ReadList(in, 2);
    case OperandKind::kPattern: return ReadPattern(in);
    case OperandKind::kBoolean: return {Operand::Tag::kBoolean, in.Below(2) == 0, 0, {}, {}};
    case OperandKind::kScalar: break;
  }
  return ReadScalar(in);
}

class SpecReader {
 public:
  SpecReader(const Grammar& grammar, Input& in) : grammar_(grammar), in_(in) {}

  QuerySpec Spec() {
    QuerySpec spec;
    // Mostly a conjunction, which is what indexes serve.
    for (unsigned n = 1 + in_.Below(3); n > 0; --n) spec.filter.children.push_back(Filter(5));
    for (unsigned n = in_.Below(3); n > 0; --n) {
      auto [source, path] = Place();
      spec.sort.push_back({source, std::move(path), in_.Below(2) == 0});
    }
    if (in_.Below(2) == 0) spec.limit = in_.Below(20);
    if (in_.Below(4) == 0) spec.offset = in_.Below(8);
    return spec;
  }

  std::vector<IndexDefinition> Indexes(std::int64_t ns_id) {
    std::vector<IndexDefinition> indexes(in_.Below(4));
    for (auto& index : indexes) {
      index.ns_id = ns_id;
      index.unique = in_.Below(8) == 0;
      index.fields.resize(1 + in_.Below(3));
      for (auto& field : index.fields) {
        field.source = std::vector{Source::kField, Source::kField, Source::kPath, Source::kMetadata}[in_.Below(4)];
        field.path = Path(field.source);
      }
    }
    return indexes;
  }

  std::vector<std::string> Path(Source source) {
    std::vector<std::string> path;
    if (source == Source::kField || source == Source::kMetadata) path.resize(1);
    if (source == Source::kPath) path.resize(1 + in_.Below(3));
    for (auto& name : path) name = in_.Name();
    return path;
  }

 private:
  std::pair<Source, std::vector<std::string>> Place() {
    Source source = in_.Below(2) == 0 ? Source::kField : in_.Pick(grammar_.places);
    if (source == Source::kField && in_.Below(6) == 0) source = in_.Below(2) == 0 ? Source::kKey : Source::kValue;
    return {source, Path(source)};
  }

  FilterNode Filter(int depth) {
    FilterNode node;
    node.kind = depth == 0 || --nodes_ < 0 || in_.Below(2) == 0 ? FilterNode::Kind::kTerm : in_.Pick(grammar_.kinds);
    if (node.kind == FilterNode::Kind::kTerm) {
      std::tie(node.term.source, node.term.path) = Place();
      const OperatorRule& rule = in_.Below(3) == 0 ? grammar_.operators.front() : in_.Pick(grammar_.operators);
      node.term.op = rule.op;
      // Now and then an operand that JavaScript would refuse: the translator must bear that too.
      const auto kind = in_.Below(16) == 0 ? static_cast<OperandKind>(in_.Below(5)) : in_.Pick(rule.operands);
      node.term.operand = ReadOperand(in_, kind);
      return node;
    }
    const unsigned children = node.kind == FilterNode::Kind::kNot ? 1 : in_.Below(5);
    for (unsigned i = 0; i < children; ++i) node.children.push_back(Filter(depth - 1));
    return node;
  }

  const Grammar& grammar_;
  Input& in_;
  int nodes_ = 60;
};

}  // namespace hypha::fuzz
