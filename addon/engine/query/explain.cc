#include "query/explain.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>

#include "query/json_scan.h"

namespace hypha {
namespace {

using Json = nlohmann::ordered_json;

std::size_t RowCount(const JsonChunks& chunks) {
  std::size_t rows = 0;
  for (const auto& chunk : chunks) rows += json::ArrayLength(chunk);
  return rows;
}

// `index` is JSON text as it is: the JSON library refuses the lone surrogates that names may hold.
QueryReply Finish(Json json, const std::string& index, QueryReply reply) {
  json["examined"] = reply.examined;
  json["returned"] = RowCount(reply.chunks);
  const std::string rest = json.dump(-1, ' ', false, Json::error_handler_t::replace);
  reply.explanation = "{\"index\":" + index + "," + rest.substr(1);
  reply.chunks.clear();
  return reply;
}

}  // namespace

QueryReply Explain(const Plan& plan, QueryReply reply) {
  Json json{{"plan", plan.table_scan ? "table scan" : "key scan"},
            {"exact", !plan.match},
            {"order", plan.key_order ? "by the plan" : "sorted"},
            {"sql", Json::array({plan.sql})}};
  return Finish(std::move(json), "null", std::move(reply));
}

QueryReply ExplainNothing() {
  Json json{{"plan", "nothing"}, {"exact", true}, {"order", "by the plan"}, {"sql", Json::array()}};
  return Finish(std::move(json), "null", {});
}

QueryReply Explain(const IndexPlan& plan, QueryReply reply) {
  Json sql = Json::array();
  for (const auto& segment : plan.segments) {
    if (std::find(sql.begin(), sql.end(), segment.sql) == sql.end()) sql.push_back(segment.sql);
  }
  Json json{{"plan", "index"},
            {"exact", plan.exact},
            {"order", plan.ordered ? "by the plan" : "sorted"},
            {"sql", std::move(sql)}};
  const std::string index = "{\"id\":" + std::to_string(plan.index.id) + ",\"fields\":" + reply.index + "}";
  return Finish(std::move(json), index, std::move(reply));
}

}  // namespace hypha
