#pragma once

#include "sql/analysis/analyzer.hpp"

#include <optional>

// Whether the text means to us what it means to the server.
namespace pgveil::analysis {

/// With standard_conforming_strings off the server reads backslashes that the parser does not.
bool reads_backslashes(std::string_view sql, const Context& context);

/// In these client encodings the second byte of a character may be a quote or a backslash, so that
/// a byte-wise reader finds other ends of strings than the server; in others a name of the policy
/// that is beyond ASCII looks otherwise.
bool reads_other_characters(std::string_view sql, const Context& context);

}  // namespace pgveil::analysis
