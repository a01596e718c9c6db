#include "sql/analysis/constants.hpp"

#include "sql/analysis/type_names.hpp"

#include <algorithm>

namespace pgveil::analysis {

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

std::optional<BareConstant> bare_constant(const Adaptable& adaptable) {
    auto bare = bare_constant(*adaptable.constant);
    if (bare) {
        bare->conversions = adaptable.conversions;
        bare->open_kind = adaptable.open_kind;
    }
    return bare;
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
            return type && type->typmod == -1 &&
                   (type->kind == types::Kind::kText || type->kind == types::Kind::kVarchar);
        });
    return only_text ? std::optional<std::string_view>(bare->constant->text) : std::nullopt;
}

bool is_null_constant(const parse::Expression& expression) {
    const auto bare = bare_constant(expression);
    return bare && bare->constant != nullptr &&
           bare->constant->kind == parse::Constant::Kind::kNull;
}

}  // namespace pgveil::analysis
