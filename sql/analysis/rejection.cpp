#include "sql/analysis/rejection.hpp"

#include "sql/parse/expression.hpp"

#include <utility>

namespace pgveil::analysis {

std::int32_t position_of(std::uint32_t offset) {
    return offset > INT32_MAX ? -1 : static_cast<std::int32_t>(offset);
}

Rejection refusal_of_column(
    const field::ProtectedColumn& column,
    std::string_view construct,
    std::string_view hint,
    std::uint32_t begin
) {
    Rejection result;
    result.subject = column.qualified_name();
    result.construct = construct;
    result.hint = hint;
    result.position = position_of(begin);
    result.sqlstate = "0A000";
    result.message = result.construct + ": not possible on the encrypted column " + result.subject +
                     " (" + std::string(config::name_of(column.scheme)) + ")";
    return result;
}

Rejection refusal_of(
    std::string_view subject, std::string_view construct, std::string_view hint, std::uint32_t begin
) {
    Rejection result;
    result.subject = subject;
    result.construct = construct;
    result.hint = hint;
    result.position = position_of(begin);
    result.sqlstate = "0A000";
    result.message = result.construct + ": not possible with " + result.subject;
    return result;
}

Rejection disagreement(std::string_view subject, std::string_view what, std::uint32_t begin) {
    Rejection result;
    result.kind = RejectionKind::kDisagreement;
    result.subject = subject;
    result.construct = what;
    result.hint =
        "make the policy and the database agree (pgveil check lists the differences), then reload";
    result.position = position_of(begin);
    result.sqlstate = "0A000";
    result.message = result.subject + ": " + result.construct;
    return result;
}

Rejection postgres_error(std::string sqlstate, std::string message, std::uint32_t begin) {
    Rejection result;
    result.kind = RejectionKind::kPostgres;
    result.position = position_of(begin);
    result.sqlstate = std::move(sqlstate);
    result.message = std::move(message);
    return result;
}

Rejection limit_error(std::string sqlstate, std::string message, std::string hint) {
    Rejection result;
    result.kind = RejectionKind::kLimit;
    result.sqlstate = std::move(sqlstate);
    result.message = std::move(message);
    result.hint = std::move(hint);
    return result;
}

namespace {

/// PostgreSQL gives a position for what an input function refuses; a cast (to a length, a scale, a
/// narrower type) runs later and has none.
bool arises_in_cast(const types::Error& error) {
    return error.sqlstate == "22001" || error.message == "numeric field overflow" ||
           error.message.ends_with(" out of range") ||
           error.message.ends_with("out of range for timestamp");
}

}  // namespace

Rejection constant_error(
    const types::Error& error, const field::ProtectedColumn& column, std::uint32_t begin
) {
    if (error.kind == types::ErrorKind::kInvalidValue) {
        Rejection result = postgres_error(
            error.sqlstate, error.message, arises_in_cast(error) ? parse::kNowhere : begin
        );
        result.subject = column.qualified_name();
        result.hint = error.hint;
        result.detail = error.detail;
        return result;
    }
    Rejection result = refusal_of_column(column, "this constant", error.hint, begin);
    result.sqlstate = error.sqlstate;
    result.message = error.message + " (for the encrypted column " + result.subject + ")";
    if (result.hint.empty()) {
        result.hint = "give the value in the column's own type, " + types::sql_name_of(column.type);
    }
    return result;
}

}  // namespace pgveil::analysis
