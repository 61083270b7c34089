// EntryReader::List: a range scan over the (namespace, key) index, with the rest of the pattern matched on the way.
#include <algorithm>

#include "base/json_writer.h"
#include "query/glob.h"
#include "query/key_range.h"
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

bool Wanted(const ListSpec& spec, const KeyRange& range, std::string_view key) {
  if (spec.prefix && key.substr(0, spec.prefix->size()) != *spec.prefix) return false;
  return !range.pattern || range.pattern->Matches(key);
}

}  // namespace

Result<JsonChunks> EntryReader::List(const ListSpec& spec, std::int64_t result_bytes) {
  auto ns_id = namespaces_.Find(spec.ns);
  if (!ns_id.ok()) return ns_id.status();
  if (ns_id.value() == 0 || spec.limit == 0) return JsonChunks{};
  if (spec.pattern && spec.pattern->empty()) return JsonChunks{};  // only the empty key would match, and there is none
  const KeyRange range = RangeOf(spec);
  // With a pattern to match, SQLite cannot count for us.
  const bool exact = !range.pattern && !(spec.prefix && spec.pattern);
  auto statement = statements_.Get(range.end ? Sql::kListRange : range.exclusive ? Sql::kListAll : Sql::kListFrom);
  if (!statement.ok()) return statement.status();
  Cursor cursor(statement.value());
  // A range has no exclusive form: the key itself plus one NUL byte is its immediate successor.
  std::string from = range.from;
  if (range.end && range.exclusive) from.push_back('\0');
  cursor.Bind(1, ns_id.value()).Bind(2, std::string_view(from));
  cursor.Bind(3, exact ? spec.limit.value_or(-1) : std::int64_t{-1}).Bind(4, exact ? spec.offset : std::int64_t{0});
  if (range.end) cursor.Bind(5, std::string_view(*range.end));

  ChunkWriter out;
  std::int64_t skip = exact ? 0 : spec.offset;
  std::int64_t left = exact ? -1 : spec.limit.value_or(-1);
  while (left != 0 && cursor.Step()) {
    const std::string_view key = cursor.Text(0);
    if (!exact && !Wanted(spec, range, key)) continue;
    if (skip > 0) {
      --skip;
      continue;
    }
    if (left > 0) --left;
    AppendJsonString(out.Element(), key);
    if (static_cast<std::int64_t>(out.Close()) > result_bytes) {
      return Status(Code::kTooLarge, "the result is larger than limits.resultBytes");
    }
  }
  Status status = cursor.status("list");
  if (!status.ok()) return status;
  return out.Take();
}

}  // namespace hypha
