#pragma once

#include "proxy/rotation/stored.hpp"

#include <cstdint>
#include <set>
#include <string>
#include <vector>

namespace pgveil::rotation {

/// Tables that are connected, over any number of steps, by contexts of searchable columns of one
/// key group: equal values are equal bytes only under one key, so they change it together.
using Bundle = std::vector<StoredTable>;

/// The searchable column of the group does not stand under the key `next` yet. Columns of tables
/// that a rotation itself has made do not count.
bool is_to_change(
    const StoredTable& table,
    const StoredColumn& column,
    const std::string& group,
    std::uint32_t next
);

/// Tables with such a column, bundled; only bundles with a table of `asked`, unless that is empty.
std::vector<Bundle> bundles(
    const std::vector<StoredTable>& tables,
    const std::string& group,
    std::uint32_t next,
    const std::set<config::PolicyName>& asked
);

}  // namespace pgveil::rotation
