// A copy of a store's file that has been read back before anybody sees it.
#pragma once

#include <string>

#include "hypha/backup.h"
#include "hypha/hooks.h"
#include "hypha/status.h"
#include "ops/disk_pace.h"
#include "ops/target_file.h"
#include "sqlite/connection.h"

namespace hypha {

// What a copy is made for: a backup carries a manifest in hypha_meta, a restored store none.
enum class CopyPurpose : std::uint8_t { kBackup, kRestore };

// Copies one snapshot of `source` into the target's temporary file and reads the copy back: structure, counts, the
// checksum of every entry, and the content hash, which a manifest in the source must agree with. The log is pinned
// while pages are copied, and no longer. kCorrupt when anything is damaged, kAborted, kFull, kIo. REQUIRES: `source`
// has no open transaction. Blocks.
Result<BackupReport> CopyVerified(Connection& source, TargetFile& target, CopyPurpose purpose, DiskPace pace,
                                  const CopyControl& control, const Hooks& hooks);

// A store that is opened for writing is no backup any more.
Status ForgetManifest(Connection& db);

// Makes place for a database file of that name: brings the log of the one that is there home, and removes what logs are
// left. kBusy when somebody has it open. REQUIRES: nobody in this process does.
Status ClearTheWay(const std::string& path);

}  // namespace hypha
