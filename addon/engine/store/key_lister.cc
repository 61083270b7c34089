// EntryReader::List: a range of the (namespace, key) index, with the rest of the pattern matched on the way.
#include <algorithm>
#include <cstring>

#include "base/json_writer.h"
#include "base/utf8.h"
#include "query/glob.h"
#include "query/key_range.h"
#include "sqlite/index_cursor.h"
#include "sqlite/record.h"
#include "store/entry_reader.h"

namespace hypha {
namespace {

// What a ListSpec means as a range of keys and, perhaps, a pattern that the keys of the range must match.
struct KeyRange {
  std::string from;
  bool exclusive = false;          // `from` itself is not wanted
  std::optional<std::string> end;  // exclusive
  std::optional<Glob> pattern;     // none: every key of the range matches
};

KeyRange RangeOf(const ListSpec& spec) {
  KeyRange range;
  std::string prefix = spec.prefix.value_or("");
  if (spec.pattern) {
    const std::string_view pattern = *spec.pattern;
    const std::size_t star = pattern.find('*');
    const std::string_view literal = pattern.substr(0, star);
    if (literal.size() > prefix.size()) prefix = literal;
    const bool pure_prefix = star == pattern.size() - 1 && !spec.prefix;
    if (!pure_prefix || star == std::string_view::npos) range.pattern.emplace(pattern);
  }
  range.end = PrefixEnd(prefix);
  range.from = std::move(prefix);
  if (spec.after && *spec.after >= range.from) {
    range.from = *spec.after;
    range.exclusive = true;
  }
  return range;
}

constexpr const char* kKeyIndex = "hypha_entries_key";

// An entry of the index: the namespace, the key, the rowid.
struct IndexEntry {
  std::int64_t ns_id = 0;
  std::string_view key;

  bool Parse(std::string_view record) {
    // Nearly always a header of four bytes, for a namespace of one byte at most and a key shorter than 58.
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(record[i]); };
    constexpr std::size_t kHeader = 4;
    if (record.size() > kHeader && byte(0) == kHeader && (byte(1) == 1 || byte(1) == 9) && byte(2) < 0x80 &&
        byte(2) >= 13 && byte(2) % 2 == 1) {
      const std::size_t start = kHeader + (byte(1) == 1 ? 1 : 0);
      const std::size_t length = (byte(2) - 13) / 2;
      const unsigned rowid = byte(3);
      if (!IsInteger(rowid) || start + length + btree::SerialBytes(rowid) != record.size()) return false;
      ns_id = byte(1) == 9 ? 1 : static_cast<signed char>(record[kHeader]);
      key = record.substr(start, length);
      return true;
    }
    btree::Record<3> columns;
    std::int64_t rowid = 0;
    return columns.Parse(record, record.size()) && columns.end() == record.size() && columns.Integer(0, &ns_id) &&
           columns.Text(1, &key) && columns.Integer(2, &rowid);
  }

  static bool IsInteger(unsigned type) { return type - 1 < 6 || type - 8 < 2; }
};

// Whether an entry comes before (< 0) the first that is wanted.
int ComparePlace(const IndexEntry& entry, std::int64_t ns_id, const KeyRange& range) {
  if (entry.ns_id != ns_id) return entry.ns_id < ns_id ? -1 : 1;
  const int order = entry.key.compare(range.from);
  return order == 0 && range.exclusive ? -1 : order;
}

// Keys that follow each other begin alike: words in line beat a call of memcmp().
int CompareText(std::string_view a, std::string_view b) {
  constexpr std::size_t kWord = sizeof(std::uint64_t);
  const std::size_t both = std::min(a.size(), b.size());
  if (both < kWord) return a.compare(b);
  for (std::size_t at = 0;; at = std::min(at + kWord, both - kWord)) {
    std::uint64_t x = 0;
    std::uint64_t y = 0;
    std::memcpy(&x, a.data() + at, kWord);
    std::memcpy(&y, b.data() + at, kWord);
    if (x != y) return std::memcmp(&x, &y, kWord);
    if (at == both - kWord) break;
  }
  return a.size() < b.size() ? -1 : a.size() > b.size() ? 1 : 0;
}

// Whether the entries come in the order that an index has. A key that took damage is out of it, but for one that damage
// moves no further than to the next key; that the table alone can tell, see verify().
class Order {
 public:
  Order(std::int64_t ns_id, const KeyRange& range) : last_{ns_id, range.from}, distinct_(range.exclusive) {}

  bool Take(const IndexEntry& entry) {
    if (entry.ns_id != last_.ns_id) {
      if (entry.ns_id < last_.ns_id) return false;
    } else if (const int order = CompareText(last_.key, entry.key); order > 0 || (order == 0 && distinct_)) {
      return false;
    }
    last_ = entry;
    distinct_ = true;
    return true;
  }

  std::string_view last() const { return last_.key; }

 private:
  IndexEntry last_;  // views a record of the cursor, which keeps two
  bool distinct_;    // from the second entry on
};

// Where the range ends. While the order holds, a page whose last entry is inside is inside as a whole.
class Inside {
 public:
  Inside(std::int64_t ns_id, const KeyRange& range) : ns_id_(ns_id), range_(range) {}

  // REQUIRES: the cursor gave the entry last, and the order took it.
  bool Has(const IndexEntry& entry, const IndexCursor& cursor) {
    if (known_ > 0) {
      --known_;
      return true;
    }
    if (!Holds(entry)) return false;
    std::string_view record;
    std::uint32_t after = 0;
    IndexEntry last;
    if (cursor.LastOfPage(&record, &after) && last.Parse(record) && Holds(last)) known_ = after;
    return true;
  }

 private:
  bool Holds(const IndexEntry& entry) const {
    return entry.ns_id == ns_id_ && !(range_.end && entry.key >= *range_.end);
  }

  const std::int64_t ns_id_;
  const KeyRange& range_;
  std::uint32_t known_ = 0;  // entries to come that are inside
};

// `last`: the entry before the damage.
Status DamagedIndex(std::string_view ns, std::string_view last) {
  std::string text = "the index of the keys of namespace \"" + std::string(ns) + "\" is damaged";
  if (!last.empty() && IsUtf8(last)) text += ", after \"" + std::string(last) + "\"";
  return {Code::kCorrupt, std::move(text)};
}

}  // namespace

Result<JsonChunks> EntryReader::List(const ListSpec& spec, std::int64_t result_bytes) {
  auto found = namespaces_.Find(spec.ns);
  if (!found.ok()) return found.status();
  const std::int64_t ns_id = found.value();
  if (ns_id == 0 || spec.limit == 0) return JsonChunks{};
  if (spec.pattern && spec.pattern->empty()) return JsonChunks{};  // only the empty key would match, and there is none
  if (lists_ == nullptr) return ReadKeys(spec, ns_id, result_bytes);
  const unsigned version = DataVersion(statements_.db());
  if (const JsonChunks* kept = lists_->Find(version, ns_id, spec)) return *kept;
  auto keys = ReadKeys(spec, ns_id, result_bytes);
  if (keys.ok()) lists_->Put(version, ns_id, spec, keys.value());
  return keys;
}

// Read from the index's pages: SQLite would take most of the time for stepping from row to row.
Result<JsonChunks> EntryReader::ReadKeys(const ListSpec& spec, std::int64_t ns_id, std::int64_t result_bytes) {
  const KeyRange range = RangeOf(spec);
  IndexCursor cursor(statements_.db());
  Status status = cursor.Seek(kKeyIndex, [&](std::string_view record, bool* ok) {
    IndexEntry entry;
    *ok = entry.Parse(record);
    return *ok ? ComparePlace(entry, ns_id, range) : 0;
  });
  if (!status.ok()) return status;

  ChunkWriter out;
  Order order(ns_id, range);
  Inside inside(ns_id, range);
  std::int64_t skip = spec.offset;
  std::int64_t left = spec.limit.value_or(-1);
  const bool check_prefix = spec.prefix && spec.pattern;  // the range may be the pattern's
  bool past_end = false;                                  // one entry more than that is read, for the order's sake
  std::string_view record;
  while (left != 0 && cursor.Next(&record)) {
    IndexEntry entry;
    if (!entry.Parse(record) || !order.Take(entry)) return DamagedIndex(spec.ns, order.last());
    if (past_end) break;
    past_end = !inside.Has(entry, cursor);
    if (past_end || (range.pattern && !range.pattern->Matches(entry.key))) continue;
    if (check_prefix && !entry.key.starts_with(*spec.prefix)) continue;
    if (skip > 0) {
      --skip;
      continue;
    }
    if (left > 0) --left;
    if (!AppendJsonText(out.Element(), entry.key)) return DamagedIndex(spec.ns, {});
    if (static_cast<std::int64_t>(out.Close()) > result_bytes) {
      return Status(Code::kTooLarge, "the result is larger than limits.resultBytes");
    }
  }
  if (!cursor.status().ok()) return cursor.status();
  return out.Take();
}

}  // namespace hypha
