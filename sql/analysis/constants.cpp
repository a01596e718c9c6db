#include "sql/analysis/constants.hpp"

#include "sql/analysis/draft.hpp"
#include "sql/analysis/type_names.hpp"
#include "sql/types/codec.hpp"
#include "sql/types/convert.hpp"

#include <algorithm>
#include <string>

namespace pgveil::analysis {

namespace {

constexpr std::uint32_t kByteaOid = 17;

/// A constant on its way to the column: untyped text, or a value in binary form.
struct TypedConstant {
    std::optional<types::Type> type;  // empty: an untyped literal
    core::SecretBytes binary;
};

types::Result<TypedConstant> typed(
    types::Kind kind, std::string_view text, const types::TextStyle& style
) {
    auto binary = types::from_text({kind, -1}, text, style);
    if (!binary) {
        return binary.error();
    }
    return TypedConstant{types::Type{kind, -1}, std::move(*binary)};
}

types::Result<TypedConstant> typed_decimal(std::string_view digits, const types::TextStyle& style) {
    // As make_const() does: the smallest of int4, int8 that holds it; everything else is numeric.
    for (const types::Kind kind : {types::Kind::kInt4, types::Kind::kInt8}) {
        auto value = typed(kind, digits, style);
        if (value) {
            return value;
        }
    }
    return types::unsupported_form("a numeric constant", "write it as a string literal, e.g. '12'");
}

types::Result<TypedConstant> read_constant(
    const parse::Constant& constant, const types::TextStyle& style
) {
    switch (constant.kind) {
        case parse::Constant::Kind::kInteger:
            return typed(types::Kind::kInt4, constant.text, style);
        case parse::Constant::Kind::kDecimal: return typed_decimal(constant.text, style);
        case parse::Constant::Kind::kBool: return typed(types::Kind::kBool, constant.text, style);
        case parse::Constant::Kind::kString: return TypedConstant{};
        case parse::Constant::Kind::kBitString:
        case parse::Constant::Kind::kNull: break;
    }
    return types::unsupported_form("a bit string constant", "write it as a string literal");
}

bool is_text(types::Kind kind) {
    return kind == types::Kind::kText || kind == types::Kind::kVarchar;
}

bool same_values(types::Kind left, types::Kind right) {
    return left == right || (is_text(left) && is_text(right));
}

bool is_integer(types::Kind kind) {
    return kind == types::Kind::kInt2 || kind == types::Kind::kInt4 || kind == types::Kind::kInt8;
}

bool is_day(types::Kind kind) {
    return kind == types::Kind::kDate || kind == types::Kind::kTimestamp;
}

/// Pairs that types::convert_for_comparison can convert for at least some values.
bool is_comparable(types::Kind from, types::Kind column) {
    return same_values(from, column) || (is_integer(from) && is_integer(column)) ||
           (is_day(from) && is_day(column));
}

int width_of(types::Kind integer) {
    return integer == types::Kind::kInt2 ? 2 : integer == types::Kind::kInt4 ? 4 : 8;
}

/// PostgreSQL compares a value of type `from` with the column in the column's own type.
bool widens_to(types::Kind from, types::Kind column) {
    return same_values(from, column) ||
           (is_integer(from) && is_integer(column) && width_of(from) <= width_of(column)) ||
           (from == types::Kind::kDate && column == types::Kind::kTimestamp);
}

/// The type that an item of a list declares.
struct ItemType {
    bool is_declared = false;
    std::optional<types::Kind> kind;  // empty: untyped, or none of ours
};

ItemType type_of_item(const BareConstant& bare, const Draft& draft) {
    using Kind = parse::Constant::Kind;
    if (!bare.casts.empty()) {
        const auto type = type_of(bare.casts.back()->type);
        return {true, type ? std::optional(type->kind) : std::nullopt};
    }
    if (bare.parameter != nullptr) {
        const std::uint32_t oid = draft.declared_oid(bare.parameter->number);
        const auto kind = types::kind_of_oid(oid);
        return {oid != 0, kind ? std::optional(*kind) : std::nullopt};
    }
    switch (bare.constant->kind) {
        case Kind::kInteger: return {true, types::Kind::kInt4};
        case Kind::kDecimal: return {true, types::Kind::kInt8};
        case Kind::kBool: return {true, types::Kind::kBool};
        case Kind::kBitString: return {true, std::nullopt};
        case Kind::kString:
        case Kind::kNull: break;
    }
    return {};
}

}  // namespace

bool is_read_as_column(
    const std::vector<const parse::Expression*>& items,
    const types::Type& column,
    const Draft& draft
) {
    bool has_untyped = false;
    bool has_other = false;
    for (const parse::Expression* item : items) {
        const auto bare = bare_constant(*item);
        if (!bare || is_null_constant(*item)) {
            continue;  // a column of the same context, or NULL, which is the same in every type
        }
        const ItemType type = type_of_item(*bare, draft);
        has_untyped |= !type.is_declared;
        has_other |= type.is_declared && !(type.kind && widens_to(*type.kind, column.kind));
    }
    return !has_untyped || !has_other;
}

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
        auto plaintext = convert();
        if (!plaintext) {
            draft_.refuse(constant_error(plaintext.error(), *column_, bare_.begin));
            return;
        }
        const auto end = parse::constant_end(draft_.text().tokens, bare_.begin);
        if (!end) {
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

    static bool is_prefix(const parse::Cast& cast) { return cast.position == parse::kNowhere; }

    types::Result<core::SecretBytes> convert() {
        const types::TextStyle& style = draft_.text().context.style;
        auto value = read_constant(*bare_.constant, style);
        if (!value) {
            return value.error();
        }
        for (const parse::Cast* cast : bare_.casts) {
            value = apply_cast(std::move(*value), *cast);
            if (!value) {
                return value.error();
            }
        }
        if (!value->type) {
            const auto& text = bare_.constant->text;
            return types::from_text(
                use_ == ParameterUse::kAssigned ? column_->type
                                                : types::comparison_type(column_->type),
                text,
                style
            );
        }
        return use_ == ParameterUse::kAssigned
                   ? types::convert_for_assignment(
                         *value->type, column_->type, value->binary.reveal(), style
                     )
                   : types::convert_for_comparison(
                         *value->type, column_->type, value->binary.reveal()
                     );
    }

    types::Result<TypedConstant> apply_cast(TypedConstant value, const parse::Cast& cast) {
        const auto type = type_of(cast.type);
        if (!type) {
            return types::unsupported_form("a constant of type " + display(cast.type));
        }
        const types::TextStyle& style = draft_.text().context.style;
        auto binary = value.type ? types::convert_for_assignment(
                                       *value.type, {type->kind, -1}, value.binary.reveal(), style
                                   )
                                 : types::from_text({type->kind, -1}, bare_.constant->text, style);
        if (!binary) {
            return binary.error();
        }
        auto fitted = types::apply_explicit_typmod(*type, binary->reveal());
        if (!fitted) {
            return fitted.error();
        }
        return TypedConstant{*type, std::move(*fitted)};
    }

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
        if (use_ == ParameterUse::kCompared && !is_comparable(input->kind, column_->type.kind)) {
            refuse_parameter("comparison with a parameter of type " + types::sql_name_of(*input));
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
            earlier.use == plan.use || column_->type == types::comparison_type(column_->type);
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
