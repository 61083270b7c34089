// libFuzzer on bundles: bytes as a file of one part, and as a manifest. Whatever they are, reading ends, and each entry
// that is taken is the same once it was written and read again.
//   npm run fuzz:bundle -- --seconds 60

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "ops/bundle_format.h"
#include "ops/bundle_reader.h"

namespace hypha {
namespace {

[[noreturn]] void Fail(const char* what, std::string_view detail) {
  std::fprintf(stderr, "FINDING: %s\n%.*s\n", what, static_cast<int>(detail.size()), detail.data());
  std::abort();
}

void CheckEntry(const bundle::Line& line) {
  EntryView entry;
  entry.key = line.key;
  entry.value = line.value;
  entry.metadata = line.metadata.value_or("");
  entry.created_at = line.created_at.value_or(0);
  entry.updated_at = line.updated_at.value_or(0);
  entry.version = line.version.value_or(1);
  std::string text;
  if (!bundle::EntryLine(bundle::EntryPrefix(line.ns), entry, &text).ok()) Fail("an entry cannot be written", line.key);
  bundle::Line again;
  if (!bundle::ParseLine(text, &again).ok()) Fail("an entry cannot be read again", text);
  const bool same = again.ns == line.ns && again.key == line.key && again.value == line.value &&
                    again.metadata.value_or("") == entry.metadata && again.created_at == entry.created_at &&
                    again.updated_at == entry.updated_at && again.version == entry.version;
  if (!same) Fail("an entry changed", text);
}

void ReadBundle(const std::string& path) {
  std::unique_ptr<BundleReader> reader;
  if (!BundleReader::Open(
           path, [](const std::string&) { return false; }, &reader)
           .status.ok())
    return;
  for (;;) {
    const auto step = reader->Next();
    if (step == BundleReader::Step::kEnd) return;
    if (step == BundleReader::Step::kLine && reader->line().type == bundle::LineType::kEntry)
      CheckEntry(reader->line());
  }
}

}  // namespace
}  // namespace hypha

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hypha;  // NOLINT(google-build-using-namespace)
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  bundle::Manifest manifest;
  static_cast<void>(bundle::ParseManifest(text, &manifest));
  bundle::Line line;
  if (bundle::ParseLine(text, &line).ok() && line.type == bundle::LineType::kEntry) CheckEntry(line);
  static const int file = ::memfd_create("bundle", MFD_CLOEXEC);
  const std::string content = bundle::HeaderLine(1) + "\n" + std::string(text);
  if (::ftruncate(file, 0) != 0 || ::pwrite(file, content.data(), content.size(), 0) < 0) std::abort();
  ReadBundle("/proc/self/fd/" + std::to_string(file));
  return 0;
}
