// A folder of its own for each test, on a real file system.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <string>

namespace hypha::test {

class TempDir {
 public:
  TempDir() {
    std::string pattern = ::testing::TempDir() + "hypha-XXXXXX";
    path_ = std::filesystem::canonical(::mkdtemp(pattern.data())).string();
  }
  ~TempDir() { std::filesystem::remove_all(path_); }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  const std::string& path() const { return path_; }
  std::string File(const std::string& name = "a.db") const { return path_ + "/" + name; }
  bool Has(const std::string& name) const {
    return std::filesystem::exists(std::filesystem::symlink_status(File(name)));
  }

 private:
  std::string path_;
};

}  // namespace hypha::test
