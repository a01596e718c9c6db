#pragma once

#include "sql/parse/ast.hpp"

#include <boost/system/result.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

// PostgreSQL's own grammar (version 15) behind one function.
namespace pgveil::parse {

enum class ErrorCode {
    kSyntax,    // not PostgreSQL 15 SQL, or newer than it
    kLimit,     // deeper or larger than we follow
    kUnusable,  // the parser library is not the one we were built for
};

struct Error {
    ErrorCode code = ErrorCode::kSyntax;
    std::string message;
    std::int32_t position = -1;  // byte offset, -1 unknown
};

template <class T>
using Result = boost::system::result<T, Error>;

/// Parses `text` (any bytes) into statements in order; a text of blanks and comments has none.
/// Of more than `statements_max` it reads one more, so that the caller sees it.
/// Never throws but bad_alloc. Reads literals as if standard_conforming_strings were on.
/// Memory: in proportion to the text, freed on return (the tree apart). Call it on a fixed set of
/// threads only: libpg_query spends one thread-local key per thread, and there are about 1024.
Result<std::vector<Statement>> parse(
    std::string_view text, std::size_t statements_max = std::numeric_limits<std::size_t>::max() - 1
);

/// Parses a canary and compares kinds and offsets, because headers and library come from different
/// minor versions. parse() runs it once and refuses to work when it fails; programs call it at
/// start-up to say so early.
Result<void> check_parser();

}  // namespace pgveil::parse
