// Whether a store's file is as HyphaDB left it.
#pragma once

#include <string>
#include <vector>

#include "ops/content.h"
#include "sqlite/connection.h"

namespace hypha {

struct Verification {
  static constexpr std::size_t kMaxProblems = 100;

  std::vector<Problem> problems;  // the first kMaxProblems
  Content content;                // of a full verification that could read everything
};

enum class VerifyLevel : std::uint8_t {
  kQuick,      // the structure of tables and indexes, and the schema
  kIntegrity,  // and whether every index holds what its table does
  kFull,       // and whether every entry has its checksum
};

// Fails only when the question cannot be answered; damage is an answer.
// REQUIRES: the caller has opened the snapshot it wants.
Result<Verification> Verify(Connection& db, VerifyLevel level);

// {ok, problems: [{kind, message, namespace?, key?}]}
std::string VerificationJson(const Verification& verification);

}  // namespace hypha
