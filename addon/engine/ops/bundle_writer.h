// Writes a bundle under a temporary name and puts it in place at once.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/claim.h"
#include "base/line_file.h"
#include "hypha/bundle.h"
#include "hypha/hooks.h"
#include "ops/bundle_format.h"

namespace hypha {

// Whether the path leads to a file that SQLite has open in this process: such a file may not be opened by us.
using IsDatabase = std::function<bool(const std::string& path)>;

class BundleWriter {
 public:
  // Checks the target and makes the temporary file or directory beside it. kExists when the target's name is taken,
  // unless a bundle has it and may be replaced.
  static Result<std::unique_ptr<BundleWriter>> Create(const ExportSpec& spec, const Hooks& hooks,
                                                      const IsDatabase& is_database);
  // Removes what was not put in place.
  ~BundleWriter();
  BundleWriter(const BundleWriter&) = delete;
  BundleWriter& operator=(const BundleWriter&) = delete;

  Status Append(std::string_view line);
  // Syncs everything and gives it the target's name.
  Status Finish();
  std::int64_t created_at() const { return manifest_.created_at; }
  std::int64_t parts() const { return static_cast<std::int64_t>(manifest_.parts.size()); }

 private:
  BundleWriter(const ExportSpec& spec, const Hooks& hooks);

  Status CheckTarget(const IsDatabase& is_database);
  Status MakeTemporary();
  Status Make(const std::string& name);
  Status StartPart();
  Status FinishPart();
  Status WriteManifest();
  Status PutInPlace();
  Status Replace();
  Status CheckReplaced();
  bool IsFile() const { return spec_.form == BundleForm::kFile; }
  std::string PathOf(std::string_view name) const {
    return IsFile() ? temporary_ : temporary_ + "/" + std::string(name);
  }

  ExportSpec spec_;
  const Hooks& hooks_;
  std::string temporary_;  // empty once it is no more
  Claim claim_;
  bool replaces_ = false;
  bool cut_short_ = false;  // an earlier export to this target was
  std::optional<LineWriter> part_;
  bundle::Manifest manifest_;
};

// Where to read a bundle of the given name: beside it if a replacement was cut short where the file system cannot
// exchange two names.
std::string FindBundle(const std::string& given);

}  // namespace hypha
