#include "store/entry_reader.h"

#include "base/json_writer.h"

namespace hypha {

Result<bool> EntryReader::Has(std::string_view ns, std::string_view key) {
  if (cache_ != nullptr) {
    auto ns_id = namespaces_.Find(ns);
    if (ns_id.ok() && cache_->Find(ns_id.value(), key) != nullptr) return true;
  }
  return Point(Sql::kHas, ns, key, [](const StoredEntry&) { return true; });
}

Result<std::optional<Entry>> EntryReader::GetEntry(std::string_view ns, std::string_view key) {
  std::optional<Entry> entry;
  auto found = Point(Sql::kGetEntry, ns, key, [&](const StoredEntry& row) {
    const EntryView view = row.attributes();
    entry = Entry{std::string(key), std::string(row.value()), std::string(view.metadata),
                  view.created_at,  view.updated_at,          view.version};
    return row.IsValueIntact() && row.AreAttributesIntact();
  });
  if (!found.ok()) return found.status();
  return entry;
}

Result<std::optional<std::string>> EntryReader::GetMetadata(std::string_view ns, std::string_view key) {
  std::optional<std::string> metadata;
  auto found = Point(Sql::kGetMetadata, ns, key, [&](const StoredEntry& row) {
    metadata = std::string(row.attributes().metadata);
    return row.AreAttributesIntact();
  });
  if (!found.ok()) return found.status();
  return metadata;
}

Status EntryReader::GetMany(std::string_view ns, const std::vector<std::string>& keys, std::int64_t max_bytes,
                            ManyReply* reply) {
  ChunkWriter values;
  std::int64_t bytes = 0;
  for (const auto& key : keys) {
    auto found = Get(ns, key, [&](std::string_view text) {
      bytes += static_cast<std::int64_t>(text.size());
      if (bytes > max_bytes) return;
      values.Element().append(text);
      values.Close();
    });
    if (!found.ok()) return found.status();
    if (bytes > max_bytes) return {Code::kTooLarge, "the result is larger than limits.resultBytes"};
    reply->present.push_back(found.value());
  }
  reply->values = values.Take();
  return Status::Ok();
}

Result<std::int64_t> EntryReader::Integer(Sql id) {
  auto statement = statements_.Get(id);
  if (!statement.ok()) return statement.status();
  Cursor cursor(statement.value());
  if (cursor.Step()) return cursor.Integer(0);
  return cursor.status("count");
}

Result<std::int64_t> EntryReader::CountAll() { return Integer(Sql::kCountEntries); }
Result<std::int64_t> EntryReader::CountNamespaces() { return Integer(Sql::kCountNamespaces); }

Result<std::int64_t> EntryReader::Count(std::string_view ns) {
  auto ns_id = namespaces_.Find(ns);
  if (!ns_id.ok() || ns_id.value() == 0) return ns_id;
  auto statement = statements_.Get(Sql::kCountNamespace);
  if (!statement.ok()) return statement.status();
  Cursor cursor(statement.value());
  if (cursor.Bind(1, ns_id.value()).Step()) return cursor.Integer(0);
  return cursor.status("count");
}

Result<std::vector<std::string>> EntryReader::NamespaceNames() {
  auto statement = statements_.Get(Sql::kNamespaceNames);
  if (!statement.ok()) return statement.status();
  Cursor cursor(statement.value());
  std::vector<std::string> names;
  while (cursor.Step()) names.emplace_back(cursor.Text(0));
  Status status = cursor.status("list namespaces");
  if (!status.ok()) return status;
  return names;
}

Result<std::optional<NamespaceInfo>> EntryReader::GetNamespace(std::string_view name) {
  auto statement = statements_.Get(Sql::kNamespaceGet);
  if (!statement.ok()) return statement.status();
  Cursor cursor(statement.value());
  std::optional<NamespaceInfo> info;
  if (cursor.Bind(1, name).Step()) {
    info = NamespaceInfo{std::string(name), cursor.Integer(0) != 0, std::string(cursor.Text(1)), cursor.Integer(2)};
  }
  Status status = cursor.status("read a namespace");
  if (!status.ok()) return status;
  return info;
}

}  // namespace hypha
