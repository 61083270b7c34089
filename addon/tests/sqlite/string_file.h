// A file in memory below the layers of the VFS that look at the log.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "sqlite3.h"

namespace hypha {

// A file that is a string, and remembers what was asked of it.
struct StringFile {
  sqlite3_file handle;  // first: found by its address
  std::string bytes;
  std::vector<std::pair<sqlite3_int64, int>> writes;
  int reads = 0;
  int fail_with = SQLITE_OK;        // writes
  int fail_reads_with = SQLITE_OK;  // of more than a page

  StringFile() : handle{&kMethods} {}

  static StringFile* Of(sqlite3_file* file) { return reinterpret_cast<StringFile*>(file); }
  static int Write(sqlite3_file* file, const void* data, int count, sqlite3_int64 offset) {
    StringFile* self = Of(file);
    self->writes.emplace_back(offset, count);
    if (self->fail_with != SQLITE_OK) return self->fail_with;
    const auto end = static_cast<std::size_t>(offset + count);
    if (self->bytes.size() < end) self->bytes.resize(end);
    self->bytes.replace(static_cast<std::size_t>(offset), static_cast<std::size_t>(count),
                        static_cast<const char*>(data), static_cast<std::size_t>(count));
    return SQLITE_OK;
  }
  static int Read(sqlite3_file* file, void* out, int count, sqlite3_int64 offset) {
    StringFile* self = Of(file);
    ++self->reads;
    if (self->fail_reads_with != SQLITE_OK && count > 4096) return self->fail_reads_with;
    const std::string part = self->bytes.substr(static_cast<std::size_t>(offset), static_cast<std::size_t>(count));
    part.copy(static_cast<char*>(out), part.size());
    return static_cast<int>(part.size()) == count ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
  }
  static int Size(sqlite3_file* file, sqlite3_int64* size) {
    *size = static_cast<sqlite3_int64>(Of(file)->bytes.size());
    return SQLITE_OK;
  }
  static const sqlite3_io_methods kMethods;
};

inline constexpr sqlite3_io_methods MakeMethods() {
  sqlite3_io_methods methods{};
  methods.iVersion = 1;
  methods.xRead = StringFile::Read;
  methods.xWrite = StringFile::Write;
  methods.xFileSize = StringFile::Size;
  return methods;
}
inline const sqlite3_io_methods StringFile::kMethods = MakeMethods();

}  // namespace hypha
