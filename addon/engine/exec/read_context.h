// What a read needs on one connection, and the one place that answers every ReadRequest.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "base/ended_by.h"
#include "hypha/types.h"
#include "query/query_runner.h"
#include "store/entry_reader.h"

namespace hypha {

struct ReadLimits {
  std::int64_t result_bytes = 0;
  std::int64_t query_timeout_ms = 0;
  std::shared_ptr<std::atomic<bool>> cancelled;  // may be null
  SteadyTime expires = SteadyTime::max();        // when the snapshot ends by itself,
  EndedBy expires_by = EndedBy::kAge;            // and what ends it
};

// Thread: that of the connection. REQUIRES: `statements` and `namespaces` outlive it.
class ReadContext {
 public:
  ReadContext(KvStatements& statements, NamespaceCache& namespaces)
      : statements_(statements), namespaces_(namespaces), entries_(statements, namespaces), queries_(statements.db()) {}

  // REQUIRES: a snapshot is open.
  Result<ReadReply> Answer(const ReadRequest& request, const ReadLimits& limits);

  QueryRunner& queries() { return queries_; }
  EntryReader& entries() { return entries_; }
  NamespaceCache& namespaces() { return namespaces_; }
  Connection& db() { return statements_.db(); }

 private:
  Result<ReadReply> On(const GetEntrySpec& spec, const ReadLimits& limits);
  Result<ReadReply> On(const GetManySpec& spec, const ReadLimits& limits);
  Result<ReadReply> On(const CountSpec& spec, const ReadLimits& limits);
  Result<ReadReply> On(const ListSpec& spec, const ReadLimits& limits);
  Result<ReadReply> On(const QuerySpec& spec, const ReadLimits& limits);
  Result<ReadReply> On(const NamespacesSpec& spec, const ReadLimits& limits);
  Result<ReadReply> On(const NamespaceSpec& spec, const ReadLimits& limits);
  Result<ReadReply> On(const IndexesSpec& spec, const ReadLimits& limits);
  Result<ReadReply> On(const StatusSpec& spec, const ReadLimits& limits);
  Result<ReadReply> On(const DiagnoseSpec& spec, const ReadLimits& limits);
  Result<ReadReply> On(const MetaSpec& spec, const ReadLimits& limits);
  Result<ReadReply> On(const StorageSpec& spec, const ReadLimits& limits);
  Result<ReadReply> On(const IntegritySpec& spec, const ReadLimits& limits);

  KvStatements& statements_;
  NamespaceCache& namespaces_;
  EntryReader entries_;
  QueryRunner queries_;
};

}  // namespace hypha
