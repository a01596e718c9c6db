#include "sql/analysis/standing.hpp"

#include "sql/analysis/relations.hpp"
#include "sql/parse/ast.hpp"

#include <algorithm>

namespace pgveil::analysis {

namespace {

Standing standing_of(Relations& relations, const catalog::RelationName& name) {
    using Kind = catalog::RelationName::Kind;
    switch (name.kind) {
        case Kind::kRelation: return relations.judge(name, parse::kNowhere).standing;
        case Kind::kFunction:
        case Kind::kFunctionBody:
            return relations.judge_function({name.schema, name.name}, parse::kNowhere).standing;
        case Kind::kType:
        case Kind::kTypeOid: return relations.judge_type(name, parse::kNowhere).standing;
        case Kind::kEnum: break;
    }
    return Standing::kPlain;
}

bool is_same(const ColumnPtr& left, const ColumnPtr& right) {
    if (left == nullptr || right == nullptr) {
        return left == right;
    }
    return left->schema == right->schema && left->table == right->table &&
           left->name == right->name && left->bind_to == right->bind_to &&
           left->type == right->type && field::shares_context(*left, *right);
}

bool is_same(const std::vector<ColumnPtr>& left, const std::vector<ColumnPtr>& right) {
    return std::equal(
        left.begin(),
        left.end(),
        right.begin(),
        right.end(),
        [](const auto& one, const auto& other) { return is_same(one, other); }
    );
}

bool is_same(const Splice& left, const Splice& right) {
    const auto* const one = std::get_if<FixedText>(&left.replacement);
    const auto* const other = std::get_if<FixedText>(&right.replacement);
    return left.begin == right.begin && left.end == right.end && one != nullptr &&
           other != nullptr && one->text == other->text;
}

bool is_same(const ParameterPlan& left, const ParameterPlan& right) {
    return left.number == right.number && left.source == right.source &&
           is_same(left.column, right.column) && left.use == right.use &&
           left.handle == right.handle && left.is_parameter_name == right.is_parameter_name &&
           left.declared_oid == right.declared_oid && left.described_oid == right.described_oid &&
           left.input_type == right.input_type && left.casts == right.casts &&
           left.is_array == right.is_array && left.is_null_test == right.is_null_test &&
           left.row == right.row;
}

bool is_same(const ResultColumn& left, const ResultColumn& right) {
    return is_same(left.column, right.column) && left.keys == right.keys &&
           left.key_kind == right.key_kind && left.shown_type == right.shown_type &&
           is_same(left.others, right.others) && left.is_bytea == right.is_bytea;
}

template <class Item>
bool are_same(const std::vector<Item>& left, const std::vector<Item>& right) {
    return std::equal(
        left.begin(),
        left.end(),
        right.begin(),
        right.end(),
        [](const Item& one, const Item& other) { return is_same(one, other); }
    );
}

}  // namespace

StandingOfAll standing_of(std::span<const catalog::RelationName> names, const Context& context) {
    Relations relations(context);
    StandingOfAll result;
    result.are_plain = std::all_of(names.begin(), names.end(), [&relations](const auto& name) {
        return standing_of(relations, name) == Standing::kPlain;
    });
    result.missing.assign(relations.missing().begin(), relations.missing().end());
    return result;
}

bool leaves_alike(const StatementPlan& left, const StatementPlan& right) {
    const bool both_define = left.defined != nullptr && right.defined != nullptr;
    if (both_define ? !leaves_alike(*left.defined, *right.defined)
                    : left.defined != right.defined) {
        return false;
    }
    return left.kind == right.kind && left.copy == nullptr && right.copy == nullptr &&
           are_same(left.splices, right.splices) && are_same(left.parameters, right.parameters) &&
           is_same(left.compared, right.compared) && is_same(left.guarded, right.guarded) &&
           are_same(left.results, right.results) && left.hidden_results == right.hidden_results &&
           left.parameter_count == right.parameter_count &&
           left.split_parameters == right.split_parameters && left.open_texts == right.open_texts &&
           left.needs_ciphertext_type == right.needs_ciphertext_type;
}

}  // namespace pgveil::analysis
