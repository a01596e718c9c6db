#include "sql/analysis/effects.hpp"

#include "sql/analysis/text_order.hpp"

#include <algorithm>
#include <string>

namespace pgveil::analysis {

namespace {

void note_table(StatementPlan& plan, const std::string& schema, const std::string& table) {
    std::string name = schema + "." + table;
    if (std::find(plan.tables.begin(), plan.tables.end(), name) == plan.tables.end()) {
        plan.tables.push_back(std::move(name));
    }
}

/// COPY TO STDOUT, of a table or of a query that calls nothing.
bool only_copies_out(const parse::Copy& copy, const parse::Statement& statement) {
    const auto* const select = copy.query == nullptr
                                   ? nullptr
                                   : std::get_if<std::unique_ptr<parse::Select>>(&copy.query->node);
    const bool is_read =
        copy.query == nullptr || (select != nullptr && !changes_rows(select->get()));
    const parse::Inventory& inventory = statement.inventory;
    return is_read && !copy.is_from && !copy.is_at_server && inventory.calls.empty() &&
           !inventory.has_unknown;
}

bool is_nameless(const parse::Statement& statement) {
    const auto* const command = std::get_if<parse::Harmless>(&statement.node);
    return command != nullptr && command->kind == parse::Harmless::Kind::kNamelessCommand;
}

/// Kinds of which nothing is known count as writing.
bool only_reads(
    const StatementPlan& plan, StatementKind inside, const parse::Statement& statement
) {
    using enum StatementKind;
    switch (inside) {
        case kSelect: return !plan.calls_own_function && !plan.runs_unknown_sql;
        case kExecute:
            return plan.used != nullptr && !plan.used->may_write && !plan.calls_own_function;
        case kFetch: return plan.used == nullptr || !plan.used->may_write;
        case kCopy: {
            const auto* const copy = std::get_if<parse::Copy>(&statement.node);
            return copy != nullptr && only_copies_out(*copy, statement);
        }
        case kOther: return is_nameless(statement);
        case kSet:
        case kReset:
        case kShow:
        case kBegin:
        case kCommit:
        case kRollback:
        case kSavepoint:
        case kReleaseSavepoint:
        case kRollbackToSavepoint:
        case kPrepareTransaction:
        case kDiscard:
        case kDeallocate:
        case kMove:
        case kCloseCursor: return true;
        case kInsert:
        case kUpdate:
        case kDelete:
        case kCreateTable:
        case kOtherDdl:
        case kPrepare:
        case kDeclareCursor:
        case kExplain: return false;
    }
    return false;
}

bool only_holds(StatementKind kind) {
    using enum StatementKind;
    return kind == kExplain || kind == kPrepare || kind == kDeclareCursor;
}

}  // namespace

void note_tables(StatementPlan& plan, const KnownRelation& known) {
    bool shows_one = false;
    for (const ColumnPtr& veil : known.veils) {
        if (veil != nullptr) {
            note_table(plan, veil->schema, veil->table);
            shows_one = true;
        }
    }
    if (!shows_one) {
        note_table(plan, known.relation->schema, known.relation->name);
    }
}

void note_effects(StatementPlan& plan, StatementKind inside, const parse::Statement& statement) {
    for (const ColumnPtr& column : plan.columns) {
        note_table(plan, column->schema, column->table);
    }
    const bool is_judged_by_inner = plan.kind == inside || only_holds(plan.kind);
    plan.may_write = !is_judged_by_inner || !only_reads(plan, inside, statement);
}

}  // namespace pgveil::analysis
