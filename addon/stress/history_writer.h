// Writes down what clients saw, as lines of JSON that scripts/stress/checker/history.js describes.
#pragma once

#include <cstdint>
#include <cstdio>
#include <mutex>
#include <string>
#include <vector>

namespace hypha::stress {

// Nanoseconds of CLOCK_MONOTONIC, which all processes of a host share.
std::int64_t Now();

enum class Outcome : std::uint8_t { kOk, kFail, kUnknown };

// One read of a list, as its JSON text, or one append to it.
struct Micro {
  bool is_read = true;
  std::string key;
  std::string list;
  std::int64_t value = 0;
};

// One file for all threads. Lines are gathered by each writer and written in large pieces.
class HistoryFile {
 public:
  explicit HistoryFile(const std::string& path) : file_(std::fopen(path.c_str(), "w")) {}
  ~HistoryFile() {
    if (file_ != nullptr) std::fclose(file_);
  }
  HistoryFile(const HistoryFile&) = delete;
  HistoryFile& operator=(const HistoryFile&) = delete;
  bool ok() const { return file_ != nullptr; }
  void Append(const std::string& text) {
    const std::lock_guard<std::mutex> lock(mutex_);
    std::fwrite(text.data(), 1, text.size(), file_);
  }

 private:
  std::mutex mutex_;
  std::FILE* file_;
};

class HistoryWriter {
 public:
  HistoryWriter(HistoryFile& file, std::string client) : file_(file), client_(std::move(client)) {}
  ~HistoryWriter() { file_.Append(lines_); }
  HistoryWriter(const HistoryWriter&) = delete;
  HistoryWriter& operator=(const HistoryWriter&) = delete;

  void Transaction(Outcome outcome, std::int64_t start, const std::vector<Micro>& ops);
  // `what` is JSON text.
  void Model(const char* model, Outcome outcome, const std::string& what);
  void Summary(const std::string& members);

 private:
  void Line(const std::string& members);

  HistoryFile& file_;
  std::string client_;
  std::string lines_;
};

}  // namespace hypha::stress
