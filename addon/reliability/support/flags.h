// Command-line flags of the programme: `--name value`, and bare `--name`.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <map>
#include <random>
#include <string>

namespace hypha::reliability {

class Flags {
 public:
  Flags(int argc, char** argv) {
    for (int i = 2; i < argc; ++i) {
      const std::string name = argv[i];
      const bool has_value = i + 1 < argc && std::string(argv[i + 1]).rfind("--", 0) != 0;
      values_[name] = has_value ? argv[++i] : "";
    }
  }
  bool Has(const std::string& name) const { return values_.count("--" + name) != 0; }
  std::string Text(const std::string& name, const std::string& otherwise = "") const {
    const auto found = values_.find("--" + name);
    return found == values_.end() ? otherwise : found->second;
  }
  std::int64_t Number(const std::string& name, std::int64_t otherwise) const {
    const auto found = values_.find("--" + name);
    return found == values_.end() ? otherwise : std::strtoll(found->second.c_str(), nullptr, 10);
  }
  // What --seed says, or a new one.
  std::uint64_t Seed() const {
    return Has("seed") ? std::strtoull(Text("seed").c_str(), nullptr, 10) : std::random_device()();
  }

 private:
  std::map<std::string, std::string> values_;
};

}  // namespace hypha::reliability
