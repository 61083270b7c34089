#include "query/explain.h"

#include <algorithm>
#include <string>
#include <vector>

#include "base/json_object.h"
#include "query/json_scan.h"

namespace hypha {
namespace {

std::size_t RowCount(const JsonChunks& chunks) {
  std::size_t rows = 0;
  for (const auto& chunk : chunks) rows += json::ArrayLength(chunk);
  return rows;
}

struct How {
  const char* plan;
  bool exact;
  bool ordered;
  std::vector<std::string> sql;
};

// `index` is JSON text.
QueryReply Finish(const How& how, const std::string& index, QueryReply reply) {
  JsonArray sql;
  for (const auto& text : how.sql) sql.Add(JsonText(text));
  JsonObject json;
  json.Raw("index", index)
      .Text("plan", how.plan)
      .Boolean("exact", how.exact)
      .Text("order", how.ordered ? "by the plan" : "sorted")
      .Raw("sql", std::move(sql).Take())
      .Number("examined", reply.examined)
      .Number("returned", static_cast<std::int64_t>(RowCount(reply.chunks)));
  reply.explanation = std::move(json).Take();
  reply.chunks.clear();
  return reply;
}

}  // namespace

QueryReply Explain(const Plan& plan, QueryReply reply) {
  const How how{plan.table_scan ? "table scan" : "key scan", !plan.match, plan.key_order, {plan.sql}};
  return Finish(how, "null", std::move(reply));
}

QueryReply ExplainNothing() { return Finish({"nothing", true, true, {}}, "null", {}); }

QueryReply Explain(const IndexPlan& plan, QueryReply reply) {
  How how{"index", plan.exact, plan.ordered, {}};
  for (const auto& segment : plan.segments) {
    if (std::find(how.sql.begin(), how.sql.end(), segment.sql) == how.sql.end()) how.sql.push_back(segment.sql);
  }
  const std::string index = "{\"id\":" + std::to_string(plan.index.id) + ",\"fields\":" + reply.index + "}";
  return Finish(how, index, std::move(reply));
}

}  // namespace hypha
