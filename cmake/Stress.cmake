# Programs that stress runs and lifecycle tests start beside Node: clients on threads of an engine, and a look at locks.

file(GLOB HYPHA_STRESS_SOURCES CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/addon/stress/*.cc)
if(NOT HYPHA_STRESS_SOURCES)
  return() # a published package
endif()

add_executable(hypha_stress ${HYPHA_STRESS_SOURCES})
hypha_own_code(hypha_stress)
target_include_directories(hypha_stress PRIVATE ${CMAKE_SOURCE_DIR}/addon/stress)
target_link_libraries(hypha_stress PRIVATE hypha_engine Threads::Threads)

add_executable(hypha_lock_probe ${CMAKE_SOURCE_DIR}/addon/probes/lock_probe.cc)
hypha_own_code(hypha_lock_probe)
