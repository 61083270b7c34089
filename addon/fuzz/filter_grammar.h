// The filter language as schema/filter.schema.json words it, read when the fuzzer starts: what kinds of nodes, places
// and operators there are, and what operand each operator takes. A word that the engine does not know ends the program.
#pragma once

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "hypha/filter.h"

namespace hypha::fuzz {

enum class OperandKind { kScalar, kValues, kRange, kPattern, kBoolean };

struct OperatorRule {
  Operator op;
  std::vector<OperandKind> operands;
};

class Grammar {
 public:
  explicit Grammar(const char* schema_path) {
    std::ifstream file(schema_path);
    const Json schema = Json::parse(file);
    const Json& defs = schema.at("$defs");
    for (const auto& kind : defs.at("filter").at("oneOf")) kinds.push_back(Known(kKinds, Reference(kind)));
    for (const auto& place : defs.at("term").at("oneOf")) {
      const std::string name = place.at("required").at(0);
      if (name == "system") {
        for (const auto& system : defs.at("term").at("properties").at("system").at("enum")) {
          places.push_back(Known(kSystems, system));
        }
      } else {
        places.push_back(Known(kPlaces, name));
      }
    }
    for (const auto& name : defs.at("operator").at("enum")) {
      operators.push_back({Known(kOperators, name), OperandsOf(defs.at("term"), name)});
    }
  }

  std::vector<FilterNode::Kind> kinds;
  std::vector<Source> places;
  std::vector<OperatorRule> operators;

 private:
  using Json = nlohmann::json;
  template <class T>
  using Words = std::map<std::string, T>;

  static std::string Reference(const Json& node) {
    const std::string text = node.at("$ref");
    return text.substr(text.rfind('/') + 1);
  }
  template <class T>
  static T Known(const Words<T>& words, const std::string& word) {
    const auto found = words.find(word);
    if (found != words.end()) return found->second;
    std::fprintf(stderr, "FINDING: the schema has a word that the fuzzer does not know: %s\n", word.c_str());
    std::abort();
  }
  static OperandKind KindOf(const Json& value) {
    return value.contains("$ref") ? Known(kOperands, Reference(value)) : Known(kOperands, value.at("type"));
  }
  // The rule whose condition names the operator.
  static std::vector<OperandKind> OperandsOf(const Json& term, const std::string& name) {
    for (const auto& rule : term.at("allOf")) {
      const Json& condition = rule.at("if").at("properties").at("operator");
      const Json names = condition.contains("const") ? Json::array({condition.at("const")}) : condition.at("enum");
      if (std::find(names.begin(), names.end(), name) == names.end()) continue;
      const Json& value = rule.at("then").at("properties").at("value");
      if (!value.contains("oneOf")) return {KindOf(value)};
      std::vector<OperandKind> kinds;
      for (const auto& each : value.at("oneOf")) kinds.push_back(KindOf(each));
      return kinds;
    }
    return {Known(kOperands, "no operand of " + name)};
  }

  static inline const Words<FilterNode::Kind> kKinds{{"list", FilterNode::Kind::kAnd},
                                                     {"and", FilterNode::Kind::kAnd},
                                                     {"or", FilterNode::Kind::kOr},
                                                     {"not", FilterNode::Kind::kNot},
                                                     {"term", FilterNode::Kind::kTerm}};
  // A field called 'key' or 'value' becomes a source of its own in JavaScript; the fuzzer picks those by itself.
  static inline const Words<Source> kPlaces{
      {"field", Source::kField}, {"path", Source::kPath}, {"metadata", Source::kMetadata}};
  static inline const Words<Source> kSystems{
      {"createdAt", Source::kCreatedAt}, {"updatedAt", Source::kUpdatedAt}, {"version", Source::kVersion}};
  static inline const Words<OperandKind> kOperands{{"scalar", OperandKind::kScalar},
                                                   {"values", OperandKind::kValues},
                                                   {"range", OperandKind::kRange},
                                                   {"pattern", OperandKind::kPattern},
                                                   {"boolean", OperandKind::kBoolean}};
  static inline const Words<Operator> kOperators{{"eq", Operator::kEq},
                                                 {"ne", Operator::kNe},
                                                 {"gt", Operator::kGt},
                                                 {"gte", Operator::kGte},
                                                 {"lt", Operator::kLt},
                                                 {"lte", Operator::kLte},
                                                 {"contains", Operator::kContains},
                                                 {"startsWith", Operator::kStartsWith},
                                                 {"endsWith", Operator::kEndsWith},
                                                 {"in", Operator::kIn},
                                                 {"nin", Operator::kNin},
                                                 {"exists", Operator::kExists},
                                                 {"between", Operator::kBetween},
                                                 {"like", Operator::kLike},
                                                 {"has", Operator::kHas}};
};

}  // namespace hypha::fuzz
