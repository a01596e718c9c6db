#pragma once

#include <cstdint>

namespace pgveil::store {

/// What P enforces on tokens and how long a token key lives. Seconds.
struct TokenLimits {
    std::int64_t max_validity_s = 300;
    std::int64_t clock_skew_s = 30;
    std::int64_t key_epoch_s = 86400;
};

}  // namespace pgveil::store
