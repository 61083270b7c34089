// The lines of a bundle: how they are written and what they say when read. docs/bundles.md describes the format.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/line_file.h"
#include "hypha/bundle.h"
#include "hypha/filter.h"
#include "hypha/status.h"

namespace hypha::bundle {

inline constexpr std::int64_t kVersion = 1;
inline constexpr std::string_view kManifest = "manifest.json";

// "part-000001.jsonl" for 1.
std::string PartName(std::int64_t number);
bool IsPartName(std::string_view name);

// ---- Writing. Each function gives one whole line, sealed, without its end.

// Ends a JSON object with a checksum of what stands before it.
void Seal(std::string& object);

std::string HeaderLine(std::int64_t created_at);
std::string EndLine(const LineTotals& totals);
std::string NamespaceLine(const NamespaceInfo& info);
// `fields` as the catalogue has it.
std::string IndexLine(std::string_view ns, std::string_view fields, bool unique);

// What all entries of a namespace begin with, made once.
std::string EntryPrefix(std::string_view ns);
// kCorrupt when a text of the row is not what it should be: nothing else may come into a bundle.
Status EntryLine(std::string_view prefix, const EntryView& entry, std::string* line);

struct Part {
  std::string name;
  LineTotals totals;
};
struct Manifest {
  std::int64_t created_at = 0;
  std::vector<Part> parts;
};
std::string ManifestText(const Manifest& manifest);

// ---- Reading

enum class LineType : std::uint8_t { kHeader, kNamespace, kEntry, kDelete, kIndex, kEnd };

// The texts are JSON; views are into the line or into the struct.
struct Line {
  LineType type = LineType::kEntry;
  std::string ns;   // kNamespace: its name
  std::string key;  // kEntry, kDelete
  std::string value_text;
  std::string metadata_text;
  std::string_view value;                    // kEntry; kIndex: the fields
  std::optional<std::string_view> metadata;  // kEntry, kNamespace
  std::optional<std::int64_t> created_at;
  std::optional<std::int64_t> updated_at;
  std::optional<std::int64_t> version;  // kEntry; kHeader: of the format
  bool flag = false;                    // kNamespace: explicit; kIndex: unique
  std::optional<std::int64_t> lines;    // kEnd
  std::optional<std::int64_t> bytes;    // kEnd
  std::optional<std::uint32_t> crc;     // kEnd
};

// kBundleInvalid says what is wrong with the line, kSchemaTooNew that it is the header of a newer format. The line
// stays as it is while `out` is used.
Status ParseLine(std::string_view text, Line* out);
Status ParseManifest(std::string_view text, Manifest* out);

}  // namespace hypha::bundle
