// Values that one connection has read and that cannot have changed since.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/mutant.h"

namespace hypha {

// Thread: that of the connection. Everything in it is of one state of the file, told by the data version of each
// snapshot: after any commit, of whoever, nothing of it is used. It fills only while snapshots find the file unchanged,
// and rests for a while when it was filled without being of use.
class ValueCache {
 public:
  static constexpr std::size_t kMaxBytes = 8U << 20;  // with what the entries cost beside their text
  static constexpr std::size_t kMaxValueBytes = 4096;
  static constexpr std::int64_t kRest = 100'000;  // values not kept after a useless filling

  // Call at the start of each snapshot, with the version that it sees.
  void OnSnapshot(unsigned data_version) {
    settled_ = data_version == version_;
    version_ = data_version;
  }

  // The value's text, or null. Valid until the next Put().
  const std::string* Find(std::int64_t ns_id, std::string_view key) {
    if (entries_.empty()) return nullptr;
    const auto found = entries_.find(View{ns_id, key});
    if (found == entries_.end() || (found->second.version != version_ && !Mutated(Mutant::kStaleValueCache)))
      return nullptr;
    ++hits_;
    return &found->second.text;
  }

  void Put(std::int64_t ns_id, std::string_view key, std::string_view text) {
    if (!settled_ || text.size() > kMaxValueBytes) return;
    if (rest_ > 0) {
      --rest_;
      return;
    }
    constexpr std::size_t kOverhead = 128;
    if (bytes_ + key.size() + text.size() + kOverhead > kMaxBytes) StartOver();
    const auto [entry, added] = entries_.try_emplace(Key{ns_id, std::string(key)});
    bytes_ += text.size() + (added ? key.size() + kOverhead : 0) - (added ? 0 : entry->second.text.size());
    entry->second.text.assign(text);
    entry->second.version = version_;
  }

  std::size_t bytes() const { return bytes_; }

 private:
  struct View {
    std::int64_t ns_id;
    std::string_view key;
  };
  struct Key {
    std::int64_t ns_id;
    std::string key;
    operator View() const { return {ns_id, key}; }  // NOLINT(google-explicit-constructor)
  };
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(const View& view) const {
      return std::hash<std::string_view>{}(view.key) ^ (static_cast<std::size_t>(view.ns_id) * 0x9E3779B97F4A7C15ULL);
    }
  };
  struct Equal {
    using is_transparent = void;
    bool operator()(const View& a, const View& b) const { return a.ns_id == b.ns_id && a.key == b.key; }
  };
  struct Entry {
    std::string text;
    unsigned version = 0;
  };

  void StartOver() {
    if (hits_ < static_cast<std::int64_t>(entries_.size()) / 2) rest_ = kRest;
    entries_.clear();
    bytes_ = 0;
    hits_ = 0;
  }

  std::unordered_map<Key, Entry, Hash, Equal> entries_;
  std::size_t bytes_ = 0;
  std::int64_t hits_ = 0;
  std::int64_t rest_ = 0;
  unsigned version_ = 0;
  bool settled_ = false;
};

}  // namespace hypha
