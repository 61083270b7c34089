# The reliability programme: it kills, starves and damages the engine, and checks what is left. See docs/reliability.md.

file(GLOB HYPHA_RELIABILITY_SOURCES CONFIGURE_DEPENDS
  ${CMAKE_SOURCE_DIR}/addon/reliability/*.cc ${CMAKE_SOURCE_DIR}/addon/reliability/support/*.cc)
if(NOT HYPHA_RELIABILITY_SOURCES)
  return() # a published package
endif()

add_executable(hypha_reliability ${HYPHA_RELIABILITY_SOURCES})
hypha_own_code(hypha_reliability)
target_include_directories(hypha_reliability PRIVATE
  ${CMAKE_SOURCE_DIR}/addon/engine
  ${CMAKE_SOURCE_DIR}/addon/reliability)
target_include_directories(hypha_reliability SYSTEM PRIVATE ${HYPHA_SQLITE_DIR})
target_link_libraries(hypha_reliability PRIVATE hypha_engine nlohmann_json::nlohmann_json Threads::Threads)
