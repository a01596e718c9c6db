#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pgveil::config {

/// Takes a dotted name of the policy apart: parts in lower case stand as they are, every other part
/// in double quotes, as in SQL ("public.patients", "public.\"Odd Name\""). A part without quotes
/// that SQL would fold to lower case is refused, because it could silently protect nothing.
struct ParsedName {
    std::vector<std::string> parts;
    std::string problem;  // empty if the name is good
};

ParsedName parse_name(std::string_view text);

/// [a-z_][a-z0-9_$]*: what needs no quotes, keywords aside.
bool is_plain_identifier(std::string_view name);

}  // namespace pgveil::config
