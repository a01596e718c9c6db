#include "sql/analysis/statement_judge.hpp"

#include "sql/analysis/calls.hpp"
#include "sql/analysis/copy.hpp"
#include "sql/analysis/definition.hpp"
#include "sql/analysis/facade.hpp"
#include "sql/analysis/named.hpp"
#include "sql/analysis/query.hpp"
#include "sql/analysis/session.hpp"

#include <string>

namespace pgveil::analysis {

namespace {

StatementKind kind_of(parse::Transaction::Kind kind) {
    using Kind = parse::Transaction::Kind;
    switch (kind) {
        case Kind::kBegin: return StatementKind::kBegin;
        case Kind::kCommit: return StatementKind::kCommit;
        case Kind::kRollback: return StatementKind::kRollback;
        case Kind::kSavepoint: return StatementKind::kSavepoint;
        case Kind::kRelease: return StatementKind::kReleaseSavepoint;
        case Kind::kRollbackTo: return StatementKind::kRollbackToSavepoint;
        case Kind::kPrepare: return StatementKind::kPrepareTransaction;
        case Kind::kCommitPrepared:
        case Kind::kRollbackPrepared: return StatementKind::kOther;
    }
    return StatementKind::kOther;
}

StatementKind kind_of(parse::Other::Kind kind) {
    using Kind = parse::Other::Kind;
    switch (kind) {
        case Kind::kDdl: return StatementKind::kOtherDdl;
        case Kind::kPrepare: return StatementKind::kPrepare;
        case Kind::kDeclareCursor: return StatementKind::kDeclareCursor;
        case Kind::kExplain: return StatementKind::kExplain;
        case Kind::kCode:
        case Kind::kPlain: return StatementKind::kOther;
    }
    return StatementKind::kOther;
}

/// Decides one statement. The order matters: first what it names, then what it does with it.
class StatementJudge {
public:
    StatementJudge(Text& text, const parse::Statement& statement)
        : text_(text), statement_(statement), draft_(text, statement) {}

    Decision run() {
        refuse_impossible_parameters();
        std::visit([this](const auto& node) { judge(node); }, statement_.node);
        refuse_unread_tables();
        refuse_settings_update();
        show_plain_catalog(draft_, statement_);
        return std::move(draft_).finish();
    }

private:
    /// Bind can carry 65535 parameters. Later steps size things by these numbers.
    void refuse_impossible_parameters() {
        constexpr std::uint32_t kLast = 65535;
        for (const std::uint32_t number : statement_.inventory.parameters) {
            if (number == 0 || number > kLast) {
                const auto shown = static_cast<std::int32_t>(number);
                draft_.refuse(postgres_error(
                    "42P02", "there is no parameter $" + std::to_string(shown), parse::kNowhere
                ));
            }
        }
    }

    /// A query in a place that no rule went through (a CHECK, the bound of a partition) would leave
    /// with its constants as they are.
    void refuse_unread_tables() {
        for (const auto& table : statement_.inventory.tables) {
            const bool is_unread = table.is_source && !table.is_common && !draft_.is_refused() &&
                                   !draft_.has_read(table.begin);
            if (is_unread && text_.relations.judge(table).standing == Standing::kProtected) {
                draft_.refuse(refusal_of(
                    table.name,
                    "a sub-query in this place",
                    "run the query in a statement of its own",
                    table.begin
                ));
            }
        }
    }

    /// It sets parameters, search_path and those of pgveil among them, behind the back of SET.
    void refuse_settings_update() {
        for (const auto& table : statement_.inventory.tables) {
            const bool is_update = !table.is_source && table.name == "pg_settings" &&
                                   (table.schema.empty() || table.schema == "pg_catalog");
            if (is_update && !text_.context.policy.is_empty()) {
                draft_.refuse(refusal_of("pg_settings", "UPDATE", "use SET", table.begin));
            }
        }
    }

    void judge(const std::unique_ptr<parse::Select>& select) {
        draft_.plan().kind = StatementKind::kSelect;
        if (select == nullptr || answer_veil_call(draft_, *select)) {
            return;
        }
        check_calls(draft_, statement_.inventory, select.get());
        if (concerns_protected({})) {
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
        check_calls(draft_, statement_.inventory);
        static_cast<void>(concerns_protected({}));
        TableAlteration(draft_, alter, statement_.end).run();
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
        refuse_set_config("COPY");
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
        draft_.plan().kind = kind_of(transaction.kind);
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
            case Kind::kExecute: named(StatementKind::kExecute, command); return;
            case Kind::kFetch: named(StatementKind::kFetch, command); return;
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
        if (statement_.inventory.has_unknown || !statement_.inventory.tables.empty()) {
            judge_words("EXECUTE with such arguments", false);
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
        plan.used_name = command.executed;
        plan.runs_unknown_sql = is_code;
        judge_words(command.command, is_code);
    }

    NameSearch whole(bool inside_strings) const {
        return NameSearch{statement_.begin, statement_.end, inside_strings};
    }

    void judge_words(std::string_view construct, bool inside_strings) {
        refuse_set_config(construct);
        refuse_sql_runners();
        refuse_settings_update_in_words();
        auto rejection = concerned_by_words(text_, whole(inside_strings), construct);
        if (rejection) {
            draft_.refuse(std::move(*rejection));
        }
    }

    void refuse_sql_runners() {
        const auto name = sql_runner_named(text_.tokens, statement_.begin, statement_.end);
        if (name && !text_.context.policy.is_empty()) {
            draft_.refuse(sql_runner_refusal(*name, statement_.begin));
        }
    }

    void refuse_settings_update_in_words() {
        const auto begin = called_by_name(text_, whole(false), [](const std::string& name) {
            return name == "pg_settings";
        });
        const auto update = called_by_name(text_, whole(false), [](const std::string& name) {
            return name == "update";
        });
        if (begin && update && !text_.context.policy.is_empty()) {
            draft_.refuse(refusal_of("pg_settings", "UPDATE", "use SET", *begin));
        }
    }

    /// Inside a command without model nobody knows which string is the parameter's name.
    void refuse_set_config(std::string_view construct) {
        const auto begin = called_by_name(text_, whole(false), [](const std::string& name) {
            return name == "set_config";
        });
        if (begin) {
            draft_.refuse(refusal_of(
                "set_config",
                std::string(construct) + " with set_config inside",
                "call set_config in a SELECT of its own, or use SET",
                *begin
            ));
        }
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
        if (text_.context.policy.is_protected_name(table.name) && !table.is_common) {
            parse::TableReference reference;
            reference.schema = table.schema;
            reference.begin = table.begin;
            draft_.qualify(reference, relation);
        }
    }

    /// Judges every relation that the statement names, except the one it creates. True if a
    /// protected one is among them; refuses what may not be named at all.
    bool concerns_protected(const parse::TableReference& created) {
        bool is_concerned = false;
        for (const auto& table : statement_.inventory.tables) {
            const bool is_created = !created.name.empty() && table.name == created.name &&
                                    (table.schema == created.schema || table.schema.empty());
            if (is_created) {
                continue;
            }
            const Judgement judgement = text_.relations.judge(table);
            if (judgement.rejection) {
                draft_.refuse(*judgement.rejection);
            }
            is_concerned = is_concerned || judgement.standing == Standing::kProtected;
            if (judgement.standing == Standing::kPlain && judgement.known != nullptr) {
                fix_schema(table, *judgement.known->relation);
            }
        }
        for (const parse::TypeName& type : statement_.inventory.types) {
            if (type.names.front() == "pgveil") {
                draft_.refuse(refusal_of(
                    type.names.back(),
                    "a type of schema pgveil",
                    "nothing in schema pgveil is for clients",
                    type.begin
                ));
            }
        }
        if (statement_.inventory.has_unknown && !is_concerned) {
            judge_words("a statement that pgveil does not read completely", false);
        }
        return is_concerned;
    }

    Text& text_;
    const parse::Statement& statement_;
    Draft draft_;
};

}  // namespace

Decision judge_statement(Text& text, const parse::Statement& statement) {
    return StatementJudge(text, statement).run();
}

}  // namespace pgveil::analysis
