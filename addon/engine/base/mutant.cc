#include "base/mutant.h"

#include <cstdlib>

namespace hypha {

#ifdef HYPHA_MUTANTS
bool Mutated(Mutant mutant) {
  static const int active = [] {
    const char* text = std::getenv("HYPHA_MUTANT");
    return text == nullptr ? 0 : std::atoi(text);
  }();
  return static_cast<int>(mutant) == active;
}
#endif

}  // namespace hypha
