#pragma once

#include "sql/analysis/analyzer.hpp"
#include "sql/parse/ast.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

// The last look at what leaves. It knows nothing of how analysis came to its plan: it reads the
// text as the server will get it, and follows constants and protected columns through it by rules
// of its own.
namespace pgveil::guard {

/// A constant or parameter that would leave as plaintext where a protected column meets it.
struct Leak {
    std::string column;       // "public.patients.ssn"
    std::uint32_t begin = 0;  // byte offset in the text that was looked at
};

/// Which columns a relation has, and which of them are protected.
struct Shape {
    struct Column {
        std::string name;
        bool is_protected = false;
    };

    std::string name;  // "public.patients"
    std::vector<Column> columns;
};

/// What is known of a name as it is written (decoded; the schema may be empty); nullopt: nothing.
using ShapeOf =
    std::function<std::optional<Shape>(const std::string& schema, const std::string& name)>;

struct Shapes {
    ShapeOf relation;
    /// What a function returns as it is stored: the columns of a row, or one without a name.
    ShapeOf function;
};

/// The first leak in one statement. A constant that parses as an envelope, or as an array of them,
/// is none; neither is a parameter that `is_sealed` says is replaced at Bind.
/// Promise: a constant or parameter that is compared with, stored in, or mixed (CASE, set
/// operation, row, argument) with a protected column is found, through sub-queries, WITH, VALUES
/// and joins. Not promised: what functions and the database itself do with values; what is known of
/// a function is what it returns.
std::optional<Leak> find_leak(
    const parse::Statement& statement,
    const Shapes& shapes,
    const std::function<bool(std::uint32_t)>& is_sealed
);

/// analysis::analyze(), and then find_leak() over what would be sent, with stand-ins for the
/// envelopes: a statement with a leak is refused (0A000). Costs a second parse of texts that
/// concern something protected.
analysis::Analysis analyze(std::string_view sql, const analysis::Context& context);

/// `sql` as `plans` would send it, every envelope a stand-in without content.
std::string stand_in_text(std::string_view sql, const analysis::Analysis& plans);

}  // namespace pgveil::guard
