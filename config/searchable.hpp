#pragma once

#include "config/policy.hpp"

namespace pgveil::config {

/// Equality or order: all values of a context stand under one data key.
constexpr bool is_searchable(Scheme scheme) {
    return scheme == Scheme::kEquality || scheme == Scheme::kOrder;
}

}  // namespace pgveil::config
