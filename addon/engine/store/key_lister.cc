// EntryReader::List: a range of the (namespace, key) index, with the rest of the pattern matched on the way.
#include <algorithm>

#include "base/json_writer.h"
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
      if (start + length > record.size()) return false;
      ns_id = byte(1) == 9 ? 1 : static_cast<signed char>(record[kHeader]);
      key = record.substr(start, length);
      return true;
    }
    btree::Record<2> columns;
    return columns.Parse(record, record.size()) && columns.Integer(0, &ns_id) && columns.Text(1, &key);
  }
};

// Whether an entry comes before (< 0) the first that is wanted.
int ComparePlace(const IndexEntry& entry, std::int64_t ns_id, const KeyRange& range) {
  if (entry.ns_id != ns_id) return entry.ns_id < ns_id ? -1 : 1;
  const int order = entry.key.compare(range.from);
  return order == 0 && range.exclusive ? -1 : order;
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
  std::int64_t skip = spec.offset;
  std::int64_t left = spec.limit.value_or(-1);
  const bool check_prefix = spec.prefix && spec.pattern;  // the range may be the pattern's
  std::string_view record;
  while (left != 0 && cursor.Next(&record)) {
    IndexEntry entry;
    if (!entry.Parse(record)) return Status(Code::kCorrupt, "the index of keys is damaged");
    if (entry.ns_id != ns_id || (range.end && entry.key >= *range.end)) break;
    if (range.pattern && !range.pattern->Matches(entry.key)) continue;
    if (check_prefix && !entry.key.starts_with(*spec.prefix)) continue;
    if (skip > 0) {
      --skip;
      continue;
    }
    if (left > 0) --left;
    AppendJsonString(out.Element(), entry.key);
    if (static_cast<std::int64_t>(out.Close()) > result_bytes) {
      return Status(Code::kTooLarge, "the result is larger than limits.resultBytes");
    }
  }
  if (!cursor.status().ok()) return cursor.status();
  return out.Take();
}

}  // namespace hypha
