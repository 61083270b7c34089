# Settings shared by every target.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
# Node exports tens of thousands of symbols; ours must neither meet nor replace any of them.
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)

set(CMAKE_C_FLAGS_RELEASE "-O2 -DNDEBUG")
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -DNDEBUG")
if(HYPHA_MUTANTS)
  set(CMAKE_CXX_FLAGS_RELEASE "-O0 -DNDEBUG") # built once, run for seconds
endif()
if(HYPHA_SANITIZE)
  # -O0 makes a sanitized SQLite too slow to test with; -O1 keeps usable stack traces.
  set(CMAKE_C_FLAGS_DEBUG "-O1 -g")
  set(CMAKE_CXX_FLAGS_DEBUG "-O1 -g")
else()
  set(CMAKE_C_FLAGS_DEBUG "-O0 -g")
  set(CMAKE_CXX_FLAGS_DEBUG "-O0 -g")
endif()

# Needed by --gc-sections at the addon's link.
add_compile_options(-ffunction-sections -fdata-sections)

if(HYPHA_SANITIZE)
  set(HYPHA_SANITIZE_OPTIONS -fsanitize=${HYPHA_SANITIZE} -fno-omit-frame-pointer)
  if(HYPHA_SANITIZE MATCHES "undefined")
    # Without this an undefined-behaviour finding is a line of output and a passing test.
    list(APPEND HYPHA_SANITIZE_OPTIONS -fno-sanitize-recover=undefined)
  endif()
  add_compile_options(${HYPHA_SANITIZE_OPTIONS})
  add_link_options(${HYPHA_SANITIZE_OPTIONS})
endif()

find_program(HYPHA_CCACHE ccache)
mark_as_advanced(HYPHA_CCACHE)
if(HYPHA_CCACHE)
  foreach(language C CXX)
    if(NOT CMAKE_${language}_COMPILER_LAUNCHER)
      set(CMAKE_${language}_COMPILER_LAUNCHER ${HYPHA_CCACHE})
    endif()
  endforeach()
endif()

find_package(Threads REQUIRED)

# The project's own code, as opposed to SQLite's.
function(hypha_own_code target)
  if(HYPHA_MUTANTS)
    target_precompile_headers(${target} PRIVATE <algorithm> <array> <atomic> <chrono> <functional> <map> <memory>
      <mutex> <optional> <string> <string_view> <thread> <unordered_map> <variant> <vector>)
  endif()
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion -Werror)
endfunction()
