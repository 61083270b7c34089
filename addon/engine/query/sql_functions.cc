#include "query/sql_functions.h"

#include <cstdint>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/utf8.h"
#include "query/index_definition.h"
#include "query/js_number.h"
#include "query/json_scan.h"
#include "query/order_key.h"
#include "query/predicate.h"

namespace hypha {
namespace {

constexpr std::size_t kMaxKeyBytes = 4096;  // the contract's limits, which a file cannot raise
constexpr std::size_t kMaxNamespaceBytes = 512;

std::string_view Text(sqlite3_value* value) {
  const void* data = sqlite3_value_blob(value);
  return {static_cast<const char*>(data), data == nullptr ? 0 : static_cast<std::size_t>(sqlite3_value_bytes(value))};
}

// The connection looks at its deadline every few thousand steps of SQLite's machine, which may be very many bytes.
bool IsPastDeadline(BoundFilter& filter, std::size_t bytes) {
  constexpr std::size_t kLookEvery = 256U << 10;
  filter.bytes += bytes;
  if (filter.bytes < kLookEvery || filter.connection == nullptr) return false;
  filter.bytes = 0;
  return filter.connection->PastDeadline();
}

// Of key, value, metadata, created_at, updated_at and version, in this order.
EntryView EntryOf(sqlite3_value** arguments) {
  return {Text(arguments[0]),
          Text(arguments[1]),
          Text(arguments[2]),
          sqlite3_value_int64(arguments[3]),
          sqlite3_value_int64(arguments[4]),
          sqlite3_value_int64(arguments[5])};
}

void Match(sqlite3_context* context, int /*count*/, sqlite3_value** arguments) {
  auto* filter = static_cast<BoundFilter*>(sqlite3_value_pointer(arguments[0], kFilterPointer));
  if (filter == nullptr) return sqlite3_result_error(context, "hypha_match needs a bound filter", -1);
  ++filter->examined;
  const EntryView entry = EntryOf(arguments + 1);
  if (IsPastDeadline(*filter, entry.value.size())) return sqlite3_result_error_code(context, SQLITE_INTERRUPT);
  try {
    const bool unchecked = sqlite3_value_type(arguments[7]) == SQLITE_NULL;
    if (!unchecked && !IsIntactFor(*filter->evaluator, sqlite3_value_int64(arguments[7]), filter->of.id, entry)) {
      filter->damaged = DamagedEntry(filter->of.name, entry.key);
      return sqlite3_result_error_code(context, SQLITE_CORRUPT);
    }
    sqlite3_result_int(context, filter->evaluator->Matches(entry) ? 1 : 0);
  } catch (const std::bad_alloc&) {
    sqlite3_result_error_nomem(context);
  }
}

void ChangedCrc(sqlite3_context* context, int /*count*/, sqlite3_value** arguments) {
  const auto* change = static_cast<const EntryChange*>(sqlite3_value_pointer(arguments[0], kChangePointer));
  if (change == nullptr) return sqlite3_result_null(context);
  std::optional<std::int64_t> crc;
  if (sqlite3_value_type(arguments[1]) != SQLITE_NULL) crc = sqlite3_value_int64(arguments[1]);
  EntryView old;
  old.metadata = Text(arguments[2]);
  old.created_at = sqlite3_value_int64(arguments[3]);
  old.updated_at = sqlite3_value_int64(arguments[4]);
  old.version = sqlite3_value_int64(arguments[5]);
  crc = ChangedChecksum(crc, old, *change);
  if (crc) sqlite3_result_int64(context, *crc);
}

// Of numbers alone: it runs in nearly each set().
void NextCrc(sqlite3_context* context, int /*count*/, sqlite3_value** arguments) {
  if (sqlite3_value_type(arguments[0]) == SQLITE_NULL) return;
  const Stamp old{sqlite3_value_int64(arguments[1]), sqlite3_value_int64(arguments[2])};
  const Stamp now{sqlite3_value_int64(arguments[4]), sqlite3_value_int64(arguments[5])};
  sqlite3_result_int64(context,
                       NextChecksum(sqlite3_value_int64(arguments[0]), old, sqlite3_value_int64(arguments[3]), now));
}

void EntryCrc(sqlite3_context* context, int /*count*/, sqlite3_value** arguments) {
  sqlite3_result_int64(context, EntryChecksum(sqlite3_value_int64(arguments[0]), EntryOf(arguments + 1)));
}

using Path = std::vector<std::string>;

// The parsed path, kept by SQLite with the statement whose literal it is.
const Path* PathArgument(sqlite3_context* context, int index, sqlite3_value* argument, std::optional<Path>* own) {
  if (const void* kept = sqlite3_get_auxdata(context, index)) return static_cast<const Path*>(kept);
  *own = ParsePath(Text(argument));
  if (!*own || (*own)->empty()) return nullptr;
  sqlite3_set_auxdata(context, index, new Path(**own), [](void* path) { delete static_cast<Path*>(path); });
  return &**own;
}

std::optional<std::string> Extract(const EntryView& entry, Source source, const Path& path) {
  const auto value = Resolve(source, path, entry);
  if (!value) return std::nullopt;
  std::string key = OrderKey(*value);
  if (source == Source::kField && key[0] == order_tag::kNull) {
    const auto below = Resolve(Source::kMetadata, path, entry);
    if (below && OrderKey(*below)[0] != order_tag::kNull) key[0] = order_tag::kNullOverMetadata;
  }
  return key;
}

thread_local Progress* counted_extractions = nullptr;

void CountExtraction() {
  if (counted_extractions == nullptr) return;
  const std::int64_t done = counted_extractions->done.load(std::memory_order_relaxed);
  if (done < counted_extractions->total) counted_extractions->done.store(done + 1, std::memory_order_relaxed);
}

void ExtractKey(sqlite3_context* context, int count, sqlite3_value** arguments) {
  try {
    std::optional<Path> own;
    const Path* path = PathArgument(context, count - 1, arguments[count - 1], &own);
    if (path == nullptr) return sqlite3_result_error(context, "hypha_extract: not a path", -1);
    EntryView entry;
    entry.value = Text(arguments[0]);
    if (count == 3) entry.metadata = Text(arguments[1]);
    CountExtraction();
    const auto key = Extract(entry, count == 3 ? Source::kField : Source::kPath, *path);
    if (key) sqlite3_result_blob64(context, key->data(), key->size(), SQLITE_TRANSIENT);
  } catch (const std::bad_alloc&) {
    sqlite3_result_error_nomem(context);
  }
}

bool IsText(sqlite3_value* value) { return sqlite3_value_type(value) == SQLITE_TEXT; }

const char* NameProblem(sqlite3_value* name, std::size_t max_bytes) {
  if (!IsText(name)) return "the name is not text";
  const std::string_view text = Text(name);
  if (text.size() > max_bytes) return "the name is too long";
  if (!IsUtf8(text)) return "the name is not UTF-8";
  return js::TrimSpace(text).empty() ? "the name is blank" : nullptr;
}

const char* MetadataProblem(sqlite3_value* metadata) {
  if (sqlite3_value_type(metadata) == SQLITE_NULL) return nullptr;
  if (!IsText(metadata) || !json::IsValid(Text(metadata))) return "the metadata is not JSON";
  return json::KindOf(Text(metadata)) == json::Kind::kObject ? nullptr : "the metadata is not an object";
}

const char* TimeProblem(sqlite3_value* time) {
  return sqlite3_value_type(time) == SQLITE_INTEGER ? nullptr : "a time is not an integer";
}

const char* ValueProblem(sqlite3_value* value) {
  return IsText(value) && json::IsValid(Text(value)) ? nullptr : "the value is not JSON";
}

void Answer(sqlite3_context* context, const char* problem) {
  if (problem != nullptr) sqlite3_result_text(context, problem, -1, SQLITE_STATIC);
}

const char* FirstOf(std::initializer_list<const char*> problems) {
  for (const char* problem : problems) {
    if (problem != nullptr) return problem;
  }
  return nullptr;
}

void EntryProblem(sqlite3_context* context, int /*count*/, sqlite3_value** arguments) {
  try {
    Answer(context, FirstOf({NameProblem(arguments[0], kMaxNamespaceBytes), NameProblem(arguments[1], kMaxKeyBytes),
                             ValueProblem(arguments[2]), MetadataProblem(arguments[3]), TimeProblem(arguments[4]),
                             TimeProblem(arguments[5])}));
  } catch (const std::bad_alloc&) {
    sqlite3_result_error_nomem(context);
  }
}

void NamespaceProblem(sqlite3_context* context, int /*count*/, sqlite3_value** arguments) {
  try {
    Answer(context, FirstOf({NameProblem(arguments[0], kMaxNamespaceBytes), MetadataProblem(arguments[1]),
                             TimeProblem(arguments[2])}));
  } catch (const std::bad_alloc&) {
    sqlite3_result_error_nomem(context);
  }
}

}  // namespace

CountExtractions::CountExtractions(Progress& progress) { counted_extractions = &progress; }
CountExtractions::~CountExtractions() { counted_extractions = nullptr; }

int RegisterSqlFunctions(sqlite3* db) {
  struct Function {
    const char* name;
    int arguments;
    void (*call)(sqlite3_context*, int, sqlite3_value**);
  };
  constexpr Function kFunctions[] = {{"hypha_match", 8, &Match},
                                     {"hypha_changed_crc", 6, &ChangedCrc},
                                     {"hypha_next_crc", 6, &NextCrc},
                                     {"hypha_entry_crc", 7, &EntryCrc},
                                     {"hypha_extract", 2, &ExtractKey},
                                     {"hypha_extract", 3, &ExtractKey},
                                     {"hypha_entry_problem", 6, &EntryProblem},
                                     {"hypha_namespace_problem", 3, &NamespaceProblem}};
  for (const auto& function : kFunctions) {
    const int rc = sqlite3_create_function_v2(db, function.name, function.arguments,
                                              SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS, nullptr,
                                              function.call, nullptr, nullptr, nullptr);
    if (rc != SQLITE_OK) return rc;
  }
  return SQLITE_OK;
}

}  // namespace hypha
