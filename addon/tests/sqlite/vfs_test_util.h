// What the VFS tests share: a connection that reports plain SQLite codes, and a directory of its own.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "sqlite3.h"

namespace hypha {

// One connection, used by one thread at a time. No busy handler: nothing waits.
class TestDb {
 public:
  TestDb(const std::string& path, const std::string& vfs, int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE) {
    open_result_ = sqlite3_open_v2(path.c_str(), &db_, flags | SQLITE_OPEN_EXRESCODE, vfs.c_str());
  }
  ~TestDb() { Close(); }
  TestDb(const TestDb&) = delete;
  TestDb& operator=(const TestDb&) = delete;

  sqlite3* get() const { return db_; }
  int open_result() const { return open_result_; }

  int Close() {
    const int rc = sqlite3_close(db_);
    db_ = nullptr;
    return rc;
  }

  // Runs the statements; the extended result code.
  int Exec(const std::string& sql) { return sqlite3_exec(db_, sql.c_str(), nullptr, nullptr, nullptr); }

  // All values of all rows, joined by '|'; "error <code>" if it fails.
  std::string Query(const std::string& sql) {
    std::string out;
    const auto collect = [](void* to, int columns, char** values, char**) {
      auto& text = *static_cast<std::string*>(to);
      for (int i = 0; i < columns; ++i) {
        if (!text.empty()) text += '|';
        text += values[i] == nullptr ? "NULL" : values[i];
      }
      return 0;
    };
    const int rc = sqlite3_exec(db_, sql.c_str(), collect, &out, nullptr);
    return rc == SQLITE_OK ? out : "error " + std::to_string(rc);
  }

  void KeepLogOnClose() { sqlite3_db_config(db_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr); }

 private:
  sqlite3* db_ = nullptr;
  int open_result_ = SQLITE_OK;
};

class TestDirectory {
 public:
  TestDirectory() {
    std::string pattern = ::testing::TempDir() + "hypha-vfs-XXXXXX";
    path_ = ::mkdtemp(pattern.data());
  }
  ~TestDirectory() { std::filesystem::remove_all(path_); }
  TestDirectory(const TestDirectory&) = delete;
  TestDirectory& operator=(const TestDirectory&) = delete;

  std::string File(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

}  // namespace hypha
