#pragma once

#include "sql/analysis/analyzer.hpp"
#include "sql/parse/tokens.hpp"

#include <optional>

// Whether the text means to us what it means to the server.
namespace pgveil::analysis {

/// With standard_conforming_strings off the server reads backslashes that the parser does not.
bool reads_backslashes(std::string_view sql, const Context& context);

/// In these client encodings the second byte of a character may be a quote or a backslash, so that
/// a byte-wise reader finds other ends of strings than the server. In all but UTF8 a name of the
/// policy that is beyond ASCII looks otherwise; and where client or server has another encoding,
/// U&"...", names beyond ASCII of more than 21 bytes (quotes included), and (on the server's side)
/// unquoted ones are not the names that the server makes of them.
bool reads_other_characters(
    std::string_view sql, const parse::Tokens& tokens, const Context& context
);

}  // namespace pgveil::analysis
