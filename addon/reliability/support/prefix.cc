#include "support/prefix.h"

namespace hypha::reliability {

PrefixMatch FindPrefix(const ClientRun& run, std::uint64_t certain, const Content& found) {
  PrefixMatch match;
  Content expected = run.start;
  for (std::uint64_t unit = 0; unit <= run.asked; ++unit) {
    if (unit >= certain) {
      const std::string here = Difference(expected, found);
      match.matches = here.empty();
      match.units = unit;
      if (match.difference.empty()) match.difference = here;
    }
    if (match.matches || unit == run.asked) break;
    if (run.ledger.Asked(run.client, unit) == Told::kFailed) continue;
    ApplyUnit(MakeUnit(run.seed, run.client, run.first + unit), &expected);
  }
  if (!match.matches) {
    match.difference =
        "after " + std::to_string(certain) + " of " + std::to_string(run.asked) + ": " + match.difference;
  }
  return match;
}

Content ContentOfClient(const Content& all, int client) {
  Content found;
  for (const char letter : {'a', 'b', 't'}) {
    const std::string ns = NamespaceOf(letter, client);
    for (auto at = all.lower_bound({ns, ""}); at != all.end() && at->first.first == ns; ++at) found.insert(*at);
  }
  return found;
}

}  // namespace hypha::reliability
