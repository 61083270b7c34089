#include "query/explain.h"

#include <nlohmann/json.hpp>

#include "query/json_scan.h"

namespace hypha {
namespace {

using Json = nlohmann::ordered_json;

std::size_t RowCount(const JsonChunks& chunks) {
  std::size_t rows = 0;
  for (const auto& chunk : chunks) rows += json::ArrayLength(chunk);
  return rows;
}

QueryReply Finish(Json json, QueryReply reply) {
  json["examined"] = reply.examined;
  json["returned"] = RowCount(reply.chunks);
  reply.explanation = json.dump(-1, ' ', false, Json::error_handler_t::replace);
  reply.chunks.clear();
  return reply;
}

}  // namespace

QueryReply Explain(const Plan& plan, QueryReply reply) {
  Json json{{"plan", plan.table_scan ? "table scan" : "key scan"},
            {"index", nullptr},
            {"exact", !plan.match},
            {"order", plan.key_order ? "by the plan" : "sorted"},
            {"sql", Json::array({plan.sql})}};
  return Finish(std::move(json), std::move(reply));
}

QueryReply Explain(const IndexPlan& plan, QueryReply reply) {
  Json sql = Json::array();
  for (const auto& segment : plan.segments) {
    if (std::find(sql.begin(), sql.end(), segment.sql) == sql.end()) sql.push_back(segment.sql);
  }
  Json json{{"plan", "index"},
            {"index", {{"id", plan.index.id}, {"fields", Json::parse(reply.index, nullptr, false)}}},
            {"exact", plan.exact},
            {"order", plan.ordered ? "by the plan" : "sorted"},
            {"sql", std::move(sql)}};
  return Finish(std::move(json), std::move(reply));
}

}  // namespace hypha
