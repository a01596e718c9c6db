#include "sql/parse/raw.hpp"

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace pgveil::parse {

ExpressionPtr RawReader::expression(const void* node) {
    if (node == nullptr) {
        return nullptr;
    }
    auto result = std::make_unique<Expression>();
    const Level level(*this);
    if (level) {
        read_expression(node, *result);
    }
    return result;
}

Expressions RawReader::expressions(const List* list) {
    Expressions result;
    for (const void* element : elements_of(list)) {
        if (auto item = expression(element)) {
            result.push_back(std::move(item));
        }
    }
    return result;
}

void RawReader::read_expression(const void* node, Expression& into) {
    if (read_leaf(node, into) || read_operation(node, into) || read_construct(node, into)) {
        return;
    }
    into.node = Unknown{kind_of(node)};
    note_unknown();
}

bool RawReader::read_leaf(const void* node, Expression& into) {
    switch (static_cast<int>(tag_of(node))) {
        case T_A_Const: read_constant(*node_as<A_Const>(node), into); return true;
        case T_ParamRef: {
            const auto& raw = *node_as<ParamRef>(node);
            into.begin = offset_of(raw.location);
            const auto number = static_cast<std::uint32_t>(raw.number);
            into.node = Parameter{number};
            inventory_.parameters.push_back(number);
            return true;
        }
        case T_ColumnRef: {
            const auto& raw = *node_as<ColumnRef>(node);
            into.begin = offset_of(raw.location);
            const auto fields = elements_of(raw.fields);
            const bool star = !fields.empty() && tag_of(fields.back()) == T_A_Star;
            into.node = ColumnReference{names_of(raw.fields), star};
            note_reference(std::get<ColumnReference>(into.node), into.begin);
            return true;
        }
        case T_SetToDefault:
            into.begin = offset_of(node_as<SetToDefault>(node)->location);
            into.node = Default{};
            return true;
        case T_SQLValueFunction:
            into.begin = offset_of(node_as<SQLValueFunction>(node)->location);
            into.node = Construct{"CURRENT_...", {}};
            return true;
        case T_CurrentOfExpr: into.node = Construct{"CURRENT OF", {}}; return true;
        default: return false;
    }
}

void RawReader::read_constant(const A_Const& constant, Expression& into) {
    into.begin = offset_of(constant.location);
    if (constant.isnull) {
        into.node = Constant{Constant::Kind::kNull, {}};
        return;
    }
    // NOLINTBEGIN(cppcoreguidelines-pro-type-union-access): PostgreSQL's tagged union
    switch (static_cast<int>(constant.val.node.type)) {
        case T_Integer:
            into.node = Constant{Constant::Kind::kInteger, std::to_string(constant.val.ival.ival)};
            return;
        case T_Float:
            into.node = Constant{Constant::Kind::kDecimal, text_or_empty(constant.val.fval.fval)};
            return;
        case T_Boolean:
            into.node =
                Constant{Constant::Kind::kBool, constant.val.boolval.boolval ? "true" : "false"};
            return;
        case T_String:
            into.node = Constant{Constant::Kind::kString, text_or_empty(constant.val.sval.sval)};
            note_string(into);
            return;
        case T_BitString:
            into.node =
                Constant{Constant::Kind::kBitString, text_or_empty(constant.val.bsval.bsval)};
            return;
        default: into.node = Unknown{"A_Const"}; note_unknown();
    }
    // NOLINTEND(cppcoreguidelines-pro-type-union-access)
}

bool RawReader::read_operation(const void* node, Expression& into) {
    switch (static_cast<int>(tag_of(node))) {
        case T_A_Expr:
            into.begin = offset_of(node_as<A_Expr>(node)->location);
            into.node = operation(*node_as<A_Expr>(node));
            return true;
        case T_BoolExpr: {
            const auto& raw = *node_as<BoolExpr>(node);
            into.begin = offset_of(raw.location);
            const auto kind = raw.boolop == AND_EXPR  ? Logical::Kind::kAnd
                              : raw.boolop == OR_EXPR ? Logical::Kind::kOr
                                                      : Logical::Kind::kNot;
            into.node = Logical{kind, expressions(raw.args)};
            return true;
        }
        case T_NullTest:
            into.begin = offset_of(node_as<::NullTest>(node)->location);
            into.node = NullTest{expression(node_as<::NullTest>(node)->arg)};
            return true;
        case T_FuncCall: read_call(*node_as<FuncCall>(node), into); return true;
        case T_TypeCast: {
            const auto& raw = *node_as<TypeCast>(node);
            auto type = type_name(raw.typeName);
            auto operand = expression(raw.arg);
            into.begin = raw.location >= 0 ? offset_of(raw.location) : type.begin;
            into.node = Cast{std::move(operand), std::move(type), offset_of(raw.location)};
            return true;
        }
        case T_SubLink: read_sub_link(*node_as<SubLink>(node), into); return true;
        case T_MultiAssignRef: {
            const auto& raw = *node_as<MultiAssignRef>(node);
            // All columns share one source; it is read with the first.
            into.node = MultiAssignment{
                raw.colno == 1 ? expression(raw.source) : nullptr,
                static_cast<std::uint32_t>(raw.colno)};
            return true;
        }
        default: return false;
    }
}

namespace {

Operation::Kind kind_of_operation(A_Expr_Kind kind, bool is_negated) {
    switch (kind) {
        case AEXPR_OP: return Operation::Kind::kOperator;
        case AEXPR_OP_ANY: return Operation::Kind::kAnyArray;
        case AEXPR_OP_ALL: return Operation::Kind::kAllArray;
        case AEXPR_DISTINCT: return Operation::Kind::kDistinct;
        case AEXPR_NOT_DISTINCT: return Operation::Kind::kNotDistinct;
        case AEXPR_NULLIF: return Operation::Kind::kNullIf;
        case AEXPR_IN: return is_negated ? Operation::Kind::kNotIn : Operation::Kind::kIn;
        case AEXPR_LIKE:
        case AEXPR_ILIKE:
        case AEXPR_SIMILAR: return Operation::Kind::kLike;
        case AEXPR_BETWEEN:
        case AEXPR_NOT_BETWEEN:
        case AEXPR_BETWEEN_SYM:
        case AEXPR_NOT_BETWEEN_SYM: return Operation::Kind::kBetween;
    }
    return Operation::Kind::kOperator;
}

std::string word_of_operation(A_Expr_Kind kind, const std::string& written) {
    switch (kind) {
        case AEXPR_LIKE: return "LIKE";
        case AEXPR_ILIKE: return "ILIKE";
        case AEXPR_SIMILAR: return "SIMILAR TO";
        case AEXPR_DISTINCT: return "IS DISTINCT FROM";
        case AEXPR_NOT_DISTINCT: return "IS NOT DISTINCT FROM";
        case AEXPR_NULLIF: return "NULLIF";
        case AEXPR_IN: return written == "<>" ? "NOT IN" : "IN";
        case AEXPR_OP:
        case AEXPR_OP_ANY:
        case AEXPR_OP_ALL:
        case AEXPR_BETWEEN:
        case AEXPR_NOT_BETWEEN:
        case AEXPR_BETWEEN_SYM:
        case AEXPR_NOT_BETWEEN_SYM: return written;
    }
    return written;
}

}  // namespace

Operation RawReader::operation(const A_Expr& raw) {
    const Names name = names_of(raw.name);
    const std::string written = name.empty() ? std::string() : name.back();
    Operation result;
    result.kind = kind_of_operation(raw.kind, written == "<>");
    result.name = word_of_operation(raw.kind, written);
    result.is_qualified = name.size() > 1;
    if (raw.lexpr != nullptr) {
        result.operands.push_back(expression(raw.lexpr));
    }
    if (raw.rexpr != nullptr && tag_of(raw.rexpr) == T_List) {
        for (const void* item : elements_of(node_as<List>(raw.rexpr))) {
            result.operands.push_back(expression(item));
        }
    } else if (raw.rexpr != nullptr) {
        result.operands.push_back(expression(raw.rexpr));
    }
    return result;
}

void RawReader::read_call(const FuncCall& raw, Expression& into) {
    into.begin = offset_of(raw.location);
    Call call;
    call.name = names_of(raw.funcname);
    call.arguments = expressions(raw.args);
    call.star = raw.agg_star;
    call.distinct = raw.agg_distinct;
    (raw.agg_within_group ? call.clauses : call.order_by) = expressions(raw.agg_order);
    if (auto filter = expression(raw.agg_filter)) {
        call.clauses.push_back(std::move(filter));
    }
    if (raw.over != nullptr) {
        call.has_over = true;
        call.over = window(*raw.over);
    }
    into.node = std::move(call);
    inventory_.calls.push_back(&into);
}

Window RawReader::window(const WindowDef& raw) {
    Window result;
    result.partition_by = expressions(raw.partitionClause);
    result.order_by = expressions(raw.orderClause);
    for (const Node* offset : {raw.startOffset, raw.endOffset}) {
        if (auto item = expression(offset)) {
            result.offsets.push_back(std::move(item));
        }
    }
    const bool is_range = (raw.frameOptions & FRAMEOPTION_RANGE) != 0;
    result.has_range_offset = is_range && !result.offsets.empty();
    return result;
}

void RawReader::read_sub_link(const SubLink& raw, Expression& into) {
    into.begin = offset_of(raw.location);
    SubQuery query;
    switch (raw.subLinkType) {
        case EXISTS_SUBLINK: query.kind = SubQuery::Kind::kExists; break;
        case ALL_SUBLINK: query.kind = SubQuery::Kind::kAll; break;
        case ANY_SUBLINK: query.kind = SubQuery::Kind::kAny; break;
        case EXPR_SUBLINK: query.kind = SubQuery::Kind::kScalar; break;
        case ARRAY_SUBLINK: query.kind = SubQuery::Kind::kArray; break;
        case ROWCOMPARE_SUBLINK:
        case MULTIEXPR_SUBLINK:
        case CTE_SUBLINK: query.kind = SubQuery::Kind::kMultiAssign; break;
    }
    const Names name = names_of(raw.operName);
    query.operator_name = name.empty() ? "=" : name.back();
    query.test = expression(raw.testexpr);
    query.query = select(raw.subselect);
    into.node = std::move(query);
}

void RawReader::read_case(const CaseExpr& raw, Expression& into) {
    into.begin = offset_of(raw.location);
    Case result;
    result.tested = expression(raw.arg);
    for (const void* element : elements_of(raw.args)) {
        const auto& when = *node_as<CaseWhen>(element);
        result.tests.push_back(expression(when.expr));
        result.results.push_back(expression(when.result));
    }
    result.otherwise = expression(raw.defresult);
    into.node = std::move(result);
}

bool RawReader::read_construct(const void* node, Expression& into) {
    if (tag_of(node) == T_CaseExpr) {
        read_case(*node_as<CaseExpr>(node), into);
        return true;
    }
    if (tag_of(node) == T_SortBy && node_as<SortBy>(node)->sortby_dir != SORTBY_USING) {
        // Transparent: the sort key itself stands here; USING an operator is a construct.
        read_expression(node_as<SortBy>(node)->node, into);
        return true;
    }
    return read_list_construct(node, into) || read_single_construct(node, into);
}

/// Constructs around a list of expressions.
bool RawReader::read_list_construct(const void* node, Expression& into) {
    const auto put = [&](const char* name, int location, const List* parts) {
        into.begin = offset_of(location);
        into.node = Construct{name, expressions(parts)};
        return true;
    };
    switch (static_cast<int>(tag_of(node))) {
        case T_CoalesceExpr: {
            const auto& raw = *node_as<CoalesceExpr>(node);
            return put("COALESCE", raw.location, raw.args);
        }
        case T_MinMaxExpr: {
            const auto& raw = *node_as<MinMaxExpr>(node);
            return put(raw.op == IS_GREATEST ? "GREATEST" : "LEAST", raw.location, raw.args);
        }
        case T_A_ArrayExpr: {
            const auto& raw = *node_as<A_ArrayExpr>(node);
            return put("ARRAY", raw.location, raw.elements);
        }
        case T_RowExpr: {
            const auto& raw = *node_as<RowExpr>(node);
            return put("row value", raw.location, raw.args);
        }
        case T_GroupingSet: {
            const auto& raw = *node_as<GroupingSet>(node);
            return put("GROUPING SETS", raw.location, raw.content);
        }
        case T_GroupingFunc: {
            const auto& raw = *node_as<GroupingFunc>(node);
            return put("GROUPING", raw.location, raw.args);
        }
        default: return false;
    }
}

/// Constructs around one expression.
bool RawReader::read_single_construct(const void* node, Expression& into) {
    const auto put = [&](const char* name, int location, const void* part) {
        into.begin = offset_of(location);
        Construct construct{name, {}};
        if (auto item = expression(part)) {
            construct.parts.push_back(std::move(item));
        }
        into.node = std::move(construct);
        return true;
    };
    switch (static_cast<int>(tag_of(node))) {
        case T_A_Indirection: read_indirection(*node_as<A_Indirection>(node), into); return true;
        case T_BooleanTest: {
            const auto& raw = *node_as<BooleanTest>(node);
            return put("IS TRUE / FALSE / UNKNOWN", raw.location, raw.arg);
        }
        case T_CollateClause: {
            const auto& raw = *node_as<CollateClause>(node);
            return put("COLLATE", raw.location, raw.arg);
        }
        case T_NamedArgExpr: {
            const auto& raw = *node_as<NamedArgExpr>(node);
            return put("named argument", raw.location, raw.arg);
        }
        case T_SortBy: {
            const auto& raw = *node_as<SortBy>(node);
            return put("ORDER BY ... USING", raw.location, raw.node);
        }
        default: return false;
    }
}

void RawReader::read_indirection(const A_Indirection& raw, Expression& into) {
    Construct construct{"field or element selection", {}};
    construct.parts.push_back(expression(raw.arg));
    for (auto& bound : subscripts(raw.indirection)) {
        construct.parts.push_back(std::move(bound));
    }
    into.node = std::move(construct);
}

Expressions RawReader::subscripts(const List* indirection) {
    Expressions result;
    for (const void* step : elements_of(indirection)) {
        if (tag_of(step) != T_A_Indices) {
            continue;
        }
        const auto& indices = *node_as<A_Indices>(step);
        for (const Node* bound : {indices.lidx, indices.uidx}) {
            if (auto item = expression(bound)) {
                result.push_back(std::move(item));
            }
        }
    }
    return result;
}

}  // namespace pgveil::parse
