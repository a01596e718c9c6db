#pragma once

#include "proxy/migration/migration.hpp"
#include "proxy/migration/table.hpp"

#include <string>
#include <vector>

namespace pgveil::migration {

/// What a run would do, how long it may take, what disk it needs, which locks it takes; and what
/// stands in its way.
std::string plan_text(
    const Table& table,
    const config::TablePolicy& policy,
    Goal goal,
    const std::vector<std::string>& obstacles
);

}  // namespace pgveil::migration
