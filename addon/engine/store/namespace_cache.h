// Namespace names to their integer ids, per connection.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "store/kv_statements.h"

namespace hypha {

// Holds only names that exist. Ids are never used twice, so a stale entry finds nothing rather than another namespace;
// owners drop the cache whenever the file changed under them (OnSnapshot) or a transaction rolled back (Clear).
class NamespaceCache {
 public:
  explicit NamespaceCache(KvStatements& statements) : statements_(statements) {}

  // The id, or 0 when there is no such namespace. kCorrupt where the index of names leads to another one, whose entries
  // would all be right but for whose they are.
  Result<std::int64_t> Find(std::string_view name);
  void Put(std::string_view name, std::int64_t id);
  void Erase(std::string_view name);
  void Clear();

  // Call at the start of each read transaction: starts the snapshot by looking `name` up, and forgets everything else
  // when another connection has changed the file since the last call.
  Result<std::int64_t> OnSnapshot(std::string_view name);

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };

  Result<std::int64_t> Look(std::string_view name);
  Status Check(std::string_view name, std::int64_t id);

  KvStatements& statements_;
  std::unordered_map<std::string, std::int64_t, Hash, std::equal_to<>> ids_;
  std::string last_name_;  // the common case: one namespace over and over
  std::int64_t last_id_ = 0;
  unsigned data_version_ = 0;
};

// Changes whenever the content that `db` sees may have changed, by its own commits or another's.
unsigned DataVersion(Connection& db);

}  // namespace hypha
