#include "exec/read_context.h"

#include <algorithm>
#include <chrono>

#include "base/json_writer.h"
#include "hypha/caught.h"
#include "ops/diagnose.h"
#include "ops/storage_report.h"
#include "query/index_catalog.h"

namespace hypha {
namespace {

// A Result<T> as the alternative of ReadReply that holds T.
template <class T>
Result<ReadReply> Wrap(Result<T> result) {
  if (!result.ok()) return result.status();
  return ReadReply(std::move(result.value()));
}

bool IsEverything(const FilterNode& filter) { return filter.kind == FilterNode::Kind::kAnd && filter.children.empty(); }

}  // namespace

Result<ReadReply> ReadContext::Answer(const ReadRequest& request, const ReadLimits& limits) {
  const auto now = std::chrono::steady_clock::now();
  if (db().expired()) return StatusOf(EndedBy::kLog);
  if (now >= limits.expires) return StatusOf(limits.expires_by);
  const auto deadline = std::min(now + std::chrono::milliseconds(limits.query_timeout_ms), limits.expires);
  const auto cancelled = [&] { return limits.cancelled != nullptr && limits.cancelled->load(); };
  if (cancelled()) return Status(Code::kAborted);
  db().SetDeadline(deadline, limits.cancelled.get());
  auto reply = Caught([&] { return std::visit([&](const auto& spec) { return On(spec, limits); }, request); });
  db().ClearDeadline();
  if (!reply.ok() && reply.status().code() == Code::kTimeout) {
    if (cancelled()) return Status(Code::kAborted);
    if (db().expired()) return StatusOf(EndedBy::kLog);
    // Interrupted before its time: only closing does that.
    if (std::chrono::steady_clock::now() < deadline) return Status(Code::kClosed);
    if (deadline == limits.expires) return StatusOf(limits.expires_by);
    return Status(Code::kTimeout, "the read took longer than its timeout (limits.queryTimeout unless given)",
                  reply.status().sqlite_code());
  }
  return reply;
}

Result<ReadReply> ReadContext::On(const GetEntrySpec& spec, const ReadLimits& /*limits*/) {
  return Wrap(entries_.GetEntry(spec.ns, spec.key));
}

Result<ReadReply> ReadContext::On(const GetManySpec& spec, const ReadLimits& limits) {
  ManyReply reply;
  Status status = entries_.GetMany(spec.ns, spec.keys, limits.result_bytes, &reply);
  if (!status.ok()) return status;
  return ReadReply(std::move(reply));
}

Result<ReadReply> ReadContext::On(const CountSpec& spec, const ReadLimits& /*limits*/) {
  if (IsEverything(spec.filter)) return Wrap(entries_.Count(spec.ns));
  auto ns_id = namespaces_.Find(spec.ns);
  if (!ns_id.ok()) return ns_id.status();
  return Wrap(queries_.Count(spec, ns_id.value()));
}

Result<ReadReply> ReadContext::On(const ListSpec& spec, const ReadLimits& limits) {
  return Wrap(entries_.List(spec, limits.result_bytes));
}

Result<ReadReply> ReadContext::On(const QuerySpec& spec, const ReadLimits& limits) {
  auto ns_id = namespaces_.Find(spec.ns);
  if (!ns_id.ok()) return ns_id.status();
  return Wrap(queries_.Run(spec, ns_id.value(), limits.result_bytes));
}

Result<ReadReply> ReadContext::On(const IndexesSpec& spec, const ReadLimits& /*limits*/) {
  auto ns_id = namespaces_.Find(spec.ns);
  if (!ns_id.ok()) return ns_id.status();
  if (ns_id.value() == 0) return ReadReply(std::string("[]"));
  auto indexes = LoadIndexes(db(), ns_id.value());
  if (!indexes.ok()) return indexes.status();
  std::string json = "[";
  for (const auto& index : indexes.value()) {
    if (json.size() > 1) json.push_back(',');
    json += "{\"fields\":" + FieldsToJson(index.fields) + ",\"unique\":" + (index.unique ? "true" : "false") + "}";
  }
  return ReadReply(json + "]");
}

Result<ReadReply> ReadContext::On(const NamespacesSpec& /*spec*/, const ReadLimits& /*limits*/) {
  auto names = entries_.NamespaceNames();
  if (!names.ok()) return names.status();
  auto& list = names.value();
  const auto place = std::lower_bound(list.begin(), list.end(), kDefaultNamespace);
  if (place == list.end() || *place != kDefaultNamespace) list.emplace(place, kDefaultNamespace);
  ChunkWriter out;
  for (const auto& name : list) {
    AppendJsonString(out.Element(), name);
    out.Close();
  }
  return ReadReply(out.Take());
}

Result<ReadReply> ReadContext::On(const NamespaceSpec& spec, const ReadLimits& /*limits*/) {
  auto info = entries_.GetNamespace(spec.name);
  if (info.ok() && !info.value() && spec.name == kDefaultNamespace)
    info.value() = NamespaceInfo{spec.name, true, {}, 0};
  return Wrap(std::move(info));
}

Result<ReadReply> ReadContext::On(const StatusSpec& /*spec*/, const ReadLimits& /*limits*/) {
  return Wrap(StatusJson(entries_, statements_.db()));
}

Result<ReadReply> ReadContext::On(const MetaSpec& spec, const ReadLimits& /*limits*/) {
  auto statement = statements_.Get(Sql::kMetaGet);
  if (!statement.ok()) return statement.status();
  Cursor cursor(statement.value());
  cursor.Bind(1, std::string_view(spec.name));
  std::string text;
  if (cursor.Step()) text = cursor.Text(0);
  Status status = cursor.status("read a mark");
  if (!status.ok()) return status;
  return ReadReply(std::move(text));
}

Result<ReadReply> ReadContext::On(const DiagnoseSpec& /*spec*/, const ReadLimits& /*limits*/) {
  return Wrap(DiagnoseJson(statements_.db()));
}

Result<ReadReply> ReadContext::On(const StorageSpec& spec, const ReadLimits& /*limits*/) {
  return Wrap(StorageJson(entries_, statements_.db(), spec.counts));
}

Result<ReadReply> ReadContext::On(const IntegritySpec& spec, const ReadLimits& /*limits*/) {
  return Wrap(IntegrityJson(statements_.db(), spec.full));
}

}  // namespace hypha
