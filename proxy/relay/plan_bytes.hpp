#pragma once

#include <cstddef>
#include <memory>
#include <utility>

namespace pgveil::relay {

/// Bytes that count as long as this, or a copy of it, lives.
using Charge = std::shared_ptr<const void>;

/// What one session keeps of statements in ordinary memory, in bytes. Not thread-safe.
class PlanBytes {
public:
    std::size_t total() const { return *total_; }

    /// `also` counts as long as these.
    Charge charge(std::size_t bytes, Charge also = nullptr) {
        *total_ += bytes;
        return {total_.get(), [total = total_, bytes, also = std::move(also)](const void*) {
                    *total -= bytes;
                }};
    }

private:
    std::shared_ptr<std::size_t> total_ = std::make_shared<std::size_t>(0);
};

}  // namespace pgveil::relay
