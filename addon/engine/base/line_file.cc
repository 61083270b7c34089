#include "base/line_file.h"

#include <algorithm>

#include "base/crc32c.h"

namespace hypha {
namespace {

constexpr std::size_t kBufferBytes = 64U << 10;
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

bool IsBlank(std::string_view line) { return line.find_first_not_of(" \t\r") == std::string_view::npos; }

}  // namespace

void LineTotals::Add(std::string_view line) {
  ++lines;
  bytes += static_cast<std::int64_t>(line.size()) + 1;
  crc = Crc32c("\n", Crc32c(line, crc));
}

bool LineReader::Fill() {
  if (at_end_) return false;
  // What was given goes; what is left of it moves to the front.
  buffer_.erase(0, at_);
  searched_ -= at_;
  at_ = 0;
  const std::size_t had = buffer_.size();
  if (had > kMaxLineBytes) {
    status_ = {Code::kTooLarge, "a line is longer than " + std::to_string(kMaxLineBytes) + " bytes"};
    return false;
  }
  const std::size_t more = std::max(kBufferBytes, had);  // so that a long line is not moved again and again
  buffer_.resize(had + more);
  auto got = ReadSome(file_, path_, buffer_.data() + had, more);
  if (!got.ok()) status_ = got.status();
  buffer_.resize(had + (got.ok() ? got.value() : 0));
  at_end_ = !got.ok() || got.value() == 0;
  if (number_ == 0 && had == 0 && std::string_view(buffer_).starts_with(kByteOrderMark)) {
    at_ = searched_ = kByteOrderMark.size();
  }
  return status_.ok() && !at_end_;
}

bool LineReader::TakeRaw(std::string_view* raw) {
  for (;;) {
    const std::size_t end = buffer_.find('\n', searched_);
    if (end != std::string::npos) {
      *raw = std::string_view(buffer_).substr(at_, end - at_);
      at_ = searched_ = end + 1;
      return true;
    }
    searched_ = buffer_.size();
    if (Fill()) continue;
    if (!status_.ok() || at_ == buffer_.size()) return false;
    *raw = std::string_view(buffer_).substr(at_);
    at_ = searched_ = buffer_.size();
    return true;
  }
}

bool LineReader::Next(std::string_view* line) {
  if (has_line_) before_.Add(line_);  // while the buffer still holds it
  has_line_ = false;
  while (TakeRaw(&line_)) {
    ++number_;
    if (IsBlank(line_)) continue;
    if (line_.back() == '\r') line_.remove_suffix(1);
    has_line_ = true;
    *line = line_;
    return true;
  }
  if (!status_.ok()) ++number_;
  return false;
}

Status LineWriter::Append(std::string_view line) {
  if (!status_.ok()) return status_;
  totals_.Add(line);
  buffer_.append(line);
  buffer_.push_back('\n');
  return buffer_.size() < kBufferBytes ? Status::Ok() : Flush();
}

Status LineWriter::Flush() {
  if (status_.ok()) status_ = WriteAll(file_, path_, buffer_);
  buffer_.clear();
  return status_;
}

Status LineWriter::Finish() {
  Status status = Flush();
  return status.ok() ? SyncFile(file_, path_) : status;
}

}  // namespace hypha
