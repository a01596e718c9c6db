#pragma once

#include "sql/analysis/plan.hpp"
#include "sql/rewrite/rewrite.hpp"

#include <cstddef>
#include <memory>
#include <variant>

namespace pgveil::relay {

using AnalysisPtr = std::shared_ptr<const analysis::Analysis>;
using PositionMapPtr = std::shared_ptr<const rewrite::PositionMap>;

/// One statement of a text as analysis decided it. Keeps the whole analysis alive. A value.
class Planned {
public:
    Planned() = default;

    Planned(AnalysisPtr analysis, std::size_t index)
        : analysis_(std::move(analysis)),
          plan_(std::get_if<analysis::StatementPlan>(&analysis_->statements.at(index))) {}

    /// The same without its splices: what is kept of a statement once its text has left. Literals
    /// and shares die with the splices.
    Planned kept() const;

    /// Null: nothing is known, and nothing needs to be done.
    const analysis::StatementPlan* plan() const { return plan_; }

    bool is_protected() const { return plan_ != nullptr && plan_->touches_protected; }

    /// Values come back that must be opened.
    bool opens_rows() const { return plan_ != nullptr && !plan_->results.empty(); }

    /// Cells of the result (or of the data of a COPY) are replaced: values to open or seal, a
    /// receipt, a shown parameter.
    bool changes_rows() const {
        return opens_rows() ||
               (plan_ != nullptr && (plan_->copy != nullptr || plan_->call.has_value() ||
                                     plan_->shown_parameter.has_value()));
    }

private:
    AnalysisPtr analysis_;
    const analysis::StatementPlan* plan_ = nullptr;
};

}  // namespace pgveil::relay
