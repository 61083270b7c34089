#include "sqlite/authorizer.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace hypha {
namespace {

constexpr std::array kPragmas{
    std::string_view("application_id"),     std::string_view("busy_timeout"),       std::string_view("cache_size"),
    std::string_view("cell_size_check"),    std::string_view("encoding"),           std::string_view("fullfsync"),
    std::string_view("freelist_count"),     std::string_view("integrity_check"),    std::string_view("journal_mode"),
    std::string_view("journal_size_limit"), std::string_view("locking_mode"),       std::string_view("mmap_size"),
    std::string_view("page_count"),         std::string_view("page_size"),          std::string_view("query_only"),
    std::string_view("quick_check"),        std::string_view("synchronous"),        std::string_view("temp_store"),
    std::string_view("user_version"),       std::string_view("wal_autocheckpoint"), std::string_view("wal_checkpoint"),
    std::string_view("optimize"),           std::string_view("analysis_limit")};

bool IsKnownPragma(const char* name) {
  return name != nullptr && std::find(kPragmas.begin(), kPragmas.end(), std::string_view(name)) != kPragmas.end();
}

}  // namespace

int Authorize(void* /*unused*/, int action, const char* first, const char* second, const char* /*database*/,
              const char* /*trigger*/) {
  switch (action) {
    case SQLITE_ATTACH:
    case SQLITE_DETACH:
    case SQLITE_CREATE_TRIGGER:
    case SQLITE_CREATE_TEMP_INDEX:
    case SQLITE_CREATE_TEMP_TABLE:
    case SQLITE_CREATE_TEMP_TRIGGER:
    case SQLITE_CREATE_TEMP_VIEW:
    case SQLITE_CREATE_VTABLE:
    case SQLITE_DROP_VTABLE: return SQLITE_DENY;
    case SQLITE_PRAGMA: return IsKnownPragma(first) ? SQLITE_OK : SQLITE_DENY;
    case SQLITE_FUNCTION:
      return second != nullptr && std::string_view(second) == "load_extension" ? SQLITE_DENY : SQLITE_OK;
    default: return SQLITE_OK;
  }
}

}  // namespace hypha
