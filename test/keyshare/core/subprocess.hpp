#pragma once

#include <functional>
#include <string>

namespace pgveil::core::testing {

/// Runs `body` in a forked child, where an arena can be installed once more and limits can be
/// changed. The result is what `body` returned (empty means success), or a line about how the child
/// died.
std::string in_child(const std::function<std::string()>& body);

}  // namespace pgveil::core::testing
