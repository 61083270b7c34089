// What a part of the programme found wrong: told as it comes, counted at the end.
#pragma once

#include <cstddef>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "support/flags.h"

namespace hypha::reliability {

class Problems {
 public:
  // With --stop-at-first one problem is enough: the hunt for a seeded bug ends there.
  Problems(std::string part, const Flags& flags) : part_(std::move(part)), stop_at_first_(flags.Has("stop-at-first")) {}

  void Add(const std::string& what) {
    if (++count_ <= kShown) std::fprintf(stderr, "%s: problem: %s\n", part_.c_str(), what.c_str());
  }
  bool enough() const { return stop_at_first_ && count_ > 0; }

  // The exit code of the part.
  int Finish() const {
    std::printf("%s: %zu problems%s\n", part_.c_str(), count_, enough() ? ", stopped at the first" : "");
    return count_ == 0 ? 0 : 1;
  }

 private:
  static constexpr std::size_t kShown = 20;

  const std::string part_;
  const bool stop_at_first_;
  std::size_t count_ = 0;
};

}  // namespace hypha::reliability
