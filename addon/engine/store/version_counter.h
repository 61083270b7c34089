// The store-wide version counter. Versions rise in commit order and never repeat, across processes and crashes.
#pragma once

#include <cstdint>

#include "store/kv_statements.h"

namespace hypha {

// Versions are taken from blocks. The end of the newest block is the row `version_mark`, written in the transaction
// that takes the block; a process that saw another's commit starts a new block from the mark. Gaps are normal.
class VersionCounter {
 public:
  static constexpr std::int64_t kBlock = 10'000;

  explicit VersionCounter(KvStatements& statements) : statements_(statements) {}

  // REQUIRES: inside a write transaction.
  Result<std::int64_t> Next();
  // Makes sure that Next() will give nothing as low as `version`, which comes from elsewhere.
  Status Reserve(std::int64_t version);
  // The rest of the block may not be used: another process has committed, or the block itself was rolled back.
  void Forget() { next_ = end_ = reserved_ = 0; }

 private:
  Status TakeBlock();
  Result<std::int64_t> Mark();
  Status SetMark(std::int64_t mark);

  KvStatements& statements_;
  std::int64_t next_ = 0;
  std::int64_t end_ = 0;
  std::int64_t reserved_ = 0;  // the mark is at least this
};

}  // namespace hypha
