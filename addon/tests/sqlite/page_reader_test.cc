// Pages read as bytes against the same rows read by SQLite: all page sizes, deep trees, overflow, holes, damage.
#include "sqlite/page_reader.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "query/table_scan.h"
#include "sqlite/index_cursor.h"
#include "sqlite/record.h"
#include "support/databases.h"
#include "support/temp_dir.h"

namespace hypha {
namespace {

constexpr const char* kTables =
    "CREATE TABLE hypha_entries(id INTEGER PRIMARY KEY, ns_id INTEGER NOT NULL, version INTEGER NOT NULL, created_at "
    "INTEGER NOT NULL, updated_at INTEGER NOT NULL, crc INTEGER, key TEXT NOT NULL, metadata TEXT, value TEXT NOT "
    "NULL) STRICT; CREATE UNIQUE INDEX hypha_entries_key ON hypha_entries(ns_id, key);";

using Row = std::tuple<std::string, std::string, std::string, std::int64_t, std::int64_t, std::int64_t>;

class PageReaderTest : public ::testing::TestWithParam<int> {
 protected:
  void SetUp() override {
    ConnectionOptions options = test::FileOptions(dir_.File());
    options.accept = [](Connection& db) { return db.Exec(PageSize().c_str()); };
    auto db = Connection::Open(options);
    ASSERT_TRUE(db.ok()) << db.status().message();
    db_ = std::move(db.value());
    ASSERT_TRUE(db_->Exec(kTables).ok());
    EXPECT_EQ(db_->QueryInteger("PRAGMA page_size").value(), GetParam());
  }

  static std::string PageSize() { return "PRAGMA page_size=" + std::to_string(GetParam()); }

  void Insert(std::int64_t ns_id, const std::string& key, const std::string& metadata, const std::string& value) {
    auto statement = db_->cache().Take(
        "INSERT OR REPLACE INTO hypha_entries(ns_id, version, created_at, updated_at, key, metadata, value) "
        "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)");
    ASSERT_TRUE(statement.ok());
    Cursor cursor(statement.value().get());
    cursor.Bind(1, ns_id).Bind(2, Number()).Bind(3, Number()).Bind(4, Number()).Bind(5, std::string_view(key));
    if (!metadata.empty()) cursor.Bind(6, std::string_view(metadata));
    cursor.Bind(7, std::string_view(value));
    ASSERT_TRUE(cursor.Run("insert").ok());
  }

  // Integers of every width that a record may hold.
  std::int64_t Number() {
    const auto bits = static_cast<int>(random_() % 64);
    const auto number = static_cast<std::int64_t>(random_() >> bits);
    return random_() % 2 == 0 ? number : -number;
  }
  std::string Text(std::size_t most) {
    std::string text(1 + random_() % most, 'x');
    for (auto& c : text) c = static_cast<char>('a' + random_() % 26);
    return text;
  }

  std::vector<Row> ByScan(std::int64_t ns_id) {
    struct Sink final : EntrySink {
      Status Take(const EntryView& e, std::optional<std::int64_t> /*crc*/) override {
        rows.emplace_back(e.key, e.value, e.metadata, e.created_at, e.updated_at, e.version);
        return Status::Ok();
      }
      std::vector<Row> rows;
    };
    TableParts parts;
    Sink sink;
    EXPECT_TRUE(parts.Find(*db_).ok());
    Status status = TableScan(*db_).Run(parts, ns_id, sink);
    EXPECT_TRUE(status.ok()) << status.message();
    std::sort(sink.rows.begin(), sink.rows.end());
    return sink.rows;
  }

  std::vector<Row> BySql(std::int64_t ns_id) {
    auto statement = db_->cache().Take(
        "SELECT key, value, metadata, created_at, updated_at, version FROM hypha_entries WHERE ns_id = ?1");
    Cursor cursor(statement.value().get());
    cursor.Bind(1, ns_id);
    std::vector<Row> rows;
    while (cursor.Step()) {
      rows.emplace_back(cursor.Text(0), cursor.Text(1), cursor.Text(2), cursor.Integer(3), cursor.Integer(4),
                        cursor.Integer(5));
    }
    std::sort(rows.begin(), rows.end());
    return rows;
  }

  using IndexRow = std::pair<std::int64_t, std::string>;
  std::vector<IndexRow> ByCursor(std::int64_t ns_id, const std::string& key) {
    const auto parse = [](std::string_view record, IndexRow* row) {
      btree::Record<2> columns;
      std::string_view text;
      const bool ok = columns.Parse(record, record.size()) && columns.Integer(0, &row->first) && columns.Text(1, &text);
      row->second = text;
      return ok;
    };
    IndexCursor cursor(*db_);
    const IndexRow place(ns_id, key);
    Status status = cursor.Seek("hypha_entries_key", [&](std::string_view record, bool* ok) {
      IndexRow row;
      *ok = parse(record, &row);
      return row < place ? -1 : 1;
    });
    EXPECT_TRUE(status.ok()) << status.message();
    std::vector<IndexRow> rows;
    std::string_view record;
    while (cursor.Next(&record)) {
      IndexRow row;
      EXPECT_TRUE(parse(record, &row));
      rows.push_back(row);
    }
    EXPECT_TRUE(cursor.status().ok()) << cursor.status().message();
    return rows;
  }

  std::vector<IndexRow> IndexBySql(std::int64_t ns_id, const std::string& key) {
    auto statement =
        db_->cache().Take("SELECT ns_id, key FROM hypha_entries WHERE (ns_id, key) >= (?1, ?2) ORDER BY ns_id, key");
    Cursor cursor(statement.value().get());
    cursor.Bind(1, ns_id).Bind(2, std::string_view(key));
    std::vector<IndexRow> rows;
    while (cursor.Step()) rows.emplace_back(cursor.Integer(0), cursor.Text(1));
    return rows;
  }

  const unsigned seed_ = test::Seed();
  std::mt19937_64 random_{seed_};
  test::TempDir dir_;
  std::unique_ptr<Connection> db_;
};

TEST_P(PageReaderTest, SeesWhatSqliteSees) {
  const std::int64_t spaces[] = {1, 2, 300, 70'000, -5};
  for (int round = 0; round < 3; ++round) {
    ASSERT_TRUE(db_->Exec("BEGIN IMMEDIATE").ok());
    for (int i = 0; i < 400; ++i) {
      // Keys and values shorter than a page, about one, and of several: overflow of index and table.
      const std::size_t page = static_cast<std::size_t>(GetParam());
      const std::size_t most = random_() % 20 == 0 ? 3 * page : random_() % 4 == 0 ? page / 2 : 60;
      Insert(spaces[random_() % 5], Text(std::min<std::size_t>(most, 4096)), random_() % 3 == 0 ? Text(most) : "",
             Text(most));
    }
    ASSERT_TRUE(db_->Exec("DELETE FROM hypha_entries WHERE id % 7 = 3").ok());
    // Uncommitted changes are part of what this connection sees.
    for (const std::int64_t ns_id : spaces) {
      const auto rows = BySql(ns_id);
      ASSERT_FALSE(rows.empty());
      EXPECT_EQ(ByScan(ns_id), rows);
      EXPECT_EQ(ByCursor(ns_id, ""), IndexBySql(ns_id, ""));
    }
    for (int probe = 0; probe < 20; ++probe) {
      const std::string key = Text(3);
      EXPECT_EQ(ByCursor(300, key), IndexBySql(300, key));
    }
    ASSERT_TRUE(db_->Exec("COMMIT").ok());
  }
}

TEST_P(PageReaderTest, AnEmptyTableHasNothing) {
  ASSERT_TRUE(db_->Exec("BEGIN").ok());
  EXPECT_TRUE(ByScan(1).empty());
  EXPECT_TRUE(ByCursor(0, "").empty());
}

TEST_P(PageReaderTest, AMissingTableIsAnError) {
  PageReader pages(*db_);
  EXPECT_EQ(pages.Open("nothing").status().code(), Code::kSchemaChanged);
}

TEST_P(PageReaderTest, APageOutsideTheFileIsCorrupt) {
  ASSERT_TRUE(db_->Exec("BEGIN").ok());
  PageReader pages(*db_);
  ASSERT_TRUE(pages.Open("hypha_entries").ok());
  LoadedPage page;
  EXPECT_EQ(pages.Load(1'000'000, &page).code(), Code::kCorrupt);
  EXPECT_EQ(pages.Load(0, &page).code(), Code::kCorrupt);
}

// One bit of the root page: a cell outside the page, and a child that is another one's. Not a row may be lost in
// silence.
TEST_P(PageReaderTest, ADamagedInteriorPageIsCorrupt) {
  ASSERT_TRUE(db_->Exec("BEGIN IMMEDIATE").ok());
  const std::string value(static_cast<std::size_t>(GetParam()) / 3, 'v');
  for (int i = 0; i < 600; ++i) Insert(1, "key" + std::to_string(i), "", value);
  ASSERT_TRUE(db_->Exec("COMMIT").ok());
  const auto root = db_->QueryInteger("SELECT rootpage FROM sqlite_schema WHERE name = 'hypha_entries'").value();
  db_.reset();
  std::ifstream in(dir_.File(), std::ios::binary);
  const std::string sound((std::istreambuf_iterator<char>(in)), {});
  const std::size_t page = static_cast<std::size_t>(root - 1) * static_cast<std::size_t>(GetParam());
  const std::size_t pointer = page + 12 + 2;  // of the second cell
  const std::size_t cell = page + btree::ReadU16(sound.data() + pointer);
  for (const auto& [at, bits] : {std::pair{pointer, 0xF0}, std::pair{cell + 3, 0x02}}) {
    std::string damaged = sound;
    damaged[at] = static_cast<char>(damaged[at] ^ bits);
    std::ofstream(dir_.File(), std::ios::binary).write(damaged.data(), static_cast<std::streamsize>(damaged.size()));
    const auto db = test::Open(test::FileOptions(dir_.File(), Role::kReader));
    ASSERT_TRUE(db->Exec("BEGIN").ok());
    struct Sink final : EntrySink {
      Status Take(const EntryView& /*entry*/, std::optional<std::int64_t> /*crc*/) override { return Status::Ok(); }
    };
    TableParts parts;
    Sink sink;
    Status status = parts.Find(*db);
    if (status.ok()) status = TableScan(*db).Run(parts, 1, sink);
    EXPECT_EQ(status.code(), Code::kCorrupt) << at - page;
  }
}

INSTANTIATE_TEST_SUITE_P(PageSizes, PageReaderTest, ::testing::Values(512, 1024, 4096, 65536));

// Random bytes in the place of a page: an answer or a "no", and nothing read outside.
TEST(BtreePage, DamagedPagesAreRefusedOrRead) {
  std::mt19937_64 random(test::Seed());
  constexpr std::uint32_t kBytes = 512;
  const btree::Geometry geometry{kBytes, kBytes, 10};
  int refused = 0;
  int read = 0;
  for (int round = 0; round < 20'000; ++round) {
    const std::vector<char> exact = [&] {
      std::vector<char> bytes(kBytes);
      for (auto& byte : bytes) byte = static_cast<char>(random());
      constexpr char kKinds[] = {2, 5, 10, 13};
      bytes[0] = kKinds[random() % 4];
      bytes[3] = 0;
      bytes[4] = static_cast<char>(random() % 64);
      return bytes;
    }();
    const auto page = btree::Page::Parse({exact.data(), exact.size()}, 2, geometry);
    ASSERT_TRUE(page.has_value());
    for (std::uint32_t i = 0; i < page->cell_count(); ++i) {
      if (!page->is_leaf()) static_cast<void>(page->Child(i));
      btree::Cell cell;
      if (page->kind() == btree::PageKind::kInteriorTable || !page->ReadCell(i, &cell)) {
        ++refused;
        continue;
      }
      ++read;
      ASSERT_GE(cell.local.data(), exact.data());
      ASSERT_LE(cell.local.data() + cell.local.size(), exact.data() + exact.size());
      btree::Record<9> record;
      if (!record.Parse(cell.local, cell.payload_bytes)) continue;
      for (std::size_t column = 0; column < 9; ++column) {
        std::int64_t number = 0;
        std::string_view text;
        if (!record.IsPresent(column)) continue;
        static_cast<void>(record.Integer(column, &number));
        if (!record.Text(column, &text)) continue;
        ASSERT_LE(text.data() + text.size(), exact.data() + exact.size());
      }
    }
  }
  EXPECT_GT(refused, 0);
  EXPECT_GT(read, 0);
}

}  // namespace
}  // namespace hypha
