# One libFuzzer program for each .cc file of addon/fuzz. What it tests is instrumented by HYPHA_SANITIZE (fuzzer-no-link).

if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  message(FATAL_ERROR "libFuzzer needs clang: use the preset fuzz")
endif()
find_package(nlohmann_json 3.11 REQUIRED)

# The inputs are to explore our code: SQLite is checked for memory errors only, at a third of the cost.
target_compile_options(sqlite PRIVATE -fno-sanitize=fuzzer-no-link,undefined)

file(GLOB HYPHA_FUZZ_SOURCES CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/addon/fuzz/*.cc)
foreach(source IN LISTS HYPHA_FUZZ_SOURCES)
  get_filename_component(name ${source} NAME_WE)
  add_executable(${name} ${source})
  hypha_own_code(${name})
  target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR}/addon/engine)
  target_include_directories(${name} SYSTEM PRIVATE ${HYPHA_SQLITE_DIR})
  target_compile_definitions(${name} PRIVATE HYPHA_FILTER_SCHEMA="${CMAKE_SOURCE_DIR}/schema/filter.schema.json")
  target_link_libraries(${name} PRIVATE hypha_engine nlohmann_json::nlohmann_json Threads::Threads)
  target_link_options(${name} PRIVATE -fsanitize=fuzzer)
endforeach()
