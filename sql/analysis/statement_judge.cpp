#include "sql/analysis/statement_judge.hpp"

#include "sql/analysis/absent_table.hpp"
#include "sql/analysis/calls.hpp"
#include "sql/analysis/copy.hpp"
#include "sql/analysis/create_table_as.hpp"
#include "sql/analysis/create_view.hpp"
#include "sql/analysis/definition.hpp"
#include "sql/analysis/dependent.hpp"
#include "sql/analysis/effects.hpp"
#include "sql/analysis/enum_change.hpp"
#include "sql/analysis/facade.hpp"
#include "sql/analysis/impossible_parameters.hpp"
#include "sql/analysis/named.hpp"
#include "sql/analysis/prepared_statement.hpp"
#include "sql/analysis/query.hpp"
#include "sql/analysis/row_types.hpp"
#include "sql/analysis/session.hpp"
#include "sql/analysis/text_order.hpp"
#include "sql/analysis/unread.hpp"
#include "sql/analysis/words.hpp"

#include <string>

namespace pgveil::analysis {

namespace {

StatementKind kind_of(parse::Other::Kind kind) {
    using Kind = parse::Other::Kind;
    switch (kind) {
        case Kind::kDdl: return StatementKind::kOtherDdl;
        case Kind::kCode:
        case Kind::kPlain: return StatementKind::kOther;
    }
    return StatementKind::kOther;
}

/// And nothing in it can tell how it came: that takes a function.
bool brings_whole_tables(const parse::Select& select, const parse::Inventory& inventory) {
    return !select.from.empty() && select.where == nullptr && select.limits.empty() &&
           select.group_by.empty() && !select.has_into && inventory.calls.empty() &&
           inventory.parameters.empty() && !inventory.has_unknown;
}

/// Decides one statement. The order matters: first what it names, then what it does with it.
class StatementJudge {
public:
    StatementJudge(Text& text, const parse::Statement& statement)
        : text_(text), statement_(statement), draft_(text, statement) {}

    Decision run() {
        refuse_impossible_parameters(draft_, statement_);
        std::visit([this](const auto& node) { judge(node); }, statement_.node);
        refuse_unread(draft_, statement_.inventory);
        refuse_settings_update(draft_, statement_);
        if (!std::holds_alternative<parse::Explain>(statement_.node) &&
            !std::holds_alternative<parse::CreateView>(statement_.node)) {
            show_plain_catalog(draft_, statement_);
        }
        Decision decision = std::move(draft_).finish();
        if (auto* const plan = std::get_if<StatementPlan>(&decision)) {
            finish(*plan);
        }
        return decision;
    }

private:
    void finish(StatementPlan& plan) {
        note_effects(plan, is_inner_ ? inner_kind_ : plan.kind, statement_);
        if (is_inner_) {
            part_from_inner(plan, inner_kind_);
        }
        text_.names.note(plan);
    }

    void judge(const std::unique_ptr<parse::Select>& select) {
        draft_.plan().kind = StatementKind::kSelect;
        if (select == nullptr || (!is_inner_ && answer_veil_call(draft_, *select))) {
            return;
        }
        check_calls(draft_, statement_.inventory, is_inner_ ? nullptr : select.get());
        if (changes_rows(select.get())) {
            draft_.plan().kind = StatementKind::kOther;  // it does not only read
        }
        if (concerns_protected({})) {
            draft_.plan().may_bring_many =
                !is_inner_ && brings_whole_tables(*select, statement_.inventory);
            Query(draft_).select(*select);
        }
    }

    void judge(const parse::Insert& insert) {
        draft_.plan().kind = StatementKind::kInsert;
        check_calls(draft_, statement_.inventory);
        if (concerns_protected({})) {
            Query(draft_).insert(insert);
        }
    }

    void judge(const parse::Update& update) {
        draft_.plan().kind = StatementKind::kUpdate;
        check_calls(draft_, statement_.inventory);
        if (concerns_protected({})) {
            Query(draft_).update(update);
        }
    }

    void judge(const parse::Delete& statement) {
        draft_.plan().kind = StatementKind::kDelete;
        check_calls(draft_, statement_.inventory);
        if (concerns_protected({})) {
            Query(draft_).delete_from(statement);
        }
    }

    void judge(const parse::Merge& statement) {
        draft_.plan().kind = StatementKind::kOther;
        check_calls(draft_, statement_.inventory);
        if (concerns_protected({})) {
            Query(draft_).merge(statement);
        }
    }

    void judge(const parse::CreateTable& create) {
        draft_.plan().kind = StatementKind::kCreateTable;
        draft_.plan().changes_catalog = true;
        check_calls(draft_, statement_.inventory);
        static_cast<void>(concerns_protected(create.target));
        TableDefinition(draft_, create).run();
    }

    void judge(const parse::AlterTable& alter) {
        draft_.plan().kind = StatementKind::kOtherDdl;
        draft_.plan().changes_catalog = true;
        if (alter.if_exists && skips_absent_table(draft_, alter.target, statement_.end)) {
            return;
        }
        check_calls(draft_, statement_.inventory);
        static_cast<void>(concerns_protected({}));
        if (!alter_as_view(draft_, alter)) {
            TableAlteration(draft_, alter, statement_.end).run();
        }
    }

    void judge(const parse::Rename& rename) {
        draft_.plan().kind = StatementKind::kOtherDdl;
        draft_.plan().changes_catalog = true;
        if (rename.if_exists && skips_absent_table(draft_, rename.target, statement_.end)) {
            return;
        }
        static_cast<void>(concerns_protected({}));
        TableRenaming(draft_, rename).run();
    }

    void judge(const parse::CreateIndex& create) {
        draft_.plan().kind = StatementKind::kOtherDdl;
        draft_.plan().changes_catalog = true;
        check_calls(draft_, statement_.inventory);
        if (concerns_protected({})) {
            define_index(draft_, create);
        }
    }

    void judge(const parse::Truncate& truncate) {
        draft_.plan().kind = StatementKind::kOther;
        if (!concerns_protected({})) {
            return;
        }
        for (const auto& table : truncate.targets) {
            const Judgement judgement =
                text_.relations.judge({table.database, table.schema, table.name, table.begin});
            if (judgement.standing == Standing::kProtected && judgement.known != nullptr) {
                draft_.plan().touches_protected = true;
                draft_.qualify(table, *judgement.known->relation);
            }
        }
    }

    void judge(const parse::Copy& copy) {
        draft_.plan().kind = StatementKind::kCopy;
        refuse_set_config(draft_, {statement_.begin, statement_.end, false}, "COPY");
        check_calls(draft_, statement_.inventory);
        if (concerns_protected({})) {
            judge_copy(draft_, copy);
        }
    }

    void judge(const parse::VariableSet& set) {
        set_variable(draft_, set);
        check_calls(draft_, statement_.inventory);
    }

    void judge(const parse::VariableShow& show) { show_variable(draft_, show); }

    void judge(const parse::Transaction& transaction) {
        draft_.plan().kind = kind_of_transaction(transaction.kind);
    }

    void judge(const parse::Harmless& command) {
        using Kind = parse::Harmless::Kind;
        StatementPlan& plan = draft_.plan();
        switch (command.kind) {
            case Kind::kDiscardAll:
                plan.kind = StatementKind::kDiscard;
                plan.may_change_session_parameters = true;
                plan.may_change_search_path = true;
                plan.changes_catalog = true;  // temporary tables are gone
                return;
            case Kind::kDiscardOther:
                plan.kind = StatementKind::kDiscard;
                plan.changes_catalog = true;
                return;
            case Kind::kDeallocate: named(StatementKind::kDeallocate, command); return;
            case Kind::kCloseCursor: named(StatementKind::kCloseCursor, command); return;
            case Kind::kNamelessCommand: plan.kind = StatementKind::kOther; return;
            case Kind::kDrop:
                plan.kind = StatementKind::kOtherDdl;
                plan.changes_catalog = true;
                break;
            case Kind::kObjectCommand: plan.kind = StatementKind::kOther; break;
        }
        refuse_schema_pgveil("this command");
    }

    void named(StatementKind kind, const parse::Harmless& command) {
        draft_.plan().kind = kind;
        draft_.plan().used_name = command.name;
    }

    /// The statement inside EXPLAIN and kin, as if it stood alone.
    void judge_inner(const parse::Statement& inner, std::string_view construct) {
        is_inner_ = true;
        refuse_set_config(draft_, {statement_.begin, statement_.end, false}, construct);
        std::visit([this](const auto& node) { judge(node); }, inner.node);
        inner_kind_ = draft_.plan().kind;
    }

    void judge(const parse::Explain& explain) {
        judge_inner(*explain.statement, "EXPLAIN");
        draft_.plan().kind = StatementKind::kExplain;
    }

    void judge(const parse::DeclareCursor& declare) {
        judge_inner(*declare.query, "DECLARE CURSOR");
        StatementPlan& plan = draft_.plan();
        plan.kind = StatementKind::kDeclareCursor;
        plan.defined_name = declare.name;
        plan.is_held = declare.is_held;
        plan.is_binary = declare.is_binary;
    }

    void judge(const parse::Prepare& prepare) {
        declare_parameters(draft_, prepare);
        judge_inner(*prepare.statement, "PREPARE");
        draft_.plan().kind = StatementKind::kPrepare;
        draft_.plan().defined_name = prepare.name;
        rewrite_parameter_types(draft_, prepare, statement_.begin);
    }

    void judge(const parse::Execute& execute) {
        draft_.plan().kind = StatementKind::kExecute;
        draft_.plan().used_name = execute.name;
        const parse::Inventory& inventory = statement_.inventory;
        check_calls(draft_, inventory);
        refuse_row_types(draft_, inventory);
        if (inventory.has_unknown || !inventory.tables.empty() || !inventory.calls.empty()) {
            judge_words("EXECUTE with such arguments", false);
        }
        execute_prepared(draft_, execute);
    }

    void judge(const parse::Fetch& fetch) { fetch_from_portal(draft_, fetch); }

    void judge(const parse::CreateTableAs& create) {
        refuse_protected_target(draft_, create);
        judge_inner(*create.source, create.command);
        draft_.plan().kind = StatementKind::kOtherDdl;
        draft_.plan().changes_catalog = true;
        refuse_stored_copies(draft_, create);
    }

    void judge(const parse::CreateView& create) {
        text_.defines_view = true;
        judge_inner(*create.source, create.command);
        text_.defines_view = false;
        define_view(draft_, create);
    }

    void judge(const parse::AlterView& alter) {
        check_calls(draft_, statement_.inventory);
        static_cast<void>(concerns_protected({}));
        alter_view(draft_, alter);
    }

    void judge(const parse::OwnedSequence& sequence) {
        draft_.plan().kind = StatementKind::kOtherDdl;
        draft_.plan().changes_catalog = true;
        own_sequence(draft_, sequence, statement_);
    }

    void judge(const parse::CreateStatistics& create) {
        draft_.plan().kind = StatementKind::kOtherDdl;
        draft_.plan().changes_catalog = true;
        check_calls(draft_, statement_.inventory);
        if (concerns_protected({})) {
            define_statistics(draft_, create);
        }
    }

    void judge(const parse::Other& command) {
        StatementPlan& plan = draft_.plan();
        plan.kind = kind_of(command.kind);
        // A function body may do anything: what was known about the session is not sure any more.
        const bool is_code = command.kind == parse::Other::Kind::kCode;
        plan.changes_catalog = is_code || command.kind == parse::Other::Kind::kDdl;
        plan.may_change_search_path = is_code;
        plan.may_change_session_parameters = is_code;
        plan.runs_unknown_sql = is_code;
        plan.calls_own_function = true;
        judge_words(command.command, is_code);
        refuse_enum_change(draft_, statement_.begin, statement_.end);
    }

    void judge_words(std::string_view construct, bool inside_strings) {
        analysis::judge_words(
            draft_, {statement_.begin, statement_.end, inside_strings}, construct
        );
    }

    void refuse_schema_pgveil(std::string_view construct) {
        if (names_veil(text_.tokens, statement_.begin, statement_.end)) {
            draft_.refuse(refusal_of(
                "schema pgveil",
                construct,
                "nothing in schema pgveil is for clients",
                parse::kNowhere
            ));
        }
    }

    /// A plain relation with the last name of a protected one: under another search_path, which may
    /// have changed unseen (in a function), the name would be the protected one's.
    void fix_schema(const parse::Inventory::Table& table, const catalog::Relation& relation) {
        if (text_.context.policy.is_protected_name(table.name)) {
            parse::TableReference reference;
            reference.schema = table.schema;
            reference.begin = table.begin;
            draft_.qualify(reference, relation);
        }
    }

    /// Judges every relation that the statement names, except the one it creates and those that
    /// WITH defines. True if a
    /// protected one is among them; refuses what may not be named at all.
    bool concerns_protected(const parse::TableReference& created) {
        bool is_concerned = draft_.plan().touches_protected;  // by what a function returns
        for (const auto& table : statement_.inventory.tables) {
            const bool is_created = !created.name.empty() && table.name == created.name &&
                                    (table.schema == created.schema || table.schema.empty());
            if (is_created || table.is_common) {
                continue;
            }
            const Judgement judgement = text_.relations.judge(table);
            if (judgement.rejection) {
                draft_.refuse(*judgement.rejection);
            }
            if (judgement.standing == Standing::kProtected && judgement.known != nullptr) {
                note_tables(draft_.plan(), *judgement.known);
            }
            is_concerned = is_concerned || judgement.standing == Standing::kProtected;
            if (judgement.standing == Standing::kPlain && judgement.known != nullptr) {
                fix_schema(table, *judgement.known->relation);
            }
        }
        refuse_row_types(draft_, statement_.inventory);
        if (statement_.inventory.has_unknown && !is_concerned) {
            judge_words("a statement that pgveil does not read completely", false);
        }
        return is_concerned;
    }

    Text& text_;
    const parse::Statement& statement_;
    Draft draft_;
    bool is_inner_ = false;
    StatementKind inner_kind_ = StatementKind::kOther;
};

}  // namespace

Decision judge_statement(Text& text, const parse::Statement& statement) {
    return StatementJudge(text, statement).run();
}

}  // namespace pgveil::analysis
