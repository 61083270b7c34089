// libFuzzer on the translator: bytes become a filter, sort keys and index definitions. Whatever they are, each
// statement made of them is exactly one read-only SELECT from hypha_entries that holds no operand and no user name
// outside a quoted path of an index, and running it gives the rows that the evaluator alone gives.
//   npm run fuzz:filter -- --seconds 60

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_set>
#include <utility>
#include <vector>

#include "hypha/hooks.h"
#include "query/evaluator.h"
#include "query/index_catalog.h"
#include "query/index_planner.h"
#include "query/order_key.h"
#include "query/planner.h"
#include "query/query_runner.h"
#include "query/row_text.h"
#include "query/sql_functions.h"
#include "schema/migrations.h"
#include "sqlite/authorizer.h"
#include "sqlite/vfs_memory.h"
#include "sqlite/vfs_shim.h"
#include "store/entry_writer.h"

namespace hypha {
namespace {

[[noreturn]] void Fail(const char* what, const std::string& detail) {
  std::fprintf(stderr, "FINDING: %s\n%s\n", what, detail.c_str());
  std::abort();
}

// Every operand text and every name carries its mark, so that neither can hide in SQL.
constexpr std::string_view kOperandMark = "HYPHAOPERAND";
constexpr std::string_view kNameMark = "HYPHANAME";
constexpr const char* kHotNames[] = {"a", "b", "HYPHANAME it's \"\\", "HYPHANAME' FROM x",
                                     "x AND hypha_match(HYPHANAME"};

// Reads the input; zeros after its end.
class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size) : at_(data), end_(data + size) {}
  bool empty() const { return at_ == end_; }
  unsigned Byte() { return at_ == end_ ? 0 : *at_++; }
  unsigned Below(unsigned n) { return Byte() % n; }
  double Number() {
    switch (Below(4)) {
      case 0: return static_cast<double>(Byte()) - 20;
      case 1: return static_cast<double>(Below(3));
      default: break;
    }
    unsigned char bytes[8];
    for (auto& byte : bytes) byte = static_cast<unsigned char>(Byte());
    double number = 0;
    std::memcpy(&number, bytes, 8);
    return number;
  }
  // WTF-8 in its canonical form, which is what the binding gives.
  std::string Text(std::string_view mark) {
    std::string out(mark);
    unsigned high = 0;
    for (unsigned n = Below(12); n > 0; --n) {
      unsigned unit = Byte();
      if (unit >= 0xF0) unit = (unit << 8) | Byte();
      if (unit >= 0xE8 && unit < 0xF0) unit = (unit < 0xEC ? 0xD800 : 0xDC00) + Byte();
      if (high != 0 && unit >= 0xDC00 && unit < 0xE000) {
        out.resize(out.size() - 3);
        AppendCode(out, 0x10000 + ((high - 0xD800) << 10) + (unit - 0xDC00));
        high = 0;
        continue;
      }
      high = unit >= 0xD800 && unit < 0xDC00 ? unit : 0;
      AppendCode(out, unit);
    }
    return out;
  }
  std::string Name() { return Below(3) != 0 ? kHotNames[Below(std::size(kHotNames))] : Text(kNameMark); }

 private:
  static void AppendCode(std::string& out, unsigned code) {
    const auto push = [&](unsigned byte) { out.push_back(static_cast<char>(byte)); };
    if (code < 0x80) {
      push(code);
    } else if (code < 0x800) {
      push(0xC0 | (code >> 6));
    } else if (code < 0x10000) {
      push(0xE0 | (code >> 12));
      push(0x80 | ((code >> 6) & 63));
    } else {
      push(0xF0 | (code >> 18));
      push(0x80 | ((code >> 12) & 63));
      push(0x80 | ((code >> 6) & 63));
    }
    if (code >= 0x80) push(0x80 | (code & 63));
  }

  const std::uint8_t* at_;
  const std::uint8_t* end_;
};

Operand ReadScalar(Input& in) {
  switch (in.Below(8)) {
    case 0: return {Operand::Tag::kNull, false, 0, {}, {}};
    case 1: return {Operand::Tag::kBoolean, in.Below(2) == 0, 0, {}, {}};
    case 2: return {};
    case 3:
    case 4: return {Operand::Tag::kNumber, false, in.Number(), {}, {}};
    case 5: {
      // Short texts of stored values: too short to be recognised in SQL, so of digits and quotes that no plan holds.
      constexpr const char* kShort[] = {"", "7777", "\"'\"", "k7777", "-"};
      return {Operand::Tag::kString, false, 0, kShort[in.Below(5)], {}};
    }
    default: return {Operand::Tag::kString, false, 0, in.Text(kOperandMark), {}};
  }
}

Operand ReadOperand(Input& in) {
  if (in.Below(3) != 0) return ReadScalar(in);
  Operand list;
  list.tag = Operand::Tag::kList;
  for (unsigned n = in.Below(5); n > 0; --n) list.list.push_back(ReadScalar(in));
  return list;
}

std::pair<Source, std::vector<std::string>> ReadPlace(Input& in) {
  const auto source = static_cast<Source>(in.Below(2) == 0 ? 0 : in.Below(static_cast<unsigned>(Source::kVersion) + 1));
  std::vector<std::string> path;
  if (source == Source::kField || source == Source::kMetadata) path = {in.Name()};
  if (source == Source::kPath) path.resize(1 + in.Below(3));
  if (source == Source::kPath) {
    for (auto& name : path) name = in.Name();
  }
  return {source, std::move(path)};
}

FilterNode ReadFilter(Input& in, int depth, int& nodes) {
  FilterNode node;
  const unsigned kind = depth == 0 || --nodes < 0 ? 3 : in.Below(6);
  node.kind = kind < 3 ? static_cast<FilterNode::Kind>(kind) : FilterNode::Kind::kTerm;
  if (node.kind == FilterNode::Kind::kTerm) {
    std::tie(node.term.source, node.term.path) = ReadPlace(in);
    node.term.op =
        in.Below(3) == 0 ? Operator::kEq : static_cast<Operator>(in.Below(static_cast<unsigned>(Operator::kHas) + 1));
    node.term.operand = ReadOperand(in);
    return node;
  }
  const unsigned children = node.kind == FilterNode::Kind::kNot ? 1 : in.Below(5);
  for (unsigned i = 0; i < children; ++i) node.children.push_back(ReadFilter(in, depth - 1, nodes));
  return node;
}

QuerySpec ReadSpec(Input& in) {
  QuerySpec spec;
  int nodes = 60;
  // Mostly a conjunction, which is what indexes serve.
  for (unsigned n = 1 + in.Below(3); n > 0; --n) spec.filter.children.push_back(ReadFilter(in, 5, nodes));
  for (unsigned n = in.Below(3); n > 0; --n) {
    auto [source, path] = ReadPlace(in);
    spec.sort.push_back({source, std::move(path), in.Below(2) == 0});
  }
  if (in.Below(2) == 0) spec.limit = in.Below(20);
  if (in.Below(4) == 0) spec.offset = in.Below(8);
  return spec;
}

std::vector<IndexDefinition> ReadIndexes(Input& in, std::int64_t ns_id) {
  std::vector<IndexDefinition> indexes(in.Below(4));
  for (auto& index : indexes) {
    index.ns_id = ns_id;
    index.unique = in.Below(8) == 0;
    index.fields.resize(1 + in.Below(3));
    for (auto& field : index.fields) {
      field.source = std::vector{Source::kField, Source::kField, Source::kPath, Source::kMetadata}[in.Below(4)];
      field.path.resize(field.source == Source::kPath ? 1 + in.Below(3) : 1);
      for (auto& name : field.path) name = in.Name();
    }
  }
  return indexes;
}

// What a translated statement may do, while one is looked at: read our table (and json_each's argument), with our
// functions. Set once, because setting an authorizer makes SQLite prepare everything again.
struct Gate {
  bool strict = false;
  std::string refused;
};
int Guard(void* context, int action, const char* first, const char* second, const char* database, const char* trigger) {
  auto& gate = *static_cast<Gate*>(context);
  if (!gate.strict) return Authorize(nullptr, action, first, second, database, trigger);
  const auto is = [](const char* text, std::initializer_list<std::string_view> list) {
    return text != nullptr && std::find(list.begin(), list.end(), text) != list.end();
  };
  if (action == SQLITE_SELECT) return SQLITE_OK;
  if (action == SQLITE_READ && is(first, {"hypha_entries", "json_each", ""})) return SQLITE_OK;
  if (action == SQLITE_FUNCTION && is(second, {"hypha_match", "hypha_extract", "count", "json_each"})) return SQLITE_OK;
  gate.refused +=
      std::to_string(action) + " " + (first == nullptr ? "" : first) + " " + (second == nullptr ? "" : second);
  return SQLITE_DENY;
}

std::string Without(std::string sql, const std::string& part) {
  for (auto at = sql.find(part); at != std::string::npos; at = sql.find(part, at)) sql.erase(at, part.size());
  return sql;
}

class World {
 public:
  World() {
    RegisterFileVfs();
    RegisterMemoryVfs();
    ConnectionOptions options;
    options.path = NewMemoryName();
    options.role = Role::kWriter;
    options.create = true;
    options.max_text_bytes = 90LL << 20;
    options.register_functions = &RegisterSqlFunctions;
    options.vfs = {kMemoryVfs, kInlineMemoryVfs};
    auto db = Connection::Open(std::move(options));
    if (!db.ok()) Fail("open", db.status().message());
    db_ = std::move(db.value());
    if (!Migrate(*db_, {}, hooks_).ok()) Fail("migrate", "");
    sqlite3_set_authorizer(db_->handle(), &Guard, &gate_);
    statements_ = std::make_unique<KvStatements>(*db_);
    Fill();
    runner_ = std::make_unique<QueryRunner>(*db_);
  }

  void Try(Input& in) {
    const auto indexes = ReadIndexes(in, ns_id_);
    const QuerySpec spec = ReadSpec(in);
    Run("SAVEPOINT fuzz");
    std::vector<IndexDefinition> made;
    for (auto index : indexes) {
      Run("SAVEPOINT one");
      const Status status = CreateIndex(*db_, index, 1);
      if (status.ok()) {
        made.push_back(index);
      } else if (status.code() != Code::kConstraint && status.code() != Code::kExists) {
        Fail("CREATE INDEX", status.message() + FieldsToJson(index.fields));
      } else {
        Run("ROLLBACK TO one");
      }
      Run("RELEASE one");
    }
    CheckStatements(spec, made);
    CheckAnswers(spec, in);
    Run("ROLLBACK TO fuzz");
    Run("RELEASE fuzz");
  }

 private:
  void Run(const char* sql) {
    const Status status = db_->Exec(sql);
    if (!status.ok()) Fail(sql, status.message());
  }

  void Fill() {
    EntryWriter writer(*statements_, hooks_);
    Run("BEGIN IMMEDIATE");
    writer.OnBegin();
    const std::vector<std::string> values{"1",
                                          "null",
                                          "0",
                                          "-0",
                                          "true",
                                          "false",
                                          "\"\"",
                                          "\"HYPHAOPERAND\"",
                                          "\"HYPHAOPERANDx\"",
                                          "\"7777\"",
                                          "\"1\"",
                                          "[1]",
                                          "[]",
                                          "{}",
                                          "{\"a\":1}",
                                          "1e400",
                                          "\"\\ud83d\"",
                                          "\"\xf0\x9f\x98\x80\"",
                                          "2",
                                          "\"HYPHAOPERAND\xef\xbf\xae\"",
                                          "-5e-324",
                                          "{\"a\":{\"b\":null}}"};
    for (std::size_t i = 0; i < 44; ++i) {
      const auto object = [&](std::size_t salt) {
        std::string json = "{";
        for (std::size_t n = 0; n < std::size(kHotNames); ++n) {
          if ((i + n * salt) % 3 == 0) continue;
          if (json.size() > 1) json.push_back(',');
          json += JsonName(kHotNames[n]) + ":" + values[(i * salt + n) % values.size()];
        }
        return json + "}";
      };
      WriteOp op;
      op.ns = "n";
      op.key = (i % 4 == 0 ? "k7777" : "HYPHAOPERAND") + std::to_string(i);
      op.value = i % 11 == 0 ? values[i % values.size()] : object(5);
      if (i % 2 == 0) op.metadata = object(7);
      if (!writer.Apply(op).status.ok()) Fail("fill", op.value);
    }
    Run("COMMIT");
    ns_id_ = NamespaceCache(*statements_).Find("n").value();
    auto rows = Prepare(db_->handle(),
                        "SELECT key, value, metadata, created_at, updated_at, version FROM hypha_entries ORDER BY key");
    Cursor cursor(rows.value().get());
    while (cursor.Step())
      entries_.push_back({std::string(cursor.Text(0)), std::string(cursor.Text(1)), std::string(cursor.Text(2)),
                          cursor.Integer(3), cursor.Integer(4), cursor.Integer(5)});
  }

  void CheckStatements(const QuerySpec& spec, const std::vector<IndexDefinition>& indexes) {
    for (int variant = 0; variant < 8; ++variant) {
      PlanRequest request;
      request.count_only = (variant & 1) != 0;
      request.unsorted = (variant & 2) != 0;
      request.mostly_this_namespace = (variant & 4) != 0;
      request.limited = spec.limit.has_value();
      if (variant == 2) request.after_key = kOperandMark;
      const Plan plan = MakePlan(spec.filter, request);
      CheckSql(plan.sql, {});
    }
    for (const bool count_only : {false, true}) {
      const auto plan = PlanIndex(spec, indexes, {count_only, !count_only && spec.limit.has_value(), nullptr});
      if (!plan) continue;
      for (const auto& segment : plan->segments) {
        CheckSql(segment.sql, plan->index.fields);
        CheckSql("SELECT count(*) FROM (SELECT 1" + segment.from + " LIMIT ?2)", plan->index.fields);
      }
      if (plan->check_null_over_metadata) CheckSql(plan->null_check_sql, plan->index.fields);
    }
  }

  void CheckSql(const std::string& sql, const std::vector<IndexField>& fields) {
    if (sql.find(kOperandMark) != std::string::npos || sql.find("7777") != std::string::npos)
      Fail("an operand in SQL", sql);
    std::string bare = sql;
    for (const auto& field : fields) bare = Without(std::move(bare), QuotePath(field.path));
    for (const char* blob : {"x'50'", "x'51'"}) bare = Without(std::move(bare), blob);
    constexpr std::string_view kOurs = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_ (),?<>=*";
    if (bare.find(kNameMark) != std::string::npos || bare.find_first_not_of(kOurs) != std::string::npos)
      Fail("a name in SQL", sql);
    // Without names in it the same text is the same statement, whatever the input.
    if (fields.empty() && !known_.insert(sql).second) return;
    gate_.strict = true;
    auto statement = Prepare(db_->handle(), sql);
    gate_.strict = false;
    if (!statement.ok()) Fail("not one statement", sql + "\n" + statement.status().message() + "\n" + gate_.refused);
    if (sqlite3_stmt_readonly(statement.value().get()) == 0) Fail("it writes", sql);
  }

  std::string Plain(const QuerySpec& spec, bool whole) {
    const Evaluator evaluator(spec.filter);
    const SortExtractor extractor(spec.sort);
    std::vector<std::pair<std::vector<SortValue>, const Entry*>> rows;
    for (const auto& entry : entries_) {
      if (!evaluator.Matches(View(entry))) continue;
      rows.emplace_back(std::vector<SortValue>(spec.sort.size()), &entry);
      extractor.Extract(View(entry), rows.back().first);
    }
    matching_ = static_cast<std::int64_t>(rows.size());
    std::stable_sort(rows.begin(), rows.end(),
                     [&](const auto& a, const auto& b) { return extractor.Compare(a.first, b.first) < 0; });
    std::string all;
    const std::int64_t from = whole ? 0 : spec.offset;
    const std::int64_t to = whole || !spec.limit ? matching_ : std::min(matching_, from + *spec.limit);
    for (std::int64_t i = from; i < to; ++i) {
      if (!all.empty()) all.push_back(',');
      AppendRow(all, View(*rows[static_cast<std::size_t>(i)].second), {spec.shape, {}});
    }
    return all;
  }
  static EntryView View(const Entry& entry) {
    return {entry.key, entry.value, entry.metadata, entry.created_at, entry.updated_at, entry.version};
  }
  static void Append(std::string& all, const JsonChunks& chunks) {
    for (const auto& chunk : chunks) {
      if (!all.empty() && chunk.size() > 2) all.push_back(',');
      all += chunk.substr(1, chunk.size() - 2);
    }
  }

  void CheckAnswers(QuerySpec spec, Input& in) {
    const std::string expected = Plain(spec, false);
    auto reply = runner_->Run(spec, ns_id_, 1 << 30);
    if (!reply.ok()) Fail("query", reply.status().message());
    std::string found;
    Append(found, reply.value().chunks);
    if (found != expected)
      Fail("query differs", "index " + reply.value().index + "\nexpected " + expected + "\nanswered " + found);
    const auto count = runner_->Count(spec.filter, ns_id_);
    if (!count.ok() || count.value() != matching_) Fail("count differs", std::to_string(matching_));
    spec.explain = true;
    if (!runner_->Run(spec, ns_id_, 1 << 30).ok()) Fail("explain", "");
    if (in.Below(4) != 0) return;
    spec.explain = false;
    spec.page = true;
    spec.limit = 1 + in.Below(9);
    spec.offset = 0;
    const std::string whole = Plain(spec, true);
    std::string paged;
    for (int page = 0;; ++page) {
      reply = runner_->Run(spec, ns_id_, 1 << 30);
      if (!reply.ok() || page > 60) Fail("page", reply.status().message());
      Append(paged, reply.value().chunks);
      if (reply.value().cursor.empty()) break;
      spec.after = reply.value().cursor;
    }
    if (paged != whole)
      Fail("pages differ", "index " + reply.value().index + "\nexpected " + whole + "\nanswered " + paged);
    // A cursor of anybody's making is refused or read.
    spec.after = in.Text("");
    static_cast<void>(runner_->Run(spec, ns_id_, 1 << 30));
  }

  Gate gate_;
  std::unordered_set<std::string> known_;
  Hooks hooks_;
  std::unique_ptr<Connection> db_;
  std::unique_ptr<KvStatements> statements_;
  std::unique_ptr<QueryRunner> runner_;
  std::vector<Entry> entries_;
  std::int64_t ns_id_ = 0;
  std::int64_t matching_ = 0;
};

}  // namespace
}  // namespace hypha

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static auto& world = *new hypha::World();
  hypha::Input in(data, size);
  world.Try(in);
  return 0;
}
