// A folder of the real file system in which copies are made over a store that is there, and the judgement of what a
// copy that failed has left.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "hypha/status.h"
#include "support/process.h"
#include "support/sim_disk.h"
#include "support/units.h"

namespace hypha::reliability {

class CopyFolder {
 public:
  // Makes what the Lay... functions put there. REQUIRES: nothing is open on the simulated disk, which is mounted anew.
  static void Prepare();

  std::string target() const { return folder_.File("target.db"); }
  std::string source() const { return folder_.File("source.db"); }

  // A store with a hot log, nothing of which is in any other.
  void LayTarget();
  // A store that is closed, to restore from.
  void LaySource();
  static const Content& source_content();

  // OK, or what is wrong: the target is whole, and holds what `is_copy` accepts or, if no copy was acknowledged, what
  // it held at first; the source has its bytes; nothing else is left, but for temporary files where `may_leave`. Opens
  // the target.
  Status Judge(bool acked, bool may_leave, const std::function<Status(const Content& found)>& is_copy) const;

 private:
  Folder folder_;
  bool has_source_ = false;
};

// What a database holds; it is brought to the latest schema.
Result<Content> ContentOf(const std::string& path, const Hooks& hooks, bool check_structure);

}  // namespace hypha::reliability
