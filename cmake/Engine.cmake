# The engine: everything that stores and queries. It sees no Node header, and its users see no SQLite header.

set(HYPHA_GENERATED_DIR ${CMAKE_BINARY_DIR}/generated)
set(HYPHA_SCHEMA_SOURCE ${HYPHA_GENERATED_DIR}/schema_files.cc)
file(GLOB HYPHA_SCHEMA_FILES CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/schema/*.sql)
add_custom_command(
  OUTPUT ${HYPHA_SCHEMA_SOURCE}
  COMMAND ${CMAKE_COMMAND} -DSCHEMA_DIR=${CMAKE_SOURCE_DIR}/schema -DOUTPUT=${HYPHA_SCHEMA_SOURCE}
          -P ${CMAKE_SOURCE_DIR}/cmake/EmbedSchema.cmake
  DEPENDS ${HYPHA_SCHEMA_FILES} ${CMAKE_SOURCE_DIR}/cmake/EmbedSchema.cmake
          ${CMAKE_BINARY_DIR}/CMakeFiles/schema_file_list.txt
  COMMENT "Embedding the schema steps"
  VERBATIM)
# A removed file leaves nothing newer than the output, so the list itself is a dependency.
string(REPLACE ";" "\n" schema_file_list "${HYPHA_SCHEMA_FILES}")
file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/CMakeFiles/schema_file_list.txt CONTENT "${schema_file_list}\n" @ONLY)

file(GLOB_RECURSE HYPHA_ENGINE_SOURCES CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/addon/engine/*.cc)
add_library(hypha_engine STATIC ${HYPHA_ENGINE_SOURCES} ${HYPHA_SCHEMA_SOURCE})
hypha_own_code(hypha_engine)
target_include_directories(hypha_engine
  PUBLIC ${CMAKE_SOURCE_DIR}/addon/include
  PRIVATE ${CMAKE_SOURCE_DIR}/addon/engine)
target_compile_definitions(hypha_engine PRIVATE HYPHA_VERSION="${HYPHA_VERSION}")
if(HYPHA_MUTANTS)
  target_compile_definitions(hypha_engine PUBLIC HYPHA_MUTANTS)
endif()
target_link_libraries(hypha_engine PRIVATE sqlite Threads::Threads)
