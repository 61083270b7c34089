#include "support/bundles.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <sstream>
#include <utility>

#include "ops/bundle_reader.h"
#include "support/driver.h"

namespace hypha::reliability {
namespace {

// By name in the folder.
using Files = std::map<std::string, std::string>;

constexpr char kFolderTarget[] = "target";
constexpr char kFileTarget[] = "target.jsonl";
constexpr char kSource[] = "source";

Files FilesIn(const std::string& folder) {
  Files files;
  for (const auto& file : std::filesystem::recursive_directory_iterator(folder)) {
    if (file.is_directory()) continue;
    std::ostringstream bytes;
    bytes << std::ifstream(file.path(), std::ios::binary).rdbuf();
    files[file.path().string().substr(folder.size() + 1)] = bytes.str();
  }
  return files;
}

bool IsOf(const std::string& file, const std::string& bundle) {
  return file == bundle || file.rfind(bundle + "/", 0) == 0;
}

Unit Entries(const char* ns, int from, int count, char letter) {
  Unit unit;
  unit.atomic = true;
  for (int i = from; i < from + count; ++i) {
    WriteOp op;
    op.ns = ns;
    op.key = "k" + std::to_string(i);
    op.value = "{\"s\":\"" + std::string(200, letter) + "\"}";
    if (i % 3 == 0 && letter == 'n') op.metadata = "{\"i\":" + std::to_string(i) + "}";
    unit.ops.push_back(std::move(op));
  }
  return unit;
}

// Of entries that a store has, some of them with more text, and of a namespace that it has not.
Unit MakeSourceUnit() {
  Unit unit = Entries("base", 50, 20, 'i');
  Unit more = Entries("imported", 0, 40, 'n');
  unit.ops.insert(unit.ops.end(), more.ops.begin(), more.ops.end());
  return unit;
}

Content MakeOldContent() {
  Content content;
  ApplyUnit(Entries("old", 0, 30, 'o'), &content);
  return content;
}

void ExportTo(const std::string& path, BundleForm form, const Unit& unit) {
  OpenOptions options;
  options.path = ":memory:";
  options.memory = true;
  auto opened = OpenStore(options);
  if (!opened.ok() || Run(*opened.value().engine, unit, Durability::kOff).told != Told::kAcked) std::abort();
  ExportSpec spec;
  spec.path = path;
  spec.form = form;
  spec.part_rows = 25;
  BundleSummary summary;
  if (!ExportBundle(*opened.value().engine, spec, nullptr, &summary).status.ok()) std::abort();
  opened.value().reader.reset();
  static_cast<void>(CloseStore(opened.value().engine));
}

const Files& Made() {
  static const Files files = [] {
    const Folder folder;
    ExportTo(folder.File(kFolderTarget), BundleForm::kDirectory, Entries("old", 0, 30, 'o'));
    ExportTo(folder.File(kFileTarget), BundleForm::kFile, Entries("old", 0, 30, 'o'));
    ExportTo(folder.File(kSource), BundleForm::kDirectory, BundleFolder::SourceUnit());
    return FilesIn(folder.path());
  }();
  return files;
}

// Only what somebody has open is a database to be left alone.
bool IsOpen(const std::string& /*path*/) { return false; }

Status StatusOf(const BundleProblem& problem) {
  return {problem.status.code(), problem.part + ":" + std::to_string(problem.line) + ": " + problem.status.message()};
}

}  // namespace

Result<Content> ContentOfBundle(const std::string& path) {
  std::unique_ptr<BundleReader> reader;
  const BundleProblem opened = BundleReader::Open(path, &IsOpen, &reader);
  if (!opened.status.ok()) return StatusOf(opened);
  Content content;
  for (;;) {
    const auto step = reader->Next();
    if (step == BundleReader::Step::kEnd) return content;
    if (step == BundleReader::Step::kProblem) return StatusOf(reader->problem());
    const bundle::Line& line = reader->line();
    if (line.type != bundle::LineType::kEntry) continue;
    content[{line.ns, line.key}] = {std::string(line.value), std::string(line.metadata.value_or(""))};
  }
}

const Unit& BundleFolder::SourceUnit() {
  static const Unit unit = MakeSourceUnit();
  return unit;
}

void BundleFolder::Prepare() { static_cast<void>(Made()); }

std::string BundleFolder::target(BundleForm form) const {
  return folder_.File(form == BundleForm::kDirectory ? kFolderTarget : kFileTarget);
}

void BundleFolder::LayTargets() {
  has_targets_ = true;
  Lay({kFolderTarget, kFileTarget});
}

void BundleFolder::LaySource() {
  has_source_ = true;
  Lay({kSource});
}

void BundleFolder::Lay(const std::vector<std::string>& bundles) const {
  for (const auto& bundle : bundles) {
    for (const auto& [name, bytes] : Made()) {
      if (!IsOf(name, bundle)) continue;
      const std::filesystem::path path = folder_.File(name);
      std::filesystem::create_directories(path.parent_path());
      std::ofstream(path, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    }
  }
}

Status BundleFolder::JudgeTarget(BundleForm form, bool acked,
                                 const std::function<Status(const Content& found)>& is_export) const {
  static const Content old = MakeOldContent();
  const auto found = ContentOfBundle(target(form));
  const char* what = form == BundleForm::kDirectory ? "the exported directory: " : "the exported file: ";
  if (!found.ok()) return {found.status().code(), what + found.status().message()};
  if (!acked && Difference(old, found.value()).empty()) return Status::Ok();
  const Status same = is_export(found.value());
  return same.ok() ? same : Status(same.code(), what + same.message());
}

Status BundleFolder::JudgeFolder() const {
  for (const auto& file : std::filesystem::directory_iterator(folder_.path())) {
    const std::string name = file.path().filename();
    const bool belongs =
        (has_targets_ && (name == kFolderTarget || name == kFileTarget)) || (has_source_ && name == kSource);
    if (!belongs) return {Code::kInternal, "an export or import left " + name};
  }
  if (!has_source_) return Status::Ok();
  Files source = Made();
  std::erase_if(source, [](const auto& file) { return !IsOf(file.first, kSource); });
  Files found = FilesIn(folder_.path());
  std::erase_if(found, [](const auto& file) { return !IsOf(file.first, kSource); });
  return found == source ? Status::Ok() : Status(Code::kInternal, "the bundle that was imported has other bytes");
}

}  // namespace hypha::reliability
