#include "keyshare/core/invariant.hpp"
#include "sql/analysis/constant_value.hpp"
#include "sql/analysis/constants.hpp"
#include "sql/analysis/draft.hpp"
#include "sql/analysis/type_names.hpp"
#include "sql/types/array_elements.hpp"
#include "sql/types/convert.hpp"
#include "sql/types/interval_typmod.hpp"
#include "sql/types/number_casts.hpp"

#include <algorithm>
#include <functional>
#include <string>

namespace pgveil::analysis {

namespace {

constexpr std::uint32_t kByteaOid = 17;
constexpr std::uint32_t kByteaArrayOid = 1001;

bool is_text(types::Kind kind) {
    return kind == types::Kind::kText || kind == types::Kind::kVarchar;
}

bool same_values(types::Kind left, types::Kind right) {
    return left == right || (is_text(left) && is_text(right));
}

/// A parameter of type `input` becomes the same value when it is compared as when it is assigned,
/// or one of the two is an error.
bool is_converted_alike(const ParameterPlan& plan, const types::Type& column) {
    const types::Type& input = plan.input_type;
    const bool is_whole = types::is_integer(input.kind) && types::is_integer(column.kind);
    return plan.casts.empty() && plan.use != ParameterUse::kBeside &&
           column == types::comparison_type(column) && !types::is_float(column.kind) &&
           (same_values(input.kind, column.kind) || is_whole);
}

}  // namespace

/// Turns one constant or parameter into a protected value.
class ConstantSealer {
public:
    ConstantSealer(
        Draft& draft, const BareConstant& bare, ColumnPtr column, ParameterUse use, bool is_array
    )
        : draft_(draft), bare_(bare), column_(std::move(column)), use_(use), is_array_(is_array) {}

    /// The constant comes as an argument of EXECUTE, for a parameter of this type.
    void pass_through(const types::Type& parameter) { parameter_type_ = parameter; }

    void run() {
        if (bare_.parameter != nullptr) {
            seal_parameter();
        } else if (bare_.constant->kind != parse::Constant::Kind::kNull) {
            is_array_ ? seal_array() : seal_constant();
        }
        if (!draft_.is_refused()) {
            rewrite_casts();
        }
    }

private:
    void seal_constant() {
        auto value = parameter_type_ ? plaintext_of_argument() : plaintext();
        if (!value) {
            return;
        }
        const auto end = parse::constant_end(draft_.text().tokens, bare_.begin);
        if (!end || has_fields_behind()) {
            draft_.refuse(
                "this form of constant", "write a plain string literal", column_, bare_.begin
            );
            return;
        }
        if (!has_room(*value)) {
            return;
        }
        draft_.sealed_.emplace(bare_.begin, column_);
        draft_.splice(literal_begin(), *end, SealedLiteral{column_, std::move(*value)});
    }

    /// `'{a,b}'` leaves as ARRAY[<a>,<b>]::bytea[].
    void seal_array() {
        const auto end = parse::constant_end(draft_.text().tokens, bare_.begin);
        if (!end || bare_.constant->kind != parse::Constant::Kind::kString) {
            draft_.refuse(
                "this form of array", "write '{a,b}' or ARRAY[...]", column_, bare_.begin
            );
            return;
        }
        draft_.sealed_.emplace(bare_.begin, column_);
        draft_.splice(literal_begin(), *end, FixedText{"ARRAY["});
        bool is_first = true;
        const auto read = types::read_array_text(bare_.constant->text, [&](auto element) {
            if (!is_first) {
                draft_.splice(*end, *end, FixedText{","});
            }
            is_first = false;
            return seal_element(element, *end);
        });
        if (!read) {
            draft_.refuse(constant_error(read.error(), *column_, bare_.begin));
        }
        draft_.splice(*end, *end, FixedText{"]::pg_catalog.bytea[]"});
    }

    bool seal_element(std::optional<core::ByteView> element, std::uint32_t place) {
        if (!element) {
            draft_.splice(place, place, FixedText{"NULL"});
            return true;
        }
        const parse::Constant constant{
            parse::Constant::Kind::kString, std::string(core::as_text(*element))};
        BareConstant bare;
        bare.constant = &constant;
        for (const auto& [type, cast] : all_conversions()) {
            if (!type) {
                refuse_parameter("an array of type " + display(cast->type));
                return false;
            }
            bare.conversions.push_back({*type, nullptr});
        }
        auto plaintext = plaintext_of_constant(bare, *column_, use_, reading());
        if (!plaintext) {
            draft_.refuse(constant_error(plaintext.error(), *column_, bare_.begin));
            return false;
        }
        if (!has_room(*plaintext)) {
            return false;
        }
        if (constant.text.size() >= parse::Inventory::kStringMin) {
            draft_.sealed_elements_.emplace(std::hash<std::string_view>()(constant.text), column_);
        }
        draft_.splice(place, place, SealedLiteral{column_, std::move(*plaintext)});
        return true;
    }

    bool has_room(const core::SecretBytes& plaintext) {
        // Every sealed value has a block of its own in locked memory.
        constexpr std::size_t kBlockOverhead = 48;
        Text& text = draft_.text();
        text.literal_bytes += plaintext.size() + kBlockOverhead;
        if (text.literal_bytes > text.context.limits.literal_bytes) {
            draft_.refuse(limit_error(
                "54000",
                "the statement holds more constants for encrypted columns than fit into locked "
                "memory",
                "send fewer rows per statement, or use parameters"
            ));
            return false;
        }
        return true;
    }

    std::optional<core::SecretBytes> plaintext() {
        return usable(plaintext_of_constant(bare_, *column_, use_, reading()), bare_.begin);
    }

    Reading reading() const { return {draft_.text().context.style, draft_.enums()}; }

    /// In two steps, as PostgreSQL takes them; errors of the second come when the statement runs,
    /// and have no position.
    std::optional<core::SecretBytes> plaintext_of_argument() {
        const types::TextStyle& style = draft_.text().context.style;
        const auto value = usable(argument_value(bare_, *parameter_type_, reading()), bare_.begin);
        if (!value) {
            return std::nullopt;
        }
        return usable(
            plaintext_of_parameter(value->reveal(), *parameter_type_, *column_, use_, style),
            parse::kNowhere
        );
    }

    std::optional<core::SecretBytes> usable(
        types::Result<core::SecretBytes> result, std::uint32_t begin
    ) {
        if (!result) {
            draft_.refuse(constant_error(result.error(), *column_, begin));
            return std::nullopt;
        }
        return std::move(*result);
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
            draft_.retype(*cast, is_array_ ? "pg_catalog.bytea[]" : "pg_catalog.bytea", column_);
        }
        for (const Conversion& conversion : bare_.conversions) {
            if (conversion.cast != nullptr) {
                draft_.retype(*conversion.cast, "pg_catalog.bytea", column_);
            }
        }
    }

    void seal_parameter() {
        ParameterPlan plan;
        if (!set_types(plan)) {
            return;
        }
        const types::Type from = plan.casts.empty() ? plan.input_type : plan.casts.back();
        if (use_ == ParameterUse::kCompared &&
            !types::is_comparable(from.kind, column_->type.kind)) {
            refuse_parameter("comparison with a parameter of type " + types::sql_name_of(from));
            return;
        }
        if (use_ != ParameterUse::kCompared &&
            !types::is_assignable(from.kind, column_->type.kind)) {
            refuse_parameter("assignment of a parameter of type " + types::sql_name_of(from));
            return;
        }
        plan.number = bare_.parameter->number;
        plan.column = column_;
        plan.use = use_;
        plan.is_array = is_array_;
        plan.declared_oid = is_array_ ? kByteaArrayOid : kByteaOid;
        plan.described_oid = is_array_ ? types::array_oid_of(plan.input_type.kind)
                                       : types::oid_of(plan.input_type.kind);
        ++draft_.protected_uses_[plan.number];
        if (const ParameterPlan* const earlier = draft_.find_parameter(plan.number)) {
            check_same(*earlier, plan);
            return;
        }
        draft_.add_parameter(std::move(plan));
    }

    std::optional<types::Kind> kind_of(std::uint32_t oid) const {
        const auto kind = draft_.enums().kind_of_oid(oid);
        if (!is_array_ || !kind) {
            return kind;
        }
        return types::is_array(*kind) ? std::optional(types::element_of(*kind)) : std::nullopt;
    }

    struct Step {
        std::optional<types::Type> type;  // empty: none of ours
        const parse::Cast* cast = nullptr;
    };

    std::vector<Step> all_conversions() const {
        std::vector<Step> steps;
        for (const parse::Cast* cast : bare_.casts) {
            const auto type = is_array_ ? element_type_of(cast->type, draft_.enums())
                                        : type_of(cast->type, draft_.enums());
            steps.push_back({type, cast});
        }
        for (const Conversion& conversion : bare_.conversions) {
            steps.push_back({conversion.type, conversion.cast});
        }
        return steps;
    }

    /// The type in which the client sends the value: declared, else that of the innermost cast,
    /// else what PostgreSQL infers from the column. All further types are casts.
    bool set_types(ParameterPlan& plan) {
        std::optional<types::Type> type;
        const std::uint32_t declared = draft_.declared_oid(bare_.parameter->number);
        if (declared != 0) {
            const auto kind = kind_of(declared);
            if (!kind) {
                refuse_parameter("a parameter declared with type OID " + std::to_string(declared));
                return false;
            }
            type = types::Type{*kind, -1};
        }
        plan.input_type = type.value_or(types::Type());
        bool is_open = !type;
        for (const auto& [next, cast] : all_conversions()) {
            if (!next || (!is_open && !types::is_castable(type->kind, next->kind))) {
                refuse_parameter(
                    "a parameter cast to " +
                    (next ? types::sql_name_of(*next) : display(cast->type))
                );
                return false;
            }
            if (is_open) {
                plan.input_type = types::Type{next->kind, -1};
                type = plan.input_type;
                is_open = false;
            }
            if (next->typmod != -1 || !same_values(type->kind, next->kind)) {
                plan.casts.push_back(*next);
            }
            type = next;
        }
        if (is_open) {
            plan.input_type = use_ == ParameterUse::kCompared
                                  ? types::comparison_type(column_->type)
                                  : types::Type{column_->type.kind, -1};
        }
        return true;
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
            earlier.casts == plan.casts && earlier.is_array == plan.is_array &&
            (earlier.use == plan.use || (is_converted_alike(earlier, column_->type) &&
                                         is_converted_alike(plan, column_->type)));
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
    bool is_array_;
    std::optional<types::Type> parameter_type_;
};

void Draft::seal(const Adaptable& constant, const ColumnPtr& column, ParameterUse use) {
    const auto [known, is_new] =
        needs_.try_emplace(constant.constant, Need{column, use, constant.conversions});
    if (!is_new) {
        const Need& need = known->second;
        if (need.column != column || need.use != use || need.conversions != constant.conversions) {
            refuse(
                "a constant that reaches two places",
                "write it twice",
                column,
                constant.constant->begin
            );
        }
        return;
    }
    const auto bare = bare_constant(constant);
    if (!bare) {
        refuse(Use::kConstruct, column, constant.constant->begin);
        return;
    }
    ConstantSealer(*this, *bare, column, use, false).run();
}

void Draft::seal_array(const parse::Expression& constant, const ColumnPtr& column) {
    const auto bare = bare_constant(constant);
    if (bare && !is_refused()) {
        ConstantSealer(*this, *bare, column, ParameterUse::kCompared, true).run();
    }
}

void Draft::seal_argument(const parse::Expression& constant, const ParameterPlan& parameter) {
    const auto bare = bare_constant(constant);
    core::invariant(bare.has_value(), "an argument that is sealed is a constant");
    if (parameter.is_array || !parameter.casts.empty()) {
        refuse(
            "EXECUTE with a value for an array, or for a parameter that is cast",
            "bind the value by the protocol",
            parameter.column,
            bare->begin
        );
        return;
    }
    ConstantSealer sealer(*this, *bare, parameter.column, parameter.use, false);
    sealer.pass_through(parameter.input_type);
    sealer.run();
}

}  // namespace pgveil::analysis
