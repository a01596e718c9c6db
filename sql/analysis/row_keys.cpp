#include "sql/analysis/constants.hpp"
#include "sql/analysis/draft.hpp"
#include "sql/analysis/type_names.hpp"
#include "sql/types/codec.hpp"

#include <algorithm>

// The keys of bind_to, as a statement gives them.
namespace pgveil::analysis {

namespace {

std::string joined(const std::vector<std::string>& names) {
    std::string text;
    for (const std::string& name : names) {
        text += (text.empty() ? "" : ", ") + name;
    }
    return text;
}

/// The types of all casts around a constant, if each is a type that keeps the value of a key.
std::optional<std::vector<types::Kind>> kinds_of_casts(
    const BareConstant& bare, types::Kind key_kind
) {
    std::vector<types::Kind> kinds;
    for (const parse::Cast* cast : bare.casts) {
        const auto type = type_of(cast->type);
        if (!type || !field::is_same_key_type(type->kind, key_kind)) {
            return std::nullopt;
        }
        kinds.push_back(type->kind);
    }
    return kinds;
}

/// The type in which the server reads the constant; nullopt where it is not that of a key.
std::optional<types::Kind> kind_of_literal(const parse::Constant& constant, types::Kind kind) {
    switch (constant.kind) {
        case parse::Constant::Kind::kString: return kind;
        case parse::Constant::Kind::kInteger:
        case parse::Constant::Kind::kDecimal:
            return field::is_same_key_type(kind, types::Kind::kInt8)
                       ? std::optional(types::Kind::kInt8)
                       : std::nullopt;
        case parse::Constant::Kind::kNull:
        case parse::Constant::Kind::kBool:
        case parse::Constant::Kind::kBitString: break;
    }
    return std::nullopt;
}

}  // namespace

std::optional<RowKey> Draft::row_key(
    const parse::Expression& expression, const catalog::Column& key
) {
    const auto key_kind = types::kind_of_oid(key.type_oid);
    const auto bare = bare_constant(expression);
    const auto casts = bare && key_kind ? kinds_of_casts(*bare, *key_kind) : std::nullopt;
    if (!casts) {
        return std::nullopt;
    }
    const types::Kind innermost = casts->empty() ? *key_kind : casts->front();
    RowKey result;
    result.column = key.name;
    if (bare->constant != nullptr) {
        auto value = literal_key(*bare, innermost);
        if (!value) {
            return std::nullopt;
        }
        result.value = std::move(*value);
        return result;
    }
    const std::uint32_t declared = declared_oid(bare->parameter->number);
    const auto declared_kind = types::kind_of_oid(declared);
    if (declared != 0 && (!declared_kind || !field::is_same_key_type(*declared_kind, *key_kind))) {
        return std::nullopt;
    }
    const types::Kind kind = declared != 0 ? *declared_kind : innermost;
    result.value = KeyParameter{bare->parameter->number, {kind, -1}};
    key_uses_[bare->parameter->number].insert(bare->begin);
    return result;
}

std::optional<field::KeyValue> Draft::literal_key(const BareConstant& bare, types::Kind key) {
    const auto kind = kind_of_literal(*bare.constant, key);
    if (!kind) {
        return std::nullopt;
    }
    const auto binary = types::from_text({*kind, -1}, bare.constant->text, text_.context.style);
    if (binary) {
        return field::KeyValue{*kind, core::to_bytes(binary->reveal())};
    }
    const types::Error& error = binary.error();
    const bool is_numeric = bare.constant->kind == parse::Constant::Kind::kDecimal;
    if (error.kind == types::ErrorKind::kInvalidValue && !is_numeric) {
        refuse(postgres_error(error.sqlstate, error.message, bare.begin));
    }
    return std::nullopt;
}

void Draft::seal_for_row(const parse::Expression& constant, const ColumnPtr& column, RowKeys row) {
    const auto bare = bare_constant(constant);
    ParameterPlan* const earlier =
        bare && bare->parameter != nullptr ? parameters_.latest(bare->parameter->number) : nullptr;
    if (earlier != nullptr && earlier->row != row) {
        refuse(
            "parameter $" + std::to_string(earlier->number) + " for two rows",
            "its bind_to makes the value another one in every row: send it as two parameters",
            column,
            bare->begin
        );
        return;
    }
    seal(Adaptable{&constant}, column, ParameterUse::kAssigned);
    if (is_refused() || !bare || is_null_constant(constant)) {
        return;
    }
    if (bare->parameter != nullptr) {
        parameters_.latest(bare->parameter->number)->row = std::move(row);
    } else {
        attach_row(bare->begin, column, row);
    }
}

/// A literal leaves with the text, before any parameter is known.
void Draft::attach_row(std::uint32_t begin, const ColumnPtr& column, const RowKeys& row) {
    std::vector<field::KeyValue> values;
    for (const RowKey& key : row) {
        const auto* const value = std::get_if<field::KeyValue>(&key.value);
        if (value == nullptr) {
            refuse(
                "a constant for a row whose key " + key.column + " is a parameter",
                "send the value as a parameter, too",
                column,
                begin
            );
            return;
        }
        values.push_back(*value);
    }
    for (auto splice = plan_.splices.rbegin(); splice != plan_.splices.rend(); ++splice) {
        if (auto* const literal = std::get_if<SealedLiteral>(&splice->replacement)) {
            literal->row = field::row_binding(values);
            return;
        }
    }
}

/// What type the server gives an undeclared parameter is certain only where the key is its one use.
void Draft::check_key_parameters() {
    for (const auto& [number, uses] : key_uses_) {
        if (declared_oid(number) == 0 && uses.size() < occurrences_of(number)) {
            refuse(refusal_of(
                "parameter $" + std::to_string(number),
                "a key of bind_to that is used in another place, too",
                "declare the parameter's type, or send the value as two parameters",
                *uses.begin()
            ));
        }
    }
}

/// However a value came here: without its row it could never be opened again.
void Draft::check_rows() {
    for (const Splice& splice : plan_.splices) {
        const auto* const literal = std::get_if<SealedLiteral>(&splice.replacement);
        if (literal != nullptr && literal->column->is_bound() && literal->row.empty()) {
            refuse_without_row(literal->column, splice.begin);
        }
    }
    for (const ParameterPlan& parameter : plan_.parameters) {
        const bool is_bound = parameter.column != nullptr && parameter.column->is_bound();
        if (is_bound && parameter.row.empty()) {
            refuse_without_row(parameter.column, parse::kNowhere);
        }
    }
}

void Draft::refuse_without_row(const ColumnPtr& column, std::uint32_t begin) {
    refuse(
        "a value without the key of its row",
        "bind_to needs " + joined(column->bind_to) +
            ": INSERT with VALUES, or UPDATE with WHERE key = constant or parameter",
        column,
        begin
    );
}

}  // namespace pgveil::analysis
