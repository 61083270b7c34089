// InlineReader over a connection of the inline VFS.
#pragma once

#include <chrono>
#include <memory>
#include <optional>

#include "hypha/inline_reader.h"
#include "ops/reader_gate.h"
#include "sqlite/connection.h"
#include "store/entry_reader.h"

namespace hypha {

class InlineReaderImpl final : public InlineReader {
 public:
  // `gate` may be null, else it outlives the reader.
  explicit InlineReaderImpl(std::unique_ptr<Connection> db, ReaderGate* gate = nullptr);
  ~InlineReaderImpl() override;

  Answer Get(std::string_view ns, std::string_view key, std::string_view* value) override;
  Answer GetEntry(std::string_view ns, std::string_view key, Entry* entry) override;
  Answer Has(std::string_view ns, std::string_view key) override;
  Answer GetMetadata(std::string_view ns, std::string_view key, std::string* metadata) override;
  Answer GetMany(const GetManySpec& spec, ManyReply* reply) override;
  std::int64_t MemoryUsed() const override;
  void EndSnapshot() override;
  void EndTurn() override;

 private:
  // Opens or renews the snapshot; kFound when `read` may run.
  Answer Enter(std::string_view ns, int reads);
  Answer StartSnapshot(std::string_view ns);
  // Any failure here may pass elsewhere: a lock, a recovery, a busy schema.
  Answer Settle(const Result<bool>& found);
  // So may a lack of memory.
  template <class Read>
  Answer OrElsewhere(Read read);

  std::unique_ptr<Connection> db_;
  KvStatements statements_;
  NamespaceCache namespaces_;
  EntryReader entries_;
  ValueCache cache_;
  StatementHandle begin_;
  StatementHandle commit_;
  std::string value_;
  std::optional<ReaderSeat> seat_;
  bool in_snapshot_ = false;
  bool in_turn_ = false;
  int reads_ = 0;
  SteadyTime turn_started_{};
};

}  // namespace hypha
