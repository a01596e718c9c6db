#include "sql/analysis/dependent.hpp"

#include "sql/analysis/mentions.hpp"
#include "sql/analysis/words.hpp"
#include "sql/analysis/written_column.hpp"
#include "sql/schema/schema.hpp"

#include <algorithm>

namespace pgveil::analysis {

namespace {

/// Where the name behind OWNED BY lies.
std::optional<parse::TextRange> owner_range(const parse::Tokens& tokens, std::uint32_t owned) {
    const auto word = tokens.at(owned);
    if (!word || *word + 2 >= tokens.size() || !tokens.is_word(*word, "owned") ||
        !tokens.is_word(*word + 1, "by")) {
        return std::nullopt;
    }
    const std::uint32_t begin = tokens[*word + 2].begin;
    const auto end = parse::qualified_name_end(tokens, begin);
    return end ? std::optional(parse::TextRange{begin, *end}) : std::nullopt;
}

/// `table.column` with the schema in front.
void qualify_owner(
    Draft& draft, const parse::TableReference& table, const catalog::Relation& relation
) {
    const parse::Tokens& tokens = draft.text().tokens;
    const auto word = tokens.at(table.begin);
    if (table.schema.empty() && word) {
        draft.splice(
            table.begin,
            tokens[*word].end,
            FixedText{
                schema::quote_identifier(relation.schema) + "." +
                schema::quote_identifier(relation.name)}
        );
    }
}

void check_owner(
    Draft& draft,
    const parse::TableReference& table,
    const std::string& name,
    const KnownRelation& owner
) {
    const std::size_t column = index_of(*owner.relation, name);
    if (column < owner.veils.size() && owner.veils[column] != nullptr) {
        draft.refuse(Use::kGenerated, owner.veils[column], table.begin);
    }
}

}  // namespace

void own_sequence(
    Draft& draft, const parse::OwnedSequence& sequence, const parse::Statement& statement
) {
    const auto range = owner_range(draft.text().tokens, sequence.owner.begin);
    if (!range) {
        judge_words(draft, {statement.begin, statement.end, false}, sequence.command);
        return;
    }
    judge_words(draft, {statement.begin, range->begin, false}, sequence.command);
    judge_words(draft, {range->end, statement.end, false}, sequence.command);
    parse::TableReference table = sequence.owner;
    table.begin = range->begin;
    const Judgement judgement =
        draft.text().relations.judge({table.database, table.schema, table.name, table.begin});
    if (judgement.rejection) {
        draft.refuse(*judgement.rejection);
    }
    if (judgement.known == nullptr) {
        return;
    }
    const bool is_protected = judgement.standing == Standing::kProtected;
    if (is_protected || draft.text().context.policy.is_protected_name(table.name)) {
        qualify_owner(draft, table, *judgement.known->relation);
    }
    if (is_protected) {
        draft.plan().touches_protected = true;
        check_owner(draft, table, sequence.column, *judgement.known);
    }
}

void define_statistics(Draft& draft, const parse::CreateStatistics& create) {
    const parse::TableReference& table = create.target;
    const Judgement judgement =
        draft.text().relations.judge({table.database, table.schema, table.name, table.begin});
    if (judgement.standing != Standing::kProtected || judgement.known == nullptr) {
        return;
    }
    const KnownRelation& known = *judgement.known;
    draft.plan().touches_protected = true;
    draft.qualify(table, *known.relation);
    for (std::size_t i = 0; i < known.veils.size(); ++i) {
        const SoughtColumn sought{table.name, known.relation->columns[i].name};
        const bool is_used = known.veils[i] != nullptr &&
                             std::ranges::any_of(create.elements, [&](const auto& part) {
                                 return may_mention(part, sought);
                             });
        if (is_used) {
            draft.refuse("CREATE STATISTICS", "name plain columns", known.veils[i], table.begin);
        }
    }
}

}  // namespace pgveil::analysis
