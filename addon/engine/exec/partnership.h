// Two readers of one pool that share a scan.
#pragma once

#include <functional>

#include "exec/reader_pool.h"
#include "query/query_runner.h"

namespace hypha {

// Lends an idle reader of the pool to the one that runs `session`. The two connections see the same snapshot when the
// log has not changed from before the first one's to after the second one's was taken; else nothing is shared.
class Partnership final : public ScanPartner {
 public:
  Partnership(ReaderPool& pool, ReadSession& session) : pool_(pool), session_(session) {}

  bool Together(const std::function<void()>& mine, const std::function<void(Connection&)>& theirs) override;

 private:
  ReaderPool& pool_;
  ReadSession& session_;
};

}  // namespace hypha
