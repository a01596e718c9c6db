#include "sql/analysis/constants.hpp"

#include "sql/analysis/constant_value.hpp"
#include "sql/analysis/draft.hpp"
#include "sql/analysis/type_names.hpp"
#include "sql/types/convert.hpp"
#include "sql/types/interval_typmod.hpp"
#include "sql/types/number_casts.hpp"

#include <algorithm>
#include <string>

namespace pgveil::analysis {

namespace {

constexpr std::uint32_t kByteaOid = 17;

bool is_text(types::Kind kind) {
    return kind == types::Kind::kText || kind == types::Kind::kVarchar;
}

bool same_values(types::Kind left, types::Kind right) {
    return left == right || (is_text(left) && is_text(right));
}

/// A parameter of type `input` becomes the same value when it is compared as when it is assigned,
/// or one of the two is an error.
bool is_converted_alike(const types::Type& input, const types::Type& column) {
    const bool is_whole = types::is_integer(input.kind) && types::is_integer(column.kind);
    return column == types::comparison_type(column) && !types::is_float(column.kind) &&
           (same_values(input.kind, column.kind) || is_whole);
}

}  // namespace

std::optional<BareConstant> bare_constant(const parse::Expression& expression) {
    BareConstant result;
    const parse::Expression* current = &expression;
    while (const auto* const cast = std::get_if<parse::Cast>(&current->node)) {
        if (cast->operand == nullptr) {
            return std::nullopt;
        }
        result.casts.insert(result.casts.begin(), cast);
        current = cast->operand.get();
    }
    result.begin = current->begin;
    result.constant = std::get_if<parse::Constant>(&current->node);
    result.parameter = std::get_if<parse::Parameter>(&current->node);
    return result.constant == nullptr && result.parameter == nullptr ? std::nullopt
                                                                     : std::optional(result);
}

std::optional<std::string_view> string_of(const parse::Expression& expression) {
    const auto bare = bare_constant(expression);
    if (!bare || bare->constant == nullptr ||
        bare->constant->kind != parse::Constant::Kind::kString) {
        return std::nullopt;
    }
    const bool only_text =
        std::all_of(bare->casts.begin(), bare->casts.end(), [](const parse::Cast* cast) {
            const auto type = type_of(cast->type);
            return type && is_text(type->kind) && type->typmod == -1;
        });
    return only_text ? std::optional<std::string_view>(bare->constant->text) : std::nullopt;
}

bool is_null_constant(const parse::Expression& expression) {
    const auto bare = bare_constant(expression);
    return bare && bare->constant != nullptr &&
           bare->constant->kind == parse::Constant::Kind::kNull;
}

/// Turns one constant or parameter into a protected value.
class ConstantSealer {
public:
    ConstantSealer(Draft& draft, const BareConstant& bare, ColumnPtr column, ParameterUse use)
        : draft_(draft), bare_(bare), column_(std::move(column)), use_(use) {}

    void run() {
        if (bare_.parameter != nullptr) {
            seal_parameter();
        } else if (bare_.constant->kind != parse::Constant::Kind::kNull) {
            seal_constant();
        }
        if (!draft_.is_refused()) {
            rewrite_casts();
        }
    }

private:
    void seal_constant() {
        auto plaintext = plaintext_of_constant(bare_, *column_, use_, draft_.text().context.style);
        if (!plaintext) {
            draft_.refuse(constant_error(plaintext.error(), *column_, bare_.begin));
            return;
        }
        const auto end = parse::constant_end(draft_.text().tokens, bare_.begin);
        if (!end || has_fields_behind()) {
            draft_.refuse(
                "this form of constant", "write a plain string literal", column_, bare_.begin
            );
            return;
        }
        // Every sealed value has a block of its own in locked memory.
        constexpr std::size_t kBlockOverhead = 48;
        Text& text = draft_.text();
        text.literal_bytes += plaintext->size() + kBlockOverhead;
        if (text.literal_bytes > text.context.limits.literal_bytes) {
            draft_.refuse(limit_error(
                "54000",
                "the statement holds more constants for encrypted columns than fit into locked "
                "memory",
                "send fewer rows per statement, or use parameters"
            ));
            return;
        }
        draft_.sealed_.emplace(bare_.begin, column_);
        draft_.splice(literal_begin(), *end, SealedLiteral{column_, std::move(*plaintext)});
    }

    /// `date '2020-01-01'` is replaced with its type; elsewhere the cast stays and is rewritten.
    std::uint32_t literal_begin() const {
        const bool has_prefix = !bare_.casts.empty() && is_prefix(*bare_.casts.front());
        return has_prefix ? std::min(bare_.begin, bare_.casts.front()->type.begin) : bare_.begin;
    }

    /// `interval '1' day`: fields behind the constant, which the splice would leave standing.
    bool has_fields_behind() const {
        if (bare_.casts.empty() || !is_prefix(*bare_.casts.front())) {
            return false;
        }
        const auto type = type_of(bare_.casts.front()->type);
        return type && type->kind == types::Kind::kInterval &&
               types::IntervalLimits::of_typmod(type->typmod).fields != types::kAllFields;
    }

    static bool is_prefix(const parse::Cast& cast) { return cast.position == parse::kNowhere; }

    void rewrite_casts() {
        for (const parse::Cast* cast : bare_.casts) {
            const bool is_sealed_prefix = is_prefix(*cast) && bare_.constant != nullptr;
            if (is_sealed_prefix) {
                continue;
            }
            const auto end = parse::type_name_end(draft_.text().tokens, cast->type.begin);
            if (!end) {
                draft_.refuse("this form of cast", "write value::type", column_, bare_.begin);
                return;
            }
            draft_.splice(cast->type.begin, *end, FixedText{"pg_catalog.bytea"});
        }
    }

    void seal_parameter() {
        const auto input = input_type();
        if (!input) {
            return;
        }
        if (use_ == ParameterUse::kCompared &&
            !types::is_comparable(input->kind, column_->type.kind)) {
            refuse_parameter("comparison with a parameter of type " + types::sql_name_of(*input));
            return;
        }
        if (use_ == ParameterUse::kAssigned &&
            !types::is_assignable(input->kind, column_->type.kind)) {
            refuse_parameter("assignment of a parameter of type " + types::sql_name_of(*input));
            return;
        }
        ParameterPlan plan;
        plan.number = bare_.parameter->number;
        plan.column = column_;
        plan.use = use_;
        plan.declared_oid = kByteaOid;
        plan.described_oid = types::oid_of(input->kind);
        plan.input_type = *input;
        ++draft_.protected_uses_[plan.number];
        if (const ParameterPlan* const earlier = draft_.find_parameter(plan.number)) {
            check_same(*earlier, plan);
            return;
        }
        draft_.add_parameter(std::move(plan));
    }

    /// The type in which the client sends the value: declared, else what the innermost cast says,
    /// else what PostgreSQL infers from the column.
    std::optional<types::Type> input_type() {
        std::optional<types::Type> input;
        const std::uint32_t declared = draft_.declared_oid(bare_.parameter->number);
        if (declared != 0) {
            const auto kind = types::kind_of_oid(declared);
            if (!kind) {
                refuse_parameter("a parameter declared with type OID " + std::to_string(declared));
                return std::nullopt;
            }
            input = types::Type{*kind, -1};
        }
        for (const parse::Cast* cast : bare_.casts) {
            const auto type = type_of(cast->type);
            const bool changes_value =
                type && (type->typmod != -1 || (input && !same_values(input->kind, type->kind)));
            if (!type || changes_value) {
                refuse_parameter("a parameter cast to " + display(cast->type));
                return std::nullopt;
            }
            input = input ? input : type;
        }
        if (input) {
            return input;
        }
        return use_ == ParameterUse::kAssigned ? types::Type{column_->type.kind, -1}
                                               : types::comparison_type(column_->type);
    }

    void refuse_parameter(const std::string& construct) {
        draft_.refuse(
            construct,
            "leave the type open, or use the column's own type " +
                types::sql_name_of(column_->type),
            column_,
            bare_.begin
        );
    }

    void check_same(const ParameterPlan& earlier, const ParameterPlan& plan) {
        const bool same_place = earlier.column != nullptr &&
                                field::shares_context(*earlier.column, *column_) &&
                                earlier.column->type == column_->type;
        // A length limit makes assigning and comparing two different conversions.
        const bool same_use =
            earlier.use == plan.use || is_converted_alike(plan.input_type, column_->type);
        if (!same_place || !same_use || earlier.described_oid != plan.described_oid) {
            refuse_parameter(
                "parameter $" + std::to_string(plan.number) + " used for two different needs"
            );
        }
    }

    Draft& draft_;
    const BareConstant& bare_;
    ColumnPtr column_;
    ParameterUse use_;
};

void Draft::seal(const parse::Expression& constant, const ColumnPtr& column, ParameterUse use) {
    const auto bare = bare_constant(constant);
    if (!bare) {
        refuse(Use::kConstruct, column, constant.begin);
        return;
    }
    ConstantSealer(*this, *bare, column, use).run();
}

}  // namespace pgveil::analysis
