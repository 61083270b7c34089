// A copy of a store's file that has been read back before anybody sees it.
#pragma once

#include <string>

#include "hypha/backup.h"
#include "hypha/hooks.h"
#include "hypha/status.h"
#include "ops/disk_pace.h"
#include "ops/target_file.h"
#include "sqlite/connection.h"
#include "sqlite/database_handle.h"

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

// Holds the file that is to be replaced: who opens it meanwhile waits, and then finds that its name leads elsewhere.
// Null where there is none, or one too damaged to be opened.
using HeldFile = DatabaseHandle;

// Makes place for the target: brings the log of the file that is there home, and removes what logs are left. kBusy when
// somebody has it open, kCantOpen when its directory is elsewhere by now. REQUIRES: nobody in this process has it open.
// Sets `exists` to whether there is a file to be replaced.
Result<HeldFile> ClearTheWay(const TargetFile& target, bool* exists);

}  // namespace hypha
