// Seeded bugs: one line each in the engine, there only when the build says HYPHA_MUTANTS (the preset "mutants"). The
// reliability programme must notice every one of them; docs/reliability.md lists which gate does.
#pragma once

namespace hypha {

// The environment variable HYPHA_MUTANT names the one that is active by its number. Append only.
enum class Mutant : int {
  kNone,
  kAckBeforeCommit,
  kSkipLogSync,
  kSkipDatabaseSync,
  kNoSavepoint,
  kIgnoreAutocommit,
  kFailedSyncIsDefinite,
  kFailedCommitIsOk,
  kCheckpointAtWeakLevel,
  kKeepNamespaceCache,
  kKeepVersionBlock,
  kIgnoreOtherProcesses,
  kCommitInsideRequest,
  kCommitBetweenMigrationSteps,
  kCopyUnderFinalName,
  kKeepSnapshotAfterCommit,
  kStaleValueCache,
  kDelayEveryHeader,
  kSyncWithoutHeader,
  kGroupFailureToFirstOnly,
  kRunGroupTwice,
  kNoMemoryIsOk,
  kClearEverything,
  kSchemaNotVerified,
  kNoDefensiveFlags,
  kAcceptHardLinks,
  kWriteAfterStop,
  kDropQueueAtClose,
  kRollbackToKeepsCache,
  kRetryFailedSync,
  kTransactionEndUnheeded,
  kIgnoreConflicts,
  kOffIsOff,
  kSkipChecksum,
  kNormalForFull,
  kForgetLogReset,
  kSkipPeriodicSync,
  kKeepAbandoned,
  kRemoveBeforeRename,
  kCount
};

#ifdef HYPHA_MUTANTS
bool Mutated(Mutant mutant);
#else
constexpr bool Mutated(Mutant /*mutant*/) { return false; }
#endif

}  // namespace hypha
