// Bundles in a folder of the real file system: what is there before a workload, and the judgement of what an export or
// import that failed has left.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "hypha/bundle.h"
#include "hypha/status.h"
#include "support/process.h"
#include "support/units.h"

namespace hypha::reliability {

// All entries of a bundle, which is read and checked as a whole.
Result<Content> ContentOfBundle(const std::string& path);

class BundleFolder {
 public:
  // Makes what is laid there.
  static void Prepare();

  // An older bundle of each form, to be replaced.
  void LayTargets();
  std::string target(BundleForm form) const;
  // A bundle to import, and what it does: one request that sets entries.
  void LaySource();
  std::string source() const { return folder_.File("source"); }
  static const Unit& SourceUnit();

  // OK, or what is wrong: the target is whole, and holds what `is_export` accepts or, if no export was acknowledged,
  // what it held at first.
  Status JudgeTarget(BundleForm form, bool acked, const std::function<Status(const Content& found)>& is_export) const;
  // Nothing else is left, and the source has its bytes.
  Status JudgeFolder() const;

 private:
  void Lay(const std::vector<std::string>& bundles) const;

  Folder folder_;
  bool has_targets_ = false;
  bool has_source_ = false;
};

}  // namespace hypha::reliability
