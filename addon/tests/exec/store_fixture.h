// Stores opened through the public interface.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "hypha/engine.h"
#include "support/answer.h"
#include "support/child_process.h"
#include "support/databases.h"
#include "support/temp_dir.h"

namespace hypha::test {

// One user's share; closed at the end.
class Share {
 public:
  explicit Share(OpenedStore opened) : opened_(std::move(opened)) {}
  Share(Share&&) noexcept = default;
  Share& operator=(Share&&) = delete;
  ~Share() {
    if (opened_.engine == nullptr) return;
    EXPECT_TRUE(Close().ok());
  }

  Engine& engine() { return *opened_.engine; }
  InlineReader* reader() { return opened_.reader.get(); }
  Status Close() {
    opened_.reader.reset();
    return CloseStore(std::exchange(opened_.engine, nullptr));
  }

  WriteReply Write(std::vector<WriteOp> ops, Durability durability = Durability::kNormal, bool atomic = false) {
    Answer<WriteReply> answer;
    opened_.engine->Write({std::move(ops), atomic, durability}, answer);
    return answer.Get();
  }
  Status Set(std::string key, std::string value = "1", std::string ns = "default") {
    const WriteReply reply = Write({SetOp(std::move(key), std::move(value), std::move(ns))});
    return reply.status.ok() ? reply.outcomes.at(0).status : reply.status;
  }
  Result<ReadReply> Read(ReadRequest request) {
    Answer<Result<ReadReply>> answer;
    opened_.engine->Read(std::move(request), answer);
    return answer.Get();
  }
  std::string Get(std::string key, std::string ns = "default") {
    auto reply = Read(GetEntrySpec{std::move(ns), std::move(key)});
    if (!reply.ok()) return reply.status().message();
    const auto& entry = std::get<std::optional<Entry>>(reply.value());
    return entry ? entry->value : "absent";
  }
  // The whole log copied and emptied; false when something keeps a part of it.
  bool Checkpoint() {
    Answer<Result<std::string>> answer;
    opened_.engine->Maintain(Maintenance::kTruncate, {}, answer);
    auto told = answer.Get();
    EXPECT_TRUE(told.ok()) << told.status().message();
    return told.ok() && told.value().find(R"("busy":false)") != std::string::npos;
  }
  std::string Inline(std::string_view key) {
    std::string_view value;
    switch (reader()->Get("default", key, &value)) {
      case InlineReader::Answer::kFound: return std::string(value);
      case InlineReader::Answer::kAbsent: return "absent";
      case InlineReader::Answer::kYield: return "yield";
      case InlineReader::Answer::kElsewhere: return "elsewhere";
    }
    return "";
  }

 private:
  OpenedStore opened_;
};

class StoreFixture : public ::testing::Test {
 protected:
  static OpenOptions Options(const std::string& path) {
    OpenOptions options;
    options.path = path;
    options.durability = Durability::kNormal;
    return options;
  }
  static OpenOptions Memory() {
    OpenOptions options;
    options.memory = true;
    return options;
  }
  static Share Open(const OpenOptions& options) {
    auto opened = OpenStore(options);
    EXPECT_TRUE(opened.ok()) << opened.status().message();
    if (!opened.ok()) std::abort();
    return Share(std::move(opened.value()));
  }
  Share Open() { return Open(Options(dir_.File())); }
  static Code CodeOf(const OpenOptions& options) {
    auto opened = OpenStore(options);
    if (!opened.ok()) return opened.status().code();
    Share(std::move(opened.value()));
    return Code::kOk;
  }

  TempDir dir_;
};

}  // namespace hypha::test
