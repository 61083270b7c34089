#include "memory/failing_memory.h"

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <new>

#include "sqlite3.h"
#include "support/exempt.h"

namespace hypha::reliability {
namespace {

std::atomic<bool> armed{false};
std::atomic<std::int64_t> fail_at{0};
std::atomic<bool> for_ever{false};
std::atomic<std::int64_t> counted{0};
std::atomic<std::int64_t> failed{0};
std::atomic<std::int64_t> sqlite_blocks{0};
std::atomic<std::int64_t> blocks{0};

bool Fails() {
  if (!armed.load(std::memory_order_relaxed) || exempt_depth > 0) return false;
  const std::int64_t number = counted.fetch_add(1) + 1;
  const std::int64_t at = fail_at.load();
  if (at == 0 || number < at || (number > at && !for_ever.load())) return false;
  failed.fetch_add(1);
  return true;
}

// The size stands before each block: SQLite asks for it.
constexpr std::size_t kHeader = 16;

void* SqliteMalloc(int size) {
  if (Fails()) return nullptr;
  auto* block = static_cast<char*>(std::malloc(static_cast<std::size_t>(size) + kHeader));
  if (block == nullptr) return nullptr;
  *reinterpret_cast<int*>(block) = size;
  sqlite_blocks.fetch_add(1);
  return block + kHeader;
}

void SqliteFree(void* memory) {
  if (memory == nullptr) return;
  sqlite_blocks.fetch_sub(1);
  std::free(static_cast<char*>(memory) - kHeader);
}

void* SqliteRealloc(void* memory, int size) {
  if (Fails()) return nullptr;
  auto* block =
      static_cast<char*>(std::realloc(static_cast<char*>(memory) - kHeader, static_cast<std::size_t>(size) + kHeader));
  if (block == nullptr) return nullptr;
  *reinterpret_cast<int*>(block) = size;
  return block + kHeader;
}

int SqliteSize(void* memory) {
  return memory == nullptr ? 0 : *reinterpret_cast<int*>(static_cast<char*>(memory) - kHeader);
}

}  // namespace

void InstallFailingMemory() {
  static const sqlite3_mem_methods methods{&SqliteMalloc,
                                           &SqliteFree,
                                           &SqliteRealloc,
                                           &SqliteSize,
                                           [](int size) { return (size + 7) & ~7; },
                                           [](void*) { return SQLITE_OK; },
                                           [](void*) {},
                                           nullptr};
  // Without lookaside every small allocation is one that may fail.
  if (sqlite3_config(SQLITE_CONFIG_MALLOC, &methods) != SQLITE_OK) std::abort();
  if (sqlite3_config(SQLITE_CONFIG_LOOKASIDE, 0, 0) != SQLITE_OK) std::abort();
}

void ArmMemory(MemoryFault fault) {
  fail_at = fault.at;
  for_ever = fault.for_ever;
  counted = 0;
  failed = 0;
  armed = true;
}

void DisarmMemory() { armed = false; }
std::int64_t Allocations() { return counted; }
std::int64_t FailedAllocations() { return failed; }
std::int64_t LiveSqliteBlocks() { return sqlite_blocks; }
std::int64_t LiveBlocks() { return blocks; }

namespace {

void* New(std::size_t size) {
  if (Fails()) return nullptr;
  void* memory = std::malloc(size == 0 ? 1 : size);
  if (memory != nullptr) blocks.fetch_add(1);
  return memory;
}

void Delete(void* memory) {
  if (memory == nullptr) return;
  blocks.fetch_sub(1);
  std::free(memory);
}

}  // namespace
}  // namespace hypha::reliability

// NOLINTBEGIN(misc-new-delete-overloads): all of them are here
void* operator new(std::size_t size) {
  void* memory = hypha::reliability::New(size);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
void* operator new[](std::size_t size) { return ::operator new(size); }
void* operator new(std::size_t size, const std::nothrow_t&) noexcept { return hypha::reliability::New(size); }
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept { return hypha::reliability::New(size); }
void operator delete(void* memory) noexcept { hypha::reliability::Delete(memory); }
void operator delete[](void* memory) noexcept { hypha::reliability::Delete(memory); }
void operator delete(void* memory, std::size_t) noexcept { hypha::reliability::Delete(memory); }
void operator delete[](void* memory, std::size_t) noexcept { hypha::reliability::Delete(memory); }
void operator delete(void* memory, const std::nothrow_t&) noexcept { hypha::reliability::Delete(memory); }
void operator delete[](void* memory, const std::nothrow_t&) noexcept { hypha::reliability::Delete(memory); }
// NOLINTEND(misc-new-delete-overloads)

// The one place that is left out: mcRegisterCodecExtensions() of SQLite3 Multiple Ciphers 2.4.0, which each new
// connection runs, copies a table without looking whether it got the memory. See docs/reliability.md.
extern "C" int __real_sqlite3_open_v2(const char* name, sqlite3** db, int flags, const char* vfs);
extern "C" int __wrap_sqlite3_open_v2(const char* name, sqlite3** db, int flags, const char* vfs);
extern "C" int __wrap_sqlite3_open_v2(const char* name, sqlite3** db, int flags, const char* vfs) {
  const hypha::reliability::Exempt exempt;
  return __real_sqlite3_open_v2(name, db, flags, vfs);
}
