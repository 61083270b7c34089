#include "query/planner.h"

#include "base/json_writer.h"
#include "query/evaluator.h"
#include "query/key_range.h"
#include "query/row_sql.h"

namespace hypha {
namespace {

// What the conjuncts of a filter say about the key.
struct KeyTerms {
  std::string where;
  std::vector<std::string> texts;
  bool exact = true;  // nothing of the filter is left over
};

bool IsWellFormed(std::string_view wtf8) {
  for (std::size_t i = 0; i + 1 < wtf8.size(); ++i) {
    // Surrogates are ED A0..BF xx in WTF-8; no stored key holds one.
    if (static_cast<unsigned char>(wtf8[i]) == 0xED && static_cast<unsigned char>(wtf8[i + 1]) >= 0xA0) return false;
  }
  return true;
}

void Add(KeyTerms& terms, const char* before, std::string text, const char* after = "") {
  terms.where += before;
  terms.where += "?" + std::to_string(Plan::kFirstTextParameter + static_cast<int>(terms.texts.size()));
  terms.where += after;
  terms.texts.push_back(std::move(text));
}

bool AddPrefix(KeyTerms& terms, const std::string& prefix) {
  if (!IsWellFormed(prefix)) return false;
  const auto end = PrefixEnd(prefix);
  Add(terms, " AND key >= ", prefix);
  if (end) Add(terms, " AND key < ", *end);
  return true;
}

bool AddList(KeyTerms& terms, const std::vector<Operand>& list) {
  std::string array = "[";
  for (const auto& item : list) {
    if (item.tag != Operand::Tag::kString || !IsWellFormed(item.text)) continue;  // equals no key
    if (array.size() > 1) array.push_back(',');
    AppendJsonString(array, item.text);
  }
  array.push_back(']');
  // JSON text cannot carry a NUL byte through json_each unharmed.
  if (array.find("\\u0000") != std::string::npos) return false;
  Add(terms, " AND key IN (SELECT value FROM json_each(", std::move(array), "))");
  return true;
}

bool AddTerm(KeyTerms& terms, const Term& term) {
  if (term.source != Source::kKey) return false;
  const Operand& operand = term.operand;
  if (term.op == Operator::kIn && operand.tag == Operand::Tag::kList) return AddList(terms, operand.list);
  if (operand.tag != Operand::Tag::kString) return false;
  if (term.op == Operator::kStartsWith) return AddPrefix(terms, operand.text);
  if (term.op != Operator::kEq || !IsWellFormed(operand.text)) return false;
  Add(terms, " AND key = ", operand.text);
  return true;
}

void Collect(const FilterNode& node, KeyTerms& terms) {
  constexpr std::size_t kMaxTexts = 64;
  if (node.kind == FilterNode::Kind::kAnd) {
    for (const auto& child : node.children) Collect(child, terms);
    return;
  }
  const bool added =
      node.kind == FilterNode::Kind::kTerm && terms.texts.size() < kMaxTexts && AddTerm(terms, node.term);
  terms.exact = terms.exact && added;
}

}  // namespace

Plan MakePlan(const FilterNode& filter, const PlanRequest& request) {
  KeyTerms terms;
  Collect(filter, terms);
  if (!request.after_key.empty()) Add(terms, " AND key > ", std::string(request.after_key));
  Plan plan;
  plan.match = !terms.exact;
  const bool ranged = !terms.where.empty();
  // Reading the whole table in rowid order is cheaper than hopping to each row from the index, when most rows count.
  const bool stops_early = request.unsorted && request.limited;
  // Without a filter the index alone gives a count, and the order of the keys.
  const bool index_suffices = !plan.match && (request.count_only || request.unsorted);
  plan.table_scan = request.mostly_this_namespace && !ranged && !stops_early && !index_suffices;
  plan.key_order = request.unsorted && !plan.table_scan;
  plan.count_only = request.count_only;
  plan.sql = request.count_only ? kSelectCount : kSelectRow;
  plan.sql += plan.table_scan ? " FROM hypha_entries NOT INDEXED" : " FROM hypha_entries INDEXED BY hypha_entries_key";
  plan.sql += " WHERE ns_id = ?1" + terms.where;
  plan.texts = std::move(terms.texts);
  if (plan.match) plan.sql += MatchCall(Evaluator(filter));
  if (plan.key_order) plan.sql += " ORDER BY key";
  return plan;
}

}  // namespace hypha
