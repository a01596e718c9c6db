#include "sql/analysis/absent_table.hpp"

#include "sql/analysis/relations.hpp"

namespace pgveil::analysis {

bool skips_absent_table(Draft& draft, const parse::TableReference& target, std::uint32_t end) {
    const Text& text = draft.text();
    const catalog::RelationName name{target.schema, target.name};
    if (!target.database.empty() || target.schema == "pgveil" ||
        !text.context.policy.is_protected_name(target.name) ||
        text.relations.described(name) != nullptr || text.relations.missing().contains(name)) {
        return false;
    }
    const auto behind = parse::qualified_name_end(text.tokens, target.begin);
    if (!behind) {
        return false;
    }
    // Does nothing to a table that somebody creates meanwhile.
    draft.splice(*behind, end, FixedText{" SET WITHOUT CLUSTER"});
    draft.plan().touches_protected = true;
    return true;
}

}  // namespace pgveil::analysis
