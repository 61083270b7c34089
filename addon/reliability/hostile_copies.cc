#include "hostile_copies.h"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

#include "support/check.h"
#include "support/driver.h"
#include "support/process.h"

namespace hypha::reliability {
namespace {

std::string Bytes(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void Put(const std::string& path, const std::string& bytes) { std::ofstream(path, std::ios::binary) << bytes; }

std::set<std::string> Names(const Folder& folder) {
  std::set<std::string> names;
  for (const auto& file : std::filesystem::directory_iterator(folder.path())) names.insert(file.path().filename());
  // Who may only read a file cannot take its empty log away.
  names.erase("hostile.db-wal");
  names.erase("hostile.db-shm");
  return names;
}

Result<Content> Held(const std::string& path) {
  OpenOptions options;
  options.path = path;
  options.readers = 1;
  options.create = false;
  auto opened = OpenStore(options);
  if (!opened.ok()) return opened.status();
  Result<Content> content = Content();
  {
    auto db = Connection::Open(LookAt(path, Hooks(), Role::kReader));
    Status status = db.ok() ? CheckStructure(*db.value()) : db.status();
    content = status.ok() ? ReadContent(*db.value()) : Result<Content>(status);
  }
  opened.value().reader.reset();
  Status closed = CloseStore(opened.value().engine);
  return closed.ok() ? content : closed;
}

std::string RestoreFrom(const Folder& folder, const std::string& target, const std::string& hostile) {
  const bool existed = std::filesystem::exists(target);
  const std::string before = Bytes(target);
  const auto names = Names(folder);
  const auto restored = RestoreStore(folder.File("hostile.db"), target, {});
  if (restored.ok()) return "a restore from it is not refused";
  if (restored.status().code() == Code::kInternal) return "restore: " + restored.status().message();
  if (Names(folder) != names) return "a refused restore leaves or takes a file";
  if (Bytes(folder.File("hostile.db")) != hostile) return "a refused restore changed its source";
  return existed && Bytes(target) != before ? "a refused restore changed its target" : "";
}

// Both write where the hostile file lies, and open it to bring its log home.
std::string CopyOnto(const Folder& folder, const std::string& hostile) {
  auto wanted = Held(folder.File("good.db"));
  if (!wanted.ok()) return "the good file: " + wanted.status().message();
  const std::string target = folder.File("hostile.db");
  const auto judge = [&](const char* what, const Status& status) -> std::string {
    if (!status.ok()) return std::string(what) + " onto it: " + status.message();
    auto held = Held(target);
    if (!held.ok()) return std::string(what) + " onto it cannot be opened: " + held.status().message();
    const std::string difference = Difference(wanted.value(), held.value());
    return difference.empty() ? "" : std::string(what) + " onto it: " + difference;
  };
  const std::string problem = judge("restore", RestoreStore(folder.File("good.db"), target, {}).status());
  if (!problem.empty()) return problem;
  Put(target, hostile);
  OpenOptions options;
  options.path = folder.File("good.db");
  auto opened = OpenStore(options);
  if (!opened.ok()) return "the good file: " + opened.status().message();
  const Status backed_up = opened.value().engine->Backup({target, true, {}}).status();
  opened.value().reader.reset();
  static_cast<void>(CloseStore(opened.value().engine));
  return judge("backup", backed_up);
}

}  // namespace

std::string CopyHostile(const std::string& hostile, const std::string& good) {
  const Folder folder;
  Put(folder.File("hostile.db"), hostile);
  Put(folder.File("good.db"), good);
  Put(folder.File("target.db"), good);
  for (const char* target : {"new.db", "target.db"}) {
    std::string problem = RestoreFrom(folder, folder.File(target), hostile);
    if (!problem.empty()) return problem;
  }
  return CopyOnto(folder, hostile);
}

}  // namespace hypha::reliability
