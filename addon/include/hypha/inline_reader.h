// Point reads on the JavaScript thread itself.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "hypha/types.h"

namespace hypha {

// A read connection that belongs to one JavaScript thread. It never waits for a lock, a sync or a recovery: where it
// would have to, the answer is kElsewhere, and the caller reads through Engine::Read().
//
// Reads of one turn of the event loop share one snapshot, which ends with EndTurn(), after kMaxReads reads, or when it
// is older than kMaxAge. Once a turn has spent kMaxAge on reads the answer is kYield: end the turn, then ask again.
class InlineReader {
 public:
  enum class Answer : std::uint8_t { kFound, kAbsent, kYield, kElsewhere };
  static constexpr int kMaxReads = 64;
  static constexpr std::int64_t kMaxAgeUs = 1000;
  static constexpr std::int64_t kMaxBytes = 256 * 1024;

  virtual ~InlineReader() = default;

  // `*value` is JSON text, valid until the next call.
  virtual Answer Get(std::string_view ns, std::string_view key, std::string_view* value) = 0;
  virtual Answer GetEntry(std::string_view ns, std::string_view key, Entry* entry) = 0;
  virtual Answer Has(std::string_view ns, std::string_view key) = 0;
  // `*metadata` is empty when the key has none.
  virtual Answer GetMetadata(std::string_view ns, std::string_view key, std::string* metadata) = 0;
  // kElsewhere for more than kMaxBytes of values.
  virtual Answer GetMany(const GetManySpec& spec, ManyReply* reply) = 0;

  // Bytes that it holds: pages, and values kept.
  virtual std::int64_t MemoryUsed() const = 0;

  // The snapshot is over: before each acknowledged write is told, and when the turn ends.
  virtual void EndSnapshot() = 0;
  // A new turn of the event loop begins: its time starts at the next read.
  virtual void EndTurn() = 0;
};

}  // namespace hypha
