#pragma once

#include "sql/analysis/relations.hpp"

#include <optional>
#include <string>
#include <vector>

// Views over protected tables: their query, as the database prints it, says what their columns are.
namespace pgveil::analysis {

/// What the query of a view gives.
struct ViewColumns {
    /// One per column of the view; null where plain.
    std::vector<ColumnPtr> veils;
    /// As in KnownRelation.
    ColumnPtr bound_below = {};
    /// Why the view cannot be used, in words that follow "a view"; empty if it can.
    std::string problem;
};

/// Follows the columns of `view` (with view_text) through the rules to their tables. Names that are
/// not known yet go to relations.missing(); then the rest of the answer means nothing.
/// The text is the database's word: it is followed, not trusted. Columns that it calls protected
/// must be those that are stored encrypted, and it may hold no constant in a protected place.
ViewColumns columns_of_view(
    const catalog::Relation& view, const Context& context, Relations& relations
);

}  // namespace pgveil::analysis
