// EntryWriter on indexes.
#include "query/index_catalog.h"
#include "sqlite/savepoint.h"
#include "store/entry_writer.h"

namespace hypha {
namespace {

// Longer names would make statements longer than a connection takes (SQLITE_LIMIT_SQL_LENGTH): a query may say each
// name three times, with its quotes doubled.
constexpr std::size_t kMaxFieldsBytes = 8192;

Result<IndexDefinition> DefinitionOf(const WriteOp& op, std::int64_t ns_id) {
  auto fields = FieldsFromJson(op.value);
  if (!fields || fields->empty()) return Status(Code::kInvalidArgument, "the fields of an index are not readable");
  if (FieldsToJson(*fields).size() > kMaxFieldsBytes) {
    return Status(Code::kTooLarge, "the names of an index's fields are longer than 8192 bytes");
  }
  return IndexDefinition{0, ns_id, std::move(*fields), op.unique};
}

}  // namespace

WriteOutcome EntryWriter::CreateIndex(const WriteOp& op) {
  auto savepoint = Savepoint::Begin(statements_.db());
  if (!savepoint.ok()) return {savepoint.status(), 0, 0};
  auto ns_id = namespaces_.Find(op.ns);
  if (ns_id.ok() && ns_id.value() == 0) ns_id = AddNamespace(op.ns, std::nullopt, false);
  if (!ns_id.ok()) return {ns_id.status(), 0, 0};
  auto index = DefinitionOf(op, ns_id.value());
  Status status = index.status();
  if (status.ok()) status = hypha::CreateIndex(statements_.db(), index.value(), hooks_.now_ms());
  if (status.ok()) status = std::move(savepoint.value()).Release();
  if (!status.ok()) namespaces_.Erase(op.ns);  // it may have come with the index, and goes with it
  return {std::move(status), 0, 1};
}

WriteOutcome EntryWriter::DropIndex(const WriteOp& op) {
  auto ns_id = namespaces_.Find(op.ns);
  if (!ns_id.ok()) return {ns_id.status(), 0, 0};
  if (ns_id.value() == 0) return {};
  auto wanted = DefinitionOf(op, ns_id.value());
  if (!wanted.ok()) return {wanted.status(), 0, 0};
  auto indexes = LoadIndexes(statements_.db(), ns_id.value());
  if (!indexes.ok()) return {indexes.status(), 0, 0};
  for (const auto& index : indexes.value()) {
    if (index.fields != wanted.value().fields) continue;
    auto savepoint = Savepoint::Begin(statements_.db());
    if (!savepoint.ok()) return {savepoint.status(), 0, 0};
    Status status = hypha::DropIndex(statements_.db(), index);
    if (status.ok()) status = std::move(savepoint.value()).Release();
    return {std::move(status), 0, 1};
  }
  return {};
}

Status EntryWriter::DropIndexesOf(std::int64_t ns_id) {
  auto indexes = LoadIndexes(statements_.db(), ns_id);
  if (!indexes.ok()) return indexes.status();
  for (const auto& index : indexes.value()) {
    Status status = hypha::DropIndex(statements_.db(), index);
    if (!status.ok()) return status;
  }
  return Status::Ok();
}

}  // namespace hypha
