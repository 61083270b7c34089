#pragma once

#include <span>
#include <string_view>

namespace hypha {

// One step of the on-disk layout, as embedded at build time from schema/NNNN_name.{up,down}.sql.
struct SchemaFile {
  int step;               // NNNN; the first is 1
  std::string_view name;  // without number and suffix
  std::string_view up;    // the file's exact bytes
  std::string_view down;
};

// All steps in ascending order, without gaps. The memory lives as long as the program.
std::span<const SchemaFile> SchemaFiles();

}  // namespace hypha
