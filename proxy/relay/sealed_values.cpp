#include "proxy/relay/sealed_values.hpp"

#include "sql/types/codec.hpp"
#include "sql/types/number_casts.hpp"

#include <functional>

namespace pgveil::relay {

namespace {

constexpr std::size_t kTextMin = 4;
constexpr std::size_t kNumberMin = 8;

std::size_t hash_of(core::ByteView bytes, wire::Format format) {
    const std::size_t hash = std::hash<std::string_view>()(core::as_text(bytes));
    return format == wire::Format::kBinary ? ~hash : hash;
}

/// Characters that the text of a value must have; nullopt: no value of this type says anything.
std::optional<std::size_t> least_size(types::Kind kind) {
    if (kind == types::Kind::kBool) {
        return std::nullopt;
    }
    const bool is_number =
        types::is_integer(kind) || types::is_float(kind) || kind == types::Kind::kNumeric;
    return is_number ? kNumberMin : kTextMin;
}

}  // namespace

void SealedValues::add(
    const analysis::ParameterPlan& parameter,
    const FormattedCell& sent,
    core::ByteView value,
    const types::TextStyle& style
) {
    const auto least = least_size(parameter.column->type.kind);
    const auto text = types::to_text(parameter.input_type, value, style);
    if (!least || !text.has_value() || text->size() < *least) {
        return;
    }
    columns_.emplace(hash_of(text->reveal(), wire::Format::kText), parameter.column);
    columns_.emplace(hash_of(value, wire::Format::kBinary), parameter.column);
    columns_.emplace(hash_of(*sent.cell, sent.format), parameter.column);
}

analysis::ColumnPtr SealedValues::find(const FormattedCell& cell) const {
    const auto found = cell.cell ? columns_.find(hash_of(*cell.cell, cell.format)) : columns_.end();
    return found == columns_.end() ? nullptr : found->second;
}

analysis::ColumnPtr SealedValues::find_text(std::size_t hash) const {
    const auto found = columns_.find(hash);
    return found == columns_.end() ? nullptr : found->second;
}

}  // namespace pgveil::relay
