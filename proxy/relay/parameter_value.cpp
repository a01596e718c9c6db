#include "proxy/relay/parameter_value.hpp"

#include "sql/field/plaintext.hpp"
#include "sql/types/codec.hpp"
#include "sql/types/convert.hpp"

namespace pgveil::relay {

using boost::system::result;

namespace {

types::Result<core::SecretBytes> converted_for(
    const analysis::ParameterPlan& parameter,
    types::Type from,
    core::ByteView value,
    const types::TextStyle& style
) {
    const types::Type column = parameter.column->type;
    switch (parameter.use) {
        case analysis::ParameterUse::kCompared:
            return types::convert_for_comparison(from, column, value);
        case analysis::ParameterUse::kBeside:
            return types::convert_unchanged(from, column, value, style);
        case analysis::ParameterUse::kAssigned:
        case analysis::ParameterUse::kPlain: break;
    }
    return types::convert_for_assignment(from, column, value, style);
}

}  // namespace

result<core::SecretBytes, Refusal> read_parameter(
    const analysis::ParameterPlan& parameter,
    const FormattedCell& sent,
    const types::TextStyle& style
) {
    auto read = sent.format == wire::Format::kBinary
                    ? types::from_binary(parameter.input_type, *sent.cell)
                    : types::from_text(parameter.input_type, core::as_text(*sent.cell), style);
    if (!read.has_value()) {
        return unread_parameter(
            refusal(read.error(), parameter.column.get()),
            parameter.client_number(),
            sent.format == wire::Format::kText
        );
    }
    return std::move(*read);
}

result<core::SecretBytes, Refusal> cast_parameter(
    const analysis::ParameterPlan& parameter, core::SecretBytes value, const types::TextStyle& style
) {
    types::Type from = parameter.input_type;
    for (const types::Type& cast : parameter.casts) {
        auto converted = types::cast_explicitly(from, cast, value.reveal(), style);
        if (!converted.has_value()) {
            return refusal(converted.error(), parameter.column.get());
        }
        value = std::move(*converted);
        from = cast;
    }
    return value;
}

result<core::SecretBytes, Refusal> plaintext_of_parameter(
    const analysis::ParameterPlan& parameter, core::SecretBytes value, const types::TextStyle& style
) {
    auto cast = cast_parameter(parameter, std::move(value), style);
    if (!cast.has_value()) {
        return cast.error();
    }
    const types::Type from =
        parameter.casts.empty() ? parameter.input_type : parameter.casts.back();
    auto converted = converted_for(parameter, from, cast->reveal(), style);
    if (!converted.has_value()) {
        return refusal(converted.error(), parameter.column.get());
    }
    auto plaintext = field::plaintext_of(*parameter.column, std::move(*converted));
    if (!plaintext.has_value()) {
        return refusal(plaintext.error(), parameter.column.get());
    }
    return std::move(*plaintext);
}

}  // namespace pgveil::relay
