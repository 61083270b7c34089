// The judgement of the copies that a killed process was making.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "support/copier.h"
#include "support/prefix.h"
#include "support/process.h"

namespace hypha::reliability {

struct CopyTotals {
  std::array<std::int64_t, kCopyKinds> made{};
  std::array<std::int64_t, kCopyKinds> cut_short{};  // deaths while one was made
  std::int64_t judged = 0;                           // copies that a process left, read back as a whole
};

// Of one database, from death to death. A copy that was acknowledged is there, whole, and holds all that was
// acknowledged before it began; where none was there is what was there before, or a whole one; and an import is all or
// nothing.
class CopyJudge {
 public:
  using Problem = std::function<void(const std::string& what)>;

  explicit CopyJudge(std::string database) : database_(std::move(database)) {}

  // `runs`: what each client did in the process that died. `content` is what the database holds.
  void Judge(const Ledger& ledger, const std::array<ClientRun, kClients>& runs, const Content& content,
             const Problem& problem, CopyTotals* totals);

 private:
  // Which file it is, and whether anybody has written to it.
  struct Identity {
    std::uint64_t file = 0;
    std::int64_t size = 0;
    std::int64_t changed_ns = 0;
    bool operator==(const Identity&) const = default;
  };
  struct Before {
    std::optional<Identity> identity;  // none: it was not there
    Content content;
  };
  std::optional<Identity> IdentityOf(CopyKind kind) const;
  void JudgeOne(CopyKind kind, const CopyRecord& record, const std::array<ClientRun, kClients>& runs,
                const Problem& problem, CopyTotals* totals);
  void JudgeGeneration(const Ledger& ledger, const Content& content, const Problem& problem);
  Result<Content> Read(CopyKind kind) const;

  const std::string database_;
  Folder scratch_;
  std::array<Before, kCopyKinds> before_;
  std::uint64_t generation_ = 0;
};

}  // namespace hypha::reliability
