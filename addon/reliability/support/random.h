// A small generator whose whole state is one number: any part of a random run can be made again from its seed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace hypha::reliability {

class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  // For the part number (a, b) of the run `seed`.
  Random(std::uint64_t seed, std::uint64_t a, std::uint64_t b = 0) : state_(seed) {
    state_ = Next() ^ (a * 0x9E3779B97F4A7C15ULL);
    state_ = Next() ^ (b * 0xC2B2AE3D27D4EB4FULL);
    Next();
  }
  std::uint64_t Next() {
    std::uint64_t z = (state_ += 0x9E3779B97F4A7C15ULL);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
    return z ^ (z >> 31);
  }
  // 0 .. bound - 1
  std::uint64_t Below(std::uint64_t bound) { return bound == 0 ? 0 : Next() % bound; }
  bool OneIn(std::uint64_t n) { return Below(n) == 0; }
  template <class T>
  void Shuffle(std::vector<T>* items) {
    for (std::size_t i = items->size(); i > 1; --i) std::swap((*items)[i - 1], (*items)[Below(i)]);
  }

 private:
  std::uint64_t state_;
};

}  // namespace hypha::reliability
