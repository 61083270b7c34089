#include <algorithm>
#include <cstring>
#include <numeric>
#include <utility>

#include "support/random.h"
#include "support/sim_disk.h"

namespace hypha::reliability {
namespace {

using Kind = DiskEvent::Kind;

void WriteInto(std::string* bytes, std::uint64_t offset, const char* data, std::size_t count) {
  if (bytes->size() < offset + count) bytes->resize(offset + count, '\0');
  std::memcpy(bytes->data() + offset, data, count);
}

bool IsOfDirectory(const DiskEvent& event) { return event.kind == Kind::kCreate || event.kind == Kind::kDelete; }

// Whole sectors of the disk arrive or not, each on its own; or they arrive full of rubbish.
void WriteSectors(const DiskEvent& event, bool garbage, std::size_t sector, Random& random, std::string* bytes) {
  for (std::size_t done = 0; done < event.text.size();) {
    const std::size_t room = sector - (event.offset + done) % sector;
    const std::size_t part = std::min(room, event.text.size() - done);
    if (random.OneIn(2)) {
      std::string data = event.text.substr(done, part);
      if (garbage) {
        for (char& byte : data) byte = static_cast<char>(random.Next());
      }
      WriteInto(bytes, event.offset + done, data.data(), part);
    }
    done += part;
  }
}

}  // namespace

PowerLine::PowerLine(const DiskTrace& trace) : trace_(trace) {
  int number = 0;
  for (const auto& [name, bytes] : trace.start) {
    names_[name] = number;
    safe_[number++] = bytes;
  }
}

void PowerLine::Apply(const DiskEvent& event, Files* files, std::map<std::string, int>* names) const {
  switch (event.kind) {
    case Kind::kWrite: WriteInto(&(*files)[event.file], event.offset, event.text.data(), event.text.size()); break;
    case Kind::kTruncate:
      if ((*files)[event.file].size() > event.offset) (*files)[event.file].resize(event.offset);
      break;
    case Kind::kCreate: (*names)[event.text] = event.file; break;
    case Kind::kDelete: names->erase(event.text); break;
    default: break;
  }
}

bool PowerLine::Step() {
  if (at_ == trace_.events.size()) return false;
  const DiskEvent& event = trace_.events[at_++];
  const auto settle = [&](auto belongs, bool keep) {
    std::vector<const DiskEvent*> rest;
    for (const auto* each : pending_) {
      if (!belongs(*each)) {
        rest.push_back(each);
      } else if (keep) {
        Apply(*each, &safe_, &names_);
      }
    }
    pending_ = std::move(rest);
  };
  const auto same_file = [&](const DiskEvent& each) { return !IsOfDirectory(each) && each.file == event.file; };
  switch (event.kind) {
    case Kind::kSync: settle(same_file, true); break;
    case Kind::kLostSync: settle(same_file, false); break;
    case Kind::kSyncDirectory: settle(IsOfDirectory, true); break;
    case Kind::kMark: break;
    default: pending_.push_back(&event);
  }
  return true;
}

DiskImage PowerLine::Lose(const Choice& choice) const {
  Files files = safe_;
  std::map<std::string, int> names = names_;
  Random random(choice.seed);
  std::vector<std::size_t> order = choice.order;
  if (order.empty()) {
    order.resize(pending_.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
  }
  for (const std::size_t i : order) {
    const DiskEvent& event = *pending_[i];
    switch (choice.fates[i]) {
      case Choice::Fate::kLost: break;
      case Choice::Fate::kKept: Apply(event, &files, &names); break;
      case Choice::Fate::kTorn:
      case Choice::Fate::kGarbage:
        if (event.kind != Kind::kWrite) {
          Apply(event, &files, &names);
        } else {
          WriteSectors(event, choice.fates[i] == Choice::Fate::kGarbage, choice.sector, random, &files[event.file]);
        }
        break;
    }
  }
  DiskImage image;
  for (const auto& [name, file] : names) image[name] = files[file];
  return image;
}

}  // namespace hypha::reliability
