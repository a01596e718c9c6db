#pragma once

#include "sql/analysis/constants.hpp"
#include "sql/analysis/draft.hpp"

#include <optional>
#include <string>
#include <vector>

namespace pgveil::analysis {

/// One conversion of a constant or parameter, on its way outwards.
struct ConversionStep {
    std::optional<types::Type> type;  // empty: none of ours
    const parse::Cast* cast = nullptr;
};

/// All of them; of an array, those of its elements.
std::vector<ConversionStep> conversions_of(
    const BareConstant& bare, bool is_array, EnumTypes& enums
);

/// Makes one parameter a value of a protected column. Borrows everything.
class ParameterSealer {
public:
    ParameterSealer(
        Draft& draft, const BareConstant& bare, ColumnPtr column, ParameterUse use, bool is_array
    )
        : draft_(draft), bare_(bare), column_(std::move(column)), use_(use), is_array_(is_array) {}

    /// Adds the parameter's plan, or refuses.
    void run();

private:
    std::optional<types::Kind> kind_of(std::uint32_t oid) const;
    bool set_types(ParameterPlan& plan);
    bool is_usable(const ParameterPlan& plan);
    bool is_consistent(const ParameterPlan& plan);
    types::Type open_type() const;
    void refuse(const std::string& construct);

    Draft& draft_;
    const BareConstant& bare_;
    ColumnPtr column_;
    ParameterUse use_;
    bool is_array_;
};

}  // namespace pgveil::analysis
