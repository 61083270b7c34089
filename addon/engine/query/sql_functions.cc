#include "query/sql_functions.h"

#include <cstdint>
#include <new>
#include <string_view>

#include "query/evaluator.h"
#include "query/js_number.h"
#include "query/json_scan.h"

namespace hypha {
namespace {

constexpr std::size_t kMaxKeyBytes = 4096;  // the contract's limits, which a file cannot raise
constexpr std::size_t kMaxNamespaceBytes = 512;

std::string_view Text(sqlite3_value* value) {
  const void* data = sqlite3_value_blob(value);
  return {static_cast<const char*>(data), data == nullptr ? 0 : static_cast<std::size_t>(sqlite3_value_bytes(value))};
}

void Match(sqlite3_context* context, int /*count*/, sqlite3_value** arguments) {
  const auto* evaluator = static_cast<const Evaluator*>(sqlite3_value_pointer(arguments[0], kEvaluatorPointer));
  if (evaluator == nullptr) return sqlite3_result_error(context, "hypha_match needs a bound evaluator", -1);
  EntryView entry;
  entry.key = Text(arguments[1]);
  entry.value = Text(arguments[2]);
  entry.metadata = Text(arguments[3]);
  entry.created_at = sqlite3_value_int64(arguments[4]);
  entry.updated_at = sqlite3_value_int64(arguments[5]);
  entry.version = sqlite3_value_int64(arguments[6]);
  try {
    sqlite3_result_int(context, evaluator->Matches(entry) ? 1 : 0);
  } catch (const std::bad_alloc&) {
    sqlite3_result_error_nomem(context);
  }
}

bool IsText(sqlite3_value* value) { return sqlite3_value_type(value) == SQLITE_TEXT; }

// JSON.parse's notion of text covers UTF-8: a string is valid when its quoted form is.
bool IsUtf8(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    const bool plain = static_cast<unsigned char>(c) >= 0x20 && c != '"' && c != '\\';
    quoted.push_back(plain ? c : ' ');
  }
  quoted.push_back('"');
  return json::IsValid(quoted);
}

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

int RegisterSqlFunctions(sqlite3* db) {
  struct Function {
    const char* name;
    int arguments;
    void (*call)(sqlite3_context*, int, sqlite3_value**);
  };
  constexpr Function kFunctions[] = {{"hypha_match", 7, &Match},
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
