// libFuzzer on database files: the input is a list of changes to the bytes of a good file (three bytes of place, one of
// value). Opening, reading, querying, writing and closing the file ends, without a crash.
//   npm run fuzz:open -- --seconds 60

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "hypha/hooks.h"
#include "query/index_catalog.h"
#include "query/query_runner.h"
#include "query/sql_functions.h"
#include "schema/migrations.h"
#include "sqlite/connection.h"
#include "sqlite/vfs_memory.h"
#include "store/entry_reader.h"
#include "store/entry_writer.h"

namespace hypha {
namespace {

constexpr int kEntries = 120;

ConnectionOptions Options(const std::string& name, bool create) {
  ConnectionOptions options;
  options.path = name;
  options.vfs = {kMemoryVfs, kInlineMemoryVfs};
  options.role = Role::kWriter;
  options.create = create;
  options.max_text_bytes = 1 << 20;
  options.register_functions = &RegisterSqlFunctions;
  return options;
}

[[noreturn]] void Stop(const char* what) {
  std::fprintf(stderr, "the fuzzer itself failed: %s\n", what);
  std::abort();
}

WriteOp Set(int i) {
  WriteOp op;
  op.ns = i % 2 == 0 ? "even" : "odd";
  op.key = "key-" + std::to_string(i);
  op.value = "{\"i\":" + std::to_string(i) + ",\"s\":\"" + std::string(200, 'v') + "\"}";
  return op;
}

// The bytes of a file with entries and an index.
std::string GoodFile() {
  const std::string name = NewMemoryName();
  auto db = Connection::Open(Options(name, true));
  if (!db.ok() || !Migrate(*db.value(), {}, Hooks()).ok()) Stop("make");
  {
    KvStatements statements(*db.value());
    const Hooks hooks;
    EntryWriter writer(statements, hooks);
    if (!db.value()->Exec("BEGIN IMMEDIATE").ok()) Stop("begin");
    for (int i = 0; i < kEntries; ++i) {
      if (!writer.Apply(Set(i)).status.ok()) Stop("write");
    }
    WriteOp index;
    index.kind = WriteKind::kCreateIndex;
    index.ns = "even";
    index.value = "[{\"field\":\"i\"}]";
    if (!writer.Apply(index).status.ok()) Stop("index");
    if (!db.value()->Exec("COMMIT").ok()) Stop("commit");
  }
  if (!db.value()->Exec("PRAGMA wal_checkpoint(TRUNCATE)").ok()) Stop("checkpoint");
  sqlite3_int64 size = 0;
  unsigned char* bytes = sqlite3_serialize(db.value()->handle(), "main", &size, 0);
  std::string file(reinterpret_cast<char*>(bytes), static_cast<std::size_t>(size));
  sqlite3_free(bytes);
  return file;
}

// Puts the bytes under a name of the memory VFS, and keeps them there while the returned handle lives.
sqlite3* Place(const std::string& name, const std::string& file) {
  sqlite3* db = nullptr;
  if (sqlite3_open_v2(name.c_str(), &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, kMemoryVfs) != SQLITE_OK)
    Stop("open raw");
  sqlite3_file* raw = nullptr;
  if (sqlite3_file_control(db, "main", SQLITE_FCNTL_FILE_POINTER, &raw) != SQLITE_OK) Stop("no file");
  if (raw->pMethods->xWrite(raw, file.data(), static_cast<int>(file.size()), 0) != SQLITE_OK) Stop("write raw");
  return db;
}

void Use(Connection& db) {
  KvStatements statements(db);
  const Hooks hooks;
  EntryWriter writer(statements, hooks);
  NamespaceCache namespaces(statements);
  EntryReader reader(statements, namespaces);
  for (int i = 0; i < kEntries; i += 7) static_cast<void>(reader.GetEntry(i % 2 == 0 ? "even" : "odd", Set(i).key));
  ListSpec list;
  list.ns = "odd";
  static_cast<void>(reader.List(list, 1 << 20));
  QueryRunner queries(db);
  QuerySpec query;
  query.ns = "even";
  query.filter.kind = FilterNode::Kind::kTerm;
  query.filter.term.path = {"i"};
  query.filter.term.op = Operator::kGt;
  query.filter.term.operand.tag = Operand::Tag::kNumber;
  query.filter.term.operand.number = 40;
  auto ns_id = namespaces.Find("even");
  if (ns_id.ok()) static_cast<void>(queries.Run(query, ns_id.value(), 1 << 20));
  if (!db.Exec("BEGIN IMMEDIATE").ok()) return;
  static_cast<void>(writer.Apply(Set(3)));
  WriteOp gone = Set(4);
  gone.kind = WriteKind::kDelete;
  if (db.in_transaction()) static_cast<void>(writer.Apply(gone));
  if (db.in_transaction()) static_cast<void>(db.Exec("COMMIT"));
}

void Try(const std::string& file) {
  const std::string name = NewMemoryName();
  sqlite3* keeper = Place(name, file);
  {
    ConnectionOptions options = Options(name, false);
    options.accept = [](Connection& db) { return SchemaVersion(db).status(); };
    auto db = Connection::Open(options);
    if (db.ok()) {
      db.value()->SetDeadline(std::chrono::steady_clock::now() + std::chrono::seconds(5));
      if (VerifySchema(*db.value()).ok() && RefreshIndexes(*db.value()).ok()) Use(*db.value());
    }
  }
  sqlite3_close(keeper);
}

}  // namespace
}  // namespace hypha

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace hypha;
  static const std::string& good = *[] {
    if (RegisterMemoryVfs() != SQLITE_OK) Stop("no memory VFS");
    return new std::string(GoodFile());
  }();
  std::string file = good;
  for (std::size_t at = 0; at + 4 <= size; at += 4) {
    const std::size_t place =
        (data[at] | static_cast<std::size_t>(data[at + 1]) << 8U | static_cast<std::size_t>(data[at + 2]) << 16U);
    file[place % file.size()] = static_cast<char>(data[at + 3]);
  }
  Try(file);
  return 0;
}
