#include "sql/analysis/create_table_as.hpp"

namespace pgveil::analysis {

void refuse_protected_target(Draft& draft, const parse::CreateTableAs& create) {
    const config::Policy& policy = draft.text().context.policy;
    const parse::TableReference& target = create.target;
    if (policy.is_protected_name(target.name) &&
        !policy.is_listed_plain(target.schema, target.name)) {
        draft.refuse(refusal_of(
            target.name, create.command, "use CREATE TABLE, then INSERT ... SELECT", target.begin
        ));
    }
}

void refuse_stored_copies(Draft& draft, const parse::CreateTableAs& create) {
    for (const ResultColumn& result : draft.plan().results) {
        if (result.column != nullptr) {
            draft.refuse(
                create.command + " with its values",
                "leave the column out, or put the new table into the policy and use CREATE TABLE, "
                "then INSERT ... SELECT",
                result.column,
                create.target.begin
            );
        }
    }
}

}  // namespace pgveil::analysis
