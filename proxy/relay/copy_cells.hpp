#pragma once

#include "proxy/relay/row_keys.hpp"
#include "proxy/wire/output.hpp"
#include "sql/analysis/copy_plan.hpp"
#include "sql/copy/fields.hpp"

#include <cstddef>
#include <span>
#include <vector>

namespace pgveil::relay {

/// The values of one row of COPY data in text or csv, escapes and quotes undone: those of protected
/// columns and of possible keys, or all if the row leaves in binary; the others read as NULL. Those
/// without escapes and quotes are views into the line; the others are wiped with the next row.
class CopyCells {
public:
    /// The line lives as long as the values are used. There may be fewer fields than columns, not
    /// more. FORCE_NULL and FORCE_NOT_NULL are applied.
    void read(const analysis::CopyPlan& plan, std::span<const copy::Field> fields);

    /// One per column; valid until the next read().
    std::span<const FormattedCell> all() const { return cells_; }

    const wire::Cell& operator[](std::size_t index) const { return cells_[index].cell; }

private:
    wire::Output values_;
    std::vector<std::size_t> starts_;
    std::vector<FormattedCell> cells_;
};

}  // namespace pgveil::relay
