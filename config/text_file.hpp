#pragma once

#include "config/error.hpp"

#include <string>

namespace pgveil::config {

/// The whole file, at most 16 MiB. The error names the file and what the system said.
Result<std::string> read_text_file(const std::string& path);

}  // namespace pgveil::config
