#include "support/copies.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <utility>

#include "hypha/engine.h"
#include "support/check.h"
#include "support/stage.h"
#include "support/workloads.h"

namespace hypha::reliability {
namespace {

void WriteFile(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  if (std::filesystem::file_size(path) != bytes.size()) std::abort();
}

std::string BytesOf(const std::string& path) {
  std::ostringstream bytes;
  bytes << std::ifstream(path, std::ios::binary).rdbuf();
  return bytes.str();
}

Unit OldEntries(int from, int count) {
  Unit unit;
  unit.atomic = true;
  for (int i = from; i < from + count; ++i) {
    WriteOp op;
    op.ns = "old";
    op.key = "k" + std::to_string(i);
    op.value = "\"" + std::string(500, static_cast<char>('a' + from % 26)) + "\"";
    unit.ops.push_back(std::move(op));
  }
  return unit;
}

// What was at the target: some of it in the log alone.
const StartingPoint& OldStore() {
  static const StartingPoint point = [] {
    StartingPoint made;
    {
      Stage stage({}, {});
      if (!stage.Open()) std::abort();
      stage.Do(OldEntries(0, 40));
      stage.Checkpoint();
      stage.Do(OldEntries(20, 40));
      made.image = SimDisk::Visible();
    }
    SimDisk::Mount(made.image);
    auto content = ContentOnDisk(true);
    if (!content.ok()) std::abort();
    made.content = std::move(content.value());
    return made;
  }();
  return point;
}

const StartingPoint& SourceStore() {
  static const StartingPoint point = [] {
    StartingPoint made = StartOf(Workload::Start::kClosed);
    // No log is used with it, as with a backup: in the header, which version of the format writes and reads it.
    made.image.at(kSimDatabase).replace(18, 2, "\x01\x01");
    return made;
  }();
  return point;
}

}  // namespace

Result<Content> ContentOf(const std::string& path, const Hooks& hooks, bool check_structure) {
  OpenOptions options;
  options.path = path;
  options.readers = 1;
  options.busy_timeout_ms = 2000;
  auto opened = OpenStore(options, hooks);
  if (!opened.ok()) return Status(opened.status().code(), "open again: " + opened.status().message());
  Result<Content> content = Content();
  {
    auto db = Connection::Open(LookAt(path, hooks, Role::kReader));
    Status status = db.status();
    if (status.ok() && check_structure) status = CheckStructure(*db.value());
    content = status.ok() ? ReadContent(*db.value()) : Result<Content>(status);
  }
  opened.value().reader.reset();
  Status closed = CloseStore(opened.value().engine);
  if (content.ok() && !closed.ok()) return Status(closed.code(), "close again: " + closed.message());
  return content;
}

void CopyFolder::Prepare() {
  static_cast<void>(OldStore());
  static_cast<void>(SourceStore());
}

void CopyFolder::LayTarget() {
  for (const auto& [name, bytes] : OldStore().image) {
    WriteFile(target() + name.substr(std::string(kSimDatabase).size()), bytes);
  }
}

void CopyFolder::LaySource() {
  WriteFile(source(), SourceStore().image.at(kSimDatabase));
  has_source_ = true;
}

const Content& CopyFolder::source_content() { return SourceStore().content; }

Status CopyFolder::Judge(bool acked, bool may_leave, const std::function<Status(const Content& found)>& is_copy) const {
  for (const auto& file : std::filesystem::directory_iterator(folder_.path())) {
    const std::string name = file.path().filename();
    const bool belongs = name == "target.db" || name == "target.db-wal" || name == "target.db-shm" ||
                         name == "target.db-journal" || (has_source_ && name == "source.db");
    const bool temporary = name.rfind("target.db.tmp-", 0) == 0;
    if (!belongs && !(may_leave && temporary)) return {Code::kInternal, "a copy left " + name};
    if (acked && !temporary && name.size() > 9 && name.rfind("target.db", 0) == 0)
      return {Code::kInternal, name + " is beside a copy"};
  }
  if (has_source_ && BytesOf(source()) != SourceStore().image.at(kSimDatabase)) {
    return {Code::kInternal, "the source of a restore has other bytes"};
  }
  auto found = ContentOf(target(), {}, true);
  if (!found.ok()) return {found.status().code(), "the target of a copy: " + found.status().message()};
  if (!acked && Difference(OldStore().content, found.value()).empty()) return Status::Ok();
  const Status same = is_copy(found.value());
  return same.ok() ? same : Status(same.code(), "the target of a copy: " + same.message());
}

}  // namespace hypha::reliability
