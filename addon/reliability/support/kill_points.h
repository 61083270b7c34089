// The named places at which the whitebox runs kill a process: the engine's own (Hooks::reached) and those of the calls
// that reach the disk.
#pragma once

#include <atomic>
#include <span>
#include <string>

#include "hypha/hooks.h"
#include "support/inject_vfs.h"

namespace hypha::reliability {

std::span<const char* const> KillPoints();
// Those that only a process that makes copies passes often.
std::span<const char* const> CopyKillPoints();

// Kills this process with SIGKILL when `name` is passed for the count-th time.
class KillSwitch final : public CallHook {
 public:
  KillSwitch(std::string name, int count) : name_(std::move(name)), left_(count) {}

  void Reach(const char* point);
  int Before(const VfsCall& call, int* landed) override;
  void After(const VfsCall& call) override;
  // All of these point at this switch; it must outlive them.
  Hooks AsHooks();

 private:
  const std::string name_;
  std::atomic<int> left_;
  std::atomic<bool> half_done_{false};
};

}  // namespace hypha::reliability
