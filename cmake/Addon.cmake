# The Node addon: the only target that sees a Node header.

file(GLOB HYPHA_BINDING_SOURCES CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/addon/binding/*.cc)
if(NOT HYPHA_BINDING_SOURCES)
  message(STATUS "addon/binding has no sources: the addon is left out")
  return()
endif()

# A published tarball carries the same headers under deps.
set(HYPHA_NODE_PACKAGES ${CMAKE_SOURCE_DIR}/node_modules)
if(EXISTS ${CMAKE_SOURCE_DIR}/deps/node-addon-api/napi.h)
  set(HYPHA_NODE_PACKAGES ${CMAKE_SOURCE_DIR}/deps)
endif()

add_library(hypha_addon MODULE ${HYPHA_BINDING_SOURCES})
hypha_own_code(hypha_addon)
set_target_properties(hypha_addon PROPERTIES PREFIX "" OUTPUT_NAME hypha SUFFIX ".node")
target_include_directories(hypha_addon PRIVATE ${CMAKE_SOURCE_DIR}/addon/binding)
target_include_directories(hypha_addon SYSTEM PRIVATE
  ${HYPHA_NODE_PACKAGES}/node-api-headers/include
  ${HYPHA_NODE_PACKAGES}/node-addon-api)
target_compile_definitions(hypha_addon PRIVATE
  # 10 and above crash Node 20 at load, without a word.
  NAPI_VERSION=9
  NAPI_DISABLE_CPP_EXCEPTIONS
  NODE_ADDON_API_DISABLE_DEPRECATED
  # Otherwise a thread that posts a result to an environment that is ending aborts the process.
  NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS
  HYPHA_VERSION="${HYPHA_VERSION}")
target_link_libraries(hypha_addon PRIVATE hypha_engine)

set(HYPHA_EXPORTS ${CMAKE_SOURCE_DIR}/cmake/exports.map)
set_target_properties(hypha_addon PROPERTIES LINK_DEPENDS ${HYPHA_EXPORTS})
target_link_options(hypha_addon PRIVATE
  # Ours stay ours: no symbol of SQLite or libstdc++ is visible to, or replaced by, the host or another addon.
  LINKER:--exclude-libs,ALL
  LINKER:-Bsymbolic
  LINKER:--version-script=${HYPHA_EXPORTS}
  LINKER:-z,now
  LINKER:-z,relro
  # A worker's end would unload the code under threads that still run it.
  LINKER:-z,nodelete
  LINKER:--gc-sections
  LINKER:--as-needed)
if(NOT HYPHA_SANITIZE)
  # The sanitizers' runtime must find the shared libstdc++.
  target_link_options(hypha_addon PRIVATE -static-libstdc++ -static-libgcc)
endif()
