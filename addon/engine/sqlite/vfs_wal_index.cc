#include "sqlite/vfs_wal_index.h"

#include <array>
#include <bit>
#include <cstddef>

#include "sqlite3.h"

namespace hypha {
namespace {

constexpr int kWriteSlot = 0;
constexpr int kFirstReadMarkSlot = 3;

// The header in 32-bit words of the machine's byte order: two copies, then WalCkptInfo.
constexpr std::size_t kHeaderWords = 12;
constexpr std::size_t kChecksummedWords = 10;
constexpr std::size_t kChangeWord = 2;
constexpr std::size_t kFlagsWord = 3;
constexpr std::size_t kMaxFrameWord = 4;
constexpr std::size_t kSaltWord = 8;
constexpr std::size_t kBackfillWord = 2 * kHeaderWords;

// A writer is inside the header for nanoseconds, unless it lost the processor or its life.
constexpr int kLoadAttempts = 16;

using Header = std::array<std::uint32_t, kHeaderWords>;

// SQLite writes the second copy first, so the first is read first, and in order before the second.
bool LoadHeader(const volatile std::uint32_t* words, Header* header) {
  for (std::size_t i = 0; i < kHeaderWords; ++i) (*header)[i] = __atomic_load_n(words + i, __ATOMIC_ACQUIRE);
  for (std::size_t i = 0; i < kHeaderWords; ++i) {
    if (__atomic_load_n(words + kHeaderWords + i, __ATOMIC_RELAXED) != (*header)[i]) return false;
  }
  return true;
}

bool LoadSettledHeader(const volatile std::uint32_t* words, Header* header) {
  for (int attempt = 0; attempt < kLoadAttempts; ++attempt) {
    if (LoadHeader(words, header)) return true;
  }
  return false;
}

bool ChecksumMatches(const Header& header) {
  std::uint32_t first = 0;
  std::uint32_t second = 0;
  for (std::size_t i = 0; i < kChecksummedWords; i += 2) {
    first += header[i] + second;
    second += header[i + 1] + first;
  }
  return first == header[kChecksummedWords] && second == header[kChecksummedWords + 1];
}

// The part of WalIndexHdr that is not made of whole words.
struct Flags {
  unsigned char is_init;
  unsigned char big_endian_checksum;
  std::uint16_t page_size;
};

Flags FlagsOf(const Header& header) { return std::bit_cast<Flags>(header[kFlagsWord]); }

// 64 KiB does not fit the field: it is stored as 1.
std::uint32_t PageSize(std::uint32_t stored) { return (stored & 0xfe00U) + ((stored & 1U) << 16); }

}  // namespace

std::optional<WalState> ReadWalIndex(const volatile void* region) {
  if (region == nullptr) return std::nullopt;
  const auto* words = static_cast<const volatile std::uint32_t*>(region);
  Header header;
  if (!LoadSettledHeader(words, &header) || FlagsOf(header).is_init == 0 || !ChecksumMatches(header))
    return std::nullopt;
  WalState state;
  state.known = true;
  state.max_frame = header[kMaxFrameWord];
  state.backfilled = __atomic_load_n(words + kBackfillWord, __ATOMIC_RELAXED);
  state.change_counter = header[kChangeWord];
  state.salt[0] = header[kSaltWord];
  state.salt[1] = header[kSaltWord + 1];
  state.page_size = PageSize(FlagsOf(header).page_size);
  return state;
}

int CheckInlineShmLock(const volatile void* region, int offset, int flags) {
  if (flags != (SQLITE_SHM_LOCK | SQLITE_SHM_EXCLUSIVE) || offset >= kFirstReadMarkSlot) return SQLITE_OK;
  if (offset == kWriteSlot && !ReadWalIndex(region)) return SQLITE_BUSY_RECOVERY;
  return SQLITE_BUSY;
}

bool IsWriteLock(int offset, int flags) { return offset == kWriteSlot && (flags & SQLITE_SHM_EXCLUSIVE) != 0; }

}  // namespace hypha
