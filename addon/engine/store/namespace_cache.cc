#include "store/namespace_cache.h"

namespace hypha {

unsigned DataVersion(Connection& db) {
  unsigned version = 0;
  sqlite3_file_control(db.handle(), "main", SQLITE_FCNTL_DATA_VERSION, &version);
  return version;
}

Result<std::int64_t> NamespaceCache::Find(std::string_view name) {
  if (last_id_ != 0 && name == last_name_) return last_id_;
  const auto found = ids_.find(name);
  if (found == ids_.end()) return Look(name);
  last_name_ = found->first;
  last_id_ = found->second;
  return last_id_;
}

Result<std::int64_t> NamespaceCache::Look(std::string_view name) {
  auto statement = statements_.Get(Sql::kNamespaceId);
  if (!statement.ok()) return statement.status();
  Cursor cursor(statement.value());
  const std::int64_t id = cursor.Bind(1, name).Step() ? cursor.Integer(0) : 0;
  Status status = cursor.status("find a namespace");
  if (!status.ok()) return status;
  if (id == 0) return id;
  const auto known = ids_.find(name);
  if (known != ids_.end() && known->second == id) return id;
  status = Check(name, id);
  if (!status.ok()) return status;
  Put(name, id);
  return id;
}

Status NamespaceCache::Check(std::string_view name, std::int64_t id) {
  auto statement = statements_.Get(Sql::kNamespaceName);
  if (!statement.ok()) return statement.status();
  Cursor cursor(statement.value());
  const bool same = cursor.Bind(1, id).Step() && cursor.Text(0) == name;
  Status status = cursor.status("read a namespace's name");
  if (!status.ok() || same) return status;
  return {Code::kCorrupt, "the index of namespaces is damaged: \"" + std::string(name) + "\" leads to another one"};
}

Result<std::int64_t> NamespaceCache::OnSnapshot(std::string_view name) {
  auto id = Look(name);
  if (!id.ok()) return id;
  const unsigned version = DataVersion(statements_.db());
  if (version != data_version_) {
    Clear();
    data_version_ = version;
    if (id.value() != 0) Put(name, id.value());
  }
  return id;
}

void NamespaceCache::Put(std::string_view name, std::int64_t id) {
  ids_.insert_or_assign(std::string(name), id);
  last_name_ = name;
  last_id_ = id;
}

void NamespaceCache::Erase(std::string_view name) {
  const auto found = ids_.find(name);
  if (found != ids_.end()) ids_.erase(found);
  last_id_ = 0;
}

void NamespaceCache::Clear() {
  ids_.clear();
  last_id_ = 0;
}

}  // namespace hypha
