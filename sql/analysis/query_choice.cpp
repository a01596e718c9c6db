#include "sql/analysis/common_type.hpp"
#include "sql/analysis/query.hpp"
#include "sql/analysis/type_names.hpp"
#include "sql/types/number_casts.hpp"

#include <algorithm>

// Expressions that hand on one of several values, or one value under another type.
namespace pgveil::analysis {

namespace {

/// A cast from one to the other leaves every value as it is.
bool keeps_values(const types::Type& from, const types::Type& to) {
    const bool is_wider = to.typmod == -1 || to.typmod == from.typmod ||
                          (to.kind == types::Kind::kVarchar && from.kind == to.kind &&
                           from.typmod != -1 && from.typmod <= to.typmod);
    return same_bytes(from.kind, to.kind) && is_wider;
}

/// NULL in every arm: PostgreSQL makes it a text, which is no value of an encrypted column.
bool is_always_null(const std::vector<Value>& arms) {
    return std::all_of(arms.begin(), arms.end(), [](const Value& arm) {
        return std::all_of(arm.adaptables.begin(), arm.adaptables.end(), [](const Adaptable& item) {
            return is_null_constant(*item.constant);
        });
    });
}

void convert_arms(Value& value, const types::Type& type, const Draft& draft) {
    for (Adaptable& adaptable : value.adaptables) {
        const auto bare = bare_constant(adaptable);
        const ArmType own = bare ? arm_type_of(*bare, draft) : ArmType();
        if (!own.is_declared || !own.type || own.type->kind != type.kind) {
            adaptable.conversions.push_back({types::Type{type.kind, -1}, nullptr});
        }
    }
}

}  // namespace

/// Constants beside a column become values that are the same wherever the whole is used.
Value Query::settled(Value value) {
    if (value.column != nullptr && !value.adaptables.empty()) {
        seal(value, value.column, ParameterUse::kBeside);
        value.adaptables.clear();
    }
    return value;
}

Value Query::choice(const parse::Case& nested, const Scope& scope, std::uint32_t begin) {
    const Value tested = nested.tested == nullptr ? Value() : expression(*nested.tested, scope);
    for (const auto& test : nested.tests) {
        if (nested.tested == nullptr) {
            condition(test, scope);
            continue;
        }
        const Value with = expression(*test, scope);
        if (tested.column == nullptr && with.column != nullptr) {
            draft_.refuse(
                "CASE with the column behind WHEN", "write CASE WHEN a = b", with.column, begin
            );
        }
        compare(tested, with, Use::kChoiceTest, begin);
    }
    std::vector<Value> arms;
    if (nested.otherwise != nullptr) {
        arms.push_back(open_expression(*nested.otherwise, scope));
    }
    for (const auto& result : nested.results) {
        arms.push_back(open_expression(*result, scope));
    }
    return chosen(std::move(arms), nested.otherwise == nullptr, begin);
}

Value Query::coalesce(const parse::Construct& call, const Scope& scope, std::uint32_t begin) {
    std::vector<Value> arms;
    for (const auto& part : call.parts) {
        arms.push_back(open_expression(*part, scope));
    }
    return chosen(std::move(arms), false, begin);
}

/// The greatest of constants is another one among plain values than among sealed ones, so that they
/// are only taken beside a column.
Value Query::greatest(const parse::Construct& call, const Scope& scope, std::uint32_t begin) {
    std::vector<Value> arms;
    for (const auto& part : call.parts) {
        arms.push_back(open_expression(*part, scope));
        const bool is_allowed = arms.back().column == nullptr ||
                                allows(rule_of(Use::kGreatest), arms.back().column->scheme);
        if (!is_allowed) {
            draft_.refuse(call.name, rule_of(Use::kGreatest).hint, arms.back().column, part->begin);
            return {};
        }
        require(Use::kGreatest, arms.back(), part->begin);
    }
    Value value = chosen(std::move(arms), false, begin);
    if (value.column == nullptr) {
        return {};
    }
    require(Use::kGreatest, value, begin);
    return settled(std::move(value));
}

Value Query::chosen(std::vector<Value> arms, bool may_be_null, std::uint32_t begin) {
    const auto column = std::find_if(arms.begin(), arms.end(), [](const Value& arm) {
        return arm.column != nullptr;
    });
    const bool has_plain = std::any_of(arms.begin(), arms.end(), [](const Value& arm) {
        return arm.list != nullptr || (arm.column == nullptr && arm.adaptables.empty());
    });
    if (column != arms.end() && has_plain) {
        draft_.refuse(
            "CASE or COALESCE of a protected and an unprotected value",
            "put constants, parameters, NULL and columns of the same context into all arms",
            column->column,
            begin
        );
        return {};
    }
    std::vector<ArmType> arm_types(may_be_null ? 1 : 0);
    for (const Value& arm : arms) {
        arm_types.push_back(arm_type_of(arm, draft_));
    }
    const auto type = has_plain ? std::nullopt : common_type(arm_types);
    if (column != arms.end()) {
        if (!type || !same_bytes(type->kind, column->column->type.kind)) {
            draft_.refuse(
                "CASE or COALESCE of values of different types",
                "write all constants without a type, or in the column's own type " +
                    types::sql_name_of(column->column->type),
                column->column,
                begin
            );
            return {};
        }
        Value result = chosen_column(std::move(arms), *type, begin);
        result.is_bytea = result.is_bytea || may_be_null;
        return result;
    }
    Value result;
    if (!type || is_always_null(arms)) {
        return result;
    }
    for (Value& arm : arms) {
        convert_arms(arm, *type, draft_);
        std::move(
            arm.adaptables.begin(), arm.adaptables.end(), std::back_inserter(result.adaptables)
        );
    }
    return result;
}

Value Query::chosen_column(std::vector<Value> arms, const types::Type& type, std::uint32_t begin) {
    Value result;
    for (Value& arm : arms) {
        result.is_bytea = result.is_bytea || arm.is_bytea || arm.column == nullptr;
        if (arm.column != nullptr && result.column == nullptr) {
            result.column = arm.column;
            result.others = arm.others;
        } else if (arm.column != nullptr && !joins_contexts(result, arm, begin)) {
            draft_.refuse(
                "CASE or COALESCE with " + arm.column->qualified_name(),
                "give both columns the same type and length",
                result.column,
                begin
            );
            return {};
        }
        convert_arms(arm, type, draft_);
        std::move(
            arm.adaptables.begin(), arm.adaptables.end(), std::back_inserter(result.adaptables)
        );
    }
    if (type != result.column->type) {
        result.shown_type = type;
    }
    if (!result.adaptables.empty() && result.column->is_bound()) {
        draft_.refuse(
            "CASE or COALESCE with a constant",
            "its bind_to makes the constant another value in every row: decide in the application",
            result.column,
            begin
        );
    }
    return result;
}

/// Adds the columns of `other` to those whose values `value` may be; false if it may not.
bool Query::joins_contexts(Value& value, const Value& other, std::uint32_t begin) {
    const types::Type& one = value.column->type;
    const types::Type& two = other.column->type;
    const bool is_alike = one == two || (is_text(one.kind) && is_text(two.kind));
    if (!is_alike) {
        return false;
    }
    std::vector<ColumnPtr> columns = other.others;
    columns.insert(columns.begin(), other.column);
    for (const ColumnPtr& column : columns) {
        const auto is_known = [&column](const ColumnPtr& known) {
            return known->type == column->type && field::shares_context(*known, *column);
        };
        if (is_known(value.column) ||
            std::any_of(value.others.begin(), value.others.end(), is_known)) {
            continue;
        }
        if (column->is_bound() || value.column->is_bound()) {
            draft_.refuse(
                "a value of " + column->qualified_name() + " in the same place",
                "a value with bind_to opens beside the key of its own row only: select the columns "
                "one by one",
                value.column,
                begin
            );
            return true;
        }
        value.others.push_back(column);
    }
    return true;
}

Value Query::null_if(const parse::Operation& nested, const Scope& scope, std::uint32_t begin) {
    const Value left = expression(*nested.operands.front(), scope);
    const Value right = expression(*nested.operands.back(), scope);
    if (left.column == nullptr) {
        if (right.column != nullptr) {
            draft_.refuse(
                "NULLIF with the column on the right", "write it with CASE", right.column, begin
            );
        }
        return {};
    }
    compare(left, right, Use::kChoiceTest, begin);
    const ArmType other = arm_type_of(right, draft_);
    const auto type = common_type({{true, left.type()}, other});
    const bool is_integer = other.type && types::is_integer(other.type->kind) &&
                            types::is_integer(left.column->type.kind);
    // Compared as text, a char would be handed on as text, without its blanks.
    const bool loses_blanks = left.column->type.kind == types::Kind::kBpchar && other.type &&
                              other.type->kind != types::Kind::kBpchar;
    if (loses_blanks ||
        (!is_integer && (!type || !same_bytes(type->kind, left.column->type.kind)))) {
        draft_.refuse(
            "NULLIF of values of different types",
            "write the constant without a type",
            left.column,
            begin
        );
    }
    if (left.column->type.kind == types::Kind::kCidr) {
        draft_.refuse(
            "NULLIF, which hands a cidr on as inet",
            "write CASE WHEN a = b THEN NULL ELSE a END",
            left.column,
            begin
        );
    }
    Value result;
    result.column = left.column;
    result.is_bytea = true;
    // Compared as text, a varchar is handed on as text.
    result.shown_type = left.type().kind == types::Kind::kVarchar
                            ? std::optional(types::comparison_type(left.type()))
                            : left.shown_type;
    return result;
}

Value Query::cast(const parse::Expression& node, const parse::Cast& typed, const Scope& scope) {
    const bool is_bytea =
        !typed.type.is_array && !typed.type.names.empty() && typed.type.names.back() == "bytea";
    if (draft_.text().is_view && is_bytea) {
        return open_expression(*typed.operand, scope);
    }
    Value value = open_expression(*typed.operand, scope);
    if (bare_constant(node)) {
        value.adaptables = {Adaptable{&node}};
        return value;
    }
    const auto type = type_of(typed.type, draft_.enums());
    if (value.column != nullptr) {
        return cast_column(std::move(value), typed, node.begin);
    }
    value.origin = {};
    value.stored = {};
    if (!type) {
        return {};
    }
    for (Adaptable& adaptable : value.adaptables) {
        adaptable.conversions.push_back({*type, &typed});
    }
    return value;
}

Value Query::cast_column(Value value, const parse::Cast& typed, std::uint32_t begin) {
    const auto type = type_of(typed.type, draft_.enums());
    // Constants among it were made to fit the column, or are cast one by one.
    if (!type || !keeps_values(value.column->type, *type)) {
        draft_.refuse(Use::kCast, value.column, begin);
        return {};
    }
    for (Adaptable& adaptable : value.adaptables) {
        adaptable.conversions.push_back({*type, &typed});
    }
    // A cast to the very same type is none, and leaves the column's origin in the description.
    const bool is_none = *type == value.type();
    draft_.retype(typed, is_none ? "pgveil.ciphertext" : "pg_catalog.bytea", value.column);
    value.shown_type = *type == value.column->type ? std::nullopt : type;
    value.origin = is_none ? value.origin : Origin();
    value.is_bytea = !is_none;
    return value;
}

}  // namespace pgveil::analysis
