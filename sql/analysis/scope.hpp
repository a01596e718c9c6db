#pragma once

#include "sql/analysis/draft.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

// Which names a place in a query can see, and what they stand for.
namespace pgveil::analysis {

/// A column by its name; the name is empty if PostgreSQL would make one up.
struct NamedValue {
    std::string name;
    Value value;
};

using NamedValues = std::vector<NamedValue>;

/// The first column of that name; null: none.
const NamedValue* find_named(const NamedValues& columns, const std::string& name);

/// One FROM item that can be named.
struct Range {
    std::string alias;   // as qualified references name it
    std::string schema;  // of an unaliased relation; else empty
    NamedValues columns;
    /// It has columns we do not know (a function, an absent relation).
    bool is_opaque = false;
};

/// The names visible in one query level. `outer` is borrowed and outlives it.
struct Scope {
    std::vector<Range> ranges;
    /// What unqualified names and `*` see, in order: merged USING columns once.
    NamedValues visible;
    bool is_opaque = false;
    const Scope* outer = nullptr;
    /// FROM items to the left, which LATERAL and functions see as well. Borrowed.
    const Scope* siblings = nullptr;
};

/// The scope with its siblings at the same level, as LATERAL sees it.
Scope lateral_view(const Scope& scope);

/// Why a name was not resolved, in PostgreSQL's words.
struct Unresolved {
    std::string sqlstate;
    std::string message;
};

/// `alias.name` or `alias.*` where nothing has that alias. `old` and `new` are refused: in
/// RETURNING PostgreSQL 18 knows them, and which server it is is not known here.
Unresolved missing_range(const std::string& alias);

/// What a column reference stands for.
struct Resolution {
    Value value;
    /// The reference is a whole row; its protected column, if it has one, is in value.column.
    bool is_whole_row = false;
    /// Its columns, borrowed from the scope.
    const NamedValues* row = nullptr;
    std::optional<Unresolved> error;
};

/// Resolves `a`, `t.a`, `s.t.a` and whole-row `t` as PostgreSQL does: innermost level first.
Resolution resolve(const parse::ColumnReference& reference, const Scope& scope);

/// The columns behind `*` or `t.*`; nullopt if the range does not exist.
struct StarExpansion {
    const NamedValues* columns = nullptr;
    bool is_opaque = false;
};

std::optional<StarExpansion> expand_star(
    const parse::ColumnReference& reference, const Scope& scope
);

/// ctid, xmin, ...: every table has them, and they are plain.
bool is_system_column(std::string_view name);

}  // namespace pgveil::analysis
