#include "sql/analysis/constant_value.hpp"

#include "sql/analysis/type_names.hpp"
#include "sql/field/plaintext.hpp"
#include "sql/types/codec.hpp"
#include "sql/types/convert.hpp"

#include <utility>

namespace pgveil::analysis {

namespace {

/// A constant on its way to the column: untyped text, or a value in binary form.
struct TypedConstant {
    std::optional<types::Type> type;  // empty: an untyped literal
    core::SecretBytes binary;
};

types::Result<TypedConstant> read_constant(
    const parse::Constant& constant, const types::TextStyle& style
) {
    if (constant.kind == parse::Constant::Kind::kString) {
        return TypedConstant{};
    }
    const auto kind = kind_of_constant(constant);
    if (!kind) {
        return types::unsupported_form("a bit string constant", "write it as a string literal");
    }
    auto binary = types::from_text({*kind, -1}, constant.text, style);
    if (!binary) {
        return binary.error();
    }
    return TypedConstant{types::Type{*kind, -1}, std::move(*binary)};
}

types::Result<TypedConstant> apply_cast(
    TypedConstant value,
    const types::Type& type,
    const std::string& literal,
    const types::TextStyle& style
) {
    auto binary = value.type
                      ? types::cast_explicitly(*value.type, type, value.binary.reveal(), style)
                      : types::from_text({type.kind, -1}, literal, style);
    if (binary && !value.type) {
        binary = types::apply_explicit_typmod(type, binary->reveal());
    }
    return binary ? types::Result<TypedConstant>(TypedConstant{type, std::move(*binary)})
                  : binary.error();
}

types::Result<TypedConstant> apply_cast(
    TypedConstant value, const parse::Cast& cast, const std::string& literal, const Reading& reading
) {
    const auto type = type_of(cast.type, reading.enums);
    if (!type) {
        return types::unsupported_form("a constant of type " + display(cast.type));
    }
    return apply_cast(std::move(value), *type, literal, reading.style);
}

/// A typed constant as `column` takes it.
types::Result<core::SecretBytes> converted(
    const TypedConstant& value,
    const types::Type& column,
    ParameterUse use,
    const types::TextStyle& style
) {
    const core::ByteView binary = value.binary.reveal();
    switch (use) {
        case ParameterUse::kCompared:
            return types::convert_for_comparison(*value.type, column, binary);
        case ParameterUse::kBeside:
            return types::convert_unchanged(*value.type, column, binary, style);
        case ParameterUse::kAssigned:
        case ParameterUse::kPlain: break;
    }
    return types::convert_for_assignment(*value.type, column, binary, style);
}

/// What is left of a constant inside its casts, as `column` takes it.
types::Result<core::SecretBytes> converted(
    const TypedConstant& value,
    const parse::Constant& constant,
    const types::Type& column,
    ParameterUse use,
    const types::TextStyle& style
) {
    if (value.type) {
        return converted(value, column, use, style);
    }
    if (use != ParameterUse::kCompared) {
        return types::from_text(column, constant.text, style);
    }
    const types::Type compared = types::comparison_type(column);
    auto read = types::from_text(compared, constant.text, style);
    return read ? types::convert_for_comparison(compared, column, read->reveal()) : std::move(read);
}

types::Result<core::SecretBytes> convert(
    const BareConstant& bare, const types::Type& column, ParameterUse use, const Reading& reading
) {
    const types::TextStyle& style = reading.style;
    auto value = read_constant(*bare.constant, style);
    for (const parse::Cast* cast : bare.casts) {
        if (value) {
            value = apply_cast(std::move(*value), *cast, bare.constant->text, reading);
        }
    }
    for (const Conversion& conversion : bare.conversions) {
        if (value) {
            value = apply_cast(std::move(*value), conversion.type, bare.constant->text, style);
        }
    }
    return value ? converted(*value, *bare.constant, column, use, style) : value.error();
}

}  // namespace

std::optional<types::Kind> kind_of_constant(const parse::Constant& constant) {
    switch (constant.kind) {
        case parse::Constant::Kind::kInteger: return types::Kind::kInt4;
        case parse::Constant::Kind::kBool: return types::Kind::kBool;
        case parse::Constant::Kind::kDecimal:
            for (const types::Kind kind : {types::Kind::kInt4, types::Kind::kInt8}) {
                if (types::from_text({kind, -1}, constant.text, {})) {
                    return kind;
                }
            }
            return types::Kind::kNumeric;
        case parse::Constant::Kind::kString:
        case parse::Constant::Kind::kBitString:
        case parse::Constant::Kind::kNull: break;
    }
    return std::nullopt;
}

types::Result<core::SecretBytes> plaintext_of_constant(
    const BareConstant& bare,
    const field::ProtectedColumn& column,
    ParameterUse use,
    const Reading& reading
) {
    auto value = convert(bare, column.type, use, reading);
    return value ? field::plaintext_of(column, std::move(*value)) : std::move(value);
}

types::Result<core::SecretBytes> plaintext_of_bare_constant(
    const parse::Constant& constant,
    const field::ProtectedColumn& column,
    ParameterUse use,
    const types::TextStyle& style
) {
    const auto read = read_constant(constant, style);
    if (!read) {
        return read.error();
    }
    auto value = converted(*read, constant, column.type, use, style);
    return value ? field::plaintext_of(column, std::move(*value)) : std::move(value);
}

types::Result<core::SecretBytes> argument_value(
    const BareConstant& bare, const types::Type& parameter, const Reading& reading
) {
    return convert(bare, parameter, ParameterUse::kAssigned, reading);
}

types::Result<core::SecretBytes> plaintext_of_parameter(
    core::ByteView value,
    const types::Type& parameter,
    const field::ProtectedColumn& column,
    ParameterUse use,
    const types::TextStyle& style
) {
    auto converted = use == ParameterUse::kCompared
                         ? types::convert_for_comparison(parameter, column.type, value)
                         : types::convert_for_assignment(parameter, column.type, value, style);
    return converted ? field::plaintext_of(column, std::move(*converted)) : std::move(converted);
}

}  // namespace pgveil::analysis
