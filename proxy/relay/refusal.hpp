#pragma once

#include "keyshare/share/denial.hpp"
#include "keyshare/share/error.hpp"
#include "keyshare/store/error.hpp"
#include "proxy/wire/output.hpp"
#include "sql/analysis/plan.hpp"
#include "sql/types/error.hpp"

#include <string>
#include <string_view>

namespace pgveil::relay {

/// What the client is told instead of the server's answer. Texts may quote the client's own
/// statement: they go to that client only, never into a log.
struct Refusal {
    Refusal() = default;  // no aggregate: a Result could not tell it from a text

    std::string sqlstate;
    std::string message;
    std::string detail;
    std::string hint;
    std::string where = {};  ///< PostgreSQL's CONTEXT
    /// The function of PostgreSQL that gives this error: drivers know some by it.
    std::string_view routine = {};
    std::uint32_t position = 0;  ///< in characters of the user's text, from 1; 0: none
    /// The server's answer to the marker is this even in a failed transaction (its own 25P02 would
    /// hide the reason that failed it a moment ago).
    bool outranks_failed_transaction = false;
};

/// Reasons that arise in the relay itself. Their SQLSTATEs and texts stand in one table.
enum class Reason {
    kEncoding,               ///< client_encoding is not UTF8
    kMisread,                ///< ServerSettings::misread()
    kSharesInClear,          ///< shares came over TCP without TLS
    kCallInTransaction,      ///< pgveil.add_user(...) and kin inside a transaction block
    kBadParameter,           ///< a Bind that does not fit its statement
    kReservedParameterName,  ///< set_config() of one of our parameters, named at run time
    kFunctionCall,           ///< a FunctionCall message outside the built-in functions
    kTooLarge,               ///< a message above limits.message_bytes
    kRowMismatch,            ///< the server's rows are not what the plan says
    kValueNotOpened,         ///< a stored value does not open: altered, moved or not ours
    kEnvelopeInResult,       ///< encrypted values in a result that no rule went through
    kUsedName,               ///< a name means another protected statement than when it was planned
    kChangedNames,           ///< what the names of a prepared statement stand for has changed
    kPolicyChanged,          ///< prepared under a policy that was replaced by a reload
    kShareTooLong,           ///< a session parameter of an impossible size
    kTooManyShares,          ///< more values of session parameters in one transaction than are kept
    kUnknownSql,             ///< DO or CALL while protected statements are prepared
    kTooManyStatements,      ///< limits.statements_per_session
    kTooManyCursors,         ///< the same, of cursors and portals
    kTooManyPlanBytes,       ///< limits.plan_bytes_per_session
    kUnreadDrop,             ///< DEALLOCATE in a text that cannot be read
    kUserLocked,             ///< by an alarm
    kScopeReadOnly,          ///< the token may only read, and the statement may do more
    kScopeTables,            ///< the token is not for a table of the statement
    kScopeMaintain,          ///< a table of a migration, and the token is not for maintenance
    kScopeUnknownTable,      ///< the token is for some tables, and which these are nobody can tell
};

/// `subject` names the column, message or limit concerned.
Refusal refusal(Reason reason, std::string_view subject);
/// @param text the user's text, to count the position in characters
Refusal refusal(const analysis::Rejection& rejection, std::string_view text);
Refusal refusal(const share::Denial& denial);
Refusal refusal(const share::Error& error);
Refusal refusal(const store::Error& error);
Refusal refusal(const types::Error& error);
/// Of a parameter's value for `column` (nullptr: for none): what pgveil cannot do with it names the
/// column; errors of PostgreSQL's own stay as they are.
Refusal refusal(const types::Error& error, const field::ProtectedColumn* column);
/// What PostgreSQL says when the input function of a parameter's type refuses what the client sent.
/// @param parameter its number, from 1; shown with `'...'` when it came as text (PostgreSQL 15,
/// bind_param_error_callback)
Refusal unread_parameter(Refusal refused, std::size_t parameter, bool is_text);
/// Says which portal an error of unread_parameter() belongs to; other errors stay as they are.
void name_portal(Refusal& refusal, std::string_view portal);

/// The statement that goes upstream in place of a refused one: at most 63 bytes between the quotes.
std::string marker(std::string_view request_id);

void append(wire::Output& client, const Refusal& refusal);

}  // namespace pgveil::relay
