#include "sql/analysis/parameter_sealer.hpp"

#include "sql/analysis/common_type.hpp"
#include "sql/analysis/type_names.hpp"
#include "sql/types/array_elements.hpp"
#include "sql/types/convert.hpp"

namespace pgveil::analysis {

namespace {

constexpr std::uint32_t kByteaOid = 17;
constexpr std::uint32_t kByteaArrayOid = 1001;

bool same_values(types::Kind left, types::Kind right) {
    return left == right || (is_text(left) && is_text(right));
}

}  // namespace

std::vector<ConversionStep> conversions_of(
    const BareConstant& bare, bool is_array, EnumTypes& enums
) {
    std::vector<ConversionStep> steps;
    for (const parse::Cast* cast : bare.casts) {
        const auto type =
            is_array ? element_type_of(cast->type, enums) : type_of(cast->type, enums);
        steps.push_back({type, cast});
    }
    for (const Conversion& conversion : bare.conversions) {
        steps.push_back({conversion.type, conversion.cast});
    }
    return steps;
}

void ParameterSealer::run() {
    ParameterPlan plan;
    plan.number = bare_.parameter->number;
    if (!set_types(plan) || !is_usable(plan)) {
        return;
    }
    plan.column = column_;
    plan.use = use_;
    plan.is_array = is_array_;
    plan.declared_oid = is_array_ ? kByteaArrayOid : kByteaOid;
    plan.described_oid =
        is_array_ ? types::array_oid_of(plan.input_type.kind) : types::oid_of(plan.input_type.kind);
    if (!is_consistent(plan)) {
        return;
    }
    if (!draft_.parameters_.add(std::move(plan), draft_.text().tokens, bare_.begin)) {
        refuse(
            "parameter $" + std::to_string(bare_.parameter->number) +
            " used for two different needs"
        );
    }
}

bool ParameterSealer::is_usable(const ParameterPlan& plan) {
    const types::Type from = plan.casts.empty() ? plan.input_type : plan.casts.back();
    if (use_ == ParameterUse::kCompared && !types::is_comparable(from.kind, column_->type.kind)) {
        refuse("comparison with a parameter of type " + types::sql_name_of(from));
        return false;
    }
    if (use_ != ParameterUse::kCompared && !types::is_assignable(from.kind, column_->type.kind)) {
        refuse("assignment of a parameter of type " + types::sql_name_of(from));
        return false;
    }
    return true;
}

/// Values of one list get their types all at once, as PostgreSQL's variable_coerce_param_hook sees
/// it: a parameter that stands in it twice by itself must get the same type.
bool ParameterSealer::is_consistent(const ParameterPlan& plan) {
    ParameterNeeds& parameters = draft_.parameters_;
    if (draft_.declared_oid(plan.number) != 0) {
        return true;
    }
    const bool is_alone =
        use_ == ParameterUse::kAssigned && bare_.casts.empty() && bare_.conversions.empty();
    const std::size_t list = is_alone ? parameters.list() : 0;
    const auto* const known = parameters.inferred(plan.number);
    if (known == nullptr) {
        parameters.infer(plan.number, plan.described_oid, list);
        return true;
    }
    const bool is_of_this_list = known->list != 0 && known->list == parameters.list();
    const types::Type open = open_type();
    const auto first = draft_.enums().kind_of_oid(known->oid);
    if (!is_of_this_list || (is_alone && first.has_value() && *first == open.kind)) {
        return true;
    }
    if (!is_alone || !first.has_value()) {
        refuse(
            "parameter $" + std::to_string(plan.number) +
            " in two places of one list without a declared type"
        );
        return false;
    }
    Rejection error = postgres_error(
        "42P08",
        "inconsistent types deduced for parameter $" + std::to_string(plan.number),
        bare_.begin
    );
    error.detail =
        types::sql_name_of({*first, -1}) + " versus " + types::sql_name_of({open.kind, -1});
    draft_.refuse(std::move(error));
    return false;
}

std::optional<types::Kind> ParameterSealer::kind_of(std::uint32_t oid) const {
    const auto kind = draft_.enums().kind_of_oid(oid);
    if (!is_array_ || !kind) {
        return kind;
    }
    return types::is_array(*kind) ? std::optional(types::element_of(*kind)) : std::nullopt;
}

/// What PostgreSQL makes of a parameter without a type in this place.
types::Type ParameterSealer::open_type() const {
    if (bare_.open_kind) {
        return {*bare_.open_kind, -1};
    }
    return use_ == ParameterUse::kCompared ? types::comparison_type(column_->type)
                                           : types::Type{column_->type.kind, -1};
}

/// One cast more on the way from `type` (empty: still open) to the column.
bool ParameterSealer::add_step(
    ParameterPlan& plan, std::optional<types::Type>& type, const ConversionStep& step
) {
    const auto& [next, cast] = step;
    if (!next || (type && !types::is_castable(type->kind, next->kind))) {
        refuse("a parameter cast to " + (next ? types::sql_name_of(*next) : display(cast->type)));
        return false;
    }
    if (!type) {
        plan.input_type = types::Type{next->kind, -1};
        type = plan.input_type;
    }
    if (next->typmod != -1 || !same_values(type->kind, next->kind)) {
        plan.casts.push_back(*next);
    }
    type = next;
    return true;
}

/// The type in which the client sends the value: declared, else what an earlier use made it, else
/// that of the innermost cast, else what PostgreSQL infers from the column. All further types are
/// casts.
bool ParameterSealer::set_types(ParameterPlan& plan) {
    std::optional<types::Type> type;
    const std::uint32_t known = draft_.known_oid(plan.number);
    if (known != 0) {
        const auto kind = kind_of(known);
        if (!kind) {
            refuse(
                known == kForeignOid ? std::string("a parameter of another type")
                                     : "a parameter declared with type OID " + std::to_string(known)
            );
            return false;
        }
        type = types::Type{*kind, -1};
    }
    plan.input_type = type.value_or(types::Type());
    for (const ConversionStep& step : conversions_of(bare_, is_array_, draft_.enums())) {
        if (!add_step(plan, type, step)) {
            return false;
        }
    }
    if (!type) {
        plan.input_type = open_type();
    }
    return true;
}

void ParameterSealer::refuse(const std::string& construct) {
    draft_.refuse(
        construct,
        "leave the type open, or use the column's own type " + types::sql_name_of(column_->type),
        column_,
        bare_.begin
    );
}

}  // namespace pgveil::analysis
