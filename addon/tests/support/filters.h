// Filters put together by hand.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hypha/types.h"

namespace hypha::test {

inline Operand Str(std::string_view text) { return {Operand::Tag::kString, false, 0, std::string(text), {}}; }
inline Operand Num(double number) { return {Operand::Tag::kNumber, false, number, {}, {}}; }

inline FilterNode Leaf(Term term) { return {FilterNode::Kind::kTerm, {}, std::move(term)}; }
inline FilterNode Leaf(Source source, std::vector<std::string> path, Operator op, Operand operand) {
  return Leaf(Term{source, std::move(path), op, std::move(operand)});
}
inline FilterNode And(std::vector<FilterNode> children) { return {FilterNode::Kind::kAnd, std::move(children), {}}; }
inline FilterNode Or(std::vector<FilterNode> children) { return {FilterNode::Kind::kOr, std::move(children), {}}; }

}  // namespace hypha::test
