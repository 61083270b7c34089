// Damaged and hostile database files: every flipped bit, cut, zeroed, swapped and foreign page, and edited schema ends
// in an error or changes nothing; it never crashes, never hangs, and is never a different value without a word.
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "hostile_copies.h"
#include "roles.h"
#include "sqlite3.h"
#include "support/answer.h"
#include "support/check.h"
#include "support/problems.h"
#include "support/process.h"
#include "support/random.h"
#include "support/watch.h"
#include "support/workloads.h"

namespace hypha::reliability {
namespace {

using Json = nlohmann::json;

constexpr const char* kNamespaces[] = {"alpha", "beta", "gamma"};
constexpr int kKeysEach = 50;

OpenOptions Options() {
  OpenOptions options;
  options.path = kSimDatabase;
  options.readers = 1;
  options.busy_timeout_ms = 20;
  options.create = false;
  options.limits.query_timeout_ms = 2000;
  return options;
}

// About 64 KiB of entries with metadata and an index.
DiskImage MakeFile() {
  SimDisk::Mount({});
  OpenOptions options = Options();
  options.create = true;
  auto opened = OpenStore(options, OnSimDisk());
  if (!opened.ok()) std::abort();
  Random random(4);
  for (const char* ns : kNamespaces) {
    Unit unit;
    unit.atomic = true;
    for (int i = 0; i < kKeysEach; ++i) {
      WriteOp op;
      op.ns = ns;
      op.key = "key-" + std::to_string(i);
      op.value = "{\"i\":" + std::to_string(i) + ",\"s\":\"" + std::string(100 + random.Below(200), 'v') + "\"}";
      if (i % 3 == 0) op.metadata = "{\"m\":" + std::to_string(i) + "}";
      unit.ops.push_back(op);
    }
    if (Run(*opened.value().engine, unit, Durability::kFull).told != Told::kAcked) std::abort();
  }
  Unit index;
  WriteOp op;
  op.kind = WriteKind::kCreateIndex;
  op.ns = "beta";
  op.value = "[{\"field\":\"i\"}]";
  index.ops.push_back(op);
  if (Run(*opened.value().engine, index, Durability::kFull).told != Told::kAcked) std::abort();
  opened.value().reader.reset();
  if (!CloseStore(opened.value().engine).ok()) std::abort();
  return SimDisk::Visible();
}

// What a reader sees, or was told.
struct Seen {
  std::vector<std::string> many;  // per namespace: the values of getMany, one JSON array
  std::vector<std::vector<bool>> present;
  std::vector<std::string> scans;  // per namespace: all entries, one JSON array
  std::set<Code> codes;
  std::string defect;  // the text of a HYPHA_INTERNAL
  bool opened = false;

  void Note(const Status& status) {
    if (!status.ok()) codes.insert(status.code());
    if (status.code() == Code::kInternal) defect = status.message();
  }
};

std::string Joined(const JsonChunks& chunks) {
  std::string all;
  for (const auto& chunk : chunks) all += chunk;
  return all;
}

void ReadAll(Engine& engine, Seen* seen) {
  for (const char* ns : kNamespaces) {
    GetManySpec many{ns, {}};
    for (int i = 0; i < kKeysEach; ++i) many.keys.push_back("key-" + std::to_string(i));
    auto values = Read(engine, many);
    if (values.ok()) {
      const auto& reply = std::get<ManyReply>(values.value());
      seen->many.push_back(Joined(reply.values));
      seen->present.push_back(reply.present);
    } else {
      seen->Note(values.status());
      seen->many.emplace_back();
      seen->present.emplace_back();
    }
    QuerySpec query;
    query.ns = ns;
    auto entries = Read(engine, query);
    seen->Note(entries.status());
    seen->scans.push_back(entries.ok() ? Joined(std::get<QueryReply>(entries.value()).chunks) : "");
  }
}

// Reads everything, asks the index, writes, checkpoints, closes.
Seen Use(const DiskImage& image) {
  SimDisk::Mount(image);
  Seen seen;
  auto opened = OpenStore(Options(), OnSimDisk());
  if (!opened.ok()) {
    seen.Note(opened.status());
    return seen;
  }
  seen.opened = true;
  Engine& engine = *opened.value().engine;
  ReadAll(engine, &seen);
  QuerySpec indexed;
  indexed.ns = "beta";
  indexed.filter.kind = FilterNode::Kind::kTerm;
  indexed.filter.term.path = {"i"};
  indexed.filter.term.op = Operator::kGt;
  indexed.filter.term.operand.tag = Operand::Tag::kNumber;
  indexed.filter.term.operand.number = 45;
  seen.Note(Read(engine, indexed).status());
  WriteOp op;
  op.ns = "alpha";
  op.key = "new";
  op.value = "1";
  const Answer<WriteReply> written;
  engine.Write({{op}, false, Durability::kFull}, written);
  const WriteReply reply = written.Get();
  seen.Note(reply.status);
  for (const auto& outcome : reply.outcomes) seen.Note(outcome.status);
  seen.Note(Maintain(engine, Maintenance::kTruncate));
  opened.value().reader.reset();
  seen.Note(CloseStore(opened.value().engine));
  return seen;
}

struct Totals {
  std::int64_t runs = 0;
  std::int64_t told = 0;       // an error came
  std::int64_t harmless = 0;   // and all values are right
  std::int64_t wrong = 0;      // a different value, without an error
  std::int64_t missing = 0;    // an entry less or more, without an error
  std::int64_t unnoticed = 0;  // of these two: what the integrity check of diagnose() does not find either
  Problems* problems = nullptr;
};

// "wrong": some key has another value than it had. "missing": the keys differ.
std::string Compare(const Seen& good, const Seen& seen) {
  std::string verdict;
  for (std::size_t i = 0; i < seen.many.size(); ++i) {
    if (!seen.present[i].empty() && seen.many[i] != good.many[i]) {
      if (seen.present[i] == good.present[i]) return "wrong";
      verdict = "missing";
    }
    if (seen.scans[i].empty() || seen.scans[i] == good.scans[i]) continue;
    std::map<std::string, Json> expected;
    for (const auto& entry : Json::parse(good.scans[i])) expected[entry["key"].get<std::string>()] = entry;
    const Json found = Json::parse(seen.scans[i], nullptr, false);
    if (found.is_discarded()) return "wrong";
    verdict = "missing";
    for (const auto& entry : found) {
      const auto same = expected.find(entry["key"].get<std::string>());
      if (same != expected.end() && same->second != entry) return "wrong";
    }
  }
  return verdict;
}

bool IntegrityFindsIt(const DiskImage& image) {
  SimDisk::Mount(image);
  auto opened = OpenStore(Options(), OnSimDisk());
  if (!opened.ok()) return true;
  auto report = Read(*opened.value().engine, DiagnoseSpec{});
  opened.value().reader.reset();
  static_cast<void>(CloseStore(opened.value().engine));
  if (!report.ok()) return true;
  const Json json = Json::parse(std::get<std::string>(report.value()), nullptr, false);
  return json.is_discarded() || json["integrity"] != "ok" || json["schema"]["verified"] != true;
}

// For --replay: what was read, where it is not what was stored.
void Explain(const Seen& good, const Seen& seen) {
  const auto print = [](const char* what, const char* ns, const std::string& before, const std::string& now) {
    std::size_t at = 0;
    while (at < before.size() && at < now.size() && before[at] == now[at]) ++at;
    const std::size_t from = at < 300 ? 0 : at - 300;
    if (before != now) {
      std::printf("malformed: %s of %s was ...%s\nmalformed:   and is ...%s\n", what, ns,
                  before.substr(from, 600).c_str(), now.substr(from, 600).c_str());
    }
  };
  for (std::size_t i = 0; i < seen.many.size(); ++i) {
    print("getMany", kNamespaces[i], good.many[i], seen.many[i]);
    print("a query", kNamespaces[i], good.scans[i], seen.scans[i]);
  }
}

class Judge {
 public:
  // `only`: the one case to run, or none.
  Judge(const DiskImage& image, bool crc, std::string only) : good_(Use(image)), crc_(crc), only_(std::move(only)) {
    if (!good_.opened || !good_.codes.empty()) std::abort();
  }

  // `sound`: the bytes are a database of somebody's making, whose values may be others.
  void Run(const std::string& name, const DiskImage& image, Totals* totals, bool sound = false) {
    if ((!only_.empty() && name != only_) || totals->problems->enough()) return;
    NextCase(name);
    const Seen seen = Use(image);
    ++totals->runs;
    if (seen.codes.count(Code::kInternal) != 0) totals->problems->Add(name + ": HYPHA_INTERNAL " + seen.defect);
    const std::string verdict = sound ? "" : Compare(good_, seen);
    if (!only_.empty()) Explain(good_, seen);
    if (verdict == "wrong") {
      ++totals->wrong;
      if (crc_) totals->problems->Add(name + ": a value changed without an error");
    } else if (verdict == "missing") {
      ++totals->missing;
    } else {
      ++(seen.codes.empty() ? totals->harmless : totals->told);
      return;
    }
    if (!IntegrityFindsIt(image)) ++totals->unnoticed;
  }

 private:
  const Seen good_;
  const bool crc_;
  const std::string only_;
};

void Print(const char* what, const Totals& totals, double started) {
  std::printf(
      "malformed: %s: %lld files, %lld told, %lld harmless, %lld with a wrong value, %lld with an entry too few "
      "or too many (%lld that the integrity check does not find), %.0f s\n",
      what, static_cast<long long>(totals.runs), static_cast<long long>(totals.told),
      static_cast<long long>(totals.harmless), static_cast<long long>(totals.wrong),
      static_cast<long long>(totals.missing), static_cast<long long>(totals.unnoticed), NowSeconds() - started);
}

// Those that have done harm once, see docs/reliability.md.
constexpr std::uint64_t kHarmfulOnce[] = {376, 24257, 24300, 295145, 305199, 425841};

void FlipBits(const DiskImage& image, Judge& judge, std::int64_t wanted, std::uint64_t seed, Totals* totals) {
  const auto bits = static_cast<std::int64_t>(image.at(kSimDatabase).size()) * 8;
  Random random(seed);
  const std::int64_t runs = std::min(wanted, bits);
  const auto flip = [&](std::uint64_t bit) {
    DiskImage flipped = image;
    char& byte = flipped[kSimDatabase].at(bit / 8);
    byte = static_cast<char>(byte ^ (1 << (bit % 8)));
    judge.Run("bit " + std::to_string(bit), flipped, totals);
  };
  for (const std::uint64_t bit : kHarmfulOnce) flip(bit);
  for (std::int64_t i = 0; i < runs; ++i) {
    flip(runs == bits ? static_cast<std::uint64_t>(i) : random.Below(static_cast<std::uint64_t>(bits)));
  }
}

void Mangle(const DiskImage& image, Judge& judge, std::int64_t random_runs, std::uint64_t seed, Totals* totals) {
  const std::string& good = image.at(kSimDatabase);
  const auto try_out = [&](const std::string& name, std::string bytes) {
    DiskImage mangled = image;
    mangled[kSimDatabase] = std::move(bytes);
    judge.Run(name, mangled, totals);
  };
  constexpr std::size_t kPage = 4096;
  for (std::size_t size = 0; size < good.size(); size += 512)
    try_out("cut to " + std::to_string(size), good.substr(0, size));
  for (std::size_t at = 0; at < good.size(); at += kPage) {
    std::string zeroed = good;
    zeroed.replace(at, kPage, kPage, '\0');
    try_out("zeroed page at " + std::to_string(at), zeroed);
    for (std::size_t other = at + kPage; other < good.size(); other += kPage) {
      std::string swapped = good;
      std::swap_ranges(swapped.begin() + static_cast<std::ptrdiff_t>(at),
                       swapped.begin() + static_cast<std::ptrdiff_t>(at + kPage),
                       swapped.begin() + static_cast<std::ptrdiff_t>(other));
      try_out("swapped pages at " + std::to_string(at) + " and " + std::to_string(other), swapped);
    }
  }
  Random random(seed);
  for (std::int64_t i = 0; i < random_runs; ++i) {
    std::string noisy = good;
    for (int k = 0; k < 16; ++k) noisy[random.Below(noisy.size())] = static_cast<char>(random.Next());
    try_out("16 random bytes, number " + std::to_string(i), noisy);
  }
}

// The log of another database beside this one, and logs with flipped bits.
void ForeignLogs(const DiskImage& image, Judge& judge, std::int64_t runs, std::uint64_t seed, Totals* totals) {
  const Workload& hot = Workloads()[1];
  const std::string log = StartOf(hot).image.at(std::string(kSimDatabase) + "-wal");
  Random random(seed);
  for (std::int64_t i = 0; i < runs; ++i) {
    DiskImage mangled = image;
    std::string bytes = log;
    if (i > 0) bytes[random.Below(bytes.size())] ^= static_cast<char>(1 << random.Below(8));
    mangled[std::string(kSimDatabase) + "-wal"] = bytes;
    judge.Run("foreign log " + std::to_string(i), mangled, totals, true);
  }
}

struct Attack {
  const char* name;
  const char* sql;
};

// Each must be refused before a statement of ours touches the tables.
constexpr Attack kAttacks[] = {
    {"a view in place of the entries",
     "ALTER TABLE hypha_entries RENAME TO hidden; CREATE VIEW hypha_entries AS SELECT * FROM hidden"},
    {"a trigger on the entries",
     "CREATE TRIGGER hypha_t AFTER INSERT ON hypha_entries BEGIN DELETE FROM hypha_entries; END"},
    {"a trigger on the namespaces",
     "CREATE TRIGGER evil BEFORE INSERT ON hypha_namespaces BEGIN SELECT raise(ABORT, 'x'); END"},
    {"a generated column", "ALTER TABLE hypha_entries ADD COLUMN extra TEXT AS (upper(value))"},
    {"one more column", "ALTER TABLE hypha_entries ADD COLUMN extra TEXT"},
    {"another name for a column", "ALTER TABLE hypha_entries RENAME COLUMN value TO content"},
    {"no unique index", "DROP INDEX hypha_entries_key"},
    {"one more index", "CREATE INDEX hypha_more ON hypha_entries(value)"},
    {"another application", "PRAGMA application_id = 99"},
    {"a newer schema", "INSERT INTO schema_version(version, applied_at, checksum) VALUES(99, 1, 'x')"},
    {"another checksum of a step", "UPDATE schema_version SET checksum = '00000000' WHERE version = 2"},
    {"no schema_version", "DROP TABLE schema_version"},
    {"no meta", "DROP TABLE hypha_meta"},
    {"an edited text of a table",
     "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = replace(sql, 'key TEXT NOT NULL', 'key TEXT') WHERE "
     "name = 'hypha_entries'; PRAGMA writable_schema = OFF"},
    {"a CHECK that runs SQL",
     "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = replace(sql, 'value TEXT NOT NULL', 'value TEXT NOT "
     "NULL CHECK(length(value) < 10)') WHERE name = 'hypha_entries'; PRAGMA writable_schema = OFF"},
    {"a trigger without end on the manifest",
     "CREATE TRIGGER evil AFTER DELETE ON hypha_meta BEGIN INSERT INTO hypha_meta(name, value) WITH RECURSIVE n(i) AS "
     "(SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT 'x' || max(i), 1 FROM n; END"},
    {"a trigger on the schema's versions",
     "CREATE TRIGGER evil AFTER INSERT ON schema_version BEGIN DELETE FROM hypha_entries; END"},
    {"a virtual table in place of the namespaces",
     "ALTER TABLE hypha_namespaces RENAME TO hidden; CREATE VIRTUAL TABLE hypha_namespaces USING fts5(id, name)"},
    {"text in UTF-16", nullptr},
};

DiskImage Attacked(const DiskImage& image, const Attack& attack) {
  SimDisk::Mount(attack.sql == nullptr ? DiskImage() : image);
  sqlite3* db = nullptr;
  int rc = sqlite3_open_v2(kSimDatabase, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, kSimFile);
  const char* sql = attack.sql == nullptr ? "PRAGMA encoding = 'UTF-16'; CREATE TABLE x(y)" : attack.sql;
  if (rc == SQLITE_OK) rc = sqlite3_exec(db, sql, nullptr, nullptr, nullptr);
  if (rc != SQLITE_OK) std::fprintf(stderr, "malformed: %s: %s\n", attack.name, sqlite3_errmsg(db));
  sqlite3_close(db);
  return rc == SQLITE_OK ? SimDisk::Visible() : DiskImage();
}

void AttackSchema(const DiskImage& image, Totals* totals) {
  for (const auto& attack : kAttacks) {
    NextCase(attack.name);
    const DiskImage attacked = Attacked(image, attack);
    ++totals->runs;
    const Seen seen = attacked.empty() ? Seen() : Use(attacked);
    const bool refused = !attacked.empty() && !seen.opened && seen.codes.count(Code::kInternal) == 0;
    if (!refused) totals->problems->Add(std::string(attack.name) + ": not refused " + seen.defect);
    const std::string problem = CopyHostile(attacked.at(kSimDatabase), image.at(kSimDatabase));
    if (!problem.empty()) totals->problems->Add(std::string(attack.name) + ": " + problem);
    if (refused && problem.empty()) ++totals->told;
  }
}

// Every connection has every defensive flag, whatever it is for.
void CheckFlags(const DiskImage& image, Totals* totals) {
  constexpr std::pair<int, int> kWanted[] = {{SQLITE_DBCONFIG_DEFENSIVE, 1},      {SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
                                             {SQLITE_DBCONFIG_ENABLE_TRIGGER, 0}, {SQLITE_DBCONFIG_ENABLE_VIEW, 0},
                                             {SQLITE_DBCONFIG_DQS_DML, 0},        {SQLITE_DBCONFIG_DQS_DDL, 0},
                                             {SQLITE_DBCONFIG_WRITABLE_SCHEMA, 0}};
  SimDisk::Mount(image);
  auto first = Connection::Open(LookAt(kSimDatabase, OnSimDisk(), Role::kWriter));  // the inline role recovers nothing
  if (!first.ok() || !first.value()->QueryInteger("SELECT count(*) FROM hypha_entries").ok()) std::abort();
  for (const Role role : {Role::kWriter, Role::kReader, Role::kInline}) {
    ++totals->runs;
    auto db = Connection::Open(LookAt(kSimDatabase, OnSimDisk(), role));
    bool good = db.ok();
    for (const auto& [verb, wanted] : kWanted) {
      int now = -1;
      if (good && sqlite3_db_config(db.value()->handle(), verb, -1, &now) == SQLITE_OK) good = now == wanted;
    }
    if (good) ++totals->told;
    if (good) continue;
    totals->problems->Add("role " + std::to_string(static_cast<int>(role)) + " lacks a defensive flag");
  }
}

// What is not a database file of its own is refused, at once.
void AttackPath(Totals* totals) {
  const Folder folder;
  OpenOptions options;
  options.path = folder.File("a.db");
  auto made = OpenStore(options);
  if (!made.ok()) std::abort();
  made.value().reader.reset();
  static_cast<void>(CloseStore(made.value().engine));
  const auto in = [&](const char* name) { return folder.File(name); };
  if (::link(in("a.db").c_str(), in("hard.db").c_str()) != 0 ||
      ::symlink(in("a.db").c_str(), in("soft.db").c_str()) != 0 || ::mkfifo(in("fifo.db").c_str(), 0600) != 0 ||
      ::mkdir(in("folder.db").c_str(), 0700) != 0) {
    std::abort();
  }
  for (const std::string& path : {in("hard.db"), in("soft.db"), in("fifo.db"), in("folder.db"), in("a.db/"),
                                  std::string("/dev/zero"), std::string("/dev/null"), std::string("/proc/self/fd/3"),
                                  in("a.db") + std::string(1, '\0') + "x", std::string(5000, 'x'), std::string()}) {
    NextCase("path " + path.substr(0, 80));
    ++totals->runs;
    options.path = path;
    auto opened = OpenStore(options);
    const Code code = opened.status().code();
    if (code == Code::kCantOpen || code == Code::kInvalidArgument) {
      ++totals->told;
    } else {
      totals->problems->Add("path " + path.substr(0, 80) + ": not refused");
    }
    if (opened.ok()) static_cast<void>(CloseStore(opened.value().engine));
  }
}

bool HasChecksums(const DiskImage& image) {
  SimDisk::Mount(image);
  auto db = Connection::Open(LookAt(kSimDatabase, OnSimDisk(), Role::kReader));
  if (!db.ok()) std::abort();
  auto without = db.value()->QueryInteger("SELECT count(*) FROM hypha_entries WHERE crc IS NULL");
  return without.ok() && without.value() == 0;
}

}  // namespace

int Malformed(const Flags& flags) {
  const std::uint64_t seed = flags.Seed();
  std::printf("malformed: seed %llu\n", static_cast<unsigned long long>(seed));
  RegisterSimDisk();
  WatchCases("malformed");
  const std::int64_t wanted = flags.Number("runs", 10'000);
  const DiskImage image = MakeFile();
  const bool crc = HasChecksums(image);
  std::printf("malformed: a file of %zu bytes, entries %s checksums\n", image.at(kSimDatabase).size(),
              crc ? "with" : "without");
  const std::string only = flags.Has("replay") ? flags.Text("replay") : "";
  Judge judge(image, crc, only);
  Problems problems("malformed", flags);
  const auto run = [&](const char* what, auto work) {
    if (problems.enough()) return;
    Totals totals;
    totals.problems = &problems;
    const double started = NowSeconds();
    work(&totals);
    Print(what, totals, started);
  };
  run("flipped bits", [&](Totals* totals) { FlipBits(image, judge, wanted, seed, totals); });
  run("cut, zeroed, swapped and random pages",
      [&](Totals* totals) { Mangle(image, judge, wanted / 10, seed + 1, totals); });
  run("foreign and damaged logs", [&](Totals* totals) { ForeignLogs(image, judge, wanted / 20, seed + 2, totals); });
  if (!only.empty()) return problems.Finish();
  run("edited schemas", [&](Totals* totals) { AttackSchema(image, totals); });
  run("defensive flags of each role", [&](Totals* totals) { CheckFlags(image, totals); });
  run("paths that are no database file", [&](Totals* totals) { AttackPath(totals); });
  return problems.Finish();
}

}  // namespace hypha::reliability
