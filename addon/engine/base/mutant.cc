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

#ifdef HYPHA_MUTANTS
// Called by the SQLite that cmake/Sqlite.cmake makes for this build.
extern "C" int hypha_forgets_log_reset() { return hypha::Mutated(hypha::Mutant::kForgetLogReset) ? 1 : 0; }
#endif
