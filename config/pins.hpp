#pragma once

#include "config/policy.hpp"

#include <string>
#include <string_view>

// The shapes of protected tables, written down by `pgveil check --pin`. The file lies with the
// proxy, so that the database cannot change what it is measured by.
namespace pgveil::config {

/// Where the pins of a policy stand: policy.json has policy.pins.json.
std::string pins_path(const std::string& policy_path);

/// Reads a pins file; every string is a shape as catalog::shape_of() gives it, not checked further.
Result<Pins> parse_pins(std::string_view file, std::string_view text);

/// parse_pins on the content of a file. A file that does not exist pins nothing.
Result<Pins> load_pins(const std::string& path);

/// Writes the file anew; who reads meanwhile finds the old content or the new.
Result<void> save_pins(const std::string& path, const Pins& pins);

}  // namespace pgveil::config
