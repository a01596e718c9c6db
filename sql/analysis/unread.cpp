#include "sql/analysis/unread.hpp"

#include "sql/analysis/own_functions.hpp"

namespace pgveil::analysis {

namespace {

void refuse_unread_tables(Draft& draft, const parse::Inventory& inventory) {
    for (const auto& table : inventory.tables) {
        const bool is_unread = table.is_source && !table.is_common && !draft.is_refused() &&
                               !draft.has_read(table.begin);
        if (is_unread && draft.text().relations.judge(table).standing == Standing::kProtected) {
            draft.refuse(refusal_of(
                table.name,
                "a sub-query in this place",
                "run the query in a statement of its own",
                table.begin
            ));
        }
    }
}

void refuse_unread_calls(Draft& draft, const parse::Inventory& inventory) {
    for (const parse::Expression* node : inventory.calls) {
        const auto& call = std::get<parse::Call>(node->node);
        const auto* const function = function_entry(draft.text(), call);
        if (function != nullptr && !draft.has_read(node->begin)) {
            draft.refuse(stored_function_refusal(*function, "in this place", node->begin));
        }
    }
}

}  // namespace

void refuse_unread(Draft& draft, const parse::Inventory& inventory) {
    refuse_unread_tables(draft, inventory);
    refuse_unread_calls(draft, inventory);
}

}  // namespace pgveil::analysis
