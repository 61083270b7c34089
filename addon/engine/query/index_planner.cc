#include "query/index_planner.h"

#include <algorithm>

#include "query/evaluator.h"
#include "query/order_key.h"
#include "query/row_sql.h"

namespace hypha {
namespace {

// How much a term narrows, when nothing else is known.
int Weight(Operator op) {
  switch (op) {
    case Operator::kEq: return 50;
    case Operator::kIn: return 40;
    case Operator::kBetween:
    case Operator::kStartsWith: return 30;
    default: return 20;
  }
}
constexpr int kOrderWeight = 15;  // an order that spares a sort, when the reader stops early

void CollectTerms(const FilterNode& node, std::vector<const Term*>& terms, bool* all) {
  if (node.kind == FilterNode::Kind::kAnd) {
    for (const auto& child : node.children) CollectTerms(child, terms, all);
  } else if (node.kind == FilterNode::Kind::kTerm) {
    terms.push_back(&node.term);
  } else {
    *all = false;
  }
}

struct Candidate {
  std::vector<std::string> equal;
  std::optional<std::vector<IndexRange>> ranges;  // of the column after `equal`
  const Term* range_term = nullptr;
  std::size_t terms_used = 0;
  int weight = 0;
};

bool Names(const IndexField& field, Source source, const std::vector<std::string>& path) {
  return field.source == source && field.path == path;
}

// The term on `field` that narrows most.
const Term* BestTerm(const IndexField& field, const std::vector<const Term*>& terms,
                     std::optional<std::vector<IndexRange>>* ranges) {
  const Term* best = nullptr;
  for (const auto* term : terms) {
    if (!Names(field, term->source, term->path)) continue;
    if (best != nullptr && Weight(term->op) <= Weight(best->op)) continue;
    auto found = RangesOf(*term);
    if (!found) continue;
    best = term;
    *ranges = std::move(found);
  }
  return best;
}

Candidate Match(const IndexDefinition& index, const std::vector<const Term*>& terms) {
  Candidate candidate;
  std::vector<const Term*> unused = terms;
  for (const auto& field : index.fields) {
    std::optional<std::vector<IndexRange>> ranges;
    const Term* term = BestTerm(field, unused, &ranges);
    if (term == nullptr) break;
    // An index may name a field twice, but its term counts once.
    std::erase(unused, term);
    candidate.weight += Weight(term->op);
    ++candidate.terms_used;
    const bool one_value = term->op == Operator::kEq && ranges->size() == 1 && term->operand.tag != Operand::Tag::kNull;
    const bool last = &field == &index.fields.back();
    if (!one_value || last) {
      candidate.ranges = std::move(ranges);
      candidate.range_term = term;
      break;
    }
    candidate.equal.push_back(ranges->front().low);
  }
  return candidate;
}

// Whether the column after the equal ones is what the query sorts by.
bool Sorts(const IndexDefinition& index, const Candidate& candidate, const std::vector<SortKey>& sort) {
  const std::size_t column = candidate.equal.size();
  return sort.size() == 1 && column < index.fields.size() && Names(index.fields[column], sort[0].source, sort[0].path);
}

// Builds the segments of one chosen index.
class SegmentBuilder {
 public:
  SegmentBuilder(const QuerySpec& spec, const IndexDefinition& index, const Candidate& candidate, bool count_only)
      : index_(index),
        column_(candidate.equal.size()),
        match_call_(MatchCall(Evaluator(spec.filter))),
        select_(count_only ? kSelectCount : kSelectRow) {}

  // `order`: what to sort by within the segment, may be empty.
  IndexSegment Range(const IndexRange& range, bool match, const std::string& order) const {
    std::string from = From() + " AND " + Column() + " >= ?1 AND " + Column() + " < ?3";
    std::string sql = Finish(select_ + from, match, order);
    return {std::move(sql), std::move(from), range.low, range.high, match};
  }
  // The rows of one value in key order, from behind `after_key`.
  IndexSegment Point(const std::string& key, bool match, const std::string& after_key) const {
    std::string from = From() + " AND " + Column() + " = ?1 AND key > ?3";
    std::string sql = Finish(select_ + from, match, " ORDER BY key");
    return {std::move(sql), std::move(from), key, {}, match, after_key};
  }
  // Every row for which the column is null or absent, in key order.
  IndexSegment Missing(bool match) const {
    std::string from = From() + " AND (" + Column() + " >= x'50' OR " + Column() + " IS NULL)";
    std::string sql = Finish(select_ + from, match, " ORDER BY key");
    return {std::move(sql), std::move(from), {}, {}, match};
  }
  std::string Column() const { return IndexExpression(index_.fields[column_]); }
  std::string NullCheck() const { return "SELECT 1" + From() + " AND " + Column() + " = x'51' LIMIT 1"; }

 private:
  std::string From() const {
    std::string sql =
        " FROM hypha_entries INDEXED BY " + IndexName(index_.id) + " WHERE ns_id = " + std::to_string(index_.ns_id);
    for (std::size_t i = 0; i < column_; ++i) {
      sql += " AND " + IndexExpression(index_.fields[i]) + " = ?" + std::to_string(4 + i);
    }
    return sql;
  }
  std::string Finish(std::string sql, bool match, const std::string& order) const {
    if (match) sql += match_call_;
    return sql + order;
  }

  const IndexDefinition& index_;
  std::size_t column_;
  std::string match_call_;
  std::string select_;
};

const IndexRange kEverything{std::string(1, order_tag::kNumber), std::string(1, order_tag::kEnd), false};

// `range` cut at the borders between numbers, strings, booleans and the rest: an order reverses only within each.
std::vector<IndexRange> SplitByRank(const IndexRange& range) {
  std::vector<IndexRange> pieces;
  std::string low = range.low;
  for (const char border : {order_tag::kString, order_tag::kFalse, order_tag::kComposite, order_tag::kNull}) {
    const std::string at(1, border);
    if (low >= at) continue;
    if (range.high <= at) break;
    pieces.push_back({low, at, range.exact});
    low = at;
  }
  if (low < range.high) pieces.push_back({low, range.high, range.exact});
  return pieces;
}

// What of `piece`, which lies within one rank, can come behind a row with the order key `after`.
void SkipBefore(IndexRange& piece, const std::string& after, bool descending) {
  const auto rank = [](const std::string& key) { return key[0] & 0xF0; };
  if (rank(piece.low) < rank(after)) {
    piece.high = piece.low;  // wholly before
  } else if (rank(piece.low) == rank(after)) {
    if (descending) piece.high = std::min(piece.high, after + '\0');
    if (!descending) piece.low = std::max(piece.low, after);
  }
}

// Segments whose concatenation is in the order of `sort`.
void AddOrdered(const SegmentBuilder& builder, const Candidate& candidate, const SortKey& sort, bool rest_exact,
                const Position* after, IndexPlan& plan) {
  std::vector<IndexRange> ranges = candidate.ranges.value_or(std::vector<IndexRange>{kEverything});
  std::vector<IndexRange> pieces;
  for (const auto& range : ranges) {
    for (auto& piece : SplitByRank(range)) {
      if (after != nullptr && piece.low[0] < order_tag::kNull) {
        SkipBefore(piece, OrderKey(after->sort[0]), sort.descending);
      }
      if (piece.low < piece.high) pieces.push_back(std::move(piece));
    }
  }
  const auto same_rank = [](const IndexRange& a, const IndexRange& b) {
    return (a.low[0] & 0xF0) == (b.low[0] & 0xF0);
  };
  if (sort.descending) {
    for (auto from = pieces.begin(); from != pieces.end();) {
      const auto to = std::find_if(from, pieces.end(), [&](const IndexRange& p) { return !same_rank(*from, p); });
      std::reverse(from, to);
      from = to;
    }
  }
  const std::string order = " ORDER BY " + builder.Column() + (sort.descending ? " DESC, key" : ", key");
  const bool all_values = !candidate.ranges.has_value();
  for (const auto& piece : pieces) {
    const bool missing = piece.low[0] >= order_tag::kNull;
    if (missing && all_values) continue;  // comes with the absent ones below
    const bool match = !rest_exact || (!piece.exact && !all_values);
    plan.segments.push_back(builder.Range(piece, match, missing ? " ORDER BY key" : order));
  }
  if (all_values) plan.segments.push_back(builder.Missing(!rest_exact));
  plan.ordered = true;
  plan.check_null_over_metadata = sort.source == Source::kField;
  plan.null_check_sql = builder.NullCheck();
}

void AddUnordered(const SegmentBuilder& builder, const Candidate& candidate, bool by_key, bool rest_exact,
                  const Position* after, IndexPlan& plan) {
  const auto& ranges = *candidate.ranges;
  // Entries of one value lie in key order.
  const bool one_value = ranges.size() == 1 && ranges[0].exact && candidate.range_term->op == Operator::kEq &&
                         candidate.range_term->operand.tag != Operand::Tag::kNull;
  plan.ordered = by_key && (one_value || ranges.empty());
  if (plan.ordered && one_value && after != nullptr) {
    plan.segments.push_back(builder.Point(ranges[0].low, !rest_exact, after->key));
    return;
  }
  for (const auto& range : ranges) {
    const std::string order = plan.ordered ? " ORDER BY " + builder.Column() + ", key" : "";
    plan.segments.push_back(builder.Range(range, !rest_exact || !range.exact, order));
  }
}

}  // namespace

std::optional<IndexPlan> PlanIndex(const QuerySpec& spec, const std::vector<IndexDefinition>& indexes,
                                   const IndexPlanRequest& request) {
  std::vector<const Term*> terms;
  bool only_terms = true;
  CollectTerms(spec.filter, terms, &only_terms);
  const IndexDefinition* best = nullptr;
  Candidate chosen;
  for (const auto& index : indexes) {
    Candidate candidate = Match(index, terms);
    if (request.limited && Sorts(index, candidate, spec.sort)) candidate.weight += kOrderWeight;
    if (candidate.weight > (best == nullptr ? 0 : chosen.weight)) {
      best = &index;
      chosen = std::move(candidate);
    }
  }
  if (best == nullptr) return std::nullopt;

  const bool ordered = request.limited && Sorts(*best, chosen, spec.sort);
  // Leading equal columns without a term on the next one: all values of that one.
  if (!chosen.ranges && !ordered && chosen.equal.empty()) return std::nullopt;
  IndexPlan plan;
  plan.index = *best;
  plan.equal = chosen.equal;
  const bool rest_exact = only_terms && chosen.terms_used == terms.size();
  const SegmentBuilder builder(spec, *best, chosen, request.count_only);
  if (ordered) {
    AddOrdered(builder, chosen, spec.sort[0], rest_exact, request.after, plan);
  } else if (chosen.ranges) {
    AddUnordered(builder, chosen, spec.sort.empty(), rest_exact, request.after, plan);
  } else {
    plan.segments.push_back(builder.Range(kEverything, !rest_exact, ""));
    plan.segments.push_back(builder.Missing(!rest_exact));
    // Missing() also reads null, which kEverything holds already.
    plan.segments[0].high = std::string(1, order_tag::kNull);
  }
  plan.exact = std::none_of(plan.segments.begin(), plan.segments.end(), [](const auto& s) { return s.match; });
  return plan;
}

}  // namespace hypha
