#pragma once

#include "sql/analysis/plan.hpp"
#include "sql/parse/ast.hpp"

// What the statements of one text do to each other. The whole text is decided before its first
// statement runs, so what an earlier one may change is not known for a later one.
namespace pgveil::analysis {

/// WITH ... AS (INSERT ...): allowed at the top of a query only, but found anywhere on the way.
bool changes_rows(const parse::Select* select);

/// Sees the decisions of one text in order and refuses those that depend on, or come too late
/// after, an earlier one.
class TextOrder {
public:
    /// Returns `decision`, or a refusal: "send it in a statement of its own".
    Decision admit(Decision decision, const parse::Statement& statement);

private:
    void note(const StatementPlan& plan, const parse::Statement& statement);

    bool path_is_known_ = true;
    /// What prepared statements name is what they were decided on.
    bool names_are_known_ = true;
    /// Settings, shares and transaction are what they were when the text came.
    bool session_is_known_ = true;
    /// A value of an earlier statement is still to be opened, and that may fail.
    bool has_open_results_ = false;
};

}  // namespace pgveil::analysis
