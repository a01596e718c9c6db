#pragma once

#include "sql/analysis/plan.hpp"
#include "sql/rewrite/rewrite.hpp"

#include <cstddef>
#include <memory>
#include <utility>
#include <variant>

namespace pgveil::relay {

using AnalysisPtr = std::shared_ptr<const analysis::Analysis>;
using PositionMapPtr = std::shared_ptr<const rewrite::PositionMap>;

/// One statement of a text as analysis decided it. A value.
class Planned {
public:
    Planned() = default;

    /// Keeps all of `analysis` alive.
    Planned(const AnalysisPtr& analysis, std::size_t index)
        : plan_(analysis, std::get_if<analysis::StatementPlan>(&analysis->statements.at(index))) {}

    explicit Planned(analysis::PlanPtr plan) : plan_(std::move(plan)) {}

    /// The same without its splices: what is kept of a statement once its text has left. Literals
    /// and shares die with the splices.
    Planned kept() const;

    /// Null: nothing is known, and nothing needs to be done.
    const analysis::StatementPlan* plan() const { return plan_.get(); }

    /// The same, kept alive.
    const analysis::PlanPtr& shared() const { return plan_; }

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

    /// Roughly the memory that it keeps alive, in bytes.
    std::size_t size_bytes() const {
        return plan_ == nullptr ? 0 : analysis::size_bytes_of(*plan_);
    }

private:
    analysis::PlanPtr plan_;
};

/// A copy of a plan without call, for when its text has left: without splices, columns and
/// repeated.
analysis::StatementPlan without_splices(const analysis::StatementPlan& plan);

}  // namespace pgveil::relay
