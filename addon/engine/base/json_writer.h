// Appends JSON to strings, and cuts long arrays into chunks.
#pragma once

#include <string>
#include <string_view>

#include "hypha/types.h"

namespace hypha {

// Appends `text` (UTF-8) as a JSON string.
void AppendJsonString(std::string& out, std::string_view text);
// The same of a text that may be anything; false when it is not UTF-8.
[[nodiscard]] bool AppendJsonText(std::string& out, std::string_view text);

// Builds JsonChunks: each chunk is the text of one JSON array. Elements are appended to Element() after Open().
class ChunkWriter {
 public:
  // The string to append one element's JSON text to.
  std::string& Element() {
    if (current_.empty()) {
      current_.reserve(kChunkBytes + kChunkBytes / 8);
      current_.push_back('[');
    } else {
      current_.push_back(',');
    }
    return current_;
  }
  // Call after each element. Returns the bytes written so far.
  std::size_t Close() {
    const std::size_t total = done_ + current_.size();
    if (current_.size() >= kChunkBytes) Cut();
    return total;
  }
  JsonChunks Take() {
    if (!current_.empty()) Cut();
    return std::move(chunks_);
  }

 private:
  void Cut() {
    current_.push_back(']');
    done_ += current_.size();
    chunks_.push_back(std::move(current_));
    current_.clear();
  }

  JsonChunks chunks_;
  std::string current_;
  std::size_t done_ = 0;
};

}  // namespace hypha
