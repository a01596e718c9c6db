#include "sql/analysis/column_name.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace pgveil::analysis {

namespace {

struct ConstructName {
    std::string_view construct;
    std::string_view name;
};

constexpr std::array kConstructNames = {
    ConstructName{"COALESCE", "coalesce"},
    ConstructName{"GREATEST", "greatest"},
    ConstructName{"LEAST", "least"},
    ConstructName{"ARRAY", "array"},
    ConstructName{"row value", "row"},
    ConstructName{"GROUPING", "grouping"}};

std::string name_of(const parse::Construct& construct) {
    if (construct.name == "COLLATE" && !construct.parts.empty()) {
        return name_of_column(*construct.parts.front());
    }
    const auto* const known = std::find_if(
        kConstructNames.begin(),
        kConstructNames.end(),
        [&construct](const ConstructName& entry) { return entry.construct == construct.name; }
    );
    return known == kConstructNames.end() ? std::string() : std::string(known->name);
}

/// The name of what stands behind ELSE wins, if it has one of its own.
std::string name_of(const parse::Case& choice) {
    const bool is_certain =
        choice.otherwise == nullptr || name_of_column(*choice.otherwise).empty();
    return is_certain ? "case" : std::string();
}

std::string name_of(const parse::SubQuery& query) {
    using Kind = parse::SubQuery::Kind;
    if (query.kind == Kind::kExists || query.kind == Kind::kArray) {
        return query.kind == Kind::kExists ? "exists" : "array";
    }
    if (query.kind != Kind::kScalar || query.query->targets.size() != 1) {
        return {};
    }
    const parse::Target& target = query.query->targets.front();
    return target.name.empty() && target.value != nullptr ? name_of_column(*target.value)
                                                          : target.name;
}

std::string name_of(const parse::Cast& cast) {
    if (std::holds_alternative<parse::Case>(cast.operand->node)) {
        return {};  // the type's name or that of what stands behind ELSE
    }
    std::string inner = name_of_column(*cast.operand);
    return inner.empty() && !cast.type.names.empty() ? cast.type.names.back() : inner;
}

}  // namespace

std::string name_of_column(const parse::Expression& value) {
    if (const auto* const reference = std::get_if<parse::ColumnReference>(&value.node)) {
        return reference->parts.empty() ? std::string() : reference->parts.back();
    }
    if (const auto* const query = std::get_if<parse::SubQuery>(&value.node)) {
        return name_of(*query);
    }
    if (const auto* const call = std::get_if<parse::Call>(&value.node)) {
        return call->name.empty() ? std::string() : call->name.back();
    }
    if (const auto* const cast = std::get_if<parse::Cast>(&value.node)) {
        return name_of(*cast);
    }
    if (const auto* const choice = std::get_if<parse::Case>(&value.node)) {
        return name_of(*choice);
    }
    if (const auto* const construct = std::get_if<parse::Construct>(&value.node)) {
        return name_of(*construct);
    }
    const auto* const operation = std::get_if<parse::Operation>(&value.node);
    const bool is_null_if =
        operation != nullptr && operation->kind == parse::Operation::Kind::kNullIf;
    return is_null_if ? "nullif" : std::string();
}

}  // namespace pgveil::analysis
