// hypha_reliability ROLE [--flag value]...: the programme of docs/reliability.md on the engine. `npm run reliability`
// calls it with the sizes of each gate.
#include <cstdio>
#include <cstring>

#include "roles.h"

namespace {

struct Role {
  const char* name;
  int (*run)(const hypha::reliability::Flags&);
};

constexpr Role kRoles[] = {
    {"kill", &hypha::reliability::KillGate},
    {"faults", &hypha::reliability::FaultSweep},
    {"power", &hypha::reliability::PowerLoss},
    {"malformed", &hypha::reliability::Malformed},
    {"full-disk", &hypha::reliability::FullDisk},
    {"log-reset", &hypha::reliability::LogReset},
    {"log-reset-writer", &hypha::reliability::LogResetWriter},
    {"kill-writer", &hypha::reliability::KillWriter},
    {"kill-bystander", &hypha::reliability::KillBystander},
    {"kill-opener", &hypha::reliability::KillOpener},
};

}  // namespace

int main(int argc, char** argv) {
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  for (const auto& role : kRoles) {
    if (argc > 1 && std::strcmp(argv[1], role.name) == 0) return role.run(hypha::reliability::Flags(argc, argv));
  }
  std::fprintf(stderr, "usage: hypha_reliability ROLE [--seed S] [--runs N]; roles:");
  for (const auto& role : kRoles) std::fprintf(stderr, " %s", role.name);
  std::fprintf(stderr, "\n");
  return 2;
}
