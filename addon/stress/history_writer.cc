#include "history_writer.h"

#include <time.h>

namespace hypha::stress {
namespace {

constexpr std::size_t kFlushAt = 256 * 1024;

const char* NameOf(Outcome outcome) {
  switch (outcome) {
    case Outcome::kOk: return "ok";
    case Outcome::kFail: return "fail";
    case Outcome::kUnknown: return "unknown";
  }
  return "";
}

}  // namespace

std::int64_t Now() {
  timespec time{};
  ::clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1'000'000'000LL + time.tv_nsec;
}

void HistoryWriter::Transaction(Outcome outcome, std::int64_t start, const std::vector<Micro>& ops) {
  std::string text = "\"status\":\"" + std::string(NameOf(outcome)) + "\",\"start\":" + std::to_string(start) +
                     ",\"end\":" + std::to_string(Now()) + ",\"ops\":[";
  for (const Micro& op : ops) {
    if (&op != &ops.front()) text += ',';
    text += op.is_read ? "[\"r\",\"" + op.key + "\"," + op.list + "]"
                       : "[\"a\",\"" + op.key + "\"," + std::to_string(op.value) + "]";
  }
  Line(text + "]");
}

void HistoryWriter::Model(const char* model, Outcome outcome, const std::string& what) {
  Line("\"model\":\"" + std::string(model) + "\",\"status\":\"" + NameOf(outcome) + "\",\"what\":" + what);
}

void HistoryWriter::Summary(const std::string& members) { Line("\"summary\":true,\"role\":\"clients\"," + members); }

void HistoryWriter::Line(const std::string& members) {
  lines_ += "{\"client\":\"" + client_ + "\"," + members + "}\n";
  if (lines_.size() < kFlushAt) return;
  file_.Append(lines_);
  lines_.clear();
}

}  // namespace hypha::stress
