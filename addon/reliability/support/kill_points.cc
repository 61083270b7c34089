#include "support/kill_points.h"

#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace hypha::reliability {
namespace {

constexpr const char* kPoints[] = {
    "before-begin", "after-begin", "before-operation", "after-operation", "inside-request", "after-savepoint",
    "before-release", "after-release", "before-commit", "after-commit", "before-answer", "after-answer",
    "before-rollback", "after-rollback", "transaction-step", "before-inline-write", "before-checkpoint",
    "after-checkpoint", "migration-step", "migration-step-done", "before-plain-commit", "after-plain-commit",
    "copy-created", "copy-written", "copy-checked", "copy-renamed", "writer-opened", "before-close", "readers-closed",
    "log-emptied", "closed",
    // The disk's.
    "before-log-write", "after-log-write", "half-log-write", "before-log-sync", "after-log-sync", "before-log-truncate",
    "after-log-truncate", "before-database-write", "after-database-write", "half-database-write",
    "before-database-sync", "after-database-sync", "before-other-write", "after-other-write", "before-other-sync",
    "after-other-sync", "before-delete", "after-delete", "before-shm-map", "after-shm-map"};

// Inside backup, restore, export and import, some of them in calls of theirs that go past SQLite.
constexpr const char* kCopyPoints[] = {
    "backup-step",         "backup-copied",        "backup-written",     "backup-verified",      "before-publish",
    "before-rename",       "after-publish",        "bundle-before-swap", "bundle-between-names", "bundle-after-swap",
    "import-read-through", "import-before-commit", "before-plain-sync",  "after-plain-sync",     "before-renaming",
    "after-renaming",      "before-unlink",        "after-unlink"};

const char* FileName(FileKind kind) {
  switch (kind) {
    case FileKind::kDatabase: return "database";
    case FileKind::kLog: return "log";
    case FileKind::kOther: break;
  }
  return "other";
}

// "log-write", "delete": without before- or after-.
std::string NameOfCall(const VfsCall& call) {
  switch (call.method) {
    case Method::kWrite:
    case Method::kSync:
    case Method::kTruncate: return std::string(FileName(call.file)) + "-" + NameOf(call.method);
    case Method::kDelete:
    case Method::kShmMap:
    case Method::kUnlink: return NameOf(call.method);
    case Method::kFsync: return "plain-sync";
    case Method::kRename: return "renaming";
    default: return "";
  }
}

}  // namespace

std::span<const char* const> KillPoints() { return kPoints; }
std::span<const char* const> CopyKillPoints() { return kCopyPoints; }

void KillSwitch::Reach(const char* point) {
  if (name_ == point && left_.fetch_sub(1) == 1) ::kill(::getpid(), SIGKILL);
}

int KillSwitch::Before(const VfsCall& call, int* landed) {
  // Only where two names cannot be exchanged is there a moment between them.
  if (call.method == Method::kRename && call.offset == RENAME_EXCHANGE && name_ == "bundle-between-names")
    return EINVAL;
  const std::string name = NameOfCall(call);
  if (name.empty()) return SQLITE_OK;
  if (name_ == "half-" + name && left_.fetch_sub(1) == 1) {
    *landed = call.bytes / 2;
    half_done_ = true;
    return SQLITE_IOERR_WRITE;
  }
  Reach(("before-" + name).c_str());
  return SQLITE_OK;
}

void KillSwitch::After(const VfsCall& call) {
  if (half_done_) ::kill(::getpid(), SIGKILL);
  const std::string name = NameOfCall(call);
  if (!name.empty()) Reach(("after-" + name).c_str());
}

Hooks KillSwitch::AsHooks() {
  Hooks hooks;
  hooks.reached = [this](const char* point) { Reach(point); };
  return hooks;
}

}  // namespace hypha::reliability
