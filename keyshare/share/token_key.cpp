#include "keyshare/share/token_key.hpp"

#include "keyshare/share/json_fields.hpp"

namespace pgveil::share {
namespace {

constexpr std::string_view kType = "pgveil-token-key";

std::string payload_of(const TokenKeyStatement& statement) {
    return write_json(Json{
        {"tenant", statement.tenant},
        {"key_id", statement.key.key_id},
        {"key", statement.key.point.text()},
        {"not_before", statement.not_before_s},
        {"not_after", statement.not_after_s}});
}

Result<TokenKeyStatement> parse(std::string_view payload) {
    JsonReader reader(payload);
    const auto point = reader.point("key");
    if (point) {
        TokenKeyStatement statement{
            .tenant = reader.plain_name("tenant"),
            .key = {reader.u32("key_id"), *point},
            .not_before_s = reader.time("not_before"),
            .not_after_s = reader.time("not_after")};
        if (reader.ok() && payload_of(statement) == payload) {
            return statement;
        }
    }
    return Error{
        ErrorCode::kMalformed, "the token key statement has a form this program does not know"};
}

}  // namespace

std::string sign_statement(const TokenKeyStatement& statement, const core::SigningKey& identity) {
    return core::sign_jws(identity, kType, core::as_bytes(payload_of(statement)));
}

Result<TokenKeyStatement> verify_statement(
    std::string_view jws,
    const core::VerifyingKey& pinned_identity,
    std::string_view tenant,
    std::int64_t now_s,
    std::int64_t skew_s
) {
    const auto payload = core::verify_jws(pinned_identity, kType, jws);
    if (!payload.has_value()) {
        return Error{
            ErrorCode::kForged,
            "the token key statement is not signed by the proxy pinned in the user key: it was "
            "altered, or this "
            "is another proxy"};
    }
    auto statement = parse(core::as_text(*payload));
    if (!statement.has_value()) {
        return statement;
    }
    if (statement->tenant != tenant) {
        return Error{
            ErrorCode::kForeign, "the token key statement is for tenant " + statement->tenant};
    }
    if (now_s < statement->not_before_s - skew_s || now_s > statement->not_after_s + skew_s) {
        return Error{
            ErrorCode::kExpired,
            "the token key statement is not in force now: fetch it again, and compare this "
            "machine's clock with "
            "the proxy's"};
    }
    return statement;
}

}  // namespace pgveil::share
