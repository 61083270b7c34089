#include "ops/file_identity.h"

#include <sys/stat.h>

#include <utility>

namespace hypha {

FileIdentity::FileIdentity(std::string path) : path_(std::move(path)) {
  if (path_.empty()) return;
  log_path_ = path_ + "-wal";
  file_ = IdOf(path_);
  log_ = IdOf(log_path_);
}

FileIdentity::Id FileIdentity::IdOf(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return {};
  return {info.st_dev, info.st_ino};
}

Status FileIdentity::CheckDatabase() const {
  if (path_.empty() || IdOf(path_) == file_) return Status::Ok();
  return {Code::kWalMoved, path_ + " was moved, replaced or deleted while it was open; restart the process"};
}

Status FileIdentity::Check() {
  if (path_.empty()) return Status::Ok();
  Status status = CheckDatabase();
  if (!status.ok()) return status;
  const Id log = IdOf(log_path_);
  if (!log_.known()) {
    log_ = log;
    return Status::Ok();
  }
  if (log == log_) return Status::Ok();
  return {Code::kWalMoved, log_path_ + " was moved, replaced or deleted while it was open; restart the process"};
}

}  // namespace hypha
