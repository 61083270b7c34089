// Processes beside the one that is killed: one reads all the time and must only ever see whole transactions that never
// go back; one opens and closes all the time, and so meets every recovery.
#include <array>
#include <atomic>
#include <cstdio>
#include <fstream>
#include <string>

#include "roles.h"
#include "sqlite3.h"
#include "support/driver.h"
#include "support/process.h"

namespace hypha::reliability {
namespace {

struct Seen {
  std::int64_t stamp[2] = {-1, -1};  // in a and in b
  std::int64_t count = -1;
};
using Snapshot = std::array<Seen, kClients>;

// One statement is one snapshot. The names are those of the kernel's layout, which step 2 keeps as a view: the text
// holds before and after a migration.
int Look(sqlite3* db, Snapshot* snapshot) {
  const auto row = [](void* to, int, char** values, char**) {
    const std::string ns = values[0];
    const auto client = static_cast<std::size_t>(std::atoi(ns.c_str() + 1));
    if (client >= static_cast<std::size_t>(kClients)) return 0;
    Seen& seen = (*static_cast<Snapshot*>(to))[client];
    const std::int64_t value = std::atoll(values[2]);
    if (std::string(values[1]) == "count") {
      seen.count = value;
    } else {
      seen.stamp[ns[0] == 'a' ? 0 : 1] = value;
    }
    return 0;
  };
  return sqlite3_exec(db, "SELECT namespace, key, value FROM storage_entries WHERE key IN ('stamp', 'count')", row,
                      snapshot, nullptr);
}

std::string Anomaly(const Snapshot& before, const Snapshot& now) {
  for (std::size_t client = 0; client < now.size(); ++client) {
    const Seen& old = before[client];
    const Seen& seen = now[client];
    const std::string who = "client " + std::to_string(client) + ": stamp " + std::to_string(seen.stamp[0]);
    if (seen.stamp[0] != seen.stamp[1]) return who + " in a and " + std::to_string(seen.stamp[1]) + " in b";
    if (seen.stamp[0] < old.stamp[0]) return who + " after " + std::to_string(old.stamp[0]);
    if (seen.count < old.count) return who + ": the counter went back to " + std::to_string(seen.count);
  }
  return "";
}

void Report(const Flags& flags, std::int64_t count) { std::ofstream(flags.Text("report")) << count; }

}  // namespace

// --path P --report FILE; until SIGTERM.
int KillBystander(const Flags& flags) {
  const std::atomic<bool>& stop = StopOnTerm();
  sqlite3* db = nullptr;
  Snapshot last;
  std::int64_t snapshots = 0;
  int code = 0;
  while (!stop && code == 0) {
    if (db == nullptr &&
        sqlite3_open_v2(flags.Text("path").c_str(), &db, SQLITE_OPEN_READWRITE, nullptr) != SQLITE_OK) {
      sqlite3_close(db);
      db = nullptr;
      SleepMs(1);
      continue;
    }
    sqlite3_busy_timeout(db, 10'000);
    Snapshot now;
    const int rc = Look(db, &now);
    if (rc == SQLITE_OK) {
      ++snapshots;
      const std::string anomaly = Anomaly(last, now);
      if (!anomaly.empty()) std::fprintf(stderr, "bystander: %s\n", anomaly.c_str());
      if (!anomaly.empty()) code = 1;
      last = now;
    } else if (rc != SQLITE_BUSY && !(rc == SQLITE_ERROR && snapshots == 0)) {
      std::fprintf(stderr, "bystander: %s\n", sqlite3_errmsg(db));
      code = 1;
    }
    SleepMs(1);
    if (snapshots % 50 != 49) continue;
    sqlite3_close(db);  // sometimes the first to come and the last to go
    db = nullptr;
  }
  sqlite3_close(db);
  Report(flags, snapshots);
  return code;
}

// --path P --report FILE; until SIGTERM.
int KillOpener(const Flags& flags) {
  const std::atomic<bool>& stop = StopOnTerm();
  std::int64_t opened = 0;
  while (!stop) {
    OpenOptions options;
    options.path = flags.Text("path");
    options.readers = 1;
    options.busy_timeout_ms = 20'000;
    auto store = OpenStore(options);
    if (!store.ok()) {
      std::fprintf(stderr, "opener: %s\n", store.status().message().c_str());
      return 1;
    }
    auto read = Read(*store.value().engine, GetEntrySpec{"a0", "stamp"});
    store.value().reader.reset();
    const Status closed = CloseStore(store.value().engine);
    if (!read.ok() || (!closed.ok() && closed.code() != Code::kBusy)) {
      std::fprintf(stderr, "opener: %s %s\n", read.status().message().c_str(), closed.message().c_str());
      return 1;
    }
    ++opened;
    SleepMs(5);
  }
  Report(flags, opened);
  return 0;
}

}  // namespace hypha::reliability
