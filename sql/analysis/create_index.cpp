#include "sql/analysis/definition.hpp"
#include "sql/analysis/mentions.hpp"
#include "sql/analysis/written_column.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace pgveil::analysis {

namespace {

/// PostgreSQL's classes for LIKE: without LIKE they serve = as the usual one does.
bool is_pattern_class(const parse::IndexElement& element) {
    constexpr std::array<std::string_view, 3> kClasses = {
        "text_pattern_ops", "varchar_pattern_ops", "bpchar_pattern_ops"};
    const auto& names = element.operator_class;
    const bool is_catalog = names.size() == 1 || (names.size() == 2 && names[0] == "pg_catalog");
    return is_catalog && !element.has_collation &&
           std::find(kClasses.begin(), kClasses.end(), names.back()) != kClasses.end();
}

/// Takes the class of a pattern index out: Django makes such an index beside every unique text.
bool drop_pattern_class(Draft& draft, const parse::CreateIndex& statement, std::size_t index) {
    if (!is_pattern_class(statement.elements[index])) {
        return false;
    }
    const auto range =
        parse::operator_class_range(draft.text().tokens, statement.target.begin, index);
    if (range) {
        draft.splice(range->begin, range->end, FixedText{""});
    }
    return range.has_value();
}

/// One protected column, `column` of the relation, against everything an index says about columns.
void check_column(
    Draft& draft,
    const parse::CreateIndex& statement,
    const std::string& column,
    const ColumnPtr& veil
) {
    const auto is_it = [&column](const std::string& name) {
        return name == column;
    };
    const SoughtColumn sought{statement.target.name, column};
    const std::uint32_t begin = statement.target.begin;
    for (std::size_t i = 0; i < statement.elements.size(); ++i) {
        const auto& element = statement.elements[i];
        if (element.expression != nullptr && may_mention(*element.expression, sought)) {
            draft.refuse("an index on an expression", "index the column itself", veil, begin);
        }
        if (!is_it(element.column)) {
            continue;
        }
        draft.require(statement.unique ? Use::kKey : Use::kIndex, veil, begin);
        const bool has_method =
            statement.method.empty() || statement.method == "btree" || statement.method == "hash";
        const bool is_odd = element.is_decorated() && !drop_pattern_class(draft, statement, i);
        if (is_odd || !has_method) {
            draft.refuse(
                "an index with COLLATE, an operator class or another method than btree and hash",
                "leave them out: the stored value is bytea",
                veil,
                begin
            );
        }
    }
    for (const std::string& name : statement.included) {
        if (is_it(name)) {
            draft.require(Use::kIndex, veil, begin);
        }
    }
    if (statement.predicate != nullptr && may_mention(*statement.predicate, sought)) {
        draft.refuse("a partial index over the column", "use a plain column in WHERE", veil, begin);
    }
}

}  // namespace

void define_index(Draft& draft, const parse::CreateIndex& statement) {
    const auto& target = statement.target;
    const Judgement judgement = draft.text().relations.judge(written_relation(target));
    if (judgement.standing != Standing::kProtected || judgement.known == nullptr) {
        return;
    }
    draft.plan().touches_protected = true;
    draft.qualify(target, *judgement.known->relation);
    const KnownRelation& known = *judgement.known;
    for (std::size_t i = 0; i < known.veils.size(); ++i) {
        if (known.veils[i] != nullptr) {
            check_column(draft, statement, known.relation->columns[i].name, known.veils[i]);
        }
    }
}

}  // namespace pgveil::analysis
