#include "exec/key_lines.h"

#include <algorithm>
#include <utility>
#include <vector>

namespace hypha {

bool KeyLines::Enter(const void* owner, std::int64_t ticket, const std::string& name, StatusDone done) {
  MutexLock lock(mutex_);
  Line& line = lines_[name];
  const bool mine = line.empty();
  line.push_back({owner, ticket, mine ? StatusDone() : std::move(done)});
  return mine;
}

void KeyLines::Leave(const void* owner, std::int64_t ticket, const std::string& name) {
  StatusDone left;
  StatusDone next;
  {
    MutexLock lock(mutex_);
    const auto found = lines_.find(name);
    if (found == lines_.end()) return;
    Line& line = found->second;
    const auto place =
        std::find_if(line.begin(), line.end(), [&](const Place& p) { return p.owner == owner && p.ticket == ticket; });
    if (place == line.end()) return;
    left = std::move(place->done);
    line.erase(place);
    if (line.empty()) {
      lines_.erase(found);
    } else {
      next = std::exchange(line.front().done, nullptr);
    }
  }
  if (left) left(Status(Code::kAborted));
  if (next) next(Status::Ok());
}

void KeyLines::Abandon(const void* owner) {
  std::vector<std::pair<StatusDone, Status>> told;
  {
    MutexLock lock(mutex_);
    for (auto found = lines_.begin(); found != lines_.end();) {
      Line& line = found->second;
      for (auto& place : line) {
        if (place.owner == owner && place.done) told.emplace_back(std::move(place.done), Status(Code::kClosed));
      }
      std::erase_if(line, [&](const Place& place) { return place.owner == owner; });
      if (line.empty()) {
        found = lines_.erase(found);
        continue;
      }
      if (line.front().done) told.emplace_back(std::exchange(line.front().done, nullptr), Status::Ok());
      ++found;
    }
  }
  for (auto& [done, status] : told) done(std::move(status));
}

}  // namespace hypha
