# SQLite with SQLite3 Multiple Ciphers: one C file out of an exactly pinned npm package, never the system's library
# (Debian's 3.40 has the WAL-reset bug). A published tarball carries the same files under deps/sqlite3.

set(HYPHA_SQLITE_PACKAGE ${CMAKE_SOURCE_DIR}/node_modules/better-sqlite3-multiple-ciphers)
set(HYPHA_SQLITE_PIN 13.0.3)
if(EXISTS ${CMAKE_SOURCE_DIR}/deps/sqlite3/sqlite3.c)
  set(HYPHA_SQLITE_DIR ${CMAKE_SOURCE_DIR}/deps/sqlite3)
elseif(EXISTS ${HYPHA_SQLITE_PACKAGE}/deps/sqlite3/sqlite3.c)
  set(HYPHA_SQLITE_DIR ${HYPHA_SQLITE_PACKAGE}/deps/sqlite3)
  file(READ ${HYPHA_SQLITE_PACKAGE}/package.json sqlite_package_json)
  string(JSON sqlite_package_version GET "${sqlite_package_json}" version)
  if(NOT sqlite_package_version STREQUAL HYPHA_SQLITE_PIN)
    message(FATAL_ERROR "better-sqlite3-multiple-ciphers is ${sqlite_package_version}, expected ${HYPHA_SQLITE_PIN}. "
                        "Run: node scripts/setup.js")
  endif()
else()
  message(FATAL_ERROR "No SQLite source found (${HYPHA_SQLITE_PACKAGE}/deps/sqlite3). Run: node scripts/setup.js")
endif()

set(HYPHA_SQLITE_SOURCE ${HYPHA_SQLITE_DIR}/sqlite3.c)
if(HYPHA_MUTANTS)
  # One seeded bug is SQLite's own, which its 3.51.3 repaired: a checkpoint that does not see that the log was restarted.
  file(READ ${HYPHA_SQLITE_SOURCE} sqlite_text)
  set(sqlite_check "int bChg = memcmp(pLive->aSalt, pWal->hdr.aSalt, sizeof(pWal->hdr.aSalt));")
  string(FIND "${sqlite_text}" "${sqlite_check}" sqlite_check_at)
  if(sqlite_check_at EQUAL -1)
    message(FATAL_ERROR "SQLite compares the salts of its log elsewhere now: look for walCheckpoint in its source")
  endif()
  string(REPLACE "${sqlite_check}" "${sqlite_check} if( hypha_forgets_log_reset() ) bChg = 0;" sqlite_text "${sqlite_text}")
  set(HYPHA_SQLITE_SOURCE ${CMAKE_BINARY_DIR}/sqlite3.c)
  file(CONFIGURE OUTPUT ${HYPHA_SQLITE_SOURCE} CONTENT "int hypha_forgets_log_reset(void);\n${sqlite_text}" @ONLY)
endif()

add_library(sqlite STATIC ${HYPHA_SQLITE_SOURCE})
target_include_directories(sqlite SYSTEM INTERFACE ${HYPHA_SQLITE_DIR})
set_target_properties(sqlite PROPERTIES C_STANDARD 99 C_EXTENSIONS ON)
target_compile_options(sqlite PRIVATE -w)
target_compile_definitions(sqlite PRIVATE
  # A connection belongs to one thread at a time; the engine sees to that, so SQLite need not lock.
  SQLITE_THREADSAFE=2
  # Refused: a misspelled column read as a string, URI parameters inside a path, functions run by a hostile schema,
  # loading of shared objects, connections that share a cache, calls that were superseded.
  SQLITE_DQS=0
  SQLITE_USE_URI=0
  SQLITE_TRUSTED_SCHEMA=0
  SQLITE_OMIT_LOAD_EXTENSION
  SQLITE_OMIT_SHARED_CACHE
  SQLITE_OMIT_DEPRECATED
  # Safe unless told otherwise: FULL in WAL mode, files readable by their owner alone.
  SQLITE_DEFAULT_WAL_SYNCHRONOUS=2
  SQLITE_DEFAULT_FILE_PERMISSIONS=0600
  # With mmap an I/O error or a truncated file is a SIGBUS that kills Node.
  SQLITE_MAX_MMAP_SIZE=0
  # Temporary tables hold user data; in memory they leave no plain text on the disk.
  SQLITE_TEMP_STORE=3
  SQLITE_MAX_ALLOCATION_SIZE=100000000
  SQLITE_PRINTF_PRECISION_LIMIT=100000
  SQLITE_LIKE_DOESNT_MATCH_BLOBS
  HAVE_FDATASYNC=1
  # Without it a busy wait sleeps in whole seconds on some libcs.
  HAVE_USLEEP=1
  # Memory statistics put a process-wide mutex into every allocation; heap limits, their only use, are not used here.
  SQLITE_DEFAULT_MEMSTATUS=0
  # Threads are the engine's business; a sort must not start its own.
  SQLITE_DEFAULT_WORKER_THREADS=0
  SQLITE_MAX_ATTACHED=125
  SQLITE_ENABLE_FTS5
  # Scans read whole pages through it (addon/engine/sqlite/page_reader.h).
  SQLITE_ENABLE_DBPAGE_VTAB
  # The parser inside the pinned file was generated with this option, so the C code must be compiled with it.
  SQLITE_ENABLE_UPDATE_DELETE_LIMIT
)
# Deliberately absent: OMIT_PROGRESS_CALLBACK (time limits and cancellation rest on it), ENABLE_STAT4 (its samples would
# keep copies of user values), OMIT_AUTOINIT, NO_SYNC, and every extension of SQLite3MC (fileio reads and writes files).
target_link_libraries(sqlite PUBLIC Threads::Threads m)
