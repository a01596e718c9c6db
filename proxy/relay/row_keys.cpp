#include "proxy/relay/row_keys.hpp"

#include "sql/types/codec.hpp"

namespace pgveil::relay {

namespace {

using boost::system::result;

types::Result<field::KeyValue> read_key(
    types::Kind kind, const FormattedCell& key, const types::TextStyle& style
) {
    const types::Type type{kind, -1};
    const auto binary = key.format == wire::Format::kBinary
                            ? types::from_binary(type, *key.cell)
                            : types::from_text(type, core::as_text(*key.cell), style);
    if (!binary.has_value()) {
        return binary.error();
    }
    return field::KeyValue{kind, core::to_bytes(binary->reveal())};
}

Refusal null_key(const std::string& column) {
    Refusal refusal;
    refusal.sqlstate = "22004";
    refusal.message = "the key " + column + " of an encrypted value is NULL";
    refusal.hint = "bind_to seals the value for its row: send the key of the row.";
    return refusal;
}

}  // namespace

result<std::optional<core::Bytes>, Refusal> row_of_parameters(
    const analysis::RowKeys& keys,
    std::span<const FormattedCell> parameters,
    const types::TextStyle& style
) {
    std::vector<field::KeyValue> values;
    for (const analysis::RowKey& key : keys) {
        if (const auto* const known = std::get_if<field::KeyValue>(&key.value)) {
            values.push_back(*known);
            continue;
        }
        const auto& parameter = std::get<analysis::KeyParameter>(key.value);
        const std::string number = "$" + std::to_string(parameter.number);
        if (parameter.number == 0 || parameter.number > parameters.size()) {
            return refusal(Reason::kBadParameter, number + " is missing");
        }
        const FormattedCell& sent = parameters[parameter.number - 1];
        if (!sent.cell && !key.is_compared) {
            return null_key(key.column);
        }
        if (!sent.cell) {
            return std::optional<core::Bytes>();
        }
        auto value = read_key(parameter.input_type.kind, sent, style);
        if (!value.has_value()) {
            return unread_parameter(
                refusal(value.error()), parameter.number, sent.format == wire::Format::kText
            );
        }
        values.push_back(std::move(*value));
    }
    return std::optional(field::row_binding(values));
}

result<core::Bytes, Refusal> row_of_result(
    const std::vector<analysis::ResultColumn>& results,
    std::size_t column,
    std::span<const FormattedCell> cells,
    const types::TextStyle& style
) {
    std::vector<field::KeyValue> values;
    for (const std::uint16_t place : results[column].keys) {
        const auto kind = results[place].key_kind;
        const bool is_there = kind && cells[place].cell;
        auto value = is_there ? read_key(*kind, cells[place], style)
                              : types::Result<field::KeyValue>(types::Error{});
        if (!value.has_value()) {
            return refusal(Reason::kValueNotOpened, results[column].column->qualified_name());
        }
        values.push_back(std::move(*value));
    }
    return field::row_binding(values);
}

result<core::Bytes, Refusal> row_of_copied(
    const std::vector<analysis::ResultColumn>& columns,
    std::size_t column,
    std::span<const FormattedCell> cells,
    const types::TextStyle& style
) {
    std::vector<field::KeyValue> values;
    const auto& names = columns[column].column->bind_to;
    for (const std::uint16_t place : columns[column].keys) {
        if (!cells[place].cell || !columns[place].key_kind) {
            return null_key(names[values.size()]);
        }
        auto value = read_key(*columns[place].key_kind, cells[place], style);
        if (!value.has_value()) {
            return refusal(value.error());
        }
        values.push_back(std::move(*value));
    }
    return field::row_binding(values);
}

}  // namespace pgveil::relay
