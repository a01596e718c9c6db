#pragma once

#include "sql/parse/ast.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

// What flows into a value of a statement that is about to leave.
namespace pgveil::guard {

/// Where the value of an expression may come from.
struct Flow {
    /// A protected column, "public.patients.ssn"; empty: none.
    std::string secret;
    /// Offset of a constant or parameter that leaves as plaintext; kNowhere: none.
    std::uint32_t open = parse::kNowhere;

    bool is_leak() const { return !secret.empty() && open != parse::kNowhere; }

    void add(const Flow& other) {
        secret = secret.empty() ? other.secret : secret;
        open = open == parse::kNowhere ? other.open : open;
    }
};

/// A column of a query or of a FROM item.
struct NamedFlow {
    std::string name;
    Flow flow;
};

using Columns = std::vector<NamedFlow>;

/// One FROM item.
struct Range {
    std::string alias;
    Columns columns;
};

/// The FROM items of one query, and of those around it (borrowed).
struct Level {
    std::vector<Range> ranges;
    const Level* outer = nullptr;
};

/// What a column reference stands for. Nothing flows from a name that is not known.
Flow flow_of(const parse::ColumnReference& reference, const Level& level);

/// The columns behind `*` or `t.*`.
Columns columns_of(const parse::ColumnReference& star, const Level& level);

}  // namespace pgveil::guard
