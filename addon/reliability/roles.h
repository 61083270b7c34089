// The roles of this program. Each returns its exit code: 0 for a passed gate, 1 for a failed one, 2 for a misuse.
#pragma once

#include "support/flags.h"

namespace hypha::reliability {

int KillGate(const Flags& flags);        // --runs N --points N --seed S
int KillWriter(const Flags& flags);      // the process that is killed
int FaultSweep(const Flags& flags);      // --runs N --seed S [--replay CASE]
int PowerLoss(const Flags& flags);       // --runs N --seed S [--replay CASE]
int Malformed(const Flags& flags);       // --runs N (bits; 10 % more of other damage) --seed S
int FullDisk(const Flags& flags);        // --runs N --seed S [--allow-no-mount]
int LogReset(const Flags& flags);        // --runs N (rounds) --seed S
int LogResetWriter(const Flags& flags);  // the other process that writes
int KillBystander(const Flags& flags);   // reads all the time
int KillOpener(const Flags& flags);      // opens and closes all the time

}  // namespace hypha::reliability
