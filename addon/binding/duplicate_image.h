// Finds a second copy of this addon in the process.
#pragma once

#include <optional>
#include <string>

namespace hypha::binding {

// The paths of two loaded copies. Two copies are two SQLites: on one file each would drop the other's locks.
struct DuplicateImage {
  std::string first;
  std::string second;
};

// Set when another copy was loaded before this one.
std::optional<DuplicateImage> FindEarlierImage();

}  // namespace hypha::binding
