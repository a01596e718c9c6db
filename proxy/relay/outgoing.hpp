#pragma once

#include "proxy/wire/bytes.hpp"
#include "proxy/wire/output.hpp"

#include <cstddef>
#include <vector>

namespace pgveil::relay {

/// What one call into the relay sends to one peer, in order: views into the caller's receive buffer
/// (passed on untouched, not copied) between messages made here.
///
/// A passed view must stay valid until the caller has taken the slices. Adjacent slices of one
/// kind are merged, so an untouched buffer is one slice. Not thread-safe.
class Outgoing {
public:
    /// Passes bytes of the caller's buffer on.
    void pass(wire::ByteView view);

    /// Where messages of our own are appended; they come after everything passed so far.
    wire::Output& made();

    bool empty() const { return slices_.empty() && made_.size() == sealed_; }

    /// Nothing of it is a view into the caller's buffer: it may wait for more.
    bool is_all_made() const;

    /// In bytes.
    std::size_t size() const {
        std::size_t total = made_.size() - sealed_;
        for (const Slice& slice : slices_) {
            total += slice.passed.empty() ? slice.size : slice.passed.size();
        }
        return total;
    }

    std::size_t slice_count() const { return slices_.size() + (made_.size() > sealed_ ? 1 : 0); }

    /// Calls `take(ByteView)` for each slice in order.
    template <class Take>
    void for_each(Take take) {
        close_made();
        for (const Slice& slice : slices_) {
            take(
                slice.passed.empty() ? made_.bytes().subspan(slice.begin, slice.size) : slice.passed
            );
        }
    }

    /// Forgets (and wipes) everything.
    void clear();

private:
    struct Slice {
        wire::ByteView passed;  // empty: a range of made_
        std::size_t begin = 0;
        std::size_t size = 0;
    };

    void close_made();

    std::vector<Slice> slices_;
    wire::Output made_;
    std::size_t sealed_ = 0;  // bytes of made_ that slices_ already covers
};

}  // namespace pgveil::relay
