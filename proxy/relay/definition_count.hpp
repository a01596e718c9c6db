#pragma once

#include <atomic>
#include <cstdint>

namespace pgveil::relay {

/// How often sessions of this proxy have committed what may change the catalog: what another
/// session looked up before that is not believed any more. Changes that do not pass this proxy are
/// noticed when a look-up is limits.catalog_ttl_ms old. Any thread.
class DefinitionCount {
public:
    std::uint64_t count() const { return count_.load(std::memory_order_acquire); }

    void advance() { count_.fetch_add(1, std::memory_order_acq_rel); }

private:
    std::atomic<std::uint64_t> count_ = 0;
};

}  // namespace pgveil::relay
