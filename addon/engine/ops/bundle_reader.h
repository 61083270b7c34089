// Reads the lines of a bundle in order, of whichever form, and checks everything that can be checked without a store.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/line_file.h"
#include "hypha/bundle.h"
#include "ops/bundle_format.h"
#include "ops/bundle_writer.h"

namespace hypha {

class BundleReader {
 public:
  enum class Step : std::uint8_t { kLine, kProblem, kEnd };

  // The status of the problem is OK when `reader` was made.
  static BundleProblem Open(const std::string& path, const IsDatabase& is_database,
                            std::unique_ptr<BundleReader>* reader);

  // kLine: the next line with content is in line(). kProblem: problem() tells what is wrong; unless Ended() reading may
  // go on behind it.
  Step Next();
  const bundle::Line& line() const { return line_; }
  const BundleProblem& problem() const { return problem_; }
  bool Ended() const { return ended_; }

  // Where line() is.
  const std::string& part() const { return part_name_; }
  std::int64_t line_number() const { return lines_ ? lines_->number() : 0; }
  // Of what was read so far.
  const BundleSummary& summary() const { return summary_; }

 private:
  BundleReader(std::string path, const IsDatabase& is_database) : path_(std::move(path)), is_database_(is_database) {}

  BundleProblem OpenDirectory();
  BundleProblem OpenFile();
  Status OpenPart(const std::string& path);
  bool NextPart();
  Step FinishPart();
  Step OnLine(std::string_view text);
  Step OnEndLine();
  Step Problem(Status status, std::int64_t line);
  bool WasReplaced() const;
  void Count(std::string_view text);

  const std::string path_;
  const IsDatabase is_database_;
  std::optional<bundle::Manifest> manifest_;  // none: one file
  FileHandle directory_;                      // held, so that no other one gets its number
  std::size_t next_part_ = 0;
  std::string part_name_;
  std::optional<LineReader> lines_;
  bool saw_end_ = false;
  bool ended_ = false;
  bundle::Line line_;
  BundleProblem problem_;
  BundleSummary summary_;
};

}  // namespace hypha
