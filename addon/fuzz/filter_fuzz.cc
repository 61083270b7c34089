// libFuzzer on the translator: bytes become a filter, sort keys and index definitions. Whatever they are, each
// statement made of them is exactly one read-only SELECT from hypha_entries that holds no operand and no user name
// outside a quoted path of an index, and running it gives the rows that the evaluator alone gives.
//   npm run fuzz:filter -- --seconds 60
//
// Making an index costs a hundred times what a query costs, since SQLite then prepares every statement anew. So there
// are a few databases, each with indexes of its own that are made once, and only now and then an input makes more.

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "fuzz_input.h"
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

namespace hypha::fuzz {
namespace {

[[noreturn]] void Fail(const char* what, const std::string& detail) {
  std::fprintf(stderr, "FINDING: %s\n%s\n", what, detail.c_str());
  std::abort();
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

constexpr int kWorlds = 24;
constexpr unsigned kMakesIndexes = 64;  // one input of so many

// One database: the same entries in each, some of them among more of another namespace, and its own indexes.
class World {
 public:
  explicit World(int number, const Grammar& grammar) : grammar_(grammar) {
    RegisterFileVfs();
    RegisterMemoryVfs();
    ConnectionOptions options;
    options.path = NewMemoryName();
    options.role = Role::kWriter;
    options.create = true;
    options.max_text_bytes = 90LL << 20;
    options.statement_cache_size = 4000;
    options.register_functions = &RegisterSqlFunctions;
    options.vfs = {kMemoryVfs, kInlineMemoryVfs};
    auto db = Connection::Open(options);
    if (!db.ok()) Fail("open", db.status().message());
    db_ = std::move(db.value());
    if (!Migrate(*db_, {}, hooks_).ok()) Fail("migrate", "");
    sqlite3_set_authorizer(db_->handle(), &Guard, &gate_);
    statements_ = std::make_unique<KvStatements>(*db_);
    Fill(number % 2 == 0 ? 0 : 100);
    runner_ = std::make_unique<QueryRunner>(*db_);
    if (number == 0) return;  // one has no index
    std::minstd_rand random(static_cast<unsigned>(number));
    std::vector<std::uint8_t> bytes(400);
    for (auto& byte : bytes) byte = static_cast<std::uint8_t>(random() >> 8);
    Input in(bytes.data(), bytes.size());
    while (indexes_.empty()) indexes_ = Make(SpecReader(grammar_, in).Indexes(ns_id_));
  }

  void Try(Input& in) {
    SpecReader reader(grammar_, in);
    CheckQuoting(reader.Path(Source::kPath));
    const QuerySpec spec = reader.Spec();
    if (in.Below(kMakesIndexes) != kMakesIndexes - 1) {
      CheckStatements(spec, indexes_, true);
      CheckAnswers(spec, in);
      return;
    }
    Run("SAVEPOINT fuzz");
    std::vector<IndexDefinition> all = indexes_;
    for (auto& index : Make(reader.Indexes(ns_id_))) all.push_back(std::move(index));
    CheckStatements(spec, all, false);
    CheckAnswers(spec, in);
    Run("ROLLBACK TO fuzz");
    Run("RELEASE fuzz");
  }

 private:
  // The indexes that could be made: not those that exist, or whose values repeat.
  std::vector<IndexDefinition> Make(std::vector<IndexDefinition> indexes) {
    std::vector<IndexDefinition> made;
    for (auto& index : indexes) {
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
    return made;
  }

  // The quoted path is one SQL literal, which reads as the path that it was made of.
  void CheckQuoting(const std::vector<std::string>& path) {
    const std::string quoted = QuotePath(path);
    auto statement = Prepare(db_->handle(), "SELECT " + quoted);
    if (!statement.ok()) Fail("a quoted path is not SQL", quoted);
    Cursor cursor(statement.value().get());
    if (!cursor.Step() || ParsePath(cursor.Text(0)) != path) Fail("a quoted path reads as another", quoted);
    const std::vector<IndexField> fields{{Source::kPath, path}};
    if (FieldsFromJson(FieldsToJson(fields)) != fields) Fail("the catalogue reads as another", FieldsToJson(fields));
  }

  void Run(const char* sql) {
    const Status status = db_->Exec(sql);
    if (!status.ok()) Fail(sql, status.message());
  }

  void Fill(int others) {
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
    for (int i = 0; i < others; ++i) {
      WriteOp op;
      op.ns = "others";
      op.key = "HYPHAOPERAND" + std::to_string(i);
      op.value = values[static_cast<std::size_t>(i) % values.size()];
      if (!writer.Apply(op).status.ok()) Fail("fill", op.value);
    }
    Run("COMMIT");
    ns_id_ = NamespaceCache(*statements_).Find("n").value();
    auto rows =
        Prepare(db_->handle(),
                "SELECT key, value, metadata, created_at, updated_at, version FROM hypha_entries WHERE ns_id = ?1 "
                "ORDER BY key");
    Cursor cursor(rows.value().get());
    cursor.Bind(1, ns_id_);
    while (cursor.Step())
      entries_.push_back({std::string(cursor.Text(0)), std::string(cursor.Text(1)), std::string(cursor.Text(2)),
                          cursor.Integer(3), cursor.Integer(4), cursor.Integer(5)});
  }

  // `last`: the indexes stay as they are, so a text that was looked at once is the same statement for ever.
  void CheckStatements(const QuerySpec& spec, const std::vector<IndexDefinition>& indexes, bool last) {
    for (int variant = 0; variant < 8; ++variant) {
      PlanRequest request;
      request.count_only = (variant & 1) != 0;
      request.unsorted = (variant & 2) != 0;
      request.mostly_this_namespace = (variant & 4) != 0;
      request.limited = spec.limit.has_value();
      if (variant == 2) request.after_key = kOperandMark;
      const Plan plan = MakePlan(spec.filter, request);
      CheckSql(plan.sql, {}, true);
    }
    for (const bool count_only : {false, true}) {
      const auto plan = PlanIndex(spec, indexes, {count_only, !count_only && spec.limit.has_value(), nullptr});
      if (!plan) continue;
      for (const auto& segment : plan->segments) {
        CheckSql(segment.sql, plan->index.fields, last);
        CheckSql("SELECT count(*) FROM (SELECT 1" + segment.from + " LIMIT ?2)", plan->index.fields, last);
      }
      if (plan->check_null_over_metadata) CheckSql(plan->null_check_sql, plan->index.fields, last);
    }
  }

  void CheckSql(const std::string& sql, const std::vector<IndexField>& fields, bool once) {
    if (once && !known_.insert(sql).second) return;
    if (sql.find(kOperandMark) != std::string::npos || sql.find("7777") != std::string::npos)
      Fail("an operand in SQL", sql);
    std::string bare = sql;
    for (const auto& field : fields) bare = Without(std::move(bare), QuotePath(field.path));
    for (const char* blob : {"x'50'", "x'51'"}) bare = Without(std::move(bare), blob);
    constexpr std::string_view kOurs = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_ (),?<>=*";
    if (bare.find(kNameMark) != std::string::npos || bare.find_first_not_of(kOurs) != std::string::npos)
      Fail("a name in SQL", sql);
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
    const auto count = runner_->Count({spec.ns, spec.filter}, ns_id_);
    if (!count.ok() || count.value() != matching_) Fail("count differs", std::to_string(matching_));
    const unsigned more = in.Below(8);
    if (more > 2) return;
    spec.explain = true;
    if (!runner_->Run(spec, ns_id_, 1 << 30).ok()) Fail("explain", "");
    if (more != 0) return;
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

  const Grammar& grammar_;
  Gate gate_;
  std::unordered_set<std::string> known_;
  Hooks hooks_;
  std::unique_ptr<Connection> db_;
  std::unique_ptr<KvStatements> statements_;
  std::unique_ptr<QueryRunner> runner_;
  std::vector<Entry> entries_;
  std::vector<IndexDefinition> indexes_;
  std::int64_t ns_id_ = 0;
  std::int64_t matching_ = 0;
};

}  // namespace
}  // namespace hypha::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using hypha::fuzz::World;
  static const auto& grammar = *new hypha::fuzz::Grammar(HYPHA_FILTER_SCHEMA);
  static auto& worlds = *new std::vector<std::unique_ptr<World>>();
  while (worlds.size() < hypha::fuzz::kWorlds) {
    worlds.push_back(std::make_unique<World>(static_cast<int>(worlds.size()), grammar));
  }
  hypha::fuzz::Input in(data, size);
  worlds[in.Below(hypha::fuzz::kWorlds)]->Try(in);
  return 0;
}
