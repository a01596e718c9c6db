#pragma once

#include "sql/analysis/plan.hpp"
#include "sql/parse/expression.hpp"
#include "sql/types/type.hpp"

#include <cstddef>
#include <memory>
#include <optional>
#include <vector>

// What an expression of a statement stands for.
namespace pgveil::analysis {

/// A column of a relation that the query at hand reads itself. Sub-queries, set operations and
/// merged USING columns hide it.
struct Origin {
    std::size_t relation = 0;  // 1-based number of the FROM item in the statement; 0: unknown
    std::size_t column = 0;    // position in the relation

    friend bool operator==(const Origin&, const Origin&) = default;
};

/// A conversion on the way from a constant to the place where it is used.
struct Conversion {
    types::Type type;
    const parse::Cast* cast =
        nullptr;  // as written, borrowed; null: the type of CASE, COALESCE, VALUES

    friend bool operator==(const Conversion&, const Conversion&) = default;
};

/// A constant or parameter, with casts, that becomes what it is compared with or assigned to.
struct Adaptable {
    const parse::Expression* constant = nullptr;  // borrowed from the tree
    std::vector<Conversion> conversions = {};     // outside of the constant's own casts
    /// What PostgreSQL takes a parameter without a type for here, if not what its use says.
    std::optional<types::Kind> open_kind = {};
};

/// A column of VALUES in FROM. Its constants leave sealed only if every use of it wants that.
struct ListColumn {
    std::size_t references = 0;
    std::size_t sealed_references = 0;
    std::uint32_t begin = parse::kNowhere;
};

/// A value in a statement: plain, or of a protected column.
struct Value {
    ColumnPtr column;  // null: plain
    /// The constant or parameter that the value is, or those in the arms of CASE and COALESCE.
    /// Beside a column they are still to be sealed for it or for what the whole is assigned to.
    std::vector<Adaptable> adaptables = {};
    Origin origin = {};
    /// Where it is stored, as it is, also seen through sub-queries and set operations; `relation`
    /// is a number of StoredRows.
    Origin stored = {};
    /// The type PostgreSQL gives it, where it is not the column's own.
    std::optional<types::Type> shown_type = {};
    /// Where `adaptables` are those of a column of VALUES.
    std::shared_ptr<ListColumn> list = {};
    /// Columns of other contexts that the value may come from as well. Such a value may only be
    /// returned.
    std::vector<ColumnPtr> others = {};
    /// The server makes a bytea of it on the way, which a view would show in place of the type of
    /// encrypted columns.
    bool is_bytea = false;

    types::Type type() const { return shown_type ? *shown_type : column->type; }

    bool is_adaptable() const { return column == nullptr && !adaptables.empty(); }
};

}  // namespace pgveil::analysis
