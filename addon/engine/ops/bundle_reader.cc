#include "ops/bundle_reader.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "base/crc32c.h"
#include "query/index_definition.h"

namespace hypha {
namespace {

using bundle::LineType;

Status Invalid(std::string why) { return {Code::kBundleInvalid, std::move(why)}; }

}  // namespace

BundleProblem BundleReader::Open(const std::string& path, const IsDatabase& is_database,
                                 std::unique_ptr<BundleReader>* reader) {
  const std::string found = FindBundle(path);
  reader->reset(new BundleReader(found, is_database));
  return IsDirectory(found) ? (*reader)->OpenDirectory() : (*reader)->OpenFile();
}

Status BundleReader::OpenPart(const std::string& path) {
  if (is_database_(path)) return Invalid("it is a database that is open");
  auto file = OpenForReading(path);
  if (!file.ok()) return file.status();
  lines_.emplace(std::move(file.value()), path);
  return Status::Ok();
}

BundleProblem BundleReader::OpenDirectory() {
  directory_ = FileHandle(::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory_.is_open()) return {FileFailure("open", path_, errno), "", 0};
  part_name_ = bundle::kManifest;
  Status status = OpenPart(path_ + "/" + part_name_);
  std::string_view text;
  bundle::Manifest manifest;
  if (status.ok() && !lines_->Next(&text)) status = lines_->status().ok() ? Invalid("it is empty") : lines_->status();
  if (status.ok()) status = bundle::ParseManifest(text, &manifest);
  if (status.ok() && lines_->Next(&text)) status = Invalid("it has more than one line");
  if (!status.ok()) return {status, part_name_, 0};
  lines_.reset();
  summary_.created_at = manifest.created_at;
  manifest_ = std::move(manifest);
  return {};
}

BundleProblem BundleReader::OpenFile() {
  part_name_ = NameOf(path_);
  Status status = OpenPart(path_);
  if (!status.ok()) return {status, "", 0};
  std::string_view text;
  if (!lines_->Next(&text)) status = lines_->status().ok() ? Invalid("the file is empty") : lines_->status();
  bundle::Line header;
  if (status.ok()) status = bundle::ParseLine(text, &header);
  if (status.ok() && header.type != LineType::kHeader) status = Invalid("it is not the first line of a bundle");
  if (!status.ok()) return {status, part_name_, 1};
  summary_.created_at = header.created_at.value_or(0);
  summary_.parts = 1;
  return {};
}

// Parts are opened by name: those of another bundle say nothing about this one.
bool BundleReader::WasReplaced() const {
  struct stat held {};
  struct stat named {};
  if (!directory_.is_open() || ::fstat(directory_.get(), &held) != 0) return false;
  return ::stat(path_.c_str(), &named) != 0 || held.st_dev != named.st_dev || held.st_ino != named.st_ino;
}

BundleReader::Step BundleReader::Problem(Status status, std::int64_t line) {
  if (WasReplaced()) {
    status = Status(Code::kBusy, path_ + " was replaced while it was read");
    ended_ = true;
  }
  problem_ = {std::move(status), part_name_, line};
  return Step::kProblem;
}

bool BundleReader::NextPart() {
  if (!manifest_ || next_part_ == manifest_->parts.size()) {
    ended_ = true;
    return false;
  }
  part_name_ = manifest_->parts[next_part_++].name;
  ++summary_.parts;
  return true;
}

BundleReader::Step BundleReader::Next() {
  for (;;) {
    if (ended_) return Step::kEnd;
    if (!lines_) {
      if (!NextPart()) return Step::kEnd;
      Status status = OpenPart(path_ + "/" + part_name_);
      if (!status.ok()) return Problem(std::move(status), 0);
    }
    std::string_view text;
    if (lines_->Next(&text)) {
      const Step step = OnLine(text);
      // An end line has no content of its own.
      if (step == Step::kLine && line_.type == LineType::kEnd) continue;
      return step;
    }
    if (FinishPart() == Step::kProblem) return Step::kProblem;
  }
}

BundleReader::Step BundleReader::OnLine(std::string_view text) {
  line_ = {};
  if (saw_end_) return Problem(Invalid("it comes behind the end line"), lines_->number());
  Status status = bundle::ParseLine(text, &line_);
  if (!status.ok()) return Problem(std::move(status), lines_->number());
  if (line_.type == LineType::kHeader) return Problem(Invalid("a header is not the first line"), lines_->number());
  if (line_.type == LineType::kEnd) return OnEndLine();
  if (line_.type == LineType::kIndex && FieldsFromJson(line_.value).value_or(std::vector<IndexField>()).empty()) {
    return Problem(Invalid("its fields are not those of an index"), lines_->number());
  }
  Count(text);
  return Step::kLine;
}

BundleReader::Step BundleReader::OnEndLine() {
  if (manifest_) return Problem(Invalid("a part of a directory has no end line"), lines_->number());
  saw_end_ = true;
  const LineTotals& totals = lines_->totals_before();
  const LineTotals told{line_.lines.value_or(totals.lines), line_.bytes.value_or(totals.bytes),
                        line_.crc.value_or(totals.crc)};
  const bool same = told == totals;
  return same ? Step::kLine : Problem(Invalid("the lines before it are not those that were written"), lines_->number());
}

// At the end of a part, or after a failure to read on.
BundleReader::Step BundleReader::FinishPart() {
  const Status read = lines_->status();
  const LineTotals totals = lines_->totals();
  const std::int64_t number = lines_->number();
  lines_.reset();
  if (!manifest_) ended_ = true;
  if (!read.ok()) return Problem(read, number);
  if (!manifest_) return saw_end_ ? Step::kEnd : Problem(Invalid("the file is cut off: it has no end line"), 0);
  const LineTotals& expected = manifest_->parts[next_part_ - 1].totals;
  if (totals == expected) return Step::kEnd;
  return Problem(Invalid("it is not what the manifest says: " + std::to_string(totals.lines) + " lines instead of " +
                         std::to_string(expected.lines) + (totals.lines == expected.lines ? ", and others" : "")),
                 0);
}

void BundleReader::Count(std::string_view text) {
  ++summary_.lines;
  summary_.bytes += static_cast<std::int64_t>(text.size()) + 1;
  summary_.crc = Crc32c("\n", Crc32c(text, summary_.crc));
  switch (line_.type) {
    case LineType::kEntry: ++summary_.entries; break;
    case LineType::kNamespace: ++summary_.namespaces; break;
    case LineType::kIndex: ++summary_.indexes; break;
    case LineType::kDelete: ++summary_.deletions; break;
    default: break;
  }
  if (line_.type != LineType::kEntry) return;
  const std::int64_t version = line_.version.value_or(0);
  summary_.least_version = summary_.entries == 1 ? version : std::min(summary_.least_version, version);
}

}  // namespace hypha
