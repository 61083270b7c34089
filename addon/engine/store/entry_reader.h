// Point reads, namespaces and key listing on one connection.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hypha/types.h"
#include "store/list_cache.h"
#include "store/namespace_cache.h"
#include "store/stored_entry.h"
#include "store/value_cache.h"

namespace hypha {

// Thread: that of the connection. A missing key or namespace is an empty answer, never a failure.
// REQUIRES: the caller has opened the snapshot it wants (a read or a write transaction), and keeps `namespaces` true.
class EntryReader {
 public:
  EntryReader(KvStatements& statements, NamespaceCache& namespaces)
      : statements_(statements), namespaces_(namespaces) {}

  // Get(), Has() and GetMany() look here first. The caller keeps it true, as it does `namespaces`.
  void set_cache(ValueCache* cache) { cache_ = cache; }
  // List() looks here first. Only for a connection that never writes.
  void set_list_cache(ListCache* lists) { lists_ = lists; }

  // The value's JSON text is passed to `use` while SQLite holds it; false when the key is absent. Like every other read
  // of an entry: kCorrupt, and no call of `use`, when the row does not have its checksum.
  template <class Use>
  Result<bool> Get(std::string_view ns, std::string_view key, Use&& use) {
    if (cache_ == nullptr) {
      return Point(Sql::kGet, ns, key, [&](const StoredEntry& row) {
        if (!row.IsValueIntact()) return false;
        use(row.value());
        return true;
      });
    }
    auto ns_id = namespaces_.Find(ns);
    if (!ns_id.ok()) return ns_id.status();
    if (const std::string* kept = cache_->Find(ns_id.value(), key)) {
      use(std::string_view(*kept));
      return true;
    }
    return Point(Sql::kGet, ns, key, [&](const StoredEntry& row) {
      if (!row.IsValueIntact()) return false;
      cache_->Put(ns_id.value(), key, row.value());
      use(row.value());
      return true;
    });
  }
  Result<bool> Has(std::string_view ns, std::string_view key);
  Result<std::optional<Entry>> GetEntry(std::string_view ns, std::string_view key);
  // Metadata's JSON text; an empty string when the key has none, no value when the key is absent.
  Result<std::optional<std::string>> GetMetadata(std::string_view ns, std::string_view key);
  // The values of the keys that exist, and for each key whether it does. kTooLarge past `max_bytes`.
  Status GetMany(std::string_view ns, const std::vector<std::string>& keys, std::int64_t max_bytes, ManyReply* reply);

  Result<JsonChunks> List(const ListSpec& spec, std::int64_t result_bytes);
  Result<std::int64_t> Count(std::string_view ns);
  Result<std::int64_t> CountAll();
  Result<std::int64_t> CountNamespaces();
  Result<std::vector<std::string>> NamespaceNames();
  Result<std::optional<NamespaceInfo>> GetNamespace(std::string_view name);

 private:
  // `use` says whether the row is intact.
  template <class Use>
  Result<bool> Point(Sql id, std::string_view ns, std::string_view key, Use&& use) {
    auto ns_id = namespaces_.Find(ns);
    if (!ns_id.ok()) return ns_id.status();
    if (ns_id.value() == 0) return false;
    auto statement = statements_.Get(id);
    if (!statement.ok()) return statement.status();
    Cursor cursor(statement.value());
    cursor.Bind(1, ns_id.value()).Bind(2, key);
    if (cursor.Step()) {
      if (!use(StoredEntry(cursor, ns_id.value(), key))) return DamagedEntry(ns, key);
      return true;
    }
    Status status = cursor.status("read an entry");
    if (!status.ok()) return status;
    return false;
  }
  Result<std::int64_t> Integer(Sql id);
  Result<JsonChunks> ReadKeys(const ListSpec& spec, std::int64_t ns_id, std::int64_t result_bytes);

  KvStatements& statements_;
  NamespaceCache& namespaces_;
  ValueCache* cache_ = nullptr;
  ListCache* lists_ = nullptr;
};

}  // namespace hypha
