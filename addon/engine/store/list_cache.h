// The key list that one connection made last, for whoever asks for the same while nobody has committed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <numeric>

#include "hypha/types.h"

namespace hypha {

// Thread: that of the connection. REQUIRES: the connection never writes; a writer's own changes do not show in the data
// version.
class ListCache {
 public:
  static constexpr std::size_t kMaxBytes = 1U << 20;  // longer lists are not kept

  // `data_version` is that of the open snapshot. Null when there is no such list of that state of the file.
  const JsonChunks* Find(unsigned data_version, std::int64_t ns_id, const ListSpec& spec) const {
    return data_version == version_ && ns_id == ns_id_ && spec == spec_ ? &keys_ : nullptr;
  }

  void Put(unsigned data_version, std::int64_t ns_id, const ListSpec& spec, const JsonChunks& keys) {
    ns_id_ = 0;  // holds nothing, also when memory runs out half-way
    const auto add = [](std::size_t sum, const std::string& chunk) { return sum + chunk.size(); };
    if (std::accumulate(keys.begin(), keys.end(), std::size_t{0}, add) > kMaxBytes) return;
    keys_ = keys;
    spec_ = spec;
    version_ = data_version;
    ns_id_ = ns_id;
  }

 private:
  JsonChunks keys_;
  ListSpec spec_;
  unsigned version_ = 0;
  std::int64_t ns_id_ = 0;
};

}  // namespace hypha
