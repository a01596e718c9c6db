#include "proxy/relay/refusal.hpp"

#include "keyshare/core/invariant.hpp"
#include "proxy/wire/error_response.hpp"
#include "sql/analysis/rejection.hpp"
#include "sql/parse/expression.hpp"
#include "sql/rewrite/rewrite.hpp"

#include <algorithm>
#include <array>

namespace pgveil::relay {

namespace {

struct Row {
    Reason reason;
    std::string_view sqlstate;
    std::string_view before;  // message = before + subject + after
    std::string_view after;
    std::string_view hint;
};

constexpr std::array<Row, 26> kTable = {{
    {Reason::kEncoding,
     "0A000",
     "client_encoding ",
     " cannot be used with protected columns",
     "Use SET client_encoding TO 'UTF8'."},
    {Reason::kMisread,
     "0A000",
     "",
     " where protected columns are used",
     "Change the setting: SET in this session, ALTER ROLE or ALTER DATABASE for all."},
    {Reason::kSharesInClear,
     "28000",
     "",
     " was sent without TLS and must now be considered exposed",
     "Connect with sslmode=verify-full, and have the tenant administrator issue new shares."},
    {Reason::kCallInTransaction,
     "25001",
     "",
     " cannot run inside a transaction block",
     "Its effect cannot be rolled back: call it outside BEGIN ... COMMIT."},
    {Reason::kBadParameter,
     "08P01",
     "bind message does not fit the prepared statement: ",
     "",
     "Prepare the statement again."},
    {Reason::kReservedParameterName,
     "0A000",
     "set_config() of ",
     " needs its name as a literal",
     "Write set_config('pgveil.user_token', $1, ...) or use SET."},
    {Reason::kFunctionCall,
     "0A000",
     "a FunctionCall message for ",
     " is not passed on",
     "Call the function in a SELECT."},
    {Reason::kTooLarge,
     "54000",
     "the message is larger than ",
     " bytes (limits.message_bytes)",
     "Send it in parts, or raise the limit."},
    {Reason::kRowMismatch,
     "XX000",
     "the server's rows do not fit the plan of the statement: ",
     "",
     "Relation and policy may have changed meanwhile: repeat the statement."},
    {Reason::kValueNotOpened,
     "XX001",
     "a stored value of ",
     " does not open",
     "It was altered, moved here from another place, or written under a key that is gone."},
    {Reason::kEnvelopeInResult,
     "0A000",
     "",
     " of the result holds encrypted values that no rule opened",
     "Select the column from its own table: functions and casts in the database cannot open it."},
    {Reason::kUsedName,
     "0A000",
     "",
     " is not the prepared statement any more that this one was prepared to run",
     "Prepare this one again."},
    {Reason::kChangedNames,
     "0A000",
     "cached plan must not change result type",
     "",
     "What the names in the prepared statement stand for has changed (search_path, or a "
     "definition): prepare it again."},
    {Reason::kPolicyChanged,
     "0A000",
     "the policy was reloaded after statement \"",
     "\" was prepared",
     "Prepare it again."},
    {Reason::kShareTooLong,
     "22023",
     "the value of ",
     " is too long to be one",
     "Give the text that pgveil-user or pgveil-tenant wrote."},
    {Reason::kTooManyShares,
     "54000",
     "too many values were given to pgveil session parameters in one transaction",
     "",
     "End the transaction, or set them once in it."},
    {Reason::kUnknownSql,
     "0A000",
     "DO and CALL cannot run while this session holds prepared statements over protected relations",
     "",
     "They could execute one of them with a plain value: run them in a session of their own."},
    {Reason::kTooManyStatements,
     "54000",
     "this session holds ",
     " prepared statements (limits.statements_per_session)",
     "Close some, or raise the limit."},
    {Reason::kTooManyCursors,
     "54000",
     "this session holds ",
     " cursors (limits.statements_per_session)",
     "Close some, or raise the limit."},
    {Reason::kTooManyPlanBytes,
     "54000",
     "what pgveil keeps of this session's prepared statements and cursors takes ",
     " bytes (limits.plan_bytes_per_session)",
     "DEALLOCATE or CLOSE some, or raise the limit."},
    {Reason::kUnreadDrop,
     "0A000",
     "DEALLOCATE in a text that pgveil cannot read, while this session holds prepared statements "
     "over "
     "protected relations",
     "",
     "Send DEALLOCATE in a text of its own."},
    {Reason::kUserLocked,
     "28000",
     "user \"",
     "\" is locked after an alarm",
     "The proxy's operator finds it in the log, and ends the lock with UNLOCK USER in the admin "
     "console."},
    {Reason::kScopeReadOnly,
     "42501",
     "the token of user ",
     " is for reading only (scope read_only), and this statement writes, or runs code that may",
     "Use a token that was made without --read-only, or leave the statement out."},
    {Reason::kScopeTables,
     "42501",
     "the token of user ",
     " (scope tables)",
     "Use a token that was made with this table among its --tables, or leave the table out."},
    {Reason::kScopeMaintain,
     "42501",
     "the token of user ",
     ", which pgveil migrate is at work on (scope maintain)",
     "Leave the table to pgveil migrate; it will take the place of the one that is migrated."},
    {Reason::kScopeUnknownTable,
     "42501",
     "the token of user ",
     " is for some tables only (scope tables), and pgveil cannot tell which this statement uses",
     "Use a token that was made without --tables."},
}};

constexpr bool has_every_reason() {
    for (std::size_t i = 0; i < kTable.size(); ++i) {
        if (kTable.at(i).reason != static_cast<Reason>(i)) {
            return false;
        }
    }
    return kTable.back().reason == Reason::kScopeUnknownTable;
}

static_assert(has_every_reason(), "the table has one row for each Reason, in its order");

template <class Code>
struct CodeRow {
    Code code;
    std::string_view sqlstate;
};

/// The refusal for an error whose code stands in `table`.
template <class Error, std::size_t Size>
Refusal from_table(
    const std::array<CodeRow<decltype(Error::code)>, Size>& table, const Error& error
) {
    const auto* const row =
        std::find_if(table.begin(), table.end(), [&error](const auto& candidate) {
            return candidate.code == error.code;
        });
    core::invariant(row != table.end(), "every error code stands in its table");
    Refusal result;
    result.sqlstate = row->sqlstate;
    result.message = error.message;
    return result;
}

constexpr std::array<CodeRow<share::ErrorCode>, 10> kShareErrors = {{
    {share::ErrorCode::kMalformed, "22023"},
    {share::ErrorCode::kForged, "28000"},
    {share::ErrorCode::kForeign, "28000"},
    {share::ErrorCode::kOutOfOrder, "55000"},
    {share::ErrorCode::kExpired, "28000"},
    {share::ErrorCode::kUnsupported, "0A000"},
    {share::ErrorCode::kInvalidArgument, "22023"},
    {share::ErrorCode::kUnknownGroup, "42501"},
    {share::ErrorCode::kUnknownKey, "XX001"},
    {share::ErrorCode::kFailed, "58030"},
}};

constexpr std::array<CodeRow<store::ErrorCode>, 8> kStoreErrors = {{
    {store::ErrorCode::kUnavailable, "58030"},
    {store::ErrorCode::kBroken, "XX001"},
    {store::ErrorCode::kNotBootstrapped, "55000"},
    {store::ErrorCode::kRefused, "22023"},
    {store::ErrorCode::kForged, "28000"},
    {store::ErrorCode::kOutOfOrder, "55000"},
    {store::ErrorCode::kSuperseded, "40001"},
    {store::ErrorCode::kFailed, "58030"},
}};

}  // namespace

Refusal refusal(Reason reason, std::string_view subject) {
    const Row& row = kTable.at(static_cast<std::size_t>(reason));
    Refusal result;
    result.sqlstate = row.sqlstate;
    result.message.append(row.before).append(subject).append(row.after);
    result.hint = row.hint;
    // pgjdbc prepares again what this function of PostgreSQL refuses (plancache.c).
    result.routine = reason == Reason::kChangedNames ? "RevalidateCachedQuery" : "";
    return result;
}

Refusal refusal(const analysis::Rejection& rejection, std::string_view text) {
    Refusal result;
    result.sqlstate = rejection.sqlstate;
    result.message = rejection.message;
    result.hint = rejection.hint;
    result.detail = rejection.detail;
    result.outranks_failed_transaction = rejection.kind == analysis::RejectionKind::kSyntax;
    if (rejection.position >= 0) {
        result.position =
            rewrite::character_position(text, static_cast<std::uint32_t>(rejection.position));
    }
    return result;
}

Refusal refusal(const share::Denial& denial) {
    Refusal result;
    // Not the user's doing: a client may try again with the same shares.
    const bool is_ours = denial.kind == share::DenialKind::kStoreUnavailable ||
                         denial.kind == share::DenialKind::kLocked;
    result.sqlstate = is_ours ? "58030" : "28000";
    result.message = denial.message;
    return result;
}

Refusal refusal(const share::Error& error) {
    return from_table(kShareErrors, error);
}

Refusal refusal(const store::Error& error) {
    return from_table(kStoreErrors, error);
}

Refusal refusal(const types::Error& error) {
    Refusal result;
    result.sqlstate = error.sqlstate;
    result.message = error.message;
    result.hint = error.hint;
    result.detail = error.detail;
    return result;
}

Refusal refusal(const types::Error& error, const field::ProtectedColumn* column) {
    return column == nullptr
               ? refusal(error)
               : refusal(analysis::constant_error(error, *column, parse::kNowhere), {});
}

Refusal unread_parameter(Refusal refused, std::size_t parameter, bool is_text) {
    refused.where = "parameter $" + std::to_string(parameter) + (is_text ? " = '...'" : "");
    return refused;
}

void name_portal(Refusal& refusal, std::string_view portal) {
    if (refusal.where.empty()) {
        return;
    }
    const std::string name =
        portal.empty() ? "unnamed portal " : "portal \"" + std::string(portal) + "\" ";
    refusal.where.insert(0, name);
}

std::string marker(std::string_view request_id) {
    std::string text = "SELECT \"pgveil:refused:";
    text.append(request_id.substr(0, 40)).append("\"");
    return text;
}

void append(wire::Output& client, const Refusal& refusal) {
    wire::Report report;
    report.sqlstate = refusal.sqlstate;
    report.message = refusal.message;
    report.detail = refusal.detail;
    report.hint = refusal.hint;
    report.where = refusal.where;
    report.position = refusal.position;
    report.routine = refusal.routine;
    wire::append_error(client, report);
}

}  // namespace pgveil::relay
