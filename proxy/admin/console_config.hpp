#pragma once

#include "config/settings.hpp"
#include "proxy/admin/console_table.hpp"

#include <string>
#include <vector>

namespace pgveil::admin {

std::span<const Column> config_columns();

/// Every setting as in pgveil.json: key, value, default, and whether a reload changes it. Paths are
/// shown, what stands in the files is not.
Table show_config(const config::Settings& settings);

/// The keys that differ and that only a start takes up, as in "listen.port".
std::vector<std::string> changes_for_restart(
    const config::Settings& running, const config::Settings& fresh
);

/// Puts what only a start takes up back to what is running, so that nobody reads of a setting that
/// is not in force.
void keep_until_restart(const config::Settings& running, config::Settings& fresh);

}  // namespace pgveil::admin
