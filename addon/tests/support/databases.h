// Connections and version-2 databases for the tests of the layers below exec/.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <string>
#include <utility>

#include "hypha/hooks.h"
#include "query/sql_functions.h"
#include "schema/migrations.h"
#include "sqlite/connection.h"
#include "sqlite/vfs_memory.h"
#include "sqlite/vfs_shim.h"
#include "store/entry_writer.h"

namespace hypha::test {

// Of a random test: printed, and repeated by setting HYPHA_SEED.
inline unsigned Seed() {
  const char* fixed = std::getenv("HYPHA_SEED");
  const unsigned seed =
      fixed != nullptr ? static_cast<unsigned>(std::strtoul(fixed, nullptr, 10)) : std::random_device()();
  std::printf("HYPHA_SEED=%u\n", seed);
  return seed;
}

inline ConnectionOptions FileOptions(const std::string& path, Role role = Role::kWriter) {
  EXPECT_EQ(RegisterFileVfs(), SQLITE_OK);
  ConnectionOptions options;
  options.path = path;
  options.role = role;
  options.create = role == Role::kWriter;
  options.busy_timeout_ms = 5000;
  options.max_text_bytes = 90LL << 20;
  options.register_functions = &RegisterSqlFunctions;
  return options;
}

inline ConnectionOptions MemoryOptions(const std::string& name, Role role = Role::kWriter) {
  EXPECT_EQ(RegisterMemoryVfs(), SQLITE_OK);
  ConnectionOptions options = FileOptions(name, role);
  options.vfs = {kMemoryVfs, kInlineMemoryVfs};
  return options;
}

inline std::unique_ptr<Connection> Open(ConnectionOptions options) {
  auto db = Connection::Open(options);
  EXPECT_TRUE(db.ok()) << db.status().message();
  return db.ok() ? std::move(db.value()) : nullptr;
}

// A writer connection on an empty database of the latest schema.
inline std::unique_ptr<Connection> OpenFresh(ConnectionOptions options) {
  auto db = Open(std::move(options));
  const Status status = Migrate(*db, {}, Hooks());
  EXPECT_TRUE(status.ok()) << status.message();
  return db;
}

inline std::unique_ptr<Connection> OpenFreshMemory() { return OpenFresh(MemoryOptions(NewMemoryName())); }

inline WriteOp Op(WriteKind kind, std::string ns, std::string key = {}, std::string value = {}) {
  WriteOp op;
  op.kind = kind;
  op.ns = std::move(ns);
  op.key = std::move(key);
  op.value = std::move(value);
  return op;
}

inline WriteOp SetOp(std::string key, std::string value = "1", std::string ns = "default") {
  return Op(WriteKind::kSet, std::move(ns), std::move(key), std::move(value));
}

}  // namespace hypha::test
