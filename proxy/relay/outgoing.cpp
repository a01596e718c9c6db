#include "proxy/relay/outgoing.hpp"

#include <algorithm>

namespace pgveil::relay {

void Outgoing::pass(wire::ByteView view) {
    if (view.empty()) {
        return;
    }
    close_made();
    if (!slices_.empty()) {
        wire::ByteView& last = slices_.back().passed;
        if (!last.empty() && last.data() + last.size() == view.data()) {
            last = wire::ByteView(last.data(), last.size() + view.size());
            return;
        }
    }
    slices_.push_back({view, 0, view.size()});
}

wire::Output& Outgoing::made() {
    return made_;
}

bool Outgoing::is_all_made() const {
    return std::ranges::all_of(slices_, [](const Slice& slice) { return slice.passed.empty(); });
}

void Outgoing::clear() {
    slices_.clear();
    made_.clear();
    sealed_ = 0;
}

void Outgoing::close_made() {
    if (made_.size() > sealed_) {
        slices_.push_back({{}, sealed_, made_.size() - sealed_});
        sealed_ = made_.size();
    }
}

}  // namespace pgveil::relay
