#include "query/evaluator.h"

#include <cstddef>

namespace hypha {
namespace {

// A node being compiled, from its last child to its first, because a child has to know the step after it.
struct Frame {
  const FilterNode* node;
  int on_true;
  int on_false;
  std::size_t children_left;
  int entry;  // of the children compiled so far; what the node amounts to when it has none

  Frame(const FilterNode& node_in, int on_true_in, int on_false_in)
      : node(&node_in),
        on_true(on_true_in),
        on_false(on_false_in),
        children_left(node_in.children.size()),
        entry(node_in.kind == FilterNode::Kind::kOr ? on_false_in : on_true_in) {}
};

Frame ChildFrame(const Frame& parent, const FilterNode& child) {
  switch (parent.node->kind) {
    case FilterNode::Kind::kOr: return Frame(child, parent.on_true, parent.entry);
    case FilterNode::Kind::kNot: return Frame(child, parent.on_false, parent.on_true);
    default: return Frame(child, parent.entry, parent.on_false);
  }
}

}  // namespace

Evaluator::Evaluator(const FilterNode& filter) { entry_ = Compile(filter); }

int Evaluator::Compile(const FilterNode& root) {
  std::vector<Frame> open{Frame(root, kAccept, kReject)};
  for (;;) {
    Frame& frame = open.back();
    if (frame.node->kind == FilterNode::Kind::kTerm) {
      frame.entry = AddStep(frame.node->term, frame.on_true, frame.on_false);
    } else if (frame.children_left > 0) {
      const FilterNode& child = frame.node->children[--frame.children_left];
      open.push_back(ChildFrame(frame, child));
      continue;
    }
    const int entry = frame.entry;
    open.pop_back();
    if (open.empty()) return entry;
    open.back().entry = entry;
  }
}

int Evaluator::AddStep(const Term& term, int on_true, int on_false) {
  const bool is_field = term.source == Source::kField;
  needs_value_ = needs_value_ || is_field || term.source == Source::kValue || term.source == Source::kPath;
  needs_numbers_ = needs_numbers_ || term.source == Source::kCreatedAt || term.source == Source::kUpdatedAt ||
                   term.source == Source::kVersion;
  needs_metadata_ = needs_metadata_ || is_field || term.source == Source::kMetadata;
  steps_.push_back(Step{Predicate(term), on_true, on_false});
  return static_cast<int>(steps_.size()) - 1;
}

bool Evaluator::Matches(const EntryView& entry) const {
  int at = entry_;
  while (at >= 0) {
    const Step& step = steps_[static_cast<std::size_t>(at)];
    at = step.predicate.Test(entry) ? step.on_true : step.on_false;
  }
  return at == kAccept;
}

}  // namespace hypha
