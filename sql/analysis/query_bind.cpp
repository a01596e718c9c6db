#include "sql/analysis/query.hpp"
#include "sql/analysis/written_column.hpp"
#include "sql/schema/schema.hpp"

#include <algorithm>

// bind_to: every value of such a column is written and read together with the key of its row.
namespace pgveil::analysis {

namespace {

/// The operations that must all be true for the whole to be true.
void add_conjuncts(const parse::Expression& node, std::vector<const parse::Operation*>& into) {
    const auto* const logical = std::get_if<parse::Logical>(&node.node);
    if (logical != nullptr && logical->kind == parse::Logical::Kind::kAnd) {
        for (const auto& operand : logical->operands) {
            add_conjuncts(*operand, into);
        }
    }
    if (const auto* const operation = std::get_if<parse::Operation>(&node.node)) {
        into.push_back(operation);
    }
}

bool is_equation(const parse::Operation& operation) {
    return operation.kind == parse::Operation::Kind::kOperator && operation.name == "=" &&
           !operation.is_qualified && operation.operands.size() == 2;
}

/// A reserved word that is a name here: behind a dot, or behind an AS that is none.
bool is_label(const parse::Tokens& tokens, std::size_t first, std::size_t index) {
    if (index <= first) {
        return false;
    }
    return tokens.is_symbol(index - 1, ".") ||
           (tokens.is_word(index - 1, "as") && !is_label(tokens, first, index - 1));
}

/// Where the select list that begins with the token `first` ends: before the FROM of its clause.
/// IS [NOT] DISTINCT FROM is an operator.
std::optional<std::uint32_t> end_of_list(const parse::Tokens& tokens, std::size_t first) {
    std::size_t depth = 0;
    for (std::size_t i = first; i < tokens.size(); ++i) {
        if (tokens.is_symbol(i, "(") || tokens.is_symbol(i, "[")) {
            ++depth;
        } else if ((tokens.is_symbol(i, ")") || tokens.is_symbol(i, "]")) && depth-- == 0) {
            return std::nullopt;
        }
        const bool is_operator =
            i > first && tokens.is_word(i - 1, "distinct") && !is_label(tokens, first, i - 1);
        const bool is_clause = depth == 0 && i > first && tokens.is_word(i, "from") &&
                               !is_operator && !is_label(tokens, first, i);
        if (is_clause) {
            return tokens[i - 1].end;
        }
    }
    return std::nullopt;
}

}  // namespace

Query::KeyPlaces Query::key_places(
    const std::vector<parse::Target>& list, const KnownRelation* relation
) {
    KeyPlaces places;
    if (relation == nullptr) {
        return places;
    }
    const auto& columns = relation->relation->columns;
    const std::size_t size = list.empty() ? columns.size() : list.size();
    for (std::size_t i = 0; i < size; ++i) {
        const std::size_t index = list.empty() ? i : index_of(*relation->relation, list[i].name);
        if (index < columns.size()) {
            places.emplace(columns[index].name, KeyPlace{i, &columns[index]});
        }
    }
    return places;
}

RowKeys Query::inserted_row(
    const ColumnPtr& column, const parse::Expressions& row, const KeyPlaces& places
) {
    RowKeys keys;
    for (const std::string& name : column->bind_to) {
        const auto place = places.find(name);
        const bool is_given = place != places.end() && place->second.position < row.size();
        auto key = is_given ? draft_.row_key(*row[place->second.position], *place->second.column)
                            : std::nullopt;
        if (!key) {
            draft_.refuse(
                "INSERT without its key " + name,
                "give " + name +
                    " in the same row of VALUES, as a constant or parameter (the "
                    "database cannot choose it: bind_to seals the value for its row)",
                column,
                row.empty() ? parse::kNowhere : row.front()->begin
            );
            return {};
        }
        keys.push_back(std::move(*key));
    }
    return keys;
}

RowKeys Query::updated_row(const ColumnPtr& column, const UpdatedRow& row, const Scope& scope) {
    std::vector<const parse::Operation*> conditions;
    if (row.where != nullptr) {
        add_conjuncts(*row.where, conditions);
    }
    RowKeys keys;
    for (const std::string& name : column->bind_to) {
        const std::size_t index = index_of(*row.relation->relation, name);
        std::optional<RowKey> key;
        for (const parse::Operation* condition : conditions) {
            key =
                key || !is_equation(*condition) ? key : compared_key(*condition, row, index, scope);
        }
        if (!key) {
            draft_.refuse(
                "UPDATE without WHERE " + name + " = a constant or parameter",
                "change one row at a time, by its whole key: bind_to seals the value for its row",
                column,
                row.where == nullptr ? parse::kNowhere : row.where->begin
            );
            return {};
        }
        key->is_compared = true;
        keys.push_back(std::move(*key));
    }
    return keys;
}

std::optional<RowKey> Query::compared_key(
    const parse::Operation& equation, const UpdatedRow& row, std::size_t key, const Scope& scope
) {
    for (const std::size_t side : {0U, 1U}) {
        const auto* const reference =
            std::get_if<parse::ColumnReference>(&equation.operands[side]->node);
        if (reference == nullptr || reference->star) {
            continue;
        }
        const Resolution resolution = resolve(*reference, scope);
        const bool is_key = !resolution.error && !resolution.is_whole_row &&
                            resolution.value.origin == Origin{row.number, key};
        if (is_key) {
            return draft_.row_key(
                *equation.operands[1 - side], row.relation->relation->columns[key]
            );
        }
    }
    return std::nullopt;
}

/// Values that were sealed for a row would stay behind, closed for ever.
void Query::check_key_change(
    const parse::Target& target, const Value& value, const UpdatedRow& row
) {
    if (is_excluded_key(target.name, value, row)) {
        return;  // the value that is there already
    }
    const std::size_t index = index_of(*row.relation->relation, target.name);
    const bool is_plain =
        index < row.relation->veils.size() && row.relation->veils[index] == nullptr;
    if (row.relation->bound_below != nullptr && is_plain) {
        draft_.refuse(
            "a change of " + target.name + " through a view",
            "its bind_to may name this column of the table: change the table itself",
            row.relation->bound_below,
            target.begin
        );
    }
    for (const ColumnPtr& column : row.relation->veils) {
        const bool is_key =
            column != nullptr &&
            std::find(column->bind_to.begin(), column->bind_to.end(), target.name) !=
                column->bind_to.end();
        if (is_key) {
            draft_.refuse(
                "a change of " + target.name + ", which its bind_to names",
                "insert a row with the new key and delete the old one",
                column,
                target.begin
            );
        }
    }
}

/// Every value with bind_to comes with the key of its row: among the user's columns where they
/// are, else in columns of our own at the end of the list.
void Query::carry_keys(const Output& output, const parse::Select* select) {
    std::string hidden;
    ColumnPtr first;
    for (std::size_t i = 0; i < output.columns.size() && !draft_.is_refused(); ++i) {
        const ColumnPtr& column = output.columns[i].value.column;
        if (column == nullptr || !column->is_bound()) {
            continue;
        }
        if (output.columns[i].value.origin == Origin()) {
            draft_.refuse(
                "a value that comes through a sub-query, WITH, a set operation or an aliased join",
                "its bind_to needs the key of its row: select it from the table itself",
                column,
                parse::kNowhere
            );
            return;
        }
        carry_keys_of(i, output, hidden);
        first = first == nullptr && !hidden.empty() ? column : first;
    }
    if (first != nullptr) {
        ask_for_keys(hidden, first, select);
    }
}

void Query::carry_keys_of(std::size_t result, const Output& output, std::string& hidden) {
    const Value& value = output.columns[result].value;
    const ReadRelation& read = read_[value.origin.relation - 1];
    auto& results = draft_.plan().results;
    for (const std::string& name : value.column->bind_to) {
        const Origin key{value.origin.relation, index_of(*read.known->relation, name)};
        std::size_t place = 0;
        while (place < output.columns.size() && output.columns[place].value.origin != key) {
            ++place;
        }
        if (place == output.columns.size()) {
            const auto known = std::find(hidden_.begin(), hidden_.end(), key);
            place += static_cast<std::size_t>(known - hidden_.begin());
            if (known == hidden_.end()) {
                hidden_.push_back(key);
                results.emplace_back();
                hidden += ", " + read.prefix + schema::quote_identifier(read.names[key.column]) +
                          " AS \"pgveil:key:" + std::to_string(hidden_.size()) + "\"";
            }
        }
        const auto kind = types::kind_of_oid(read.known->relation->columns[key.column].type_oid);
        results[place].key_kind = kind ? std::optional(*kind) : std::nullopt;
        results[result].keys.push_back(static_cast<std::uint16_t>(place));
    }
}

void Query::ask_for_keys(
    const std::string& hidden, const ColumnPtr& first, const parse::Select* select
) {
    const parse::Tokens& tokens = draft_.text().tokens;
    std::optional<std::uint32_t> end;
    if (select == nullptr) {  // RETURNING is the end of its statement
        const auto range = tokens.inside(draft_.plan().begin, draft_.plan().end);
        end = range.last > range.first ? std::optional(tokens[range.last - 1].end) : std::nullopt;
    } else if (!select->distinct && select->group_by.empty() && !select->targets.empty()) {
        const auto start = tokens.at(select->targets.back().begin);
        end = start ? end_of_list(tokens, *start) : std::nullopt;
    }
    if (!end) {
        draft_.refuse(
            "a select list without the key of its row",
            "add " + first->bind_to.front() +
                " (all columns of its bind_to) to the list; with DISTINCT or GROUP BY this is not "
                "done unseen",
            first,
            parse::kNowhere
        );
        return;
    }
    draft_.splice(*end, *end, FixedText{hidden});
    draft_.plan().hidden_results = hidden_.size();
}

}  // namespace pgveil::analysis
