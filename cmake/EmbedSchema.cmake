# cmake -DSCHEMA_DIR=... -DOUTPUT=... -P EmbedSchema.cmake
# Writes one C++ file that holds every schema step as bytes, so that the addon needs no SQL file beside it.

file(GLOB up_files ${SCHEMA_DIR}/*.up.sql)
file(GLOB all_files ${SCHEMA_DIR}/*.sql)
list(SORT up_files)

# Sets `out` to string literals of exactly the file's bytes. Hex escapes carry any byte and any length; each line is a
# literal of its own, and every escape is followed by a backslash or a quote, so none swallows the next character.
function(file_to_literal path out)
  file(READ ${path} hex HEX)
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "\\\\x\\1" text "${hex}")
  string(LENGTH "${text}" length)
  set(literal "")
  set(at 0)
  while(at LESS length)
    string(SUBSTRING "${text}" ${at} 112 line)
    string(APPEND literal "\n    \"${line}\"")
    math(EXPR at "${at} + 112")
  endwhile()
  if(length EQUAL 0)
    set(literal "\"\"")
  endif()
  set(${out} "${literal}" PARENT_SCOPE)
endfunction()

set(constants "")
set(rows "")
set(expected 1)
foreach(up IN LISTS up_files)
  get_filename_component(file_name ${up} NAME)
  if(NOT file_name MATCHES "^([0-9][0-9][0-9][0-9])_([a-z0-9_]+)\\.up\\.sql$")
    message(FATAL_ERROR "schema/${file_name}: the name must be NNNN_name.up.sql")
  endif()
  set(number ${CMAKE_MATCH_1})
  set(name ${CMAKE_MATCH_2})
  math(EXPR step "1${number} - 10000")
  if(NOT step EQUAL expected)
    message(FATAL_ERROR "schema/${file_name}: step ${expected} was expected here")
  endif()
  set(down ${SCHEMA_DIR}/${number}_${name}.down.sql)
  if(NOT EXISTS ${down})
    message(FATAL_ERROR "schema/${file_name} has no ${number}_${name}.down.sql")
  endif()
  foreach(direction Up Down)
    string(TOLOWER ${direction} variable)
    file(SIZE ${${variable}} size)
    file_to_literal(${${variable}} literal)
    string(APPEND constants "constexpr std::string_view k${direction}${step}(${literal},\n    ${size});\n")
  endforeach()
  string(APPEND rows "    {${step}, \"${name}\", kUp${step}, kDown${step}},\n")
  list(REMOVE_ITEM all_files ${up} ${down})
  math(EXPR expected "${expected} + 1")
endforeach()
if(all_files)
  message(FATAL_ERROR "schema/ has files that belong to no step: ${all_files}")
endif()

if(rows STREQUAL "")
  set(body "std::span<const SchemaFile> SchemaFiles() { return {}; }\n")
else()
  string(CONCAT body
    "namespace {\n${constants}"
    "constexpr SchemaFile kFiles[] = {\n${rows}};\n}  // namespace\n\n"
    "std::span<const SchemaFile> SchemaFiles() { return kFiles; }\n")
endif()
file(WRITE ${OUTPUT}
  "// Written by cmake/EmbedSchema.cmake from schema/*.sql.\n"
  "#include \"schema/schema_files.h\"\n\nnamespace hypha {\n\n${body}\n}  // namespace hypha\n")
