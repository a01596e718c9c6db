#include "keyshare/core/invariant.hpp"
#include "sql/analysis/constant_value.hpp"
#include "sql/analysis/constants.hpp"
#include "sql/analysis/draft.hpp"
#include "sql/analysis/parameter_sealer.hpp"
#include "sql/analysis/type_names.hpp"
#include "sql/types/array_elements.hpp"
#include "sql/types/convert.hpp"
#include "sql/types/interval_typmod.hpp"

#include <algorithm>
#include <functional>
#include <string>

namespace pgveil::analysis {

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
            ParameterSealer(draft_, bare_, column_, use_, is_array_).run();
        } else if (bare_.constant->kind == parse::Constant::Kind::kNull) {
            check_typed_null();
        } else {
            is_array_ ? seal_array() : seal_constant();
        }
        if (!draft_.is_refused()) {
            rewrite_casts();
        }
    }

private:
    /// NULL of a type is used where a value of it could be: PostgreSQL looks for the operator or
    /// cast before it looks at the value.
    void check_typed_null() {
        std::optional<types::Type> type;
        for (const auto& [next, cast] : conversions_of(bare_, is_array_, draft_.enums())) {
            if (!next || (type && !types::is_castable(type->kind, next->kind))) {
                refuse_null(next ? types::sql_name_of(*next) : display(cast->type));
                return;
            }
            type = next;
        }
        if (type && !is_usable(type->kind)) {
            refuse_null(types::sql_name_of(*type));
        }
    }

    bool is_usable(types::Kind from) const {
        if (parameter_type_) {
            return types::is_assignable(from, parameter_type_->kind);
        }
        return use_ == ParameterUse::kCompared ? types::is_comparable(from, column_->type.kind)
                                               : types::is_assignable(from, column_->type.kind);
    }

    void refuse_null(const std::string& type) {
        draft_.refuse("NULL of type " + type, "write NULL without a type", column_, bare_.begin);
    }

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
        draft_.splice(
            literal_begin(), *end, SealedLiteral{column_, std::move(*value), {}, bare_use()}
        );
    }

    std::optional<ParameterUse> bare_use() const {
        const bool is_bare = !parameter_type_ && bare_.casts.empty() && bare_.conversions.empty() &&
                             !column_->is_bound();
        return is_bare ? std::optional(use_) : std::nullopt;
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
        const auto seal_next = [&](auto element) {
            if (!is_first) {
                draft_.splice(*end, *end, FixedText{","});
            }
            is_first = false;
            return seal_element(element, *end);
        };
        const auto read =
            types::read_array_text(bare_.constant->text, draft_.text().context.style, seal_next);
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
        for (const auto& [type, cast] : conversions_of(bare_, is_array_, draft_.enums())) {
            if (!type) {
                draft_.refuse(
                    "an array of type " + display(cast->type),
                    "leave the type open, or use the column's own type " +
                        types::sql_name_of(column_->type),
                    column_,
                    bare_.begin
                );
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
