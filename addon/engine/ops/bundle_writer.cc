#include "ops/bundle_writer.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <utility>
#include <vector>

namespace hypha {
namespace {

constexpr int kNameAttempts = 100;

std::string PreviousOf(const std::string& path) { return path + ".prev"; }

bool IsOurs(std::string_view name) { return name == bundle::kManifest || bundle::IsPartName(name); }

// A directory of nothing but a bundle.
Status CheckDirectory(const std::string& path) {
  auto names = NamesIn(path);
  if (!names.ok()) return names.status();
  bool has_manifest = false;
  for (const auto& name : names.value()) {
    if (!IsOurs(name)) {
      std::string why = path;
      return {Code::kExists, why.append(" exists and holds other files than a bundle: ").append(name)};
    }
    has_manifest = has_manifest || name == bundle::kManifest;
  }
  if (has_manifest) return Status::Ok();
  return {Code::kExists, path + " exists and is no bundle"};
}

Status CheckFile(const std::string& path, const IsDatabase& is_database) {
  Status refused(Code::kExists, path + " exists and is no bundle");
  if (is_database(path)) return refused;
  auto file = OpenForReading(path);
  if (!file.ok()) return file.status();
  LineReader lines(std::move(file.value()), path);
  std::string_view first;
  bundle::Line header;
  if (!lines.Next(&first)) return lines.status().ok() ? refused : lines.status();
  const Status status = bundle::ParseLine(first, &header);
  const bool is_bundle = status.ok() ? header.type == bundle::LineType::kHeader : status.code() == Code::kSchemaTooNew;
  return is_bundle ? Status::Ok() : refused;
}

// What cannot be removed stays: nothing that matters depends on it. Of a symbolic link the link goes alone.
// Destructors call it when there is no memory as well.
void RemoveBundle(const std::string& path) noexcept {
  const int directory = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (directory < 0) {
    ::unlink(path.c_str());
    return;
  }
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(::fdopendir(directory), &::closedir);
  if (stream == nullptr) {
    ::close(directory);
    return;
  }
  for (const dirent* entry = ::readdir(stream.get()); entry != nullptr; entry = ::readdir(stream.get())) {
    const char* name = &entry->d_name[0];
    if (IsOurs(name)) ::unlinkat(directory, name, 0);
  }
  ::rmdir(path.c_str());
}

}  // namespace

std::string FindBundle(const std::string& given) {
  std::string path = given;
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  if (KindOfPath(path) != PathKind::kAbsent) return path;
  return KindOfPath(PreviousOf(path)) == PathKind::kDirectory ? PreviousOf(path) : path;
}

BundleWriter::BundleWriter(const ExportSpec& spec, const Hooks& hooks) : spec_(spec), hooks_(hooks) {
  while (spec_.path.size() > 1 && spec_.path.back() == '/') spec_.path.pop_back();
  manifest_.created_at = hooks_.now_ms();
}

BundleWriter::~BundleWriter() {
  part_.reset();
  if (!temporary_.empty()) RemoveBundle(temporary_);
}

Result<std::unique_ptr<BundleWriter>> BundleWriter::Create(const ExportSpec& spec, const Hooks& hooks,
                                                           const IsDatabase& is_database) {
  std::unique_ptr<BundleWriter> writer(new BundleWriter(spec, hooks));
  Status status = writer->CheckTarget(is_database);
  if (status.ok()) status = writer->MakeTemporary();
  if (status.ok() && writer->IsFile()) status = writer->StartPart();
  if (!status.ok()) return status;
  return writer;
}

Status BundleWriter::CheckTarget(const IsDatabase& is_database) {
  if (IsNameOfALog(spec_.path)) {
    return {Code::kCantOpen, "cannot write " + spec_.path + ": a database of another name has its log there"};
  }
  const PathKind kind = KindOfPath(spec_.path);
  if (kind == PathKind::kAbsent) return Status::Ok();
  replaces_ = true;
  if (!spec_.overwrite) return {Code::kExists, spec_.path + " exists"};
  if (kind == PathKind::kFile && IsFile()) return CheckFile(spec_.path, is_database);
  if (kind == PathKind::kDirectory && !IsFile()) return CheckDirectory(spec_.path);
  return {Code::kExists, spec_.path + " exists and is no bundle of this form"};
}

Status BundleWriter::MakeTemporary() {
  RemoveAbandoned(spec_.path, [this](const std::string& name) {
    RemoveBundle(name);
    cut_short_ = true;
  });
  for (int attempt = 0; attempt < kNameAttempts; ++attempt) {
    std::string name = TemporaryNameOf(spec_.path, manifest_.created_at + attempt);
    Status status = Make(name);
    if (status.code() == Code::kExists) continue;
    if (!status.ok()) return status;
    temporary_ = std::move(name);
    status = claim_.Take(temporary_);
    if (status.code() != Code::kExists) return status;
    part_.reset();
    RemoveBundle(temporary_);
    temporary_.clear();
  }
  return FileFailure("create a temporary file for", spec_.path, EEXIST);
}

Status BundleWriter::Make(const std::string& name) {
  if (!IsFile()) return MakeDirectory(name);
  std::string path = name;  // nothing may fail between the making of the file and the noting of its name
  auto file = CreateFile(name);
  if (file.ok()) part_.emplace(std::move(file.value()), std::move(path));
  return file.status();
}

Status BundleWriter::StartPart() {
  if (IsFile()) return part_->Append(bundle::HeaderLine(manifest_.created_at));
  const std::string path = PathOf(bundle::PartName(parts() + 1));
  auto file = CreateFile(path);
  if (!file.ok()) return file.status();
  part_.emplace(std::move(file.value()), path);
  return Status::Ok();
}

Status BundleWriter::FinishPart() {
  if (IsFile()) {
    Status status = part_->Append(bundle::EndLine(part_->totals()));
    if (!status.ok()) return status;
  }
  Status status = part_->Finish();
  manifest_.parts.push_back({bundle::PartName(parts() + 1), part_->totals()});
  part_.reset();
  return status;
}

Status BundleWriter::Append(std::string_view line) {
  if (!part_) {
    Status status = StartPart();
    if (!status.ok()) return status;
  }
  Status status = part_->Append(line);
  if (status.ok() && !IsFile() && part_->totals().lines >= spec_.part_rows) status = FinishPart();
  return status;
}

Status BundleWriter::WriteManifest() {
  const std::string path = PathOf(bundle::kManifest);
  auto file = CreateFile(path);
  if (!file.ok()) return file.status();
  LineWriter writer(std::move(file.value()), path);
  Status status = writer.Append(bundle::ManifestText(manifest_));
  if (status.ok()) status = writer.Finish();
  return status.ok() ? SyncDirectory(temporary_) : status;
}

Status BundleWriter::Finish() {
  Status status = part_ ? FinishPart() : Status::Ok();
  if (status.ok() && !IsFile()) status = WriteManifest();
  if (!status.ok()) return status;
  hooks_.Reach("bundle-before-swap");
  status = PutInPlace();
  if (!status.ok()) return status;
  hooks_.Reach("bundle-after-swap");
  status = SyncDirectory(DirectoryOf(spec_.path));
  if (!temporary_.empty()) RemoveBundle(temporary_);  // the one that was replaced
  temporary_.clear();
  return status;
}

// Afterwards temporary_ names what was replaced, if anything was.
Status BundleWriter::PutInPlace() {
  if (replaces_) return Replace();
  // What an earlier replacement that was cut short has left of the one before; it will be out of date. Any other of
  // that name is somebody's own.
  std::string previous = PreviousOf(spec_.path);
  const bool is_bundle =
      cut_short_ && !IsFile() && KindOfPath(previous) == PathKind::kDirectory && CheckDirectory(previous).ok();
  if (!is_bundle) previous.clear();
  Status status = RenameToNew(temporary_, spec_.path);
  if (status.ok()) temporary_ = std::move(previous);
  return status;
}

// Somebody may have put something else in its place since CheckTarget(), which must not be lost.
Status BundleWriter::CheckReplaced() {
  if (KindOfPath(temporary_) == (IsFile() ? PathKind::kFile : PathKind::kDirectory)) return Status::Ok();
  Status status = ExchangeNames(temporary_, spec_.path);
  return status.ok() ? Status(Code::kExists, spec_.path + " exists and is no bundle of this form") : status;
}

Status BundleWriter::Replace() {
  Status status = ExchangeNames(temporary_, spec_.path);
  if (status.ok()) return CheckReplaced();
  if (status.code() != Code::kInternal) return status;
  if (IsFile()) {
    if (::rename(temporary_.c_str(), spec_.path.c_str()) != 0) return FileFailure("replace", spec_.path, errno);
    temporary_.clear();
    return Status::Ok();
  }
  // Between these two names nothing has the target's name: FindBundle() knows where to look then.
  std::string previous = PreviousOf(spec_.path);
  status = RenameToNew(spec_.path, previous);
  if (!status.ok()) return status;
  hooks_.Reach("bundle-between-names");
  status = RenameToNew(temporary_, spec_.path);
  if (!status.ok()) {
    static_cast<void>(RenameToNew(previous, spec_.path));
    return status;
  }
  temporary_ = std::move(previous);
  return Status::Ok();
}

}  // namespace hypha
