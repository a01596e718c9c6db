#pragma once

#include "keyshare/share/json_fields.hpp"

#include <string_view>

namespace pgveil::share {

/// The value in `text`, or a discarded one (`is_discarded()`) for what is no JSON or is nested more
/// than 64 deep. nlohmann/json parses any depth, but copies and writes a value by recursion, so
/// that a megabyte of brackets from a stranger would end the program. For all JSON that comes from
/// outside. Any thread.
Json parse_shallow_json(std::string_view text);

}  // namespace pgveil::share
