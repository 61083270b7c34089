// Makes copies of a store of every kind while others write to it: backups, restores of them, exports in both forms, and
// imports. What it asked for and was told is in the ledger.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "hypha/bundle.h"
#include "hypha/engine.h"
#include "hypha/hooks.h"
#include "support/ledger.h"
#include "support/random.h"
#include "support/units.h"

namespace hypha::reliability {

// Where the copy of that kind of a database is, beside it.
std::string TargetOf(CopyKind kind, const std::string& database);
const char* NameOf(CopyKind kind);

// The namespace of generations, and whether all its entries in `content` have one number; 0 for none of them.
inline constexpr char kGenerations[] = "g";
Result<std::uint64_t> GenerationOf(const Content& content);

class Copier {
 public:
  Copier(std::string database, Ledger& ledger, const Hooks& hooks)
      : database_(std::move(database)), ledger_(ledger), hooks_(hooks) {}

  // One copy of each kind, or of some. What must not be is an anomaly in the ledger.
  void Run(Engine& engine, Random& random, bool all);

 private:
  // `since`: of the copy that this one is made from.
  bool Make(CopyKind kind, const std::function<Status()>& work, const Since* since = nullptr);
  void CheckFolder(CopyKind kind);
  void Anomaly(CopyKind kind, const std::string& what);
  Status Export(Engine& engine, const std::string& path, BundleForm form, std::int64_t part_rows,
                const std::vector<std::string>& namespaces);
  bool Step(std::uint64_t number, const std::function<Told()>& work);
  bool WriteGeneration(Engine& engine, std::uint64_t number);
  void ExportAndImport(Engine& engine, Random& random);

  const std::string database_;
  Ledger& ledger_;
  const Hooks& hooks_;
  std::size_t steps_ = 0;
};

}  // namespace hypha::reliability
