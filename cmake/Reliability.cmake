# The reliability programme: it kills, starves and damages the engine, and checks what is left. See docs/reliability.md.

set(HYPHA_RELIABILITY_DIR ${CMAKE_SOURCE_DIR}/addon/reliability)
if(NOT EXISTS ${HYPHA_RELIABILITY_DIR})
  return() # a published package
endif()
find_package(nlohmann_json 3.11 REQUIRED)

function(hypha_reliability_target target)
  hypha_own_code(${target})
  target_include_directories(${target} PRIVATE ${CMAKE_SOURCE_DIR}/addon/engine ${HYPHA_RELIABILITY_DIR})
  target_include_directories(${target} SYSTEM PRIVATE ${HYPHA_SQLITE_DIR})
  target_link_libraries(${target} PRIVATE hypha_engine nlohmann_json::nlohmann_json Threads::Threads)
endfunction()

file(GLOB HYPHA_RELIABILITY_SUPPORT CONFIGURE_DEPENDS ${HYPHA_RELIABILITY_DIR}/support/*.cc)
add_library(hypha_reliability_support STATIC ${HYPHA_RELIABILITY_SUPPORT})
hypha_reliability_target(hypha_reliability_support)

file(GLOB HYPHA_RELIABILITY_SOURCES CONFIGURE_DEPENDS ${HYPHA_RELIABILITY_DIR}/*.cc)
add_executable(hypha_reliability ${HYPHA_RELIABILITY_SOURCES})
hypha_reliability_target(hypha_reliability)
target_link_libraries(hypha_reliability PRIVATE hypha_reliability_support)

# A program of its own: it replaces SQLite's allocator and operator new, which a sanitizer does as well.
if(HYPHA_SANITIZE)
  return()
endif()
file(GLOB HYPHA_OUT_OF_MEMORY_SOURCES CONFIGURE_DEPENDS ${HYPHA_RELIABILITY_DIR}/memory/*.cc)
add_executable(hypha_out_of_memory ${HYPHA_OUT_OF_MEMORY_SOURCES})
hypha_reliability_target(hypha_out_of_memory)
target_link_libraries(hypha_out_of_memory PRIVATE hypha_reliability_support)
# SQLite3 Multiple Ciphers 2.4.0 does not survive a lack of memory while it prepares a new connection.
target_link_options(hypha_out_of_memory PRIVATE LINKER:--wrap=sqlite3_open_v2)
