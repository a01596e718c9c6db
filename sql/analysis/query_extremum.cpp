#include "sql/analysis/query.hpp"
#include "sql/schema/schema.hpp"

#include <algorithm>
#include <array>

// MIN and MAX.
namespace pgveil::analysis {

namespace {

bool is_extremum_call(const parse::Call& call) {
    if (call.name.empty() || (call.name.size() > 1 && call.name.front() != "pg_catalog")) {
        return false;
    }
    return (call.name.back() == "min" || call.name.back() == "max") && call.arguments.size() == 1 &&
           call.order_by.empty() &&
           std::holds_alternative<parse::ColumnReference>(call.arguments.front()->node);
}

std::optional<parse::CallRange> parts_of(
    const parse::Tokens& tokens, const parse::Expression& node, const parse::Call& call
) {
    return parse::call_range(tokens, node.begin, !call.clauses.empty(), call.has_over);
}

/// `SELECT call [[AS] name] FROM table [WHERE condition]`, up to its end.
struct LoneCall {
    parse::CallRange call;
    parse::TextRange alias;  // empty: none
    std::optional<std::uint32_t> condition_begin;
    std::uint32_t end = 0;
};

/// What may follow a query that is not in parentheses, or a clause that stands in the way.
bool is_clause(const parse::Tokens& tokens, std::size_t index) {
    constexpr std::array<std::string_view, 13> kWords = {
        "union",
        "intersect",
        "except",
        "on",
        "returning",
        "with",
        "order",
        "group",
        "having",
        "window",
        "limit",
        "offset",
        "fetch"};
    return std::ranges::any_of(kWords, [&](std::string_view word) {
        return tokens.is_word(index, word);
    });
}

/// What would be written anew.
bool has_comment(std::string_view text) {
    return text.find("/*") != std::string_view::npos || text.find("--") != std::string_view::npos;
}

/// The token behind `[AS] name`; `index` if there is none.
std::size_t skip_label(const parse::Tokens& tokens, std::size_t index) {
    if (tokens.is_word(index, "as")) {
        index += 2;
    } else if (!tokens.is_word(index, "from")) {
        index += 1;
    } else {
        return index;
    }
    return tokens.is_word(index, "uescape") ? index + 2 : index;
}

/// Nullopt: it is written in another way. `last`: index behind the statement's tokens.
std::optional<LoneCall> lone_call(
    const parse::Tokens& tokens, const parse::CallRange& call, std::size_t last
) {
    const auto closing = tokens.at(call.end - 1);
    if (!closing) {
        return std::nullopt;
    }
    LoneCall found{call, {call.end, call.end}, {}, 0};
    const std::size_t behind = *closing + 1;
    const std::size_t from = skip_label(tokens, behind);
    if (from >= last || !tokens.is_word(from, "from")) {
        return std::nullopt;
    }
    if (from > behind) {
        found.alias = {tokens[behind].begin, tokens[from - 1].end};
    }
    std::size_t depth = 0;
    std::size_t at = from + 1;
    for (; at < last; ++at) {
        if (tokens.is_symbol(at, "(") || tokens.is_symbol(at, "[")) {
            ++depth;
        } else if ((tokens.is_symbol(at, ")") || tokens.is_symbol(at, "]")) && depth-- == 0) {
            break;
        } else if (depth == 0 && is_clause(tokens, at)) {
            return std::nullopt;
        } else if (depth == 0 && tokens.is_word(at, "where")) {
            found.condition_begin = found.condition_begin.value_or(tokens[at].end);
        }
    }
    found.end = tokens[at - 1].end;
    return found;
}

/// One call, one table, and nothing but WHERE.
const parse::Call* only_call_of(const parse::Select& statement) {
    const bool has_clauses = !statement.group_by.empty() || statement.having != nullptr ||
                             !statement.windows.empty() || statement.distinct ||
                             !statement.order_by.empty() || !statement.limits.empty() ||
                             statement.has_locks || statement.has_into;
    if (has_clauses || statement.targets.size() != 1 || statement.from.size() != 1 ||
        statement.targets.front().value == nullptr) {
        return nullptr;
    }
    const parse::FromItem& item = *statement.from.front();
    const auto* const call = std::get_if<parse::Call>(&statement.targets.front().value->node);
    const bool is_table =
        std::holds_alternative<parse::TableReference>(item.node) && !item.is_sampled;
    const bool is_simple = call != nullptr && is_extremum_call(*call) && !call->has_over &&
                           !call->distinct && call->clauses.empty();
    return is_table && is_simple ? call : nullptr;
}

}  // namespace

std::optional<Value> Query::extremum(
    const parse::Expression& node, const parse::Call& call, const Scope& scope
) {
    if (!is_extremum_call(call)) {
        return std::nullopt;
    }
    const Value value = expression(*call.arguments.front(), scope);
    if (value.column == nullptr || !allows(rule_of(Use::kMinMax), value.column->scheme)) {
        return std::nullopt;
    }
    require(Use::kMinMax, value, node.begin);
    plain_all(call.clauses, scope, Use::kPredicate);
    window(call.over, scope);
    rewrite_extremum(node, call, value.column);
    Value result;
    result.column = value.column;
    result.is_bytea = true;
    result.shown_type = types::comparison_type(value.column->type);
    return result;
}

/// bytea has min() and max() from PostgreSQL 18 on only. Hexadecimal digits under collation C stand
/// in the order of the bytes.
void Query::rewrite_extremum(
    const parse::Expression& node, const parse::Call& call, const ColumnPtr& column
) {
    const auto range = parts_of(draft_.text().tokens, node, call);
    if (!range) {
        draft_.refuse("this form of " + call.name.back(), "write min(column)", column, node.begin);
        return;
    }
    if (draft_.text().defines_view) {
        draft_.refuse(
            call.name.back() + " in the query of a view",
            "leave it out of the view, and write it in the statements that read the view",
            column,
            node.begin
        );
        return;
    }
    const std::string name = "pg_catalog.decode(pg_catalog." + call.name.back();
    draft_.splice(node.begin, range->name_end, FixedText{name});
    draft_.splice(range->argument_begin, range->argument_begin, FixedText{"pg_catalog.encode("});
    draft_.splice(
        range->argument_end, range->argument_end, FixedText{", 'hex') COLLATE pg_catalog.\"C\""}
    );
    draft_.splice(range->end, range->end, FixedText{", 'hex')"});
}

/// The least value by an index: `SELECT min(x) FROM t WHERE c` leaves as `SELECT (SELECT x FROM t
/// WHERE (c) AND x IS NOT NULL ORDER BY x LIMIT 1) AS "min"`. Nullopt: not of that form.
std::optional<Query::Output> Query::extremum_by_index(
    const parse::Select& statement, const Scope& scope
) {
    const parse::Call* const call = only_call_of(statement);
    if (call == nullptr || scope.ranges.size() != 1 || draft_.text().defines_view) {
        return std::nullopt;
    }
    const parse::Target& target = statement.targets.front();
    const auto& argument = call->arguments.front();
    const Resolution resolution = resolve(std::get<parse::ColumnReference>(argument->node), scope);
    const Value& value = resolution.value;
    // An argument of a query outside would make it an aggregate of that query.
    const bool is_of_table =
        !resolution.error && !resolution.is_whole_row && value.column != nullptr &&
        value.origin.relation != 0 &&
        std::ranges::any_of(scope.ranges.front().columns, [&](const NamedValue& column) {
            return column.value.origin == value.origin;
        });
    if (!is_of_table || !allows(rule_of(Use::kMinMax), value.column->scheme)) {
        return std::nullopt;
    }
    const parse::Tokens& tokens = draft_.text().tokens;
    const auto range = parts_of(tokens, *target.value, *call);
    const std::size_t last = tokens.inside(draft_.plan().begin, draft_.plan().end).last;
    const auto found = range && target.begin == target.value->begin
                           ? lone_call(tokens, *range, last)
                           : std::nullopt;
    if (!found ||
        has_comment(draft_.text().sql.substr(target.begin, found->alias.end - target.begin)) ||
        found->condition_begin.has_value() != (statement.where != nullptr)) {
        return std::nullopt;
    }
    draft_.note_column(value.column);
    require(Use::kMinMax, value, target.value->begin);
    const ReadRelation& read = read_[value.origin.relation - 1];
    const std::string column =
        read.prefix + schema::quote_identifier(read.names[value.origin.column]);
    const std::string name = target.name.empty() ? call->name.back() : target.name;
    const std::string order = column + (call->name.back() == "max" ? " DESC" : "");
    draft_.splice(target.begin, found->call.end, FixedText{"(SELECT " + column});
    draft_.splice(found->alias.begin, found->alias.end, FixedText{""});
    if (found->condition_begin) {
        draft_.splice(*found->condition_begin, *found->condition_begin, FixedText{" ("});
    }
    draft_.splice(
        found->end,
        found->end,
        FixedText{
            (found->condition_begin ? ") AND " : " WHERE ") + column + " IS NOT NULL ORDER BY " +
            order + " LIMIT 1) AS " + schema::quote_identifier(name)}
    );
    Value result;
    result.column = value.column;
    result.shown_type = types::comparison_type(value.column->type);
    Output output;
    output.columns.push_back({name, std::move(result)});
    return output;
}

}  // namespace pgveil::analysis
