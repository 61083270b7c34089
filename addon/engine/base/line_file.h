// Files of lines with a running CRC-32C: what bundles are made of.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "base/file_io.h"
#include "hypha/status.h"

namespace hypha {

// What a file of lines comes to, told in normal form: every line ends with one '\n', whatever ended it in the file.
struct LineTotals {
  std::int64_t lines = 0;
  std::int64_t bytes = 0;
  std::uint32_t crc = 0;
  bool operator==(const LineTotals&) const = default;

  void Add(std::string_view line);
};

// Reads lines that end with "\n" or "\r\n", the last one perhaps with neither. Lines of nothing but white space are
// skipped and not counted in the totals; a byte order mark at the start of the file is skipped as well.
class LineReader {
 public:
  // Longer lines are kTooLarge.
  static constexpr std::size_t kMaxLineBytes = 256U << 20;

  LineReader(FileHandle file, std::string path) : file_(std::move(file)), path_(std::move(path)) {}

  // The next line without its end, valid until the next call. False at the end of the file, or when status() says why.
  bool Next(std::string_view* line);
  // The number of the line Next() gave, from 1, counting those it skipped.
  std::int64_t number() const { return number_; }
  // Over the lines given before the last one.
  const LineTotals& totals_before() const { return before_; }
  // Over all lines given.
  LineTotals totals() const {
    LineTotals totals = before_;
    if (has_line_) totals.Add(line_);
    return totals;
  }
  const Status& status() const { return status_; }

 private:
  bool TakeRaw(std::string_view* raw);
  bool Fill();

  FileHandle file_;
  std::string path_;
  std::string buffer_;
  std::size_t at_ = 0;        // of buffer_, what was not yet given
  std::size_t searched_ = 0;  // no line end before here
  bool at_end_ = false;
  bool has_line_ = false;
  std::string_view line_;
  std::int64_t number_ = 0;
  LineTotals before_;
  Status status_;
};

// Writes lines to a new file. After the first failure it does nothing.
class LineWriter {
 public:
  LineWriter(FileHandle file, std::string path) : file_(std::move(file)), path_(std::move(path)) {}

  // Appends the line and a '\n'. REQUIRES: no '\n' in it.
  Status Append(std::string_view line);
  // Writes and syncs what is left. REQUIRES: nothing is appended afterwards.
  Status Finish();
  const LineTotals& totals() const { return totals_; }

 private:
  Status Flush();

  FileHandle file_;
  std::string path_;
  std::string buffer_;
  LineTotals totals_;
  Status status_;
};

}  // namespace hypha
