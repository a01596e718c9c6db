#pragma once

#include "config/json_document.hpp"
#include "config/problem.hpp"
#include "config/settings.hpp"

#include <filesystem>
#include <optional>

namespace pgveil::config {

/// A file, or servers: each kind of store has keys of its own.
std::optional<Problem> find_store_problem(const Json& document);

/// Reads the key "store" of a document in which nothing was found. Relative paths are relative to
/// `folder`.
void take_store(const Json& document, const std::filesystem::path& folder, Settings& settings);

}  // namespace pgveil::config
