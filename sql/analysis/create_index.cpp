#include "sql/analysis/definition.hpp"
#include "sql/analysis/mentions.hpp"

namespace pgveil::analysis {

namespace {

/// One protected column against everything an index says about columns.
void check_column(Draft& draft, const parse::CreateIndex& statement, const ColumnPtr& veil) {
    const auto is_it = [&veil](const std::string& name) {
        return name == veil->name;
    };
    const std::uint32_t begin = statement.target.begin;
    for (const auto& element : statement.elements) {
        if (element.expression != nullptr && may_mention(*element.expression, is_it)) {
            draft.refuse("an index on an expression", "index the column itself", veil, begin);
        }
        if (!is_it(element.column)) {
            continue;
        }
        draft.require(statement.unique ? Use::kKey : Use::kIndex, veil, begin);
        const bool has_method =
            statement.method.empty() || statement.method == "btree" || statement.method == "hash";
        if (element.is_decorated || !has_method) {
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
    if (statement.predicate != nullptr && may_mention(*statement.predicate, is_it)) {
        draft.refuse("a partial index over the column", "use a plain column in WHERE", veil, begin);
    }
}

}  // namespace

void define_index(Draft& draft, const parse::CreateIndex& statement) {
    const auto& target = statement.target;
    const Judgement judgement =
        draft.text().relations.judge({target.database, target.schema, target.name, target.begin});
    if (judgement.standing != Standing::kProtected || judgement.known == nullptr) {
        return;
    }
    draft.plan().touches_protected = true;
    draft.qualify(target, *judgement.known->relation);
    for (const ColumnPtr& veil : judgement.known->veils) {
        if (veil != nullptr) {
            check_column(draft, statement, veil);
        }
    }
}

}  // namespace pgveil::analysis
