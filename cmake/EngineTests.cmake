# The engine's tests. That they link without Node is the proof that the engine does not know Node.

file(GLOB_RECURSE HYPHA_TEST_SOURCES CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/addon/tests/*.cc)
if(NOT HYPHA_TEST_SOURCES)
  message(STATUS "addon/tests has no sources: the engine tests are left out")
  return()
endif()

find_package(GTest REQUIRED)
find_package(nlohmann_json 3.11 REQUIRED)
include(GoogleTest)

add_executable(hypha_tests ${HYPHA_TEST_SOURCES})
hypha_own_code(hypha_tests)
target_include_directories(hypha_tests PRIVATE
  ${CMAKE_SOURCE_DIR}/addon/engine
  ${CMAKE_SOURCE_DIR}/addon/tests)
# SQLite's and the JSON library's headers reach the tests because the engine's own headers may name them.
target_include_directories(hypha_tests SYSTEM PRIVATE ${HYPHA_SQLITE_DIR})
target_link_libraries(hypha_tests PRIVATE
  hypha_engine nlohmann_json::nlohmann_json GTest::gtest GTest::gtest_main Threads::Threads)
target_compile_definitions(hypha_tests PRIVATE HYPHA_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
gtest_discover_tests(hypha_tests DISCOVERY_MODE PRE_TEST PROPERTIES TIMEOUT 300)
