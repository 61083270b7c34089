#include "query/ranker.h"

#include <algorithm>
#include <iterator>
#include <limits>

#include "base/json_writer.h"
#include "query/row_text.h"

namespace hypha {
namespace {

std::size_t Saturated(std::int64_t a, std::int64_t b) {
  const std::int64_t most = std::numeric_limits<std::int64_t>::max() / 4;
  return static_cast<std::size_t>(std::min(a, most)) + static_cast<std::size_t>(std::min(b, most));
}

}  // namespace

Ranker::Ranker(const QuerySpec& spec, const Position* after)
    : extractor_(spec.sort),
      shape_{spec.shape, spec.select},
      after_(after),
      page_(spec.page),
      offset_(Saturated(spec.offset, 0)),
      wanted_(spec.limit ? Saturated(spec.offset, *spec.limit) + (spec.page ? 1 : 0) : 0),
      bounded_(spec.limit.has_value()),
      scratch_(spec.sort.size()) {}

// Whether the row in scratch_ with this key comes behind the position.
bool Ranker::IsBehind(std::string_view key) const {
  if (after_ == nullptr) return true;
  const int order = extractor_.Compare(scratch_, after_->sort);
  return order > 0 || (order == 0 && key > after_->key);
}

bool Ranker::Before(const Item& a, const Item& b) const {
  const int order = extractor_.Compare(a.sort, b.sort);
  return order != 0 ? order < 0 : a.key < b.key;
}

bool Ranker::Add(const EntryView& row, std::int64_t max_bytes) {
  extractor_.Extract(row, scratch_);
  if (!IsBehind(row.key)) return true;
  if (worst_) {
    const Item& worst = items_[*worst_];
    const int order = extractor_.Compare(scratch_, worst.sort);
    if (order > 0 || (order == 0 && row.key >= worst.key)) return true;
  }
  Item item{std::string(row.key), {}, scratch_};
  AppendRow(item.text, row, shape_);
  bytes_ += static_cast<std::int64_t>(item.text.size() + item.key.size());
  items_.push_back(std::move(item));
  const bool full = items_.size() >= std::max<std::size_t>(2 * wanted_, 64) || bytes_ > max_bytes;
  if (bounded_ && full && items_.size() > wanted_) Prune();
  return bytes_ <= max_bytes;
}

void Ranker::Prune() {
  const auto middle = items_.begin() + static_cast<std::ptrdiff_t>(wanted_);
  std::nth_element(items_.begin(), middle - 1, items_.end(),
                   [this](const Item& a, const Item& b) { return Before(a, b); });
  items_.erase(middle, items_.end());
  bytes_ = 0;
  for (const auto& item : items_) bytes_ += static_cast<std::int64_t>(item.text.size() + item.key.size());
  worst_ = items_.size() - 1;
}

void Ranker::Absorb(Ranker&& other) {
  items_.insert(items_.end(), std::make_move_iterator(other.items_.begin()),
                std::make_move_iterator(other.items_.end()));
  bytes_ += other.bytes_;
  worst_.reset();
}

void Ranker::Sort() {
  if (sorted_) return;
  std::sort(items_.begin(), items_.end(), [this](const Item& a, const Item& b) { return Before(a, b); });
  sorted_ = true;
}

std::string Ranker::CursorText() {
  if (!page_ || items_.size() < wanted_ || wanted_ < 2) return {};
  Sort();
  const Item& last = items_[wanted_ - 2];
  return EncodePosition(last.sort, last.key);
}

JsonChunks Ranker::Take() {
  Sort();
  const std::size_t wanted = page_ ? wanted_ - 1 : wanted_;
  const std::size_t end = bounded_ ? std::min(wanted, items_.size()) : items_.size();
  ChunkWriter out;
  for (std::size_t i = offset_; i < end; ++i) {
    out.Element() += items_[i].text;
    out.Close();
    items_[i].text.clear();
  }
  return out.Take();
}

}  // namespace hypha
